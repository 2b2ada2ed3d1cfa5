"""The array of Visium slides: the distance between neighboring spots or bins, and the pixel size that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.source.numbers import as_numbers

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

PITCH_UM = 100.0
"""Distance between the centers of neighboring spots (10x Genomics, Visium Spatial Gene Expression)."""

_SPOTS_UM = (45.0, 80.0)
"""Range of `spot_diameter_fullres` in µm on Visium slides: the spots measure 55 µm but are reported somewhat larger."""

_PAIRS = 10
_SAME_WITHIN = 0.02
_SAME_DIRECTION = 0.99
"""Minimum length of the mean fourth power of the directions, which is 1 if all are equal modulo a right angle."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The array of a slide."""

    pitch: float
    """Distance between neighbors of a row, in coordinate units."""
    angle: float | None
    """Angle of the rows in degrees from x toward y, modulo a right angle, between -45 and 45; None if it varies."""


def array_grid(
    source: Source,
    xy: NDArray[np.float64],
    codes: NDArray[np.int64] | None,
    grid: Literal["hexagonal", "square"],
) -> Grid | None:
    """Return the array that the spots belong to, or None if there is none of that kind.

    Space Ranger writes the columns ``array_row`` and ``array_col``, but other arrays have them, too. Only in
    a hexagonal array are rows shifted by half a spot, so that both numbers are even or both are odd.

    Parameters
    ----------
    xy
        Coordinates of all cells, shape (n_cells, 2), NaN where missing.
    codes
        The section of each cell, shape (n_cells,); None if there is only one section.
    """
    if not {"array_row", "array_col"} <= set(source.obs_columns):
        return None
    row, col = (as_numbers(source.obs(name)) for name in ("array_row", "array_col"))
    if row is None or col is None:
        return None
    step = 2 if grid == "hexagonal" else 1
    if not (np.isfinite(row).all() and np.isfinite(col).all()) or (row % 1).any() or ((row + col) % step).any():
        return None
    section = np.zeros(len(row), np.int64) if codes is None else codes
    spots = pd.DataFrame({"section": section, "row": row, "col": col, "x": xy[:, 0], "y": xy[:, 1]})
    pairs = spots.merge(spots.assign(col=spots["col"] - step), on=["section", "row", "col"], suffixes=("", "_next"))
    steps = ((pairs["x_next"] - pairs["x"]) + 1j * (pairs["y_next"] - pairs["y"])).to_numpy(np.complex128)
    steps = steps[np.isfinite(steps)]
    pitch = np.abs(steps)
    if len(pitch) < _PAIRS or len(pitch) > len(spots):
        return None
    middle = float(np.median(pitch))
    if middle <= 0 or (np.abs(pitch - middle) > _SAME_WITHIN * middle).mean() > _SAME_WITHIN:
        return None
    # The fourth power is the same for all four sides of a square.
    side = ((steps / middle) ** 4).mean()
    return Grid(middle, float(np.degrees(np.angle(side)) / 4) if abs(side) > _SAME_DIRECTION else None)


def unit_um(pitch: float | None, spot_diameter: float | None) -> float | None:
    """Return the µm per coordinate unit, or None if the spots are not those of a Visium slide.

    Parameters
    ----------
    pitch
        Distance between neighbors of a hexagonal array, in coordinate units; None if it is not hexagonal.
    spot_diameter
        In coordinate units.

    Examples
    --------
    >>> unit_um(250.0, 160.0), unit_um(250.0, 400.0)
    (0.4, None)
    """
    if pitch is None or spot_diameter is None:
        return None
    unit = PITCH_UM / pitch
    return unit if _SPOTS_UM[0] <= spot_diameter * unit <= _SPOTS_UM[1] else None
