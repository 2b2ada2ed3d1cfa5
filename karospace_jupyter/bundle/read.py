"""Opening a bundle that exists."""

from __future__ import annotations

import functools
import importlib
import json
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from karospace_jupyter.bundle.damage import damage
from karospace_jupyter.bundle.files import (
    Bounded,
    BundleFiles,
    FolderFiles,
    HtmlFiles,
    MissingFileError,
    ZipFiles,
    open_files,
)
from karospace_jupyter.bundle.manifest import SCHEMA_VERSION, Chunk, Manifest
from karospace_jupyter.errors import BundleError
from karospace_jupyter.job import Job
from karospace_jupyter.static import static_file
from karospace_jupyter.words import shape

if TYPE_CHECKING:
    from karospace_jupyter.bundle.scripts import When
    from karospace_jupyter.bundle.verify import VerifyReport
    from karospace_jupyter.serve import BundleServer


_UNPACKED, _UNPACKED_TIMES = 2**24, 128
"""Bytes that are unpacked of a file whose length no manifest states: so many, and so many times those stored."""
_ANY_TABLE, _MOST_OF_A_VALUE = 2**20, 2**10
"""Bytes of a table: so many, and so many a value with its name."""


class Bundle:
    """A bundle: a folder, a zip, a single HTML file, or files in memory.

    Parameters
    ----------
    path
        The folder, zip or HTML file, or its files.
    manifest
        Its manifest, when it is known already.

    Raises
    ------
    BundleError
        When there is no bundle that this version can read.
    """

    def __init__(self, path: str | os.PathLike[str] | BundleFiles, manifest: Manifest | None = None) -> None:
        if not isinstance(path, (str, os.PathLike)) and not hasattr(path, "read"):
            msg = f"A bundle is opened by the path of its folder, zip or HTML file; a {type(path).__name__} was given."
            raise BundleError(msg)
        self.files: BundleFiles = open_files(path) if isinstance(path, (str, os.PathLike)) else path
        self.manifest = manifest or read_manifest(self.files)
        self._listed = {file.path: file for file in self.manifest.asset_files}
        if isinstance(self.files, Bounded):
            self.files.expect({path: file.size_bytes for path, file in self._listed.items()})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Bundle:
        """Open the bundle in a folder, a zip or a single HTML file."""
        return cls(path)

    @property
    def path(self) -> Path | None:
        """The folder or file; None for files that are elsewhere, as in memory."""
        return self.files.path if isinstance(self.files, (FolderFiles, ZipFiles, HtmlFiles)) else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the exporter had to decide or leave out, and where a bundle of another exporter breaks the format."""
        return (*(self.manifest.warnings or ()), *self.remarks)

    @functools.cached_property
    def remarks(self) -> tuple[str, ...]:
        """Where the files break the format, and how they are read all the same; empty for bundles of this package."""
        from karospace_jupyter.bundle.tables import remarks

        return tuple(remarks(self))

    def size_on_disk(self) -> tuple[int, int]:
        """Return how many files the bundle takes where it lies, and their bytes; a zip or an HTML file is one."""
        path = self.path
        if path is None:
            return len(self.manifest.asset_files), sum(file.size_bytes for file in self.manifest.asset_files)
        if path.is_file():
            return 1, path.stat().st_size
        names = {"index.html", "manifest.json", *(file.path for file in self.manifest.asset_files)}
        sizes = [os.stat(path / name).st_size for name in names if (path / name).is_file()]  # noqa: PTH116
        return len(sizes), sum(sizes)

    def stored(self, path: str) -> bytes:
        """Return one file of the bundle as stored, that is mostly gzip.

        Raises
        ------
        BundleError
            When it is missing, longer than the manifest says, or the path leaves the bundle.
        """
        return self.files.read(path)

    def read(self, path: str, most: int | None = None, why: str = "it may hold here") -> bytes:
        """Return one file of the bundle, decompressed.

        Parameters
        ----------
        most
            No more than so many bytes are unpacked; as many as the manifest says, by default.
        why
            Says in messages where `most` comes from, after "the 24 bytes that".

        Raises
        ------
        BundleError
            When it is missing, its gzip is damaged or unpacks to more, or the path leaves the bundle.
        """
        stored = self.stored(path)
        listed = self._listed.get(path)
        said = listed.raw_bytes if listed is not None else None
        limits = [limit for limit in (most, said) if limit is not None]
        limit = min(limits, default=_UNPACKED + _UNPACKED_TIMES * len(stored))
        return decompress(stored, path, limit, why if limit == most else "the manifest says" if limits else why)

    def table(self, path: str) -> bytes:
        """Return a table of format 1.0, decompressed: never more than its rows and columns can take.

        Raises
        ------
        BundleError
            As :meth:`read` does.
        """
        m = self.manifest
        values = (m.n_cells + m.n_genes_exported) * (len(m.annotation_columns) + 3)
        return self.read(path, _ANY_TABLE + _MOST_OF_A_VALUE * values)

    def gene(self, name: str) -> NDArray[np.float32]:
        """Return the values of one gene, shape (n_cells,); NaN for cells without a value.

        Raises
        ------
        KeyError
            When the gene was not exported.
        """
        for entry in self.manifest.expression.genes:
            if entry.gene == name:
                return self.vector(entry.chunks, np.dtype("<f4")).astype(np.float32, copy=False)
        raise KeyError(name)

    def embedding(self, name: str) -> NDArray[np.float32] | NDArray[np.float64]:
        """Return one embedding, shape (n_cells, 2); NaN for cells without a place in it.

        It is float32; float64 where it lies so far from zero that the bundle states an origin.

        Parameters
        ----------
        name
            The key of obsm that it was read from, as ``X_umap``.

        Raises
        ------
        KeyError
            When the embedding was not exported.
        """
        for entry in self.manifest.embeddings or ():
            if entry.name == name:
                pairs = self.vector(entry.chunks, np.dtype("<f4"), 2)
                xy = pairs.reshape(-1, 2).astype(np.float32, copy=False)
                return xy + np.asarray(entry.origin) if any(entry.origin) else xy
        raise KeyError(name)

    def vector(self, chunks: list[Chunk], dtype: np.dtype[np.generic], width: int = 1) -> NDArray[np.generic]:
        """Join the chunks of an array of `width` values a cell.

        Raises
        ------
        BundleError
            When they have gaps or a file has another length than its cells need.
        """
        parts, expected = [], 0
        for chunk in chunks:
            if chunk.start != expected or chunk.end <= chunk.start:
                msg = f"{chunk.path} starts at cell {chunk.start}; cell {expected} was expected."
                raise BundleError(msg)
            need = (chunk.end - chunk.start) * width * dtype.itemsize
            raw = self.read(chunk.path, need, f"{chunk.end - chunk.start} cells take")
            if len(raw) != need:
                msg = f"{chunk.path} holds {len(raw)} bytes; {chunk.end - chunk.start} cells take {need}."
                raise BundleError(msg)
            parts.append(np.frombuffer(raw, dtype=dtype))
            expected = chunk.end
        if expected != self.manifest.n_cells:
            msg = f"{chunks[0].path if chunks else 'an array'}: {expected} of {self.manifest.n_cells} cells are there."
            raise BundleError(msg)
        return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)

    def verify(self) -> VerifyReport:
        """Check every file's size and hash, all lengths, and that the tables agree.

        Raises
        ------
        BundleError
            Naming what is wrong.
        """
        from karospace_jupyter.bundle.verify import verify

        return verify(self)

    def serve(self, *, port: int = 8000) -> BundleServer:
        """Serve the bundle on 127.0.0.1 until ``stop()`` is called; `url` says where."""
        from karospace_jupyter.serve import BundleServer

        return BundleServer(self.served(), port=port).start()

    def served(self) -> BundleFiles:
        """Return what a server hands out: the files, with the viewer of this package as their page."""
        from karospace_jupyter.bundle.write import WithViewer

        # Of a folder what is in it then, which may be another export by the same name.
        return WithViewer(FolderFiles(self.files.path) if isinstance(self.files, FolderFiles) else self.files)

    def open(self, *, port: int = 8000) -> BundleServer:
        """Serve the bundle and open it in the web browser."""
        import webbrowser

        server = self.serve(port=port)
        webbrowser.open(server.url)
        return server

    def save(self, outdir: str | os.PathLike[str], *, scripts: When = "auto", job: Job | None = None) -> Bundle:
        """Write the bundle to a folder that appears complete or not at all, and return it from there.

        Parameters
        ----------
        scripts
            Whether the folder opens by double click: ``"yes"``, ``"no"``, or ``"auto"``: where that takes at most
            200 MB more.

        Raises
        ------
        KaroSpaceError
            When it fails; then the folder is as it was before.
        """
        from karospace_jupyter.bundle.write import save_folder

        return Bundle(save_folder(self.files, self.manifest, outdir, scripts, job or Job.null()))

    def to_html(self, path: str | os.PathLike[str], *, job: Job | None = None) -> Path:
        """Write everything into one HTML file, which opens by double click, and return its path.

        Raises
        ------
        KaroSpaceError
            When it fails; then the file is as it was before.
        """
        from karospace_jupyter.bundle.write import save_file

        return save_file(self.files, self.manifest, path, "html", static_file("viewer.html"), job or Job.null())

    def to_zip(self, path: str | os.PathLike[str], *, scripts: When = "auto", job: Job | None = None) -> Path:
        """Write a zip of one folder, and return its path.

        Parameters
        ----------
        scripts
            Whether the unpacked folder opens by double click, as for :meth:`save`.

        Raises
        ------
        KaroSpaceError
            When it fails; then the file is as it was before.
        """
        from karospace_jupyter.bundle.write import save_file

        page = static_file("viewer.html")
        return save_file(self.files, self.manifest, path, "zip", page, job or Job.null(), scripts=scripts)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:  # noqa: ANN401 - as IPython asks
        """Show the viewer when a notebook displays the bundle."""
        # The front end is named, not imported: this room lies below it.
        view = importlib.import_module("karospace_jupyter.widget.view")
        return view.KaroSpaceView(self)._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        """Name, size and place."""
        m = self.manifest
        held = shape(m.n_cells, m.n_genes_exported, m.n_cells_source)
        return f"Bundle({m.dataset_name!r}, {held}, {self.files.origin!r})"


def read_manifest(files: BundleFiles) -> Manifest:
    """Read and check ``manifest.json``.

    Raises
    ------
    BundleError
        When it is missing, damaged, or of a major version that this package does not know.
    """
    path = f"manifest.json of {files.origin}"
    with damage(path):
        try:
            stored = files.read("manifest.json")
            value = json.loads(stored)
            if b"\\ud" in stored.lower():  # half a character, which no page and no file can hold
                json.dumps(value, ensure_ascii=False).encode()
        except MissingFileError as exc:
            msg = f"{files.origin} is not a bundle: it has no manifest.json."
            raise BundleError(msg) from exc
        except ValueError as exc:
            msg = f"{path} is not JSON: {exc}."
            raise BundleError(msg) from exc
    version = str(value.get("schema_version", "")) if isinstance(value, dict) else ""
    known = SCHEMA_VERSION.partition(".")[0]
    if not version:
        msg = f"{path} has no schema_version: it is not the manifest of a bundle."
        raise BundleError(msg)
    if version.partition(".")[0] != known:
        msg = f"{path} is of format {version}; this package reads format {known}.x. Update karospace-jupyter."
        raise BundleError(msg)
    try:
        return Manifest.model_validate(value)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        msg = f"{path} is not a valid manifest: {where}: {first['msg']}."
        raise BundleError(msg) from exc


def decompress(stored: bytes, path: str, most: int, why: str) -> bytes:
    """Gunzip `stored` if it is gzip by its first two bytes, whatever its name says.

    Raises
    ------
    BundleError
        When the gzip is damaged, or unpacks to more than `most` bytes.
    """
    if stored[:2] != b"\x1f\x8b":
        raw, whole = stored, True
    else:
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        with damage(path):
            raw = stream.decompress(stored, most + 1)
        whole = stream.eof
    if len(raw) > most:
        msg = f"{path} holds more than the {most} bytes that {why}. It was not read to its end."
        raise BundleError(msg)
    if not whole:
        msg = f"{path} is damaged: its gzip was cut short."
        raise BundleError(msg)
    return raw
