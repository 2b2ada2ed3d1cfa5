"""Small bundles of each version of the format, with the values that readers must return.

``python tests/golden/golden_tissue.py`` rewrites those of the current version. The values in ``values.json`` come from
the object itself, not from a bundle, and those of markers from scipy, not from the package. Bundles of a released
version are never rewritten, because later viewers must still open them.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import anndata as ad
import golden_differential
import numpy as np
import pandas as pd
import scipy.sparse as sp

HERE = Path(__file__).parent
EPOCH = "1767225600"
"""Time of the export in the bundles, in seconds since 1970."""

N = 24
ORIGIN = 1e7
GENES = ("Actb", "Prl8a9", "HLA-DRB1", "<b>", "π")
CLUSTERS = ("1", "2", "10")


def tissue() -> ad.AnnData:
    """Return an object with every kind of column, order and missing value, and two sections far from the origin."""
    cell = np.arange(N)
    obs = pd.DataFrame(index=["", 'b "2"', "ü,é", *(f"cell-{i}" for i in range(3, N))])
    obs["cluster"] = [None if i % 7 == 6 else CLUSTERS[i % 3] for i in cell]
    obs["type"] = pd.Categorical.from_codes(
        np.where(cell % 5 == 4, -1, cell % 2), ["tumor; =1", "Stroma"], ordered=True
    )
    obs["ok"] = pd.array([None if i == 3 else bool(i % 2) for i in cell], dtype="boolean")
    obs["score"] = np.where(cell % 6 == 5, np.nan, cell / 8 - 1).astype(np.float32)
    obs["exact"] = 1.6e9 + cell / 1024
    obs["section"] = np.where(cell < N // 2, "left", "right")
    values = (cell[:, None] * np.arange(1, len(GENES) + 1) % 7 / 2).astype(np.float32)
    values[5, 1] = np.nan
    values[:, 3] = 0
    adata = ad.AnnData(values, obs=obs, var=pd.DataFrame(index=list(GENES)))
    adata.obsm["spatial"] = np.stack([ORIGIN + cell * 0.5, ORIGIN - (cell % 5) * 0.25], axis=1)
    adata.obsm["X_umap"] = np.stack([np.cos(cell), np.sin(cell)], axis=1).astype(np.float32)
    ones = np.ones(N - 3)
    adata.obsp["spatial_connectivities"] = sp.csr_matrix(sp.diags([ones, ones], [-3, 3]))
    adata.uns["cluster_colors"] = ["#ff0000", "#00ff00", "#0000ff"]
    return adata


def expected(adata: ad.AnnData) -> dict[str, Any]:
    """Return the values that every reader must return; None is a missing value."""

    def plain(values: Any) -> list[Any]:
        return [None if pd.isna(value) else value.item() if hasattr(value, "item") else value for value in values]

    obs, matrix = adata.obs, np.asarray(adata.X)
    types = obs["type"].cat.categories
    graph = sp.triu(adata.obsp["spatial_connectivities"]).tocoo()
    edges = zip(graph.row.tolist(), graph.col.tolist(), strict=True)
    return {
        "markers": {str(name): _compared(matrix, (obs["type"] == name).to_numpy()) for name in types},
        "ids": list(adata.obs_names),
        "coordinates": np.asarray(adata.obsm["spatial"]).tolist(),
        "embedding": np.asarray(adata.obsm["X_umap"]).tolist(),
        "categories": {
            "cluster": {"names": list(CLUSTERS), "colors": adata.uns["cluster_colors"], "cells": plain(obs["cluster"])},
            "type": {"names": ["tumor; =1", "Stroma"], "cells": plain(obs["type"])},
            "ok": {"names": ["False", "True"], "cells": [None if pd.isna(flag) else str(flag) for flag in obs["ok"]]},
            "section": {"names": ["left", "right"], "cells": plain(obs["section"])},
        },
        "numbers": {"score": plain(obs["score"]), "exact": plain(obs["exact"])},
        "edges": sorted([a, b] for a, b in edges if obs["section"].iloc[a] == obs["section"].iloc[b]),
        "genes": {gene: plain(matrix[:, i]) for i, gene in enumerate(GENES)},
    }


def _compared(matrix: Any, inside: Any) -> dict[str, list[float | None]]:
    """Return the comparison of a category with the rest, for each gene."""
    values = np.where(np.isnan(matrix), None, matrix)
    genes = [golden_differential.expected("other", gene[inside].tolist(), gene[~inside].tolist()) for gene in values.T]
    found: dict[str, list[float | None]] = {}
    for name in genes[0]:
        found[name] = [gene[name] for gene in genes]
        if name.endswith("log10_p"):
            found[f"{name}_adjusted"] = golden_differential.adjusted(found[name])
    return found


def write_current(folder: Path) -> None:
    """Export with this package, without the page, which is large and tested elsewhere."""
    from karospace_jupyter import adata_to_karospace

    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    adata_to_karospace(
        tissue(), folder, genes_mode=GENES[:2], packed="yes", gzip=False, scripts="no", preview=False, dataset_name="golden", max_asset_mb=0.001048,
        markers=["type"], annotation_columns=["cluster", "type", "ok", "number:score", "number:exact", "section"], embeddings=["X_umap"],
    )  # fmt: skip
    (folder / "index.html").unlink()


def main() -> None:
    (HERE / "values.json").write_text(json.dumps(expected(tissue()), ensure_ascii=False, indent=1) + "\n")
    shutil.rmtree(HERE / "1.2", ignore_errors=True)
    write_current(HERE / "1.2")


if __name__ == "__main__":
    main()
