"""Values of a matrix: types that the compiled code takes, and which of them are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.errors import GenesError

LARGEST = float(np.finfo(np.float32).max)
LARGEST_EXACT = 2**24
"""float32 holds all whole numbers up to this one."""


def check_numbers(dtype: np.dtype[Any]) -> None:
    """Refuse types that hold no numbers.

    Raises
    ------
    GenesError
        For text, dates, complex numbers and records.
    """
    if dtype.kind not in "biuf":
        msg = f"The matrix holds {dtype} values; numbers were expected."
        raise GenesError(msg)


def as_numbers(values: NDArray[Any]) -> NDArray[Any]:
    """Return values in a type that numpy and scipy both compute with; masked values and None become NaN.

    No copy is made of what needs no change.

    Parameters
    ----------
    values
        Of any numeric type, also float16, longdouble, foreign byte order, masked, or objects that are numbers.

    Raises
    ------
    GenesError
        When it holds anything but numbers.
    """
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    out = np.asarray(values)
    if out.dtype.kind == "O":
        out = _from_objects(out, masked)
    check_numbers(out.dtype)
    if masked is not None and masked.any():
        out = np.where(masked, np.nan, out.astype(np.float64 if out.dtype.itemsize > 2 else np.float32))
    if out.dtype.kind == "f" and out.dtype.itemsize not in {4, 8}:  # scipy has no code for these
        with np.errstate(over="ignore"):  # beyond float64 is beyond float32, too, and counted as such
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
        msg = f"The matrix holds objects that are not numbers: {exc}."
        raise GenesError(msg) from exc


def missing_in(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return which values are missing: NaN, infinite, or infinite as float32. None when none is.

    Returns
    -------
    bool, of the shape of `values`.
    """
    if values.dtype.kind != "f" or not values.size:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        # Two reductions without a copy. NaN makes both comparisons false.
        if values.min() >= -LARGEST and values.max() <= LARGEST:
            return None
        found: NDArray[np.bool_] = ~np.isfinite(values.astype(np.float32, copy=False))
    return found if found.any() else None


def rounded_in(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return which whole numbers float32 changes: some beyond 2**24. None when it changes none.

    Returns
    -------
    bool, of the shape of `values`.
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


def without_duplicates(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return the matrix with the entries of one place added up, as the sparse formats mean them."""
    if matrix.has_canonical_format:
        return matrix
    turned = matrix.tocsc()  # sorts in linear time, into arrays of its own
    turned.sum_duplicates()
    return turned.tocsr()
