"""Coloring by numbers: limits, missing values and recent genes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from playwright.sync_api import expect
from waiting import becomes, until_js

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    adata = synthetic_tissue(n_cells=1500, seed=4)
    rng = np.random.default_rng(0)
    adata.obs["kind"] = pd.Categorical([f"kind {i}" for i in np.arange(adata.n_obs) % 60])
    adata.obs["signed"] = rng.normal(0.5, 1, adata.n_obs).astype(np.float32)
    tail = rng.random(adata.n_obs).astype(np.float32)
    tail[3] = 50_000
    tail[::9] = np.nan
    adata.obs["tail"] = tail
    adata.obs["none"] = np.full(adata.n_obs, np.nan, dtype=np.float32)
    sections = adata.obs["section"].astype(object)
    sections.iloc[::50] = None
    adata.obs["section"] = sections.astype("category")
    return adata


@pytest.fixture(scope="module")
def bundle(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("values") / "b"
    columns = ["kind", "cell_type", "signed", "tail", "none"]
    adata_to_karospace(
        adata, folder, genes_mode=["EPCAM", "CD3E", "KRT8"], annotation_columns=columns, sections="section"
    )
    return folder


@pytest.fixture
def opened(bundle: Path, viewer: Viewer) -> Viewer:
    return viewer.open((bundle / "index.html").as_uri())


def gene_values(adata: ad.AnnData, gene: str) -> NDArray[np.float32]:
    x: Any = adata[:, gene].X
    return np.asarray(x.toarray().ravel(), dtype=np.float32)


def column_values(adata: ad.AnnData, column: str) -> NDArray[np.float32]:
    return adata.obs[column].to_numpy(dtype=np.float32)


def limits_become(viewer: Viewer, wanted: Any) -> None:
    handles = viewer.page.get_by_role("slider", name=re.compile("color limit"))
    read = "handles => handles.map((handle) => Number(handle.getAttribute('aria-valuenow')))"
    becomes(lambda: tuple(handles.evaluate_all(read)), wanted)


def drag_handle(viewer: Viewer, name: str, fraction: float) -> None:
    """Drag a handle to a fraction of the width of the track."""
    page = viewer.page
    track = page.locator(".ks-track").bounding_box()
    handle = page.get_by_role("slider", name=name).bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(track["x"] + fraction * track["width"], track["y"] + 4, steps=4)
    page.mouse.up()


def test_limits_can_be_set_by_mouse_and_keyboard(opened: Viewer, adata: ad.AnnData) -> None:
    viewer, page = opened, opened.page
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    values = gene_values(adata, "EPCAM")
    p99 = float(np.percentile(values[values != 0], 99))
    top = float(values.max())
    limits_become(viewer, pytest.approx((0, p99), rel=0.005))
    upper = page.locator(".ks-limits > span").last
    expect(upper).to_have_text(re.compile("^p99 of detected = "), use_inner_text=True)
    drag_handle(viewer, "Upper color limit", 0.5)
    assert viewer.state()["range"] == pytest.approx([0, top / 2], abs=top / 100)
    expect(upper).not_to_contain_text("p99", use_inner_text=True)
    drag_handle(viewer, "Lower color limit", 0.25)
    assert viewer.state()["range"] == pytest.approx([top / 4, top / 2], abs=top / 100)
    # Moving the pointer after the drag does not change the limits.
    page.mouse.move(1300, 300)
    assert viewer.state()["range"] == pytest.approx([top / 4, top / 2], abs=top / 100)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    assert viewer.state()["range"][0] == pytest.approx(top / 4 - 0.09 * top, abs=top / 100)
    # Select the cells between the limits.
    low, high = viewer.state()["range"]
    page.get_by_role("button", name="Select", exact=True).click()
    selected = np.array(page.evaluate("Array.from(window.karospace.selection)"), dtype=bool)
    assert 0 < selected.sum() < len(selected)
    assert (selected == ((values >= low) & (values <= high))).all()
    page.get_by_role("button", name="Reset", exact=True).click()
    assert viewer.state()["range"] is None
    limits_become(viewer, pytest.approx((0, p99), rel=0.005))


@pytest.mark.parametrize("colormap", ["auto", "rdbu"])
def test_diverging_colormap_keeps_white_at_zero(opened: Viewer, adata: ad.AnnData, colormap: str) -> None:
    viewer, page = opened, opened.page
    viewer.set(color={"kind": "annotation", "column": "signed"}, colormap=colormap, imageOpacity=0, opacity=1)
    values = column_values(adata, "signed")
    low, high = np.percentile(values, [1, 99])
    limit = max(-low, high)
    limits_become(viewer, pytest.approx((-limit, limit), rel=1e-3))
    # Only one of the limits is a percentile; the other one mirrors it.
    named, mirrored = page.locator(".ks-limits > span").first, page.locator(".ks-limits > span").last
    if high > -low:
        named, mirrored = mirrored, named
    expect(named).to_have_text(re.compile("^p99 = " if high > -low else "^p1 = "), use_inner_text=True)
    expect(mirrored).to_have_text(re.compile(r"^[-−]?[\d.,]+$"), use_inner_text=True)
    drag_handle(viewer, "Upper color limit", 0.75)
    low, high = viewer.state()["range"]
    assert low == -high
    assert high < limit
    page.get_by_role("slider", name="Lower color limit").focus()
    page.keyboard.press("ArrowLeft")
    low, high = viewer.state()["range"]
    assert low == -high
    near_zero = int(np.argmin(np.abs(values)))
    page.mouse.move(300, 840)
    viewer.set()
    assert viewer.colors([near_zero])[0].min() > 225, "white"


def test_limits_of_a_long_tail_can_be_dragged(opened: Viewer, adata: ad.AnnData) -> None:
    viewer, page = opened, opened.page
    viewer.set(color={"kind": "annotation", "column": "tail"})
    values = column_values(adata, "tail")
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [1, 99])
    limits_become(viewer, pytest.approx((low, high), rel=1e-3))
    drag_handle(viewer, "Upper color limit", 0.25)
    # The track spans twice the robust range, not all values up to 50,000.
    assert viewer.state()["range"][1] == pytest.approx((2 * high - low) / 4, abs=0.03)
    histogram = page.get_by_role("slider", name="Histogram of tail")
    histogram.focus()
    page.keyboard.press("End")
    expect(histogram).to_have_attribute("aria-valuetext", re.compile("and above, up to 50,000: "))
    # The panel shows the number and share of missing values.
    missing = int(np.isnan(values).sum())
    facts = re.compile(rf"No value\s+{missing} cells, {100 * missing / len(values):.0f}%")
    expect(page.locator(".ks-facts")).to_have_text(facts, use_inner_text=True)
    viewer.set(color={"kind": "annotation", "column": "none"})
    page.get_by_text("No cells have a value here.").wait_for()
    assert viewer.problems == []


@pytest.mark.parametrize("violins", [False, True], ids=["means", "violins"])
def test_long_list_of_categories_can_be_expanded(opened: Viewer, violins: bool) -> None:
    viewer = opened
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, groupBy="kind")
    panel = viewer.page.locator(".ks-panel")
    if violins:
        panel.get_by_role("button", name="Violins").click()
    rows = panel.locator(".ks-violins li" if violins else ".ks-means li")
    more = panel.get_by_role("button", name="20 more")
    more.wait_for()
    expect(rows).to_have_count(40)
    more.click()
    expect(rows).to_have_count(60)
    panel.get_by_role("button", name="Fewer").click()
    expect(rows).to_have_count(40)


def test_recent_genes_are_offered(opened: Viewer) -> None:
    viewer, page = opened, opened.page
    for gene in ("EPCAM", "CD3E", "KRT8"):
        viewer.set(color={"kind": "gene", "gene": gene})

    def wait_for_color(color: dict[str, Any]) -> None:
        until_js(
            page,
            "wanted => JSON.stringify(window.karospace.getState().color) === wanted",
            arg=page.evaluate("color => JSON.stringify(color)", color),
        )

    chips = page.locator(".ks-panel .ks-chips").first
    expect(chips.get_by_role("button")).to_have_text(["CD3E", "EPCAM"], use_inner_text=True)
    chips.get_by_role("button", name="CD3E").click()
    wait_for_color({"kind": "gene", "gene": "CD3E"})
    # With "+ Blend", a recent gene is added to the blend.
    page.get_by_role("button", name="+ Blend").click()
    until_js(page, "() => document.activeElement.getAttribute('role') === 'combobox'")
    page.keyboard.press("Escape")  # "+ Blend" opens the search list, which covers the recent genes
    chips.get_by_role("button", name="EPCAM").click()
    wait_for_color({"kind": "blend", "genes": ["CD3E", "EPCAM"]})
    page.get_by_role("button", name="+ Blend").click()
    until_js(page, "() => document.activeElement.getAttribute('role') === 'combobox'")
    page.keyboard.press("Escape")  # "+ Blend" opens the search list, which covers the recent genes
    expect(chips.get_by_role("button"), "genes of the blend are not offered").to_have_text(
        ["KRT8"], use_inner_text=True
    )
    chips.get_by_role("button", name="KRT8").click()
    wait_for_color({"kind": "blend", "genes": ["CD3E", "EPCAM", "KRT8"]})
    chips.get_by_role("button", name="CD3E").click()
    wait_for_color({"kind": "gene", "gene": "CD3E"})


def test_cells_without_a_section_are_counted(opened: Viewer, adata: ad.AnnData) -> None:
    opened.page.get_by_role("button", name="Sections", exact=True).click()
    opened.page.get_by_title(f"{adata.obs['section'].isna().sum()} cells without a section").wait_for()


def test_regions_are_saved_and_opened_as_json_without_cell_ids(
    bundle: Path, serve: Callable[[Path], str], viewer: Viewer
) -> None:
    page = viewer.page
    page.route("**/*ids*", lambda route: route.abort())
    viewer.open(serve(bundle))
    page.evaluate("window.karospace.setRegions([{name: 'a', mask: new Uint8Array(window.karospace.cells).fill(1, 9)}])")
    regions = page.get_by_role("region", name="Regions")
    with page.expect_download() as saved:
        regions.get_by_role("button", name="JSON").click()
    expect(regions.get_by_role("button", name="CSV")).to_have_count(0)
    count = page.evaluate("window.karospace.regions[0].count")
    page.evaluate("window.karospace.setRegions([])")
    page.get_by_label("Region file").set_input_files(saved.value.path())
    until_js(page, "() => window.karospace.regions.length === 1")
    assert page.evaluate("window.karospace.regions[0].count") == count
    page.get_by_label("Region file").set_input_files(
        [{"name": "r.csv", "mimeType": "text/csv", "buffer": b"cell_id,region\nx,y\n"}]
    )
    page.get_by_role("alert").filter(has_text="cell IDs of this bundle could not be read").wait_for()
