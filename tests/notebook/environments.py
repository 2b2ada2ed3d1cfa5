"""Checks that a widget must pass in every notebook environment, and helpers that set up these environments."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from lab import TISSUES, clear_the_way, viewer_in
from numpy.typing import NDArray
from PIL import Image
from pixels import colors_in
from waiting import becomes, eventually, two_frames

from karospace_jupyter.datasets import synthetic_tissue

ROOT = Path(__file__).parents[2]
OLDEST_LAB = "4.0.13"
IN_THE_BACKGROUND = ["nice", "-n", "3"]
"""Lower priority than the tests, but not the lowest, at which an installation would never finish on busy cores."""

DATA = f"""{TISSUES}
import json
import time
from pathlib import Path
import numpy as np
import held
from karospace_jupyter import adata_to_karospace, karospace_view, karospace_widget
adata = synthetic_tissue(3000, 60, seed=3)
"""

RECORD_SELECTION = """
def record_selection(view):
    def write(change):
        if view.selection is not None:
            Path("seen.json").write_text(json.dumps(np.flatnonzero(view.selection).tolist()))
    view.on_change(write)
"""
"""Writes the selected cells to a file, for environments in which a test cannot access the kernel."""

FORM = f"""{DATA}{RECORD_SELECTION}
w = karospace_widget(adata, "exported", genes_mode="all")
w.observe(lambda change: record_selection(w.view) if change["new"] == "done" else None, "status")
"""

VIEW = f"""{DATA}{RECORD_SELECTION}
v = karospace_view(adata)
record_selection(v)
"""

GENE = "EPCAM"
SELECTED = [4, 7, 2999]
ANY_TEXT = re.compile("")
"""Text of any dialog: before the first cell has run, none is under test."""


def viewer_of(page: Any) -> Any:
    """Return the frame of the first viewer on a page, once it is drawn."""
    element = page.locator("iframe[srcdoc]").first
    element.wait_for(state="visible")
    # Browsers do not draw cross-origin frames that are scrolled out of view.
    element.scroll_into_view_if_needed()
    return viewer_in(element)


def run_first_cell(page: Any) -> None:
    """Run the first cell by keyboard. JupyterLab may still be starting, so repeat a key press that had no effect."""
    clear_the_way(page, ANY_TEXT)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    cell = page.locator(".jp-CodeCell").first

    def started() -> bool:
        cell.locator(".cm-content").first.click()
        if cell.locator(".jp-InputPrompt").first.inner_text() == "[ ]:":
            page.keyboard.press("Control+Enter")
            two_frames(page)
        return bool(cell.locator(".jp-InputPrompt").first.inner_text() != "[ ]:")

    eventually(started, page=page, what="no key press reached the cell")


def picture_of(frame: Any) -> NDArray[np.uint8]:
    shot = frame.locator("canvas").first.screenshot(animations="disabled")
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))


def changed_pixels(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> int:
    """Count the pixels that differ in the rows of both pictures: a legend below the tissue changes the height."""
    height = min(len(before), len(after))
    return int(np.count_nonzero((before[:height] != after[:height]).any(axis=2)))


def shows_a_gene(frame: Any) -> None:
    """Check that the viewer draws the tissue, that a gene changes the image, and that its values are correct."""
    before = picture_of(frame)
    assert colors_in(before) > 50, "nothing is drawn"
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", GENE)
    values = synthetic_tissue(3000, 60, seed=3)[:, GENE].X.toarray()[:, 0]
    cells = [0, 12, int(values.argmax()), 2999]
    shown = [frame.evaluate("cell => window.karospace.valueAt(cell)", cell) for cell in cells]
    assert shown == pytest.approx(values[cells].tolist())
    eventually(
        lambda: changed_pixels(before, picture_of(frame)),
        lambda changed: changed >= 500,
        page=frame.page,
        what="the gene is not drawn",
    )


def select(frame: Any) -> None:
    frame.evaluate(
        """chosen => {
            const mask = new Uint8Array(window.karospace.cells);
            for (const cell of chosen) mask[cell] = 1;
            window.karospace.select(mask);
        }""",
        SELECTED,
    )


def selection_reaches_python(frame: Any, folder: Path) -> None:
    """Check that a selection made in the viewer reaches Python, where `RECORD_SELECTION` writes it to a file."""
    select(frame)

    def recorded() -> Any:
        try:
            return json.loads((folder / "seen.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    becomes(recorded, SELECTED, page=frame.page)


def export_by_click(scope: Any) -> None:
    """Wait until the form has inspected the object, then click Export."""
    scope.get_by_text("detected").first.wait_for()
    scope.get_by_role("button", name="Export", exact=True).click()


def progress_above(bar: Any, value: float) -> float:
    """Return the value of a progress bar once it exceeds `value`."""
    read = "bars => bars.map((bar) => Number(bar.getAttribute('aria-valuenow')))"
    return max(eventually(lambda: bar.evaluate_all(read), lambda now: max(now, default=0) > value))


def write_notebook(folder: Path, cells: list[str], name: str = "page.ipynb") -> Path:
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, folder / name)
    return folder / name


def fresh_python(folder: Path) -> Path:
    """Return the Python of a new environment with only the wheel and the oldest supported JupyterLab."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*command: str) -> None:
        completed = subprocess.run([*IN_THE_BACKGROUND, *command], cwd=ROOT, env=env, capture_output=True, text=True)
        assert completed.returncode == 0, completed.stderr[-3000:]

    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheel"))
    (wheel,) = (folder / "wheel").iterdir()
    run(sys.executable, "-m", "venv", str(folder / "env"))
    python = folder / "env" / "bin" / "python"
    install = [str(ROOT / "tests" / "retry.sh"), str(python), "-m", "pip", "install", "--quiet", "--retries", "5"]
    # Do not compile to bytecode: the tests import only a small part of the packages.
    run("sh", *install, "--no-compile", str(wheel), f"jupyterlab=={OLDEST_LAB}")
    return python


def ipykernel_6(_: Path) -> Path:
    """Return a folder that, first on the path, provides a kernel without subshells."""
    target = ROOT / "build" / "ipykernel6"
    if not (target / "ipykernel").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--retries", "5", "--no-deps", "--target"]
        _install([*command, str(target), "ipykernel==6.31.0"])
    return target


def html_manager(_: Path) -> Path:
    return _from_npm("html-manager", "@jupyter-widgets/html-manager@1.0.14", "requirejs@2.3.7")


def hub_proxy(_: Path) -> Path:
    return _from_npm("hub-proxy", "configurable-http-proxy@5.1.0")


def _from_npm(name: str, *packages: str) -> Path:
    """Install npm packages and return their node_modules folder."""
    folder = ROOT / "build" / name
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--fetch-retries", "5"]
        _install([*command, *packages])
    return folder / "node_modules"


def _install(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    try:
        command = [*IN_THE_BACKGROUND, *command]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as exc:
        pytest.skip(f"{command[-1]} cannot be installed: {exc.stderr.strip()[-300:]}")
