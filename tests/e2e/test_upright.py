"""Visium coordinates with a negated y axis are shown upright, aligned with the image."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from PIL import Image

from karospace_jupyter import adata_to_karospace

pytestmark = pytest.mark.e2e


def slide(sign: int) -> ad.AnnData:
    """Return a slide whose image is yellow above and green below; y is the pixel row times `sign`."""
    row, at = (side.ravel() for side in np.mgrid[:12, :12])
    col = 2 * at + row % 2
    obs = pd.DataFrame({"array_row": row, "array_col": col}, index=[f"s{i}" for i in range(len(row))])
    adata = ad.AnnData(np.ones((len(row), 2), np.float32), obs=obs)
    adata.obsm["spatial"] = np.stack([20.0 + 10 * col, sign * (20 + 17.0 * row)], axis=1)
    picture = np.full((230, 280, 3), (0, 160, 0), np.uint8)
    picture[:115] = (240, 200, 0)
    factors = {"tissue_hires_scalef": 1.0, "spot_diameter_fullres": 4.0}
    adata.uns["spatial"] = {"A": {"images": {"hires": picture}, "scalefactors": factors}}
    return adata


@pytest.mark.parametrize("sign", [1, -1])
def test_array_rows_point_down_on_screen(
    viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str], sign: int
) -> None:
    bundle = adata_to_karospace(slide(sign), tmp_path / "b")
    assert bundle.manifest.coordinates is not None
    assert bundle.manifest.coordinates.y_axis == ("down" if sign > 0 else "up")
    viewer.open(serve(tmp_path / "b"))
    viewer.set(imageOpacity=1, imageBrightness=1, theme="light")
    top, bottom = viewer.positions([12 + 5, 12 * 10 + 5])
    assert bottom[1] > top[1] + 100
    left, right = viewer.positions([0, 11])
    assert right[0] > left[0] + 100
    shot: Any = Image.open(io.BytesIO(viewer.page.screenshot(animations="disabled"))).convert("RGB")
    half_pitch = (viewer.positions([1])[0][0] - left[0]) / 2
    for (x, y), color in ((top, (240, 200, 0)), (bottom, (0, 160, 0))):
        seen = np.array(shot.getpixel((int(x + half_pitch), int(y))))
        assert np.abs(seen - color).max() < 30, seen
    assert viewer.problems == []
