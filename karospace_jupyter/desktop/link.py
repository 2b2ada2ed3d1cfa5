"""The worker's process, as the window sees it: words go out and come in, and nothing here waits for it."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import threading
from typing import TYPE_CHECKING, Any

from karospace_jupyter.desktop import worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

_DEAD_S = 0.05
"""A process whose pipe has ended is gone, or as good as."""


class Link:
    """A worker of one's own.

    Raises
    ------
    OSError
        When no process can be started.
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
        self._words: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._newest_look = 0
        self._stopped = False
        # A pipe is full when its other end is busy: whoever writes to it then waits, and that is not the window.
        threading.Thread(target=self._write, name="karospace-write", daemon=True).start()

    def send(self, *message: Any) -> None:  # noqa: ANN401
        """Say something; of looks that wait, only the newest goes out."""
        if message[0] == "look":
            self._newest_look = message[1]
        self._words.put(message)

    def heard(self) -> Iterator[tuple[Any, ...]]:
        """Return what was said meanwhile.

        Raises
        ------
        EOFError, OSError
            When the process has ended.
        """
        while self._pipe.poll():
            yield self._pipe.recv()

    def ended(self) -> int | None:
        """Return the exit code of the process, whose pipe has ended; None while that is not known."""
        self._process.join(_DEAD_S)
        self._stop()
        return self._process.exitcode

    def end(self, patience: float) -> bool:
        """Wait until it has stopped what runs and ended; return whether it had to be killed after so many seconds."""
        self._stop()
        self._process.join(patience)
        killed = self._process.is_alive()
        if killed:
            self._process.kill()
            self._process.join(patience)
        return killed

    def drop(self) -> None:
        """Kill it, and do not wait for its end: it may hang in a share that is lost."""
        self._stop()
        self._process.kill()

    def _stop(self) -> None:
        self._stopped = True
        self._words.put(None)

    def _write(self) -> None:
        while (message := self._words.get()) is not None:
            if self._stopped or (message[0] == "look" and message[1] < self._newest_look):
                continue
            # The process may end meanwhile; `heard` raises then.
            with contextlib.suppress(OSError, ValueError):
                self._pipe.send(message)
        # Only this thread closes the pipe. Closed during a write, its descriptor may already be that of the next
        # link's pipe when the write takes place, and the next process would get a message that was not for it.
        self._pipe.close()
