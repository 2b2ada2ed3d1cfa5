"""A view goes on: as a link, as a file, and in another page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


@pytest.fixture
def adata() -> ad.AnnData:
    return synthetic_tissue(n_cells=2000, seed=2)


@pytest.fixture
def folder(adata: ad.AnnData, tmp_path: Path) -> Path:
    adata_to_karospace(adata, tmp_path / "b", genes_mode="all")
    return tmp_path / "b"


def wait_for_hash(viewer: Viewer) -> str:
    for _ in range(100):
        url: str = viewer.page.evaluate("location.href")
        if "#view=" in url:
            return url
        viewer.page.wait_for_timeout(50)
    raise AssertionError("the address holds no view")


def test_a_link_shows_the_same(viewer: Viewer, folder: Path, serve: Callable[[Path], str], browser: Any) -> None:
    viewer.open(serve(folder))
    viewer.page.wait_for_timeout(700)
    assert "#" not in viewer.page.evaluate("location.href"), "a page that nobody touched keeps its address"
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, colormap="magma", camera={"x": 900, "y": 700, "zoom": 3})
    viewer.page.evaluate(
        "window.karospace.setRegions([{name: 'edge', color: '#123456',"
        " mask: Uint8Array.from({length: 2000}, (_, i) => i % 7 === 0 ? 1 : 0)}])"
    )
    viewer.page.wait_for_timeout(1000)
    url = wait_for_hash(viewer)
    context = browser.new_context(viewport={"width": 900, "height": 700})
    other = Viewer(context.new_page()).open(url)
    assert other.state() == viewer.state()
    regions = other.page.evaluate("window.karospace.regions.map(({name, color, count}) => [name, color, count])")
    assert regions == [["edge", "#123456", 286]]
    # An address that is put into an open page is followed; one that is no view changes nothing.
    other.page.evaluate("location.hash = '#view=nonsense'")
    other.page.wait_for_timeout(300)
    assert other.state() == viewer.state()
    assert other.problems == []
    context.close()


def test_a_view_as_plain_data(viewer: Viewer, folder: Path, serve: Callable[[Path], str]) -> None:
    viewer.open(serve(folder))
    viewer.set(color={"kind": "annotation", "column": "region"}, opacity=0.5, theme="dark")
    saved = json.loads(viewer.page.evaluate("JSON.stringify(window.karospace.getView())"))
    assert saved["karospace_view"] == 1
    assert saved["n_cells"] == 2000
    viewer.set(color={"kind": "none"}, opacity=1, theme="light")
    viewer.page.evaluate("view => window.karospace.setView(view)", saved)
    assert viewer.state()["color"] == {"kind": "annotation", "column": "region"}
    assert viewer.state()["theme"] == "dark"
    # What the bundle does not have is named, and the rest holds.
    saved["state"] |= {"color": {"kind": "gene", "gene": "NOPE"}, "opacity": 0.3}
    failure = viewer.page.evaluate("view => window.karospace.setView(view).then(() => '', String)", saved)
    assert "NOPE" in failure
    assert viewer.state()["opacity"] == 0.3
    for wrong in (None, 5, {"karospace_view": 9, "state": {}}):
        failure = viewer.page.evaluate("view => window.karospace.setView(view).then(() => '', String)", wrong)
        assert "cannot be opened" in failure


def test_regions_as_files(viewer: Viewer, folder: Path, serve: Callable[[Path], str], adata: ad.AnnData) -> None:
    viewer.open(serve(folder))
    page = viewer.page
    table = "cell_id,region\n" + "".join(f"{name},core\n" for name in adata.obs_names[10:30]) + "stranger,core\n"
    section = page.get_by_role("region", name="Regions")
    section.get_by_label("File of regions").set_input_files(
        {"name": "r.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    section.get_by_text("1 of its cells are not in this bundle").wait_for()
    mask = np.array(page.evaluate("[...window.karospace.regions[0].mask]"))
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(10, 30))
    with page.expect_download() as csv:
        section.get_by_role("button", name="CSV").click()
    lines = Path(csv.value.path()).read_text().splitlines()
    assert lines == ["cell_id,region", *(f"{name},core" for name in adata.obs_names[10:30])]
    with page.expect_download() as view:
        section.get_by_role("button", name="JSON").click()
    kept = json.loads(Path(view.value.path()).read_text())
    page.evaluate("window.karospace.setRegions([])")
    section.get_by_label("File of regions").set_input_files(
        {"name": "r.json", "mimeType": "application/json", "buffer": json.dumps(kept).encode()}
    )
    page.get_by_role("button", name="Select core, 20 cells").wait_for()
    section.get_by_label("File of regions").set_input_files(
        {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    )
    section.get_by_text("bad.csv cannot be opened").wait_for()
    assert viewer.problems == []
