"""How long a pixel is on a Visium slide, whose spots lie on a lattice that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

PITCH_UM = 100.0
"""Between the middles of neighbouring spots (10x Genomics, Visium Spatial Gene Expression)."""

_SPOTS_UM = (45.0, 80.0)
"""What diameters `spot_diameter_fullres` comes to on slides of this kind: spots of 55 µm, drawn somewhat larger."""

_PAIRS = 10
_SAME_WITHIN = 0.02


def unit_um(
    source: Source, rows: Rows, xy: NDArray[np.float64], codes: NDArray[np.int64] | None, spot_diameter: float | None
) -> float | None:
    """Return the µm of a coordinate unit, or None where the spots are not a Visium slide's.

    The columns ``array_row`` and ``array_col`` are what Space Ranger writes. Other arrays have them, too: only on
    Visium's are rows shifted by half a spot, so that both numbers are even or both odd, and spots have the stated size.

    Parameters
    ----------
    rows
        The cells that are exported.
    xy
        Their coordinates, shape (n_cells, 2), in pixels of full resolution.
    codes
        The section of each, shape (n_cells,); None where there is one.
    spot_diameter
        In pixels of full resolution.
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
