"""Tests of the synthetic tissue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from karospace_jupyter.datasets import main, synthetic_tissue


@pytest.mark.parametrize(("cells", "genes"), [(50, 30), (51, 1), (1500, 60)])
def test_tissue_has_the_requested_size_and_valid_content(cells: int, genes: int) -> None:
    adata = synthetic_tissue(cells, genes, seed=3)
    assert adata.shape == (cells, genes)
    assert adata.X.dtype == adata.layers["counts"].dtype == np.float32
    assert adata.obs_names.is_unique and adata.var_names.is_unique
    assert len(adata.uns["cell_type_colors"]) == len(adata.obs["cell_type"].cat.categories)
    assert adata.obs["section"].nunique() == 2
    assert np.isfinite(adata.obsm["spatial"]).all() and np.isfinite(adata.obsm["X_umap"]).all()
    if genes >= 30:
        assert {"EPCAM", "CD3E"} <= set(adata.var_names)


def test_cells_are_on_the_painted_tissue_and_markers_match_cell_types() -> None:
    adata = synthetic_tissue(3000, 60)
    entry = adata.uns["spatial"]["synthetic"]
    image = entry["images"]["hires"]
    assert image.dtype == np.uint8 and image.shape[2] == 3
    x, y = (adata.obsm["spatial"] * entry["scalefactors"]["tissue_hires_scalef"]).astype(int).T
    assert (image[y, x, 1] < 225).mean() > 0.97
    assert image[:5].mean() > 235
    epcam = adata[:, "EPCAM"].X.toarray().ravel()
    tumor = adata.obs["is_tumor"].to_numpy()
    assert epcam[tumor].mean() > 3 * epcam[(adata.obs["cell_type"] == "Fibroblast").to_numpy()].mean()
    assert 0 < adata.obs["pathologist"].isna().mean() < 0.6


def test_same_seed_gives_same_tissue() -> None:
    first, repeated, other = (synthetic_tissue(200, 40, seed=seed) for seed in (1, 1, 2))
    assert (first.X != repeated.X).nnz == 0 and first.obs.equals(repeated.obs)
    for adata, same in ((repeated, True), (other, False)):
        images = [a.uns["spatial"]["synthetic"]["images"]["hires"] for a in (first, adata)]
        assert np.array_equal(*images) is same


def test_main_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import anndata

    out = tmp_path / "deep" / "tissue.h5ad"
    assert main([str(out), "--cells", "60", "--genes", "35", "--seed", "4"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert anndata.read_h5ad(out).shape == (60, 35)


def test_invalid_sizes_are_rejected() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        synthetic_tissue(10)
    with pytest.raises(SystemExit):
        main(["x.h5ad", "--genes", "0"])


def test_clusters_refine_cell_types_and_are_numbered_by_size() -> None:
    adata = synthetic_tissue(3000, 30)
    clusters = adata.obs["leiden"]
    assert list(clusters.cat.categories) == [str(i) for i in range(clusters.cat.categories.size)]
    sizes = clusters.value_counts(sort=False).to_numpy()
    assert 10 <= len(sizes) <= 12 and (np.diff(sizes) <= 0).all()
    assert len(set(adata.uns["leiden_colors"])) == len(sizes)
    shares = pd.crosstab(clusters, adata.obs["cell_type"], normalize="index").max(axis=1)
    assert (shares > 0.7).all()
    assert (
        adata.obs.groupby("cell_type", observed=True)["leiden"]
        .agg(lambda c: c.value_counts(normalize=True).iloc[0])
        .lt(0.8)
        .sum()
        == 3
    )


@pytest.mark.parametrize("given", [True, False])
def test_path_is_optional_with_a_default(
    given: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    named = ["other.h5ad"] if given else []
    assert main([*named, "--cells", "60", "--genes", "5"], default=Path("synthetic_tiny.h5ad")) == 0
    printed = capsys.readouterr().out.strip()
    assert printed == ("other.h5ad" if given else "synthetic_tiny.h5ad")
    assert (tmp_path / printed).exists()
