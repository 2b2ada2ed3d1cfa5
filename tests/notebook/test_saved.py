"""Saved notebooks: outputs show their tissue after the kernel has ended, in JupyterLab, Notebook 7 and HTML."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import TISSUES, Lab, Notebook, viewer_in
from playwright.sync_api import expect
from waiting import PATIENCE_S, eventually, until_js

from karospace_jupyter import Bundle

pytestmark = pytest.mark.e2e

Open = Callable[..., Notebook]

CELLS = [
    f"""{TISSUES}
from karospace_jupyter import Bundle, adata_to_karospace, karospace_grid, karospace_view, karospace_widget
adata = synthetic_tissue(3000, 60, seed=3)
kept = adata_to_karospace(adata, "kept", genes_mode="hvgs:5", progress=True)""",
    "kept",
    "v = karospace_view(adata)\nv",
    "karospace_grid([adata, kept])",
    "w = karospace_widget(adata)\nw",
]
BUNDLE, VIEW, GRID, FORM = 1, 2, 3, 4
MISSING_MODEL = "model not found"
RUN_ALL_ABOVE = "Run all above and this cell"


def saved(nb: Notebook) -> dict[str, Any]:
    """Save the notebook and return it once its file has the outputs of all cells."""
    nb.command("docmanager:save")

    def read() -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(nb.file.read_text())
        except json.JSONDecodeError:  # the file is being written
            return {"cells": [{}, {"outputs": []}]}
        return content

    return eventually(read, lambda content: all(cell["outputs"] for cell in content["cells"][1:]), page=nb.page)


def reopen_with_new_kernel(nb: Notebook) -> None:
    """Restart the kernel and reload the page, as if the notebook were opened on another day."""
    process = nb.python("__import__('os').getpid()")
    nb.command("kernelmenu:restart")
    nb.page.get_by_role("button", name="Confirm Kernel Restart").click()
    # A kernel that is shutting down may lose requests: send them only to the next one.
    eventually(lambda: ended(process), page=nb.page)
    reload(nb)


def ended(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def reload(nb: Notebook) -> None:
    nb.page.reload()
    nb.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    until_js(nb.page, "window.jupyterapp !== undefined")


def wait_for_picture(picture: Any) -> None:
    """Wait until an image element has loaded its picture."""
    picture.scroll_into_view_if_needed()
    eventually(lambda: picture.evaluate("image => image.naturalWidth"), lambda width: width > 100)


def primary(nb: Notebook, cell: int) -> Any:
    """Return the main button of the preview in the output of a cell."""
    return nb.output(cell).locator(".ko-bar .ko-primary")


def check_html(nb: Notebook) -> None:
    """Check the HTML that nbconvert makes of the saved notebook, which has no widgets."""
    command = [sys.executable, "-m", "nbconvert", "--to", "html", nb.file.name]
    done = subprocess.run(command, cwd=nb.file.parent, timeout=PATIENCE_S, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = nb.page.context.new_page()
    page.goto(nb.file.with_suffix(".html").as_uri(), wait_until="domcontentloaded")
    pictures = page.locator("img[src^='data:image/webp']")
    expect(pictures).to_have_count(4)  # the bundle, the view, and both views of the grid
    for at in range(4):
        wait_for_picture(pictures.nth(at))
    expect(page.locator("body")).to_contain_text("export form needs a running notebook")
    expect(page.locator("body")).not_to_contain_text(MISSING_MODEL)
    page.close()


def check_bundle_opens_from_disk(nb: Notebook, cell: int = BUNDLE, folder: str = "kept") -> None:
    """Check that the viewer of the bundle opens without a kernel, and reads a gene."""
    nb.output(cell).get_by_role("button", name="Open viewer").click()
    frame = nb.viewer(cell)
    assert frame.evaluate("window.karospace.cells") == 3000
    gene = Bundle(nb.file.parent / folder).manifest.gene_list[0]
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", gene)
    until_js(frame, "window.karospace.valueAt(3) !== null")


def test_saved_notebook_shows_its_tissue_in_jupyterlab(notebook: Open) -> None:
    nb = notebook(CELLS)
    for cell in range(len(CELLS)):
        nb.run(cell)
    nb.output(FORM).locator(".kf-card").get_by_text("detected").wait_for()
    cells = saved(nb)["cells"]
    # The finished export leaves a line of text, and no widget.
    (line,) = cells[0]["outputs"]
    assert sorted(line["data"]) == ["text/html", "text/plain"]
    assert "Exported in" in "".join(line["data"]["text/plain"])
    check_html(nb)
    # While the kernel runs, a reloaded page shows the widgets, still connected to Python.
    reload(nb)
    frame = nb.viewer(VIEW)
    frame.evaluate("window.karospace.select(new Uint8Array(window.karospace.cells).fill(1, 0, 12))")
    nb.until("0 if v.selection is None else int(v.selection.sum())", 12)
    nb.output(FORM).locator(".kf-card").wait_for()
    expect(nb.output(GRID).locator("iframe")).to_have_count(2)
    expect(nb.page.locator(".ko-bar")).to_have_count(0)

    reopen_with_new_kernel(nb)
    for cell, count in ((BUNDLE, 1), (VIEW, 1), (GRID, 2)):
        output = nb.output(cell)
        output.get_by_text("Preview, without the kernel").wait_for()
        pictures = output.locator(".ko-tissue img")
        expect(pictures).to_have_count(count)
        for at in range(count):
            wait_for_picture(pictures.nth(at))
    nb.output(FORM).get_by_text("without its kernel").wait_for()
    expect(nb.page.locator(".jp-Notebook")).not_to_contain_text(MISSING_MODEL)
    # A bundle on disk opens without a kernel; one in memory does not.
    expect(nb.output(VIEW).get_by_role("button", name="Open viewer")).to_have_count(0)
    check_bundle_opens_from_disk(nb)
    # Nothing has run in the new kernel yet: running only this cell would fail and remove its preview.
    expect(primary(nb, VIEW)).to_have_text(RUN_ALL_ABOVE)
    expect(nb.output(VIEW).get_by_role("button", name="Run this cell", exact=True)).to_be_visible()
    primary(nb, VIEW).click()
    frame = nb.viewer(VIEW)
    unexported = nb.python("[name for name in adata.var_names if name not in kept.manifest.gene_list][0]")
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", unexported)
    until_js(frame, "window.karospace.valueAt(3) !== null")
    # The cells above have now run in this kernel.
    expect(primary(nb, FORM)).to_have_text("Run this cell")
    primary(nb, FORM).click()
    nb.output(FORM).locator(".kf-card").wait_for()
    assert nb.problems == []


def test_saved_notebook_shows_its_tissue_in_notebook_7(browser: Any, tmp_path: Path) -> None:
    lab = Lab(tmp_path, application="notebook")
    try:
        context = browser.new_context(viewport={"width": 1300, "height": 1100})
        nb = lab.notebook(context.new_page(), CELLS[: BUNDLE + 1])
        for cell in (0, BUNDLE):
            nb.run(cell)
        nb.viewer(BUNDLE)
        saved(nb)
        reopen_with_new_kernel(nb)
        wait_for_picture(nb.output(BUNDLE).locator(".ko-tissue img"))
        check_bundle_opens_from_disk(nb)
        expect(primary(nb, BUNDLE)).to_have_text(RUN_ALL_ABOVE)
        primary(nb, BUNDLE).click()
        nb.output(BUNDLE).locator(".ko-bar").wait_for(state="detached")
        nb.viewer(BUNDLE)
        nb.shut_down()
        context.close()
    finally:
        lab.stop()


def test_copy_of_an_output_in_a_tab_shows_the_view(notebook: Open) -> None:
    nb = notebook([CELLS[0], CELLS[VIEW]])
    nb.run(0)
    nb.run(1)
    nb.viewer(1)
    nb.command("notebook:create-output-view")
    frame = viewer_in(nb.page.locator(".jp-LinkedOutputView iframe").first)
    assert frame.evaluate("window.karospace.cells") == 3000


def test_reopened_form_shows_its_last_export(notebook: Open, shots: Path | None) -> None:
    data = f"""{TISSUES}
from pathlib import Path
import time
from karospace_jupyter import karospace_view, karospace_widget
assert not Path("broken").exists()
while Path("slow").exists():
    time.sleep(0.1)
adata = synthetic_tissue(3000, 60, seed=3)"""
    nb = notebook([data, "w = karospace_widget(adata, 'initial', genes_mode='hvgs:5')\nw", "karospace_view(adata)"])
    for cell in range(3):
        nb.run(cell)
    card = nb.output(1).locator(".kf-card")
    card.get_by_text("detected").wait_for()
    card.get_by_label("Folder", exact=True).fill("from_form")
    card.get_by_role("button", name="Export", exact=True).click()
    nb.viewer(1)
    eventually(
        lambda: saved(nb)["cells"][1]["outputs"], lambda outputs: "from_form" in json.dumps(outputs), page=nb.page
    )

    reopen_with_new_kernel(nb)
    output = nb.output(1)
    output.get_by_text("Preview, without the kernel").wait_for()
    wait_for_picture(output.locator(".ko-tissue img"))
    expect(output.locator("figcaption")).to_contain_text("3,000 cells × 60 genes")
    if shots:
        nb.page.screenshot(path=shots / "reopened-form.png")
    # If a cell above fails, the cell is not run, and its preview stays. No preview offers to run its cell alone.
    broken = nb.file.parent / "broken"
    broken.touch()
    expect(primary(nb, 1)).to_have_text(RUN_ALL_ABOVE)
    primary(nb, 1).click()
    expect(output.locator(".ko-status")).to_have_text("The cells above did not finish, so this cell was not run.")
    for cell in (1, 2):
        expect(primary(nb, cell)).to_have_text(RUN_ALL_ABOVE)
    check_bundle_opens_from_disk(nb, 1, "from_form")
    broken.unlink()
    # If the user switches to another tab while the cells above run, that tab stays active.
    slow = broken.with_name("slow")
    slow.touch()
    primary(nb, 1).click()
    expect(nb.prompt(0)).to_have_text("[*]:")
    nb.command("launcher:create")
    launcher = nb.page.locator(".jp-Launcher:visible")
    expect(launcher).to_have_count(1)
    slow.unlink()
    nb.until("'w' in globals()")
    expect(launcher).to_have_count(1)
    nb.page.get_by_role("tab", name=nb.file.name).click()
    card.wait_for()
    assert nb.problems == []
