"""Spots are drawn on the matching features of their own tissue image."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from PIL import Image

from karospace_jupyter import adata_to_karospace

pytestmark = pytest.mark.e2e

SIDE, STEP, RADIUS = 1000, 50, 16  # pixels of full resolution
SCALES = {"A": 0.5, "B": 0.35}
TINTS = {"A": (246, 226, 196), "B": (196, 222, 246)}
TAKE_PICTURE = """async (options) => {
  const bytes = new Uint8Array(await (await window.karospace.picture(options)).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""


def painted(spots: NDArray[np.float64], scale: float, tint: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return an image of the tissue at `scale`, dark within `RADIUS` of each spot."""
    side = round(SIDE * scale)
    y, x = (np.indices((side, side)) + 0.5) / scale
    picture = np.empty((side, side, 3), dtype=np.uint8)
    picture[:] = tint
    for cx, cy in spots:
        picture[(x - cx) ** 2 + (y - cy) ** 2 <= RADIUS**2] = 20
    return picture


def tissue(libraries: str = "AB") -> ad.AnnData:
    """Return libraries of spots on a lattice. Their images have dark features under a random half of the spots."""
    rng = np.random.default_rng(4)
    across, along = np.meshgrid(np.arange(STEP, SIDE, STEP), np.arange(STEP, SIDE, STEP))
    parts, spatial = [], {}
    for name in libraries:
        xy = np.stack([across.ravel(), along.ravel()], axis=1) + rng.uniform(-6, 6, (across.size, 2))
        dark = rng.random(len(xy)) < 0.5
        obs = pd.DataFrame({"library_id": name, "dark": dark}, index=[f"{name}{i}" for i in range(len(xy))])
        part = ad.AnnData(np.ones((len(xy), 1), dtype=np.float32), obs=obs)
        part.obsm["spatial"] = xy
        parts.append(part)
        spatial[name] = {
            "images": {"hires": painted(xy[dark], SCALES[name], TINTS[name])},
            "scalefactors": {"tissue_hires_scalef": SCALES[name], "spot_diameter_fullres": 20.0},
        }
    adata = ad.concat(parts)
    adata.uns["spatial"] = spatial
    return adata


@pytest.fixture
def opened(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> Callable[..., None]:
    def run(adata: ad.AnnData, **options: Any) -> None:
        bundle = adata_to_karospace(adata, tmp_path / "b", genes_mode="all", **options)
        bundle.verify()
        viewer.open(serve(bundle.path))
        viewer.set(opacity=0, imageOpacity=1, theme="light")

    return run


def free_cells(viewer: Viewer, adata: ad.AnnData, library: str) -> list[int]:
    """Return the cells of a library that are not covered by a card or title."""
    cells = np.flatnonzero((adata.obs["library_id"] == library).to_numpy())
    boxes = viewer.boxes(".ks-section-title, .ks-card, aside, header")
    at = np.array(viewer.positions(cells.tolist()), dtype=float)
    covered = np.zeros(len(cells), dtype=bool)
    for box in boxes:
        low, size = np.array([box["x"], box["y"]]), np.array([box["width"], box["height"]])
        covered |= ((at > low - 3) & (at < low + size + 3)).all(axis=1)
    free: list[int] = cells[~covered].tolist()
    assert len(free) > 100
    return free


def assert_on_features(seen: NDArray[np.uint8], adata: ad.AnnData, cells: list[int], library: str) -> None:
    dark = adata.obs["dark"].to_numpy()[cells]
    assert seen[dark].max() < 60
    assert np.abs(seen[~dark].astype(int) - TINTS[library]).max() < 12


def assert_no_image(viewer: Viewer, adata: ad.AnnData, library: str) -> None:
    seen = viewer.colors(free_cells(viewer, adata, library)).astype(int)
    assert np.ptp(seen, axis=0).max() <= 2


@pytest.mark.parametrize("turned", [{}, {"turn": 90}, {"turn": 180, "flip": True}], ids=["upright", "90", "mirrored"])
def test_spots_are_drawn_on_their_features(viewer: Viewer, opened: Any, turned: dict[str, Any]) -> None:
    adata = tissue("A")
    opened(adata)
    viewer.set(**turned)
    cells = free_cells(viewer, adata, "A")
    assert_on_features(viewer.colors(cells), adata, cells, "A")


def test_each_section_is_drawn_on_its_own_image(viewer: Viewer, opened: Any) -> None:
    adata = tissue()
    opened(adata)
    page = viewer.page
    assert viewer.state()["layout"]["kind"] == "sections"
    for library in "AB":
        cells = free_cells(viewer, adata, library)
        assert_on_features(viewer.colors(cells), adata, cells, library)
    if shots := os.environ.get("KAROSPACE_SHOTS"):
        viewer.set(opacity=0.4)
        page.screenshot(path=f"{shots}/own-tissue.png")
        viewer.set(opacity=0)
    # The same holds for a saved picture.
    options = {"scale": 1, "legend": False, "title": False, "scaleBar": False}
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(page.evaluate(TAKE_PICTURE, options)))).convert("RGB"))
    corner = page.locator("canvas").first.bounding_box()
    for library in "AB":
        cells = free_cells(viewer, adata, library)
        at = (np.array(viewer.positions(cells)) - [corner["x"], corner["y"]]).astype(int)
        assert_on_features(picture[at[:, 1], at[:, 0]], adata, cells, library)
    # A section that is shown alone is moved together with its image.
    viewer.set(layout={"kind": "section", "name": "B"})
    cells = free_cells(viewer, adata, "B")
    assert_on_features(viewer.colors(cells), adata, cells, "B")
    # No image is drawn under overlapping sections, because none fits both.
    viewer.set(layout={"kind": "tissue"})
    assert_no_image(viewer, adata, "B")
    assert viewer.problems == []


def test_set_state_and_snapshot_wait_for_the_image(
    viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    adata = tissue("A")
    bundle = adata_to_karospace(adata, tmp_path / "b", genes_mode="all")
    assert bundle.manifest.image is not None and bundle.path is not None
    held: list[Any] = []
    viewer.page.route(f"**/{bundle.manifest.image.path}*", lambda route: held.append(route))
    viewer.open(serve(bundle.path))
    viewer.becomes(lambda: len(held), 1)
    viewer.page.evaluate("""() => {
      window.drawn = [];
      karospace.setState({imageOpacity: 1}).then(() => window.drawn.push('state'));
      karospace.snapshot().then(() => window.drawn.push('snapshot'));
    }""")
    viewer.set(opacity=0, theme="light")
    assert viewer.page.evaluate("window.drawn") == []
    held[0].continue_()
    viewer.becomes(lambda: sorted(viewer.page.evaluate("window.drawn")), ["snapshot", "state"])
    cells = free_cells(viewer, adata, "A")
    assert_on_features(viewer.colors(cells), adata, cells, "A")


def test_image_of_one_library_is_not_drawn_under_another(viewer: Viewer, opened: Any) -> None:
    adata = tissue()
    opened(adata, image_path="uns:A")
    for layout in ({"kind": "sections", "columns": 2, "order": "file"}, {"kind": "section", "name": "A"}):
        viewer.set(layout=layout)
        cells = free_cells(viewer, adata, "A")
        assert_on_features(viewer.colors(cells), adata, cells, "A")
    viewer.set(layout={"kind": "section", "name": "B"})
    assert_no_image(viewer, adata, "B")


def test_missing_image_does_not_affect_the_others(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    adata = tissue()
    bundle = adata_to_karospace(adata, tmp_path / "b", genes_mode="all")
    assert bundle.manifest.sections is not None
    image = bundle.manifest.sections.items[0].image
    assert image is not None and bundle.path is not None
    (bundle.path / image.path).unlink()
    viewer.open(serve(bundle.path))
    viewer.page.get_by_text(image.path).first.wait_for()
    viewer.set(opacity=0, imageOpacity=1, theme="light")
    assert_no_image(viewer, adata, "A")
    cells = free_cells(viewer, adata, "B")
    assert_on_features(viewer.colors(cells), adata, cells, "B")


def test_spots_of_a_real_file_are_on_tissue(real_data: Path, viewer: Viewer, opened: Any) -> None:
    """Check that all spots are on tissue, which is darker than glass. With a scale wrong by 5%, about 10% miss it."""
    adata = ad.read_h5ad(real_data / "visium_mouse_placenta_small.h5ad")
    assert (adata.obs["in_tissue"] == 1).all()
    opened(adata)
    cells = np.arange(0, adata.n_obs, 7)
    at = np.array(viewer.positions(cells.tolist()))
    shot = np.asarray(Image.open(io.BytesIO(viewer.page.screenshot())).convert("L"))
    xy = adata.obsm["spatial"][cells]
    scale = np.ptp(at, axis=0) / np.ptp(xy, axis=0)
    corner = at[0] - xy[0] * scale

    def on_glass(factor: float) -> float:
        column, row = (corner + factor * xy * scale).astype(int).T
        inside = (row < shot.shape[0]) & (column < shot.shape[1])
        return float((shot[row[inside], column[inside]] > 220).mean())

    assert on_glass(1) < 0.01
    assert min(on_glass(0.95), on_glass(1.05)) > 0.08
