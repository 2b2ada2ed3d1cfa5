"""Touch and pen input: taps, pinches, drawing, and the size of touch targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from screen import middle_cells
from waiting import becomes, eventually, holds, two_frames, until_js

pytestmark = pytest.mark.e2e

Opened = tuple[Viewer, ad.AnnData, "Fingers"]


class Fingers:
    """Send touch and pen events to a page."""

    def __init__(self, page: Any) -> None:
        self.session = page.context.new_cdp_session(page)

    def touch(self, kind: str, points: Sequence[tuple[float, float]]) -> None:
        touches = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def pen(self, kind: str, at: tuple[float, float], *, down: bool) -> None:
        """Move, press or lift a pen, which hovers, unlike a finger."""
        pressed = {"button": "left", "buttons": int(down), "clickCount": int(kind != "mouseMoved")}
        event = {"type": kind, "x": at[0], "y": at[1], "pointerType": "pen", **pressed}
        self.session.send("Input.dispatchMouseEvent", event)

    def stroke(self, *steps: Sequence[tuple[float, float]]) -> None:
        """Touch down at the first step, move through the others, and lift after the last."""
        for at, points in enumerate(steps):
            self.touch("touchMove" if at else "touchStart", points)
        self.touch("touchEnd", [])


@pytest.fixture
def opened(browser: Any, tissue: Path, export: Callable[..., Path], serve: Callable[[Path], str]) -> Iterator[Opened]:
    with browser.new_context(viewport={"width": 900, "height": 700}, has_touch=True) as context:
        viewer = Viewer(context.new_page()).open(serve(export(tissue, genes_mode="all")))
        yield viewer, ad.read_h5ad(tissue), Fingers(viewer.page)
        assert viewer.problems == []


def test_tap_opens_the_card_of_a_cell_and_a_drag_moves_it(opened: Opened) -> None:
    viewer, adata, fingers = opened
    page = viewer.page
    cell = middle_cells(viewer, 1)[0]
    position = viewer.positions([cell])[0]
    card = page.get_by_role("region", name=f"cell {adata.obs_names[cell]}")
    fingers.stroke([position])
    card.wait_for()
    two_frames(page)
    expect(card, "the card stays when the finger is lifted").to_be_visible()
    expect(page.get_by_role("tooltip"), "a tooltip would repeat the card").to_have_count(0)
    before = card.bounding_box()["x"]
    # A drag is not a tap: the card follows its cell.
    fingers.stroke([position], [(position[0] + 30, position[1])], [(position[0] + 60, position[1] + 10)])
    moved = (position[0] + 60, position[1] + 10)
    becomes(lambda: viewer.positions([cell])[0], pytest.approx(moved, abs=0.5))
    becomes(lambda: card.bounding_box()["x"] == before, False)
    box = card.bounding_box()
    inside = box["x"] <= moved[0] <= box["x"] + box["width"] and box["y"] <= moved[1] <= box["y"] + box["height"]
    assert not inside, "the card does not cover its cell, even in a narrow window"
    # click(), not tap(): the browser sometimes drops a tap right after synthetic touch strokes.
    card.get_by_role("button", name="Close card").click()
    card.wait_for(state="detached")


def test_pen_hovers_and_draws_a_lasso(opened: Opened) -> None:
    viewer, adata, fingers = opened
    page = viewer.page
    kinds = "window.kinds = new Set(); addEventListener('pointerdown', (e) => kinds.add(e.pointerType), true)"
    page.evaluate(kinds)
    cell = middle_cells(viewer, 1)[0]
    fingers.pen("mouseMoved", viewer.positions([cell])[0], down=False)
    page.get_by_role("tooltip").get_by_text(str(adata.obs_names[cell]), exact=True).wait_for()
    page.get_by_role("button", name="Lasso select").click()
    points = np.array(viewer.positions(list(range(3000))))
    x, y = np.median(points, axis=0)
    corners = [(x - 60, y - 50), (x + 60, y - 50), (x + 60, y + 50), (x - 60, y + 50), (x - 60, y - 50)]
    fingers.pen("mousePressed", corners[0], down=True)
    for corner in corners[1:]:
        fingers.pen("mouseMoved", corner, down=True)
    fingers.pen("mouseReleased", corners[-1], down=False)
    inside = int(((np.abs(points[:, 0] - x) <= 60) & (np.abs(points[:, 1] - y) <= 50)).sum())
    count = "window.karospace.selection?.reduce((sum, flag) => sum + flag, 0) ?? 0"
    until_js(page, f"() => ({count}) > 0")
    assert page.evaluate(count) == pytest.approx(inside, abs=4)
    assert "pen" in page.evaluate("[...kinds]")


def test_pinch_keeps_the_tissue_under_the_fingers(opened: Opened) -> None:
    viewer, _, fingers = opened
    at = np.array(viewer.positions(list(range(3000))))
    middle = np.median(at, axis=0)
    left = int(np.argmin(np.hypot(*(at - middle + [60, 20]).T)))
    right = int(np.argmin(np.hypot(*(at - middle - [60, 20]).T)))
    # The fingers move apart and sideways, then back together.
    outward = [(factor, np.array([shift, shift / 2])) for factor, shift in [(1, 0), (1.3, 8), (1.8, 25), (2.2, 40)]]
    for steps in (outward, [(factor / 2.2, shift) for factor, shift in reversed(outward)]):
        a, b = np.array(viewer.positions([left, right]))
        center, arm = (a + b) / 2 - steps[0][1], (b - a) / 2 / steps[0][0]
        points = [[tuple(center + s - arm * f), tuple(center + s + arm * f)] for f, s in steps]
        fingers.stroke(*points)
        last = points[-1]
        holds(lambda wanted=last: np.testing.assert_allclose(viewer.positions([left, right]), wanted, atol=1.5))
    expect(viewer.page.get_by_role("tooltip")).to_have_count(0)


def test_gene_list_scrolls_by_touch(opened: Opened) -> None:
    viewer, _, fingers = opened
    page = viewer.page
    page.get_by_role("tab", name="Gene").tap()
    page.get_by_role("combobox", name="Gene", exact=True).tap()
    genes = page.get_by_role("listbox", name="Genes")
    box = genes.bounding_box()
    x, y = box["x"] + 80, box["y"] + box["height"] - 40
    before = viewer.state()["color"]
    # While the list still scrolls after the stroke, a tap stops it and chooses nothing.
    page.evaluate("""() => document.querySelector('.ks-hits')
      .addEventListener('scrollend', () => { window.scrollEnded = true; }, {once: true})""")
    fingers.stroke(*([(x, y - step)] for step in range(0, 200, 20)))
    until_js(page, "() => window.scrollEnded && document.querySelector('.ks-hits').scrollTop > 60")
    assert viewer.state()["color"] == before
    hit = genes.get_by_role("option").nth(9)
    name = eventually(hit.locator("span").first.inner_text)
    hit.tap()
    until_js(page, "name => window.karospace.getState().color.gene === name", arg=name)
    genes.wait_for(state="detached")


def test_tap_on_a_category_selects_it_while_a_selection_tool_is_active(opened: Opened) -> None:
    viewer, adata, _ = opened
    page = viewer.page
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    counts = adata.obs["cell_type"].value_counts()
    first, second = (str(name) for name in counts.index[:2])
    rows = page.locator(".ks-class")
    rows.filter(has_text=first).first.tap()
    until_js(page, "name => window.karospace.getState().hidden.cell_type?.includes(name)", arg=first)
    viewer.set(hidden={})
    page.get_by_role("button", name="Lasso select").tap()
    page.get_by_role("button", name="Add to selection").tap()
    rows.filter(has_text=first).first.tap()
    rows.filter(has_text=second).first.tap()
    wanted = int(counts.iloc[0] + counts.iloc[1])
    until_js(page, "n => window.karospace.selection?.reduce((sum, flag) => sum + flag, 0) === n", arg=wanted)
    assert viewer.state()["hidden"] == {}


def test_selection_mode_buttons_work_without_keys(opened: Opened) -> None:
    viewer, _, fingers = opened
    page = viewer.page
    count = "window.karospace.selection?.reduce((sum, flag) => sum + flag, 0) ?? 0"
    modes = page.get_by_role("group", name="Selection mode")
    expect(modes).to_have_count(0)
    page.get_by_role("button", name="Rectangle select").tap()
    undo = modes.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    points = np.array(viewer.positions(list(range(3000))))
    (x, y) = np.median(points, axis=0)

    def draw(left: float, right: float) -> int:
        earlier = page.evaluate(count)
        fingers.stroke([(x + left, y - 50)], [(x, y)], [(x + right, y + 50)])
        until_js(page, f"earlier => ({count}) !== earlier", arg=earlier)
        return int(page.evaluate(count))

    def inside(left: float, right: float) -> int:
        return int(((np.abs(points[:, 1] - y) <= 50) & (points[:, 0] >= x + left) & (points[:, 0] <= x + right)).sum())

    # click(), not tap(): the browser sometimes drops a tap right after synthetic touch strokes.
    assert draw(-80, 0) == pytest.approx(inside(-80, 0), abs=2)
    modes.get_by_role("button", name="Add to selection").click()
    both = draw(0, 80)
    assert both == pytest.approx(inside(-80, 80), abs=3)
    modes.get_by_role("button", name="Subtract from selection").click()
    assert draw(-80, -40) == pytest.approx(inside(-40, 80), abs=3)
    undo.click()
    becomes(lambda: page.evaluate(count), both)
    modes.get_by_role("button", name="Intersect with selection").click()
    kept = draw(-40, 40)
    assert kept == pytest.approx(inside(-40, 40), abs=3)
    # The mode applies to regions, too, and a modifier key overrides it.
    page.get_by_role("button", name="Save as region").click()
    page.keyboard.press("Enter")
    modes.get_by_role("button", name="Subtract from selection").click()
    page.get_by_role("button", name="Select Region 1").click()
    until_js(page, "() => window.karospace.selection === null")
    page.get_by_role("button", name="Select Region 1").click(modifiers=["Shift"])
    until_js(page, f"() => ({count}) === {kept}")
    # Choosing another tool hides the modes and resets them.
    page.get_by_role("button", name="Pan", exact=True).click()
    modes.wait_for(state="detached")
    page.get_by_role("button", name="Lasso select").click()
    expect(modes.get_by_role("button", name="New selection")).to_have_attribute("aria-pressed", "true")


def test_touch_targets_are_large_enough(opened: Opened) -> None:
    viewer, _, _ = opened
    page = viewer.page
    page.evaluate("n => karospace.setRegions([{name: 'a', mask: new Uint8Array(n).fill(1)}])", 3000)
    page.get_by_role("button", name="Lasso select").tap()
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    page.get_by_role("slider", name="Lower color limit").wait_for()
    # Each target responds up to 17 px from its center in all directions.
    small = page.evaluate("""() => [...document.querySelectorAll('.ks-icon-button, .ks-chip, .ks-region-act, .ks-handle')]
      .filter((target) => target.checkVisibility() && !target.disabled)
      .flatMap((target) => {
        target.scrollIntoView({block: 'center'});
        const {left, top, width, height} = target.getBoundingClientRect();
        const reach = (dx, dy) => {
          const hit = document.elementFromPoint(left + width / 2 + dx, top + height / 2 + dy);
          return hit !== null && target.contains(hit);
        };
        const far = 17;
        return [[far, 0], [-far, 0], [0, far], [0, -far]].every(([x, y]) => reach(x, y))
          ? []
          : [`${target.className} ${target.getAttribute('aria-label') ?? target.textContent}: ${width} × ${height}`];
      })""")
    assert small == []


def test_markers_can_be_reached_by_touch(opened: Opened) -> None:
    viewer, adata, fingers = opened
    name = str(adata.obs["cell_type"].value_counts().index[0])
    markers = viewer.page.get_by_role("button", name=f"Markers of {name}")
    box = markers.bounding_box()
    assert box
    assert box["height"] >= 36
    # It covers neither the name nor the number of cells.
    number = viewer.page.locator(".ks-class-row", has=markers).locator(".ks-number").first.bounding_box()
    assert number
    assert number["x"] + number["width"] <= box["x"]
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    fingers.stroke([at])
    expect(viewer.page.get_by_role("region", name="Compare genes")).to_be_visible()
