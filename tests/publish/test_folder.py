from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from karospace_jupyter import Bundle
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import SinkError
from karospace_jupyter.export import run, run_to_memory
from karospace_jupyter.publish import FolderSink

MANIFEST = b'{"schema_version": "1.1.0", "asset_files": []}'


def publish(target: Path, text: bytes = b"new") -> None:
    with FolderSink(target) as sink:
        sink.put("assets/a.bin", text)
        sink.put("manifest.json", MANIFEST)
        sink.commit()


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_new_folder_is_created(tmp_path: Path) -> None:
    publish(tmp_path / "deep" / "out")
    assert names(tmp_path) == ["deep/out/assets/a.bin", "deep/out/manifest.json"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "deep" / "out").stat().st_mode) == 0o777 & ~umask


def test_bundle_is_replaced_and_other_files_are_kept(tmp_path: Path) -> None:
    with FolderSink(tmp_path / "out") as sink:
        for name in ("a", "gone"):
            sink.put(f"assets/{name}.bin", b"old")
        files = [{"path": f"assets/{name}.bin"} for name in ("a", "gone")]
        sink.put("manifest.json", json.dumps({"schema_version": "1.1.0", "asset_files": files}).encode())
        sink.commit()
    (tmp_path / "out" / "assets" / "deep").mkdir()
    (tmp_path / "out" / "assets" / "deep" / "mine.csv").write_text("precious")
    publish(tmp_path / "out", b"new")
    assert names(tmp_path) == ["out/assets/a.bin", "out/assets/deep/mine.csv", "out/manifest.json"]
    assert (tmp_path / "out/assets/a.bin").read_bytes() == b"new"


def test_bundle_is_replaced_without_renameat2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path / "out", b"old")
    monkeypatch.setattr(sys, "platform", "darwin")
    publish(tmp_path / "out", b"new")
    assert names(tmp_path) == ["out/assets/a.bin", "out/manifest.json"]
    assert (tmp_path / "out/assets/a.bin").read_bytes() == b"new"


def test_symbolic_link_to_a_folder_is_kept(tmp_path: Path) -> None:
    publish(tmp_path / "real", b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    publish(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/assets/a.bin").read_bytes() == b"new"


def test_nothing_changes_without_commit(tmp_path: Path) -> None:
    publish(tmp_path / "out", b"old")
    before = names(tmp_path)
    with pytest.raises(RuntimeError), FolderSink(tmp_path / "out") as sink:
        sink.put("assets/b.bin", b"half")
        raise RuntimeError
    with pytest.raises(RuntimeError), FolderSink(tmp_path / "x" / "y") as sink:
        raise RuntimeError
    assert names(tmp_path) == before
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda p: p.write_text("x"), "is a file"),
        (lambda p: (p.mkdir(), (p / "thesis.docx").touch()), r"not empty and is not a bundle.*thesis\.docx"),
        (
            lambda p: (p.mkdir(), (p / "manifest.json").write_text("{}")),
            "a manifest.json that does not belong to a bundle",
        ),
        (lambda p: p.symlink_to(p.parent / "nowhere"), "broken symbolic link"),
    ],
)
def test_target_that_is_not_a_bundle_is_rejected(tmp_path: Path, create: Any, message: str) -> None:
    create(tmp_path / "out")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SinkError, match=message):
        publish(tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    publish(tmp_path / "out")
    assert names(tmp_path / "out") == ["assets/a.bin", "manifest.json"]


def test_parent_that_is_a_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError):
        publish(tmp_path / "file" / "out")


def test_remains_of_a_killed_export_are_removed(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from karospace_jupyter.publish import FolderSink\n"
        "sink = FolderSink(Path(sys.argv[1])).__enter__(); sink.put('a', b'x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "out")], check=False)
    assert done.returncode < 0
    assert not (tmp_path / "out").exists()
    assert len(list(tmp_path.iterdir())) == 1
    publish(tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="disk is full"), FolderSink(tmp_path / "out") as sink:
        partial = next(tmp_path.iterdir())
        (partial / "a.bin").symlink_to("/dev/full")
        sink.put("a.bin", b"x")
    assert list(tmp_path.iterdir()) == []


def test_other_files_in_a_bundle_folder_are_kept(tmp_path: Path) -> None:
    tissue = synthetic_tissue(300, 60, seed=1)
    out = tmp_path / "out"
    run(tissue, ExportConfig(outdir=out, genes_mode="hvgs:3"))
    (out / "README.md").write_text("mine")
    (out / ".git" / "refs").mkdir(parents=True)
    (out / ".git" / "HEAD").write_text("ref: main")
    (out / "link").symlink_to("README.md")
    run(tissue, ExportConfig(outdir=out, genes_mode="hvgs:4")).verify()
    # Saving a bundle to the folder keeps these files, too.
    run_to_memory(tissue, ExportConfig(genes_mode="hvgs:5")).save(out).verify()
    assert Bundle(out).manifest.n_genes_exported == 5
    assert (out / "README.md").read_text() == "mine"
    assert (out / ".git" / "HEAD").read_text() == "ref: main"
    assert (out / ".git" / "refs").is_dir()
    assert (out / "link").is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
