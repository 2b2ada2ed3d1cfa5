"""Neighborhoods of categories, compared with all permutations."""

from __future__ import annotations

import itertools
import json
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from golden_neighborhoods import FILE, K, reference
from numpy.typing import NDArray

from karospace_jupyter import ExportConfig
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import NotExportedError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.neighborhoods import enrichment

Pairs = list[tuple[int, int]]


def as_arrays(edges: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    a, b = np.array(edges).T
    return a, b


def random_edges(n: int, share: float, seed: int) -> Pairs:
    rng = np.random.default_rng(seed)
    return [pair for pair in itertools.combinations(range(n), 2) if rng.random() < share]


GOLDEN = json.loads(FILE.read_text())


def test_stored_values_match_all_permutations() -> None:
    """After an intended change, run `python tests/golden/golden_neighborhoods.py`."""
    stored = [
        {key: pytest.approx(value) if key in {"expected", "z"} else value for key, value in case.items()}
        for case in GOLDEN
    ]
    assert json.loads(json.dumps(reference())) == stored


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_mean_and_deviation_match_all_permutations(case: dict[str, Any]) -> None:
    edges = np.array(case["edges"], dtype=np.int64).reshape(-1, 2)
    codes = np.where(np.array(case["mask"]) == 1, case["codes"], K)
    found = enrichment((edges[:, 0], edges[:, 1]), codes, K, np.array(case["sections"]))
    assert found.count.ravel().tolist() == case["count"]
    assert found.expected.ravel() == pytest.approx(case["expected"], rel=1e-12, abs=1e-12)
    wanted = [np.nan if z is None else z for z in case["z"]]
    assert found.z.ravel() == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True)


def test_cells_without_a_category_are_left_out() -> None:
    edges, codes = random_edges(8, 0.5, 1), np.array([0, 2, 0, 1, 1, 2, 0, 1])
    kept = np.flatnonzero(codes < 2)
    kept_edges = [
        (int(np.searchsorted(kept, a)), int(np.searchsorted(kept, b))) for a, b in edges if a in kept and b in kept
    ]
    expected, found = enrichment(as_arrays(kept_edges), codes[kept], 2), enrichment(as_arrays(edges), codes, 2)
    assert np.array_equal(found.count, expected.count)
    assert np.array_equal(found.z, expected.z)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_cells_have_counts_but_no_scores(n: int) -> None:
    edges = random_edges(n, 1, 0)
    pairs = as_arrays(edges) if edges else (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    found = enrichment(pairs, np.zeros(n, dtype=np.int64), 2)
    assert found.count.tolist() == [[2 * len(edges), 0], [0, 0]]
    assert np.isnan(found.z).all()


def test_scores_agree_with_random_permutations() -> None:
    tissue = synthetic_tissue(1500, 6, seed=2)
    bundle = run_to_memory(tissue, ExportConfig(neighbors=6, sections="none"))
    table = bundle.neighborhoods("cell_type")
    names = list(tissue.obs["cell_type"].cat.categories)
    codes, graph, k = (
        tissue.obs["cell_type"].cat.codes.to_numpy().astype(np.int64),
        bundle.neighbors().tocoo(),
        len(names),
    )

    def count(labels: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(labels[graph.row] * k + labels[graph.col], minlength=k * k)

    rng, n_permutations = np.random.default_rng(0), 1000
    counts = np.array([count(rng.permutation(codes)) for _ in range(n_permutations)])
    assert table.index.get_level_values("category").unique().tolist() == names
    assert np.array_equal(table["count"], count(codes))
    z = (count(codes) - counts.mean(axis=0)) / counts.std(axis=0)
    # The sample mean and deviation have errors of about 1 / sqrt(n) and 1 / sqrt(2 n) deviations.
    difference = np.abs(table["z"].to_numpy() - z)
    assert (difference < 5 * (1 + np.abs(z) / np.sqrt(2)) / np.sqrt(n_permutations)).all()
    matrix = table["z"].unstack()
    assert list(matrix.index) == names
    assert np.array_equal(matrix, matrix.T)


def test_columns_without_categories_are_rejected_and_similar_names_suggested() -> None:
    bundle = run_to_memory(synthetic_tissue(200, 6, seed=2), ExportConfig(neighbors=6))
    with pytest.raises(NotExportedError, match=r"No categorical annotation 'cell_typ' .* Did you mean 'cell_type'\?"):
        bundle.neighborhoods("cell_typ")
    with pytest.raises(NotExportedError, match="No categorical annotation 'area'"):
        bundle.neighborhoods("area")


def test_bundle_without_neighbors_has_no_neighborhoods() -> None:
    bundle = run_to_memory(synthetic_tissue(200, 6, seed=2), ExportConfig())
    for read in (bundle.neighbors, lambda: bundle.neighborhoods("cell_type")):
        with pytest.raises(NotExportedError, match="has no neighbors"):
            read()


def test_graph_is_restored_in_anndata() -> None:
    tissue = synthetic_tissue(200, 6, seed=2)
    bundle = run_to_memory(tissue, ExportConfig(neighbors=6))
    restored = bundle.to_anndata()
    assert (restored.obsp["spatial_connectivities"] != bundle.neighbors()).nnz == 0
    again = run_to_memory(restored, ExportConfig())
    assert (again.neighbors() != bundle.neighbors()).nnz == 0


def test_real_graph_of_squidpy_is_read(real_data: Any) -> None:
    data = ad.read_h5ad(real_data / "imc_squidpy.h5ad")
    bundle = run_to_memory(data, ExportConfig(neighbors="auto" if "spatial_connectivities" in data.obsp else "6"))
    column = next(entry.name for entry in bundle.manifest.columns or () if entry.kind == "category")
    table = bundle.neighborhoods(column)
    assert isinstance(table, pd.DataFrame)
    # In tissue, cells tend to have neighbors of the same category.
    same = table[table.index.get_level_values(0) == table.index.get_level_values(1)]
    assert (same["z"].dropna() > 0).mean() > 0.8
