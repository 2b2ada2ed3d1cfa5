"""Selecting cells by mouse, touch and scripts, compared with NumPy on the same coordinates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from playwright.sync_api import expect
from screen import MIDDLE, Screen, drag, select, selected, selection, tool

pytestmark = pytest.mark.e2e


def test_rectangle_selects_the_cells_inside(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    tool(viewer, "Rectangle select")
    start, end = screen.rectangle(*MIDDLE)
    drag(viewer, [start, end])
    unambiguous = ~screen.near(start, end)
    wanted = screen.within(start, end)
    assert wanted.sum() > 300
    assert (selected(viewer) == wanted)[unambiguous].all()
    status = viewer.page.get_by_role("status").filter(has_text="cells")
    expect(status).to_contain_text(f"{selected(viewer).sum():,} cells", use_inner_text=True)
    assert viewer.problems == []


def test_lasso_selects_the_cells_inside(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    viewer.page.keyboard.press("l")
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radii = 0.25 + 0.1 * np.sin(3 * angles)
    points = [
        screen.point(0.5 + r * float(np.cos(a)), 0.5 + r * float(np.sin(a))) for a, r in zip(angles, radii, strict=True)
    ]
    viewer.page.mouse.move(*points[0])
    viewer.page.mouse.down()
    for point in points[1:]:
        viewer.page.mouse.move(*point)
    viewer.page.mouse.up()
    wanted = screen.in_polygon(points)
    unambiguous = np.all([screen.in_polygon(points, margin) == wanted for margin in (-0.2, 0.2)], axis=0)
    assert wanted.sum() > 300
    assert (selected(viewer) == wanted)[unambiguous].all()


def test_selections_can_be_combined_inverted_undone_and_cleared(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    viewer.page.keyboard.press("m")
    first, second, third = (
        screen.rectangle(*box) for box in [(0.2, 0.2, 0.5, 0.5), (0.4, 0.4, 0.8, 0.8), (0.3, 0.3, 0.6, 0.6)]
    )
    unambiguous = ~(screen.near(*first) | screen.near(*second) | screen.near(*third))

    def assert_selected(wanted: NDArray[np.bool_]) -> None:
        assert (selected(viewer) == wanted)[unambiguous].all()

    drag(viewer, first)
    assert_selected(screen.within(*first))
    drag(viewer, second, key="Shift")
    assert_selected(screen.within(*first) | screen.within(*second))
    drag(viewer, third, key="Alt")
    remaining = (screen.within(*first) | screen.within(*second)) & ~screen.within(*third)
    assert_selected(remaining)
    viewer.page.keyboard.press("Control+z")
    assert_selected(screen.within(*first) | screen.within(*second))
    drag(viewer, third, key="Shift+Alt")
    assert_selected((screen.within(*first) | screen.within(*second)) & screen.within(*third))
    viewer.page.keyboard.press("Control+z")
    viewer.page.keyboard.press("Control+z")
    assert_selected(screen.within(*first))
    viewer.page.get_by_role("button", name="Invert").click()
    assert_selected(~screen.within(*first))
    viewer.page.keyboard.press("Escape")
    assert selection(viewer) is None
    viewer.page.keyboard.press("Control+z")
    assert_selected(~screen.within(*first))
    viewer.page.get_by_role("button", name="Clear", exact=True).click()
    assert selection(viewer) is None


def test_escape_cancels_drawing_before_it_clears_the_selection(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    viewer.page.keyboard.press("m")
    drag(viewer, screen.rectangle(*MIDDLE))
    before = selected(viewer)
    start, end = screen.rectangle(0.1, 0.1, 0.3, 0.3)
    viewer.page.mouse.move(*start)
    viewer.page.mouse.down()
    viewer.page.mouse.move(*end, steps=4)
    expect(viewer.page.locator(".ks-outline.ks-replace")).to_have_count(1)
    viewer.page.keyboard.press("Escape")
    viewer.page.mouse.up()
    assert (selected(viewer) == before).all()
    # A click without a drag does not change the selection.
    viewer.page.mouse.click(*start)
    assert (selected(viewer) == before).all()
    viewer.page.keyboard.press("Escape")
    assert selection(viewer) is None


def test_panning_and_zooming_work_while_a_selection_tool_is_active(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    tool(viewer, "Lasso select")
    start, end = screen.rectangle(*MIDDLE)
    before = viewer.positions([0])[0]
    drag(viewer, [start, (start[0] + 40, start[1] + 20)], button="middle")
    assert viewer.positions([0])[0] == pytest.approx((before[0] + 40, before[1] + 20), abs=0.5)
    drag(viewer, [(start[0] + 40, start[1] + 20), start], key=" ")
    assert viewer.positions([0])[0] == pytest.approx(before, abs=0.5)
    viewer.page.mouse.wheel(0, -300)
    viewer.until("state.camera.zoom > 1")
    assert selection(viewer) is None
    viewer.page.keyboard.press("v")
    drag(viewer, [start, end])
    assert selection(viewer) is None


def test_outline_stays_on_the_tissue_when_zooming(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    viewer.page.keyboard.press("m")
    start, end = screen.rectangle(*MIDDLE)
    viewer.page.mouse.move(*start)
    viewer.page.mouse.down()
    viewer.page.mouse.move(*end, steps=3)
    viewer.page.mouse.wheel(0, 200)
    viewer.page.mouse.up()
    unambiguous = ~(screen.near(start, end))
    # Zooming keeps the point under the pointer, and the first corner stays at its coordinates.
    assert (selected(viewer) == screen.within(start, end))[unambiguous].mean() > 0.999


def test_one_finger_selects_and_a_second_one_cancels(browser: Any, tissue: Path, export: Any, serve: Any) -> None:
    context = browser.new_context(viewport={"width": 900, "height": 700}, has_touch=True)
    try:
        viewer = Viewer(context.new_page()).open(serve(export(tissue)))
        screen = Screen(viewer, ad.read_h5ad(tissue))
        tool(viewer, "Rectangle select")
        start, end = screen.rectangle(*MIDDLE)
        session = context.new_cdp_session(viewer.page)
        steps = [start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), end]
        for kind, (x, y) in zip(["touchStart", "touchMove", "touchMove"], steps, strict=True):
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        unambiguous = ~screen.near(start, end)
        assert (selected(viewer) == screen.within(start, end))[unambiguous].all()

        # A second finger cancels drawing and zooms.
        before, zoom = selected(viewer), viewer.state()["camera"]["zoom"]
        x, y = start
        for fingers in ([(x, y)], [(x, y), (x + 60, y)], [(x, y), (x + 120, y)], [(x, y), (x + 180, y)]):
            points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(fingers)]
            kind = "touchStart" if fingers[-1][0] <= x + 60 else "touchMove"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert viewer.state()["camera"]["zoom"] > zoom
        assert (selected(viewer) == before).all()
    finally:
        context.close()


def test_hidden_categories_are_not_selected(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    largest = adata.obs["cell_type"].value_counts().index[0]
    hidden = (adata.obs["cell_type"] == largest).to_numpy()
    viewer.set(hidden={"cell_type": [largest]})
    viewer.page.keyboard.press("m")
    start, end = screen.rectangle(*MIDDLE)
    drag(viewer, [start, end])
    unambiguous = ~screen.near(start, end)
    assert (selected(viewer) == (screen.within(start, end) & ~hidden))[unambiguous].all()
    # With another color, all cells are visible and can be selected.
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    drag(viewer, [start, end])
    assert (selected(viewer) == screen.within(start, end))[unambiguous].all()


def test_scripts_can_select_cells_and_set_regions(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    page.evaluate(
        """() => {
            window.seen = [];
            window.karospace.on('selection', (s) => window.seen.push(['selection', s.count, s.mask?.length ?? null]));
            window.karospace.on('regions', (r) => window.seen.push(['regions', r.map((x) => x.name)]));
        }"""
    )
    mask = np.zeros(adata.n_obs, dtype=bool)
    mask[::3] = True
    select(viewer, mask)
    assert (selected(viewer) == mask).all()
    # The API returns a copy.
    page.evaluate("window.karospace.selection.fill(1)")
    assert (selected(viewer) == mask).all()
    page.evaluate(
        """mask => window.karospace.setRegions([
            {name: 'a', mask: Uint8Array.from(mask), color: '#112233'},
            {name: '<b>', mask: new Uint8Array(mask.length)},
        ])""",
        mask.astype(int).tolist(),
    )
    found = page.evaluate("window.karospace.regions.map((r) => [r.name, r.color, r.count, r.mask.length])")
    assert found[0] == ["a", "#112233", int(mask.sum()), adata.n_obs]
    assert found[1][0] == "<b>"
    assert found[1][2:] == [0, adata.n_obs]
    page.evaluate("window.karospace.select(null)")
    assert selection(viewer) is None
    assert page.evaluate("window.seen") == [
        ["selection", int(mask.sum()), adata.n_obs],
        ["regions", ["a", "<b>"]],
        ["selection", 0, None],
    ]
    with pytest.raises(Exception, match="has 2 entries; the bundle has 3000 cells"):
        page.evaluate("window.karospace.select(new Uint8Array(2))")
    assert "selection" not in viewer.state()


@pytest.mark.parametrize("size", [(400, 500), (980, 470)])
def test_selection_and_regions_work_in_a_small_window(
    tissue: Path, export: Any, serve: Any, viewer: Viewer, size: tuple[int, int]
) -> None:
    page = viewer.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    viewer.open(serve(export(tissue)))
    screen = Screen(viewer, ad.read_h5ad(tissue))
    tool(viewer, "Rectangle select")
    drag(viewer, screen.rectangle(*MIDDLE))
    if size[0] < 700:
        page.get_by_title("Show the selection in the panel").click()
    page.get_by_role("button", name="Save as region").click()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Select Region 1").click()
    page.get_by_role("button", name="Clear", exact=True).click()
    assert selection(viewer) is None
    tools = page.get_by_role("group", name="Tools").bounding_box()
    scale = page.locator(".ks-scale").bounding_box()
    assert tools["y"] + tools["height"] <= scale["y"], "cards do not overlap"
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.evaluate("window.karospace.dispose()")
    assert page.evaluate("window.karospace.liveObjects") == 0
    assert viewer.problems == []
