"""Read a column of obs of any dtype, as categories or as numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import ColumnError
from karospace_jupyter.plan.names import as_text
from karospace_jupyter.plan.natural_order import natural_order
from karospace_jupyter.source.numbers import as_float, is_object, kind_of

_EXACT = 2.0**53
"""Integers up to this magnitude are exact in float64."""


@dataclass(frozen=True, slots=True)
class Categories:
    """A column as category codes, for all cells of the source."""

    names: list[str]
    """All categories in their order, including unused ones; two of them may have the same text."""
    codes: NDArray[np.int64]
    """Shape (n_cells,); -1 where a value is missing."""
    ordered: bool
    boolean: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column as numbers, for all cells of the source."""

    values: NDArray[np.float64]
    """Shape (n_cells,); NaN where a value is missing or infinite."""
    integers: NDArray[np.int64] | NDArray[np.uint64] | None
    """The values as integers, exact beyond 2**53, if all are whole, none is missing and they fit."""
    texts: NDArray[np.object_] | None
    """Exact digits of integers, None where missing; only set if float64 rounds some of them."""
    single: bool
    """Whether the source stores float32 or float16; text output then omits spurious digits."""
    infinite: int
    """Number of infinite values, which count as missing."""
    rounded: int
    """Number of values with more digits than float64 can store."""


def as_categories(values: pd.Series[Any], name: str) -> Categories:
    """Convert a :func:`plain` column to category codes.

    A categorical keeps its order; numbers and dates are sorted by value, text in :func:`natural_order`.

    Raises
    ------
    ColumnError
        If the values cannot be converted to text.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = values.cat.categories
        # As Python floats, values of float32 would have spurious digits: 0.10000000149011612 for 0.1.
        names = as_text(list(categories.to_numpy()) if categories.dtype.kind == "f" else categories).tolist()
        return Categories(names, values.cat.codes.to_numpy().astype(np.int64), bool(values.cat.ordered), boolean=False)
    if pd.api.types.is_bool_dtype(dtype):
        raw = values.to_numpy(dtype=object)
        missing = values.isna().to_numpy()
        codes = np.array([-1 if gap else int(bool(v)) for v, gap in zip(raw, missing, strict=True)], dtype=np.int64)
        return Categories(["False", "True"], codes, ordered=False, boolean=True)
    try:
        if kind_of(values) == "number":
            return _by_value(values)
        if dtype.kind in "mM":
            codes, uniques = pd.factorize(values, sort=True)
            names = as_text(pd.Series(uniques).astype(str)).tolist()
            return Categories(names, codes.astype(np.int64), ordered=False, boolean=False)
        return _by_text(as_text(values), values.isna().to_numpy())
    except (TypeError, ValueError) as exc:
        msg = f"Cannot use the column {name!r} of obs as categories: it holds {dtype} values ({exc}). Leave it out."
        raise ColumnError(msg) from exc


def _by_text(text: NDArray[np.object_], missing: NDArray[np.bool_]) -> Categories:
    text = text.copy()
    text[missing] = None
    return _in_order(text, natural_order)


def _in_order(text: NDArray[np.object_], order: Callable[[list[str]], list[str]]) -> Categories:
    codes, found = _distinct(text)
    names = order(found)
    rank = {one: i for i, one in enumerate(names)}
    renumber = np.array([*(rank[one] for one in found), -1], dtype=np.int64)  # code -1 indexes the last entry
    return Categories(names, renumber[codes], ordered=False, boolean=False)


def _distinct(text: NDArray[np.object_]) -> tuple[NDArray[np.int64], list[str]]:
    """Return the index of each text among the distinct texts (-1 for None), and the distinct texts."""
    if "\0" in "".join(filter(None, text)):  # pandas compares text only up to the first NUL
        places: dict[str, int] = {}
        codes = [-1 if one is None else places.setdefault(one, len(places)) for one in text]
        return np.array(codes, dtype=np.int64), list(places)
    numbered, uniques = pd.factorize(text)
    return numbered.astype(np.int64), uniques.tolist()


def _by_value(values: pd.Series[Any]) -> Categories:
    """Convert numbers to categories, sorted by value; integers are written without a decimal point."""
    numbers = exact_numbers(values)
    if numbers.texts is not None:
        return _in_order(numbers.texts, lambda found: sorted(found, key=int))
    if numbers.integers is not None:
        uniques, codes = np.unique(numbers.integers, return_inverse=True)
        return Categories([str(one) for one in uniques.tolist()], codes.astype(np.int64), ordered=False, boolean=False)
    present = ~np.isnan(numbers.values)
    codes = np.full(len(numbers.values), -1, dtype=np.int64)
    uniques, codes[present] = np.unique(numbers.values[present] + 0.0, return_inverse=True)  # merge -0 with 0
    shown = uniques.astype(np.float32) if numbers.single else uniques
    whole = bool((uniques == np.rint(uniques)).all())
    names = [str(int(one)) for one in uniques] if whole else shown.astype(str).tolist()
    return Categories(names, codes, ordered=False, boolean=False)


def exact_numbers(values: pd.Series[Any]) -> Numbers:
    """Convert a :func:`plain` column of kind ``number`` to float64, and keep what float64 cannot represent."""
    if is_object(values):
        return _from_objects(values)
    missing = values.isna().to_numpy()
    dtype = values.dtype
    if pd.api.types.is_integer_dtype(dtype):
        kind = np.uint64 if pd.api.types.is_unsigned_integer_dtype(dtype) else np.int64
        integers = values.to_numpy(dtype=kind, na_value=0) if missing.any() else values.to_numpy(dtype=kind)
        return _from_integers(integers, missing)
    rounded = 0
    if dtype.kind == "f" and dtype.itemsize > 8:
        longest = values.to_numpy()
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = longest.astype(np.float64)
            rounded = int((np.isfinite(longest) & (numbers.astype(longest.dtype) != longest)).sum())
    elif _is_decimal(dtype):
        return _from_objects(values.astype(object))
    else:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    single = getattr(dtype, "itemsize", 8) in (2, 4) and pd.api.types.is_float_dtype(dtype)
    return _from_floats(numbers, missing, single=single, rounded=rounded)


def _is_decimal(dtype: Any) -> bool:  # noqa: ANN401 - pandas has no types
    return isinstance(dtype, pd.ArrowDtype) and issubclass(dtype.type, Decimal)


def _from_floats(numbers: NDArray[np.float64], missing: NDArray[np.bool_], *, single: bool, rounded: int) -> Numbers:
    infinite = np.isinf(numbers) & ~missing
    numbers = np.where(missing | infinite, np.nan, numbers)
    return Numbers(numbers, None, None, single, int(infinite.sum()), rounded)


def _from_integers(integers: NDArray[np.int64] | NDArray[np.uint64], missing: NDArray[np.bool_]) -> Numbers:
    numbers = integers.astype(np.float64)
    texts = None
    # Values that float64 rounds up to 2**64 have no integer to compare with; they are beyond 2**53 in any case.
    far = np.abs(numbers) > _EXACT
    if far.any() and any(int(a) != b for a, b in zip(numbers[far].tolist(), integers[far].tolist(), strict=True)):
        texts = as_text(integers.tolist())
        texts[missing] = None
    numbers[missing] = np.nan
    return Numbers(numbers, None if missing.any() else integers, texts, single=False, infinite=0, rounded=0)


def _from_objects(values: pd.Series[Any]) -> Numbers:
    missing = values.isna().to_numpy()
    raw = values.to_numpy(dtype=object)
    present = [one for one, gap in zip(raw, missing, strict=True) if not gap]
    numbers = np.full(len(raw), np.nan)
    numbers[~missing] = [as_float(one) for one in present]
    if all(isinstance(one, (int, np.integer)) for one in present):
        exact = [int(one) for one in present]
        low, high = min(exact, default=0), max(exact, default=0)
        for kind in (np.int64, np.uint64):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                integers = np.zeros(len(raw), dtype=kind)
                integers[~missing] = exact
                return _from_integers(integers, missing)  # type: ignore[arg-type]  # either of the two
        texts = np.full(len(raw), None, dtype=object)
        texts[~missing] = [str(one) for one in exact]
        infinite = np.isinf(numbers)  # beyond the largest finite float64
        return Numbers(np.where(infinite, np.nan, numbers), None, texts, False, 0, 0)  # noqa: FBT003
    # A Decimal is compared by its digits: 0.1 counts as exact in float64, 1.00000000000000000001 does not.
    rounded = sum(
        Decimal(repr(found)) != one if isinstance(one, Decimal) else Fraction(found) != one
        for one, found in zip(present, numbers[~missing].tolist(), strict=True)
        if isinstance(one, (Decimal, Fraction)) and np.isfinite(found)
    )
    single = bool(present) and all(isinstance(one, (np.float32, np.float16)) for one in present)
    return _from_floats(numbers, missing, single=single, rounded=int(rounded))
