"""Spots as pie charts of their cell types."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from playwright.sync_api import expect
from waiting import eventually

from karospace_jupyter import Bundle, adata_to_karospace

pytestmark = pytest.mark.e2e

COLORS = {"B cells": (230, 20, 20), "T cells": (20, 160, 40), "Myeloid": (30, 60, 220)}
AMOUNTS = [(2, 1, 1), (0, 1, 3), (0, 0, 4), (0, 0, 0)]
"""Amount of each cell type in four spots in a row, from spot FIRST on; all other spots equal the first of them."""
FIRST = 44
PITCH, DIAMETER = 100.0, 80.0


def spots() -> ad.AnnData:
    rows, columns = (np.indices((10, 10)).reshape(2, -1)).astype(float)
    n = rows.size
    values = np.tile(np.asarray(AMOUNTS[0], dtype=float), (n, 1))
    values[FIRST : FIRST + len(AMOUNTS)] = AMOUNTS
    adata = ad.AnnData(
        np.random.default_rng(0).poisson(1, (n, 4)).astype(np.float32),
        obs=pd.DataFrame(index=[f"s{i}" for i in range(n)]),
        var=pd.DataFrame(index=[f"g{i}" for i in range(4)]),
    )
    adata.obsm["spatial"] = np.c_[columns, rows] * PITCH
    adata.obsm["rctd_weights"] = pd.DataFrame(values, index=adata.obs_names, columns=list(COLORS))
    adata.uns["rctd_weights_colors"] = ["#" + bytes(color).hex() for color in COLORS.values()]
    adata.uns["spatial"] = {"slide": {"images": {}, "scalefactors": {"spot_diameter_fullres": DIAMETER}}}
    return adata


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pies") / "bundle"
    adata_to_karospace(spots(), folder, color="rctd_weights")
    return folder


def quarter_colors(viewer: Viewer, cell: int) -> list[NDArray[np.int64]]:
    """Return the color in the middle of each quarter of a spot, clockwise from the top."""
    [(x, y)] = viewer.positions([cell])
    [(next_x, _)] = viewer.positions([cell + 1])
    radius = (next_x - x) * DIAMETER / PITCH / 4
    picture = viewer.pixels().astype(int)
    box = viewer.boxes("canvas")[0]
    found = []
    for degrees in (45, 135, 225, 315):
        angle = np.deg2rad(degrees)
        point = (x + radius * np.sin(angle) - box["x"], y - radius * np.cos(angle) - box["y"])
        found.append(picture[round(point[1]), round(point[0])])
    return found


def assert_quarters(viewer: Viewer, cell: int, *wanted: tuple[int, int, int]) -> None:
    def same(found: list[NDArray[np.int64]]) -> bool:
        return all(np.abs(color - expected).max() <= 2 for color, expected in zip(found, wanted, strict=True))

    eventually(lambda: quarter_colors(viewer, cell), same, page=viewer.page, what=f"wrong colors in spot {cell}")


@pytest.mark.parametrize("how", ["http", "file"])
def test_large_spots_are_pies(viewer: Viewer, folder: Path, serve: Any, how: str) -> None:
    viewer.open(serve(folder) if how == "http" else (folder / "index.html").as_uri())
    b, t, m = COLORS.values()
    assert_quarters(viewer, FIRST, b, b, t, m)
    assert_quarters(viewer, FIRST + 1, t, m, m, m)
    assert_quarters(viewer, FIRST + 2, m, m, m, m)
    expect(viewer.page.get_by_text("is a pie chart of its types")).to_be_visible()
    missing = quarter_colors(viewer, FIRST + 3)
    assert all(np.abs(color - missing[0]).max() <= 2 for color in missing)
    assert all(np.abs(missing[0] - color).max() > 20 for color in COLORS.values())


def test_slices_follow_colors_isolation_hiding_and_groups(viewer: Viewer, folder: Path, serve: Any) -> None:
    viewer.open(serve(folder))
    b, t, m = COLORS.values()
    assert_quarters(viewer, FIRST, b, b, t, m)
    viewer.set(classColors={"rctd_weights": {"T cells": "#ffee00"}})
    assert_quarters(viewer, FIRST, b, b, (255, 238, 0), m)
    viewer.set(classColors={}, isolated={"rctd_weights": ["T cells"]})
    found = eventually(
        lambda: quarter_colors(viewer, FIRST + 1),
        lambda found: np.abs(found[0] - t).max() <= 2 and np.abs(found[1] - m).max() > 60,
        page=viewer.page,
    )
    assert all(np.abs(color - found[1]).max() <= 2 for color in found[2:])
    viewer.set(isolated={}, hidden={"rctd_weights": ["T cells"]})
    ground = viewer.pixels()[2, 2].astype(int)
    assert_quarters(viewer, FIRST, b, b, tuple(ground), m)
    viewer.set(
        hidden={},
        groups={"rctd_weights": [{"name": "Lymphoid", "members": ["B cells", "T cells"], "color": "#00cccc"}]},
    )
    assert_quarters(viewer, FIRST, *[(0, 204, 204)] * 3, m)


def test_small_spots_have_the_color_of_the_most_abundant_type(viewer: Viewer, folder: Path, serve: Any) -> None:
    viewer.open(serve(folder))
    b, t, m = COLORS.values()
    assert_quarters(viewer, FIRST, b, b, t, m)
    viewer.page.set_viewport_size({"width": 400, "height": 400})
    viewer.set(pointSize=0.25)
    eventually(
        lambda: viewer.colors([FIRST, FIRST + 1]).astype(int).tolist(),
        lambda found: found == [list(COLORS["B cells"]), list(COLORS["Myeloid"])],
        page=viewer.page,
    )


def test_tooltip_lists_the_largest_shares(viewer: Viewer, folder: Path, serve: Any) -> None:
    viewer.open(serve(folder))
    b, t, m = COLORS.values()
    assert_quarters(viewer, FIRST, b, b, t, m)
    [at] = viewer.positions([FIRST])
    viewer.page.mouse.move(*at)
    rows = viewer.page.get_by_role("tooltip").locator("dl > div")
    expect(rows).to_have_text(["B cells50%", "T cells25%", "Myeloid25%"])
    viewer.page.mouse.click(*at)
    viewer.page.get_by_role("button", name="T cells", exact=True).and_(
        viewer.page.get_by_title("Color by T cells")
    ).click()
    viewer.until("state.color.column === 'rctd_weights: T cells'")


def test_pies_outside_the_selection_are_faded(viewer: Viewer, folder: Path, serve: Any) -> None:
    viewer.open(serve(folder))
    b, t, m = COLORS.values()
    assert_quarters(viewer, FIRST, b, b, t, m)
    viewer.page.evaluate(
        "only => karospace.select(Uint8Array.from({length: karospace.cells}, (_, cell) => Number(cell === only)))",
        FIRST,
    )
    assert_quarters(viewer, FIRST, b, b, t, m)
    eventually(
        lambda: quarter_colors(viewer, FIRST + 1),
        lambda found: all(np.ptp(color) < 40 for color in found),
        page=viewer.page,
        what="the unselected pie keeps its colors",
    )


def test_without_readable_amounts_spots_show_the_most_abundant_type(
    viewer: Viewer, folder: Path, serve: Any, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "bundle"))
    column = next(column for column in Bundle(copy).manifest.columns or () if column.name == "rctd_weights: T cells")
    (copy / column.chunks[0].path).write_bytes(b"damaged")
    viewer.open(serve(copy))
    expect(viewer.page.get_by_text(column.chunks[0].path)).to_be_visible()
    assert_quarters(viewer, FIRST, *[COLORS["B cells"]] * 4)
