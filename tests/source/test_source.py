"""All supported inputs are read correctly: in memory, h5ad and zarr; dense, CSR, CSC and dask."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter import ExportConfig, export
from karospace_jupyter.config import MatrixLayer, MatrixRaw
from karospace_jupyter.errors import Cancelled, GenesError, SourceError
from karospace_jupyter.job import Job
from karospace_jupyter.plan.matrix_values import matrix_values
from karospace_jupyter.source import open_source

N, G = 300, 40
STORAGES = ["memory", "h5ad", "zarr", "backed", "dask", "view"]
KINDS = ["csr", "csc", "dense"]


def counts() -> sp.csr_matrix:
    rng = np.random.default_rng(1)
    dense = rng.poisson(0.4, (N, G)).astype(np.float32)
    dense[:, 7] = 0
    return sp.csr_matrix(dense)


def build(kind: str) -> ad.AnnData:
    x = counts()
    matrix: Any = {"csr": x, "csc": x.tocsc(), "dense": x.toarray()}[kind]
    obs = pd.DataFrame(
        {"kind": pd.Categorical(["a", "b", "c"] * (N // 3)), "area": np.linspace(1, 9, N)},
        index=[f"cell{i}" for i in range(N)],
    )
    var = pd.DataFrame({"symbol": [f"S{i}" for i in range(G)]}, index=[f"g{i}" for i in range(G)])
    adata = ad.AnnData(matrix, obs=obs, var=var)
    adata.layers["double"] = matrix * 2
    adata.raw = ad.AnnData(matrix[:, :30] * 3, var=var[:30])
    adata.obsm["spatial"] = np.random.default_rng(0).normal(size=(N, 3))
    adata.obsm["frame"] = pd.DataFrame({"x": np.arange(N), "y": np.arange(N) * 2.0}, index=obs.index)
    adata.obsm["sparse"] = sp.csr_matrix(np.eye(N, 2))
    adata.uns["spatial"] = {"lib": {"scalefactors": {"f": 0.5}, "images": {"hires": np.ones((4, 5, 3))}}}
    return adata


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=STORAGES)
def subject(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Any:
    adata = build(kind)
    if request.param == "memory":
        return adata
    if request.param == "view":
        doubled = ad.concat([adata, adata], index_unique="-", merge="same", uns_merge="same")
        return doubled[:N]
    if request.param == "dask":
        dask = pytest.importorskip("dask.array")
        if kind == "csc":
            pytest.skip("AnnData does not support dask arrays with CSC chunks")
        adata.X = dask.from_array(adata.X, chunks=(97, G), asarray=False)
        return adata
    if request.param == "zarr":
        pytest.importorskip("zarr")
        adata.write_zarr(tmp_path / "a.zarr")
        return tmp_path / "a.zarr"
    adata.write_h5ad(tmp_path / "a.h5ad")
    return ad.read_h5ad(tmp_path / "a.h5ad", backed="r") if request.param == "backed" else tmp_path / "a.h5ad"


ROWS = [None, np.array([0, 3, 4, 150, 299], dtype=np.int64)]


@pytest.mark.parametrize("rows", ROWS, ids=["all", "some"])
@pytest.mark.parametrize("memory_bytes", [2**20, 1500], ids=["one pass", "many passes"])
def test_genes_are_the_matrix_columns(subject: Any, rows: Any, memory_bytes: int) -> None:
    source = open_source(subject, memory_bytes=memory_bytes)
    wanted = np.array([39, 0, 7, 12, 5], dtype=np.int64)
    dense = counts().toarray()[slice(None) if rows is None else rows]
    found = list(source.genes(wanted, rows))
    assert [vector.position for vector in found] == [0, 1, 2, 3, 4]
    for vector in found:
        assert vector.values.dtype == np.float32
        np.testing.assert_array_equal(vector.values, dense[:, wanted[vector.position]])
    source.close()


@pytest.mark.parametrize("rows", ROWS, ids=["all", "some"])
def test_statistics_match_numpy_for_every_scale(subject: Any, rows: Any) -> None:
    source = open_source(subject, memory_bytes=2**14)
    dense = counts().toarray().astype(np.float64)
    for scale, values in {
        "as_is": dense,
        "expm1": np.expm1(dense),
    }.items():
        chosen = values[slice(None) if rows is None else rows]
        found = source.statistics(rows, scale)  # type: ignore[arg-type]  # the keys are scales
        np.testing.assert_allclose(found.mean, chosen.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found.variance, chosen.var(axis=0, ddof=1), rtol=1e-6, atol=1e-9)
        np.testing.assert_array_equal(found.detected, np.count_nonzero(chosen, axis=0))
        ceiling = np.linspace(0.5, 3, G)
        found = source.statistics(rows, scale, ceiling=ceiling)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.mean, np.minimum(chosen, ceiling).mean(axis=0), rtol=1e-6)
    assert source.sample().values.nnz == np.count_nonzero(dense)
    source.close()


def test_tables_of_obs_var_and_uns_are_read(subject: Any) -> None:
    source = open_source(subject)
    assert (source.n_cells, source.n_genes) == (N, G)
    assert source.gene_names[3] == "g3"
    assert list(source.obs("kind")[:3]) == ["a", "b", "c"]
    with pytest.raises(KeyError):
        source.obs("nothing")
    assert source.uns("spatial", "lib", "scalefactors", "f") == 0.5
    assert source.uns("spatial", "lib", "images", "hires").shape == (4, 5, 3)
    assert source.uns("spatial") == {"lib": None}
    assert source.uns("spatial", "other") is None
    assert source.has_raw
    assert source.layers == ("double",)
    source.close()


def test_layer_and_raw_are_selectable(subject: Any) -> None:
    layer = open_source(subject, matrix=MatrixLayer("double"))
    first = next(layer.genes(np.array([0]), None))
    np.testing.assert_array_equal(first.values, counts().toarray()[:, 0] * 2)
    layer.close()
    raw = open_source(subject, matrix=MatrixRaw())
    assert raw.n_genes == 30
    assert raw.matrix_name == "raw"
    last = next(raw.genes(np.array([29]), None))
    np.testing.assert_array_equal(last.values, counts().toarray()[:, 29] * 3)
    raw.close()
    with pytest.raises(GenesError, match="layer 'double'"):
        open_source(subject, matrix=MatrixLayer("nope"))


@pytest.mark.parametrize("kind", ["csr"], indirect=True)
def test_obsm_arrays_frames_and_sparse_are_read(subject: Any) -> None:
    if isinstance(subject, ad.AnnData) and "frame" not in subject.obsm:
        pytest.skip("concatenation drops data frames")
    source = open_source(subject)
    assert source.obsm_shapes["spatial"] == (N, 3)
    assert source.obsm("spatial").shape == (N, 2)
    np.testing.assert_array_equal(source.obsm("frame")[:, 1], np.arange(N) * 2.0)
    np.testing.assert_array_equal(source.obsm("sparse"), np.eye(N, 2))
    with pytest.raises(KeyError):
        source.obsm("nothing")
    source.close()


def with_gaps() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return float64 counts with missing values.

    Gene 0 has NaN, infinite values and a value beyond float32; gene 1 has a value in every other cell, gene 2 in none.
    """
    x = counts().toarray().astype(np.float64)
    x[3, 0], x[4, 0], x[5, 0], x[6, 0] = np.nan, np.inf, -np.inf, 1e300
    x[::2, 1] = np.nan
    x[:, 2] = np.nan
    return x


def written(adata: ad.AnnData, storage: str, folder: Path) -> Any:
    if storage == "h5ad":
        adata.write_h5ad(folder / "a.h5ad")
        return folder / "a.h5ad"
    if storage == "zarr":
        pytest.importorskip("zarr")
        adata.write_zarr(folder / "a.zarr")
        return folder / "a.zarr"
    if storage == "dask":
        dask = pytest.importorskip("dask.array")
        adata.X = dask.from_array(adata.X, chunks=(97, adata.n_vars), asarray=False)
    return adata


@pytest.mark.parametrize("storage", ["memory", "h5ad", "zarr", "dask"])
@pytest.mark.parametrize("rows", ROWS, ids=["all", "some"])
class TestMissingValues:
    """NaN, infinite values and values beyond float32 are missing: neither zeros nor part of any statistic."""

    @pytest.fixture
    def source(self, kind: str, storage: str, tmp_path: Path) -> Iterator[Any]:
        if storage == "dask" and kind == "csc":
            pytest.skip("AnnData does not support dask arrays with CSC chunks")
        make: Any = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}[kind]
        source = open_source(written(ad.AnnData(make(with_gaps())), storage, tmp_path), memory_bytes=2**14)
        yield source
        source.close()

    def test_vectors_contain_nan_and_count_missing_values(self, source: Any, rows: Any) -> None:
        chosen = with_gaps()[slice(None) if rows is None else rows]
        chosen[~(np.abs(chosen) < 1e300)] = np.nan
        found = list(source.genes(np.arange(4), rows))
        for gene, vector in enumerate(found):
            np.testing.assert_array_equal(vector.values, chosen[:, gene].astype(np.float32))
            assert vector.missing == np.isnan(chosen[:, gene]).sum()
        infinite = 3 if rows is None else 1  # rows 4, 5 and 6; the selected rows contain only row 4
        assert [vector.infinite for vector in found] == [infinite, 0, 0, 0]

    def test_statistics_ignore_missing_values(self, source: Any, rows: Any) -> None:
        dense = with_gaps()
        dense[~(np.abs(dense) < 1e300)] = np.nan
        for scale, values in {
            "as_is": dense,
            "expm1": np.expm1(dense),
        }.items():
            chosen = values[slice(None) if rows is None else rows]
            found = source.statistics(rows, scale)
            np.testing.assert_array_equal(found.present, (~np.isnan(chosen)).sum(axis=0))
            assert np.isnan(found.mean[2])
            keep = found.present > 0
            np.testing.assert_allclose(found.mean[keep], np.nanmean(chosen[:, keep], axis=0), rtol=1e-6)
            wanted = np.nanvar(chosen[:, keep], axis=0, ddof=1)
            np.testing.assert_allclose(found.variance[keep], wanted, rtol=1e-6, atol=1e-9)

    def test_counts_with_missing_values_are_counts(self, source: Any, rows: Any) -> None:
        assert matrix_values(source).kind == "counts"


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix], ids=["csr", "csc"])
def test_duplicate_entries_of_a_sparse_matrix_are_summed(make: Any) -> None:
    """Statistics use the sums, too; a sum may exceed the range of the dtype, and the object is not modified."""
    rows, columns = np.array([0, 0, 1, 1, 2]), np.array([1, 1, 0, 1, 0])
    data = np.array([100, 100, 1, 3, 2], np.int8)
    order = np.argsort(rows if make is sp.csr_matrix else columns, kind="stable")
    starts = np.searchsorted(np.sort(rows), np.arange(4)) if make is sp.csr_matrix else np.array([0, 2, 5])
    indices = columns if make is sp.csr_matrix else rows
    duplicated = make((data[order], indices[order], starts), shape=(3, 2))
    adata = ad.AnnData(duplicated)
    source = open_source(adata)
    assert next(source.genes(np.array([1]), None)).values.tolist() == [200, 3, 0]
    dense = np.array([[0, 200], [1, 3], [2, 0]], np.float64)
    for scale, values in {
        "as_is": dense,
        "expm1": np.expm1(dense),
    }.items():
        found = source.statistics(None, scale)  # type: ignore[arg-type]  # the keys are scales
        np.testing.assert_allclose(found.mean, values.mean(axis=0))
        np.testing.assert_allclose(found.variance, values.var(axis=0, ddof=1))
    assert adata.X.nnz == 5


def test_duplicate_missing_value_counts_once() -> None:
    duplicated = sp.csr_matrix(
        (np.array([np.nan, 1, np.nan, 4]), np.array([0, 0, 1, 0]), np.array([0, 3, 4])), shape=(2, 2)
    )
    source = open_source(ad.AnnData(duplicated))
    assert [vector.missing for vector in source.genes(np.array([0, 1]), None)] == [1, 1]
    found = source.statistics(None, "as_is")
    assert found.present.tolist() == [1, 1]
    assert found.mean.tolist() == [4, 0]


def of_type(matrix: Any, dtype: str) -> Any:
    """Return the matrix with values of a type that scipy may not support; among objects, one is None instead of 0."""
    if sp.issparse(matrix):
        matrix.data = matrix.data.astype(dtype)
        return matrix
    out = matrix.astype(dtype)
    if dtype == "O":
        out[0, 7] = None
    return out


def in_chunks(matrix: Any, n_rows: int) -> Any:
    """Return a dask array with several row chunks and two column chunks.

    Sparse chunks are converted to their dtype at the end, because scipy cannot slice float16.
    """
    dask = pytest.importorskip("dask.array")
    if not sp.issparse(matrix):
        return dask.from_array(matrix, chunks=(n_rows, G // 2), asarray=False)
    dtype = matrix.data.dtype
    wide = matrix.astype(np.float64)

    def narrow(block: Any) -> Any:
        block.data = block.data.astype(dtype)
        return block

    whole = dask.from_array(wide, chunks=(n_rows, G // 2), asarray=False)
    return whole.map_blocks(narrow, dtype=dtype, meta=np.empty((0, 0), dtype))


def change_dtype(path: Path, name: str, dtype: str) -> None:
    """Rewrite an array of a file with another dtype."""
    if path.suffix == ".h5ad":
        with h5py.File(path, "r+") as file:
            values, attrs = file[name][...], dict(file[name].attrs)
            del file[name]
            file[name] = values.astype(dtype)
            file[name].attrs.update(attrs)
        return
    zarr = pytest.importorskip("zarr", minversion="3")
    root = zarr.open_group(path, use_consolidated=False)
    values, attrs = root[name][...], dict(root[name].attrs)
    del root[name]
    root.create_array(name, data=values.astype(dtype), attributes=attrs)
    zarr.consolidate_metadata(path)


class TestTypesOfValues:
    """Numbers of any type are read correctly."""

    WANTED = np.array([[1.5, 0, -2], [0, 3, 0.25]])

    def check(self, subject: Any, wanted: Any = WANTED) -> None:
        source = open_source(subject)
        found = list(source.genes(np.arange(3), None))
        np.testing.assert_array_equal(np.stack([vector.values for vector in found], axis=1), wanted)
        mean = source.statistics(None, "as_is").mean
        np.testing.assert_allclose(mean, [np.mean([v for v in column if v == v]) for column in np.transpose(wanted)])
        source.close()

    @pytest.mark.parametrize("dtype", ["f2", "g", ">f4", ">f8"])
    @pytest.mark.parametrize("storage", ["memory", "h5ad"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_float_types_are_read(self, dtype: str, storage: str, kind: str, tmp_path: Path) -> None:
        make: Any = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}[kind]
        adata = ad.AnnData(make(self.WANTED))
        if storage == "memory":
            if kind == "dense":
                adata.X = self.WANTED.astype(dtype)
            else:
                adata.X.data = adata.X.data.astype(dtype)
            self.check(adata)
            return
        adata.write_h5ad(tmp_path / "a.h5ad")
        change_dtype(tmp_path / "a.h5ad", "X" if kind == "dense" else "X/data", dtype)
        self.check(tmp_path / "a.h5ad")

    @pytest.mark.parametrize("dtype", ["f2", "g", ">f4", ">i2", "O"])
    @pytest.mark.parametrize("storage", ["memory", "h5ad", "zarr", "dask"])
    def test_any_value_type_can_be_planned_and_exported(
        self, dtype: str, storage: str, kind: str, tmp_path: Path
    ) -> None:
        """A plan also reads a sample and statistics."""
        if dtype == "O" and (kind != "dense" or storage in {"h5ad", "zarr"}):
            pytest.skip("files and sparse matrices do not support objects")
        if dtype == "g" and storage == "zarr":
            pytest.skip("zarr has no long double")
        adata = build(kind)
        subject: Any = adata
        if storage in {"memory", "dask"}:
            adata.X = of_type(adata.X, dtype)
            if storage == "dask":
                adata.X = in_chunks(adata.X, 97)
        else:
            subject = written(adata, storage, tmp_path)
            change_dtype(subject, "X" if kind == "dense" else "X/data", dtype)
        plan = export.plan(subject, ExportConfig(genes_mode="hvgs:5"))
        assert plan.values.kind == "counts"
        bundle = export.run_to_memory(subject, ExportConfig(genes_mode="all", preview=False))
        np.testing.assert_array_equal(bundle.gene("g3"), counts().toarray()[:, 3])

    @pytest.mark.parametrize("dtype", ["f4", "f2", "i4", "O"])
    @pytest.mark.parametrize("filler", [-1e20, -999, 0.5])
    @pytest.mark.parametrize("storage", ["memory", "dask"])
    def test_masked_values_do_not_affect_the_detected_scale(self, dtype: str, filler: float, storage: str) -> None:
        values = counts().toarray()
        mask = np.random.default_rng(0).random(values.shape) < 0.2
        with np.errstate(over="ignore", invalid="ignore"):
            masked = np.ma.MaskedArray(np.where(mask, filler, values).astype(dtype), mask=mask)
        adata = build("dense")
        adata.layers["masked"] = in_chunks(masked, 97) if storage == "dask" else masked
        assert matrix_values(open_source(adata, matrix=MatrixLayer("masked"))).kind == "counts"

    @pytest.mark.parametrize("dtype", ["u1", "i8", "u8", ">i4", "?"])
    def test_integer_types_are_read(self, dtype: str) -> None:
        wanted = np.array([[1, 0, 1], [0, 1, 1]])
        for make in (np.asarray, sp.csr_matrix, sp.csc_matrix):
            adata = ad.AnnData(make(wanted.astype(np.float32)))
            if make is np.asarray:
                adata.X = wanted.astype(dtype)
            else:
                adata.X.data = adata.X.data.astype(dtype)
            self.check(adata, wanted)

    @pytest.mark.parametrize("dtype", ["f4", "f2", "i4", "O"])
    def test_masked_values_are_missing(self, dtype: str) -> None:
        values = np.array([[1, 7, 2], [0, 3, 7]]).astype(dtype)
        masked = np.ma.MaskedArray(values, mask=values == 7)
        adata = ad.AnnData(np.zeros((2, 3), np.float32))
        adata.layers["masked"] = masked
        assert isinstance(adata.layers["masked"], np.ma.MaskedArray)
        source = open_source(adata, matrix=MatrixLayer("masked"))
        found = list(source.genes(np.arange(3), None))
        assert [vector.missing for vector in found] == [0, 1, 1]
        assert source.statistics(None, "as_is").mean.tolist() == [0.5, 3, 2]
        source.check_unchanged()
        if dtype != "O":  # objects are converted to a copy
            masked.mask[0, 0] = True
            with pytest.raises(SourceError, match="matrix values"):
                source.check_unchanged()

    def test_objects_that_are_numbers_are_read(self) -> None:
        objects = np.array([[Decimal("1.5"), 0, None], [True, 3.0, pd.NA]], dtype=object)
        adata = ad.AnnData(np.zeros((2, 3), np.float32))
        adata.layers["objects"] = objects
        source = open_source(adata, matrix=MatrixLayer("objects"))
        found = [vector.values.tolist() for vector in source.genes(np.arange(2), None)]
        assert found == [[1.5, 1], [0, 3]]
        assert next(source.genes(np.array([2]), None)).missing == 2

    def test_objects_that_are_not_numbers_are_rejected(self) -> None:
        adata = ad.AnnData(np.zeros((1, 2), np.float32))
        adata.layers["objects"] = np.array([["a", 1]], dtype=object)
        with pytest.raises(GenesError, match="objects that are not numbers"):
            open_source(adata, matrix=MatrixLayer("objects"))

    def test_masked_values_of_dask_arrays_are_missing(self) -> None:
        dask = pytest.importorskip("dask.array")
        masked = np.ma.MaskedArray(np.array([[1.5, 9, -2], [0, 3, 0.25]]), mask=[[0, 1, 0], [0, 0, 0]])
        adata = ad.AnnData(self.WANTED)
        adata.layers["masked"] = dask.from_array(masked, chunks=(1, 3), asarray=False)
        source = open_source(adata, matrix=MatrixLayer("masked"))
        assert next(source.genes(np.array([1]), None)).missing == 1

    def test_complex_dask_array_is_rejected(self) -> None:
        dask = pytest.importorskip("dask.array")
        adata = ad.AnnData(self.WANTED)
        adata.X = dask.from_array(self.WANTED.astype(complex), chunks=(1, 3))
        with pytest.raises(GenesError, match="complex"):
            open_source(adata)


def test_reading_is_canceled_between_blocks() -> None:
    source = open_source(build("csr"), memory_bytes=1500)
    job = Job()
    vectors = source.genes(np.arange(G), None, job)
    next(vectors)
    job.cancel()
    with pytest.raises(Cancelled):
        list(vectors)


class TestBadInput:
    def test_missing_file_lists_other_files(self, tmp_path: Path) -> None:
        (tmp_path / "other.h5ad").touch()
        with pytest.raises(SourceError, match=r"File not found: .*other\.h5ad"):
            open_source(tmp_path / "nothing.h5ad")

    def test_file_that_is_not_hdf5_is_rejected(self, tmp_path: Path) -> None:
        (tmp_path / "a.h5ad").write_text("cell,gene\n")
        with pytest.raises(SourceError, match="not HDF5"):
            open_source(tmp_path / "a.h5ad")

    def test_empty_file_is_rejected(self, tmp_path: Path) -> None:
        (tmp_path / "a.h5ad").touch()
        with pytest.raises(SourceError):
            open_source(tmp_path / "a.h5ad")

    def test_hdf5_that_is_not_anndata_is_rejected(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["matrix"] = [1, 2]
        with pytest.raises(SourceError, match="no obs and no var. It contains: matrix"):
            open_source(tmp_path / "a.h5")

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
    def test_truncated_file_is_rejected(self, tmp_path: Path, share: float) -> None:
        build("csr").write_h5ad(tmp_path / "a.h5ad")
        whole = (tmp_path / "a.h5ad").read_bytes()
        (tmp_path / "b.h5ad").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(SourceError, match="truncated"):
            open_source(tmp_path / "b.h5ad")

    def test_folder_that_is_not_zarr_is_rejected(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="not a zarr store"):
            open_source(tmp_path)

    def test_missing_x_suggests_layers(self, tmp_path: Path) -> None:
        adata = ad.AnnData(obs=pd.DataFrame(index=["a", "b"]), var=pd.DataFrame(index=["g"]))
        adata.layers["counts"] = np.ones((2, 1))
        adata.write_h5ad(tmp_path / "a.h5ad")
        for subject in (adata, tmp_path / "a.h5ad"):
            with pytest.raises(GenesError, match="no X. Choose one of these instead: layer 'counts'"):
                open_source(subject)

    def test_object_that_is_not_anndata_is_rejected(self) -> None:
        with pytest.raises(SourceError, match="got list"):
            open_source([1, 2])

    @pytest.mark.parametrize(
        "damage",
        [{"at": 3, "value": 99999}, {"at": 3, "value": -5}, {"at": 0, "value": 50}, {"at": N, "value": 99999}],
        ids=str,
    )
    @pytest.mark.parametrize("kind", ["csr", "csc"])
    def test_damaged_indptr_is_rejected(self, tmp_path: Path, damage: dict[str, int], kind: str) -> None:
        build(kind).write_h5ad(tmp_path / "a.h5ad")
        with h5py.File(tmp_path / "a.h5ad", "r+") as file:
            file["X/indptr"][min(damage["at"], len(file["X/indptr"]) - 1)] = damage["value"]
        with pytest.raises(GenesError, match="damaged"):
            open_source(tmp_path / "a.h5ad")

    def test_complex_matrix_is_rejected(self) -> None:
        adata = build("dense")
        adata.X = adata.X.astype(complex)
        with pytest.raises(GenesError, match="complex"):
            open_source(adata)

    def test_out_of_range_indices_are_rejected(self, tmp_path: Path) -> None:
        build("csr").write_h5ad(tmp_path / "a.h5ad")
        with h5py.File(tmp_path / "a.h5ad", "r+") as file:
            file["X/indices"][5] = 4000
        source = open_source(tmp_path / "a.h5ad")
        with pytest.raises(GenesError, match="damaged"):
            list(source.genes(np.array([0]), None))
        source.close()


def test_column_in_non_native_byte_order_is_read() -> None:
    adata = ad.AnnData(np.ones((4, 2), dtype=np.float32))
    adata.obs["kind"] = np.array([3, 1, 3, 2], dtype=">i4")
    column = open_source(adata).obs("kind")
    assert column.tolist() == [3, 1, 3, 2]
    assert column.iloc[1:].nunique() == 3
    assert column.iloc[[2, 0]].tolist() == [3, 3]
