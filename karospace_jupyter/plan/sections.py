"""Sections of the tissue: which column names them, and whether they lie on top of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import ColumnError
from karospace_jupyter.plan.column_values import exact_numbers
from karospace_jupyter.plan.model import PlannedFact, PlannedSection, PlannedSections
from karospace_jupyter.plan.names import hint, listed
from karospace_jupyter.source.numbers import kind_of, plain
from karospace_jupyter.words import split_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.plan.model import Annotation, CategoryAnnotation, Cells
    from karospace_jupyter.source import Source

SECTION_COLUMNS = ("library_id", "sample", "sample_id", "section", "slice", "fov")
"""Usual names of such a column, best first, whatever their case."""
MOST_SECTIONS = 500

_OVERLAP = 0.2
"""Share of the smaller section beyond which two sections are taken to lie on top of each other."""
_TILES = 16
_CELLS_A_TILE = 4


def section_column(source: Source, xy: NDArray[np.float64] | None) -> str | None:
    """Return the column that names tissue sections: of the usual names whose values can, the first.

    Where several can and the tissue lies on top of itself, it is the first that takes it apart, so that within none
    of its sections another column finds cells on top of each other.

    Parameters
    ----------
    xy
        Coordinates of all cells, shape (n_cells, 2), NaN where there are none; None when nobody knows them.
    """
    fitting = sorted(section_columns(source, SECTION_COLUMNS), key=lambda name: SECTION_COLUMNS.index(name.lower()))
    if len(fitting) < 2 or xy is None:
        return next(iter(fitting), None)
    there = np.isfinite(xy).all(axis=1)
    codes = {name: pd.factorize(source.obs(name))[0][there] for name in fitting}
    crossing = [name for name in fitting if _cross(codes[name], xy[there])]
    for name in crossing:
        rest = [codes[other] for other in crossing if other != name]
        cells = _by_code(codes[name])
        if not any(_cross(other[part], xy[there][part]) for part in cells for other in rest):
            return name
    return (crossing or fitting)[0]


def _by_code(codes: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the cells of each code; those of none have a code below zero."""
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return [part for part in parts if len(part) and codes[part[0]] >= 0]


def _cross(codes: NDArray[np.int64], xy: NDArray[np.float64]) -> bool:
    """Whether cells of different codes lie on top of each other."""
    parts = [xy[part] for part in _by_code(codes)]
    return len(parts) > 1 and overlapping(parts, _boxes(parts))


def _boxes(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array([(*part.min(axis=0), *part.max(axis=0)) for part in parts])


def section_columns(source: Source, among: tuple[str, ...] | None = None) -> list[str]:
    """Return the columns of categories, text or whole numbers with 2 to 500 values, in the order of obs.

    One that has another value for every cell names cells, not sections.

    Parameters
    ----------
    among
        Names in lower case; None for all columns.
    """
    names = [name for name in dict.fromkeys(source.obs_columns) if among is None or name.lower() in among]
    return [name for name in names if _fits(source.obs(name))]


def asked_column(source: Source, config: ExportConfig, xy: NDArray[np.float64] | None) -> str | None:
    """Return the column that names sections: as asked for, or found by the usual names; None for none.

    `xy` is as for :func:`section_column`.

    Raises
    ------
    ColumnError
        When the one that was asked for does not exist, or splits nothing, or too much.
    """
    name = config.sections
    if name is None:
        return section_column(source, xy)
    if name == "none":
        return None
    if name not in source.obs_columns:
        there = listed(source.obs_columns, 20) or "no column at all"
        msg = f"obs has no column {name!r} for sections.{hint(name, source.obs_columns)} obs holds: {there}."
        raise ColumnError(msg)
    n = _count(source.obs(name))
    problem = None
    if n is None:
        problem = "does not hold text, classes or whole numbers"
    elif n < 2:
        problem = "has no value" if n == 0 else "has the same value for every cell"
    elif n > MOST_SECTIONS:
        problem = f"has {n:,} values, more than {MOST_SECTIONS} sections"
    if problem:
        fitting = section_columns(source)
        instead = f" Columns that can: {listed(fitting, 12)}." if fitting else " No column of obs can."
        msg = f"The column {name!r} of obs {problem}: it cannot name sections.{instead}"
        raise ColumnError(msg)
    return name


def split(
    source: Source, config: ExportConfig, cells: Cells, column: str | None, *, spatial: bool
) -> tuple[str | None, list[str]]:
    """Decide whether the export has sections.

    A column that was only found is taken for tissue, not for an embedding, and not against a list of annotations
    that leaves it out: who lists columns may have a reason not to pass on the names of samples.

    Parameters
    ----------
    column
        As :func:`asked_column` returns it.
    spatial
        Whether the coordinates are of tissue.

    Returns
    -------
    The column or None, and warnings.
    """
    if column is None:
        return None, []
    asked = config.sections is not None
    values = source.obs(column)
    if (_count(values if cells.rows is None else values.iloc[cells.rows]) or 0) < 2:
        said = f"No sections are written: the exported cells are all of one value of {column!r}."
        return None, [said] if asked else []
    if asked:
        return column, []
    if not spatial:
        return None, []
    if config.annotation_columns is not None and column not in _named(config.annotation_columns, source.obs_columns):
        said = f"No sections are written: the column {column!r}, which names them, is not among the annotations."
        return None, [said]
    return column, []


def _named(asked: Sequence[str], columns: Sequence[str]) -> set[str]:
    """Return the columns of a list of annotations, also of one that does not exist."""
    return {split_kind(text, columns)[0] for text in asked}


def plan_sections(
    annotation: CategoryAnnotation, xy: NDArray[np.float64], others: Sequence[Annotation]
) -> PlannedSections | None:
    """Measure the sections that a column names; None when fewer than two have cells.

    Parameters
    ----------
    annotation
        The column, for the cells of the export.
    xy
        Their coordinates, shape (n_cells, 2), finite.
    others
        Annotations for the same cells, among them those that sections are ordered and filtered by.
    """
    n = len(annotation.categories)
    if n < 2:
        return None
    counts = np.bincount(annotation.codes, minlength=n + 1)
    order = np.argsort(annotation.codes, kind="stable")
    parts = np.split(xy[order], np.cumsum(counts)[:-1])[:n]  # what follows has no section
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
    """Return the annotation's value in each section; None where one has several, or all have the same.

    Parameters
    ----------
    order
        Cells, those of a section together, shape (n_cells,).
    starts
        Where each section begins in `order`, and where the last one ends, shape (n_sections + 1,).
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
    """Whether any two sections lie on top of each other, as those do that have coordinates of their own.

    Two sections do when more than a fifth of the smaller one's box lies in the other's, and there, too, more
    than a fifth of the tiles (at most 16 × 16) that hold cells of either hold cells of both. The second spares
    sections that are tilted or bent beside each other: their boxes cross, their cells do not.

    Parameters
    ----------
    parts
        Coordinates of each section, shape (n_cells of it, 2), at least one cell each.
    boxes
        x min, y min, x max, y max of each section, shape (n_sections, 4).
    """
    # A section of one cell, or in one line, has no area: every box is made a trifle larger.
    span = float((boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)).max())
    low, high = boxes[:, :2] - 1e-6 * span, boxes[:, 2:] + 1e-6 * span
    if span == 0:
        return True  # all cells in one place
    area = (high - low).prod(axis=1)
    for i in range(len(parts) - 1):
        inner = np.minimum(high[i], high[i + 1 :]) - np.maximum(low[i], low[i + 1 :])
        share = np.maximum(inner, 0).prod(axis=1) / np.minimum(area[i], area[i + 1 :])
        for j in (np.flatnonzero(share > _OVERLAP) + i + 1).tolist():
            if _mixed(parts[i], parts[j], np.maximum(low[i], low[j]), np.minimum(high[i], high[j])):
                return True
    return False


def _mixed(a: NDArray[np.float64], b: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> bool:
    """Whether two sections share the tiles of the box that both reach into."""
    inside = [part[((part >= low) & (part <= high)).all(axis=1)] for part in (a, b)]
    fewest = min(len(part) for part in inside)
    if fewest == 0:
        return False
    # Few cells leave most of many tiles empty, which would hide that they are among each other.
    side = int(np.clip(np.sqrt(fewest / _CELLS_A_TILE), 1, _TILES))
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
    return n is not None and 2 <= n <= MOST_SECTIONS and n < len(values)


def _count(values: pd.Series[Any]) -> int | None:
    """Return how many values there are; None when they can name nothing."""
    values = plain(values)
    kind = kind_of(values)
    if kind == "other" or (kind == "number" and not _whole(values)):
        return None
    try:
        return int(values.nunique())
    except TypeError:  # lists and dicts have no hash
        return None


def _whole(values: pd.Series[Any]) -> bool:
    """Whether they are whole numbers but for gaps: numbers of sections become floats where one is missing."""
    found = exact_numbers(values)
    numbers = found.values[~np.isnan(found.values)]
    return found.infinite == 0 and bool((numbers == np.rint(numbers)).all())
