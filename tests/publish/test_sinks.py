"""Tests that every kind of sink must pass."""

from __future__ import annotations

import errno
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from karospace_jupyter.bundle.files import BundleFiles, FolderFiles, HtmlFiles, ZipFiles
from karospace_jupyter.bundle.manifest import SCHEMA_VERSION, AssetFile, Expression, Manifest
from karospace_jupyter.errors import Cancelled, SinkError
from karospace_jupyter.job import Job, Progress
from karospace_jupyter.publish import FolderSink, HtmlSink, MemorySink, SeveralSinks, Sink, ZipSink

PAGE = b"<!doctype html><body><p>viewer</p>\n</body></html>"
ASSETS = {f"assets/a_{i:02}.bin": bytes([i]) * 1000 for i in range(40)}


def manifest(paths: list[str]) -> bytes:
    return (
        Manifest(
            schema_version=SCHEMA_VERSION,
            dataset_name="a",
            created_at="",
            n_cells=0,
            n_genes_exported=0,
            coordinate_source="",
            annotation_columns=[],
            gene_list=[],
            asset_files=[AssetFile(kind="columnar", path=path, size_bytes=0) for path in paths],
            expression=Expression(format="", dtype="float32", n_cells=0, gzip=False, genes=[]),
        )
        .model_dump_json()
        .encode()
    )


def fill(sink: Sink, assets: dict[str, bytes] | None = None) -> None:
    assets = ASSETS if assets is None else assets
    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(sink.put, path, data) for path, data in assets.items()]:
            future.result()
    sink.put("index.html", PAGE)
    sink.put("manifest.json", manifest(sorted(assets)))


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


class SinkTests:
    """Tests of any sink: `sink` creates the sink of a target, and `published` reads what it has published."""

    name: str

    def sink(self, target: Path) -> Any:
        raise NotImplementedError

    def published(self, sink: Any) -> BundleFiles:
        raise NotImplementedError

    @pytest.fixture
    def target(self, tmp_path: Path) -> Path:
        return tmp_path / "deep" / "er" / self.name

    def publish(self, target: Path, assets: dict[str, bytes] | None = None) -> BundleFiles:
        with self.sink(target) as sink:
            fill(sink, assets)
            sink.commit()
        return self.published(sink)

    def test_files_stored_from_threads_are_published(self, target: Path) -> None:
        before = threading.active_count()
        files = self.publish(target)
        assert {path: files.read(path) for path in ASSETS} == ASSETS
        assert files.read("index.html") == PAGE
        assert files.read("manifest.json") == manifest(sorted(ASSETS))
        assert set(files.names()) == {*ASSETS, "index.html", "manifest.json"}
        assert threading.active_count() == before

    def test_target_does_not_exist_before_commit(self, target: Path, tmp_path: Path) -> None:
        with self.sink(target) as sink:
            fill(sink)
            sink.prepare(Job.null())
            assert not target.exists()
            sink.commit()
        assert [p for p in tmp_path.rglob("*") if p.name.startswith(".")] == []

    @pytest.mark.parametrize("prepared", [False, True])
    def test_error_leaves_no_files(self, target: Path, tmp_path: Path, prepared: bool) -> None:
        with pytest.raises(RuntimeError), self.sink(target) as sink:
            fill(sink)
            if prepared:
                sink.prepare(Job.null())
            raise RuntimeError
        assert list(tmp_path.iterdir()) == []


class FileTests(SinkTests):
    """Tests of sinks that write to disk."""

    foreign = b"my thesis"

    def test_existing_bundle_is_replaced(self, target: Path, tmp_path: Path) -> None:
        self.publish(target)
        names = set(tree(tmp_path))
        files = self.publish(target, {"assets/a_00.bin": b"new"})
        assert files.read("assets/a_00.bin") == b"new"
        assert "assets/a_01.bin" not in set(files.names())
        assert set(tree(tmp_path)) <= names

    def test_error_leaves_the_old_bundle(self, target: Path, tmp_path: Path) -> None:
        self.publish(target)
        before = tree(tmp_path)
        with pytest.raises(RuntimeError), self.sink(target) as sink:
            fill(sink, {"assets/b.bin": b"half"})
            sink.prepare(Job.null())
            raise RuntimeError
        assert tree(tmp_path) == before

    def make_foreign(self, target: Path) -> None:
        """Create a file that no exporter wrote, and its parent folders."""
        target.parent.mkdir(parents=True)
        target.write_bytes(self.foreign)

    def test_foreign_target_is_rejected(self, target: Path, tmp_path: Path) -> None:
        self.make_foreign(target)
        before = tree(tmp_path)
        with pytest.raises(SinkError, match=r"was not changed|is a file"):
            self.sink(target).check()
        with pytest.raises(SinkError, match=target.name):
            self.publish(target)
        assert tree(tmp_path) == before

    def test_foreign_target_created_during_export_is_rejected(self, target: Path, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match=target.name), self.sink(target) as sink:
            fill(sink)
            self.make_foreign_during_export(target)
            before = target.read_bytes() if target.is_file() else tree(target)
            sink.commit()
        assert (target.read_bytes() if target.is_file() else tree(target)) == before
        assert [p for p in tmp_path.rglob("*") if p.name.startswith(".")] == []

    def make_foreign_during_export(self, target: Path) -> None:
        """Create a foreign target in the folder that the sink has already created."""
        target.write_bytes(self.foreign)

    def test_parent_that_is_a_file_is_rejected(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(SinkError, match="file"):
            self.publish(tmp_path / "file" / self.name)
        assert tree(tmp_path) == {"file": b""}

    def test_broken_symbolic_link_is_rejected(self, tmp_path: Path) -> None:
        (tmp_path / self.name).symlink_to(tmp_path / "nowhere")
        with pytest.raises(SinkError, match="broken symbolic link"):
            self.publish(tmp_path / self.name)

    def test_symbolic_link_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        self.publish(tmp_path / "real" / self.name)
        (tmp_path / self.name).symlink_to(tmp_path / "real" / self.name)
        self.publish(tmp_path / self.name, {"assets/a_00.bin": b"new"})
        assert (tmp_path / self.name).is_symlink()
        assert FILES[self.name](tmp_path / "real" / self.name).read("assets/a_00.bin") == b"new"

    def test_permissions_follow_the_umask(self, target: Path) -> None:
        self.publish(target)
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(target.stat().st_mode) == (0o777 if target.is_dir() else 0o666) & ~umask

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_full_disk_is_reported(self, target: Path, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match="disk is full"), self.sink(target) as sink:
            (sink.spool / "a.bin").symlink_to("/dev/full")
            sink.put("a.bin", b"x")
        assert list(tmp_path.iterdir()) == []


class SingleTests(FileTests):
    """Tests of sinks that write a single file."""

    def test_result_does_not_depend_on_the_order_of_files(self, tmp_path: Path) -> None:
        self.publish(tmp_path / "a" / self.name)
        self.publish(tmp_path / "b" / self.name, dict(reversed(ASSETS.items())))
        assert (tmp_path / "a" / self.name).read_bytes() == (tmp_path / "b" / self.name).read_bytes()

    def test_empty_file_is_replaced(self, tmp_path: Path) -> None:
        (tmp_path / self.name).touch()
        assert self.publish(tmp_path / self.name).read("index.html") == PAGE

    def test_folder_as_target_is_rejected(self, tmp_path: Path) -> None:
        (tmp_path / self.name).mkdir()
        with pytest.raises(SinkError, match="is a folder"):
            self.publish(tmp_path / self.name)

    def test_wrong_suffix_is_rejected(self, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match="does not end in"):
            self.publish(tmp_path / "a.txt")
        assert list(tmp_path.iterdir()) == []

    def test_canceled_assembly_leaves_no_files(self, target: Path, tmp_path: Path) -> None:
        seen: list[Progress] = []
        job = Job(lambda progress: (seen.append(progress), job.cancel())[0])  # type: ignore[func-returns-value]
        with pytest.raises(Cancelled), self.sink(target) as sink:
            fill(sink)
            sink.prepare(job)
        assert len(seen) == 1
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
    def test_failed_move_leaves_no_files(
        self, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        def replace(*_: object) -> None:
            raise OSError(code, os.strerror(code))

        with pytest.raises(SinkError, match=r"disk is full|could not be written"), self.sink(target) as sink:
            fill(sink)
            monkeypatch.setattr(os, "replace", replace)
            sink.commit()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_full_disk_during_assembly_leaves_no_files(self, target: Path, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match="disk is full"), self.sink(target) as sink:
            fill(sink)
            (sink.spool / f".assembled{target.suffix}").symlink_to("/dev/full")
            sink.prepare(Job.null())
        assert list(tmp_path.iterdir()) == []


FILES: dict[str, Any] = {"out": FolderFiles, "out.html": HtmlFiles, "out.zip": ZipFiles}


class TestFolder(FileTests):
    name = "out"

    def sink(self, target: Path) -> FolderSink:
        return FolderSink(target)

    def published(self, sink: FolderSink) -> FolderFiles:
        return FolderFiles(sink.target)

    def make_foreign_during_export(self, target: Path) -> None:
        target.mkdir()
        (target / "thesis.docx").write_bytes(self.foreign)


class TestHtml(SingleTests):
    name = "out.html"
    foreign = b"<!doctype html><body><p>my thesis"

    def sink(self, target: Path) -> HtmlSink:
        return HtmlSink(target)

    def published(self, sink: HtmlSink) -> HtmlFiles:
        return HtmlFiles(sink.target)


class TestZip(SingleTests):
    name = "out.zip"
    foreign = b"PK\x05\x06" + bytes(18)  # an empty zip

    def sink(self, target: Path) -> ZipSink:
        return ZipSink(target)

    def published(self, sink: ZipSink) -> ZipFiles:
        return ZipFiles(sink.target)


class TestMemory(SinkTests):
    name = "nowhere"

    def sink(self, target: Path) -> MemorySink:
        return MemorySink()

    def published(self, sink: MemorySink) -> BundleFiles:
        assert sink.files is not None
        return sink.files

    def test_files_are_not_published_without_commit(self) -> None:
        with MemorySink() as sink:
            fill(sink)
        assert sink.files is None


class TestSeveral(FileTests):
    """The inherited tests check the folder; `publish` compares the other targets with it."""

    name = "out"

    def sink(self, target: Path) -> SeveralSinks:
        more = target.with_name(target.name + "-more")
        return SeveralSinks(FolderSink(target), [HtmlSink(more / "a.html"), ZipSink(more / "b.zip")])

    def published(self, sink: SeveralSinks) -> FolderFiles:
        return FolderFiles(sink.targets[0])

    make_foreign_during_export = TestFolder.make_foreign_during_export

    def publish(self, target: Path, assets: dict[str, bytes] | None = None) -> BundleFiles:
        with self.sink(target) as sink:
            fill(sink, assets)
            sink.prepare(Job.null())
            sink.commit()
        folder = self.published(sink)
        for other in (HtmlFiles(sink.targets[1]), ZipFiles(sink.targets[2])):
            assert {p: other.read(p) for p in other.names()} == {p: folder.read(p) for p in folder.names()}
        return folder

    @pytest.mark.parametrize("other", ["out/a.html", "out/deep/a.html"])
    def test_nested_targets_are_rejected(self, tmp_path: Path, other: str) -> None:
        with pytest.raises(SinkError, match="inside"):
            SeveralSinks(FolderSink(tmp_path / "out"), [HtmlSink(tmp_path / other)])

    def test_foreign_target_prevents_publishing_to_any_target(self, target: Path, tmp_path: Path) -> None:
        zipped = self.sink(target).targets[2]
        zipped.parent.mkdir(parents=True)
        zipped.write_bytes(b"my thesis")
        before = tree(tmp_path)
        with pytest.raises(SinkError, match="was not changed"):
            self.publish(target)
        assert tree(tmp_path) == before
