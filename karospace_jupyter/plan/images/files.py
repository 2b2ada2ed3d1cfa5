"""Inspect and decode image files."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.errors import ImageError, NoImageFileError, UnknownFormatError
from karospace_jupyter.plan.images.intensity import COMPOSITE, NotAnImage
from karospace_jupyter.plan.images.opening import FILES, open_picture
from karospace_jupyter.plan.images.pixels import as_pixels, pixels_of_picture
from karospace_jupyter.plan.images.tiff_channels import TiffHeader, read_channels, read_header, unsigned

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIENTATION = 0x0112
"""Number of the orientation tag in EXIF and TIFF."""

_READABLE = "PNG, JPEG, WebP and TIFF are supported"
_WIDTH, _HEIGHT, _PHOTOMETRIC, _SAMPLES, _EXTRA = 256, 257, 262, 277, 338  # TIFF tags
_WHITE_IS_ZERO = 0
_ALPHA_KINDS = (1, 2)  # values of ExtraSamples: associated and unassociated alpha
_MAX_PAGES = 4096


@dataclass(frozen=True, slots=True)
class PictureFile:
    """Contents of an image file, according to its header."""

    size: tuple[int, int]
    """Width, height in pixels, as stored."""
    pages: tuple[int, ...]
    """The pages that are shown: one, or several gray pages that are channels of one image."""
    notes: tuple[str, ...]
    """What is not shown and how pages are combined; phrases that follow "The image X:"."""


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an image file with Pillow, with a pixel limit suited to large slides.

    Raises
    ------
    ImageError
        If the file is damaged, too large, or in an unsupported format.
    """
    try:
        with open_picture(path, f"The image {path}", formats=FILES) as picture:
            yield picture
    except UnknownFormatError as exc:
        raise UnknownFormatError(_unidentified(path)) from exc


def inspect_file(path: Path) -> PictureFile:
    """Read the header of an image file.

    Raises
    ------
    ImageError
        If it cannot be used.
    """
    if not path.is_file():
        msg = f"The image file {path} does not exist. Check its path."
        raise NoImageFileError(msg)
    notes: list[str] = []
    header = read_header(path)
    if header is not None and header.readable and not _pillow_opens(path):
        # Read deep and multi-channel images as stored, because Pillow would convert them.
        notes += ["only page 1 is shown"] if header.more_pages else []
        return PictureFile(header.size, (0,), tuple(notes))
    with opened(path) as picture:
        if header is not None and header.deep and header.planar and not header.readable:
            raise ImageError(_unidentified(path))  # Pillow opens it, but mixes up its planes
        size = _stored_size(picture)
        orientation = picture.getexif().get(ORIENTATION, 1)
        if orientation != 1:
            notes.append(
                f"its orientation tag ({orientation}) was ignored, because coordinates refer to pixels as stored. If "
                "yours refer to the upright image, save it upright, without the tag"
            )
        bands, samples = len(picture.getbands()), _tag(picture, _SAMPLES, 1)
        if samples > bands and not _by_channel(header) and picture.mode not in {"P", "PA"}:
            notes.append(
                f"it has {samples} channels; {'the first' if bands == 1 else f'the first {bands}'} of them "
                f"{'is' if bands == 1 else 'are'} shown"
            )
        pages: tuple[int, ...] = (0,)
        frames = min(getattr(picture, "n_frames", 1), _MAX_PAGES)
        if frames > 1 and picture.format == "TIFF":
            pages = _pages(picture, frames, notes)
        elif frames > 1 and picture.format != "MPO":  # the other frames of an MPO are previews
            notes.append(f"only the first of its {frames} frames is shown")
    return PictureFile(size, pages, tuple(notes))


def load_pixels(path: Path, pages: tuple[int, ...], notes: list[str]) -> NDArray[np.uint8]:
    """Decode an image file to shape (height, width, 3 or 4).

    Parameters
    ----------
    pages
        The pages found by :func:`inspect_file`.
    notes
        Receives notes for the user on how the image was converted.

    Raises
    ------
    ImageError
        If the file is damaged, or its values are not those of an image.
    """
    header = read_header(path)
    if header is not None and pages == (0,) and (_by_channel(header) or not _pillow_opens(path)):
        return _load_channels(path, header, notes)
    with opened(path) as picture:
        layers = []
        for page in pages:
            if page:
                picture.seek(page)
            layers.append(_values(picture))
        array = layers[0] if len(layers) == 1 else np.stack(layers, axis=2)
        alpha = len(layers) == 1 and _has_alpha(picture)
        deep = header is not None and header.deep and array.dtype == np.uint8
        try:
            # Pillow keeps the upper 8 of 16 bits per channel, which leaves little of the range of a 12-bit camera.
            wide = array.astype(np.uint16) if deep and not alpha else array
            with_channels = wide[:, :, None] if wide.ndim == 2 else wide
            return as_pixels(with_channels, notes, alpha=None if picture.mode == "RGBA" and not alpha else alpha)
        except NotAnImage as exc:
            msg = f"The image {path} cannot be shown: {exc}."
            raise ImageError(msg) from exc


def _by_channel(header: TiffHeader | None) -> bool:
    """Return whether the image can be read directly and Pillow would lose bits or channels, or mix up planes."""
    return header is not None and header.readable and (header.deep or header.several_gray)


def _pillow_opens(path: Path) -> bool:
    try:
        with opened(path):
            return True
    except UnknownFormatError:
        return False


def _load_channels(path: Path, header: TiffHeader, notes: list[str]) -> NDArray[np.uint8]:
    try:
        array = read_channels(path)
    except UnknownFormatError as exc:
        raise UnknownFormatError(_unidentified(path)) from exc
    try:
        return as_pixels(array, notes, alpha=header.alpha or None)
    except NotAnImage as exc:
        msg = f"The image {path} cannot be shown: {exc}."
        raise ImageError(msg) from exc


def _values(picture: Any) -> NDArray[Any]:  # noqa: ANN401 - Pillow is imported late
    orientation = picture.getexif().get(ORIENTATION, 1) if picture.format == "TIFF" else 1
    white_is_zero = _tag(picture, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO
    picture.load()
    values = pixels_of_picture(picture)
    values = unsigned(values, picture) if picture.format == "TIFF" else values
    if white_is_zero and picture.mode.startswith(("I", "F")) and values.size:
        values = values.max() - values  # Pillow only inverts 8-bit images
    return _as_stored(values, orientation)


def _as_stored(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo the rotation by the orientation tag, which Pillow applies to TIFF only."""
    if orientation in {2, 3}:
        values = values[:, ::-1]
    elif orientation in {5, 6}:
        values = values.swapaxes(0, 1)
    elif orientation in {7, 8}:
        values = values[::-1, ::-1].swapaxes(0, 1)
    if orientation in {3, 4, 6, 8}:
        values = values[::-1]
    return np.ascontiguousarray(values)


def _pages(picture: Any, frames: int, notes: list[str]) -> tuple[int, ...]:  # noqa: ANN401
    """Return the pages of a TIFF that form one image."""
    kinds = []
    for page in range(frames):
        picture.seek(page)
        kinds.append((picture.size, picture.mode))
    picture.seek(0)
    size, mode = kinds[0]
    equal = next((at for at, kind in enumerate(kinds) if kind != kinds[0]), frames)
    gray = (mode in {"1", "L"} or mode.startswith(("I", "F"))) and _tag(picture, _SAMPLES, 1) == 1
    # A pyramid continues with smaller copies of the same image.
    copies = all(other[0] < size[0] and other[1] < size[1] for other, _ in kinds[equal:])
    if equal == 1 or not gray:
        if equal > 1 or not copies:
            notes.append(f"only page 1 of {frames} is shown")
        return (0,)
    shown = min(equal, len(COMPOSITE))
    if equal == 3:
        notes.append("its three gray pages are shown as red, green and blue")
    else:
        # The color of each channel is reported where they are drawn.
        first = "" if shown == equal else f"the first {shown} of "
        notes.append(f"{first}its {equal} gray pages are shown as channels of one image")
    last = equal if copies else frames
    if last > shown:
        left = f"page {last} is" if last == shown + 1 else f"pages {shown + 1} to {last} are"
        notes.append(f"{left} not shown")
    return tuple(range(shown))


def hides_all(picture: Any) -> bool:  # noqa: ANN401
    """Return whether every pixel of an image is fully transparent."""
    return _has_alpha(picture) and picture.convert("RGBA").getchannel("A").getextrema()[1] == 0


def _has_alpha(picture: Any) -> bool:  # noqa: ANN401
    """Return whether the file declares transparency; in a TIFF, a fourth channel may be anything."""
    if picture.format == "TIFF" and picture.mode == "RGBA":
        extra = picture.tag_v2.get(_EXTRA, ())
        return bool(extra) and extra[0] in _ALPHA_KINDS
    return picture.mode in {"RGBA", "RGBa", "LA", "La", "PA"} or "transparency" in picture.info


def _stored_size(picture: Any) -> tuple[int, int]:  # noqa: ANN401
    width, height = picture.size
    return int(_tag(picture, _WIDTH, width)), int(_tag(picture, _HEIGHT, height))


def _tag(picture: Any, tag: int, default: Any) -> Any:  # noqa: ANN401
    """Return a tag of a TIFF, or `default` for other formats."""
    return picture.tag_v2.get(tag, default) if picture.format == "TIFF" else default


def _unidentified(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    if head in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return (
            f"The image {path} is a TIFF of an unsupported kind (compression, number of channels, planes or number "
            "format). Save it with 8 bits per channel, as RGB or with one page for each channel."
        )
    return f"The file {path} is not an image in a supported format; {_READABLE}."
