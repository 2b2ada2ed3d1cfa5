"""The preview shows the cells in the color with which the viewer opens."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from karospace_jupyter import adata_to_karospace

COLORS = {"T cell": "#ff0000", "B cell": "#00ff00"}
VIRIDIS_LOW, VIRIDIS_HIGH = "#440154", "#fde725"


@pytest.fixture
def adata() -> ad.AnnData:
    """Twenty cells far apart: type and batch alternate differently, and B cells express the second gene."""
    x, y = np.meshgrid(np.arange(5.0), np.arange(4.0))
    is_b = np.arange(20) % 2 == 1
    adata = ad.AnnData(np.c_[np.ones(20), is_b].astype(np.float32))
    adata.var_names = ["ACTB", "MS4A1"]
    adata.obsm["spatial"] = np.c_[x.ravel(), y.ravel()]
    adata.obs["batch"] = pd.Categorical(np.where(np.arange(20) < 10, "1st", "2nd"))
    adata.uns["batch_colors"] = ["#0000ff", "#00ffff"]
    adata.obs["cell_type"] = pd.Categorical(np.where(is_b, "B cell", "T cell"))
    adata.uns["cell_type_colors"] = [COLORS["B cell"], COLORS["T cell"]]
    return adata


def colors_of(bundle: Any) -> set[str]:
    """Return the colors of all pixels that are not transparent."""
    with Image.open(io.BytesIO(bundle.stored("preview.png"))) as picture:
        pixels = np.asarray(picture.convert("RGBA")).reshape(-1, 4)
    return {"#{:02x}{:02x}{:02x}".format(*rgb) for rgb in pixels[pixels[:, 3] > 0][:, :3].tolist()}


def export(adata: ad.AnnData, folder: Path, **options: Any) -> set[str]:
    given = {"annotation_columns": ["batch", "cell_type"], "genes_mode": ["ACTB"], **options}
    return colors_of(adata_to_karospace(adata, folder / "b", **given))


def test_preview_shows_the_detected_cell_types(adata: ad.AnnData, tmp_path: Path) -> None:
    assert export(adata, tmp_path) == set(COLORS.values())


def test_preview_shows_the_requested_column(adata: ad.AnnData, tmp_path: Path) -> None:
    assert export(adata, tmp_path, color="batch") == {"#0000ff", "#00ffff"}


@pytest.mark.parametrize("genes", [["ACTB"], ["ACTB", "MS4A1"]], ids=["packed", "separate"])
def test_preview_shows_the_requested_gene(adata: ad.AnnData, tmp_path: Path, genes: list[str]) -> None:
    assert export(adata, tmp_path, color="MS4A1", genes_mode=genes, packed="yes") == {VIRIDIS_LOW, VIRIDIS_HIGH}


@pytest.mark.parametrize(
    ("color", "wanted"),
    [
        ({"kind": "annotation", "column": "cell_type"}, {"#123456", COLORS["T cell"]}),
        ({"kind": "none"}, {"#5775a8"}),
        ({"kind": "gene", "gene": "MS4A1"}, {VIRIDIS_LOW, VIRIDIS_HIGH}),
    ],
    ids=["annotation", "none", "gene"],
)
def test_preview_shows_the_color_of_the_view(
    adata: ad.AnnData, tmp_path: Path, color: dict[str, str], wanted: set[str]
) -> None:
    state = {"color": color, "classColors": {"cell_type": {"B cell": "#123456"}}}
    view = tmp_path / "view.json"
    view.write_text(json.dumps({"karospace_view": 1, "n_cells": 20, "state": state, "regions": []}))
    assert export(adata, tmp_path, view=view, packed="yes") == wanted
