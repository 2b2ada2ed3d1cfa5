"""Read TIFF channels that Pillow cannot read correctly: more than 8 bits, planes, many channels, 16-bit floats.

Pillow reads gray images of any depth. A directory that describes the data as gray is therefore appended to a copy of
the file in memory: each plane becomes a gray image, or the samples of a pixel become neighboring gray pixels.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.errors import ImageError
from karospace_jupyter.plan.images.opening import open_picture

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = {b"II*\0", b"MM\0*"}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES = (
    256, 257, 258, 259, 262, 273, 277, 278, 279,
)  # fmt: skip
_PLANAR, _PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _EXTRA, _FORMAT = (
    284, 317, 322, 323, 324, 325, 338, 339,
)  # fmt: skip
_SEPARATE = 2
_FLOATS = 3
_LOSSLESS = {1, 5, 8, 32773, 32946}
"""Uncompressed, LZW, deflate and PackBits: these work on bytes, independent of the pixel layout."""

_ALPHA_KINDS = (1, 2)  # associated and unassociated
_SHORT, _LONG = 3, 4  # TIFF data types
_OF_LONGS = {_WIDTH, _HEIGHT, _STRIPS, _ROWS, _STRIP_BYTES, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES}
_MAX_BYTES = 1 << 32


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """The first directory of a TIFF."""

    size: tuple[int, int]
    """Width, height in pixels, as stored."""
    samples: int
    bits: int
    """Bits of the deepest channel."""
    planar: bool
    alpha: bool
    """Whether the last of two or four channels is declared as transparency."""
    gray: bool
    """Whether black or white is declared as zero: channels beyond the first have no color."""
    readable: bool
    """Whether :func:`read_channels` can read it."""
    more_pages: bool

    @property
    def deep(self) -> bool:
        """Whether Pillow would lose bits or mix up planes."""
        return self.samples > 1 and self.bits > 8

    @property
    def several_gray(self) -> bool:
        """Whether Pillow would only show the first channel."""
        return self.samples > 1 and self.gray and not self.alpha


def read_header(path: Path) -> TiffHeader | None:
    """Read the first directory; None if the file is not a TIFF or is a BigTIFF."""
    with path.open("rb") as file:
        info = _directory(file)
    if info is None:
        return None
    samples = int(info.get(_SAMPLES, 1))
    planar = info.get(_PLANAR, 1) == _SEPARATE and samples > 1
    bits = _many(info, _BITS, 1)
    extra = _many(info, _EXTRA, 0)
    # The predictor for floats cannot be applied to 16-bit floats, which are read as integers.
    predictors = {1, 2} if _is_half(info) else {1, 2, 3}
    readable = (
        info.get(_COMPRESSION, 1) in _LOSSLESS
        and len(set(bits)) == 1
        and len(set(_many(info, _FORMAT, 1))) == 1
        and bits[0] in {8, 16, 32}
        and info.get(_PREDICTOR, 1) in (predictors if planar else {1})
        and info.get(_PHOTOMETRIC, 1) in {0, 1, 2}
        # Pillow reads other gray images correctly.
        and (samples > 1 or (_is_half(info) and info.get(_PHOTOMETRIC, 1) == 1))
        and path.stat().st_size < _MAX_BYTES
    )
    return TiffHeader(
        (int(info[_WIDTH]), int(info[_HEIGHT])),
        samples,
        max(bits),
        planar,
        samples in {2, 4} and len(extra) == 1 and extra[0] in _ALPHA_KINDS,
        info.get(_PHOTOMETRIC, 1) in {0, 1},
        readable,
        bool(info.next),
    )


def read_channels(path: Path) -> NDArray[Any]:
    """Read all channels of the first page at full depth, shape (height, width, channels).

    Raises
    ------
    ImageError
        If the file is damaged.
    """
    raw = path.read_bytes()
    info = _directory(io.BytesIO(raw))
    if info is None:
        msg = f"The image {path} is not a TIFF."
        raise ImageError(msg)
    samples = int(info.get(_SAMPLES, 1))
    planar = info.get(_PLANAR, 1) == _SEPARATE
    order = "<" if raw[:2] == b"II" else ">"
    start = len(raw) + len(raw) % 2
    layers = []
    for tags in _planes(info, samples) if planar else [_widened(info, samples)]:
        rewritten = io.BytesIO(raw)
        rewritten.seek(4)
        rewritten.write(struct.pack(f"{order}I", start))
        rewritten.seek(start)
        rewritten.write(_directory_bytes(tags, start, order))
        rewritten.seek(0)
        with open_picture(rewritten, f"The image {path}", formats=("TIFF",)) as picture:
            values = unsigned(np.asarray(picture), picture)
            layers.append(np.asarray(values, dtype=np.uint16).view(np.float16) if _is_half(info) else values)
    if len(layers) > 1:
        return np.stack(layers, axis=2)
    return layers[0].reshape(int(info[_HEIGHT]), int(info[_WIDTH]), samples)


def unsigned(values: NDArray[Any], picture: Any) -> NDArray[Any]:  # noqa: ANN401 - Pillow is imported late
    """Reinterpret 32-bit gray values as unsigned if the file declares them so: Pillow reads them as signed."""
    if picture.mode == "I" and _many(picture.tag_v2, _FORMAT, 1)[0] == 1:
        return np.ascontiguousarray(values, dtype=np.int32).view(np.uint32)
    return values


def _directory(file: Any) -> Any:  # noqa: ANN401
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    head = file.read(8)
    if head[:4] not in _MAGIC:
        return None
    info = ImageFileDirectory_v2(head)
    try:
        file.seek(info.next)
        info.load(file)
    except (OSError, SyntaxError, ValueError, TypeError, EOFError):
        return None
    return info if _WIDTH in info and _HEIGHT in info else None


def _planes(info: Any, samples: int) -> list[dict[int, Any]]:  # noqa: ANN401
    """Return the tags of one gray image for each plane."""
    offsets, counts = (_TILES, _TILE_BYTES) if _TILES in info else (_STRIPS, _STRIP_BYTES)
    each = len(info[offsets]) // samples
    found = []
    for at in range(samples):
        own = slice(at * each, (at + 1) * each)
        found.append(_gray(info) | {offsets: info[offsets][own], counts: info[counts][own]})
    return found


def _widened(info: Any, samples: int) -> dict[int, Any]:  # noqa: ANN401
    """Return the tags of an image in which the samples of a pixel are neighboring gray pixels."""
    wide = {_WIDTH: info[_WIDTH] * samples}
    if _TILES in info:
        wide[_TILE_WIDTH] = info[_TILE_WIDTH] * samples
    return _gray(info) | wide


def _gray(info: Any) -> dict[int, Any]:  # noqa: ANN401
    kept = (_WIDTH, _HEIGHT, _COMPRESSION, _STRIPS, _ROWS, _STRIP_BYTES, _PREDICTOR)
    tags = {tag: info[tag] for tag in (*kept, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES) if tag in info}
    kind = 1 if _is_half(info) else _many(info, _FORMAT, 1)[0]
    return tags | {_BITS: _many(info, _BITS, 1)[0], _PHOTOMETRIC: 1, _SAMPLES: 1, _FORMAT: kind}


def _is_half(info: Any) -> bool:  # noqa: ANN401
    """Return whether values are 16-bit floats, which Pillow does not support; they are read as integers."""
    return _many(info, _BITS, 1)[0] == 16 and _many(info, _FORMAT, 1)[0] == _FLOATS


def _directory_bytes(tags: dict[int, Any], start: int, order: str) -> bytes:
    """Return a TIFF directory to be written at `start`, followed by its longer values."""
    head, more = struct.pack(f"{order}H", len(tags)), b""
    behind = start + 2 + 12 * len(tags) + 4
    for tag in sorted(tags):
        values = tags[tag] if isinstance(tags[tag], tuple | list) else (tags[tag],)
        kind, letter = (_LONG, "I") if tag in _OF_LONGS else (_SHORT, "H")
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(packed) > 4:
            field = struct.pack(f"{order}I", behind + len(more))
            more += packed
        else:
            field = packed.ljust(4, b"\0")
        head += struct.pack(f"{order}HHI", tag, kind, len(values)) + field
    return head + bytes(4) + more


def _many(info: Any, tag: int, default: int) -> tuple[int, ...]:  # noqa: ANN401
    value = info.get(tag, default)
    return tuple(value) if isinstance(value, tuple | list) else (value,)
