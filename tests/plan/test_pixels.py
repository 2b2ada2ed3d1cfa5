"""Conversion of arrays to images: ranges from quantiles, channels, layouts."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from karospace_jupyter.plan.images.intensity import COMPOSITE
from karospace_jupyter.plan.images.pixels import NotAnImage, as_pixels, image_size

RED, GRAY = [200, 50, 50], [230, 230, 230]


def two_colors(dtype: Any = np.float64) -> np.ndarray[Any, Any]:
    """Return an image with an upper half in RED and a lower half in GRAY, in 0–255."""
    out = np.full((100, 100, 3), 230, dtype)
    out[:50] = RED
    return out


def read(array: Any, **options: Any) -> tuple[Any, str]:
    """Return the pixels of an array, and the notes about its conversion."""
    notes: list[str] = []
    pixels = as_pixels(array, notes, **options)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    return pixels, "; ".join(notes)


def assert_two_colors(pixels: Any) -> None:
    assert np.abs(pixels[10, 10, :3].astype(int) - RED).max() <= 1
    assert np.abs(pixels[90, 10, :3].astype(int) - GRAY).max() <= 1


class TestRange:
    @pytest.mark.parametrize(
        ("scale", "outlier"),
        [
            *[(1 / 255, 1.05), (1 / 255, -0.25), (1 / 255, -1.0), (1 / 255, 3.0), (1 / 255, 255.0)],
            *[(1, 257.0), (1, -20.0), (1, 400.0), (257, 70000.0), (257, -500.0)],
        ],
    )
    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
    def test_outliers_of_float_images_are_clipped(self, scale: float, outlier: float, dtype: str) -> None:
        if dtype == "f2" and scale == 257:
            pytest.skip("beyond float16")
        array = (two_colors() * scale).astype(dtype)
        array[0, 0] = outlier
        pixels, noted = read(array)
        assert_two_colors(pixels)
        assert set(pixels[0, 0].tolist()) == {255 if outlier > 0 else 0}
        top = {1 / 255: 1, 1: 255, 257: 65535}[scale]
        assert ("clipped" in noted) == (outlier > 1.3 * top or outlier < -0.3 * top)

    def test_interpolation_overshoot_is_clipped(self) -> None:
        array = two_colors() / 255
        array[:, 40:45] = 1.18  # more pixels than the quantiles ignore
        array[:, 60:65] = -0.15
        pixels, noted = read(array)
        assert_two_colors(pixels)
        assert pixels[90, 42].tolist() == [255] * 3
        assert pixels[90, 62].tolist() == [0] * 3
        assert noted == ""

    @pytest.mark.parametrize(
        ("dtype", "top"),
        [
            *[("u2", 255), ("u2", 4095), ("u2", 65535), ("i4", 65535), ("u4", 65535), ("i8", 4095), (">u2", 65535)],
            *[("u4", 4294967295), ("i8", 255), ("u2", 1023), ("u2", 16383), ("i4", 1023), ("f4", 1023)],
            *[("f4", 4095), ("f8", 16383)],
        ],
    )
    def test_bit_depth_of_integers_is_inferred_from_quantiles(self, dtype: str, top: int) -> None:
        array = np.rint(two_colors() * (top / 255)).astype(dtype)
        assert_two_colors(read(array)[0])
        most = np.iinfo(dtype).max if np.dtype(dtype).kind != "f" else 65535
        array[0, 0] = most
        pixels, noted = read(array)
        assert_two_colors(pixels)
        assert ("clipped" in noted) == (top < 0.7 * most)

    @pytest.mark.parametrize(("dtype", "high"), [("u2", 300), ("u2", 1500), ("u2", 20000), ("f4", 100), ("u1", 2)])
    def test_inferred_range_is_noted(self, dtype: str, high: int) -> None:
        pixels, noted = read(np.linspace(0, high, 10000).reshape(100, 100).astype(dtype))
        assert pixels.max() == 255
        assert "were stretched to full brightness" in noted

    def test_dim_images_of_unknown_range_are_stretched_and_noted(self) -> None:
        gray = np.linspace(0, 300, 10000).reshape(100, 100).astype("u2")
        pixels, noted = read(gray)
        assert pixels.max() == 255
        assert "stretched" in noted
        assert read(two_colors() / 25500)[0].max() == 255
        assert "scaled down" in read(np.linspace(0, 1e6, 10000).reshape(100, 100))[1]

    def test_dark_8_bit_images_are_unchanged(self) -> None:
        dark = np.full((20, 20, 3), 9, "u1")
        pixels, noted = read(dark)
        assert (pixels == dark).all()
        assert noted == ""
        assert (read(np.zeros((20, 20, 3), "f4"))[0] == 0).all()

    def test_mask_of_zeros_and_ones_is_stretched(self) -> None:
        pixels, noted = read(np.eye(50, dtype="u1"))
        assert set(np.unique(pixels)) == {0, 255}
        assert "stretched" in noted
        assert set(np.unique(read(np.eye(50) > 0)[0])) == {0, 255}

    @pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
    def test_scaled_matrix_is_rejected(self, channels: int) -> None:
        scaled = np.random.default_rng(0).normal(0, 1, (60, 60, channels)).clip(-4, 4)
        with pytest.raises(NotAnImage, match="its values run from"):
            as_pixels(scaled)
        skewed = np.random.default_rng(0).exponential(2, (60, 60, channels)) - 0.8
        with pytest.raises(NotAnImage, match="its values run from"):
            as_pixels(skewed)

    def test_pixels_without_value_are_black_and_counted(self) -> None:
        array = two_colors() / 255
        array[60:62, :3] = np.nan
        array[70, 0] = np.inf
        pixels, noted = read(array)
        assert_two_colors(pixels)
        assert pixels[61, 2].tolist() == [0] * 3
        assert pixels[70, 0].tolist() == [255] * 3
        assert "6 pixels without a value are black" in noted

    def test_processing_in_blocks_does_not_change_the_result(self, monkeypatch: pytest.MonkeyPatch) -> None:
        array = np.random.default_rng(0).random((301, 40, 3))
        whole = as_pixels(array)
        monkeypatch.setattr("karospace_jupyter.plan.images.intensity._SAMPLE", 1 << 10)
        assert np.abs(as_pixels(array).astype(int) - whole).max() <= 1


class TestChannels:
    @pytest.mark.parametrize("first", [False, True])
    @pytest.mark.parametrize(("n", "dtype"), [(2, "u2"), (4, "u2"), (4, "u1"), (4, "f4"), (6, "u2"), (9, "f8")])
    def test_fluorescence_channels_become_a_composite(self, n: int, dtype: str, first: bool) -> None:
        scale = {"u2": 30000, "u1": 200, "f4": 0.8, "f8": 900.0}[dtype]
        array = np.zeros((100, 100, n), dtype)
        array[:50, :, 0] = scale
        array[50:, :, 1] = scale * 2 / 3
        array[..., -1] = array[..., -1] if n == 2 else scale / 60
        pixels, noted = read(np.moveaxis(array, 2, 0) if first else array)
        assert pixels.shape == (100, 100, 3)
        assert pixels[10, 10].tolist() == [255, 0, 0]
        assert pixels[90, 10].tolist() == [0, 255, 0]
        assert "1 red, 2 green" in noted
        assert (f"the first {len(COMPOSITE)} of its 9 channels" in noted) == (n == 9)

    def test_colors_of_a_composite_add_up(self) -> None:
        array = np.zeros((60, 100, 6))
        for at in range(6):
            array[:, at * 10 : at * 10 + 10, at] = 1
        array[:, 90:, :2] = 1
        pixels = as_pixels(array)
        assert [pixels[5, at * 10 + 5].tolist() for at in range(6)] == [list(color) for _, color in COMPOSITE]
        assert pixels[5, 95].tolist() == [255, 255, 0]

    def test_each_channel_of_a_composite_has_its_own_limits(self) -> None:
        array = np.zeros((100, 100, 5), "u2")
        array[:50, :, 0] = 60000
        array[50:, :, 1] = 12
        array[0, 0, 1] = 65535  # a hot pixel
        pixels = as_pixels(array)
        assert pixels[10, 10].tolist() == [255, 0, 0]
        assert pixels[90, 10].tolist() == [0, 255, 0]

    @pytest.mark.parametrize("scale", [1, 1 / 255])
    @pytest.mark.parametrize("opaque", [0.5, 0.97])
    def test_mostly_opaque_channel_is_transparency(self, scale: float, opaque: float) -> None:
        alpha = np.full((100, 100), 255.0)
        alpha[:, : round(100 * (1 - opaque))] = 40
        array = np.dstack([two_colors(), alpha]) * scale
        for value in [array] if scale != 1 else [array, array.astype("u1")]:
            pixels, noted = read(value)
            assert_two_colors(pixels)
            assert (np.abs(pixels[..., 3] - alpha) <= 1).all()
            assert noted == ""

    def test_gray_with_transparency_is_read(self) -> None:
        gray = two_colors()[..., 0].astype("u1")
        pixels = as_pixels(np.dstack([gray, np.full_like(gray, 255)]))
        assert pixels[10, 10].tolist() == [200, 200, 200, 255]

    def test_mask_around_tissue_is_transparency(self) -> None:
        array = np.dstack([two_colors("u1"), np.zeros((100, 100), "u1")])
        array[..., :3] *= 0
        array[40:60, 40:60] = [*RED, 255]
        pixels = as_pixels(array)
        assert pixels[50, 50].tolist() == [*RED, 255]
        assert pixels[0, 0].tolist() == [0, 0, 0, 0]

    @pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_fully_transparent_alpha_is_ignored_and_noted(self, dtype: str, channels: int) -> None:
        array = two_colors()[..., :channels] * {"u1": 1, "u2": 257, "f4": 1 / 255}[dtype]
        pixels, noted = read(np.dstack([array, np.zeros((100, 100))]).astype(dtype), alpha=True)
        assert pixels.shape == (100, 100, 3)
        assert np.abs(pixels[10, 10, :channels].astype(int) - RED[:channels]).max() <= 1
        assert noted == "its transparency hides every pixel, so it was ignored"

    def test_alpha_of_1_is_opaque_with_colors_up_to_255(self) -> None:
        pixels = as_pixels(np.dstack([two_colors(), np.ones((100, 100))]))
        assert_two_colors(pixels)
        assert (pixels[..., 3] == 255).all()

    def test_three_channels_of_16_bits_are_red_green_blue(self) -> None:
        pixels, noted = read((two_colors() * 257).astype("u2"))
        assert_two_colors(pixels)
        assert noted == ""

    def test_constant_channels_are_rejected(self) -> None:
        with pytest.raises(NotAnImage, match="are constant"):
            as_pixels(np.full((20, 20, 2), 7, "u2"))

    @pytest.mark.parametrize(
        ("shape", "size"),
        [
            ((100, 80), (80, 100)),
            ((100, 80, 3), (80, 100)),
            ((3, 100, 80), (80, 100)),
            ((3, 100, 4), (4, 100)),
            ((4, 100, 3), (100, 4)),
            ((4, 100, 4), (100, 4)),
            ((100, 80, 12), (80, 100)),
            ((12, 100, 80), (80, 100)),
            ((1, 100, 80), (80, 100)),
            ((100, 80, 1, 3), (80, 100)),
            ((1, 1, 3, 100, 80), (80, 100)),
            ((100, 80, 70), None),
            ((2, 100, 80, 3), None),
            ((5,), None),
            ((), None),
        ],
    )
    def test_channel_axis_is_inferred_from_the_shape(self, shape: tuple[int, ...], size: Any) -> None:
        assert image_size(shape) == size
        array = np.random.default_rng(0).integers(0, 250, shape).astype("u1")
        if size is None:
            with pytest.raises(NotAnImage):
                as_pixels(array)
        else:
            assert as_pixels(array).shape[:2] == size[::-1]


class TestKindsOfObjects:
    def test_nested_lists_are_read(self) -> None:
        assert_two_colors(as_pixels(two_colors("u1").tolist()))
        with pytest.raises(NotAnImage, match="differ in length"):
            as_pixels([[1, 2], [3]])

    def test_dask_arrays_are_read(self) -> None:
        dask = pytest.importorskip("dask.array")
        assert_two_colors(as_pixels(dask.from_array(two_colors("u1"), chunks=30)))

    def test_zarr_arrays_are_read(self) -> None:
        zarr = pytest.importorskip("zarr")
        assert_two_colors(as_pixels(zarr.array(two_colors("u1"))))

    def test_named_dimensions_determine_the_layout(self) -> None:
        class Named:
            """Like xarray's DataArray: an array with named dimensions."""

            dims = ("c", "y", "x")

            def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
                return np.moveaxis(two_colors("u1"), 2, 0)[:, :3]  # ambiguous by its shape

        pixels = as_pixels(Named())
        assert pixels.shape == (3, 100, 3)
        assert pixels[0, 0].tolist() == RED

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "YCbCr"])
    def test_pillow_images_of_any_mode_are_read(self, mode: str) -> None:
        picture = Image.fromarray(two_colors("u1")).convert(mode)
        pixels = as_pixels(picture)
        assert np.abs(pixels[10, 10, :3].astype(int) - RED).max() <= 5  # palettes and YCbCr are lossy

    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    @pytest.mark.parametrize("wrap", [bytes, bytearray, np.void])
    def test_bytes_of_an_image_file_are_decoded(self, kind: str, wrap: Any) -> None:
        stream = io.BytesIO()
        Image.fromarray(two_colors("u1")).save(stream, kind)
        assert np.abs(as_pixels(wrap(stream.getvalue()))[10, 10].astype(int) - RED).max() <= 3

    @pytest.mark.parametrize("value", [b"text", "images/hires.png", np.array([None]), {"a": 1}, np.ones((9, 9)) * 1j])
    def test_values_that_are_not_an_image_are_rejected(self, value: Any) -> None:
        with pytest.raises(NotAnImage, match="it holds"):
            as_pixels(value)
