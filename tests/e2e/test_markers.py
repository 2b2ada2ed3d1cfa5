"""Markers from the export are shown without reading the genes, and as a heat map."""

from __future__ import annotations

import io
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from axe import barriers
from comparison import compare_category, panel, saved_table
from conftest import Viewer
from PIL import Image
from playwright.sync_api import expect

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

COLUMN = "cell_type"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def tissue() -> ad.AnnData:
    return synthetic_tissue(n_cells=2000, n_genes=200, seed=11)


@pytest.fixture(scope="module")
def folder(tissue: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("markers") / "b"
    # Small files, so that genes and categories are spread over many of them.
    adata_to_karospace(tissue, outdir, genes_mode=["EPCAM"], max_asset_mb=0.02, image_path="none", scripts="no")
    return outdir


def status(viewer: Viewer) -> Any:
    return panel(viewer).get_by_role("status")


def assert_markers(viewer: Viewer, bundle: Bundle, name: str) -> None:
    """Assert that the saved table equals the markers that Python reads from the bundle."""
    expect(status(viewer)).to_contain_text("computed at export")
    found, markers = saved_table(viewer), bundle.markers(COLUMN)
    wanted = markers[markers["category"] == name].drop(columns="category").set_index("gene")
    assert list(next(iter(found.values()))) == list(wanted.columns)
    assert set(found) == set(wanted.index)
    for gene, row in wanted.iterrows():
        expected = [float(x) for x in row]
        assert list(found[str(gene)].values()) == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True), gene


def shards_read(viewer: Viewer) -> list[str]:
    return [url for url in viewer.requests if "/packed/shard_" in url]


def test_markers_are_read_from_the_file(viewer: Viewer, folder: Path, serve: Callable[[Path], str]) -> None:
    workers: list[Any] = []
    viewer.page.on("worker", lambda worker: workers.append(worker))
    viewer.open(serve(folder))
    compare_category(viewer, "T cell")
    assert_markers(viewer, Bundle(folder), "T cell")
    # Choose another category of the same column in the panel.
    panel(viewer).get_by_label("Group A").select_option(label="Tumor")
    expect(panel(viewer).get_by_label("Group A").locator("option:checked")).to_have_text("Tumor")
    panel(viewer).get_by_role("table").wait_for()
    assert_markers(viewer, Bundle(folder), "Tumor")
    assert (workers, shards_read(viewer), viewer.problems) == ([], [], [])


@pytest.mark.parametrize("single", [False, True], ids=["folder", "html"])
def test_markers_are_shown_in_bundles_opened_from_disk(
    viewer: Viewer, tmp_path: Path, tissue: ad.AnnData, single: bool
) -> None:
    where = {"single_file": tmp_path / "t.html"} if single else {"outdir": tmp_path / "b"}
    bundle = adata_to_karospace(tissue, **where, genes_mode=["EPCAM"], image_path="none")  # type: ignore[arg-type]
    viewer.open((tmp_path / ("t.html" if single else "b/index.html")).as_uri())
    compare_category(viewer, "B cell")
    assert_markers(viewer, bundle, "B cell")
    assert viewer.problems == []


def test_hidden_or_grouped_categories_do_not_use_stored_markers(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    viewer.open(serve(folder))
    shown = compare_category(viewer, "T cell")
    expect(status(viewer)).to_contain_text("computed at export")
    viewer.set(hidden={COLUMN: ["Tumor"]})
    shown.get_by_role("button", name="Compare again").click()
    rest = int((~tissue.obs[COLUMN].isin(["T cell", "Tumor"])).sum())
    expect(status(viewer)).to_contain_text(f"{rest:,} cells")
    expect(status(viewer)).not_to_contain_text("computed at export")
    assert "u" in next(iter(saved_table(viewer).values()))
    viewer.set(hidden={}, groups={COLUMN: [{"name": "Lymphocytes", "members": ["T cell", "B cell"]}]})
    shown.get_by_role("button", name="Close comparison").click()
    compare_category(viewer, "Lymphocytes")
    both = int(tissue.obs[COLUMN].isin(["T cell", "B cell"]).sum())
    expect(status(viewer)).to_contain_text(f"{both:,} and {2000 - both:,} cells")
    expect(status(viewer)).not_to_contain_text("computed at export")


def test_damaged_marker_file_is_named_and_the_genes_are_compared_instead(
    viewer: Viewer, folder: Path, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    saved = Bundle(folder).save(tmp_path / "b", scripts="no")
    packed = saved.manifest.packed
    assert packed is not None and packed.markers is not None
    path = packed.markers[0].shards[0].paths[0]
    (tmp_path / "b" / path).write_bytes(b"KSMK" + bytes(400))
    viewer.open(serve(tmp_path / "b"))
    first = saved.manifest.category_names(COLUMN)[0]
    shown = compare_category(viewer, first)
    shown.get_by_role("alert").filter(has_text=path).wait_for()
    expect(status(viewer)).not_to_contain_text("computed at export")
    found = saved_table(viewer)
    assert len(found) == 200
    assert not np.isnan([row["mean_a"] for row in found.values()]).any()


def heat_map(viewer: Viewer) -> Any:
    return viewer.page.get_by_role("region", name="Heat map")


def open_heat_map(viewer: Viewer) -> Any:
    compare_category(viewer, "T cell").get_by_role("button", name="Dot plot").click()
    viewer.page.get_by_role("region", name="Dot plot").get_by_role("button", name="Heat map", exact=True).click()
    expect(heat_map(viewer).get_by_role("button", name="Color by")).to_have_count(15)
    return heat_map(viewer)


def saved_plot(viewer: Viewer, ending: str) -> bytes:
    with viewer.page.expect_download() as saved:
        heat_map(viewer).get_by_role("button", name=ending.upper(), exact=True).click()
    assert saved.value.suggested_filename.endswith(f"heat_map_{COLUMN}.{ending}")
    return Path(saved.value.path()).read_bytes()


def fills(viewer: Viewer) -> dict[tuple[str, str], str]:
    """Return the color of each gene in each category."""
    found = {}
    for rect in ET.fromstring(saved_plot(viewer, "svg")).iter(f"{SVG}rect"):
        title = rect.findtext(f"{SVG}title")
        if title is not None:
            gene, _, rest = title.partition(", ")
            found[gene, rest.partition(": mean")[0]] = rect.attrib["fill"]
    return found


def test_heat_map_shows_the_means(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    opened = open_heat_map(viewer)
    field = opened.get_by_label("Genes of the heat map")
    field.fill("CD3E MS4A1 EPCAM")
    field.press("Enter")
    expect(opened.get_by_role("button", name="Color by")).to_have_count(3)
    names = tissue.obs[COLUMN].cat.categories
    expect(opened.locator("rect", has=page.locator("title"))).to_have_count(3 * len(names))
    means = {gene: tissue.to_df()[gene].groupby(tissue.obs[COLUMN], observed=True).mean() for gene in ("CD3E", "MS4A1")}
    weak, strong = sorted(means, key=lambda gene: means[gene].max())
    plain = fills(viewer)
    assert len(plain) == 3 * len(names)
    assert plain[weak, means[weak].idxmax()] != plain[strong, means[strong].idxmax()]
    opened.get_by_role("button", name="Scale each gene").click()
    expect(opened.locator("svg").last).to_contain_text("each gene scaled")
    # The highest and the lowest mean have the same colors for every gene.
    scaled = fills(viewer)
    assert scaled[weak, means[weak].idxmax()] == scaled[strong, means[strong].idxmax()]
    assert scaled[weak, means[weak].idxmin()] == scaled[strong, means[strong].idxmin()]
    assert scaled[weak, means[weak].idxmax()] != scaled[weak, means[weak].idxmin()]
    opened.get_by_role("button", name="Color by MS4A1").press("Enter")
    viewer.until("state.color.gene === 'MS4A1'")
    assert barriers(page) == []
    opened.get_by_role("button", name="Dots", exact=True).click()
    expect(page.get_by_role("region", name="Dot plot")).to_be_visible()
    assert viewer.problems == []


def test_heat_map_is_saved_as_svg_and_png(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    viewer.open(serve(folder))
    open_heat_map(viewer)
    svg = ET.fromstring(saved_plot(viewer, "svg"))
    squares = [rect for rect in svg.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    assert len(squares) == 15 * len(tissue.obs[COLUMN].cat.categories)
    assert not [circle for circle in svg.iter(f"{SVG}circle") if circle.find(f"{SVG}title") is not None]
    picture = Image.open(io.BytesIO(saved_plot(viewer, "png")))
    size = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert picture.size == pytest.approx((3 * size[0], 3 * size[1]), abs=3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_markers_and_heat_map_are_accessible(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str], scheme: str
) -> None:
    viewer.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    viewer.open(serve(folder))
    open_heat_map(viewer).get_by_role("button", name="Scale each gene").click()
    expect(status(viewer)).to_contain_text("computed at export")
    assert barriers(viewer.page) == []
    if shots := os.environ.get("KAROSPACE_SHOTS"):
        viewer.page.screenshot(path=Path(shots) / f"heat-map-{scheme}.png", animations="disabled")
