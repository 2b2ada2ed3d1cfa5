"""The origin of the coordinates: subtracted before conversion to float32 to preserve precision."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Origin = tuple[float, float]

ZERO: Origin = (0.0, 0.0)

_FINE = 5e-5
"""Acceptable mean rounding error of float32, as a share of the distance between neighbors."""
_GAIN = 4
"""Factor by which an origin must reduce the error to be worth a field that readers have to handle."""
_TOLERATED_SHARE = 1e-3
"""Share of the cells that may be misplaced before a warning is issued."""
_SEEN = 0.05
"""Displacement at which a cell is visibly misplaced, as a share of the distance between neighbors."""
_SAMPLED_CELLS = 32
"""Number of cells sampled to estimate the distance between neighbors."""
_NEIGHBORS = 6
_PART = 64
"""Step between the cells that give an upper limit of the distance to the neighbors."""
_SMALLEST = 1e-30
"""Minimum distance between the outermost cells; if they are closer, float32 loses their positions."""


def too_close(xy: NDArray[np.float64]) -> str:
    """Return why positions that are too close to each other cannot be shown; ``""`` if they can be shown.

    Parameters
    ----------
    xy
        Shape (n_cells, 2), finite, at least one cell.
    """
    side = float(np.ptp(xy, axis=0).max())
    # Cells at the same position are shown as one point.
    return f"lie within {side:.2g} units; the viewer needs at least {_SMALLEST:g}" if 0 < side < _SMALLEST else ""


def origin_of(xy: NDArray[np.float64]) -> Origin:
    """Return a round number near the center of the coordinates, or 0 where float32 is precise enough without one.

    It is not rounded where all, or all but the outermost, coordinates on an axis are equal.

    Parameters
    ----------
    xy
        Shape (n_cells, 2); rows with NaN are ignored.

    Returns
    -------
    tuple of float
        The origin in x and y.

    Examples
    --------
    >>> near = np.arange(200.0).reshape(100, 2)
    >>> origin_of(near), origin_of(near * 0.3 + 1e7)
    ((0.0, 0.0), (10000030.0, 10000030.0))
    """
    placed = xy[np.isfinite(xy).all(axis=1)]
    if not len(placed):
        return ZERO
    near = [_center(placed[:, axis]) for axis in (0, 1)]
    if near == [0.0, 0.0]:
        return ZERO
    fine = _FINE * pitch_of(placed)
    x, y = (near[axis] if _error(placed[:, axis]) > fine else 0.0 for axis in (0, 1))
    return x, y


def _center(values: NDArray[np.float64]) -> float:
    """Return the center, or the median if there are distant outliers; 0 if neither is much better."""
    ordered = np.sort(values)
    low, median, high = (float(ordered[int(len(ordered) * share)]) for share in (0.05, 0.5, 0.95))
    first, last = float(ordered[0]), float(ordered[-1])
    # Halve before adding: the sum of two very large numbers overflows.
    middles = _rounded(first / 2 + last / 2, last - first), _rounded(median, high - low)
    best, error = 0.0, _error(values)
    for origin in middles:
        left = _error(values - origin)
        if left < error and left * _GAIN <= error:
            best, error = origin, left
    return best


def _rounded(value: float, side: float) -> float:
    return round(value, -math.floor(math.log10(side))) if side > 0 else value


def _error(values: NDArray[np.float64]) -> float:
    return float(np.abs(values - values.astype(np.float32)).mean())


def pitch_of(xy: NDArray[np.float64]) -> float:
    """Estimate the distance between neighbors from local densities, so that gaps between sections do not count.

    Parameters
    ----------
    xy
        Shape (n_cells, 2), finite, at least one cell.

    Returns
    -------
    float
        0 if all cells have the same position.

    Examples
    --------
    >>> line = np.arange(100.0).reshape(100, 1) * [1, 0]
    >>> round(pitch_of(line), 2) == round(pitch_of(line + 1e6), 2)
    True
    """
    found = []
    x, y = np.ascontiguousarray(xy.T)
    for place in np.linspace(0, len(xy) - 1, min(len(xy), _SAMPLED_CELLS)).astype(np.int64):
        square = (x - x[place]) ** 2 + (y - y[place]) ** 2
        # The distance to the neighbors in a subset of the cells is an upper limit, so few cells are left to sort.
        some = square[::_PART][square[::_PART] > 0]
        most = np.partition(some, _NEIGHBORS - 1)[_NEIGHBORS - 1] if len(some) >= _NEIGHBORS else np.inf
        near = square[(square > 0) & (square <= most)]
        n = min(_NEIGHBORS, len(near))
        if n:
            found.append(math.sqrt(float(np.partition(near, n - 1)[n - 1]) * math.pi / n))
    return sorted(found)[len(found) // 2] if found else 0.0


def local(xy: NDArray[np.float64], origin: Origin) -> NDArray[np.float32]:
    """Return coordinates relative to an origin, subtracted before conversion to float32."""
    near: NDArray[np.float32] = (xy - np.asarray(origin)).astype(np.float32)
    return near


def count_sharing(xy: NDArray[np.float64], origin: Origin) -> int:
    """Count the cells that float32 rounds to the position of another cell although their coordinates differ.

    This happens if parts of the tissue are so far apart that no origin is near all of them. Returns 0 if the share
    of affected cells is too small for a warning.
    """
    near = local(xy, origin)
    if np.array_equal(near, xy - np.asarray(origin)):
        return 0
    # Sorting the bits of both float32 at once is the fastest way to count; adding 0 makes -0 equal to 0.
    bits = np.sort(np.ascontiguousarray(near + 0).view(np.uint64).ravel())
    few, places = _TOLERATED_SHARE * len(xy), 1 + int(np.count_nonzero(np.diff(bits)))
    if len(xy) - places <= few:  # avoids the slower count of the exact positions
        return 0
    lost = _n_positions(xy) - places
    return lost if lost > few else 0


def count_displaced(xy: NDArray[np.float64], origin: Origin) -> tuple[int, float]:
    """Count the cells that float32 displaces visibly, relative to the distance between neighbors.

    Parameters
    ----------
    xy
        Shape (n_cells, 2), finite.

    Returns
    -------
    tuple of int and float
        The number of cells, 0 if too few for a warning, and the largest displacement.
    """
    off = np.abs(local(xy, origin) - (xy - np.asarray(origin))).max(axis=1, initial=0)
    if not off.any():
        return 0, 0.0
    n = int((off > _SEEN * pitch_of(xy)).sum())
    return (n, float(off.max())) if n > _TOLERATED_SHARE * len(xy) else (0, 0.0)


def _n_positions(xy: NDArray[np.float64]) -> int:
    pairs = np.ascontiguousarray(xy, dtype=np.float64).view(np.complex128)
    return len(np.unique(pairs))
