"""Read all genes of a matrix, gene by gene, with labels of their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Generator

    import scipy.sparse as sp

    from karospace_jupyter.job import Job
    from karospace_jupyter.source.protocol import Rows, Source

_BLOCK_BYTES_PER_ENTRY = 64
"""Memory that one value of a block takes while the block is transposed."""
_HELD_BYTES_PER_ENTRY = 5
"""A float32 and a label."""


class _Block(NamedTuple):
    """Entries of some genes among some cells, sorted by gene."""

    labels: NDArray[np.uint8]
    values: NDArray[np.float32]
    starts: NDArray[np.integer]
    """Shape (n_genes + 1,)."""

    def gene(self, i: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return the entries of one gene."""
        part = slice(self.starts[i], self.starts[i + 1])
        return self.labels[part], self.values[part]

    def first(self, n_genes: int) -> _Block:
        """Return a copy of the first genes."""
        stop = self.starts[n_genes]
        return _Block(self.labels[:stop].copy(), self.values[:stop].copy(), self.starts[: n_genes + 1].copy())


def labeled_entries(
    source: Source, rows: Rows, labels: NDArray[np.uint8], memory_bytes: int, job: Job
) -> Generator[tuple[NDArray[np.uint8], NDArray[np.float32]], None, None]:
    """Yield the values other than zero of each gene, in the order of the genes, and the labels of their cells.

    A matrix that is stored by cell is read in as few passes as the memory allows.

    Parameters
    ----------
    source
        The data.
    rows
        The cells to read.
    labels
        A label for each of these cells, shape (n_rows,).
    memory_bytes
        Memory for the entries that are held; half of it is for the block that is being read.
    job
        Checked before each block. Receives the progress of each pass over a matrix that is stored by cell.

    Yields
    ------
    tuple
        The labels and the values of one gene; NaN for missing values. They are in no particular order.
    """
    most = max(2**16, min(4_000_000, memory_bytes // (4 * _BLOCK_BYTES_PER_ENTRY)))
    if source.by_column:
        for part in source.entries(rows, most):
            job.check()
            block = _block(part().values, labels)
            yield from (block.gene(i) for i in range(len(block.starts) - 1))
        return
    most_held = memory_bytes // 2 // _HELD_BYTES_PER_ENTRY
    gene = 0
    while gene < source.n_genes:
        held, n_genes = _held(source, rows, labels, most, most_held, gene, job)
        for i in range(n_genes):
            parts = [block.gene(i) for block in held]
            yield np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        gene += n_genes


def _held(
    source: Source, rows: Rows, labels: NDArray[np.uint8], most: int, most_held: int, gene: int, job: Job
) -> tuple[list[_Block], int]:
    """Read as many genes as fit, starting with `gene`, in one pass; return their number, too.

    The number of entries is known only after reading them. All genes are read at first; whenever there are too many
    entries, the second half of the genes is dropped.
    """
    n_genes = source.n_genes - gene
    held: list[_Block] = []
    with job.stage("Reading cells", len(labels), "cells") as stage:
        for part in source.entries(rows, most):
            job.check()
            entries = part()
            values = entries.values
            if gene or n_genes < values.shape[1]:
                values = values[:, gene : gene + n_genes]
            held.append(_block(values, labels[entries.cell : entries.cell + values.shape[0]]))
            while n_genes > 1 and sum(len(block.values) for block in held) > most_held:
                n_genes = (n_genes + 1) // 2
                held = [block.first(n_genes) for block in held]
            stage.advance(values.shape[0])
    return held, n_genes


def _block(values: sp.csr_matrix, labels: NDArray[np.uint8]) -> _Block:
    columns = values.tocsc()
    return _Block(labels[columns.indices], columns.data, columns.indptr)
