"""The scale of a Visium slide, derived from the lattice of its spots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import ExportConfig
from karospace_jupyter.plan import resolve
from karospace_jupyter.source import open_source

PITCH = 250.0


def slide(*, angle: float = 0.0, shifted: bool = True, diameter: float = 160.0, noise: float = 0.0) -> ad.AnnData:
    """Return 20 rows and columns of spots, `PITCH` pixels apart; the lattice is hexagonal if `shifted`, else square."""
    row, index_in_row = (side.ravel() for side in np.mgrid[:20, :20])
    col = 2 * index_in_row + row % 2 if shifted else index_in_row
    right = col * PITCH / (2 if shifted else 1)
    down = row * PITCH * (np.sqrt(3) / 2 if shifted else 1)
    xy = np.column_stack([right * np.cos(angle) - down * np.sin(angle), right * np.sin(angle) + down * np.cos(angle)])
    xy += np.random.default_rng(0).normal(0, noise, xy.shape)
    obs = pd.DataFrame({"array_row": row, "array_col": col}, index=[f"spot {i}" for i in range(len(row))])
    adata = ad.AnnData(np.ones((len(row), 2), np.float32), obs=obs)
    adata.obsm["spatial"] = xy
    adata.uns["spatial"] = {"A": {"images": {}, "scalefactors": {"spot_diameter_fullres": diameter}}}
    return adata


def unit(adata: ad.AnnData | Path, **options: Any) -> float | None:
    return resolve(open_source(adata), ExportConfig(**options)).coordinates.unit_um


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_spot_distance_gives_the_scale(angle: float) -> None:
    assert unit(slide(angle=angle, noise=0.5)) == pytest.approx(100 / PITCH, rel=1e-3)
    assert unit(slide(angle=angle), downsample=200) == pytest.approx(100 / PITCH, rel=1e-9)


def test_scale_in_the_file_takes_precedence() -> None:
    adata = slide()
    adata.uns["spatial"]["A"]["scalefactors"]["microns_per_pixel"] = 0.7
    assert unit(adata) == 0.7


def test_slides_with_separate_coordinates_share_the_scale() -> None:
    first, second = slide(), slide()
    second.obsm["spatial"] = second.obsm["spatial"] + [9000, 0]
    both = ad.concat({"A": first, "B": second}, label="library_id", index_unique="-")
    both.obs["library_id"] = both.obs["library_id"].astype("category")
    both.uns["spatial"] = dict.fromkeys("AB", first.uns["spatial"]["A"])
    assert unit(both) == pytest.approx(100 / PITCH)
    assert unit(both, sections="none") is None, "two spots share each position of the array"


@pytest.mark.parametrize(
    "adata",
    [
        slide(shifted=False),  # a square lattice, as on other arrays
        slide(diameter=400.0),  # a spot size that contradicts the distance between spots
        slide(noise=60.0),  # distorted tissue
    ],
)
def test_other_arrays_have_no_scale(adata: ad.AnnData) -> None:
    assert unit(adata) is None


def test_uninformative_array_columns_are_ignored() -> None:
    adata = slide()
    adata.obs["array_row"] = "a"
    assert unit(adata) is None
    del adata.obs["array_row"]
    assert unit(adata) is None
    adata = slide()
    del adata.uns["spatial"]["A"]["scalefactors"]["spot_diameter_fullres"]
    assert unit(adata) is None


def test_scale_of_a_real_slide_matches_its_size(real_data: Path) -> None:
    # 78 rows and 128 columns fill the capture area, which is 6.5 mm wide.
    found = unit(real_data / "visium_mouse_placenta_small.h5ad")
    assert found == pytest.approx(100 / 21.3784, rel=1e-4)
