"""Passes over a matrix: statistics of every gene, values of some genes.

The order of reading is the matrix's own. One gene of a CSR matrix on disk costs as much as reading all of it, so
many genes are gathered in one pass, as many as the memory budget holds.
"""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.errors import SourceError
from karospace_jupyter.source.matrix import Block, CompressedMatrix, Matrix
from karospace_jupyter.source.protocol import GeneStatistics, GeneVector, Rows, Scale
from karospace_jupyter.source.sample import Sample, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from karospace_jupyter.job import Job, Stage

T = TypeVar("T")
U = TypeVar("U")

COUNTS_PER_CELL = 10_000.0
"""What counts are scaled to before genes are ranked; Seurat's and scanpy's tutorials use the same."""


class Passes:
    """Reads one matrix block by block, within a budget of `memory_bytes`."""

    def __init__(self, matrix: Matrix, where: str, memory_bytes: int) -> None:
        self.matrix = matrix
        self._where = where
        self._memory_bytes = memory_bytes
        self._block_bytes = max(2**20, min(64 * 2**20, memory_bytes // 8))
        self._kept: list[tuple[int, Block]] | None = None

    @property
    def by_column(self) -> bool:
        """Whether genes can be read one by one."""
        return isinstance(self.matrix, CompressedMatrix) and not self.matrix.by_row

    def row_blocks(self) -> Iterator[tuple[int, Block]]:
        """Yield (first row, rows); a matrix that fits the budget is read from its file once only."""
        if self._kept is not None:
            yield from self._kept
            return
        keep: list[tuple[int, Block]] | None = [] if self._worth_keeping() else None
        with _reading(self._where):
            for item in self.matrix.row_blocks(self._block_bytes):
                if keep is not None:
                    keep.append(item)
                yield item
        self._kept = keep

    def _worth_keeping(self) -> bool:
        in_memory = isinstance(getattr(self.matrix, "array", getattr(self.matrix, "data", None)), np.ndarray)
        return not in_memory and self.matrix.nbytes <= self._memory_bytes

    def sample(self) -> Sample:
        """Read some values from all over the matrix; see :class:`~karospace_jupyter.source.protocol.Source`."""
        with _reading(self._where):
            return sample(self.matrix)

    def statistics(
        self, rows: Rows, scale: Scale, job: Job, *, variance: bool, log_base: float | None = None
    ) -> GeneStatistics:
        """Mean and variance of every gene; see :class:`~karospace_jupyter.source.protocol.Source`."""
        n_cells, n_genes = self.matrix.shape
        n = n_cells if rows is None else len(rows)
        sums, squares = np.zeros(n_genes), np.zeros(n_genes)
        ln_base = 1.0 if log_base is None else math.log(log_base)
        unit, total = ("genes", n_genes) if self.by_column else ("cells", n_cells)
        with job.stage("Reading statistics", total, unit) as stage:
            if self.by_column:
                self._column_sums(rows, scale, ln_base, sums, squares, stage)
            else:
                work = ((start, _choose_rows(start, block, rows), block.shape[0]) for start, block in self.row_blocks())
                for (part_sums, part_squares), length in _ahead(
                    lambda item: (_sums(item[1], scale, ln_base, squared=variance), item[2]), work
                ):
                    sums += part_sums
                    squares += part_squares
                    stage.advance(length)
        mean = sums / max(n, 1)
        if not variance:
            return GeneStatistics(mean, np.full(n_genes, np.nan))
        with np.errstate(over="ignore", invalid="ignore"):
            spread = np.maximum(squares - n * mean**2, 0) / max(n - 1, 1)
        return GeneStatistics(mean, spread)

    def _column_sums(
        self,
        rows: Rows,
        scale: Scale,
        ln_base: float,
        sums: NDArray[np.float64],
        squares: NDArray[np.float64],
        stage: Stage,
    ) -> None:
        matrix: Any = self.matrix
        chosen = None
        if rows is not None:
            chosen = np.zeros(matrix.shape[0], dtype=bool)
            chosen[rows] = True
        factors = None
        if scale == "normalised":
            totals = np.zeros(matrix.shape[0])
            for start, stop in matrix.runs(self._block_bytes):
                lines = matrix.lines(start, stop)
                totals += np.bincount(lines.indices, weights=_finite(lines.data), minlength=len(totals))
            factors = np.divide(COUNTS_PER_CELL, totals, out=np.zeros_like(totals), where=totals > 0)
        with _reading(self._where):
            for start, stop in matrix.runs(self._block_bytes):
                lines = matrix.lines(start, stop)
                values = _finite(lines.data)
                if scale == "expm1":
                    values = np.expm1(values * ln_base)
                elif factors is not None:
                    values = values * factors[lines.indices]
                if chosen is not None:
                    values = np.where(chosen[lines.indices], values, 0.0)
                genes = np.repeat(np.arange(start, stop), np.diff(lines.indptr))
                sums += np.bincount(genes, weights=values, minlength=len(sums))
                squares += np.bincount(genes, weights=values * values, minlength=len(sums))
                stage.advance(stop - start)

    def genes(self, indices: NDArray[np.int64], rows: Rows, job: Job) -> Iterator[GeneVector]:
        """Values of the chosen genes; see :class:`~karospace_jupyter.source.protocol.Source`."""
        if not len(indices):
            return iter(())
        if self.by_column:
            return self._genes_by_column(indices, rows)
        return self._genes_by_row(indices, rows, job)

    def _genes_by_column(self, indices: NDArray[np.int64], rows: Rows) -> Iterator[GeneVector]:
        matrix: Any = self.matrix
        for position, gene in enumerate(indices):
            with _reading(self._where):
                line = matrix.lines(int(gene), int(gene) + 1)
            values = np.bincount(line.indices, weights=line.data, minlength=matrix.shape[0])
            yield _vector(position, values if rows is None else values[rows])

    def _genes_by_row(self, indices: NDArray[np.int64], rows: Rows, job: Job) -> Iterator[GeneVector]:
        n = self.matrix.shape[0] if rows is None else len(rows)
        done = 0
        while done < len(indices):
            # Half of the budget: the other half is for blocks on their way and for vectors that wait to be written.
            gathered = _Gathered(indices[done:], self.matrix.shape[1], n, self._memory_bytes // 2)
            blocks = (_choose_rows(start, block, rows) for start, block in self.row_blocks())
            for _ in _ahead(gathered.add, blocks):
                job.check()
            for values in gathered.vectors():
                yield _vector(done, values)
                done += 1


class _Gathered:
    """Values of as many of the wanted genes as the budget holds, gathered from blocks of rows.

    How much the entries of a sparse matrix take is known only after they were read. So all genes are gathered at
    first; when the budget is reached, the later half of the genes is let go, to be read in a further pass.
    """

    def __init__(self, indices: NDArray[np.int64], n_genes: int, n_cells: int, memory_bytes: int) -> None:
        self._indices = indices
        self._n_genes = n_genes
        self._n_cells = n_cells
        self._memory_bytes = memory_bytes
        self._wanted = len(indices)
        self._dense: NDArray[np.float32] | None = None
        self._parts: list[sp.csc_matrix] = []
        self._bytes = 0
        self._row = 0
        self._set_lookup()

    def _set_lookup(self) -> None:
        self._lookup = np.full(self._n_genes, -1, dtype=np.int32)
        self._lookup[self._indices[: self._wanted]] = np.arange(self._wanted, dtype=np.int32)

    def add(self, block: Block) -> None:
        """Take the wanted genes of the next rows."""
        if isinstance(block, np.ndarray):
            self._add_dense(block)
        else:
            self._add_sparse(block)

    def _add_dense(self, block: NDArray[Any]) -> None:
        if self._dense is None:
            self._wanted = min(self._wanted, max(1, self._memory_bytes // (4 * max(1, self._n_cells))))
            self._dense = np.empty((self._wanted, self._n_cells), dtype=np.float32)
        stop = self._row + len(block)
        self._dense[:, self._row : stop] = block[:, self._indices[: self._wanted]].T
        self._row = stop

    def _add_sparse(self, block: sp.csr_matrix) -> None:
        if self._wanted == 1:  # one comparison an entry is a third of a lookup: someone waits for one gene
            entries = np.flatnonzero(block.indices == self._indices[0])
            column = np.zeros(len(entries), dtype=np.int32)
        else:
            column = self._lookup[block.indices]
            entries = np.flatnonzero(column >= 0)
            column = column[entries]
        shape = (block.shape[0], self._wanted)
        data = block.data[entries].astype(np.float32, copy=False)
        starts = np.searchsorted(entries, block.indptr)
        part = sp.csr_matrix((data, column, starts), shape=shape).tocsc()
        part.sum_duplicates()
        self._parts.append(part)
        self._bytes += _nbytes(part)
        while self._bytes > self._memory_bytes and self._wanted > 1:
            self._wanted = (self._wanted + 1) // 2
            for i, kept in enumerate(self._parts):  # one by one: both halves are never there together
                self._parts[i] = kept[:, : self._wanted]
            self._bytes = sum(map(_nbytes, self._parts))
            self._set_lookup()

    def vectors(self) -> Iterator[NDArray[np.float32]]:
        """Yield one dense vector a gene, in order, for the genes that were kept."""
        if self._dense is not None:
            yield from self._dense
            return
        firsts = np.cumsum([0, *(part.shape[0] for part in self._parts)])
        for gene in range(self._wanted):
            values = np.zeros(self._n_cells, dtype=np.float32)
            for first, part in zip(firsts, self._parts, strict=False):
                a, b = part.indptr[gene], part.indptr[gene + 1]
                values[first + part.indices[a:b]] = part.data[a:b]
            yield values


def _nbytes(part: sp.csc_matrix) -> int:
    return int(part.data.nbytes + part.indices.nbytes + part.indptr.nbytes)


def _vector(position: int, values: NDArray[Any]) -> GeneVector:
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is counted below
        values = values.astype(np.float32, copy=False)
    finite = np.isfinite(values)
    if finite.all():
        return GeneVector(position, values, 0)
    return GeneVector(position, np.where(finite, values, np.float32(0)), int((~finite).sum()))


def _finite(values: NDArray[Any]) -> NDArray[np.float64]:
    out = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(out)
    return out if finite.all() else np.where(finite, out, 0.0)


def _choose_rows(start: int, block: Block, rows: Rows) -> Block:
    if rows is None:
        return block
    a, b = np.searchsorted(rows, [start, start + block.shape[0]])
    return block[rows[a:b] - start]


def _sums(
    block: Block, scale: Scale, ln_base: float, *, squared: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of each gene, and of its squares when asked for, over the rows of a block."""
    if isinstance(block, np.ndarray):
        values = _finite(block)
        if scale == "expm1":
            values = np.expm1(values * ln_base)
        elif scale == "normalised":
            totals = values.sum(axis=1, keepdims=True)
            values = values * np.divide(COUNTS_PER_CELL, totals, out=np.zeros_like(totals), where=totals > 0)
        return values.sum(axis=0), np.einsum("ij,ij->j", values, values)
    values = _finite(block.data)
    if scale == "expm1":
        values = np.expm1(values * ln_base)
    # Products with a vector run outside the interpreter's lock and need no temporary copy of the columns.
    matrix = sp.csr_matrix((values, block.indices, block.indptr), shape=block.shape)
    weights = np.ones(block.shape[0])
    if scale == "normalised":
        totals = matrix @ np.ones(block.shape[1])
        weights = np.divide(COUNTS_PER_CELL, totals, out=np.zeros_like(totals), where=totals > 0)
    sums = matrix.T @ weights
    if not squared:
        return sums, np.zeros_like(sums)
    matrix.data = values * values
    return sums, matrix.T @ (weights * weights)


def _ahead(work: Callable[[T], U], items: Iterator[T]) -> Iterator[U]:
    """Apply `work` in a thread while the next item is read; results come in order."""
    with ThreadPoolExecutor(1, thread_name_prefix="karospace-read") as pool:
        waiting: Future[U] | None = None
        for item in items:
            future = pool.submit(work, item)
            if waiting is not None:
                yield waiting.result()
            waiting = future
        if waiting is not None:
            yield waiting.result()


@contextmanager
def _reading(where: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as exc:
        msg = f"{where} cannot be read: {exc}. The file is damaged or incomplete; copy or write it again."
        raise SourceError(msg) from exc
