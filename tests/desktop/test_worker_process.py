"""The pipe between the window and its worker."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from waiting import eventually

from karospace_jupyter.desktop.messages import OpenFile, Refused
from karospace_jupyter.desktop.worker_process import WorkerProcess

pytestmark = pytest.mark.usefixtures("new_python")

ABSENT = "/nowhere/absent.h5ad"


def test_message_of_a_dropped_worker_never_reaches_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Delay a write until its worker has been dropped and another one has been started."""
    begun, release = threading.Event(), threading.Event()
    send = Connection._send  # type: ignore[attr-defined]  # called by `send`, reads the descriptor

    def slow(self: Any, data: Any, *more: Any) -> None:
        if b"stale" not in bytes(data):
            send(self, data, *more)
            return
        descriptor = self._handle
        begun.set()
        release.wait()
        os.write(descriptor, data)

    monkeypatch.setattr(Connection, "_send", slow)
    first = WorkerProcess()
    try:
        os.kill(first.pid, signal.SIGSTOP)
        first.send(OpenFile(1, str(tmp_path / "stale.h5ad"), {}))
        eventually(begun.is_set)
    finally:
        first.drop()
    second = WorkerProcess()
    received: list[Any] = []
    try:
        second.send(OpenFile(2, ABSENT, {}))
        eventually(second._requests.empty)
        release.set()
        eventually(lambda: received.extend(second.received()) or received)
        assert [(type(answer), answer.number) for answer in received] == [(Refused, 2)]
    finally:
        release.set()
        second.end(10)


def test_dropped_worker_closes_its_pipe() -> None:
    worker = WorkerProcess()
    worker.drop()
    eventually(lambda: worker._pipe.closed)
    with pytest.raises(OSError, match="closed"):
        next(worker.received())
