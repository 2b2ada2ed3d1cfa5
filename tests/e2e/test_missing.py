"""Cells without a value of a gene are gray, below all others, and excluded from statistics."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from other_exporter import write_reference_bundle
from playwright.sync_api import expect
from waiting import becomes, holds

pytestmark = pytest.mark.e2e
SIDE = 20
N = SIDE * SIDE
GRAY = (180, 186, 195)
MISSING = np.arange(N) % 4 == 0
EITHER_MISSING = MISSING | (np.arange(N) % 5 == 0)


def gene(missing: NDArray[np.bool_], *, scale: float = 1) -> NDArray[np.float32]:
    """Return a gene with values from 0 to 6 times `scale`, and NaN in the missing cells."""
    values = (np.arange(N) % 7).astype(np.float32) * np.float32(scale)
    values[missing] = np.nan
    return values


GENES = {
    "A": gene(MISSING),
    "B": gene(np.arange(N) % 5 == 0, scale=2),
    "WHOLE": gene(np.zeros(N, dtype=bool)),
    "NONE": gene(np.ones(N, dtype=bool)),
}


@pytest.fixture
def opened(tmp_path: Path, serve: Callable[[Path], str], viewer: Viewer) -> Viewer:
    from karospace_jupyter import Bundle

    cell = np.arange(N)
    obs = pd.DataFrame({"half": np.where(cell < N // 2, "top", "bottom")}, index=[f"c{i}" for i in cell])
    xy = np.column_stack([cell % SIDE, cell // SIDE]).astype(np.float32)
    folder = write_reference_bundle(tmp_path / "loose", obs=obs, xy=xy, genes=GENES)
    Bundle(folder).save(tmp_path / "b", scripts="no")
    viewer.open(serve(tmp_path / "b"))
    viewer.set(opacity=1, pointSize=2)
    return viewer


def color_by(viewer: Viewer, color: dict[str, Any]) -> None:
    viewer.set(color=color)
    viewer.page.mouse.move(1200, 850)  # off the tissue, so that no tooltip and no coordinates cover cells


def facts(viewer: Viewer) -> str:
    text: str = viewer.page.locator(".ks-facts").inner_text()
    return " ".join(text.split())


def test_only_cells_without_a_value_are_gray(opened: Viewer) -> None:
    color_by(opened, {"kind": "gene", "gene": "A"})
    found = opened.colors(list(range(N)))
    gray = np.abs(found.astype(int) - GRAY).max(axis=1) <= 2
    assert (gray == MISSING).all()
    # Dimmed zeros have another color.
    opened.set(dimZeros=True)
    found = opened.colors(list(range(N)))
    assert ((np.abs(found.astype(int) - GRAY).max(axis=1) <= 2) == MISSING).all()
    assert opened.problems == []


def test_cells_with_a_value_are_drawn_above_those_without_one(opened: Viewer) -> None:
    color_by(opened, {"kind": "gene", "gene": "A"})
    opened.set(pointSize=6)  # large enough to cover the centers of the neighbors
    found = opened.colors(np.flatnonzero(MISSING).tolist())
    gray = np.abs(found.astype(int) - GRAY).max(axis=1) <= 2
    assert gray.mean() < 0.05


def test_panel_counts_missing_values_and_excludes_them(opened: Viewer) -> None:
    page = opened.page
    color_by(opened, {"kind": "gene", "gene": "A"})
    expect(page.locator(".ks-without-value")).to_have_text("100 cells without a value")
    known = GENES["A"][~MISSING]
    share = 100 * (known > 0).mean()

    def facts_agree() -> None:
        text = facts(opened)
        assert f"Detected in {share:.0f}% of cells with a value" in text
        assert re.search(rf"Mean of \S+ {known.mean():.2f}", text)

    holds(facts_agree, page=page)
    top = known[: len(known) // 2].mean()
    row = page.locator(".ks-means li").filter(has_text="top")
    becomes(lambda: float(row.locator(".ks-number").inner_text()), pytest.approx(top, abs=0.006), page=page)
    page.get_by_role("button", name="Select", exact=True).click()
    selected = np.array(page.evaluate("Array.from(karospace.selection)"), dtype=bool)
    assert not selected[MISSING].any()
    assert (selected == (GENES["A"] <= 6)).all()


def test_tooltip_and_table_show_missing_values(opened: Viewer) -> None:
    color_by(opened, {"kind": "gene", "gene": "A"})
    x, y = opened.positions([8])[0]
    opened.page.mouse.move(x, y)
    tooltip = opened.page.get_by_role("tooltip")
    expect(tooltip).to_contain_text("c8")
    expect(tooltip.locator("dl > div").filter(has_text="A").last).to_contain_text("no value")
    assert opened.value(8) is None
    text = opened.page.evaluate("karospace.table()")
    rows = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert ((rows["A"] == "") == MISSING).all()


def test_blend_is_gray_where_any_gene_is_missing(opened: Viewer) -> None:
    color_by(opened, {"kind": "blend", "genes": ["A", "B"]})
    found = opened.colors(list(range(N)))
    gray = np.abs(found.astype(int) - GRAY).max(axis=1) <= 2
    assert (gray == EITHER_MISSING).all()
    expect(opened.page.locator(".ks-without-value")).to_have_text(f"{EITHER_MISSING.sum()} cells without a value")


def test_score_is_the_mean_of_the_genes_with_a_value(opened: Viewer) -> None:
    color_by(opened, {"kind": "score", "name": "set", "genes": ["A", "B"]})
    pair = np.vstack([GENES["A"], GENES["B"]])
    neither = np.isnan(pair).all(axis=0)
    wanted = np.full(N, np.nan)
    wanted[~neither] = np.nanmean(pair[:, ~neither], axis=0)
    found = [opened.value(cell) for cell in range(40)]
    assert [None if np.isnan(value) else pytest.approx(value) for value in wanted[:40]] == found
    partial = int((np.isnan(pair).sum(axis=0) == 1).sum())
    note = f"In {partial} cells, some of the 2 genes have no value; their score is the mean of the other genes."
    expect(opened.page.get_by_text(note)).to_be_visible()


def test_gene_without_any_value_shows_a_note(opened: Viewer) -> None:
    color_by(opened, {"kind": "gene", "gene": "NONE"})
    expect(opened.page.get_by_text("No cells have a value here.")).to_be_visible()
    color_by(opened, {"kind": "gene", "gene": "WHOLE"})
    expect(opened.page.locator(".ks-without-value")).to_have_count(0)
    assert opened.problems == []
