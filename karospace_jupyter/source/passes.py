"""Read a matrix in passes: statistics of every gene, values of selected genes.

A matrix is read in its storage order. Reading one gene of a CSR matrix on disk costs as much as reading the whole
matrix, so each pass gathers as many genes as fit into the memory budget.
"""

from __future__ import annotations

import functools
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.source.entries import Entries, as_entries, pieces, summed
from karospace_jupyter.source.matrix import Block, CompressedMatrix, Matrix
from karospace_jupyter.source.protocol import GeneStatistics, GeneVector, Rows, Scale
from karospace_jupyter.source.reading import reading
from karospace_jupyter.source.sample import Sample, sample
from karospace_jupyter.source.values import missing_in, rounded_in, without_duplicates, without_log1p

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from karospace_jupyter.job import Job, Stage

T = TypeVar("T")
U = TypeVar("U")


class Passes:
    """Read one matrix block by block, within a budget of `memory_bytes`."""

    def __init__(self, matrix: Matrix, where: str, memory_bytes: int) -> None:
        self.matrix = matrix
        self._where = where
        self._memory_bytes = memory_bytes
        self._block_bytes = max(2**20, min(64 * 2**20, memory_bytes // 8))
        self._kept: list[tuple[int, Block]] | None = None

    @property
    def by_column(self) -> bool:
        """Whether genes can be read individually."""
        return isinstance(self.matrix, CompressedMatrix) and not self.matrix.by_row

    def row_blocks(self) -> Iterator[tuple[int, Block]]:
        """Yield (first row, rows). A matrix that fits into the budget is read from its file only once."""
        if self._kept is not None:
            yield from self._kept
            return
        keep: list[tuple[int, Block]] | None = [] if self._worth_keeping() else None
        with reading(self._where):
            for item in self.matrix.row_blocks(self._block_bytes):
                if keep is not None:
                    keep.append(item)
                yield item
        self._kept = keep

    def _worth_keeping(self) -> bool:
        in_memory = isinstance(getattr(self.matrix, "array", getattr(self.matrix, "data", None)), np.ndarray)
        return not in_memory and self.matrix.nbytes <= self._memory_bytes

    def sample(self) -> Sample:
        """Sample values across the matrix; see :class:`~karospace_jupyter.source.protocol.Source`."""
        with reading(self._where):
            return sample(self.matrix)

    def sampled(self) -> SampledPasses:
        """Return passes over a sample of the matrix."""
        return SampledPasses(self, self._where, self._memory_bytes)

    def statistics(
        self,
        rows: Rows,
        scale: Scale,
        job: Job,
        *,
        variance: bool,
        log_base: float | None = None,
        ceiling: NDArray[np.float64] | None = None,
    ) -> GeneStatistics:
        """Return statistics of every gene; see :class:`~karospace_jupyter.source.protocol.Source`."""
        n_cells, n_genes = self.matrix.shape
        n = n_cells if rows is None else len(rows)
        transform = _Transform(scale, log_base, ceiling)
        sums = _Sums(n_genes)
        unit, total = ("genes", n_genes) if self.by_column else ("cells", n_cells)
        with job.stage("Reading statistics", total, unit) as stage:
            if self.by_column:
                self._column_sums(rows, transform, sums, stage)
            else:
                work = ((start, _choose_rows(start, block, rows), block.shape[0]) for start, block in self.row_blocks())
                for part, length in _map_ahead(
                    lambda item: (_sum_block(item[1], transform, squared=variance), item[2]), work
                ):
                    sums.add(part)
                    stage.advance(length)
        return sums.statistics(n, variance=variance)

    def _column_sums(self, rows: Rows, transform: _Transform, sums: _Sums, stage: Stage) -> None:
        matrix: Any = self.matrix
        chosen = None
        if rows is not None:
            chosen = np.zeros(matrix.shape[0], dtype=bool)
            chosen[rows] = True
        with reading(self._where):
            for start, stop, read in matrix.blocks(self._block_bytes):
                lines, missing = _present(read)
                genes = np.repeat(np.arange(start, stop), np.diff(lines.indptr))
                values = transform.of(lines.data, genes)
                if chosen is not None:
                    values = np.where(chosen[lines.indices], values, 0.0)
                    missing = None if missing is None else missing & chosen[lines.indices]
                sums.first += np.bincount(genes, weights=values, minlength=len(sums.first))
                with np.errstate(over="ignore"):
                    sums.second += np.bincount(genes, weights=values * values, minlength=len(sums.first))
                sums.detected += np.bincount(genes[values != 0], minlength=len(sums.first))
                if missing is not None:
                    sums.count_missing(np.bincount(genes[missing], minlength=len(sums.first)))
                stage.advance(stop - start)

    def genes(self, indices: NDArray[np.int64], rows: Rows, job: Job) -> Iterator[GeneVector]:
        """Yield the values of the selected genes; see :class:`~karospace_jupyter.source.protocol.Source`."""
        if not len(indices):
            return iter(())
        if self.by_column:
            return self._genes_by_column(indices, rows)
        return self._genes_by_row(indices, rows, job)

    def entries(self, rows: Rows, most: int) -> Iterator[Callable[[], Entries]]:
        """Yield the parts of the matrix; see :class:`~karospace_jupyter.source.protocol.Source`."""
        if self.by_column:
            yield from self._entries_by_column(rows, most)
            return
        cell = 0
        for start, block in self.row_blocks():
            for piece in pieces(_choose_rows(start, block, rows), most):
                yield functools.partial(as_entries, piece, cell, 0)
                cell += piece.shape[0]

    def _entries_by_column(self, rows: Rows, most: int) -> Iterator[Callable[[], Entries]]:
        matrix: Any = self.matrix

        def transposed(lines: sp.csr_matrix, gene: int) -> Entries:
            block = summed(lines).T.tocsr()
            return as_entries(block if rows is None else block[rows], 0, gene)

        entry_bytes = int(matrix.data.dtype.itemsize + matrix.indices.dtype.itemsize)
        with reading(self._where):
            for start, _, lines in matrix.blocks(most * entry_bytes):
                yield functools.partial(transposed, lines, start)

    def _genes_by_column(self, indices: NDArray[np.int64], rows: Rows) -> Iterator[GeneVector]:
        matrix: Any = self.matrix
        for position, gene in enumerate(indices):
            with reading(self._where):
                line = matrix.lines(int(gene), int(gene) + 1)
            values = np.bincount(line.indices, weights=line.data, minlength=matrix.shape[0])
            values = values if rows is None else values[rows]
            rounded = rounded_in(values)
            yield _vector(position, values, 0 if rounded is None else int(rounded.sum()))

    def _genes_by_row(self, indices: NDArray[np.int64], rows: Rows, job: Job) -> Iterator[GeneVector]:
        n = self.matrix.shape[0] if rows is None else len(rows)
        done = 0
        while done < len(indices):
            # Half of the budget; the other half is for blocks being read and for vectors waiting to be written.
            gathered = _Gathered(indices[done:], self.matrix.shape[1], n, self._memory_bytes // 2)
            blocks = (_choose_rows(start, block, rows) for start, block in self.row_blocks())
            for _ in _map_ahead(gathered.add, blocks):
                job.check()
            for values, rounded in gathered.vectors():
                yield _vector(done, values, rounded)
                done += 1


class SampledPasses(Passes):
    """Compute statistics from a sample; genes that it does not contain are represented by their neighbors in it."""

    def __init__(self, whole: Passes, where: str, memory_bytes: int) -> None:
        sample = whole.sample()
        lines = sample.values.tocsc()
        matrix = CompressedMatrix(lines.data, lines.indices, lines.indptr, lines.shape, by_row=False)
        super().__init__(matrix, where, memory_bytes)
        self._sample, self._whole = sample, whole
        self._places = np.arange(whole.matrix.shape[1])
        if sample.genes is not None:
            self._places = np.searchsorted(sample.genes, self._places).clip(max=len(sample.genes) - 1)

    def sample(self) -> Sample:
        """Return the sample."""
        return self._sample

    def sampled(self) -> SampledPasses:
        """Return the same passes."""
        return self

    def statistics(
        self,
        rows: Rows,
        scale: Scale,
        job: Job,
        *,
        variance: bool,
        log_base: float | None = None,
        ceiling: NDArray[np.float64] | None = None,
    ) -> GeneStatistics:
        """Return statistics of every gene over the sampled cells, regardless of `rows`."""
        del rows
        if ceiling is not None and self._sample.genes is not None:
            ceiling = ceiling[self._sample.genes]
        found = super().statistics(None, scale, job, variance=variance, log_base=log_base, ceiling=ceiling)
        at = self._places
        return GeneStatistics(found.mean[at], found.variance[at], found.present[at], found.detected[at])

    def genes(self, indices: NDArray[np.int64], rows: Rows, job: Job) -> Iterator[GeneVector]:
        """Yield the values of the selected genes in the sampled cells, or in all cells if this takes no pass."""
        del rows
        return self._whole.genes(indices, None, job) if self._whole.by_column else super().genes(indices, None, job)


@dataclass(frozen=True, slots=True)
class _Transform:
    """Transform values before they are summed."""

    scale: Scale
    log_base: float | None
    ceiling: NDArray[np.float64] | None

    def of(self, values: NDArray[np.float64], genes: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the values to sum, given the gene of each."""
        if self.scale == "expm1":
            values = without_log1p(values, self.log_base)  # the caller checks whether the statistics are finite
        return values if self.ceiling is None else np.minimum(values, self.ceiling[genes])


class _Sums:
    """Sums, sums of squares, detected and missing values of each gene."""

    def __init__(self, n_genes: int) -> None:
        self.first = np.zeros(n_genes)
        self.second = np.zeros(n_genes)
        self.detected = np.zeros(n_genes, dtype=np.int64)
        self.missing: NDArray[np.int64] | None = None

    def count_missing(self, counts: NDArray[np.int64]) -> None:
        """Add numbers of cells without a value."""
        self.missing = counts if self.missing is None else self.missing + counts

    def add(self, other: _Sums) -> None:
        """Add the sums of further cells."""
        self.first += other.first
        self.second += other.second
        self.detected += other.detected
        if other.missing is not None:
            self.count_missing(other.missing)

    def statistics(self, n: int, *, variance: bool) -> GeneStatistics:
        """Compute mean and variance over those of the `n` cells that have a value."""
        present = np.full(len(self.first), n, dtype=np.int64)
        if self.missing is not None:
            present -= self.missing
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.where(present > 0, self.first / np.maximum(present, 1), np.nan)
            if not variance:
                return GeneStatistics(mean, np.full(len(mean), np.nan), present, self.detected)
            spread = np.maximum(self.second - present * mean**2, 0) / np.maximum(present - 1, 1)
        return GeneStatistics(mean, spread, present, self.detected)


class _Gathered:
    """Gather values from blocks of rows, for as many of the requested genes as the budget allows.

    The size of the entries of a sparse matrix is known only after reading them. All genes are gathered at first; when
    the budget is reached, the second half of the genes is dropped and read in a later pass.
    """

    def __init__(self, indices: NDArray[np.int64], n_genes: int, n_cells: int, memory_bytes: int) -> None:
        self._indices = indices
        self._n_genes = n_genes
        self._n_cells = n_cells
        self._memory_bytes = memory_bytes
        self._wanted = len(indices)
        self._dense: NDArray[np.float32] | None = None
        self._parts: list[sp.csc_matrix] = []
        self._rounded: NDArray[np.int64] = np.zeros(len(indices), dtype=np.int64)
        self._bytes = 0
        self._row = 0
        self._set_lookup()

    def _set_lookup(self) -> None:
        self._lookup = np.full(self._n_genes, -1, dtype=np.int32)
        self._lookup[self._indices[: self._wanted]] = np.arange(self._wanted, dtype=np.int32)

    def add(self, block: Block) -> None:
        """Add the requested genes of the next rows."""
        if isinstance(block, np.ndarray):
            self._add_dense(block)
        else:
            self._add_sparse(block)

    def _add_dense(self, block: NDArray[Any]) -> None:
        if self._dense is None:
            self._wanted = min(self._wanted, max(1, self._memory_bytes // (4 * max(1, self._n_cells))))
            self._dense = np.empty((self._wanted, self._n_cells), dtype=np.float32)
        stop = self._row + len(block)
        chosen = block[:, self._indices[: self._wanted]]
        rounded = rounded_in(chosen)
        if rounded is not None:
            self._rounded[: self._wanted] += rounded.sum(axis=0)
        with np.errstate(over="ignore"):  # values beyond float32 become infinite; _vector counts them
            self._dense[:, self._row : stop] = chosen.T
        self._row = stop

    def _add_sparse(self, block: sp.csr_matrix) -> None:
        if self._wanted == 1:  # comparing takes a third of the time of a lookup; single genes are read interactively
            entries = np.flatnonzero(block.indices == self._indices[0])
            column = np.zeros(len(entries), dtype=np.int32)
        else:
            column = self._lookup[block.indices]
            entries = np.flatnonzero(column >= 0)
            column = column[entries]
        shape = (block.shape[0], self._wanted)
        # Sum duplicate entries before rounding: in float64, or in float32 for float32 values and small integers.
        data = block.data[entries]
        data = data.astype(
            np.float64 if data.dtype.itemsize > 2 and data.dtype != np.float32 else np.float32, copy=False
        )
        starts = np.searchsorted(entries, block.indptr)
        part = sp.csr_matrix((data, column, starts), shape=shape).tocsc()
        part.sum_duplicates()
        rounded = rounded_in(part.data)
        if rounded is not None:
            genes = np.repeat(np.arange(self._wanted), np.diff(part.indptr))
            self._rounded[: self._wanted] += np.bincount(genes[rounded], minlength=self._wanted)
        with np.errstate(over="ignore"):
            part.data = part.data.astype(np.float32, copy=False)
        self._parts.append(part)
        self._bytes += _nbytes(part)
        while self._bytes > self._memory_bytes and self._wanted > 1:
            self._wanted = (self._wanted + 1) // 2
            for i, kept in enumerate(self._parts):  # one at a time, so that only one part is in memory twice
                self._parts[i] = kept[:, : self._wanted]
            self._bytes = sum(map(_nbytes, self._parts))
            self._set_lookup()

    def vectors(self) -> Iterator[tuple[NDArray[np.float32], int]]:
        """Yield (dense vector, number of rounded values) of each gathered gene, in order."""
        rounded = self._rounded.tolist()
        if self._dense is not None:
            yield from zip(self._dense, rounded, strict=False)
            return
        firsts = np.cumsum([0, *(part.shape[0] for part in self._parts)])
        for gene in range(self._wanted):
            values = np.zeros(self._n_cells, dtype=np.float32)
            for first, part in zip(firsts, self._parts, strict=False):
                a, b = part.indptr[gene], part.indptr[gene + 1]
                values[first + part.indices[a:b]] = part.data[a:b]
            yield values, rounded[gene]


def _nbytes(part: sp.csc_matrix) -> int:
    return int(part.data.nbytes + part.indices.nbytes + part.indptr.nbytes)


def _vector(position: int, values: NDArray[Any], rounded: int) -> GeneVector:
    missing = missing_in(values)
    with np.errstate(over="ignore"):  # values beyond float32 are counted as missing
        values = values.astype(np.float32, copy=False)
    if missing is None:
        return GeneVector(position, values, 0, 0, rounded)
    infinite = int(np.isinf(values).sum())
    return GeneVector(position, np.where(missing, np.float32(np.nan), values), int(missing.sum()), infinite, rounded)


def _present(lines: sp.csr_matrix) -> tuple[sp.csr_matrix, NDArray[np.bool_] | None]:
    """Return the lines as float64 with 0 for missing entries, and a mask of these (None if none is missing)."""
    values = np.asarray(lines.data, dtype=np.float64)
    # Products with a vector release the GIL and need no temporary copy of the columns.
    whole = sp.csr_matrix((values, lines.indices, lines.indptr), shape=lines.shape)
    out = without_duplicates(whole)
    # Unless duplicates were summed, check the stored values: for float32, these are half as many bytes.
    missing = missing_in(lines.data if out is whole else out.data)
    if missing is not None:
        out.data = np.where(missing, 0.0, out.data)
    return out, missing


def _choose_rows(start: int, block: Block, rows: Rows) -> Block:
    if rows is None:
        return block
    a, b = np.searchsorted(rows, [start, start + block.shape[0]])
    return block[rows[a:b] - start]


def _sum_block(block: Block, transform: _Transform, *, squared: bool) -> _Sums:
    """Sum each gene, and optionally its squares, over the rows of a block."""
    out = _Sums(block.shape[1])
    if isinstance(block, np.ndarray):
        missing = missing_in(block)
        values = np.asarray(block, dtype=np.float64)
        if missing is not None:
            values = np.where(missing, 0.0, values)
            out.missing = missing.sum(axis=0)
        values = transform.of(values, np.arange(block.shape[1]))
        out.first = values.sum(axis=0)
        if squared:
            out.second = np.einsum("ij,ij->j", values, values)
            out.detected = np.count_nonzero(values, axis=0)
        return out
    matrix, missing = _present(block)
    if missing is not None:
        out.missing = np.bincount(matrix.indices[missing], minlength=block.shape[1])
    values = transform.of(matrix.data, matrix.indices)
    # Products with a vector release the GIL and are faster than bincount.
    ones = np.ones(block.shape[0])
    matrix.data = values
    out.first = matrix.T @ ones
    if squared:
        with np.errstate(over="ignore"):
            matrix.data = values * values
        out.second = matrix.T @ ones
        matrix.data = (values != 0).astype(np.float64)
        out.detected = (matrix.T @ ones).astype(np.int64)
    return out


def map_ahead(pool: ThreadPoolExecutor, work: Callable[[T], U], items: Iterable[T], most: int) -> Iterator[U]:
    """Apply `work` in threads to at most `most` items ahead of the result that is used; yield the results in order."""
    waiting: deque[Future[U]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _map_ahead(work: Callable[[T], U], items: Iterator[T]) -> Iterator[U]:
    """Apply `work` in a thread while the next item is read; yield the results in order."""
    with ThreadPoolExecutor(1, thread_name_prefix="karospace-read") as pool:
        yield from map_ahead(pool, work, items, 1)
