"""Cell counts in pictures, titles and legends, and numbers with many digits."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from playwright.sync_api import expect

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e
SVG = "{http://www.w3.org/2000/svg}"
PICTURE = "async (options) => (await window.karospace.picture(options)).text()"


def words(viewer: Viewer, **options: Any) -> list[str]:
    """Return the texts of a picture in document order."""
    text = viewer.page.evaluate(PICTURE, {"format": "svg", "scale": 0.1, **options})
    return [mark.text or "" for mark in ET.fromstring(text).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    adata = synthetic_tissue(n_cells=1200, seed=4)
    adata.obsm["X_umap"] = adata.obsm["X_umap"].astype(np.float32)
    adata.obsm["X_umap"][::3] = np.nan
    rng = np.random.default_rng(0)
    adata.obs["area"] = rng.uniform(1e7, 9e7, adata.n_obs)
    adata.obs["below"] = -rng.uniform(1e7, 9e8, adata.n_obs)
    return adata


@pytest.fixture(scope="module")
def bundle(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("counts") / "b"
    columns = ["cell_type", "area", "below"]
    adata_to_karospace(adata, folder, genes_mode=["EPCAM"], annotation_columns=columns, sections="section")
    return folder


@pytest.fixture
def opened(bundle: Path, viewer: Viewer) -> Viewer:
    viewer.open((bundle / "index.html").as_uri())
    viewer.set(layout={"kind": "tissue"})
    return viewer


def test_hidden_categories_are_neither_counted_nor_listed(opened: Viewer, adata: ad.AnnData) -> None:
    kinds = adata.obs["cell_type"].value_counts()
    shown = words(opened)
    assert "1,200 cells" in shown
    assert set(kinds.index) <= set(shown)
    hidden = kinds.index[0]
    opened.set(hidden={"cell_type": [hidden]})
    shown = words(opened)
    assert f"{1200 - kinds[hidden]:,} of 1,200 cells in view" in shown
    assert hidden not in shown


def test_single_section_counts_and_lists_only_its_own_cells(opened: Viewer, adata: ad.AnnData) -> None:
    section = str(adata.obs["section"].iloc[0])
    inside = adata.obs["section"].astype(str) == section
    opened.set(layout={"kind": "section", "name": section})
    shown = words(opened)
    assert f"{inside.sum():,} of 1,200 cells in view" in shown
    listed = set(shown) & set(adata.obs["cell_type"].astype(str))
    assert listed == set(adata.obs["cell_type"][inside].astype(str))


def test_zoomed_view_counts_and_lists_only_visible_cells(opened: Viewer, adata: ad.AnnData) -> None:
    x, y = adata.obsm["spatial"][5].tolist()
    opened.set(camera={"x": x, "y": y, "zoom": 8})
    rows = opened.page.evaluate("karospace.table()").strip().splitlines()[1:]
    assert 0 < len(rows) < 200
    shown = words(opened)
    assert f"{len(rows)} of 1,200 cells in view" in shown
    listed = set(shown) & set(adata.obs["cell_type"].astype(str))
    assert listed == {row.rsplit(",", 1)[1] for row in rows}


def test_cells_without_coordinates_in_an_embedding_are_counted(opened: Viewer) -> None:
    text = "800 of 1,200 cells have coordinates in UMAP"
    opened.set(layout={"kind": "embedding", "name": "X_umap"})
    expect(opened.page.get_by_text(text)).to_be_visible()
    assert text in words(opened)
    opened.set(layout={"kind": "tissue"})
    expect(opened.page.get_by_text(text)).to_have_count(0)
    opened.set(beside={"kind": "embedding", "name": "X_umap"})
    expect(opened.page.get_by_text(text)).to_be_visible()
    assert f"Tissue: 1,200 cells · UMAP: {text}" in words(opened)
    assert "1,200 cells" in words(opened, beside=False)


def test_downsampled_bundle_shows_the_cell_count_of_its_source(
    adata: ad.AnnData, tmp_path: Path, viewer: Viewer
) -> None:
    bundle = adata_to_karospace(adata, tmp_path / "b", downsample=300, genes_mode=[], annotation_columns=["cell_type"])
    assert bundle.manifest.n_cells_source == 1200
    assert "300 of 1,200 cells" in repr(bundle)
    viewer.open((tmp_path / "b/index.html").as_uri())
    expect(viewer.page.locator(".ks-title")).to_contain_text("300 of 1,200 cells")
    viewer.set(layout={"kind": "tissue"})
    assert "300 of 1,200 cells" in words(viewer)


@pytest.mark.parametrize("size", [(1360, 860), (400, 500), (720, 500)])
@pytest.mark.parametrize("violins", [False, True], ids=["mean", "violins"])
@pytest.mark.parametrize("column", ["area", "below"])
def test_long_numbers_fit_into_the_panel(
    opened: Viewer, adata: ad.AnnData, size: tuple[int, int], violins: bool, column: str
) -> None:
    page = opened.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    show = page.get_by_role("button", name="Show panel")
    if size[0] < 700:
        show.click()
    opened.set(color={"kind": "annotation", "column": column}, groupBy="cell_type")
    if violins:
        page.locator(".ks-panel").get_by_role("button", name="Violins").click()
    numbers = page.locator(".ks-violins .ks-number" if violins else ".ks-means .ks-number")
    expect(numbers).to_have_count(adata.obs["cell_type"].nunique())
    # The text must be inside its element, its row and the panel.
    beyond = numbers.evaluate_all("""(found) => found.filter((number) => {
      const text = document.createRange();
      text.selectNodeContents(number);
      const { left, right } = text.getBoundingClientRect();
      const inside = (box) => left >= box.left - 0.5 && right <= box.right + 0.5;
      const row = number.closest('li').getBoundingClientRect();
      const panel = number.closest('.ks-panel').getBoundingClientRect();
      return !inside(number.getBoundingClientRect()) || !inside(row) || !inside(panel);
    }).map((number) => number.textContent)""")
    assert beyond == []
    if not violins:
        means = adata.obs.groupby("cell_type", observed=True)[column].mean()
        read = {float(text.replace(",", "")) for text in numbers.all_inner_texts()}
        for mean in np.float32(means):
            assert min(abs(value - mean) / abs(mean) for value in read) < 1e-6
    limits = page.locator(".ks-limits")
    assert limits.evaluate("element => element.scrollWidth <= element.clientWidth")
