"""Ranks of the exported genes by variability."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.bundle.manifest import Manifest
from karospace_jupyter.datasets import synthetic_tissue


def ranks(manifest: Manifest) -> dict[str, int | None]:
    return {entry.gene: entry.variability_rank for entry in manifest.expression.genes}


def test_ranks_of_log1p_values_agree_with_the_choice_of_variable_genes(tmp_path: Any) -> None:
    adata = synthetic_tissue(n_cells=800, seed=4)
    adata.var = adata.var.drop(columns=[c for c in adata.var if c.startswith("highly_variable")])
    n = adata.n_vars
    manifest = adata_to_karospace(adata, tmp_path / "b", genes_mode=f"hvgs:{n}").manifest
    assert manifest.expression.values is not None
    assert manifest.expression.values.kind == "log1p"
    assert ranks(manifest) == {gene: i + 1 for i, gene in enumerate(manifest.gene_list)}
    # Only the exported genes are ranked, whatever their order.
    some = ["CD3E", "EPCAM", "GENE0001", "KRT8"]
    few = adata_to_karospace(adata, tmp_path / "few", genes_mode=some).manifest
    assert sorted(rank for rank in ranks(few).values() if rank) == [1, 2, 3, 4]


def counts(seed: int = 0) -> ad.AnnData:
    """Return Poisson counts with means from 0.05 to 20; gene g20 varies far more, and only three cells express g0."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(np.geomspace(0.05, 20, 40), (1500, 40)).astype(np.float32)
    x[:, 20] = rng.poisson(np.where(np.arange(1500) % 10 == 0, 12, 0.2))
    x[:, 0] = 0
    x[:3, 0] = 50
    names = [f"g{i}" for i in range(40)]
    obsm = {"spatial": rng.uniform(0, 1000, (1500, 2))}
    return ad.AnnData(sparse.csr_matrix(x), var=pd.DataFrame(index=names), obsm=obsm)


def test_ranks_of_counts_do_not_follow_the_mean_and_rare_genes_are_last(tmp_path: Any) -> None:
    found = ranks(adata_to_karospace(counts(), tmp_path / "b", genes_mode="all").manifest)
    assert found["g20"] == 1
    assert found["g0"] == 40
    by_mean = np.arange(1, 40)
    order = np.array([found[f"g{i}"] or 0 for i in by_mean])
    assert abs(np.corrcoef(by_mean, order)[0, 1]) < 0.5


@pytest.mark.parametrize("kind", ["scaled", "one cell"])
def test_scaled_values_have_no_ranks_but_those_of_a_single_cell_do(tmp_path: Any, kind: str) -> None:
    adata = counts()
    if kind == "scaled":
        dense = adata.X.toarray()
        adata.X = (dense - dense.mean(axis=0)) / dense.std(axis=0)
        found = ranks(adata_to_karospace(adata, tmp_path / "b", genes_mode="all").manifest)
        assert set(found.values()) == {None}
    else:  # no gene varies, so the genes keep their order
        found = ranks(adata_to_karospace(adata[:1].copy(), tmp_path / "b", genes_mode="all").manifest)
        assert found == {f"g{i}": i + 1 for i in range(40)}
