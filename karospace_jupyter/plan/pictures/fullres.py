"""Which coordinates the images and scale factors of ``uns['spatial']`` refer to."""

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
    from karospace_jupyter.plan.pictures.libraries import LibraryImage
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

_FULLRES = ObsmCoords("spatial")
_EQUAL_WITHIN = 1e-6
"""Share of the largest coordinate: float32 beside float64."""

_CROPPED = re.compile(r".*_mpp_(\d+)_buffer")
"""bin2cell: the image `0.5_mpp_150_buffer` is of the coordinates `spatial_cropped_150_buffer`."""
_CROPPED_BEFORE = re.compile(r"[\d.]+_mpp")
"""bin2cell's first versions: the image `0.5_mpp` is of `spatial_cropped`, where that is there."""


@dataclass(frozen=True, slots=True)
class ImageSpace:
    """The coordinates of an export, as far as images are concerned."""

    spec: CoordsSpec
    is_fullres: bool
    """Whether they are the pixels of full resolution that scale factors refer to."""
    obsm_keys: tuple[str, ...]

    def owner(self, key: str) -> str:
        """Return the key of obsm that an image belongs to by its own key."""
        cropped = _CROPPED.fullmatch(key)
        if cropped:
            return f"spatial_cropped_{cropped[1]}_buffer"
        if _CROPPED_BEFORE.fullmatch(key) and "spatial_cropped" in self.obsm_keys:
            return "spatial_cropped"
        return _FULLRES.key

    def shows(self, image: LibraryImage) -> bool:
        """Whether an image lies under these coordinates."""
        owner = self.owner(image.key)
        if owner == _FULLRES.key:
            return self.is_fullres
        return self.spec.kind == "obsm" and self.spec.key == owner

    @property
    def name(self) -> str:
        """For messages."""
        if self.spec.kind == "obsm":
            return f"obsm[{self.spec.key!r}]"
        if self.spec.kind == "geometry":
            return f"the centroids of {self.spec.column!r} of obs"
        return f"the columns {self.spec.x!r} and {self.spec.y!r} of obs"


def image_space(source: Source, spec: CoordsSpec, rows: Rows, xy: NDArray[np.float64]) -> ImageSpace:
    """Decide whether coordinates are pixels of full resolution.

    They are in ``obsm['spatial']`` and in columns such as `pxl_col_in_fullres` and `pxl_row_in_fullres`; other
    coordinates are where their values equal those of ``obsm['spatial']``.

    Parameters
    ----------
    rows
        The cells that are exported.
    xy
        Their coordinates, shape (n_cells, 2).
    """
    keys = tuple(source.obsm_shapes)
    return ImageSpace(spec, spec == _FULLRES or _columns_in_fullres(spec) or _equal(source, rows, xy), keys)


def how_to_get(source: Source, space: ImageSpace) -> str:
    """Say what to choose for images that belong to full resolution."""
    if _FULLRES.key in space.obsm_keys:
        return f"Choose the coordinates {label(_FULLRES)!r} to use what was left out."
    columns = set(source.obs_columns)
    if {"pxl_col_in_fullres", "pxl_row_in_fullres"} <= columns:
        return "Choose the coordinates 'obs:pxl_col_in_fullres,pxl_row_in_fullres' to use what was left out."
    return (
        f"The data has no obsm['spatial']. If {space.name} {'holds' if space.spec.kind == 'obsm' else 'hold'} pixels "
        "of full resolution, store them as obsm['spatial'] to use what was left out."
    )


def _columns_in_fullres(spec: CoordsSpec) -> bool:
    if spec.kind != "obs" or not (spec.x.endswith("_in_fullres") and spec.y.endswith("_in_fullres")):
        return False
    # Rows counted to the right are a tissue that was turned.
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
    """Warn where ``obsm['spatial']`` is not what the columns of Space Ranger say: it was moved, turned or scaled."""
    names = ("pxl_col_in_fullres", "pxl_row_in_fullres")
    if not set(names) <= set(source.obs_columns):
        return []
    try:
        own = find_coordinates(source, ObsCoords(*names)).xy
    except CoordinatesError:
        return []
    own = own if rows is None else own[rows]
    # Early readers named the columns the wrong way round.
    if any(np.nanmax(np.abs(one - xy), initial=0.0) <= 1.0 for one in (own, own[:, ::-1])):
        return []
    return [
        f"obsm['spatial'] differs from the columns {names[0]} and {names[1]} of obs: the image may not lie under the "
        f"cells. If so, choose the coordinates 'obs:{names[0]},{names[1]}'."
    ]
