"""Bundles without the text tables of format 1.0: from a web host, from disk, and as one HTML file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer, assert_genes
from playwright.sync_api import expect

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

TABLES = {"obs_csv", "obs_json", "coords_json"}


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    return synthetic_tissue(n_cells=1200, seed=1)


@pytest.fixture(scope="module")
def exported(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two bundles, with and without tables, and an HTML file without tables."""
    folder = tmp_path_factory.mktemp("tables")
    adata_to_karospace(adata, folder / "with", genes_mode="all", tables="yes")
    without = adata_to_karospace(
        adata, folder / "without", single_file=folder / "without.html", genes_mode="all", tables="no", scripts="yes"
    )
    assert not TABLES & {file.kind for file in without.manifest.asset_files}
    assert not TABLES & {file.kind for file in Bundle(folder / "without.html").manifest.asset_files}
    assert {file.kind for file in Bundle(folder / "with").manifest.asset_files} >= TABLES
    return folder


def saved_table(viewer: Viewer) -> str:
    """Save the table of the current color from the menu, and return its text."""
    page = viewer.page
    page.get_by_role("button", name="Save picture or table").click()
    menu = page.get_by_role("dialog", name="Save")
    with page.expect_download() as download:
        menu.get_by_role("button", name="CSV").click()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    return Path(download.value.path()).read_text()


@pytest.mark.parametrize("opened", ["from a web host", "from disk", "as one HTML file"])
def test_bundle_without_tables_shows_and_saves_the_same_values(
    viewer: Viewer, adata: ad.AnnData, exported: Path, serve: Callable[[Path], str], opened: str
) -> None:
    urls = {
        "from a web host": lambda: serve(exported) + "without/",
        "from disk": lambda: (exported / "without" / "index.html").as_uri(),
        "as one HTML file": lambda: (exported / "without.html").as_uri(),
    }
    page = viewer.open(urls[opened]()).page
    types = adata.obs["cell_type"]
    by_type = {"kind": "annotation", "column": "cell_type"}
    viewer.set(color=by_type, opacity=1, imageOpacity=0, pointSize=3)
    cells = [0, 17, adata.n_obs - 1]
    assert [viewer.value(cell) for cell in cells] == list(types.iloc[cells])
    drawn = viewer.pixels().reshape(-1, 3)
    for color in adata.uns["cell_type_colors"]:
        rgb = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(drawn.astype(int) - rgb).max(axis=1) <= 6).sum() > 20, color
    # The card of a clicked cell shows its ID and its cell type.
    xy = np.asarray(adata.obsm["spatial"])
    nearest = int(np.argmin(np.abs(xy - xy.mean(axis=0)).sum(axis=1)))
    viewer.set(pointSize=1)
    [(x, y)] = viewer.positions([nearest])
    page.mouse.click(x, y)
    card = page.locator(".ks-cell-card")
    expect(card).to_contain_text(adata.obs_names[nearest])
    expect(card).to_contain_text(types.iloc[nearest])
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    annotations = saved_table(viewer)
    assert_genes(viewer, adata, ["EPCAM"])
    genes = saved_table(viewer)
    assert viewer.problems == []

    viewer.open(serve(exported / "with"))
    viewer.set(color=by_type)
    assert saved_table(viewer) == annotations
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    assert saved_table(viewer) == genes
    assert annotations.count("\n") == genes.count("\n") == adata.n_obs + 1
