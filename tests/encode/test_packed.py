"""Packed genes: exact, independent of storage, threads and memory, within size limits, and readable in parts."""

from __future__ import annotations

import dataclasses
import gzip
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp

from karospace_jupyter import Bundle, ExportConfig
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.bundle.files import MemoryFiles
from karospace_jupyter.bundle.ladders import Ladders, LaddersTooLargeError, levels
from karospace_jupyter.bundle.manifest import Packed
from karospace_jupyter.bundle.packed import FULL, Index, cells_of, gaps_of, read_index, write_index
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.encode.pack import Packer
from karospace_jupyter.encode.packed import encode_packed
from karospace_jupyter.errors import BundleError, NotExportedError, SinkError
from karospace_jupyter.export import dry_run, run_to_memory
from karospace_jupyter.job import Job
from karospace_jupyter.plan import resolve
from karospace_jupyter.source import open_source

Values = Callable[[np.random.Generator], Any]


def tissue(values: Any, n_genes: int = 60) -> ad.AnnData:
    adata = synthetic_tissue(n_cells=500, n_genes=n_genes, seed=5)
    del adata.uns["spatial"]  # images take long to encode
    adata.X = values
    return adata


def packed(adata: ad.AnnData | Path, **options: Any) -> Bundle:
    first = "EPCAM"
    return run_to_memory(adata, ExportConfig(packed="yes", genes_mode=[first], preview=False, **options))


def hashes(bundle: Bundle) -> dict[str, str | None]:
    return {file.path: file.sha256 for file in bundle.manifest.asset_files if file.kind == "packed"}


def counts(rng: np.random.Generator) -> Any:
    return sp.csr_matrix(rng.poisson(0.6, (500, 60)).astype(np.float32))


def normalized(rng: np.random.Generator) -> Any:
    raw_counts = rng.poisson(0.6, (500, 60))
    raw_counts[11] = 0  # a cell without entries
    total = np.maximum(raw_counts.sum(axis=1, keepdims=True), 1)
    return sp.csr_matrix(np.log1p(raw_counts / total * 1e4).astype(np.float32))


def continuous(rng: np.random.Generator) -> Any:
    return rng.normal(size=(500, 60)).astype(np.float32)


def with_missing(rng: np.random.Generator) -> Any:
    values = rng.poisson(0.6, (500, 60)).astype(np.float64)
    values[3, 4] = np.nan
    values[4, 4] = np.inf
    values[5, 6] = -0.0
    values[:, 8] = 0
    values[:, 9] = 2.5
    values[7] = 0
    values[8, 2] = 2**24 + 1
    return values


def large_counts(rng: np.random.Generator) -> Any:
    values = rng.integers(0, 900, (500, 60)) * (rng.random((500, 60)) < 0.4)
    values[:, 0] = 1
    return sp.csr_matrix(values, dtype=np.int32)


MATRICES: dict[str, tuple[Values, str]] = {
    "counts": (counts, "ladder"),
    "normalized": (normalized, "ladder"),
    "large counts": (large_counts, "ladder"),
    "continuous": (continuous, "float32"),
    "missing and special values": (with_missing, "ladder"),
}


def expected(values: Any) -> np.ndarray[Any, Any]:
    dense = values.toarray() if sp.issparse(values) else np.asarray(values)
    with np.errstate(over="ignore"):
        single = dense.astype(np.float32)
    return np.where(np.isinf(single), np.float32(np.nan), single) + np.float32(0)


@pytest.mark.parametrize("kind", MATRICES)
def test_every_value_is_exact(kind: str) -> None:
    make, form = MATRICES[kind]
    values = make(np.random.default_rng(1))
    bundle = packed(tissue(values))
    assert bundle.manifest.packed is not None
    assert bundle.manifest.packed.values == form
    wanted = expected(values)
    found = bundle.matrix().toarray()
    assert found.dtype == np.float32
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    present = ~np.isnan(wanted)
    assert np.array_equal(found.view(np.uint32)[present], wanted.view(np.uint32)[present])
    for gene in (0, 4, 9, 59):
        assert np.array_equal(bundle.gene(bundle.gene_names[gene]), wanted[:, gene], equal_nan=True)
    bundle.verify()


@pytest.mark.parametrize("kind", MATRICES)
def test_bytes_depend_only_on_the_values(kind: str, tmp_path: Path) -> None:
    values = MATRICES[kind][0](np.random.default_rng(2))
    dense = values.toarray() if sp.issparse(values) else values
    wanted = hashes(packed(tissue(values)))
    as_rows, as_columns = tissue(sp.csr_matrix(dense)), tissue(sp.csc_matrix(dense))
    as_rows.write_h5ad(tmp_path / "rows.h5ad")
    as_columns.write_zarr(tmp_path / "columns.zarr")
    for stored in (
        as_rows,
        as_columns,
        tissue(dense),
        tissue(da.from_array(dense, chunks=(70, 60))),
        tmp_path / "rows.h5ad",
        tmp_path / "columns.zarr",
    ):
        assert hashes(packed(stored)) == wanted
    assert hashes(packed(as_rows, jobs=1, memory_mb=16)) == wanted


def test_small_memory_gives_the_same_bytes() -> None:
    """With little memory, blocks have a few hundred values and are stored in a file."""
    adata = tissue(normalized(np.random.default_rng(3)))
    config = ExportConfig(packed="yes", genes_mode=["EPCAM"])
    results = []
    for memory in (512 * 10**6, 0):
        source = open_source(adata)
        plan = resolve(source, config)
        written: dict[str, bytes] = {}
        with Packer(written.__setitem__, gzip=True, threads=2) as packer:
            encode_packed(plan, source, packer, 10**7, memory, Job.null())
        results.append(written)
    assert results[0] == results[1]


def test_downsampled_matrix_contains_the_exported_cells() -> None:
    adata = synthetic_tissue(n_cells=2000, n_genes=40, seed=6)
    for stored in (adata.X, sp.csc_matrix(adata.X)):
        variant = adata.copy()
        variant.X = stored
        bundle = run_to_memory(variant, ExportConfig(packed="yes", genes_mode="all", downsample=300))
        assert bundle.matrix().shape == (300, 40)
        bundle.verify()  # compares each packed gene with its dense vector


def test_all_exported_cells_may_have_no_entries() -> None:
    adata = tissue(normalized(np.random.default_rng(3)))
    values = adata.X.toarray()
    chosen = run_to_memory(adata, ExportConfig(genes_mode=["EPCAM"], downsample=40, preview=False))
    rows = adata.obs_names.get_indexer(cell_ids(chosen).tolist())
    values[rows] = 0
    for stored in (sp.csr_matrix(values), sp.csc_matrix(values)):
        adata.X = stored
        bundle = packed(adata, downsample=40)
        assert bundle.matrix().nnz == 0
        bundle.verify()


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
def test_number_of_blocks_does_not_affect_the_number_of_open_files() -> None:
    """All blocks share one temporary file."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    large = synthetic_tissue(n_cells=60_000, n_genes=60, seed=1)
    values = np.random.default_rng(1).random((60_000, 60), dtype=np.float32)
    large.X = sp.csr_matrix(np.where(values < 0.1, 0, values))
    del large.uns["spatial"]
    config = ExportConfig(packed="yes", genes_mode=["EPCAM"])
    source = open_source(large)
    plan = resolve(source, config)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len([*Path("/proc/self/fd").iterdir()]) + 20, limits[1]))
    try:
        with Packer(lambda *_: None, gzip=True, threads=1) as packer:
            encode_packed(plan, source, packer, 10**7, 0, Job.null())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_error_names_an_absent_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    source = open_source(tissue(counts(np.random.default_rng(4))))
    plan = resolve(source, ExportConfig(packed="yes", genes_mode=["EPCAM"]))
    with (
        Packer(lambda *_: None, gzip=True, threads=1) as packer,
        pytest.raises(SinkError, match=r"absent.*TMPDIR"),
    ):
        encode_packed(plan, source, packer, 10**7, 0, Job.null())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_temporary_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system rejects writes beyond a maximum file size, like a full disk."""
    resource = pytest.importorskip("resource")
    file = tmp_path / "blocks"
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: file.open("w+b"))
    source = open_source(tissue(counts(np.random.default_rng(4))))
    plan = resolve(source, ExportConfig(packed="yes", genes_mode=["EPCAM"], markers="none"))

    def encode() -> None:
        with Packer(lambda *_: None, gzip=True, threads=1) as packer:
            encode_packed(plan, source, packer, 10**7, 0, Job.null())

    encode()
    size = file.stat().st_size
    usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 100, size // 2, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
        try:
            with pytest.raises(SinkError, match=r"File too large\. Free space there, set .* TMPDIR"):
                encode()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))


def test_ladders_with_too_many_values_in_total_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("karospace_jupyter.bundle.ladders.MAX_VALUES", 100)
    ladders = Ladders()
    bits = np.arange(1, 200, dtype=np.uint32)
    with pytest.raises(LaddersTooLargeError):
        ladders.add(np.array([1], dtype=np.uint32), levels(bits, np.array([0, 199])))


def test_files_stay_within_the_limit() -> None:
    adata = tissue(counts(np.random.default_rng(4)))
    bundle = packed(adata, max_asset_mb=0.0004)
    files = [file for file in bundle.manifest.asset_files if file.kind == "packed"]
    assert max(file.raw_bytes or 0 for file in files) <= 400
    assert np.array_equal(bundle.matrix().toarray(), adata.X.toarray())
    bundle.verify()


def test_duplicates_and_stored_zeros_are_read_as_scipy_reads_them() -> None:
    rows, columns = np.array([0, 0, 0, 3, 3]), np.array([2, 2, 5, 1, 1])
    data = np.array([100, 100, 0, 5, -5], dtype=np.int8)
    matrix = sp.csr_matrix((500, 60), dtype=np.int8)
    order = np.lexsort((columns, rows))
    matrix.data, matrix.indices = data[order], columns[order].astype(np.int32)
    matrix.indptr = np.searchsorted(rows[order], np.arange(501)).astype(np.int32)
    matrix.has_canonical_format = False
    before = matrix.data.copy()
    bundle = packed(tissue(matrix))
    found = bundle.matrix()
    assert found.nnz == 1
    assert found[0, 2] == 200  # more than an int8 can represent
    assert np.array_equal(matrix.data, before)


def test_statistics_are_those_of_the_dense_genes() -> None:
    adata = tissue(with_missing(np.random.default_rng(1)))
    both = run_to_memory(adata, ExportConfig(packed="yes", genes_mode="all"))
    reader = both.packed_genes
    assert reader is not None
    for i, entry in enumerate(both.manifest.expression.genes):
        summary = entry.summary
        assert summary is not None
        for name in ("min", "max", "mean", "lower", "upper"):
            assert getattr(reader.index, name)[i] == np.float32(getattr(summary, name)), (name, i)
        assert reader.index.missing[i] == summary.missing
        assert reader.index.variability_rank[i] == (entry.variability_rank or 0)


def test_labels_of_all_genes_are_in_the_index() -> None:
    adata = tissue(counts(np.random.default_rng(1)))
    adata.var["gene_symbols"] = [f"SYMBOL{i}" if i % 2 else "" for i in range(60)]
    bundle = packed(adata)
    labels = dict(bundle.gene_labels)["gene_symbols"]
    assert labels[1:3] == ("SYMBOL1", "")
    assert bundle.manifest.n_genes == 60
    assert "60 genes" in repr(bundle)


def test_a_matrix_without_values_has_no_entries() -> None:
    bundle = packed(tissue(sp.csr_matrix((500, 60), dtype=np.float32)))
    assert bundle.matrix().nnz == 0
    assert not bundle.gene("EPCAM").any()
    bundle.verify()


def test_unknown_gene_is_named_with_similar_ones() -> None:
    bundle = packed(tissue(counts(np.random.default_rng(1))))
    with pytest.raises(NotExportedError, match="EPCAM"):
        bundle.gene("EPCAN")


def test_object_is_restored_from_a_bundle(tmp_path: Path) -> None:
    adata = synthetic_tissue(n_cells=400, n_genes=50, seed=7)
    adata.obsm["spatial"] = adata.obsm["spatial"] + 1e7
    bundle = run_to_memory(adata, ExportConfig(packed="yes"))
    restored = bundle.to_anndata()
    assert list(restored.obs_names) == list(adata.obs_names)
    assert list(restored.var_names) == list(adata.var_names)
    assert (restored.X != adata.X).nnz == 0
    assert np.allclose(restored.obsm["spatial"], adata.obsm["spatial"], rtol=0, atol=1e-3)
    assert np.allclose(restored.obsm["X_umap"], adata.obsm["X_umap"])
    assert restored.obs["cell_type"].astype(str).tolist() == adata.obs["cell_type"].astype(str).tolist()
    assert len(restored.uns["cell_type_colors"]) == restored.obs["cell_type"].cat.categories.size
    restored.write_h5ad(tmp_path / "restored.h5ad")


@pytest.mark.parametrize(
    "gaps", [[0], [254], [255], [256], [509], [510], [511], [0, 0, 0], [3, 255, 0, 1000], [70_000, 0]]
)
def test_gaps_are_read_as_written(gaps: list[int]) -> None:
    cells = np.cumsum(np.array(gaps) + 1) - 1
    first = np.array([cells[0]])
    raw, starts = gaps_of(cells, np.array([0, len(cells)]), first)
    assert starts.tolist() == [0, len(raw)]
    assert len(raw) == sum(gap // FULL + 1 for gap in gaps)
    assert cells_of(raw).tolist() == cells.tolist()


def test_levels_rank_the_values_of_each_cell() -> None:
    """Some cells have more distinct values than `levels` handles in rounds, equal values, or no entries."""
    rng = np.random.default_rng(8)
    lengths = np.array([0, 200, 1, 0, 90, 0])
    bits = rng.integers(0, 60, lengths.sum()).astype(np.uint32)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    found = levels(bits, indptr)
    for cell in range(6):
        of_cell = bits[indptr[cell] : indptr[cell + 1]]
        distinct, rank = np.unique(of_cell, return_inverse=True)
        start = found.starts[cell]
        assert found.counts[cell] == len(distinct)
        assert found.bits[start : start + len(distinct)].tolist() == distinct.tolist()
        assert found.level[indptr[cell] : indptr[cell + 1]].tolist() == rank.tolist()


@pytest.mark.parametrize("kind", MATRICES)
@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "no gzip"])
def test_size_is_predicted(kind: str, *, gzip: bool) -> None:
    rng = np.random.default_rng(9)
    adata = synthetic_tissue(n_cells=20_000, n_genes=60, seed=9)
    del adata.uns["spatial"]
    values = MATRICES[kind][0](rng)
    rows = rng.integers(0, 500, 20_000)
    adata.X = values[rows]
    config = ExportConfig(genes_mode=["EPCAM"], gzip=gzip, preview=False)
    planned = resolve(open_source(adata), config).packed
    assert planned is not None
    written = [file for file in run_to_memory(adata, config).manifest.asset_files if file.kind == "packed"]
    assert planned.size.bytes == pytest.approx(sum(file.size_bytes for file in written), rel=0.2)
    assert planned.size.raw_bytes == pytest.approx(sum(file.raw_bytes or 0 for file in written), rel=0.2)
    assert planned.size.files == pytest.approx(len(written), abs=1)


def test_predicted_size_of_the_plan_includes_packed_genes() -> None:
    adata = synthetic_tissue(n_cells=3000, n_genes=60, seed=9)
    config = ExportConfig(genes_mode=["EPCAM"], outdir="never written")
    without = config.model_copy(update={"packed": "no"})
    (plan, size), (plain, plain_size) = dry_run(adata, config), dry_run(adata, without)
    assert plan.packed is not None
    assert plain.packed is None
    assert plan.predicted_files - plain.predicted_files == plan.packed.size.files
    assert plan.predicted_bytes - plain.predicted_bytes == plan.packed.size.raw_bytes
    assert size.bytes > plain_size.bytes + plan.packed.size.bytes


def damaged(bundle: Bundle, path: str, raw: bytes) -> Bundle:
    """Return a copy of the bundle in which a file has different content, and the manifest its new size."""
    files = {name: bundle.stored(name) for name in bundle.files.names()}
    stored = gzip.compress(raw, mtime=0)
    files[path] = stored
    manifest = bundle.manifest.model_copy(
        update={
            "asset_files": [
                file.model_copy(
                    update={"size_bytes": len(stored), "raw_bytes": len(raw), "sha256": None, "raw_crc32": None}
                )
                if file.path == path
                else file
                for file in bundle.manifest.asset_files
            ]
        }
    )
    files["manifest.json"] = manifest.model_dump_json().encode()
    return Bundle(MemoryFiles(files))


def raw_of(bundle: Bundle, path: str) -> bytearray:
    return bytearray(bundle.read(path))


def test_error_names_the_damaged_file() -> None:
    bundle = packed(tissue(normalized(np.random.default_rng(3))))
    entry = bundle.manifest.packed
    assert entry is not None
    assert entry.ladders is not None
    shard, index, ladders = entry.shards[0].paths[0], entry.index[0], entry.ladders[0]

    changed = raw_of(bundle, shard)
    changed[0] = 254
    with pytest.raises(BundleError, match="shard_0000"):
        damaged(bundle, shard, bytes(changed)).matrix()
    changed = raw_of(bundle, shard)
    changed[-1] = 255  # a code beyond the ladder
    with pytest.raises(BundleError, match=r"shard_0000.*beyond the ladder"):
        damaged(bundle, shard, bytes(changed)).matrix()
    with pytest.raises(BundleError, match="shard_0000"):
        damaged(bundle, shard, bytes(changed[:-1])).matrix()
    for width in (0, 4):
        sizes = np.frombuffer(raw_of(bundle, index), "<u4").copy()
        sizes[5 + 4 * 60 : 5 + 5 * 60] = width
        with pytest.raises(BundleError, match="gene sizes are invalid"):
            damaged(bundle, index, sizes.tobytes()).matrix()
    for broken in (b"", b"KSPK", b"XXXX" + bytes(100), bytes(raw_of(bundle, index)[:-5])):
        damaged_bundle = damaged(bundle, index, broken)
        with pytest.raises(BundleError, match="index"):
            damaged_bundle.matrix()
        assert damaged_bundle.gene("EPCAM").shape == (500,)  # the dense gene stays readable
    with pytest.raises(BundleError, match="ladders"):
        damaged(bundle, ladders, bytes(raw_of(bundle, ladders)[:-1])).matrix()


def with_packed(bundle: Bundle, packed: Packed) -> Bundle:
    return Bundle(bundle.files, bundle.manifest.model_copy(update={"packed": packed}))


def test_gaps_without_an_end_are_refused() -> None:
    values = np.zeros((500, 60), dtype=np.float32)
    values[3:6, 0] = 1, 2, 3
    bundle = packed(tissue(values))
    assert bundle.manifest.packed is not None
    shard, index = bundle.manifest.packed.shards[0].paths[0], bundle.manifest.packed.index[0]
    raw, sizes = raw_of(bundle, shard), np.frombuffer(raw_of(bundle, index), "<u4").copy()
    sizes[5 + 60] += 1
    longer = damaged(bundle, index, sizes.tobytes())
    with pytest.raises(BundleError, match="shard_0000"):
        damaged(longer, shard, bytes([*raw[:3], 255, *raw[3:]])).matrix()


@pytest.mark.parametrize("change", [{"version": 2}, {"values": "float64"}])
def test_unknown_version_is_refused_but_dense_genes_are_read(change: dict[str, Any]) -> None:
    bundle = packed(tissue(counts(np.random.default_rng(1))))
    assert bundle.manifest.packed is not None
    newer = with_packed(bundle, bundle.manifest.packed.model_copy(update=change))
    assert newer.gene_names == ("EPCAM",)
    assert newer.gene("EPCAM").shape == (500,)
    assert newer.manifest.n_genes == 1
    assert any("Update karospace-jupyter" in remark for remark in newer.remarks)


def test_gaps_between_shards_are_refused() -> None:
    bundle = packed(tissue(counts(np.random.default_rng(1))), max_asset_mb=0.0004)
    entry = bundle.manifest.packed
    assert entry is not None
    assert len(entry.shards) > 2
    with pytest.raises(BundleError, match="expected gene"):
        with_packed(bundle, entry.model_copy(update={"shards": [entry.shards[0], *entry.shards[2:]]})).matrix()
    with pytest.raises(BundleError, match="expected|not those"):
        with_packed(bundle, entry.model_copy(update={"n_genes": 61})).matrix()


def test_index_is_read_as_written() -> None:
    g = 3
    arrays = {
        name: np.array(values, dtype=np.uint32)
        for name, values in {
            "stored": [0, 3, 7], "gap_bytes": [0, 3, 0], "missing": [0, 1, 2], "variability_rank": [3, 1, 2], "width": [4, 4, 4],
        }.items()
    }  # fmt: skip
    numbers = {name: np.linspace(-1, 1, g, dtype=np.float32) for name in ("min", "max", "mean", "lower", "upper")}
    index = Index(7, ["a", "Ω\n", ""], [["x", "", "yy"]], **arrays, **numbers)  # type: ignore[arg-type]  # named above
    entry = Packed(version=1, source="X", n_genes=g, values="float32", index=["i"], labels=["c"], shards=[])
    read_back = read_index(write_index(index), "i", entry, 7)
    for field in dataclasses.fields(Index):
        assert np.array_equal(getattr(read_back, field.name), getattr(index, field.name)), field.name
