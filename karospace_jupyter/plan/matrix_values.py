"""What the values of a matrix are: counts, log1p, scaled, or something else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

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
_FEWEST_CELLS, _FEWEST_GENES = 20, 4
"""Fewer variances near one are a coincidence."""
_EXACT_VARIANCE = 0.02
"""How far from one a variance may be where few are known; that of divided by n, not n - 1, is off by 1 / n."""
_OFF = 0.05
"""How far from a whole number a ratio may be: values are often rounded to three digits, or float16."""


def matrix_values(source: Source) -> MatrixValues:
    """Decide from a sample of the chosen matrix, and from ``uns['log1p']``, what its values are.

    counts
        Non-negative whole numbers.
    log1p
        Non-negative values whose inverse is counts over a factor for each cell, or has the same sum in each cell.
        Where the values are too few to tell, ``uns['log1p']`` decides for ``X`` and ``raw``: it says nothing of layers,
        and it stays when the values are scaled or replaced.
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


def _varied(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the genes that are not constant but for rounding."""
    with np.errstate(invalid="ignore"):
        return np.asarray(variance > 1e-12 * mean**2)


def _unit_variance(values: sp.csr_matrix, variance: NDArray[np.float64]) -> bool:
    """Whether genes were divided by their standard deviations, without centering."""
    n_cells, n_genes = values.shape
    detected = np.bincount(values.indices, minlength=n_genes) >= 0.05 * n_cells
    # A limit, as of sc.pp.scale(max_value=10), takes variance from the genes that reach it.
    limited = values.indices[values.data == values.data.max()]
    free = np.bincount(limited, minlength=n_genes) == 0
    varied = detected & (variance > 0)
    chosen = variance[varied & free] if len(np.unique(limited)) > 1 else variance[varied]
    if n_cells < _FEWEST_CELLS or len(chosen) < _FEWEST_GENES:
        return False
    if (np.abs(chosen - 1) < _EXACT_VARIANCE).all():
        return True
    low, high = np.quantile(chosen, [0.05, 0.95])
    return bool(n_cells >= 200 and len(chosen) >= 10 and low > 0.75 and high < 1.33)


def _whole_ratios(values: sp.csr_matrix, data: NDArray[np.float64]) -> bool | None:
    """Whether `data` are counts times a factor for each cell: whole multiples of the cell's smallest value.

    Returns
    -------
    bool or None
        None where too few ratios tell.
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
    # A cell whose smallest count is 2 fails: half of them may.
    if judged.sum() >= 10:
        return bool((n_whole >= 0.95 * n_telling)[judged].mean() >= 0.5)
    # Of few genes, or of cells that hold little but ones, all cells are judged together.
    return bool(n_whole.sum() >= 0.5 * n_telling.sum()) if n_telling.sum() >= 50 else None


def _equal_sums(values: sp.csr_matrix, inverse: NDArray[np.float64]) -> bool:
    """Whether the sums of cells are nearly equal after the logarithm is undone, and are not before."""
    if values.shape[0] < 50 or values.shape[1] < 50:
        return False
    cell = np.repeat(np.arange(values.shape[0]), np.diff(values.indptr))
    after = np.bincount(cell, weights=inverse, minlength=values.shape[0])
    before = np.bincount(cell, weights=values.data, minlength=values.shape[0])
    after, before = after[before > 0], before[before > 0]
    spread = float(after.std() / after.mean())
    return spread < 0.005 and float(before.std() / before.mean()) > max(0.0005, 5 * spread)
