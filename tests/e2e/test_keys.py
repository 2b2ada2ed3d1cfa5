"""Keyboard shortcuts for any focused element, the help dialog, and focus order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import becomes, eventually, two_frames, until_js

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

UMAP = {"kind": "embedding", "name": "X_umap"}
GRID = {"kind": "sections", "columns": 3, "order": "file"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with five sections and an embedding."""
    adata = synthetic_tissue(n_cells=1500, seed=2)
    strip = pd.qcut(adata.obsm["spatial"][:, 0], 5, labels=False)
    adata.obs["section"] = pd.Categorical([f"S{index + 1}" for index in strip])
    adata.obs["total"] = np.asarray(adata.X.sum(axis=1)).ravel()
    adata.uns.pop("section_colors", None)
    path = tmp_path_factory.mktemp("keys") / "b"
    adata_to_karospace(adata, path, genes_mode=["EPCAM", "CD3E"], embeddings=["X_umap"])
    return path


@pytest.fixture
def opened(folder: Path, serve: Callable[[Path], str], viewer: Viewer) -> Viewer:
    return viewer.open(serve(folder))


def assert_tool(viewer: Viewer, name: str, message: str | None = None) -> None:
    expect(viewer.page.locator("canvas").first, message).to_have_attribute("data-tool", name)


def focused(viewer: Viewer) -> str:
    """Return the label or the text of the focused element."""
    name: str = viewer.page.evaluate(
        "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    )
    return name


def press(viewer: Viewer, key: str, **more: Any) -> None:
    """Dispatch a key event to the focused element, as another keyboard layout would produce it."""
    viewer.page.evaluate(
        "event => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...event}))",
        {"key": key, **more},
    )


def test_help_dialog_blocks_other_shortcuts(opened: Viewer) -> None:
    page = opened.page
    page.set_viewport_size({"width": 1360, "height": 420})
    button = page.get_by_role("button", name="Keyboard and mouse")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Keyboard and mouse")
    dialog.wait_for()
    before = opened.state()
    for key in ("l", "b", "q", "p", "ArrowLeft"):
        page.keyboard.press(key)
    # Scrolling works only after the dialog has been painted.
    two_frames(page)
    page.keyboard.press("ArrowDown")
    until_js(page, "() => document.querySelector('.ks-help').scrollTop > 0")
    assert opened.state() == before
    assert_tool(opened, "move")
    expect(page.locator(".ks-panel")).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator(".ks-help").wait_for(state="detached")
    becomes(lambda: focused(opened), "Keyboard and mouse")
    # Its shortcut opens and closes it, and returns the focus.
    page.get_by_role("button", name="Zoom in").focus()
    page.keyboard.press("?")
    dialog.wait_for()
    page.keyboard.press("?")
    page.locator(".ks-help").wait_for(state="detached")
    becomes(lambda: focused(opened), "Zoom in")
    assert opened.problems == []


def test_shortcuts_work_on_other_keyboard_layouts(opened: Viewer) -> None:
    press(opened, "L")  # Caps Lock
    assert_tool(opened, "lasso")
    press(opened, "V", shiftKey=True)
    assert_tool(opened, "lasso", "Shift is reserved for drawing")
    opened.set(layout={"kind": "section", "name": "S2"})
    section = "() => window.karospace.getState().layout.name === '{}'"
    for key, more, name in (
        ("]", {"ctrlKey": True, "altKey": True}, "S3"),  # AltGr
        ("]", {"altKey": True}, "S4"),  # Option
        ("[", {}, "S3"),
        (",", {}, "S2"),
        (".", {}, "S3"),
    ):
        press(opened, key, **more)
        until_js(opened.page, section.format(name))
    assert opened.problems == []


def test_controls_intercept_only_the_keys_that_they_use(opened: Viewer) -> None:
    page = opened.page
    opened.set(color={"kind": "gene", "gene": "EPCAM"})
    slider = page.get_by_role("slider", name="Opacity", exact=True)
    slider.focus()
    page.keyboard.press("l")
    assert_tool(opened, "lasso")
    camera = opened.state()["camera"]
    page.keyboard.press("ArrowLeft")
    assert opened.state()["opacity"] == pytest.approx(0.99)
    assert opened.state()["camera"] == camera
    # A list uses letters to find options, but leaves Ctrl+Z to the viewer.
    page.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i % 2))")
    page.evaluate("karospace.select(null)")
    page.get_by_label("Gene order").focus()
    page.keyboard.press("m")
    assert_tool(opened, "lasso")
    assert opened.page.evaluate("karospace.selection") is None
    page.keyboard.press("Control+z")
    until_js(page, "() => karospace.selection !== null")
    # Stepping through the options keeps the focus on the list.
    page.get_by_label("Gene order").select_option("file")
    page.get_by_label("Gene order").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    becomes(lambda: focused(opened), "Gene order")
    # Arrow keys scroll the panel that has the focus.
    page.set_viewport_size({"width": 1360, "height": 500})
    page.get_by_role("button", name="Adjust").focus()
    camera = opened.state()["camera"]
    page.evaluate("document.querySelector('.ks-panel').scrollTop = 0")
    page.keyboard.press("ArrowDown")
    until_js(page, "() => document.querySelector('.ks-panel').scrollTop > 0")
    assert opened.state()["camera"] == camera
    # Text fields take all keys.
    page.get_by_role("combobox", name="Gene", exact=True).focus()
    page.keyboard.type("v")
    assert_tool(opened, "lasso")
    assert opened.problems == []


def test_embedded_viewer_has_neither_panel_nor_tool_shortcuts(
    folder: Path, serve: Callable[[Path], str], viewer: Viewer
) -> None:
    viewer.open(serve(folder) + "?embed=1")
    for key in ("l", "?", "s", "/", "p"):
        viewer.page.keyboard.press(key)
    assert_tool(viewer, "move")
    expect(viewer.page.locator("dialog, .ks-panel, .ks-save")).to_have_count(0)
    viewer.page.keyboard.press("+")
    assert viewer.state()["camera"]["zoom"] > 1
    assert viewer.problems == []


def test_toggling_the_image_restores_its_opacity(opened: Viewer) -> None:
    page = opened.page
    opened.set(imageOpacity=0.4)
    slider = page.get_by_role("slider", name="Image")
    page.keyboard.press("i")
    assert (opened.state()["imageOn"], opened.state()["imageOpacity"]) == (False, 0.4)
    eye = page.get_by_role("button", name="Image", exact=True)
    expect(eye).to_have_attribute("aria-pressed", "false")
    eye.click()
    assert (opened.state()["imageOn"], opened.state()["imageOpacity"]) == (True, 0.4)
    slider.fill("0")
    # Opacity 0 is reset to the default, because the image would stay invisible.
    page.keyboard.press("i")
    assert (opened.state()["imageOn"], opened.state()["imageOpacity"]) == (True, 0.85)
    page.keyboard.press("i")
    slider.fill("0.5")
    assert (opened.state()["imageOn"], opened.state()["imageOpacity"]) == (True, 0.5)
    assert opened.problems == []


def test_second_view_has_the_same_controls(opened: Viewer) -> None:
    page = opened.page
    opened.set(beside=UMAP)
    beside = page.locator(".ks-beside")
    canvas = beside.locator("canvas")
    highlight = beside.locator(".ks-highlight")
    cell = 1499
    # The tooltip is only in the view under the pointer.
    x, y = opened.positions([cell])[0]
    page.mouse.move(x, y)
    highlight.wait_for()
    highlighted = highlight.bounding_box()
    page.mouse.move(highlighted["x"] + highlighted["width"] / 2, highlighted["y"] + highlighted["height"] / 2)
    beside.get_by_role("tooltip").wait_for()
    expect(page.get_by_role("tooltip")).to_have_count(1)
    # Escape cancels drawing in the second view before it clears the selection.
    page.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i % 2))")
    page.keyboard.press("m")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 400)
    beside.locator(".ks-outline").wait_for()
    page.keyboard.press("Escape")
    beside.locator(".ks-outline").wait_for(state="detached")
    page.mouse.up()
    assert page.evaluate("karospace.selection") is not None
    # Arrow keys act on the view that has the focus.
    camera = opened.state()["camera"]
    opened.set(beside=GRID)
    titles = beside.locator(".ks-section-title")
    titles.first.wait_for()
    before = titles.first.bounding_box()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    until_js(
        page,
        "x => document.querySelector('.ks-beside .ks-section-title').getBoundingClientRect().x < x - 30",
        arg=before["x"],
    )
    assert opened.state()["camera"] == camera
    # Space pans the view under the pointer, whichever view has the focus.
    page.locator("canvas").first.focus()
    x0 = titles.first.bounding_box()["x"]
    page.keyboard.down(" ")
    page.mouse.move(box["x"] + 100, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 300)
    page.mouse.up()
    page.keyboard.up(" ")
    becomes(lambda: titles.first.bounding_box()["x"], pytest.approx(x0 + 60, abs=1))
    assert opened.state()["camera"] == camera
    # Clicking a section name opens the section in the same view.
    name = eventually(lambda: titles.nth(1).inner_text().split())[0]
    titles.nth(1).click()
    until_js(page, "name => karospace.getState().beside.name === name", arg=name)
    assert opened.state()["layout"] == {"kind": "tissue"}
    assert opened.problems == []


def test_tab_order_follows_the_page_and_focus_is_visible(opened: Viewer) -> None:
    """Tab visits every visible control in document order, and the focused control is marked."""
    page = opened.page
    page.locator("canvas").first.focus()
    count = page.evaluate("""() => {
      window.stops = [...document.querySelectorAll('.ks-root :is(button, input, select, [tabindex="0"])')]
        .filter((stop) => stop.checkVisibility() && stop.tabIndex >= 0 && !stop.disabled &&
          !stop.closest('[popover]') && (stop.type !== 'radio' || stop.checked));
      return window.stops.length;
    }""")
    assert count > 25  # the legend is a single tab stop
    seen = []
    for step in range(count):
        index, marked = page.evaluate("""() => {
          const stop = document.activeElement;
          // A focused radio button has an outline around its label; a focused text field has a border of another color.
          const outlined = [stop, stop.closest('label')].filter(Boolean).some((part) => {
            const style = getComputedStyle(part);
            return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1.5;
          });
          const field = stop.closest('.ks-search');
          const framed = field && getComputedStyle(field).borderTopColor !== getComputedStyle(field.parentElement).borderTopColor;
          return [window.stops.indexOf(stop), outlined || framed];
        }""")
        seen.append(index)
        assert marked, f"{focused(opened)!r} is not marked"
        if step + 1 < count:
            page.keyboard.press("Tab")
    assert seen == list(range(count))
    assert opened.problems == []


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_transition_respects_reduced_motion(
    browser: Any, folder: Path, serve: Callable[[Path], str], motion: str
) -> None:
    """Cells move between layouts in a transition, unless the system prefers reduced motion."""
    with browser.new_context(viewport={"width": 900, "height": 700}, reduced_motion=motion) as context:
        viewer = Viewer(context.new_page()).open(serve(folder))
        # Count the frames of the transition: only their shader program has a uniform `share`, the progress.
        frames = viewer.page.evaluate(
            """async (layout) => {
          let frames = 0;
          const gl = document.querySelector('canvas').getContext('webgl2');
          const draw = gl.drawArrays.bind(gl);
          gl.drawArrays = (...all) => {
            if (gl.getUniformLocation(gl.getParameter(gl.CURRENT_PROGRAM), 'share')) frames++;
            draw(...all);
          };
          await window.karospace.setState({layout});
          return frames;
        }""",
            UMAP,
        )
        assert (frames > 0) == (motion == "no-preference")
        assert viewer.problems == []
