"""Plans for unusual data."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ImageError
from karospace_jupyter.plan import Plan, resolve
from karospace_jupyter.plan.colors import parse_color
from karospace_jupyter.source import open_source

N, G = 200, 40


def build(values: Any = None) -> ad.AnnData:
    rng = np.random.default_rng(0)
    adata = ad.AnnData(rng.poisson(1.0, (N, G)).astype(np.float32) if values is None else values)
    adata.obs_names = [f"c{i}" for i in range(N)]
    adata.var_names = [f"g{i}" for i in range(G)]
    adata.obsm["spatial"] = rng.random((N, 2)) * 100
    return adata


def plan(adata: ad.AnnData, **options: Any) -> Plan:
    return resolve(open_source(adata), ExportConfig(**{"genes_mode": "hvgs:10", **options}))


@pytest.mark.parametrize("kind", ["log ratios", "intensities", "beyond exp"])
def test_values_that_are_neither_counts_nor_log1p_are_ranked_by_variance(kind: str) -> None:
    rng = np.random.default_rng(1)
    spread = np.linspace(1, 3, G)
    values = {
        "log ratios": rng.normal(2, 1, (N, G)) * spread,
        "intensities": rng.gamma(1.0, 8.0, (N, G)) * spread,
        "beyond exp": rng.gamma(1.0, 300.0, (N, G)) * spread,
    }[kind].astype(np.float32)
    found = plan(build(values))
    best = np.argsort(-values.astype(float).var(axis=0), kind="stable")[:10]
    assert found.genes.indices.tolist() == best.tolist()
    assert any("ranked by variance" in warning for warning in found.warnings)


@pytest.mark.parametrize("as_format", [np.asarray, sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize(("log", "odd"), [(False, -5000.0), (True, 1000.0), (True, 600.0)])
def test_values_outside_the_sample_decide_the_ranking(
    log: bool, odd: float, as_format: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karospace_jupyter.source.sample.VALUES", N * G // 3)
    values = np.random.default_rng(0).poisson(np.linspace(0.5, 4, G), (N, G)).astype(np.float32)
    values = np.log1p(values) if log else values
    values[7, 7] = odd
    found = plan(build(as_format(values)))
    assert found.genes.names[0] == "g7"
    assert any("ranked by variance" in warning for warning in found.warnings)


def test_genes_beyond_the_ranked_ones_follow_their_score() -> None:
    adata = build()
    adata.var["highly_variable"] = [i < 3 for i in range(G)]
    adata.var["highly_variable_rank"] = [2.0, 1.0, 0.0] + [np.nan] * (G - 3)
    adata.var["variances_norm"] = np.linspace(0, 1, G)
    assert plan(adata, genes_mode="hvgs:5").genes.names == ("g2", "g1", "g0", "g39", "g38")


def test_requested_image_is_never_dropped_silently() -> None:
    adata = build()
    adata.obsm["X_umap"] = np.random.default_rng(0).random((N, 2))
    with pytest.raises(ImageError, match="does not exist"):
        plan(adata, coords="obsm:X_umap", image_path="nowhere.png")
    with pytest.raises(ImageError, match="no library 'A'. It holds no libraries"):
        plan(adata, coords="obsm:X_umap", image_path="uns:A")
    adata.uns["spatial"] = {
        "A": {"images": {"hires": np.ones((9, 9, 3))}, "scalefactors": {"tissue_hires_scalef": 1.0}}
    }
    found = plan(adata, coords="obsm:X_umap", image_path="uns:A")
    assert found.images == ()
    assert any(w.startswith("Left out") and "uns['spatial']['A']" in w for w in found.warnings)


def test_integers_that_identify_cells_are_left_out() -> None:
    adata = build()
    adata.obs["cell_id"] = np.arange(N)
    assert plan(adata).annotations == ()
    assert [a.name for a in plan(adata, annotation_columns=["cell_id"]).annotations] == ["cell_id_obs"]


@pytest.mark.parametrize(
    "column", [np.full(N, np.nan), pd.Categorical([None] * N, categories=["a", "b"])], ids=["number", "categories"]
)
def test_requested_column_without_values_is_exported(column: Any) -> None:
    adata = build()
    adata.obs["kind"] = pd.Categorical(["a", "b"] * (N // 2))
    adata.obs["gap"] = column
    by_default = plan(adata)
    assert [a.name for a in by_default.annotations] == ["kind"]
    assert "Not exported (no values): gap." in by_default.warnings
    requested = plan(adata, annotation_columns=["kind", "gap"])
    assert [a.name for a in requested.annotations] == ["kind", "gap"]
    assert "The column 'gap' of obs has no values: all 200 cells are missing one." in requested.warnings


def test_cell_has_the_same_id_in_every_sample() -> None:
    adata = build()
    adata.obs_names = pd.Index(["a", "b"] * (N // 2))
    full, part = plan(adata), plan(adata, downsample=50)
    assert part.cells.rows is not None
    assert part.cells.ids.tolist() == full.cells.ids[part.cells.rows].tolist()


@pytest.mark.parametrize(("name", "color"), [("rebeccapurple", "#663399"), ("slategray", "#708090"), ("nocolor", None)])
def test_all_css_color_names_are_parsed(name: str, color: str | None) -> None:
    assert parse_color(name) == color
