"""The origin of coordinates: what is subtracted from them so that float32 keeps their digits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Origin = tuple[float, float]

ZERO: Origin = (0.0, 0.0)

_FINE = 1e-4
"""Share of the distance between neighbors that float32 may move a cell by."""
_GAIN = 4
"""An origin that makes the error less than so many times smaller is not worth a field that readers must heed."""
_SHARED = 1e-3
"""Share of the cells that may fall on another one by rounding before that is worth a warning."""


def origin_of(xy: NDArray[np.float64]) -> Origin:
    """Return a round number near the middle of the coordinates, or 0 where float32 holds them as they are.

    Parameters
    ----------
    xy
        Shape (n_cells, 2); rows with NaN are passed over.

    Examples
    --------
    >>> near = np.arange(200.0).reshape(100, 2)
    >>> origin_of(near), origin_of(near * 0.5 + 1e7)
    ((0.0, 0.0), (10000000.0, 10000000.0))
    """
    placed = xy[np.isfinite(xy).all(axis=1)]
    if not len(placed):
        return ZERO
    low, high = placed.min(axis=0), placed.max(axis=0)
    sides = high - low
    area = float(sides[0] * sides[1])
    pitch = math.sqrt(area / len(placed)) if area > 0 else float(sides.max()) / len(placed)
    x, y = (_of_axis(placed[:, axis], float(low[axis]), float(high[axis]), pitch) for axis in (0, 1))
    return x, y


def _of_axis(values: NDArray[np.float64], low: float, high: float, pitch: float) -> float:
    error = _error(values)
    if error <= _FINE * pitch:
        return 0.0
    side = high - low
    digits = -math.floor(math.log10(side)) if side > 0 else 0
    # Halves first: the sum of two very large numbers has no middle.
    origin = round(low / 2 + high / 2, digits)
    return origin if _error(values - origin) * _GAIN <= error else 0.0


def _error(values: NDArray[np.float64]) -> float:
    return float(np.abs(values - values.astype(np.float32)).max())


def local(xy: NDArray[np.float64], origin: Origin) -> NDArray[np.float32]:
    """Return coordinates as seen from an origin, subtracted before they become float32."""
    near: NDArray[np.float32] = (xy - np.asarray(origin)).astype(np.float32)
    return near


def sharing(xy: NDArray[np.float64], origin: Origin) -> int:
    """Return how many cells float32 puts where another cell is, although their coordinates differ.

    That happens where parts of the tissue are so far apart that no origin is near all of them. A few among
    millions are not worth a warning: then 0 is returned.
    """
    near = local(xy, origin)
    if np.array_equal(near, xy - np.asarray(origin)):
        return 0
    lost = _places(xy) - _places(near.astype(np.float64))
    return lost if lost > _SHARED * len(xy) else 0


def _places(xy: NDArray[np.float64]) -> int:
    pairs = np.ascontiguousarray(xy, dtype=np.float64).view(np.complex128)
    return len(np.unique(pairs))
