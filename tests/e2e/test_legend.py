"""The legend of categories: counts, colors, palettes, search, order, and keyboard control."""

from __future__ import annotations

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
from playwright.sync_api import expect
from waiting import becomes, eventually, until_js

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.plan import colors
from karospace_jupyter.view.saved_view import read_view
from karospace_jupyter.view.state import from_wire

pytestmark = pytest.mark.e2e

PALETTES = Path(colors.__file__).with_name("palettes.json")


@pytest.fixture
def opened(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> tuple[Viewer, ad.AnnData]:
    adata = synthetic_tissue(n_cells=2000, seed=2)
    adata.obs.loc[adata.obs_names[::50], "cell_type"] = np.nan
    adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"], image_path="none")
    viewer.open(serve(tmp_path / "b"))
    viewer.set(opacity=1, pointSize=1.6, color={"kind": "annotation", "column": "cell_type"})
    return viewer, adata


def hex_color(color: Any) -> str:
    return "#" + "".join(f"{int(channel):02x}" for channel in color)


def first_of(adata: ad.AnnData, name: str) -> int:
    """Return the first cell of a cell type."""
    return int(np.flatnonzero((adata.obs["cell_type"] == name).to_numpy())[0])


def test_rows_show_count_and_share(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    rows = viewer.page.locator(".ks-legend li")
    column = adata.obs["cell_type"]
    counts = column.value_counts()
    expect(rows).to_have_count(len(counts) + 1)
    for at, (name, count) in enumerate(counts.items()):
        text = eventually(rows.nth(at).inner_text).split("\n")
        assert text[0] == name
        assert int(text[1].replace(",", "")) == count
        assert float(text[2].rstrip(" %")) == pytest.approx(100 * count / adata.n_obs, abs=0.5)
    last = eventually(rows.last.inner_text).split("\n")
    assert last[0] == "no value"
    assert int(last[1]) == column.isna().sum()
    assert hex_color(viewer.colors([0])[0]) == "#b4bac3", "cells without a value are gray"


def test_legend_is_visible_whenever_cells_are_colored(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    largest = adata.obs["cell_type"].value_counts().index[0]
    row = page.locator(".ks-legend, .ks-small-legend").get_by_text(largest, exact=True)
    hide = page.get_by_role("button", name="Hide panel")
    for beside in (None, {"kind": "embedding", "name": "X_umap"}):
        viewer.set(beside=beside)
        for width, height in ((1360, 860), (980, 470), (400, 500)):
            page.set_viewport_size({"width": width, "height": height})
            for _ in range(2):  # with the panel and without it
                expect(row).to_have_count(1)
                expect(row).to_be_in_viewport()
                page.keyboard.press("p")
    # The small legend hides categories, too.
    viewer.set(beside=None)
    expect(hide).to_have_count(0)
    row.click()
    viewer.until(f"state.hidden.cell_type?.includes('{largest}')")
    viewer.set(hidden={}, color={"kind": "gene", "gene": "EPCAM"})
    expect(page.locator(".ks-small-gradient")).to_be_in_viewport()
    # Before a gene is chosen, the colors are still those of the annotation.
    page.set_viewport_size({"width": 1360, "height": 860})
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    page.reload()
    page.evaluate("window.karospace.ready")
    page.get_by_role("tab", name="Gene").click()
    expect(page.get_by_text("Choose a gene")).to_be_visible()
    expect(row).to_be_in_viewport()
    assert viewer.problems == []


def test_category_color_can_be_changed_and_reset(opened: tuple[Viewer, ad.AnnData], tmp_path: Path) -> None:
    viewer, adata = opened
    page = viewer.page
    name = adata.obs["cell_type"].cat.categories[2]
    cell = first_of(adata, name)
    original = hex_color(viewer.colors([cell])[0])
    assert original == adata.uns["cell_type_colors"][2].lower()
    # Playwright cannot operate the browser's color picker, but it can set the value of the input.
    page.get_by_label(f"Color of {name}", exact=True).fill("#12fe34")
    viewer.set()
    assert hex_color(viewer.colors([cell])[0]) == "#12fe34"
    assert viewer.state()["classColors"] == {"cell_type": {name: "#12fe34"}}
    # Pictures, the address and saved views contain the color, and Python reads it.
    svg = page.evaluate("window.karospace.picture({format: 'svg'}).then((blob) => blob.text())")
    assert re.search(r"#12fe34|rgb\(18,? 254,? 52\)", svg)
    viewer.address()
    saved = page.evaluate("window.karospace.getView()")
    (tmp_path / "view.json").write_text(json.dumps(saved))
    assert read_view(tmp_path / "view.json")["state"]["classColors"] == {"cell_type": {name: "#12fe34"}}
    state = from_wire(viewer.state())
    assert state is not None
    assert state.class_colors == {"cell_type": {name: "#12fe34"}}
    page.reload()
    page.evaluate("window.karospace.ready")
    assert hex_color(viewer.colors([cell])[0]) == "#12fe34"
    page.get_by_role("button", name="Reset colors").click()
    viewer.set()
    assert hex_color(viewer.colors([cell])[0]) == original
    assert viewer.problems == []


def test_palette_can_be_chosen_by_keyboard(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    palettes = json.loads(PALETTES.read_text())
    categories = list(adata.obs["cell_type"].cat.categories)
    cells = [first_of(adata, name) for name in categories]
    page.get_by_label("Category colors").focus()
    for wanted in ("distinct", "safe"):
        page.keyboard.press("ArrowDown")
        viewer.until(f"state.palette === '{wanted}'")
        assert [hex_color(color) for color in viewer.colors(cells)] == palettes[wanted][: len(cells)]


def test_other_categories_are_dimmed_while_pointing_at_one(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    first, second = list(adata.obs["cell_type"].cat.categories)[:2]
    cells = [first_of(adata, first), first_of(adata, second), 0]
    before = viewer.colors(cells).astype(int)
    page.get_by_role("button", name=re.compile(f"^{first},")).hover()
    viewer.set()
    during = viewer.colors(cells).astype(int)
    background = np.array([0xF6, 0xF7, 0xF9])
    contrast = lambda seen: np.abs(seen - background).sum(axis=1)  # noqa: E731
    assert (during[0] == before[0]).all()
    assert (contrast(during[1:]) < 0.3 * contrast(before[1:])).all()
    page.mouse.move(300, 300)
    viewer.set()
    assert (viewer.colors(cells) == before).all()
    assert viewer.problems == []


def test_dimmed_cells_are_translucent_and_behind_the_highlighted_category(
    viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    adata = synthetic_tissue(n_cells=2000, seed=2)
    # Every cell has another one at the same position.
    adata.obsm["spatial"][1000:] = adata.obsm["spatial"][:1000]
    adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"], sections="none")
    page = viewer.open(serve(tmp_path / "b")).page
    # Cells smaller than 2.5 pixels are squares without antialiased edges.
    viewer.set(opacity=1, pointSize=0.2, imageOpacity=1, color={"kind": "annotation", "column": "cell_type"})
    types = adata.obs["cell_type"]
    name = types.value_counts().index[0]
    members = (types == name).to_numpy()
    # Positions where one of two cells belongs to the category, and positions where neither does.
    pairs = np.flatnonzero(members[:1000] ^ members[1000:])
    others = np.flatnonzero(~members[:1000] & ~members[1000:])
    viewer.set(opacity=0)
    image = viewer.colors(others.tolist()).astype(int)
    viewer.set(opacity=1)
    button = page.get_by_role("button", name=re.compile(f"^{name},"))
    wanted = np.array(
        [int(adata.uns["cell_type_colors"][types.cat.categories.get_loc(name)][i : i + 2], 16) for i in (1, 3, 5)]
    )
    plain = viewer.colors(pairs.tolist())
    assert (plain == wanted).all(axis=1).mean() < 0.9, (
        "without a highlighted category, some cells are covered by others"
    )
    button.hover()
    viewer.set()
    assert (viewer.colors(pairs.tolist()) == wanted).all(axis=1).mean() > 0.97
    assert np.median(np.abs(viewer.colors(others.tolist()) - image).max(axis=1)) < 45


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with 120 categories in one annotation and 20 in another."""
    adata = synthetic_tissue(n_cells=1500, seed=3)
    rng = np.random.default_rng(0)
    for column, count in (("kind", 120), ("batch", 20)):
        codes = np.r_[np.arange(count), rng.integers(0, count, adata.n_obs - count) ** 2 // count]
        adata.obs[column] = pd.Categorical([f"{column} {code}" for code in codes])
    folder = tmp_path_factory.mktemp("many") / "b"
    adata_to_karospace(adata, folder, genes_mode=["EPCAM"], annotation_columns=["kind", "batch"], image_path="none")
    return folder


def names(viewer: Viewer) -> list[str]:
    return [name.removesuffix("\n") for name in viewer.page.locator(".ks-legend .ks-class-name").all_inner_texts()]


def test_palette_is_named_after_the_file_only_if_the_file_has_colors(
    many: Path, opened: tuple[Viewer, ad.AnnData]
) -> None:
    viewer, adata = opened
    assert "cell_type_colors" in adata.uns
    first = viewer.page.get_by_label("Category colors").locator("option").first
    expect(first).to_have_text("File colors")
    viewer.open((many / "index.html").as_uri())
    viewer.set(color={"kind": "annotation", "column": "kind"})
    expect(first).to_have_text("Default")


def test_small_shares_do_not_touch_their_bars(many: Path, viewer: Viewer) -> None:
    page = viewer.open((many / "index.html").as_uri()).page
    viewer.set(color={"kind": "annotation", "column": "kind"})
    expect(page.locator(".ks-share", has_text="< 0.1%").first).to_be_visible()
    gaps = page.evaluate("""() => [...document.querySelectorAll('.ks-class')].map((row) => {
      const text = document.createRange();
      text.selectNodeContents(row.querySelector('.ks-share'));
      const {left, right} = text.getBoundingClientRect();
      const number = row.querySelector('.ks-number').getBoundingClientRect();
      return Math.min(row.querySelector('.ks-bar').getBoundingClientRect().left - right, left - number.right);
    })""")
    assert len(gaps) == 120
    assert min(gaps) > 7


def test_categories_can_be_searched_and_sorted(many: Path, viewer: Viewer) -> None:
    page = viewer.open((many / "index.html").as_uri()).page
    viewer.set(color={"kind": "annotation", "column": "kind"})
    columns = {column.name: column for column in Bundle(many).manifest.columns or []}
    kind = columns["kind"]
    assert kind.kind == "category"
    in_manifest = [category.name for category in kind.categories]
    by_size = [category.name for category in sorted(kind.categories, key=lambda category: -category.count)]
    by_name = sorted(in_manifest, key=lambda name: int(name.removeprefix("kind ")))
    assert by_size != by_name
    becomes(lambda: names(viewer), by_size)
    # The button is named after the current order; a click switches to the next one.
    for order, wanted in (("size", by_name), ("name", in_manifest), ("original", by_size)):
        page.get_by_role("button", name=f"Category order: {order}").click()
        becomes(lambda: names(viewer), wanted)
        svg = page.evaluate("window.karospace.picture({format: 'svg'}).then((blob) => blob.text())")
        assert re.findall(r">(kind \d+)</text>", svg) == wanted[: svg.count(">kind ")], (
            "the picture uses the order of the panel"
        )
    box = page.get_by_label("Search categories")
    box.fill(" KIND 11")
    matching = [name for name in by_size if "kind 11" in name]
    becomes(lambda: names(viewer), matching)
    # A search that removes the row under the pointer ends the dimming.
    cells = [cell for cell in range(60) if viewer.value(cell) != matching[0]]
    before = viewer.colors(cells)
    page.get_by_role("button", name=f"{matching[0]},").hover()
    viewer.set()
    assert (viewer.colors(cells) != before).any(axis=1).mean() > 0.9
    box.press_sequentially("zzz")
    page.get_by_text("No matching categories.").wait_for()
    viewer.set()
    assert (viewer.colors(cells) == before).all()
    # Changing the annotation clears the search.
    viewer.set(color={"kind": "annotation", "column": "batch"})
    expect(box).to_have_value("")
    batch = columns["batch"]
    assert batch.kind == "category"
    becomes(lambda: len(names(viewer)), len(batch.categories))
    assert viewer.problems == []


def test_legend_can_be_used_by_keyboard(many: Path, viewer: Viewer) -> None:
    page = viewer.open((many / "index.html").as_uri()).page
    viewer.set(color={"kind": "annotation", "column": "kind"})
    listed = eventually(lambda: names(viewer), lambda found: len(found) == 120)
    script = "document.activeElement.getAttribute('aria-label')"

    def focused() -> str:
        return str(page.evaluate(script))

    page.get_by_label("Search categories").focus()
    page.keyboard.press("Tab")
    assert focused().startswith(f"{listed[0]}, ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert focused().startswith(f"{listed[1]}, ")
    # The focused category is highlighted, as under the pointer.
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.keyboard.press("Enter")
    until_js(page, "() => document.activeElement.getAttribute('aria-pressed') === 'false'")
    assert viewer.state()["hidden"] == {"kind": [listed[1]]}
    page.keyboard.press("ArrowLeft")
    assert focused() == f"Color of {listed[1]}"
    page.keyboard.press("ArrowDown")
    assert focused() == f"Color of {listed[2]}"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    assert focused().startswith(f"{listed[-1]}, ")
    # The list is one tab stop, at the last focused row, and its keys do not pan the tissue.
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('.ks-legend')")
    page.keyboard.press("Shift+Tab")
    assert focused().startswith(f"{listed[-1]}, ")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+Enter")
    assert viewer.state()["isolated"] == {"kind": [listed[0]]}
    assert viewer.state()["hidden"] == {"kind": [listed[1]]}
    assert viewer.state()["camera"]["zoom"] == pytest.approx(1)


LONG = ["Extravillous trophoblast, interstitial, of the anchoring villi", "Syncytiotrophoblast", "B"]


def test_long_names_are_shown_in_full_at_any_panel_width(
    viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    adata = synthetic_tissue(n_cells=600, seed=2)
    adata.obs["kind"] = pd.Categorical(np.array(LONG)[np.arange(adata.n_obs) % 3])
    adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"], annotation_columns=["kind"], image_path="none")
    page = viewer.open(serve(tmp_path / "b")).page
    viewer.set(color={"kind": "annotation", "column": "kind"})
    script = """() => [...document.querySelectorAll('.ks-legend .ks-class-name')]
      .some((name) => name.scrollHeight > name.clientHeight + 1 || name.scrollWidth > name.clientWidth + 1)"""

    def is_truncated() -> bool:
        return bool(page.evaluate(script))

    expect(page.locator(".ks-legend .ks-share").first).to_be_hidden()
    becomes(is_truncated, False)
    assert sorted(names(viewer)) == sorted(LONG)
    # The picture also has the whole name, on as many lines as it needs.
    svg = page.evaluate("window.karospace.picture({format: 'svg'}).then((blob) => blob.text())")
    lines = re.findall(r">([^<>]+)</text>", svg)
    assert LONG[0] in " ".join(lines)

    edge = page.get_by_role("separator", name="Panel width")
    panel = page.get_by_role("complementary", name="Color and display")

    def width() -> float:
        return float(panel.bounding_box()["width"])

    expect(edge).to_have_attribute("aria-valuenow", "320")
    edge.focus()
    page.keyboard.press("ArrowLeft")
    expect(edge).to_have_attribute("aria-valuenow", "336")
    becomes(width, 336)
    page.keyboard.press("End")
    becomes(width, 680)  # half of the page
    expect(page.locator(".ks-legend .ks-share").first).to_be_visible()
    becomes(is_truncated, False)
    page.keyboard.press("Home")
    becomes(width, 240)
    becomes(is_truncated, False)
    box = edge.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 400
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 100, y, steps=3)
    page.mouse.up()
    becomes(width, 340)
    # The width is kept like the theme: in the view, in its link, and in Python.
    viewer.address()
    page.reload()
    page.evaluate("window.karospace.ready")
    becomes(width, 340)
    state = from_wire(viewer.state())
    assert state.panel_width == 340
    page.set_viewport_size({"width": 640, "height": 700})
    expect(edge).to_be_hidden()
    page.set_viewport_size({"width": 1360, "height": 860})
    edge.dblclick()
    becomes(width, 320)
    assert viewer.problems == []


def test_alt_click_selects_a_category(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    first, second = list(adata.obs["cell_type"].cat.categories)[:2]
    selected = "Array.from(window.karospace.selection)"
    types = adata.obs["cell_type"]
    for name, modifiers, wanted in (
        (first, ["Alt"], types == first),
        (second, ["Alt", "Shift"], types.isin([first, second])),
        ("no value", ["Alt"], types.isna()),
    ):
        viewer.page.get_by_role("button", name=re.compile(f"^{name},")).click(modifiers=modifiers)
        assert viewer.page.evaluate(selected) == wanted.astype(int).tolist()
    assert viewer.state()["hidden"] == {}


CONTRAST = """() => {
  const parts = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const over = ([r, g, b, a = 1], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
  const backgroundOf = (element) => {
    if (!element) return [255, 255, 255];
    const color = parts(getComputedStyle(element).backgroundColor);
    return color[3] === 0 ? backgroundOf(element.parentElement) : over(color, backgroundOf(element.parentElement));
  };
  const opacityOf = (element) => (element ? getComputedStyle(element).opacity * opacityOf(element.parentElement) : 1);
  const results = [];
  const measure = (element, pseudo, text, minimum) => {
    const [r, g, b, a = 1] = parts(getComputedStyle(element, pseudo).color);
    const background = backgroundOf(element);
    const contrast = ratio(over([r, g, b, a * opacityOf(element)], background), background);
    results.push({ text, minimum, contrast: Math.round(contrast * 100) / 100 });
  };
  for (const area of document.querySelectorAll('.ks-panel, .ks-selection')) {
    const walk = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !element.checkVisibility() || element.closest('option, :disabled')) continue;
      measure(element, null, node.data, 4.5);
    }
    for (const input of area.querySelectorAll('input[placeholder]'))
      measure(input, '::placeholder', input.placeholder, 4.5);
    for (const icon of area.querySelectorAll('button .ks-icon'))
      measure(icon, null, `icon of ${icon.closest('button').ariaLabel ?? icon.closest('button').title}`, 3);
  }
  return results;
}"""
"""JavaScript that returns the contrast of each visible text and icon, and the minimum that WCAG AA requires."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_panel_text_has_sufficient_contrast(many: Path, viewer: Viewer, theme: str) -> None:
    page = viewer.open((many / "index.html").as_uri()).page
    hidden = "kind 0"
    viewer.set(theme=theme, color={"kind": "annotation", "column": "kind"}, hidden={"kind": [hidden]})
    page.evaluate(
        """() => {
            const mask = Uint8Array.from({length: window.karospace.cells}, (_, i) => i % 2);
            window.karospace.select(mask);
            window.karospace.setRegions([{name: 'here', mask}, {name: 'there', mask: mask.map((flag) => 1 - flag)}]);
        }"""
    )
    page.get_by_text("compared with the rest").wait_for()
    # These buttons appear on hover and focus.
    page.evaluate("() => document.querySelectorAll('.ks-row-genes').forEach((button) => (button.style.opacity = 1))")
    seen = page.evaluate(CONTRAST)
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    page.get_by_role("list", name="Mean of EPCAM").wait_for()
    seen += page.evaluate(CONTRAST)
    texts = {entry["text"] for entry in seen}
    assert {hidden, "Markers", "here", "icon of Rename here", "Search 120 categories", "Detected in"} <= texts
    assert [entry for entry in seen if entry["contrast"] < entry["minimum"]] == []
