"""The length of a coordinate unit: as given, stated in the data, or known for the platform."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import ExportConfig
from karospace_jupyter.form.prediction import predict_export
from karospace_jupyter.plan import Plan, resolve
from karospace_jupyter.plan.scale import unit_in_name
from karospace_jupyter.source import open_source

XY = np.random.default_rng(0).uniform(0, 5000, (300, 2))
"""In µm."""


def tissue(spatial: Any = None, **columns: Any) -> ad.AnnData:
    index = [f"cell {i}" for i in range(len(XY))]
    adata = ad.AnnData(np.ones((len(XY), 2), np.float32), obs=pd.DataFrame(columns, index=index))
    if spatial is not None:
        adata.obsm["spatial"] = spatial
    return adata


def xenium(**more: Any) -> dict[str, Any]:
    """Return the columns of centroids in Xenium data, and more columns."""
    return {"x_centroid": XY[:, 0], "y_centroid": XY[:, 1], **more}


def plan(adata: ad.AnnData, **options: Any) -> Plan:
    return resolve(open_source(adata), ExportConfig(genes_mode="all", **options))


def scale(adata: ad.AnnData, **options: Any) -> tuple[float | None, str, str]:
    """Return the scale, where it comes from, and the warnings about it."""
    found = plan(adata, **options)
    warnings = " ".join(text for text in found.warnings if "um_per_unit" in text or "One unit" in text)
    return found.coordinates.unit_um, found.coordinates.unit_origin, warnings


def test_data_that_states_no_unit_has_no_scale() -> None:
    assert scale(tissue(XY)) == (None, "", "")


def test_given_scale_is_used_and_warns_about_contradictions() -> None:
    assert scale(tissue(XY), um_per_unit=0.5) == (0.5, "um_per_unit", "")
    unit, origin, warning = scale(tissue(**xenium(transcript_counts=1)), um_per_unit=0.5)
    assert (unit, origin) == (0.5, "um_per_unit")
    assert "but 1 µm according to the columns 'x_centroid' and 'y_centroid' of Xenium: 0.5 µm is used" in warning


@pytest.mark.parametrize(
    ("columns", "unit", "origin"),
    [
        (xenium(transcript_counts=1), 1.0, "Xenium"),
        ({"center_x": XY[:, 0], "center_y": XY[:, 1], "volume": 900.0}, 1.0, "MERSCOPE"),
        ({"x_slide_mm": XY[:, 0] / 1000, "y_slide_mm": XY[:, 1] / 1000}, 1000.0, "x_slide_mm"),
        ({"X [µm]": XY[:, 0], "Y [µm]": XY[:, 1]}, 1.0, "X [µm]"),
    ],
)
def test_columns_of_a_platform_or_with_a_unit_give_the_scale(columns: dict[str, Any], unit: float, origin: str) -> None:
    found, where, warning = scale(tissue(**columns))
    assert found == unit
    assert origin in where
    assert warning == ""


def test_names_alone_give_the_scale_with_a_warning() -> None:
    unit, _, warning = scale(tissue(**xenium()))
    assert unit == 1.0
    assert "taken to be 1 µm, because the columns 'x_centroid' and 'y_centroid' are named as in Xenium data" in warning


def test_pixel_size_of_cosmx_warns_about_prototype_instruments() -> None:
    pixels = {f"Center{axis}_global_px": XY[:, at] / 0.12028 for at, axis in enumerate("XY")}
    unit, _, warning = scale(tissue(**pixels))
    assert unit == 0.12028
    assert "prototype instruments, such as NSCLC (2022), have 0.18 µm" in warning
    mm = {f"{axis}_slide_mm": XY[:, at] / 1000 for at, axis in enumerate("xy")}
    unit, origin, warning = scale(tissue(**pixels, **mm), coords="obs:CenterX_global_px,CenterY_global_px")
    assert unit == pytest.approx(0.12028, rel=1e-6)
    assert "x_slide_mm" in origin
    assert warning == ""
    pixels = {name: values * 0.12028 / 0.18 for name, values in pixels.items()}
    unit, origin, warning = scale(tissue(**pixels, **mm), coords="obs:CenterX_global_px,CenterY_global_px")
    assert unit == pytest.approx(0.18, rel=1e-6)
    assert "One unit is 0.18 µm according to the column names 'x_slide_mm' and 'y_slide_mm', but 0.1203 µm" in warning


def test_multiple_of_columns_in_um_is_recognized() -> None:
    mirrored = XY / 0.2125 * (1, -1) + (7, 20_000)
    assert scale(tissue(mirrored, **xenium(transcript_counts=1)))[0] == pytest.approx(0.2125)
    downsampled = scale(tissue(mirrored, **xenium(transcript_counts=1)), downsample=50)
    assert downsampled[0] == pytest.approx(0.2125)
    unrelated = np.random.default_rng(1).uniform(0, 5000, XY.shape)
    assert scale(tissue(unrelated, **xenium(transcript_counts=1)))[0] is None
    assert scale(tissue(XY * (1, 2), **xenium(transcript_counts=1)))[0] is None, "stretched"


def test_xenium_table_without_centroids_is_checked_against_the_cell_areas() -> None:
    spacing = 5000 / np.sqrt(len(XY))
    columns = {"transcript_counts": 1, "control_probe_counts": 0, "cell_area": spacing**2 / 2}
    unit, origin, warning = scale(tissue(XY, **columns))
    assert (unit, warning) == (1.0, "")
    assert "Xenium" in origin
    unit, origin, warning = scale(tissue(XY / 0.2125, **columns))
    assert (unit, origin) == (None, "")
    assert "do not match the column 'cell_area'" in warning


def test_embedding_has_the_given_scale_only() -> None:
    adata = tissue(**xenium(transcript_counts=1))
    adata.obsm["X_umap"] = XY
    assert scale(adata, coords="obsm:X_umap")[0] is None
    assert scale(adata, coords="obsm:X_umap", um_per_unit=2)[0] == 2.0


def test_unit_in_a_name_is_a_separate_word() -> None:
    assert unit_in_name("x_microns", "y_microns") == 1.0
    assert unit_in_name("x_nm", "y_nm") == 0.001
    assert unit_in_name("x_um", "y_mm") is None
    assert unit_in_name("summand_x", "summand_y") is None


def test_forms_show_the_scale_and_its_origin() -> None:
    adata = tissue(**xenium(transcript_counts=1))
    assert predict_export(adata, {}).scale == "1 unit = 1 µm (the columns 'x_centroid' and 'y_centroid' of Xenium)"
    assert predict_export(adata, {"um_per_unit": -1}).problems == {"um_per_unit": "must be greater than 0, got -1."}
