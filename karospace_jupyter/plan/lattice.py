"""Determine the direction of y from the array rows and columns of the spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.plan.names import listed
from karospace_jupyter.source.numbers import as_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

_MIN_CELLS = 10
"""Minimum number of spots in a section to determine the direction."""
_FIT = 0.9
"""Share of the variance of x and y that array rows and columns have to explain."""

Orientation = Literal["down", "up", "mirrored", "swapped", "unknown"]


@dataclass(frozen=True, slots=True)
class Direction:
    """The direction in which y grows."""

    y_axis: Literal["down", "up"]
    known: bool
    """Whether the array positions determine it."""
    warnings: tuple[str, ...] = ()


def direction_of_y(
    source: Source,
    rows: Rows,
    xy: NDArray[np.float64],
    codes: NDArray[np.int64] | None = None,
    names: Sequence[str] = (),
) -> Direction:
    """Determine the direction of y: ``array_row`` counts downward in the image and ``array_col`` to the right.

    A rotated array is accepted: the slide was rotated under the microscope. A mirrored one is not, because no slide is
    imaged from below. If y is the mirrored axis, it grows upward.

    Parameters
    ----------
    rows
        The exported cells.
    xy
        Their coordinates, shape (n_cells, 2).
    codes
        The section of each cell, shape (n_cells,); None if there is only one section.
    names
        Names of the sections.
    """
    array = _array_of(source)
    if array is None:
        return Direction("down", known=False)
    array = array if rows is None else array[rows]
    usable = np.isfinite(array).all(axis=1) & np.isfinite(xy).all(axis=1)
    found: dict[Orientation, list[tuple[str, int]]] = {}
    sections = [("", usable)] if codes is None else [(name, usable & (codes == at)) for at, name in enumerate(names)]
    for name, part in sections:
        found.setdefault(_orientation_of(array[part], xy[part]), []).append((name, int(part.sum())))
    cells = {kind: sum(count for _, count in parts) for kind, parts in found.items()}
    up, down = cells.get("up", 0), cells.get("down", 0)
    y_axis: Literal["down", "up"] = "up" if up > down else "down"
    warnings = []
    if y_axis == "up":
        warnings.append("y grows upward: array_row, which counts downward in the image, decreases as y increases.")
    other: Orientation = "down" if y_axis == "up" else "up"
    if up and down:
        warnings.append(f"According to array_row, y grows the other way in {_which(found[other])} (shown mirrored).")
    if "mirrored" in found:
        warnings.append(
            f"According to array_col, x is mirrored in {_which(found['mirrored'])} (shown as the coordinates are, "
            "mirrored left to right)."
        )
    if "swapped" in found:
        warnings.append(
            f"According to array_row and array_col, x and y seem to be swapped in {_which(found['swapped'])} (shown as "
            "the coordinates are). If so, swap the two columns."
        )
    return Direction(y_axis, up + down > 0, tuple(warnings))


def _which(parts: Sequence[tuple[str, int]]) -> str:
    names = [name for name, _ in parts if name]
    return f"the sections {listed(names)}" if len(names) > 1 else f"the section {names[0]}" if names else "the tissue"


def _array_of(source: Source) -> NDArray[np.float64] | None:
    """Return column and row of each spot, shape (n_cells_source, 2)."""
    if not {"array_row", "array_col"} <= set(source.obs_columns):
        return None
    col, row = (as_numbers(source.obs(name)) for name in ("array_col", "array_row"))
    return None if col is None or row is None else np.stack([col, row], axis=1)


def _orientation_of(array: NDArray[np.float64], xy: NDArray[np.float64]) -> Orientation:
    """Compare the array with the coordinates, by how x and y change along its columns and rows.

    The correlation of x with the columns is not enough: in a rotated tissue, columns and rows are correlated, too.
    """
    if len(array) < _MIN_CELLS:
        return "unknown"
    array, xy = array - array.mean(axis=0), xy - xy.mean(axis=0)
    (x_col, y_col), (x_row, y_row) = slopes = np.linalg.lstsq(array, xy, rcond=None)[0]
    total, missed = (xy**2).sum(axis=0), ((xy - array @ slopes) ** 2).sum(axis=0)
    if np.linalg.matrix_rank(array) < 2 or (missed > (1 - _FIT) * total).any() or (total == 0).any():
        return "unknown"
    straight, across = x_col * y_row, x_row * y_col
    if straight - across >= 0:
        return "down"  # unchanged or rotated
    if abs(across) > abs(straight):
        return "swapped" if y_col > 0 and x_row > 0 else "mirrored"
    return "up" if y_row < 0 else "mirrored"
