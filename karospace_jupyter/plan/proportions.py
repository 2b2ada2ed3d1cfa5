"""Read proportions of cell types in spots from deconvolution: tables in obsm with one column for each type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.errors import ColumnError
from karospace_jupyter.formatting import counted, hint
from karospace_jupyter.plan.model import CategoryAnnotation, NumberAnnotation, PlannedProportions
from karospace_jupyter.plan.names import as_text, listed, make_unique
from karospace_jupyter.plan.stored_colors import stored_colors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.plan.model import Annotation, Cells
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.obsm_values import NumericTable

MAX_TYPES = 100
"""Maximum number of types per table; more cannot be distinguished in a pie chart."""
MAX_VALUES = 2_000_000
"""Maximum number of cells × types that are exported by default, because the tables contain every value, too."""
_NAMED = re.compile(
    r"abundance|cell_?fraction|cell_?prop|cell_?type|card|ct_pred|deconv|destvi|proportion|rctd|spotlight|stereoscope"
    r"|tangram|weights",
    re.IGNORECASE,
)
"""Typical names of such tables, as written by tools or their users."""
_STATISTIC = re.compile(r"(q05|means|q95|stds)(_?cell_abundance.*)", re.IGNORECASE)
"""Tables of cell2location: statistics of one posterior. Its authors plot the 5% quantile."""
_BEST_FIRST = ("q05", "means")
_Table = tuple[list[str], NDArray[np.float64]]
"""The names of the types, and their amounts of shape (n_cells, n_types)."""
_SUM_TOLERANCE, _ROWS_THAT_SUM = 0.01, 0.95


@dataclass(frozen=True, slots=True)
class ChosenProportions:
    """The proportions of an export."""

    planned: tuple[PlannedProportions, ...]
    annotations: tuple[Annotation, ...]
    """For each table: the most abundant type of each spot, then the amount of each type."""
    warnings: tuple[str, ...]


def choose_proportions(
    source: Source, cells: Cells, requested: Sequence[str] | None, used: Sequence[str], taken: Sequence[str]
) -> ChosenProportions:
    """Read the requested tables of obsm, or those that look like proportions of cell types.

    Parameters
    ----------
    requested
        Keys of obsm; None for all suitable ones.
    used
        Keys of obsm that are coordinates or embeddings.
    taken
        Names of the other annotations.

    Raises
    ------
    ColumnError
        If a requested table does not exist or does not hold proportions.
    """
    planned: list[PlannedProportions] = []
    annotations: list[Annotation] = []
    if requested is None:
        tables, warnings = _usual(source, cells, used)
    else:
        tables, warnings = {key: _requested(source, key) for key in requested}, []
    names = set(taken)
    for key, (types, amounts) in tables.items():
        one, parts, new_warnings = _planned(source, cells, key, types, amounts, names)
        names |= {part.name for part in parts}
        planned.append(one)
        annotations += parts
        warnings += new_warnings
    return ChosenProportions(tuple(planned), tuple(annotations), tuple(warnings))


def _usual(source: Source, cells: Cells, used: Sequence[str]) -> tuple[dict[str, _Table], list[str]]:
    """Return the tables that look like proportions, and warnings; for cell2location, only the best statistic."""
    found: dict[str, _Table] = {}
    for key, shape in source.obsm_shapes.items():
        if key in used or len(shape) != 2 or not 2 <= shape[1] <= MAX_TYPES or shape[0] != source.n_cells:
            continue
        numbers = source.obsm_table(key)
        if numbers is None or len(numbers.names) != shape[1]:
            continue
        types, amounts = _table_of(numbers, source.n_cells)
        if _are_proportions(key, amounts):
            found[key] = types, amounts
    statistics = {key: match for key in found if (match := _STATISTIC.fullmatch(key))}

    def superseded(match: re.Match[str]) -> bool:
        """Return whether another statistic of the same posterior is exported instead."""
        name = match[1].lower()
        if name not in _BEST_FIRST:
            return True
        rank = _BEST_FIRST.index(name)
        return any(one[2] == match[2] and one[1].lower() in _BEST_FIRST[:rank] for one in statistics.values())

    best = {key: one for key, one in found.items() if key not in statistics or not superseded(statistics[key])}
    large = [key for key, (types, _) in best.items() if cells.n * len(types) > MAX_VALUES]
    warnings = []
    if large:
        warnings.append(
            f"Proportions of more than {MAX_VALUES:,} values are not exported by default: {listed(large)}. Name a "
            "table with `proportions` to export it."
        )
    return {key: one for key, one in best.items() if key not in large}, warnings


def _are_proportions(key: str, amounts: NDArray[np.float64]) -> bool:
    known = np.isfinite(amounts).all(axis=1)
    sums = amounts[known].sum(axis=1)
    if not (sums > 0).any() or (amounts < 0).any():
        return False
    sums = sums[sums > 0]
    return bool(_NAMED.search(key)) or float((np.abs(sums - 1) <= _SUM_TOLERANCE).mean()) >= _ROWS_THAT_SUM


def _requested(source: Source, key: str) -> _Table:
    shapes = source.obsm_shapes
    if key not in shapes:
        contents = listed([name for name in shapes if source.obsm_columns(name)], 20) or "no tables"
        msg = f"There is no obsm[{key!r}].{hint(key, list(shapes))} Tables in obsm: {contents}."
        raise ColumnError(msg)
    numbers = source.obsm_table(key)
    if numbers is None:
        msg = (
            f"obsm[{key!r}] has no column names, so its cell types are unknown. Store it as a DataFrame with one "
            "column for each cell type."
        )
        raise ColumnError(msg)
    types, amounts = _table_of(numbers, source.n_cells)
    _check(source, key, types, amounts, numbers.passed_over)
    return types, amounts


def _table_of(numbers: NumericTable, n: int) -> _Table:
    types = [str(name) for name in as_text(numbers.names)]
    return types, np.stack(numbers.columns, axis=1) if types else np.zeros((n, 0))


def _check(source: Source, key: str, types: Sequence[str], amounts: NDArray[np.float64], others: Sequence[str]) -> None:
    what = f"obsm[{key!r}] does not hold proportions of cell types"
    if others:
        msg = f"{what}: it has columns that are not numeric: {listed(others)}."
        raise ColumnError(msg)
    if not 2 <= len(types) <= MAX_TYPES:
        msg = f"{what}: it has {counted(len(types), 'column')}; expected 2 to {MAX_TYPES}."
        raise ColumnError(msg)
    if len(amounts) != source.n_cells:
        msg = f"obsm[{key!r}] has {len(amounts):,} rows, but there are {source.n_cells:,} cells. The file is damaged."
        raise ColumnError(msg)
    negative = np.flatnonzero((amounts < 0).any(axis=0))
    if len(negative):
        smallest = np.nanmin(amounts[:, negative[0]])
        msg = f"{what}: the column {types[negative[0]]!r} has negative values, down to {smallest:.3g}."
        raise ColumnError(msg)
    known = np.isfinite(amounts).all(axis=1)
    if not (amounts[known].sum(axis=1) > 0).any():
        msg = f"{what}: every row has a missing value or only zeros."
        raise ColumnError(msg)


def _planned(
    source: Source,
    cells: Cells,
    key: str,
    types: list[str],
    amounts: NDArray[np.float64],
    taken: set[str],
) -> tuple[PlannedProportions, list[Annotation], list[str]]:
    warnings: list[str] = []
    shown, renamed = make_unique(as_text(_without_key(types, key)))
    if renamed:
        warnings.append(f"obsm[{key!r}] has several columns with the same name; they were numbered.")
    amounts = np.where(np.isfinite(amounts), amounts, np.nan)
    complete = ~np.isnan(amounts).any(axis=1) & (amounts.sum(axis=1) > 0)
    best = np.where(complete, np.where(np.isnan(amounts), -1.0, amounts).argmax(axis=1), len(types))
    used = np.bincount(best, minlength=len(types) + 1)[:-1] > 0
    colors, new_warnings = stored_colors(source, key, types, used)
    warnings += new_warnings
    rows = slice(None) if cells.rows is None else cells.rows
    incomplete = int((~complete[rows]).sum())
    if incomplete:
        warnings.append(
            f"{incomplete:,} of {cells.n:,} {cells.observations} have no proportions in obsm[{key!r}]: a value is "
            "missing, or all are zero."
        )
    name = _free(str(as_text([key])[0]), taken)
    parts = [_free(f"{name}: {one}", taken) for one in shown]
    annotations: list[Annotation] = [
        CategoryAnnotation(
            name=name,
            categories=tuple(shown),
            colors=tuple(colors),
            codes=best[rows].astype(np.int64),
            ordered=False,
            boolean=False,
        )
    ]
    for at, part in enumerate(parts):
        values = amounts[:, at]
        with np.errstate(over="ignore"):
            single = bool(np.array_equal(values.astype(np.float32).astype(np.float64), values, equal_nan=True))
        annotations.append(NumberAnnotation(part, values[rows], None, single=single))
    return PlannedProportions(key, name, tuple(parts)), annotations, warnings


def _without_key(types: Sequence[str], key: str) -> list[str]:
    """Remove the name of the table from its column names, where cell2location repeats it."""

    def bare(text: str) -> str:
        return re.sub(r"[^0-9a-z]", "", text.lower())

    wanted = bare(key)
    lengths = {len(one): one for one in types}
    shortest = lengths[min(lengths)]
    for end in range(1, len(shortest)):
        if bare(shortest[:end]) == wanted and not shortest[end].isalnum():
            prefix = shortest[: end + 1]
            if all(one.startswith(prefix) and len(one) > len(prefix) for one in types):
                return [one[len(prefix) :] for one in types]
    return list(types)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += " (obsm)"
    return name
