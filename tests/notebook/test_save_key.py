"""Ctrl+S saves the notebook from any part of it; all other keys stay in the viewer and in the form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import TISSUES, Lab, Notebook
from playwright.sync_api import expect
from waiting import eventually

pytestmark = pytest.mark.e2e

Open = Callable[..., Notebook]

CELLS = [
    f"""{TISSUES}
from karospace_jupyter import karospace_view, karospace_widget
adata = synthetic_tissue(3000, 60, seed=3)""",
    "v = karospace_view(adata)\nv",
    "w = karospace_widget(adata, 'exported')\nw",
]
VIEW, FORM = 1, 2


def sources(nb: Notebook) -> list[str]:
    """Return the source of each cell in the file; an empty list while the file is being written."""
    try:
        return ["".join(cell["source"]) for cell in json.loads(nb.file.read_text())["cells"]]
    except json.JSONDecodeError:
        return []


def edit(nb: Notebook, text: str) -> None:
    """Change the first cell without saving."""
    nb.cell(0).locator(".cm-content").click()
    nb.page.keyboard.press("Control+End")
    nb.page.keyboard.type(f"\n# {text}")
    expect(nb.cell(0).locator(".cm-content")).to_contain_text(text)
    assert not any(text in source for source in sources(nb))


def wait_until_saved(nb: Notebook, text: str) -> None:
    """Wait until a cell in the file contains the text, and check that no cell was added or deleted."""
    cells = eventually(lambda: sources(nb), lambda cells: any(text in cell for cell in cells), page=nb.page)
    assert len(cells) == len(CELLS)


def check_saving_from_view_and_form(nb: Notebook) -> None:
    for cell in range(len(CELLS)):
        nb.run(cell)
    frame = nb.viewer(VIEW)
    canvas = frame.locator("canvas").first
    edit(nb, "from the viewer")
    canvas.click()
    # The notebook must not handle keys of the viewer: A would insert a cell, and D pressed twice would delete one.
    for key in "addl":
        nb.page.keyboard.press(key)
    nb.page.keyboard.press("Control+s")
    wait_until_saved(nb, "from the viewer")
    assert frame.evaluate("document.hasFocus()")
    card = nb.output(FORM).locator(".kf-card")
    card.get_by_text("detected").wait_for()
    edit(nb, "from the form")
    folder = card.get_by_label("Folder", exact=True)
    folder.click()
    folder.press_sequentially("add")
    folder.press("Control+b")
    folder.press("Control+s")
    wait_until_saved(nb, "from the form")
    expect(folder).to_have_value("exportedadd")
    expect(folder).to_be_focused()
    expect(nb.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(len(CELLS))


def test_notebook_is_saved_from_the_viewer_and_the_form(notebook: Open) -> None:
    nb = notebook(CELLS)
    check_saving_from_view_and_form(nb)
    assert nb.problems == []


def test_notebook_7_is_saved_from_the_viewer_and_the_form(browser: Any, tmp_path: Path) -> None:
    lab = Lab(tmp_path, application="notebook")
    try:
        context = browser.new_context(viewport={"width": 1300, "height": 1100})
        nb = lab.notebook(context.new_page(), CELLS)
        check_saving_from_view_and_form(nb)
        nb.shut_down()
        context.close()
    finally:
        lab.stop()


def test_viewer_saves_its_own_notebook_if_two_are_open(notebook: Open, lab: Lab) -> None:
    nb = notebook(CELLS[: VIEW + 1])
    for cell in range(VIEW + 1):
        nb.run(cell)
    frame = nb.viewer(VIEW)
    edit(nb, "beside")
    second = lab.folder / "beside.ipynb"
    second.write_text(nb.file.read_text())
    nb.command("docmanager:open", {"path": second.name, "options": {"mode": "split-right"}})
    panel = nb.page.locator(".jp-NotebookPanel").nth(1)
    panel.locator(".cm-content").first.click()
    nb.page.keyboard.type("1")
    frame.locator("canvas").first.click()
    nb.page.keyboard.press("Control+s")
    eventually(lambda: sources(nb), lambda cells: any("beside" in cell for cell in cells), page=nb.page)
    assert nb.problems == []
