"""Which tissue image is exported, and where it lies under the cells."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.config import ImageFromFile, ImageSpec
from karospace_jupyter.errors import ImageError
from karospace_jupyter.plan.model import PlannedImage
from karospace_jupyter.plan.names import hint, listed
from karospace_jupyter.plan.pixels import NotAPicture, as_pixels

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

SHARE_INSIDE = 0.5
"""Share of cells that must fall on an image for it to belong to them."""

_KINDS = (("hires", "tissue_hires_scalef"), ("lowres", "tissue_lowres_scalef"))


@dataclass(frozen=True, slots=True)
class Library:
    """One entry of ``uns['spatial']``."""

    name: str
    images: tuple[str, ...]
    spot_diameter: float | None
    unit_um: float | None


def libraries(source: Source) -> list[Library]:
    """Return the libraries of ``uns['spatial']``."""
    group = source.uns("spatial")
    if not isinstance(group, dict):
        return []
    found = []
    for name in group:
        images = source.uns("spatial", name, "images")
        found.append(
            Library(
                str(name),
                tuple(images) if isinstance(images, dict) else (),
                _factor(source, name, "spot_diameter_fullres"),
                _factor(source, name, "microns_per_pixel"),
            )
        )
    return found


def choose_image(
    source: Source, spec: ImageSpec, xy: NDArray[np.float64]
) -> tuple[PlannedImage | None, Library | None, list[str]]:
    """Find the image that was asked for, or the object's own.

    Returns
    -------
    The image, the library whose scale factors apply, and warnings.

    Raises
    ------
    ImageError
        When an image that was asked for cannot be used.
    """
    known = libraries(source)
    only = known[0] if len(known) == 1 else None
    if spec.kind == "none":
        return None, only, []
    if isinstance(spec, ImageFromFile):
        from_file, warnings = _from_file(source, spec.path, only, xy)
        return from_file, only, warnings
    if spec.library is not None:
        library = next((lib for lib in known if lib.name == spec.library), None)
        if library is None:
            names = [lib.name for lib in known]
            there = f"It holds {listed(names)}." if names else "It holds none."
            msg = f"uns['spatial'] has no library {spec.library!r}.{hint(spec.library, names)} {there}"
            raise ImageError(msg)
        image, reasons = _from_library(source, library, xy)
        if image is None:
            msg = f"The library {library.name!r} has no usable image: {'; '.join(reasons) or 'it holds none'}."
            raise ImageError(msg)
        return image, library, reasons
    with_images = [lib for lib in known if lib.images]
    if len(with_images) > 1:
        choices = listed([f"uns:{lib.name}" for lib in with_images])
        return None, only, [f"uns['spatial'] holds several images; none was chosen. To have one, name it: {choices}."]
    if not with_images:
        return None, only, []
    image, reasons = _from_library(source, with_images[0], xy)
    return image, with_images[0], reasons


def share_inside(
    xy: NDArray[np.float64], size: tuple[int, int], scale: tuple[float, float], offset: tuple[float, float]
) -> float:
    """Share of cells that fall on an image of `size` (width, height) pixels."""
    at = xy * scale + offset
    return float(((at >= 0) & (at <= size)).all(axis=1).mean()) if len(at) else 0.0


def _from_library(source: Source, library: Library, xy: NDArray[np.float64]) -> tuple[PlannedImage | None, list[str]]:
    reasons = []
    for kind, factor_name in _KINDS:
        if kind not in library.images:
            continue
        where = f"uns['spatial'][{library.name!r}]['images'][{kind!r}]"
        try:
            pixels = as_pixels(source.uns("spatial", library.name, "images", kind))
        except NotAPicture as exc:
            reasons.append(f"The image {where} was passed over: {exc}")
            continue
        factor = _factor(source, library.name, factor_name)
        if factor is None:
            found = source.uns("spatial", library.name, "scalefactors", factor_name)
            reasons.append(f"{factor_name} of {library.name!r} is {found!r}, not a scale; 1 was taken for {where}")
            factor = 1.0
        size = (pixels.shape[1], pixels.shape[0])
        inside = share_inside(xy, size, (factor, factor), (0.0, 0.0))
        if inside < SHARE_INSIDE:
            reasons.append(f"The image {where} was passed over: only {inside:.0%} of the cells fall on it")
            continue
        return PlannedImage(where, None, pixels, size, (factor, factor), (0.0, 0.0)), reasons
    return None, reasons


def _from_file(
    source: Source, path: Path, library: Library | None, xy: NDArray[np.float64]
) -> tuple[PlannedImage, list[str]]:
    size = _size_of_file(path)
    scale, fits = _scale_of_file(source, size, library, xy)
    warnings = []
    if not fits:
        inside = share_inside(xy, size, (scale, scale), (0.0, 0.0))
        warnings.append(
            f"Only {inside:.0%} of the cells fall on the image {path.name} ({size[0]} × {size[1]} pixels): "
            "its pixels are not the coordinates' units, and no scale factor of the data makes them so."
        )
    return PlannedImage(str(path), path, None, size, (scale, scale), (0.0, 0.0)), warnings


def _scale_of_file(
    source: Source, size: tuple[int, int], library: Library | None, xy: NDArray[np.float64]
) -> tuple[float, bool]:
    """Pixels of the file a coordinate unit: of the object's own image of that size, else 1, else a scale factor."""
    factors = []
    if library is not None:
        for kind, name in _KINDS:
            factor = _factor(source, library.name, name)
            if factor is None:
                continue
            factors.append(factor)
            own = source.uns("spatial", library.name, "images", kind) if kind in library.images else None
            if own is not None and tuple(np.shape(own)[:2]) == size[::-1]:
                return factor, True
    for factor in (1.0, *factors):
        if share_inside(xy, size, (factor, factor), (0.0, 0.0)) >= SHARE_INSIDE:
            return factor, True
    return 1.0, False


def _size_of_file(path: Path) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        msg = f"There is no image file {path}."
        raise ImageError(msg)
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        limit = Image.MAX_IMAGE_PIXELS
        try:
            Image.MAX_IMAGE_PIXELS = None  # whole slide pictures are large; only the header is read here
            with Image.open(path) as picture:
                if picture.format not in {"PNG", "JPEG", "WEBP", "TIFF", "MPO"}:
                    msg = f"The image {path} is {picture.format}; PNG, JPEG, WebP and TIFF can be used."
                    raise ImageError(msg)
                size: tuple[int, int] = picture.size
        except UnidentifiedImageError as exc:
            msg = f"The file {path} is not a picture; PNG, JPEG, WebP and TIFF can be used."
            raise ImageError(msg) from exc
        except OSError as exc:
            msg = f"The image {path} cannot be read: {exc}."
            raise ImageError(msg) from exc
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    return size


def _factor(source: Source, library: str, name: str) -> float | None:
    value: Any = source.uns("spatial", library, "scalefactors", name)
    try:
        number = float(np.asarray(value).item())
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) and number > 0 else None
