"""What the values of a matrix are: counts, log1p, scaled, or something else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.plan.model import MatrixValues

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

_LARGEST = float(np.finfo(np.float32).max)
LARGEST_LOG1P = 30.0
"""log1p of the largest counts there are stays below; what is larger was not log-transformed."""

_BASES = (None, 2.0, 10.0)
"""Bases that are tried when ``uns`` names none; None is the natural logarithm."""
_RATIOS = (1.5, 8.5)
"""Ratios of counts that are looked at: 1 says nothing, and a large one need not be whole after rounding."""
_OFF = 0.05
"""How far from a whole number a ratio may be: values are often rounded to three digits, or float16."""


def matrix_values(source: Source) -> MatrixValues:
    """Decide from a sample of the chosen matrix, and from ``uns['log1p']``, what its values are.

    counts
        Non-negative whole numbers.
    log1p
        Non-negative values whose inverse is counts over a factor for each cell, or has the same sum in each cell.
        Where ``uns['log1p']`` is present it decides for ``X`` and ``raw``, unless the values contradict it; it says
        nothing of layers.
    scaled
        Each gene is centered on zero, or has a variance of one.
    other
        Everything else: a wrong claim is worse than none.
    """
    sample = source.sample()
    values = sample.values.copy()
    finite = np.abs(values.data) <= _LARGEST  # False for NaN; what float32 cannot hold is missing, too
    missing = sp.csr_matrix((~finite, values.indices, values.indptr), shape=values.shape).sum(axis=0)
    values.data[~finite] = 0.0
    values.sum_duplicates()
    values.eliminate_zeros()
    if not values.nnz:
        return MatrixValues("other")
    mean, variance = _moments(values, values.shape[0] - np.asarray(missing).ravel())
    if values.data.min() < 0:
        kind: Literal["scaled", "other"] = "scaled" if _centered(mean, variance) else "other"
        return MatrixValues(kind, equal_variance=kind == "scaled" and _equal_variance(mean, variance))
    if (values.data % 1 == 0).all():
        return MatrixValues("counts")
    stated, stated_base = _stated(source)
    bases = dict.fromkeys((stated_base, *_BASES) if stated else _BASES)
    linear = _whole_ratios(values, values.data)
    for base in bases:
        inverse = _inverse(values.data, base)
        if inverse is None:
            continue
        if _whole_ratios(values, inverse) and (not linear or (stated and base == stated_base)):
            return MatrixValues("log1p", base)
    if _unit_variance(values, variance):
        return MatrixValues("scaled", equal_variance=True)
    if stated and not linear and _inverse(values.data, stated_base) is not None:
        return MatrixValues("log1p", stated_base)
    if sample.whole_cells and not linear:
        for base in bases:
            inverse = _inverse(values.data, base)
            if inverse is not None and _equal_sums(values, inverse):
                return MatrixValues("log1p", base)
    return MatrixValues("other")


def natural(base: float | None) -> float:
    """Return what a logarithm is multiplied with to become a natural one."""
    return 1.0 if base is None else math.log(base)


def _stated(source: Source) -> tuple[bool, float | None]:
    """Return whether ``uns['log1p']`` speaks of the chosen matrix, and the base that it names.

    scanpy writes the base there; files lose it when it is None.
    """
    if source.matrix_name not in {"X", "raw"}:
        return False, None
    entry = source.uns("log1p")
    if not isinstance(entry, dict):
        return False, None
    base: Any = source.uns("log1p", "base")
    if base is None or (isinstance(base, (str, bytes)) and base in {"", "None", b"", b"None"}):
        return True, None
    try:
        number = float(np.asarray(base).reshape(-1)[0])
    except (TypeError, ValueError, IndexError):
        return False, None
    if not math.isfinite(number) or number <= 1:
        return False, None
    return True, None if math.isclose(number, math.e, rel_tol=1e-6) else number


def _inverse(data: NDArray[np.float64], base: float | None) -> NDArray[np.float64] | None:
    scaled = data * natural(base)
    return np.expm1(scaled) if scaled.max() <= LARGEST_LOG1P else None


def _moments(values: sp.csr_matrix, n: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance of each gene over the `n` cells that have a value."""
    n_genes = values.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(values.indices, weights=values.data, minlength=n_genes) / n
        off = values.data - mean[values.indices]
        stored = np.bincount(values.indices, minlength=n_genes)
        squares = np.bincount(values.indices, weights=off * off, minlength=n_genes) + (n - stored) * mean**2
        return mean, squares / np.maximum(n - 1, 1)


def _centered(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> bool:
    """Whether most genes have a mean near zero, or nearly all have a variance near one."""
    varied = _varied(mean, variance)
    if not varied.any():
        return False
    with np.errstate(invalid="ignore"):
        away = np.median(np.abs(mean[varied]) / np.sqrt(variance[varied]))
    low, high = np.quantile(variance[varied], [0.1, 0.9])
    return bool(away < 0.5 or (low > 0.6 and high < 1.6))


def _equal_variance(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> bool:
    """Whether the middle half of the variances differs by a factor of two at most: those of rare genes are noisy."""
    low, high = np.quantile(variance[_varied(mean, variance)], [0.25, 0.75])
    return bool(high < 2.2 * low)


def _varied(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the genes that are not constant but for rounding."""
    with np.errstate(invalid="ignore"):
        return np.asarray(variance > 1e-12 * mean**2)


def _unit_variance(values: sp.csr_matrix, variance: NDArray[np.float64]) -> bool:
    """Whether genes were divided by their standard deviations, without centering."""
    detected = np.bincount(values.indices, minlength=values.shape[1]) >= 0.05 * values.shape[0]
    chosen = variance[detected & (variance > 0)]
    if values.shape[0] < 200 or len(chosen) < 10:
        return False
    low, high = np.quantile(chosen, [0.05, 0.95])
    return bool(low > 0.75 and high < 1.33)


def _whole_ratios(values: sp.csr_matrix, data: NDArray[np.float64]) -> bool:
    """Whether `data` are counts times a factor for each cell: whole multiples of the cell's smallest value."""
    starts, ends = values.indptr[:-1], values.indptr[1:]
    filled = ends > starts
    smallest = np.ones(values.shape[0])
    smallest[filled] = np.minimum.reduceat(data, starts[filled])
    cell = np.repeat(np.arange(values.shape[0]), ends - starts)
    with np.errstate(over="ignore"):
        ratio = data / np.maximum(smallest[cell], np.finfo(np.float64).tiny)
    telling = (ratio >= _RATIOS[0]) & (ratio <= _RATIOS[1])
    whole = telling & (np.abs(ratio - np.rint(ratio)) < _OFF)
    n_telling = np.bincount(cell[telling], minlength=values.shape[0])
    n_whole = np.bincount(cell[whole], minlength=values.shape[0])
    judged = n_telling >= 5
    # A cell whose smallest count is 2 fails: half of them may.
    return bool(judged.sum() >= 10 and (n_whole >= 0.95 * n_telling)[judged].mean() >= 0.5)


def _equal_sums(values: sp.csr_matrix, inverse: NDArray[np.float64]) -> bool:
    """Whether the sums of cells are nearly equal after the logarithm is undone, and are not before."""
    if values.shape[0] < 50 or values.shape[1] < 50:
        return False
    cell = np.repeat(np.arange(values.shape[0]), np.diff(values.indptr))
    after = np.bincount(cell, weights=inverse, minlength=values.shape[0])
    before = np.bincount(cell, weights=values.data, minlength=values.shape[0])
    after, before = after[before > 0], before[before > 0]
    spread = float(after.std() / after.mean())
    return spread < 0.005 and float(before.std() / before.mean()) > max(0.02, 5 * spread)
