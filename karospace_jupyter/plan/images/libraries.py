"""Read the libraries of ``uns['spatial']``: images, scale factors and spot sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from karospace_jupyter.errors import SourceError
from karospace_jupyter.plan.images.pixels import image_size

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

MAX_SIDE = 8192
"""In pixels: the largest texture size that nearly all devices support in WebGL2. Several images
together have at most the pixels of one square with this side."""

_MAX_DEPTH = 4
"""Levels of groups searched below ``uns['spatial']``: names with slashes become nested groups in files."""

_LABELS = ("segment", "mask", "label")
"""Parts of the keys of images that do not show tissue."""


@dataclass(frozen=True, slots=True)
class Library:
    """One library of ``uns['spatial']``."""

    name: str
    images: tuple[str, ...]
    spot_diameter: float | None
    """In full-resolution pixels."""
    unit_um: float | None
    """µm per full-resolution pixel."""
    bin_um: float | None = None
    """Side of a bin of Visium HD in µm."""
    path: tuple[str, ...] = ()
    """Path within ``uns['spatial']``; empty if that holds images without a library."""

    @property
    def where(self) -> str:
        """Location, for messages: ``uns['spatial']['lib']``."""
        return "uns['spatial']" + (f"[{self.name!r}]" if self.path else "")


def libraries(source: Source) -> list[Library]:
    """Return the libraries of ``uns['spatial']``."""
    return _below(source, ())


def _below(source: Source, path: tuple[str, ...]) -> list[Library]:
    """Return the libraries in a group of ``uns['spatial']`` and in its subgroups."""
    try:
        group = source.uns("spatial", *path)
    except SourceError:  # an entry that is not a library and that anndata cannot read
        return []
    if not isinstance(group, dict) or len(path) > _MAX_DEPTH:
        return []
    found = []
    parts = {part for part in ("images", "scalefactors") if part in group}
    if parts and any(isinstance(source.uns("spatial", *path, part), dict) for part in parts):
        images = source.uns("spatial", *path, "images")
        found.append(
            Library(
                "/".join(path) or "spatial",
                tuple(map(str, images)) if isinstance(images, dict) else (),
                factor(source, path, "spot_diameter_fullres"),
                factor(source, path, "microns_per_pixel"),
                factor(source, path, "bin_size_um"),
                path,
            )
        )
    else:
        parts = set()
    for name in group:
        # Arrays and numbers next to libraries are skipped.
        if name not in {*parts, "metadata"} and source.uns_shape("spatial", *path, name) is None:
            found += _below(source, (*path, name))
    return found


def factor(source: Source, path: tuple[str, ...], name: str) -> float | None:
    """Return a positive scale factor of a library, or None."""
    value: Any = source.uns("spatial", *path, "scalefactors", name)
    try:
        number = float(np.asarray(value).item())
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) and number > 0 else None


@dataclass(frozen=True, slots=True)
class LibraryImage:
    """An image of a library that has not been read yet."""

    library: Library
    key: str
    size: tuple[int, int] | None
    """Width, height; None if unknown until the image is read."""
    scale: float | None
    """Pixels of the image per full-resolution pixel; None if the file does not state it."""

    @property
    def where(self) -> str:
        """Location, for messages: ``uns['spatial']['lib']['images']['hires']``."""
        return f"{self.library.where}['images'][{self.key!r}]"

    @property
    def factor_name(self) -> str:
        """The name of its scale factor."""
        return f"tissue_{self.key}_scalef"

    @property
    def from_space_ranger(self) -> bool:
        """Whether it is one of the two images that Space Ranger writes."""
        return self.key in {"hires", "lowres"}


def images_of(source: Source, library: Library) -> list[LibraryImage]:
    """Return the images of a library in order of preference.

    Images with a scale factor come first, then images of tissue before label images, then larger ones. Sizes above
    that of a texture count as equal. Among equals, the image with fewer pixels comes first, then `hires`.
    """
    images = [
        LibraryImage(
            library,
            key,
            image_size(source.uns_shape("spatial", *library.path, "images", key)),
            # The factors refer to full-resolution pixels.
            factor(source, library.path, f"tissue_{key}_scalef") or (1.0 if key == "fullres" else None),
        )
        for key in library.images
    ]
    return sorted(images, key=_rank)


def _rank(image: LibraryImage) -> tuple[Any, ...]:
    width, height = image.size or (0, 0)
    labels = any(part in image.key.lower() for part in _LABELS)
    return (
        image.scale is None,
        labels,
        -min(max(width, height), MAX_SIDE),
        width * height,
        not image.from_space_ranger,
        image.key == "lowres",
    )
