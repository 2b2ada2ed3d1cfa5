"""The desk and its worker, tested without a display."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE_S, eventually

from karospace_jupyter import Bundle
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.desktop.app_state import Desk
from karospace_jupyter.desktop.messages import Failed, StartServing


@pytest.fixture
def desk() -> Iterator[Desk]:
    one = Desk()
    yield one
    one.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    made = {}
    for name, n_cells in (("a", 200), ("b", 300), ("c", 400)):
        made[name] = folder / f"{name}.h5ad"
        synthetic_tissue(n_cells, 20, seed=1).write_h5ad(made[name])
    return made


def until(desk: Desk, done: Callable[[], Any]) -> None:
    eventually(done, pause=desk.poll, what=lambda: str(desk.shown))


def opened(desk: Desk, path: Path, choices: dict[str, Any] | None = None) -> None:
    desk.open(path, choices)
    until(desk, lambda: not desk.shown.opening and not desk.shown.pending)
    assert desk.shown.path == str(path), desk.shown


def exported(desk: Desk) -> Bundle:
    desk.export()
    until(desk, lambda: not desk.shown.running and desk.shown.result)
    return Bundle(desk.shown.result.path)


def test_export_uses_the_file_that_is_shown(desk: Desk, files: dict[str, Path], tmp_path: Path) -> None:
    """Requests to open other files in between do not matter."""
    opened(desk, files["a"])
    desk.open(files["b"])
    desk.open(files["c"])
    desk.export()  # rejected: another file is being opened
    assert not desk.shown.running
    until(desk, lambda: desk.shown.path == str(files["c"]) and not desk.shown.pending)
    assert not desk._open_waiting, "a worker that has answered is not replaced later"
    desk.change(outdir=str(tmp_path / "c"))
    assert exported(desk).manifest.n_cells == 400
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    # A file that cannot be opened does not affect the open one.
    desk.open(tmp_path / "nowhere.h5ad")
    until(desk, lambda: desk.shown.refused)
    asked: list[str] = []
    desk.command(asked.append)
    until(desk, lambda: asked)
    assert str(files["c"]) in asked[0]
    hits: list[list[str]] = []
    desk.complete("cd", hits.append)
    until(desk, lambda: hits)
    assert hits[0]
    desk.change(outdir=str(tmp_path / "again"))
    assert exported(desk).manifest.n_cells == 400


def test_opening_the_same_file_again_keeps_the_choices(desk: Desk, files: dict[str, Path]) -> None:
    choices = {"genes_mode": "hvgs:7", "target": "zip_path"}
    opened(desk, files["a"], choices)
    assert desk.shown.options["genes_mode"] == "hvgs:7"
    assert desk.shown.target == "zip_path"
    desk.change(genes_mode="hvgs:9", zip_path="/here/mine.zip")
    opened(desk, files["a"], choices)
    assert desk.shown.options["genes_mode"] == "hvgs:9"
    assert desk.shown.options["zip_path"] == "/here/mine.zip"
    opened(desk, files["b"], choices)
    assert desk.shown.options["genes_mode"] == "hvgs:7"


def test_target_name_is_kept_when_its_kind_changes(desk: Desk, files: dict[str, Path]) -> None:
    opened(desk, files["a"])
    desk.change(outdir="/here/mine")
    desk.write_as("outdir")
    assert desk.shown.options["outdir"] == "/here/mine"
    for target, value in (("zip_path", "/here/mine.zip"), ("single_file", "/here/mine.html"), ("outdir", "/here/mine")):
        desk.write_as(target)
        assert desk.shown.options[target] == value
        assert desk.shown.target == target
    desk.write_as("zip_path")
    desk.change(zip_path="/there/other.zip")
    desk.write_as("outdir")
    assert desk.shown.options["outdir"] == "/there/other_karospace"


@pytest.mark.parametrize(
    "choices",
    [
        {"genes_mode": 3, "gzip": "maybe", "seed": -1, "downsample": [], "target": []},
        {"genes_mode": ["EPCAM", 3], "jobs": {}, "target": "nowhere"},
        {"genes_mode": "list:~no-such-user/genes.txt", "scripts": 1},
    ],
)
def test_invalid_saved_choices_are_reset(
    desk: Desk, files: dict[str, Path], tmp_path: Path, choices: dict[str, Any]
) -> None:
    opened(desk, files["a"], {**choices, "preview": False})
    assert desk.shown.options["genes_mode"] == "hvgs:500"
    assert desk.shown.options["gzip"] is True
    assert desk.shown.options["preview"] is False
    assert desk.shown.target == "outdir"
    assert "genes_mode" in " ".join(desk.shown.notes)
    desk.change(outdir=str(tmp_path / "out"))
    exported(desk).verify()
    assert desk.shown.notes == ()


def test_unknown_home_folder_is_an_error_of_its_field(desk: Desk, files: dict[str, Path]) -> None:
    opened(desk, files["a"])
    for option, value in (
        ("genes_mode", "list:~no-such-user/genes.txt"), ("view", "~no-such-user/v.json"),
        ("outdir", "~no-such-user/out"), ("image_path", "~no-such-user/i.png"),
    ):  # fmt: skip
        before = desk.shown.options[option]
        desk.change(**{option: value})
        until(desk, lambda: not desk.shown.pending)
        assert "no such user" in str(desk.shown.estimate.problems), option
        desk.change(**{option: before})
    desk.open("~no-such-user/a.h5ad")
    until(desk, lambda: desk.shown.refused)


def test_error_is_cleared_by_the_next_action(desk: Desk, files: dict[str, Path], tmp_path: Path) -> None:
    opened(desk, files["a"])
    desk.serve(str(tmp_path / "nowhere"))
    until(desk, lambda: desk.shown.fault)
    desk.change(outdir=str(tmp_path / "out"))
    exported(desk)
    assert desk.shown.fault == ""
    desk.serve(str(tmp_path / "nowhere"))
    until(desk, lambda: desk.shown.fault)
    desk.serve(str(tmp_path / "out"))
    until(desk, lambda: desk.shown.address)
    assert desk.shown.fault == ""


@pytest.mark.parametrize("target", ["zip_path", "single_file", "outdir"])
def test_preview_shows_the_last_export(desk: Desk, files: dict[str, Path], tmp_path: Path, target: str) -> None:
    opened(desk, files["a"])
    name = {"zip_path": "out.zip", "single_file": "out.html", "outdir": "out"}[target]
    desk.change(outdir=None, genes_mode="hvgs:3")
    desk.change(**{target: str(tmp_path / name)})
    exported(desk)
    desk.serve(desk.shown.result.path)
    until(desk, lambda: desk.shown.address)
    address = desk.shown.address
    port = int(address.rstrip("/").rpartition(":")[2])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as tab:  # keep-alive
        tab.request("GET", "/manifest.json")
        assert b'"n_genes_exported":3' in tab.getresponse().read().replace(b" ", b"")
        desk.change(genes_mode="hvgs:5")
        exported(desk)
        assert desk.shown.address == address
        tab.request("GET", "/manifest.json")
        assert b'"n_genes_exported":5' in tab.getresponse().read().replace(b" ", b"")
    for path in ("index.html", "manifest.json", *(file.path for file in Bundle(tmp_path / name).manifest.asset_files)):
        with urllib.request.urlopen(address + path) as answer:
            data = answer.read()
        if path == "manifest.json":
            assert b'"n_genes_exported":5' in data.replace(b" ", b"")


def test_killed_export_leaves_no_files(desk: Desk, tmp_path: Path) -> None:
    path, folder = tmp_path / "large.h5ad", tmp_path / "here"
    synthetic_tissue(20_000, 800, seed=2).write_h5ad(path)
    folder.mkdir()
    opened(desk, path)
    desk.change(outdir=str(folder / "out"), genes_mode="all", jobs=1)
    desk.export()
    until(desk, lambda: list(folder.iterdir()))
    kill(desk)
    until(desk, lambda: not desk.shown.running)
    assert desk.shown.export.status == "failed"
    until(desk, lambda: not desk.shown.opening and not list(folder.iterdir()))


def test_worker_that_keeps_crashing_is_not_restarted(desk: Desk, files: dict[str, Path], tmp_path: Path) -> None:
    opened(desk, files["a"])
    said = kill_until_given_up(desk)
    assert "not restarted automatically" in said
    assert not desk.shown.pending
    desk.poll()  # there is no worker to poll, which is not an error
    # The user can continue, with the open file or with another one.
    asked: list[str] = []
    desk.command(asked.append)
    until(desk, lambda: asked)
    desk.change(genes_mode="hvgs:3")
    until(desk, lambda: not desk.shown.pending)
    assert desk.shown.fault == ""
    assert desk.shown.estimate.n_genes == 3
    hits: list[list[str]] = []
    desk.complete("cd", hits.append)
    until(desk, lambda: hits)
    assert hits[0]
    opened(desk, files["b"])
    desk.change(outdir=str(tmp_path / "out"))
    exported(desk).verify()


def kill_until_given_up(desk: Desk) -> str:
    for _ in range(3):
        kill(desk)
        until(desk, lambda: desk.shown.fault or (not desk.shown.running and desk.shown.export.error))
        desk.shown.fault, said = "", desk.shown.fault or desk.shown.export.error
        desk.shown.export = replace(desk.shown.export, error=None)
    assert desk._worker is None
    return said


def kill(desk: Desk, number: int = signal.SIGKILL) -> None:
    assert desk._worker is not None
    os.kill(desk._worker.pid, number)


@pytest.mark.parametrize("deaths", [1, 3])
def test_worker_crash_keeps_the_last_result_and_leaves_no_partial_files(
    desk: Desk, files: dict[str, Path], tmp_path: Path, deaths: int
) -> None:
    opened(desk, files["a"])
    desk.change(outdir=str(tmp_path / "first"), genes_mode="hvgs:3")
    exported(desk)
    first = desk.shown.result
    path, folder = tmp_path / "large.h5ad", tmp_path / "here"
    synthetic_tissue(20_000, 800, seed=2).write_h5ad(path)
    folder.mkdir()
    desk.shown.path = str(path)  # pretend it is the same file: opening another one clears the result
    desk.change(outdir=str(folder / "out"), genes_mode="all", jobs=1)
    until(desk, lambda: not desk.shown.pending)  # a late answer would reset the count of crashes
    desk._deaths = deaths - 1
    desk.export()
    until(desk, lambda: list(folder.iterdir()))
    kill(desk)
    until(desk, lambda: not desk.shown.running)
    assert desk.shown.export.status == "failed"
    assert (desk._worker is None) == (deaths == 3)
    assert desk.shown.result == first
    assert desk.shown.exported["outdir"] == str(tmp_path / "first")
    until(desk, lambda: not list(folder.iterdir()))


def test_worker_killed_on_close_leaves_no_files(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karospace_jupyter.desktop.app_state._CANCEL_S", 0.2)
    path, folder = tmp_path / "large.h5ad", tmp_path / "here"
    synthetic_tissue(20_000, 800, seed=2).write_h5ad(path)
    folder.mkdir()
    one = Desk()
    try:
        opened(one, path)
        one.change(outdir=str(folder / "out"), genes_mode="all", jobs=1)
        one.export()
        until(one, lambda: list(folder.iterdir()))
        kill(one, signal.SIGSTOP)
    finally:
        one.close()
    assert list(folder.iterdir()) == []


def test_file_that_crashes_the_worker_keeps_the_open_file(desk: Desk, files: dict[str, Path]) -> None:
    opened(desk, files["a"])
    kill(desk, signal.SIGSTOP)  # prevents it from answering
    desk.open(files["b"])
    kill(desk)
    until(desk, lambda: not desk.shown.opening)
    until(desk, lambda: not desk.shown.pending)
    assert "memory" in desk.shown.refused
    assert desk.shown.path == str(files["a"])
    # The error is cleared by the next action.
    desk.change(genes_mode="hvgs:3")
    assert desk.shown.refused == ""


def test_unresponsive_file_does_not_block_another(
    desk: Desk, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karospace_jupyter.desktop.app_state._PATIENCE_S", 0.3)
    opened(desk, files["a"])
    kill(desk, signal.SIGSTOP)
    desk.open(files["b"])
    desk.give_up()
    assert desk.shown.opening == ""
    assert desk.shown.path == str(files["a"])
    opened(desk, files["a"])
    kill(desk, signal.SIGSTOP)
    desk.open(files["b"])
    desk.open(files["c"])
    until(desk, lambda: not desk.shown.opening and not desk.shown.pending)
    assert desk.shown.path == str(files["c"])
    assert desk.shown.summary.n_cells == 400


def test_preview_survives_replacing_the_worker(desk: Desk, files: dict[str, Path], tmp_path: Path) -> None:
    opened(desk, files["a"])
    desk.change(outdir=str(tmp_path / "out"), genes_mode="hvgs:3")
    exported(desk)
    desk.serve(desk.shown.result.path, 0)
    until(desk, lambda: desk.shown.address)
    address = desk.shown.address
    desk.open(files["b"])
    desk.give_up()
    told: list[str] = []
    desk.changed = told.append
    until(desk, lambda: "address" in told)
    with urllib.request.urlopen(desk.shown.address) as answer:
        assert answer.status == 200
    assert desk.shown.address == address


def test_export_that_fails_to_start_keeps_the_last_result(desk: Desk, files: dict[str, Path], tmp_path: Path) -> None:
    opened(desk, files["a"])
    desk.change(outdir=str(tmp_path / "out"), genes_mode="hvgs:3")
    exported(desk)
    first = desk.shown.result
    desk.change(seed="nothing")
    desk.export()
    assert desk.shown.running
    # The failure of another action does not end the export.
    desk._handle(Failed(StartServing, "no port", ""))
    assert desk.shown.running
    until(desk, lambda: not desk.shown.running)
    assert desk.shown.export.status == "failed"
    assert "seed" in desk.shown.export.error
    assert desk.shown.result == first


@pytest.mark.usefixtures("new_python")
def test_worker_that_fails_to_start_reports_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "h5py.py").write_text("raise ImportError('h5py was built for another machine')")
    monkeypatch.syspath_prepend(tmp_path)
    one = Desk()
    try:
        one.open("/somewhere.h5ad")
        until(one, lambda: one.shown.refused)
        assert "built for another machine" in one.shown.refused
        assert "Traceback" in one.shown.details
        assert one.shown.opening == ""
    finally:
        one.close()


def test_worker_crash_while_reopening_keeps_the_options(desk: Desk, files: dict[str, Path]) -> None:
    opened(desk, files["a"])
    desk.change(genes_mode="hvgs:4")
    kill(desk, signal.SIGSTOP)
    desk.open(files["a"])
    kill(desk)
    until(desk, lambda: desk.shown.refused)
    until(desk, lambda: not desk.shown.pending)
    assert desk.shown.estimate.n_genes == 4
    opened(desk, files["a"])
    assert desk.shown.options["genes_mode"] == "hvgs:4"


def test_desk_can_be_closed_twice(files: dict[str, Path]) -> None:
    one = Desk()
    assert one._worker is not None
    pid = one._worker.pid
    one.open(files["a"])
    one.close()
    one.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
