"""Read graphs from obsp in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.errors import GenesError, PlanError
from karospace_jupyter.source.matrix import CompressedMatrix, matrix_in_file, matrix_in_memory
from karospace_jupyter.source.reading import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from karospace_jupyter.source.matrix import Block, Matrix


def pairs_of(
    value: Any,  # noqa: ANN401 - anndata allows any matrix
    n_cells: int,
    where: str,
    memory_bytes: int,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the pairs of cells of a matrix, as :meth:`~karospace_jupyter.source.protocol.Source.pairs` does.

    Raises
    ------
    PlanError
        If it is not a square matrix of numbers, or is damaged.
    """
    # A backed object returns a wrapper whose `group` is in the file.
    node = getattr(value, "group", value)
    in_file = type(node).__module__.partition(".")[0] in {"h5py", "zarr"}
    try:
        with reading(where):
            matrix = matrix_in_file(node, where) if in_file else matrix_in_memory(value)
        if matrix.shape != (n_cells, n_cells):
            rows, columns = matrix.shape
            msg = f"{where} has shape {rows:,} × {columns:,}; expected a value for each pair of {n_cells:,} cells."
            raise PlanError(msg)
        with reading(where):
            for first, block in _blocks(matrix, memory_bytes // 4):  # a block is copied when it is converted
                found = sp.coo_matrix(block)
                there = (found.data != 0) & ~np.isnan(found.data)
                yield found.row[there].astype(np.int64) + first, found.col[there].astype(np.int64)
    except GenesError as exc:
        msg = f"{where} cannot be read as a graph: {exc}"
        raise PlanError(msg) from exc


def _blocks(matrix: Matrix, max_bytes: int) -> Iterator[tuple[int, Block]]:
    if isinstance(matrix, CompressedMatrix):
        # CSC matrices are read by columns: edges have no direction.
        for start, _, lines in matrix.blocks(max_bytes):
            yield start, lines
    else:
        yield from matrix.row_blocks(max_bytes)
