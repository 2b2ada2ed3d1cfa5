"""Open the pages of the benchmark (the viewer, plain WebGL2 and regl-scatterplot) for one bundle, in software WebGL."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from playwright.sync_api import Playwright

from karospace_jupyter.serve import BundleServer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
from chromium import BASE_FLAGS, find_chromium  # noqa: E402 - needs the path above

SIZE = {"width": 1320, "height": 800}
FIRST_FRAME = "performance.getEntriesByName('karospace:first-frame')[0].startTime"


def bundle_regl(folder: Path) -> None:
    """Write the page of regl-scatterplot, which includes the library, to the folder of a bundle."""
    command = ["../../../js/node_modules/.bin/esbuild", "page.js", "--bundle", "--minify", "--format=iife"]
    outfile = f"--outfile={(folder / 'page.js').resolve()}"
    subprocess.run([*command, outfile, "--log-level=warning"], cwd=HERE / "regl", check=True)
    shutil.copy(HERE / "regl" / "page.html", folder / "regl.html")


class Pages:
    """Open one page at a time, each in a new context, so that nothing is cached."""

    def __init__(self, browser: Any, bundle: Path) -> None:
        self.browser = browser
        self.bundle = bundle
        self._server = BundleServer(bundle, port=0)
        shutil.copy(HERE / "plain.html", bundle / "plain.html")
        self._server.start()

    def close(self) -> None:
        self._server.stop()

    @contextmanager
    def page(self, path: str = "", script: str = "") -> Iterator[Any]:
        context = self.browser.new_context(viewport=SIZE)
        try:
            page = context.new_page()
            page.set_default_timeout(180_000)
            if script:
                page.add_init_script(script)
            page.goto(urljoin(self._server.url, path))
            yield page
        finally:
            context.close()

    @contextmanager
    def viewer(self, script: str = "", *, at: str = "") -> Iterator[Any]:
        """Open the viewer, or a link to it, and wait for its first frame."""
        with self.page(at, (HERE / "watch.js").read_text() + script) as page:
            page.evaluate("window.karospace.ready")
            yield page

    @contextmanager
    def other(self, name: str, picture: dict[str, Any]) -> Iterator[Any]:
        """Open `plain` or `regl` with the same files, to draw the same image as the viewer."""
        with self.page(f"{name}.html?picture={quote(json.dumps(picture))}") as page:
            page.evaluate("window.first")
            yield page


@contextmanager
def pages(playwright: Playwright, bundle: Path) -> Iterator[Pages]:
    """Start a separate browser for one bundle."""
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=BASE_FLAGS)
    opened = Pages(browser, bundle)
    try:
        yield opened
    finally:
        opened.close()
        browser.close()
