"""Coordinates far from zero are drawn, shown and saved exactly."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from PIL import Image
from playwright.sync_api import expect

from karospace_jupyter import adata_to_karospace

pytestmark = pytest.mark.e2e

FAR = np.array([1e7, -3e7])
SIDE = 20
PITCH = 0.5
COLORS = {"a": "#cc0000", "b": "#0000cc"}


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    """Return cells of two kinds on a grid, like the squares of a chessboard."""
    column, row = (side.ravel() for side in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    kind = np.where((column + row) % 2 == 0, "a", "b")
    part = np.where(column < SIDE // 2, "left", "right")
    obs = pd.DataFrame({"kind": pd.Categorical(kind), "sample": pd.Categorical(part)})
    obs.index = [f"c{i}" for i in range(len(obs))]
    adata = ad.AnnData(np.ones((len(obs), 2), np.float32), obs=obs)
    adata.obsm["spatial"] = np.stack([column, row], axis=1) * PITCH + FAR + 0.1
    adata.obsm["X_umap"] = adata.obsm["spatial"][::-1].copy()
    adata.uns["kind_colors"] = list(COLORS.values())
    return adata


@pytest.fixture(scope="module")
def folder(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return adata_to_karospace(adata, tmp_path_factory.mktemp("far") / "b", gzip=False).path


@pytest.fixture(params=["columnar", "tables"])
def opened(request: pytest.FixtureRequest, viewer: Viewer, folder: Path, serve: Callable[[Path], str]) -> Viewer:
    if request.param == "tables":

        def without_columns(route: Any) -> None:
            manifest = json.loads((folder / "manifest.json").read_text())
            kept = {key: value for key, value in manifest.items() if key not in {"coordinates", "cell_ids", "columns"}}
            route.fulfill(body=json.dumps({**kept, "sections": None}), content_type="application/json")

        viewer.page.route("**/manifest.json", without_columns)
    return viewer.open(serve(folder))


def assert_positions(viewer: Viewer, adata: ad.AnnData) -> None:
    """Assert that the distances between drawn cells match their coordinates."""
    at = np.array(viewer.positions(list(range(adata.n_obs))))
    xy = adata.obsm["spatial"] - adata.obsm["spatial"][0]
    scale = (at[-1] - at[0]) / xy[-1]
    assert abs(scale[0]) == pytest.approx(abs(scale[1]))
    assert abs(scale[0]) * PITCH > 4, "neighboring cells are less than 4 pixels apart"
    np.testing.assert_allclose(at - at[0], xy * scale, atol=0.02)


def test_cells_are_drawn_at_distinct_positions(opened: Viewer, adata: ad.AnnData) -> None:
    assert_positions(opened, adata)
    opened.set(color={"kind": "annotation", "column": "kind"}, opacity=1, theme="light")
    seen = opened.colors(list(range(adata.n_obs))).astype(int)
    colors = [seen[(adata.obs["kind"] == kind).to_numpy()] for kind in "ab"]
    medians = [np.median(of_kind, axis=0) for of_kind in colors]
    assert np.abs(medians[0] - medians[1]).max() > 80
    for of_kind, median in zip(colors, medians, strict=True):
        assert (np.abs(of_kind - median).max(axis=1) < 10).mean() > 0.95
    assert opened.problems == []


def test_coordinates_are_shown_and_saved_exactly(opened: Viewer, adata: ad.AnnData) -> None:
    text = opened.page.evaluate("window.karospace.table()")
    table = pd.read_csv(io.StringIO(text), index_col="cell_id")
    xy = adata.obsm["spatial"]
    assert table.index.tolist() == adata.obs_names.tolist()
    np.testing.assert_array_equal(table[["x", "y"]].to_numpy(), xy.round(1))
    camera = opened.state()["camera"]
    middle = (xy.min(axis=0) + xy.max(axis=0)) / 2
    assert (camera["x"], camera["y"]) == pytest.approx(tuple(middle), rel=1e-12, abs=1e-6)
    pointer = opened.page.locator(".ks-pointer")
    for cell in (0, 45, 399):
        x, y = opened.positions([cell])[0]
        opened.page.mouse.move(x, y)
        expect(pointer).to_have_text(re.compile(r"^1\d,\d{3},\d{3}[\d.]*, [-\u2212]\d"))
        expect(opened.page.locator(".ks-tooltip")).to_contain_text(f"c{cell}")
        shown = [float(part.replace(",", "").replace("\u2212", "-")) for part in pointer.inner_text().split(", ")]
        np.testing.assert_allclose(shown, xy[cell], rtol=0, atol=0.1)


def test_region_and_camera_are_restored_from_a_saved_view(opened: Viewer, adata: ad.AnnData) -> None:
    xy = adata.obsm["spatial"]
    corner, opposite = opened.positions([SIDE * 4 + 8, SIDE * 11 + 15])
    half = (opened.positions([1])[0][0] - opened.positions([0])[0][0]) / 2
    opened.page.keyboard.press("m")
    opened.page.mouse.move(corner[0] - half, corner[1] - half)
    opened.page.mouse.down()
    opened.page.mouse.move(opposite[0] + half, opposite[1] + half, steps=4)
    opened.page.mouse.up()
    low, high = xy[SIDE * 4 + 8] - PITCH / 2, xy[SIDE * 11 + 15] + PITCH / 2
    wanted = ((xy > low) & (xy < high)).all(axis=1)
    assert wanted.sum() == 64
    expect(opened.page.get_by_role("button", name="Save as region")).to_be_visible()
    opened.page.get_by_role("button", name="Save as region").click()
    field = opened.page.get_by_role("textbox", name="Region name")
    field.fill("corner")
    field.press("Enter")
    opened.becomes(
        lambda: opened.page.evaluate("window.karospace.regions.map(({count}) => count)"), [int(wanted.sum())]
    )
    camera = {"x": float(FAR[0] + 2.1), "y": float(FAR[1] + 2.1), "zoom": 3}
    opened.set(camera=camera)
    center = SIDE * 4 + 4
    before = opened.positions([center])[0]
    saved = json.loads(opened.page.evaluate("JSON.stringify(window.karospace.getView())"))
    assert saved["state"]["camera"] == camera
    opened.page.evaluate("window.karospace.setRegions([])")
    opened.set(camera={"x": float(FAR[0]), "y": float(FAR[1]), "zoom": 1})
    opened.page.evaluate("view => window.karospace.setView(view)", saved)
    assert opened.state()["camera"] == camera
    masks = opened.page.evaluate("window.karospace.regions.map(({mask}) => [...mask])")
    np.testing.assert_array_equal(masks, [wanted.astype(int)])
    np.testing.assert_allclose(opened.positions([center])[0], before, atol=0.01)
    # The cell is in the middle of the area without cards, which is near the middle of the canvas.
    box = opened.page.locator("canvas").first.bounding_box()
    np.testing.assert_allclose(before, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2], atol=80)


def test_other_layouts_and_the_image_are_exact(
    viewer: Viewer, folder: Path, adata: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    picture = io.BytesIO()
    pixels = np.full((SIDE, SIDE, 3), (0, 160, 0), np.uint8)
    pixels[:, : SIDE // 2] = (240, 200, 0)
    Image.fromarray(pixels).save(picture, "PNG")

    def with_image(route: Any) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        # The image has one pixel per cell and covers exactly the cells.
        offset = [float(-(FAR[axis] + 0.1) / PITCH + 0.5) for axis in (0, 1)]
        transform = {"scale": [1 / PITCH, 1 / PITCH], "offset": offset}
        manifest["image"] = {"path": "assets/image.png", "width": SIDE, "height": SIDE, "transform": transform}
        route.fulfill(body=json.dumps(manifest), content_type="application/json")

    viewer.page.route("**/manifest.json", with_image)
    viewer.page.route(
        "**/assets/image.png", lambda route: route.fulfill(body=picture.getvalue(), content_type="image/png")
    )
    viewer.open(serve(folder))
    viewer.set(imageOpacity=1, pointSize=0.2, theme="light")
    at = viewer.positions([SIDE * 10 + 2, SIDE * 10 + 17])
    # Sample the image between the cells.
    shift = (viewer.positions([1])[0][0] - viewer.positions([0])[0][0]) / 2
    shot = np.asarray(Image.open(io.BytesIO(viewer.page.screenshot(animations="disabled"))).convert("RGB")).astype(int)
    left, right = (shot[int(y), int(x + 0.8 * shift)] for x, y in at)
    assert np.abs(left - (240, 200, 0)).max() < 30, left
    assert np.abs(right - (0, 160, 0)).max() < 30, right
    viewer.set(layout={"kind": "sections", "columns": 2, "order": "file"})
    cells = [0, 1, 10, 11]
    a, b, c, d = viewer.positions(cells)
    assert b[0] - a[0] == pytest.approx(d[0] - c[0], abs=0.02)
    assert b[0] - a[0] > 3
    viewer.set(layout={"kind": "section", "name": "right"})
    d, e = viewer.positions([11, 12])
    assert e[0] - d[0] > 3
    viewer.set(layout={"kind": "embedding", "name": "X_umap"})
    first, second = viewer.positions([0, 1])
    assert first[0] - second[0] > 3
    assert viewer.problems == []
