"""What the viewer holds on to: nothing after `dispose`, and no more genes than it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import Viewer

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.bundle.read import Bundle
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

COUNT_LIVE = Path(__file__).with_name("count_live.js").read_text()
NOTHING = {"listeners": [], "timers": 0, "frames": 0, "observers": 0, "workers": 0, "urls": 0, "gl": 0}
GENE_CACHE = 128 * 2**20
"""Bytes: CACHE_BYTES of js/src/data/genes.ts."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("leaks") / "bundle"
    return adata_to_karospace(synthetic_tissue(1500, 20, seed=1), folder, genes_mode="all", scripts="yes")


def use(viewer: Viewer, bundle: Bundle) -> None:
    """Everything once."""
    page = viewer.page
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, colormap="magma", scale="log1p")
    x, y = viewer.positions([7])[0]
    page.mouse.move(x - 20, y)
    page.mouse.move(x, y)
    page.get_by_role("tooltip").wait_for()
    page.keyboard.press("m")
    page.mouse.move(400, 300)
    page.mouse.down()
    page.mouse.move(600, 500, steps=4)
    page.mouse.up()
    page.wait_for_function("() => window.karospace.selection !== null")
    page.evaluate("window.karospace.setRegions([{name: 'here', mask: window.karospace.selection}])")
    page.keyboard.press("/")
    page.keyboard.type("cd")
    page.locator("#ks-gene-hits").get_by_role("option").first.wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    viewer.set(theme="dark", color={"kind": "annotation", "column": (bundle.manifest.columns or [])[0].name})
    page.evaluate("window.karospace.snapshot().then(() => null)")


@pytest.mark.parametrize("how", ["http", "file"])
def test_dispose_gives_everything_back(bundle: Bundle, serve: Any, viewer: Viewer, how: str) -> None:
    viewer.page.add_init_script(COUNT_LIVE)
    viewer.open(serve(bundle.path) if how == "http" else (bundle.path / "index.html").as_uri())
    use(viewer, bundle)
    held = viewer.page.evaluate("window.live()")
    assert held["gl"] > 0
    assert held["observers"] > 0
    assert len(held["listeners"]) > 20
    viewer.page.evaluate("window.karospace.dispose()")
    assert viewer.page.evaluate("window.leftOver()") == NOTHING
    assert viewer.page.evaluate("window.karospace.liveObjects") == 0
    assert viewer.problems == []


def test_dispose_in_the_middle_of_things(bundle: Bundle, serve: Any, viewer: Viewer) -> None:
    """While the first bytes come, and while a gene does."""
    viewer.page.add_init_script(COUNT_LIVE)
    url = serve(bundle.path)
    for ready in (False, True):
        viewer.page.goto(url)
        if ready:
            viewer.page.evaluate("window.karospace.ready")
        else:
            viewer.page.evaluate("window.karospace.ready.catch(() => {}); null")
        viewer.page.evaluate(
            """ready => {
                if (ready) window.karospace.setState({color: {kind: 'gene', gene: 'CD3E'}}).catch(() => {});
                window.karospace.dispose();
            }""",
            ready,
        )
        assert viewer.page.evaluate("window.leftOver()") == NOTHING
    assert viewer.problems == []


def test_a_lost_context_leaves_nothing(bundle: Bundle, serve: Any, viewer: Viewer) -> None:
    viewer.page.add_init_script(COUNT_LIVE)
    viewer.open(serve(bundle.path))
    viewer.lose_context()
    viewer.restore_context()
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    viewer.page.evaluate("window.karospace.dispose()")
    assert viewer.page.evaluate("window.leftOver()") == NOTHING


@pytest.fixture
def hundred_genes(tmp_path: Path) -> Bundle:
    """500,000 cells; a hundred genes, all in one file: their values are held apart all the same."""
    n, rng = 500_000, np.random.default_rng(0)
    x = sp.random(n, 1, density=0.01, format="csr", dtype=np.float32, random_state=0)
    adata = ad.AnnData(x, obsm={"spatial": rng.random((n, 2), dtype=np.float32)})
    adata.obs_names = adata.obs_names.astype(str)
    bundle = adata_to_karospace(adata, tmp_path / "many", genes_mode="all", scripts="no", preview=False)
    file = bundle.path / "manifest.json"
    manifest = json.loads(file.read_text())
    names = [f"gene {number}" for number in range(100)]
    entry = manifest["expression"]["genes"][0]
    manifest["expression"]["genes"] = [entry | {"gene": name, "index": i} for i, name in enumerate(names)]
    manifest |= {"gene_list": names, "n_genes_exported": len(names), "gene_labels": None}
    file.write_text(json.dumps(manifest))
    return Bundle(bundle.path)


def test_a_hundred_genes_stay_within_the_cache(hundred_genes: Bundle, serve: Any, viewer: Viewer) -> None:
    page = viewer.page
    page.set_viewport_size({"width": 300, "height": 200})
    viewer.open(serve(hundred_genes.path))
    page.wait_for_load_state("networkidle")
    tools = page.context.new_cdp_session(page)

    def array_buffers() -> int:
        # Twice: what the first frees may hold on to more.
        for _ in range(2):
            tools.send("HeapProfiler.collectGarbage")
        return int(tools.send("Runtime.getHeapUsage")["backingStorageSize"])

    n = hundred_genes.manifest.n_cells
    viewer.set(color={"kind": "gene", "gene": "gene 0"})
    before = array_buffers()
    for gene in hundred_genes.manifest.gene_list[1:]:
        viewer.set(color={"kind": "gene", "gene": gene})
    grown = array_buffers() - before
    # It keeps what it may, and nothing else of the 200 MB that went by.
    assert 0.5 * GENE_CACHE < grown <= GENE_CACHE + 4 * n
    assert viewer.problems == []
