"""Shares, ratios of means, percentiles and histogram bars in the page match NumPy."""

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
from playwright.sync_api import Locator, expect
from screen import parse_share, select
from waiting import becomes, holds

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e
GENES = ["EPCAM", "CD3E", "KRT8"]
Values = NDArray[np.float64]


@pytest.fixture
def opened(tmp_path: Path, viewer: Viewer) -> Callable[[ad.AnnData], Viewer]:
    def run(adata: ad.AnnData, **options: Any) -> Viewer:
        columns = [name for name in ("cell_type", "region", "rare", "signed") if name in adata.obs]
        adata_to_karospace(
            adata, tmp_path / "b", genes_mode=GENES, annotation_columns=columns, sections="section", **options
        )
        return viewer.open((tmp_path / "b" / "index.html").as_uri())

    return run


def gene(adata: ad.AnnData, name: str = "EPCAM") -> Values:
    x: Any = adata[:, name].X
    return np.asarray(x.toarray() if hasattr(x, "toarray") else x, dtype=np.float64).ravel()


def limits(viewer: Viewer) -> list[float]:
    handles = [viewer.page.get_by_role("slider", name=f"{edge} color limit") for edge in ("Lower", "Upper")]
    return [float(handle.get_attribute("aria-valuenow") or "nan") for handle in handles]


def test_hidden_categories_are_excluded_from_selection_and_rest(opened: Any) -> None:
    adata = synthetic_tissue(n_cells=2000, seed=1)
    viewer = opened(adata)
    page = viewer.page
    types = adata.obs["cell_type"]
    hidden = types.value_counts().index[0]
    viewer.set(color={"kind": "annotation", "column": "cell_type"}, hidden={"cell_type": [hidden]})
    # All visible cells of the first third, and a few hidden ones.
    seen = (types != hidden).to_numpy()
    mask = (np.arange(adata.n_obs) < 700) & (seen | (np.arange(adata.n_obs) < 100))
    select(viewer, mask)
    panel = page.get_by_role("region", name="Selection")
    inside, rest = mask & seen, ~mask & seen
    expect(panel.get_by_role("status")).to_contain_text(f"{inside.sum():,} cells")
    becomes(
        lambda: parse_share(panel.get_by_role("status").inner_text().split(" · ")[1]),
        pytest.approx(inside.sum() / seen.sum(), abs=0.006),
        page=page,
    )
    excluded = int((mask & ~seen).sum())
    expect(panel).to_contain_text(f"{excluded} selected cells in hidden categories are excluded.")
    # By the column with the hidden category, and by another column.
    for column in ("cell_type", "region"):
        panel.get_by_label("Split by").select_option(column)
        listed = page.get_by_role("list", name=f"Composition by {column}")
        expect(listed).to_be_visible()

        def shares_agree(column: str = column, listed: Locator = listed) -> None:
            rows = [row.split("\n") for row in listed.get_by_role("listitem").all_inner_texts()]
            assert len(rows) >= 2
            for name, text, ratio in rows:
                members = (adata.obs[column] == name).to_numpy()
                assert name != hidden
                inside_share, rest_share = (members & inside).sum() / inside.sum(), (members & rest).sum() / rest.sum()
                assert parse_share(text) == pytest.approx(inside_share, abs=0.006)
                assert float(ratio.strip("×<")) == pytest.approx(inside_share / rest_share, abs=0.051)

        holds(shares_agree, page=page)
    assert viewer.problems == []


def test_100_percent_is_shown_only_for_all_cells(opened: Any) -> None:
    adata = synthetic_tissue(n_cells=2000, seed=1)
    rare = np.array(["common"] * 1995 + ["rare"] * 4 + ["one"])
    adata.obs["rare"] = pd.Categorical(rare)
    x = adata.X.toarray()
    for name, zeros in zip(GENES, (7, 1, 0), strict=True):
        x[:, adata.var_names.get_loc(name)] = 1 + np.arange(2000) % 5
        x[:zeros, adata.var_names.get_loc(name)] = 0
    adata.X = x
    viewer = opened(adata)
    page = viewer.page
    viewer.set(color={"kind": "annotation", "column": "rare"})
    legend = page.locator(".ks-legend .ks-share")
    expect(legend).to_have_text(["99.8%", "0.2%", "< 0.1%"])
    select(viewer, np.arange(2000) < 1999)
    expect(page.get_by_role("region", name="Selection").get_by_role("status")).to_contain_text("> 99.9%")
    select(viewer, np.arange(2000) < 1992)
    expect(page.get_by_role("region", name="Selection").get_by_role("status")).to_contain_text("99.6%")
    for name, text in zip(GENES, ("99.7% of cells", "> 99.9% of cells", "100% of cells"), strict=True):
        viewer.set(color={"kind": "gene", "gene": name})
        expect(page.locator(".ks-facts dd").first).to_have_text(text)
    assert viewer.problems == []


def test_percentiles_are_computed_within_the_shown_section(opened: Any) -> None:
    adata = synthetic_tissue(n_cells=2000, seed=1)
    sections = adata.obs["section"].cat.categories
    first = (adata.obs["section"] == sections[0]).to_numpy()
    x = adata.X.toarray()
    x[first, adata.var_names.get_loc("EPCAM")] *= 3
    adata.X = x
    adata.obs["signed"] = np.random.default_rng(0).normal(size=2000) * np.where(first, 5, 1) + 20
    viewer = opened(adata)
    values = {"EPCAM": gene(adata), "signed": adata.obs["signed"].to_numpy()}
    colors = {
        "EPCAM": {"kind": "gene", "gene": "EPCAM"},
        "signed": {"kind": "annotation", "column": "signed"},
    }

    def wanted(name: str, cells: NDArray[np.bool_]) -> list[float]:
        shown = values[name][cells]
        return [0, np.percentile(shown[shown != 0], 99)] if name == "EPCAM" else np.percentile(shown, [1, 99]).tolist()

    for name, color in colors.items():
        whole = {"kind": "tissue"}
        for layout in (whole, *({"kind": "section", "name": section} for section in sections), whole):
            viewer.set(color=color, layout=layout)
            cells = np.ones(2000, bool) if layout is whole else (adata.obs["section"] == layout["name"]).to_numpy()
            becomes(lambda: limits(viewer), pytest.approx(wanted(name, cells), rel=1e-4, abs=1e-6), page=viewer.page)
            p99 = "p99 of detected = " if name == "EPCAM" else "p99 = "
            expect(viewer.page.locator(".ks-limits > span").last).to_have_text(re.compile(f"^{p99}"))
            # The histogram counts the same cells.
            becomes(lambda: sum(count for _, count in bars(viewer)), cells.sum(), page=viewer.page)
    assert viewer.problems == []


def on_scale(kind: str, base: float, counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the counts transformed to a scale."""
    scaled: NDArray[np.float32]
    if kind == "log1p":
        scaled = np.log1p(counts) / np.log(base)
    elif kind == "scaled":
        scaled = (counts - counts.mean(axis=0)) / counts.std(axis=0)
    else:
        scaled = np.sqrt(counts / 7) if kind == "other" else counts
    return np.asarray(scaled, dtype=np.float32)


def expected(kind: str, values: Values, counts: Values, mask: NDArray[np.bool_]) -> tuple[str, float]:
    """Return how the viewer compares means on a scale (ratio or difference), and the number that it shows."""
    if kind in ("log1p", "counts"):
        return "ratio", counts[mask].mean() / counts[~mask].mean()
    return "difference", values[mask].mean() - values[~mask].mean()


@pytest.mark.parametrize(
    ("kind", "base", "noun"),
    [
        ("log1p", np.e, "log1p values"),
        ("log1p", 2, "log2(1 + x) values"),
        ("counts", np.nan, "counts"),
        ("scaled", np.nan, "scaled values"),
        ("other", np.nan, "values"),
    ],
)
def test_means_are_compared_according_to_their_scale(opened: Any, kind: str, base: float, noun: str) -> None:
    adata = synthetic_tissue(n_cells=2000, seed=1)
    # Few cells with many counts, many with few: comparing means of logarithms would reverse the direction.
    counts = np.random.default_rng(1).poisson(2, (2000, adata.n_vars)).astype(np.float32)
    counts[:500, adata.var_names.get_loc("EPCAM")] = np.where(np.arange(500) % 5 == 0, 60, 0)
    counts[500:, adata.var_names.get_loc("EPCAM")] = 3 + np.arange(1500) % 4
    # A different library size per cell, as in normalized data.
    if kind == "log1p":
        counts *= 10_000 / counts.sum(axis=1, keepdims=True)
    adata.X = on_scale(kind, base, counts)
    adata.uns.pop("log1p", None)
    if kind == "log1p":
        adata.uns["log1p"] = {"base": None if base == np.e else base}
    viewer = opened(adata)
    page = viewer.page
    mask = np.arange(2000) < 500
    select(viewer, mask)
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    values = gene(adata)
    original = np.asarray(counts[:, adata.var_names.get_loc("EPCAM")], dtype=np.float64)
    rows = page.get_by_role("list", name="Mean of EPCAM").get_by_role("listitem")
    expect(rows).to_have_count(2)
    measure, wanted = expected(kind, values, original, mask)

    def both_sides_agree() -> None:
        for at, cells in enumerate((mask, ~mask)):
            row = rows.nth(at)
            number = row.locator(".ks-number").first.inner_text()
            assert float(number) == pytest.approx(values[cells].mean(), rel=0.01, abs=0.006)
            text = row.inner_text()
            assert ("detected" in text) == (kind != "scaled")
        comparison = rows.first.locator(".ks-number").last.inner_text()
        assert comparison.endswith("×") == (measure == "ratio")
        assert float(comparison.strip("×").replace("−", "-")) == pytest.approx(wanted, rel=0.05, abs=0.006)

    holds(both_sides_agree, page=page)
    if kind == "log1p":
        assert (values[mask].mean() < values[~mask].mean()) and wanted > 1, "directions differ"
    panel = page.get_by_role("region", name="Selection")
    expect(panel).to_contain_text(f"Mean of {noun} · EPCAM")
    facts = page.locator(".ks-facts")
    expect(facts).to_contain_text(f"Mean of {noun}")
    if kind == "scaled":
        expect(facts).to_contain_text("not applicable")
        # Neither the share of cells nor the variability means anything here.
        orders = page.get_by_label("Gene order").locator("option")
        expect(orders).to_have_text(["File order", "A–Z", f"Highest mean of {noun} first"])
    else:
        expect(facts).to_contain_text("% of cells")
    # Means by category, and the side of zero on which their bars are.
    panel_rows = page.locator(".ks-panel .ks-means li")
    expect(panel_rows).to_have_count(adata.obs["cell_type"].nunique())

    def categories_agree() -> None:
        for at in range(adata.obs["cell_type"].nunique()):
            row = panel_rows.nth(at)
            name, number = row.inner_text().split("\n")
            mean = values[(adata.obs["cell_type"] == name).to_numpy()].mean()
            number = number.replace("<0.001", "0").replace(">-0.001", "0")
            assert float(number) == pytest.approx(mean, rel=0.01, abs=0.006)
            side = bar_side(row)
            assert side == 0 or np.sign(side) == np.sign(mean)

    holds(categories_agree, page=page)
    assert viewer.problems == []


def bar_side(row: Locator) -> float:
    """Return how far a bar's center is right of zero, in px. Without a zero line, zero is at the left edge."""
    side: float = row.locator(".ks-bar").evaluate("""(bar) => {
      const [filled, zero] = [...bar.children].map((part) => part.getBoundingClientRect());
      const middle = filled.left + filled.width / 2;
      return filled.width < 2 ? 0 : middle - (zero ? zero.left : bar.getBoundingClientRect().left);
    }""")
    return side


def bars(viewer: Viewer) -> list[tuple[str, int]]:
    """Return the text and cell count of each bar of the histogram, read by keyboard."""
    histogram = viewer.page.get_by_role("slider", name=re.compile("^Histogram of "))
    histogram.focus()
    viewer.page.keyboard.press("Home")
    count = int(histogram.get_attribute("aria-valuemax") or "0")
    found = []
    for number in range(1, count + 1):
        expect(histogram).to_have_attribute("aria-valuenow", str(number))
        text = histogram.get_attribute("aria-valuetext") or ""
        count_text = re.search(r": ([\d,]+) cells?", text)
        assert count_text, text
        found.append((text, int(count_text[1].replace(",", ""))))
        viewer.page.keyboard.press("ArrowRight")
    return found


def test_truncated_bars_and_end_bars_are_labeled(opened: Any) -> None:
    adata = synthetic_tissue(n_cells=2000, seed=1)
    rng = np.random.default_rng(3)
    x = adata.X.toarray()
    values = np.where(rng.random(2000) < 0.8, 0, rng.gamma(4, 0.5, 2000)).astype(np.float32)
    values[np.flatnonzero(values)[:2]] = 900
    x[:, adata.var_names.get_loc("EPCAM")] = values
    adata.X = x
    adata.obs["signed"] = np.r_[rng.normal(0, 1, 1990), np.full(5, -800.0), np.full(5, 800.0)]
    viewer = opened(adata)
    page = viewer.page
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    found = bars(viewer)
    end = float(page.get_by_role("slider", name="Upper color limit").get_attribute("aria-valuemax") or "nan")
    wanted, _ = np.histogram(np.minimum(values, end), bins=len(found), range=(0, end))
    assert [count for _, count in found] == pytest.approx(wanted.tolist(), abs=1)
    assert sum(count for _, count in found) == 2000
    zeros = int((values == 0).sum())
    at_zero = "all" if zeros == found[0][1] else f"{zeros:,}"
    assert found[0][0].endswith(f"{at_zero} at 0; bar truncated")
    assert "and above, up to 900" in found[-1][0]
    note = page.locator(".ks-histogram-note")
    expect(note).to_contain_text("Height: √(cell count)")
    expect(note).to_contain_text(f"bar at 0 truncated: {found[0][1]:,} cells")
    expect(note).to_contain_text(re.compile(rf"last bar ≥ \S+: {found[-1][1]:,} cells"))
    drawn = page.locator(".ks-histogram > span")
    expect(drawn.first).to_have_class(re.compile("ks-cut"))
    expect(drawn.last).to_have_class(re.compile("ks-beyond"))
    # Pointing at a bar shows the same text.
    drawn.first.hover()
    expect(page.locator(".ks-bar-tip")).to_have_text(found[0][0])
    page.mouse.move(400, 400)
    expect(page.locator(".ks-bar-tip")).to_have_count(0)
    # Violins mark values beyond the axis.
    panel = page.locator(".ks-panel")
    panel.get_by_role("button", name="Violins").click()
    rows = panel.locator(".ks-violins li")
    expect(rows).to_have_count(adata.obs["cell_type"].nunique())
    upper = float(np.percentile(values[values != 0].astype(np.float64), 99))

    def violins_agree() -> None:
        for at in range(adata.obs["cell_type"].nunique()):
            title = rows.nth(at).get_attribute("title") or ""
            members = values[(adata.obs["cell_type"] == title.split(":")[0]).to_numpy()]
            above = int((members > upper).sum())
            above_text = re.search(r"([\d,]+) above", title)
            assert (int(above_text[1]) if above_text else 0) == above
            ends = rows.nth(at).locator(".ks-violin-end").count()
            assert ends == (above > 0)

    holds(violins_agree, page=page)
    expect(panel.locator(".ks-violin-note")).to_contain_text("square root of the number of cells")
    # A signed column has values beyond both ends, and no truncated bar.
    viewer.set(color={"kind": "annotation", "column": "signed"})

    def both_ends_include_values_beyond() -> None:
        found = bars(viewer)
        assert "and below, down to -800" in found[0][0]
        assert "and above, up to 800" in found[-1][0]
        assert found[0][1] >= 5
        assert found[-1][1] >= 5

    holds(both_ends_include_values_beyond, page=page)
    expect(page.locator(".ks-histogram > .ks-cut")).to_have_count(0)
    expect(page.locator(".ks-histogram > .ks-beyond")).to_have_count(2)
    assert viewer.problems == []


def test_cells_without_coordinates_in_an_embedding_are_excluded_from_the_rest(opened: Any) -> None:
    adata = synthetic_tissue(n_cells=2000, seed=1)
    placed = np.arange(2000) % 4 != 0
    adata.obsm["X_umap"] = np.where(placed[:, None], adata.obsm["X_umap"], np.nan)
    viewer = opened(adata)
    mask = np.arange(2000) < 600
    select(viewer, mask)
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    values = gene(adata)
    panel = viewer.page.get_by_role("region", name="Selection")
    rows = viewer.page.get_by_role("list", name="Mean of EPCAM").get_by_role("listitem")
    for layout, visible in (
        ({"kind": "embedding", "name": "X_umap"}, placed),
        ({"kind": "tissue"}, np.ones(2000, bool)),
    ):
        viewer.set(layout=layout)
        expect(panel.get_by_role("status")).to_contain_text(f"{(mask & visible).sum():,} cells")
        for at, cells in enumerate((mask & visible, ~mask & visible)):
            becomes(
                lambda at=at: float(rows.nth(at).locator(".ks-number").first.inner_text()),
                pytest.approx(values[cells].mean(), rel=0.01, abs=0.006),
                page=viewer.page,
            )
        note = panel.get_by_text("150 selected cells without coordinates in this embedding are excluded.")
        expect(note).to_have_count(0 if visible.all() else 1)
    assert viewer.problems == []
