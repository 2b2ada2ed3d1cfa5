"""Tests of exports that fail or are killed at any disk access."""

from __future__ import annotations

import errno
import gc
import os
import random
import shutil
import signal
import sys
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import KaroSpaceError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="exports are run in forks")

OPTIONS: dict[str, Any] = {"genes_mode": "hvgs:2", "image_path": "none", "markers": "none"}
TARGETS = {"folder": "outdir", "zip": "zip_path", "html": "single_file"}
NAMES = {"folder": "viewer", "zip": "viewer.zip", "html": "viewer.html"}


class Attempt(NamedTuple):
    """How an export in a fork ended."""

    outcome: str
    """``done``, ``refused`` (a clear error), ``killed`` or ``bug`` (any other exception)."""
    text: str
    accesses: int
    """Number of disk accesses; 0 if it was killed."""


@pytest.fixture(scope="module")
def old() -> Any:
    return synthetic_tissue(120, 12, seed=1)


@pytest.fixture(scope="module")
def new() -> Any:
    return synthetic_tissue(150, 12, seed=2)


def export(adata: Any, folder: Path, kind: str) -> None:
    options: dict[str, Any] = {TARGETS[kind]: folder / NAMES[kind], **OPTIONS}
    adata_to_karospace(adata, **options)


def attempt(
    work: Callable[[], object], folder: Path, at: int = -1, fault: Callable[[], object] | None = None
) -> Attempt:
    """Run `work` in a fork; call `fault` at access number `at` to `folder`, counted from 0."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        accesses = 0

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal accesses
            if event.startswith(("shutil.", "tempfile.")):  # consists of several accesses
                return
            if any(isinstance(value, (str, Path)) and str(value).startswith(str(folder)) for value in arguments[:2]):
                accesses += 1
                if accesses - 1 == at and fault is not None:
                    fault()

        outcome, text = "done", ""
        try:
            sys.addaudithook(hook)
            work()
        except KaroSpaceError as exc:
            outcome, text = "refused", str(exc)
        except BaseException:
            outcome, text = "bug", traceback.format_exc()
        os.write(writer, f"{outcome}\n{accesses}\n{text[-4000:]}".encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:  # noqa: PTH123 - a descriptor
        output = file.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Attempt("killed", f"signal {os.WTERMSIG(status)}", 0)
    outcome, count, text = output.split("\n", 2)
    return Attempt(outcome, text, int(count))


def cells_of(folder: Path, kind: str) -> int:
    """Check that all files of the bundle match its manifest, and return its number of cells."""
    bundle = Bundle(folder / NAMES[kind])
    bundle.verify()
    return bundle.manifest.n_cells


def fail(number: int) -> Callable[[], None]:
    def raise_error() -> None:
        raise OSError(number, os.strerror(number))

    return raise_error


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


STEP = 1 if os.environ.get("KAROSPACE_ALL_FAULTS") else 4
"""Tests every fourth access, starting at a random one; with KAROSPACE_ALL_FAULTS, every access."""


@pytest.fixture
def moments(old: Any, new: Any, kind: str, tmp_path: Path) -> range:
    """Export a bundle, and return the numbers of the disk accesses to test during its replacement."""
    export(old, tmp_path / "trial", kind)
    trial = attempt(lambda: export(new, tmp_path / "trial", kind), tmp_path)
    assert trial.outcome == "done", trial.text
    assert trial.accesses > 40
    shutil.rmtree(tmp_path / "trial")
    export(old, tmp_path, kind)
    return range(random.randrange(STEP), trial.accesses, STEP)


@pytest.mark.parametrize("kind", TARGETS)
def test_failed_access_ends_in_an_error_or_a_complete_bundle(
    old: Any, new: Any, kind: str, moments: range, tmp_path: Path
) -> None:
    for at in moments:
        number = (errno.EIO, errno.ENOSPC, errno.EACCES)[at // STEP % 3]
        ended = attempt(lambda: export(new, tmp_path, kind), tmp_path, at, fail(number))
        where = f"access {at}: {ended.outcome} {ended.text}"
        assert ended.outcome in {"done", "refused"}, where
        found = cells_of(tmp_path, kind)
        assert found == new.n_obs if ended.outcome == "done" else found in {old.n_obs, new.n_obs}, where
        assert ended.outcome == "done" or NAMES[kind] in ended.text, where
        export(old, tmp_path, kind)
        assert [file.name for file in tmp_path.iterdir()] == [NAMES[kind]], where


@pytest.mark.parametrize("kind", TARGETS)
def test_killed_export_leaves_a_complete_bundle_and_the_next_export_cleans_up(
    old: Any, new: Any, kind: str, moments: range, tmp_path: Path
) -> None:
    for at in moments:
        ended = attempt(lambda: export(new, tmp_path, kind), tmp_path, at, kill)
        assert ended.outcome == "killed", f"access {at}: {ended.outcome} {ended.text}"
        assert cells_of(tmp_path, kind) in {old.n_obs, new.n_obs}, at
        export(old, tmp_path, kind)
        assert [file.name for file in tmp_path.iterdir()] == [NAMES[kind]], at


@pytest.mark.parametrize("kind", TARGETS)
def test_full_disk_ends_in_an_error_or_a_complete_bundle(old: Any, new: Any, kind: str, tmp_path: Path) -> None:
    """The system rejects writes beyond a maximum file size, like a full disk."""
    export(old, tmp_path, kind)
    largest = max(file.stat().st_size for file in tmp_path.rglob("*"))
    for limit in (0, 100, 1000, 20_000, largest // 2, largest - 1):

        def limited(limit: int = limit) -> None:
            import resource  # does not exist on Windows, where this file is skipped

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            export(new, tmp_path, kind)

        ended = attempt(limited, tmp_path)
        assert ended.outcome == "refused", f"{limit} bytes: {ended.outcome} {ended.text}"
        assert "could not be written" in ended.text
        assert cells_of(tmp_path, kind) == old.n_obs
        assert [file.name for file in tmp_path.iterdir()] == [NAMES[kind]]


@pytest.mark.parametrize("kind", TARGETS)
def test_simultaneous_exports_to_one_target_leave_a_complete_bundle(
    old: Any, new: Any, kind: str, tmp_path: Path
) -> None:
    ended: list[Attempt] = []

    def export_repeatedly(adata: Any) -> None:
        ended.extend(attempt(lambda: export(adata, tmp_path, kind), tmp_path) for _ in range(4))

    threads = [threading.Thread(target=export_repeatedly, args=[adata]) for adata in (old, new)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {attempted.outcome for attempted in ended} <= {"done", "refused"}, ended
    assert "done" in {attempted.outcome for attempted in ended}
    assert cells_of(tmp_path, kind) in {old.n_obs, new.n_obs}
    assert [file.name for file in tmp_path.iterdir()] == [NAMES[kind]]


def test_export_works_while_the_clock_goes_backward(new: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(2_000_000_000, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    for _ in range(2):
        export(new, tmp_path, "folder")
        assert cells_of(tmp_path, "folder") == new.n_obs


def test_repeated_exports_leak_no_threads_handles_or_memory(new: Any, tmp_path: Path) -> None:
    """The limit on memory detects a leak, because each export holds at least half a megabyte while it runs."""

    def export_repeatedly(times: int) -> tuple[int, int, int]:
        for _ in range(times):
            for kind in TARGETS:
                export(new, tmp_path, kind)
        gc.collect()
        return threading.active_count(), psutil.Process().num_fds(), tracemalloc.get_traced_memory()[0]

    def compare() -> None:
        tracemalloc.start()
        export_repeatedly(2)
        threads, handles, held = export_repeatedly(1)
        more_threads, more_handles, more_held = export_repeatedly(8)
        assert (more_threads, more_handles) == (threads, handles)
        assert more_held - held < 1_000_000

    ended = attempt(compare, tmp_path)
    assert ended.outcome == "done", ended.text
