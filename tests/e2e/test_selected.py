"""A selection: composition and means compared with the rest, regions, dimming, and snapshots."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from PIL import Image
from pixels import colors_in
from playwright.sync_api import expect
from screen import Screen, parse_share, select, selected, selection
from waiting import becomes, eventually

pytestmark = pytest.mark.e2e


def test_composition_is_compared_with_the_rest(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    types = adata.obs["cell_type"]
    largest, second = types.value_counts().index[:2]
    # All cells of one category, half of another, none of the others.
    mask = (types == largest).to_numpy()
    mask[np.flatnonzero(types == second)[::2]] = True
    select(viewer, mask)
    inside = types[mask].value_counts(normalize=True)
    rest = types[~mask].value_counts(normalize=True)
    difference = (inside - rest).abs()
    expected = [name for name in types.cat.categories if inside[name] > 0 or rest[name] >= 0.01]
    expected.sort(key=lambda name: -difference[name])
    assert len(expected) > 3, "includes categories without selected cells"
    page.get_by_text("compared with the rest").wait_for()
    panel = page.get_by_role("region", name="Selection")
    if len(expected) > 6:
        panel.get_by_role("button", name=f"{len(expected) - 6} more").click()
    listed = page.get_by_role("list", name="Composition by cell_type").get_by_role("listitem")
    expect(listed).to_have_count(len(expected))
    rows = listed.evaluate_all("rows => rows.map((row) => [row.innerText, row.title])")
    for (row, title), name in zip(rows, expected, strict=True):
        label, share, ratio = row.split("\n")
        assert label == name
        assert parse_share(share) == pytest.approx(inside[name], abs=0.006)
        assert title.startswith(f"{name}: {(types[mask] == name).sum():,} selected, ")
        assert parse_share(re.search(r"([<>\d. ]+%) of the rest$", title)[1]) == pytest.approx(rest[name], abs=0.006)
        if rest[name] == 0:
            assert ratio == "∞"
        elif inside[name] == 0:
            assert ratio == "0×"
        else:
            assert float(ratio.removesuffix("×")) == pytest.approx(inside[name] / rest[name], rel=0.06)
    # If all cells are selected, there is no rest.
    select(viewer, np.ones(adata.n_obs, dtype=bool))
    expect(page.get_by_text("compared with the rest")).to_have_count(0)
    first = page.get_by_role("list", name="Composition by cell_type").get_by_role("listitem").first
    wanted = [largest, f"{100 * (types == largest).mean():.0f}%"]
    becomes(lambda: first.inner_text().strip().split("\n"), wanted)


@pytest.mark.parametrize("color", [{"kind": "gene", "gene": "EPCAM"}, {"kind": "blend", "genes": ["EPCAM", "CD3E"]}])
def test_mean_of_each_gene_is_compared_with_the_rest(opened: tuple[Viewer, ad.AnnData], color: dict[str, Any]) -> None:
    viewer, adata = opened
    mask = (adata.obs["cell_type"] == adata.obs["cell_type"].value_counts().index[0]).to_numpy()
    select(viewer, mask)
    viewer.set(color=color)
    for gene in color.get("genes", ["EPCAM"]):
        values = np.asarray(adata[:, gene].X.todense()).ravel()
        listed = viewer.page.get_by_role("list", name=f"Mean of {gene}").get_by_role("listitem")
        rows = eventually(listed.all_inner_texts, lambda rows: len(rows) == 2)
        for row, side, cells in zip(rows, ("Inside", "Outside"), (mask, ~mask), strict=True):
            first, shown, *_ = row.split("\n")
            share = re.fullmatch(rf"{side}\s*([<\d.]+)\s*% detected", first)
            assert share, first
            assert float(share[1].strip("<")) == pytest.approx(100 * (values[cells] > 0).mean(), abs=0.6)
            assert float(shown) == pytest.approx(float(values[cells].mean()), rel=0.02, abs=0.006)


def test_regions_are_saved_renamed_selected_and_removed(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    left = np.asarray(adata.obsm["spatial"])[:, 0] < np.median(np.asarray(adata.obsm["spatial"])[:, 0])
    theme = viewer.state()["theme"]
    select(viewer, left)
    page.get_by_role("button", name="Save as region").click()
    page.keyboard.type("the left, with vlmt")
    page.keyboard.press("Enter")
    select(viewer, ~left)
    page.get_by_role("button", name="+ New").click()
    page.keyboard.press("Enter")

    def regions() -> list[list[Any]]:
        found: list[list[Any]] = page.evaluate("window.karospace.regions.map((r) => [r.name, r.count])")
        return found

    count = int(left.sum())
    assert regions() == [["the left, with vlmt", count], ["Region 1", len(left) - count]]
    # Text typed into a name field does not trigger shortcuts.
    assert viewer.state()["theme"] == theme
    colors = page.evaluate("window.karospace.regions.map((r) => r.color)")
    assert len(set(colors)) == 2

    page.get_by_role("button", name="Select the left").click()
    assert (selected(viewer) == left).all()
    page.get_by_role("button", name="Select Region 1").click(modifiers=["Shift"])
    assert selected(viewer).all()
    page.get_by_role("button", name="Rename the left").click()
    page.keyboard.type("left")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Select Region 1").dblclick()
    page.keyboard.type("left")
    page.keyboard.press("Enter")
    assert [name for name, _ in regions()] == ["left", "Region 1"], "a name that is already in use is refused"
    page.get_by_role("button", name="Select left").focus()
    page.keyboard.press("F2")
    page.keyboard.type("other")
    page.keyboard.press("Escape")
    assert [name for name, _ in regions()] == ["left", "Region 1"]
    assert selection(viewer) is not None, "Escape in a field does not clear the selection"
    # The focus stays in the list of regions after each removal.
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    assert regions() == []
    assert viewer.problems == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_unselected_cells_are_dimmed(opened: tuple[Viewer, ad.AnnData], theme: str) -> None:
    viewer, adata = opened
    viewer.set(theme=theme, pointSize=0.5)
    rng = np.random.default_rng(0)
    mask = rng.random(adata.n_obs) < 0.5
    # Cells that are not covered by the selection card.
    cells = rng.choice(np.flatnonzero(Screen(viewer, adata).at[:, 0] > 345), 300, replace=False)
    background = np.array([246, 247, 249] if theme == "light" else [14, 17, 22])

    def drawn_colors() -> NDArray[np.int64]:
        viewer.set()
        return viewer.colors(cells.tolist()).astype(np.int64)

    for color in ({"kind": "annotation", "column": "cell_type"}, {"kind": "gene", "gene": "EPCAM"}, {"kind": "none"}):
        viewer.page.evaluate("window.karospace.select(null)")
        viewer.set(color=color)
        before = drawn_colors()
        select(viewer, mask)
        after = drawn_colors()
        kept = np.abs(after - before).max(axis=1) <= 12
        inside = mask[cells]
        # Nearly all: where cells overlap, a selected one may now be on top.
        assert kept[inside].mean() > 0.95, color
        spread = np.ptp(after, axis=1)
        pale = (np.abs(after - background).max(axis=1) < 90) & (spread < 40)
        assert pale[~inside].mean() > 0.95, color
        assert kept[~inside].mean() < 0.05, color
    viewer.page.evaluate("window.karospace.select(null)")
    assert (np.abs(drawn_colors() - before).max(axis=1) <= 2).all(), "clearing the selection restores the colors"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_snapshot_matches_the_screen(opened: tuple[Viewer, ad.AnnData], theme: str) -> None:
    viewer, adata = opened
    viewer.set(theme=theme)
    mask = np.zeros(adata.n_obs, dtype=bool)
    mask[::4] = True
    select(viewer, mask)
    viewer.set()
    encoded = viewer.page.evaluate(
        """async () => {
            const bytes = new Uint8Array(await (await window.karospace.snapshot()).arrayBuffer());
            return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''));
        }"""
    )
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    assert picture.format == "PNG"
    taken = np.asarray(picture.convert("RGB")).astype(int)
    # The middle of the stage, which no card covers.
    part = (slice(300, 520), slice(380, 900))
    shown = np.asarray(Image.open(io.BytesIO(viewer.page.screenshot())).convert("RGB")).astype(int)
    assert np.abs(taken[part] - shown[part]).max() <= 3
    assert colors_in(taken[part]) > 10


def test_selection_card_covers_the_fewest_selected_cells(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    at = Screen(viewer, adata).at
    stage = viewer.boxes(".ks-stage")[0]
    card = page.get_by_role("region", name="Selection")
    lower_left = (at[:, 0] < 330) & (at[:, 1] > stage["height"] - 350)
    upper_right = (at[:, 0] > stage["width"] - 330) & (at[:, 1] < 350)

    def side() -> str:
        [box] = viewer.boxes(".ks-selection-card")
        return "left" if box["right"] < stage["width"] / 2 else "right"

    def covered(mask: NDArray[np.bool_]) -> int:
        [box] = viewer.boxes(".ks-selection-card")
        inside = ((at >= (box["left"], box["top"])) & (at <= (box["right"], box["bottom"]))).all(axis=1)
        return int((mask & inside).sum())

    assert lower_left.sum() > 50
    assert upper_right.sum() > 50
    select(viewer, lower_left)
    viewer.becomes(side, "right")
    assert covered(lower_left) == 0
    # A card that is being used stays where it is.
    card.get_by_role("button", name="Invert").click()
    expect(card).to_contain_text(f"{(~lower_left).sum():,} cells")
    assert side() == "right"
    page.locator("canvas.ks-canvas").focus()
    select(viewer, upper_right)
    viewer.becomes(side, "left")
    assert covered(upper_right) == 0
    select(viewer, lower_left)
    viewer.becomes(side, "right")
    # After the selection is cleared, the card opens at the lower left again.
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    select(viewer, ~lower_left & ~upper_right)
    expect(card).to_be_visible()
    viewer.becomes(side, "left")
    assert viewer.problems == []


def test_selection_card_folds_to_its_heading(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    mask = np.arange(adata.n_obs) < 500
    select(viewer, mask)
    card = viewer.page.get_by_role("region", name="Selection")
    details = card.get_by_role("button", name="Selection details")
    expect(details).to_have_attribute("aria-expanded", "true")
    details.click()
    expect(card.get_by_role("list")).to_have_count(0)
    expect(card.get_by_role("status")).to_contain_text("500 cells")
    assert viewer.boxes(".ks-selection-card")[0]["height"] < 50
    # It stays folded for the next selection.
    select(viewer, ~mask)
    expect(card.get_by_role("status")).to_contain_text("2,500 cells")
    expect(card.get_by_role("list")).to_have_count(0)
    details.click()
    expect(card.get_by_role("list")).to_be_visible()
    assert viewer.problems == []
