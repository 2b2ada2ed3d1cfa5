"""Detection of the coordinates and of their x and y."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter.config import parse_coords
from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.plan.coordinates import candidates, find_coordinates, is_embedding, label
from karospace_jupyter.source import open_source
from karospace_jupyter.source.protocol import Source

N = 40
NAMES = [f"c{i}" for i in range(N)]
_RNG = np.random.default_rng(3)
X, Y = _RNG.uniform(200, 800, N), _RNG.uniform(20, 240, N)
XY = np.stack([X, Y], axis=1)

Opener = Callable[[ad.AnnData], Source]


@pytest.fixture(params=["memory", "h5ad", "zarr"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Return a function that opens an object as the kind of source under test."""

    def open_stored(adata: ad.AnnData) -> Source:
        if request.param == "memory":
            return open_source(adata)
        path = tmp_path / f"tissue.{request.param}"
        getattr(adata.copy(), f"write_{request.param}")(path)
        return open_source(path)

    return open_stored


def tissue(obs: dict[str, Any] | None = None, **obsm: Any) -> ad.AnnData:
    adata = ad.AnnData(np.ones((N, 2), np.float32), obs=pd.DataFrame(obs or {}, index=NAMES))
    for key, value in obsm.items():
        adata.obsm[key] = value
    return adata


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns, index=NAMES)


FRAMES = {
    "y, x": frame(y=Y, x=X),
    "pixels": frame(pxl_row_in_fullres=Y, pxl_col_in_fullres=X),
    "imagerow": frame(imagerow=Y, imagecol=X),
    "array": frame(array_row=Y, array_col=X),
    "row, col": frame(row=Y, col=X),
    "X, Y": frame(X=X, Y=Y),
    "centroid": frame(Y_centroid=Y, X_centroid=X),
    "center": frame(CenterY_global_px=Y, CenterX_global_px=X),
    "text first": frame(library=["a"] * N, y=Y, flag=[True] * N, x=X).drop(columns="flag"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_column_names_of_frame_determine_x_and_y(opened: Opener, name: str) -> None:
    found = find_coordinates(opened(tissue(spatial=FRAMES[name])), None)
    np.testing.assert_array_equal(found.xy, XY)
    assert found.warnings == ()


def test_fields_of_record_array_determine_x_and_y(opened: Opener) -> None:
    records = np.zeros(N, dtype=[("y", "f8"), ("x", "f4")])
    records["x"], records["y"] = X, Y
    found = find_coordinates(opened(tissue(spatial=records)), None)
    np.testing.assert_array_equal(found.xy, np.stack([X.astype(np.float32), Y], axis=1))


def test_third_dimension_warns(opened: Opener) -> None:
    found = find_coordinates(opened(tissue(spatial=frame(z=np.zeros(N), y=Y, x=X))), None)
    np.testing.assert_array_equal(found.xy, XY)
    assert found.warnings == ("obsm['spatial']: x is 'x' and y is 'y'; the other columns were left out: z.",)
    array = find_coordinates(opened(tissue(spatial=np.stack([X, Y, Y], axis=1))), None)
    np.testing.assert_array_equal(array.xy, XY)
    assert "the third (z) was left out" in array.warnings[0]


def test_unknown_column_names_are_used_in_order_with_warning(opened: Opener) -> None:
    found = find_coordinates(opened(tissue(spatial=frame(note=["n"] * N, left=X, top=Y))), None)
    np.testing.assert_array_equal(found.xy, XY)
    assert found.warnings[0].endswith("the first two numeric ones are used, 'left' as x and 'top' as y.")


def test_first_of_duplicate_column_names_is_used() -> None:
    twice = pd.DataFrame(np.stack([Y, X, Y + 1, X + 1], axis=1), index=NAMES, columns=list("yxyx"))
    found = find_coordinates(open_source(tissue(spatial=twice)), None)
    np.testing.assert_array_equal(found.xy, XY)
    assert "the other columns were left out: y, x" in found.warnings[0]


def test_frame_without_two_numeric_columns_is_rejected(opened: Opener) -> None:
    with pytest.raises(
        CoordinatesError,
        match=r"has too few numeric columns: got 1, need at least 2. Its columns are: 'x', 'name'",
    ):
        find_coordinates(opened(tissue(spatial=frame(x=X, name=NAMES))), None)


def test_sparse_obsm_is_read(opened: Opener) -> None:
    found = find_coordinates(opened(tissue(spatial=sp.csr_matrix(XY))), None)
    np.testing.assert_array_equal(found.xy, XY)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("X_position", "Y_position"), ("x_um", "y_um"), ("pos_x", "pos_y"), ("CentroidX", "CentroidY"),
        ("cell_x_position", "cell_y_position"), ("Location_Center_X", "Location_Center_Y"), ("sdimx", "sdimy"),
        ("x_slide_mm", "y_slide_mm"), ("X [µm]", "Y [µm]"), ("imagecol", "imagerow"),
    ],
)  # fmt: skip
def test_one_pair_of_columns_is_found(opened: Opener, x: str, y: str) -> None:
    others = {"max": X * 2, "may": Y * 2, "UMAP_x": -X, "UMAP_y": -Y, "umap_1": Y, "umap_2": X, "area": X}
    source = opened(tissue({**others, y: Y, x: X}))
    found = find_coordinates(source, None)
    assert label(found.spec) == f"obs:{x},{y}"
    np.testing.assert_array_equal(found.xy, XY)
    assert found.warnings == ()
    assert [label(spec) for spec in candidates(source)] == [f"obs:{x},{y}"]


def test_several_pairs_raise_and_are_listed(opened: Opener) -> None:
    obs = {"x_um": X, "y_um": Y, "x_px": X * 2, "y_px": Y * 2}
    with pytest.raises(CoordinatesError, match=r"equally likely: obs:x_um,y_um and obs:x_px,y_px"):
        find_coordinates(opened(tissue(obs)), None)


def test_usual_names_are_preferred_over_lattices(opened: Opener) -> None:
    obs = {"row": Y, "col": X, "array_row": Y, "array_col": X, "pos_x": X, "pos_y": Y, "x_min": X, "y_min": Y}
    names = [label(spec) for spec in candidates(opened(tissue({**obs, "x": X, "y": Y})))]
    assert names == ["obs:x,y", "obs:pos_x,pos_y", "obs:array_col,array_row", "obs:col,row", "obs:x_min,y_min"]


def test_embedding_in_obs_is_not_detected_as_tissue(opened: Opener) -> None:
    source = opened(tissue({"UMAP_x": X, "UMAP_y": Y, "tsne_x": X, "tsne_y": Y}))
    assert candidates(source) == []
    with pytest.raises(CoordinatesError, match="for example 'obs:UMAP_x,UMAP_y'"):
        find_coordinates(source, None)
    requested = parse_coords("obs:UMAP_x,UMAP_y")
    np.testing.assert_array_equal(find_coordinates(source, requested).xy, XY)
    assert is_embedding(requested)


def test_ambiguous_column_names_are_used_with_warning(opened: Opener) -> None:
    found = find_coordinates(opened(tissue({"x_min": X, "y_min": Y})), None)
    assert "are not coordinates" in found.warnings[0]


@pytest.mark.parametrize(
    ("x", "y"),
    [("foox", "fooy"), ("objx", "objy"), ("ux", "uy"), ("xcm", "ycm"), ("physx", "physy"), ("DAPIX", "DAPIY")],
)
def test_only_pair_differing_in_x_and_y_is_used_with_warning(opened: Opener, x: str, y: str) -> None:
    source = opened(tissue({y: Y, "area": X, x: X, "umapx": -X, "umapy": -Y}))
    found = find_coordinates(source, None)
    assert label(found.spec) == f"obs:{x},{y}"
    assert "are not coordinates" in found.warnings[0]


def test_several_pairs_differing_in_x_and_y_are_not_used(opened: Opener) -> None:
    with pytest.raises(CoordinatesError, match="No coordinates were found"):
        find_coordinates(opened(tissue({"foox": X, "fooy": Y, "max": X, "may": Y})), None)


def test_python_numbers_are_read_as_coordinates() -> None:
    obs = {"pos_x": pd.Series(X.tolist(), dtype=object).to_numpy(), "pos_y": [Decimal(str(y)) for y in Y.tolist()]}
    obs["pos_x"][3] = None
    found = find_coordinates(open_source(tissue(obs)), None)
    expected = XY.copy()
    expected[3, 0] = np.nan
    np.testing.assert_array_equal(found.xy, expected)


@pytest.mark.parametrize("column", ["geometry", "cell_shape", "Outline of the cell"])
def test_outlines_give_centroids(opened: Opener, column: str) -> None:
    def square(x: float, y: float) -> str:
        corners = [(x - 1, y - 1), (x + 1, y - 1), (x + 1, y + 1), (x - 1, y + 1), (x - 1, y - 1)]
        return f"POLYGON (({', '.join(f'{a!r} {b!r}' for a, b in corners)}))"

    outlines = [square(x, y) for x, y in XY.tolist()]
    outlines[2] = outlines[2][:-9]
    source = opened(tissue({column: outlines, "cluster": ["a", "b"] * (N // 2)}))
    for spec in (None, parse_coords(f"obs:{column}")):
        found = find_coordinates(source, spec)
        assert label(found.spec) == f"obs:{column}"
        assert np.isnan(found.xy[2]).all()
        np.testing.assert_allclose(np.delete(found.xy, 2, axis=0), np.delete(XY, 2, axis=0), rtol=1e-12)
        assert found.warnings[0].startswith(f"1 outline in the column {column!r} could not be read")


def test_column_without_outlines_is_rejected(opened: Opener) -> None:
    source = opened(tissue({"cluster": ["a", "b"] * (N // 2), "x": X}))
    for name in ("cluster", "x"):
        with pytest.raises(CoordinatesError, match=f"The column '{name}' of obs holds no outlines"):
            find_coordinates(source, parse_coords(f"obs:{name}"))
