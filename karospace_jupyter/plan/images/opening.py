"""Open images with Pillow, restricted to listed formats and a maximum number of pixels.

All images are opened here: Pillow supports some forty formats and passes a few of them to other programs (EPS to
Ghostscript).
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from karospace_jupyter.errors import ImageError, UnknownFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = ("PNG", "JPEG", "WEBP")
"""Formats that browsers can show and that bundles contain."""
FILES = (*WEB, "TIFF")
"""Formats of image files that the user can choose. MPO files, which hold several JPEGs, count as JPEG."""
MAX_PIXELS = 2**31 - 1
"""Limit for an image that the user chose: 46,340 × 46,340 pixels, which take 6 GB as RGB."""
MAX_SHOWN_PIXELS = 2**26
"""Limit for an image from a bundle: 8,192 × 8,192 pixels."""

_LOCK = threading.RLock()  # Pillow's pixel limit is a global of the process


@contextmanager
def open_picture(
    source: Path | BinaryIO | bytes, what: str, *, formats: tuple[str, ...] = WEB, max_pixels: int = MAX_PIXELS
) -> Iterator[Any]:
    """Open an image with Pillow, and convert anything that Pillow raises inside the block to an ImageError.

    Parameters
    ----------
    source
        A file, or the bytes of one.
    what
        Name of the image in messages, for example ``"The image he.png"``.
    formats
        Names of the Pillow formats that are allowed.
    max_pixels
        Larger images are rejected.

    Raises
    ------
    ImageError
        If the image is in none of the formats, damaged or too large.
    """
    from PIL import Image, UnidentifiedImageError

    with _LOCK, _without_pillow_limit():
        try:
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=formats) as picture:
                width, height = picture.size
                if width * height > max_pixels:
                    msg = f"{what} has {width:,} × {height:,} pixels; the limit is {max_pixels:,} pixels."
                    raise ImageError(msg)
                yield picture
        except ImageError:
            raise
        except UnidentifiedImageError as exc:
            msg = f"{what} is not an image in a supported format ({', '.join(formats)})."
            raise UnknownFormatError(msg) from exc
        except MemoryError as exc:
            msg = f"{what} cannot be decoded: not enough memory. Use a smaller image."
            raise ImageError(msg) from exc
        except Exception as exc:  # for damaged files, Pillow raises exceptions of many types
            # Pillow's message contains the repr of the open file.
            reason = re.sub(r"\s*<[^<>]* at 0x[0-9a-fA-F]+>", "", str(exc)).rstrip(".")
            msg = f"{what} cannot be decoded: {reason or type(exc).__name__}."
            raise ImageError(msg) from exc


@contextmanager
def _without_pillow_limit() -> Iterator[None]:
    """Disable Pillow's own pixel limit, which `max_pixels` replaces, and its warnings."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about damaged tags that are not used here
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
