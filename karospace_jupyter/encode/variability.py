"""Rank the exported genes by variability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.plan.hvg import most_variable_first, seurat_dispersion
from karospace_jupyter.plan.loess import loess
from karospace_jupyter.source.values import without_log1p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.plan.model import MatrixValues

_FEWEST_FITTED = 10
"""With fewer genes, the trend of the variance cannot be estimated."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Statistics of one gene over its cells with a value; of values before log1p, if the matrix holds log1p values."""

    mean: float
    variance: float
    detected: int
    present: int


def moments(values: NDArray[np.float32], matrix: MatrixValues) -> Moments:
    """Compute the statistics of one gene; `values` has NaN for cells without a value."""
    found = values[values != 0]  # includes NaN
    return moments_of_entries(found, len(values) - len(found), matrix)


def moments_of_entries(entries: NDArray[np.float32], zeros: int, matrix: MatrixValues) -> Moments:
    """Compute the statistics of one gene, given its nonzero values, including NaN, and the number of zeros."""
    found = entries.astype(np.float64)
    found = found[~np.isnan(found)]
    if matrix.kind == "log1p":
        found = without_log1p(found, matrix.log_base)
    n = len(found) + zeros
    if n < 2:
        return Moments(float("nan"), float("nan"), len(found), n)
    mean = float(found.sum()) / n
    variance = (float(((found - mean) ** 2).sum()) + zeros * mean**2) / (n - 1)
    return Moments(mean, variance, len(found), n)


def variability_ranks(genes: Sequence[Moments], matrix: MatrixValues) -> list[int] | None:
    """Rank genes, 1 for the most variable, as an export does to choose variable genes.

    Counts are compared by their variance relative to that of genes with the same mean, log1p values by Seurat's
    normalized dispersion, and others by their variance. Rarely detected genes come last.

    Returns
    -------
    list of int or None
        None for scaled values, whose variance does not show which genes vary.
    """
    if matrix.kind == "scaled":
        return None
    mean = np.array([gene.mean for gene in genes])
    variance = np.array([gene.variance for gene in genes])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if matrix.kind == "counts":
            score = _relative_variance(mean, variance)
        else:
            score = seurat_dispersion(mean, variance) if matrix.kind == "log1p" else variance
    # Rounding errors must not reorder genes with equal scores, as in bins of two genes.
    score = np.round(score, 9)
    detected = np.array([gene.detected for gene in genes])
    order = most_variable_first(score, detected, np.array([gene.present for gene in genes]))
    ranks = np.empty(len(genes), dtype=np.int64)
    ranks[order] = np.arange(1, len(genes) + 1)
    return [int(rank) for rank in ranks]


def _relative_variance(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    varied = variance > 0
    if varied.sum() < _FEWEST_FITTED:
        return np.asarray(variance / mean)
    expected = np.full(len(mean), np.nan)
    expected[varied] = 10 ** loess(np.log10(mean[varied]), np.log10(variance[varied]))
    return np.asarray(variance / expected)
