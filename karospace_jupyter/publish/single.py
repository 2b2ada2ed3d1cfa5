"""Publish an HTML file or a zip file atomically."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from karospace_jupyter.bundle.files import FolderFiles
from karospace_jupyter.bundle.read import read_manifest
from karospace_jupyter.job import Job
from karospace_jupyter.publish.partial import Partial, absolute
from karospace_jupyter.publish.targets import check_file
from karospace_jupyter.publish.write import assemble, real_file

if TYPE_CHECKING:
    from types import TracebackType

    from karospace_jupyter.publish.targets import Form


class FileSink:
    """Collect the files in a hidden folder next to the target and combine them into one file.

    The folder is necessary because files arrive from several threads in any order, and the manifest, which is the
    first entry of the result, arrives last.

    Parameters
    ----------
    target
        File to create. An existing file is replaced if it is a bundle or empty, otherwise rejected.
    """

    form: ClassVar[Form]

    def __init__(self, target: Path) -> None:
        self.target = absolute(target)
        self._partial = Partial(real_file(self.target))
        self._created: Path | None = None

    @property
    def spool(self) -> Path:
        """The folder that contains the files before they are published."""
        return self._partial.folder

    def check(self) -> None:
        """Raise SinkError if the target must not be replaced."""
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
        """Create the file without publishing it.

        Parameters
        ----------
        job
            Receives progress and can cancel the work.
        spool
            Folder of the bundle's files, if another sink collected them.
        """
        files = FolderFiles(spool or self.spool)
        manifest = read_manifest(files)
        self._created = assemble(files, manifest, self._partial, self.form, files.read("index.html"), job or Job.null())

    def commit(self) -> None:
        """Move the file to the target."""
        if self._created is None:
            self.prepare()
        assert self._created is not None  # noqa: S101 - set by prepare
        self.check()
        self._partial.publish_file(self._created)


class HtmlSink(FileSink):
    """Publish an HTML file, which opens with a double click."""

    form = "html"


class ZipSink(FileSink):
    """Publish a zip file that contains one folder."""

    form = "zip"
