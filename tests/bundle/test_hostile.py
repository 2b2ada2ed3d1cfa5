"""Malicious bundles are rejected with a clear error, quickly and with little memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import child
import numpy as np
import pytest
from PIL import Image

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError
from karospace_jupyter.widget.fallback import fallback_html, fallback_picture

MEGABYTES = 700
"""Memory limit of a process that opens a malicious bundle, in MiB; imports alone take about 250."""


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest") / "b"
    adata_to_karospace(synthetic_tissue(300, 6, seed=1), folder, genes_mode="all", scripts="no")
    return folder


@pytest.fixture
def folder(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "b"))


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Return 2 GiB of zeros, compressed to 2 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(2**24)
    return b"".join([*(packer.compress(block) for _ in range(128)), packer.flush()])


def manifest(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return value


def change(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    """Edit the manifest in place."""
    value = manifest(folder)
    edit(value)
    (folder / "manifest.json").write_text(json.dumps(value))


def first(folder: Path, kind: str) -> dict[str, Any]:
    """Return the first file of a kind in the manifest."""
    return next(file for file in manifest(folder)["asset_files"] if file["kind"] == kind)


OPEN = """
from karospace_jupyter import Bundle
from karospace_jupyter.bundle.cell_ids import cell_ids
bundle = Bundle(given["folder"])
if given["what"] == "verify":
    bundle.verify()
elif given["what"] == "gene":
    bundle.gene(bundle.manifest.gene_list[0])
elif given["what"] == "ids":
    cell_ids(bundle)
else:
    bundle.read(given["what"])
"""


def opened(folder: Path, what: str = "verify") -> child.Ended:
    """Open a bundle in a subprocess, and check that it succeeds or raises a clear error with little memory."""
    result = child.run(OPEN, {"folder": str(folder), "what": what})
    assert result.code == 0, result.output[-2000:]
    assert result.error is None or result.error["clear"], result.output
    assert result.megabytes < MEGABYTES
    return result


class TestBombs:
    @pytest.mark.parametrize("size_in_manifest", [False, True], ids=["manifest unchanged", "size in the manifest"])
    @pytest.mark.parametrize("kind", ["expression_chunk", "obs_json", "obs_csv", "coords_json", "var_csv", "columnar"])
    def test_gzip_bomb_is_rejected(self, folder: Path, bomb: bytes, kind: str, size_in_manifest: bool) -> None:
        path = first(folder, kind)["path"]
        (folder / path).write_bytes(bomb)

        def edit(value: dict[str, Any]) -> None:
            for file in value["asset_files"]:
                if file["path"] == path:
                    file.pop("sha256"), file.pop("raw_crc32")
                    file["size_bytes"] = len(bomb)

        if size_in_manifest:
            change(folder, edit)
        result = opened(folder)
        assert result.error is not None
        assert path in result.error["text"]
        assert ("contains more than" if size_in_manifest else "the manifest says") in result.error["text"]

    @pytest.mark.parametrize("kind", ["obs_json", "obs_csv", "coords_json"])
    def test_gzip_bomb_without_lengths_in_the_manifest_is_rejected(self, folder: Path, bomb: bytes, kind: str) -> None:
        path = first(folder, kind)["path"]
        (folder / path).write_bytes(bomb)

        def convert_to_1_0(value: dict[str, Any]) -> None:
            for name in ("coordinates", "cell_ids", "columns", "embeddings", "sections"):
                value.pop(name, None)
            for file in value["asset_files"]:
                for name in ("raw_bytes", "sha256", "raw_crc32"):
                    file.pop(name)
                if file["path"] == path:
                    file["size_bytes"] = len(bomb)

        change(folder, convert_to_1_0)
        result = opened(folder, "verify")
        assert result.error is not None
        assert path in result.error["text"]

    def test_manifest_larger_than_the_limit_is_rejected(self, folder: Path) -> None:
        change(folder, lambda value: value.update(dataset_name="x" * 200_000_000))
        result = opened(folder)
        assert result.error is not None
        assert "manifest.json" in result.error["text"]

    def test_too_long_dataset_name_is_rejected(self, folder: Path) -> None:
        change(folder, lambda value: value.update(dataset_name="x" * 100_000))
        with pytest.raises(BundleError, match="dataset_name"):
            Bundle(folder)

    def test_zip_with_huge_directory_is_rejected(self, honest: Path, tmp_path: Path) -> None:
        archive = Bundle(honest).to_zip(tmp_path / "b.zip").read_bytes()
        end = archive.rfind(b"PK\x05\x06")
        length, start = struct.unpack("<II", archive[end + 12 : end + 20])
        entry = archive[start : start + length]
        many = entry * (40 * 2**20 // len(entry))
        tail = bytearray(archive[end:])
        tail[12:16] = struct.pack("<I", len(many))
        (tmp_path / "b.zip").write_bytes(archive[:start] + many + bytes(tail))
        with pytest.raises(BundleError, match="its directory has"):
            Bundle(tmp_path / "b.zip")

    def test_file_larger_than_in_the_manifest_is_rejected(self, folder: Path) -> None:
        path = first(folder, "expression_chunk")["path"]
        with (folder / path).open("ab") as file:
            file.truncate(3 * 2**30)  # sparse: takes no disk space
        with pytest.raises(BundleError, match=r"has 3,221,225,472 bytes; the manifest says \d+"):
            Bundle(folder).stored(path)


class TestInvalidBundles:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("asset_files", [None]),
            ("asset_files", [[]]),
            ("gene_list", [1, None]),
            ("gene_list", "abc"),
            ("annotation_columns", [{}]),
            ("n_cells", -1),
            ("n_cells", 1e300),
            ("n_cells", "many"),
            ("expression", None),
            ("expression", {"genes": [None]}),
            ("columns", [{"kind": "odd"}]),
            ("coordinates", 3),
            ("view", [1]),
            ("preview_path", "../../etc/passwd"),
        ],
    )
    def test_wrong_types_in_the_manifest_are_reported(self, folder: Path, name: str, value: Any) -> None:
        change(folder, lambda whole: whole.update({name: value}))
        with pytest.raises(BundleError, match=rf"manifest\.json.*{name}"):
            Bundle(folder).verify()

    def test_lone_surrogate_is_rejected(self, folder: Path) -> None:
        change(folder, lambda value: value.update(dataset_name="half of a \ud83e character"))
        with pytest.raises(BundleError, match=r"manifest\.json.*surrogates not allowed"):
            Bundle(folder)

    @pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**6, "", "null", "1", "\x00", "\ufeff{}", "{'a': 1}"])
    def test_invalid_manifest_is_rejected(self, folder: Path, text: str) -> None:
        (folder / "manifest.json").write_text(text, encoding="utf-8")
        with pytest.raises(BundleError, match=r"manifest\.json"):
            Bundle(folder)

    def test_manifest_that_is_not_utf_8_is_rejected(self, folder: Path) -> None:
        (folder / "manifest.json").write_bytes(b'{"schema_version": "1.\xff"}')
        with pytest.raises(BundleError, match=r"manifest\.json.*JSON"):
            Bundle(folder)

    @pytest.mark.parametrize(
        "rows",
        [
            "[" * 10**6,
            "[[1, 2]]",
            '[{"cell_id": 3}]',
            "[" + ",".join(["{}"] * 300) + "]",
            "[" + ",".join(['{"cell_id": "a", "x": "one", "y": null}'] * 300) + "]",
            "[" + ",".join(['{"cell_id": ["a"], "x": [], "y": {}}'] * 300) + "]",
            '[{"cell_id": "\\ud800"}]',
            "\ufeff",
            "nothing",
        ],
    )
    @pytest.mark.parametrize("kind", ["obs_json", "coords_json"])
    def test_invalid_records_are_rejected(self, folder: Path, kind: str, rows: str) -> None:
        self.put(folder, kind, rows.encode())
        result = opened(folder)
        assert result.error is not None
        assert kind in result.error["text"] or first(folder, kind)["path"] in result.error["text"]

    @pytest.mark.parametrize(
        "text", [b"", b"cell_id\n", b'"', b"\xff\xfe", b"cell_id,a\n1\n2,3,4,5\n", b"\x00" * 100, b"a,b\r" * 1000]
    )
    @pytest.mark.parametrize("kind", ["obs_csv", "var_csv"])
    def test_invalid_tables_are_rejected(self, folder: Path, kind: str, text: bytes) -> None:
        self.put(folder, kind, text)
        result = opened(folder)
        assert result.error is not None
        assert kind in result.error["text"] or first(folder, kind)["path"] in result.error["text"]

    def test_code_without_a_category_is_rejected(self, folder: Path) -> None:
        column = next(c for c in manifest(folder)["columns"] if c["kind"] == "category")
        path = column["chunks"][0]["path"]
        change(
            folder,
            lambda value: next(c for c in value["columns"] if c["name"] == column["name"]).update(dtype="uint32"),
        )
        codes = np.full(300, 2**32 - 1, dtype="<u4")
        self.write(folder, path, codes.tobytes())
        result = opened(folder)
        assert result.error is not None
        assert f"column '{column['name']}'" in result.error["text"]
        assert "has no category" in result.error["text"]

    def test_overlapping_cell_ids_are_rejected(self, folder: Path) -> None:
        path = manifest(folder)["cell_ids"]["chunks"][0]["path"]
        offsets = np.tile(np.array([0, 10**6], dtype="<u4"), 151)[:301]
        self.write(folder, path, offsets.tobytes() + b"x" * 10**6)
        result = opened(folder, "ids")
        assert result.error is not None
        assert path in result.error["text"]

    def test_file_listed_50_000_times_is_rejected(self, folder: Path) -> None:
        file = first(folder, "expression_chunk")
        change(folder, lambda value: value["asset_files"].extend([file] * 50_000))
        result = opened(folder)
        assert result.error is not None
        assert f"{file['path']}, 50,001 times" in result.error["text"]
        assert result.seconds < 10

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    @pytest.mark.parametrize("name", ["manifest.json", "gene", "preview.png"])
    def test_reading_does_not_block_on_a_pipe(self, folder: Path, name: str) -> None:
        path = folder / (first(folder, "expression_chunk")["path"] if name == "gene" else name)
        path.unlink()
        os.mkfifo(path)
        result = opened(folder)
        assert result.error is not None
        assert path.name in result.error["text"]

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no device files")
    def test_device_is_not_read(self) -> None:
        with pytest.raises(BundleError, match="neither a folder nor a file"):
            Bundle("/dev/zero")

    def put(self, folder: Path, kind: str, raw: bytes) -> None:
        """Replace the first file of a kind."""
        self.write(folder, first(folder, kind)["path"], raw)

    def write(self, folder: Path, path: str, raw: bytes) -> None:
        """Replace a file, and update its entry in the manifest."""
        stored = gzip.compress(raw, mtime=0)
        (folder / path).write_bytes(stored)

        def edit(value: dict[str, Any]) -> None:
            for file in value["asset_files"]:
                if file["path"] == path:
                    file.pop("sha256")
                    file.update(size_bytes=len(stored), raw_bytes=len(raw), raw_crc32=zlib.crc32(raw))

        change(folder, edit)


FAKE_GHOSTSCRIPT = '#!/bin/sh\ntouch "{marker}"\n'


class TestPreviews:
    """A view shows the preview if no viewer runs; a bad preview never breaks the view or runs a program."""

    EPS = (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n"
        b"(/tmp/pwned) (w) file closefile\n{ } loop\nshowpage\n%%EOF\n"
    )

    def bytes_of(self, kind: str) -> bytes:
        """Return an invalid or unsupported preview."""
        buffer = io.BytesIO()
        if kind in {"PCX", "BMP", "GIF", "TIFF", "PPM"}:
            Image.new("RGB", (8, 8)).save(buffer, kind)
            return buffer.getvalue()
        if kind == "177 megapixels":
            row = zlib.compressobj(9)
            packed = b"".join([*(row.compress(bytes(1 + 14_000 // 8)) for _ in range(12_650)), row.flush()])
            head = struct.pack(">IIBBBBB", 14_000, 12_650, 1, 0, 0, 0, 0)
            parts = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
            return b"\x89PNG\r\n\x1a\n" + b"".join(
                struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
                for name, data in parts
            )
        return {"EPS": self.EPS, "empty": b"", "text": b"<svg onload='alert(1)'/>"}[kind]

    @pytest.mark.parametrize(
        "kind", ["EPS", "PCX", "BMP", "GIF", "TIFF", "PPM", "177 megapixels", "empty", "text", "a loop"]
    )
    def test_invalid_or_unsupported_preview_is_not_shown(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        programs = tmp_path / "programs"
        programs.mkdir()
        for name in ("gs", "gswin64c", "gswin32c"):
            (programs / name).write_text(FAKE_GHOSTSCRIPT.format(marker=tmp_path / "ran"))
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
        path = folder / manifest(folder)["preview_path"]
        path.unlink()
        if kind == "a loop":
            path.symlink_to(path.name)
        else:
            path.write_bytes(self.bytes_of(kind))
        change(folder, lambda value: self.update_size(value, path))
        bundle = Bundle(folder)
        assert fallback_picture(bundle) == ""
        assert "<img" not in fallback_html(bundle, title="tissue", contents="3 cells", picture=fallback_picture(bundle))
        assert not (tmp_path / "ran").exists()

    def update_size(self, value: dict[str, Any], path: Path) -> None:
        """Set the size of the preview in the manifest to that of the file."""
        for file in value["asset_files"]:
            if file["kind"] == "preview" and path.is_file():
                file["size_bytes"] = path.stat().st_size

    def test_valid_preview_is_shown(self, folder: Path) -> None:
        assert fallback_picture(Bundle(folder)).startswith("data:image/webp;base64,")
        assert len(cell_ids(Bundle(folder))) == 300


class TestMarkers:
    """Markers whose files and manifest disagree are rejected."""

    @pytest.fixture(scope="class")
    def marked(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("marked") / "b"
        adata_to_karospace(
            synthetic_tissue(300, 30, seed=1), folder, genes_mode="top_mean:1", scripts="no", markers=["cell_type"],
            max_asset_mb=0.003, preview=False, image_path="none",
        )  # fmt: skip
        return folder

    @pytest.fixture
    def folder(self, marked: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(marked, tmp_path / "b"))

    @staticmethod
    def shards(value: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the entries of the files of markers in a manifest."""
        entries: list[dict[str, Any]] = value["packed"]["markers"][0]["shards"]
        return entries

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda m, s: s.pop(0), "expected them from category 0"),
            (lambda m, s: s.pop(), "have files for"),
            (lambda m, s: s.reverse(), "expected them from category 0"),
            (lambda m, s: s[-1].update(end=10**9), "expected them from category"),
            (lambda m, s: s[0].update(first=0, end=0), "expected them from category 0"),
            (lambda m, s: m["packed"]["markers"][0].update(column="absent"), "of 'absent'"),
            (lambda m, s: m["packed"]["markers"][0].update(column="total_counts"), "of 'total_counts'"),
            (lambda m, s: m["packed"].update(markers=m["packed"]["markers"] * 2), "more than once"),
            (lambda m, s: s[0].update(paths=s[1]["paths"]), "in category"),
            (lambda m, s: s[0].update(paths=["assets/absent.bin"]), "absent.bin"),
            (
                lambda m, s: s[0].update(paths=s[0]["paths"] * 2),
                "contains more than 0 bytes, the size of its categories",
            ),
        ],
    )
    def test_inconsistent_manifest_is_rejected(self, folder: Path, edit: Any, message: str) -> None:
        value = manifest(folder)
        edit(value, self.shards(value))
        (folder / "manifest.json").write_text(json.dumps(value))
        bundle = Bundle(folder)
        with pytest.raises(BundleError, match=message):
            bundle.verify()
        assert bundle.gene(bundle.gene_names[0]).shape == (300,)  # the genes are still readable

    @pytest.mark.parametrize("paths", [[], ["../secret"]])
    def test_invalid_paths_are_rejected(self, folder: Path, paths: list[str]) -> None:
        change(folder, lambda value: self.shards(value)[0].update(paths=paths))
        with pytest.raises(BundleError, match="paths"):
            Bundle(folder)

    def test_verification_finds_wrong_numbers(self, folder: Path) -> None:
        path = folder / self.shards(manifest(folder))[0]["paths"][0]
        raw = bytearray(gzip.decompress(path.read_bytes()))
        raw[20 + 4 * 30] += 1  # the number of cells of a category

        def edit(value: dict[str, Any]) -> None:
            entry = next(file for file in value["asset_files"] if path.as_posix().endswith(file["path"]))
            for key in ("sha256", "raw_crc32"):
                del entry[key]
            entry["size_bytes"] = path.stat().st_size

        path.write_bytes(gzip.compress(bytes(raw)))
        change(folder, edit)
        with pytest.raises(BundleError, match=r"markers of 'cell_type': n of gene .* in category"):
            Bundle(folder).verify()

    def test_bomb_is_not_inflated(self, folder: Path, bomb: bytes) -> None:
        path = folder / self.shards(manifest(folder))[0]["paths"][0]
        path.write_bytes(bomb)

        def edit(value: dict[str, Any]) -> None:
            entry = next(file for file in value["asset_files"] if path.as_posix().endswith(file["path"]))
            entry.update(size_bytes=len(bomb), raw_bytes=2**31)

        change(folder, edit)
        with pytest.raises(BundleError, match="more than .* the size of its categories"):
            Bundle(folder).markers("cell_type")

    @pytest.mark.parametrize("cut", [0, 3, 30])
    def test_truncated_file_is_named(self, folder: Path, cut: int) -> None:
        path = folder / self.shards(manifest(folder))[0]["paths"][0]
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:cut]))
        with pytest.raises(BundleError, match=path.name):
            Bundle(folder).markers("cell_type")
