"""Encode the tissue image: copy the file if possible, otherwise scale and encode it."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from karospace_jupyter.plan.images.files import ORIENTATION, hides_all, load_pixels, opened
from karospace_jupyter.plan.images.libraries import MAX_SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from karospace_jupyter.plan import PlannedImage

_TILE, _TILES = 192, 4
"""Side in pixels of the tiles that are encoded to predict the size of an image, and their number per row and column."""
_GUESSED_BYTES = 1.5
"""Bytes per pixel of a photograph as PNG."""
_BROWSER_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
_SUFFIX = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image file with its transform to the tissue."""

    path: str
    data: bytes
    width: int
    height: int
    scale: tuple[float, float]
    """Pixels per coordinate unit: pixel = coordinate * scale + offset."""
    offset: tuple[float, float]
    notes: tuple[str, ...] = ()
    """Descriptions of changes, for the warnings."""


def encode_image(
    planned: PlannedImage, max_bytes: int, stem: str = "assets/image", max_side: int = MAX_SIDE
) -> EncodedImage | None:
    """Encode an image with at most `max_bytes` and `max_side` pixels per side, and scale its transform accordingly.

    Returns
    -------
    EncodedImage or None
        The image, or None if even an image of 64 pixels exceeds `max_bytes`.

    Raises
    ------
    ImageError
        If the file is damaged.
    """
    if planned.path is not None:
        as_given = _as_given(planned, max_bytes, stem)
        if as_given is not None:
            return as_given
    notes: list[str] = []
    picture = _open(planned, notes)
    width, height = picture.size
    side = min(max_side, max(width, height))
    lossless = True
    while True:
        factor = side / max(width, height)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        scaled = picture if size == picture.size else picture.resize(size, _lanczos(), reducing_gap=3.0)
        data, suffix = (_save(scaled, "PNG"), "png") if lossless else (_save(scaled, "JPEG"), "jpg")
        if len(data) <= max_bytes or max(size) <= 64:
            break
        if lossless:
            lossless = False
        else:
            side = max(64, int(side * 0.8))
    if len(data) > max_bytes:
        return None
    sx, sy = size[0] / width, size[1] / height
    notes = [f"The image {planned.origin}: {note}." for note in notes]
    if size != (width, height) or not lossless:
        notes.append(
            f"The image {planned.origin} ({width} × {height} pixels) was stored as {size[0]} × {size[1]} "
            f"{'PNG' if lossless else 'JPEG'}, to stay within {max_side:,} pixels per side and the maximum asset size."
        )
    return EncodedImage(
        f"{stem}.{suffix}",
        data,
        *size,
        scale=(planned.scale[0] * sx, planned.scale[1] * sy),
        offset=(planned.offset[0] * sx, planned.offset[1] * sy),
        notes=tuple(notes),
    )


def largest_side(images: Sequence[PlannedImage]) -> int:
    """Return the maximum pixels per side of each image.

    The viewer keeps all images in memory, so together they may have as many pixels as a single image.
    """
    return MAX_SIDE // math.ceil(math.sqrt(max(1, len(images))))


def predict_image(planned: PlannedImage, max_bytes: int, max_side: int = MAX_SIDE) -> float:
    """Predict the bytes of :func:`encode_image`, by encoding parts of the pixels.

    A file that has to be converted is not decoded for this; its size is a guess.
    """
    width, height = planned.size
    side = min(max_side, max(width, height))
    if planned.path is not None and max(width, height) <= MAX_SIDE:
        stored = planned.path.stat().st_size
        if planned.path.suffix.lower() in _BROWSER_SUFFIXES and stored <= max_bytes:
            return stored
    n_pixels: float = width * height * (side / max(width, height)) ** 2
    if planned.pixels is None:
        return min(max_bytes, n_pixels * _GUESSED_BYTES)
    part = _tiles(planned.pixels, max(width, height) / side)
    each: float = len(_save(part, "PNG")) / (part.width * part.height)
    if each * n_pixels <= max_bytes:
        return each * n_pixels
    each = len(_save(part, "JPEG")) / (part.width * part.height)
    while each * n_pixels > max_bytes:
        n_pixels *= 0.8**2
    return each * n_pixels


def _tiles(pixels: NDArray[np.uint8], shrink: float) -> Any:  # noqa: ANN401 - Pillow is imported late
    """Return parts of an image side by side, as they look at the stored size; the whole image if it is small."""
    from PIL import Image

    height, width = pixels.shape[:2]
    tile = int(_TILE * shrink)
    if width * height <= (_TILES * tile) ** 2:
        whole = Image.fromarray(pixels)
        return whole.resize((max(1, round(width / shrink)), max(1, round(height / shrink))), _lanczos())
    out = Image.new(Image.fromarray(pixels[:1, :1]).mode, (_TILES * _TILE, _TILES * _TILE))
    tall, wide = min(tile, height), min(tile, width)
    for number in range(_TILES**2):
        row, column = divmod(number, _TILES)
        y, x = ((size - own) * at // (_TILES - 1) for size, own, at in ((height, tall, row), (width, wide, column)))
        part = Image.fromarray(np.ascontiguousarray(pixels[y : y + tall, x : x + wide]))
        out.paste(part.resize((_TILE, _TILE), _lanczos()), (column * _TILE, row * _TILE))
    return out


def _as_given(planned: PlannedImage, max_bytes: int, stem: str) -> EncodedImage | None:
    """Return the file unchanged if browsers can show it correctly, otherwise None."""
    if planned.path is None or planned.path.stat().st_size > max_bytes:
        return None
    with opened(planned.path) as picture:
        suffix = _SUFFIX.get(picture.format or "")
        turned = picture.getexif().get(ORIENTATION, 1) != 1
        plain = picture.mode in {"1", "L", "LA", "P", "RGB", "RGBA"}
        if suffix is None or turned or not plain or max(picture.size) > MAX_SIDE:
            return None
        picture.load()  # detects a damaged file before it reaches the browser
        if hides_all(picture):
            return None
        width, height = picture.size
    data = planned.path.read_bytes()
    return EncodedImage(f"{stem}.{suffix}", data, width, height, planned.scale, planned.offset)


def _open(planned: PlannedImage, notes: list[str]) -> Any:  # noqa: ANN401 - Pillow is imported late
    from PIL import Image

    if planned.path is None:
        return Image.fromarray(planned.pixels)  # type: ignore[arg-type]  # an image has either a path or pixels
    return Image.fromarray(load_pixels(planned.path, planned.pages, notes))


def _lanczos() -> Any:  # noqa: ANN401
    from PIL import Image

    return Image.Resampling.LANCZOS


def _save(picture: Any, kind: str) -> bytes:  # noqa: ANN401
    stream = io.BytesIO()
    if kind == "PNG":
        picture.save(stream, "PNG", compress_level=6)
    else:
        flat = picture
        if picture.mode == "RGBA":
            from PIL import Image

            flat = Image.new("RGB", picture.size, (255, 255, 255))
            flat.paste(picture, mask=picture.getchannel("A"))
        flat.convert("RGB").save(stream, "JPEG", quality=90)
    return stream.getvalue()
