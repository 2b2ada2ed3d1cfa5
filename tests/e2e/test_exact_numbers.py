"""Numbers that float32 cannot distinguish are exact in colors, tooltips, limits and saved tables."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from playwright.sync_api import expect

from karospace_jupyter import Bundle, adata_to_karospace

pytestmark = pytest.mark.e2e

SIDE = 8
N = SIDE * SIDE
START = 1_600_000_000


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    adata = ad.AnnData(np.ones((N, 2), dtype=np.float32))
    adata.obs_names = [f"cell {i}" for i in range(N)]
    adata.obsm["spatial"] = np.array([(i % SIDE, i // SIDE) for i in range(N)]) * 100.0
    adata.obs["stamp"] = START + np.arange(N)
    adata.obs["close"] = 1 + np.arange(N) * 1e-9
    adata.obs["barcode"] = 2**62 + np.arange(N)
    adata.obs["cluster"] = np.arange(N) % 12
    return adata


@pytest.fixture(scope="module")
def folder(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exact") / "b"
    columns = ["cluster", "stamp", "close", "barcode"]
    adata_to_karospace(adata, path, genes_mode="all", annotation_columns=columns, dataset_name="exact")
    Bundle(path).verify()
    return path


@pytest.mark.parametrize("scale", ["linear", "log1p"])
def test_colors_distinguish_timestamps(folder: Path, viewer: Viewer, scale: str) -> None:
    viewer.open((folder / "index.html").as_uri())
    look = {"colormap": "greys", "opacity": 1, "imageOpacity": 0, "pointSize": 20, "scale": scale}
    viewer.set(color={"kind": "annotation", "column": "stamp"}, range=[START, START + N - 1], **look)
    brightness = viewer.colors(list(range(N))).sum(axis=1, dtype=int)
    assert (np.diff(brightness) < 0).all(), "not every second is darker than the previous one"
    # Limits within the range: all values below have one color, all above another.
    viewer.set(range=[START + 20, START + 40])
    brightness = viewer.colors(list(range(N))).sum(axis=1, dtype=int)
    assert len(set(brightness[:21])) == len(set(brightness[40:])) == 1
    assert (np.diff(brightness[20:41]) < 0).all()
    assert viewer.problems == []


def test_limits_and_selection_are_exact(folder: Path, viewer: Viewer) -> None:
    page = viewer.open((folder / "index.html").as_uri()).page
    viewer.set(color={"kind": "annotation", "column": "stamp"}, range=[START + 20, START + 40])
    expect(page.locator(".ks-limits > span").first).to_have_text("1,600,000,020")
    expect(page.locator(".ks-limits > span").last).to_have_text("1,600,000,040")
    page.get_by_role("button", name="Select", exact=True).click()
    assert page.evaluate("Array.from(window.karospace.selection)") == [int(20 <= i <= 40) for i in range(N)]


def test_tooltip_shows_every_digit(folder: Path, viewer: Viewer, adata: ad.AnnData) -> None:
    page = viewer.open((folder / "index.html").as_uri()).page
    for column in ("stamp", "close", "barcode", "cluster"):
        viewer.set(color={"kind": "annotation", "column": column})
    cell = 27
    page.mouse.move(*viewer.positions([cell])[0])
    tooltip = page.get_by_role("tooltip")
    for text in ("1,600,000,027", repr(float(adata.obs["close"].iloc[cell])), str(2**62 + cell), "3"):
        expect(tooltip.get_by_text(text, exact=True)).to_be_visible()


@pytest.mark.parametrize("column", ["stamp", "close", "barcode"])
def test_saved_table_has_every_digit(folder: Path, viewer: Viewer, adata: ad.AnnData, column: str) -> None:
    page = viewer.open((folder / "index.html").as_uri()).page
    viewer.set(color={"kind": "annotation", "column": column})
    text: str = page.evaluate("window.karospace.table()")
    table = pd.read_csv(io.StringIO(text, newline=""), dtype=str, index_col="cell_id")
    kind = float if column == "close" else int
    assert [kind(text) for text in table[column]] == adata.obs[column].tolist()


def test_tables_of_format_1_0_are_exact(
    folder: Path, viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    for script in old.glob("*.js"):
        script.unlink()
    path = old / "manifest.json"
    manifest = json.loads(path.read_text())
    for field in ("columns", "coordinates", "cell_ids", "scripts", "sections", "embeddings"):
        manifest.pop(field, None)
    manifest["schema_version"] = "1.0.0"
    manifest["asset_files"] = [file for file in manifest["asset_files"] if file["kind"] not in ("columnar", "script")]
    path.write_text(json.dumps(manifest))
    viewer.open(serve(old))
    for column, value in (("stamp", START + 5), ("close", 1 + 5e-9), ("barcode", str(2**62 + 5)), ("cluster", "5")):
        viewer.set(color={"kind": "annotation", "column": column})
        assert viewer.value(5) == value
