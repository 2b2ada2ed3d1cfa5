"""Packed genes are listed, found by search, and drawn with exact values: on a host, from disk, and in one file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import Viewer
from pixels import colors_in
from playwright.sync_api import expect

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.scripts import carried_manifest
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

# The genes with files of their own; all genes are packed.
DENSE = ["EPCAM", "MS4A1"]


@pytest.fixture(scope="module")
def tissue() -> ad.AnnData:
    return synthetic_tissue(n_cells=2000, n_genes=200, seed=11)


@pytest.fixture(scope="module")
def folder(tissue: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("packed") / "b"
    # Small files, so that the genes are spread over many of them.
    adata_to_karospace(tissue, outdir, genes_mode=DENSE, packed="yes", max_asset_mb=0.02, image_path="none")
    return outdir


def assert_exact(viewer: Viewer, adata: ad.AnnData, genes: list[str]) -> None:
    for gene in genes:
        viewer.set(color={"kind": "gene", "gene": gene})
        values = adata[:, gene].X.toarray()[:, 0]
        cells = [0, int(values.argmax()), adata.n_obs - 1]
        assert [viewer.value(cell) for cell in cells] == values[cells].tolist()


def packed_only(adata: ad.AnnData) -> list[str]:
    """Return the genes that are only packed, without files of their own."""
    return [str(gene) for gene in adata.var_names if gene not in DENSE]


def test_every_gene_can_be_searched_and_drawn(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    page = viewer.open(serve(folder)).page
    expect(page.get_by_role("region", name="View")).to_contain_text("200 genes")
    gene = packed_only(tissue)[-1]
    page.get_by_role("tab", name="Gene").click()
    page.get_by_role("combobox", name="Gene", exact=True).fill(gene)
    page.get_by_role("option").first.get_by_text(gene, exact=True).click()
    viewer.until(f"state.color.gene === {json.dumps(gene)}")
    assert colors_in(viewer.pixels()) > 5
    assert_exact(viewer, tissue, [gene, packed_only(tissue)[0], *DENSE])
    assert viewer.problems == []


def test_choosing_a_packed_gene_reads_one_file(
    viewer: Viewer, folder: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    # Turn off reading ahead.
    viewer.page.add_init_script("Object.defineProperty(navigator, 'connection', {value: {saveData: true}})")
    viewer.open(serve(folder))
    viewer.set(color={"kind": "gene", "gene": packed_only(tissue)[0]})  # also reads the ladders, which all genes share
    gene = packed_only(tissue)[100]
    before = len(viewer.requests)
    viewer.set(color={"kind": "gene", "gene": gene})
    read = [url for url in viewer.requests[before:] if "/expression/" in url or "/packed/" in url]
    assert len(read) == 1
    assert "/packed/shard_" in read[0]


def test_folder_opens_with_a_double_click_without_dense_genes(
    viewer: Viewer, tissue: ad.AnnData, tmp_path: Path
) -> None:
    folder = tmp_path / "b"
    adata_to_karospace(tissue, folder, genes_mode=DENSE, packed="yes", image_path="none")
    viewer.open((folder / "index.html").as_uri())
    assert_exact(viewer, tissue, [*DENSE, *packed_only(tissue)[:2], packed_only(tissue)[-1]])
    carried = carried_manifest((folder / "manifest.js").read_bytes())
    assert "expression_chunk" not in {file.kind for file in carried.asset_files}
    Bundle(folder).verify()


def test_html_file_has_every_gene(viewer: Viewer, tmp_path: Path) -> None:
    adata = synthetic_tissue(n_cells=600, n_genes=60, seed=11)
    bundle = adata_to_karospace(
        adata, single_file=tmp_path / "t.html", genes_mode=DENSE, packed="yes", image_path="none"
    )
    assert bundle.path is not None
    viewer.open(bundle.path.as_uri())
    # As JSON text: Playwright serializes lists number by number, which takes seconds.
    found = viewer.page.evaluate(
        """async (genes) => {
          const values = [];
          for (const gene of genes) {
            await karospace.setState({color: {kind: 'gene', gene}});
            values.push(Array.from({length: karospace.cells}, (_, cell) => karospace.valueAt(cell)));
          }
          return JSON.stringify(values);
        }""",
        list(adata.var_names),
    )
    np.testing.assert_array_equal(np.array(json.loads(found), dtype=float), adata.X.toarray().T)
    bundle.verify()


def test_missing_values_are_drawn_as_missing(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    adata = synthetic_tissue(n_cells=600, n_genes=40, seed=3)
    values = adata.X.toarray()
    values[5, 20] = np.nan
    adata.X = sp.csr_matrix(values)
    gene = str(adata.var_names[20])
    adata_to_karospace(adata, tmp_path / "b", genes_mode=DENSE[:1], packed="yes")
    viewer.open(serve(tmp_path / "b"))
    viewer.set(color={"kind": "gene", "gene": gene})
    assert viewer.value(5) is None
    assert viewer.value(6) == values[6, 20]


def changed(folder: Path, to: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy a bundle without its scripts and change its manifest."""
    Bundle(folder).save(to, scripts="no")
    manifest = json.loads((to / "manifest.json").read_text())
    change(manifest)
    (to / "manifest.json").write_text(json.dumps(manifest))
    return to


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2"),
        ({"values": "float64"}, "float64"),
        ({"index": None}, "the packed genes cannot be read"),
        ({"index": ["nowhere.bin"]}, "nowhere.bin"),
    ],
)
def test_dense_genes_stay_usable_without_the_packed_ones(
    viewer: Viewer,
    folder: Path,
    tmp_path: Path,
    tissue: ad.AnnData,
    serve: Callable[[Path], str],
    change: dict[str, Any],
    message: str,
) -> None:
    viewer.open(serve(changed(folder, tmp_path / "b", lambda manifest: manifest["packed"].update(change))))
    expect(viewer.page.locator("body")).to_contain_text(message)
    assert_exact(viewer, tissue, DENSE)
    assert not viewer.page.evaluate(
        "gene => karospace.setState({color: {kind: 'gene', gene}}).then(() => true, () => false)",
        packed_only(tissue)[0],
    )


def test_damaged_file_affects_only_its_genes(
    viewer: Viewer, folder: Path, tmp_path: Path, tissue: ad.AnnData, serve: Callable[[Path], str]
) -> None:
    Bundle(folder).save(tmp_path / "b", scripts="no")
    packed = Bundle(folder).manifest.packed
    assert packed is not None
    [path] = packed.shards[0].paths
    file = tmp_path / "b" / path
    file.write_bytes(file.read_bytes()[:-20])
    viewer.open(serve(tmp_path / "b"))
    first, last = str(tissue.var_names[packed.shards[0].first]), str(tissue.var_names[-1])
    failure = viewer.page.evaluate(
        "gene => karospace.setState({color: {kind: 'gene', gene}}).then(() => '', String)", first
    )
    assert path in failure
    assert_exact(viewer, tissue, [last])
