"""Progress bars for terminals and notebooks."""

from __future__ import annotations

import html
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from karospace_jupyter.errors import Cancelled
from karospace_jupyter.job import Job
from karospace_jupyter.kernel import running_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from karospace_jupyter.job import Progress


_QUICK_S = 1.0
"""A comparison that takes fewer seconds than this shows no progress."""


class _Bar(Protocol):
    def show(self, progress: Progress) -> None:
        """Show one progress report."""

    def end(self, *, failed: bool) -> None:
        """Stop showing progress."""


class ProgressBar:
    """Show the progress of a job: as HTML in a notebook, as one tqdm bar for each stage on stderr elsewhere.

    Parameters
    ----------
    notebook
        Whether to show HTML in a notebook. If False, no notebook packages are imported.
    done
        The verb of the final message, such as ``Exported``.
    after_s
        Show nothing for jobs that take less than this number of seconds.
    """

    def __init__(self, *, notebook: bool = True, done: str = "Exported", after_s: float = 0.0) -> None:
        self._bar: _Bar = _NotebookBar(done) if notebook and running_kernel() is not None else _TerminalBar()
        self._shown_from = time.monotonic() + after_s

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._bar.end(failed=exc is not None)

    def watch(self, job: Job | None) -> Job:
        """Show the progress of `job`, or of a new job if it is None, and return that job."""
        job = job or Job()
        job.listen(self)
        return job

    def __call__(self, progress: Progress) -> None:
        """Show one progress report."""
        if time.monotonic() >= self._shown_from:
            self._bar.show(progress)

    def close(self) -> None:
        """Stop showing progress."""
        self._bar.end(failed=False)


@contextmanager
def comparing(job: Job | None, *, progress: bool) -> Iterator[Job]:
    """Show progress while the block compares genes, unless it is quick; raise Cancelled with a suitable message.

    Raises
    ------
    Cancelled
        If the job was canceled.
    """
    try:
        if not progress:
            yield job or Job.null()
            return
        with ProgressBar(done="Compared", after_s=_QUICK_S) as bar:
            yield bar.watch(job)
    except Cancelled as exc:
        msg = "The comparison was canceled."
        raise Cancelled(msg) from exc


class _TerminalBar:
    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""

    def show(self, progress: Progress) -> None:
        if self._bar is None or self._stage != progress.stage:
            self.end(failed=False)
            self._stage = progress.stage
            self._bar = self._open(progress)
        self._bar.update(progress.done - self._bar.n)
        if progress.finished:
            self.end(failed=False)

    def _open(self, progress: Progress) -> Any:  # noqa: ANN401 - tqdm is untyped
        from tqdm import tqdm

        unit = f" {progress.unit}"
        return tqdm(desc=progress.stage, total=progress.total, unit=unit, file=sys.stderr, dynamic_ncols=True)

    def end(self, *, failed: bool) -> None:  # noqa: ARG002 - the traceback reports a failure
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _NotebookBar:
    """One output, updated in place. It is not a widget: a widget would be lost when the notebook is reopened."""

    def __init__(self, done: str) -> None:
        self._handle: Any = None
        self._done = done
        self._started = time.monotonic()
        self._stage = ""

    def show(self, progress: Progress) -> None:
        self._stage = progress.stage
        share = progress.done / progress.total if progress.total else 1.0
        left = progress.eta_s
        note = f" · about {left:.0f} s left" if left is not None and left >= 1 and not progress.finished else ""
        count = f"{progress.done:,} of {progress.total:,} {progress.unit}{note}"
        bar = f'<progress value="{share:.3f}" max="1" style="width:200px;vertical-align:middle"></progress>'
        self._put(f"{progress.stage}: {count}", f"{html.escape(progress.stage)} {bar} {html.escape(count)}")

    def end(self, *, failed: bool) -> None:
        if self._handle is None:
            return
        took = f"{time.monotonic() - self._started:.1f} s"
        text = f"Stopped after {took}: {self._stage}" if failed else f"{self._done} in {took}"
        self._put(text, html.escape(text))
        self._handle = None

    def _put(self, text: str, body: str) -> None:
        from IPython import display

        style = "font:13px/20px system-ui,sans-serif;font-variant-numeric:tabular-nums"
        data = {"text/plain": text, "text/html": f'<div style="{style}">{body}</div>'}
        if self._handle is None:
            show: Any = display.display  # has no type annotations
            self._handle = show(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
