"""The state of the app and its worker, tested without a display."""

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
from karospace_jupyter.desktop.app_state import AppState
from karospace_jupyter.desktop.messages import Failed, StartServing


@pytest.fixture
def app_state() -> Iterator[AppState]:
    state = AppState()
    yield state
    state.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    made = {}
    for name, n_cells in (("a", 200), ("b", 300), ("c", 400)):
        made[name] = folder / f"{name}.h5ad"
        synthetic_tissue(n_cells, 20, seed=1).write_h5ad(made[name])
    return made


def until(app_state: AppState, done: Callable[[], Any]) -> None:
    eventually(done, pause=app_state.poll, what=lambda: str(app_state.shown))


def open_file(app_state: AppState, path: Path, choices: dict[str, Any] | None = None) -> None:
    app_state.open(path, choices)
    until(app_state, lambda: not app_state.shown.opening and not app_state.shown.pending)
    assert app_state.shown.path == str(path), app_state.shown


def export(app_state: AppState) -> Bundle:
    app_state.export()
    until(app_state, lambda: not app_state.shown.running and app_state.shown.result)
    return Bundle(app_state.shown.result.path)


def test_export_uses_the_file_that_is_shown(app_state: AppState, files: dict[str, Path], tmp_path: Path) -> None:
    """Reject an export while a file is being opened; a file that cannot be opened does not change what is exported."""
    open_file(app_state, files["a"])
    app_state.open(files["b"])
    app_state.open(files["c"])
    app_state.export()  # rejected: another file is being opened
    assert not app_state.shown.running
    until(app_state, lambda: app_state.shown.path == str(files["c"]) and not app_state.shown.pending)
    assert not app_state._open_waiting, "a worker that has replied is not replaced later"
    app_state.change(outdir=str(tmp_path / "c"))
    assert export(app_state).manifest.n_cells == 400
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    # A file that cannot be opened does not affect the open one.
    app_state.open(tmp_path / "nowhere.h5ad")
    until(app_state, lambda: app_state.shown.refused)
    commands: list[str] = []
    app_state.command(commands.append)
    until(app_state, lambda: commands)
    assert str(files["c"]) in commands[0]
    completions: list[list[str]] = []
    app_state.complete("cd", completions.append)
    until(app_state, lambda: completions)
    assert completions[0]
    app_state.change(outdir=str(tmp_path / "again"))
    assert export(app_state).manifest.n_cells == 400


def test_opening_the_same_file_again_keeps_the_choices(app_state: AppState, files: dict[str, Path]) -> None:
    choices = {"genes_mode": "hvgs:7", "target": "zip_path"}
    open_file(app_state, files["a"], choices)
    assert app_state.shown.options["genes_mode"] == "hvgs:7"
    assert app_state.shown.target == "zip_path"
    app_state.change(genes_mode="hvgs:9", zip_path="/here/mine.zip")
    open_file(app_state, files["a"], choices)
    assert app_state.shown.options["genes_mode"] == "hvgs:9"
    assert app_state.shown.options["zip_path"] == "/here/mine.zip"
    open_file(app_state, files["b"], choices)
    assert app_state.shown.options["genes_mode"] == "hvgs:7"


def test_target_name_is_kept_when_its_kind_changes(app_state: AppState, files: dict[str, Path]) -> None:
    open_file(app_state, files["a"])
    app_state.change(outdir="/here/mine")
    app_state.write_as("outdir")
    assert app_state.shown.options["outdir"] == "/here/mine"
    for target, value in (("zip_path", "/here/mine.zip"), ("single_file", "/here/mine.html"), ("outdir", "/here/mine")):
        app_state.write_as(target)
        assert app_state.shown.options[target] == value
        assert app_state.shown.target == target
    app_state.write_as("zip_path")
    app_state.change(zip_path="/there/other.zip")
    app_state.write_as("outdir")
    assert app_state.shown.options["outdir"] == "/there/other_karospace"


@pytest.mark.parametrize(
    "choices",
    [
        {"genes_mode": 3, "gzip": "maybe", "seed": -1, "downsample": [], "target": []},
        {"genes_mode": ["EPCAM", 3], "jobs": {}, "target": "nowhere"},
        {"genes_mode": "list:~no-such-user/genes.txt", "scripts": 1},
    ],
)
def test_invalid_saved_choices_are_reset(
    app_state: AppState, files: dict[str, Path], tmp_path: Path, choices: dict[str, Any]
) -> None:
    open_file(app_state, files["a"], {**choices, "preview": False})
    assert app_state.shown.options["genes_mode"] == "hvgs:500"
    assert app_state.shown.options["gzip"] is True
    assert app_state.shown.options["preview"] is False
    assert app_state.shown.target == "outdir"
    assert "genes_mode" in " ".join(app_state.shown.notes)
    app_state.change(outdir=str(tmp_path / "out"))
    export(app_state).verify()
    assert app_state.shown.notes == ()


def test_unknown_home_folder_is_reported_for_its_option(app_state: AppState, files: dict[str, Path]) -> None:
    open_file(app_state, files["a"])
    for option, value in (
        ("genes_mode", "list:~no-such-user/genes.txt"), ("view", "~no-such-user/v.json"),
        ("outdir", "~no-such-user/out"), ("image_path", "~no-such-user/i.png"),
    ):  # fmt: skip
        before = app_state.shown.options[option]
        app_state.change(**{option: value})
        until(app_state, lambda: not app_state.shown.pending)
        assert "no such user" in str(app_state.shown.estimate.problems), option
        app_state.change(**{option: before})
    app_state.open("~no-such-user/a.h5ad")
    until(app_state, lambda: app_state.shown.refused)


def test_error_is_cleared_by_the_next_action(app_state: AppState, files: dict[str, Path], tmp_path: Path) -> None:
    open_file(app_state, files["a"])
    app_state.serve(str(tmp_path / "nowhere"))
    until(app_state, lambda: app_state.shown.fault)
    app_state.change(outdir=str(tmp_path / "out"))
    export(app_state)
    assert app_state.shown.fault == ""
    app_state.serve(str(tmp_path / "nowhere"))
    until(app_state, lambda: app_state.shown.fault)
    app_state.serve(str(tmp_path / "out"))
    until(app_state, lambda: app_state.shown.address)
    assert app_state.shown.fault == ""


@pytest.mark.parametrize("target", ["zip_path", "single_file", "outdir"])
def test_preview_shows_the_last_export(
    app_state: AppState, files: dict[str, Path], tmp_path: Path, target: str
) -> None:
    open_file(app_state, files["a"])
    name = {"zip_path": "out.zip", "single_file": "out.html", "outdir": "out"}[target]
    app_state.change(outdir=None, genes_mode="hvgs:3")
    app_state.change(**{target: str(tmp_path / name)})
    export(app_state)
    app_state.serve(app_state.shown.result.path)
    until(app_state, lambda: app_state.shown.address)
    address = app_state.shown.address
    port = int(address.rstrip("/").rpartition(":")[2])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as tab:  # keep-alive
        tab.request("GET", "/manifest.json")
        assert b'"n_genes_exported":3' in tab.getresponse().read().replace(b" ", b"")
        app_state.change(genes_mode="hvgs:5")
        export(app_state)
        assert app_state.shown.address == address
        tab.request("GET", "/manifest.json")
        assert b'"n_genes_exported":5' in tab.getresponse().read().replace(b" ", b"")
    for path in ("index.html", "manifest.json", *(file.path for file in Bundle(tmp_path / name).manifest.asset_files)):
        with urllib.request.urlopen(address + path, timeout=PATIENCE_S) as response:
            data = response.read()
        if path == "manifest.json":
            assert b'"n_genes_exported":5' in data.replace(b" ", b"")


def test_killed_export_leaves_no_files(app_state: AppState, tmp_path: Path) -> None:
    path, folder = tmp_path / "large.h5ad", tmp_path / "here"
    synthetic_tissue(20_000, 800, seed=2).write_h5ad(path)
    folder.mkdir()
    open_file(app_state, path)
    app_state.change(outdir=str(folder / "out"), genes_mode="all", jobs=1)
    app_state.export()
    until(app_state, lambda: list(folder.iterdir()))
    kill(app_state)
    until(app_state, lambda: not app_state.shown.running)
    assert app_state.shown.export.status == "failed"
    until(app_state, lambda: not app_state.shown.opening and not list(folder.iterdir()))


def test_worker_that_keeps_crashing_is_not_restarted(
    app_state: AppState, files: dict[str, Path], tmp_path: Path
) -> None:
    open_file(app_state, files["a"])
    error = kill_until_not_restarted(app_state)
    assert "not restarted automatically" in error
    assert not app_state.shown.pending
    app_state.poll()  # there is no worker to poll, which is not an error
    # The user can continue, with the open file or with another one.
    commands: list[str] = []
    app_state.command(commands.append)
    until(app_state, lambda: commands)
    app_state.change(genes_mode="hvgs:3", packed="no")
    until(app_state, lambda: not app_state.shown.pending)
    assert app_state.shown.fault == ""
    assert app_state.shown.estimate.n_genes == 3
    completions: list[list[str]] = []
    app_state.complete("cd", completions.append)
    until(app_state, lambda: completions)
    assert completions[0]
    open_file(app_state, files["b"])
    app_state.change(outdir=str(tmp_path / "out"))
    export(app_state).verify()


def kill_until_not_restarted(app_state: AppState) -> str:
    """Kill the worker until it is not restarted; return the last error."""
    for _ in range(3):
        kill(app_state)
        until(
            app_state, lambda: app_state.shown.fault or (not app_state.shown.running and app_state.shown.export.error)
        )
        app_state.shown.fault, error = "", app_state.shown.fault or app_state.shown.export.error
        app_state.shown.export = replace(app_state.shown.export, error=None)
    assert app_state._worker is None
    return error


def kill(app_state: AppState, number: int = signal.SIGKILL) -> None:
    assert app_state._worker is not None
    os.kill(app_state._worker.pid, number)


@pytest.mark.parametrize("crashes", [1, 3])
def test_worker_crash_keeps_the_last_result_and_leaves_no_partial_files(
    app_state: AppState, files: dict[str, Path], tmp_path: Path, crashes: int
) -> None:
    open_file(app_state, files["a"])
    app_state.change(outdir=str(tmp_path / "first"), genes_mode="hvgs:3")
    export(app_state)
    first = app_state.shown.result
    path, folder = tmp_path / "large.h5ad", tmp_path / "here"
    synthetic_tissue(20_000, 800, seed=2).write_h5ad(path)
    folder.mkdir()
    app_state.shown.path = str(path)  # pretend it is the same file: opening another one clears the result
    app_state.change(outdir=str(folder / "out"), genes_mode="all", jobs=1)
    until(app_state, lambda: not app_state.shown.pending)  # a late reply would reset the count of crashes
    app_state._crashes = crashes - 1
    app_state.export()
    until(app_state, lambda: list(folder.iterdir()))
    kill(app_state)
    until(app_state, lambda: not app_state.shown.running)
    assert app_state.shown.export.status == "failed"
    assert (app_state._worker is None) == (crashes == 3)
    assert app_state.shown.result == first
    assert app_state.shown.exported["outdir"] == str(tmp_path / "first")
    until(app_state, lambda: not list(folder.iterdir()))


def test_worker_killed_on_close_leaves_no_files(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karospace_jupyter.desktop.app_state._CANCEL_S", 0.2)
    path, folder = tmp_path / "large.h5ad", tmp_path / "here"
    synthetic_tissue(20_000, 800, seed=2).write_h5ad(path)
    folder.mkdir()
    state = AppState()
    try:
        open_file(state, path)
        state.change(outdir=str(folder / "out"), genes_mode="all", jobs=1)
        state.export()
        until(state, lambda: list(folder.iterdir()))
        kill(state, signal.SIGSTOP)
    finally:
        state.close()
    assert list(folder.iterdir()) == []


def test_worker_crash_while_opening_a_file_keeps_the_open_file(app_state: AppState, files: dict[str, Path]) -> None:
    open_file(app_state, files["a"])
    kill(app_state, signal.SIGSTOP)  # prevents it from answering
    app_state.open(files["b"])
    kill(app_state)
    until(app_state, lambda: not app_state.shown.opening)
    until(app_state, lambda: not app_state.shown.pending)
    assert "memory" in app_state.shown.refused
    assert app_state.shown.path == str(files["a"])
    # The error is cleared by the next action.
    app_state.change(genes_mode="hvgs:3")
    assert app_state.shown.refused == ""


def test_unresponsive_file_does_not_block_another(
    app_state: AppState, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karospace_jupyter.desktop.app_state._PATIENCE_S", 0.3)
    open_file(app_state, files["a"])
    kill(app_state, signal.SIGSTOP)
    app_state.open(files["b"])
    app_state.give_up()
    assert app_state.shown.opening == ""
    assert app_state.shown.path == str(files["a"])
    open_file(app_state, files["a"])
    kill(app_state, signal.SIGSTOP)
    app_state.open(files["b"])
    app_state.open(files["c"])
    until(app_state, lambda: not app_state.shown.opening and not app_state.shown.pending)
    assert app_state.shown.path == str(files["c"])
    assert app_state.shown.summary.n_cells == 400


def test_preview_survives_replacing_the_worker(app_state: AppState, files: dict[str, Path], tmp_path: Path) -> None:
    open_file(app_state, files["a"])
    app_state.change(outdir=str(tmp_path / "out"), genes_mode="hvgs:3")
    export(app_state)
    app_state.serve(app_state.shown.result.path, 0)
    until(app_state, lambda: app_state.shown.address)
    address = app_state.shown.address
    app_state.open(files["b"])
    app_state.give_up()
    changes: list[str] = []
    app_state.changed = changes.append
    until(app_state, lambda: "address" in changes)
    with urllib.request.urlopen(app_state.shown.address, timeout=PATIENCE_S) as response:
        assert response.status == 200
    assert app_state.shown.address == address


def test_export_that_fails_to_start_keeps_the_last_result(
    app_state: AppState, files: dict[str, Path], tmp_path: Path
) -> None:
    open_file(app_state, files["a"])
    app_state.change(outdir=str(tmp_path / "out"), genes_mode="hvgs:3")
    export(app_state)
    first = app_state.shown.result
    app_state.change(seed="nothing")
    app_state.export()
    assert app_state.shown.running
    # The failure of another action does not end the export.
    app_state._handle(Failed(StartServing, "no port", ""))
    assert app_state.shown.running
    until(app_state, lambda: not app_state.shown.running)
    assert app_state.shown.export.status == "failed"
    assert "seed" in app_state.shown.export.error
    assert app_state.shown.result == first


@pytest.mark.usefixtures("new_python")
def test_worker_that_fails_to_start_reports_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "h5py.py").write_text("raise ImportError('h5py was built for another machine')")
    monkeypatch.syspath_prepend(tmp_path)
    state = AppState()
    try:
        state.open("/somewhere.h5ad")
        until(state, lambda: state.shown.refused)
        assert "built for another machine" in state.shown.refused
        assert "Traceback" in state.shown.details
        assert state.shown.opening == ""
    finally:
        state.close()


def test_worker_crash_while_reopening_keeps_the_options(app_state: AppState, files: dict[str, Path]) -> None:
    open_file(app_state, files["a"])
    app_state.change(genes_mode="hvgs:4", packed="no")
    kill(app_state, signal.SIGSTOP)
    app_state.open(files["a"])
    kill(app_state)
    until(app_state, lambda: app_state.shown.refused)
    until(app_state, lambda: not app_state.shown.pending)
    assert app_state.shown.estimate.n_genes == 4
    open_file(app_state, files["a"])
    assert app_state.shown.options["genes_mode"] == "hvgs:4"


def test_app_state_can_be_closed_twice(files: dict[str, Path]) -> None:
    state = AppState()
    assert state._worker is not None
    pid = state._worker.pid
    state.open(files["a"])
    state.close()
    state.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
