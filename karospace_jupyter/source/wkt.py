"""Compute centroids of cell outlines given as well-known text (WKT) or as objects with a `wkt` attribute."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Point = tuple[float, float]

_KINDS = ("MULTIPOLYGON", "POLYGON", "MULTIPOINT", "POINT")
_DIMENSIONS = ("", "Z", "M", "ZM")
_BRACKETS = re.compile(r"[()]")
_MISMATCH = "its parentheses do not match"
_VALUES_CHECKED = 20
"""Number of values that decide whether a column contains geometries."""


class NotWktError(ValueError):
    """The text is not a valid polygon or point."""


@dataclass(frozen=True, slots=True)
class Centroids:
    """The centroids of the geometries of a column."""

    xy: NDArray[np.float64]
    """Shape (n, 2), NaN for rows without a centroid."""
    damaged: NDArray[np.bool_]
    """Mask of the values that could not be read, shape (n,)."""
    example: str
    """The first damaged value and its problem."""


def holds_geometries(values: pd.Series[Any]) -> bool:
    """Return whether a column starts with polygons or points, as WKT or as objects with an attribute `wkt`."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        values = pd.Series(values.cat.categories)
        dtype = values.dtype
    if pd.api.types.is_numeric_dtype(dtype) or dtype.kind in "mM":
        return False
    first = list(values[values.notna().to_numpy()].iloc[:_VALUES_CHECKED])
    # Damaged values must not hide a column of outlines, and a sentence that begins with "Point" must not count as one.
    named = [text for text in map(_text_of, first) if text is not None and _kind_of(text) is not None]
    return len(named) * 2 > len(first) and any(_centroid_or_none(text) is not None for text in named)


def centroids(values: pd.Series[Any]) -> Centroids:
    """Return the centroid of each geometry. Polygons are weighted by area, excluding holes.

    Examples
    --------
    >>> square = "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))"
    >>> centroids(pd.Series([square, "POINT (5 6)"])).xy.tolist()
    [[1.0, 1.0], [5.0, 6.0]]
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        of_categories = centroids(pd.Series(values.cat.categories))
        codes = values.cat.codes.to_numpy()
        xy = np.vstack([of_categories.xy, [[np.nan, np.nan]]])[codes]
        return Centroids(xy, np.append(of_categories.damaged, False)[codes], of_categories.example)
    xy = np.full((len(values), 2), np.nan)
    damaged = np.zeros(len(values), bool)
    example = ""
    missing = values.isna().to_numpy()
    for at, value in enumerate(values.array):
        if missing[at]:
            continue
        try:
            text = _text_of(value)
            if text is None:
                msg = f"it is of type {type(value).__name__}, not text"
                raise NotWktError(msg)
            found = centroid(text)
        except ValueError as exc:
            damaged[at] = True
            if not example:
                shown = str(value)
                example = f"{shown[:40] + '…' if len(shown) > 40 else shown!r}: {exc}"
        else:
            if found is not None:
                xy[at] = found
    return Centroids(xy, damaged, example)


def centroid(text: str) -> Point | None:
    """Return the centroid of one WKT geometry; None for an empty geometry.

    Raises
    ------
    ValueError
        If the text is not a valid POLYGON, MULTIPOLYGON, POINT or MULTIPOINT.
    """
    kind = _kind_of(text)
    if kind is None:
        msg = "it is not a POLYGON, MULTIPOLYGON, POINT or MULTIPOINT"
        raise NotWktError(msg)
    body = text[text.upper().index(kind) + len(kind) :].strip()
    head, bracket, rest = body.partition("(")
    head = head.strip().upper()
    if not bracket:
        if head.split()[-1:] == ["EMPTY"]:
            return None
        msg = "it has no coordinates"
        raise NotWktError(msg)
    if head not in _DIMENSIONS:
        msg = f"{head[:20]!r} before its coordinates is not a dimension (Z, M or ZM)"
        raise NotWktError(msg)
    nested = _nested(bracket + rest)
    if kind in {"POINT", "MULTIPOINT"}:
        parts = nested if kind == "MULTIPOINT" and not isinstance(nested[0], str) else [nested]
        places = [_positions(part) for part in parts]
        xs = [x for part, _ in places for x in part]
        ys = [y for _, part in places for y in part]
        if kind == "POINT" and len(xs) != 1:
            msg = "a POINT must have exactly one position"
            raise NotWktError(msg)
        return math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    polygons = [nested] if kind == "POLYGON" else nested
    return _centroid_of([[_ring(ring) for ring in _lists(polygon)] for polygon in _lists(polygons)])


def _text_of(value: Any) -> str | None:  # noqa: ANN401 - a column of objects may contain anything
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    text = getattr(value, "wkt", None)  # shapely, geopandas
    return text if isinstance(text, str) else None


def _kind_of(text: str) -> str | None:
    head = text[:80].lstrip()
    if head[:5].upper() == "SRID=":
        head = head.partition(";")[2].lstrip()
    word = head[:16].partition("(")[0].partition(" ")[0].strip().upper()
    return next((kind for kind in _KINDS if word.startswith(kind) and word[len(kind) :] in _DIMENSIONS), None)


def _centroid_or_none(text: str) -> Point | None:
    try:
        return centroid(text)
    except ValueError:
        return None


Nested = list[Any]
"""A list of one string, or a list of such lists."""


def _nested(text: str) -> Nested:
    """Parse nested parentheses in one pass: `((1 2, 3 4))` becomes ``[["1 2, 3 4"]]``."""
    top: Nested = []
    stack = [top]
    begin = 0
    for bracket in _BRACKETS.finditer(text):
        between = text[begin : bracket.start()].strip()
        begin = bracket.end()
        parent = stack[-1]
        if bracket.group() == "(":
            if between != ("," if parent else "") or len(stack) > 4 or (parent is top and top):
                raise NotWktError(_MISMATCH)
            inner: Nested = []
            parent.append(inner)
            stack.append(inner)
        else:
            if parent is top or bool(between) == bool(parent):  # either text or lists, not both
                raise NotWktError(_MISMATCH)
            if between:
                parent.append(between)
            stack.pop()
    if len(stack) != 1 or text[begin:].strip() or not top:
        raise NotWktError(_MISMATCH)
    first: Nested = top[0]
    return first


def _lists(parts: Nested) -> list[Nested]:
    """Return `parts`, after checking that they are lists, not text."""
    if isinstance(parts[0], str):
        raise NotWktError(_MISMATCH)
    return parts


def _positions(parts: Nested) -> tuple[list[float], list[float]]:
    """Return x and y of a list of positions; further dimensions are ignored."""
    if not isinstance(parts[0], str):
        raise NotWktError(_MISMATCH)
    words = parts[0].replace(",", " , ").split()
    n = words.index(",") if "," in words else len(words)
    commas = words[n :: n + 1]
    if not 2 <= n <= 4 or len(words) % (n + 1) != n or any(word != "," for word in commas):
        msg = "its positions do not have two to four numbers each"
        raise NotWktError(msg)
    if "_" in parts[0]:
        msg = "'_' is not part of a number"
        raise NotWktError(msg)
    xs, ys = list(map(float, words[0 :: n + 1])), list(map(float, words[1 :: n + 1]))
    if not math.isfinite(sum(xs) + sum(ys)):
        msg = "a number is not finite"
        raise NotWktError(msg)
    return xs, ys


Ring = tuple[list[float], list[float]]


def _ring(parts: Nested) -> Ring:
    xs, ys = _positions(parts)
    if len(xs) < 4 or xs[0] != xs[-1] or ys[0] != ys[-1]:
        msg = "a ring is not closed, or has fewer than three vertices"
        raise NotWktError(msg)
    return xs, ys


def _centroid_of(polygons: Sequence[Sequence[Ring]]) -> Point:
    """Return the centroid by area, excluding holes; by length for outlines without area; or the single point."""
    x0, y0 = polygons[0][0][0][0], polygons[0][0][1][0]  # products are more precise near the origin
    total = at_x = at_y = size = 0.0
    for rings in polygons:
        for number, (xs, ys) in enumerate(rings):
            near = [x - x0 for x in xs], [y - y0 for y in ys]
            area, x, y = _moments(*near)
            # The outer ring adds and holes subtract, regardless of their orientation.
            sign = math.copysign(1.0, area) * (-1.0 if number else 1.0)
            total += sign * area
            at_x += sign * x
            at_y += sign * y
            size = max(size, *map(abs, near[0]), *map(abs, near[1]))
    if total > 1e-12 * size * size:
        return x0 + at_x / total, y0 + at_y / total
    total = at_x = at_y = 0.0
    for rings in polygons:
        for (ax, ay), (bx, by) in itertools.pairwise(zip(*rings[0], strict=True)):
            length = math.hypot(bx - ax, by - ay)
            total += length
            at_x += length * ((ax - x0) + (bx - x0)) / 2
            at_y += length * ((ay - y0) + (by - y0)) / 2
    return (x0 + at_x / total, y0 + at_y / total) if total > 0 else (x0, y0)


def _moments(xs: list[float], ys: list[float]) -> tuple[float, float, float]:
    """Return the signed area of a ring, and the signed area times its centroid."""
    area = at_x = at_y = 0.0
    ax, ay = xs[0], ys[0]
    for bx, by in zip(xs, ys, strict=True):
        cross = ax * by - bx * ay
        area += cross
        at_x += (ax + bx) * cross
        at_y += (ay + by) * cross
        ax, ay = bx, by
    return area / 2, at_x / 6, at_y / 6
