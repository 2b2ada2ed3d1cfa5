"""Classify columns of any dtype as numbers, categories or neither."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Kind = Literal["category", "number", "other"]

_REAL = (int, float, np.integer, np.floating, Decimal, Fraction)
_BOOLEANS = (bool, np.bool_)


def plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column without sparse storage, and with dtype ``boolean`` if all of its objects are booleans.

    Columns of Python numbers keep the dtype object.
    """
    if isinstance(values.dtype, pd.SparseDtype):
        values = values.sparse.to_dense()
    if is_object(values):
        types = _types(values)
        if types and types <= set(_BOOLEANS):
            return values.astype("boolean")
    return values


def kind_of(values: pd.Series[Any]) -> Kind:
    """Return the kind of a column returned by :func:`plain`. Dates and complex numbers are ``other``."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        return "category"
    if pd.api.types.is_complex_dtype(dtype):
        return "other"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if is_object(values) and holds_numbers(values):
        return "number"
    return "category" if dtype.kind == "O" or pd.api.types.is_string_dtype(dtype) else "other"


def holds_numbers(values: pd.Series[Any]) -> bool:
    """Return whether a column of objects contains only real numbers (not as text) and missing values."""
    types = _types(values)
    return bool(types) and all(issubclass(one, _REAL) and not issubclass(one, _BOOLEANS) for one in types)


def is_object(values: pd.Series[Any]) -> bool:
    """Return whether a column contains Python objects."""
    return isinstance(values.dtype, np.dtype) and values.dtype.kind == "O"


def _types(values: pd.Series[Any]) -> set[type]:
    if pd.api.types.infer_dtype(values, skipna=True) == "string":  # a hundred times faster for the most frequent type
        return {str}
    return set(map(type, values.to_numpy(dtype=object)[~values.isna().to_numpy()]))


def as_numbers(values: pd.Series[Any]) -> NDArray[np.float64] | None:
    """Return a column as numbers, with NaN for missing values; None if it contains anything else.

    Booleans, complex numbers and text do not count as numbers; Python numbers in a column of dtype object do.

    Examples
    --------
    >>> as_numbers(pd.Series([1, None, 2.5], dtype=object))
    array([1. , nan, 2.5])
    """
    values = plain(values)
    if kind_of(values) != "number":
        return None
    if not is_object(values):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    present = ~values.isna().to_numpy()
    numbers = np.full(len(values), np.nan)
    numbers[present] = [as_float(one) for one in values.to_numpy(dtype=object)[present]]
    return numbers


def as_float(value: Any) -> float:  # noqa: ANN401 - any real number
    """Return the nearest float64, infinite for values beyond its range."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
