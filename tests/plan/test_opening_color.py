"""Tests of the color that a bundle opens with."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter.plan.opening_color import agreement, name_score
from karospace_jupyter.plan.positions import are_positions

N = 600


def test_categories_that_lie_together_agree() -> None:
    rng = np.random.default_rng(0)
    xy = rng.random((N, 2))
    halves = (xy[:, 0] > 0.5).astype(np.int64)
    assert agreement(halves, 2, xy) > 0.8
    assert agreement(rng.permutation(halves), 2, xy) < 0.1
    assert agreement(np.zeros(N, np.int64), 1, xy) == 0
    assert agreement(np.full(N, 2), 2, xy) == 0  # no values
    xy[::2] = np.nan
    assert agreement(halves, 2, xy) > 0.8


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("cell_type", 3), ("CellType", 3), ("celltype_major", 3), ("predicted.annotation.l1", 3), ("phenotype", 3),
        ("leiden", 2), ("seurat_clusters", 2), ("RNA_snn_res.0.8_cluster", 2), ("graphclust", 2), ("region", 2),
        ("sample", -2), ("library_id", -2), ("Patient", -2), ("sex", -2), ("fov", -2), ("A1", 0),
    ],
)  # fmt: skip
def test_names_of_cell_types_come_before_clusters_and_never_the_design(name: str, score: float) -> None:
    assert name_score(name) == score


def grid(rotation: float = 0.0) -> tuple[Any, Any]:
    """Return the array positions of a slide of spots, and their pixel coordinates."""
    row, column = np.divmod(np.arange(78 * 64), 64)
    array = np.stack([row, 2 * column + row % 2], axis=1)
    turn = np.array([[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]])
    return array, (array * [115.0, 66.0]) @ turn + [3000, 900]


@pytest.mark.parametrize("rotation", [0.0, 0.02, 1.6])
def test_array_positions_are_recognized_by_value(rotation: float) -> None:
    array, xy = grid(rotation)
    assert are_positions(array[:, 0].astype(float), xy)
    assert are_positions(array[:, 1].astype(float), xy)
    noise = np.random.default_rng(0).normal(size=len(xy))
    assert not are_positions(noise, xy)
    assert not are_positions(array[:, 0] + 3 * noise, xy)
    assert not are_positions(np.where(array[:, 0] > 40, 1.0, 0.0), xy)
    assert not are_positions(np.full(len(xy), 3.0), xy)
    assert not are_positions(np.full(len(xy), np.nan), xy)


def test_sections_have_grids_of_their_own() -> None:
    array, xy = grid()
    both, groups = np.concatenate([xy, xy[:, ::-1] + 1e5]), np.repeat([0, 1], len(xy))
    row = np.tile(array[:, 0], 2).astype(float)
    assert are_positions(row, both, groups)
    assert not are_positions(row, both)
