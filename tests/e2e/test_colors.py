"""Color maps, blends and gene set scores are drawn according to the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from playwright.sync_api import expect

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


@pytest.fixture
def opened(viewer: Viewer, tmp_path: Path) -> tuple[Viewer, ad.AnnData]:
    adata = synthetic_tissue(n_cells=2000, seed=2)
    adata_to_karospace(adata, tmp_path / "b", genes_mode="all", image_path="none")
    viewer.open((tmp_path / "b" / "index.html").as_uri())
    viewer.set(opacity=1, pointSize=1.6)
    return viewer, adata


def dense(adata: ad.AnnData, gene: str) -> Any:
    x: Any = adata[:, gene].X
    return x.toarray().ravel()


def test_color_maps_can_be_reversed_logarithmic_and_dimmed(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    values = dense(adata, "EPCAM")
    high, zero = int(values.argmax()), int(np.flatnonzero(values == 0)[7])
    middle = int(np.argsort(values)[-400])
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, range=[0, float(values.max())], colormap="greys")
    normal = viewer.colors([high, middle])
    viewer.set(reversed=True)
    flipped = viewer.colors([high, middle])
    assert normal[0].mean() < 60 < 200 < flipped[0].mean()
    viewer.set(reversed=False, scale="log1p")
    # The logarithm raises values in the middle, which makes them darker in a gray color map.
    assert viewer.colors([middle])[0].mean() < normal[1].mean()
    viewer.set(scale="linear", colormap="viridis", range=None)
    before = viewer.colors([zero])[0].astype(int)
    viewer.set(dimZeros=True)
    background = np.array([246, 247, 249])
    after = viewer.colors([zero])[0].astype(int)
    assert np.abs(after - background).sum() < np.abs(before - background).sum()
    expect(viewer.page.get_by_role("radio", name="Viridis")).to_be_checked()
    viewer.page.get_by_role("radio", name="Magma").check(force=True)
    assert viewer.state()["colormap"] == "magma"
    assert viewer.problems == []


def test_two_genes_are_blended(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    page.get_by_role("button", name="+ Blend").click()
    page.get_by_role("combobox", name="Gene", exact=True).fill("CD3E")
    page.keyboard.press("Enter")
    page.get_by_label("Blend colors of EPCAM, CD3E").wait_for()
    assert viewer.state()["color"] == {"kind": "blend", "genes": ["EPCAM", "CD3E"]}
    viewer.set(opacity=1)
    epcam, cd3e = dense(adata, "EPCAM"), dense(adata, "CD3E")
    only_first = int(np.argmax(np.where(cd3e == 0, epcam, 0)))
    only_second = int(np.argmax(np.where(epcam == 0, cd3e, 0)))
    first, second = viewer.colors([only_first, only_second]).astype(int)
    np.testing.assert_allclose(first, [0xD5, 0x5E, 0x00], atol=6)
    np.testing.assert_allclose(second, [0x00, 0x72, 0xB2], atol=6)
    page.get_by_role("button", name="Remove EPCAM from the blend").click()
    viewer.becomes(lambda: viewer.state()["color"], {"kind": "gene", "gene": "CD3E"})


def test_pasted_gene_set_colors_by_its_mean(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    page.get_by_role("tab", name="Gene").click()
    page.get_by_role("button", name="Gene set…").click()
    page.get_by_role("textbox", name="Genes in the set").fill("cd3e, EPCAM\nNOT_A_GENE;<b>x</b>")
    page.get_by_text("Not in this bundle: NOT_A_GENE, <b>x</b>").wait_for()
    page.get_by_role("button", name="Color by the mean of 2 genes").click()
    page.get_by_text("Score statistics").wait_for()
    mean = (dense(adata, "EPCAM").astype(float) + dense(adata, "CD3E")) / 2
    for cell in (0, 5, int(mean.argmax())):
        assert viewer.value(cell) == pytest.approx(mean[cell], rel=1e-6)
    # An unknown gene is refused, and the color does not change.
    failure = page.evaluate(
        "window.karospace.setState({color: {kind: 'score', name: 'x', genes: ['NOPE']}}).then(() => '', String)"
    )
    assert "NOPE" in failure
    assert viewer.state()["color"]["kind"] == "score"
