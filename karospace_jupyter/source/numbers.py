"""Which columns hold numbers, whatever their dtype."""

from __future__ import annotations

import numbers
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable


def as_numbers(values: pd.Series[Any]) -> NDArray[np.float64] | None:
    """Return a column as numbers, NaN where a value is missing; None when it holds anything else.

    Booleans, complex numbers and text are no numbers; Python numbers in a column of dtype object are.

    Examples
    --------
    >>> as_numbers(pd.Series([1, None, 2.5], dtype=object))
    array([1. , nan, 2.5])
    """
    dtype = values.dtype
    if pd.api.types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return None
    if pd.api.types.is_numeric_dtype(dtype):
        if pd.api.types.is_complex_dtype(dtype):
            return None
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    if dtype.kind != "O" or not isinstance(dtype, np.dtype):
        return None
    found = values.to_numpy()
    missing = values.isna().to_numpy()
    if missing.all() or not _all_numbers(found[~missing]):
        return None
    out = np.full(len(found), np.nan)
    out[~missing] = [float(value) for value in found[~missing]]
    return out


def _all_numbers(values: Iterable[object]) -> bool:
    return all(
        isinstance(value, numbers.Real | Decimal | np.number) and not isinstance(value, bool | np.bool_ | complex)
        for value in values
    )
