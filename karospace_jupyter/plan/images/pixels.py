"""Convert the arrays that AnnData objects store as images to 8-bit images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.errors import ImageError, UnknownFormatError
from karospace_jupyter.plan.images.intensity import NotAnImage, composite, to_bytes
from karospace_jupyter.plan.images.opening import FILES, open_picture

__all__ = ["NotAnImage", "as_pixels", "image_size", "pixels_of_picture"]

_REGULAR = (1, 2, 3, 4)
"""Numbers of channels that a regular image may have."""

_MAX_CHANNELS = 256
_OPAQUE = 0.98
"""Share of full alpha from which a pixel is opaque; up to 1 minus this share, it is clear."""
_MOSTLY = 0.5
"""Minimum share of opaque pixels in an alpha channel, unless it cuts out the tissue."""
_OPAQUE_TOPS = (1.0, 255.0, 65535.0)


def as_pixels(
    value: Any,  # noqa: ANN401 - uns holds anything
    notes: list[str] | None = None,
    *,
    alpha: bool | None = None,
) -> NDArray[np.uint8]:
    """Convert an image to uint8, shape (height, width, 3 or 4).

    Accepts gray, RGB and RGBA with channels first or last; booleans, integers, floats of 0–1 or 0–255. Other numbers
    of channels become a composite in false colors.

    Parameters
    ----------
    value
        A numpy, dask, zarr or xarray array, nested lists, a Pillow image or the bytes of a PNG or JPEG file.
    notes
        Receives notes for the user on how the image was converted; phrases that follow "The image X:".
    alpha
        Whether the last of two or four channels is transparency; None to infer it from the values.

    Raises
    ------
    NotAnImage
        If it is empty, or its values are not those of an image.
    """
    notes = [] if notes is None else notes
    picture = _as_picture(value)
    if picture is not None:
        value = pixels_of_picture(picture)
        alpha = picture.mode not in {"I", "F"} if alpha is None else alpha
    array, named = _as_array(value)
    if array.size == 0:
        msg = "it is empty"
        raise NotAnImage(msg)
    if array.dtype.kind not in "buif":
        msg = f"it holds {array.dtype} values, not numbers"
        raise NotAnImage(msg)
    array = array if named else _channels_last(array)
    if alpha and array.shape[2] in {2, 4} and not (array[:, :, -1] > 0).any():
        notes.append("its transparency hides every pixel, so it was ignored")
        array = array[:, :, :-1]
    n = array.shape[2]
    if n in {2, 4} and (_is_alpha(array) if alpha is None else alpha):
        last = array[:, :, -1:]
        opaque = last if alpha and last.dtype == np.uint8 else _alpha_bytes(last)
        colors = to_bytes(array[:, :, :-1], notes)
        colors = np.repeat(colors, 3, axis=2) if n == 2 else colors
        return np.ascontiguousarray(np.concatenate([colors, opaque], axis=2))
    if n in {1, 3}:
        scaled = to_bytes(array, notes)
        return np.ascontiguousarray(np.repeat(scaled, 3, axis=2) if n == 1 else scaled)
    return composite(array, notes)


def image_size(shape: tuple[int, ...] | None) -> tuple[int, int] | None:
    """Return the width and height of an image array with this shape, or None if it is not an image."""
    if shape is None:
        return None
    shape = _without_singles(shape)
    axis = _channel_axis(shape)
    if len(shape) not in {2, 3} or (len(shape) == 3 and axis is None):
        return None
    height, width = [n for at, n in enumerate(shape) if at != axis or len(shape) == 2]
    return width, height


def pixels_of_picture(picture: Any) -> NDArray[Any]:  # noqa: ANN401 - Pillow is imported late
    """Return the values of a Pillow image: gray unchanged, everything else as RGB or RGBA."""
    mode = picture.mode
    if mode == "L" or mode.startswith(("I", "F")):
        return np.asarray(picture)
    if mode == "1":
        return np.asarray(picture.convert("L"))
    transparent = mode in {"RGBA", "RGBa", "LA", "La", "PA"} or "transparency" in picture.info
    if mode == "La":
        picture = picture.convert("LA")
    return np.asarray(picture.convert("RGBA" if transparent else "RGB"))


def _as_picture(value: Any) -> Any:  # noqa: ANN401
    """Return a Pillow image if given one or the bytes of an image file, otherwise None."""
    if type(value).__module__.partition(".")[0] == "PIL":
        return value
    if not isinstance(value, bytes | bytearray | memoryview | np.void):
        return None
    raw = value.tobytes() if isinstance(value, np.void) else bytes(value)
    try:
        with open_picture(raw, "the embedded file", formats=FILES) as picture:
            picture.load()
            return picture
    except UnknownFormatError as exc:
        msg = "it holds bytes that are not an image file"
        raise NotAnImage(msg) from exc
    except ImageError as exc:
        raise NotAnImage(str(exc).rstrip(".")) from exc


def _as_array(value: Any) -> tuple[NDArray[Any], bool]:  # noqa: ANN401
    """Return the array, and whether named dimensions already put it in the order (height, width, channels)."""
    if hasattr(value, "toarray"):  # sparse
        value = value.toarray()
    if isinstance(value, np.ma.MaskedArray):
        value = value.filled(0)
    dims = getattr(value, "dims", None)
    try:
        array = np.asarray(value)
    except ValueError as exc:
        msg = "its rows differ in length"
        raise NotAnImage(msg) from exc
    if isinstance(dims, tuple) and len(dims) == array.ndim and {"y", "x"} <= set(dims):
        others = [at for at, name in enumerate(dims) if name not in {"y", "x"}]
        wide = [at for at in others if array.shape[at] != 1]
        if len(wide) <= 1:
            order = [dims.index("y"), dims.index("x"), *others]
            height, width = array.shape[dims.index("y")], array.shape[dims.index("x")]
            return np.transpose(array, order).reshape(height, width, -1), True
    return array, False


def _without_singles(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop dimensions of length one, such as depth and time, beyond the three of an image."""
    kept = list(shape)
    while len(kept) > 3 and 1 in kept:
        kept.remove(1)
    return tuple(kept)


def _channel_axis(shape: tuple[int, ...]) -> int | None:
    """Return which of three dimensions is the channel axis, or None."""
    if len(shape) != 3:
        return None
    ends = [at for at in (2, 0) if shape[at] in _REGULAR]
    if len(ends) == 2 and shape[2] != 3 and shape[0] == 3:
        return 0
    if ends:
        return ends[0]
    # More channels than a regular image has: accept the axis if it is by far the shortest.
    short = [at for at in (2, 0) if shape[at] <= _MAX_CHANNELS]
    short = [at for at in short if all(n >= 2 * shape[at] for k, n in enumerate(shape) if k != at)]
    return min(short, key=lambda at: shape[at], default=None)


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    array = array.reshape(_without_singles(array.shape))
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim != 3:
        msg = f"it has shape {array.shape}; an image has two or three dimensions"
        raise NotAnImage(msg)
    axis = _channel_axis(array.shape)
    if axis is None:
        msg = f"it has shape {array.shape}, and none of the dimensions is recognizable as channels"
        raise NotAnImage(msg)
    return np.moveaxis(array, axis, 2)


def _is_alpha(array: NDArray[Any]) -> bool:
    """Return whether the last channel is transparency: mostly opaque, or a mask that cuts out the tissue."""
    last = array[:, :, -1]
    if last.dtype == np.bool_:
        return bool(last.mean() >= _MOSTLY)
    if last.dtype.kind == "f" and not np.isfinite(last).all():
        return False
    top = float(last.max())
    slack = 0.02 if last.dtype.kind == "f" else 0.0
    if not any(abs(top - one) <= slack * one for one in _OPAQUE_TOPS) or float(last.min()) < -0.02 * top:
        return False
    opaque = last >= _OPAQUE * top
    if opaque.mean() >= _MOSTLY:
        return True
    clear = last <= (1 - _OPAQUE) * top
    if not (opaque | clear).all():
        return False
    hidden = array[:, :, :-1][clear]
    return bool((hidden == hidden[:1]).all())


def _alpha_bytes(last: NDArray[Any]) -> NDArray[np.uint8]:
    if last.dtype == np.bool_:
        return last.astype(np.uint8) * np.uint8(255)
    top = float(last.max())
    top = next((one for one in _OPAQUE_TOPS if top <= 1.02 * one), top)
    return np.asarray(np.clip(np.rint(last.astype(np.float32) * (255.0 / top)), 0, 255), dtype=np.uint8)
