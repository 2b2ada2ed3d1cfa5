"""The viewer in three engines: Chromium, Firefox and WebKitGTK, with mouse and keyboard input, files and screenshots."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anndata as ad
import engines
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer, assert_genes, view_in
from display import ENDING_WITH_THE_TESTS, virtual_display
from engines import ENGINES, SCREEN, SIZE, Engine, running
from numpy.typing import NDArray
from PIL import Image
from pixels import PICTURE
from screen import MIDDLE, Screen, drag, select, selected, selection
from waiting import becomes, eventually, holds

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

BACKGROUND = np.array([0xF6, 0xF7, 0xF9])
"""The background of the light theme."""
# Collects errors from now on. After an earlier error, the page does not become ready.
WATCH = """() => {
  window.problems = [];
  const report = (problem) => window.problems.push(String(problem));
  addEventListener('error', (event) => report(event.message));
  addEventListener('unhandledrejection', (event) => report(event.reason));
  addEventListener('securitypolicyviolation', (event) => report('blocked ' + event.blockedURI));
}"""


class EngineViewer(Viewer):
    """Drive an open page in one of the engines."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.page: Any = engine.page

    def open(self, url: str) -> EngineViewer:
        self.page.goto("about:blank")  # an address that differs only in its view would not be loaded anew
        super().open(url)
        self.page.evaluate(WATCH)
        return self

    def assert_no_problems(self) -> None:
        assert self.page.evaluate("window.problems") == []
        assert (
            self.page.evaluate("[...document.querySelectorAll('[role=alert]')].map((alert) => alert.innerText)") == []
        )

    def shows(self, name: str, selector: str = "*") -> None:
        """Wait until an element with this text is visible."""
        eventually(
            lambda: self.page.evaluate(
                """([selector, name]) => [...document.querySelectorAll(selector)].some((element) =>
                  element.getClientRects().length > 0 && element.textContent.trim() === name)""",
                [selector, name],
            ),
            what=f"{name!r} is not shown",
        )

    def picture(self, **options: Any) -> NDArray[np.int16]:
        png = base64.b64decode(self.page.evaluate(PICTURE, {"scale": 1, **options}))
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int16)

    def shot(self) -> NDArray[np.int16]:
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")).astype(np.int16)

    def downloaded(self, name: str) -> bytes:
        """Wait until a download is complete, remove the file, and return its content."""
        file = self.engine.downloads / name
        # Firefox creates an empty file first.
        eventually(
            lambda: file.exists() and file.stat().st_size and not [*file.parent.glob("*.part"), *file.parent.glob("*.wkdownload"), *file.parent.glob("*.crdownload")],
            what=lambda: f"{name} is not among {[path.name for path in file.parent.iterdir()]}",
        )  # fmt: skip
        content = file.read_bytes()
        file.unlink()
        return content


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Engine]]:
    """Start each engine when it is first needed. All tests of this module share them."""
    engines_by_name: dict[str, Engine] = {}
    with ExitStack() as stack:

        def start(name: str) -> Engine:
            if name not in engines_by_name:
                display = stack.enter_context(virtual_display(SCREEN))
                engines_by_name[name] = stack.enter_context(running(name, display, tmp_path_factory.mktemp(name)))
            return engines_by_name[name]

        yield start


@pytest.fixture(params=ENGINES)
def viewer(request: pytest.FixtureRequest, started: Callable[[str], Engine]) -> Iterator[EngineViewer]:
    engine = started(request.param)
    engine.page.set_viewport_size(SIZE)  # WebKit's list of downloads makes the page smaller
    engine.page.mouse.move(500, 695)  # away from anything that responds to the pointer
    yield EngineViewer(engine)
    engine.page.driver.command("release")


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    return synthetic_tissue(n_cells=2000, seed=1)


@pytest.fixture(scope="module")
def bundle(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return a bundle that tests must not modify. Its name must be escaped in URLs."""
    folder = tmp_path_factory.mktemp("engines") / "a b&c #1"
    return adata_to_karospace(adata, folder, genes_mode="all", dataset_name="tissue")


@pytest.fixture(scope="module")
def single_file(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("single") / "a b&c #1.html"
    adata_to_karospace(adata, single_file=file, genes_mode=["EPCAM", "CD3E"])
    return file


@pytest.fixture
def opened(viewer: EngineViewer, bundle: Bundle, serve: Callable[[Path], str]) -> EngineViewer:
    """Open the viewer over HTTP, with opaque cells and without the image."""
    viewer.open(serve(bundle.path))
    viewer.set(opacity=1, imageOpacity=0, color={"kind": "annotation", "column": "cell_type"})
    return viewer


def palette(bundle: Bundle) -> dict[str, NDArray[np.int64]]:
    """Return the color of each cell type."""
    column: Any = next(column for column in bundle.manifest.columns or [] if column.name == "cell_type")
    return {
        category.name: np.array(list(bytes.fromhex(category.color[1:])), dtype=int) for category in column.categories
    }


def assert_category_colors(
    viewer: EngineViewer, adata: ad.AnnData, bundle: Bundle, *, on: NDArray[np.int16] | None = None
) -> None:
    """Compare the colors of 300 cells, on the screen or `on` a picture of the stage, with those of their categories."""
    cells = np.random.default_rng(0).choice(adata.n_obs, 300, replace=False)
    colors = palette(bundle)
    wanted = np.array([colors[name] for name in adata.obs["cell_type"].iloc[cells]])

    def assert_most_match() -> None:
        shown = viewer.shot() if on is None else on
        seen = np.array([shown[int(y), int(x)] for x, y in viewer.positions(cells.tolist())])
        share = (np.abs(seen - wanted).max(axis=1) <= 2).mean()
        assert share > 0.85, f"{share:.0%} of the cells have the color of their category"  # the others are covered

    if on is None:
        holds(assert_most_match)  # the screen is updated later than the page
    else:
        assert_most_match()


def mean_difference(first: NDArray[np.int16], second: NDArray[np.int16]) -> float:
    """Return the mean difference of two pictures, from 0 to 255."""
    assert first.shape == second.shape
    return float(np.abs(first - second).mean())


def dense(adata: ad.AnnData, gene: str) -> Any:
    x: Any = adata[:, gene].X
    return x.toarray().ravel()


def test_bundle_opens_over_http(opened: EngineViewer, adata: ad.AnnData, bundle: Bundle) -> None:
    assert opened.page.evaluate("window.karospace.cells") == adata.n_obs
    opened.shows("tissue", ".ks-title, h1")
    assert_category_colors(opened, adata, bundle)
    assert_genes(opened, adata, ("EPCAM", bundle.manifest.gene_list[-1]))
    opened.assert_no_problems()


WATCH_WORKERS = """() => {
  window.workers = 0;
  window.Worker = class extends Worker { constructor(...args) { super(...args); window.workers++; } };
}"""
COMPARE = (
    "[...document.querySelectorAll('.ks-selection .ks-pill')].find((pill) => /Compare/.test(pill.textContent)).click()"
)


@pytest.mark.parametrize("disk", [False, True], ids=["host", "disk"])
def test_genes_are_compared_in_a_worker(
    viewer: EngineViewer, adata: ad.AnnData, bundle: Bundle, serve: Callable[[Path], str], disk: bool
) -> None:
    assert bundle.path is not None
    viewer.open((bundle.path / "index.html").as_uri() if disk else serve(bundle.path))
    viewer.page.evaluate(WATCH_WORKERS)
    inside = (adata.obs["cell_type"] == "T cell").to_numpy()
    viewer.page.evaluate("mask => karospace.select(mask)", inside.astype(int).tolist())
    eventually(lambda: viewer.page.evaluate("document.querySelector('.ks-selection .ks-pill') !== null"))
    viewer.page.evaluate(COMPARE)
    first = "document.querySelector('.ks-genes tbody button')?.textContent ?? null"
    becomes(lambda: viewer.page.evaluate(first) is not None, True)
    scores = {
        gene: (dense(adata, gene)[inside].mean(), dense(adata, gene)[~inside].mean()) for gene in bundle.gene_names
    }
    gene = viewer.page.evaluate(first)
    assert scores[gene][0] > 3 * scores[gene][1]
    assert viewer.page.evaluate("window.workers") == 1
    viewer.assert_no_problems()


def test_bundle_opens_by_double_click(viewer: EngineViewer, adata: ad.AnnData, bundle: Bundle) -> None:
    assert bundle.path is not None
    viewer.open((bundle.path / "index.html").as_uri())
    assert_genes(viewer, adata, ("EPCAM", bundle.manifest.gene_list[-1]))
    viewer.set(color={"kind": "none"}, opacity=0)
    # The image is drawn: the tissue is not the background.
    eventually(
        lambda: np.abs(viewer.colors(list(range(0, 2000, 20))).astype(int) - BACKGROUND).max(axis=1),
        lambda difference: (difference > 20).mean() > 0.9,
        what="the image is not drawn",
    )
    viewer.assert_no_problems()


def test_single_file_opens_by_double_click(
    viewer: EngineViewer, adata: ad.AnnData, bundle: Bundle, single_file: Path
) -> None:
    viewer.open(single_file.as_uri())
    viewer.set(opacity=1, imageOpacity=0, color={"kind": "annotation", "column": "cell_type"})
    assert_category_colors(viewer, adata, bundle)
    assert_genes(viewer, adata, ("EPCAM", "CD3E"))
    requested = viewer.page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [url for url in requested if not url.startswith(("blob:", "data:"))] == []
    viewer.assert_no_problems()


def test_gene_is_found_and_drawn(opened: EngineViewer, adata: ad.AnnData) -> None:
    page = opened.page
    page.keyboard.press("/")
    page.keyboard.type("epcam")
    page.keyboard.press("Enter")
    opened.until("state.color.gene === 'EPCAM'")
    values = dense(adata, "EPCAM")
    opened.set(range=[0, float(np.quantile(values, 0.9))], colormap="viridis")
    top = np.flatnonzero(values >= np.quantile(values, 0.95))
    eventually(
        lambda: np.abs(opened.colors(top.tolist()).astype(int) - [253, 231, 37]).max(axis=1),
        lambda difference: (difference <= 3).mean() > 0.9,
        what="the highest values are not yellow",
    )
    opened.assert_no_problems()


def test_two_genes_are_blended(opened: EngineViewer, adata: ad.AnnData) -> None:
    page = opened.page
    opened.set(color={"kind": "gene", "gene": "EPCAM"})
    page.click("button", "+ Blend")
    becomes(lambda: page.evaluate("document.activeElement.getAttribute('role')"), "combobox")
    page.keyboard.type("cd3e")
    page.keyboard.press("Enter")
    opened.until("state.color.kind === 'blend' && state.color.genes.join() === 'EPCAM,CD3E'")
    epcam, cd3e = dense(adata, "EPCAM"), dense(adata, "CD3E")
    only = [int(np.argmax(np.where(cd3e == 0, epcam, 0))), int(np.argmax(np.where(epcam == 0, cd3e, 0)))]
    orange, blue = [0xD5, 0x5E, 0x00], [0x00, 0x72, 0xB2]
    holds(lambda: np.testing.assert_allclose(opened.colors(only).astype(int), [orange, blue], atol=6))
    opened.assert_no_problems()


def test_legend_hides_isolates_and_selects(opened: EngineViewer, adata: ad.AnnData, bundle: Bundle) -> None:
    page = opened.page
    names = list(palette(bundle))
    first, second = names[:2]
    cells = {name: np.flatnonzero(adata.obs["cell_type"] == name)[:60].tolist() for name in (first, second)}

    def drawn(name: str) -> bool:
        """Return whether cells are drawn in the color of their category."""
        page.mouse.move(300, 690)  # away from the legend, which dims the other categories
        opened.set()
        return bool(
            (np.abs(opened.colors(cells[name]).astype(int) - palette(bundle)[name]).max(axis=1) <= 2).mean() > 0.5
        )

    def row(name: str) -> list[float]:
        found: list[float] = page.evaluate(
            """name => { const row = [...document.querySelectorAll('.ks-legend li')].find((item) =>
              item.querySelector('.ks-class-name').textContent === name);
              const box = row.querySelector('.ks-class-name').getBoundingClientRect();
              return [box.left + 4, box.top + box.height / 2]; }""",
            name,
        )
        return found

    # Do not click a category twice in a row: depending on the time between, that is a double click.
    page.mouse.click(*row(second))
    opened.until(f"state.hidden.cell_type?.join() === '{second}'")
    becomes(lambda: (drawn(first), drawn(second)), (True, False))
    opened.set(hidden={})
    becomes(lambda: (drawn(first), drawn(second)), (True, True))
    page.mouse.click(*row(first), count=2)
    opened.until(f"state.isolated.cell_type?.join() === '{first}'")
    becomes(lambda: (drawn(first), drawn(second)), (True, False))
    page.keyboard.down("Alt")
    page.mouse.click(*row(second))
    page.keyboard.up("Alt")
    holds(lambda: np.testing.assert_array_equal(selected(opened), adata.obs["cell_type"] == second))
    opened.assert_no_problems()


def test_lasso_selects_the_cells_inside(opened: EngineViewer, adata: ad.AnnData) -> None:
    screen = Screen(opened, adata)
    opened.page.click("button", "Lasso select")
    points = [
        screen.point(0.5 + r * float(np.cos(a)), 0.5 + r * float(np.sin(a)))
        for a in np.linspace(0, 2 * np.pi, 24, endpoint=False)
        for r in [0.25 + 0.1 * float(np.sin(3 * a))]
    ]
    mouse = opened.page.mouse
    mouse.move(*points[0])
    mouse.down()
    for point in points[1:]:
        mouse.move(*point)
    mouse.up()
    wanted = screen.in_polygon(points)
    unambiguous = np.all([screen.in_polygon(points, margin) == wanted for margin in (-0.2, 0.2)], axis=0)
    assert wanted.sum() > 200
    assert (selected(opened) == wanted)[unambiguous].all()
    opened.assert_no_problems()


def test_rectangles_are_added_subtracted_and_undone(opened: EngineViewer, adata: ad.AnnData) -> None:
    screen = Screen(opened, adata)
    opened.page.keyboard.press("m")
    first, second, third = (screen.rectangle(*box) for box in [MIDDLE, (0.4, 0.4, 0.8, 0.8), (0.3, 0.3, 0.6, 0.6)])
    unambiguous = ~(screen.near(*first) | screen.near(*second) | screen.near(*third))
    in_first, in_second, in_third = (screen.within(*box) for box in (first, second, third))

    def assert_selected(wanted: NDArray[np.bool_]) -> None:
        holds(lambda: np.testing.assert_array_equal(selected(opened)[unambiguous], wanted[unambiguous]))

    drag(opened, first)
    assert_selected(in_first)
    drag(opened, second, key="Shift")
    assert_selected(in_first | in_second)
    drag(opened, third, key="Alt")
    assert_selected((in_first | in_second) & ~in_third)
    opened.page.keyboard.press("Control+z")
    assert_selected(in_first | in_second)
    opened.page.keyboard.press("Escape")
    becomes(lambda: selection(opened), None)
    opened.assert_no_problems()


def test_mouse_and_keys_move_the_camera(opened: EngineViewer) -> None:
    page = opened.page
    [before] = opened.positions([0])
    drag(opened, [(400, 400), (460, 370)])
    becomes(lambda: opened.positions([0])[0], pytest.approx((before[0] + 60, before[1] - 30), abs=1))
    page.mouse.move(400, 400)
    page.mouse.wheel(0, -240)
    opened.until("state.camera.zoom > 1.2")
    zoom = opened.state()["camera"]["zoom"]
    page.keyboard.press("+")
    opened.until(f"state.camera.zoom > {zoom}")
    page.keyboard.press("q")
    opened.until("state.turn === 90")
    page.keyboard.press("r")
    opened.until("state.camera.zoom === 1 && state.turn === 0")
    x, y = opened.positions([7])[0]
    page.mouse.move(x - 20, y)
    page.mouse.move(x, y)
    eventually(lambda: page.evaluate("document.querySelector('[role=tooltip]')?.textContent"), what="no tooltip")
    opened.assert_no_problems()


def test_sections_are_shown_side_by_side(opened: EngineViewer, adata: ad.AnnData, bundle: Bundle) -> None:
    page = opened.page
    names = [section.name for section in bundle.manifest.sections.items]  # type: ignore[union-attr]
    page.click("button", "Sections")
    opened.until("state.layout.kind === 'sections'")
    becomes(
        lambda: page.evaluate(
            "[...document.querySelectorAll('.ks-section-title')].map((title) => title.textContent.trim())"
        ),
        names,
    )
    assert_category_colors(opened, adata, bundle)
    page.click(".ks-section-title", names[0])
    opened.until(f"state.layout.kind === 'section' && state.layout.name === '{names[0]}'")
    page.keyboard.press("]")
    opened.until(f"state.layout.name === '{names[1]}'")
    opened.assert_no_problems()


BARE = {"legend": False, "title": False, "scaleBar": False}
VIEWS: dict[str, dict[str, Any]] = {
    "labels and image": {"color": {"kind": "annotation", "column": "cell_type"}, "theme": "light"},
    "gene and embedding": {
        "color": {"kind": "gene", "gene": "EPCAM"},
        "beside": {"kind": "embedding", "name": "X_umap"},
        "theme": "dark",
    },
}


@pytest.mark.parametrize("engine", ["firefox", "webkit"])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_page_and_picture_match_chromium(
    started: Callable[[str], Engine], bundle: Bundle, serve: Callable[[Path], str], view: dict[str, Any], engine: str
) -> None:
    url = serve(bundle.path)
    tissues, pictures, shots = [], [], []
    for name in ("chromium", engine):
        viewer = EngineViewer(started(name)).open(url)
        viewer.page.set_viewport_size(SIZE)
        viewer.page.mouse.move(500, 695)
        viewer.set(**view)
        tissues.append(viewer.picture(**BARE))
        viewer.set(labels=True)
        pictures.append(viewer.picture())
        shots.append(viewer.shot())
        if folder := os.environ.get("KAROSPACE_SHOTS"):
            for what, pixels in (("page", shots[-1]), ("picture", pictures[-1])):
                Image.fromarray(pixels.astype(np.uint8)).save(Path(folder) / f"{what}-{view['theme']}-{name}.png")
    # The tissue is the same except for antialiased edges.
    assert tissues[0].std() > 10
    assert mean_difference(*tissues) < 0.5
    # Each engine has its own letter widths, and draws lists and scroll bars in its own way.
    assert pictures[1].shape == pytest.approx(pictures[0].shape, abs=4)
    width = min(tissue.shape[1] for tissue in tissues)
    assert mean_difference(pictures[0][:, :width], pictures[1][:, :width]) < 1
    assert mean_difference(*shots) < 4


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dropdown_lists_have_the_colors_of_the_theme(opened: EngineViewer, theme: str) -> None:
    opened.set(theme=theme, beside={"kind": "embedding", "name": "X_umap"})
    y = opened.page.find("select[aria-label='Layout']")[1]
    [box] = opened.boxes("select[aria-label='Layout']")
    panel = opened.page.evaluate("getComputedStyle(document.querySelector('.ks-card')).backgroundColor")
    wanted = [int(part) for part in re.findall(r"\d+", panel)[:3]]
    holds(lambda: np.testing.assert_allclose(opened.shot()[int(y), int(box["left"]) + 4], wanted, atol=2))


def test_svg_is_drawn_like_the_png(opened: EngineViewer, bundle: Bundle, tmp_path: Path) -> None:
    opened.set(theme="light", hidden={"cell_type": ["T cell"]})
    text = base64.b64decode(opened.page.evaluate(PICTURE, {"format": "svg", "scale": 1}))
    words = {word.text for word in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")}
    assert {"tissue", "cell_type"} | (set(palette(bundle)) - {"T cell"}) <= words
    assert "T cell" not in words
    wanted = opened.picture()
    (tmp_path / "picture.svg").write_bytes(text)
    height, width = wanted.shape[:2]
    try:
        opened.page.set_viewport_size({"width": width, "height": height})
        opened.page.goto((tmp_path / "picture.svg").as_uri())
        eventually(opened.shot, lambda shot: shot.shape == wanted.shape and np.abs(shot - wanted).mean() < 0.7)
    finally:
        opened.page.set_viewport_size(SIZE)


def test_menu_saves_picture_and_table(opened: EngineViewer, adata: ad.AnnData) -> None:
    page = opened.page
    wanted = opened.picture(scale=2)  # taken first, because WebKit later shows its downloads below the page
    page.keyboard.press("s")
    page.click("button", "PNG")
    opened.shows("Saved as tissue-cell_type.png")
    saved = Image.open(io.BytesIO(opened.downloaded("tissue-cell_type.png")))
    np.testing.assert_array_equal(np.asarray(saved.convert("RGB")), wanted)
    page.click("button", "SVG")
    opened.shows("Saved as tissue-cell_type.svg")
    ET.fromstring(opened.downloaded("tissue-cell_type.svg"))
    page.click("button", "CSV")
    opened.shows("Saved as tissue-cell_type.csv")
    table = pd.read_csv(io.BytesIO(opened.downloaded("tissue-cell_type.csv")), index_col="cell_id")
    assert list(table.index.astype(str)) == list(adata.obs_names)
    assert list(table["cell_type"]) == list(adata.obs["cell_type"])
    opened.assert_no_problems()


def test_saved_view_can_be_reopened(opened: EngineViewer, bundle: Bundle, tmp_path: Path) -> None:
    page = opened.page
    opened.set(color={"kind": "gene", "gene": "EPCAM"}, colormap="magma", turn=90, theme="dark")
    opened.set(camera={**opened.state()["camera"], "zoom": 2.5})
    page.evaluate(
        "() => window.karospace.setRegions([{name: 'edge', color: '#123456',"
        " mask: Uint8Array.from({length: window.karospace.cells}, (_, i) => i % 7 === 0 ? 1 : 0)}])"
    )
    wanted, state = page.evaluate("window.karospace.getView()"), opened.state()
    page.click("button", "Share, save or open this view")
    page.click("button", "Save view")
    opened.shows("Saved as tissue-EPCAM.view.json")
    file = tmp_path / "saved.json"
    file.write_bytes(opened.downloaded("tissue-EPCAM.view.json"))
    assert json.loads(file.read_text()) == wanted
    # Open the bundle from disk, and the view as a file.
    assert bundle.path is not None
    opened.open((bundle.path / "index.html").as_uri())
    page.click("button", "Share, save or open this view")
    page.set_input_files("[aria-label='View file']", str(file))
    opened.shows("Opened the view from saved.json")
    becomes(opened.state, state)
    assert page.evaluate("window.karospace.regions.map(({name, count}) => [name, count])") == [["edge", 286]]
    opened.assert_no_problems()


def test_link_restores_the_view_and_is_copied(opened: EngineViewer) -> None:
    page = opened.page
    opened.set(color={"kind": "gene", "gene": "EPCAM"}, colormap="magma", camera={"x": 900, "y": 700, "zoom": 3})
    becomes(lambda: view_in(page.evaluate("location.hash")), page.evaluate("karospace.getView()"))
    url, state = page.evaluate("location.href"), opened.state()
    page.click("button", "Share, save or open this view")
    page.click("button", "Copy link")
    opened.shows("Link to this view copied to the clipboard")
    # Paste where a user would.
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.press("Control+v")
    becomes(lambda: page.evaluate("document.activeElement.value"), url)
    opened.assert_no_problems()
    opened.open(url)
    assert opened.state() == state
    opened.assert_no_problems()


def test_embedded_viewer_is_controlled_by_its_page(
    viewer: EngineViewer, bundle: Bundle, adata: ad.AnnData, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    shutil.copytree(bundle.path, tmp_path / "b")
    (tmp_path / "page.html").write_text(
        "<!doctype html><title>Page</title><body style='margin: 0'>"
        "<iframe src='b/index.html?embed=1' style='border: 0; width: 800px; height: 600px'></iframe>"
    )
    page = viewer.page
    page.goto(serve(tmp_path) + "page.html")
    inner = "document.querySelector('iframe').contentWindow"
    eventually(lambda: page.evaluate(f"{inner}.karospace?.ready.then(() => true) ?? false"))
    answer = page.evaluate(
        f"""state => new Promise((done) => {{
          addEventListener('message', ({{data}}) => data.karospace === 'answer' && data.id === 1 && done(data.error ?? 'done'));
          {inner}.postMessage({{karospace: 'setState', id: 1, args: [state]}}, location.origin);
        }})""",
        {"opacity": 1, "imageOpacity": 0, "color": {"kind": "annotation", "column": "cell_type"}},
    )
    assert answer == "done"
    assert page.evaluate(f"{inner}.document.querySelectorAll('.ks-panel').length") == 0
    cells = list(range(0, 2000, 10))
    colors = palette(bundle)
    wanted = np.array([colors[name] for name in adata.obs["cell_type"].iloc[cells]])
    at = page.evaluate(
        f"cells => cells.map((cell) => {{ const {{x, y}} = {inner}.karospace.project(cell); return [x, y]; }})", cells
    )

    def drawn() -> float:
        """Return the share of cells in the color of their category."""
        shot = viewer.shot()
        seen = np.array([shot[int(y), int(x)] for x, y in at])
        return float((np.abs(seen - wanted).max(axis=1) <= 2).mean())

    eventually(drawn, lambda share: share > 0.7, what="the cells are not drawn")


def test_changes_in_a_hidden_tab_are_drawn(opened: EngineViewer, adata: ad.AnnData, bundle: Bundle) -> None:
    opened.set(color={"kind": "gene", "gene": "EPCAM"})
    with opened.engine.other_tab():
        # Scripts do not wait for the tab to be visible, and pictures show the current state.
        opened.set(color={"kind": "annotation", "column": "cell_type"})
        assert_category_colors(opened, adata, bundle, on=opened.picture(**BARE))
        opened.set(color={"kind": "none"})
        opened.page.evaluate(
            "() => { window.changed = window.karospace.setState({color: {kind: 'annotation', column: 'cell_type'}}); }"
        )
    opened.page.evaluate("window.changed")
    assert_category_colors(opened, adata, bundle)
    opened.assert_no_problems()


def test_lost_context_is_restored(opened: EngineViewer, adata: ad.AnnData, bundle: Bundle) -> None:
    select(opened, np.arange(2000) % 3 == 0)
    wanted = opened.picture(**BARE)
    opened.lose_context()
    opened.page.evaluate("() => { window.changed = window.karospace.setState({pointSize: 1.5}); }")
    opened.restore_context()
    opened.page.evaluate("window.changed")
    opened.set(pointSize=1)
    np.testing.assert_array_equal(opened.picture(**BARE), wanted)
    opened.page.evaluate("window.karospace.select(null)")
    opened.set()
    assert_category_colors(opened, adata, bundle)
    opened.assert_no_problems()


def test_closed_viewer_leaves_no_graphics_objects(opened: EngineViewer) -> None:
    assert opened.page.evaluate("window.karospace.liveObjects") > 0
    opened.page.evaluate("window.karospace.dispose()")
    becomes(lambda: opened.page.evaluate("window.karospace.liveObjects"), 0)
    assert opened.page.evaluate("window.problems") == []


RUNNING = """
import sys, time
from pathlib import Path
sys.path[:0] = {paths!r}
from display import ENDING_WITH_THE_TESTS, virtual_display
from engines import SCREEN, running
with virtual_display(SCREEN) as display, running("webkit", display, Path({home!r})) as engine:
    print("running", display, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not ENDING_WITH_THE_TESTS, reason="setpriv exists only on Linux")
def test_browser_and_display_end_even_if_the_tests_are_killed(tmp_path: Path, started: Callable[[str], Engine]) -> None:
    started("webkit")  # skips the test if WebKit is not installed
    home = tmp_path / "home"
    code = RUNNING.format(paths=[str(Path(engines.__file__).parent)], home=str(home))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        words = tests.stdout.readline().split()
        assert words[0] == "running"
        assert len(engines.processes_of(home)) > 2
        display = Path(f"/tmp/.X11-unix/X{words[1][1:]}")
        assert display.exists()
        tests.kill()
    becomes(lambda: engines.processes_of(home), [])
    with socket.socket(socket.AF_UNIX) as probe:
        assert probe.connect_ex(str(display)) != 0
