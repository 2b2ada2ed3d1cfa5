"""`view.border_distance`: its cells, its unit, and the outlines of regions that change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import karospace_view
from karospace_jupyter.border_distance import border_distances
from karospace_jupyter.contracts.messages import Open, Regions
from karospace_jupyter.errors import ViewError
from karospace_jupyter.widget.masks import pack
from karospace_jupyter.widget.view import KaroSpaceView

SQUARE = [200.0, 200.0, 800.0, 200.0, 800.0, 700.0, 200.0, 700.0]
N = 60


@pytest.fixture
def adata() -> ad.AnnData:
    obs = pd.DataFrame({"section": pd.Categorical(np.where(np.arange(N) % 2, "right", "left"))})
    adata = ad.AnnData(np.ones((N, 1), np.float32), obs=obs.set_axis([f"c{i}" for i in range(N)]))
    adata.obsm["spatial"] = np.random.default_rng(5).uniform([0, 3e6], [1000, 3e6 + 1000], (N, 2))
    return adata


@pytest.fixture
def view(adata: ad.AnnData) -> Iterator[KaroSpaceView]:
    view = karospace_view(adata, sections="section", downsample=40, preview=False)
    yield view
    view.close()


OUTLINE = [value + 3e6 * (i % 2) for i, value in enumerate(SQUARE)]


def draw(view: KaroSpaceView, cells: list[int], outline: list[float], name: str = "Tumor") -> None:
    """Set a region as a page does; cells are positions in the bundle."""
    view._pages._on_open(Open(id="1", view="page"), [])
    mask = np.zeros(view.bundle.manifest.n_cells, dtype=bool)
    mask[cells] = True
    message = Regions(names=[name], colors=["#112233"], outlines=[outline], view="page")
    view._pages._on_regions(message, [memoryview(pack(mask))])


def test_distances_are_aligned_with_obs_and_limited_to_sections_of_the_region(
    view: KaroSpaceView, adata: ad.AnnData
) -> None:
    live: Any = view._live
    left = np.flatnonzero(adata.obs["section"].to_numpy()[live.rows] == "left")
    draw(view, left[:2].tolist(), OUTLINE)
    found = view.border_distance("Tumor")
    assert found.index.equals(adata.obs_names)
    assert found.name == "Distance to Tumor border"
    assert (found.dtype, found.attrs["unit"]) == (np.float32, "coordinate units")
    rows = np.flatnonzero(found.notna())
    np.testing.assert_array_equal(rows, live.rows[left])
    xy = (adata.obsm["spatial"] - [0, 3e6])[rows]
    np.testing.assert_allclose(
        found.iloc[rows], border_distances(np.array(SQUARE).reshape(-1, 2), xy), rtol=1e-4, atol=1e-3
    )
    np.testing.assert_array_equal(view.outlines["Tumor"], np.array(OUTLINE).reshape(-1, 2))
    view.state = {"um_per_unit": 0.5}
    half = view.border_distance("Tumor")
    np.testing.assert_array_equal(half, found / 2)
    assert half.attrs["unit"] == "µm"
    adata.obs["distance"] = half  # aligned by name


def test_the_view_can_be_colored_by_the_distance(view: KaroSpaceView) -> None:
    with pytest.raises(ViewError, match="is neither a column nor a gene"):
        view.color = "Distance to Tumor border"
    draw(view, [0], OUTLINE)
    view.color = "Distance to Tumor border"
    assert view.state["color"] == {"kind": "annotation", "column": "Distance to Tumor border"}


def test_outline_is_dropped_when_the_cells_of_its_region_change(view: KaroSpaceView) -> None:
    draw(view, [0, 1], OUTLINE)
    mask = view.regions["Tumor"]
    view.regions = {"other": [0], "Tumor": mask}
    assert list(view.outlines) == ["Tumor"]
    view.regions = {"Tumor": [3]}
    assert view.outlines == {}
    with pytest.raises(ViewError, match=r"'Tumor' has no outline.*Draw it again with the lasso"):
        view.border_distance("Tumor")
    with pytest.raises(ViewError, match=r"no region 'Tumour'\. Did you mean 'Tumor'\?"):
        view.border_distance("Tumour")


def test_a_page_that_opens_later_gets_the_outline(view: KaroSpaceView, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(view, [0, 1], OUTLINE)
    sent: list[Any] = []
    monkeypatch.setattr(view._wire, "send", lambda message, *_: sent.append(message))
    view._pages._on_open(Open(id="2", view="later"), [])
    assert [message.outlines for message in sent if message.type == "regions"] == [[OUTLINE]]


@pytest.mark.parametrize("outline", [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0], [0.0] * 20_002])
def test_invalid_outlines_are_rejected(outline: list[float]) -> None:
    with pytest.raises(ValueError, match=r"three corners|at most 20000"):
        Regions(names=["a"], colors=[""], outlines=[outline])
