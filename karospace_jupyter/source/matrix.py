"""Matrices that are read in blocks: by row (CSR, dense, dask) or by column (CSC)."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.errors import GenesError
from karospace_jupyter.source.cluster import computed, current_client, row_chunks, slices
from karospace_jupyter.source.lazy import is_dask
from karospace_jupyter.source.values import as_numbers, check_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

Block: TypeAlias = "sp.csr_matrix | NDArray[Any]"
"""Some rows of a matrix, with all genes."""


@dataclass(frozen=True, slots=True)
class CompressedMatrix:
    """A CSR or CSC matrix, in memory or in a file.

    `data` and `indices` are numpy, h5py or zarr arrays, or other arrays whose slices are numpy arrays.
    """

    data: Any
    indices: Any
    indptr: NDArray[np.int64]
    shape: tuple[int, int]
    by_row: bool
    client: Any = field(default_factory=current_client, repr=False, compare=False)
    """The cluster that reads the matrix: the one that this process was connected to when this object was created."""

    def __post_init__(self) -> None:
        """Reject inconsistent arrays, which would make compiled code read out of bounds.

        Raises
        ------
        GenesError
            If the matrix is damaged or does not contain numbers.
        """
        check_numbers(self.data.dtype)
        lines, starts = self.shape[0 if self.by_row else 1], self.indptr
        n_data, n_indices = int(self.data.shape[0]), int(self.indices.shape[0])
        fault = None
        if len(starts) != lines + 1:
            fault = f"indptr has {len(starts)} entries instead of {lines + 1}"
        elif starts[0] != 0 or (np.diff(starts) < 0).any():
            fault = "indptr does not start at 0 or is not ascending"
        else:
            # Arrays of scipy matrices may be longer than the number of entries; arrays in a file may not.
            spare = isinstance(self.data, np.ndarray) and int(starts[-1]) <= min(n_data, n_indices)
            if not spare and not n_data == n_indices == int(starts[-1]):
                fault = f"data has {n_data} entries, indices {n_indices} and indptr {int(starts[-1])}"
        if fault:
            msg = f"The sparse matrix is damaged: {fault}. Copy or write the file again."
            raise GenesError(msg)

    @property
    def kind(self) -> str:
        """Description for display: "CSR float32"."""
        return f"{'CSR' if self.by_row else 'CSC'} {self.data.dtype}"

    @property
    def n_values(self) -> int:
        """Number of stored entries."""
        return int(self.indptr[-1])

    @property
    def nbytes(self) -> int:
        """Bytes of the whole matrix in memory."""
        return int(self.indptr[-1]) * int(self.data.dtype.itemsize + self.indices.dtype.itemsize)

    def runs(self, max_bytes: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of the compressed axis whose entries take about `max_bytes`, at least one line each."""
        entries = max(1, max_bytes // (self.data.dtype.itemsize + self.indices.dtype.itemsize))
        n = len(self.indptr) - 1
        start = 0
        while start < n:
            stop = int(np.searchsorted(self.indptr, self.indptr[start] + entries, side="right")) - 1
            # Also limit the number of lines: an almost empty matrix must not become a single range.
            stop = min(max(stop, start + 1), n, start + max(1, max_bytes // 64))
            yield start, stop
            start = stop

    def lines(self, start: int, stop: int) -> sp.csr_matrix:
        """Read lines `start` to `stop` of the compressed axis, as rows."""
        first, last = int(self.indptr[start]), int(self.indptr[stop])
        return self._as_rows(start, stop, self.data[first:last], self.indices[first:last])

    def blocks(self, max_bytes: int) -> Iterator[tuple[int, int, sp.csr_matrix]]:
        """Yield ranges of the compressed axis and their lines, as rows; see :meth:`runs`."""
        runs = list(self.runs(max_bytes))
        ends = ((int(self.indptr[start]), int(self.indptr[stop])) for start, stop in runs)
        for (start, stop), (data, indices) in zip(
            runs, slices((self.data, self.indices), ends, self.client), strict=True
        ):
            yield start, stop, self._as_rows(start, stop, data, indices)

    def _as_rows(self, start: int, stop: int, values: Any, indices: Any) -> sp.csr_matrix:  # noqa: ANN401 - any array
        first, last = int(self.indptr[start]), int(self.indptr[stop])
        data = as_numbers(values)
        width = self.shape[1] if self.by_row else self.shape[0]
        if len(indices) and (int(indices.min()) < 0 or int(indices.max()) >= width):
            msg = (
                f"The sparse matrix is damaged: it contains an index outside of 0 to {width - 1}. "
                "Copy or write the file again."
            )
            raise GenesError(msg)
        index_type = np.int32 if max(width, last - first) < 2**31 else np.int64
        block = sp.csr_matrix((stop - start, width), dtype=data.dtype)
        block.data = data
        block.indices = np.asarray(indices, dtype=index_type)
        block.indptr = np.asarray(self.indptr[start : stop + 1] - first, dtype=index_type)
        return block

    def row_blocks(self, max_bytes: int) -> Iterator[tuple[int, Block]]:
        """Yield (first row, rows). Only for CSR matrices."""
        for start, _, lines in self.blocks(max_bytes):
            yield start, lines


@dataclass(frozen=True, slots=True)
class DenseMatrix:
    """A dense matrix, in memory or in a file."""

    array: Any
    client: Any = field(default_factory=current_client, repr=False, compare=False)
    """The cluster that reads the matrix: the one that this process was connected to when this object was created."""

    def __post_init__(self) -> None:
        """Reject arrays that do not contain numbers."""
        check_numbers(self.array.dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells and number of genes."""
        return int(self.array.shape[0]), int(self.array.shape[1])

    @property
    def kind(self) -> str:
        """Description for display: "dense float32"."""
        return f"dense {self.array.dtype}"

    @property
    def n_values(self) -> int:
        """Number of values."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes of the whole matrix in memory."""
        return self.shape[0] * self.shape[1] * int(self.array.dtype.itemsize)

    def lines(self, start: int, stop: int) -> Block:
        """Read rows `start` to `stop`."""
        return as_numbers(self.array[start:stop])

    def row_blocks(self, max_bytes: int) -> Iterator[tuple[int, Block]]:
        """Yield (first row, rows)."""
        n_rows, n_columns = self.shape
        step = max(1, max_bytes // max(1, n_columns * int(self.array.dtype.itemsize)))
        chunks = getattr(self.array, "chunks", None)
        if chunks and step > chunks[0]:
            step -= step % chunks[0]
        starts = range(0, n_rows, step)
        for start, (rows,) in zip(
            starts, slices([self.array], ((at, at + step) for at in starts), self.client), strict=True
        ):
            yield start, as_numbers(rows)


@dataclass(frozen=True, slots=True)
class DaskMatrix:
    """A dask array, read in its own row chunks."""

    array: Any
    client: Any = field(default_factory=current_client, repr=False, compare=False)
    """The cluster that computes the matrix: the one that this process was connected to when this object was created."""

    def __post_init__(self) -> None:
        """Reject arrays that do not contain numbers or have unknown chunk sizes.

        Raises
        ------
        GenesError
            If the type is not numeric, or the chunk sizes are unknown.
        """
        if self.array.dtype.kind != "O":  # objects are checked block by block
            check_numbers(self.array.dtype)
        if any(np.isnan(n) for n in (*self.array.shape, *self.array.chunks[0])):
            msg = "The chunk sizes of the dask array are unknown. Call its method compute_chunk_sizes() first."
            raise GenesError(msg)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells and number of genes."""
        return int(self.array.shape[0]), int(self.array.shape[1])

    @property
    def kind(self) -> str:
        """Description for display: "dask float32"."""
        return f"dask {self.array.dtype}"

    @property
    def n_values(self) -> int:
        """Number of values."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes of the matrix in dense form."""
        return self.shape[0] * self.shape[1] * int(self.array.dtype.itemsize)

    def lines(self, start: int, stop: int) -> Block:
        """Compute rows `start` to `stop`."""
        return _block(computed(self._converted[start:stop], self.client))

    @property
    def _converted(self) -> Any:  # noqa: ANN401 - dask is untyped
        # Convert chunks before slicing or stacking: scipy supports neither for float16.
        return self.array.map_blocks(_block, meta=np.empty((0, 0)))

    def row_blocks(self, max_bytes: int) -> Iterator[tuple[int, Block]]:
        """Yield (first row, rows)."""
        del max_bytes  # computing a part of a dask chunk costs as much as computing the chunk
        start = 0
        for length, chunks in zip(self.array.chunks[0], row_chunks(self._converted, self.client), strict=True):
            yield start, _side_by_side(chunks)
            start += length


Matrix = CompressedMatrix | DenseMatrix | DaskMatrix


def matrix_in_memory(value: Any) -> Matrix:  # noqa: ANN401 - anndata allows any array
    """Wrap X, a layer or raw.X of an AnnData object.

    Raises
    ------
    GenesError
        If it does not contain numbers.
    """
    if sp.issparse(value):
        value = _sparse_numbers(value)
        if value.format not in {"csr", "csc"}:
            value = value.tocsr()
        return CompressedMatrix(
            value.data, value.indices, value.indptr.astype(np.int64), value.shape, by_row=value.format == "csr"
        )
    if is_dask(value):
        return DaskMatrix(value)
    array = value if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    if array.dtype.kind == "O":
        array = as_numbers(array)
    return DenseMatrix(array.reshape(len(array), -1) if array.ndim != 2 else array)


def _block(piece: Any) -> Block:  # noqa: ANN401 - dask is untyped
    """Return a computed chunk of a dask array as numpy or CSR, with a type that numpy and scipy can compute with."""
    return sp.csr_matrix(_sparse_numbers(piece)) if sp.issparse(piece) else as_numbers(piece)


def _side_by_side(chunks: list[Any]) -> Block:
    """Join chunks of columns."""
    if len(chunks) > 1 and all(map(sp.issparse, chunks)):
        return sp.hstack(chunks, format="csr")
    plain = [chunk.toarray() if len(chunks) > 1 and sp.issparse(chunk) else chunk for chunk in chunks]
    return _block(plain[0] if len(plain) == 1 else np.concatenate(plain, axis=1))


def _sparse_numbers(value: Any) -> Any:  # noqa: ANN401 - any sparse format
    """Return the matrix with values of a type that scipy can compute with, which excludes float16."""
    data = getattr(value, "data", None)
    if not isinstance(data, np.ndarray) or data.dtype.kind == "O":  # lil and dok store lists
        return value
    numbers = as_numbers(data)
    if numbers is not data:
        value = copy.copy(value)
        value.data = numbers
    return value


def matrix_in_file(node: Any, where: str) -> Matrix:  # noqa: ANN401 - h5py and zarr share no type
    """Wrap a dataset or a sparse group of h5py or zarr, in any version of anndata's format.

    Raises
    ------
    GenesError
        If it is not a matrix of numbers, or is damaged.
    """
    if hasattr(node, "shape") and hasattr(node, "dtype"):
        if len(node.shape) != 2:
            msg = f"{where} has shape {tuple(node.shape)}; expected a matrix of cells × genes."
            raise GenesError(msg)
        return DenseMatrix(node)
    attrs = node.attrs
    encoding = str(attrs.get("encoding-type", attrs.get("h5sparse_format", "")))
    shape = attrs.get("shape", attrs.get("h5sparse_shape"))
    if encoding[:3] not in {"csr", "csc"} or shape is None:
        msg = (
            f"{where} is stored as {encoding or 'an unknown type'}; only dense, CSR and CSC matrices can be read. "
            "Convert it and write the file again."
        )
        raise GenesError(msg)
    missing = [name for name in ("data", "indices", "indptr") if name not in node]
    if missing:
        msg = f"{where} is damaged: it has no {' and no '.join(missing)}. Copy or write the file again."
        raise GenesError(msg)
    return CompressedMatrix(
        node["data"],
        node["indices"],
        np.asarray(node["indptr"][...], dtype=np.int64),
        (int(shape[0]), int(shape[1])),
        by_row=encoding.startswith("csr"),
    )
