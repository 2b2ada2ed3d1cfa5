"""Choose the tissue images and align them with the cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.config import ImageFromFile, ImageFromUns, ImageSpec
from karospace_jupyter.errors import ImageError
from karospace_jupyter.formatting import hint
from karospace_jupyter.plan.images.files import PictureFile, inspect_file
from karospace_jupyter.plan.images.fullres import ImageSpace, how_to_get, image_space, other_columns
from karospace_jupyter.plan.images.libraries import Library, LibraryImage, images_of, libraries
from karospace_jupyter.plan.images.pixels import NotAnImage, as_pixels
from karospace_jupyter.plan.model import PlannedImage
from karospace_jupyter.plan.names import listed

if TYPE_CHECKING:
    from karospace_jupyter.config import CoordsSpec
    from karospace_jupyter.plan.model import PlannedSections
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

__all__ = ["Library", "Pictures", "choose_images", "libraries", "share_inside"]

SHARE_INSIDE = 0.5
"""Share of the cells that must lie within an image for it to match the coordinates."""

SAME_WITHIN = 1e-3
"""Relative difference up to which the scale factors of libraries count as equal."""

_MIN_COVER = 0.01
"""Minimum share of an image that the cells cover, if there are many; less suggests that the units differ."""
_MANY_CELLS = 100


@dataclass(frozen=True, slots=True)
class Pictures:
    """Images and scale of the tissue, according to ``uns['spatial']`` and the options."""

    images: tuple[PlannedImage, ...]
    spot_diameter: float | None
    """In coordinate units; None if it differs between libraries."""
    unit_um: float | None
    """µm per coordinate unit; None if it differs between libraries."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The libraries of an object, and which of their images match the coordinates."""

    space: ImageSpace
    libraries: tuple[Library, ...]
    images: dict[tuple[str, ...], list[LibraryImage]]
    """The images of each library by its path, in order of preference."""

    def matching(self, library: Library) -> list[LibraryImage]:
        """Return the images of a library that match the coordinates."""
        return [image for image in self.images[library.path] if self.space.shows(image)]

    def applies_to(self, library: Library) -> bool:
        """Return whether the scale factors of a library apply to the coordinates."""
        return self.space.is_fullres or bool(self.matching(library))


def choose_images(
    source: Source,
    spec: ImageSpec,
    coords: CoordsSpec,
    rows: Rows,
    xy: NDArray[np.float64],
    sections: PlannedSections | None = None,
    codes: NDArray[np.int64] | None = None,
    *,
    flipped: bool = False,
) -> Pictures:
    """Choose the requested image, or the stored ones: one for each section if they can be assigned.

    Parameters
    ----------
    coords
        The coordinates of the export; images of ``uns['spatial']`` only match some coordinates.
    rows
        The exported cells.
    xy
        Their coordinates, shape (n_cells, 2).
    sections
        The sections of the tissue; None if there are none.
    codes
        The section of each cell, as an index into ``sections.items``, shape (n_cells,).
    flipped
        Whether image rows are counted along -y.

    Raises
    ------
    ImageError
        If a requested image cannot be used.
    """
    known = tuple(libraries(source))
    candidates = _Candidates(
        image_space(source, coords, rows, xy), known, {lib.path: images_of(source, lib) for lib in known}
    )
    if flipped:
        xy = xy * (1.0, -1.0)
    moved = other_columns(source, rows, xy) if candidates.space.is_fullres and coords.kind == "obsm" else []
    named = spec.library if spec.kind == "uns" else None
    # Without sections, all cells belong to the chosen library.
    own = [lib for lib in known if lib.name == named] if named is not None and sections is None else known
    scaled = [lib for lib in own if candidates.applies_to(lib)]
    diameter, spot_warnings = _common_value("spot_diameter_fullres", [lib.spot_diameter for lib in scaled])
    unit, unit_warnings = _common_value("microns_per_pixel", [lib.unit_um for lib in scaled])
    images: list[PlannedImage] = []
    warnings: list[str] = []
    if isinstance(spec, ImageFromFile):
        from_file, warnings = _from_file(spec.path, candidates, xy)
        images = [from_file]
    elif isinstance(spec, ImageFromUns):
        _check_name(named, known)
        images, warnings = _library_images(source, named, candidates, xy, sections, codes)
    warnings += _left_out(source, candidates, spec)
    if images:
        warnings += moved
    if sections is not None and sections.overlapping:
        warnings += [
            f"The image {image.origin} is not shown: the sections by {sections.column!r} overlap, and the image cannot "
            "be assigned to one of them. If it belongs under all cells, export without sections ('none')."
            for image in images
            if not image.sections
        ]
    return Pictures(tuple(images), diameter, unit, (*warnings, *spot_warnings, *unit_warnings))


def _check_name(named: str | None, known: tuple[Library, ...]) -> None:
    if named is not None and named not in {lib.name for lib in known}:
        names = [lib.name for lib in known]
        contents = f"It holds {listed(names)}." if names else "It holds no libraries."
        msg = f"uns['spatial'] has no library {named!r}.{hint(named, names)} {contents}"
        raise ImageError(msg)


def _left_out(source: Source, candidates: _Candidates, spec: ImageSpec) -> list[str]:
    """Warn about images and scales of other coordinates, if nothing in ``uns['spatial']`` matches the chosen ones."""
    space = candidates.space
    if space.is_fullres or any(candidates.matching(lib) for lib in candidates.libraries):
        return []
    images = (
        [image for lib in candidates.libraries for image in candidates.images[lib.path]] if spec.kind == "uns" else []
    )
    own = [image for image in images if space.owner(image.key) == "spatial"]
    left_out = [f"image{'s' if len(own) > 1 else ''} {listed([image.where for image in own])}"] if own else []
    left_out += ["spot size (spot_diameter_fullres)"] if any(lib.spot_diameter for lib in candidates.libraries) else []
    left_out += ["µm per pixel (microns_per_pixel)"] if any(lib.unit_um for lib in candidates.libraries) else []
    warnings = []
    if left_out:
        belong = "it belongs" if len(left_out) == 1 and len(own) <= 1 else "they belong"
        warnings.append(
            f"Left out, because {belong} to obsm['spatial'] and the coordinates are {space.name}: "
            f"{'; '.join(left_out)}. {how_to_get(source, space)}"
        )
    others = [image for image in images if image not in own]
    return warnings + [f"The image {image.where} was left out: {_belongs(space, image)}." for image in others]


def _belongs(space: ImageSpace, image: LibraryImage) -> str:
    owner = space.owner(image.key)
    if owner in space.obsm_keys:
        return f"it belongs to obsm[{owner!r}]; choose the coordinates 'obsm:{owner}' to show it"
    return f"it belongs to obsm[{owner!r}], which the data does not have"


def _library_images(
    source: Source,
    named: str | None,
    candidates: _Candidates,
    xy: NDArray[np.float64],
    sections: PlannedSections | None,
    codes: NDArray[np.int64] | None,
) -> tuple[list[PlannedImage], list[str]]:
    """Return the images of the chosen library, or of all libraries whose cells are known."""
    space = candidates.space
    if not space.is_fullres and not any(candidates.matching(lib) for lib in candidates.libraries):
        return [], []
    chosen = [lib for lib in candidates.libraries if (lib.images if named is None else lib.name == named)]
    library_sections = {} if sections is None else _sections_of(candidates.libraries, sections)
    warnings: list[str] = []
    if len(chosen) > 1:
        of_sections = [lib for lib in chosen if lib.name in library_sections]
        if not of_sections:
            choices = listed([f"uns:{lib.name}" for lib in chosen])
            warning = f"uns['spatial'] holds several images; none is shown. Choose one of: {choices}."
            return [], [warning]
        others = [lib.name for lib in chosen if lib not in of_sections]
        if others:
            column = "" if sections is None else f" of {sections.column!r}"
            warnings.append(
                f"Images of these libraries of uns['spatial'] are not shown, because no section{column} belongs to "
                f"them: {listed(others)}."
            )
        chosen = of_sections
    images: list[PlannedImage] = []
    for library in chosen:
        own_sections = library_sections.get(library.name, [])
        matching = xy if codes is None or not own_sections else xy[np.isin(codes, own_sections)]
        image, reasons = _from_library(source, library, candidates, matching)
        warnings += reasons
        if image is None and named is not None:
            msg = f"The library {library.name!r} has no usable image: {'; '.join(reasons) or 'it holds no image'}."
            raise ImageError(msg)
        # A single image under sections that do not overlap is treated as an image of the whole tissue.
        per_section = sections is not None and (sections.overlapping or len(chosen) > 1)
        if image is not None and sections is not None and per_section:
            image = replace(image, sections=tuple(sections.items[at].name for at in own_sections))
        images += [] if image is None else [image]
    return images, warnings


def _sections_of(known: tuple[Library, ...], sections: PlannedSections) -> dict[str, list[int]]:
    """Return the sections of each library, matched by section name or by the value of an annotation."""
    names = {lib.name for lib in known}
    for values in ([one.name for one in sections.items], *(fact.values for fact in sections.facts)):
        found: dict[str, list[int]] = {}
        for at, value in enumerate(values):
            if isinstance(value, str) and value in names:
                found.setdefault(value, []).append(at)
        if found:
            return found
    return {}


def _common_value(what: str, values: list[float | None]) -> tuple[float | None, list[str]]:
    """Return the value on which all libraries agree, or None and a warning."""
    stated = [value for value in values if value is not None]
    if not stated:
        return None, []
    if max(stated) - min(stated) <= SAME_WITHIN * max(stated):
        return stated[0], []
    found = listed([f"{value:.6g}" for value in stated])
    return None, [f"The libraries of uns['spatial'] differ in {what} ({found}): none is used."]


def share_inside(
    xy: NDArray[np.float64], size: tuple[int, int], scale: tuple[float, float], offset: tuple[float, float]
) -> float:
    """Return the share of cells that lie within an image of `size` (width, height) pixels."""
    at = xy * scale + offset
    return float(((at >= 0) & (at <= size)).all(axis=1).mean()) if len(at) else 0.0


def _coverage_warnings(origin: str, xy: NDArray[np.float64], size: tuple[int, int], scale: float) -> list[str]:
    """Warn if all cells lie in a small part of an image, which suggests that the units differ."""
    width, height = np.ptp(xy, axis=0) * scale if len(xy) else (0.0, 0.0)
    cover = float(width * height) / (size[0] * size[1])
    if len(xy) < _MANY_CELLS or cover >= _MIN_COVER:
        return []
    return [
        f"The cells cover only {cover:.2%} of the image {origin}. Check that the coordinates are full-resolution "
        "pixels and not in other units."
    ]


def _from_library(
    source: Source, library: Library, candidates: _Candidates, xy: NDArray[np.float64]
) -> tuple[PlannedImage | None, list[str]]:
    """Return the best usable image of a library, and notes on those that were not used."""
    reasons: list[str] = []
    images = candidates.images[library.path]
    passed: list[LibraryImage] = []
    for image in candidates.matching(library):
        where, scale = image.where, image.scale
        notes: list[str] = []
        try:
            pixels = as_pixels(source.uns("spatial", *library.path, "images", image.key), notes)
        except NotAnImage as exc:
            reasons.append(f"The image {where} was skipped: {exc}")
            passed.append(image)
            continue
        size = (pixels.shape[1], pixels.shape[0])
        inside = share_inside(xy, size, (scale or 1.0, scale or 1.0), (0.0, 0.0))
        if inside < SHARE_INSIDE:
            reasons.append(f"The image {where} was skipped: only {inside:.0%} of the cells lie within it")
            passed.append(image)
            continue
        if scale is None:
            found = source.uns("spatial", *library.path, "scalefactors", image.factor_name)
            reasons.append(
                f"{image.factor_name} of {library.name!r} is {found!r}, not a scale factor; 1 is used for {where}"
            )
            scale = 1.0
        reasons += [f"The image {where}: {note}" for note in notes]
        reasons += _coverage_warnings(where, xy, size, scale)
        reasons += _unused(candidates.space, images, image, passed)
        return PlannedImage(where, None, pixels, size, (scale, scale), (0.0, 0.0)), reasons
    return None, reasons + _unused(candidates.space, images, None, passed)


def _unused(
    space: ImageSpace, images: list[LibraryImage], used: LibraryImage | None, passed: list[LibraryImage]
) -> list[str]:
    """Return a note on the images of a library that are not shown, except for the smaller copy from Space Ranger."""
    found = []
    for image in images:
        if image is used or image in passed or (image.from_space_ranger and used is not None):
            continue
        if not space.shows(image):
            found.append(f"{image.key!r} ({_belongs(space, image)})")
        elif image.scale is None:
            found.append(f"{image.key!r} (there is no {image.factor_name})")
        else:
            found.append(f"{image.key!r}")
    if not found:
        return []
    where = images[0].library.where
    return [f"{where}['images'] also holds images that are not shown: {listed(found)}"]


def _from_file(path: Path, candidates: _Candidates, xy: NDArray[np.float64]) -> tuple[PlannedImage, list[str]]:
    file = inspect_file(path)
    scale, fits = _scale_of_file(file, candidates, xy)
    warnings = [f"The image {path.name}: {note}" for note in file.notes]
    if fits:
        warnings += _coverage_warnings(path.name, xy, file.size, scale)
    else:
        inside = share_inside(xy, file.size, (scale, scale), (0.0, 0.0))
        warnings.append(
            f"Only {inside:.0%} of the cells lie within {path.name} ({file.size[0]} × {file.size[1]} pixels): "
            "its pixels do not match the units of the coordinates, and no scale factor in the data converts them."
        )
    return PlannedImage(str(path), path, None, file.size, (scale, scale), (0.0, 0.0), pages=file.pages), warnings


def _scale_of_file(file: PictureFile, candidates: _Candidates, xy: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the pixels of the file per coordinate unit, and whether most cells lie within the image at this scale.

    The scale is that of a stored image with the same size, otherwise 1 or the scale of a stored image of another size.
    """
    filled = [lib for lib in candidates.libraries if lib.images or len(candidates.libraries) == 1]
    own = candidates.matching(filled[0]) if len(filled) == 1 else []
    for image in own:
        if image.scale is not None and image.size == file.size:
            return image.scale, True
    for scale in (1.0, *(image.scale for image in own if image.scale is not None)):
        if share_inside(xy, file.size, (scale, scale), (0.0, 0.0)) >= SHARE_INSIDE:
            return scale, True
    return 1.0, False
