"""One file that appears complete or not at all: an HTML page or a zip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from karospace_jupyter.bundle.files import FolderFiles
from karospace_jupyter.bundle.read import read_manifest
from karospace_jupyter.bundle.targets import check_file
from karospace_jupyter.bundle.write import assemble, real_file
from karospace_jupyter.job import Job
from karospace_jupyter.partial import Partial, absolute

if TYPE_CHECKING:
    from types import TracebackType

    from karospace_jupyter.bundle.targets import Form


class FileSink:
    """Collects the files in a hidden folder beside the target and makes one file of them.

    Files come from several threads in any order, and the manifest, which is the first in the result, comes last:
    hence the folder.

    Parameters
    ----------
    target
        File to create. An existing one is replaced when it holds a bundle or nothing; else it is refused.
    """

    form: ClassVar[Form]

    def __init__(self, target: Path) -> None:
        self.target = absolute(target)
        self._partial = Partial(real_file(self.target))
        self._made: Path | None = None

    @property
    def spool(self) -> Path:
        """Where the files are before they are published."""
        return self._partial.folder

    def check(self) -> None:
        """Refuse a target that must not be replaced."""
        check_file(self.target, self.form)

    def __enter__(self) -> FileSink:
        self.check()
        self._partial.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._partial.__exit__(kind, exc, tb)

    def put(self, path: str, data: bytes) -> None:
        """Store one file."""
        self._partial.write(path, data)

    def prepare(self, job: Job | None = None, *, spool: Path | None = None) -> None:
        """Make the file, still hidden.

        Parameters
        ----------
        spool
            Where the files of the bundle are, when another sink collected them.
        """
        files = FolderFiles(spool or self.spool)
        manifest = read_manifest(files)
        self._made = assemble(files, manifest, self._partial, self.form, files.read("index.html"), job or Job.null())

    def commit(self) -> None:
        """Move the file into place."""
        if self._made is None:
            self.prepare()
        assert self._made is not None  # noqa: S101 - prepare makes it
        self.check()
        self._partial.publish_file(self._made)


class HtmlSink(FileSink):
    """Publishes one HTML file, which opens by double click."""

    form = "html"


class ZipSink(FileSink):
    """Publishes one zip, which holds one folder."""

    form = "zip"
