"""One HTML file, opened by double click: no server, no request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Viewer, assert_genes

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


def test_it_opens_without_a_server(viewer: Viewer, tmp_path: Path) -> None:
    adata = synthetic_tissue(n_cells=3000, seed=1)
    bundle = adata_to_karospace(adata, single_file=tmp_path / "a b&c.html", genes_mode="all")
    assert bundle.path is not None
    url = bundle.path.as_uri()
    viewer.open(url)
    viewer.page.wait_for_load_state("networkidle")
    assert_genes(viewer, adata, ("EPCAM", bundle.manifest.gene_list[-1]))
    assert len(np.unique(viewer.pixels().reshape(-1, 3), axis=0)) > 20
    assert [request for request in viewer.requests if not request.startswith(("blob:", "data:"))] == [url]
    assert viewer.problems == []
