"""Direction of the y axis, inferred from the array positions of spots."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import ExportConfig
from karospace_jupyter.plan import Plan, resolve
from karospace_jupyter.source import open_source

PITCH = 20.0
H = 400.0
"""Height of the image in pixels."""


def slide(change: np.ndarray | None = None, move: tuple[float, float] = (0, 0), n: int = 12) -> ad.AnnData:
    """Return the spots of a hexagonal array without one corner; `change` maps pixels (x, y) to coordinates."""
    row, at = (side.ravel() for side in np.mgrid[:n, :n])
    inside = row + at < 1.5 * n
    row, col = row[inside], (2 * at + row % 2)[inside]
    pixels = np.stack([col * PITCH / 2 + 30, row * PITCH * np.sqrt(3) / 2 + 50], axis=1)
    xy = pixels @ (np.eye(2) if change is None else change).T + move
    obs = pd.DataFrame({"array_row": row, "array_col": col}, index=[f"s{i}" for i in range(len(row))])
    adata = ad.AnnData(np.ones((len(row), 2), np.float32), obs=obs)
    adata.obsm["spatial"] = xy
    picture = np.full((int(H), 300, 3), 200, np.uint8)
    picture[:100] = 20
    factors = {"tissue_hires_scalef": 1.0, "spot_diameter_fullres": 11.0}
    adata.uns["spatial"] = {"A": {"images": {"hires": picture}, "scalefactors": factors}}
    return adata


def plan(adata: ad.AnnData, **options: object) -> Plan:
    return resolve(open_source(adata), ExportConfig(**options))


def turned(degrees: float) -> np.ndarray:
    """Return the matrix of a rotation."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


FLIP_Y = np.diag([1.0, -1.0])
FLIP_X = np.diag([-1.0, 1.0])
SWAP = np.array([[0.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize("degrees", [0, 7, 90, 180, 270])
def test_rotated_array_keeps_y_downward(degrees: float) -> None:
    found = plan(slide(turned(degrees)))
    assert found.coordinates.y_axis == "down"
    assert not any("array_" in text and "Not exported" not in text for text in found.warnings)


@pytest.mark.parametrize("degrees", [0, 7, -20])
@pytest.mark.parametrize("move", [(0, 0), (0, H)])
def test_y_of_a_mirrored_array_grows_upward(degrees: float, move: tuple[float, float]) -> None:
    found = plan(slide(turned(degrees) @ FLIP_Y, move))
    assert found.coordinates.y_axis == "up"
    assert any("y grows upward: array_row" in text for text in found.warnings)


def test_image_is_aligned_with_negative_y() -> None:
    straight, mirrored = plan(slide()), plan(slide(FLIP_Y))
    (a,), (b,) = straight.images, mirrored.images
    assert (a.scale, a.offset, b.scale, b.offset) == ((1, 1), (0, 0), (1, -1), (0, 0))
    pixels = [found.coordinates.xy * image.scale + image.offset for found, image in ((straight, a), (mirrored, b))]
    np.testing.assert_allclose(*pixels)


@pytest.mark.parametrize(("change", "message"), [(FLIP_X, "x is mirrored in the tissue"), (SWAP, "seem to be swapped")])
def test_mirrored_x_or_swapped_axes_warn(change: np.ndarray, message: str) -> None:
    found = plan(slide(change))
    assert found.coordinates.y_axis == "down"
    assert any(message in text for text in found.warnings)


def test_direction_of_y_follows_the_majority_of_cells() -> None:
    parts = {"a": slide(FLIP_Y), "b": slide(FLIP_Y, (5000, 0)), "c": slide(move=(10000, 0), n=6)}
    together = ad.concat(parts, label="sample", index_unique="-")
    together.obs["sample"] = together.obs["sample"].astype("category")
    found = plan(together)
    assert found.coordinates.y_axis == "up"
    assert "According to array_row, y grows the other way in the section c (shown mirrored)." in found.warnings


def test_columns_that_are_not_an_array_are_ignored() -> None:
    adata = slide(FLIP_Y)
    adata.obs["array_row"] = np.random.default_rng(0).permutation(adata.obs["array_row"].to_numpy())
    assert plan(adata).coordinates.y_axis == "down"
    few = slide(FLIP_Y)[:8].copy()
    assert plan(few).coordinates.y_axis == "down"
