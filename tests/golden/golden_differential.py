"""Reference values for the comparison of two groups of cells, for the tests of Python and of the viewer.

``python tests/golden/golden_differential.py`` rewrites ``differential.json``. The values come from scipy and from
formulas on all values of a gene, not from the package. Where scipy's p-values underflow, they come from an integral of
the density.

null is a missing value or an undefined result; "inf" and "-inf" are infinite. U is exact; other numbers have at least
11 significant digits, or an absolute error below 1e-13 where they are differences, such as a fold change near zero.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, stats

FILE = Path(__file__).parent / "differential.json"
SMALLEST = 1e-280
"""Below this p-value, scipy's functions may underflow."""

Group = list[float | None]


def lognormalized(seed: int, n: int, rate: float) -> Group:
    """Return log1p of normalized counts, exact as float32."""
    rng = np.random.default_rng(seed)
    values = np.log1p(rng.poisson(rate, n) * 1e4 / rng.integers(2_000, 9_000, n))
    return [float(value) for value in values.astype(np.float32)]


def with_missing(values: Group, step: int) -> Group:
    return [None if i % step == 0 else value for i, value in enumerate(values)]


def cases() -> list[tuple[str, str, Group, Group]]:
    """Return (name, kind, group A, group B)."""
    rng = np.random.default_rng(19)
    signed = [float(value) for value in rng.normal(0, 1, 90).astype(np.float32)]
    shifted = [float(value) for value in rng.normal(0.4, 2, 110).astype(np.float32)]
    return [
        ("smallest groups", "log1p", [0.0, 0.5, 1.5], [0.0, 0.0, 0.25]),
        ("distinct values", "other", [1.5, 2.5, 4.5, 7.5], [0.5, 3.5, 5.5, 6.5, 8.5]),
        ("ties within and between groups", "counts", [0, 1, 1, 2, 2, 3, 5], [0, 0, 1, 1, 2, 2, 2, 9]),
        ("counts", "counts", rng.poisson(2.0, 150).tolist(), rng.poisson(1.4, 250).tolist()),
        ("many zeros", "log1p", lognormalized(1, 200, 0.08), lognormalized(2, 200, 0.05)),
        ("log1p", "log1p", lognormalized(3, 120, 1.2), lognormalized(4, 280, 0.7)),
        ("equal groups", "log1p", [0.0, 0.5, 1.0, 1.0], [0.0, 0.5, 1.0, 1.0]),
        ("only in one group", "log1p", lognormalized(5, 60, 2.0), [0.0] * 80),
        ("all zeros", "log1p", [0.0] * 5, [0.0] * 7),
        ("constant", "log1p", [float(np.float32(0.1))] * 6, [float(np.float32(0.1))] * 9),
        ("no variance, different means", "counts", [1, 1, 1, 1], [3, 3, 3, 3, 3]),
        ("no variance, larger in A", "log1p", [0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0]),
        ("variance in one group only", "counts", [2, 2, 2, 2], [1, 2, 3, 4, 7]),
        ("negative values", "log1p", signed, shifted),
        ("scaled values", "other", shifted, signed),
        ("missing values", "log1p", with_missing(lognormalized(6, 90, 1.0), 4), with_missing(lognormalized(7, 70, 0.5), 3)),
        ("too few values in A", "log1p", [None, None, 1.0, 0.0], [0.0, 1.0, 2.0, 0.5]),
        ("no values in B", "counts", [1, 0, 2], [None, None, None]),
        ("t-test below the smallest double", "log1p", [5 + i % 4 / 256 for i in range(200)], [i % 3 / 256 for i in range(200)]),
        ("both tests below the smallest double", "counts", [7 + i % 5 for i in range(1500)], [i % 6 for i in range(1600)]),
        ("infinitesimal difference", "log1p", [1 + i / 2**23 for i in range(8)], [1 + (i + 2) / 2**23 for i in range(12)]),
    ]  # fmt: skip


def expected(kind: str, a: Group, b: Group) -> dict[str, Any]:
    in_a, in_b = (np.array([value for value in group if value is not None], dtype=np.float64) for group in (a, b))
    result: dict[str, float] = {
        "mean_a": mean(in_a),
        "mean_b": mean(in_b),
        "fraction_a": mean(in_a != 0),
        "fraction_b": mean(in_b != 0),
        "log2_fold_change": fold_change(kind, in_a, in_b),
        **dict.fromkeys(("auc", "u", "z", "log10_p", "t", "t_df", "t_log10_p"), math.nan),
    }
    if min(len(in_a), len(in_b)) >= 3:
        result |= rank_test(in_a, in_b) | t_test(in_a, in_b)
    return {name: json_number(value) for name, value in result.items()}


def mean(values: NDArray[Any]) -> float:
    return math.fsum(values.tolist()) / len(values) if len(values) else math.nan


def fold_change(kind: str, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    both = np.concatenate([a, b])
    if kind == "other" or not len(a) or not len(b) or both.min() < 0:
        return math.nan
    if kind == "log1p":
        return float(np.log2((np.expm1(mean(a)) + 1e-9) / (np.expm1(mean(b)) + 1e-9)))
    return float(np.log2((mean(a) + 1e-9) / (mean(b) + 1e-9)))


def rank_test(a: NDArray[np.float64], b: NDArray[np.float64]) -> dict[str, float]:
    n_a, n_b = len(a), len(b)
    n = n_a + n_b
    test = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=True)
    u = float(test.statistic)
    result = {"u": u, "auc": u / (n_a * n_b), "z": math.nan, "log10_p": math.nan}
    ranks = stats.rankdata(np.concatenate([a, b]))
    sigma = math.sqrt(n_a * n_b / 12 * (n + 1) * stats.tiecorrect(ranks))
    if sigma == 0:
        return result
    deviation = u - n_a * n_b / 2
    log_p = math.log(2) + float(stats.norm.logsf((abs(deviation) - 0.5) / sigma))
    log10_p = min(0.0, log_p / math.log(10))
    if test.pvalue > SMALLEST:
        assert math.isclose(10**log10_p, float(test.pvalue), rel_tol=1e-11)
    return {**result, "z": deviation / sigma, "log10_p": log10_p}


def t_test(a: NDArray[np.float64], b: NDArray[np.float64]) -> dict[str, float]:
    if a.min() == a.max() == b.min() == b.max():
        return {}
    if a.min() == a.max() and b.min() == b.max():
        sign = 1 if a[0] > b[0] else -1
        return {"t": sign * math.inf, "t_df": 1.0, "t_log10_p": -math.inf}  # like scipy, which also warns
    test = stats.ttest_ind(a, b, equal_var=False)
    t, df, p = float(test.statistic), float(test.df), float(test.pvalue)
    log10_p = math.log10(p) if p > SMALLEST else log10_two_sided(abs(t), df)
    if 0 < p < 1e-3:
        assert math.isclose(log10_p, log10_two_sided(abs(t), df), rel_tol=1e-11)
    return {"t": t, "t_df": df, "t_log10_p": log10_p}


def log10_two_sided(t: float, df: float) -> float:
    """Return log10 of the two-sided p-value from the integral of the density, relative to its value at `t`."""
    log_density = float(stats.t.logpdf(t, df))

    def density(s: float) -> float:  # the density at t exp(s), relative to that at t
        return math.exp(float(stats.t.logpdf(t * math.exp(s), df)) - log_density + s)

    decay = (df + 1) * t**2 / (df + t**2) - 1  # at s = 0; it grows with s
    area = sum(integrate.quad(density, low / decay, high / decay, epsabs=0, epsrel=1e-13)[0]
               for low, high in ((0, 1), (1, 8), (8, 60)))  # fmt: skip
    return (math.log(2) + log_density + math.log(t) + math.log(area)) / math.log(10)


def adjusted(log10_p: Group) -> Group:
    """Return the logarithms of p-values adjusted by Benjamini and Hochberg, from exact decimal numbers."""
    known = sorted((i for i, p in enumerate(log10_p) if p is not None), key=lambda i: float(log10_p[i] or 0.0))
    result: Group = [None] * len(log10_p)
    lowest = 0.0
    for rank, i in reversed(list(enumerate(known, 1))):
        p = log10_p[i]
        assert p is not None
        if math.isfinite(p):
            p = float(Decimal(p) + (Decimal(len(known)) / Decimal(rank)).log10())
        lowest = min(lowest, p)
        result[i] = lowest
    if all(p is None or p > -280 for p in log10_p):
        plain = stats.false_discovery_control([10.0 ** float(log10_p[i] or 0.0) for i in known])
        np.testing.assert_allclose([10.0 ** float(result[i] or 0.0) for i in known], plain, rtol=1e-12)
    return result


def adjustments() -> list[dict[str, Any]]:
    rng = np.random.default_rng(5)
    lists: list[Group] = [
        [-0.5, -3.0, -1.25, -2.0, -0.125],
        [0.0, 0.0, -0.0625],
        [-400.5, -310.0, None, -2.0, -310.0, 0.0, -1e5],
        [None, None],
        [],
        [-math.inf, -1.0, None, -math.inf, -0.25],
        [float(p) for p in np.log10(rng.random(60))],
        [-1.0, -1.0, -1.0, -1.0],
    ]
    return [
        {"log10_p": [json_number(p) for p in log10_p], "adjusted": [json_number(p) for p in adjusted(log10_p)]}
        for log10_p in lists
    ]


def json_number(value: float | None) -> float | str | None:
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(value) + 0.0  # no negative zero


def read(value: float | str | None) -> float:
    """Return a number of the file; NaN for null."""
    return math.nan if value is None else float(value)


def reference() -> dict[str, Any]:
    np.seterr(all="ignore")
    compared = [
        {"name": name, "kind": kind, "a": a, "b": b, "expected": expected(kind, a, b)} for name, kind, a, b in cases()
    ]
    return {"cases": compared, "adjust": adjustments()}


def as_json(value: dict[str, Any]) -> str:
    """Return JSON text with one line per case."""
    parts = [f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in value[name]) + "\n]" for name in value]
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    FILE.write_text(as_json(reference()))
