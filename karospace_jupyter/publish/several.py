"""Publish a bundle to several targets in one export."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.errors import KaroSpaceError, SinkError
from karospace_jupyter.publish.single import HtmlSink
from karospace_jupyter.publish.store import StoreSink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from karospace_jupyter.job import Job
    from karospace_jupyter.publish.folder import FolderSink
    from karospace_jupyter.publish.single import FileSink


class SeveralSinks:
    """Write each file once and publish it to several targets.

    Everything that needs disk space happens before the first target is published.

    Parameters
    ----------
    first
        The sink that collects the files.
    others
        Sinks that are created from the files of `first`.

    Raises
    ------
    SinkError
        If one target equals or contains another.
    """

    def __init__(self, first: FolderSink | FileSink | StoreSink, others: Sequence[FileSink] = ()) -> None:
        self.targets: list[Path | str] = [first.target, *(sink.target for sink in others)]
        self._first, self._others = first, list(others)
        self._open = ExitStack()
        paths = [target for target in self.targets if isinstance(target, Path)]
        real = [path.resolve() for path in paths]
        for a, outer in zip(paths, real, strict=True):
            for b, inner in zip(paths, real, strict=True):
                if a is not b and inner.is_relative_to(outer):
                    msg = (
                        f"{b} is the same as or inside {a}, which is also written. Choose another path for one of them."
                    )
                    raise SinkError(msg)

    @property
    def spool(self) -> Path | None:
        """The folder that contains the files before they are published; None if no target has scripts."""
        carried = (self._first, *self._others)
        return None if all(isinstance(sink, (HtmlSink, StoreSink)) for sink in carried) else self._first.spool

    def check(self) -> None:
        """Raise SinkError if a target must not be replaced."""
        for sink in (self._first, *self._others):
            sink.check()

    def __enter__(self) -> SeveralSinks:
        with ExitStack() as stack:
            for sink in (self._first, *self._others):
                stack.enter_context(sink)
            self._open = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._open.__exit__(kind, exc, tb)

    def put(self, path: str, data: bytes) -> None:
        """Store one file."""
        self._first.put(path, data)

    def prepare(self, job: Job | None = None) -> None:
        """Create every target without publishing it."""
        self._first.prepare(job)
        for sink in self._others:
            sink.prepare(job, spool=self._first.spool)

    def commit(self) -> None:
        """Publish the targets one after the other."""
        done: list[str] = []
        # Check all targets before publishing the first.
        self.check()
        for sink in (*self._others, self._first):
            try:
                sink.commit()
            except KaroSpaceError as exc:
                if done:
                    exc.add_note(f"Already written: {', '.join(done)}.")
                raise
            done.append(str(sink.target))
