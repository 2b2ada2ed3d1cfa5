"""Images, spot sizes and µm apply only to the coordinates that their scale factors refer to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from karospace_jupyter import ExportConfig
from karospace_jupyter.errors import ImageError
from karospace_jupyter.plan import Plan, estimate, resolve
from karospace_jupyter.source import open_source

N = 240
TISSUE = np.full((100, 100, 3), 240, "u1")


def visium(images: dict[Any, Any] | None = None, name: Any = "L", **factors: Any) -> ad.AnnData:
    """Return spots on an image of 100 × 100 pixels, at a tenth of full resolution."""
    rng = np.random.default_rng(0)
    adata = ad.AnnData(rng.random((N, 2), dtype=np.float32), obs=pd.DataFrame(index=[f"c{i}" for i in range(N)]))
    adata.obsm["spatial"] = rng.uniform(200, 800, (N, 2))
    scales = {"tissue_hires_scalef": 0.1, "spot_diameter_fullres": 20.0, "microns_per_pixel": 0.5, **factors}
    adata.uns["spatial"] = {
        name: {
            "images": {"hires": TISSUE} if images is None else images,
            "scalefactors": {key: value for key, value in scales.items() if value is not None},
        }
    }
    return adata


@pytest.fixture(params=["memory", "h5ad", "zarr"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return a function that stores an object in the kind of source under test."""

    def put(adata: ad.AnnData) -> Any:
        path = tmp_path / f"a.{request.param}"
        if request.param == "memory":
            return adata
        if request.param == "h5ad":
            adata.write_h5ad(path)
        else:
            pytest.importorskip("zarr")
            adata.write_zarr(path)
        return path

    return put


def plan(subject: Any, **options: Any) -> Plan:
    source = open_source(subject)
    try:
        found = resolve(source, ExportConfig(genes_mode="all", **options))
        # The estimate that forms show has the same warnings.
        estimated = estimate(source, ExportConfig(genes_mode="all", **options)).plan
        assert estimated is not None
        assert estimated.warnings == found.warnings
        return found
    finally:
        source.close()


def warnings_of(found: Plan) -> str:
    return "\n".join(found.warnings)


def assert_shown(found: Plan, scale: float = 0.1) -> None:
    assert [image.scale for image in found.images] == [(scale, scale)]
    assert found.coordinates.spot_diameter == 20
    assert found.coordinates.unit_um == 0.5
    assert "Left out" not in warnings_of(found)


def assert_left_out(found: Plan, coordinates: str) -> None:
    assert found.images == ()
    assert found.coordinates.spot_diameter is None
    assert found.coordinates.unit_um is None
    (text,) = [text for text in found.warnings if text.startswith("Left out")]
    assert f"belong to obsm['spatial'] and the coordinates are {coordinates}" in text
    assert "uns['spatial']['L']['images']['hires']" in text
    assert "spot_diameter_fullres" in text
    assert "microns_per_pixel" in text


class TestOtherCoordinates:
    @pytest.mark.parametrize("key", ["spatial_cropped_150_buffer", "spatial_aligned", "spatial_um", "X_mds", "other"])
    def test_full_resolution_data_is_not_used(self, stored: Any, key: str) -> None:
        adata = visium()
        xy = adata.obsm["spatial"]
        adata.obsm["spatial_cropped_150_buffer"] = xy - [200, 200]
        adata.obsm["spatial_aligned"] = np.c_[1000 - xy[:, 1], xy[:, 0]]
        adata.obsm["spatial_um"], adata.obsm["X_mds"], adata.obsm["other"] = xy * 0.5, xy * 0.03, xy[:, ::-1].copy()
        subject = stored(adata)
        found = plan(subject, coords=f"obsm:{key}")
        assert_left_out(found, f"obsm['{key}']")
        assert "Choose the coordinates 'obsm:spatial'" in warnings_of(found)
        assert_shown(plan(subject))

    @pytest.mark.parametrize("kind", ["X_spatial", "centroid", "array", "x, y"])
    def test_object_without_full_resolution_pixels_explains_how_to_add_them(self, stored: Any, kind: str) -> None:
        adata = visium()
        xy = adata.obsm.pop("spatial")
        if kind == "X_spatial":
            adata.obsm["X_spatial"], name = xy * 0.1, "obsm['X_spatial']"
        else:
            names = {"centroid": ("centroid_x", "centroid_y"), "array": ("array_col", "array_row"), "x, y": ("x", "y")}
            x, y = names[kind]
            adata.obs[x], adata.obs[y] = xy.astype(int).T if kind == "array" else xy.T * 0.2125
            name = f"the columns '{x}' and '{y}' of obs"
        found = plan(stored(adata))
        assert_left_out(found, name)
        assert "store them as obsm['spatial']" in warnings_of(found)

    def test_full_resolution_columns_are_suggested(self) -> None:
        adata = visium()
        adata.obs["pxl_col_in_fullres"], adata.obs["pxl_row_in_fullres"] = adata.obsm.pop("spatial").T
        adata.obsm["X_spatial"] = np.ones((N, 2)) * np.arange(N)[:, None]
        found = plan(adata)
        assert_left_out(found, "obsm['X_spatial']")
        assert "'obs:pxl_col_in_fullres,pxl_row_in_fullres'" in warnings_of(found)
        assert_shown(plan(adata, coords="obs:pxl_col_in_fullres,pxl_row_in_fullres"))
        # With rows as x and columns as y, the axes are swapped relative to the image.
        assert plan(adata, coords="obs:pxl_row_in_fullres,pxl_col_in_fullres").images == ()

    def test_requested_image_is_left_out_for_other_coordinates(self) -> None:
        adata = visium()
        adata.obsm["spatial_um"] = adata.obsm["spatial"] / 2
        assert_left_out(plan(adata, coords="obsm:spatial_um", image_path="uns:L"), "obsm['spatial_um']")
        with pytest.raises(ImageError, match="no library 'M'"):
            plan(adata, coords="obsm:spatial_um", image_path="uns:M")

    def test_warning_without_image_lists_only_what_is_lost(self) -> None:
        adata = visium(spot_diameter_fullres=None, microns_per_pixel=None)
        adata.obsm["spatial_um"] = adata.obsm["spatial"] / 2
        assert "Left out" not in warnings_of(plan(adata, coords="obsm:spatial_um", image_path="none"))
        assert "Left out, because it belongs to obsm['spatial']" in warnings_of(plan(adata, coords="obsm:spatial_um"))
        adata.uns["spatial"]["L"]["images"]["lowres"] = TISSUE
        assert "Left out, because they belong to obsm['spatial']" in warnings_of(plan(adata, coords="obsm:spatial_um"))
        del adata.uns["spatial"]
        assert "Left out" not in warnings_of(plan(adata, coords="obsm:spatial_um"))


class TestSameCoordinates:
    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    def test_equal_values_under_another_key_count_as_full_resolution(self, stored: Any, dtype: str) -> None:
        adata = visium()
        adata.obsm["X_spatial"] = adata.obsm["spatial"].astype(dtype)
        adata.obs["x"], adata.obs["y"] = adata.obsm["spatial"].T
        subject = stored(adata)
        assert_shown(plan(subject, coords="obsm:X_spatial"))
        assert_shown(plan(subject, coords="obs:x,y"))
        assert_shown(plan(subject, coords="obsm:X_spatial", downsample=100))

    def test_nearly_equal_values_are_different_coordinates(self) -> None:
        adata = visium()
        adata.obsm["X_spatial"] = adata.obsm["spatial"] + [3, 0]
        assert_left_out(plan(adata, coords="obsm:X_spatial"), "obsm['X_spatial']")

    def test_spatial_differing_from_full_resolution_columns_warns(self) -> None:
        adata = visium()
        adata.obs["pxl_col_in_fullres"], adata.obs["pxl_row_in_fullres"] = adata.obsm["spatial"].T
        assert "differs from the columns" not in warnings_of(plan(adata))
        adata.obsm["spatial"] = np.c_[1000 - adata.obsm["spatial"][:, 1], adata.obsm["spatial"][:, 0]]
        found = plan(adata)
        assert len(found.images) == 1
        assert "obsm['spatial'] differs from the columns pxl_col_in_fullres" in warnings_of(found)

    @pytest.mark.parametrize("move", [0, 50])
    def test_negative_y_is_compared_with_the_orientation_of_the_image(self, move: int) -> None:
        adata = visium()
        row, col = (side.ravel() for side in np.mgrid[:12, :20])
        xy = np.c_[col * 30 + 200, row * 50 + 200].astype(float)
        adata.obs["array_row"], adata.obs["array_col"] = row, col * 2 + row % 2
        adata.obs["pxl_col_in_fullres"], adata.obs["pxl_row_in_fullres"] = xy.T
        adata.obsm["spatial"] = np.c_[xy[:, 0] + move, -xy[:, 1]]
        found = plan(adata)
        assert [image.scale for image in found.images] == [(0.1, -0.1)]
        assert ("differs from the columns" in warnings_of(found)) == (move > 0)

    def test_cells_in_a_corner_of_the_image_warn(self) -> None:
        adata = visium()
        assert "cover only" not in warnings_of(plan(adata))
        adata.obsm["spatial"] = adata.obsm["spatial"] * 0.1
        assert "cells cover only 0.3" in warnings_of(plan(adata))


class TestCropped:
    """Images and coordinates of bin2cell."""

    def bins(self, key: str = "0.5_mpp_150_buffer", obsm: str = "spatial_cropped_150_buffer") -> ad.AnnData:
        adata = visium({"hires": TISSUE, key: TISSUE[:60, :60]}, **{f"tissue_{key}_scalef": 0.08})
        adata.obsm[obsm] = adata.obsm["spatial"] - [150, 150]
        return adata

    def test_image_whose_key_matches_the_coordinates_is_shown(self, stored: Any) -> None:
        subject = stored(self.bins())
        found = plan(subject, coords="obsm:spatial_cropped_150_buffer")
        assert_shown(found, 0.08)
        assert "0.5_mpp_150_buffer" in found.images[0].origin
        found = plan(subject)
        assert_shown(found)
        assert "'0.5_mpp_150_buffer' (it belongs to obsm['spatial_cropped_150_buffer']" in warnings_of(found)

    def test_image_of_another_crop_is_left_out(self) -> None:
        adata = self.bins()
        adata.obsm["spatial_cropped_10_buffer"] = adata.obsm["spatial"] - [190, 190]
        found = plan(adata, coords="obsm:spatial_cropped_10_buffer")
        assert found.images == ()
        assert found.coordinates.spot_diameter is None
        assert "belongs to obsm['spatial_cropped_150_buffer']; choose the coordinates" in warnings_of(found)

    def test_keys_of_early_bin2cell_versions_match(self) -> None:
        found = plan(self.bins("0.5_mpp", "spatial_cropped"), coords="obsm:spatial_cropped")
        assert_shown(found, 0.08)
        # Without cropped coordinates, the image is that of the whole tissue.
        whole = visium({"0.5_mpp": TISSUE}, tissue_hires_scalef=None, **{"tissue_0.5_mpp_scalef": 0.1})
        assert_shown(plan(whole))

    def test_file_with_the_size_of_the_image_uses_its_scale(self, tmp_path: Path) -> None:
        Image.fromarray(TISSUE[:60, :60]).save(tmp_path / "crop.png")
        found = plan(self.bins(), coords="obsm:spatial_cropped_150_buffer", image_path=str(tmp_path / "crop.png"))
        assert_shown(found, 0.08)


class TestFiles:
    def test_scale_factors_are_not_applied_to_other_coordinates(self, tmp_path: Path) -> None:
        adata = visium()
        adata.obsm["spatial_um"] = adata.obsm["spatial"] * 0.5
        path = str(tmp_path / "a.png")
        Image.fromarray(TISSUE).save(path)
        assert_shown(plan(adata, image_path=path))
        found = plan(adata, coords="obsm:spatial_um", image_path=path)
        assert [image.scale for image in found.images] == [(1, 1)]
        assert "of the cells lie within a.png" in warnings_of(found)
        assert found.coordinates.spot_diameter is None
        assert "Left out, because they belong to obsm['spatial']" in warnings_of(found)
        Image.fromarray(np.zeros((500, 500, 3), "u1")).save(path)
        found = plan(adata, coords="obsm:spatial_um", image_path=path)
        assert [image.scale for image in found.images] == [(1, 1)]
        assert "of the cells lie within" not in warnings_of(found)


class TestKeys:
    @pytest.mark.parametrize(("key", "factor"), [("fullres", 1.0), ("fullres", None), ("0.5_mpp", 0.3), ("mid", 0.3)])
    def test_largest_image_with_a_scale_is_used(self, stored: Any, key: str, factor: float | None) -> None:
        side = 1000 if key == "fullres" else 300
        picture = np.zeros((side, side, 3), "u1")
        images = {"hires": TISSUE, key: picture, "lowres": TISSUE[::4, ::4]}
        found = plan(
            stored(visium(images, tissue_lowres_scalef=0.025, **{f"tissue_{key}_scalef": factor})),
        )
        assert_shown(found, 1.0 if key == "fullres" else 0.3)
        assert found.images[0].size == (side, side)
        assert "not shown" not in warnings_of(found)

    def test_channels_first_images_are_compared_by_their_pixels(self) -> None:
        images = {"hires": np.zeros((3, 100, 100), "u1"), "small": np.zeros((50, 50, 3), "u1")}
        assert_shown(plan(visium(images, tissue_small_scalef=0.05)))

    def test_smaller_image_is_used_beyond_the_texture_limit(self) -> None:
        images = {"fullres": np.zeros((9, 16800, 1), "u1"), "half": np.zeros((9, 8400, 1), "u1"), "low": TISSUE}
        adata = visium(images, tissue_hires_scalef=None, tissue_half_scalef=0.5, tissue_low_scalef=0.1)
        adata.obsm["spatial"] = np.c_[adata.obsm["spatial"][:, 0] * 10, adata.obsm["spatial"][:, 1] / 100]
        assert_shown(plan(adata), 0.5)

    def test_image_without_scale_warns(self, stored: Any) -> None:
        images = {"hires": TISSUE, "segmentation": np.zeros((400, 400), "u2"), "dapi": np.zeros((900, 900), "u2")}
        found = plan(stored(visium(images)))
        assert_shown(found)
        assert "'segmentation' (there is no tissue_segmentation_scalef)" in warnings_of(found)
        assert "'dapi' (there is no tissue_dapi_scalef)" in warnings_of(found)

    def test_tissue_is_preferred_over_labels(self) -> None:
        images = {"segmentation": np.zeros((400, 400), "u2"), "hires": TISSUE}
        assert_shown(plan(visium(images, tissue_segmentation_scalef=0.4)))

    @pytest.mark.parametrize("factor", [None, np.nan, 0.0, "x"])
    def test_scale_defaults_to_1_if_the_cells_lie_within_the_image(self, factor: Any) -> None:
        found = plan(visium({"hires": np.zeros((1000, 1000, 3), "u1")}, tissue_hires_scalef=factor))
        assert_shown(found, 1.0)
        assert "not a scale factor; 1 is used" in warnings_of(found)
        found = plan(visium(tissue_hires_scalef=factor))
        assert found.images == ()
        assert "only 0% of the cells lie within it" in warnings_of(found)
        assert "1 is used" not in warnings_of(found)

    def test_conversion_of_values_warns(self) -> None:
        found = plan(visium({"hires": np.dstack([TISSUE, TISSUE[..., :2]])}))
        assert found.images == ()
        assert "all of its 5 channels are constant" in warnings_of(found)
        tissue = np.random.default_rng(0).random((100, 100, 5))
        assert "hires']: its 5 channels are shown as a composite" in warnings_of(plan(visium({"hires": tissue})))


class TestLibraries:
    @pytest.mark.parametrize("name", ["a/b", "a/b/c", "tissue 1", "x.y"])
    @pytest.mark.parametrize("nested", [False, True])
    def test_library_names_with_slashes_are_read(
        self, stored: Any, name: str, nested: bool, request: pytest.FixtureRequest
    ) -> None:
        adata = visium(name=name)
        # HDF5 turns names with slashes into nested groups; anndata no longer writes such names to zarr.
        if nested or "zarr" in request.node.name:
            (library,) = adata.uns["spatial"].values()
            for part in reversed(name.split("/")):
                library = {part: library}
            adata.uns["spatial"] = library
        subject = stored(adata)
        found = plan(subject)
        assert_shown(found)
        assert found.images[0].origin == f"uns['spatial']['{name}']['images']['hires']"
        assert_shown(plan(subject, image_path=f"uns:{name}"))

    @pytest.mark.parametrize("name", [0, 7, np.int64(3)])
    def test_integer_library_names_are_read_from_memory(self, name: Any) -> None:
        assert_shown(plan(visium(name=name)))
        assert_shown(plan(visium(name=name), image_path=f"uns:{name}"))

    def test_images_without_a_library_are_read(self, stored: Any) -> None:
        adata = visium()
        adata.uns["spatial"] = {**adata.uns["spatial"]["L"], "is_single": True}
        subject = stored(adata)
        found = plan(subject)
        assert_shown(found)
        assert found.images[0].origin == "uns['spatial']['images']['hires']"
        adata.obsm["spatial_um"] = adata.obsm["spatial"] / 2
        found = plan(adata, coords="obsm:spatial_um")
        assert found.images == ()
        assert "uns['spatial']['images']['hires']" in warnings_of(found)

    def test_entries_that_are_not_libraries_are_skipped(self, stored: Any) -> None:
        adata = visium()
        adata.uns["spatial"] |= {"is_single": True, "note": "text", "numbers": np.arange(3), "empty": {}}
        adata.uns["spatial"]["table"] = pd.DataFrame({"images": [1.0]}, index=["a"])
        assert_shown(plan(stored(adata)))

    def test_libraries_without_a_section_warn(self, stored: Any) -> None:
        adata = visium()
        adata.obs["library_id"] = pd.Categorical(np.where(np.arange(N) % 2, "L", "M"))
        library = adata.uns["spatial"]["L"]
        adata.uns["spatial"] |= {"M": library, "old": library}
        found = plan(stored(adata))
        assert [image.sections for image in found.images] == [("L",), ("M",)]
        assert "not shown, because no section of 'library_id' belongs to them: old." in warnings_of(found)

    @pytest.mark.parametrize("kind", ["list", "dask", "zarr", "pillow", "bytes"])
    def test_image_objects_in_memory_are_read(self, kind: str, tmp_path: Path) -> None:
        if kind == "dask":
            image: Any = pytest.importorskip("dask.array").from_array(TISSUE, chunks=50)
        elif kind == "zarr":
            image = pytest.importorskip("zarr").array(TISSUE)
        elif kind == "list":
            image = TISSUE.tolist()
        else:
            image = Image.fromarray(TISSUE)
            if kind == "bytes":
                image.save(tmp_path / "a.png")
                image = (tmp_path / "a.png").read_bytes()
        found = plan(visium({"hires": image}))
        assert_shown(found)
        assert found.images[0].pixels is not None
        assert (found.images[0].pixels == 240).all()
