"""The distance to a region's border is an annotation that colors cells, is saved, and does not freeze the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import becomes, until_js

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.border_distance import border_distances

pytestmark = pytest.mark.e2e

SQUARE = [200.0, 200.0, 800.0, 200.0, 800.0, 700.0, 200.0, 700.0]
COLUMN = "Distance to Tumor border"


def slide(cells: int) -> ad.AnnData:
    """Return an object with two overlapping sections."""
    rng = np.random.default_rng(5)
    obs = pd.DataFrame({"section": pd.Categorical(np.where(np.arange(cells) % 2, "right", "left"))})
    adata = ad.AnnData(np.ones((cells, 1), np.float32), obs=obs.set_axis(obs.index.astype(str)))
    adata.obsm["spatial"] = rng.uniform(0, 1000, (cells, 2))
    return adata


def bundle(cells: int, folder: Path) -> Path:
    return adata_to_karospace(slide(cells), folder, sections="section", um_per_unit=0.5, preview=False).path


def put_region(viewer: Viewer, outline: list[float]) -> None:
    """Set a region with this outline and three cells of the left section."""
    viewer.page.evaluate(
        """outline => karospace.setRegions([{name: 'Tumor', outline, cells: Uint32Array.of(0, 2, 4)}])""", outline
    )


def values(viewer: Viewer) -> Any:
    return viewer.page.evaluate("Array.from({length: karospace.cells}, (_, cell) => karospace.valueAt(cell))")


def test_region_colors_cells_by_distance_as_python_computes_it(
    viewer: Viewer, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    viewer.open(serve(bundle(400, tmp_path / "b")))
    put_region(viewer, SQUARE)
    button = viewer.page.get_by_role("button", name="Color by distance to border of Tumor")
    button.click()
    until_js(viewer.page, f"karospace.getState().color.column === {COLUMN!r} && karospace.valueAt(0) !== null")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(viewer.page.get_by_text("in µm; negative inside")).to_be_visible()
    xy = slide(400).obsm["spatial"].astype(np.float32).astype(np.float64)
    wanted = border_distances(np.array(SQUARE).reshape(-1, 2), xy, 0.5)
    wanted[1::2] = np.nan  # the other section
    found = values(viewer)
    np.testing.assert_array_equal(np.array(found, dtype=float), wanted.astype(float))
    # Both limits are as far from zero as the nearer percentile, which is named.
    low, high = np.nanpercentile(wanted.astype(float), [1, 99])
    assert abs(low) < high
    limits = viewer.page.locator(".ks-limits > span")
    expect(limits.first).to_contain_text("p1 = ")
    expect(limits.last).not_to_contain_text("=")
    becomes(lambda: float(limits.first.inner_text().removeprefix("p1 = ")), pytest.approx(low, rel=0.005))
    becomes(lambda: float(limits.last.inner_text()), pytest.approx(-low, rel=0.005))
    csv = viewer.page.evaluate("karospace.table()")
    assert csv.split("\r\n")[0].endswith(f",{COLUMN} (µm)")
    view = viewer.page.evaluate("karospace.getView()")
    viewer.page.evaluate("karospace.setRegions([])")
    becomes(lambda: viewer.page.evaluate("karospace.getState().color.column"), "section")
    viewer.page.evaluate("view => karospace.setView(view)", view)
    assert values(viewer) == found


def test_link_opens_with_the_distance(viewer: Viewer, serve: Callable[[Path], str], tmp_path: Path) -> None:
    viewer.open(serve(bundle(400, tmp_path / "b")))
    put_region(viewer, SQUARE)
    viewer.page.get_by_role("button", name="Color by distance to border of Tumor").click()
    until_js(viewer.page, f"karospace.getState().color.column === {COLUMN!r} && karospace.valueAt(0) !== null")
    found = values(viewer)
    link = viewer.address()
    viewer.page.goto("about:blank")  # an address that differs only in its view would not be loaded anew
    viewer.open(link)
    until_js(viewer.page, f"karospace.getState().color.column === {COLUMN!r} && karospace.valueAt(0) !== null")
    assert values(viewer) == found


def test_lasso_on_a_section_makes_a_region_with_a_distance(
    viewer: Viewer, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    viewer.open(serve(bundle(400, tmp_path / "b")))
    page = viewer.page
    page.evaluate("karospace.setState({layout: {kind: 'section', name: 'left'}})")
    until_js(page, "karospace.getState().layout.kind === 'section'")
    box = page.locator("canvas.ks-canvas").bounding_box()
    assert box
    page.keyboard.press("m")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    page.mouse.move(x + 60, y + 60, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Save as region").click()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Color by distance to border of Region 1").click()
    until_js(page, "karospace.getState().color.column?.startsWith('Distance') && karospace.valueAt(0) !== null")
    [region] = page.evaluate("karospace.regions.map(({cells, outline}) => ({cells: [...cells], outline}))")
    xy = slide(400).obsm["spatial"].astype(np.float32).astype(np.float64)
    wanted = border_distances(np.array(region["outline"]).reshape(-1, 2), xy, 0.5)
    wanted[1::2] = np.nan
    np.testing.assert_array_equal(np.array(values(viewer), dtype=float), wanted.astype(float))
    assert set(region["cells"]) == set(np.flatnonzero(wanted < 0).tolist())


def test_distances_of_a_million_cells_do_not_freeze_the_page(
    viewer: Viewer, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    viewer.open(serve(bundle(1_000_000, tmp_path / "b")))
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    radii = 300 * (1 + 0.2 * np.sin(9 * angles))
    outline = np.column_stack([500 + radii * np.cos(angles), 500 + radii * np.sin(angles)]).ravel()
    put_region(viewer, outline.tolist())
    # Long computations yield to other tasks by posting a message to themselves, if enough time has passed. Here, it has
    # at each check, so that the number of yields does not depend on the machine.
    yields = viewer.page.evaluate(
        """async column => {
            await karospace.setState({color: {kind: 'none'}});
            const now = performance.now.bind(performance);
            let calls = 0;
            performance.now = () => now() + 1000 * calls++;  // as if each call came a second later
            let yields = 0;
            window.MessageChannel = class extends MessageChannel {
                constructor() {
                    super();
                    if (typeof karospace.valueAt(0) !== 'number') yields++;  // before the distances are shown
                }
            };
            await karospace.setState({color: {kind: 'annotation', column}});
            return yields;
        }""",
        COLUMN,
    )
    assert yields >= 100, "more than 10,000 cells are computed at once"
    assert viewer.page.evaluate("karospace.valueAt(0) !== null && karospace.valueAt(1) === null")
