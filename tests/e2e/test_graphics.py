"""Browsers without WebGL, lost WebGL contexts, and the number of drawings."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from PIL import Image
from pixels import colors_in
from playwright.sync_api import expect
from waiting import eventually, patient, until_js

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("graphics") / "bundle"
    return adata_to_karospace(synthetic_tissue(1500, 20, seed=1), folder, genes_mode="all", scripts="no")


@pytest.fixture
def no_webgl(browser: Any, chromium: str) -> Iterator[Viewer]:
    """Return a page of a browser without any 3D APIs."""
    without_3d = browser.browser_type.launch(
        executable_path=chromium, args=["--no-sandbox", "--disable-3d-apis", "--disable-gpu"]
    )
    yield Viewer(patient(without_3d).new_context().new_page())
    without_3d.close()


def picture(viewer: Viewer) -> NDArray[np.uint8]:
    """Return the picture that is drawn once the view has settled."""
    viewer.set()
    png = viewer.page.evaluate("""async () => {
      const bytes = new Uint8Array(await (await window.karospace.snapshot()).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    }""")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def open_with_image(viewer: Viewer, url: str) -> None:
    """Open the viewer and wait for the image, which is drawn after the first frame; no event reports it."""
    viewer.page.set_viewport_size({"width": 900, "height": 600})
    viewer.open(url)

    def differs() -> bool:
        viewer.set(imageOn=False)
        without = picture(viewer)
        viewer.set(imageOn=True)
        return bool((picture(viewer) != without).any())

    eventually(differs, what="the image is not drawn")


def test_page_without_webgl_shows_an_error_and_the_preview(bundle: Bundle, serve: Any, no_webgl: Viewer) -> None:
    page = no_webgl.page
    page.goto(serve(bundle.path))
    alert = page.get_by_role("alert")
    alert.get_by_text("WebGL2").first.wait_for()
    expect(alert).to_contain_text("hardware acceleration", use_inner_text=True)
    preview = alert.get_by_role("img", name="Preview of the tissue")
    preview.wait_for()
    until_js(page, "() => document.querySelector('[role=alert] img').naturalWidth > 0")
    assert no_webgl.problems == []


def test_page_without_webgl_and_preview_shows_an_error(serve: Any, no_webgl: Viewer, tmp_path: Path) -> None:
    bundle = adata_to_karospace(synthetic_tissue(300, 5, seed=1), tmp_path / "b", preview=False, scripts="no")
    no_webgl.page.goto(serve(bundle.path))
    no_webgl.page.get_by_role("alert").get_by_text("WebGL2").first.wait_for()
    expect(no_webgl.page.locator("[role=alert] img")).to_have_count(0)
    assert no_webgl.problems == []


CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "gene": {"color": {"kind": "gene", "gene": "EPCAM"}},
    "other annotation": {"color": {"kind": "annotation", "column": "area"}},
    "map": {"color": {"kind": "gene", "gene": "CD3E"}, "colormap": "magma", "reversed": True, "dimZeros": True},
    "hidden": {"hidden": {"cell_type": ["T cell"]}, "opacity": 0.5},
    "no image": {"imageOn": False, "theme": "dark", "pointSize": 2},
}


@pytest.mark.parametrize("selected", [False, True], ids=["", "selection"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_restored_context_draws_the_same_picture(
    bundle: Bundle, serve: Any, viewer: Viewer, change: dict[str, Any], selected: bool
) -> None:
    page = viewer.page
    open_with_image(viewer, serve(bundle.path))
    before = viewer.state()
    mask = [int(cell % 3 == 0) for cell in range(bundle.manifest.n_cells)]
    select = "mask => window.karospace.select(mask && Uint8Array.from(mask))"
    if selected:
        page.evaluate(select, mask)
    viewer.set(**change)
    wanted = picture(viewer)
    page.evaluate(select, None)
    viewer.set(**{key: before[key] for key in change})
    initial = picture(viewer)
    if change or selected:
        assert (wanted != initial).any()

    viewer.lose_context()
    page.evaluate("change => { window.changed = window.karospace.setState(change); }", change)
    if selected:
        page.evaluate(select, mask)
    viewer.restore_context()
    page.evaluate("window.changed")
    assert (picture(viewer) == wanted).all()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert viewer.problems == []


def test_selection_survives_a_lost_context(bundle: Bundle, serve: Any, viewer: Viewer) -> None:
    open_with_image(viewer, serve(bundle.path))
    viewer.page.evaluate(
        "n => window.karospace.select(Uint8Array.from({length: n}, (_, i) => i % 2))", bundle.manifest.n_cells
    )
    wanted = picture(viewer)
    objects = viewer.page.evaluate("window.karospace.liveObjects")
    for _ in range(3):
        viewer.lose_context()
        assert viewer.page.evaluate("window.karospace.liveObjects") == 0
        viewer.restore_context()
        assert (picture(viewer) == wanted).all()
    assert viewer.page.evaluate("window.karospace.liveObjects") <= objects
    assert viewer.page.evaluate("window.karospace.selection.reduce((sum, flag) => sum + flag, 0)") > 0


def test_notice_is_shown_while_the_context_is_lost(bundle: Bundle, serve: Any, viewer: Viewer) -> None:
    open_with_image(viewer, serve(bundle.path))
    viewer.lose_context()
    notice = viewer.page.get_by_text("The tissue cannot be drawn: the WebGL context was lost")
    notice.wait_for()
    viewer.restore_context()
    notice.wait_for(state="detached")


def test_context_lost_before_the_first_frame_is_restored(bundle: Bundle, serve: Any, viewer: Viewer) -> None:
    viewer.page.add_init_script("""
      const original = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        const gl = original.call(this, kind, ...rest);
        if (kind !== 'webgl2' || window.lost) return gl;
        window.lost = gl.getExtension('WEBGL_lose_context');
        window.lost.loseContext();
        return gl;
      };
    """)
    viewer.page.goto(serve(bundle.path))
    until_js(viewer.page, "() => window.lost && window.karospace.cells > 0")
    viewer.page.evaluate("window.lost.restoreContext()")
    viewer.page.evaluate("window.karospace.ready")
    assert colors_in(picture(viewer)) > 5
    expect(viewer.page.get_by_role("alert")).to_have_count(0)


def test_color_is_drawn_once_when_its_values_are_loaded(
    viewer: Viewer, bundle: Bundle, serve: Callable[[Path], str]
) -> None:
    viewer.page.add_init_script("""
      window.drawn = 0;
      const {drawArrays} = WebGL2RenderingContext.prototype;
      WebGL2RenderingContext.prototype.drawArrays = function (mode, first, count) {
        if (mode === this.POINTS) window.drawn++;
        return drawArrays.call(this, mode, first, count);
      };
    """)
    viewer.open(serve(bundle.path))
    viewer.page.wait_for_load_state("networkidle")
    viewer.set(imageOn=True)
    for gene in bundle.manifest.gene_list[:3]:
        viewer.set()
        before = viewer.page.evaluate("window.drawn")
        viewer.set(color={"kind": "gene", "gene": gene})
        assert viewer.page.evaluate("window.drawn") == before + 1


def test_simultaneous_changes_are_all_in_the_next_picture(
    viewer: Viewer, bundle: Bundle, serve: Callable[[Path], str]
) -> None:
    """Compare the picture after simultaneous changes of values, selection and size with that after one at a time."""
    viewer.open(serve(bundle.path))
    viewer.page.wait_for_load_state("networkidle")
    viewer.set(imageOn=True)
    gene = bundle.manifest.gene_list[0]
    viewer.page.evaluate(
        """async (gene) => {
          const {karospace} = window;
          await karospace.setState({pointSize: 1.2});
          document.getElementById('viewer').style.right = '200px';
          const changes = [karospace.setState({color: {kind: 'gene', gene}}), karospace.setState({colormap: 'magma'})];
          karospace.select(Uint8Array.from({length: karospace.cells}, (_, cell) => cell % 3));
          await Promise.all(changes);
        }""",
        gene,
    )
    at_once = picture(viewer)
    viewer.page.evaluate("() => { document.getElementById('viewer').style.right = '201px'; }")
    viewer.set(colormap="viridis")
    viewer.set(color={"kind": "gene", "gene": bundle.manifest.gene_list[1]})
    viewer.page.evaluate("() => { document.getElementById('viewer').style.right = '200px'; }")
    viewer.set(color={"kind": "gene", "gene": gene})
    viewer.set(colormap="magma")
    np.testing.assert_array_equal(at_once, picture(viewer))
