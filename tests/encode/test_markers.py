"""Markers of each category against the rest agree with `Bundle.compare` and with scanpy."""

from __future__ import annotations

import errno
import gzip
import json
import os
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace
from karospace_jupyter.bundle.markers import ARRAYS, read_markers, write_markers
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.encode.markers import GeneEntries, Markers, Order, _array
from karospace_jupyter.errors import BundleError, Cancelled, NotExportedError, SinkError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.job import Job
from karospace_jupyter.plan.model import CategoryAnnotation

SHARED = [
    "mean_a", "mean_b", "fraction_a", "fraction_b", "log2_fold_change", "auc", "z", "log10_p", "log10_p_adjusted", "t",
    "t_df", "t_log10_p", "t_log10_p_adjusted",
]  # fmt: skip
"""Columns of both `Bundle.markers` and `Bundle.compare`."""


def tissue(values: Any, categories: Any, n_genes: int = 60) -> ad.AnnData:
    adata = synthetic_tissue(n_cells=values.shape[0], n_genes=n_genes, seed=5)
    del adata.uns["spatial"]  # images take long to encode
    adata.X = values
    adata.obs["cluster"] = categories
    return adata


def exported(adata: Any, **options: Any) -> Bundle:
    merged = {"packed": "yes", "genes_mode": "top_mean:1", "preview": False, "markers": ["cluster"], **options}
    return run_to_memory(adata, ExportConfig(**merged))


def clusters(rng: np.random.Generator, n: int, *, missing: bool = True) -> pd.Categorical:
    """Return categories of different sizes, one with two cells; with `missing`, some cells have no category."""
    codes = rng.choice(5, n, p=[0.5, 0.25, 0.15, 0.06, 0.04])
    codes[:2] = 5
    return pd.Categorical.from_codes(np.where(codes == 4, -1, codes) if missing else codes, list("abcdef"))


def counts(rng: np.random.Generator) -> Any:
    return sp.csr_matrix(rng.poisson(0.6, (500, 60)).astype(np.float32))


def normalized(rng: np.random.Generator) -> Any:
    raw_counts = rng.poisson(0.6, (500, 60))
    raw_counts[11] = 0
    raw_counts[:, 3] = 0  # a gene without entries
    total = np.maximum(raw_counts.sum(axis=1, keepdims=True), 1)
    return sp.csr_matrix(np.log1p(raw_counts / total * 1e4).astype(np.float32))


def continuous(rng: np.random.Generator) -> Any:
    """Return values that are nearly all distinct and partly negative, with and without zeros."""
    values = rng.normal(size=(500, 60)).astype(np.float32)
    values[rng.random((500, 60)) < np.linspace(0, 0.99, 60)] = 0
    return values


def with_missing(rng: np.random.Generator) -> Any:
    values = rng.poisson(0.6, (500, 60)).astype(np.float64)
    values[3, 4] = np.nan
    values[20:60, 5] = np.nan
    values[:, 8] = 0
    values[:, 9] = 2.5
    values[:498, 10] = np.nan  # too few cells with a value
    values[:, 12] *= -1
    values[:, 13] = rng.normal(size=500)
    values[7, 13] = np.nan
    return values


MATRICES = {"counts": counts, "normalized": normalized, "continuous": continuous, "missing": with_missing}


def expected(bundle: Bundle, inside: Any) -> pd.DataFrame:
    """Return the comparison of the cells in `inside` with all others, in the order of the bundle's genes."""
    return bundle.compare(inside).loc[list(bundle.gene_names), SHARED]


def markers_of(markers: pd.DataFrame, bundle: Bundle, category: str) -> pd.DataFrame:
    """Return the markers of one category, in the order of the bundle's genes."""
    return markers[markers["category"] == category].set_index("gene").loc[list(bundle.gene_names), SHARED]


@pytest.mark.parametrize("kind", MATRICES)
@pytest.mark.parametrize("missing", [True, False], ids=["cells without a category", "all cells have one"])
def test_markers_of_every_category_match_a_comparison(kind: str, missing: bool) -> None:
    rng = np.random.default_rng(1)
    values = MATRICES[kind](rng)
    adata = tissue(values, clusters(rng, 500, missing=missing))
    bundle = exported(adata)
    markers = bundle.markers("cluster")
    names = list(adata.obs["cluster"].cat.remove_unused_categories().cat.categories)
    assert list(markers["category"].cat.categories) == names
    for name in names:
        inside = (adata.obs["cluster"] == name).to_numpy()
        found = markers_of(markers, bundle, name)
        if inside.sum() < 3:
            assert found[["auc", "z", "t", "log10_p", "t_log10_p"]].isna().all().all()
            mean = pd.DataFrame(dense(values)[inside]).mean().to_numpy()
            assert np.allclose(found["mean_a"], mean, rtol=1e-6, equal_nan=True)
            continue
        wanted = expected(bundle, inside)
        pd.testing.assert_frame_equal(found, wanted, check_exact=False, rtol=2e-6, atol=1e-6, check_names=False)
    bundle.verify()


def dense(values: Any) -> Any:
    return values.toarray() if sp.issparse(values) else values


def test_genes_are_sorted_by_z_and_attributes_describe_the_comparison() -> None:
    rng = np.random.default_rng(2)
    bundle = exported(tissue(counts(rng), clusters(rng, 500)))
    markers = bundle.markers("cluster")
    assert list(markers.columns) == ["category", "gene", *SHARED]
    assert markers.attrs == {"matrix": "X", "fold_change": "mean counts", "column": "cluster"}
    for _, rows in markers.groupby("category", observed=True):
        z = rows["z"].dropna().to_numpy()
        assert (np.diff(z) <= 0).all()
        assert rows["z"].iloc[: len(z)].notna().all()
    with pytest.raises(NotExportedError, match=r"No markers of 'clusters'.*Did you mean 'cluster'"):
        bundle.markers("clusters")


def test_numbers_do_not_depend_on_threads_memory_and_storage(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    adata = tissue(normalized(rng), clusters(rng, 500))
    by_column = adata.copy()
    by_column.X = by_column.X.tocsc()
    adata.write_h5ad(tmp_path / "a.h5ad")
    by_column.write_h5ad(tmp_path / "b.h5ad")

    def hashes(bundle: Bundle) -> dict[str, str | None]:
        return {f.path: f.sha256 for f in bundle.manifest.asset_files if "markers" in f.path}

    wanted = hashes(exported(adata))
    assert wanted
    assert hashes(exported(adata, jobs=5)) == wanted
    assert hashes(exported(adata, memory_mb=16)) == wanted
    assert hashes(exported(tmp_path / "a.h5ad")) == wanted
    assert hashes(exported(tmp_path / "b.h5ad")) == wanted


def test_numbers_that_exceed_the_memory_limit_are_held_in_a_file() -> None:
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 3, 200)
    column = CategoryAnnotation("c", ("a", "b", "c"), ("#000000",) * 3, codes, ordered=False, boolean=False)
    values = rng.normal(size=(4, 200)).astype(np.float32)
    written = []
    for memory in (2**20, 0):
        markers = Markers([column], 200, 4, Order(None), memory)
        markers.add(range(4), [GeneEntries(gene, None, None) for gene in values])
        assert isinstance(markers._found[0], np.memmap) == (memory == 0)
        written.append(list(markers.files(0, 2)))
    assert [(first, end) for first, end, _ in written[0]] == [(0, 2), (2, 3)]
    assert written[0] == written[1]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot reserve space for a file")
@pytest.mark.parametrize("reserves", [True, False])
def test_temporary_file_is_allocated_before_it_is_mapped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, reserves: bool
) -> None:
    def temporary_file(**_: Any) -> IO[bytes]:
        return (tmp_path / "held").open("w+b")

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary_file)
    if not reserves:
        monkeypatch.delattr(os, "posix_fallocate")
    shape = 3, 8, 100_003
    array = _array(shape, 0)
    # Writing to a mapped file whose blocks are not allocated kills the process if the disk is full.
    assert (tmp_path / "held").stat().st_blocks * 512 >= array.nbytes == 4 * 3 * 8 * 100_003
    assert array.shape == shape
    assert not array.any()


def test_full_temporary_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(SinkError, match=r"No space left on device\. Free space there, set .* TMPDIR"):
        _array((3, 8, 1000), 0)


def test_markers_of_no_genes_need_no_temporary_file() -> None:
    assert _array((3, 8, 0), -1).size == 0


def test_entries_of_a_gene_are_released_before_the_next_gene_is_read() -> None:
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 2, 200)
    column = CategoryAnnotation("c", ("a", "b"), ("#000000",) * 2, codes, ordered=False, boolean=False)
    held: list[weakref.ref[Any]] = []

    def entries() -> Iterator[GeneEntries]:
        for _ in range(5):
            assert sum(reference() is not None for reference in held) <= 1
            values = rng.normal(size=200).astype(np.float32)
            held.append(weakref.ref(values))
            gene_entries = GeneEntries(values, None, None)
            del values
            yield gene_entries

    Markers([column], 200, 5, Order(None), 2**20).add(range(5), entries())
    assert len(held) == 5


def test_duplicate_categories_of_a_damaged_bundle_are_reported(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    folder = tmp_path / "b"
    adata_to_karospace(
        tissue(counts(rng), clusters(rng, 500)),
        folder,
        packed="yes",
        markers=["cluster"],
        neighbors=3,
        scripts="no",
        preview=False,
    )
    manifest = json.loads((folder / "manifest.json").read_text())
    column = next(column for column in manifest["columns"] if column["name"] == "cluster")
    for category in column["categories"][:2]:
        category["name"] = "same"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    bundle = Bundle(folder)
    for read in (lambda: bundle.markers("cluster"), lambda: bundle.neighborhoods("cluster"), bundle.to_anndata):
        with pytest.raises(BundleError, match=r"The annotation 'cluster' in .* is damaged: .*unique"):
            read()


def test_size_limit_reduces_categories_per_file_and_splits_large_categories() -> None:
    rng = np.random.default_rng(5)
    adata = tissue(counts(rng), clusters(rng, 500))
    whole = exported(adata).manifest.packed
    assert whole is not None and whole.markers is not None
    assert [(part.first, part.end, len(part.paths)) for part in whole.markers[0].shards] == [(0, 5, 1)]
    bundle = exported(adata, max_asset_mb=0.005)  # two categories of 60 genes
    split = bundle.manifest.packed
    assert split is not None and split.markers is not None
    assert [(part.first, part.end) for part in split.markers[0].shards] == [(0, 2), (2, 4), (4, 5)]
    tiny = exported(adata, max_asset_mb=0.001)
    packed = tiny.manifest.packed
    assert packed is not None and packed.markers is not None
    assert all(len(part.paths) > 1 for part in packed.markers[0].shards)
    assert len(packed.markers[0].shards) == 5
    for limited in (bundle, tiny):
        pd.testing.assert_frame_equal(limited.markers("cluster"), exported(adata).markers("cluster"))
        limited.verify()


def test_canceling_while_markers_are_written_ends_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    job = Job(lambda _: None)
    files = Markers.files

    def cancel_first(self: Markers, *numbers: int) -> Any:
        job.cancel()
        return files(self, *numbers)

    monkeypatch.setattr(Markers, "files", cancel_first)
    config = ExportConfig(packed="yes", genes_mode="top_mean:1", preview=False, markers=["cluster"])
    with pytest.raises(Cancelled):
        run_to_memory(tissue(counts(rng), clusters(rng, 500)), config, job)


@pytest.mark.parametrize("method", ["wilcoxon", "t-test"])
def test_scores_of_a_real_file_match_scanpy(real_data: Path, method: str) -> None:
    adata = ad.read_h5ad(real_data / "pbmc68k_reduced.h5ad")
    adata = ad.AnnData(
        adata.raw.X, obs=adata.obs[["bulk_labels"]], var=adata.raw.var, obsm={"spatial": adata.obsm["X_umap"]}
    )
    bundle = exported(adata, markers=["bulk_labels"])
    sc.tl.rank_genes_groups(adata, "bulk_labels", method=method, tie_correct=True)
    ranked = sc.get.rank_genes_groups_df(adata, None).set_index(["group", "names"])
    markers = bundle.markers("bulk_labels").set_index(["category", "gene"])
    statistic, p = ("z", "log10_p") if method == "wilcoxon" else ("t", "t_log10_p")
    for group in adata.obs["bulk_labels"].cat.categories:
        wanted, found = ranked.loc[group], markers.loc[group]
        known = found[statistic].dropna()
        np.testing.assert_allclose(known, wanted.loc[known.index, "scores"], rtol=1e-5, atol=1e-5)
        assert set(known.nlargest(20).index[:10]) <= set(wanted["scores"].nlargest(20).index)
        tested = found.loc[known.index]
        if method == "t-test":
            np.testing.assert_allclose(tested[p], np.log10(wanted.loc[known.index, "pvals"]), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            tested["log2_fold_change"], wanted.loc[known.index, "logfoldchanges"], rtol=1e-3, atol=1e-3
        )


class TestFile:
    NUMBERS = np.arange(2 * len(ARRAYS) * 3, dtype=np.uint32).reshape(2, len(ARRAYS), 3)
    TIES = np.array([0.5, 1, 0], dtype=np.float32)

    def test_written_numbers_are_read(self) -> None:
        table = read_markers(write_markers(self.TIES, self.NUMBERS), "m", 2, 3)
        assert np.array_equal(table.ties, self.TIES)
        assert np.array_equal(table.n, self.NUMBERS[:, 0])
        assert np.array_equal(table.z.view(np.uint32), self.NUMBERS[:, -1])
        assert read_markers(write_markers(self.TIES[:0], self.NUMBERS[:, :, :0]), "m", 2, 0).t.shape == (2, 0)

    @pytest.mark.parametrize(
        ("damaged", "message"),
        [
            (lambda raw: b"KSPK" + raw[4:], "not a marker file"),
            (lambda raw: raw[:4] + b"\x02\x00\x00\x00" + raw[8:], "version 2"),
            (
                lambda raw: raw[:8] + b"\x03\x00\x00\x00" + raw[12:],
                "3 categories and 3 genes, not those of the manifest",
            ),
            (lambda raw: raw[:-1], "bytes; expected"),
            (lambda raw: raw[:7], "m"),
        ],
    )
    def test_damaged_file_is_rejected(self, damaged: Any, message: str) -> None:
        with pytest.raises(BundleError, match=message):
            read_markers(damaged(write_markers(self.TIES, self.NUMBERS)), "m", 2, 3)


def test_marker_files_of_a_saved_bundle_are_gzipped(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    bundle = exported(tissue(counts(rng), clusters(rng, 500))).save(tmp_path / "b", scripts="no")
    packed = bundle.manifest.packed
    assert packed is not None and packed.markers is not None
    path = tmp_path / "b" / packed.markers[0].shards[0].paths[0]
    assert gzip.decompress(path.read_bytes())[:4] == b"KSMK"
