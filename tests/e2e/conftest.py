"""Fixtures for end-to-end tests of the viewer in a real browser, with real bundles."""

from __future__ import annotations

import base64
import io
import json
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from waiting import becomes, until_js

from karospace_jupyter import ExportConfig, export_h5ad
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.serve import BundleServer


class Viewer:
    """Drive an open page through its interface and through its scripting API."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: (self.problems.append("dialog " + dialog.message), dialog.dismiss()))

    def open(self, url: str) -> Viewer:
        self.page.goto(url)
        self.page.evaluate("window.karospace.ready")
        return self

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.page.evaluate("window.karospace.getState()")
        return state

    def set(self, **partial: Any) -> None:
        """Set fields of the state and wait until they are drawn; without fields, wait for earlier changes."""
        self.page.evaluate("partial => window.karospace.setState(partial)", partial)

    def until(self, condition: str) -> None:
        """Wait until a condition on the state holds and the state is drawn."""
        until_js(self.page, f"() => {{ const state = window.karospace.getState(); return {condition}; }}")
        self.set()

    def becomes(self, read: Callable[[], Any], wanted: Any) -> None:
        becomes(read, wanted, page=self.page)

    def address(self) -> str:
        """Return the page's address once it holds the current view with its regions."""
        linked = self.page.evaluate("karospace.getView({link: true})")
        self.becomes(lambda: view_in(self.page.evaluate("location.hash")), linked)
        url: str = self.page.evaluate("location.href")
        return url

    def value(self, cell: int) -> Any:
        return self.page.evaluate("cell => window.karospace.valueAt(cell)", cell)

    def positions(self, cells: list[int]) -> list[Any]:
        """Return the position of each cell on the page, in CSS pixels."""
        # Passed as JSON text: Playwright serializes lists number by number, which takes seconds for all cells.
        text = self.page.evaluate(
            "text => JSON.stringify(JSON.parse(text).map((cell) => window.karospace.project(cell)))", json.dumps(cells)
        )
        found: list[Any] = json.loads(text)
        return [(p["x"], p["y"]) if isinstance(p, dict) else tuple(p) for p in found]

    def lose_context(self) -> None:
        """Lose the WebGL context, as when a graphics driver is reset."""
        self.page.evaluate("""() => {
          const canvas = document.querySelector('canvas');
          const gone = new Promise((done) => canvas.addEventListener('webglcontextlost', done, {once: true}));
          window.lostContext = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');
          window.lostContext.loseContext();
          return gone.then(() => null);
        }""")

    def restore_context(self) -> None:
        self.page.evaluate("""() => {
          const canvas = document.querySelector('canvas');
          const back = new Promise((done) => canvas.addEventListener('webglcontextrestored', done, {once: true}));
          window.lostContext.restoreContext();
          return back.then(() => null);
        }""")

    def boxes(self, selector: str) -> list[dict[str, float]]:
        """Return the bounding boxes of all visible elements that match, measured at the same time."""
        found: list[dict[str, float]] = self.page.evaluate(
            """selector => [...document.querySelectorAll(selector)]
              .filter((element) => element.getClientRects().length > 0)
              .map((element) => element.getBoundingClientRect().toJSON())""",
            selector,
        )
        return found

    def pixels(self) -> NDArray[np.uint8]:
        shot = self.page.locator("canvas").first.screenshot(animations="disabled")
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))

    def colors(self, cells: list[int]) -> NDArray[np.uint8]:
        """Return the color on screen at the center of each cell, shape (n, 3)."""
        shot = self.page.screenshot(animations="disabled")
        picture = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))
        return np.array([picture[int(y), int(x)] for x, y in self.positions(cells)])


def view_in(address: str) -> Any:
    """Decode the view in an address; None if it has none."""
    packed = address.partition("#view=")[2]
    if not packed:
        return None
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), wbits=-15))


def assert_genes(viewer: Viewer, adata: ad.AnnData, genes: Sequence[str]) -> None:
    """Assert that the viewer shows the genes' values for some cells, including the cell with the highest value."""
    x: Any = adata.X
    for gene in genes:
        viewer.set(color={"kind": "gene", "gene": gene})
        values = x[:, adata.var_names.get_loc(gene)].toarray().ravel()
        cells = [0, 17, int(np.argmax(values)), adata.n_obs - 1]
        assert [viewer.value(cell) for cell in cells] == pytest.approx(values[cells].tolist(), rel=1e-6)


@pytest.fixture(scope="session")
def tissue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 3000 cells, for tests that only read it."""
    path = tmp_path_factory.mktemp("tissue") / "tissue.h5ad"
    synthetic_tissue(n_cells=3000, seed=1).write_h5ad(path)
    return path


@pytest.fixture(scope="session")
def window(browser: Any) -> Iterator[Any]:
    """Share one browser context among all tests, because creating one is slow. A blank page keeps it open."""
    context = browser.new_context(viewport={"width": 1360, "height": 860})
    context.new_page()
    yield context
    context.close()


@pytest.fixture
def viewer(window: Any) -> Iterator[Viewer]:
    """Return a new page without cache, cookies or permissions from earlier tests."""
    page = window.new_page()
    # The server of an earlier test may have used the same port.
    tools = window.new_cdp_session(page)
    tools.send("Network.clearBrowserCache")
    tools.detach()
    yield Viewer(page)
    for opened in window.pages[1:]:
        opened.close()
    window.clear_permissions()
    window.clear_cookies()


@pytest.fixture
def opened(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> tuple[Viewer, ad.AnnData]:
    """Return a viewer of the file of 3000 cells, with opaque cells and without the image, and its data."""
    viewer.open(serve(export(tissue, annotation_columns=["cell_type"])))
    viewer.set(opacity=1, imageOpacity=0)
    return viewer, ad.read_h5ad(tissue)


@pytest.fixture(scope="session")
def exported_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Export each combination of file and options only once: many tests need the same bundle."""
    bundles: dict[str, Path] = {}

    def run(h5ad: Path, **options: Any) -> Path:
        key = repr((h5ad, h5ad.stat().st_mtime_ns, sorted(options.items())))
        if key not in bundles:
            outdir = tmp_path_factory.mktemp("exported") / "bundle"
            export_h5ad(ExportConfig(h5ad_path=h5ad, outdir=outdir, **options))
            bundles[key] = outdir
        return bundles[key]

    return run


@pytest.fixture
def export(exported_once: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a copy of an exported bundle, which the test may modify."""

    def run(h5ad: Path, **options: Any) -> Path:
        return Path(shutil.copytree(exported_once(h5ad, **options), tmp_path / "bundle"))

    return run


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    servers: list[BundleServer] = []

    def start(folder: Path) -> str:
        server = BundleServer(folder, port=0)
        server.start()
        servers.append(server)
        return server.url

    yield start
    for server in servers:
        server.stop()
