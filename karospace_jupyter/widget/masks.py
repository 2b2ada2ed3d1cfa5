"""Sets of cells: as user input, as boolean arrays over obs, and as bits in messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import ViewError
from karospace_jupyter.formatting import counted

Mask = NDArray[np.bool_]


def as_mask(value: Any, names: NDArray[np.object_]) -> Mask | None:  # noqa: ANN401 - many types are accepted
    """Convert a selection to a boolean array over cells, shape (n,), or None for no selection.

    Parameters
    ----------
    value
        None; booleans, one per cell (an array, list or Series; a Series is matched by name if its index holds the names
        of the cells); names of cells; or positions of cells.
    names
        Names of all cells, shape (n,).

    Raises
    ------
    ViewError
        If the value is none of these, has the wrong length, or refers to cells that do not exist.
    """
    n = len(names)
    if value is None:
        return None
    if isinstance(value, pd.Series | pd.api.extensions.ExtensionArray) and value.dtype == "boolean":
        value = value.fillna(value=False).astype(bool)  # missing values select nothing, as in pandas
    if isinstance(value, pd.Series) and value.dtype == bool and not value.index.equals(pd.RangeIndex(n)):
        unique = value.index.is_unique and pd.Index(names).is_unique
        matched = value.reindex(pd.Index(names)) if unique else value
        if len(matched) == n and not matched.isna().any():
            return np.asarray(matched, dtype=bool)
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray | pd.Series | pd.Index | set | frozenset):
        msg = f"A selection must be booleans over obs, names or positions of cells, or None; got {value!r:.80}."
        raise ViewError(msg)
    array: NDArray[Any] = np.asarray(list(value) if isinstance(value, set | frozenset) else value)
    if array.ndim != 1:
        msg = f"A selection must have one dimension; got an array of shape {array.shape}."
        raise ViewError(msg)
    if array.dtype == bool:
        if len(array) != n:
            msg = f"A boolean selection needs one value for each of the {n:,} cells; got {len(array):,}."
            raise ViewError(msg)
        return array.copy()
    positions = _positions(array, names)
    mask = np.zeros(n, dtype=bool)
    mask[positions] = True
    return mask


def _positions(array: NDArray[Any], names: NDArray[np.object_]) -> NDArray[np.int64]:
    n = len(names)
    if array.dtype.kind in "iu":
        if len(array) and (array.min() < 0 or array.max() >= n):
            msg = f"Positions of cells must be from 0 to {n - 1:,}; got {int(array.min()):,} to {int(array.max()):,}."
            raise ViewError(msg)
        return array.astype(np.int64)
    if not len(array):
        return np.zeros(0, dtype=np.int64)
    index = pd.Index(names)
    if not index.is_unique:
        twice = int(index.duplicated().sum())
        cells = counted(twice, "cell has", "cells have")
        msg = f"{cells} a duplicate name: select with booleans or positions instead of names."
        raise ViewError(msg)
    positions = index.get_indexer(pd.Index(array.astype(object)))
    if (positions < 0).any():
        unknown = array[positions < 0]
        msg = f"{counted(len(unknown), 'name is', 'names are')} not in this view; the first: {str(unknown[0])!r}."
        raise ViewError(msg)
    return np.asarray(positions, dtype=np.int64)


def pack(mask: Mask) -> bytes:
    """Pack a mask into one bit per cell, starting with the lowest bit of the first byte."""
    return np.packbits(mask, bitorder="little").tobytes()


def unpack(data: memoryview | bytes, n: int) -> Mask:
    """Unpack the bits of :func:`pack` for `n` cells.

    Raises
    ------
    ViewError
        If there are too few bits.
    """
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), bitorder="little")
    if len(bits) < n:
        msg = f"The page sent a selection of {len(bits):,} cells, but {n:,} were expected."
        raise ViewError(msg)
    return bits[:n].astype(bool)
