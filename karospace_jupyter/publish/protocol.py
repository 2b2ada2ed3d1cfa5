"""The interface of a sink, independent of its target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from karospace_jupyter.job import Job


class Sink(Protocol):
    """Collect files and publish them together.

    A sink is a context manager. Leaving the context without :meth:`commit` discards all files.
    """

    @property
    def spool(self) -> Path | None:
        """The folder that contains the files before they are published, for generating scripts; None without one."""

    def check(self) -> None:
        """Check the target before any data is read.

        Raises
        ------
        SinkError
            If the target must not be replaced.
        """

    def __enter__(self) -> Sink:
        """Create a hidden folder next to the target.

        Raises
        ------
        SinkError
            If the target cannot be written or must not be replaced.
        """

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        """Discard files that were not committed."""

    def put(self, path: str, data: bytes) -> None:
        """Store one file under its path inside the bundle. Thread-safe."""

    def prepare(self, job: Job | None = None) -> None:
        """Do the slow work after the last file was stored, without publishing anything.

        Optional: otherwise, `commit` does this work.

        Raises
        ------
        KaroSpaceError
            If it fails or is canceled.
        """

    def commit(self) -> None:
        """Publish all files at the target, atomically."""
