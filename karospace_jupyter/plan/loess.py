"""Fit a smooth curve to points by local regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

_PLACES = 150
"""The curve is fitted at this many quantiles of x and at as many equidistant points, and interpolated between them."""


def loess(x: NDArray[np.float64], y: NDArray[np.float64], span: float = 0.3) -> NDArray[np.float64]:
    """Return the values of a local quadratic regression at each `x`.

    Parabolas are fitted to the nearest points with tricube weights (Cleveland and Devlin, Journal of the American
    Statistical Association 1988), as in R's ``loess``, which Seurat uses.

    Parameters
    ----------
    x, y
        Finite coordinates of the points, shape (n,).
    span
        Share of the points that each fit uses.

    Returns
    -------
    numpy.ndarray
        Shape (n,).

    Examples
    --------
    >>> x = np.linspace(0, 1, 50)
    >>> bool(np.allclose(loess(x, x**2), x**2))
    True
    """
    order = np.argsort(x, kind="stable")
    xs, ys = x[order], y[order]
    size = min(len(xs), max(4, int(span * len(xs))))
    quantiles = xs[np.linspace(0, len(xs) - 1, _PLACES).round().astype(np.int64)]
    # Fit at points only: far from them, the nearest ones may all be at the largest distance, where weights are zero.
    spread = xs[np.searchsorted(xs, np.linspace(xs[0], xs[-1], _PLACES))]
    places = np.unique([*quantiles, *spread])
    fitted = np.array([_fit(xs, ys, place, size) for place in places])
    return fitted.repeat(len(x)) if len(places) == 1 else np.asarray(PchipInterpolator(places, fitted)(x))


def _fit(xs: NDArray[np.float64], ys: NDArray[np.float64], place: float, size: int) -> float:
    # The nearest points are a window of the sorted ones.
    left, right = max(0, int(np.searchsorted(xs, place)) - size), len(xs) - size
    while left < right:
        middle = (left + right) // 2
        if place - xs[middle] > xs[middle + size] - place:
            left = middle + 1
        else:
            right = middle
    off = xs[left : left + size] - place
    reach = np.abs(off).max()
    # The root of the tricube weights, because residuals are squared.
    weight = (1 - np.abs(off / reach) ** 3) ** 1.5 if reach > 0 else np.ones(size)
    parabola = np.stack([np.ones(size), off, off**2], axis=1)
    found = np.linalg.lstsq(parabola * weight[:, None], ys[left : left + size] * weight, rcond=None)[0]
    return float(found[0])
