"""Files and objects of other tools are read correctly, or rejected with an error that says what to do."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import ExportConfig, adata_to_karospace, export, karospace_view, karospace_widget
from karospace_jupyter.config import MatrixRaw
from karospace_jupyter.errors import CoordinatesError, NoSourceError, SourceError, SourceMemoryError
from karospace_jupyter.form.summary import summarize
from karospace_jupyter.source import obsm_entries, open_source, reading

N, G = 24, 5
LABELS = list("ABC")
CODES = np.array([0, 1, 2, -1] * (N // 4), np.int32)


def tissue(n_genes: int = G) -> ad.AnnData:
    random = np.random.default_rng(0)
    adata = ad.AnnData(
        random.poisson(2, (N, n_genes)).astype(np.float32),
        obs=pd.DataFrame({"ct": pd.Categorical.from_codes(CODES, LABELS)}, index=[f"c{i}" for i in range(N)]),
        var=pd.DataFrame(
            {"biotype": pd.Categorical(["x", "y"] * 3)[:n_genes]}, index=[f"g{i}" for i in range(n_genes)]
        ),
    )
    adata.obsm["spatial"] = random.uniform(0, 100, (N, 2))
    return adata


def written(folder: Path, storage: str) -> tuple[Path, Any]:
    """Write a tissue with raw, and open the file for writing."""
    adata = tissue()
    adata.raw = adata.copy()
    if storage == "h5ad":
        adata.write_h5ad(folder / "a.h5ad")
        return folder / "a.h5ad", h5py.File(folder / "a.h5ad", "r+")
    zarr = pytest.importorskip("zarr", minversion="3")
    adata.write_zarr(folder / "a.zarr")
    root = zarr.open_group(str(folder / "a.zarr"), mode="r+", use_consolidated=False)
    (folder / "a.zarr" / ".zmetadata").unlink(missing_ok=True)
    return folder / "a.zarr", root


def put(group: Any, name: str, values: Any) -> Any:
    """Write an array to a group of an HDF5 file or a zarr store."""
    if isinstance(group, h5py.Group):
        return group.create_dataset(name, data=values, dtype=h5py.string_dtype() if values.dtype.kind == "O" else None)
    array = group.create_array(name, shape=values.shape, dtype=str if values.dtype.kind == "O" else values.dtype)
    array[...] = values.astype(str) if values.dtype.kind == "O" else values
    return array


def as_codes(frame: Any, column: str, labels: list[str], codes: Any, *, attribute: bool) -> None:
    """Store a factor as anndata before 0.8 does or, without the attribute, as SeuratDisk does."""
    del frame[column]
    array = put(frame, column, codes)
    group = frame.require_group("__categories")
    categories = put(group, column, np.array(labels, object))
    if attribute:
        array.attrs["categories"] = categories.ref if isinstance(categories, h5py.Dataset) else f"__categories/{column}"


@pytest.mark.parametrize("storage", ["h5ad", "zarr"])
@pytest.mark.parametrize("attribute", [True, False], ids=["anndata 0.7", "SeuratDisk"])
@pytest.mark.parametrize("encoding", ["0.1.0", None])
def test_frames_without_encoding_keep_names_and_categories(
    tmp_path: Path, storage: str, encoding: str | None, *, attribute: bool
) -> None:
    path, root = written(tmp_path, storage)
    for name in ("obs", "var", "raw/var"):
        frame = root[name]
        column, labels, codes = ("ct", LABELS, CODES) if name == "obs" else ("biotype", ["x", "y"], np.arange(G) % 2)
        as_codes(frame, column, labels, codes, attribute=attribute)
        for part in ("type", "version"):
            del frame.attrs[f"encoding-{part}"]
        if encoding is not None:
            frame.attrs["encoding-type"], frame.attrs["encoding-version"] = "dataframe", encoding
    if storage == "h5ad":
        root.close()
    source = open_source(path)
    assert source.gene_names.tolist() == [f"g{i}" for i in range(G)]
    assert source.cell_names[:2].tolist() == ["c0", "c1"]
    found = source.obs("ct")
    assert found.cat.categories.tolist() == LABELS
    assert found.cat.codes.tolist() == CODES.tolist()
    assert source.var("biotype").tolist() == ["x", "y", "x", "y", "x"]
    raw = open_source(path, matrix=MatrixRaw())
    assert raw.n_genes == G
    assert raw.var("biotype").tolist() == ["x", "y", "x", "y", "x"]
    raw.close()
    source.close()


@pytest.mark.parametrize("storage", ["h5ad", "zarr"])
def test_frames_without_any_attribute_keep_names_and_columns(tmp_path: Path, storage: str) -> None:
    """Without encoding metadata, location and content identify data frames and their groups."""
    path, root = written(tmp_path, storage)
    put(root["obs"].create_group("n"), "values", np.arange(N))
    put(root["obs/n"], "mask", np.arange(N) == 1)
    for name in ("obs", "var", "raw/var", "obs/ct", "var/biotype", "raw/var/biotype"):
        for attribute in list(root[name].attrs):
            del root[name].attrs[attribute]
    if storage == "h5ad":
        root.close()
    source = open_source(path)
    assert source.gene_names.tolist() == [f"g{i}" for i in range(G)]
    assert source.cell_names[:2].tolist() == ["c0", "c1"]
    assert source.obs("ct").cat.categories.tolist() == LABELS
    assert source.obs("ct").cat.codes.tolist() == CODES.tolist()
    assert source.obs("n")[:3].tolist() == [0, pd.NA, 2]
    raw = open_source(path, matrix=MatrixRaw())
    assert raw.var("biotype").tolist() == ["x", "y", "x", "y", "x"]
    raw.close()
    source.close()


@pytest.mark.parametrize("storage", ["h5ad", "zarr"])
def test_factor_without_encoding_in_a_current_frame_is_categorical(tmp_path: Path, storage: str) -> None:
    path, root = written(tmp_path, storage)
    for part in ("type", "version"):
        del root["obs/ct"].attrs[f"encoding-{part}"]
    root["obs/ct"].attrs["ordered"] = True
    if storage == "h5ad":
        root.close()
    source = open_source(path)
    found = source.obs("ct")
    assert found.cat.codes.tolist() == CODES.tolist()
    assert found.cat.ordered
    source.close()


def without_obs_encoding(folder: Path) -> tuple[Path, Any]:
    """Write a tissue without the encoding of its obs, and open the file for writing."""
    path, root = written(folder, "h5ad")
    for part in ("type", "version"):
        del root["obs"].attrs[f"encoding-{part}"]
    return path, root


def test_missing_integers_and_logical_values_of_r_are_read(tmp_path: Path) -> None:
    path, root = without_obs_encoding(tmp_path)
    codes = np.where(CODES < 0, np.iinfo(np.int32).min, CODES).astype(np.int32)
    as_codes(root["obs"], "ct", LABELS, codes, attribute=False)
    logical = h5py.enum_dtype({"FALSE": 0, "TRUE": 1, "NA": 2}, basetype="i1")
    root["obs"].create_dataset("healthy", data=np.arange(N, dtype="i1") % 3, dtype=logical)
    root["obs"].attrs["column-order"] = np.array(["ct", "healthy"], dtype=h5py.string_dtype())
    root.close()
    source = open_source(path)
    assert source.obs("ct").isna().tolist() == (CODES < 0).tolist()
    assert source.obs("healthy")[:4].tolist() == [False, True, pd.NA, False]
    source.close()


def test_codes_without_a_category_are_an_error_naming_the_column(tmp_path: Path) -> None:
    path, root = without_obs_encoding(tmp_path)
    as_codes(root["obs"], "ct", LABELS[:2], CODES, attribute=False)
    root.close()
    with pytest.raises(
        SourceError, match="the column 'ct' of obs of .* is damaged: it has the code 2 for 2 categories"
    ):
        open_source(path)


def test_equal_categories_are_merged(tmp_path: Path) -> None:
    path, root = without_obs_encoding(tmp_path)
    as_codes(root["obs"], "ct", ["A", "B", "A"], CODES, attribute=False)
    root.close()
    source = open_source(path)
    assert source.obs("ct")[:4].tolist()[:3] == ["A", "B", "A"]
    assert source.obs("ct").cat.categories.tolist() == ["A", "B"]
    source.close()


def test_frame_without_index_or_column_is_an_error_naming_the_frame(tmp_path: Path) -> None:
    path, root = without_obs_encoding(tmp_path)
    del root["obs/ct"]
    root.close()
    with pytest.raises(SourceError, match="obs of .* lists the columns ct, which do not exist"):
        open_source(path)
    with h5py.File(path, "r+") as root:
        del root["obs/_index"]
    with pytest.raises(SourceError, match="obs of .* has no index"):
        open_source(path)


def test_factors_of_a_seurat_file_are_exported_as_categories(tmp_path: Path) -> None:
    path, root = without_obs_encoding(tmp_path)
    as_codes(root["obs"], "ct", LABELS, CODES, attribute=False)
    root.close()
    bundle = export.run_to_memory(path, ExportConfig(preview=False))
    bundle.verify()
    assert [(column.name, column.kind) for column in bundle.manifest.columns or ()] == [("ct", "category")]


def awkward(group: Any) -> None:
    entry = group.create_group("airr")
    entry.attrs.update({"encoding-type": "awkward-array", "encoding-version": "0.1.0", "length": N, "form": "{}"})
    put(entry, "node0-offsets", np.arange(N + 1))


@pytest.mark.parametrize("storage", ["h5ad", "zarr"])
class TestObsmOfFiles:
    @pytest.fixture
    def path(self, tmp_path: Path, storage: str) -> Path:
        path, root = written(tmp_path, storage)
        awkward(root["obsm"])
        put(root["obsm"].create_group("X"), "harmony", np.arange(2.0 * N).reshape(N, 2))
        put(root["obsm"]["X"], "loadings", np.ones((G, 2)))
        put(root["obsm"], "words", np.array([["a", "b"]] * N, object))
        if storage == "h5ad":
            root.close()
        return path

    def test_only_numeric_arrays_are_listed(self, path: Path) -> None:
        source = open_source(path)
        assert source.obsm_shapes == {"spatial": (N, 2), "X/harmony": (N, 2)}
        assert source.obsm_others == {"airr": "an awkward array", "X": "a group", "words": "an array of text"}
        source.close()
        assert summarize(path).coordinates == ("obsm:spatial", "obsm:X/harmony")

    def test_export_ignores_other_entries(self, path: Path) -> None:
        bundle = export.run_to_memory(path, ExportConfig(preview=False))
        bundle.verify()
        assert bundle.manifest.n_cells == N
        assert not any("airr" in text for text in bundle.warnings)

    def test_key_with_a_slash_selects_a_nested_array(self, path: Path) -> None:
        config = ExportConfig(preview=False, coords="obsm:X/harmony")
        assert export.run_to_memory(path, config).manifest.n_cells == N
        source = open_source(path)
        np.testing.assert_array_equal(source.obsm("X/harmony"), np.arange(2.0 * N).reshape(N, 2))
        source.close()

    def test_requesting_another_entry_is_an_error_describing_it(self, path: Path) -> None:
        for options in ({"coords": "obsm:airr"}, {"embeddings": ["airr"]}):
            with pytest.raises(CoordinatesError, match=r"obsm\['airr'\] is an awkward array; .* obsm holds: .*spatial"):
                export.plan(path, ExportConfig(**options))  # type: ignore[arg-type]  # options of several types


class Ragged:
    """Like an awkward array: it has no shape."""

    def __getattr__(self, name: str) -> Any:
        msg = f"no field named {name!r}"
        raise AttributeError(msg)


def test_objects_without_shape_in_memory_are_ignored() -> None:
    held = {"spatial": np.ones((N, 2)), "ragged": Ragged(), "nested": {"harmony": np.ones((N, 2))}, 3: np.ones((N, 3))}
    usable, others = obsm_entries.in_memory(held)
    assert list(usable) == ["spatial", "3"]
    assert others == {"ragged": "a Ragged", "nested": "a dict"}


def test_text_in_memory_is_ignored() -> None:
    adata = tissue()
    adata.obsm["words"] = np.array([["a", "b"]] * N, object)
    source = open_source(adata)
    assert source.obsm_shapes == {"spatial": (N, 2)}
    assert source.obsm_others == {"words": "an array of text"}
    source.check_unchanged()
    with pytest.raises(CoordinatesError, match=r"obsm\['words'\] is an array of text"):
        export.plan(adata, ExportConfig(coords="obsm:words"))


def test_awkward_arrays_in_memory_are_ignored() -> None:
    awkward_arrays = pytest.importorskip("awkward", reason="awkward, which makes such arrays, is not installed")
    adata = tissue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata warns that its support is experimental
        adata.obsm["airr"] = awkward_arrays.Array([[{"shape": 1}]] * N)
        assert open_source(adata).obsm_others == {"airr": "an awkward array"}
        assert export.run_to_memory(adata, ExportConfig(preview=False)).manifest.n_cells == N


def h5mu(folder: Path) -> Path:
    """Write a file with two modalities in the format of mudata."""
    path = folder / "two.h5mu"
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "MuData"
        modalities = file.create_group("mod")
        for name, adata in {"rna": tissue(), "prot": tissue(2)}.items():
            ad.io.write_elem(modalities, name, adata)
        for name in ("obs", "var"):
            ad.io.write_elem(file, name, pd.DataFrame(index=["a", "b"]))
    return path


def spatialdata(folder: Path, version: int, group: str = "tables", names: Sequence[str] = ("table",)) -> Path:
    zarr = pytest.importorskip("zarr", minversion="3")
    path = folder / "sd.zarr"
    root = zarr.open_group(str(path), mode="w", zarr_format=version)
    for element in ("images", "shapes"):
        root.require_group(element)
    tables = root.require_group(group)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata announces a change of its default chunks
        for name in names:
            ad.io.write_elem(tables, name, tissue())
    return path


@pytest.mark.parametrize("entry", [open_source, karospace_view, lambda path: export.plan(path, ExportConfig())])
class TestStoresOfSeveralTables:
    def test_mudata_file_lists_its_modalities(self, entry: Any, tmp_path: Path) -> None:
        path = h5mu(tmp_path)
        with pytest.raises(SourceError) as caught:
            entry(path)
        assert "MuData" in str(caught.value)
        assert str(path / "mod" / "rna") in str(caught.value)
        assert str(path / "mod" / "prot") in str(caught.value)

    @pytest.mark.parametrize("version", [2, 3])
    @pytest.mark.parametrize("group", ["tables", "table"])
    def test_spatialdata_store_lists_its_tables(self, entry: Any, tmp_path: Path, version: int, group: str) -> None:
        path = spatialdata(tmp_path, version, group, names=("cells", "bins"))
        with pytest.raises(SourceError) as caught:
            entry(path)
        choices = ", ".join(str(path / group / name) for name in ("bins", "cells"))
        assert str(caught.value) == f"{path} is SpatialData. Its tables: bins, cells. Open one of them: {choices}."


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("group", ["tables", "table"])
def test_single_table_of_a_spatialdata_store_is_read(tmp_path: Path, version: int, group: str) -> None:
    path = spatialdata(tmp_path, version, group)
    bundle = adata_to_karospace(path, tmp_path / "out", genes_mode="all", preview=False)
    np.testing.assert_array_equal(bundle.gene("g1"), tissue().X[:, 1])
    assert bundle.manifest.dataset_name == path.stem


def test_table_without_coordinates_names_the_element_that_it_describes(tmp_path: Path) -> None:
    adata = tissue()
    del adata.obsm["spatial"]
    adata.obs = pd.DataFrame({"instance_id": np.arange(N)}, index=adata.obs_names)
    adata.uns["spatialdata_attrs"] = {"region": "cell_labels", "instance_key": "instance_id", "region_key": "region"}
    wanted = r"The rows annotate 'cell_labels' of a SpatialData store, which is not read\. Store the centroids"
    with pytest.raises(CoordinatesError, match=wanted):
        export.plan(adata, ExportConfig())


def test_path_may_select_a_modality_of_a_file(tmp_path: Path) -> None:
    path = h5mu(tmp_path) / "mod" / "rna"
    source = open_source(path)
    assert (source.name, source.n_cells, source.n_genes) == ("two rna", N, G)
    source.check_unchanged()
    source.close()
    bundle = adata_to_karospace(str(path), tmp_path / "out", genes_mode="all", preview=False)
    np.testing.assert_array_equal(bundle.gene("g1"), tissue().X[:, 1])
    with pytest.raises(NoSourceError, match="has no group mod/atac"):
        open_source(path.with_name("atac"))


def test_path_may_select_a_table_of_a_store(tmp_path: Path) -> None:
    store = spatialdata(tmp_path, 3)
    planned = export.plan(store / "tables" / "table", ExportConfig())
    assert (planned.cells.n, planned.dataset_name) == (N, store.stem)


def of_package(kind: str, package: str, **parts: Any) -> Any:
    """Return an object whose class appears to belong to another package."""
    made = type(kind, (), {"__module__": f"{package}.core"})()
    vars(made).update(parts)
    return made


@pytest.mark.parametrize("entry", [open_source, karospace_view, karospace_widget, adata_to_karospace])
def test_objects_of_several_tables_are_rejected_with_alternatives(entry: Any, tmp_path: Path) -> None:
    given = {"outdir": tmp_path / "out"} if entry is adata_to_karospace else {}
    frame = pd.DataFrame()
    mdata = of_package(
        "MuData", "mudata", mod={"rna": None, "prot": None}, obs=frame, var=frame, obsm={}, uns={}, n_obs=0, n_vars=0
    )
    with pytest.raises(SourceError, match=r'MuData .* Pass one of them: mdata.mod\["rna"\], mdata.mod\["prot"\]\.$'):
        entry(mdata, **given)
    sdata = of_package("SpatialData", "spatialdata", tables={"table": None})
    with pytest.raises(SourceError, match=r'SpatialData .* Pass sdata.tables\["table"\]\.$'):
        entry(sdata, **given)
    with pytest.raises(SourceError, match=r"It has no tables\.$"):
        entry(of_package("SpatialData", "spatialdata", tables={}), **given)


LOCK = """
import h5py, sys
file = h5py.File(sys.argv[1], "r+")
print("open", flush=True)
sys.stdin.read()
"""


def test_file_open_for_writing_elsewhere_is_reported_as_locked(tmp_path: Path) -> None:
    tissue().write_h5ad(tmp_path / "a.h5ad")
    command = [sys.executable, "-c", LOCK, str(tmp_path / "a.h5ad")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == b"open"
        try:
            with pytest.raises(SourceError, match="is locked: another process, .* has it open for writing"):
                open_source(tmp_path / "a.h5ad")
        finally:
            writer.communicate()
    open_source(tmp_path / "a.h5ad").close()


FILES: dict[str, tuple[bytes, str]] = {
    "a.rds": (b"\x1f\x8b\x08\x00", "is an R data file. Convert"),
    "a.csv": (b"cell,x,y", "is a text table, not AnnData"),
    "a.csv.gz": (b"\x1f\x8b\x08\x00", "is a text table, not AnnData"),
    "a.h5ad.gz": (b"\x1f\x8b\x08\x00", "is compressed with gzip. Unpack it"),
    "a.zarr.zip": (b"PK\x03\x04", "is a zip archive. Unpack it and open the zarr store inside"),
    "a.h5ad": (b"", "it is empty"),
    "b.h5ad": (b"something", "it is not HDF5"),
    "b.csv": (b"A\n1\n2\n", "is a text table, not AnnData"),
    "c.csv": (b"X\n1\n2\n", "is a text table, not AnnData"),
    "a": (b"A\n1\n2\n", "it is not HDF5"),
    "b": (b"A\n3\n262657\n", "is an R data file. Convert"),
    "c": (b"X\n\0\0\0\3\0\4", "is an R data file. Convert"),
    "d": (b"RDX3\nX\n", "is an R data file. Convert"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_formats_are_recognized(name: str, tmp_path: Path) -> None:
    content, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path / name)


HDF5: dict[str, tuple[list[str], str]] = {
    "ten_x_3": (["matrix/barcodes", "matrix/data", "matrix/indptr"], "is a 10x Genomics matrix"),
    "ten_x_2": (["mm10/barcodes", "mm10/data", "mm10/indptr"], "is a 10x Genomics matrix"),
    "loom": (["matrix", "row_attrs/Gene", "col_attrs/CellID"], "is a Loom file"),
    "seurat": (["assays/RNA", "cell.names"], "is an h5Seurat file"),
    "other": (["something"], "it has no obs and no var. It contains: something"),
}


@pytest.mark.parametrize("name", HDF5)
def test_hdf5_files_of_other_formats_are_recognized(name: str, tmp_path: Path) -> None:
    datasets, message = HDF5[name]
    with h5py.File(tmp_path / f"{name}.h5", "w") as file:
        for dataset in datasets:
            file[dataset] = np.arange(3)
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path / f"{name}.h5")


class TestFilters:
    """Compression with filters that are not part of HDF5."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        plugin = pytest.importorskip("hdf5plugin", reason="hdf5plugin, which writes such files, is not installed")
        tissue().write_h5ad(tmp_path / "a.h5ad", compression=plugin.FILTERS["zstd"])
        return tmp_path / "a.h5ad"

    def run(self, path: Path, before: str, subject: str = "sys.argv[1]") -> subprocess.CompletedProcess[str]:
        """Run the statement `before` in a new process, then print the number of cells of `subject`, or the error."""
        code = (
            f"import sys\n{before}\n"
            "from karospace_jupyter import ExportConfig, export\nfrom karospace_jupyter.errors import SourceError\n"
            f"try:\n    print(export.plan({subject}, ExportConfig()).cells.n)\n"
            "except SourceError as exc:\n    print(exc)\n"
        )
        command = [sys.executable, "-c", code, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    def test_filters_are_available_with_hdf5plugin(self, path: Path) -> None:
        assert self.run(path, "").stdout.strip() == str(N)

    def test_filters_are_available_for_backed_objects(self, path: Path) -> None:
        plugin = pytest.importorskip("hdf5plugin")
        tissue().write_h5ad(path)
        with h5py.File(path, "r+") as file:
            values, attrs = file["X"][...], dict(file["X"].attrs)
            del file["X"]
            file.create_dataset("X", data=values, compression=plugin.Zstd()).attrs.update(attrs)
        backed = "ad.read_h5ad(sys.argv[1], backed='r')"
        assert self.run(path, "import anndata as ad", backed).stdout.strip() == str(N)

    def test_missing_hdf5plugin_is_an_error_with_the_install_command(self, path: Path) -> None:
        without = "sys.modules['hdf5plugin'] = None  # import raises ImportError"
        assert "pip install hdf5plugin" in self.run(path, without).stdout


@pytest.mark.parametrize(
    "message",
    [
        "Can't synchronously read data (can't open directory (/usr/local/hdf5/lib/plugin). Please verify its existence)",
        "Can't read data (required filter 'Zstandard compression: http://www.zstd.net' is not registered)",
    ],
)
def test_unknown_filter_is_an_error_with_the_install_command(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    wanted = r"X of a\.h5ad is compressed .* \(pip install hdf5plugin\)"
    with pytest.raises(SourceError, match=wanted), reading.reading("X of a.h5ad"):
        raise OSError(message)


@pytest.mark.parametrize(
    "fault",
    [PermissionError(13, "Permission denied", "a.zarr/X/0.0"), OSError(5, "Input/output error"), AttributeError("x")],
)
def test_system_errors_are_not_reported_as_damage(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise fault

    with pytest.raises(SourceError, match="X cannot be read: ") as found, reading.reading("X"):
        fail()
    assert "damaged" not in str(found.value)
    if isinstance(fault, OSError):  # even if the error passes through a library
        zarr = pytest.importorskip("zarr", minversion="3")
        monkeypatch.setattr(zarr.storage.MemoryStore, "get", fail)
        with pytest.raises(SourceError, match="X cannot be read: ") as found, reading.reading("X"):
            zarr.open_group(zarr.storage.MemoryStore(), mode="r")
        assert "damaged" not in str(found.value)


def test_memory_shortage_while_reading_names_what_was_read() -> None:
    # A damaged chunk of a small file may claim any size.
    wanted = (
        "obs of a.zarr cannot be read: not enough memory .*Unable to allocate .*"
        "A small file that needs this much is damaged"
    )
    with pytest.raises(SourceMemoryError, match=wanted), reading.reading("obs of a.zarr"):
        np.empty(2**55)


@pytest.mark.parametrize("storage", ["h5ad", "zarr"])
def test_damaged_chunks_are_errors_naming_the_array(tmp_path: Path, storage: str) -> None:
    adata = tissue()
    if storage == "zarr":
        pytest.importorskip("zarr")
        adata.write_zarr(tmp_path / "a.zarr")
        for chunk in (tmp_path / "a.zarr" / "obsm" / "spatial").rglob("*"):
            if chunk.is_file() and not chunk.name.startswith(".z") and chunk.name != "zarr.json":
                chunk.write_bytes(b"damaged")
        path = tmp_path / "a.zarr"
    else:
        path = tmp_path / "a.h5ad"
        adata.write_h5ad(path, compression="gzip")
        with h5py.File(path) as file:
            chunk = file["obsm/spatial"].id.get_chunk_info(0)
        data = bytearray(path.read_bytes())
        data[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\0" * chunk.size
        path.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="obsm/spatial of .* cannot be read: .* The file is damaged or incomplete"):
        export.plan(path, ExportConfig())
