"""Reference values for distances to the border of a region, for the tests of Python and of the viewer.

``python tests/golden/golden_distances.py`` rewrites ``distances.json``. The values come from exact fractions: the
nearest point of each edge is computed without rounding, and a ray determines what is inside. Corners and cells are
float32.
"""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "distances.json"

Point = tuple[float, float]


def exact(outline: list[Point], point: Point) -> float:
    """Return the distance of a point to the border, negative inside."""
    x, y = Fraction(point[0]), Fraction(point[1])
    inside, best = False, None
    for (ax, ay), (bx, by) in zip(outline, outline[1:] + outline[:1], strict=True):
        a, b = (Fraction(ax), Fraction(ay)), (Fraction(bx), Fraction(by))
        d = (b[0] - a[0], b[1] - a[1])
        length = d[0] ** 2 + d[1] ** 2
        t = ((x - a[0]) * d[0] + (y - a[1]) * d[1]) / length if length else Fraction(0)
        t = min(max(t, Fraction(0)), Fraction(1))
        squared = (x - a[0] - t * d[0]) ** 2 + (y - a[1] - t * d[1]) ** 2
        best = squared if best is None else min(best, squared)
        if (a[1] > y) != (b[1] > y) and x < d[0] * (y - a[1]) / d[1] + a[0]:
            inside = not inside
    assert best is not None
    with localcontext() as context:
        context.prec = 60
        root = float((Decimal(best.numerator) / Decimal(best.denominator)).sqrt())
    return -root if inside and root > 0 else root


def random_points(seed: int, n: int, spread: float) -> list[Point]:
    """Return n random points as float32."""
    xy = np.random.default_rng(seed).normal(0, spread, (n, 2)).astype(np.float32)
    return [(float(x), float(y)) for x, y in xy]


def lasso(seed: int, n: int, radius: float) -> list[Point]:
    """Return an irregular closed line around the origin."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radii = radius * (1 + 0.3 * np.sin(5 * angles) + rng.normal(0, 0.02, n))
    xy = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)]).astype(np.float32)
    return [(float(x), float(y)) for x, y in xy]


def cases() -> list[tuple[str, list[Point], list[Point]]]:
    """Return (name, outline, cells)."""
    square = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]
    crossed = [(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)]
    return [
        ("square", square, [(1.0, 2.0), (2.0, 2.0), (7.0, 8.0), (0.0, 0.0), (4.0, 1.0), (-3.0, 2.0)]),
        ("figure of eight", crossed, [(0.5, 2.0), (2.0, 2.0), (2.0, 1.0), (3.5, 2.5), (9.0, 9.0)]),
        ("repeated corner", [square[0], *square, square[3]], [(1.0, 1.5), (-1.0, -1.0), (2.5, 5.0)]),
        ("lasso", lasso(1, 60, 900.0), random_points(2, 60, 800.0)),
        ("small lasso among many cells", lasso(3, 40, 3.0), random_points(4, 40, 2000.0)),
        ("large lasso around all cells", lasso(5, 30, 5000.0), random_points(6, 20, 100.0)),
    ]


def expected() -> list[dict[str, Any]]:
    """Return the cases with their distances."""
    return [
        {"name": name, "outline": outline, "cells": cells, "distances": [exact(outline, cell) for cell in cells]}
        for name, outline, cells in cases()
    ]


if __name__ == "__main__":
    FILE.write_text(json.dumps(expected()).replace('{"name"', '\n{"name"') + "\n")
