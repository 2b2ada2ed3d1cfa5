"""Annotations: columns of obs exported as categories or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import ColumnError
from karospace_jupyter.formatting import hint, split_kind
from karospace_jupyter.plan.column_values import Numbers, as_categories, exact_numbers
from karospace_jupyter.plan.integer_codes import are_codes
from karospace_jupyter.plan.model import Annotation, CategoryAnnotation, NumberAnnotation
from karospace_jupyter.plan.names import as_text, listed
from karospace_jupyter.plan.positions import are_positions
from karospace_jupyter.plan.stored_colors import has_colors, stored_colors
from karospace_jupyter.source.numbers import Kind, kind_of, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.plan.model import Cells
    from karospace_jupyter.source import Source

    Rows = NDArray[np.int64] | None

MAX_CATEGORIES = 256
"""Columns with more categories are not exported by default, because the legend would be too long."""
MAX_NUMERIC_COLUMNS = 16
"""Maximum number of numeric columns exported by default."""
MAX_IDENTIFIERS = 10_000
"""Columns of integers beyond 2**53 with at most this many values are exported as categories, which are exact."""
_CELLS_CHECKED = 10_000
"""Number of cells that are checked first, to distinguish measurements from columns of few integers."""
_TOO_LARGE = "whole numbers too large to show exactly: identifiers?"

Chosen = Literal["category", "number"]


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """Summary of a column of obs."""

    name: str
    kind: Kind
    dtype: str
    n_categories: int | None
    left_out: str | None
    """Why it is not exported by default; None if it is."""
    other_kind: Chosen | None = None
    """Alternative kind: number for codes, category for few integers."""


def summarize_columns(
    source: Source,
    rows: NDArray[np.int64] | None,
    used: Sequence[str] = (),
    xy: NDArray[np.float64] | None = None,
    section: str | None = None,
) -> list[ColumnSummary]:
    """Describe every column of obs: its kind, and whether it is exported by default.

    Parameters
    ----------
    used
        Columns that hold the coordinates.
    xy
        Coordinates of the cells `rows`, shape (n_rows, 2). Numbers that only repeat them are not exported by default.
    section
        The column that names the sections.
    """
    groups = None if section is None or xy is None else _groups(source, section, rows)
    found: list[ColumnSummary] = []
    numbers = 0
    for name in dict.fromkeys(source.obs_columns):
        column = _read(source, name, used)
        values = column.values if rows is None else column.values.iloc[rows]
        kind, reason, n = column.kind, None, None
        if xy is not None and column.numbers is not None and _repeats_positions(column.numbers, rows, xy, groups):
            kind, reason = "number", "the coordinates themselves" if name in used else "positions of the cells"
        elif kind == "category":
            n = _count(values)
            if n is None:
                kind, reason = "other", "values that are neither text nor numbers"
            else:
                reason = _why_no_legend(n, len(values))
        elif kind == "number":
            reason = _why_no_scale(column.numbers, values, rows, name, used) if column.numbers else None
            if reason is None and numbers >= MAX_NUMERIC_COLUMNS:
                reason = f"more than {MAX_NUMERIC_COLUMNS} numeric columns"
            numbers += reason is None
        else:
            reason = "dates and times" if values.dtype.kind in "mM" else "values that are neither text nor numbers"
        other: Chosen | None = None
        if column.numbers is not None and column.numbers.texts is None:
            other = "number" if kind == "category" else "category" if _has_few_values(values) else None
        found.append(ColumnSummary(name, kind, str(column.values.dtype), n, reason, other))
    return found


def _groups(source: Source, section: str, rows: Rows) -> NDArray[np.int64]:
    values = source.obs(section)
    return np.asarray(pd.factorize(values if rows is None else values.iloc[rows])[0], dtype=np.int64)


def _repeats_positions(numbers: Numbers, rows: Rows, xy: NDArray[np.float64], groups: NDArray[np.int64] | None) -> bool:
    return numbers.texts is None and are_positions(numbers.values if rows is None else numbers.values[rows], xy, groups)


def _why_no_legend(n: int, n_cells: int) -> str | None:
    if n == 0:
        return "no values"
    if n < 2:
        return "fewer than 2 categories"
    if n == n_cells and n_cells > 2:
        return "a different value for every cell"
    return f"more than {MAX_CATEGORIES} categories" if n > MAX_CATEGORIES else None


def _why_no_scale(numbers: Numbers, values: pd.Series[Any], rows: Rows, name: str, used: Sequence[str]) -> str | None:
    if name in used:
        return "the coordinates themselves"
    held = numbers.values if rows is None else numbers.values[rows]
    held = held[~np.isnan(held)]
    if len(held) == 0 and numbers.texts is None:
        return "no values"
    exact = numbers.texts is None
    if (held.min() == held.max()) if exact else _count(values) == 1:
        return "the same number for every cell"
    if not exact:
        return _TOO_LARGE
    if name == "cell_id" and _count(values) == len(values):
        return "a different value for every cell"
    return None


def _has_few_values(values: pd.Series[Any]) -> bool:
    # For large columns, check the first cells before counting all distinct values.
    return bool(values.iloc[:_CELLS_CHECKED].nunique() <= MAX_CATEGORIES and 2 <= values.nunique() <= MAX_CATEGORIES)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of obs and its default kind, for all cells of the source."""

    values: pd.Series[Any]
    kind: Kind
    numbers: Numbers | None
    """Set if the column holds numbers, including codes."""


def _read(source: Source, name: str, used: Sequence[str] = ()) -> _Column:
    values = plain(source.obs(name))
    kind = kind_of(values)
    if kind != "number":
        return _Column(values, kind, None)
    numbers = exact_numbers(values)
    # Coordinates are measurements, however few distinct values they have.
    if name not in used and are_codes(name, numbers, colors=has_colors(source, name)):
        return _Column(values, "category", numbers)
    return _Column(values, "number", numbers)


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """The annotations of an export."""

    annotations: list[Annotation]
    columns: tuple[str, ...]
    """For each annotation, its column of obs."""
    section: CategoryAnnotation | None
    """The annotation that names the sections."""
    warnings: list[str]


def choose_columns(
    source: Source,
    cells: Cells,
    requested: Sequence[str] | None,
    used: Sequence[str],
    section: str | None,
    xy: NDArray[np.float64],
    added: str | None = None,
) -> ChosenColumns:
    """Read the requested annotations, or all suitable columns.

    Parameters
    ----------
    requested
        Columns of obs, each as its name, ``number:NAME`` or ``category:NAME``; None for all suitable ones.
    used
        Columns that hold the coordinates.
    section
        The column that names the sections. It is always exported as categories: at its own position if it is suitable
        or requested, otherwise last, so that section numbers do not become the initial color.
    xy
        Coordinates of the exported cells, shape (n_cells, 2).
    added
        A column that is always exported; None if there is none.

    Raises
    ------
    ColumnError
        If a column does not exist or cannot be exported.
    """
    warnings: list[str] = []
    if requested is None:
        summary = summarize_columns(source, cells.rows, used, xy, section)
        wanted: dict[str, Chosen | None] = {
            one.name: None
            for one in summary
            if one.left_out is None and (one.name != section or (one.kind == "category" and one.other_kind is None))
        }
        reasons: dict[str, list[str]] = {}
        for one in summary:
            if one.left_out is not None and one.name not in (section, added):
                reasons.setdefault(one.left_out, []).append(one.name)
        warnings += [f"Not exported ({reason}): {listed(left)}." for reason, left in reasons.items()]
    else:
        wanted = requested_columns(requested, source.obs_columns)
    if section is not None and section not in wanted:
        wanted[section] = None
        if requested is not None:
            warnings.append(f"The column {section!r} was added to the annotations: it names the sections.")
    if added is not None and added not in wanted:
        wanted[added] = None
        warnings.append(f"The column {added!r} was added to the annotations: it is the initial color.")
    annotations: list[Annotation] = []
    named: CategoryAnnotation | None = None
    codes: list[str] = []
    for name, kind in wanted.items():
        shown = _shown_name(name, wanted, warnings)
        if list(source.obs_columns).count(name) > 1:
            warnings.append(f"obs has several columns named {name!r}; the first one is exported.")
        column = _read(source, name, used)
        if name == section:
            if kind == "number":
                warnings.append(f"The column {name!r} names the sections: it is exported as categories.")
            named = _categories(source, column, cells, name, shown, warnings)
            annotations.append(named)
        elif kind == "number" or (kind is None and column.kind == "number" and not _few_identifiers(column)):
            annotations.append(_numbers(column, cells, name, shown, warnings))
        else:
            annotations.append(_categories(source, column, cells, name, shown, warnings))
            if column.kind == "category" and column.numbers is not None and kind is None:
                codes.append(name)
            elif column.kind == "number" and kind is None:
                warnings.append(f"The column {name!r} holds whole numbers beyond 2^53; exported as categories.")
        if len(column.values) and bool(column.values.isna().all()):  # exported because it was requested
            warnings.append(
                f"The column {name!r} of obs has no values: all {cells.n:,} {cells.observations} are missing one."
            )
    without_colors = [name for name in codes if not has_colors(source, name)]
    if without_colors:
        warnings.append(
            f"Columns of few distinct whole numbers are exported as categories: {listed(without_colors)}. "
            f"List {'number:' + without_colors[0]!r} among the annotations to export numbers."
        )
    return ChosenColumns(annotations, tuple(wanted), named, warnings)


def requested_columns(requested: Sequence[str], columns: Sequence[str]) -> dict[str, Chosen | None]:
    """Return the requested columns in order, and the kind requested for each.

    Parameters
    ----------
    requested
        Each a column's name, ``number:NAME`` or ``category:NAME``. A column of exactly that name takes precedence.
    columns
        The columns of obs.

    Raises
    ------
    ColumnError
        If a column does not exist, or is requested as two kinds.
    """
    found: dict[str, Chosen | None] = {}
    for text in requested:
        name, kind = split_kind(text, columns)
        if name not in columns:
            contents = listed(columns, 20) or "no columns"
            msg = f"obs has no column {name!r}.{hint(name, columns)} obs holds: {contents}."
            raise ColumnError(msg)
        if found.get(name) is not None and kind is not None and found[name] != kind:
            msg = f"The column {name!r} is listed both as numbers and as categories. Choose one."
            raise ColumnError(msg)
        found[name] = kind or found.get(name)
    return found


def _shown_name(name: str, wanted: dict[str, Chosen | None], warnings: list[str]) -> str:
    if name != "cell_id":
        return str(as_text([name])[0])
    shown = "cell_id_obs"
    while shown in wanted:
        shown += "_"
    warnings.append(f"The column 'cell_id' of obs is exported as {shown!r}: 'cell_id' holds the cells' names.")
    return shown


def _few_identifiers(column: _Column) -> bool:
    texts = None if column.numbers is None else column.numbers.texts
    return texts is not None and (_count(column.values) or 0) <= MAX_IDENTIFIERS


def _count(values: pd.Series[Any]) -> int | None:
    try:
        return int(values.nunique())
    except TypeError:  # lists and dicts are not hashable
        return None


def _numbers(column: _Column, cells: Cells, name: str, shown: str, warnings: list[str]) -> NumberAnnotation:
    numbers = _as_requested(column, name) if column.numbers is None else column.numbers
    n = len(numbers.values)
    if numbers.infinite:
        verb = "is" if numbers.infinite == 1 else "are"
        warnings.append(f"{numbers.infinite:,} of {n:,} values of {name!r} {verb} infinite; exported as missing.")
    if numbers.rounded:
        verb = "was" if numbers.rounded == 1 else "were"
        warnings.append(f"{numbers.rounded:,} of {n:,} values of {name!r} {verb} rounded to the precision of float64.")
    if numbers.texts is not None:
        warnings.append(
            f"The column {name!r} holds whole numbers that float64 cannot represent: the viewer rounds them to 53 bits"
            + (", the tables are exact." if numbers.integers is not None else ", and so do the tables.")
        )
    take = slice(None) if cells.rows is None else cells.rows
    integers = None if numbers.integers is None else numbers.integers[take]
    return NumberAnnotation(shown, numbers.values[take], integers, numbers.single)


def _as_requested(column: _Column, name: str) -> Numbers:
    """Convert a non-numeric column to numbers: text and categories of digits, booleans as 0 and 1."""
    values = column.values
    if pd.api.types.is_bool_dtype(values.dtype) and not isinstance(values.dtype, pd.CategoricalDtype):
        return exact_numbers(values.astype("Int64"))
    if column.kind == "category":
        found = as_categories(values, name)
        numbers = pd.to_numeric(pd.Series(found.names, dtype=object), errors="coerce")
        bad = [text for text, number in zip(found.names, numbers, strict=True) if pd.isna(number)]
        if not bad and found.names:
            read = plain(pd.Series([*numbers.tolist(), None], dtype=object).iloc[found.codes])
            return exact_numbers(read.reset_index(drop=True))
        example = f" It holds {listed([repr(text) for text in bad], 4)}." if bad else ""
    else:
        example = f" It holds {values.dtype} values."
    msg = f"The column {name!r} of obs cannot be exported as numbers.{example} List it without 'number:'."
    raise ColumnError(msg)


def _categories(
    source: Source, column: _Column, cells: Cells, name: str, shown: str, warnings: list[str]
) -> CategoryAnnotation:
    # Computed from all cells, so that sampling changes neither the order nor the colors.
    found = as_categories(column.values, name)
    full, codes = found.names, found.codes
    used = np.bincount(codes[codes >= 0], minlength=len(full)) > 0
    colors, new_warnings = stored_colors(source, name, full, used)
    warnings += new_warnings
    # Categories with the same text (1 and "1") are indistinguishable in a table, so they are merged.
    first: dict[str, int] = {}
    merged = np.array([first.setdefault(text, i) for i, text in enumerate(full)], dtype=np.int64)
    if len(first) < len(full):
        warnings.append(f"Categories of {shown!r} with the same text were merged.")
    codes = codes if cells.rows is None else codes[cells.rows]
    if len(full):
        codes = np.where(codes < 0, -1, merged[codes])
    kept = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(full)) > 0)
    renumber = np.full(len(full) + 1, len(kept), dtype=np.int64)  # code -1 indexes the last entry: missing
    renumber[kept] = np.arange(len(kept))
    return CategoryAnnotation(
        name=shown,
        categories=tuple(full[i] for i in kept),
        colors=tuple(colors[i] for i in kept),
        codes=renumber[codes],
        ordered=found.ordered,
        boolean=found.boolean,
    )


def category_colors(source: Source, name: str) -> list[str]:
    """Return the color of each category of a column in order, including unused ones."""
    found = as_categories(plain(source.obs(name)), name)
    used = np.bincount(found.codes[found.codes >= 0], minlength=len(found.names)) > 0
    return stored_colors(source, name, found.names, used)[0]
