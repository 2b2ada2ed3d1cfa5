"""Annotations: columns of obs as classes or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import ColumnError
from karospace_jupyter.plan.colors import stored_colors
from karospace_jupyter.plan.model import Annotation, CategoryAnnotation, NumberAnnotation
from karospace_jupyter.plan.names import as_text, hint, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.plan.model import Cells
    from karospace_jupyter.source import Source

MAX_CATEGORIES = 256
"""Classes beyond which a column is no legend; a column that was asked for may have more."""
MAX_NUMERIC_COLUMNS = 16
"""Numeric columns that are exported without being asked for."""


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """What a column of obs is."""

    name: str
    kind: Literal["category", "number", "other"]
    dtype: str
    n_categories: int | None
    left_out: str | None
    """Why it is not exported unless asked for; None when it is."""


def summarise_columns(source: Source, rows: NDArray[np.int64] | None, used: Sequence[str] = ()) -> list[ColumnSummary]:
    """Say of every column of obs what it is and whether it is exported by default.

    Parameters
    ----------
    used
        Columns that are the coordinates.
    """
    found: list[ColumnSummary] = []
    numbers = 0
    for name in dict.fromkeys(source.obs_columns):
        values = _chosen(source.obs(name), rows)
        kind = _kind(values)
        n = None
        reason = None
        if kind == "category":
            n = _count(values)
            if n is None:
                kind, reason = "other", "values that are neither text nor numbers"
            elif n == 0:
                reason = "no value at all"
            elif n < 2:
                reason = "fewer than 2 classes"
            elif n == len(values) and len(values) > 2:
                reason = "a different value for every cell"
            elif n > MAX_CATEGORIES:
                reason = f"more than {MAX_CATEGORIES} classes"
        elif kind == "number":
            if name in used:
                reason = "the coordinates themselves"
            elif values.nunique() == 0:
                reason = "no value at all"
            elif values.nunique() < 2:
                reason = "the same number for every cell"
            elif name == "cell_id" and values.nunique() == len(values):
                reason = "a different value for every cell"
            elif numbers >= MAX_NUMERIC_COLUMNS:
                reason = f"more than {MAX_NUMERIC_COLUMNS} numeric columns"
            else:
                numbers += 1
        else:
            reason = "dates and times" if values.dtype.kind in "mM" else "values that are neither text nor numbers"
        found.append(ColumnSummary(name, kind, str(values.dtype), n, reason))
    return found


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """The annotations of an export."""

    annotations: list[Annotation]
    section: CategoryAnnotation | None
    """The one of them that names sections of the tissue."""
    warnings: list[str]


def choose_columns(
    source: Source, cells: Cells, asked: Sequence[str] | None, used: Sequence[str], section: str | None = None
) -> ChosenColumns:
    """Read the annotations that were asked for, or all that make a legend.

    Parameters
    ----------
    asked
        Columns of obs; None for all that make a legend.
    used
        Columns that are the coordinates.
    section
        The column that names sections. It is exported as classes, whatever it holds: in its place where it
        makes a legend or was asked for, else at the end, so that no number of a section becomes the first colour.

    Raises
    ------
    ColumnError
        When a column does not exist or cannot be exported.
    """
    warnings: list[str] = []
    if asked is None:
        summary = summarise_columns(source, cells.rows, used)
        names = [
            column.name
            for column in summary
            if column.left_out is None and (column.name != section or column.kind == "category")
        ]
        reasons: dict[str, list[str]] = {}
        for column in summary:
            if column.left_out is not None and column.name != section:
                reasons.setdefault(column.left_out, []).append(column.name)
        warnings += [f"Not exported ({reason}): {listed(left)}." for reason, left in reasons.items()]
    else:
        names = list(dict.fromkeys(asked))
        for name in names:
            if name not in source.obs_columns:
                there = listed(source.obs_columns, 20) or "no column at all"
                msg = f"obs has no column {name!r}.{hint(name, source.obs_columns)} obs holds: {there}."
                raise ColumnError(msg)
    if section is not None and section not in names:
        names.append(section)
        if asked is not None:
            warnings.append(f"The column {section!r} was added to the annotations: it names the sections.")
    annotations: list[Annotation] = []
    named: CategoryAnnotation | None = None
    taken = {"cell_id", *names}
    for name in names:
        shown = str(as_text([name])[0])
        if name == "cell_id":
            shown = "cell_id_obs"
            while shown in taken:
                shown += "_"
            warnings.append(f"The column 'cell_id' of obs is exported as {shown!r}: 'cell_id' holds the cells' names.")
        if list(source.obs_columns).count(name) > 1:
            warnings.append(f"obs has several columns {name!r}; the first one is exported.")
        values = _chosen(source.obs(name), cells.rows)
        if name == section:
            named, said = _classes(source, _without_fractions(values), name, shown)
            annotations.append(named)
        elif _kind(values) == "number":
            annotations.append(_numbers(values, shown))
            said = []
        else:
            annotation, said = _classes(source, values, name, shown)
            annotations.append(annotation)
        warnings += said
        if len(values) and bool(values.isna().all()):  # asked for, so exported: every cell is gray
            warnings.append(f"The column {name!r} of obs has no value: all {len(values):,} are missing.")
    return ChosenColumns(annotations, named, warnings)


def _without_fractions(values: pd.Series[Any]) -> pd.Series[Any]:
    """Whole numbers as classes in their order; what is none already stays as it is."""
    if _kind(values) != "number":
        return values
    if pd.api.types.is_float_dtype(values.dtype):
        values = values.astype("Int64")
    return pd.Series(pd.Categorical(values))


def _chosen(values: pd.Series[Any], rows: NDArray[np.int64] | None) -> pd.Series[Any]:
    return values if rows is None else values.iloc[rows]


def _kind(values: pd.Series[Any]) -> Literal["category", "number", "other"]:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        return "category"
    if pd.api.types.is_complex_dtype(dtype):
        return "other"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    return "category" if dtype.kind == "O" or pd.api.types.is_string_dtype(dtype) else "other"


def _count(values: pd.Series[Any]) -> int | None:
    try:
        return int(values.nunique())
    except TypeError:  # lists and dicts have no hash
        return None


def _numbers(values: pd.Series[Any], shown: str) -> NumberAnnotation:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    integers = None
    if pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any():
        unsigned = pd.api.types.is_unsigned_integer_dtype(values.dtype)
        integers = values.to_numpy(dtype=np.uint64 if unsigned else np.int64)
    single = str(values.dtype).lower() in {"float32", "float16"}
    # What float32 cannot hold is a gap in the table too, so that table and picture agree.
    held = np.abs(numbers) <= np.finfo(np.float32).max
    return NumberAnnotation(shown, np.where(held, numbers, np.nan), integers, single)


def _classes(source: Source, values: pd.Series[Any], name: str, shown: str) -> tuple[CategoryAnnotation, list[str]]:
    warnings: list[str] = []
    boolean = pd.api.types.is_bool_dtype(values.dtype) and not isinstance(values.dtype, pd.CategoricalDtype)
    if boolean:
        full = ["False", "True"]
        raw = values.to_numpy(dtype=object)
        codes = np.array([-1 if v is pd.NA or v is None else int(bool(v)) for v in raw], dtype=np.int64)
        ordered = False
    else:
        if not isinstance(values.dtype, pd.CategoricalDtype):
            values = _as_categorical(values, name)
        full = as_text(values.cat.categories).tolist()
        codes = values.cat.codes.to_numpy().astype(np.int64)
        ordered = bool(values.cat.ordered)
    colors, said = stored_colors(_colors_of(source, name, full), full, shown)
    warnings += said
    # Categories of equal text (1 and "1") cannot be told apart in a table: they become one.
    first: dict[str, int] = {}
    merged = np.array([first.setdefault(text, i) for i, text in enumerate(full)], dtype=np.int64)
    if len(first) < len(full):
        warnings.append(f"Classes of {shown!r} that read the same were made one.")
    if len(full):
        codes = np.where(codes < 0, -1, merged[codes])
    kept = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(full)) > 0)
    renumber = np.full(len(full) + 1, len(kept), dtype=np.int64)  # the last entry, reached by -1, is "missing"
    renumber[kept] = np.arange(len(kept))
    annotation = CategoryAnnotation(
        name=shown,
        categories=tuple(full[i] for i in kept),
        colors=tuple(colors[i] for i in kept),
        codes=renumber[codes],
        ordered=ordered,
        boolean=boolean,
    )
    return annotation, warnings


def _colors_of(source: Source, name: str, full: Sequence[str]) -> Any:  # noqa: ANN401 - uns holds anything
    key = f"{name}_colors"
    value = source.uns(key)
    if isinstance(value, Mapping):  # an old habit: colours by name of the class
        return {category: source.uns(key, category) for category in full if category in value}
    return value


def _as_categorical(values: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Text, dates and mixed objects as classes, sorted by their text."""
    missing = values.isna().to_numpy()
    try:
        text = values.astype(str).to_numpy(dtype=object) if values.dtype.kind in "mM" else as_text(values)
        text[missing] = None
        codes, uniques = pd.factorize(text, sort=True)
    except (TypeError, ValueError) as exc:
        msg = f"The column {name!r} of obs holds {values.dtype} values that cannot be made classes: {exc}."
        raise ColumnError(msg) from exc
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(uniques, dtype=object)))
