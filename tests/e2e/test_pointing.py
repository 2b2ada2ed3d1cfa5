"""Pointing at sections shows their names, and pointing at a region highlights its cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import two_frames

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

TITLES = ".ks-section-title"


@pytest.fixture
def hundred(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> Viewer:
    """A hundred sections of equal size, ten per row."""
    adata = synthetic_tissue(n_cells=2000, seed=2)
    rng = np.random.default_rng(0)
    codes = np.arange(adata.n_obs) % 100
    adata.obs["section"] = pd.Categorical([f"Section {number:03d} of a long name" for number in codes])
    adata.obs["stage"] = pd.Categorical([f"stage {number % 2}" for number in codes])
    adata.obsm["spatial"] = rng.uniform(0, 100, size=(adata.n_obs, 2)) + np.c_[codes % 10, codes // 10] * 200
    adata.uns.pop("section_colors", None)
    adata.uns.pop("spatial", None)
    adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"], image_path="none")
    viewer.open(serve(tmp_path / "b"))
    viewer.set(layout={"kind": "sections", "columns": 10, "order": "column", "by": "stage"})
    viewer.page.locator(TITLES).first.wait_for()
    return viewer


def test_section_names_fit_their_sections(hundred: Viewer) -> None:
    page = hundred.page
    titles = page.locator(TITLES)
    expect(titles).to_have_count(100)
    boxes = hundred.boxes(TITLES)
    pitch = boxes[1]["x"] - boxes[0]["x"]
    for box in boxes:
        assert box["width"] <= pitch
    heights = "names => names.map(({clientHeight}) => clientHeight)"  # without the border, which is transparent
    assert max(titles.evaluate_all(heights)) <= 14, "small names hide little of the section above"
    page.mouse.move(*hundred.positions([345])[0])
    whole = page.locator(".ks-pointed")
    whole.get_by_text("Section 045 of a long name").wait_for()
    assert whole.bounding_box()["width"] > pitch, "the section under the pointer shows its full name"
    page.get_by_text("Spot size").hover()
    # Muted text in a name is readable over any cells (WCAG AA).
    for theme in ("light", "dark"):
        hundred.set(theme=theme)
        contrast = page.evaluate("""() => {
          const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
          const rgb = (color, under) => {
            canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
            canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
            return canvas.getImageData(0, 0, 1, 1).data;
          };
          const luminance = (data) => [0.2126, 0.7152, 0.0722].reduce((sum, part, at) => {
            const c = data[at] / 255;
            return sum + part * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
          }, 0);
          const title = document.querySelector('.ks-section-title');
          return Math.min(...['#000', '#fff'].map((under) => {
            const background = luminance(rgb(getComputedStyle(title).backgroundColor, under));
            const text = luminance(rgb(getComputedStyle(title.querySelector('.ks-muted')).color, under));
            return (Math.max(background, text) + 0.05) / (Math.min(background, text) + 0.05);
          }));
        }""")
        assert contrast >= 4.5
    # Too small for names: only the section under the pointer shows one, which does not intercept the pointer.
    camera = hundred.state()["camera"]
    hundred.set(camera={**camera, "zoom": camera["zoom"] * 0.3})
    titles.first.wait_for(state="detached")
    cell = 345
    page.mouse.move(*hundred.positions([cell])[0])
    name = f"Section {cell % 100:03d}"
    titles.get_by_text(name).wait_for()
    two_frames(page)
    expect(titles).to_have_count(1)
    box = titles.first.bounding_box()
    hit = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).className", [box["x"] + box["width"] / 2, box["y"] + 5]
    )
    assert "ks-canvas" in hit
    assert hundred.problems == []


def test_pointing_at_a_region_highlights_its_cells(
    tissue: Path, export: Callable[..., Path], serve: Callable[[Path], str], viewer: Viewer
) -> None:
    viewer.open(serve(export(tissue, annotation_columns=["cell_type"])))
    viewer.set(opacity=1, imageOpacity=0, pointSize=0.7)
    page = viewer.page
    cells = list(range(0, 3000, 60))
    page.evaluate(
        "n => karospace.setRegions([{name: 'every second', mask: Uint8Array.from({length: n}, (_, i) => i % 120 === 0)}])",
        3000,
    )
    plain = viewer.colors(cells).astype(int)
    region = page.get_by_role("button", name="Select every second")

    def changed() -> Any:
        viewer.set(opacity=1)  # waits until it is drawn
        return np.abs(viewer.colors(cells).astype(int) - plain).max(axis=1)

    for point, leave in (
        (region.hover, lambda: page.get_by_text("Spot size").hover()),
        (
            lambda: (page.get_by_role("button", name="Open…", exact=True).focus(), page.keyboard.press("Tab")),
            page.locator("canvas").first.focus,
        ),
    ):
        point()
        difference = changed()
        assert np.median(difference[::2]) < 12, "cells of the region do not change"
        assert np.median(difference[1::2]) > 40, "other cells are dimmed"
        assert page.evaluate("karospace.selection") is None
        leave()
        assert np.median(changed()) < 12
    # Removing the region under the pointer ends the highlight.
    region.hover()
    assert np.median(changed()[1::2]) > 40
    page.keyboard.press("Tab")
    region.focus()
    page.keyboard.press("Delete")
    region.wait_for(state="detached")
    assert np.median(changed()) < 12
    assert viewer.problems == []
