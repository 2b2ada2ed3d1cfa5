"""Single-file bundles open from disk without requests, and from a web host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Viewer, assert_genes
from pixels import colors_in

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


def test_single_file_opens_from_disk_without_requests(viewer: Viewer, tmp_path: Path) -> None:
    adata = synthetic_tissue(n_cells=3000, seed=1)
    bundle = adata_to_karospace(adata, single_file=tmp_path / "a b&c.html", genes_mode="all")
    assert bundle.path is not None
    url = bundle.path.as_uri()
    viewer.open(url)
    viewer.page.wait_for_load_state("networkidle")
    assert_genes(viewer, adata, ("EPCAM", bundle.manifest.gene_list[-1]))
    assert colors_in(viewer.pixels()) > 20
    assert [request for request in viewer.requests if not request.startswith(("blob:", "data:"))] == [url]
    assert viewer.problems == []


def test_address_on_a_web_host_contains_the_view(
    viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str], browser: Any
) -> None:
    adata = synthetic_tissue(n_cells=1500, seed=1)
    adata_to_karospace(adata, single_file=tmp_path / "tissue.html", genes_mode=["EPCAM"])
    viewer.open(serve(tmp_path) + "tissue.html")
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, camera={"x": 900, "y": 700, "zoom": 3})
    with browser.new_context(viewport={"width": 900, "height": 700}) as context:
        other = Viewer(context.new_page()).open(viewer.address())
        assert other.state() == viewer.state()
