"""Images of several libraries, each under its own sections, and scales that apply to all cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from karospace_jupyter import ExportConfig
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.plan import Plan, estimate, resolve
from karospace_jupyter.source import open_source

N = 400
SCALES = {"A": 0.5, "B": 0.25, "C": 0.4}


def visium(libraries: str = "AB", apart: float = 0, **factors: Any) -> ad.AnnData:
    """Return one section per library; each starts `apart` units to the right of the previous one."""
    rng = np.random.default_rng(0)
    which = np.arange(N) % len(libraries)
    obs = pd.DataFrame({"library_id": pd.Categorical([libraries[i] for i in which])})
    obs.index = [f"c{i}" for i in range(N)]
    adata = ad.AnnData(rng.random((N, 2), dtype=np.float32), obs=obs)
    adata.obsm["spatial"] = rng.random((N, 2)) * 100 + np.stack([which * apart, 0 * which], axis=1)
    adata.uns["spatial"] = {
        name: {
            "images": {"hires": np.full((round(100 * SCALES[name]), 60, 3), 0.1 * at)},
            "scalefactors": {
                "tissue_hires_scalef": SCALES[name],
                "spot_diameter_fullres": 7.0,
                **{key: value[at] for key, value in factors.items()},
            },
        }
        for at, name in enumerate(libraries)
    }
    return adata


def plan(adata: ad.AnnData, **options: Any) -> Plan:
    return resolve(open_source(adata), ExportConfig(**options))


def image_paths(adata: ad.AnnData, **options: Any) -> tuple[str | None, dict[str, str | None], dict[str, float]]:
    """Return the path of the manifest's image, the paths of the sections' images, and the scale of each."""
    bundle = run_to_memory(adata, ExportConfig(genes_mode="all", **options))
    bundle.verify()
    m = bundle.manifest
    assert m.sections is not None
    by_section = {section.name: section.image for section in m.sections.items}
    for image in by_section.values():
        if image is not None:
            files = {file.path: file.kind for file in m.asset_files}
            assert files[image.path] == "image"
    return (
        m.image.path if m.image else None,
        {name: image.path if image else None for name, image in by_section.items()},
        {name: image.transform.scale[0] for name, image in by_section.items() if image and image.transform},
    )


def test_each_section_has_the_image_of_its_library() -> None:
    # With several images, none shows all cells, so readers of format 1.0 show no image.
    image, by_section, scales = image_paths(visium("ABC"))
    assert image is None
    assert by_section == {"A": "assets/image_000.png", "B": "assets/image_001.png", "C": "assets/image_002.png"}
    assert scales == SCALES
    assert "several images" not in str(plan(visium("ABC")).warnings)


def test_image_of_one_library_is_assigned_to_its_section_only() -> None:
    image, by_section, _ = image_paths(visium(), image_path="uns:B")
    assert image == "assets/image.png"
    assert by_section == {"A": None, "B": "assets/image.png"}
    adata = visium()
    del adata.uns["spatial"]["B"]["images"]
    assert image_paths(adata)[1] == {"A": "assets/image.png", "B": None}


def test_adjacent_sections_share_one_image_but_not_two() -> None:
    adata = visium(apart=200)
    adata.uns["spatial"]["A"]["images"]["hires"] = np.ones((60, 160, 3))
    adata.uns["spatial"]["B"]["images"]["hires"] = np.ones((60, 160, 3))
    assert image_paths(adata, image_path="uns:A")[:2] == ("assets/image.png", {"A": None, "B": None})
    assert image_paths(adata)[1] == {"A": "assets/image_000.png", "B": "assets/image_001.png"}


def test_another_annotation_may_name_the_library() -> None:
    adata = visium()
    adata.obs["sample"] = adata.obs["library_id"].map({"A": "left", "B": "right"})
    assert image_paths(adata, sections="sample")[1] == {"left": "assets/image_000.png", "right": "assets/image_001.png"}
    # Two pieces of tissue from one library share its image.
    adata.obs["piece"] = [f"{name}{i // 2 % 2}" for i, name in enumerate(adata.obs["library_id"])]
    paths = image_paths(adata, sections="piece", image_path="uns:A")[1]
    assert paths == {"A0": "assets/image.png", "A1": "assets/image.png", "B0": None, "B1": None}


def test_image_without_a_section_is_not_shown_and_warns(tmp_path: Path) -> None:
    Pillow.new("RGB", (120, 110)).save(tmp_path / "a.png")
    found = plan(visium(), image_path=str(tmp_path / "a.png"))
    assert [image.sections for image in found.images] == [()]
    assert any("overlap" in text and "a.png" in text for text in found.warnings)
    assert "overlap" not in str(plan(visium(), image_path=str(tmp_path / "a.png"), sections="none").warnings)
    adata = visium()
    adata.obs["library_id"] = adata.obs["library_id"].cat.rename_categories({"A": "x", "B": "y"})
    assert any("several images" in text for text in plan(adata).warnings)
    assert plan(adata).images == ()


def test_image_that_misses_its_section_is_skipped() -> None:
    adata = visium()
    adata.uns["spatial"]["A"]["images"]["hires"] = np.ones((3, 3, 3))
    assert image_paths(adata)[1] == {"A": None, "B": "assets/image.png"}


def test_several_images_share_the_size_limit_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("karospace_jupyter.encode.image.MAX_SIDE", 64)
    bundle = run_to_memory(visium("ABC"), ExportConfig(genes_mode="all"))
    assert bundle.manifest.sections is not None
    images = [section.image for section in bundle.manifest.sections.items]
    assert [image and max(image.width, image.height) for image in images] == [32, 32, 32]
    # The transform of each image was scaled accordingly.
    assert [image and image.transform and image.transform.scale[0] for image in images] == pytest.approx(
        [0.5 * 32 / 60, 0.25 * 32 / 60, 0.4 * 32 / 60], rel=0.02
    )


def test_estimate_for_forms_matches_the_plan() -> None:
    found = estimate(open_source(visium("ABC")), ExportConfig(genes_mode="all"))
    planned = plan(visium("ABC"), genes_mode="all")
    assert found.plan is not None
    assert found.plan.predicted_files == planned.predicted_files
    assert found.plan.predicted_bytes == planned.predicted_bytes
    assert found.plan.warnings == planned.warnings
    assert not any("image" in text for text in found.plan.warnings)


class TestScales:
    def test_value_stated_by_all_libraries_applies_to_all_cells(self) -> None:
        found = plan(visium(spot_diameter_fullres=(89.47, 89.5), microns_per_pixel=(0.61, 0.61)))
        assert found.coordinates.spot_diameter == 89.47
        assert found.coordinates.unit_um == 0.61

    def test_differing_values_are_left_out_with_warning(self) -> None:
        found = plan(visium(spot_diameter_fullres=(89, 178), microns_per_pixel=(0.5, 0.25)))
        assert found.coordinates.spot_diameter is None and found.coordinates.unit_um is None
        assert any("differ in spot_diameter_fullres (89, 178)" in text for text in found.warnings)
        # Without sections, choosing a library implies that all cells belong to it.
        found = plan(visium(spot_diameter_fullres=(89, 178)), image_path="uns:B", sections="none")
        assert found.coordinates.spot_diameter == 178

    def test_full_resolution_columns_of_obs_use_the_scales(self) -> None:
        adata = visium()
        adata.obs["pxl_col_in_fullres"], adata.obs["pxl_row_in_fullres"] = adata.obsm.pop("spatial").T
        found = plan(adata)
        assert found.coordinates.source == "obs:pxl_col_in_fullres,pxl_row_in_fullres"
        assert found.coordinates.spot_diameter == 7
        assert len(found.images) == 2
        adata.obs = adata.obs.rename(columns={"pxl_col_in_fullres": "x", "pxl_row_in_fullres": "y"})
        assert plan(adata).coordinates.spot_diameter is None
