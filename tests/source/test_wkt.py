from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from karospace_jupyter.source.wkt import centroid, centroids, holds_geometries

SQUARE = "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SQUARE, (2, 2)),
        ("polygon((0 0,0 4,4 4,4 0,0 0))", (2, 2)),
        ("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (2 0, 4 0, 4 4, 2 4, 2 0))", (1, 2)),
        ("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (2 0, 2 4, 4 4, 4 0, 2 0))", (1, 2)),
        ("MULTIPOLYGON (((0 0,2 0,2 2,0 2,0 0)),((10 0,14 0,14 2,10 2,10 0)))", (25 / 3, 1)),
        ("POLYGON Z ((0 0 7, 4 0 7, 4 4 7, 0 4 7, 0 0 7))", (2, 2)),
        ("SRID=4326;POINT(1.5 -2e3)", (1.5, -2000)),
        ("POINTZ (1 2 3)", (1, 2)),
        ("MULTIPOINT ((1 2), (3 4))", (2, 3)),
        ("MULTIPOINT (1 2, 3 4)", (2, 3)),
        ("POLYGON ((0 0, 1 0, 3 0, 0 0))", (1.5, 0)),
        ("POLYGON ((7 8, 7 8, 7 8, 7 8))", (7, 8)),
    ],
)
def test_centroid_is_weighted_by_area_excluding_holes(text: str, expected: tuple[float, float]) -> None:
    assert centroid(text) == pytest.approx(expected)


def test_centroid_is_precise_far_from_the_origin() -> None:
    corners = [(1e7 + x, -2e7 + y) for x, y in [(0, 0), (0.5, 0), (0.5, 0.5), (0, 0.5), (0, 0)]]
    text = f"POLYGON (({', '.join(f'{x!r} {y!r}' for x, y in corners)}))"
    assert centroid(text) == (1e7 + 0.25, -2e7 + 0.25)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is not a POLYGON"),
        ("POINT", "it has no coordinates"),
        ("Pointed (1 2)", "it is not a POLYGON"),
        ("LINESTRING (0 0, 1 1)", "it is not a POLYGON"),
        ("POLYGON ((0 0, 4 0", "its parentheses do not match"),
        ("POLYGON ((0 0, 1 a, 2 2, 0 0))", "could not convert string to float: 'a'"),
        ("POLYGON ((0 0, 1, 2 2, 0 0))", "do not have two to four numbers each"),
        ("POLYGON (0 0, 1 0, 1 1, 0 0)", "its parentheses do not match"),
        ("POLYGON ((0 0,1 0,1 1,0 0)))", "its parentheses do not match"),
        ("POLYGON ()", "its parentheses do not match"),
        ("POLYGON ((0 0,1 0,1 1,0 0)) x", "its parentheses do not match"),
        ("POLYGON ((0 0,1 0,1 1,0 0) (0 0,1 0,1 1,0 0))", "its parentheses do not match"),
        ("POLYGON ((0 0,1 0,1 1))", "a ring is not closed"),
        ("POINT (1 nan)", "a number is not finite"),
        ("POINT (1_0 2)", "'_' is not part of a number"),
        ("POINT ((1 2))", "its parentheses do not match"),
        ("MULTIPOINT ()", "its parentheses do not match"),
        ("POLYGON (((0 0,1 0,1 1,0 0)))", "its parentheses do not match"),
        ("(" * 5000, "it is not a POLYGON"),
        ("POLYGON " + "(" * 5000, "its parentheses do not match"),
        ("POLYGON ((,))", "do not have two to four numbers each"),
    ],
)
def test_invalid_wkt_is_rejected(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        centroid(text)


def test_damaged_values_of_a_column_are_reported() -> None:
    values = pd.Series([SQUARE, "POLYGON ((0 0, 1", None, "POINT EMPTY", "POINT (8 9)"], dtype=object)
    for column in (values, values.astype("category"), values.astype("string")):
        found = centroids(column)
        np.testing.assert_array_equal(found.xy, [[2, 2], [np.nan] * 2, [np.nan] * 2, [np.nan] * 2, [8, 9]])
        assert found.damaged.tolist() == [False, True, False, False, False]
        assert found.example == "'POLYGON ((0 0, 1': its parentheses do not match"


def test_objects_with_a_wkt_attribute_are_geometries() -> None:
    class Outline:
        wkt = SQUARE

    values = pd.Series([Outline(), None], dtype=object)
    assert holds_geometries(values)
    np.testing.assert_array_equal(centroids(values).xy, [[2, 2], [np.nan] * 2])


@pytest.mark.parametrize(
    "values",
    [["a", "b"], ["Point of interest", "b", "c"], [1, 2], [["x"], ["y"]], [None, None], ["POLYGON", "POLYGON"]],
)
def test_other_columns_are_not_geometries(values: list[object]) -> None:
    assert not holds_geometries(pd.Series(values))
