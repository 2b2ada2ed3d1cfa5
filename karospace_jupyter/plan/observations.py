"""Determine what each row represents: a cell, a spot of an array, or a square bin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.plan.images.libraries import libraries
from karospace_jupyter.plan.visium import array_grid

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

Observations = Literal["cells", "spots", "bins"]

# Space Ranger names bins by their size, row and column: s_008um_00269_00526-1.
_BIN_NAME = re.compile(r"s_(\d+)um_\d+_\d+")


@dataclass(frozen=True, slots=True)
class Array:
    """What the rows represent, and the array that they belong to."""

    observations: Observations
    hexagonal_pitch: float | None = None
    """Distance between neighboring spots in coordinate units, on a hexagonal array."""
    side: float | None = None
    """Side of a bin in coordinate units."""
    bin_um: float | None = None
    """Side of a bin in µm; None if the data does not state it."""
    bin_angle: float | None = None
    """Angle of the rows of bins in degrees from x toward y; None if the sections differ."""


def array_of(source: Source, xy: NDArray[np.float64], section: str | None) -> Array:
    """Determine what the rows represent from the array that they belong to; without one, they are cells.

    Bins of Visium HD are a square array in data that states the size of a bin. Cells that were assembled from bins
    keep that size, but not the array.

    Parameters
    ----------
    xy
        Coordinates of all rows, shape (n_cells, 2), NaN where missing.
    section
        The column that names the sections; None if there are none.
    """
    codes = None if section is None else pd.factorize(source.obs(section))[0]
    hexagonal = array_grid(source, xy, codes, "hexagonal")
    if hexagonal is not None:
        return Array("spots", hexagonal_pitch=hexagonal.pitch)
    name = _BIN_NAME.match(str(source.cell_names[0])) if source.n_cells else None
    stated = {library.bin_um for library in libraries(source) if library.bin_um}
    bin_um = float(name[1]) if name else stated.pop() if len(stated) == 1 else None
    square = array_grid(source, xy, codes, "square") if bin_um else None
    if square is not None:
        return Array("bins", side=square.pitch, bin_um=bin_um, bin_angle=square.angle)
    # A sample may be too small to detect the array; it may still have the columns of Space Ranger's tissue_positions.
    tissue_positions = {"in_tissue", "array_row", "array_col"} <= set(source.obs_columns)
    return Array("spots" if tissue_positions and bin_um is None else "cells")
