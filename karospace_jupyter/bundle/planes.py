"""Numbers as planes of bytes, which compress better than the numbers themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def planes(values: NDArray[np.generic]) -> bytes:
    """Return little-endian values as planes: the lowest byte of every value, then the next byte of every value."""
    return values.view(np.uint8).reshape(-1, values.dtype.itemsize).T.tobytes()


def from_planes(raw: bytes, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Return the values that :func:`planes` encoded."""
    if dtype.itemsize == 1:
        return np.frombuffer(raw, dtype)
    plane = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, -1)
    return np.ascontiguousarray(plane.T).view(dtype).ravel()
