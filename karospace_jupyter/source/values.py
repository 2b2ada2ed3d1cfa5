"""Convert the values of a matrix to supported types, and find missing and rounded values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.errors import GenesError

LARGEST = float(np.finfo(np.float32).max)
LARGEST_EXACT = 2**24
"""float32 represents all integers up to this one exactly."""


def check_numbers(dtype: np.dtype[Any]) -> None:
    """Reject types that are not real numbers.

    Raises
    ------
    GenesError
        For text, dates, complex numbers and records.
    """
    if dtype.kind not in "biuf":
        msg = f"The matrix contains values of type {dtype}; expected real numbers."
        raise GenesError(msg)


def as_numbers(values: NDArray[Any]) -> NDArray[Any]:
    """Return values in a type that numpy and scipy can both compute with; masked values and None become NaN.

    Values that need no conversion are not copied.

    Parameters
    ----------
    values
        Values of any numeric type, including float16, longdouble, foreign byte order, masked arrays and objects that
        are numbers.

    Raises
    ------
    GenesError
        If a value is not a number.
    """
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    out = np.asarray(values)
    if out.dtype.kind == "O":
        out = _from_objects(out, masked)
    check_numbers(out.dtype)
    if masked is not None and masked.any():
        out = np.where(masked, np.nan, out.astype(np.float64 if out.dtype.itemsize > 2 else np.float32))
    if out.dtype.kind == "f" and out.dtype.itemsize not in {4, 8}:  # scipy does not support these
        with np.errstate(over="ignore"):  # values beyond float64 are also beyond float32, and counted as such
            return out.astype(np.float32 if out.dtype.itemsize < 4 else np.float64)
    return out if out.dtype.isnative else out.astype(out.dtype.newbyteorder("="))


def _from_objects(values: NDArray[Any], masked: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    import pandas as pd

    empty = np.asarray(pd.isna(values))
    if masked is not None:
        empty |= masked
    try:
        return np.where(empty, np.nan, values).astype(np.float64)
    except (TypeError, ValueError, OverflowError) as exc:
        msg = f"The matrix contains objects that are not numbers: {exc}."
        raise GenesError(msg) from exc


def missing_in(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Find missing values: NaN, infinite, or infinite as float32.

    Returns
    -------
    numpy.ndarray or None
        A boolean mask with the shape of `values`, or None if no value is missing.
    """
    if values.dtype.kind != "f" or not values.size:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        # Two reductions, no copies. NaN makes both comparisons false.
        if values.min() >= -LARGEST and values.max() <= LARGEST:
            return None
        found: NDArray[np.bool_] = ~np.isfinite(values.astype(np.float32, copy=False))
    return found if found.any() else None


def rounded_in(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Find integers beyond 2**24 that float32 rounds.

    Returns
    -------
    numpy.ndarray or None
        A boolean mask with the shape of `values`, or None if no integer is rounded.
    """
    whole_type = values.dtype.kind in "iu"
    exact = values.dtype.itemsize <= (2 if whole_type else 4) or values.dtype.kind not in "iuf"
    if exact or not values.size or (values.min() >= -LARGEST_EXACT and values.max() <= LARGEST_EXACT):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
        found: NDArray[np.bool_] = np.isfinite(single) & (single.astype(values.dtype) != values)
    if not whole_type:
        found &= values == np.rint(values)
    return found if found.any() else None


def natural(base: float | None) -> float:
    """Return the factor that converts logarithms of this base to natural ones; None is the natural logarithm."""
    return 1.0 if base is None else math.log(base)


def without_log1p(values: NDArray[np.float64], base: float | None = None) -> NDArray[np.float64]:
    """Return the values before log1p of this base; infinite where they are beyond float64.

    Examples
    --------
    >>> without_log1p(np.array([0.0, 1.0, 2.0]), 2)
    array([0., 1., 3.])
    """
    with np.errstate(over="ignore"):
        return np.expm1(values if base is None else values * natural(base))


def without_duplicates(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return the matrix with duplicate entries summed, which is how sparse formats define their value."""
    if matrix.has_canonical_format:
        return matrix
    by_column = matrix.tocsc()  # sorts in linear time and copies
    by_column.sum_duplicates()
    return by_column.tocsr()
