"""All genes are compared between two groups of cells in the page: in a worker, in slices, from a host and from disk."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from axe import barriers
from comparison import compare_category, panel, saved_table
from conftest import Viewer
from PIL import Image
from playwright.sync_api import expect
from scipy import stats

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

INSIDE = 500


@pytest.fixture(scope="module")
def tissue() -> ad.AnnData:
    return synthetic_tissue(n_cells=2000, n_genes=200, seed=11)


@pytest.fixture(scope="module")
def folder(tissue: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "b"
    # Small files, so that the genes are in many of them.
    adata_to_karospace(tissue, path, genes_mode=["EPCAM"], packed="yes", max_asset_mb=0.02, image_path="none")
    return path


def compare_selection(viewer: Viewer, inside: int = INSIDE) -> Any:
    """Compare the first cells with the rest, and wait for the table."""
    viewer.page.evaluate(
        "n => karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i < n ? 1 : 0))", inside
    )
    viewer.page.get_by_role("region", name="Selection").get_by_role("button", name="Compare genes").click()
    panel(viewer).get_by_role("table").wait_for()
    return panel(viewer)


def assert_numbers(table: dict[str, dict[str, float]], adata: ad.AnnData, genes: list[str]) -> None:
    """Assert that the table has the numbers that scipy computes from the object."""
    values = adata[:, genes].X.toarray().astype(np.float64)
    for i, gene in enumerate(genes):
        inside, rest = values[:INSIDE, i], values[INSIDE:, i]
        rank = stats.mannwhitneyu(inside, rest, method="asymptotic")
        welch = stats.ttest_ind(inside, rest, equal_var=False)
        ratio = np.log2((np.expm1(inside.mean()) + 1e-9) / (np.expm1(rest.mean()) + 1e-9))
        found = table[gene]
        assert found["u"] == rank.statistic
        expected = {
            "mean_a": inside.mean(),
            "mean_b": rest.mean(),
            "fraction_a": (inside > 0).mean(),
            "fraction_b": (rest > 0).mean(),
            "log2_fold_change": ratio,
            "auc": rank.statistic / (INSIDE * (len(values) - INSIDE)),
            "log10_p": np.log10(rank.pvalue),
            "t": welch.statistic,
            "t_df": welch.df,
            "t_log10_p": np.log10(welch.pvalue),
        }
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9, nan_ok=True), gene


def test_table_has_the_numbers_of_every_gene(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    viewer.page.add_init_script("""window.answers = 0; window.Worker = class extends Worker {
      constructor(...args) { super(...args); this.addEventListener('message', () => window.answers++); } };""")
    page = viewer.open(serve(folder)).page
    started: list[Any] = []
    page.on("worker", lambda worker: started.append(worker))
    shown = compare_selection(viewer)
    expect(shown).to_contain_text("500 and 1,500 cells · 200 genes")
    table = saved_table(viewer)
    assert sorted(table) == sorted(tissue.var_names)
    assert_numbers(table, tissue, [str(gene) for gene in tissue.var_names])
    assert len(started) == 1
    # The worker itself sent the answers: one to the request, and one for each file.
    packed = Bundle(folder).manifest.packed
    assert packed is not None
    viewer.becomes(lambda: page.evaluate("window.answers"), 1 + len(packed.shards))
    z = [row["z"] for row in table.values() if not np.isnan(row["z"])]
    assert z == sorted(z, reverse=True)
    gene = next(iter(table))
    first = shown.get_by_role("row").nth(1).get_by_role("button")
    expect(first).to_have_text(gene)
    first.click()
    viewer.until(f"state.color.gene === {json.dumps(gene)}")
    expect(shown.get_by_role("button", name=gene, exact=True)).to_have_attribute("aria-pressed", "true")
    expect(shown.get_by_role("region", name="Legend")).to_contain_text(gene)
    assert viewer.problems == []


def test_adjusted_p_values_are_those_of_benjamini_and_hochberg(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str]
) -> None:
    viewer.open(serve(folder))
    compare_selection(viewer)
    rows = [row for row in saved_table(viewer).values() if not np.isnan(row["log10_p"])]
    expected = stats.false_discovery_control([10 ** row["log10_p"] for row in rows])
    assert [10 ** row["log10_p_adjusted"] for row in rows] == pytest.approx(expected.tolist(), rel=1e-9)


def test_pages_without_workers_compare_in_slices(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    page = viewer.page
    page.add_init_script("window.Worker = class { constructor() { throw new DOMException('no', 'SecurityError'); } };")
    viewer.open(serve(folder))
    compare_selection(viewer)
    assert_numbers(saved_table(viewer), tissue, ["EPCAM", "MS4A1"])
    assert viewer.problems == []


@pytest.mark.parametrize("single", [False, True], ids=["folder", "html"])
def test_genes_are_compared_in_bundles_opened_from_disk(
    viewer: Viewer, tmp_path: Path, tissue: ad.AnnData, single: bool
) -> None:
    where = {"single_file": tmp_path / "t.html"} if single else {"outdir": tmp_path / "b"}
    adata_to_karospace(tissue, **where, genes_mode=["EPCAM"], packed="yes", image_path="none")  # type: ignore[arg-type]
    started: list[Any] = []
    viewer.page.on("worker", lambda worker: started.append(worker))
    viewer.open((tmp_path / ("t.html" if single else "b/index.html")).as_uri())
    compare_selection(viewer)
    assert_numbers(saved_table(viewer), tissue, ["EPCAM", "MS4A1"])
    assert len(started) == 1


def test_bundle_without_packed_genes_compares_those_it_has(
    viewer: Viewer, tmp_path: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    genes = ["EPCAM", "MS4A1", "CD3E"]
    adata_to_karospace(tissue, tmp_path / "b", genes_mode=genes, packed="no", image_path="none")
    viewer.open(serve(tmp_path / "b"))
    expect(compare_selection(viewer)).to_contain_text("3 exported genes")
    assert_numbers(saved_table(viewer), tissue, genes)


def test_category_is_compared_with_one_click(viewer: Viewer, folder: Path, serve: Callable[[Path], str]) -> None:
    page = viewer.open(serve(folder)).page
    shown = compare_category(viewer, "T cell")
    expect(shown.get_by_role("row").nth(1).get_by_role("button")).to_have_text(re.compile("^(CD3[DE]|CD2|CD8A|TRAC)$"))
    # The groups can be swapped, and other categories chosen.
    shown.get_by_role("button", name="Swap groups").click()
    expect(shown.get_by_label("Group A").locator("option:checked")).to_have_text("Rest")
    shown.get_by_label("Group A").select_option(label="Tumor")
    expect(shown.get_by_label("Group B").locator("option:checked")).to_have_text("T cell")
    shown.get_by_role("table").wait_for()
    shown.get_by_role("button", name="Close comparison").click()
    expect(page.get_by_role("list", name="Categories")).to_be_visible()


def test_rows_are_sorted_and_filtered(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    viewer.open(serve(folder))
    shown = compare_selection(viewer)
    table = saved_table(viewer)
    names = shown.locator("tbody th")
    shown.get_by_role("button", name="Gene", exact=True).click()
    expect(shown.get_by_role("columnheader", name="Gene")).to_have_attribute("aria-sort", "ascending")
    by_name = sorted(
        tissue.var_names, key=lambda name: [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", name)]
    )
    expect(names).to_have_text(by_name[:100])
    # Equal numbers stay in the order of the matrix.
    for sign in (-1, 1):
        shown.get_by_role("button", name="AUC").click()
        expect(names).to_have_text(
            sorted(tissue.var_names, key=lambda gene, sign=sign: sign * table[gene]["auc"])[:100]
        )
    shown.get_by_role("button", name="100 more").click()
    expect(shown.locator("tbody tr")).to_have_count(200)
    shown.get_by_label("Filter genes").fill("epc")
    expect(names).to_have_text(["EPCAM"])
    shown.get_by_label("Filter genes").fill("nothing like this")
    shown.get_by_text("No matching genes.").wait_for()


def test_volcano_plot_names_a_gene_and_colors_by_it(viewer: Viewer, folder: Path, serve: Callable[[Path], str]) -> None:
    page = viewer.open(serve(folder)).page
    shown = compare_category(viewer, "T cell")
    plot = shown.get_by_role(
        "img", name="Volcano plot of 200 genes: log₂ fold change against −log₁₀ adjusted p-value. The table"
    )
    box = plot.bounding_box()
    assert box is not None
    # The most significant gene is at the top. The largest fold change of genes in both groups sets the width.
    table = saved_table(viewer)
    top = min(table, key=lambda gene: np.nan_to_num(table[gene]["log10_p_adjusted"], nan=0))
    in_both = [row for row in table.values() if row["fraction_a"] and row["fraction_b"]]
    widest = 1.05 * max(1, *(abs(row["log2_fold_change"]) for row in in_both))
    half = (box["width"] - 52) / 2
    page.mouse.move(
        box["x"] + 44 + half + half * table[top]["log2_fold_change"] / widest, box["y"] + 8 + 146 * (1 - 1 / 1.05)
    )
    expect(shown.locator(".ks-volcano-about")).to_contain_text(top)
    page.mouse.down()
    page.mouse.up()
    viewer.until(f"state.color.gene === {json.dumps(top)}")


def test_groups_that_cannot_be_compared_are_explained(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    shown = compare_selection(viewer)
    shown.get_by_label("Group B").select_option(label="T cell")
    shown.get_by_role("alert").filter(
        has_text=re.compile(r"^\d+ cells are in both groups\. Choose groups that do not overlap")
    ).wait_for()
    page.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i < 2 ? 1 : 0))")
    page.get_by_role("region", name="Selection").get_by_role("button", name="Compare genes").click()
    shown.get_by_text("“Selection” has 2 visible cells. A comparison needs at least 3 in each group.").wait_for()
    page.evaluate("karospace.select(new Uint8Array(karospace.cells).fill(1))")
    page.get_by_role("region", name="Selection").get_by_role("button", name="Compare genes").click()
    shown.get_by_text("“Rest” has no visible cells. A comparison needs at least 3 in each group.").wait_for()


def test_button_below_the_legend_compares_the_selection_if_there_is_one(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    button = page.get_by_role("tabpanel").get_by_role("button", name="Compare genes")
    button.click()
    largest = tissue.obs["cell_type"].value_counts().max()
    expect(panel(viewer)).to_contain_text(f"{largest:,} and {tissue.n_obs - largest:,} cells")
    panel(viewer).get_by_role("button", name="Close").click()
    page.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i < 40 ? 1 : 0))")
    button.click()
    expect(panel(viewer)).to_contain_text("40 and 1,960 cells")


def test_changed_selection_makes_the_result_outdated(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    shown = compare_selection(viewer)
    page.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i < 40 ? 1 : 0))")
    shown.get_by_text("The groups or the values have changed.").wait_for()
    expect(shown).to_contain_text("500 and 1,500 cells")
    shown.get_by_role("button", name="Compare again").click()
    expect(shown).to_contain_text("40 and 1,960 cells")
    expect(shown).not_to_contain_text("have changed")


def test_only_changes_of_the_groups_make_a_result_outdated(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    viewer.set(hidden={"cell_type": ["Macrophage"]})
    shown = compare_category(viewer, "T cell")
    counts = tissue.obs["cell_type"].value_counts()
    rest = tissue.n_obs - counts["T cell"] - counts["Macrophage"]
    status = f"{counts['T cell']:,} and {rest:,} cells"
    expect(shown).to_contain_text(status)
    # The color, the selection and regions do not affect these groups.
    shown.get_by_role("row").nth(1).get_by_role("button").click()
    viewer.until("state.color.kind === 'gene'")
    page.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i < 40 ? 1 : 0))")
    page.evaluate("karospace.setRegions([{name: 'a', mask: new Uint8Array(karospace.cells).fill(1, 9)}])")
    expect(shown).not_to_contain_text("have changed")
    shown.get_by_role("button", name="Swap groups").click()
    expect(shown).to_contain_text(f"{rest:,} and {counts['T cell']:,} cells")
    viewer.set(hidden={})
    shown.get_by_text("The groups or the values have changed.").wait_for()


def test_escape_closes_the_dot_plot_and_the_comparison_before_the_selection(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    compare_selection(viewer).get_by_role("button", name="Dot plot").click()
    dots(viewer).wait_for()
    expect(panel(viewer)).to_be_visible()
    panel(viewer).get_by_role("heading", name="Compare genes").click()
    page.keyboard.press("Escape")
    expect(dots(viewer)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(panel(viewer)).to_have_count(0)
    assert page.evaluate("karospace.selection !== null")
    page.keyboard.press("Escape")
    viewer.becomes(lambda: page.evaluate("karospace.selection"), None)


def test_comparison_can_be_canceled(viewer: Viewer, folder: Path, serve: Callable[[Path], str]) -> None:
    page = viewer.page
    held: list[Any] = []
    page.route("**/packed/shard_*", lambda route: held.append(route))
    viewer.open(serve(folder))
    page.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i < 40 ? 1 : 0))")
    page.get_by_role("region", name="Selection").get_by_role("button", name="Compare genes").click()
    panel(viewer).get_by_text("0 of 200 genes").wait_for()
    viewer.becomes(lambda: len(page.workers), 1)
    panel(viewer).get_by_role("button", name="Cancel").click()
    expect(panel(viewer)).to_have_count(0)
    viewer.becomes(lambda: len(page.workers), 0)
    for route in held:
        route.abort()
    assert [problem for problem in viewer.problems if "Failed to load" not in problem] == []


def test_missing_file_affects_only_its_genes(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    packed = Bundle(folder).manifest.packed
    assert packed is not None
    shard = packed.shards[0]
    viewer.page.route(f"**/{shard.paths[0]}", lambda route: route.fulfill(status=404))
    viewer.open(serve(folder))
    shown = compare_selection(viewer)
    shown.get_by_role("alert").filter(has_text=shard.paths[0]).wait_for()
    table = saved_table(viewer)
    lost = {str(gene) for gene in tissue.var_names[shard.first : shard.end]}
    assert {gene for gene, row in table.items() if np.isnan(row["mean_a"])} == lost
    assert_numbers(table, tissue, [str(tissue.var_names[shard.end]), str(tissue.var_names[-1])])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_comparison_has_no_barriers(viewer: Viewer, folder: Path, serve: Callable[[Path], str], scheme: str) -> None:
    viewer.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    viewer.open(serve(folder))
    shown = compare_selection(viewer)
    shown.get_by_role("row").nth(1).get_by_role("button").click()
    viewer.until("state.color.kind === 'gene'")
    assert barriers(viewer.page) == []
    viewer.page.set_viewport_size({"width": 400, "height": 500})
    assert barriers(viewer.page) == []


def dots(viewer: Viewer) -> Any:
    return viewer.page.get_by_role("region", name="Dot plot")


def saved_plot(viewer: Viewer, ending: str) -> bytes:
    with viewer.page.expect_download() as saved:
        dots(viewer).get_by_role("button", name=ending.upper(), exact=True).click()
    assert saved.value.suggested_filename.endswith(f"dots_cell_type.{ending}")
    return Path(saved.value.path()).read_bytes()


def test_dot_plot_shows_genes_in_all_categories(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    compare_category(viewer, "T cell").get_by_role("button", name="Dot plot").click()
    genes = [next(iter(saved_table(viewer))), "MS4A1", "EPCAM"]
    expect(dots(viewer).get_by_role("button", name="Color by")).to_have_count(15)
    field = dots(viewer).get_by_label("Genes of the dot plot")
    expect(field).to_have_value(re.compile(f"^{genes[0]}, "))
    field.fill(f"{genes[0]} ms4a1;EPCAM, NOTAGENE")
    field.press("Enter")
    dots(viewer).get_by_role("alert").filter(has_text="No gene is named NOTAGENE.").wait_for()
    expect(dots(viewer).get_by_role("button", name="Color by")).to_have_count(3)
    # The numbers are those of the object.
    values = tissue[:, genes].X.toarray()
    types = tissue.obs["cell_type"]
    for at, gene in enumerate(genes):
        inside = values[(types == "B cell").to_numpy(), at]
        title = dots(viewer).locator("title").filter(has_text=f"{gene}, B cell: mean")
        share = re.sub(r"\D.*", "", f"{(inside > 0).mean() * 100:.0f}")
        expect(title).to_have_text(re.compile(rf"in (< )?{share}(\.\d)?%$"))
        radius = float(title.locator("..").get_attribute("r"))  # type: ignore[arg-type]
        assert radius == pytest.approx(9.5 * np.sqrt((inside > 0).mean()))
    dots(viewer).get_by_role("button", name="Color by MS4A1").press("Enter")
    viewer.until("state.color.gene === 'MS4A1'")
    assert barriers(page) == []
    dots(viewer).get_by_role("button", name="Close dot plot").click()
    expect(dots(viewer)).to_have_count(0)
    assert viewer.problems == []


def test_dot_plot_is_saved_as_svg_and_png(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    viewer.open(serve(folder))
    compare_category(viewer, "T cell").get_by_role("button", name="Dot plot").click()
    expect(dots(viewer).get_by_role("button", name="Color by")).to_have_count(15)
    svg = ET.fromstring(saved_plot(viewer, "svg"))
    assert "var(" not in ET.tostring(svg, encoding="unicode")
    texts = ["".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {*tissue.obs["cell_type"].cat.categories} <= {*texts}
    genes = set(tissue.var_names)
    assert len([text for text in texts if text in genes]) == 15
    picture = Image.open(io.BytesIO(saved_plot(viewer, "png")))
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert picture.size == pytest.approx((3 * width, 3 * height), abs=3)
    assert len(set(picture.convert("RGB").get_flattened_data())) > 100  # type: ignore[attr-defined]


def test_names_fit_into_the_dot_plot(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    adata = synthetic_tissue(n_cells=400, n_genes=40, seed=2)
    adata.var_names = [f"WWWWMMMM{i}" for i in range(20)] + [f"LONG-{'W' * 40}-{i}" for i in range(20)]
    names = {name: f"{name} of the outer marginal zone, activated and cycling" for name in ("Tumor", "T cell")}
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.rename_categories(names)
    adata_to_karospace(adata, tmp_path / "b", genes_mode="all", image_path="none")
    page = viewer.open(serve(tmp_path / "b")).page
    compare_category(viewer, "Fibroblast").get_by_role("button", name="Dot plot").click()
    dots(viewer).get_by_role("button", name="Color by").first.wait_for()
    outside = page.evaluate("""() => {
      const plot = document.querySelector('.ks-dot-scroll svg');
      const {left, top, right, bottom} = plot.getBoundingClientRect();
      return [...plot.querySelectorAll('text')].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.left < left - 0.5 || box.top < top - 0.5 || box.right > right + 0.5 || box.bottom > bottom + 0.5;
      }).map((text) => text.textContent);
    }""")
    assert outside == []


@pytest.mark.filterwarnings("ignore")  # scanpy emits them
def test_markers_of_real_cells_are_those_of_scanpy(
    viewer: Viewer, real_data: Path, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    adata = ad.read_h5ad(real_data / "pbmc68k_reduced.h5ad")
    cells = adata.raw.to_adata()  # X of the file is scaled, raw is log1p
    cells.obsm["spatial"] = np.asarray(cells.obsm["X_umap"])
    adata_to_karospace(cells, tmp_path / "b", packed="yes", genes_mode="hvgs:10")
    viewer.open(serve(tmp_path / "b"))
    cells.X = cells.X.astype(np.float64)  # scanpy's variances of float32 have about six digits
    category = "CD19+ B"
    shown = compare_category(viewer, category, "bulk_labels")
    table = pd.DataFrame(saved_table(viewer)).T
    for chip, method, score in (("Wilcoxon", "wilcoxon", "z"), ("Welch", "t-test", "t")):
        options = {"tie_correct": True} if method == "wilcoxon" else {}
        sc.tl.rank_genes_groups(cells, "bulk_labels", method=method, use_raw=False, **options)
        theirs = sc.get.rank_genes_groups_df(cells, category).set_index("names")
        np.testing.assert_allclose(table[score][theirs.index], theirs["scores"], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(
            table["log2_fold_change"][theirs.index], theirs["logfoldchanges"], rtol=1e-5, atol=1e-5
        )
        shown.get_by_role("button", name=chip, exact=True).click()
        expect(shown.locator("tbody th").filter(visible=True).nth(19)).to_have_text(theirs.index[19])
        expect(shown.locator("tbody tr:nth-child(-n+20) th")).to_have_text(theirs.index[:20].tolist())


def test_scaled_values_have_no_fold_change(
    viewer: Viewer, tissue: ad.AnnData, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    scaled = tissue.copy()
    values = scaled.X.toarray()
    scaled.X = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-6)
    adata_to_karospace(scaled, tmp_path / "b", packed="yes", genes_mode="all", image_path="none")
    viewer.open(serve(tmp_path / "b"))
    shown = compare_category(viewer, "T cell")
    expect(shown.get_by_role("columnheader")).to_have_text(["Gene", "AUC", "Adj. p"])
    assert all(np.isnan(row["log2_fold_change"]) for row in saved_table(viewer).values())
    expect(shown).not_to_contain_text("Fold change")


def test_markers_can_be_reached_by_keyboard(viewer: Viewer, folder: Path, serve: Callable[[Path], str]) -> None:
    viewer.open(serve(folder))
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    page = viewer.page
    row = page.get_by_role("list", name="Categories").get_by_role("button", name=re.compile("^Tumor, "))
    markers = page.get_by_role("button", name="Markers of Tumor")
    expect(markers).to_have_css("opacity", "0")
    row.focus()
    expect(markers).to_have_css("opacity", "1")
    page.keyboard.press("ArrowRight")
    expect(markers).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(row).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(panel(viewer)).to_be_visible()
    expect(panel(viewer).get_by_label("Group A")).to_contain_text("Tumor")
