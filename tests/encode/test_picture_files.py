"""Tests of image files: pages, planes, bits, transparency and orientation."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import PIL
import pytest
from PIL import Image

from karospace_jupyter import ExportConfig
from karospace_jupyter.errors import ImageError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.plan.images.files import inspect_file, load_pixels
from karospace_jupyter.plan.images.intensity import COMPOSITE
from karospace_jupyter.plan.images.opening import open_picture

RED, GRAY = [200, 50, 50], [230, 230, 230]
HEIGHT, WIDTH = 100, 80


def two_colors() -> np.ndarray[Any, Any]:
    out = np.full((HEIGHT, WIDTH, 3), 230, "u1")
    out[:50] = RED
    return out


def write_tiff(path: Path, array: np.ndarray[Any, Any], *, planar: bool = False, raw: Any = None, **tags: int) -> None:
    """Write an uncompressed TIFF of shape (height, width, channels), with tags that Pillow cannot write."""
    height, width, n = array.shape
    order = array.dtype.newbyteorder("<")
    parts = raw or [part.astype(order).tobytes() for part in (np.moveaxis(array, 2, 0) if planar else [array])]
    starts = np.cumsum([8, *map(len, parts)]).tolist()
    kind = {"u": 1, "i": 2, "f": 3}[array.dtype.kind]
    entries: dict[int, tuple[int, ...]] = {
        256: (width,), 257: (height,), 258: (array.itemsize * 8,) * n, 259: (1,), 262: (2 if n >= 3 else 1,),
        273: tuple(starts[:-1]), 277: (n,), 278: (height,), 279: tuple(map(len, parts)),
        284: (2 if planar else 1,), 339: (kind,) * n,
    }  # fmt: skip
    for name, value in tags.items():
        entries[int(name.removeprefix("tag"))] = (value,)
    directory_offset = starts[-1]
    extra_offset = directory_offset + 2 + 12 * len(entries) + 4
    directory, extra = struct.pack("<H", len(entries)), b""
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            directory += struct.pack("<HHII", tag, 4, len(values), extra_offset + len(extra))
            extra += packed
        else:
            directory += struct.pack("<HHI", tag, 4, 1) + packed
    path.write_bytes(struct.pack("<2sHI", b"II", 42, directory_offset) + b"".join(parts) + directory + bytes(4) + extra)


def read(path: Path) -> tuple[Any, str]:
    """Return the pixels of an image file, and the notes about how it was read."""
    file = inspect_file(path)
    notes = list(file.notes)
    pixels = load_pixels(path, file.pages, notes)
    assert file.size == (pixels.shape[1], pixels.shape[0])
    return pixels, "; ".join(notes)


def assert_two_colors(pixels: Any, within: int = 1) -> None:
    assert pixels.shape[:2] == (HEIGHT, WIDTH)
    assert np.abs(pixels[10, 10, :3].astype(int) - RED).max() <= within
    assert np.abs(pixels[90, 10, :3].astype(int) - GRAY).max() <= within


def save_pages(path: Path, pages: list[Any]) -> None:
    first, *others = [Image.fromarray(np.ascontiguousarray(page)) for page in pages]
    first.save(path, save_all=True, append_images=others)


class TestPages:
    def test_three_gray_pages_become_one_color_image(self, tmp_path: Path) -> None:
        x = two_colors()
        save_pages(tmp_path / "a.tif", [x[..., k] for k in range(3)])
        pixels, noted = read(tmp_path / "a.tif")
        assert_two_colors(pixels)
        assert "three gray pages are shown as red, green and blue" in noted
        save_pages(tmp_path / "b.tif", [x[..., k].astype("u2") * 257 for k in range(3)])
        assert_two_colors(read(tmp_path / "b.tif")[0])

    @pytest.mark.parametrize("n", [2, 4, 5, 9])
    @pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
    def test_gray_pages_are_channels_of_a_composite(self, tmp_path: Path, n: int, dtype: str) -> None:
        pages = [np.zeros((HEIGHT, WIDTH), dtype) for _ in range(n)]
        pages[0][:50] = 180
        pages[1][50:] = 90
        save_pages(tmp_path / "a.tif", pages)
        pixels, noted = read(tmp_path / "a.tif")
        assert pixels[10, 10].tolist() == [255, 0, 0]
        assert pixels[90, 10].tolist() == [0, 255, 0]
        assert f"its {n} gray pages" in noted
        assert "1 red, 2 green" in noted
        assert len(inspect_file(tmp_path / "a.tif").pages) == min(n, len(COMPOSITE))
        assert ("not shown" in noted) == (n > len(COMPOSITE))

    @pytest.mark.parametrize(
        ("n", "extra_shape", "omitted"),
        [
            (6, None, None),
            (7, None, "page 7 is not shown"),
            (8, None, "pages 7 to 8 are not shown"),
            (8, (HEIGHT // 2, WIDTH // 2), "pages 7 to 8 are not shown"),
            (8, (HEIGHT * 2, WIDTH), "pages 7 to 9 are not shown"),
            (4, (HEIGHT * 2, WIDTH), "page 5 is not shown"),
        ],
    )
    def test_pages_that_are_not_shown_are_listed(
        self, tmp_path: Path, n: int, extra_shape: Any, omitted: str | None
    ) -> None:
        pages = [np.full((HEIGHT, WIDTH), value, "u2") for value in range(n)]
        save_pages(tmp_path / "a.tif", [*pages, *([] if extra_shape is None else [np.zeros(extra_shape, "u2")])])
        notes = inspect_file(tmp_path / "a.tif").notes
        shown = f"the first {len(COMPOSITE)} of its" if n > len(COMPOSITE) else "its"
        assert notes == (f"{shown} {n} gray pages are shown as channels of one image", *([omitted] if omitted else []))

    def test_first_page_of_a_pyramid_is_shown(self, tmp_path: Path) -> None:
        x = two_colors()
        save_pages(tmp_path / "a.tif", [x, x[::2, ::2], x[::4, ::4]])
        pixels, noted = read(tmp_path / "a.tif")
        assert_two_colors(pixels)
        assert noted == ""
        # Three channels, each with smaller copies.
        small = [x[::2, ::2, k] for k in range(3)]
        save_pages(tmp_path / "b.tif", [*(x[..., k] for k in range(3)), *small])
        pixels, noted = read(tmp_path / "b.tif")
        assert_two_colors(pixels)
        assert "not shown" not in noted

    @pytest.mark.parametrize("second", [two_colors(), np.zeros((300, 300, 3), "u1"), np.zeros((300, 90), "u1")])
    def test_omitted_pages_are_reported(self, tmp_path: Path, second: Any) -> None:
        save_pages(tmp_path / "a.tif", [two_colors(), second])
        pixels, noted = read(tmp_path / "a.tif")
        assert_two_colors(pixels)
        assert "page 1 of 2 is shown" in noted

    def test_only_the_first_frame_of_an_animation_is_used(self, tmp_path: Path) -> None:
        save_pages(tmp_path / "a.webp", [two_colors(), 255 - two_colors()])
        assert "only the first of its 2 frames" in inspect_file(tmp_path / "a.webp").notes[0]


class TestLayoutsOfTiff:
    @pytest.mark.parametrize("planar", [False, True])
    @pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4"])
    def test_interleaved_and_planar_channels_are_read(self, tmp_path: Path, planar: bool, dtype: str) -> None:
        array = two_colors().astype(dtype) * {"u1": 1, "u2": 257, "u4": 16843009, "f4": 1 / np.float32(255)}[dtype]
        write_tiff(tmp_path / "a.tif", array, planar=planar)
        pixels, noted = read(tmp_path / "a.tif")
        assert_two_colors(pixels)
        assert noted == ""

    @pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
    @pytest.mark.parametrize("dtype", ["u1", "u2"])
    def test_compressed_planes_are_read(self, tmp_path: Path, compression: str, dtype: str) -> None:
        array = two_colors().astype(dtype) * (257 if dtype == "u2" else 1)
        planes = []
        for k in range(3):
            stream = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(array[..., k])).save(stream, "TIFF", compression=compression)
            planes.append(Image.open(stream))
        strips = [
            (plane.fp.getvalue()[at : at + n])
            for plane in planes
            for at, n in zip(plane.tag_v2[273], plane.tag_v2[279], strict=True)
        ]
        write_tiff(
            tmp_path / "a.tif", array, planar=True, raw=strips,
            tag259=planes[0].tag_v2[259], tag278=planes[0].tag_v2[278], tag317=planes[0].tag_v2.get(317, 1),
        )  # fmt: skip
        assert_two_colors(read(tmp_path / "a.tif")[0])

    def test_unspecified_fourth_channel_is_not_transparency(self, tmp_path: Path) -> None:
        array = np.dstack([two_colors(), np.full((HEIGHT, WIDTH), 9, "u1")])
        write_tiff(tmp_path / "a.tif", array)
        pixels, noted = read(tmp_path / "a.tif")
        assert pixels.shape[2] == 3
        assert "4 channels are shown as a composite" in noted
        write_tiff(tmp_path / "b.tif", array, tag338=0)
        pixels, noted = read(tmp_path / "b.tif")
        assert_two_colors(pixels)
        assert "it has 4 channels; the first 3 of them are shown" in noted
        write_tiff(tmp_path / "c.tif", array, tag338=2)
        pixels, noted = read(tmp_path / "c.tif")
        assert pixels[10, 10].tolist() == [*RED, 9]
        assert noted == ""

    def test_gray_values_stored_with_white_as_zero_are_inverted(self, tmp_path: Path) -> None:
        gray = np.full((HEIGHT, WIDTH, 1), 60000, "u2")
        gray[:50] = 10000
        write_tiff(tmp_path / "a.tif", gray, tag262=0)
        pixels = read(tmp_path / "a.tif")[0]
        assert pixels[10, 10, 0] > 180
        assert pixels[90, 10, 0] == 0

    def test_12_bit_colors_keep_their_brightness(self, tmp_path: Path) -> None:
        write_tiff(tmp_path / "a.tif", two_colors().astype("u2") * 16)
        pixels, noted = read(tmp_path / "a.tif")
        assert_two_colors(pixels)
        assert noted == ""

    @pytest.mark.parametrize("planar", [False, True])
    @pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
    def test_many_channels_in_one_page_become_a_composite(self, tmp_path: Path, planar: bool, dtype: str) -> None:
        array = np.zeros((HEIGHT, WIDTH, 7), dtype)
        array[:50, :, 0] = 180
        array[50:, :, 1] = 90
        write_tiff(tmp_path / "a.tif", array, planar=planar, tag262=1)
        pixels, noted = read(tmp_path / "a.tif")
        assert pixels[10, 10].tolist() == [255, 0, 0]
        assert pixels[90, 10].tolist() == [0, 255, 0]
        assert "the first 6 of its 7 channels" in noted

    @pytest.mark.parametrize("planar", [False, True])
    @pytest.mark.parametrize("dtype", ["u1", "u2"])
    @pytest.mark.parametrize("tags", [{}, {"tag338": 0}])
    def test_two_gray_channels_become_a_composite(
        self, tmp_path: Path, planar: bool, dtype: str, tags: dict[str, int]
    ) -> None:
        array = np.zeros((HEIGHT, WIDTH, 2), dtype)
        array[:50, :, 0] = 180
        array[50:, :, 1] = 90
        write_tiff(tmp_path / "a.tif", array, planar=planar, **tags)
        pixels, noted = read(tmp_path / "a.tif")
        assert pixels[10, 10].tolist() == [255, 0, 0]
        assert pixels[90, 10].tolist() == [0, 255, 0]
        assert "its 2 channels are shown as a composite" in noted
        assert "first" not in noted

    @pytest.mark.parametrize("kind", [1, 2])
    def test_gray_with_transparency_is_read(self, tmp_path: Path, kind: int) -> None:
        array = np.full((HEIGHT, WIDTH, 2), 255, "u1")
        array[..., 0] = 60
        write_tiff(tmp_path / "a.tif", array, tag338=kind)
        pixels, noted = read(tmp_path / "a.tif")
        assert pixels[10, 10].tolist() == [60, 60, 60, 255]
        assert noted == ""

    @pytest.mark.parametrize("planar", [False, True])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_16_bit_floats_are_read(self, tmp_path: Path, planar: bool, channels: int) -> None:
        array = (two_colors()[..., :channels] / np.float32(255)).astype("f2")
        write_tiff(tmp_path / "a.tif", array, planar=planar)
        pixels, noted = read(tmp_path / "a.tif")
        assert np.abs(pixels[10, 10, :channels].astype(int) - RED[:channels]).max() <= 1
        assert np.abs(pixels[90, 10].astype(int) - GRAY).max() <= 1
        assert noted == ""

    def test_big_endian_files_are_read(self, tmp_path: Path) -> None:
        Image.fromarray(two_colors()).save(tmp_path / "a.tif", big_endian=True)
        assert_two_colors(read(tmp_path / "a.tif")[0])
        Image.fromarray(two_colors()[..., 0].astype(">u2") * 257).save(tmp_path / "b.tif")
        assert read(tmp_path / "b.tif")[0][10, 10].tolist() == [200] * 3

    def test_unsupported_number_format_is_reported(self, tmp_path: Path) -> None:
        raw = [np.zeros((9, 9, 7), "u1").tobytes()]
        write_tiff(tmp_path / "a.tif", np.zeros((9, 9, 7), "f4").view("u4"), raw=raw, tag258=8, tag339=3)
        with pytest.raises(ImageError, match="a TIFF of an unsupported kind"):
            read(tmp_path / "a.tif")

    @pytest.mark.parametrize("tag", [{"tag259": 7}, {"tag317": 2}])
    def test_unsupported_tiff_is_reported(self, tmp_path: Path, tag: dict[str, int]) -> None:
        write_tiff(tmp_path / "a.tif", np.zeros((9, 9, 7), "f4"), **tag)
        with pytest.raises(ImageError, match="a TIFF of an unsupported kind"):
            inspect_file(tmp_path / "a.tif")


class TestModes:
    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
    @pytest.mark.parametrize("suffix", ["tif", "png"])
    def test_gray_is_read_in_every_mode(self, tmp_path: Path, mode: str, suffix: str) -> None:
        gray = np.zeros((HEIGHT, WIDTH), "u1")
        gray[50:] = 255
        if mode in {"I;16", "I"}:
            picture = Image.fromarray(gray.astype("u2" if mode == "I;16" else "i4") * (257 if mode == "I;16" else 1))
        elif mode == "F":
            picture = Image.fromarray(gray / np.float32(255))
        else:
            picture = Image.fromarray(gray).convert(mode)
        if (suffix, mode) in {("png", "CMYK"), ("png", "YCbCr"), ("png", "F"), ("png", "I")}:
            pytest.skip("PNG has no such mode")
        if (suffix, mode) == ("tif", "YCbCr") and int(PIL.__version__.split(".")[0]) < 13:
            pytest.skip("this Pillow cannot read such a TIFF")
        picture.save(tmp_path / f"a.{suffix}")
        pixels, noted = read(tmp_path / f"a.{suffix}")
        assert pixels[10, 10, :3].max() <= 1
        assert pixels[90, 10, :3].min() >= 254
        assert noted == ""

    def test_hot_pixel_does_not_darken_a_16_bit_image(self, tmp_path: Path) -> None:
        gray = np.full((HEIGHT, WIDTH), 3000, "u2")
        gray[0, 0] = 65535
        Image.fromarray(gray).save(tmp_path / "a.png")
        assert read(tmp_path / "a.png")[0][50, 50].tolist() == [187] * 3

    def test_transparency_of_a_png_is_kept(self, tmp_path: Path) -> None:
        array = np.dstack([two_colors(), np.arange(HEIGHT * WIDTH, dtype="u4").reshape(HEIGHT, WIDTH) % 90]).astype(
            "u1"
        )
        Image.fromarray(array).save(tmp_path / "a.png")
        assert (read(tmp_path / "a.png")[0] == array).all()


@pytest.mark.parametrize("kind", ["RGBA png", "LA png", "P png", "RGBA webp", "RGBA tif", "16-bit tif"])
def test_transparency_that_hides_everything_is_ignored_with_a_warning(tmp_path: Path, kind: str) -> None:
    mode, suffix = kind.split()
    path = tmp_path / f"a.{suffix}"
    array = np.dstack([two_colors(), np.zeros((HEIGHT, WIDTH), "u1")])
    if suffix == "tif":
        write_tiff(path, array if mode == "RGBA" else array.astype("u2") * 257, tag338=2)
    elif mode == "P":
        Image.fromarray(two_colors()).quantize(2).save(path, transparency=bytes(256))
    else:
        Image.fromarray(array).convert(mode).save(
            path, **({"lossless": True, "exact": True} if suffix == "webp" else {})
        )
    adata = ad.AnnData(np.ones((20, 2), np.float32))
    adata.obsm["spatial"] = np.random.default_rng(0).random((20, 2)) * 80
    bundle = run_to_memory(adata, ExportConfig(genes_mode="all", image_path=str(path)))
    assert f"The image {path}: its transparency hides every pixel, so it was ignored." in (
        bundle.manifest.warnings or []
    )
    assert bundle.manifest.image is not None
    shown = Image.open(io.BytesIO(bundle.read(bundle.manifest.image.path)))
    assert shown.mode == "RGB"
    if mode != "LA":
        assert_two_colors(np.asarray(shown))


@pytest.mark.parametrize("problem", [ValueError(f"bad file {io.BytesIO()!r}."), ValueError(io.BytesIO()), ValueError()])
def test_error_messages_contain_no_object_reprs(problem: ValueError) -> None:
    stream = io.BytesIO()
    Image.fromarray(two_colors()).save(stream, "PNG")
    with pytest.raises(ImageError) as caught, open_picture(stream.getvalue(), "The image"):
        raise problem
    reason = "bad file" if "bad" in str(problem) else "ValueError"
    assert str(caught.value) == f"The image cannot be decoded: {reason}."


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_orientation_tag_is_not_applied_but_reported(tmp_path: Path, suffix: str, orientation: int) -> None:
    array = two_colors()
    array[:50, :20] = [0, 200, 0]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"tiffinfo": {0x0112: orientation}} if suffix == "tif" else {"exif": exif}
    Image.fromarray(array).save(tmp_path / f"a.{suffix}", **options)
    pixels, noted = read(tmp_path / f"a.{suffix}")
    assert pixels.shape == array.shape
    assert np.abs(pixels[5:45, 5:15].astype(int) - [0, 200, 0]).max() < 20
    assert np.abs(pixels[55:95, 5:75].astype(int) - GRAY).max() < 20
    assert f"its orientation tag ({orientation}) was ignored" in noted


def test_decisions_about_an_image_file_are_warnings_of_the_bundle(tmp_path: Path) -> None:
    adata = ad.AnnData(np.ones((20, 2), np.float32))
    adata.obsm["spatial"] = np.random.default_rng(0).random((20, 2)) * 80
    pages = [np.zeros((HEIGHT, WIDTH), "u2") for _ in range(4)]
    pages[2][:] = np.arange(WIDTH)
    save_pages(tmp_path / "a.tif", pages)
    bundle = run_to_memory(adata, ExportConfig(genes_mode="all", image_path=str(tmp_path / "a.tif")))
    noted = "\n".join(bundle.manifest.warnings or [])
    assert "a.tif: its 4 gray pages are shown as channels of one image." in noted
    assert "3 blue" in noted
    assert bundle.manifest.image is not None
    stored = np.asarray(Image.open(io.BytesIO(bundle.read(bundle.manifest.image.path))))
    assert stored[50, 79].tolist() == [0, 0, 255]
