"""Views are shared as links and files, and as the initial view of a bundle."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import let_time_pass

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.cli import main
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


@pytest.fixture
def adata() -> ad.AnnData:
    return synthetic_tissue(n_cells=2000, seed=2)


@pytest.fixture
def folder(adata: ad.AnnData, tmp_path: Path) -> Path:
    adata_to_karospace(adata, tmp_path / "b", genes_mode="all")
    return tmp_path / "b"


def test_link_restores_the_view(viewer: Viewer, folder: Path, serve: Callable[[Path], str], browser: Any) -> None:
    viewer.open(serve(folder))
    let_time_pass(0.7, page=viewer.page)  # longer than the delay before the address is updated
    assert "#" not in viewer.page.evaluate("location.href"), "the address does not change before the view does"
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, colormap="magma", camera={"x": 900, "y": 700, "zoom": 3})
    beside = {"kind": "embedding", "name": "X_umap"}
    viewer.set(beside=beside, besideCamera={"x": 1, "y": 2, "zoom": 3}, classOrder="name")
    viewer.page.evaluate(
        "window.karospace.setRegions([{name: 'edge', color: '#123456',"
        " mask: Uint8Array.from({length: 2000}, (_, i) => i % 7 === 0 ? 1 : 0)}])"
    )
    url = viewer.address()
    with browser.new_context(viewport={"width": 900, "height": 700}) as context:
        other = Viewer(context.new_page()).open(url)
        assert other.state() == viewer.state()
        assert other.state()["besideCamera"] == {"x": 1, "y": 2, "zoom": 3}
        regions = other.page.evaluate("window.karospace.regions.map(({name, color, count}) => [name, color, count])")
        assert regions == [["edge", "#123456", 286]]
        # An invalid view in the address is reported, and changes nothing.
        other.page.evaluate("() => { location.hash = '#view=nonsense'; }")
        other.page.get_by_text("The view cannot be opened: the link is damaged").wait_for()
        assert other.state() == viewer.state()
        assert other.problems == []


def test_view_is_plain_data_and_applies_what_the_bundle_supports(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str]
) -> None:
    viewer.open(serve(folder))
    viewer.set(color={"kind": "annotation", "column": "region"}, opacity=0.5, theme="dark")
    saved = json.loads(viewer.page.evaluate("JSON.stringify(window.karospace.getView())"))
    assert saved["karospace_view"] == 1
    assert saved["n_cells"] == 2000
    viewer.set(color={"kind": "none"}, opacity=1, theme="light")
    viewer.page.evaluate("view => window.karospace.setView(view)", saved)
    assert viewer.state()["color"] == {"kind": "annotation", "column": "region"}
    assert viewer.state()["theme"] == "dark"
    # The error names what the bundle lacks; the rest is applied.
    saved["state"] |= {"color": {"kind": "gene", "gene": "NOPE"}, "opacity": 0.3, "colormap": "magma", "turn": 90}
    saved["state"]["hidden"] = {"region": ["stroma"]}
    mask = np.arange(2000) < 20
    bits = base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()
    saved["regions"] = [{"name": "rim", "color": "#123456", "bits": bits}]
    failure = viewer.page.evaluate("view => window.karospace.setView(view).then(() => '', String)", saved)
    assert "NOPE" in failure
    rest = ("opacity", "colormap", "turn", "hidden", "theme")
    assert {name: viewer.state()[name] for name in rest} == {name: saved["state"][name] for name in rest}
    assert viewer.page.evaluate("window.karospace.regions.map(({name, count}) => [name, count])") == [["rim", 20]]
    for wrong in (None, 5, {"karospace_view": 9, "state": {}}):
        failure = viewer.page.evaluate("view => window.karospace.setView(view).then(() => '', String)", wrong)
        assert "cannot be opened" in failure


def test_bundle_opens_with_a_saved_view(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str], adata: ad.AnnData, tmp_path: Path
) -> None:
    viewer.open(serve(folder))
    page = viewer.page
    viewer.set(
        layout={"kind": "sections", "columns": 2, "order": "cells"},
        beside={"kind": "embedding", "name": "X_umap"},
        color={"kind": "gene", "gene": "EPCAM"},
        colormap="magma",
        range=[0.5, 2],
        turn=90,
        theme="dark",
    )
    viewer.set(camera={**viewer.state()["camera"], "zoom": 1.5})
    page.evaluate(
        "n => window.karospace.setRegions(['one', 'two'].map((name, at) =>"
        " ({name, mask: Uint8Array.from({length: n}, (_, i) => i % 5 === at)})))",
        adata.n_obs,
    )
    page.get_by_role("button", name="Share, save").click()
    with page.expect_download() as download:
        page.get_by_role("dialog", name="Share").get_by_role("button", name="Save view").click()
    file = tmp_path / "tissue.view.json"
    download.value.save_as(file)
    adata.write_h5ad(tmp_path / "tissue.h5ad")
    command = ["--h5ad", tmp_path / "tissue.h5ad", "--outdir", tmp_path / "again", "--genes", "all", "--view", file]
    assert main([str(part) for part in command]) == 0
    # From a web host and from disk, without further input.
    for url in (serve(tmp_path / "again"), (tmp_path / "again" / "index.html").as_uri()):
        viewer.open(url)
        viewer.becomes(lambda: page.evaluate("window.karospace.getView()"), json.loads(file.read_text()))
        page.locator(".ks-beside canvas").wait_for()
        page.locator(".ks-section-title").nth(1).wait_for()
        expect(page.locator(".ks-root")).to_have_attribute("data-theme", "dark")
    assert viewer.problems == []


def test_regions_are_saved_and_opened_as_csv_and_json(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str], adata: ad.AnnData
) -> None:
    viewer.open(serve(folder))
    page = viewer.page
    table = "cell_id,region\n" + "".join(f"{name},core\n" for name in adata.obs_names[10:30]) + "stranger,core\n"
    section = page.get_by_role("region", name="Regions")
    section.get_by_label("Region file").set_input_files(
        {"name": "r.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    section.get_by_text("Skipped 1 row: its cell is not in this bundle").wait_for()
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
    section.get_by_label("Region file").set_input_files(
        {"name": "r.json", "mimeType": "application/json", "buffer": json.dumps(kept).encode()}
    )
    page.get_by_role("button", name="Select core, 20 cells").wait_for()
    section.get_by_label("Region file").set_input_files(
        {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    )
    section.get_by_text("Cannot open bad.csv").wait_for()
    assert viewer.problems == []
