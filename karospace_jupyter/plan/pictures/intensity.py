"""From intensities of any dtype to the 256 levels of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.plan.names import listed

COMPOSITE = (
    ("red", (255, 0, 0)),
    ("green", (0, 255, 0)),
    ("blue", (0, 0, 255)),
    ("cyan", (0, 255, 255)),
    ("magenta", (255, 0, 255)),
    ("yellow", (255, 255, 0)),
)
"""Name and color of each channel in a composite, in order. The first three leave a picture in RGB as it is."""

_OUTLIERS = 0.001
"""Share of values at each end that decides nothing about the range."""

_SAMPLE = 1 << 22
"""Values that quantiles are taken of."""

_BITS_TOPS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # 8 and 16 bits, cameras of 10, 12 and 14 bits
_INTEGER_TOPS = (*_BITS_TOPS, 4294967295.0)
_FLOAT_TOPS = (1.0, *_BITS_TOPS)
_OVERSHOOT = {"i": 1.02, "f": 1.25}
"""Share of the top that values may exceed it by: cubic interpolation of floats leaves about a fifth."""

_UNDERSHOOT = 0.25
_NEGATIVE = 0.2
"""Share of negative values from which an array is no picture."""

_DIM = 1 / 2
"""Values that stay below this share of the top do not say which range they are of."""

_DIM_FRACTION = 1 / 64
"""The same for floats of 0-1, and for 8 bits: a dark picture is more likely there than another range."""


class NotAPicture(ValueError):  # noqa: N818 - it says what the array is
    """The array cannot be shown as a picture; the message says why."""


def to_bytes(array: NDArray[Any], notes: list[str]) -> NDArray[np.uint8]:
    """Scale intensities to uint8, all channels alike.

    The range (0-1, 8, 10, 12, 14, 16 or 32 bits) follows from quantiles; what lies beyond it is clipped.

    Parameters
    ----------
    array
        Shape (height, width, channels).
    notes
        Takes what was decided and a reader should know.

    Raises
    ------
    NotAPicture
        When the values are not intensities.
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
    """Draw each channel in a color of its own, and add them up.

    Each channel is scaled between its quantiles, since channels of fluorescence share no range.

    Parameters
    ----------
    array
        Shape (height, width, channels).

    Returns
    -------
    Shape (height, width, 3).

    Raises
    ------
    NotAPicture
        When the values are not intensities, or no channel varies.
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
        msg = f"its {n} channels do not vary"
        raise NotAPicture(msg)
    first = f"the first {shown} of its {n:,} channels are" if shown < n else f"its {n} channels are"
    notes.append(
        f"{first} shown as a composite ({listed(drawn)}; each between its {_OUTLIERS:.1%} and {1 - _OUTLIERS:.1%} "
        "quantiles), because they are not gray or red, green and blue with transparency"
    )
    if len(drawn) < shown:
        notes.append("channels that do not vary were left out of it")
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def _sample(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return values spread over the picture, shape (n,)."""
    step = max(1, int(np.ceil(np.sqrt(array.size / _SAMPLE))))
    return np.asarray(array[::step, ::step], dtype=np.float64).ravel()


def _quantiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return a low and a high value that a few outliers do not move."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        msg = "it holds no finite number"
        raise NotAPicture(msg)
    lit = finite[finite != 0]  # most of a dark picture is background
    lit = lit if lit.size else finite
    low = np.quantile(finite, _share(finite.size))
    return float(low), float(np.quantile(lit, 1 - _share(lit.size)))


def _share(n: int) -> float:
    """Return the share of `n` values that may be outliers: one pixel, at least, of a small picture."""
    return max(_OUTLIERS, min(4 / n, 0.02))


def _refuse_negative(values: NDArray[np.float64], low: float, high: float) -> None:
    """Tell the undershoot of interpolation from a matrix that was scaled to both sides of zero."""
    reach = max(high, 0.0)
    if low < -_UNDERSHOOT * reach or (values < -0.02 * reach).mean() > _NEGATIVE:
        msg = f"its values run from {np.nanmin(values):.3g} to {np.nanmax(values):.3g}"
        raise NotAPicture(msg)


def _top(dtype: np.dtype[Any], high: float) -> float:
    """Return the value that is white."""
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
            notes.append(f"pixels without a value ({missing:,}) are black")


def _blocks(array: NDArray[Any]) -> list[slice]:
    """Split into rows, so that float copies stay small."""
    rows = max(1, _SAMPLE // max(1, int(np.prod(array.shape[1:]))))
    return [slice(start, start + rows) for start in range(0, len(array), rows)]
