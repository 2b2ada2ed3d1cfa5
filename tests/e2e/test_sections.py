"""Sections sorted and filtered by annotations, rotation of sections, and the image below them."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from PIL import Image
from pixels import colors_in
from playwright.sync_api import expect

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e
Opened = tuple[Viewer, ad.AnnData]


def tissue() -> ad.AnnData:
    """Six sections of one slide, with two stages and three ages."""
    adata = synthetic_tissue(n_cells=2400, seed=2)
    xy = adata.obsm["spatial"]
    column = pd.qcut(xy[:, 0], 3, labels=False)
    number = column * 2 + (xy[:, 1] > np.median(xy[:, 1]))
    adata.obs["section"] = pd.Categorical([f"S{index + 1}" for index in number])
    stage = np.where(number % 2 == 0, "late", "early")
    adata.obs["stage"] = pd.Categorical(stage, categories=["late", "early"], ordered=True)
    adata.obs["age"] = 45 - 7 * column
    adata.uns.pop("section_colors", None)
    return adata


@pytest.fixture
def opened(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> Opened:
    adata = tissue()
    bundle = adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"])
    bundle.verify()
    return viewer.open(serve(bundle.path)), adata


def middles(viewer: Viewer, adata: ad.AnnData) -> dict[str, tuple[float, float]]:
    """Return the center of each visible section on the page."""
    names = adata.obs["section"]
    seen = np.array(
        viewer.page.evaluate(
            """n => Array.from({length: n}, (_, cell) => {
          const at = window.karospace.project(cell);
          return at && Number.isFinite(at.x) ? [at.x, at.y] : [null, null];
        })""",
            adata.n_obs,
        )
    ).astype(float)
    shown = ~np.isnan(seen[:, 0])
    centers = pd.DataFrame(seen[shown], columns=["x", "y"]).groupby(names[shown].to_numpy()).mean()
    return {name: (row.x, row.y) for name, row in centers.iterrows()}


def reading_order(viewer: Viewer, adata: ad.AnnData) -> list[str]:
    """Return the names of the sections in reading order: rows are at least 100 px apart."""
    positions = middles(viewer, adata)
    lines: list[list[str]] = []
    for name in sorted(positions, key=lambda name: positions[name][1]):
        if not lines or positions[name][1] - positions[lines[-1][-1]][1] > 100:
            lines.append([])
        lines[-1].append(name)
    return [name for line in lines for name in sorted(line, key=lambda name: positions[name][0])]


def test_sections_are_sorted_and_filtered_by_annotations(opened: Opened) -> None:
    viewer, adata = opened
    page = viewer.page
    page.get_by_role("button", name="Sections", exact=True).click()
    page.get_by_label("Section order").select_option("by stage")
    # In the order of the categories.
    viewer.becomes(lambda: reading_order(viewer, adata), ["S1", "S3", "S5", "S2", "S4", "S6"])
    page.locator(".ks-section-title", has_text="S3 late").wait_for()
    page.get_by_label("Section order").select_option("by age")
    # Numbers in ascending order.
    viewer.becomes(lambda: reading_order(viewer, adata), ["S5", "S6", "S3", "S4", "S1", "S2"])
    # Escape closes the popover and keeps the selection.
    viewer.page.evaluate("window.karospace.select(new Uint8Array(window.karospace.cells).fill(1, 0, 9))")
    page.get_by_role("button", name="Filter").click()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Section filter").wait_for(state="hidden")
    assert viewer.page.evaluate("window.karospace.selection !== null")
    page.get_by_role("button", name="Filter").click()
    dialog = page.get_by_role("dialog", name="Section filter")
    dialog.get_by_label("early").click()
    viewer.becomes(lambda: set(middles(viewer, adata)), {"S1", "S3", "S5"})
    dialog.get_by_label("31").click()
    viewer.becomes(lambda: reading_order(viewer, adata), ["S3", "S1"])
    # The last section cannot be hidden.
    dialog.get_by_label("38").click()
    viewer.becomes(lambda: reading_order(viewer, adata), ["S1"])
    expect(dialog.get_by_label("45")).to_be_disabled()
    dialog.get_by_label("38").click()
    page.keyboard.press("Escape")
    # Stepping through single sections uses the same order and filter.
    page.locator(".ks-section-title", has_text="S3").click()
    for name in ("S3", "S1", "S3"):
        viewer.becomes(lambda: viewer.state()["layout"].get("name"), name)
        page.keyboard.press("]")
    page.get_by_role("button", name="Sections", exact=True).click()
    viewer.until("state.layout.kind === 'sections'")
    assert reading_order(viewer, adata) == ["S3", "S1"]
    page.get_by_role("button", name="2 of 6").click()
    dialog.get_by_role("button", name="Show all sections").click()
    viewer.becomes(lambda: len(middles(viewer, adata)), 6)
    assert viewer.problems == []


def test_each_section_is_rotated_in_place(opened: Opened) -> None:
    viewer, adata = opened
    page = viewer.page
    page.get_by_role("button", name="Sections", exact=True).click()
    viewer.until("state.layout.kind === 'sections'")
    upright = reading_order(viewer, adata)
    cells = np.flatnonzero(adata.obs["section"] == "S4")[:200]
    before = np.array(viewer.positions(cells.tolist()))
    before -= before.mean(axis=0)
    page.get_by_role("button", name="Rotate by 90°").click()
    viewer.until("state.turn === 90")
    assert reading_order(viewer, adata) == upright, "the order on screen does not change"
    after = np.array(viewer.positions(cells.tolist()))
    after -= after.mean(axis=0)
    # Clockwise: right becomes down. The scale may change.
    turned = np.column_stack([-before[:, 1], before[:, 0]])
    size = np.linalg.norm(after) / np.linalg.norm(before)
    assert after == pytest.approx(turned * size, abs=0.5)
    page.keyboard.press("f")
    viewer.until("state.flip")
    assert reading_order(viewer, adata) == upright
    mirrored = np.array(viewer.positions(cells.tolist()))
    mirrored -= mirrored.mean(axis=0)
    assert mirrored == pytest.approx(after * [-1, 1], abs=0.5)
    stage = page.locator("canvas").first.bounding_box()
    for x, y in middles(viewer, adata).values():
        assert stage["x"] < x < stage["x"] + stage["width"]
        assert stage["y"] < y < stage["y"] + stage["height"]
    assert viewer.problems == []


def test_invert_selects_only_visible_cells(opened: Opened) -> None:
    viewer, adata = opened
    viewer.set(layout={"kind": "section", "name": "S2"})
    viewer.page.evaluate(
        """n => { const mask = new Uint8Array(n); mask[0] = 1; window.karospace.select(mask); }""", adata.n_obs
    )
    viewer.page.get_by_role("button", name="Invert").click()
    chosen = np.array(viewer.page.evaluate("Array.from(window.karospace.selection)"), dtype=bool)
    wanted = (adata.obs["section"] == "S2").to_numpy()
    wanted[0] = False
    assert (chosen == wanted).all()


@pytest.mark.parametrize("turned", [{}, {"turn": 90}, {"turn": 180, "flip": True}], ids=["upright", "90", "mirrored"])
def test_image_is_drawn_under_each_section(opened: Opened, turned: dict[str, Any]) -> None:
    """A cell is on the same part of the image in the tissue and in the sections layout."""
    viewer, adata = opened
    viewer.set(opacity=0, imageOpacity=1, theme="light")
    cells = np.arange(0, adata.n_obs, 40)
    # Wait for the image, which loads last.
    viewer.becomes(lambda: bool(viewer.colors(cells.tolist()).std(axis=0).min() > 8), wanted=True)
    whole = viewer.colors(cells.tolist()).astype(int)
    viewer.set(layout={"kind": "sections", "columns": 3, "order": "name"}, **turned)
    shot = np.asarray(Image.open(io.BytesIO(viewer.page.screenshot())).convert("RGB")).astype(int)
    positions = np.array(viewer.positions(cells.tolist()))
    titles = [
        (box["x"] - 2, box["y"] - 2, box["x"] + box["width"] + 2, box["y"] + box["height"] + 2)
        for box in viewer.boxes(".ks-section-title, .ks-card")
    ]
    free = [i for i, (x, y) in enumerate(positions) if not any(a < x < c and b < y < d for a, b, c, d in titles)]
    assert len(free) > 30
    sampled = np.array([shot[int(y), int(x)] for x, y in positions[free]])
    # The image is drawn at another scale, so colors differ a little, but less than those of other positions.
    difference = np.abs(sampled - whole[free]).max(axis=1)
    shuffled = np.abs(sampled - np.roll(whole[free], 7, axis=0)).max(axis=1)
    assert np.median(difference) < 0.4 * np.median(shuffled)
    if turned:
        return
    # There is no image outside of the sections: in the margins, and between the sections of the first row.
    at = np.array(viewer.positions(list(range(adata.n_obs))))
    row = [at[(adata.obs["section"] == name).to_numpy()] for name in ("S1", "S2", "S3")]
    gaps = [int(left[:, 0].max() + right[:, 0].min()) // 2 for left, right in itertools.pairwise(row)]
    height = int(row[0][:, 1].mean())
    outside = [(300, 840), (6, 400), (1030, 400), *((x, height) for x in gaps)]
    assert len({tuple(shot[y, x]) for x, y in outside}) == 1


def test_picture_contains_both_views_and_section_names(opened: Opened) -> None:
    viewer, _ = opened
    viewer.set(
        layout={"kind": "sections", "columns": 3, "order": "column", "by": "stage"},
        beside={"kind": "embedding", "name": "X_umap"},
    )
    take = """async (options) => {
      const blob = await window.karospace.picture(options);
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    }"""

    def drawing() -> str:
        return base64.b64decode(viewer.page.evaluate(take, {"format": "svg", "scale": 1})).decode()

    # Wait until the second view has loaded.
    viewer.becomes(lambda: drawing().count("<image "), 2)
    svg = drawing()
    assert all(f">{text}</text>" in svg for text in ("S1 late", "S2 early", "S6 early"))
    both = Image.open(io.BytesIO(base64.b64decode(viewer.page.evaluate(take, {"scale": 1, "legend": False}))))
    alone = Image.open(
        io.BytesIO(base64.b64decode(viewer.page.evaluate(take, {"scale": 1, "legend": False, "beside": False})))
    )
    beside = viewer.page.locator(".ks-beside").bounding_box()
    assert both.width - alone.width == pytest.approx(beside["width"], abs=2)
    right = np.asarray(both.convert("RGB"))[60:, alone.width + 2 :]
    assert colors_in(right) > 8, "the picture contains the embedding"
    assert viewer.problems == []
