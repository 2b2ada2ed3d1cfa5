"""Several matrices in one bundle: the viewer switches between them, on a host, from disk, and in one file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import Viewer
from playwright.sync_api import Locator, expect
from waiting import becomes, let_time_pass

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.scripts import carried_manifest
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

N, G = 1200, 120
MATRICES = ["X", "layer:counts", "layer:scaled", "raw"]
# The genes with files of their own; all genes are packed.
DENSE = ["EPCAM", "MS4A1"]


@pytest.fixture(scope="module")
def tissue() -> ad.AnnData:
    adata = synthetic_tissue(n_cells=N, n_genes=G, seed=7)
    rng = np.random.default_rng(7)
    adata.layers["scaled"] = rng.normal(size=(N, G)).astype(np.float32)
    raw = ad.AnnData(sp.csr_matrix(rng.poisson(0.7, (N, 40)).astype(np.float32)), obs=adata.obs[[]])
    raw.var_names = ["EPCAM", *(f"RAW{i}" for i in range(1, 40))]
    adata.raw = raw
    return adata


@pytest.fixture(scope="module")
def folder(tissue: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("matrices") / "b"
    adata_to_karospace(tissue, outdir, matrices=MATRICES, genes_mode=DENSE, image_path="none")
    return outdir


def values_of(tissue: ad.AnnData, matrix: str, gene: str) -> list[float]:
    """Return the values of a gene in a matrix for all cells, as float32."""
    source = tissue.raw if matrix == "raw" else tissue
    values = {"X": tissue.X, "layer:counts": tissue.layers["counts"], "layer:scaled": tissue.layers["scaled"]}
    x = sp.csr_matrix(tissue.raw.X if matrix == "raw" else values[matrix])
    column = x[:, list(source.var_names).index(gene)].toarray().ravel()
    return np.asarray(column, dtype=np.float32).tolist()


def assert_shows(viewer: Viewer, tissue: ad.AnnData, matrix: str, gene: str) -> None:
    wanted = values_of(tissue, matrix, gene)
    cells = [int(np.argmax(wanted)), 0, N - 1]
    viewer.becomes(lambda: [viewer.value(cell) for cell in cells], [wanted[cell] for cell in cells])


def open_matrix_menu(viewer: Viewer) -> Locator:
    """Open the Gene tab and return its list of matrices."""
    viewer.page.get_by_role("tab", name="Gene").click()
    return viewer.page.get_by_role("combobox", name="Matrix")


def packed_only(tissue: ad.AnnData) -> str:
    """Return a gene that is only packed, without a file of its own."""
    return str(next(gene for gene in reversed(tissue.var_names) if gene not in DENSE))


def test_matrix_is_chosen_in_the_gene_tab(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    gene = packed_only(tissue)
    viewer.set(color={"kind": "gene", "gene": gene})
    assert_shows(viewer, tissue, "X", gene)
    menu = open_matrix_menu(viewer)
    expect(menu.locator("option")).to_have_text(MATRICES)
    for matrix, noun in (("layer:counts", "counts"), ("layer:scaled", "scaled values"), ("X", "log1p values")):
        menu.select_option(matrix)
        expect(page.get_by_text(f"Mean of {noun}", exact=True)).to_be_visible()
        viewer.until(f"(state.matrix ?? 'X') === {json.dumps(matrix)}")
        assert_shows(viewer, tissue, matrix, gene)
        expect(page.get_by_text(f"Matrix: {matrix}", exact=True)).to_be_visible()
    assert viewer.problems == []


def test_limits_blends_scores_and_tables_use_the_chosen_matrix(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    viewer.open(serve(folder))
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, range=[0.5, 1.5])
    viewer.set(matrix="layer:counts")
    assert viewer.page.evaluate("karospace.getState().range") is None
    rows = list(csv.reader(io.StringIO(viewer.page.evaluate("karospace.table()"))))
    assert rows[0][-1] == "EPCAM (layer:counts)"
    counts = values_of(tissue, "layer:counts", "EPCAM")
    assert [float(row[-1]) for row in rows[1:]] == counts
    viewer.set(color={"kind": "score", "name": "both", "genes": DENSE})
    mean = np.mean([values_of(tissue, "layer:counts", gene) for gene in DENSE], axis=0)
    assert viewer.value(3) == pytest.approx(mean[3])
    viewer.set(color={"kind": "blend", "genes": DENSE})
    table = viewer.page.evaluate("karospace.table()")
    head, first, *_ = csv.reader(io.StringIO(table))
    assert head[-2:] == [f"{gene} (layer:counts)" for gene in DENSE]
    assert [float(text) for text in first[-2:]] == [values_of(tissue, "layer:counts", gene)[0] for gene in DENSE]


def test_raw_has_its_own_genes(viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]) -> None:
    page = viewer.open(serve(folder)).page
    viewer.set(matrix="raw", color={"kind": "gene", "gene": "RAW7"})
    assert_shows(viewer, tissue, "raw", "RAW7")
    expect(page.get_by_role("region", name="View")).to_contain_text("40 genes")
    menu = open_matrix_menu(viewer)
    menu.select_option("X")
    expect(page.get_by_text("The matrix X has no gene “RAW7”")).to_be_visible()
    menu.select_option("raw")
    viewer.until("state.matrix === 'raw'")
    assert_shows(viewer, tissue, "raw", "RAW7")


def test_comparison_and_dot_plot_use_the_chosen_matrix(
    viewer: Viewer, folder: Path, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    viewer.set(color={"kind": "annotation", "column": "cell_type"}, matrix="layer:counts")
    page.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, cell) => +(cell < 300)))")
    page.get_by_role("region", name="Selection").get_by_role("button", name="Compare genes").click()
    panel = page.get_by_role("region", name="Compare genes")
    expect(panel.get_by_role("status")).to_contain_text(f"{G} genes of layer:counts")
    expect(panel).to_contain_text("ratio of the means of counts")
    panel.get_by_role("button", name="Dot plot").click()
    plot = page.get_by_role("region", name="Dot plot")
    expect(plot).to_contain_text("layer:counts")
    expect(plot).to_contain_text("Mean of counts")
    viewer.set(matrix=None)
    expect(panel).to_contain_text("Compare again")
    expect(plot).to_contain_text("Mean of log1p values")


def test_saved_view_opens_with_its_matrix(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    url = serve(folder)
    viewer.open(url)
    viewer.set(matrix="layer:counts", color={"kind": "gene", "gene": packed_only(tissue)})
    saved = viewer.page.evaluate("karospace.getView()")
    viewer.set(matrix=None)
    viewer.page.evaluate("view => karospace.setView(view)", saved)
    assert_shows(viewer, tissue, "layer:counts", packed_only(tissue))
    (tmp_path / "view.json").write_text(json.dumps(saved))
    adata_to_karospace(tissue, tmp_path / "b", matrices=MATRICES, genes_mode=DENSE, view=tmp_path / "view.json")
    viewer.open(serve(tmp_path / "b"))
    assert_shows(viewer, tissue, "layer:counts", packed_only(tissue))


def test_view_with_a_missing_matrix_is_applied_without_it(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    state = {"matrix": "layer:gone", "color": {"kind": "gene", "gene": "EPCAM"}, "opacity": 0.5, "range": [5, 6]}
    page.evaluate("view => karospace.setView(view).catch(() => {})", {"karospace_view": 1, "state": state})
    expect(page.get_by_text("The bundle has no matrix “layer:gone”")).to_be_visible()
    assert page.evaluate("karospace.getState().opacity") == 0.5
    assert page.evaluate("karospace.getState().matrix") is None
    assert page.evaluate("karospace.getState().range") is None
    assert_shows(viewer, tissue, "X", "EPCAM")


def test_damaged_matrix_leaves_the_others_usable(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    Bundle(folder).save(tmp_path / "b", scripts="no")
    index = next((tmp_path / "b" / "assets" / "packed_1").glob("index*"))
    index.write_bytes(index.read_bytes()[:-9])
    page = viewer.open(serve(tmp_path / "b")).page
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    menu = open_matrix_menu(viewer)
    menu.select_option("layer:counts")
    expect(page.get_by_text("packed_1/index").first).to_be_visible()
    expect(menu).to_have_value("X")
    assert_shows(viewer, tissue, "X", "EPCAM")
    menu.select_option("layer:scaled")
    viewer.until("state.matrix === 'layer:scaled'")
    assert_shows(viewer, tissue, "layer:scaled", "EPCAM")


@pytest.mark.parametrize("form", ["double click", "html"])
def test_all_matrices_open_from_disk_without_files_of_single_genes(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, tmp_path: Path, form: str
) -> None:
    if form == "html":
        page = Bundle(folder).to_html(tmp_path / "t.html")
        assert Bundle(page).verify().warnings == ()
        kinds = {file.kind for file in Bundle(page).manifest.asset_files}
    else:
        page = folder / "index.html"
        kinds = {file.kind for file in carried_manifest((folder / "manifest.js").read_bytes()).asset_files}
    assert "expression_chunk" not in kinds
    viewer.open(page.as_uri())
    for matrix, gene in (
        ("raw", "RAW7"),
        ("layer:counts", packed_only(tissue)),
        ("layer:counts", "EPCAM"),
        ("X", "MS4A1"),
    ):
        viewer.set(matrix=matrix, color={"kind": "gene", "gene": gene})
        assert_shows(viewer, tissue, matrix, gene)
    assert viewer.problems == []


@pytest.fixture(scope="module")
def many_files(tissue: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose packed genes are spread over many small files."""
    outdir = tmp_path_factory.mktemp("ahead") / "b"
    adata_to_karospace(tissue, outdir, genes_mode=DENSE, max_asset_mb=0.004, image_path="none")
    return outdir


def shards_read(viewer: Viewer) -> list[str]:
    return [url.rsplit("/", 1)[1] for url in viewer.requests if "/packed/shard_" in url]


def shard_genes(folder: Path, tissue: ad.AnnData) -> list[tuple[list[str], str]]:
    """Return the files of each shard, and one of its genes."""
    packed = Bundle(folder).manifest.packed
    assert packed is not None
    return [
        ([path.rsplit("/", 1)[1] for path in shard.paths], str(tissue.var_names[shard.first]))
        for shard in packed.shards
    ]


def test_genes_next_to_the_chosen_one_are_read_ahead_once(
    viewer: Viewer, many_files: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    viewer.open(serve(many_files))
    shards = shard_genes(many_files, tissue)
    assert len(shards) > 12
    before = len(shards_read(viewer))
    viewer.set(color={"kind": "gene", "gene": shards[5][1]})
    wanted = sorted(path for at in (4, 5, 6) for path in shards[at][0])
    becomes(lambda: sorted(shards_read(viewer)[before:]), wanted, page=viewer.page)
    # A click on a gene that was read ahead needs no request.
    viewer.set(color={"kind": "gene", "gene": shards[6][1]})
    becomes(lambda: sorted(shards_read(viewer)[before:]), sorted([*wanted, *shards[7][0]]), page=viewer.page)


def test_nothing_is_read_ahead_on_connections_that_save_data(
    viewer: Viewer, many_files: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    viewer.page.add_init_script(
        "Object.defineProperty(navigator, 'connection', {value: {saveData: true}, configurable: true})"
    )
    viewer.open(serve(many_files))
    shards = shard_genes(many_files, tissue)
    for at in (5, 9):
        before = len(shards_read(viewer))
        viewer.set(color={"kind": "gene", "gene": shards[at][1]})
        # Longer than the pause before reading ahead.
        let_time_pass(1, page=viewer.page)
        assert sorted(shards_read(viewer)[before:]) == sorted(shards[at][0])
