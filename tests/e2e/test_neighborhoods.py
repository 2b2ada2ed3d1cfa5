"""Neighbors of cells and neighborhoods of categories in the viewer."""

from __future__ import annotations

import csv
import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from axe import barriers
from conftest import Viewer
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect
from waiting import until_js

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.neighbors import read_graph
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.neighborhoods import enrichment

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("neighborhoods") / "b"
    tissue = synthetic_tissue(n_cells=2000, n_genes=20, seed=3)
    tissue.obs.loc[tissue.obs_names[:40], "cell_type"] = None
    adata_to_karospace(tissue, outdir, neighbors=6, image_path="none", annotation_columns=["cell_type", "section"])
    return outdir


@pytest.fixture
def opened(folder: Path, viewer: Viewer, serve: Callable[[Path], str]) -> Viewer:
    viewer.open(serve(folder))
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    return viewer


def card(viewer: Viewer) -> Any:
    return viewer.page.get_by_role("region", name="Neighborhoods")


def heat_map(viewer: Viewer) -> Any:
    return card(viewer).get_by_role("button", name="Heat map")


def open_card(viewer: Viewer) -> Any:
    viewer.page.get_by_role("button", name="Neighborhoods", exact=True).click()
    heat_map(viewer).wait_for()
    return card(viewer)


def saved_table(viewer: Viewer) -> pd.DataFrame:
    with viewer.page.expect_download() as saved:
        card(viewer).get_by_role("button", name="CSV").click()
    with Path(saved.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = pd.DataFrame(rows).set_index(["category", "neighbor"])
    return found.replace("", "nan").astype(float)


def z_scores_among(folder: Path, cells: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the z-scores among some cells, as Python computes them."""
    bundle = Bundle(folder)
    columns = {column.name: column for column in bundle.manifest.columns or () if column.kind == "category"}
    codes, k = bundle.codes(columns["cell_type"]), len(columns["cell_type"].categories)
    found = enrichment(read_graph(bundle).pairs(), np.where(cells, codes, k), k, bundle.codes(columns["section"]))
    return found.z.ravel()


def test_numbers_match_python(folder: Path, opened: Viewer) -> None:
    open_card(opened)
    found, wanted = saved_table(opened), Bundle(folder).neighborhoods("cell_type")
    assert found.index.tolist() == wanted.index.tolist()
    for column in ("count", "expected", "z"):
        assert found[column].to_numpy() == pytest.approx(wanted[column].to_numpy(), rel=1e-9, nan_ok=True)
    assert opened.problems == []


def test_selection_and_region_are_counted_separately(folder: Path, opened: Viewer) -> None:
    inside = np.arange(2000) % 5 < 3
    open_card(opened)
    select = card(opened).get_by_label("Cells to count")
    opened.page.evaluate(
        "() => karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => Number(i % 5 < 3)))"
    )
    select.select_option("Selection")
    heat_map(opened).wait_for()
    with opened.page.expect_download() as saved:
        card(opened).get_by_role("button", name="SVG").click()
    assert saved.value.suggested_filename.endswith("neighborhoods_cell_type_Selection.svg")
    opened.becomes(
        lambda: saved_table(opened)["z"].tolist(),
        pytest.approx(z_scores_among(folder, inside).tolist(), rel=1e-9, nan_ok=True),
    )
    opened.page.get_by_role("button", name="Save as region").first.click()
    opened.page.keyboard.press("Enter")
    opened.page.evaluate("karospace.select(null)")
    # Without a selection, all cells are counted again.
    expect(select).to_have_value("all")
    whole = Bundle(folder).neighborhoods("cell_type")["z"].tolist()
    opened.becomes(lambda: saved_table(opened)["z"].tolist(), pytest.approx(whole, rel=1e-9, nan_ok=True))
    select.select_option(index=1)
    opened.becomes(
        lambda: saved_table(opened)["z"].tolist(),
        pytest.approx(z_scores_among(folder, inside).tolist(), rel=1e-9, nan_ok=True),
    )


def test_numbers_of_an_earlier_choice_are_neither_shown_nor_saved(folder: Path, opened: Viewer) -> None:
    open_card(opened)
    opened.page.evaluate(
        "() => karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => Number(i % 5 < 3)))"
    )
    select = card(opened).get_by_label("Cells to count")
    expect(select.get_by_role("option", name="Selection")).to_have_count(1)
    # Long computations yield by posting a message to themselves: while messages are held back, they do not end.
    opened.page.evaluate("""() => {
        const now = performance.now.bind(performance);
        window.waiting = [];
        window.restore = () => { performance.now = now; window.MessageChannel = Channel; waiting.forEach((go) => go()); };
        const Channel = window.MessageChannel;
        let calls = 0;
        performance.now = () => now() + 1000 * calls++;  // as if each call came a second later
        window.MessageChannel = class {
            port1 = { close() {} };
            port2 = { postMessage: () => waiting.push(() => this.port1.onmessage()) };
        };
    }""")
    select.select_option("Selection")
    until_js(opened.page, "() => window.waiting.length > 0")
    expect(heat_map(opened)).to_have_count(0)
    for name in ("CSV", "SVG", "PNG"):
        expect(card(opened).get_by_role("button", name=name)).to_have_count(0)
    opened.page.evaluate("restore()")
    heat_map(opened).wait_for()
    inside = np.arange(2000) % 5 < 3
    assert saved_table(opened)["z"].to_numpy() == pytest.approx(z_scores_among(folder, inside), rel=1e-9, nan_ok=True)


def test_square_shows_its_numbers_and_isolates_both_categories(folder: Path, opened: Viewer) -> None:
    open_card(opened)
    names = [
        category.name
        for category in next(
            column for column in Bundle(folder).manifest.columns or () if column.kind == "category"
        ).categories
    ]
    box = heat_map(opened).bounding_box()
    side = box["width"] / len(names)
    x, y = box["x"] + 2.5 * side, box["y"] + 1.5 * side
    opened.page.mouse.move(x, y)
    row = Bundle(folder).neighborhoods("cell_type").loc[(names[1], names[2])]
    expect(card(opened).get_by_role("status")).to_contain_text(f"{names[1]} next to {names[2]}: {int(row['count']):,} ")
    opened.page.mouse.click(x, y)
    opened.until(
        f"JSON.stringify(state.isolated.cell_type) === {json.dumps(json.dumps(names[1:3], separators=(',', ':')))}"
    )
    # A second click on the square shows all categories.
    opened.page.mouse.click(x, y)
    opened.until("!(state.isolated.cell_type ?? []).length")
    heat_map(opened).focus()
    opened.page.mouse.move(1, 1)
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("Enter")
    opened.until(f"(state.isolated.cell_type ?? []).includes({json.dumps(names[1])})")


def test_click_colors_by_the_annotation_of_the_heat_map(folder: Path, opened: Viewer) -> None:
    open_card(opened)
    opened.set(color={"kind": "gene", "gene": Bundle(folder).gene_names[0]})
    heat_map(opened).click(position={"x": 30, "y": 5})
    opened.until("state.color.column === 'cell_type' && state.isolated.cell_type.length === 2")


def test_heat_map_is_saved_as_svg_and_png(opened: Viewer) -> None:
    open_card(opened)
    for ending in ("SVG", "PNG"):
        with opened.page.expect_download() as saved:
            card(opened).get_by_role("button", name=ending).click()
        path = Path(saved.value.path())
        assert saved.value.suggested_filename.endswith(f"neighborhoods_cell_type.{ending.lower()}")
        if ending == "SVG":
            text = path.read_text(encoding="utf-8")
            assert len(ET.fromstring(text).findall(".//{http://www.w3.org/2000/svg}rect")) >= 81
            assert "var(--" not in text
        else:
            assert len(np.unique(np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3), axis=0)) > 20


def test_card_can_be_closed(opened: Viewer) -> None:
    open_card(opened)
    card(opened).get_by_role("button", name="Close neighborhoods").click()
    expect(card(opened)).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_card_is_accessible(opened: Viewer, theme: str) -> None:
    opened.set(theme=theme)
    open_card(opened)
    assert barriers(opened.page) == []


def test_neighbors_are_drawn_when_zoomed_in(folder: Path, opened: Viewer) -> None:
    bundle = Bundle(folder)
    coordinates = bundle.to_anndata().obsm["spatial"]
    graph = bundle.neighbors()
    cell = int(np.argmin(np.hypot(*(coordinates - coordinates.mean(axis=0)).T)))
    x, y = coordinates[cell]
    far, near = {"x": float(x), "y": float(y), "zoom": 0.4}, {"x": float(x), "y": float(y), "zoom": 12}
    shots = {}
    hint = opened.page.get_by_text("Zoom in to see neighbors.")
    for on in (False, True):
        if on:
            opened.page.get_by_role("checkbox", name="Neighbors").click()
            expect(opened.page.get_by_role("checkbox", name="Neighbors")).to_be_checked()
        for name, camera in (("far", far), ("near", near)):
            opened.set(camera=camera)
            shots[name, on] = opened.pixels()
            expect(hint).to_have_count(int(on and name == "far"))
    assert (shots["far", False] == shots["far", True]).all()
    # There is now a line halfway between the cell and a neighbor.
    neighbor = int(graph[cell].indices[0])
    (ax, ay), (bx, by) = opened.positions([cell, neighbor])
    left, top = (opened.boxes("canvas")[0][side] for side in ("left", "top"))
    middle = round((ay + by) / 2 - top), round((ax + bx) / 2 - left)
    around = np.s_[middle[0] - 3 : middle[0] + 4, middle[1] - 3 : middle[1] + 4]
    assert (shots["near", False][around] != shots["near", True][around]).any()
    opened.page.mouse.move(ax, ay)
    expect(opened.page.locator(".ks-neighbors line")).to_have_count(graph[cell].nnz)
    categories = bundle.to_anndata().obs["cell_type"].astype(str).to_numpy()
    hidden = next(category for category in categories[graph[cell].indices] if category not in ("nan", categories[cell]))
    opened.set(hidden={"cell_type": [hidden]})
    visible = int((categories[graph[cell].indices] != hidden).sum())
    expect(opened.page.locator(".ks-neighbors line")).to_have_count(visible)
    opened.set(hidden={})
    expect(opened.page.locator(".ks-neighbors line")).to_have_count(graph[cell].nnz)
    opened.page.mouse.click(ax, ay)
    neighbors = bundle.to_anndata().obs["cell_type"].astype(str).to_numpy()[graph[cell].indices]
    largest = pd.Series(neighbors).value_counts().iloc[0]
    shown = opened.page.locator(".ks-cell-card")
    expect(shown).to_contain_text(f"{graph[cell].nnz} · ")
    expect(shown).to_contain_text(f" {largest}")
    opened.page.get_by_role("checkbox", name="Neighbors").click()
    expect(opened.page.locator(".ks-neighbors")).to_have_count(0)
    assert opened.problems == []


def test_bundle_without_neighbors_has_no_controls_for_them(opened_without_neighbors: Viewer) -> None:
    opened_without_neighbors.page.get_by_role("list", name="Categories").wait_for()
    expect(opened_without_neighbors.page.get_by_role("button", name="Neighborhoods", exact=True)).to_have_count(0)
    expect(opened_without_neighbors.page.get_by_role("checkbox", name="Neighbors")).to_have_count(0)


@pytest.fixture
def opened_without_neighbors(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> Viewer:
    viewer.open(serve(export(tissue, annotation_columns=["cell_type"])))
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    return viewer


def test_damaged_file_is_reported_and_the_rest_works(
    folder: Path, tmp_path: Path, serve: Callable[[Path], str], viewer: Viewer
) -> None:
    damaged = Path(shutil.copytree(folder, tmp_path / "b"))
    (damaged / "assets" / "neighbors_000.bin.gz").write_bytes(b"not a graph")
    viewer.open(serve(damaged))
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    viewer.page.get_by_role("button", name="Neighborhoods", exact=True).click()
    expect(card(viewer).get_by_role("alert")).to_contain_text("assets/neighbors_000.bin.gz")
    viewer.page.get_by_role("checkbox", name="Neighbors").click()
    expect(viewer.page.get_by_role("checkbox", name="Neighbors")).not_to_be_checked()
    viewer.set(color={"kind": "gene", "gene": Bundle(folder).gene_names[0]})
    assert viewer.value(0) is not None


def test_graph_opens_from_disk(folder: Path, viewer: Viewer) -> None:
    viewer.open((folder / "index.html").as_uri())
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    open_card(viewer)
    assert len(saved_table(viewer)) == 81


@pytest.mark.parametrize("file", ["imc_squidpy.h5ad", "visium_mouse_placenta_small.h5ad"])
def test_neighborhoods_of_real_tissue_match_python(
    real_data: Path, file: str, tmp_path: Path, serve: Callable[[Path], str], viewer: Viewer
) -> None:
    data = ad.read_h5ad(real_data / file)
    neighbors = "auto" if "spatial_connectivities" in data.obsp else "6"
    bundle = adata_to_karospace(data, tmp_path / "b", neighbors=neighbors)
    column = next(
        column.name
        for column in bundle.manifest.columns or ()
        if column.kind == "category" and len(column.categories) > 2
    )
    viewer.open(serve(tmp_path / "b"))
    viewer.set(color={"kind": "annotation", "column": column})
    open_card(viewer)
    wanted = bundle.neighborhoods(column)["z"].to_numpy()
    assert saved_table(viewer)["z"].to_numpy() == pytest.approx(wanted, rel=1e-9, nan_ok=True)


def test_escape_closes_the_neighborhoods(opened: Viewer) -> None:
    select = card(opened).get_by_label("Cells to count")
    for focus in (lambda: opened.page.locator(".ks-canvas").first.focus(), select.focus):
        open_card(opened)
        focus()
        opened.page.keyboard.press("Escape")
        expect(card(opened)).to_have_count(0)


def test_cells_without_neighbors_get_a_message(opened: Viewer) -> None:
    open_card(opened)
    opened.page.evaluate(
        "() => karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => Number(i === 99)))"
    )
    card(opened).get_by_label("Cells to count").select_option("Selection")
    expect(card(opened).get_by_role("status")).to_contain_text(
        "There are no neighbors among these cells with a category"
    )
    expect(heat_map(opened)).to_have_count(0)
    for name in ("CSV", "SVG", "PNG"):
        expect(card(opened).get_by_role("button", name=name)).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_neighborhoods_fill_a_small_window(opened: Viewer, theme: str) -> None:
    page = opened.page
    opened.set(theme=theme)
    page.set_viewport_size({"width": 400, "height": 500})
    page.get_by_role("button", name="Show panel").click()  # hidden at first in a narrow window
    opener = page.get_by_role("button", name="Neighborhoods", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    heat_map(opened).wait_for()
    panel = page.get_by_role("complementary", name="Color and display")
    expect(panel).to_be_hidden()
    expect(card(opened)).to_be_focused()
    box, squares = card(opened).bounding_box(), heat_map(opened).bounding_box()
    assert box
    assert squares
    assert box["height"] > 400
    assert squares["y"] + squares["height"] < box["y"] + box["height"]
    for name in ("CSV", "SVG", "PNG", "Close neighborhoods"):
        control = card(opened).get_by_role("button", name=name).bounding_box()
        assert control
        assert box["x"] <= control["x"]
        assert control["x"] + control["width"] <= box["x"] + box["width"]
    page.keyboard.press("Escape")
    expect(panel).to_be_visible()
    expect(opener).to_be_focused()
