"""Tests of local regression."""

from __future__ import annotations

import numpy as np
import pytest

from karospace_jupyter.plan.loess import loess


def test_noisy_curve_is_fitted_like_the_reference() -> None:
    reference = pytest.importorskip("skmisc.loess")
    rng = np.random.default_rng(0)
    x = rng.gamma(2.0, 1.0, 3000)
    y = np.sin(x) + x + rng.normal(0, 0.3, len(x))
    model = reference.loess(x, y, span=0.3, degree=2)
    model.control.surface = "direct"  # without interpolation
    model.fit()
    assert np.abs(loess(x, y) - model.outputs.fitted_values).max() < 0.005


@pytest.mark.parametrize("x", [[1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0], [3.0, 1.0, 2.0]])
def test_few_or_equal_points_give_finite_values(x: list[float]) -> None:
    fitted = loess(np.array(x), np.arange(len(x), dtype=float))
    assert fitted.shape == (len(x),)
    assert np.isfinite(fitted).all()


def test_points_next_to_many_equal_ones_are_fitted() -> None:
    x = np.r_[np.full(2000, 0.006), 0.008, np.linspace(0.5, 1, 100)]
    y = 2 * x + 5
    assert np.abs(loess(x, y) - y).max() < 1e-6
