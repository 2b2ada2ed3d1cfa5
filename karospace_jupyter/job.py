"""A job: stages with progress, and a way to stop them.

One small object is the last parameter of everything that takes long. Whoever shows progress gives it a listener,
whoever wants to stop calls :meth:`Job.cancel`; nobody in between knows about threads.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from karospace_jupyter.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REPORT_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one stage is."""

    stage: str
    """What is being done, for people: "Writing genes"."""
    done: int
    total: int
    unit: str
    elapsed_s: float
    finished: bool

    @property
    def rate(self) -> float:
        """Units a second, 0 before the first one."""
        return self.done / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def eta_s(self) -> float | None:
        """Seconds left in this stage, or None while that cannot be known."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None


class Stage:
    """One stage of a job."""

    def __init__(self, job: Job, name: str, total: int, unit: str) -> None:
        self._job, self._name, self._total, self._unit = job, name, total, unit
        self._done = 0
        self._started = time.monotonic()
        self._reported = 0.0

    def advance(self, n: int = 1) -> None:
        """Count `n` more units as done.

        Raises
        ------
        Cancelled
            When the job was cancelled.
        """
        self._job.check()
        self._done += n
        now = time.monotonic()
        if now - self._reported >= _REPORT_EVERY_S:
            self._reported = now
            self._report(finished=False)

    def _report(self, *, finished: bool) -> None:
        elapsed = time.monotonic() - self._started
        self._job.report(Progress(self._name, self._done, self._total, self._unit, elapsed, finished))


class Job:
    """Progress and cancellation of one piece of work.

    Parameters
    ----------
    listener
        Called with each :class:`Progress`, at most every 50 ms a stage and once at the end of it, from the thread
        that works.
    """

    def __init__(self, listener: Callable[[Progress], None] | None = None) -> None:
        self._listeners = [] if listener is None else [listener]
        self._cancelled = threading.Event()

    @classmethod
    def null(cls) -> Job:
        """Return a job that nobody listens to."""
        return cls()

    def listen(self, listener: Callable[[Progress], None]) -> None:
        """Call `listener` too, as the one given at the start."""
        self._listeners.append(listener)

    def cancel(self) -> None:
        """Ask the work to stop at its next block. Safe from any thread and from a signal handler."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise :class:`~karospace_jupyter.errors.Cancelled` when the job was cancelled."""
        if self._cancelled.is_set():
            msg = "The export was cancelled; nothing was written."
            raise Cancelled(msg)

    def report(self, progress: Progress) -> None:
        """Hand one report to the listeners."""
        for listener in self._listeners:
            listener(progress)

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Stage]:
        """Open a stage of `total` units; it is reported as finished when the block ends without an error."""
        self.check()
        stage = Stage(self, name, total, unit)
        stage._report(finished=False)  # noqa: SLF001 - Stage and Job are one thing in two classes
        yield stage
        self.check()
        stage._report(finished=True)  # noqa: SLF001
