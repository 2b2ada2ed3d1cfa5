"""Missing values stay missing in the bundle, its statistics and the gene selection; they never become zero."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, export
from karospace_jupyter.bundle.manifest import GeneSummary
from karospace_jupyter.bundle.summary import summarize
from karospace_jupyter.errors import BundleError
from karospace_jupyter.job import Job
from karospace_jupyter.plan.hvg import rank_variable_genes, seurat_dispersion
from karospace_jupyter.plan.loess import loess
from karospace_jupyter.plan.matrix_values import matrix_values
from karospace_jupyter.source import open_source
from karospace_jupyter.widget.assets import Assets, LiveCells

N, G = 200, 30
KINDS: dict[str, Any] = {"dense": np.asarray, "csr": sp.csr_matrix, "csc": sp.csc_matrix}


def batches() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return counts of two batches: the second lacks g0 and g1, and both lack g2."""
    x = np.random.default_rng(3).poisson(2, (N, G)).astype(np.float32)
    x[N // 2 :, :2] = np.nan
    x[:, 2] = np.nan
    return x


def tissue(x: Any, kind: str = "dense") -> ad.AnnData:
    obs = pd.DataFrame(index=[f"c{i}" for i in range(x.shape[0])])
    adata = ad.AnnData(KINDS[kind](x), obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(x.shape[1])]))
    adata.obsm["spatial"] = np.random.default_rng(0).uniform(0, 100, (x.shape[0], 2))
    return adata


def exported(adata: ad.AnnData, **options: Any) -> Bundle:
    return export.run_to_memory(adata, ExportConfig(**{"genes_mode": "all", "preview": False, **options}))


@pytest.mark.parametrize("kind", KINDS)
class TestBundleOfTwoBatches:
    def test_vectors_keep_missing_values_and_summaries_ignore_them(self, kind: str) -> None:
        x = batches()
        bundle = exported(tissue(x, kind))
        bundle.verify()
        for position, entry in enumerate(bundle.manifest.expression.genes):
            values = x[:, position]
            np.testing.assert_array_equal(bundle.gene(f"g{position}"), values)
            present = values[~np.isnan(values)]
            assert entry.summary is not None
            assert entry.summary.missing == N - len(present)
            if len(present):
                assert entry.summary.mean == pytest.approx(present.mean())
                assert entry.summary.fraction == (present != 0).mean()
                assert (entry.summary.min, entry.summary.max) == (present.min(), present.max())
            else:
                assert (entry.summary.mean, entry.summary.fraction, entry.summary.upper) == (0, 0, 0)

    def test_warning_names_genes_and_counts_cells(self, kind: str) -> None:
        warnings = exported(tissue(batches(), kind)).warnings
        assert (
            "3 genes have missing values (NaN): g2 in 200 cells, g0 in 100 cells, g1 in 100 cells. They remain missing."
        ) in warnings
        assert not any("infinite" in text for text in warnings)

    @pytest.mark.parametrize("dtype", ["f8", "i8", "u4"])
    def test_integers_rounded_by_float32_are_counted_in_a_warning(self, kind: str, dtype: str) -> None:
        x = np.random.default_rng(3).poisson(2, (N, G)).astype(dtype)
        x[0, 5], x[1, 5], x[2, 6], x[3, 7] = 2**24 + 1, 2**24 + 3, 2**31 + 1, 2**24
        warnings = exported(tissue(x, kind)).warnings
        assert (
            "2 genes have integers beyond 16,777,216 that float32 cannot represent exactly: g5 in 2 cells, g6 in 1 cell. "
            "They are rounded."
        ) in warnings
        x[[0, 1, 2], [5, 5, 6]] = 2**24 + 2
        assert not any("float32" in text for text in exported(tissue(x.astype(dtype), kind)).warnings)

    def test_infinite_values_become_missing_with_a_separate_warning(self, kind: str) -> None:
        x = batches().astype(np.float64)
        x[:, :3] = 1
        x[0, 5], x[1, 5], x[2, 6] = np.inf, -np.inf, 1e39
        bundle = exported(tissue(x, kind))
        bundle.verify()
        assert np.flatnonzero(np.isnan(bundle.gene("g5"))).tolist() == [0, 1]
        assert np.flatnonzero(np.isnan(bundle.gene("g6"))).tolist() == [2]
        warnings = [text for text in bundle.warnings if "infinite" in text or "NaN" in text]
        assert warnings == [
            "2 genes have values that are infinite or beyond the range of float32: g5 in 2 cells, g6 in 1 cell. "
            "They are exported as missing."
        ]

    def test_top_mean_ignores_missing_values(self, kind: str) -> None:
        x = batches()
        x[: N // 2, 0] = 5  # the highest mean, but not if missing values counted as zeros
        x[:, 4] = 3
        x[:, 5:] = 1
        bundle = exported(tissue(x, kind), genes_mode="top_mean:2")
        assert bundle.manifest.gene_list == ["g0", "g4"]
        everything = exported(tissue(x, kind), genes_mode=f"top_mean:{G}").manifest.gene_list
        assert everything[-1] == "g2"  # measured in no cell

    @pytest.mark.parametrize("scale", ["counts", "log1p", "other"])
    def test_ranking_of_variable_genes_ignores_missing_values(self, kind: str, scale: str) -> None:
        counted = batches().astype(np.float64)
        counted[: N // 2, 0] *= 5
        given = {"counts": counted, "log1p": np.log1p(counted), "other": counted - 3}[scale]
        x = given.astype(np.float32)
        ranked_values = {
            "counts": counted,
            "log1p": np.expm1(x.astype(np.float64)),
            "other": x.astype(np.float64),
        }[scale]
        keep = np.arange(G) != 2
        mean, variance = np.full(G, np.nan), np.full(G, np.nan)
        mean[keep] = np.nanmean(ranked_values[:, keep], axis=0)
        variance[keep] = np.nanvar(ranked_values[:, keep], axis=0, ddof=1)
        score = seurat_dispersion(mean, variance) if scale == "log1p" else variance
        if scale == "counts":
            deviation = np.full(G, np.nan)
            deviation[keep] = np.sqrt(10 ** loess(np.log10(mean[keep]), np.log10(variance[keep])))
            n = (~np.isnan(counted)).sum(axis=0)
            score = np.nansum(np.minimum((counted - mean) / deviation, np.sqrt(n)) ** 2, axis=0) / (n - 1)
            score[~keep] = np.nan
        best = np.argsort(-np.where(np.isnan(score), -np.inf, score), kind="stable")
        source = open_source(tissue(x, kind))
        values = matrix_values(source)
        assert values.kind == scale
        ranked, _ = rank_variable_genes(source, G, values, None, Job.null(), requested=True)
        assert ranked.tolist() == best.tolist()
        assert ranked[-1] == 2  # measured in no cell


def test_summary_distinguishes_zero_and_missing() -> None:
    summary = summarize(np.array([0, np.nan, 4, 0, np.nan, 2], np.float32))
    assert summary == GeneSummary(min=0, max=4, mean=1.5, fraction=0.5, lower=0, upper=3.98, missing=2)
    without_zero = summarize(np.array([np.nan, 4, 2], np.float32))
    assert (without_zero.min, without_zero.mean, without_zero.fraction) == (2, 3, 1)
    assert summarize(np.array([np.nan, 0], np.float32)).fraction == 0
    negative = summarize(np.array([-3, np.nan, 1], np.float32))
    assert (negative.lower, negative.upper) == pytest.approx((-2.96, 0.96))


def test_matrix_of_only_missing_values_exports() -> None:
    bundle = exported(tissue(np.full((5, 3), np.nan, np.float32)), genes_mode="hvgs:2")
    bundle.verify()
    assert [entry.summary.missing for entry in bundle.manifest.expression.genes if entry.summary] == [5, 5]


def test_outer_join_of_two_objects_keeps_missing_values(tmp_path: Path) -> None:
    first, second = (tissue(np.ones((40, G), np.float32)) for _ in range(2))
    second = second[:, 5:].copy()
    joined = ad.concat([first, second], join="outer", index_unique="-", fill_value=np.nan)
    joined.write_h5ad(tmp_path / "joined.h5ad")
    bundle = adata_to_karospace(str(tmp_path / "joined.h5ad"), tmp_path / "out", genes_mode="all")
    assert np.isnan(bundle.gene("g0")).sum() == 40
    assert any(text.startswith("5 genes have missing values (NaN): ") for text in bundle.warnings)


def test_finite_matrix_gives_no_warning() -> None:
    bundle = exported(tissue(np.ones((5, 3), np.float32)))
    assert not any("missing" in text for text in bundle.warnings)


class TestVerify:
    def folder(self, tmp_path: Path) -> Path:
        adata_to_karospace(tissue(batches()), tmp_path / "out", genes_mode=["g0", "g4"], gzip=False, scripts="no")
        return tmp_path / "out"

    def change(self, folder: Path, value: float) -> Bundle:
        """Write a value to the first cell of g4, and remove the hashes of its file from the manifest."""
        bundle = Bundle(folder)
        path = bundle.manifest.expression.genes[1].chunks[0].path
        values = np.frombuffer((folder / path).read_bytes(), "<f4").copy()
        values[0] = value
        (folder / path).write_bytes(values.tobytes())
        files = [
            file.model_copy(update={"sha256": None, "raw_crc32": None}) if file.path == path else file
            for file in bundle.manifest.asset_files
        ]
        return Bundle(bundle.files, bundle.manifest.model_copy(update={"asset_files": files}))

    def test_correct_missing_count_verifies(self, tmp_path: Path) -> None:
        Bundle(self.folder(tmp_path)).verify()

    def test_wrong_missing_count_is_reported(self, tmp_path: Path) -> None:
        bundle = self.change(self.folder(tmp_path), np.nan)
        with pytest.raises(BundleError, match=r"'g4': cells without a value \(NaN\): 1 found, 0 in the manifest"):
            bundle.verify()

    def test_infinite_value_is_reported(self, tmp_path: Path) -> None:
        bundle = self.change(self.folder(tmp_path), np.inf)
        with pytest.raises(BundleError, match="'g4' contains infinite values"):
            bundle.verify()


def test_genes_of_the_live_object_keep_missing_values() -> None:
    adata = tissue(batches())
    bundle = exported(adata, genes_mode=["g5"])
    live = LiveCells(adata, bundle, ExportConfig())
    sent = np.frombuffer(gzip.decompress(Assets(bundle, live).read("live/gene_0")), "<f4")
    np.testing.assert_array_equal(sent, batches()[:, 0])
