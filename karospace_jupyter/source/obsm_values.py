"""Read values of obsm: arrays of all kinds, and tables with column names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.source.axis_names import choose_axes
from karospace_jupyter.source.lazy import is_dask, loaded
from karospace_jupyter.source.numbers import as_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class NumericTable:
    """The numeric columns of a table."""

    names: Sequence[str]
    columns: Sequence[NDArray[np.float64]]
    passed_over: Sequence[str]
    """Names of the other columns."""


def shape_of(value: Any) -> tuple[int, ...]:  # noqa: ANN401 - an array, a data frame or a sparse matrix
    """Return the shape of an entry of obsm; each field of a record array counts as a column."""
    shape = tuple(value.shape)
    fields = getattr(getattr(value, "dtype", None), "names", None)
    return (shape[0], len(fields)) if fields else shape


def is_table(value: Any) -> bool:  # noqa: ANN401
    """Return whether the columns of an entry have names."""
    return hasattr(value, "columns") or getattr(getattr(value, "dtype", None), "names", None) is not None


def as_table(value: Any) -> NumericTable | None:  # noqa: ANN401
    """Return the numeric columns of a data frame or a record array; None for an array without column names."""
    if not is_table(value):
        return None
    if hasattr(value, "columns"):
        value = loaded(value)
        frame = value if isinstance(value, pd.DataFrame) else value.to_pandas()
        # By position, because names may be duplicated.
        series = [(str(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns)]
    else:
        records = np.asarray(value).reshape(len(value))
        series = [(name, pd.Series(records[name])) for name in records.dtype.names or () if records[name].ndim == 1]
    names, columns, others = [], [], []
    for name, column in series:
        numbers = as_numbers(column)
        if numbers is None:
            others.append(name)
        else:
            names.append(name)
            columns.append(numbers)
    return NumericTable(names, columns, others)


def x_and_y(value: Any, key: str) -> NDArray[np.float64]:  # noqa: ANN401
    """Return x and y of an entry, shape (n_cells, 2): chosen by column names, otherwise the first two columns.

    Raises
    ------
    CoordinatesError
        If there are fewer than two numeric columns.
    """
    table = as_table(value)
    if table is not None:
        if len(table.names) < 2:
            contents = ", ".join(map(repr, [*table.names, *table.passed_over]))
            msg = (
                f"obsm[{key!r}] has too few numeric columns: got {len(table.names)}, need at least 2. "
                f"Its columns are: {contents}."
            )
            raise CoordinatesError(msg)
        axes = choose_axes(table.names)
        return np.stack([table.columns[axes.x_at], table.columns[axes.y_at]], axis=1)
    if sp.issparse(value):
        value = value.tocsc()[:, :2].toarray()
    elif is_dask(value):
        value = loaded(value[:, :2])
        value = value.toarray() if sp.issparse(value) else value
    try:
        array = np.ma.filled(np.ma.asarray(value, dtype=np.float64), np.nan)
    except (TypeError, ValueError) as exc:
        msg = f"obsm[{key!r}] does not contain numbers: {exc}."
        raise CoordinatesError(msg) from exc
    return array[:, :2] if array.ndim == 2 else array.reshape(len(array), -1)
