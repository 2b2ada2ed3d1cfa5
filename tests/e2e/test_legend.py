"""The legend of classes: what it says of the cells, and what one can do with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.bundle.saved_view import read_view
from karospace_jupyter.bundle.state import from_wire
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.plan import colors

pytestmark = pytest.mark.e2e

PALETTES = Path(colors.__file__).with_name("palettes.json")


@pytest.fixture
def opened(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> tuple[Viewer, ad.AnnData]:
    adata = synthetic_tissue(n_cells=2000, seed=2)
    adata.obs.loc[adata.obs_names[::50], "cell_type"] = np.nan
    adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"], image_path="none")
    viewer.open(serve(tmp_path / "b"))
    viewer.set(opacity=1, pointSize=1.6, color={"kind": "annotation", "column": "cell_type"})
    return viewer, adata


def hexed(colour: Any) -> str:
    return "#" + "".join(f"{int(channel):02x}" for channel in colour)


def first_of(adata: ad.AnnData, name: str) -> int:
    return int(np.flatnonzero((adata.obs["cell_type"] == name).to_numpy())[0])


def test_rows_say_how_many_and_which_share(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    rows = viewer.page.locator(".ks-legend li")
    column = adata.obs["cell_type"]
    counts = column.value_counts()
    assert rows.count() == len(counts) + 1
    for at, (name, count) in enumerate(counts.items()):
        text = rows.nth(at).inner_text().split("\n")
        assert text[0] == name
        assert int(text[1].replace(",", "")) == count
        assert float(text[2].rstrip(" %")) == pytest.approx(100 * count / adata.n_obs, abs=0.5)
    last = rows.last.inner_text().split("\n")
    assert last[0] == "no value"
    assert int(last[1]) == column.isna().sum()
    assert hexed(viewer.colours([0])[0]) == "#b4bac3", "cells without a value are grey"


def test_a_class_takes_another_colour(opened: tuple[Viewer, ad.AnnData], tmp_path: Path) -> None:
    viewer, adata = opened
    page = viewer.page
    name = adata.obs["cell_type"].cat.categories[2]
    cell = first_of(adata, name)
    stated = hexed(viewer.colours([cell])[0])
    assert stated == adata.uns["cell_type_colors"][2].lower()
    # A browser's own picker is out of a script's reach: what it says to the page is not.
    page.get_by_label(f"Colour of {name}", exact=True).fill("#12fe34")
    page.wait_for_timeout(300)
    assert hexed(viewer.colours([cell])[0]) == "#12fe34"
    assert viewer.state()["classColors"] == {"cell_type": {name: "#12fe34"}}
    # It is in pictures, in the address, in a saved view, and Python reads it.
    svg = page.evaluate("window.karospace.picture({format: 'svg'}).then((blob) => blob.text())")
    assert re.search(r"#12fe34|rgb\(18,? 254,? 52\)", svg)
    page.wait_for_timeout(700)
    saved = page.evaluate("window.karospace.getView()")
    (tmp_path / "view.json").write_text(json.dumps(saved))
    assert read_view(tmp_path / "view.json")["state"]["classColors"] == {"cell_type": {name: "#12fe34"}}
    state = from_wire(viewer.state())
    assert state is not None
    assert state.class_colors == {"cell_type": {name: "#12fe34"}}
    page.reload()
    page.evaluate("window.karospace.ready")
    assert hexed(viewer.colours([cell])[0]) == "#12fe34"
    page.get_by_role("button", name="Reset colours").click()
    page.wait_for_timeout(300)
    assert hexed(viewer.colours([cell])[0]) == stated
    assert viewer.problems == []


def test_the_palette_is_chosen_by_keyboard(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    palettes = json.loads(PALETTES.read_text())
    categories = list(adata.obs["cell_type"].cat.categories)
    cells = [first_of(adata, name) for name in categories]
    page.get_by_label("Colours of the classes").focus()
    for wanted in ("distinct", "safe"):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(300)
        assert viewer.state()["palette"] == wanted
        assert [hexed(colour) for colour in viewer.colours(cells)] == palettes[wanted][: len(cells)]


def test_others_step_back_for_the_class_that_one_points_at(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    first, second = list(adata.obs["cell_type"].cat.categories)[:2]
    cells = [first_of(adata, first), first_of(adata, second), 0]
    before = viewer.colours(cells).astype(int)
    page.get_by_role("button", name=re.compile(f"^{first},")).hover()
    page.wait_for_timeout(300)
    during = viewer.colours(cells).astype(int)
    ground = np.array([0xF6, 0xF7, 0xF9])
    far = lambda colours: np.abs(colours - ground).sum(axis=1)  # noqa: E731
    assert (during[0] == before[0]).all()
    assert (far(during[1:]) < 0.3 * far(before[1:])).all()
    page.mouse.move(300, 300)
    page.wait_for_timeout(300)
    assert (viewer.colours(cells) == before).all()
    assert viewer.problems == []


def test_small_cells_step_back_behind_the_class_and_let_the_image_through(
    viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    adata = synthetic_tissue(n_cells=2000, seed=2)
    # Another cell lies exactly on each.
    adata.obsm["spatial"][1000:] = adata.obsm["spatial"][:1000]
    adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"], sections="none")
    page = viewer.open(serve(tmp_path / "b")).page
    page.wait_for_load_state("networkidle")
    # Below 2.5 pixels cells are squares, drawn without soft edges.
    viewer.set(opacity=1, pointSize=0.2, imageOpacity=1, color={"kind": "annotation", "column": "cell_type"})
    types = adata.obs["cell_type"]
    name = types.value_counts().index[0]
    mine = (types == name).to_numpy()
    pairs = np.flatnonzero(mine[:1000] ^ mine[1000:])
    others = np.flatnonzero(~mine[:1000] & ~mine[1000:])
    viewer.set(opacity=0)
    image = viewer.colours(others.tolist()).astype(int)
    viewer.set(opacity=1)
    button = page.get_by_role("button", name=re.compile(f"^{name},"))
    wanted = np.array(
        [int(adata.uns["cell_type_colors"][types.cat.categories.get_loc(name)][i : i + 2], 16) for i in (1, 3, 5)]
    )
    plain = viewer.colours(pairs.tolist())
    assert (plain == wanted).all(axis=1).mean() < 0.9, "without a class in front some lie below others"
    button.hover()
    page.wait_for_timeout(300)
    assert (viewer.colours(pairs.tolist()) == wanted).all(axis=1).mean() > 0.97
    assert np.median(np.abs(viewer.colours(others.tolist()) - image).max(axis=1)) < 45
