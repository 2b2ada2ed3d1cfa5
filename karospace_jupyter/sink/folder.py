"""A folder that appears complete or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.bundle.targets import check_folder, publish_over
from karospace_jupyter.partial import Partial, absolute

if TYPE_CHECKING:
    from types import TracebackType

    from karospace_jupyter.job import Job


class FolderSink:
    """Writes beside the target folder and moves the result into place.

    Parameters
    ----------
    target
        Folder to create. An existing bundle is replaced, and what others put beside its files stays; anything else
        that is not empty is refused.
    """

    def __init__(self, target: Path) -> None:
        self.target = absolute(target)
        self._partial = Partial(self.target)

    @property
    def spool(self) -> Path:
        """Where the files are before they are published."""
        return self._partial.folder

    def check(self) -> None:
        """Refuse a target that must not be replaced."""
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
        """Do nothing: the files are made already."""

    def commit(self) -> None:
        """Move the folder into place; what was there is removed after that."""
        publish_over(self._partial)
