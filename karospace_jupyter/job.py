"""A job reports the progress of its stages and can be canceled.

Long-running functions take a :class:`Job` as their last parameter. A front end passes a listener to show progress
and calls :meth:`Job.cancel` to stop; the code in between does not need to know about threads.
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
    """Progress of one stage."""

    stage: str
    """Name of the stage, as shown to users: "Writing genes"."""
    done: int
    total: int
    unit: str
    elapsed_s: float
    finished: bool

    @property
    def rate(self) -> float:
        """Units per second; 0 before the first unit."""
        return self.done / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def eta_s(self) -> float | None:
        """Seconds left in this stage; None before the first unit."""
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
            If the job was canceled.
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
    """Progress and cancellation of an export.

    Parameters
    ----------
    listener
        Called with each :class:`Progress`, at most every 50 ms during a stage and once when it ends, from the working
        thread.

    Examples
    --------
    >>> job = Job(lambda progress: print(progress.stage, progress.done))
    >>> with job.stage("Reading", total=2, unit="files"):
    ...     pass
    Reading 0
    Reading 0
    """

    def __init__(self, listener: Callable[[Progress], None] | None = None) -> None:
        self._listeners = [] if listener is None else [listener]
        self._cancelled = threading.Event()

    @classmethod
    def null(cls) -> Job:
        """Return a job without a listener."""
        return cls()

    def listen(self, listener: Callable[[Progress], None]) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def cancel(self) -> None:
        """Request that the job stop at its next block. Safe to call from any thread and from a signal handler."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise :class:`~karospace_jupyter.errors.Cancelled` if the job was canceled."""
        if self._cancelled.is_set():
            msg = "The export was canceled; nothing was written."
            raise Cancelled(msg)

    def report(self, progress: Progress) -> None:
        """Pass `progress` to the listeners."""
        for listener in self._listeners:
            listener(progress)

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Stage]:
        """Open a stage of `total` units. It is reported as finished if the block ends without an error."""
        self.check()
        stage = Stage(self, name, total, unit)
        stage._report(finished=False)  # noqa: SLF001 - Stage and Job share one implementation
        yield stage
        self.check()
        stage._report(finished=True)  # noqa: SLF001
