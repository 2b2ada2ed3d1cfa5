"""Determine what the values of a matrix are: counts, log1p, scaled or other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.plan.model import MatrixValues
from karospace_jupyter.source.values import natural, without_log1p

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

_LARGEST = float(np.finfo(np.float32).max)
LARGEST_LOG1P = 30.0
"""Above log1p of any realistic count; larger values were not log-transformed."""

_BASES = (None, 2.0, 10.0)
"""Bases that are tried if ``uns`` states none; None is the natural logarithm."""
_RATIOS = (1.5, 8.5)
"""Range of the checked ratios of counts: 1 is uninformative, and rounding errors make large ratios inconclusive."""
_MIN_CELLS, _MIN_GENES = 20, 4
"""With fewer cells or genes, variances near one may be a coincidence."""
_EXACT_VARIANCE = 0.02
"""Tolerance for a variance of one if there are few genes; dividing by n instead of n - 1 is off by 1 / n."""
_OFF = 0.05
"""Tolerance for a whole ratio: values are often rounded to three digits or stored as float16."""


def matrix_values(source: Source) -> MatrixValues:
    """Determine the kind of values from a sample of the chosen matrix and from ``uns['log1p']``.

    counts
        Non-negative integers.
    log1p
        Non-negative values. After the logarithm is undone, each cell holds counts times a constant factor, or all
        cells have the same sum. If there are too few values to check, ``uns['log1p']`` decides for ``X`` and ``raw``;
        it does not apply to layers, and it remains in the file when the values are scaled or replaced.
    scaled
        Each gene is centered on zero or has a variance of one.
    other
        Anything else: a wrong result would be worse than none.
    """
    sample = source.sample()
    values = sample.values.copy()
    finite = np.abs(values.data) <= _LARGEST  # False for NaN; values beyond float32 count as missing, too
    missing = sp.csr_matrix((~finite, values.indices, values.indptr), shape=values.shape).sum(axis=0)
    values.data[~finite] = 0.0
    values.sum_duplicates()
    values.eliminate_zeros()
    if not values.nnz:
        return MatrixValues("other")
    mean, variance = _moments(values, values.shape[0] - np.asarray(missing).ravel())
    if values.data.min() < 0:
        return MatrixValues("scaled" if _centered(mean, variance) else "other")
    if (values.data % 1 == 0).all():
        return MatrixValues("counts")
    stated, stated_base = _stated(source)
    bases = dict.fromkeys((stated_base, *_BASES) if stated else _BASES)
    linear = _whole_ratios(values, values.data)
    inverses = {base: inverse for base in bases if (inverse := _inverse(values.data, base)) is not None}
    whole = {base: _whole_ratios(values, inverse) for base, inverse in inverses.items()}
    for base in inverses:
        if whole[base] and (not linear or (stated and base == stated_base)):
            return MatrixValues("log1p", base)
    if _unit_variance(values, variance):
        return MatrixValues("scaled")
    if sample.whole_cells and not linear:
        for base, inverse in inverses.items():
            if _equal_sums(values, inverse):
                return MatrixValues("log1p", base)
    if stated and not linear and stated_base in inverses and whole[stated_base] is None:
        return MatrixValues("log1p", stated_base, unchecked=True)
    return MatrixValues("other")


def _stated(source: Source) -> tuple[bool, float | None]:
    """Return whether ``uns['log1p']`` applies to the chosen matrix, and the base that it states.

    scanpy stores the base there; a base of None is lost when the file is written.
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
    return without_log1p(data, base) if data.max() * natural(base) <= LARGEST_LOG1P else None


def _moments(values: sp.csr_matrix, n: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of each gene over the `n` cells that have a value."""
    n_genes = values.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(values.indices, weights=values.data, minlength=n_genes) / n
        off = values.data - mean[values.indices]
        stored = np.bincount(values.indices, minlength=n_genes)
        squares = np.bincount(values.indices, weights=off * off, minlength=n_genes) + (n - stored) * mean**2
        return mean, squares / np.maximum(n - 1, 1)


def _centered(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> bool:
    """Return whether most genes have a mean near zero, or nearly all have a variance near one."""
    varied = _varied(mean, variance)
    if not varied.any():
        return False
    with np.errstate(invalid="ignore"):
        away = np.median(np.abs(mean[varied]) / np.sqrt(variance[varied]))
    low, high = np.quantile(variance[varied], [0.1, 0.9])
    return bool(away < 0.5 or (low > 0.6 and high < 1.6))


def _varied(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which genes are not constant, apart from rounding errors."""
    with np.errstate(invalid="ignore"):
        return np.asarray(variance > 1e-12 * mean**2)


def _unit_variance(values: sp.csr_matrix, variance: NDArray[np.float64]) -> bool:
    """Return whether genes were divided by their standard deviations without centering."""
    n_cells, n_genes = values.shape
    detected = np.bincount(values.indices, minlength=n_genes) >= 0.05 * n_cells
    # Clipping, as in sc.pp.scale(max_value=10), reduces the variance of the genes that reach the limit.
    limited = values.indices[values.data == values.data.max()]
    free = np.bincount(limited, minlength=n_genes) == 0
    varied = detected & (variance > 0)
    chosen = variance[varied & free] if len(np.unique(limited)) > 1 else variance[varied]
    if n_cells < _MIN_CELLS or len(chosen) < _MIN_GENES:
        return False
    if (np.abs(chosen - 1) < _EXACT_VARIANCE).all():
        return True
    low, high = np.quantile(chosen, [0.05, 0.95])
    return bool(n_cells >= 200 and len(chosen) >= 10 and low > 0.75 and high < 1.33)


def _whole_ratios(values: sp.csr_matrix, data: NDArray[np.float64]) -> bool | None:
    """Return whether `data` are counts times a factor per cell: multiples of the cell's smallest value.

    Returns
    -------
    bool or None
        None if there are too few informative ratios.
    """
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
    # A cell whose smallest count is 2 fails the test, so only half of the cells have to pass.
    if judged.sum() >= 10:
        return bool((n_whole >= 0.95 * n_telling)[judged].mean() >= 0.5)
    # With few genes, or cells with little but ones, judge all cells together.
    return bool(n_whole.sum() >= 0.5 * n_telling.sum()) if n_telling.sum() >= 50 else None


def _equal_sums(values: sp.csr_matrix, inverse: NDArray[np.float64]) -> bool:
    """Return whether the sums of cells are nearly equal after the logarithm is undone, but not before."""
    if values.shape[0] < 50 or values.shape[1] < 50:
        return False
    cell = np.repeat(np.arange(values.shape[0]), np.diff(values.indptr))
    after = np.bincount(cell, weights=inverse, minlength=values.shape[0])
    before = np.bincount(cell, weights=values.data, minlength=values.shape[0])
    after, before = after[before > 0], before[before > 0]
    spread = float(after.std() / after.mean())
    return spread < 0.005 and float(before.std() / before.mean()) > max(0.0005, 5 * spread)
