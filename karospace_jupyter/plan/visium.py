"""The pixel size of Visium slides, derived from the known spacing of their spots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

PITCH_UM = 100.0
"""Distance between the centers of neighboring spots (10x Genomics, Visium Spatial Gene Expression)."""

_SPOTS_UM = (45.0, 80.0)
"""Range of `spot_diameter_fullres` in µm on Visium slides: the spots measure 55 µm but are reported somewhat larger."""

_PAIRS = 10
_SAME_WITHIN = 0.02


def unit_um(
    source: Source, rows: Rows, xy: NDArray[np.float64], codes: NDArray[np.int64] | None, spot_diameter: float | None
) -> float | None:
    """Return the µm per coordinate unit, or None if the spots are not on a Visium slide.

    Space Ranger writes the columns ``array_row`` and ``array_col``, but other arrays have them, too. Only on Visium
    slides are rows shifted by half a spot, so that both numbers are even or both odd, and the spot size matches.

    Parameters
    ----------
    rows
        The exported cells.
    xy
        Their coordinates, shape (n_cells, 2), in full-resolution pixels.
    codes
        The section of each cell, shape (n_cells,); None if there is only one section.
    spot_diameter
        In full-resolution pixels.
    """
    if spot_diameter is None or not {"array_row", "array_col"} <= set(source.obs_columns):
        return None
    chosen = slice(None) if rows is None else rows
    row, col = (
        pd.to_numeric(source.obs(name), errors="coerce").to_numpy(np.float64, na_value=np.nan)[chosen]
        for name in ("array_row", "array_col")
    )
    if not (np.isfinite(row).all() and np.isfinite(col).all()) or ((row + col) % 2 != 0).any():
        return None
    section = np.zeros(len(row), np.int64) if codes is None else codes
    spots = pd.DataFrame({"section": section, "row": row, "col": col, "x": xy[:, 0], "y": xy[:, 1]})
    pairs = spots.merge(spots.assign(col=spots["col"] - 2), on=["section", "row", "col"], suffixes=("", "_next"))
    pitch = np.hypot(pairs["x_next"] - pairs["x"], pairs["y_next"] - pairs["y"]).to_numpy()
    if len(pitch) < _PAIRS or len(pitch) > len(spots):
        return None
    middle = float(np.median(pitch))
    if middle <= 0 or (np.abs(pitch - middle) > _SAME_WITHIN * middle).mean() > _SAME_WITHIN:
        return None
    unit = PITCH_UM / middle
    return unit if _SPOTS_UM[0] <= spot_diameter * unit <= _SPOTS_UM[1] else None
