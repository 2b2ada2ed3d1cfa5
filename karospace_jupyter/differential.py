"""Compare the values of every gene between two groups of cells: means, Welch's t-test and the Wilcoxon rank-sum test.

Everything is computed in float64 from the values of the cells, including the zeros, which are not stored. p-values are
kept as logarithms, because many genes of a real tissue have p-values below the smallest double.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from karospace_jupyter.errors import ComparisonError
from karospace_jupyter.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from karospace_jupyter.job import Job

T = TypeVar("T")
Floats = NDArray[np.float64]

MIN_CELLS = 3
"""Minimum number of cells in a group, and of cells with a value for the tests of a gene."""
_PSEUDO = 1e-9
"""Added to both means of a fold change, as in scanpy."""
_LN10 = math.log(10)
_TINY = 1e-300
"""Replaces values near zero in a continued fraction, to prevent divisions by zero."""
_CLOSE = 4e-16
"""Relative change of a continued fraction at which it has converged."""
_MAX_STEPS = 10_000
"""Maximum number of terms of a continued fraction, to prevent endless loops."""


@dataclass(frozen=True, slots=True)
class MatrixScale:
    """The kind of values in a matrix, which determines how fold changes are computed."""

    kind: Literal["counts", "log1p", "scaled", "other"]
    log_base: float | None = None
    """Base of log1p; None is the natural logarithm."""

    @property
    def fold_change(self) -> str | None:
        """What the fold change compares; None if these values have no fold change."""
        if self.kind == "counts":
            return "mean counts"
        return "means back-transformed from log1p" if self.kind == "log1p" and self.factor is not None else None

    @property
    def factor(self) -> float | None:
        """Factor that converts logarithms of `log_base` to natural ones; None if the base is invalid."""
        if self.log_base is None:
            return 1.0
        return math.log(self.log_base) if 1 < self.log_base < math.inf else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of two groups, A and B: one float64 per gene, NaN where a number is undefined."""

    mean_a: Floats
    mean_b: Floats
    fraction_a: Floats
    """Share of nonzero values among the cells with a value."""
    fraction_b: Floats
    log2_fold_change: Floats
    """Of A over B; NaN if the values are neither counts nor their logarithms, or negative."""
    auc: Floats
    """Probability that a cell of A has a larger value than a cell of B; ties count half."""
    u: Floats
    """Mann-Whitney U of A."""
    z: Floats
    """Score of the Wilcoxon rank-sum test, corrected for ties, without continuity correction."""
    log10_p: Floats
    """Two-sided, from the normal distribution, with continuity correction."""
    log10_p_adjusted: Floats
    """Benjamini-Hochberg adjusted, over the genes with a p-value."""
    t: Floats
    """Welch's t."""
    t_df: Floats
    """Welch-Satterthwaite degrees of freedom."""
    t_log10_p: Floats
    t_log10_p_adjusted: Floats

    def table(self, names: Sequence[str], **attrs: object) -> pd.DataFrame:
        """Return a table with the index ``gene``, sorted by `z` in descending order, with untested genes last."""
        import pandas as pd

        columns = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        table = pd.DataFrame(columns, index=pd.Index(names, name="gene", dtype=object))
        table = table.iloc[np.argsort(-self.z, kind="stable")]  # NaN is last
        table.attrs = attrs
        return table


def check_groups(a: NDArray[np.bool_], b: NDArray[np.bool_], n_cells: int | None = None) -> None:
    """Check that two groups of cells can be compared.

    Parameters
    ----------
    a, b
        Whether each cell is in the group.
    n_cells
        Total number of cells.

    Raises
    ------
    ComparisonError
        If a group is not boolean, has the wrong length or fewer than three cells, or the groups overlap.
    """
    expected = len(a) if n_cells is None else n_cells
    for name, group in (("A", a), ("B", b)):
        if group.dtype != bool or group.shape != (expected,):
            found = f"{group.dtype} of shape {group.shape}"
            msg = f"Group {name} must be one boolean for each of the {expected:,} cells; got {found}."
            raise ComparisonError(msg)
    both = int((a & b).sum())
    if both:
        msg = f"{counted(both, 'cell is', 'cells are')} in both groups. Groups must not overlap."
        raise ComparisonError(msg)
    for name, group in (("A", a), ("B", b)):
        n = int(group.sum())
        if n < MIN_CELLS:
            found = counted(n, "cell") if n else "no cells"
            msg = f"Group {name} has {found}; a comparison needs at least {MIN_CELLS} in each group."
            raise ComparisonError(msg)


def compare(
    genes: Iterable[tuple[NDArray[np.integer], NDArray[np.float32]]],
    a: NDArray[np.bool_],
    b: NDArray[np.bool_],
    scale: MatrixScale,
) -> Comparison:
    """Compare the genes between two groups of cells.

    Parameters
    ----------
    genes
        For each gene, the cells that have an entry, and the values of these entries. Cells without an entry have the
        value zero. NaN and infinite values are missing values, which are left out.
    a, b
        Whether each cell is in the group, shape (n_cells,).
    scale
        Kind of the values.

    Raises
    ------
    ComparisonError
        As for :func:`check_groups`.

    Examples
    --------
    >>> cells, values = np.array([0, 1, 2, 5]), np.array([4, 2, 3, 1], dtype=np.float32)
    >>> a = np.arange(7) < 3
    >>> found = compare([(cells, values)], a, ~a, MatrixScale("counts"))
    >>> found.mean_a, found.u, found.z.round(3)
    (array([3.]), array([12.]), array([2.201]))
    """
    check_groups(a, b)
    group = a.astype(np.uint8) + 2 * b.astype(np.uint8)

    def split() -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        for cells, values in genes:
            of_cell = group[cells]
            yield values[of_cell == 1], values[of_cell == 2]

    return compare_values(split(), int(a.sum()), int(b.sum()), scale)


def counted_genes(genes: Iterable[T], n_genes: int, job: Job) -> Iterator[T]:
    """Yield genes, and report the number of compared genes as the progress of a job.

    Raises
    ------
    Cancelled
        If the job was canceled.
    """
    with job.stage("Comparing genes", n_genes, "genes") as stage:
        for gene in genes:
            yield gene
            stage.advance()


def compare_values(
    genes: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]], n_a: int, n_b: int, scale: MatrixScale
) -> Comparison:
    """Compare the genes between two groups of `n_a` and `n_b` cells, given their entries in A and in B.

    The entries of a group may be in any order; see :func:`compare`.
    """
    rows = [_sums(in_a, in_b, n_a, n_b) for in_a, in_b in genes]
    sums = _Sums(*np.array(rows, dtype=np.float64).reshape(-1, len(_Sums._fields)).T)
    tested = (sums.n_a >= MIN_CELLS) & (sums.n_b >= MIN_CELLS)
    with np.errstate(all="ignore"):
        u, z, log10_p = _rank_test(sums, tested)
        t, df, t_log10_p = _t_test(sums, tested)
        return Comparison(
            mean_a=sums.mean_a,
            mean_b=sums.mean_b,
            fraction_a=sums.detected_a / sums.n_a,
            fraction_b=sums.detected_b / sums.n_b,
            log2_fold_change=fold_change(sums.mean_a, sums.mean_b, sums.negative != 0, scale),
            auc=u / (sums.n_a * sums.n_b),
            u=u,
            z=z,
            log10_p=log10_p,
            log10_p_adjusted=adjusted(log10_p),
            t=t,
            t_df=df,
            t_log10_p=t_log10_p,
            t_log10_p_adjusted=adjusted(t_log10_p),
        )


class _Sums(NamedTuple):
    """The statistics of each gene from which the tests are computed; counts are exact in float64."""

    n_a: Any
    """Number of cells with a value."""
    n_b: Any
    detected_a: Any
    detected_b: Any
    mean_a: Any
    mean_b: Any
    squares_a: Any
    """Sum of squared deviations from the mean."""
    squares_b: Any
    twice_u: Any
    spread: Any
    """n³ - n - Σ(t³ - t), where t is the number of cells with each distinct value; zero if all values are equal."""
    negative: Any
    """Whether a value is below zero."""


def _sums(a: NDArray[np.float32], b: NDArray[np.float32], n_a: int, n_b: int) -> _Sums:
    a, n_a = _present(a, n_a)
    b, n_b = _present(b, n_b)
    negative = bool(len(a) and a.min() < 0) or bool(len(b) and b.min() < 0)
    mean_a, squares_a = _moments(a, n_a)
    mean_b, squares_b = _moments(b, n_b)
    twice_u, spread = _ranks(a, b, n_a - len(a), n_b - len(b), negative=negative)
    return _Sums(n_a, n_b, len(a), len(b), mean_a, mean_b, squares_a, squares_b, twice_u, spread, negative)


def _present(values: NDArray[np.float32], n: int) -> tuple[NDArray[np.float32], int]:
    """Return the finite values other than zero, and how many of `n` cells have a finite value."""
    if len(values) and not (values.min() > 0 and values.max() < np.inf):  # False for NaN
        finite = np.isfinite(values)
        n -= len(values) - int(finite.sum())
        values = values[finite & (values != 0)]
    return values, n


def _moments(values: NDArray[np.float32], n: int) -> tuple[float, float]:
    """Return the mean over `n` cells, and the sum of squared deviations from it."""
    if not n:
        return math.nan, math.nan
    exact = values.astype(np.float64)
    mean = float(exact.sum()) / n
    exact -= mean
    return mean, float(exact @ exact) + (n - len(values)) * mean * mean


def _ranks(
    a: NDArray[np.float32], b: NDArray[np.float32], zeros_a: int, zeros_b: int, *, negative: bool
) -> tuple[int, float]:
    """Return twice U of A, which is an integer, and `spread` of :class:`_Sums`.

    The values are sorted as integers of the same order, with the group as the lowest bit.
    """
    values = np.concatenate([a, b])
    bits = values.view(np.uint32)
    keys: NDArray[Any]
    below = 0
    if negative:  # invert negative numbers, whose bits are in reverse order, and put them first
        keys = (bits ^ ((bits.view(np.int32) >> 31).view(np.uint32) | np.uint32(2**31))).astype(np.uint64)
    else:
        keys = bits.copy()
    keys <<= 1
    keys[len(a) :] |= 1
    keys.sort()
    in_b = np.cumsum(keys & 1, dtype=np.int64)
    keys >>= 1
    last = np.append(np.flatnonzero(keys[1:] != keys[:-1]), len(keys) - 1) if len(keys) else np.zeros(0, np.int64)
    if negative:
        below = int(np.searchsorted(keys[last], 2**31))
    upto_b = in_b[last]
    of_b = np.diff(upto_b, prepend=0)
    times = np.diff(last, prepend=-1)
    of_a = times - of_b
    before_b = upto_b - of_b
    before_b[below:] += zeros_b
    negative_b = int(of_b[:below].sum())
    twice_u = int((of_a * (2 * before_b + of_b)).sum()) + zeros_a * (2 * negative_b + zeros_b)
    n, zeros = len(values) + zeros_a + zeros_b, zeros_a + zeros_b
    # Σ t (n - t) (n + t) is n³ - n - Σ(t³ - t), without a difference of nearly equal numbers.
    tied = times.astype(np.float64)
    return twice_u, float((tied * (n - tied) * (n + tied)).sum()) + float(zeros * (n - zeros) * (n + zeros))


def marker_columns(
    numbers: Mapping[str, Floats], ties: Floats, n: Floats, negative: NDArray[np.bool_], scale: MatrixScale
) -> dict[str, Floats]:
    """Return the columns of a comparison of a category with all other cells, from its stored markers.

    Parameters
    ----------
    numbers
        Arrays of one category, as in :class:`~karospace_jupyter.bundle.markers.MarkerTable`; shape (n_genes,).
    ties
        As in :class:`~karospace_jupyter.bundle.markers.MarkerTable`; shape (n_genes,).
    n
        Number of cells with a value, among all cells.
    negative
        Whether a gene has a value below zero.
    scale
        Kind of the values.
    """
    n_a, z, t, df = numbers["n"], numbers["z"], numbers["t"], numbers["t_df"]
    with np.errstate(all="ignore"):
        n_b = n - n_a
        sigma = np.sqrt(n_a * n_b / 12 * (n + 1) * ties)
        auc = np.where(ties > 0, 0.5 + z * sigma / (n_a * n_b), 0.5)
        auc[(n_a < MIN_CELLS) | (n_b < MIN_CELLS)] = np.nan
        log10_p, t_log10_p = log10_normal(z, sigma), log10_two_sided(t, df)
        return {
            "mean_a": numbers["mean"],
            "mean_b": numbers["mean_rest"],
            "fraction_a": numbers["fraction"],
            "fraction_b": numbers["fraction_rest"],
            "log2_fold_change": fold_change(numbers["mean"], numbers["mean_rest"], negative, scale),
            "auc": auc,
            "z": z,
            "log10_p": log10_p,
            "log10_p_adjusted": adjusted(log10_p),
            "t": t,
            "t_df": df,
            "t_log10_p": t_log10_p,
            "t_log10_p_adjusted": adjusted(t_log10_p),
        }


def fold_change(mean_a: Floats, mean_b: Floats, negative: NDArray[np.bool_], scale: MatrixScale) -> Floats:
    """Return the log2 fold change of means; NaN for genes with `negative` values, and if `scale` has no fold change."""
    factor = scale.factor if scale.kind == "log1p" else 1.0
    if scale.fold_change is None or factor is None:
        return np.full(len(mean_a), np.nan)
    a, b = (np.expm1(mean * factor) if scale.kind == "log1p" else mean for mean in (mean_a, mean_b))
    found: Floats = np.log2((a + _PSEUDO) / (b + _PSEUDO))
    found[negative] = np.nan
    return found


def _rank_test(sums: _Sums, tested: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    u = np.where(tested, sums.twice_u / 2, np.nan)
    z, sigma = deviates(sums.n_a, sums.n_b, u, sums.spread)
    return u, z, log10_normal(z, sigma)


def deviates(n_a: Floats, n_b: Floats, u: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return z of a Mann-Whitney U, and the standard deviation of U corrected for ties; NaN if all values are equal."""
    n, pairs = n_a + n_b, n_a * n_b
    sigma = np.where(spread > 0, np.sqrt(pairs / 12 * (spread / (n * (n - 1)))), np.nan)
    return (u - pairs / 2) / sigma, sigma


def log10_normal(z: Floats, sigma: Floats) -> Floats:
    """Return log10 of the two-sided p-value of z with continuity correction; `sigma` is the standard deviation of U."""
    log_p = math.log(2) + special.log_ndtr(0.5 / sigma - np.abs(z))
    return np.asarray(np.minimum(log_p / _LN10, 0.0))


def _t_test(sums: _Sums, tested: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    varied = tested & (sums.spread > 0)  # the others have a t of 0 / 0
    groups = (sums.n_a, sums.n_b), (sums.mean_a, sums.mean_b), (sums.squares_a, sums.squares_b)
    t, df = welch(*groups, varied)
    return t, df, log10_two_sided(t, df)


def welch(
    n: tuple[Floats, Floats], mean: tuple[Floats, Floats], squares: tuple[Floats, Floats], varied: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return Welch's t and its degrees of freedom; NaN where not `varied`.

    Parameters
    ----------
    n, mean, squares
        For both groups: number of values, their mean, and the sum of squared deviations from it.
    """
    of_a, of_b = (of / (size - 1) / size for of, size in zip(squares, n, strict=True))
    t = np.where(varied, (mean[0] - mean[1]) / np.sqrt(of_a + of_b), np.nan)
    df = (of_a + of_b) ** 2 / (of_a**2 / (n[0] - 1) + of_b**2 / (n[1] - 1))
    return t, np.where(varied, np.where(of_a + of_b > 0, df, 1.0), np.nan)  # 1 for an infinite t, as in scipy


def log10_two_sided(t: Floats, df: Floats) -> Floats:
    """Return log10 of the two-sided p-value of Student's t; -inf for an infinite t, NaN for NaN.

    p is the regularized incomplete beta function I(df / 2, 1 / 2) at x = df / (df + t²).

    Examples
    --------
    >>> log10_two_sided(np.array([0.0, 2.0, 300.0]), np.array([10.0, 10.0, 1000.0])).round(6)
    array([   0.      ,   -1.134375, -981.11647 ])
    """
    found = np.full(len(t), np.nan)
    a, squared = df / 2, t * t
    with np.errstate(all="ignore"):
        x, y = df / (df + squared), squared / (df + squared)
        found[np.isinf(t)] = -np.inf
        near = x >= (a + 1) / (a + 2.5)  # where p is not small: computed from its complement
        found[near] = np.log1p(-special.betainc(0.5, a[near], y[near])) / _LN10
        far = np.flatnonzero(~near & np.isfinite(t) & np.isfinite(df))
        front = -a * np.log1p(squared / df) - 0.5 * np.log1p(df / squared) - _log_beta_half(a)
        found[far] = (front[far] - np.log(_beta_fraction(a[far], x[far], y[far]))) / _LN10
    return np.asarray(np.minimum(found, 0.0))


def _log_beta_half(a: Floats) -> Floats:
    """Return log B(a, 1/2). A difference of log-gammas would lose digits for large `a`."""
    small = a < 20
    ratio = special.gammaln(a + 0.5) - special.gammaln(a)
    i = 1 / np.maximum(a, 1)
    series = np.log(a) / 2 - i / 8 + i**3 / 192 - i**5 / 640 + 17 * i**7 / 14336 - 31 * i**9 / 18432
    return np.asarray(special.gammaln(0.5) - np.where(small, ratio, series))


def _beta_fraction(a: Floats, x: Floats, y: Floats) -> Floats:
    """Return the continued fraction F in I(a, b) = x^a y^b / (B(a, b) F), for b = 1/2 and y = 1 - x.

    This is the fraction of DiDonato and Morris, evaluated by Lentz's method. Its terms are not differences of nearly
    equal numbers, and it takes fewer than a hundred steps for any `a`.
    """
    b = 0.5
    found = np.full(len(a), np.nan)
    at = np.arange(len(a))
    c = h = a * (a * y - b * x + 1) / (a + 1)
    d = np.zeros(len(a))
    for m in range(1, _MAX_STEPS):
        if not len(at):
            break
        before = a + 2 * m - 1
        above = m * (a + m - 1) / before * ((a + b + m - 1) / before) * (b - m) * x * x
        below = m + m * (b - m) * x / before + (a + m) * (a * y - b * x + 1 + m * (1 + y)) / (a + 2 * m + 1)
        d = 1 / _not_zero(below + above * d)
        c = _not_zero(below + above / c)
        h = h * c * d
        found[at] = h
        going = np.abs(c * d - 1) > _CLOSE
        if not going.all():
            at = at[going]
            a, x, y, c, d, h = (part[going] for part in (a, x, y, c, d, h))
    return found


def _not_zero(values: Floats) -> Floats:
    return np.where(np.abs(values) < _TINY, _TINY, values)


def adjusted(log10_p: Floats) -> Floats:
    """Adjust log10 p-values by the method of Benjamini and Hochberg, ignoring NaN.

    Examples
    --------
    >>> adjusted(np.array([-400.0, np.nan, -1.0, -2.0])).round(3)
    array([-399.523,      nan,   -1.   ,   -1.824])
    """
    found = np.full(len(log10_p), np.nan)
    known = np.flatnonzero(~np.isnan(log10_p))
    order = known[np.argsort(log10_p[known], kind="stable")]
    raised = log10_p[order] + np.log10(len(known) / np.arange(1, len(known) + 1))
    found[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 0.0)
    return found
