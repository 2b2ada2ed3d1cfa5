"""Zoom to box, pointer coordinates, view files, rotation, image settings and the minimap."""

from __future__ import annotations

import base64
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from PIL import Image
from pixels import colors_in
from playwright.sync_api import expect
from waiting import becomes, holds, until_js

pytestmark = pytest.mark.e2e


@pytest.fixture
def opened(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> tuple[Viewer, ad.AnnData]:
    viewer.open(serve(export(tissue, annotation_columns=["cell_type"])))
    return viewer, ad.read_h5ad(tissue)


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def test_zoom_to_box_fills_the_view(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Zoom to box")).to_have_attribute("aria-pressed", "true")
    xy = np.asarray(adata.obsm["spatial"])
    middle = np.median(xy, axis=0)
    by_distance = np.argsort(((xy - middle) ** 2).sum(axis=1))
    a, b = int(by_distance[40]), int(by_distance[200])
    start, end = viewer.positions([a, b])
    stage = page.locator("canvas").first.bounding_box()
    drag(page, start, end)
    viewer.until("state.camera.zoom > 1.5")
    (ax, ay), (bx, by) = viewer.positions([a, b])
    # The box is centered and fills the view in one direction.
    assert (ax + bx) / 2 == pytest.approx(stage["x"] + stage["width"] / 2, abs=2)
    assert (ay + by) / 2 == pytest.approx(stage["y"] + stage["height"] / 2, abs=2)
    fills = max(abs(ax - bx) / stage["width"], abs(ay - by) / stage["height"])
    assert fills == pytest.approx(1, abs=0.02)
    # Zooming selects nothing; a click with the tool zooms in by a factor of 2.
    assert page.evaluate("window.karospace.selection") is None
    before = viewer.state()["camera"]["zoom"]
    page.mouse.click(stage["x"] + 500, stage["y"] + 400)
    until_js(page, f"() => Math.abs(window.karospace.getState().camera.zoom / {before} - 2) < 1e-6")
    page.keyboard.press("v")
    page.keyboard.press("0")
    assert viewer.state()["camera"]["zoom"] == 1
    assert viewer.problems == []


def test_pointer_coordinates_are_shown(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    pointer = page.locator(".ks-pointer")
    expect(pointer).to_have_count(0)
    manifest = page.evaluate("fetch('manifest.json').then((answer) => answer.json())")
    unit = manifest["coordinates"].get("unit_um") or 1
    for cell in (3, 1500):
        x, y = viewer.positions([cell])[0]
        page.mouse.move(x, y)
        a, b = np.asarray(adata.obsm["spatial"])[[3, 1500]].astype(float)
        (ax, ay), (bx, by) = viewer.positions([3, 1500])
        a_pixel = float(np.hypot(*(a - b)) / np.hypot(ax - bx, ay - by)) * unit
        expected = np.asarray(adata.obsm["spatial"])[cell].astype(float) * unit
        until_js(page, "() => document.querySelector('.ks-tooltip') !== null")

        def coordinates_match(a_pixel: float = a_pixel, expected: Any = expected) -> None:
            text = pointer.inner_text()
            assert ("µm" in text) == (manifest["coordinates"].get("unit_um") is not None)
            shown = [float(part.replace(",", "").split()[0]) for part in text.split(", ")]
            assert np.abs(np.array(shown) - expected).max() < 2 * a_pixel

        holds(coordinates_match)
    page.get_by_text("Spot size").hover()
    pointer.wait_for(state="detached")


def test_view_file_is_saved_and_opened(opened: tuple[Viewer, ad.AnnData], tmp_path: Path) -> None:
    viewer, adata = opened
    page = viewer.page
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, colormap="magma", theme="dark", pointSize=2)
    page.evaluate(
        "n => window.karospace.setRegions([{name: 'here', mask: Uint8Array.from({length: n}, (_, i) => i % 7 === 0)}])",
        adata.n_obs,
    )
    view = page.evaluate("window.karospace.getView()")
    share = page.get_by_role("button", name="Share, save")
    share.click()
    menu = page.get_by_role("dialog", name="Share")
    with page.expect_download() as download:
        menu.get_by_role("button", name="Save view").click()
    file = tmp_path / download.value.suggested_filename
    assert file.name == "tissue-EPCAM.view.json"
    download.value.save_as(file)
    assert json.loads(file.read_text()) == view
    page.keyboard.press("Escape")
    page.reload()
    page.goto(page.url.split("#")[0])
    page.evaluate("window.karospace.ready")
    viewer.set(color={"kind": "none"}, colormap="viridis", theme="light", pointSize=1)
    page.evaluate("window.karospace.setRegions([])")
    share.click()
    menu.get_by_label("View file").set_input_files(file)
    menu.get_by_text(f"Opened the view from {file.name}").wait_for()
    assert page.evaluate("window.karospace.getView()") == view
    # An invalid file shows an error and changes nothing.
    wrong = tmp_path / "wrong.json"
    for text, why in (("{", "not a JSON file"), ('{"karospace_view": 9}', "version 9"), ("[]", "not a JSON object")):
        wrong.write_text(text)
        menu.get_by_label("View file").set_input_files(wrong)
        menu.get_by_role("status").get_by_text(why).wait_for()
    different_cells = {**view, "n_cells": 5}
    wrong.write_text(json.dumps(different_cells))
    menu.get_by_label("View file").set_input_files(wrong)
    menu.get_by_role("status").get_by_text("5 cells").wait_for()
    assert page.evaluate("window.karospace.getView()") == view
    assert viewer.problems == []


CARDS = ".ks-top > *, .ks-tools, .ks-zoom, .ks-scale, .ks-axes"
"""Selector of the elements in front of the canvas of a view."""


def covered(viewer: Viewer, stage: str = ".ks-stage") -> int:
    """Return the number of cells of a view that are outside of it or covered by its cards."""
    count: int = viewer.page.evaluate(
        """([stage, cards]) => {
          const element = document.querySelector(stage);
          const bounds = element.getBoundingClientRect();
          const boxes = [...element.querySelectorAll(cards)].map((card) => card.getBoundingClientRect());
          const within = (x, y, {left, right, top, bottom}) => x >= left && x <= right && y >= top && y <= bottom;
          return Array.from({length: karospace.cells}, (_, cell) => karospace.project(cell))
            .filter(({x, y}) => !within(x, y, bounds) || boxes.some((box) => within(x, y, box))).length;
        }""",
        [stage, CARDS],
    )
    return count


@pytest.mark.parametrize("panel", [True, False], ids=["panel", "folded"])
@pytest.mark.parametrize(
    "size",
    [(360, 640), (400, 500), (500, 400), (620, 480), (720, 500), (980, 470), (1360, 860), (2560, 1440)],
    ids="{0[0]}x{0[1]}".format,
)
def test_cards_cover_no_cells(opened: tuple[Viewer, ad.AnnData], size: tuple[int, int], *, panel: bool) -> None:
    viewer, adata = opened
    page = viewer.page
    viewer.set(theme="dark" if panel else "light", imageOn=False)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    button = page.get_by_role("button", name=re.compile("^(Hide|Show) panel"))
    if (button.get_attribute("aria-pressed") == "true") != panel:
        button.click()
    becomes(lambda: covered(viewer), 0)
    if shots := os.environ.get("KAROSPACE_SHOTS"):
        page.screenshot(path=f"{shots}/fit-{size[0]}x{size[1]}-{'panel' if panel else 'folded'}.png")
    # The cells still fill much of the view.
    cells = list(range(0, adata.n_obs, 7))
    before = np.array(viewer.positions(cells))
    stage = page.locator(".ks-stage").bounding_box()
    extent = np.ptp(before, axis=0) / [stage["width"], stage["height"]]
    assert extent.max() > 0.39
    # Cards that come and go move no cells, and neither does the length of the scale bar.
    page.evaluate("karospace.select(new Uint8Array(karospace.cells).fill(1, 0, 99))")
    page.locator(".ks-stage, .ks-panel").get_by_text("99").first.wait_for(state="attached")
    np.testing.assert_allclose(np.array(viewer.positions(cells)), before, atol=0.01)
    camera = viewer.state()["camera"]
    viewer.set(camera={**camera, "zoom": 7.3})
    viewer.set(camera=camera)
    np.testing.assert_allclose(np.array(viewer.positions(cells)), before, atol=0.01)
    assert viewer.problems == []


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_and_flip_apply_to_cells_image_and_pointer(
    opened: tuple[Viewer, ad.AnnData], turn: int, flip: bool
) -> None:
    viewer, adata = opened
    page = viewer.page
    cells = list(range(0, adata.n_obs, 37))
    # The color of the image under each cell.
    viewer.set(opacity=0, imageOpacity=1, color={"kind": "none"})
    upright = np.array(viewer.positions(cells))
    under = viewer.colors(cells).astype(int)
    page.locator("canvas").first.focus()
    for _ in range(turn // 90):
        page.keyboard.press("q")
    if flip:
        page.keyboard.press("f")
    assert (viewer.state()["turn"], viewer.state()["flip"]) == (turn, flip)
    viewer.set(opacity=0)  # waits until it is drawn
    stage = page.locator("canvas").first.bounding_box()
    middle = np.array([stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2])
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = (upright - upright.mean(axis=0)) @ rotation.T * ([-1, 1] if flip else [1, 1])
    now = np.array(viewer.positions(cells))
    center = now.mean(axis=0)  # the tissue is fitted between the cards again, which moves and scales it
    factor = np.abs(now - center).max() / np.abs(expected).max()
    np.testing.assert_allclose(now, center + expected * factor, atol=0.05)
    # The image is rotated with the cells; only the pixel grid differs.
    difference = np.abs(viewer.colors(cells).astype(int) - under).mean(axis=1)
    assert np.median(difference) < 12
    shifted = np.abs(np.roll(under, 1, axis=0) - under).mean()
    assert difference.mean() < shifted / 2
    # Cells are drawn at their projected positions.
    viewer.set(opacity=1, imageOpacity=0, pointSize=2, color={"kind": "annotation", "column": "cell_type"})
    colors = adata.uns["cell_type_colors"]
    wanted = np.array([list(bytes.fromhex(str(color)[1:7])) for color in colors], dtype=int)
    codes = adata.obs["cell_type"].cat.codes.to_numpy()[cells]
    shown = viewer.colors(cells).astype(int)
    matching = (np.abs(shown - wanted[codes]).max(axis=1) < 8) & (codes >= 0)
    assert matching.sum() > 0.8 * (codes >= 0).sum(), f"only {matching.sum()} cells have the color of their category"
    # The tooltip and the rectangle tool use the rotated positions.
    x, y = viewer.positions([cells[3]])[0]
    page.mouse.move(x, y)
    page.get_by_role("tooltip").get_by_text(str(adata.obs_names[cells[3]])).wait_for()
    page.keyboard.press("m")
    all_positions = np.array(viewer.positions(list(range(adata.n_obs))))
    size = np.array([stage["width"], stage["height"]])
    low, high = middle - size * [0.12, 0.1], middle + size * [0.1, 0.13]
    drag(page, tuple(low), tuple(high))
    until_js(page, "() => window.karospace.selection !== null")
    selected = np.array(page.evaluate("Array.from(window.karospace.selection)"), dtype=bool)
    edge = (np.abs(all_positions - low) < 1).any(axis=1) | (np.abs(all_positions - high) < 1).any(axis=1)
    inside = ((all_positions > low) & (all_positions < high)).all(axis=1)
    assert inside[~edge].sum() > 50
    np.testing.assert_array_equal(selected[~edge], inside[~edge])
    # Rotation and flip are part of the view; reset restores the orientation.
    view = page.evaluate("window.karospace.getView()")
    assert (view["state"]["turn"], view["state"]["flip"]) == (turn, flip)
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    page.keyboard.press("r")
    np.testing.assert_allclose(np.array(viewer.positions(cells)), upright, atol=0.05)
    assert viewer.problems == []


def test_picture_is_rotated_like_the_tissue(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    viewer.set(turn=90, flip=True, opacity=1, imageOpacity=0, pointSize=2)
    cells = list(range(0, adata.n_obs, 41))
    shown = viewer.colors(cells).astype(int)
    data_url = page.evaluate(
        """async () => {
          const options = {legend: false, title: false, scaleBar: false, scale: 2};
          const reader = new FileReader();
          reader.readAsDataURL(await window.karospace.picture(options));
          await new Promise((done) => { reader.onload = done; });
          return reader.result;
        }"""
    )
    data = base64.b64decode(data_url.partition(",")[2])
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    stage = page.locator("canvas").first.bounding_box()
    drawn = np.array(
        [picture[round((y - stage["y"]) * 2), round((x - stage["x"]) * 2)] for x, y in viewer.positions(cells)]
    )
    assert (np.abs(drawn - shown).max(axis=1) < 12).mean() > 0.9
    # Embeddings are not rotated.
    viewer.set(layout={"kind": "embedding", "name": "X_umap"})
    umap = np.asarray(adata.obsm["X_umap"])[cells]
    now = np.array(viewer.positions(cells))
    assert np.corrcoef(umap[:, 0], now[:, 0])[0, 1] > 0.999
    assert np.corrcoef(umap[:, 1], now[:, 1])[0, 1] < -0.999
    expect(page.get_by_role("button", name="Rotate by 90°")).to_have_count(0)
    assert viewer.problems == []


def test_image_brightness_and_contrast_can_be_adjusted(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    viewer.set(opacity=0, imageOpacity=1, color={"kind": "none"}, theme="light")
    cells = list(range(0, adata.n_obs, 29))
    plain = viewer.colors(cells).astype(float) / 255
    for brightness, contrast in ((1.5, 1), (0.5, 1), (1, 2), (0.8, 0.5)):
        viewer.set(imageBrightness=brightness, imageContrast=contrast)
        wanted = np.clip(((plain - 0.5) * contrast + 0.5) * brightness, 0, 1)
        np.testing.assert_allclose(viewer.colors(cells) / 255, wanted, atol=0.02)
    # With the sliders; reset restores the original image.
    expect(page.get_by_role("slider", name="Contrast")).to_have_count(0)
    page.get_by_role("button", name="Adjust").click()
    page.get_by_role("slider", name="Contrast").fill("1")
    assert viewer.state()["imageContrast"] == 2
    page.get_by_role("slider", name="Brightness").fill("-1")
    assert viewer.state()["imageBrightness"] == 0.5
    viewer.set(imageBrightness=99)
    assert viewer.state()["imageBrightness"] == 4
    page.locator("canvas").first.focus()
    page.keyboard.press("r")
    viewer.set(opacity=0, imageOpacity=1)
    np.testing.assert_allclose(viewer.colors(cells) / 255, plain, atol=0.005)
    assert viewer.problems == []


def test_minimap_shows_the_view_and_moves_it(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    overview = page.locator(".ks-minimap canvas")
    expect(overview, "the minimap is shown although all cells are in view").to_have_count(0)
    camera = viewer.state()["camera"]
    xy = np.asarray(adata.obsm["spatial"])
    leftmost = xy[(xy[:, 0] - xy[:, 0].min()).argmin()]
    viewer.set(camera={**camera, "zoom": 5}, turn=90)
    overview.wait_for()
    # The box that marks the view is centered.
    minimap, marker = overview.bounding_box(), page.locator(".ks-minimap > span").bounding_box()
    for start, size in (("x", "width"), ("y", "height")):
        assert marker[start] + marker[size] / 2 == pytest.approx(minimap[start] + minimap[size] / 2, abs=2.5)
    pixels = np.asarray(Image.open(io.BytesIO(overview.screenshot())).convert("RGB"))
    assert colors_in(pixels) > 8, "the minimap does not show the colors of the categories"
    # Rotated by 90°, the leftmost cell is at the top.
    low, high = xy.min(axis=0), xy.max(axis=0)
    fraction = (leftmost - low) / (high - low)
    page.mouse.click(
        minimap["x"] + (1 - fraction[1]) * minimap["width"], minimap["y"] + fraction[0] * minimap["height"] + 1
    )
    until_js(page, f"() => Math.abs(window.karospace.getState().camera.x - {camera['x']}) > 1")
    moved = viewer.state()["camera"]
    assert moved["zoom"] == 5
    assert [moved["x"], moved["y"]] == pytest.approx(leftmost.tolist(), abs=0.03 * float((high - low).max()))
    page.keyboard.press("0")
    overview.wait_for(state="detached")
    assert viewer.problems == []
