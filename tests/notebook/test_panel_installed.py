"""The panel as people get it: a wheel in a fresh environment, the oldest JupyterLab, other applications."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from test_panel import DATA, Panel

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
OLDEST = "jupyterlab==4.0.13"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with nothing but the wheel and JupyterLab."""
    folder = tmp_path_factory.mktemp("fresh")
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def quietly(*command: str) -> None:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    quietly(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheel"))
    (wheel,) = (folder / "wheel").iterdir()
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    install = [str(ROOT / "tests" / "retry.sh"), str(python), "-m", "pip", "install", "--quiet", "--retries", "5"]
    quietly("sh", *install, str(wheel), OLDEST)
    return python


def clicks(panel: Panel, base: str) -> Any:
    """From a notebook's AnnData to a viewer in three clicks."""
    page = panel.page
    page.locator(".jp-SideBar .lm-TabBar-tab[data-id=karospace-panel]").click()
    panel.row("adata").click()
    panel.export(panel.node.locator(".kf-card"))
    frame = panel.viewer()
    assert frame.evaluate("window.karospace.cells") == 3000
    assert [url for url in panel.nb.requests if not url.startswith((base, "blob:", "data:", "about:"))] == []
    assert panel.nb.problems == []
    return frame


def test_three_clicks_in_a_fresh_environment(fresh: Path, browser: Any, tmp_path: Path) -> None:
    listed = subprocess.run(
        [str(fresh.parent / "jupyter-labextension"), "list"], capture_output=True, text=True, cwd=tmp_path
    )
    (line,) = [line for line in (listed.stdout + listed.stderr).splitlines() if "karospace-jupyter" in line]
    assert "enabled" in line
    assert "OK" in line
    lab = Lab(tmp_path, python=fresh)
    try:
        context = browser.new_context(viewport={"width": 1360, "height": 860})
        nb = lab.notebook(context, [DATA])
        assert nb.page.evaluate("window.jupyterapp.version") == OLDEST.partition("==")[2]
        nb.run(0)
        clicks(Panel(nb), lab.url)
        context.close()
    finally:
        lab.stop()


def test_behind_a_url_prefix(browser: Any, tmp_path: Path) -> None:
    lab = Lab(tmp_path, base="/user/someone/")
    try:
        context = browser.new_context(viewport={"width": 1360, "height": 860})
        nb = lab.notebook(context, [DATA])
        nb.run(0)
        clicks(Panel(nb), lab.url)
        context.close()
    finally:
        lab.stop()


def test_in_notebook_7(browser: Any, tmp_path: Path) -> None:
    """Its shell has no tabs: the viewer stands beside the notebook."""
    lab = Lab(tmp_path, application="notebook")
    try:
        context = browser.new_context(viewport={"width": 1360, "height": 860})
        nb = lab.notebook(context, [DATA])
        nb.run(0)
        panel = Panel(nb).show()
        card = panel.form("adata")
        card.get_by_text("detected").wait_for()
        panel.export(card)
        frame = panel.viewer()
        assert frame.evaluate("window.karospace.cells") == 3000
        own = [said for said in nb.problems if "reading 'schema'" not in said]  # Notebook's own, also without the panel
        assert own == []
        context.close()
    finally:
        lab.stop()
