"""Which tissue images are exported, and where each lies under the cells."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.config import ImageFromFile, ImageSpec
from karospace_jupyter.errors import ImageError, NoImageFileError
from karospace_jupyter.plan.model import PlannedImage
from karospace_jupyter.plan.names import hint, listed
from karospace_jupyter.plan.pixels import NotAPicture, as_pixels

if TYPE_CHECKING:
    from karospace_jupyter.plan.model import PlannedSections
    from karospace_jupyter.source import Source

SHARE_INSIDE = 0.5
"""Share of cells that must fall on an image for it to belong to them."""

SAME_WITHIN = 1e-3
"""Share by which scale factors of libraries may differ and be taken for the same."""

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


@dataclass(frozen=True, slots=True)
class Pictures:
    """What ``uns['spatial']`` and the options say of the tissue."""

    images: tuple[PlannedImage, ...]
    spot_diameter: float | None
    """In pixels of full resolution, as far as all cells have the same."""
    unit_um: float | None
    """µm a pixel of full resolution, the same."""
    warnings: tuple[str, ...]


def choose_images(
    source: Source,
    spec: ImageSpec,
    xy: NDArray[np.float64],
    sections: PlannedSections | None = None,
    codes: NDArray[np.int64] | None = None,
) -> Pictures:
    """Find the image that was asked for, or the object's own: one for each section where they are told apart.

    Parameters
    ----------
    sections
        How the tissue is split.
    codes
        The section of each cell, as a position in ``sections.items``, shape (n_cells,).

    Raises
    ------
    ImageError
        When an image that was asked for cannot be used.
    """
    known = libraries(source)
    named = spec.library if spec.kind == "uns" else None
    # Who names a library of an object without sections says that the cells are its own.
    scales = [lib for lib in known if lib.name == named] if named is not None and sections is None else known
    diameter, said_of_spots = _agreed("spot_diameter_fullres", [lib.spot_diameter for lib in scales])
    unit, said_of_unit = _agreed("microns_per_pixel", [lib.unit_um for lib in scales])
    images: list[PlannedImage] = []
    warnings: list[str] = []
    if isinstance(spec, ImageFromFile):
        only = known[0] if len(known) == 1 else None
        from_file, warnings = _from_file(source, spec.path, only, xy)
        images = [from_file]
    elif spec.kind == "uns":
        images, warnings = _own(source, spec.library, known, xy, sections, codes)
    if sections is not None and sections.overlapping:
        warnings += [
            f"The image {image.origin} is not shown: the sections by {sections.column!r} lie on top of each other, and "
            "nothing says to which of them it belongs. If it lies under all cells, export without sections ('none')."
            for image in images
            if not image.sections
        ]
    return Pictures(tuple(images), diameter, unit, (*warnings, *said_of_spots, *said_of_unit))


def _own(
    source: Source,
    named: str | None,
    known: list[Library],
    xy: NDArray[np.float64],
    sections: PlannedSections | None,
    codes: NDArray[np.int64] | None,
) -> tuple[list[PlannedImage], list[str]]:
    """Return the images of the library that was named, or of all whose cells are known."""
    chosen = [lib for lib in known if (lib.images if named is None else lib.name == named)]
    if named is not None and not chosen:
        names = [lib.name for lib in known]
        there = f"It holds {listed(names)}." if names else "It holds none."
        msg = f"uns['spatial'] has no library {named!r}.{hint(named, names)} {there}"
        raise ImageError(msg)
    places = {} if sections is None else _places(known, sections)
    if len(chosen) > 1:
        of_sections = [lib for lib in chosen if lib.name in places]
        if not of_sections:
            choices = listed([f"uns:{lib.name}" for lib in chosen])
            said = f"uns['spatial'] holds several images; none was chosen. To have one, name it: {choices}."
            return [], [said]
        chosen = of_sections
    images: list[PlannedImage] = []
    warnings: list[str] = []
    for library in chosen:
        its = places.get(library.name, [])
        under = xy if codes is None or not its else xy[np.isin(codes, its)]
        image, reasons = _from_library(source, library, under)
        warnings += reasons
        if image is None and named is not None:
            msg = f"The library {library.name!r} has no usable image: {'; '.join(reasons) or 'it holds none'}."
            raise ImageError(msg)
        # One image under sections that lie side by side is as one of the whole tissue.
        apart = sections is not None and (sections.overlapping or len(chosen) > 1)
        if image is not None and sections is not None and apart:
            image = replace(image, sections=tuple(sections.items[at].name for at in its))
        images += [] if image is None else [image]
    return images, warnings


def _places(known: list[Library], sections: PlannedSections) -> dict[str, list[int]]:
    """Return the sections of each library: those of its name, or for which an annotation names it."""
    names = {lib.name for lib in known}
    for values in ([one.name for one in sections.items], *(fact.values for fact in sections.facts)):
        found: dict[str, list[int]] = {}
        for at, value in enumerate(values):
            if isinstance(value, str) and value in names:
                found.setdefault(value, []).append(at)
        if found:
            return found
    return {}


def _agreed(what: str, values: list[float | None]) -> tuple[float | None, list[str]]:
    """Return the value that all libraries state, or none and why."""
    stated = [value for value in values if value is not None]
    if not stated:
        return None, []
    if max(stated) - min(stated) <= SAME_WITHIN * max(stated):
        return stated[0], []
    found = listed([f"{value:.6g}" for value in stated])
    return None, [f"The libraries of uns['spatial'] differ in {what} ({found}): none was taken."]


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
        raise NoImageFileError(msg)
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
