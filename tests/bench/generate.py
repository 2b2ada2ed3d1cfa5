"""Write a synthetic CSR `.h5ad` of any size, block by block.

Usage: python tests/bench/generate.py PATH CELLS GENES [KIND]

KIND is `continuous` (log-normalized, a different depth for each cell, so that nearly all values are distinct; the default),
`log1p` (log-normalized, few distinct library sizes, so that values repeat) or `counts`.
"""

from __future__ import annotations

import sys

import anndata as ad
import h5py
import numpy as np
import pandas as pd

NONZERO_SHARE = 0.05


def main(path: str, n_cells: int, n_genes: int, kind: str = "continuous") -> None:
    rng = np.random.default_rng(0)
    obs = pd.DataFrame(
        {
            "cluster": pd.Categorical(rng.integers(0, 20, n_cells).astype(str)),
            "total_counts": rng.random(n_cells),
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )
    adata = ad.AnnData(obs=obs, var=pd.DataFrame(index=[f"gene{i}" for i in range(n_genes)]))
    adata.obsm["spatial"] = rng.random((n_cells, 2)) * 10_000
    adata.write_h5ad(path)
    k = int(n_genes * NONZERO_SHARE)
    with h5py.File(path, "a") as file:
        if "X" in file:
            del file["X"]
        x = file.create_group("X")
        x.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": [n_cells, n_genes]})
        x["indptr"] = np.arange(n_cells + 1, dtype=np.int64) * k
        indices = x.create_dataset("indices", (n_cells * k,), dtype="i4")
        data = x.create_dataset("data", (n_cells * k,), dtype="f4")
        width = n_genes // k
        for start in range(0, n_cells, 20_000):
            m = min(20_000, n_cells - start)
            columns = rng.integers(0, width, (m, k)) + np.arange(k) * width
            indices[start * k : (start + m) * k] = columns.ravel()
            data[start * k : (start + m) * k] = values(rng, kind, columns).ravel()


def values(rng: np.random.Generator, kind: str, columns: np.ndarray) -> np.ndarray:
    """Return the values of some cells, shape (cells, entries per cell)."""
    m, k = columns.shape
    if kind == "continuous":
        counts = rng.poisson(1 + columns % 5) + 1.0
        depth = rng.lognormal(0, 0.4, (m, 1)) * 10_000 / counts.sum(axis=1, keepdims=True)
        return np.log1p(counts * depth)
    counts = rng.poisson(0.3 + 0.2 * (columns % 5) * rng.gamma(1.0, 1.0, (m, k))) + 1.0
    if kind == "counts":
        return counts
    assert kind == "log1p", kind
    return np.log1p(counts * 10_000 / (2 * k + 5 * rng.integers(0, 40, (m, 1))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
