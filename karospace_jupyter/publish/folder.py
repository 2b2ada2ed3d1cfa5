"""Publish a folder atomically."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.publish.partial import Partial, absolute
from karospace_jupyter.publish.targets import check_folder, publish_over

if TYPE_CHECKING:
    from types import TracebackType

    from karospace_jupyter.job import Job


class FolderSink:
    """Write to a hidden folder next to the target, then move the result to the target.

    Parameters
    ----------
    target
        Folder to create. An existing bundle is replaced, while other files in its folder are kept. Any other folder
        that is not empty is rejected.
    """

    def __init__(self, target: Path) -> None:
        self.target = absolute(target)
        self._partial = Partial(self.target)

    @property
    def spool(self) -> Path:
        """The folder that contains the files before they are published."""
        return self._partial.folder

    def check(self) -> None:
        """Raise SinkError if the target must not be replaced."""
        check_folder(self.target)

    def __enter__(self) -> FolderSink:
        self.check()
        self._partial.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._partial.__exit__(kind, exc, tb)

    def put(self, path: str, data: bytes) -> None:
        """Store one file."""
        self._partial.write(path, data)

    def prepare(self, job: Job | None = None) -> None:
        """Do nothing; the files already exist."""

    def commit(self) -> None:
        """Move the folder to the target, then remove the previous bundle."""
        publish_over(self._partial)
