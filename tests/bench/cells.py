"""Bundles for the benchmark of the viewer: uniform noise, so that every cell has to be drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from karospace_jupyter import adata_to_karospace

SECTIONS = 100
GENES = 6
SIDE = 10_000
"""Side of the tissue, in coordinate units."""


def build(folder: Path, cells: int, *, sections: bool = False) -> Path:
    """Write a bundle; with `sections`, it also has ten by ten sections and a UMAP."""
    print(f"exporting {cells:,} cells …", file=sys.stderr)
    rng = np.random.default_rng(0)
    xy = rng.random((cells, 2), dtype=np.float32)
    adata = ad.AnnData(
        sp.random(cells, GENES, 0.1, format="csc", dtype=np.float32, rng=0),
        obs=pd.DataFrame(
            {
                "cluster": pd.Categorical.from_codes(rng.integers(0, 12, cells), [f"type {i}" for i in range(12)]),
                "total_counts": rng.lognormal(8, 0.5, cells).astype(np.float32),
            },
            index=np.char.add("cell", np.arange(cells).astype(str)),
        ),
        var=pd.DataFrame(index=[f"gene{i}" for i in range(GENES)]),
    )
    adata.obsm["spatial"] = xy * SIDE
    if sections:
        column, row = np.minimum(9, np.floor(xy * 10).astype(np.int64)).T
        adata.obs["section"] = pd.Categorical.from_codes(row * 10 + column, [f"section {i}" for i in range(SECTIONS)])
        adata.obsm["X_umap"] = rng.normal(size=(cells, 2)).astype(np.float32) + rng.integers(0, 5, (cells, 1)) * 4
    return adata_to_karospace(
        adata,
        folder,
        genes_mode="all",
        sections="section" if sections else "none",
        scripts="yes" if sections else "no",  # for the page that is opened with a double click
    ).path
