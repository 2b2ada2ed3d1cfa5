"""Embeddings, sections side by side, and two views at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import until_js

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

UMAP = {"kind": "embedding", "name": "X_umap"}


def tissue(*, overlapping: bool = False) -> ad.AnnData:
    """Return a tissue of two sections, which can overlap. Cell 11 has no coordinates in the embedding."""
    adata = synthetic_tissue(n_cells=2400, seed=2)
    rng = np.random.default_rng(0)
    codes = adata.obs["cell_type"].cat.codes.to_numpy()
    umap = rng.normal(size=(codes.max() + 1, 2))[codes] * 8 + rng.normal(size=(adata.n_obs, 2))
    umap[11] = np.nan
    adata.obsm["X_umap"] = umap
    if overlapping:
        xy = adata.obsm["spatial"].copy()
        second = (adata.obs["section"] == adata.obs["section"].cat.categories[1]).to_numpy()
        xy[second] += xy[~second].min(axis=0) - xy[second].min(axis=0)
        adata.obsm["spatial"] = xy
        del adata.uns["spatial"]
    return adata


@pytest.fixture
def opened(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> Callable[..., tuple[Viewer, ad.AnnData]]:
    def start(**options: Any) -> tuple[Viewer, ad.AnnData]:
        adata = tissue(**options)
        adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM", "CD3E"])
        return viewer.open(serve(tmp_path / "b")), adata

    return start


def test_embedding_is_drawn_at_its_coordinates(opened: Callable[..., tuple[Viewer, ad.AnnData]]) -> None:
    viewer, adata = opened()
    viewer.set(layout=UMAP)
    cells = [0, 1, 50, 700, 2399]
    seen = np.array(viewer.positions(cells))
    umap = adata.obsm["X_umap"][cells]
    fit_x = np.polyfit(umap[:, 0], seen[:, 0], 1)
    fit_y = np.polyfit(umap[:, 1], seen[:, 1], 1)
    np.testing.assert_allclose(np.polyval(fit_x, umap[:, 0]), seen[:, 0], atol=0.05)
    np.testing.assert_allclose(np.polyval(fit_y, umap[:, 1]), seen[:, 1], atol=0.05)
    assert fit_x[0] == pytest.approx(-fit_y[0], rel=1e-3), "the y axis points up, at the same scale as x"
    # Most cells of each category are drawn in its color; cells of other categories may cover the rest.
    viewer.set(opacity=1, color={"kind": "annotation", "column": "cell_type"})
    column = adata.obs["cell_type"]
    placed = ~np.isnan(adata.obsm["X_umap"][:, 0])
    for name, color in zip(column.cat.categories, adata.uns["cell_type_colors"], strict=True):
        drawn = viewer.colors(np.flatnonzero(placed & (column == name).to_numpy()).tolist()).astype(int)
        same = np.abs(drawn - list(bytes.fromhex(color[1:]))).max(axis=1) <= 2
        assert same.mean() > 0.5, f"only {same.mean():.0%} of the cells of {name} have its color"
    expect(viewer.page.get_by_text("µm"), "an embedding has no scale bar").to_have_count(0)
    expect(viewer.page.get_by_text("UMAP 1", exact=True)).to_be_visible()
    drawing = viewer.page.evaluate("async () => (await karospace.picture({format: 'svg'})).text()")
    assert "UMAP 1</text>" in drawing
    assert "UMAP 2</text>" in drawing
    viewer.set(layout={"kind": "tissue"})
    viewer.page.get_by_text("µm").wait_for()
    failure = viewer.page.evaluate(
        "window.karospace.setState({layout: {kind: 'embedding', name: 'X_no'}}).then(() => '', String)"
    )
    assert "X_no" in failure
    assert viewer.state()["layout"] == {"kind": "tissue"}
    failure = viewer.page.evaluate(
        "window.karospace.setState({layout: {type: 'embedding'}, opacity: 0.5, zoom: 3}).then(() => '', String)"
    )
    assert "layout, zoom" in failure
    assert viewer.state()["opacity"] == 0.5
    assert viewer.problems == []


def test_two_views_share_pointer_and_selection(opened: Callable[..., tuple[Viewer, ad.AnnData]]) -> None:
    viewer, _ = opened()
    page = viewer.page
    page.get_by_role("button", name="Show UMAP in second view").click()
    beside = page.locator(".ks-beside")
    beside.locator("canvas").wait_for()
    viewer.set()
    x, y = viewer.positions([5])[0]
    page.mouse.move(x + 4, y)
    page.mouse.move(x, y)
    beside.locator(".ks-highlight").wait_for()
    # A rectangle around the whole embedding selects every cell that has coordinates in it.
    page.keyboard.press("m")
    box = beside.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 70)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3, steps=4)
    page.mouse.up()
    until_js(page, "() => window.karospace.selection !== null")
    assert page.evaluate("window.karospace.selection.reduce((sum, flag) => sum + flag, 0)") == 2399
    assert page.evaluate("window.karospace.selection[11]") == 0
    page.keyboard.press("v")
    page.get_by_role("button", name="Swap views").click()
    viewer.becomes(lambda: viewer.state()["layout"], UMAP)
    assert viewer.state()["beside"] == {"kind": "tissue"}
    page.keyboard.press("b")
    beside.wait_for(state="detached")
    assert viewer.problems == []


def test_sections_are_shown_side_by_side_or_alone(opened: Callable[..., tuple[Viewer, ad.AnnData]]) -> None:
    viewer, adata = opened()
    page = viewer.page
    assert viewer.state()["layout"] == {"kind": "tissue"}, "sections do not overlap"
    page.get_by_role("button", name="Sections").click()
    names = list(adata.obs["section"].cat.categories)
    for name in names:
        page.locator(".ks-section-title", has_text=name).wait_for()
    page.locator(".ks-section-title", has_text=names[1]).click()
    viewer.becomes(lambda: viewer.state()["layout"], {"kind": "section", "name": names[1]})
    first = int(np.flatnonzero((adata.obs["section"] == names[0]).to_numpy())[0])
    second = int(np.flatnonzero((adata.obs["section"] == names[1]).to_numpy())[0])
    positions = page.evaluate("cells => cells.map((c) => window.karospace.project(c)?.x ?? NaN)", [first, second])
    assert np.isnan(positions[0])
    assert 0 < positions[1] < 1040
    page.keyboard.press("]")
    viewer.becomes(lambda: viewer.state()["layout"]["name"], names[0])
    assert viewer.problems == []


def test_overlapping_sections_are_initially_side_by_side(opened: Callable[..., tuple[Viewer, ad.AnnData]]) -> None:
    viewer, adata = opened(overlapping=True)
    assert viewer.state()["layout"]["kind"] == "sections"
    seen = np.array(viewer.positions(list(range(adata.n_obs))))
    sections = adata.obs["section"].cat.codes.to_numpy()
    boxes = [(seen[sections == code].min(axis=0), seen[sections == code].max(axis=0)) for code in (0, 1)]
    apart = (boxes[0][1] < boxes[1][0]) | (boxes[1][1] < boxes[0][0])
    assert apart.any()
    viewer.page.locator("select[aria-label='Section order']").select_option("cells")
    viewer.becomes(lambda: viewer.state()["layout"]["order"], "cells")
