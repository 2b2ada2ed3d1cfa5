"""Take the screenshots of the notebook and the panel for the README: `python tests/notebook/picture.py`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "notebook"), str(ROOT / "tests" / "support")]
from chromium import FLAGS, find_chromium  # noqa: E402 - needs the paths above
from lab import Lab  # noqa: E402
from test_panel import Panel  # noqa: E402
from waiting import two_frames, until_js  # noqa: E402

SETUP = """from karospace_jupyter import karospace_widget
from karospace_jupyter.datasets import synthetic_tissue
adata = synthetic_tissue()"""


def main() -> None:
    # A kernel may still write while the folder is deleted.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as p:
        lab = Lab(Path(folder))
        try:
            browser = p.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            context = browser.new_context(viewport={"width": 1400, "height": 1500})
            nb = lab.notebook(
                context.new_page(), [SETUP, "w = karospace_widget(adata, dataset_name='Tumor margin')\nw"]
            )
            nb.run(0)
            nb.run(1)
            card = nb.output(1).locator(".kf-card")
            card.get_by_text("detected").wait_for()
            card.get_by_role("button", name="Export", exact=True).click()
            frame = nb.viewer(1)
            nb.python(
                "[setattr(w.view, 'regions', {'Left rim': (adata.obs['region'] == adata.obs['region'].cat.categories[0]).to_numpy()})] and None"
            )
            frame.evaluate("window.karospace.setState({color: {kind: 'annotation', column: 'cell_type'}})")
            until_js(frame, "window.karospace.regions.length === 1")
            complete(card, frame)
            nb.cell(1).screenshot(path=ROOT / "examples" / "notebook.png")
            nb.shut_down()
            context = browser.new_context(viewport={"width": 1360, "height": 860})
            nb = lab.notebook(context.new_page(), [SETUP], name="margin.ipynb")
            nb.run(0)
            panel = Panel(nb).show()
            card = panel.form("adata")
            panel.export(card)
            complete(card, panel.viewer())
            nb.page.screenshot(path=ROOT / "examples" / "panel.png")
            nb.shut_down()
            browser.close()
        finally:
            lab.stop()


def complete(card: Any, frame: Any) -> None:
    """Wait until the form shows its result, and the viewer its image."""
    card.locator(".kf-done").get_by_text("files").wait_for()
    frame.evaluate("window.karospace.picture().then(() => null)")
    two_frames(card.page)


if __name__ == "__main__":
    main()
