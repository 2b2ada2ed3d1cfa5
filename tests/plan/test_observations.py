"""Test what each row represents: a cell, a spot, or a square bin."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import ExportConfig
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.form.summary import summarize
from karospace_jupyter.plan import Plan, resolve
from karospace_jupyter.source import open_source


def square(side: float = 30.0, *, turned: float = 0.02, named: bool = False, **factors: Any) -> ad.AnnData:
    """Return 20 × 20 bins `side` pixels apart, slightly rotated, as on a slide (`turned` is in radians)."""
    row, col = (part.ravel() for part in np.mgrid[:20, :20])
    right, down = col * side, row * side
    names = [f"s_008um_{r:05d}_{c:05d}-1" if named else f"bin {r} {c}" for r, c in zip(row, col, strict=True)]
    adata = ad.AnnData(
        np.ones((len(row), 2), np.float32), obs=pd.DataFrame({"array_row": row, "array_col": col}, index=names)
    )
    adata.obsm["spatial"] = np.column_stack(
        [right * np.cos(turned) - down * np.sin(turned), right * np.sin(turned) + down * np.cos(turned)]
    )
    if factors:
        adata.uns["spatial"] = {"A": {"images": {}, "scalefactors": factors}}
    return adata


def hexagonal(**columns: Any) -> ad.AnnData:
    """Return 20 × 20 spots of a hexagonal array."""
    row, at = (part.ravel() for part in np.mgrid[:20, :20])
    col = 2 * at + row % 2
    obs = pd.DataFrame({"array_row": row, "array_col": col, **columns}, index=[f"spot {i}" for i in range(len(row))])
    adata = ad.AnnData(np.ones((len(row), 2), np.float32), obs=obs)
    adata.obsm["spatial"] = np.column_stack([col * 50.0, row * 50.0 * np.sqrt(3)])
    return adata


def plan(adata: ad.AnnData, **options: Any) -> Plan:
    return resolve(open_source(adata), ExportConfig(genes_mode="all", **options))


def test_visium_has_spots() -> None:
    assert plan(hexagonal()).cells.observations == "spots"
    assert summarize(hexagonal()).observations == "spots"
    manifest = run_to_memory(hexagonal(), ExportConfig(genes_mode="all")).manifest
    assert manifest.observations == "spots"


def test_a_small_visium_sample_has_spots() -> None:
    assert plan(hexagonal(in_tissue=1)[:5].copy()).cells.observations == "spots"


@pytest.mark.parametrize(
    "adata",
    [square(bin_size_um=8.0, microns_per_pixel=8 / 30, spot_diameter_fullres=29.0), square(named=True)],
)
def test_visium_hd_has_bins_of_known_size(adata: ad.AnnData) -> None:
    found = plan(adata)
    assert found.cells.observations == "bins"
    assert found.coordinates.spot_diameter == pytest.approx(30.0)
    assert found.coordinates.unit_um == pytest.approx(8 / 30)
    assert found.coordinates.bin_angle == pytest.approx(np.degrees(0.02))
    assert "400 bins × 2 genes" in repr(run_to_memory(adata, ExportConfig(genes_mode="all")))


def test_stated_scale_is_used_if_it_contradicts_the_size_of_bins() -> None:
    found = plan(square(bin_size_um=8.0, microns_per_pixel=0.5))
    assert found.coordinates.unit_um == 0.5
    assert "but 0.2667 µm according to the size of the bins: 0.5 µm is used" in str(found.warnings)


def test_cells_assembled_from_bins_are_cells() -> None:
    adata = square(bin_size_um=2.0, microns_per_pixel=0.25)
    adata.obs["array_row"] = adata.obs["array_row"] + 0.3
    assert plan(adata).cells.observations == "cells"


def test_other_data_has_cells() -> None:
    assert plan(square()).cells.observations == "cells", "a square array of unknown kind"
    adata = hexagonal()
    adata.obsm["X_umap"] = adata.obsm["spatial"]
    assert plan(adata, coords="obsm:X_umap").cells.observations == "cells", "an embedding"


def test_warnings_name_the_kind_of_rows() -> None:
    assert "200 of 400 spots were drawn at random." in plan(hexagonal(), downsample=200).warnings
