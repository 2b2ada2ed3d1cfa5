"""Simulate a user of the viewer, step by step; `done` is called with the name of each step after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Done = Callable[[str], None]

QUARTER = [(250, 200), *((250 + 8 * i, 200) for i in range(50)), (650, 600), (250, 600), (250, 210)]
"""Points of a lasso around about a quarter of the cells, in pixels of the page."""


def set_state(page: Any, state: dict[str, Any]) -> None:
    page.evaluate("state => karospace.setState(state)", state)


def drag(page: Any, points: list[tuple[float, float]]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def zoom_with_the_wheel(page: Any) -> None:
    for i in range(12):
        page.mouse.wheel(0, 120 if i % 2 else -120)


def explore(page: Any, done: Done) -> None:
    drag(page, [(400 + 5 * i, 400 + 3 * i) for i in range(30)])
    done("pan")
    zoom_with_the_wheel(page)
    done("zoom")
    for i in range(60):
        page.mouse.move(300 + 4 * i, 300 + 3 * (i % 20))
    done("hover")
    page.keyboard.press("z")
    drag(page, [(500, 400), (560, 440), (620, 480)])
    page.locator(".ks-minimap").wait_for()
    page.keyboard.press("v")
    done("zoom to a box, with the minimap")
    page.keyboard.press("q")
    page.keyboard.press("r")
    done("rotate")
    page.keyboard.press("p")
    page.keyboard.press("p")
    done("side panel")


def select(page: Any, done: Done) -> None:
    page.keyboard.press("l")
    drag(page, QUARTER)
    done("lasso")
    page.keyboard.press("m")
    page.keyboard.down("Shift")
    drag(page, [(500, 300), (700, 500)])
    page.keyboard.up("Shift")
    page.keyboard.press("v")
    done("rectangle")
    page.get_by_role("button", name="Invert").click()
    done("invert")
    page.keyboard.press("Control+z")
    done("undo")
    legend = page.locator(".ks-legend").get_by_text("type 3", exact=True)
    legend.click(modifiers=["Alt"])
    done("select a category")
    page.get_by_role("button", name="+ New").click()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Select Region 1").wait_for()
    done("save a region")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    done("clear the selection")
    for _ in range(2):
        legend.click()
        done("legend")


def color(page: Any, done: Done) -> None:
    page.get_by_role("tab", name="Gene").click()
    box = page.get_by_role("combobox", name="Gene", exact=True)
    box.click()
    box.press_sequentially("gene2", delay=30)
    done("gene search")
    box.press("Enter")
    done("gene")
    set_state(page, {"color": {"kind": "gene", "gene": "gene3"}})
    set_state(page, {"color": {"kind": "gene", "gene": "gene2"}})
    done("gene by script")
    page.get_by_role("slider", name="Lower color limit").press("PageUp")
    done("color limits")
    page.get_by_title("Select cells with values between the limits").click()
    done("select by value")
    panel = page.locator(".ks-panel")
    panel.get_by_role("button", name="Violins").click()
    for side in page.locator(".ks-violins").all():
        side.locator("li").first.wait_for()
    done("violins of the selection and of the other cells")
    page.keyboard.press("Escape")
    panel.locator(".ks-violins li").first.wait_for()
    done("violins")
    panel.get_by_role("button", name="Mean").click()
    set_state(page, {"scale": "log1p", "colormap": "magma"})
    done("logarithm and another color map")
    set_state(page, {"color": {"kind": "blend", "genes": ["gene0", "gene1", "gene2"]}})
    done("blend of three genes")
    set_state(page, {"color": {"kind": "score", "name": "all", "genes": [f"gene{i}" for i in range(6)]}})
    done("score of six genes")
    set_state(page, {"color": {"kind": "annotation", "column": "total_counts"}})
    done("numeric annotation")
    set_state(page, {"color": {"kind": "annotation", "column": "cluster"}})
    done("categories")


def arrange(page: Any, done: Done) -> None:
    set_state(page, {"layout": {"kind": "sections", "columns": 12, "order": "file"}})
    done("grid of sections")
    page.mouse.move(500, 400)
    zoom_with_the_wheel(page)
    done("zoom in the grid")
    page.get_by_label("Section order").select_option("cells")
    done("section order")
    page.keyboard.press("q")
    page.keyboard.press("r")
    done("rotate in the grid")
    set_state(page, {"layout": {"kind": "section", "name": "section 7"}})
    page.keyboard.press("]")
    done("one section")
    set_state(page, {"layout": {"kind": "embedding", "name": "X_umap"}})
    done("embedding")
    set_state(page, {"layout": {"kind": "tissue"}})
    done("back to the tissue")
    page.keyboard.press("b")
    page.locator(".ks-beside canvas").wait_for()
    done("second view")
    page.keyboard.press("l")
    drag(page, [(150 + (x - 250) * 0.8, y) for x, y in QUARTER])
    page.keyboard.press("v")
    done("lasso with a second view")
    page.keyboard.press("x")
    done("swap")
    page.keyboard.press("x")
    page.keyboard.press("b")
    done("close the second view")


def save(page: Any, done: Done, folder: Path) -> None:
    """Save and open files; cells must be selected."""

    def download(button: Any) -> Path:
        with page.expect_download() as event:
            button.click()
        file = folder / event.value.suggested_filename
        event.value.save_as(file)
        return file

    regions = page.get_by_role("region", name="Regions")
    regions.get_by_role("button", name="+ New").click()
    page.keyboard.press("Enter")
    region = page.get_by_role("button", name="Select Region 1")
    region.wait_for()
    done("save a region")
    table = download(regions.get_by_role("button", name="CSV"))
    done("regions as CSV")
    view = download(regions.get_by_role("button", name="JSON"))
    done("regions as JSON")
    for file, name in ((table, "regions from CSV"), (view, "regions from JSON")):
        page.evaluate("karospace.setRegions([])")
        region.wait_for(state="detached")
        done("delete the regions")
        regions.get_by_label("Region file").set_input_files(file)
        region.wait_for()
        done(name)
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    menu = page.get_by_role("dialog", name="Save")
    menu.get_by_role("button", name="PNG").wait_for()
    done("save menu")
    for kind, name in (("PNG", "picture"), ("SVG", "drawing"), ("CSV", "table of cells")):
        download(menu.get_by_role("button", name=kind, exact=True))
        done(f"{name} as a file")
    page.get_by_role("button", name="Share, save").click()
    menu = page.get_by_role("dialog", name="Share")
    view = download(menu.get_by_role("button", name="Save view"))
    done("view as a file")
    menu.get_by_label("View file").set_input_files(view)
    menu.get_by_text("Opened the view from").wait_for()
    done("view from a file")
    page.keyboard.press("Escape")


def link(page: Any, done: Done) -> str:
    """Move while the address contains a region of few cells, and return the part of the address with the view."""
    # The address is updated some time after the change.
    page.evaluate("""async () => {
      const before = location.hash;
      const mask = Uint8Array.from({length: karospace.cells}, (_, cell) => (cell % 2000 === 0 ? 1 : 0));
      karospace.setRegions([{name: 'few', mask}]);
      while (location.hash === before) await new Promise(requestAnimationFrame);
    }""")
    drag(page, [(400 + 5 * i, 400 + 3 * i) for i in range(10)])
    done("pan with a region in the address")
    return str(page.evaluate("location.hash"))
