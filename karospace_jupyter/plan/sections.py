"""Find the column that names the sections of the tissue, and determine whether they overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import ColumnError
from karospace_jupyter.formatting import hint, split_kind
from karospace_jupyter.plan.column_values import exact_numbers
from karospace_jupyter.plan.model import PlannedFact, PlannedSection, PlannedSections
from karospace_jupyter.plan.names import listed
from karospace_jupyter.source.numbers import kind_of, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.plan.model import Annotation, CategoryAnnotation, Cells
    from karospace_jupyter.source import Source

SECTION_COLUMNS = ("library_id", "sample", "sample_id", "section", "slice", "fov")
"""Usual names of the section column in order of preference, ignoring case."""
MAX_SECTIONS = 500

_OVERLAP = 0.2
"""Two sections overlap if they share more than this fraction of the smaller one."""
_TILES = 16
_CELLS_PER_TILE = 4


def section_column(source: Source, xy: NDArray[np.float64] | None) -> str | None:
    """Return the column that names the sections: the first of the usual names that has suitable values.

    If several are suitable and their categories overlap in the tissue, return the first one within whose sections no
    other column has overlapping categories.

    Parameters
    ----------
    xy
        Coordinates of all cells, shape (n_cells, 2), NaN where missing; None if unknown.

    Returns
    -------
    str or None
        None if no column is suitable.
    """
    fitting = sorted(section_columns(source, SECTION_COLUMNS), key=lambda name: SECTION_COLUMNS.index(name.lower()))
    if len(fitting) < 2 or xy is None:
        return next(iter(fitting), None)
    placed = np.isfinite(xy).all(axis=1)
    codes = {name: pd.factorize(source.obs(name))[0][placed] for name in fitting}
    crossing = [name for name in fitting if _overlap(codes[name], xy[placed])]
    for name in crossing:
        rest = [codes[other] for other in crossing if other != name]
        cells = _by_code(codes[name])
        if not any(_overlap(other[part], xy[placed][part]) for part in cells for other in rest):
            return name
    return (crossing or fitting)[0]


def _by_code(codes: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the cells of each code; cells without a section have a negative code and are left out."""
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return [part for part in parts if len(part) and codes[part[0]] >= 0]


def _overlap(codes: NDArray[np.int64], xy: NDArray[np.float64]) -> bool:
    """Return whether the areas of cells with different codes overlap."""
    parts = [xy[part] for part in _by_code(codes)]
    return len(parts) > 1 and overlapping(parts, _boxes(parts))


def _boxes(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array([(*part.min(axis=0), *part.max(axis=0)) for part in parts])


def section_columns(source: Source, among: tuple[str, ...] | None = None) -> list[str]:
    """Return the columns of categories, text or integers with 2 to 500 values, in the order of obs.

    A column with a different value for every cell names cells, not sections.

    Parameters
    ----------
    among
        Names in lower case to choose from; None for all columns.
    """
    names = [name for name in dict.fromkeys(source.obs_columns) if among is None or name.lower() in among]
    return [name for name in names if _fits(source.obs(name))]


def requested_column(source: Source, config: ExportConfig, xy: NDArray[np.float64] | None) -> str | None:
    """Return the column that names the sections: the requested one, or one with a usual name; None for no sections.

    `xy` is the same as for :func:`section_column`.

    Raises
    ------
    ColumnError
        If the requested column does not exist, or has fewer than 2 or too many values.
    """
    name = config.sections
    if name is None:
        return section_column(source, xy)
    if name == "none":
        return None
    if name not in source.obs_columns:
        contents = listed(source.obs_columns, 20) or "no columns"
        msg = f"obs has no column {name!r} for sections.{hint(name, source.obs_columns)} obs holds: {contents}."
        raise ColumnError(msg)
    n = _count(source.obs(name))
    problem = None
    if n is None:
        problem = "does not hold text, categories or whole numbers"
    elif n < 2:
        problem = "has no values" if n == 0 else "has the same value for every cell"
    elif n > MAX_SECTIONS:
        problem = f"has {n:,} values, more than the limit of {MAX_SECTIONS} sections"
    if problem:
        fitting = section_columns(source)
        instead = f" Suitable columns: {listed(fitting, 12)}." if fitting else " No column of obs is suitable."
        msg = f"The column {name!r} of obs {problem}, so it cannot name sections.{instead}"
        raise ColumnError(msg)
    return name


def split(
    source: Source, config: ExportConfig, cells: Cells, column: str | None, *, spatial: bool
) -> tuple[str | None, list[str]]:
    """Decide whether the export has sections.

    A detected column is only used for tissue, not for an embedding, and only if the list of annotations, if there is
    one, includes it: a column may have been left out on purpose, for example to withhold the names of samples.

    Parameters
    ----------
    column
        The result of :func:`requested_column`.
    spatial
        Whether the coordinates are those of tissue.

    Returns
    -------
    tuple of str or None, and list of str
        The column, and warnings.
    """
    if column is None:
        return None, []
    requested = config.sections is not None
    values = source.obs(column)
    if (_count(values if cells.rows is None else values.iloc[cells.rows]) or 0) < 2:
        warning = f"No sections are written: all exported cells have the same value of {column!r}."
        return None, [warning] if requested else []
    if requested:
        return column, []
    if not spatial:
        return None, []
    if config.annotation_columns is not None and column not in _named(config.annotation_columns, source.obs_columns):
        warning = f"No sections are written: the column {column!r}, which names them, is not among the annotations."
        return None, [warning]
    return column, []


def _named(requested: Sequence[str], columns: Sequence[str]) -> set[str]:
    """Return the columns in a list of annotations, including ones that do not exist."""
    return {split_kind(text, columns)[0] for text in requested}


def plan_sections(
    annotation: CategoryAnnotation, xy: NDArray[np.float64], others: Sequence[Annotation]
) -> PlannedSections | None:
    """Compute the extents and counts of the sections; None if fewer than two have cells.

    Parameters
    ----------
    annotation
        The column that names the sections, for the exported cells.
    xy
        Their coordinates, shape (n_cells, 2), finite.
    others
        Annotations of the same cells, from which those that can order and filter sections are selected.
    """
    n = len(annotation.categories)
    if n < 2:
        return None
    counts = np.bincount(annotation.codes, minlength=n + 1)
    order = np.argsort(annotation.codes, kind="stable")
    parts = np.split(xy[order], np.cumsum(counts)[:-1])[:n]  # the last part has no section
    boxes = _boxes(parts)
    items = tuple(
        PlannedSection(name, (x0, y0, x1, y1), int(count))
        for name, (x0, y0, x1, y1), count in zip(annotation.categories, boxes.tolist(), counts, strict=False)
    )
    starts = np.concatenate([[0], np.cumsum(counts[:n])])
    facts = (_fact(one, order, starts) for one in others if one.name != annotation.name)
    return PlannedSections(
        annotation.name,
        overlapping(parts, boxes),
        items,
        int(counts[n]),
        tuple(fact for fact in facts if fact is not None),
    )


def _fact(annotation: Annotation, order: NDArray[np.intp], starts: NDArray[np.int64]) -> PlannedFact | None:
    """Return the annotation's value in each section; None if a section has several, or all have the same.

    Parameters
    ----------
    order
        Cells sorted by section, shape (n_cells,).
    starts
        Where each section starts in `order`, and where the last one ends, shape (n_sections + 1,).
    """
    cells = order[: starts[-1]]
    values = annotation.codes[cells] if annotation.kind == "category" else annotation.values[cells]
    lowest, highest = (f.reduceat(values, starts[:-1]) for f in (np.minimum, np.maximum))
    if annotation.kind == "category":
        if not np.array_equal(lowest, highest):
            return None
        names = (*annotation.categories, None)
        found: tuple[str | float | None, ...] = tuple(names[code] for code in lowest)
    else:
        gaps = np.add.reduceat(np.isnan(values), starts[:-1])
        whole = np.isnan(lowest) & (gaps == np.diff(starts))
        if not ((lowest == highest) | whole).all():
            return None
        found = tuple(None if gap else float(value) for value, gap in zip(lowest, whole, strict=True))
    return PlannedFact(annotation.name, found) if len(set(found)) > 1 else None


def overlapping(parts: list[NDArray[np.float64]], boxes: NDArray[np.float64]) -> bool:
    """Return whether any two sections overlap, as they do if each has its own coordinate system.

    Two sections overlap if their bounding boxes share more than a fifth of the smaller box and, in the shared part,
    more than a fifth of the non-empty tiles (at most 16 × 16) contain cells of both. The second condition excludes
    adjacent sections that are tilted or bent: their boxes intersect, but their cells do not mix.

    Parameters
    ----------
    parts
        Coordinates of each section, shape (n_cells of the section, 2), at least one cell each.
    boxes
        x min, y min, x max, y max of each section, shape (n_sections, 4).
    """
    # A section of a single cell, or along a line, has no area: enlarge every box slightly.
    span = float((boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)).max())
    low, high = boxes[:, :2] - 1e-6 * span, boxes[:, 2:] + 1e-6 * span
    if span == 0:
        return True  # all cells have the same position
    area = (high - low).prod(axis=1)
    for i in range(len(parts) - 1):
        inner = np.minimum(high[i], high[i + 1 :]) - np.maximum(low[i], low[i + 1 :])
        share = np.maximum(inner, 0).prod(axis=1) / np.minimum(area[i], area[i + 1 :])
        for j in (np.flatnonzero(share > _OVERLAP) + i + 1).tolist():
            if _mixed(parts[i], parts[j], np.maximum(low[i], low[j]), np.minimum(high[i], high[j])):
                return True
    return False


def _mixed(a: NDArray[np.float64], b: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> bool:
    """Return whether two sections share tiles of the box in which they overlap."""
    inside = [part[((part >= low) & (part <= high)).all(axis=1)] for part in (a, b)]
    fewest = min(len(part) for part in inside)
    if fewest == 0:
        return False
    # With few cells, most small tiles would be empty, which would hide that the cells mix.
    side = int(np.clip(np.sqrt(fewest / _CELLS_PER_TILE), 1, _TILES))
    filled = []
    for part in inside:
        at = np.minimum(((part - low) / (high - low) * side).astype(np.int64), side - 1)
        filled.append(np.bincount(at[:, 1] * side + at[:, 0], minlength=side * side) > 0)
    either, both = filled[0] | filled[1], filled[0] & filled[1]
    return bool(both.sum() > _OVERLAP * either.sum())


def _fits(values: pd.Series[Any]) -> bool:
    values = plain(values)
    if pd.api.types.is_bool_dtype(values.dtype):
        return False
    n = _count(values)
    return n is not None and 2 <= n <= MAX_SECTIONS and n < len(values)


def _count(values: pd.Series[Any]) -> int | None:
    """Return the number of distinct values; None if the values cannot name sections."""
    values = plain(values)
    kind = kind_of(values)
    if kind == "other" or (kind == "number" and not _whole(values)):
        return None
    try:
        return int(values.nunique())
    except TypeError:  # lists and dicts are not hashable
        return None


def _whole(values: pd.Series[Any]) -> bool:
    """Return whether all values are whole or missing: integers become floats if one is missing."""
    found = exact_numbers(values)
    numbers = found.values[~np.isnan(found.values)]
    return found.infinite == 0 and bool((numbers == np.rint(numbers)).all())
