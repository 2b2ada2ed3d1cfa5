"""Convert intensities of any dtype to 8-bit images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.formatting import counted
from karospace_jupyter.plan.names import listed

COMPOSITE = (
    ("red", (255, 0, 0)),
    ("green", (0, 255, 0)),
    ("blue", (0, 0, 255)),
    ("cyan", (0, 255, 255)),
    ("magenta", (255, 0, 255)),
    ("yellow", (255, 255, 0)),
)
"""Name and color of each channel in a composite, in order. The first three leave an RGB image unchanged."""

_OUTLIERS = 0.001
"""Share of values at each end that is ignored when the range is determined."""

_SAMPLE = 1 << 22
"""Maximum number of values from which quantiles are computed."""

_BITS_TOPS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # 8 and 16 bits; cameras with 10, 12 and 14 bits
_INTEGER_TOPS = (*_BITS_TOPS, 4294967295.0)
_FLOAT_TOPS = (1.0, *_BITS_TOPS)
_OVERSHOOT = {"i": 1.02, "f": 1.25}
"""Factor by which values may exceed the top: cubic interpolation of floats overshoots by about a fifth."""

_UNDERSHOOT = 0.25
_NEGATIVE = 0.2
"""Share of negative values above which an array is not an image."""

_DIM = 1 / 2
"""If all values are below this share of the top, the range is ambiguous."""

_DIM_FRACTION = 1 / 64
"""The same for floats of 0–1 and for 8 bits, where a dark image is more likely than another range."""


class NotAnImage(ValueError):  # noqa: N818 - names the condition
    """The array cannot be shown as an image; the message gives the reason."""


def to_bytes(array: NDArray[Any], notes: list[str]) -> NDArray[np.uint8]:
    """Scale intensities to uint8, with the same range for all channels.

    The range (0–1, or 8, 10, 12, 14, 16 or 32 bits) is inferred from quantiles; values beyond it are clipped.

    Parameters
    ----------
    array
        Shape (height, width, channels).
    notes
        Receives notes for the user on how the image was converted.

    Raises
    ------
    NotAnImage
        If the values are not intensities.
    """
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    values = _sample(array)
    low, high = _quantiles(values)
    _refuse_negative(values, low, high)
    top = _top(array.dtype, high)
    dim = _DIM_FRACTION if top == 1 or array.dtype == np.uint8 else _DIM
    if high > top * _OVERSHOOT["f"]:
        notes.append(f"its values run up to {high:.4g} and were scaled down to 256 levels")
        top = high
    elif 0 < high < dim * top:
        notes.append(f"its values run up to {high:.4g} only (of {top:.0f}) and were stretched to full brightness")
        top = high
    elif array.dtype == np.uint8:
        return np.asarray(array, dtype=np.uint8)
    beyond = float(((values > 1.3 * top) | (values < -0.3 * top)).mean())
    if beyond > 0:
        notes.append(
            f"its range was taken to be 0 to {top:.0f}; values beyond it ({max(beyond, 1e-4):.2%}) were clipped"
        )
    out = np.empty(array.shape, np.uint8)
    for block in _blocks(array):
        scaled = _finite(array[block], top) * np.float32(255.0 / top)
        out[block] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    _note_missing(array, notes)
    return out


def composite(array: NDArray[Any], notes: list[str]) -> NDArray[np.uint8]:
    """Draw each channel in its own color, and add them up.

    Each channel is scaled between its own quantiles, because channels of fluorescence have different ranges.

    Parameters
    ----------
    array
        Shape (height, width, channels).

    Returns
    -------
    numpy.ndarray
        Shape (height, width, 3).

    Raises
    ------
    NotAnImage
        If the values are not intensities, or all channels are constant.
    """
    n = array.shape[2]
    shown = min(n, len(COMPOSITE))
    total = np.zeros((*array.shape[:2], 3), np.float32)
    drawn = []
    for at in range(shown):
        values = _sample(array[:, :, at : at + 1])
        if not np.isfinite(values).any():
            continue
        low, high = _quantiles(values)
        _refuse_negative(values, low, high)
        if high <= low:
            continue
        name, color = COMPOSITE[at]
        drawn.append(f"{at + 1} {name}")
        for block in _blocks(array):
            share = np.clip((_finite(array[block][:, :, at], high) - np.float32(low)) / np.float32(high - low), 0, 1)
            total[block] += share[:, :, None] * np.array(color, np.float32)
    if not drawn:
        msg = f"all of its {n} channels are constant"
        raise NotAnImage(msg)
    first = f"the first {shown} of its {n:,} channels are" if shown < n else f"its {n} channels are"
    notes.append(
        f"{first} shown as a composite ({listed(drawn)}; each between its {_OUTLIERS:.1%} and {1 - _OUTLIERS:.1%} "
        "quantiles), because they are not gray or red, green and blue with transparency"
    )
    if len(drawn) < shown:
        notes.append("constant channels were left out of the composite")
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def _sample(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return values sampled across the image, shape (n,)."""
    step = max(1, int(np.ceil(np.sqrt(array.size / _SAMPLE))))
    return np.asarray(array[::step, ::step], dtype=np.float64).ravel()


def _quantiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return a low and a high quantile, which are robust to a few outliers."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        msg = "it holds no finite numbers"
        raise NotAnImage(msg)
    lit = finite[finite != 0]  # most of a dark image is background
    lit = lit if lit.size else finite
    low = np.quantile(finite, _share(finite.size))
    return float(low), float(np.quantile(lit, 1 - _share(lit.size)))


def _share(n: int) -> float:
    """Return the share of `n` values that may be outliers: at least one pixel of a small image."""
    return max(_OUTLIERS, min(4 / n, 0.02))


def _refuse_negative(values: NDArray[np.float64], low: float, high: float) -> None:
    """Reject values on both sides of zero, but accept the undershoot of interpolation."""
    reach = max(high, 0.0)
    if low < -_UNDERSHOOT * reach or (values < -0.02 * reach).mean() > _NEGATIVE:
        msg = f"its values run from {np.nanmin(values):.3g} to {np.nanmax(values):.3g}"
        raise NotAnImage(msg)


def _top(dtype: np.dtype[Any], high: float) -> float:
    """Return the value that is shown as white."""
    kind = "f" if dtype.kind == "f" else "i"
    tops = _FLOAT_TOPS if kind == "f" else _INTEGER_TOPS
    return next((top for top in tops if high <= top * _OVERSHOOT[kind]), tops[-1])


def _finite(block: NDArray[Any], top: float) -> NDArray[np.float32]:
    if block.dtype.kind != "f":
        return np.asarray(block, dtype=np.float32)
    return np.nan_to_num(np.asarray(block, dtype=np.float32), nan=0.0, posinf=top, neginf=0.0)


def _note_missing(array: NDArray[Any], notes: list[str]) -> None:
    if array.dtype.kind == "f":
        missing = sum(int(np.isnan(array[block]).any(axis=2).sum()) for block in _blocks(array))
        if missing:
            notes.append(f"{counted(missing, 'pixel')} without a value {'is' if missing == 1 else 'are'} black")


def _blocks(array: NDArray[Any]) -> list[slice]:
    """Split into blocks of rows, so that float copies stay small."""
    rows = max(1, _SAMPLE // max(1, int(np.prod(array.shape[1:]))))
    return [slice(start, start + rows) for start in range(0, len(array), rows)]
