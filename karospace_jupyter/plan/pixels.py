"""Arrays that AnnData objects hold as images, in their many kinds, as 8-bit pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class NotAPicture(ValueError):  # noqa: N818 - it says what the array is
    """The array cannot be shown as a picture; the message says why."""


def as_pixels(value: Any) -> NDArray[np.uint8]:  # noqa: ANN401 - uns holds anything
    """Return an image array as uint8, shape (height, width, 3 or 4).

    Takes grey, RGB and RGBA, channels first or last; booleans, integers, floats of 0–1 and of 0–255.

    Raises
    ------
    NotAPicture
        When it is empty or its values cannot be a picture.
    """
    array = np.asarray(value)
    if array.size == 0:
        msg = "it is empty"
        raise NotAPicture(msg)
    if array.dtype.kind not in "buif":
        msg = f"it holds {array.dtype}, not numbers"
        raise NotAPicture(msg)
    array = _channels_last(array)
    scaled = _to_bytes(array)
    if scaled.shape[2] == 1:
        scaled = np.repeat(scaled, 3, axis=2)
    elif scaled.shape[2] == 2:  # grey and alpha
        scaled = scaled[:, :, [0, 0, 0, 1]]
    return np.ascontiguousarray(scaled)


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim != 3:
        msg = f"it has shape {array.shape}; a picture has two or three dimensions"
        raise NotAPicture(msg)
    if array.shape[2] in {1, 2, 3, 4}:
        return array
    if array.shape[0] in {1, 2, 3, 4}:
        return np.moveaxis(array, 0, 2)
    msg = f"it has shape {array.shape}; a picture has one to four channels"
    raise NotAPicture(msg)


def _to_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint8:
        return np.asarray(array, dtype=np.uint8)
    low, high = float(np.fmin.reduce(array, axis=None)), float(np.fmax.reduce(array, axis=None))
    if not np.isfinite([low, high]).all():
        msg = "it holds infinite values, or no number at all"
        raise NotAPicture(msg)
    # A little beyond the range comes from interpolation; −4 … 4 is a scaled matrix, not a picture.
    if low < -0.02 * max(high, 1.0):
        msg = f"its values run from {low:.3g} to {high:.3g}"
        raise NotAPicture(msg)
    if array.dtype.kind == "f":
        scale = _float_scale(high)
    elif high <= 255:
        scale = 1.0
    elif high <= 65535:
        scale = 255.0 / (4095.0 if high <= 4095 else 65535.0)  # 12-bit cameras, else 16 bits
    else:
        msg = f"its values run up to {high:.3g}"
        raise NotAPicture(msg)
    values = np.nan_to_num(array.astype(np.float32), nan=0.0) * np.float32(scale)
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


def _float_scale(high: float) -> float:
    if high <= 1.02:
        return 255.0
    if high <= 256:
        return 1.0
    if high <= 65536:
        return 255.0 / 65535.0
    msg = f"its values run up to {high:.3g}"
    raise NotAPicture(msg)
