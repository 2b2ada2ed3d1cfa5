"""Determine which coordinates the images and scale factors of ``uns['spatial']`` refer to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.config import CoordsSpec, ObsCoords, ObsmCoords
from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.plan.coordinates import find_coordinates, label

if TYPE_CHECKING:
    from karospace_jupyter.plan.images.libraries import LibraryImage
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

_FULLRES = ObsmCoords("spatial")
_EQUAL_WITHIN = 1e-6
"""Relative to the largest coordinate; covers the difference between float32 and float64."""

_CROPPED = re.compile(r".*_mpp_(\d+)_buffer")
"""bin2cell: the image `0.5_mpp_150_buffer` matches the coordinates `spatial_cropped_150_buffer`."""
_CROPPED_BEFORE = re.compile(r"[\d.]+_mpp")
"""Early versions of bin2cell: the image `0.5_mpp` matches `spatial_cropped`, if it exists."""


@dataclass(frozen=True, slots=True)
class ImageSpace:
    """The coordinates of an export in relation to the stored images."""

    spec: CoordsSpec
    is_fullres: bool
    """Whether they are full-resolution pixels, which the scale factors refer to."""
    obsm_keys: tuple[str, ...]

    def owner(self, key: str) -> str:
        """Return the key of the obsm entry that an image belongs to, derived from the image's key."""
        cropped = _CROPPED.fullmatch(key)
        if cropped:
            return f"spatial_cropped_{cropped[1]}_buffer"
        if _CROPPED_BEFORE.fullmatch(key) and "spatial_cropped" in self.obsm_keys:
            return "spatial_cropped"
        return _FULLRES.key

    def shows(self, image: LibraryImage) -> bool:
        """Return whether an image matches these coordinates."""
        owner = self.owner(image.key)
        if owner == _FULLRES.key:
            return self.is_fullres
        return self.spec.kind == "obsm" and self.spec.key == owner

    @property
    def name(self) -> str:
        """Name of the coordinates, for messages."""
        if self.spec.kind == "obsm":
            return f"obsm[{self.spec.key!r}]"
        if self.spec.kind == "geometry":
            return f"the centroids of {self.spec.column!r} of obs"
        return f"the columns {self.spec.x!r} and {self.spec.y!r} of obs"


def image_space(source: Source, spec: CoordsSpec, rows: Rows, xy: NDArray[np.float64]) -> ImageSpace:
    """Determine whether coordinates are full-resolution pixels.

    They are if they are ``obsm['spatial']`` or columns such as `pxl_col_in_fullres` and `pxl_row_in_fullres`, or if
    their values equal those of ``obsm['spatial']``.

    Parameters
    ----------
    rows
        The exported cells.
    xy
        Their coordinates, shape (n_cells, 2).
    """
    keys = tuple(source.obsm_shapes)
    return ImageSpace(spec, spec == _FULLRES or _columns_in_fullres(spec) or _equal(source, rows, xy), keys)


def how_to_get(source: Source, space: ImageSpace) -> str:
    """Return a hint on how to use images that refer to full-resolution pixels."""
    if _FULLRES.key in space.obsm_keys:
        return f"Choose the coordinates {label(_FULLRES)!r} to use what was left out."
    columns = set(source.obs_columns)
    if {"pxl_col_in_fullres", "pxl_row_in_fullres"} <= columns:
        return "Choose the coordinates 'obs:pxl_col_in_fullres,pxl_row_in_fullres' to use what was left out."
    return (
        f"The data has no obsm['spatial']. If {space.name} {'holds' if space.spec.kind == 'obsm' else 'hold'} "
        "full-resolution pixels, store them as obsm['spatial'] to use what was left out."
    )


def _columns_in_fullres(spec: CoordsSpec) -> bool:
    if spec.kind != "obs" or not (spec.x.endswith("_in_fullres") and spec.y.endswith("_in_fullres")):
        return False
    # If x holds pixel rows, the axes are swapped relative to the image.
    return "row" not in spec.x and "col" not in spec.y


def _equal(source: Source, rows: Rows, xy: NDArray[np.float64]) -> bool:
    if _FULLRES.key not in source.obsm_shapes:
        return False
    try:
        own = find_coordinates(source, _FULLRES).xy
    except CoordinatesError:
        return False
    own = own if rows is None else own[rows]
    if own.shape != xy.shape or not len(xy):
        return False
    finite = np.isfinite(own).all(axis=1)
    within = _EQUAL_WITHIN * float(np.abs(xy).max())
    return bool(finite.all() and (np.abs(own - xy) <= within).all())


def other_columns(source: Source, rows: Rows, xy: NDArray[np.float64]) -> list[str]:
    """Warn if ``obsm['spatial']`` differs from the columns of Space Ranger: it was moved, rotated or scaled."""
    names = ("pxl_col_in_fullres", "pxl_row_in_fullres")
    if not set(names) <= set(source.obs_columns):
        return []
    try:
        own = find_coordinates(source, ObsCoords(*names)).xy
    except CoordinatesError:
        return []
    own = own if rows is None else own[rows]
    # Early versions of some readers swapped the names of these columns.
    if any(np.nanmax(np.abs(one - xy), initial=0.0) <= 1.0 for one in (own, own[:, ::-1])):
        return []
    return [
        f"obsm['spatial'] differs from the columns {names[0]} and {names[1]} of obs, so the image may not match the "
        f"cells. If it does not, choose the coordinates 'obs:{names[0]},{names[1]}'."
    ]
