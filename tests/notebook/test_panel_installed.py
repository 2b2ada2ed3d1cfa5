"""The panel as users install it: from a wheel, with the oldest supported JupyterLab and in other applications."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from environments import OLDEST_LAB
from lab import Lab
from test_panel import DATA, Panel

pytestmark = pytest.mark.e2e


def open_viewer_with_three_clicks(panel: Panel, base: str) -> Any:
    """Open the panel, an object and its viewer, and check that only URLs below `base` were requested."""
    page = panel.page
    page.locator(".jp-SideBar .lm-TabBar-tab[data-id=karospace-panel]").click()
    panel.row("adata").click()
    panel.export(panel.node.locator(".kf-card"))
    frame = panel.viewer()
    assert frame.evaluate("window.karospace.cells") == 3000
    assert [url for url in panel.nb.requests if not url.startswith((base, "blob:", "data:", "about:"))] == []
    assert panel.nb.problems == []
    return frame


def test_panel_works_in_a_fresh_environment(fresh: Path, browser: Any, tmp_path: Path) -> None:
    listed = subprocess.run(
        [str(fresh.parent / "jupyter-labextension"), "list"], capture_output=True, text=True, cwd=tmp_path
    )
    (line,) = [line for line in (listed.stdout + listed.stderr).splitlines() if "karospace-jupyter" in line]
    assert "enabled" in line
    assert "OK" in line
    lab = Lab(tmp_path, python=fresh)
    try:
        context = browser.new_context(viewport={"width": 1360, "height": 860})
        nb = lab.notebook(context.new_page(), [DATA])
        assert nb.page.evaluate("window.jupyterapp.version") == OLDEST_LAB
        nb.run(0)
        open_viewer_with_three_clicks(Panel(nb), lab.url)
        context.close()
    finally:
        lab.stop()


def test_panel_works_behind_a_url_prefix(browser: Any, tmp_path: Path) -> None:
    lab = Lab(tmp_path, base="/user/someone/")
    try:
        context = browser.new_context(viewport={"width": 1360, "height": 860})
        nb = lab.notebook(context.new_page(), [DATA])
        nb.run(0)
        open_viewer_with_three_clicks(Panel(nb), lab.url)
        context.close()
    finally:
        lab.stop()


def test_panel_works_in_notebook_7(browser: Any, tmp_path: Path) -> None:
    # Notebook 7 has no tabs, so the viewer opens next to the notebook.
    lab = Lab(tmp_path, application="notebook")
    try:
        context = browser.new_context(viewport={"width": 1360, "height": 860})
        nb = lab.notebook(context.new_page(), [DATA])
        nb.run(0)
        panel = Panel(nb).show()
        card = panel.form("adata")
        card.get_by_text("detected").wait_for()
        panel.export(card)
        frame = panel.viewer()
        assert frame.evaluate("window.karospace.cells") == 3000
        # Notebook 7 raises this error even without the panel.
        problems = [problem for problem in nb.problems if "reading 'schema'" not in problem]
        assert problems == []
        context.close()
    finally:
        lab.stop()
