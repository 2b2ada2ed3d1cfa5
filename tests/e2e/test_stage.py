"""Cards, labels, scale, title, and short notices on the tissue."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect
from screen import middle_cells
from waiting import until_js

from karospace_jupyter import adata_to_karospace

pytestmark = pytest.mark.e2e

Opened = tuple[Viewer, ad.AnnData]


def picture(viewer: Viewer) -> NDArray[np.uint8]:
    """Return the picture of the tissue alone."""
    data = viewer.page.evaluate("""async () => {
      const blob = await karospace.picture({legend: false, title: false, scaleBar: false, scale: 1});
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    }""")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def test_click_pins_the_card_of_a_cell_until_a_click_elsewhere_or_escape(opened: Opened) -> None:
    viewer, adata = opened
    page = viewer.page
    first, *others = middle_cells(viewer, 300)
    # The leftmost of the others, because the card of the first cell is on its right.
    second = min(others, key=lambda cell: viewer.positions([cell])[0][0])
    card = page.get_by_role("region", name=re.compile("^cell "))
    page.mouse.click(*viewer.positions([first])[0])
    expect(card).to_contain_text(str(adata.obs_names[first]))
    expect(card).to_contain_text(str(adata.obs["cell_type"].iloc[first]))
    x, y = adata.obsm["spatial"][first] * 0.5
    expect(card, "coordinates in µm").to_contain_text(f"{x:,.1f}, {y:,.1f}")
    page.mouse.click(*viewer.positions([second])[0])
    expect(card).to_contain_text(str(adata.obs_names[second]))
    expect(card).to_have_count(1)
    before = viewer.state()["camera"]
    x, y = viewer.positions([second])[0]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y, steps=4)
    page.mouse.up()
    viewer.until(f"state.camera.x !== {before['x']}")
    expect(card, "a drag is not a click").to_contain_text(str(adata.obs_names[second]))
    page.keyboard.press("Escape")
    card.wait_for(state="detached")
    # A double click zooms, and pins nothing.
    page.mouse.dblclick(*viewer.positions([first])[0])
    viewer.until("state.camera.zoom > 1.5")
    expect(card).to_have_count(0)
    assert viewer.problems == []


def test_card_selects_the_category_of_its_cell(opened: Opened) -> None:
    viewer, adata = opened
    page = viewer.page
    cell = middle_cells(viewer, 1)[0]
    name = str(adata.obs["cell_type"].iloc[cell])
    page.mouse.click(*viewer.positions([cell])[0])
    page.get_by_role("button", name="Select category").click()
    count = int((adata.obs["cell_type"] == name).sum())
    until_js(page, "n => karospace.selection?.reduce((sum, flag) => sum + flag, 0) === n", arg=count)
    page.get_by_role("button", name="Isolate", exact=True).click()
    viewer.until(f"state.isolated.cell_type?.join() === {json.dumps(name)}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy ID").click()
    page.get_by_role("status").get_by_text("ID copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == adata.obs_names[cell]


def test_card_opens_and_closes_by_keyboard(opened: Opened) -> None:
    viewer, _ = opened
    page = viewer.page
    canvas = page.locator("canvas").first
    canvas.focus()
    page.keyboard.press("Enter")
    card = page.get_by_role("region", name=re.compile("^cell "))
    expect(card).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy ID")).to_be_focused()
    page.keyboard.press("Escape")
    card.wait_for(state="detached")
    expect(canvas).to_be_focused()


def test_click_with_a_drawing_tool_opens_no_card(opened: Opened) -> None:
    viewer, _ = opened
    page = viewer.page
    page.keyboard.press("m")
    cell = middle_cells(viewer, 1)[0]
    x, y = viewer.positions([cell])[0]
    page.mouse.move(x - 30, y - 30)
    page.mouse.down()
    page.mouse.move(x + 30, y + 30, steps=4)
    page.mouse.up()
    until_js(page, "() => karospace.selection !== null")
    card = page.get_by_role("region", name=re.compile("^cell "))
    expect(card).to_have_count(0)
    page.mouse.click(x, y)
    page.keyboard.press("v")
    page.mouse.click(x, y)
    card.wait_for()
    page.keyboard.press("m")
    page.mouse.click(x, y)
    card.wait_for(state="detached")
    assert page.evaluate("karospace.selection !== null"), "the selection is kept"


def test_labels_name_the_visible_categories_in_view_and_in_pictures(opened: Opened) -> None:
    viewer, adata = opened
    page = viewer.page
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    labels = page.locator(".ks-labels text")
    expect(labels).to_have_count(0)
    page.get_by_role("checkbox", name="Labels").check()
    labels.first.wait_for()
    names = page.evaluate("[...document.querySelectorAll('.ks-labels text')].map((label) => label.textContent)")
    assert set(names) <= set(adata.obs["cell_type"].cat.categories)
    boxes = viewer.boxes(".ks-labels text")
    for at, a in enumerate(boxes):
        for b in boxes[at + 1 :]:
            apart = (
                a["right"] <= b["left"]
                or b["right"] <= a["left"]
                or a["bottom"] <= b["top"] + 4
                or b["bottom"] <= a["top"] + 4
            )
            assert apart, "labels do not overlap"
    svg = page.evaluate("karospace.picture({format: 'svg', legend: false}).then((blob) => blob.text())")
    for name in names:
        assert re.search(rf'paint-order="stroke"[^>]*>{re.escape(name)}<', svg)
    labeled = picture(viewer)
    viewer.set(hidden={"cell_type": [names[0]]})
    expect(labels.get_by_text(names[0], exact=True)).to_have_count(0)
    viewer.set(hidden={})
    page.keyboard.press("n")
    labels.first.wait_for(state="detached")
    assert viewer.state()["labels"] is False
    unlabeled = picture(viewer)
    assert (labeled != unlabeled).any(), "labels are drawn in PNG, too"


def test_scale_is_edited_at_the_bar_and_saved_with_the_view(opened: Opened) -> None:
    viewer, _ = opened
    page = viewer.page
    bar = page.get_by_role("button", name=re.compile("^Scale bar"))
    expect(bar).to_contain_text("µm")
    before = page.evaluate("document.querySelector('[aria-label^=\"Scale bar\"]').textContent")
    bar.click()
    field = page.get_by_label("Micrometers per coordinate unit")
    expect(field).to_have_value("0.5")
    field.fill("-1")
    page.get_by_text("Enter a number greater than 0.").wait_for()
    field.fill("50")
    page.get_by_role("button", name="Done").click()
    expect(bar).to_contain_text("mm")
    expect(bar).to_be_focused()
    assert viewer.state()["umPerUnit"] == 50
    svg = page.evaluate("karospace.picture({format: 'svg'}).then((blob) => blob.text())")
    assert re.search(r">\d+ mm<", svg), "pictures have the same bar"
    link = viewer.address()
    bar.click()
    page.get_by_role("button", name="Reset: 0.50 µm").click()
    expect(bar).to_have_text(before)
    assert viewer.state()["umPerUnit"] is None
    page.goto("about:blank")
    viewer.open(link)
    expect(bar).to_contain_text("mm")
    assert viewer.state()["umPerUnit"] == 50


def test_title_is_renamed_and_names_files_and_pictures(opened: Opened) -> None:
    viewer, _ = opened
    page = viewer.page
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text("tissue")
    title.get_by_role("button").click()
    page.get_by_label("Title", exact=True).fill("Placenta, day 12")
    page.keyboard.press("Enter")
    expect(title).to_have_text("Placenta, day 12")
    assert viewer.state()["title"] == "Placenta, day 12"
    svg = page.evaluate("karospace.picture({format: 'svg'}).then((blob) => blob.text())")
    assert ">Placenta, day 12<" in svg
    page.keyboard.press("s")
    with page.expect_download() as download:
        page.get_by_role("dialog", name="Save").get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "Placenta_day_12-cell_type.csv"
    page.keyboard.press("Escape")
    title.get_by_role("button").click()
    page.get_by_label("Title", exact=True).fill("")
    page.keyboard.press("Enter")
    expect(title).to_have_text("tissue")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("i", "No tissue image in this bundle"),
        ("[", "No sections in this bundle"),
        ("b", "No second layout in this bundle"),
        ("x", "No second view to swap with"),
        ("n", "No categories to label"),
    ],
)
def test_shortcuts_that_do_not_apply_show_a_hint(plain: Viewer, key: str, hint: str) -> None:
    before = plain.state()
    plain.page.keyboard.press(key)
    plain.page.get_by_role("status").get_by_text(hint).wait_for()
    assert plain.state() == before


@pytest.fixture
def plain(viewer: Viewer, plain_folder: Path, serve: Callable[[Path], str]) -> Viewer:
    return viewer.open(serve(plain_folder))


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of bins of Visium HD, without image, sections, embeddings and annotations."""
    row, col = (part.ravel() for part in np.mgrid[:12, :12])
    obs = pd.DataFrame(
        {"array_row": row, "array_col": col},
        index=[f"s_008um_{r:05d}_{c:05d}-1" for r, c in zip(row, col, strict=True)],
    )
    adata = ad.AnnData(np.ones((len(row), 1), np.float32), obs=obs)
    # Slides are turned a little under the microscope.
    turn = np.array([[np.cos(0.1), np.sin(0.1)], [-np.sin(0.1), np.cos(0.1)]])
    adata.obsm["spatial"] = np.column_stack([col, row]) @ turn * 30.0
    folder = tmp_path_factory.mktemp("bins") / "b"
    adata_to_karospace(adata, folder, annotation_columns=[], genes_mode="all", dataset_name="bins")
    return folder


def test_bins_are_squares_that_fill_the_tissue_however_it_is_turned(plain: Viewer) -> None:
    page = plain.page
    expect(page.get_by_text("144 bins · 1 gene")).to_be_visible()
    plain.set(opacity=1)
    for turn in (0, 90):
        plain.set(turn=turn, flip=turn == 90)
        box = page.locator("canvas").first.bounding_box()
        at = np.array(plain.positions([65, 66, 77, 78, 0])) - [box["x"], box["y"]]
        shot = plain.pixels().astype(int)
        color = shot[int(at[0][1]), int(at[0][0])]
        x, y = at[:4].mean(axis=0).astype(int)
        junction = shot[y - 15 : y + 16, x - 15 : x + 16]
        assert np.abs(junction - color).max() < 12, "no hole where four bins meet"
        # The first bin extends to its outer corner, where a disc would not reach.
        outward = (at[4] - at[:4].mean(axis=0)) / np.linalg.norm(at[4] - at[:4].mean(axis=0))
        half = np.linalg.norm(at[1] - at[0]) / 2
        inside, outside = ((at[4] + outward * half * factor).astype(int) for factor in (1.25, 1.6))
        assert np.abs(shot[inside[1], inside[0]] - color).max() < 12
        assert np.abs(shot[outside[1], outside[0]] - color).max() > 40


def test_corner_of_a_bin_belongs_to_it(plain: Viewer) -> None:
    page = plain.page
    first, right, below = np.array(plain.positions([65, 66, 77]))
    page.mouse.click(*(first + 0.45 * (right - first) + 0.45 * (below - first)))
    page.get_by_role("region", name="bin s_008um_00005_00005-1").wait_for()


def on_screen(viewer: Viewer) -> NDArray[np.uint8]:
    """Return a screenshot of the page, including everything on top of the canvas."""
    return np.asarray(Image.open(io.BytesIO(viewer.page.screenshot())).convert("RGB"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_highlighted_bin_is_framed_by_a_square_of_its_size(plain: Viewer, theme: str) -> None:
    page = plain.page
    plain.set(theme=theme, opacity=1)
    page.add_style_tag(content=".ks-tooltip, .ks-cell-card { visibility: hidden }")  # they cover a corner
    ink = np.array(
        page.evaluate("getComputedStyle(document.querySelector('.ks-root')).color.match(/\\d+/g).map(Number)")
    )

    def assert_framed(cell: int, share: float = 1) -> None:
        """Check the frame just outside the middle of each side and of each corner, and the bin just inside."""
        at, right, below = np.array(plain.positions([cell, cell + 1, cell + 12]))
        u, v = (right - at) / 2 * share, (below - at) / 2 * share
        page.locator(".ks-highlight").first.wait_for()
        shot = on_screen(plain).astype(int)
        color = shot[int(at[1]), int(at[0])]
        assert np.abs(color - ink).max() > 60
        for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            offset = across * u + down * v
            (x, y), inside = ((at + offset * (1 + pixels / np.linalg.norm(u))).astype(int) for pixels in (1, -3))
            # The frame is rotated and therefore antialiased: at least one pixel around the point is covered.
            around = np.abs(shot[y - 1 : y + 2, x - 1 : x + 2] - ink).max(axis=2)
            assert around.min() < 60, (across, down)
            assert np.abs(shot[inside[1], inside[0]] - color).max() < 30, (across, down)

    for turn, size in ((0, 1), (90, 1), (0, 0.6)):
        plain.set(turn=turn, flip=turn == 90, pointSize=size)
        page.mouse.move(*plain.positions([65])[0])
        assert_framed(65, size)
    page.mouse.click(*plain.positions([65])[0])
    page.get_by_text("Spot size").hover()
    page.locator(".ks-tooltip").wait_for(state="detached")
    assert_framed(65, 0.6)
    # The frame of a tiny bin is larger than the bin, so that it can be seen.
    page.keyboard.press("Escape")
    plain.set(camera={**plain.state()["camera"], "zoom": 0.2})
    page.mouse.move(*plain.positions([65])[0])
    box = page.locator(".ks-highlight").first.bounding_box()
    assert box["width"] == pytest.approx(14 * (np.cos(0.1) + np.sin(0.1)), abs=0.2)


def test_image_is_as_bright_in_the_dark_theme_as_in_the_light_one(
    tissue: Path, export: Callable[..., Path], serve: Callable[[Path], str], viewer: Viewer
) -> None:
    viewer.open(serve(export(tissue, annotation_columns=["cell_type"])))
    until_js(viewer.page, "() => karospace.getState().imageOn")
    shots = []
    for theme in ("light", "dark"):
        viewer.set(theme=theme, opacity=0, imageOpacity=1)
        shots.append(picture(viewer))
    light, dark = (shot[200:-200, 300:-300, :3].astype(int) for shot in shots)
    assert np.abs(light - dark).mean() < 3


def test_table_of_an_embedding_names_its_coordinates(
    tissue: Path, export: Callable[..., Path], serve: Callable[[Path], str], viewer: Viewer, tmp_path: Path
) -> None:
    viewer.open(serve(export(tissue, genes_mode=["EPCAM"])))
    page = viewer.page
    viewer.set(layout={"kind": "embedding", "name": "X_umap"}, color={"kind": "gene", "gene": "EPCAM"})
    page.keyboard.press("s")
    with page.expect_download() as download:
        page.get_by_role("dialog", name="Save").get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "table.csv")
    assert list(pd.read_csv(tmp_path / "table.csv")) == ["cell_id", "umap_1", "umap_2", "EPCAM"]
