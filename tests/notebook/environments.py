"""What a widget has to prove in whichever environment it runs, and the parts that environments are made of."""

from __future__ import annotations

import io
import json
import os
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
"""Behind the tests, and not behind all else: with both cores busy the lowest priority would never come to an end."""

DATA = f"""{TISSUES}
import json
import time
from pathlib import Path
import numpy as np
import held
from karospace_jupyter import adata_to_karospace, karospace_view, karospace_widget
adata = synthetic_tissue(3000, 60, seed=3)
"""

TELL = """
def tell(view):
    def write(change):
        if view.selection is not None:
            Path("seen.json").write_text(json.dumps(np.flatnonzero(view.selection).tolist()))
    view.on_change(write)
"""
"""Where no test can look into the kernel, Python writes down which cells are selected."""

FORM = f"""{DATA}{TELL}
w = karospace_widget(adata, "exported", genes_mode="all")
w.observe(lambda change: tell(w.view) if change["new"] == "done" else None, "status")
"""

VIEW = f"""{DATA}{TELL}
v = karospace_view(adata)
tell(v)
"""

GENE = "EPCAM"
SELECTED = [4, 7, 2999]


def viewer_of(page: Any) -> Any:
    """The frame of the first viewer of a page, once it stands."""
    element = page.locator("iframe[srcdoc]").first
    element.wait_for(state="visible")
    # A browser draws no frame of a strange origin that is out of sight.
    element.scroll_into_view_if_needed()
    return viewer_in(element)


def run_first_cell(page: Any) -> None:
    """By its keys, in a JupyterLab that may still be arranging itself: a key that nothing heard is pressed again."""
    clear_the_way(page)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    cell = page.locator(".jp-CodeCell").first

    def heard() -> bool:
        cell.locator(".cm-content").first.click()
        if cell.locator(".jp-InputPrompt").first.inner_text() == "[ ]:":
            page.keyboard.press("Control+Enter")
            two_frames(page)
        return bool(cell.locator(".jp-InputPrompt").first.inner_text() != "[ ]:")

    eventually(heard, page=page, what="no key reached the cell")


def picture_of(frame: Any) -> NDArray[np.uint8]:
    shot = frame.locator("canvas").first.screenshot(animations="disabled")
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))


def shows_a_gene(frame: Any) -> None:
    """The viewer draws, and draws something else for a gene, whose values are those of the object."""
    before = picture_of(frame)
    assert colors_in(before) > 50, "nothing is drawn"
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", GENE)
    values = synthetic_tissue(3000, 60, seed=3)[:, GENE].X.toarray()[:, 0]
    some = [0, 12, int(values.argmax()), 2999]
    shown = [frame.evaluate("cell => window.karospace.valueAt(cell)", cell) for cell in some]
    assert shown == pytest.approx(values[some].tolist())
    eventually(
        lambda: np.count_nonzero((picture_of(frame) != before).any(axis=2)),
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


def python_heard(frame: Any, folder: Path) -> None:
    """A selection made in the viewer reaches the Python that writes down what it hears (`TELL`)."""
    select(frame)

    def found() -> Any:
        try:
            return json.loads((folder / "seen.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    becomes(found, SELECTED, page=frame.page)


def export_by_click(place: Any) -> None:
    """The form is there, has looked at the object, and exports."""
    place.get_by_text("detected").first.wait_for()
    place.get_by_role("button", name="Export", exact=True).click()


def grows(bar: Any, above: float) -> float:
    """What a progress bar says once that is more than `above`."""
    read = "bars => bars.map((bar) => Number(bar.getAttribute('aria-valuenow')))"
    return max(eventually(lambda: bar.evaluate_all(read), lambda now: max(now, default=0) > above))


def written(folder: Path, cells: list[str], name: str = "page.ipynb") -> Path:
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, folder / name)
    return folder / name


def fresh_python(folder: Path) -> Path:
    """The Python of an environment with nothing but the wheel and the oldest JupyterLab."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*command: str) -> None:
        done = subprocess.run([*IN_THE_BACKGROUND, *command], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheel"))
    (wheel,) = (folder / "wheel").iterdir()
    run(sys.executable, "-m", "venv", str(folder / "env"))
    python = folder / "env" / "bin" / "python"
    install = [str(ROOT / "tests" / "retry.sh"), str(python), "-m", "pip", "install", "--quiet", "--retries", "5"]
    # Not compiled: the tests import a small part of it.
    run("sh", *install, "--no-compile", str(wheel), f"jupyterlab=={OLDEST_LAB}")
    return python


def ipykernel_6(_: Path) -> Path:
    """A folder that, put before the others on the path, gives a kernel without subshells."""
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
    """The node_modules of packages of these versions."""
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
