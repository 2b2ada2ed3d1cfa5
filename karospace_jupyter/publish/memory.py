"""Keep a bundle in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from karospace_jupyter.bundle.files import MemoryFiles

if TYPE_CHECKING:
    from types import TracebackType

    from karospace_jupyter.job import Job


class MemorySink:
    """Collect the files of a bundle; after :meth:`commit` they are in `files`."""

    def __init__(self) -> None:
        self._put: dict[str, bytes] = {}
        self.files: MemoryFiles | None = None
        self.spool = None

    def check(self) -> None:
        """Do nothing; there is no target that could be replaced."""

    def __enter__(self) -> MemorySink:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._put = {}

    def put(self, path: str, data: bytes) -> None:
        """Store one file."""
        self._put[path] = bytes(data)

    def prepare(self, job: Job | None = None) -> None:
        """Do nothing; the files already exist."""

    def commit(self) -> None:
        """Publish the files in the attribute `files`."""
        self.files = MemoryFiles(self._put)
