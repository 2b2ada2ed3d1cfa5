"""Open an existing bundle."""

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
from karospace_jupyter.formatting import counted, shape
from karospace_jupyter.job import Job
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    from karospace_jupyter.bundle.scripts import When
    from karospace_jupyter.bundle.verify import VerifyReport
    from karospace_jupyter.serve import BundleServer


_UNPACKED, _UNPACKED_TIMES = 2**24, 128
"""Limit for decompressing a file whose length is not in the manifest: bytes, plus a multiple of the stored size."""
_ANY_TABLE, _MOST_OF_A_VALUE = 2**20, 2**10
"""Limit for decompressing a table: bytes, plus bytes per value including its name."""


class Bundle:
    """A bundle in a folder, a zip file, a single HTML file, or in memory.

    Parameters
    ----------
    path
        The folder, zip file or HTML file, or its files.
    manifest
        The manifest, if it was read before.

    Raises
    ------
    BundleError
        If it is not a bundle that this version can read.

    Examples
    --------
    >>> from karospace_jupyter import ExportConfig
    >>> from karospace_jupyter.datasets import synthetic_tissue
    >>> from karospace_jupyter.export import run_to_memory
    >>> bundle = run_to_memory(synthetic_tissue(n_cells=100, n_genes=20), ExportConfig())
    >>> bundle.manifest.n_cells, bundle.gene("EPCAM").shape, bundle.embedding("X_umap").shape
    (100, (100,), (100, 2))
    >>> bundle.save("viewer").path  # doctest: +SKIP
    PosixPath('/home/user/viewer')
    """

    def __init__(self, path: str | os.PathLike[str] | BundleFiles, manifest: Manifest | None = None) -> None:
        if not isinstance(path, (str, os.PathLike)) and not hasattr(path, "read"):
            msg = f"Bundle expects the path of a folder, zip file or HTML file, got {type(path).__name__}."
            raise BundleError(msg)
        self.files: BundleFiles = open_files(path) if isinstance(path, (str, os.PathLike)) else path
        self.manifest = manifest or read_manifest(self.files)
        self._listed = {file.path: file for file in self.manifest.asset_files}
        if isinstance(self.files, Bounded):
            self.files.expect({path: file.size_bytes for path, file in self._listed.items()})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Bundle:
        """Open the bundle in a folder, a zip file or a single HTML file.

        Examples
        --------
        >>> Bundle.load("viewer.zip").verify().files  # doctest: +SKIP
        328
        """
        return cls(path)

    @property
    def path(self) -> Path | None:
        """The folder or file; None for a bundle in memory."""
        return self.files.path if isinstance(self.files, (FolderFiles, ZipFiles, HtmlFiles)) else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Decisions and omissions of the exporter, and violations of the format in bundles of other exporters."""
        return (*(self.manifest.warnings or ()), *self.remarks)

    @functools.cached_property
    def remarks(self) -> tuple[str, ...]:
        """Violations of the format, and how the files are read nevertheless; empty for bundles of this package."""
        from karospace_jupyter.bundle.tables import remarks

        return tuple(remarks(self))

    def size_on_disk(self) -> tuple[int, int]:
        """Return the number of files of the bundle and their size in bytes; a zip or HTML file counts as one file."""
        path = self.path
        if path is None:
            return len(self.manifest.asset_files), sum(file.size_bytes for file in self.manifest.asset_files)
        if path.is_file():
            return 1, path.stat().st_size
        names = {"index.html", "manifest.json", *(file.path for file in self.manifest.asset_files)}
        sizes = [os.stat(path / name).st_size for name in names if (path / name).is_file()]  # noqa: PTH116
        return len(sizes), sum(sizes)

    def stored(self, path: str) -> bytes:
        """Return one file of the bundle as stored; most files are gzipped.

        Raises
        ------
        BundleError
            If the file is missing, larger than in the manifest, or outside of the bundle.
        """
        return self.files.read(path)

    def read(self, path: str, most: int | None = None, why: str = "the limit for this file") -> bytes:
        """Return one file of the bundle, decompressed.

        Parameters
        ----------
        path
            Path inside the bundle.
        most
            Maximum decompressed size in bytes. By default, the size in the manifest.
        why
            Meaning of `most` for messages, which continue "more than 24 bytes, ".

        Raises
        ------
        BundleError
            If the file is missing, damaged, too large, or outside of the bundle.
        """
        stored = self.stored(path)
        listed = self._listed.get(path)
        expected = listed.raw_bytes if listed is not None else None
        limits = [limit for limit in (most, expected) if limit is not None]
        limit = min(limits, default=_UNPACKED + _UNPACKED_TIMES * len(stored))
        return decompress(stored, path, limit, why if limit == most or not limits else "the size in the manifest")

    def table(self, path: str) -> bytes:
        """Return a table of format 1.0, decompressed; its size is limited by its numbers of rows and columns.

        Raises
        ------
        BundleError
            As for :meth:`read`.
        """
        m = self.manifest
        values = (m.n_cells + m.n_genes_exported) * (len(m.annotation_columns) + 3)
        return self.read(path, _ANY_TABLE + _MOST_OF_A_VALUE * values)

    def gene(self, name: str) -> NDArray[np.float32]:
        """Return the values of one gene, shape (n_cells,); NaN for cells without a value.

        Raises
        ------
        KeyError
            If the gene was not exported.

        Examples
        --------
        >>> Bundle("viewer").gene("EPCAM").mean()  # doctest: +SKIP
        0.8431
        """
        for entry in self.manifest.expression.genes:
            if entry.gene == name:
                return self.vector(entry.chunks, np.dtype("<f4")).astype(np.float32, copy=False)
        raise KeyError(name)

    def embedding(self, name: str) -> NDArray[np.float32] | NDArray[np.float64]:
        """Return one embedding, shape (n_cells, 2); NaN for cells that are not in the embedding.

        The dtype is float32, or float64 if the embedding has an origin because it is far from zero.

        Parameters
        ----------
        name
            Key of obsm, such as ``X_umap``.

        Raises
        ------
        KeyError
            If the embedding was not exported.

        Examples
        --------
        >>> Bundle("viewer").embedding("X_umap").shape  # doctest: +SKIP
        (20000, 2)
        """
        for entry in self.manifest.embeddings or ():
            if entry.name == name:
                pairs = self.vector(entry.chunks, np.dtype("<f4"), 2)
                xy = pairs.reshape(-1, 2).astype(np.float32, copy=False)
                return xy + np.asarray(entry.origin) if any(entry.origin) else xy
        raise KeyError(name)

    def vector(self, chunks: list[Chunk], dtype: np.dtype[np.generic], width: int = 1) -> NDArray[np.generic]:
        """Concatenate the chunks of an array with `width` values per cell.

        Raises
        ------
        BundleError
            If there are gaps between the chunks, or a file has the wrong length.
        """
        parts, expected = [], 0
        for chunk in chunks:
            if chunk.start != expected or chunk.end <= chunk.start:
                msg = f"{chunk.path} starts at cell {chunk.start:,}; expected cell {expected:,}."
                raise BundleError(msg)
            need = (chunk.end - chunk.start) * width * dtype.itemsize
            size_of_cells = f"the size of {counted(chunk.end - chunk.start, 'cell')}"
            raw = self.read(chunk.path, need, size_of_cells)
            if len(raw) != need:
                msg = f"{chunk.path} has {len(raw):,} bytes; expected {need:,}, {size_of_cells}."
                raise BundleError(msg)
            parts.append(np.frombuffer(raw, dtype=dtype))
            expected = chunk.end
        if expected != self.manifest.n_cells:
            path = chunks[0].path if chunks else "an array"
            msg = f"{path} has values for {expected:,} of {counted(self.manifest.n_cells, 'cell')}."
            raise BundleError(msg)
        return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)

    def verify(self) -> VerifyReport:
        """Check the size and hash of every file, all lengths, and the consistency of the tables.

        Returns
        -------
        VerifyReport
            What was checked, and warnings.

        Raises
        ------
        BundleError
            If the bundle does not match its manifest. The message lists the problems.

        Examples
        --------
        >>> Bundle("viewer").verify().warnings  # doctest: +SKIP
        ()
        """
        from karospace_jupyter.bundle.verify import verify

        return verify(self)

    def serve(self, *, port: int = 8000) -> BundleServer:
        """Serve the bundle on 127.0.0.1 until ``stop()`` of the returned server is called; its `url` is the address.

        Examples
        --------
        >>> with Bundle("viewer").serve() as server:  # doctest: +SKIP
        ...     print(server.url)
        http://127.0.0.1:8000/
        """
        from karospace_jupyter.serve import BundleServer

        return BundleServer(self.served(), port=port).start()

    def served(self) -> BundleFiles:
        """Return the files to serve: those of the bundle, with the viewer of this package as the page."""
        from karospace_jupyter.publish.write import WithViewer

        # New FolderFiles, because a later export may replace the folder.
        return WithViewer(FolderFiles(self.files.path) if isinstance(self.files, FolderFiles) else self.files)

    def open(self, *, port: int = 8000) -> BundleServer:
        """Serve the bundle and open it in the web browser. The server stops with ``stop()``.

        Examples
        --------
        >>> server = Bundle("viewer").open()  # doctest: +SKIP
        >>> server.stop()  # doctest: +SKIP
        """
        import webbrowser

        server = self.serve(port=port)
        webbrowser.open(server.url)
        return server

    def save(self, outdir: str | os.PathLike[str], *, scripts: When = "auto", job: Job | None = None) -> Bundle:
        """Write the bundle to a folder atomically, and return the bundle in that folder.

        Parameters
        ----------
        outdir
            The folder to write.
        scripts
            Whether the folder opens with a double click, which takes additional scripts: ``"yes"``, ``"no"``, or
            ``"auto"`` (if the scripts take at most 200 MB).
        job
            Receives progress and can cancel the work.

        Returns
        -------
        Bundle
            The written bundle.

        Raises
        ------
        KaroSpaceError
            If it fails. An existing folder is then unchanged.

        Examples
        --------
        >>> Bundle("viewer.zip").save("viewer").path  # doctest: +SKIP
        PosixPath('/home/user/viewer')
        """
        from karospace_jupyter.publish.write import save_folder

        return Bundle(save_folder(self.files, self.manifest, outdir, scripts, job or Job.null()))

    def to_html(self, path: str | os.PathLike[str], *, job: Job | None = None) -> Path:
        """Write the bundle to a single HTML file, which opens with a double click, and return its path.

        Parameters
        ----------
        path
            The HTML file to write.
        job
            Receives progress and can cancel the work.

        Raises
        ------
        KaroSpaceError
            If it fails. An existing file is then unchanged.

        Examples
        --------
        >>> Bundle("viewer").to_html("viewer.html")  # doctest: +SKIP
        PosixPath('/home/user/viewer.html')
        """
        from karospace_jupyter.publish.write import save_file

        return save_file(self.files, self.manifest, path, "html", static_file("viewer.html"), job or Job.null())

    def to_zip(self, path: str | os.PathLike[str], *, scripts: When = "auto", job: Job | None = None) -> Path:
        """Write the bundle to a zip file that contains one folder, and return its path.

        Parameters
        ----------
        path
            The zip file to write.
        scripts
            Whether the unpacked folder opens with a double click, as for :meth:`save`.
        job
            Receives progress and can cancel the work.

        Raises
        ------
        KaroSpaceError
            If it fails. An existing file is then unchanged.

        Examples
        --------
        >>> Bundle("viewer").to_zip("viewer.zip")  # doctest: +SKIP
        PosixPath('/home/user/viewer.zip')
        """
        from karospace_jupyter.publish.write import save_file

        page = static_file("viewer.html")
        return save_file(self.files, self.manifest, path, "zip", page, job or Job.null(), scripts=scripts)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:  # noqa: ANN401 - defined by IPython
        """Show the viewer when a notebook displays the bundle."""
        # Imported dynamically, because this package is a lower layer than the widgets.
        view = importlib.import_module("karospace_jupyter.widget.view")
        return view.KaroSpaceView(self)._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        """Return name, shape and location."""
        m = self.manifest
        held = shape(m.n_cells, m.n_genes_exported, m.n_cells_source)
        return f"Bundle({m.dataset_name!r}, {held}, {self.files.origin!r})"


def read_manifest(files: BundleFiles) -> Manifest:
    """Read and validate ``manifest.json``.

    Raises
    ------
    BundleError
        If it is missing, damaged, or of an unsupported major version.
    """
    path = f"manifest.json of {files.origin}"
    with damage(path):
        try:
            stored = files.read("manifest.json")
            value = json.loads(stored)
            if b"\\ud" in stored.lower():  # a lone surrogate, which cannot be encoded
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
        msg = f"{path} has format {version}; this package reads format {known}.x. Update karospace-jupyter."
        raise BundleError(msg)
    try:
        return Manifest.model_validate(value)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        msg = f"{path} is not a valid manifest: {where}: {first['msg']}."
        raise BundleError(msg) from exc


def decompress(stored: bytes, path: str, most: int, why: str) -> bytes:
    """Decompress `stored` if it is gzip, as determined by its first two bytes and not by its name.

    Raises
    ------
    BundleError
        If the gzip is damaged, or the result is larger than `most` bytes.
    """
    if stored[:2] != b"\x1f\x8b":
        raw, whole = stored, True
    else:
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        with damage(path):
            raw = stream.decompress(stored, most + 1)
        whole = stream.eof
    if len(raw) > most:
        msg = f"{path} contains more than {most:,} bytes, {why}. It was not read completely."
        raise BundleError(msg)
    if not whole:
        msg = f"{path} is damaged: its gzip data is truncated."
        raise BundleError(msg)
    return raw
