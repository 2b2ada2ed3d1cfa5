"""Take the screenshots of the viewer for the README: `python tests/e2e/picture.py examples`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from chromium import FLAGS, find_chromium
from waiting import two_frames

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

VIEWS = {
    "viewer": {"color": {"kind": "annotation", "column": "cell_type"}},
    "viewer-dark": {
        "color": {"kind": "blend", "genes": ["EPCAM", "CD3E"]},
        "theme": "dark",
        "imageOpacity": 0.5,
        "beside": {"kind": "embedding", "name": "X_umap"},
    },
}


def main(folder: str) -> None:
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        adata_to_karospace(synthetic_tissue(), Path(work) / "b", genes_mode="all", dataset_name="Synthetic tumor")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for name, state in VIEWS.items():
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            # The panel and the image are loaded after the first frame.
            page.goto((Path(work) / "b" / "index.html").as_uri(), wait_until="networkidle")
            page.evaluate("state => window.karospace.setState(state)", state)
            page.evaluate("window.karospace.picture().then(() => null)")  # waits for the image, and draws both views
            two_frames(page)
            page.screenshot(path=Path(folder) / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
