"""The preview shows the cells in the colors of the initial view."""

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
    """Return twenty cells far apart: types alternate, each half is a batch, and only B cells express gene 2."""
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
    merged = {"annotation_columns": ["batch", "cell_type"], "genes_mode": ["ACTB"], **options}
    return colors_of(adata_to_karospace(adata, folder / "b", **merged))


def test_preview_shows_the_detected_cell_types(adata: ad.AnnData, tmp_path: Path) -> None:
    assert export(adata, tmp_path) == set(COLORS.values())


def test_preview_shows_the_requested_column(adata: ad.AnnData, tmp_path: Path) -> None:
    assert export(adata, tmp_path, color="batch") == {"#0000ff", "#00ffff"}


@pytest.mark.parametrize("genes", [["ACTB"], ["ACTB", "MS4A1"]], ids=["packed", "separate"])
def test_preview_shows_the_requested_gene(adata: ad.AnnData, tmp_path: Path, genes: list[str]) -> None:
    assert export(adata, tmp_path, color="MS4A1", genes_mode=genes, packed="yes") == {VIRIDIS_LOW, VIRIDIS_HIGH}


def exported_with_view(adata: ad.AnnData, folder: Path, state: dict[str, Any], **options: Any) -> set[str]:
    view = folder / "view.json"
    view.write_text(json.dumps({"karospace_view": 1, "n_cells": 20, "state": state, "regions": []}))
    return export(adata, folder, view=view, packed="yes", **options)


CELL_TYPE = {"kind": "annotation", "column": "cell_type"}
PLAIN = "#7d8896"


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ({"color": CELL_TYPE, "classColors": {"cell_type": {"B cell": "#123456"}}}, {"#123456", COLORS["T cell"]}),
        ({"color": CELL_TYPE, "hidden": {"cell_type": ["B cell"]}}, {COLORS["T cell"]}),
        (
            {"color": CELL_TYPE, "groups": {"cell_type": [{"name": "Both", "members": ["B cell", "T cell"]}]}},
            {COLORS["B cell"]},
        ),
        (
            {
                "color": CELL_TYPE,
                "groups": {"cell_type": [{"name": "T", "members": ["T cell"], "color": "#abcdef"}]},
                "hidden": {"cell_type": ["B cell"]},
            },
            {"#abcdef"},
        ),
        ({"color": {"kind": "none"}}, {PLAIN}),
        ({"color": {"kind": "blend", "genes": ["ACTB", "MS4A1"]}}, {PLAIN}),
        ({"color": {"kind": "gene", "gene": "MS4A1"}}, {VIRIDIS_LOW, VIRIDIS_HIGH}),
    ],
    ids=["custom color", "hidden", "group", "color of a group", "none", "blend", "gene"],
)
def test_preview_shows_the_color_of_the_view(
    adata: ad.AnnData, tmp_path: Path, state: dict[str, Any], wanted: set[str]
) -> None:
    assert exported_with_view(adata, tmp_path, state) == wanted


def test_signed_values_have_symmetric_limits(adata: ad.AnnData, tmp_path: Path) -> None:
    adata.X = np.c_[np.ones(20), np.where(np.arange(20) % 2, 2, -1)].astype(np.float32)
    lowest, first, second = "#053061", *export(adata, tmp_path, color="MS4A1")
    assert "#67001f" in {first, second}
    assert lowest not in {first, second}, "-1 is half as far from zero as 2"


def test_gene_of_another_matrix_is_shown(adata: ad.AnnData, tmp_path: Path) -> None:
    adata.layers["counts"] = np.asarray(adata.X)[:, ::-1].copy()
    state = {"color": {"kind": "gene", "gene": "ACTB"}, "matrix": "layer:counts"}
    found = exported_with_view(adata, tmp_path, state, matrices=["X", "layer:counts"])
    assert found == {VIRIDIS_LOW, VIRIDIS_HIGH}, "in X, all cells have the same value"


def test_preview_of_hidden_cells_only_is_empty(adata: ad.AnnData, tmp_path: Path) -> None:
    state = {"color": CELL_TYPE, "hidden": {"cell_type": ["B cell", "T cell"]}}
    assert exported_with_view(adata, tmp_path, state) == set()
