"""What a sink does, wherever it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from karospace_jupyter.job import Job


class Sink(Protocol):
    """Takes files and publishes them together.

    A context manager: leaving it without :meth:`commit` discards everything that was put.
    """

    @property
    def spool(self) -> Path | None:
        """Where the files are before they are published, for the scripts of a folder or a zip; None for none."""

    def check(self) -> None:
        """Refuse, before anything is read, what entering would refuse.

        Raises
        ------
        SinkError
            When the target must not be replaced.
        """

    def __enter__(self) -> Sink:
        """Prepare a place beside the target.

        Raises
        ------
        SinkError
            When the target cannot be written or must not be replaced.
        """

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        """Discard what was not committed."""

    def put(self, path: str, data: bytes) -> None:
        """Store one file under its path inside the bundle. Safe from several threads."""

    def prepare(self, job: Job | None = None) -> None:
        """Do what takes long after the last file was put; nothing becomes visible. `commit` does it otherwise.

        Raises
        ------
        KaroSpaceError
            When it fails or is cancelled.
        """

    def commit(self) -> None:
        """Make everything visible under the target's name at once."""
