"""Sample a matrix to determine what kind of values it contains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.source.matrix import CompressedMatrix, DaskMatrix

if TYPE_CHECKING:
    from karospace_jupyter.source.matrix import Block, DenseMatrix, Matrix

VALUES = 2_000_000
"""Approximate number of stored values in a sample; takes a fraction of a second to read from any file."""
RUNS = 16
"""Number of places from which a sample is taken, because cells are often sorted by section or by cluster."""
_LINES = 200_000
"""Maximum number of rows (columns, for CSC) in a sample, because a matrix may be almost empty."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Some cells with all genes, or some genes with all cells."""

    values: sp.csr_matrix
    """Cells × genes, float64; may contain NaN and infinite values."""
    whole_cells: bool
    """Whether each cell has all genes."""
    genes: NDArray[np.int64] | None = None
    """Positions of the genes, ascending; None for all genes."""


def sample(matrix: Matrix) -> Sample:
    """Read about `VALUES` values from `RUNS` places spread over the matrix.

    Returns
    -------
    Sample
        The sample; the whole matrix if it is small.
    """
    if isinstance(matrix, CompressedMatrix):
        runs = _compressed_runs(matrix)
        lines = _stacked([matrix.lines(start, stop) for start, stop in runs], matrix)
        if matrix.by_row:
            return Sample(lines, whole_cells=True)
        if lines.shape[0] == matrix.shape[1]:
            return Sample(lines.T.tocsr(), whole_cells=True)
        genes = np.concatenate([np.arange(start, stop) for start, stop in runs])
        return Sample(lines.T.tocsr(), whole_cells=False, genes=genes)
    runs = _dask_runs(matrix) if isinstance(matrix, DaskMatrix) else _dense_runs(matrix)
    return Sample(_stacked([matrix.lines(start, stop) for start, stop in runs], matrix), whole_cells=True)


def _compressed_runs(matrix: CompressedMatrix) -> list[tuple[int, int]]:
    n = len(matrix.indptr) - 1
    if matrix.n_values <= VALUES and n <= _LINES:
        return [(0, n)]
    runs, taken = [], 0
    firsts = _starts(n, _runs_of(matrix.data, matrix.n_values))
    for number, first in enumerate(firsts):
        limit = firsts[number + 1] if number + 1 < len(firsts) else n
        end = int(matrix.indptr[first]) + VALUES // len(firsts)
        stop = int(np.searchsorted(matrix.indptr, end, side="right")) - 1
        stop = max(first + 1, min(stop, limit, first + _LINES // len(firsts)))
        runs.append((first, stop))
        taken += int(matrix.indptr[stop] - matrix.indptr[first])
        if taken > 2 * VALUES and len(runs) >= 3:  # with very many cells, one gene exceeds its share
            break
    return runs


def _dense_runs(matrix: DenseMatrix) -> list[tuple[int, int]]:
    n_cells, n_genes = matrix.shape
    n = max(1, VALUES // max(1, n_genes))
    if n_cells <= n:
        return [(0, n_cells)]
    firsts = _starts(n_cells, min(_runs_of(matrix.array, n_cells), n))
    length = min(max(1, n // len(firsts)), n_cells // len(firsts))
    return [(first, min(first + length, n_cells)) for first in firsts]


def _dask_runs(matrix: DaskMatrix) -> list[tuple[int, int]]:
    """Return rows of the first, middle and last chunk; computing part of a chunk costs as much as the whole chunk."""
    lengths = matrix.array.chunks[0]
    starts = np.cumsum([0, *lengths])
    few = len(lengths) <= RUNS and matrix.n_values <= VALUES
    chosen = range(len(lengths)) if few else sorted({0, len(lengths) // 2, len(lengths) - 1})
    n = matrix.shape[0] if few else max(1, VALUES // max(1, matrix.shape[1]) // len(chosen))
    return [(int(starts[i]), int(starts[i]) + min(int(lengths[i]), n)) for i in chosen]


def _runs_of(array: Any, length: int) -> int:  # noqa: ANN401 - h5py and zarr share no type
    """Return the number of places to read; each costs at least one chunk of the file."""
    chunks = getattr(array, "chunks", None)
    n_chunks = -(-length // int(chunks[0])) if chunks else RUNS
    return min(RUNS, max(3, n_chunks))


def _starts(n: int, runs: int) -> list[int]:
    """Return the first lines of `runs` ranges, spread evenly over `n` lines."""
    edges: NDArray[np.int64] = np.unique((np.arange(runs) * n) // runs)
    return [int(edge) for edge in edges]


def _stacked(pieces: list[Block], matrix: Matrix) -> sp.csr_matrix:
    if not pieces:
        return sp.csr_matrix(matrix.shape, dtype=np.float64)
    parts = [sp.csr_matrix(piece).astype(np.float64) for piece in pieces]
    return parts[0] if len(parts) == 1 else sp.vstack(parts, format="csr")
