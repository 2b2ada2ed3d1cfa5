"""Several targets in one export."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from karospace_jupyter.errors import KaroSpaceError, SinkError
from karospace_jupyter.sink.single import HtmlSink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from karospace_jupyter.job import Job
    from karospace_jupyter.sink.folder import FolderSink
    from karospace_jupyter.sink.single import FileSink


class SeveralSinks:
    """Writes each file once, and publishes it in several forms.

    Everything that can fail for want of space happens before the first target appears.

    Parameters
    ----------
    first
        Collects the files.
    others
        Are made from what `first` collected.

    Raises
    ------
    SinkError
        When one target is, or is inside, another.
    """

    def __init__(self, first: FolderSink | FileSink, others: Sequence[FileSink] = ()) -> None:
        self.targets: list[Path] = [first.target, *(sink.target for sink in others)]
        self._first, self._others = first, list(others)
        self._open = ExitStack()
        real = [target.resolve() for target in self.targets]
        for a, outer in zip(self.targets, real, strict=True):
            for b, inner in zip(self.targets, real, strict=True):
                if a is not b and inner.is_relative_to(outer):
                    msg = f"{b} cannot be written together with {a}, which it is part of. Choose another place for one."
                    raise SinkError(msg)

    @property
    def spool(self) -> Path | None:
        """Where the files are before they are published; None where everything becomes one page."""
        carried = (self._first, *self._others)
        return None if all(isinstance(sink, HtmlSink) for sink in carried) else self._first.spool

    def check(self) -> None:
        """Refuse targets that must not be replaced."""
        for sink in (self._first, *self._others):
            sink.check()

    def __enter__(self) -> SeveralSinks:
        with ExitStack() as stack:
            for sink in (self._first, *self._others):
                stack.enter_context(sink)
            self._open = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._open.close()

    def put(self, path: str, data: bytes) -> None:
        """Store one file."""
        self._first.put(path, data)

    def prepare(self, job: Job | None = None) -> None:
        """Make every target, still hidden."""
        self._first.prepare(job)
        for sink in self._others:
            sink.prepare(job, spool=self._first.spool)

    def commit(self) -> None:
        """Make the targets visible, one after the other."""
        done: list[str] = []
        # A check between two moves would find fault too late.
        self.check()
        for sink in (*self._others, self._first):
            try:
                sink.commit()
            except KaroSpaceError as exc:
                if done:
                    exc.add_note(f"Written already: {', '.join(done)}.")
                raise
            done.append(str(sink.target))
