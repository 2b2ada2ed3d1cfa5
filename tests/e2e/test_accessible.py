"""axe-core finds no barriers in the viewer, such as missing names, low contrast or small targets."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe import barriers
from conftest import Viewer
from playwright.sync_api import expect
from screen import MIDDLE, Screen, select

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

ADATA = synthetic_tissue(n_cells=1500, seed=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accessible") / "b"
    adata_to_karospace(ADATA, path, genes_mode=["EPCAM", "CD3E"], embeddings=["X_umap"])
    return path


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, folder: Path, serve: Callable[[Path], str], viewer: Viewer) -> Viewer:
    viewer.page.emulate_media(color_scheme=request.param)
    return viewer.open(serve(folder))


@pytest.mark.parametrize("size", [(1360, 860), (400, 500)], ids=["wide", "narrow"])
def test_colors_and_layouts_have_no_barriers(themed: Viewer, size: tuple[int, int]) -> None:
    page = themed.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert barriers(page) == []
    for color in (
        {"kind": "gene", "gene": "EPCAM"},
        {"kind": "annotation", "column": "area"},
        {"kind": "blend", "genes": ["EPCAM", "CD3E"]},
        {"kind": "annotation", "column": "cell_type"},
    ):
        themed.set(color=color)
        assert barriers(page) == [], color
    themed.set(hidden={"cell_type": ["Tumor"]}, isolated={"cell_type": ["T cell"]})
    assert barriers(page) == []
    for layout in ({"kind": "sections", "columns": 2, "order": "file"}, {"kind": "embedding", "name": "X_umap"}):
        themed.set(layout=layout)
        assert barriers(page) == [], layout


def test_menus_and_dialogs_have_no_barriers(themed: Viewer) -> None:
    page = themed.page
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    assert barriers(page, "[role=dialog]") == []
    page.keyboard.press("Escape")
    for name in ("Share", "Save"):
        page.get_by_role("button", name=re.compile(f"^{name}")).click()
        page.get_by_role("dialog", name=name).wait_for()
        assert barriers(page, "[role=dialog]") == [], name
        page.keyboard.press("Escape")


def test_every_tab_of_the_panel_has_no_barriers(themed: Viewer) -> None:
    for name in ("Annotation", "Gene", "Value"):
        tab = themed.page.get_by_role("tab", name=name)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        assert barriers(themed.page) == [], name


def test_selection_and_card_have_no_barriers(themed: Viewer) -> None:
    page = themed.page
    screen = Screen(themed, ADATA)
    page.mouse.click(*screen.at[700])
    page.locator(".ks-cell-card").wait_for()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    select(themed, screen.within(*screen.rectangle(*MIDDLE)))
    page.get_by_text("selected").first.wait_for()
    assert barriers(page) == []
