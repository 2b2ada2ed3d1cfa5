"""The window's connection to the worker process; sending and receiving never blocks."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import threading
from typing import TYPE_CHECKING, Any

from karospace_jupyter.desktop import worker
from karospace_jupyter.desktop.messages import PredictExport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from karospace_jupyter.desktop.messages import Answer, Request

_DEAD_S = 0.05
"""Seconds to wait for the exit code of a process whose pipe has ended."""


class WorkerProcess:
    """A worker process and the pipe to it.

    Raises
    ------
    OSError
        If no process can be started.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._pipe: Connection[Any, Any] = ours
        self._process: SpawnProcess = context.Process(target=worker.run, args=(theirs,), name="karospace-worker")
        self._process.start()
        theirs.close()
        assert self._process.pid is not None  # noqa: S101 - it has started
        self.pid = self._process.pid
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._newest_revision = 0
        self._stopped = False
        # Writing to a full pipe blocks while the worker is busy, so it is done on another thread.
        threading.Thread(target=self._write, name="karospace-write", daemon=True).start()

    def send(self, request: Request) -> None:
        """Send a request; of several waiting predictions, only the newest is sent."""
        if isinstance(request, PredictExport):
            self._newest_revision = request.revision
        self._requests.put(request)

    def received(self) -> Iterator[Answer]:
        """Yield the answers received so far.

        Raises
        ------
        EOFError, OSError
            If the process has ended.
        """
        while self._pipe.poll():
            yield self._pipe.recv()

    def ended(self) -> int | None:
        """Return the exit code of the process after its pipe has ended; None if it is not known yet."""
        self._process.join(_DEAD_S)
        self._stop()
        return self._process.exitcode

    def end(self, patience: float) -> bool:
        """Wait for the process to end, kill it after `patience` seconds, and return whether it was killed."""
        self._stop()
        self._process.join(patience)
        killed = self._process.is_alive()
        if killed:
            self._process.kill()
            self._process.join(patience)
        return killed

    def drop(self) -> None:
        """Kill the process without waiting for its end: it may hang on a network share that does not respond."""
        self._stop()
        self._process.kill()

    def _stop(self) -> None:
        self._stopped = True
        self._requests.put(None)

    def _write(self) -> None:
        while (request := self._requests.get()) is not None:
            outdated = isinstance(request, PredictExport) and request.revision < self._newest_revision
            if self._stopped or outdated:
                continue
            # The process may end in the meantime; then `received` raises an error.
            with contextlib.suppress(OSError, ValueError):
                self._pipe.send(request)
        # Only this thread closes the pipe. If it were closed during a write, the pipe of the next worker could get the
        # same descriptor, and that worker would receive a message that was not meant for it.
        self._pipe.close()
