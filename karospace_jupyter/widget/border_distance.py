"""Distances of the cells of a view to the border of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from karospace_jupyter.border_distance import border_distances
from karospace_jupyter.errors import BundleError, ViewError
from karospace_jupyter.formatting import hint
from karospace_jupyter.plan.names import listed
from karospace_jupyter.view.outline import DISTANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from karospace_jupyter.publish.bundle import Bundle
    from karospace_jupyter.widget.assets import LiveCells
    from karospace_jupyter.widget.masks import Mask


def region_of(column: str) -> str | None:
    """Return the region whose distances an annotation of this name holds; None for other names."""
    start, end = DISTANCE.split("{}")
    return column[len(start) : -len(end)] if column.startswith(start) and column.endswith(end) else None


def distances_of(
    region: str,
    regions: Mapping[str, Mask],
    outlines: Mapping[str, NDArray[np.float64]],
    bundle: Bundle,
    live: LiveCells | None,
    unit_um: float | None,
) -> pd.Series[Any]:
    """Return the distance of each cell to the border of a region, over obs, or over the bundle's cells.

    Raises
    ------
    ViewError
        If there is no region with this name, or it has no outline.
    BundleError
        If the bundle does not state its coordinates.
    """
    if region not in regions:
        known = listed([repr(one) for one in regions]) or "none"
        msg = f"There is no region {region!r}.{hint(str(region), list(regions))} Regions: {known}."
        raise ViewError(msg)
    if region not in outlines:
        having = listed([repr(one) for one in outlines]) or "none"
        msg = (
            f"The region {region!r} has no outline, because it was not drawn as one line on the tissue. "
            f"Draw it again with the lasso. Regions with an outline: {having}."
        )
        raise ViewError(msg)
    placed = bundle.manifest.coordinates
    if placed is None:
        msg = f"The manifest of {bundle.files.origin} has no coordinates. Export the object again."
        raise BundleError(msg)
    xy = bundle.vector(placed.chunks, np.dtype("<f4"), 2).reshape(-1, 2).astype(np.float64)
    rows = np.arange(len(xy)) if live is None else live.rows
    xy[~_in_sections_of(regions[region][rows], bundle)] = np.nan
    outline = outlines[region] - np.asarray(placed.origin or (0, 0), dtype=np.float64)
    found = np.full(len(regions[region]), np.nan, dtype=np.float32)
    found[rows] = border_distances(outline, xy, unit_um or 1.0)
    series = pd.Series(found, name=DISTANCE.format(region))
    series.attrs["unit"] = "coordinate units" if unit_um is None else "µm"
    return series


def _in_sections_of(cells: Mask, bundle: Bundle) -> Mask:
    """Return which cells of the bundle are in a section that contains any of these cells."""
    sections = bundle.manifest.sections
    column = next((one for one in bundle.manifest.columns or () if sections and one.name == sections.column), None)
    if column is None or column.kind != "category":
        return np.ones(len(cells), dtype=bool)
    codes = bundle.codes(column)
    return np.isin(codes, np.unique(codes[cells]))
