"""Parts of a matrix as sparse float32 entries, for writers that need all genes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.source.values import missing_in, rounded_in, without_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from karospace_jupyter.source.matrix import Block


@dataclass(frozen=True, slots=True)
class Entries:
    """The nonzero values of some cells and genes."""

    cell: int
    """The first cell, counted among the selected cells."""
    gene: int
    """The first gene."""
    values: sp.csr_matrix
    """Cells × genes, float32, without duplicates and zeros, genes ascending; NaN for missing values."""
    infinite: NDArray[np.int64]
    """Shape (n_genes,): number of missing values that are infinite or beyond the range of float32 in the source."""
    rounded: NDArray[np.int64]
    """Shape (n_genes,): number of integers that float32 cannot represent exactly."""


def pieces(block: Block, most: int) -> Iterator[Block]:
    """Cut rows into pieces of at most `most` values, at least one row each."""
    n = block.shape[0]
    if isinstance(block, np.ndarray):
        step = max(1, most // max(1, block.shape[1]))
        yield from (block[start : start + step] for start in range(0, n, step))
        return
    start = 0
    while start < n:
        stop = int(np.searchsorted(block.indptr, int(block.indptr[start]) + most, side="right")) - 1
        stop = min(n, max(stop, start + 1))
        yield block if stop - start == n else block[start:stop]
        start = stop


def summed(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return the matrix with duplicate entries summed, in a type that can represent the sums."""
    if matrix.has_canonical_format:
        return matrix
    exact = matrix.data.dtype.kind == "f" and matrix.data.dtype.itemsize > 2
    return without_duplicates(matrix if exact else matrix.astype(np.float64))


def as_entries(block: Block, cell: int, gene: int) -> Entries:
    """Return the entries of a block of cells whose first gene is `gene`. The block is not changed."""
    matrix = sp.csr_matrix(block) if isinstance(block, np.ndarray) else summed(block)
    n_genes = matrix.shape[1]
    data: NDArray[Any] = matrix.data
    rounded = infinite = np.zeros(n_genes, dtype=np.int64)
    inexact = rounded_in(data)
    if inexact is not None:
        rounded = np.bincount(matrix.indices[inexact], minlength=n_genes)
    missing = missing_in(data)
    with np.errstate(over="ignore"):  # values beyond the range of float32 are missing
        values = data.astype(np.float32, copy=False)
    if missing is not None:
        infinite = np.bincount(matrix.indices[np.isinf(values)], minlength=n_genes)
        values = np.where(missing, np.float32(np.nan), values)
    out = sp.csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    if (values == 0).any():  # stored zeros, including values that float32 rounds to zero
        out = out.copy()
        out.eliminate_zeros()
    return Entries(cell, gene, out, infinite, rounded)
