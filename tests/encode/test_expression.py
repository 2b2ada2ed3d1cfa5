"""Compare the summary of a gene with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from karospace_jupyter.bundle.summary import summarize


@pytest.mark.parametrize("n", [1, 2, 3, 17, 1000])
@pytest.mark.parametrize("kind", ["counts", "continuous", "signed"])
def test_percentiles_interpolate_over_nonzero_values(n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    drawn = rng.poisson(3, n) if kind == "counts" else rng.normal(0 if kind == "signed" else 9, 1, n)
    values = np.r_[np.zeros(5, np.float32), drawn.astype(np.float32)]
    present = values[values != 0].astype(np.float64)
    if not len(present):
        pytest.skip("the sample contains only zeros")
    summary = summarize(values)
    assert summary.upper == pytest.approx(np.percentile(present, 99), rel=1e-12)
    signed = (values < 0).any()
    assert summary.lower == pytest.approx(np.percentile(present, 1) if signed else 0, rel=1e-12)
    assert summary.fraction == len(present) / len(values)


def test_percentile_of_squares_matches_the_viewer() -> None:
    # js/src/lib/lib.test.ts expects the same number. The zero is ignored, so ten values remain.
    values = np.array([0, *np.arange(10) ** 2 + 1], dtype=np.float32)
    assert summarize(values).upper == pytest.approx(80.47, rel=1e-12)
