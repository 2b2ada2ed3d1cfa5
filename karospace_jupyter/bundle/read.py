"""Read an existing bundle."""

from __future__ import annotations

import functools
import json
import os
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from karospace_jupyter.bundle.damage import damage
from karospace_jupyter.bundle.files import Bounded, BundleFiles, open_files
from karospace_jupyter.bundle.http_files import HttpFiles
from karospace_jupyter.bundle.manifest import SCHEMA_VERSION, CategoryColumn, Chunk, Manifest
from karospace_jupyter.bundle.neighbors import as_csr, read_graph
from karospace_jupyter.bundle.packed import PackedGenes
from karospace_jupyter.bundle.scripts import lacks_gene_files
from karospace_jupyter.bundle.store_files import StoreFiles
from karospace_jupyter.errors import BundleError, MissingFileError, NotExportedError
from karospace_jupyter.formatting import counted, hint
from karospace_jupyter.paths import is_store_url, is_web_url

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import scipy.sparse as sp

    from karospace_jupyter.bundle.manifest import Values

_UNPACKED, _UNPACKED_TIMES = 2**24, 128
"""Limit for decompressing a file whose length is not in the manifest: bytes, plus a multiple of the stored size."""
_ANY_TABLE, _MAX_BYTES_PER_VALUE = 2**20, 2**10
"""Limit for decompressing a table: bytes, plus bytes per value including its name."""


class BundleReader:
    """Read the manifest, the files and the arrays of a bundle.

    Parameters
    ----------
    path
        The folder, zip file or HTML file, the URL of a folder (``https://…``, ``s3://…``), or the files.
    manifest
        The manifest, if it was read before.
    storage_options
        Options of the file system of the URL, for fsspec: ``{"endpoint_url": "https://…"}``.

    Raises
    ------
    BundleError
        If it is not a bundle that this version can read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | BundleFiles,
        manifest: Manifest | None = None,
        *,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(path, (str, os.PathLike)) and not hasattr(path, "read"):
            msg = f"Bundle expects the path of a folder, zip file or HTML file, got {type(path).__name__}."
            raise BundleError(msg)
        self.files: BundleFiles = files_at(path, storage_options) if isinstance(path, (str, os.PathLike)) else path
        self.manifest = manifest or read_manifest(self.files)
        self._packed: dict[str, PackedGenes] = {}
        self._listed = {file.path: file for file in self.manifest.asset_files}
        if isinstance(self.files, Bounded):
            self.files.expect({path: file.size_bytes for path, file in self._listed.items()})

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
            What `most` is, for messages: "more than 24 bytes, the limit for this file".

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
        return self.read(path, _ANY_TABLE + _MAX_BYTES_PER_VALUE * values)

    @property
    def matrices(self) -> tuple[str, ...]:
        """Names of the matrices: `X`, `layer:NAME` or `raw`. Other methods use the first by default.

        Examples
        --------
        >>> Bundle("viewer").matrices  # doctest: +SKIP
        ('X', 'layer:counts')
        """
        first = self.manifest.matrix
        return (first, *(name for name in self.manifest.packed_matrices if name != first))

    def values_of(self, matrix: str | None = None) -> Values | None:
        """Return the kind of values of a matrix; None if the bundle does not state it.

        Raises
        ------
        NotExportedError
            If the bundle has no such matrix.
        """
        name = self._known_matrix(matrix)
        if name == self.manifest.matrix:
            return self.manifest.expression.values
        return next((one.values for one in self.manifest.other_matrices or () if one.packed.source == name), None)

    def gene(self, name: str, *, matrix: str | None = None) -> NDArray[np.float32]:
        """Return the values of one gene, shape (n_cells,); NaN for cells without a value.

        Parameters
        ----------
        name
            Name of the gene.
        matrix
            One of `matrices`; the first by default.

        Raises
        ------
        NotExportedError
            If the gene or the matrix was not exported; also a KeyError.

        Examples
        --------
        >>> Bundle("viewer").gene("EPCAM").mean()  # doctest: +SKIP
        0.8431
        """
        matrix = self._known_matrix(matrix)
        if matrix == self.manifest.matrix:
            for entry in self.manifest.expression.genes:
                if entry.gene == name and not lacks_gene_files(self.manifest):
                    return self.vector(entry.chunks, np.dtype("<f4")).astype(np.float32, copy=False)
        packed = self.packed_genes_of(matrix)
        position = None if packed is None else packed.position(name)
        if packed is None or position is None:
            where = "" if len(self.matrices) == 1 else f" {matrix} of"
            msg = f"No gene {name!r} in{where} {self.files.origin}.{hint(name, self.genes_of(matrix))}"
            raise NotExportedError(msg)
        return packed.vector(position)

    def _known_matrix(self, matrix: str | None) -> str:
        if matrix is None:
            return self.manifest.matrix
        if matrix not in self.matrices:
            known = ", ".join(map(repr, self.matrices))
            msg = f"No matrix {matrix!r} in {self.files.origin}. Available matrices: {known}."
            raise NotExportedError(msg)
        return matrix

    @property
    def packed_genes(self) -> PackedGenes | None:
        """All genes of the first matrix; None if they are not packed, or of an unknown version.

        Raises
        ------
        BundleError
            If they are damaged.
        """
        return self.packed_genes_of(self.manifest.matrix)

    def packed_genes_of(self, matrix: str) -> PackedGenes | None:
        """Return all genes of a matrix; None if they are not packed, or of an unknown version.

        Raises
        ------
        BundleError
            If they are damaged.
        """
        packed = self.manifest.packed_matrices.get(matrix)
        if packed is None:
            return None
        if matrix not in self._packed:
            self._packed[matrix] = PackedGenes(self, packed)
        return self._packed[matrix]

    @functools.cached_property
    def gene_names(self) -> tuple[str, ...]:
        """Names of the genes of the first matrix that :meth:`gene` can return: all genes if they are packed.

        Examples
        --------
        >>> len(Bundle("viewer").gene_names)  # doctest: +SKIP
        18085
        """
        return self.genes_of()

    def genes_of(self, matrix: str | None = None) -> tuple[str, ...]:
        """Return the names of the genes of a matrix that :meth:`gene` can return.

        Raises
        ------
        NotExportedError
            If the bundle has no such matrix.

        Examples
        --------
        >>> len(Bundle("viewer").genes_of("raw"))  # doctest: +SKIP
        32738
        """
        packed = self.packed_genes_of(self._known_matrix(matrix))
        return tuple(self.manifest.gene_list) if packed is None else tuple(packed.index.names)

    @property
    def gene_labels(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Alternative names of the genes: (column of var, one text for each of `gene_names`)."""
        return self.labels_of()

    def labels_of(self, matrix: str | None = None) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return alternative names of the genes of a matrix: (column of var, one text for each of its genes).

        Raises
        ------
        NotExportedError
            If the bundle has no such matrix.
        """
        packed = self.packed_genes_of(self._known_matrix(matrix))
        if packed is None:
            return tuple((one.column, tuple(one.labels)) for one in self.manifest.gene_labels or ())
        return packed.labels

    def matrix(self, matrix: str | None = None) -> sp.csc_matrix:
        """Return the values of all genes, shape (n_cells, n_genes), float32.

        The columns are `gene_names`; for another matrix, those of :meth:`genes_of`. Missing values are stored as NaN.
        The values are those of the source to the last bit of float32.

        Parameters
        ----------
        matrix
            One of `matrices`; the first by default.

        Raises
        ------
        NotExportedError
            If the bundle has no such matrix; also a KeyError.
        BundleError
            If a file is missing or damaged.

        Examples
        --------
        >>> Bundle("viewer").matrix().shape  # doctest: +SKIP
        (20000, 18085)
        """
        import scipy.sparse as sp

        n_cells = self.manifest.n_cells
        small = np.int32 if n_cells < 2**31 else np.int64
        cells, values = [np.zeros(0, dtype=small)], [np.zeros(0, dtype=np.float32)]
        starts = [0]
        for gene_cells, found in self._entries(self._known_matrix(matrix)):
            cells.append(gene_cells.astype(small))
            values.append(found)
            starts.append(starts[-1] + len(gene_cells))
        return sp.csc_matrix((np.concatenate(values), np.concatenate(cells), starts), shape=(n_cells, len(starts) - 1))

    def _entries(self, matrix: str) -> Generator[tuple[NDArray[np.int64], NDArray[np.float32]], None, None]:
        """Yield the cells and values of each gene of a matrix, without zeros; NaN for missing values.

        Raises
        ------
        BundleError
            If a file is missing or damaged.
        """
        packed = self.packed_genes_of(matrix)
        if packed is not None:
            yield from packed.entries()
            return
        for gene in self.manifest.expression.genes:
            values = self.vector(gene.chunks, np.dtype("<f4")).astype(np.float32, copy=False)
            cells = np.flatnonzero(values)  # includes NaN
            yield cells, values[cells]

    @property
    def gene_sets(self) -> dict[str, list[str]]:
        """The named gene sets of the bundle and their genes; empty if it has none."""
        return {one.name: list(one.genes) for one in self.manifest.gene_sets or ()}

    def embedding(self, name: str) -> NDArray[np.float32] | NDArray[np.float64]:
        """Return one embedding, shape (n_cells, 2); NaN for cells that are not in the embedding.

        The dtype is float32, or float64 if the embedding has an origin because it is far from zero.

        Parameters
        ----------
        name
            Key of obsm, such as ``X_umap``.

        Raises
        ------
        NotExportedError
            If the embedding was not exported; also a KeyError.

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
        names = [entry.name for entry in self.manifest.embeddings or ()]
        msg = f"No embedding {name!r} in {self.files.origin}.{hint(name, names)}"
        raise NotExportedError(msg)

    def codes(self, column: CategoryColumn) -> NDArray[np.int64]:
        """Return the codes of a category column, shape (n_cells,); the number of categories for a missing value.

        Raises
        ------
        BundleError
            If its file is missing or damaged.
        """
        codes = self.vector(column.chunks, np.dtype(column.dtype).newbyteorder("<")).astype(np.int64)
        if len(codes) and int(codes.max()) > len(column.categories):
            msg = f"The column {column.name!r} has the code {int(codes.max())}, which has no category."
            raise BundleError(msg)
        return codes

    def neighbors(self) -> sp.csr_matrix:
        """Return the graph of neighbors: a symmetric matrix with 1 for each pair, shape (n_cells, n_cells), float32.

        Raises
        ------
        NotExportedError
            If the bundle has no neighbors; also a KeyError.
        BundleError
            If a file is missing or damaged.

        Examples
        --------
        >>> Bundle("viewer").neighbors().sum(axis=1).mean()  # doctest: +SKIP
        5.9
        """
        return as_csr(read_graph(self))

    def vector(self, chunks: list[Chunk], dtype: np.dtype[np.generic], width: int = 1) -> NDArray[np.generic]:
        """Concatenate the chunks of an array with `width` values per cell.

        Raises
        ------
        BundleError
            If there are gaps between the chunks, or a file has the wrong length.
        """
        parts, expected = [], 0
        for chunk in chunks:
            if problem := chunk.misplaced(expected):
                msg = f"{problem}."
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


def files_at(path: str | os.PathLike[str], storage_options: Mapping[str, Any] | None = None) -> BundleFiles:
    """Return the files of a bundle: of a folder, a zip file, an HTML file, a web host, or an object store.

    Raises
    ------
    BundleError
        If there is no bundle.
    """
    if is_store_url(path):
        return StoreFiles(path, storage_options)
    return HttpFiles(path) if is_web_url(path) else open_files(path)


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
