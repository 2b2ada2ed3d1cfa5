"""Statistics of a gene, as in the manifest and in the index of packed genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.manifest import GeneSummary

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLOSE = 1e-6
"""Relative tolerance of statistics, which are float32 in an index."""
_ROUNDING = 1e-9
"""Tolerance relative to the largest value: the mean of positive and negative values can be near zero."""
_SMALLEST = 1e-40
"""Absolute tolerance, for values so small that float32 has fewer than seven digits."""


def summarize(values: NDArray[np.float32]) -> GeneSummary:
    """Summarize one gene; see :class:`~karospace_jupyter.bundle.manifest.GeneSummary`.

    Parameters
    ----------
    values
        float32, shape (n_cells,) with n_cells > 0; finite, or NaN for cells without a value.
    """
    present = values[values != 0]  # includes NaN
    return summarize_entries(present, len(values) - len(present))


def summarize_entries(present: NDArray[np.float32], n_zeros: int) -> GeneSummary:
    """Summarize one gene, given its nonzero values, including NaN, and the number of zeros."""
    nan = np.isnan(present)
    missing = int(np.count_nonzero(nan))
    if missing:
        present = present[~nan]
    if not len(present):
        return GeneSummary(min=0, max=0, mean=0, fraction=0, lower=0, upper=0, missing=missing)
    low, high = float(present.min()), float(present.max())
    if n_zeros:
        low, high = min(low, 0.0), max(high, 0.0)
    n = len(present) + n_zeros
    return GeneSummary(
        min=low,
        max=high,
        mean=float(present.sum(dtype=np.float64)) / n,
        fraction=len(present) / n,
        lower=0.0 if low >= 0 else _percentile(present, 0.01),
        upper=_percentile(present, 0.99),
        missing=missing,
    )


def _percentile(values: NDArray[np.float32], share: float) -> float:
    # Interpolates in float64 like the viewer does for sections and columns; the results must be equal.
    at = share * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    ordered = np.partition(values, (low, high))
    return float(ordered[low]) + (float(ordered[high]) - float(ordered[low])) * (at - low)


def differences(stated: GeneSummary, found: GeneSummary, gene: str, where: str) -> Iterator[str]:
    """Yield a message for each stated statistic of a gene that differs from that of its values."""
    if stated.missing != found.missing:
        yield f"{gene}: cells without a value (NaN): {found.missing:,} found, {stated.missing:,} in the {where}"
        return
    largest = max(abs(found.min), abs(found.max))
    for name in ("min", "max", "mean", "fraction", "lower", "upper"):
        wanted, given = getattr(found, name), getattr(stated, name)
        # Negated, so that NaN counts as a difference.
        if not abs(given - wanted) <= _CLOSE * abs(wanted) + _ROUNDING * largest + _SMALLEST:
            yield f"{gene}: its {name} is {wanted:.9g}, but {given:.9g} in the {where}"
