"""Recognize numbers that repeat the cells' positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CELLS = 10_000
"""Maximum number of cells that are compared."""
_MIN_CELLS = 50
"""With fewer cells, numbers may follow the position by chance."""
_MIN_GROUP = 10
"""With fewer cells in a section, a linear function of the position explains much of any numbers; with three, all."""
_UNEXPLAINED = 0.002
"""Maximum share of the variance that rounding to a grid leaves; a Visium slide has at least 64 columns."""


def are_positions(
    values: NDArray[np.float64], xy: NDArray[np.float64], groups: NDArray[np.int64] | None = None
) -> bool:
    """Return whether a column only repeats the positions of the cells, as a linear function of their coordinates.

    Such a column (``x_centroid``, ``array_row``, pixel positions in another unit) colors the tissue with a gradient.

    Parameters
    ----------
    values
        Shape (n_cells,); NaN is ignored.
    xy
        Coordinates, shape (n_cells, 2).
    groups
        Section of each cell, shape (n_cells,); each section may have its own grid.

    Examples
    --------
    >>> xy = np.random.default_rng(0).random((100, 2))
    >>> are_positions(3 * xy[:, 1] + 7, xy), are_positions(np.sqrt(xy[:, 1]), xy)
    (True, False)
    """
    some = np.unique(np.linspace(0, len(xy) - 1, min(len(xy), _CELLS)).astype(np.int64))
    some = some[np.isfinite(values[some]) & np.isfinite(xy[some]).all(axis=1)]
    group = np.zeros(len(some), dtype=np.int64) if groups is None else groups[some]
    parts = [some[group == one] for one in np.unique(group)]
    parts = [part for part in parts if len(part) >= _MIN_GROUP]
    if sum(map(len, parts)) < _MIN_CELLS:
        return False
    largest = max(float(np.abs(values[part]).max()) for part in parts)
    left = whole = 0.0
    for part in parts:
        value = values[part] / (largest or 1.0)  # squares of very large numbers would overflow
        value -= value.mean()
        place = xy[part] - xy[part].mean(axis=0)
        slope = np.linalg.lstsq(place, value, rcond=None)[0]
        left += float(((value - place @ slope) ** 2).sum())
        whole += float((value**2).sum())
    return whole > 0 and left <= _UNEXPLAINED * whole
