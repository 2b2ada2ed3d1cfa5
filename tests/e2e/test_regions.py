"""Regions are named, removed and restored, and statistics are restricted to the shown section."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import becomes

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    return synthetic_tissue(n_cells=1500, seed=3)


@pytest.fixture(scope="module")
def folder(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return adata_to_karospace(adata, tmp_path_factory.mktemp("regions") / "b", genes_mode="all").path


@pytest.fixture
def opened(viewer: Viewer, folder: Path, serve: Callable[[Path], str]) -> Viewer:
    return viewer.open(serve(folder))


def select_first(viewer: Viewer, count: int) -> None:
    """Select the first `count` cells."""
    viewer.page.evaluate(
        "n => window.karospace.select(Uint8Array.from({length: window.karospace.cells}, (_, i) => i < n ? 1 : 0))",
        count,
    )


def region_counts(viewer: Viewer) -> Any:
    """Return the name and the number of cells of each region."""
    return viewer.page.evaluate("window.karospace.regions.map(({name, count}) => [name, count])")


def test_duplicate_region_name_replaces_or_is_refused(opened: Viewer) -> None:
    page = opened.page
    regions = page.get_by_role("region", name="Regions")

    def enter_name(name: str) -> Any:
        """Begin to save the selection as a region, and return the field with its name."""
        page.get_by_role("button", name="Save as region").click()
        field = page.get_by_role("textbox", name="Region name")
        field.fill(name)
        return field

    select_first(opened, 10)
    enter_name("core").press("Enter")
    select_first(opened, 25)
    # Leaving the field does not replace a region; only the button does.
    enter_name("core").blur()
    assert region_counts(opened) == [["core", 10]]
    enter_name("core")
    page.get_by_text("This replaces the cells of “core”.").wait_for()
    page.get_by_role("button", name="Replace").click()
    assert region_counts(opened) == [["core", 25]]
    page.keyboard.press("Control+z")
    assert region_counts(opened) == [["core", 10]]
    page.keyboard.press("Control+Shift+z")
    assert region_counts(opened) == [["core", 25]]
    enter_name("edge")
    page.get_by_role("button", name="Save", exact=True).click()
    regions.get_by_role("button", name="Rename edge").click()
    field = regions.get_by_role("textbox", name="New name for edge")
    field.fill("core")
    regions.get_by_text("Another region is already named “core”.").wait_for()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.press("Enter")
    expect(field).to_be_visible()
    field.press("Escape")
    assert region_counts(opened) == [["core", 25], ["edge", 25]]


def test_undo_restores_a_removed_region(opened: Viewer) -> None:
    page = opened.page
    select_first(opened, 10)
    page.get_by_role("button", name="Save as region").click()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove Region 1").click()
    assert region_counts(opened) == []
    page.get_by_role("region", name="Regions").get_by_role("button", name="Undo").click()
    assert region_counts(opened) == [["Region 1", 10]]
    expect(page.get_by_text("Removed “")).to_have_count(0)


def test_regions_are_opened_from_a_spreadsheet_table(opened: Viewer, adata: ad.AnnData) -> None:
    section = opened.page.get_by_role("region", name="Regions")
    file = section.get_by_label("Region file")
    rows = "".join(f"{name};rim\r\n" for name in adata.obs_names[:7])
    table = f"\ufeffcell_id;region\r\n{rows}".encode()
    file.set_input_files({"name": "rim.csv", "mimeType": "text/csv", "buffer": table})
    section.get_by_text("Opened 1 region from rim.csv.").wait_for()
    assert region_counts(opened) == [["rim", 7]]
    bad = [
        (b"", "The file is empty."),
        (b"id\tgroup\na\tb\n", "its header is “id”, “group”"),
        (b"cell_id,region\nzz,x\n", "None of"),
    ]
    for content, message in bad:
        file.set_input_files({"name": "bad.tsv", "mimeType": "text/plain", "buffer": content})
        section.get_by_text(message).wait_for()
    file.set_input_files({"name": "rim.csv", "mimeType": "text/csv", "buffer": table})
    section.get_by_text("Replaced 1 region of the same name.").wait_for()
    section.get_by_role("button", name="Undo").click()
    assert region_counts(opened) == [["rim", 7]]


def test_region_table_waits_for_cell_ids(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str], adata: ad.AnnData
) -> None:
    held: list[Any] = []
    viewer.page.route("**/*ids*", lambda route: held.append(route))
    viewer.open(serve(folder))
    section = viewer.page.get_by_role("region", name="Regions")
    table = f"cell_id,region\n{adata.obs_names[4]},rim\n".encode()
    file = {"name": "rim.csv", "mimeType": "text/csv", "buffer": table}
    section.get_by_label("Region file").set_input_files(file)
    viewer.becomes(lambda: len(held), 1)
    assert region_counts(viewer) == []
    held[0].continue_()
    section.get_by_text("Opened 1 region from rim.csv.").wait_for()
    assert region_counts(viewer) == [["rim", 1]]


def test_selection_excludes_hidden_categories(opened: Viewer, adata: ad.AnnData) -> None:
    opened.set(color={"kind": "annotation", "column": "region"})
    select_first(opened, 1500)
    hidden = adata.obs["region"].value_counts().index[0]
    opened.set(hidden={"region": [hidden]})
    count = int((adata.obs["region"] == hidden).sum())
    panel = opened.page.get_by_role("region", name="Selection")
    panel.get_by_text(f"{count:,} selected cells in hidden categories are excluded.").wait_for()
    panel.get_by_role("button", name="Clear").click()
    opened.page.evaluate("document.querySelector('.ks-canvas').focus()")
    opened.page.keyboard.press("m")
    opened.page.mouse.move(200, 120)
    opened.page.mouse.down()
    opened.page.mouse.move(700, 600, steps=4)
    opened.page.mouse.up()
    panel.get_by_text("Cells in hidden categories are excluded.").wait_for()


def test_counts_are_restricted_to_the_shown_section(opened: Viewer, adata: ad.AnnData) -> None:
    page = opened.page
    column = "cell_type"
    opened.set(color={"kind": "annotation", "column": column})
    page.keyboard.press("]")
    opened.until("state.layout.kind === 'section'")
    name = opened.state()["layout"]["name"]
    inside = adata.obs["section"] == name
    assert 0 < inside.sum() < adata.n_obs
    page.get_by_text(f"Cells in {name}: {inside.sum():,}").wait_for()
    for kind, count in adata.obs.loc[inside, column].value_counts().items():
        expect(page.get_by_role("button", name=f"{kind}, {count:,}, ")).to_have_count(1)
    opened.set(color={"kind": "gene", "gene": "EPCAM"})
    x: Any = adata.X
    values = x[np.flatnonzero(inside), adata.var_names.get_loc("EPCAM")].toarray().ravel()
    share = f"{(values > 0).mean() * 100:.0f}% of cells"
    facts = page.locator(".ks-facts")
    expect(facts.get_by_text(share)).to_have_count(1)
    opened.set(layout={"kind": "tissue"})
    opened.set(color={"kind": "annotation", "column": column})
    counts = adata.obs[column].value_counts()
    page.get_by_role("button", name=f"{counts.index[0]}, {counts.iloc[0]:,}, ").wait_for()


def test_view_of_another_tissue_keeps_the_state_but_not_camera_and_regions(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    other_folder = adata_to_karospace(synthetic_tissue(n_cells=900, seed=1), tmp_path / "other", genes_mode="all").path
    viewer.open(serve(other_folder))
    viewer.set(color={"kind": "annotation", "column": "region"}, camera={"x": 1e6, "y": 0, "zoom": 3}, theme="dark")
    select_first(viewer, 5)
    viewer.page.get_by_role("button", name="Save as region").click()
    viewer.page.keyboard.press("Enter")
    link = viewer.address()
    url = serve(folder)
    viewer.open(url + "#" + link.partition("#")[2])
    fitted = viewer.state()
    viewer.page.get_by_text("saved for 900 cells, but this bundle has 1,500").first.wait_for()
    assert fitted["camera"]["zoom"] == 1
    assert fitted["theme"] == "dark"
    assert fitted["color"] == {"kind": "annotation", "column": "region"}
    assert region_counts(viewer) == []
    # A camera outside of the tissue is reset even if the number of cells matches.
    view = {"karospace_view": 1, "n_cells": 1500, "state": {"camera": {"x": 1e6, "y": 0, "zoom": 3}}}
    viewer.page.evaluate("view => window.karospace.setView(view)", view)
    assert viewer.state()["camera"] == fitted["camera"]


def test_selection_is_compared_within_the_shown_section(opened: Viewer, adata: ad.AnnData) -> None:
    page = opened.page
    opened.set(color={"kind": "gene", "gene": "EPCAM"})
    page.keyboard.press("]")
    opened.until("state.layout.kind === 'section'")
    name = opened.state()["layout"]["name"]
    shown = (adata.obs["section"] == name).to_numpy()
    mask = np.arange(adata.n_obs) % 3 == 0
    here, beyond = int((mask & shown).sum()), int((mask & ~shown).sum())
    assert here > 0
    assert beyond > 0
    page.evaluate("mask => window.karospace.select(Uint8Array.from(mask))", mask.astype(int).tolist())
    panel = page.get_by_role("region", name="Selection")
    panel.get_by_text(f"{here:,} cells", exact=True).wait_for()
    panel.get_by_text(f"In {name}; {beyond:,} selected cells elsewhere are excluded.").wait_for()
    values = adata[:, "EPCAM"].X.toarray().ravel()
    rows = panel.get_by_role("list", name="Mean of EPCAM").get_by_role("listitem")
    expect(rows).to_have_count(2)
    for at, cells in enumerate([mask & shown, ~mask & shown]):
        number = rows.nth(at).locator(".ks-number").first
        becomes(lambda number=number: float(number.inner_text()), pytest.approx(values[cells].mean(), rel=0.01))
