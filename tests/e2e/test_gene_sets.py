"""Named gene sets color the tissue, are edited in the viewer, and are saved with the view."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import pytest
from conftest import Viewer, view_in
from playwright.sync_api import expect

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

ODD = "<img src=x onerror=alert(1)>"
SETS = {"T cells": ["CD3E", "CD8A"], ODD: ["EPCAM", "KRT8"], "B cells": ["MS4A1", "CD79A"]}


@pytest.fixture
def opened(viewer: Viewer, tmp_path: Path) -> tuple[Viewer, ad.AnnData]:
    adata = synthetic_tissue(n_cells=1500, seed=2)
    adata_to_karospace(adata, tmp_path / "b", gene_sets=SETS, genes_mode=("VIM", "DCN"), image_path="none")
    viewer.open((tmp_path / "b" / "index.html").as_uri())
    viewer.page.get_by_role("tab", name="Gene").click()
    return viewer, adata


def mean(adata: ad.AnnData, genes: list[str]) -> Any:
    x: Any = adata[:, genes].X
    return x.toarray().astype(float).mean(axis=1)


def names(viewer: Viewer) -> list[str]:
    found: list[str] = viewer.page.get_by_role("list", name="Gene sets").locator(".ks-clip").all_text_contents()
    return found


def test_click_on_a_set_colors_by_its_score(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    assert names(viewer) == list(SETS), "markup in a name is not shown as text"
    for name, genes in SETS.items():
        button = page.get_by_role("button", name=f"Color by {name}, 2 genes", exact=True)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        viewer.becomes(lambda: viewer.state()["color"], {"kind": "score", "name": name, "genes": genes})
        page.get_by_text("Score statistics").wait_for()
        viewer.set()
        wanted = mean(adata, genes)
        for cell in (0, int(wanted.argmax())):
            assert viewer.value(cell) == pytest.approx(wanted[cell], rel=1e-6)
    expect(page.locator('[aria-pressed="true"].ks-region-name')).to_have_count(1)
    assert viewer.problems == []


def test_sets_are_renamed_removed_and_added(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, _ = opened
    page = viewer.page
    page.get_by_role("button", name="Color by T cells, 2 genes").click()
    page.get_by_role("button", name="Rename T cells").click()
    field = page.get_by_role("textbox", name="New name for T cells")
    field.fill("B cells")
    page.get_by_text("Another gene set is already named “B cells”.").wait_for()
    field.fill("Lymphocytes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Color by Lymphocytes, 2 genes")).to_be_focused()
    viewer.becomes(lambda: viewer.state()["color"]["name"], "Lymphocytes")
    page.get_by_role("button", name="Remove B cells").click()
    expect(page.get_by_role("list", name="Gene sets").get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("list", name="Gene sets").get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("button", name="Color by B cells, 2 genes")).to_be_focused()
    page.get_by_role("button", name=f"Remove {ODD}").click()
    page.get_by_role("button", name="Gene set…").click()
    # The editor opens with the set that colors the tissue.
    expect(page.get_by_role("textbox", name="Name of the set")).to_have_value("Lymphocytes")
    page.get_by_text("This replaces the genes of “Lymphocytes”.").wait_for()
    page.get_by_role("textbox", name="Name of the set").fill("Stroma")
    page.get_by_role("textbox", name="Genes in the set").fill("VIM\nDCN\nNOPE")
    page.get_by_role("button", name="Save and color by the mean of 2 genes").click()
    viewer.becomes(lambda: names(viewer), ["Lymphocytes", "B cells", "Stroma"])
    assert viewer.state()["geneSets"][2] == {"name": "Stroma", "genes": ["VIM", "DCN"]}
    viewer.becomes(lambda: viewer.state()["color"], {"kind": "score", "name": "Stroma", "genes": ["VIM", "DCN"]})


def test_link_opens_with_the_sets_and_holds_only_the_genes_that_the_bundle_lacks(
    opened: tuple[Viewer, ad.AnnData], serve: Callable[[Path], str], tmp_path: Path
) -> None:
    viewer, _ = opened
    page = viewer.page
    viewer.open(serve(tmp_path / "b"))
    page.get_by_role("tab", name="Gene").click()
    page.get_by_role("button", name="Color by T cells, 2 genes").click()
    page.get_by_role("button", name="Rename T cells").click()
    page.get_by_role("textbox", name="New name for T cells").fill("Lymphocytes")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"Remove {ODD}").click()
    viewer.becomes(lambda: names(viewer), ["Lymphocytes", "B cells"])
    new = {"name": "New", "genes": ["VIM", "DCN"]}
    viewer.set(geneSets=[*viewer.state()["geneSets"], new])
    url = viewer.address()
    linked = [{"name": "Lymphocytes", "of": "T cells"}, {"name": "B cells", "of": "B cells"}, new]
    assert view_in(url)["gene_sets"] == linked
    page.goto("about:blank")
    viewer.open(url)
    page.get_by_role("tab", name="Gene").click()
    assert names(viewer) == ["Lymphocytes", "B cells", "New"]
    expect(page.get_by_role("button", name="Color by Lymphocytes, 2 genes")).to_have_attribute("aria-pressed", "true")
    assert viewer.state()["geneSets"][0] == {"name": "Lymphocytes", "genes": SETS["T cells"]}
    assert viewer.problems == []


def test_saved_view_reopens_with_its_sets(opened: tuple[Viewer, ad.AnnData], tmp_path: Path) -> None:
    viewer, adata = opened
    page = viewer.page
    page.get_by_role("button", name="Remove T cells").click()
    page.get_by_role("button", name="Color by B cells, 2 genes").click()
    viewer.until("state.color.name === 'B cells'")
    view = tmp_path / "view.json"
    view.write_text(json.dumps(page.evaluate("karospace.getView()")))
    page.reload()
    page.evaluate("window.karospace.ready")
    page.get_by_role("button", name="Share, save or open this view").click()
    page.get_by_label("View file").set_input_files(view)
    page.get_by_text("Opened the view from view.json").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Gene").click()
    viewer.becomes(lambda: names(viewer), [ODD, "B cells"])
    assert viewer.state()["color"]["name"] == "B cells"
    # A bundle with fewer genes uses those it has, and names the others in a warning.
    bundle = adata_to_karospace(
        adata, tmp_path / "c", view=view, genes_mode=("MS4A1", "CD79A", "KRT8"), packed="no", image_path="none"
    )
    assert "1 gene in gene sets of the view was left out because it is not exported: EPCAM." in bundle.warnings
    viewer.open((tmp_path / "c" / "index.html").as_uri())
    viewer.becomes(lambda: names(viewer), [ODD, "B cells"])
    expect(page.get_by_role("button", name="Color by B cells, 2 genes")).to_have_attribute("aria-pressed", "true")
    # If the view is opened in the viewer, sets keep genes that the bundle lacks, and show how many it has.
    page.evaluate("view => karospace.setView(view)", json.loads(view.read_text()))
    page.get_by_role("button", name=f"Color by {ODD}, 1 of 2 genes").click()
    viewer.becomes(lambda: viewer.state()["color"], {"kind": "score", "name": ODD, "genes": ["KRT8"]})
    viewer.set(geneSets=[{"name": "Absent", "genes": ["NOPE"]}])
    expect(page.get_by_role("button", name="Color by Absent, 0 of 1 gene")).to_have_attribute("aria-disabled", "true")
    assert viewer.problems == []
