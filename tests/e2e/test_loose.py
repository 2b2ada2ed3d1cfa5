"""Bundles of other exporters open in the viewer, with notices about deviations from the format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from other_exporter import aligned_by_mistake, write_reference_bundle
from playwright.sync_api import expect

from karospace_jupyter import Bundle

pytestmark = pytest.mark.e2e
N = 60
# The color of each quarter of the image: upper left, upper right, lower left, lower right.
QUARTERS = [(230, 30, 30), (30, 200, 30), (30, 30, 230), (220, 210, 20)]
# A point in each quarter, as fractions of the width and height.
POINTS = [(0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    obs = pd.DataFrame(
        {"cell_type": ["T", "B"] * (N // 2), "area": np.where(np.arange(N) % 6 == 0, np.nan, np.arange(N) + 0.5)},
        index=[f"cell {i}" for i in range(N)],
    )
    rng = np.random.default_rng(0)
    xy = (rng.random((N, 2)) * [400, 300] + [1000, 5000]).astype(np.float32)
    xy[:2] = [[1000, 5000], [1400, 5300]]
    image = np.zeros((60, 40, 3), dtype=np.uint8)
    for quarter, color in enumerate(QUARTERS):
        down, across = divmod(quarter, 2)
        image[30 * down : 30 * (down + 1), 20 * across : 20 * (across + 1)] = color
    gene = (np.arange(N) % 5).astype(np.float32)
    folder = write_reference_bundle(
        tmp_path / "reference", obs=aligned_by_mistake(obs), xy=xy, genes={"Actb": gene}, image=image, chunks=2
    )
    return Path(Bundle(folder).save(tmp_path / "saved", scripts="no").path or "")


def test_bundle_with_nan_in_its_json_opens_with_notices(
    folder: Path, serve: Callable[[Path], str], viewer: Viewer
) -> None:
    viewer.open(serve(folder))
    page = viewer.page
    notices = page.locator(".ks-notice-line")
    expect(notices.filter(has_text="obs_records_000.json.gz and 1 more: it is not strict JSON")).to_have_count(1)
    expect(notices.filter(has_text="no cell has a value of “cell_type”")).to_have_count(1)
    expect(notices.filter(has_text="stretched over the extent of the cells")).to_have_count(1)
    # The first color is the numeric annotation: no cell has a cell type.
    assert viewer.state()["color"] == {"kind": "annotation", "column": "area"}
    assert [viewer.value(cell) for cell in (0, 1, 6, 7)] == [None, 1.5, None, 7.5]
    x, y = viewer.positions([1])[0]
    page.mouse.move(x, y)
    expect(page.get_by_role("tooltip")).to_contain_text("cell 1")
    viewer.set(color={"kind": "gene", "gene": "Actb"})
    assert [viewer.value(cell) for cell in range(5)] == [0, 1, 2, 3, 4]
    assert viewer.problems == []


def test_image_without_a_transform_is_stretched_over_the_extent(
    folder: Path, serve: Callable[[Path], str], viewer: Viewer
) -> None:
    viewer.open(serve(folder))
    expect(viewer.page.locator(".ks-notice-line").filter(has_text="stretched")).to_have_count(1)
    viewer.set(imageOn=True, imageOpacity=1, opacity=0.05, pointSize=0.25, color={"kind": "none"})
    (left, top), (right, bottom) = viewer.positions([0, 1])
    assert top < bottom, "the y axis points down"
    box = viewer.page.locator("canvas").first.bounding_box()
    picture = viewer.pixels().astype(int)

    def color_at(x: float, y: float) -> tuple[int, ...]:
        return tuple(picture[int(y - box["y"]), int(x - box["x"])])

    for (across, down), color in zip(POINTS, QUARTERS, strict=True):
        found = color_at(left + across * (right - left), top + down * (bottom - top))
        assert np.abs(np.subtract(found, color)).max() <= 40, (across, down, found)
    # The image ends at the extent of the cells.
    background = color_at(left - 8, (top + bottom) / 2)
    assert np.ptp(background) < 12
    assert np.ptp(color_at((left + right) / 2, bottom + 8)) < 12
    assert viewer.problems == []


def test_single_file_without_an_image_transform_opens(folder: Path, tmp_path: Path, viewer: Viewer) -> None:
    page = Bundle(folder).to_html(tmp_path / "one.html")
    viewer.open(page.as_uri())
    assert viewer.value(1) == 1.5
    assert viewer.problems == []
