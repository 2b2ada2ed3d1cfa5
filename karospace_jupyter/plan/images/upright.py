"""Align images with coordinates whose y grows upward."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from karospace_jupyter.plan.images.choose import Pictures, choose_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from karospace_jupyter.config import CoordsSpec, ImageSpec
    from karospace_jupyter.plan.lattice import Direction
    from karospace_jupyter.plan.model import PlannedSections
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows


def choose_upright_images(
    source: Source,
    spec: ImageSpec,
    coords: CoordsSpec,
    rows: Rows,
    xy: NDArray[np.float64],
    sections: PlannedSections | None,
    codes: NDArray[np.int64] | None,
    direction: Direction,
) -> Pictures:
    """Choose images like :func:`~karospace_jupyter.plan.images.choose.choose_images`, for y in either direction.

    Image rows are counted downward. If y grows upward and is negative, it is the negated row: the images are aligned
    with -y. If it grows upward and is positive, they are placed as if it grew downward, with a warning.
    """
    if direction.y_axis == "down" or np.median(xy[:, 1]) >= 0:
        pictures = choose_images(source, spec, coords, rows, xy, sections, codes)
        if direction.y_axis == "down" or not pictures.images:
            return pictures
        warning = (
            "The images are placed by their scale factors although y grows upward according to array_row, so images "
            "and cells are flipped vertically together. Check that they match."
        )
        return replace(pictures, warnings=(*pictures.warnings, warning))
    pictures = choose_images(source, spec, coords, rows, xy, sections, codes, flipped=True)
    images = tuple(replace(image, scale=(image.scale[0], -image.scale[1])) for image in pictures.images)
    return replace(pictures, images=images)
