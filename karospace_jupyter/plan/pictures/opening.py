"""The one place where Pillow opens something: only formats that are named, and no more pixels than are asked for.

Pillow knows some forty formats, and hands a few of them to other programs (EPS goes to Ghostscript).
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from karospace_jupyter.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = ("PNG", "JPEG", "WEBP")
"""What a browser shows; what bundles hold."""
FILES = (*WEB, "TIFF")
"""What a user may name. Several JPEGs in one file (MPO) are JPEG, too."""
MAX_PIXELS = 2**31 - 1
"""Of a picture that the user named: 46,340 × 46,340, which take 6 GB as RGB."""
MAX_SHOWN_PIXELS = 2**26
"""Of a picture that comes with a bundle: 8,192 × 8,192."""

_ONE_AT_A_TIME = threading.RLock()  # Pillow's own limit of pixels is one for the whole process


class UnknownFormatError(ImageError):
    """It is in none of the formats."""


@contextmanager
def open_picture(
    source: Path | BinaryIO | bytes, what: str, *, formats: tuple[str, ...] = WEB, max_pixels: int = MAX_PIXELS
) -> Iterator[Any]:
    """Open a picture with Pillow, and turn whatever Pillow raises inside the block into an error of this package.

    Parameters
    ----------
    source
        A file, or its bytes.
    what
        Names it in messages, as ``"The image he.png"``.
    formats
        Names of Pillow's formats that are tried; no other is.
    max_pixels
        More than these are not decoded.

    Raises
    ------
    ImageError
        When it is in none of the formats, damaged, or too large.
    """
    from PIL import Image, UnidentifiedImageError

    with _ONE_AT_A_TIME, _without_own_limit():
        try:
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=formats) as picture:
                width, height = picture.size
                if width * height > max_pixels:
                    msg = f"{what} has {width:,} × {height:,} pixels; at most {max_pixels:,} are decoded."
                    raise ImageError(msg)
                yield picture
        except ImageError:
            raise
        except UnidentifiedImageError as exc:
            msg = f"{what} is not a picture that can be read: {', '.join(formats)}."
            raise UnknownFormatError(msg) from exc
        except MemoryError as exc:
            msg = f"{what} cannot be decoded: there is not enough memory."
            raise ImageError(msg) from exc
        except Exception as exc:  # of damaged files, Pillow raises nearly anything
            # Pillow names an opened file by its repr.
            reason = re.sub(r"\s*<[^<>]* at 0x[0-9a-fA-F]+>", "", str(exc)).rstrip(".")
            msg = f"{what} cannot be decoded: {reason or type(exc).__name__}."
            raise ImageError(msg) from exc


@contextmanager
def _without_own_limit() -> Iterator[None]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged tags that do not matter here
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
