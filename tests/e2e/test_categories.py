"""Distributions of values by category, and genes sorted by their statistics in the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import becomes, eventually, holds, until_js

pytestmark = pytest.mark.e2e
GENES = ["EPCAM", "CD3E", "KRT8", "MS4A1"]


@pytest.fixture
def opened(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> tuple[Viewer, ad.AnnData]:
    viewer.open(
        serve(export(tissue, genes_mode=GENES, packed="no", annotation_columns=["cell_type", "region", "total_counts"]))
    )
    return viewer, ad.read_h5ad(tissue)


def values(adata: ad.AnnData, gene: str) -> Any:
    x: Any = adata[:, gene].X
    return x.toarray().ravel()


def violin_texts(page: Any, within: str) -> dict[str, str]:
    """Return the text of each violin by category, once the violins are up to date."""
    page.locator(f"{within} .ks-violins[aria-busy=false] li").first.wait_for()
    rows = page.locator(f"{within} .ks-violins[aria-busy=false] li")
    titles = eventually(lambda: rows.evaluate_all("rows => rows.map((row) => row.title)"))
    return dict(re.split(": (?:selected )?", title, maxsplit=1) for title in titles)


def quartiles(text: str) -> list[float]:
    median, first, third = re.search(r"median (\S+), quartiles (\S+) to (\S+?),", text).groups()  # type: ignore[union-attr]
    return [float(first), float(median), float(third)]


def test_violins_show_the_quartiles_of_each_category(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    page = viewer.page
    page.locator(".ks-panel").get_by_role("button", name="Violins").click()
    epcam = values(adata, "EPCAM")

    def match_each_category() -> None:
        rows = violin_texts(page, ".ks-panel")
        assert set(rows) == set(adata.obs["cell_type"].cat.categories)
        for name, text in rows.items():
            inside = epcam[(adata.obs["cell_type"] == name).to_numpy()]
            assert quartiles(text) == pytest.approx(np.percentile(inside, [25, 50, 75]).tolist(), rel=0.02, abs=0.006)
            assert f"{len(inside):,} cells" in text

    holds(match_each_category)
    # Another annotation splits the same values; the color of the tissue does not change.
    page.locator(".ks-panel").get_by_label("Split by").select_option("region")
    viewer.becomes(lambda: set(violin_texts(page, ".ks-panel")), set(adata.obs["region"].cat.categories))
    assert viewer.state()["color"] == {"kind": "gene", "gene": "EPCAM"}
    assert viewer.problems == []


def test_selection_is_compared_with_the_rest(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    page.evaluate(
        "n => window.karospace.select(Uint8Array.from({length: n}, (_, i) => (i % 3 === 0 ? 1 : 0)))", adata.n_obs
    )
    epcam = values(adata, "EPCAM")
    inside = np.arange(adata.n_obs) % 3 == 0
    share = f"{(epcam[inside] > 0).mean() * 100:.0f}% detected"
    page.locator(".ks-selection").get_by_text(share).wait_for()
    page.locator(".ks-selection").get_by_role("button", name="Violins").click()

    def match_both_sides() -> None:
        for name, text in violin_texts(page, ".ks-selection").items():
            selected, rest = text.split("; the rest ")
            kind = (adata.obs["cell_type"] == name).to_numpy()
            for shown, cells in ((selected, kind & inside), (rest, kind & ~inside)):
                wanted = np.percentile(epcam[cells], [25, 50, 75]).tolist()
                assert quartiles(shown) == pytest.approx(wanted, rel=0.02, abs=0.006)

    holds(match_both_sides)
    # Composition by any annotation, without changing the color.
    page.locator(".ks-selection").get_by_role("button", name="Share").click()
    page.locator(".ks-selection").get_by_label("Split by").select_option("region")
    rows = page.locator(".ks-composition[aria-label='Composition by region'] li")
    counts = adata.obs["region"][inside].value_counts()
    titles = eventually(lambda: rows.evaluate_all("rows => rows.map((row) => row.title.split(', ')[0])"))
    assert set(titles) <= {f"{name}: {count:,} selected" for name, count in counts.items()}
    assert viewer.problems == []


@pytest.mark.parametrize("order", ["mean", "fraction", "variability", "name"])
def test_genes_are_sorted_by_the_chosen_order(opened: tuple[Viewer, ad.AnnData], order: str) -> None:
    viewer, adata = opened
    page = viewer.page
    page.keyboard.press("/")
    page.get_by_label("Gene order").select_option(order)
    manifest = page.evaluate("fetch('manifest.json').then((response) => response.json())")
    rank = {entry["gene"]: entry["variability_rank"] for entry in manifest["expression"]["genes"]}
    keys: dict[str, Callable[[str], Any]] = {
        "mean": lambda gene: -values(adata, gene).mean(),
        "fraction": lambda gene: -(values(adata, gene) != 0).mean(),
        "variability": lambda gene: rank[gene],
        "name": lambda gene: gene,
    }
    wanted = sorted(GENES, key=keys[order])
    rows = page.get_by_role("option").filter(has_text=re.compile("|".join(GENES)))
    becomes(lambda: [text.split("\n")[0] for text in rows.all_inner_texts()], wanted)
    # The list has the focus: Enter chooses the first gene.
    page.keyboard.press("Enter")
    until_js(page, "window.karospace.getState().color.kind === 'gene'")
    assert viewer.state()["color"]["gene"] == wanted[0]


def test_view_restores_the_annotation_to_split_by(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> None:
    view = {"color": {"kind": "gene", "gene": "EPCAM"}, "groupBy": "region"}
    url = serve(export(tissue, genes_mode=GENES, packed="no"))
    viewer.page.goto(url)
    viewer.page.evaluate("window.karospace.ready")
    viewer.page.evaluate("view => window.karospace.setView(view)", view)
    expect(viewer.page.locator(".ks-panel").get_by_label("Split by")).to_have_value("region")
    failure = viewer.page.evaluate("window.karospace.setView({groupBy: 'no', opacity: 0.5}).then(() => '', String)")
    assert "no" in failure
    assert viewer.state()["opacity"] == 0.5
