"""Distances to the border of a region agree with exact reference values, which the viewer's tests read, too."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from karospace_jupyter.border_distance import border_distances
from tests.golden.golden_distances import FILE, cases, exact

CASES: list[dict[str, Any]] = json.loads(FILE.read_text())


def test_reference_values_are_those_of_the_script() -> None:
    assert [case["name"] for case in CASES] == [name for name, _, _ in cases()]
    for case, (_, outline, cells) in zip(CASES, cases(), strict=True):
        assert case["distances"] == [exact(outline, cell) for cell in cells]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_distances_agree_with_exact_values(case: dict[str, Any]) -> None:
    found = border_distances(np.array(case["outline"]), np.array(case["cells"]))
    np.testing.assert_allclose(found, case["distances"], rtol=2e-7, atol=1e-12)
    np.testing.assert_array_equal(np.sign(found), np.sign(case["distances"]))


def test_skipped_edges_do_not_change_the_result() -> None:
    rng = np.random.default_rng(7)
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    outline = np.column_stack([np.cos(angles), np.sin(angles)]) * rng.uniform(300, 900, (300, 1))
    xy = rng.uniform(-1500, 1500, (20_000, 2)).astype(np.float32).astype(np.float64)
    found = border_distances(outline, xy, 0.5)
    alone = np.array([border_distances(outline, cell[None], 0.5)[0] for cell in xy[::50]])
    np.testing.assert_array_equal(found[::50], alone)


def test_cells_without_coordinates_have_no_distance() -> None:
    square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    found = border_distances(square, np.array([[np.nan, 1.0], [1.0, 2.0]]))
    np.testing.assert_array_equal(found, np.array([np.nan, -1.0], dtype=np.float32))
    assert np.isnan(border_distances(square, np.full((2, 2), np.nan))).all()
