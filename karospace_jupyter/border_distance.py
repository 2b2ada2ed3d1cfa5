"""Distances of cells to the border of an outline, exact for its straight edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SQUARES = 128
"""Number of squares along the longer side of the cells' extent."""
_AT_ONCE = 1_000_000
"""Maximum number of pairs of points and edges in one step, to bound the memory."""

Floats = NDArray[np.float64]


def border_distances(outline: Floats, xy: Floats, factor: float = 1.0) -> NDArray[np.float32]:
    """Compute the distance of each cell to the border of a closed outline; negative inside, by the even-odd rule.

    The viewer computes the same numbers to the last bit.

    Parameters
    ----------
    outline
        The corners, shape (n_corners, 2). The last corner is connected with the first.
    xy
        Coordinates of the cells, shape (n, 2), in the same unit; NaN for a cell without coordinates.
    factor
        Size of one unit of the coordinates in the unit of the result.

    Returns
    -------
    numpy.ndarray
        float32, shape (n,); NaN for a cell without coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    >>> border_distances(square, np.array([[1.0, 2.0], [7.0, 8.0]])).tolist()
    [-1.0, 5.0]
    """
    out = np.full(len(xy), np.nan, dtype=np.float32)
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if not len(placed):
        return out
    cells = xy[placed]
    low = cells.min(axis=0)
    side = float((cells.max(axis=0) - low).max()) / SQUARES or 1.0
    reach = side * np.sqrt(0.5) * 1.0001  # from the center to a corner, plus a margin for rounding
    square = np.floor((cells - low) / side).astype(np.int64)
    codes, which = np.unique(square[:, 1] * (SQUARES + 1) + square[:, 0], return_inverse=True)
    row, column = np.divmod(codes, SQUARES + 1)
    centers = low + (np.column_stack([column, row]) + 0.5) * side
    members = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
    edges = _edges(outline)
    found = np.empty(len(cells))
    inside = np.empty(len(cells), dtype=bool)
    step = max(1, _AT_ONCE // len(outline))
    for first in range(0, len(codes), step):
        block = centers[first : first + step]
        far = np.sqrt(_squared(edges, block))
        nearest = far.min(axis=1)
        near = far <= nearest[:, None] + 2 * reach
        center_inside = _is_inside(outline, block)
        for at, some in enumerate(members[first : first + step]):
            found[some] = _nearest(edges[:, near[at]], cells[some])
            inside[some] = center_inside[at] if nearest[at] > reach else _is_inside(outline, cells[some])
    distances = np.sqrt(found) * factor
    out[placed] = np.where(inside & (distances > 0), -distances, distances)
    return out


def _edges(outline: Floats) -> Floats:
    """Return x and y of the starts, the differences to the ends, and the squared lengths, shape (5, n_corners)."""
    differences = np.roll(outline, -1, axis=0) - outline
    dx, dy = differences.T
    return np.stack([*outline.T, dx, dy, dx * dx + dy * dy])


def _squared(edges: Floats, xy: Floats) -> Floats:
    """Return the squared distances of points to edges, shape (n_points, n_edges)."""
    ax, ay, dx, dy, length = edges
    x, y = xy[:, :1], xy[:, 1:]
    along = ((x - ax) * dx + (y - ay) * dy) / np.where(length > 0, length, 1)
    t = np.clip(along, 0, 1)
    left = x - (ax + t * dx)
    up = y - (ay + t * dy)
    squared: Floats = left * left + up * up
    return squared


def _nearest(edges: Floats, xy: Floats) -> Floats:
    step = max(1, _AT_ONCE // edges.shape[1])
    return np.concatenate([_squared(edges, xy[at : at + step]).min(axis=1) for at in range(0, len(xy), step)])


def _is_inside(outline: Floats, xy: Floats) -> NDArray[np.bool_]:
    found = [np.zeros(0, dtype=bool)]
    step = max(1, _AT_ONCE // len(outline))
    xi, yi = outline.T
    xj, yj = np.roll(outline, 1, axis=0).T
    rise = np.where(yj == yi, 1, yj - yi)  # a horizontal edge never crosses a horizontal ray
    for at in range(0, len(xy), step):
        x, y = xy[at : at + step, :1], xy[at : at + step, 1:]
        crosses = ((yi > y) != (yj > y)) & (x < (xj - xi) * (y - yi) / rise + xi)
        found.append(crosses.sum(axis=1) % 2 == 1)
    return np.concatenate(found)
