"""Compute the markers of categories while genes are packed: each category against the rest, for every gene.

The definitions are those of :mod:`karospace_jupyter.differential`, which compares two groups. Here, each gene is ranked
once for all categories, and no step holds the GIL for long, so that threads run in parallel.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.markers import ARRAYS, write_markers
from karospace_jupyter.differential import MIN_CELLS, deviates, welch
from karospace_jupyter.errors import SinkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from karospace_jupyter.plan.model import CategoryAnnotation

Floats = NDArray[np.float64]

_COUNTED = 7
"""Values are counted rather than sorted if there are at most this many distinct values per entry of the gene."""


class Order:
    """Rank the values of genes.

    Parameters
    ----------
    values
        The values that codes stand for, in any order; None if genes hold the values themselves.
    """

    def __init__(self, values: NDArray[np.float32] | None) -> None:
        self._places: NDArray[np.int32] | None = None
        self._distinct = 0
        if values is not None:
            distinct, inverse = np.unique(values, return_inverse=True)  # NaN is last
            self._places = inverse.astype(np.int32)
            self._distinct = len(distinct)
            self._positive = int(np.searchsorted(distinct, 0.0))

    def ranked(self, values: NDArray[np.float32], places: NDArray[np.int64] | None, zeros: int) -> Ranks:
        """Rank the values of a gene, including `zeros` cells without an entry, whose value is zero.

        Parameters
        ----------
        values
            Values other than zero, without NaN.
        places
            For each value, its index in the values passed to the constructor; None if genes hold the values themselves.
        """
        below = int(np.count_nonzero(values < 0))
        n = len(values) + zeros
        if self._places is not None and places is not None:
            keys = self._places[places]
            if self._distinct <= _COUNTED * len(keys):
                times = np.bincount(keys, minlength=self._distinct).astype(np.float64)
                ranks = np.cumsum(times) - (times - 1) / 2
                ranks[self._positive :] += zeros
                return Ranks(ranks[keys], below + (zeros + 1) / 2, _spread(times, zeros, n))
            order = _sorted_order(keys, self._distinct)
        else:
            bits = values.view(np.uint32)
            # The bits of negative floats sort in reverse order: invert them, and put them first.
            keys = bits ^ ((bits.view(np.int32) >> 31).view(np.uint32) | np.uint32(2**31))
            order = _sorted_order(keys, 2**32)
        ascending = keys[order]
        new = np.ones(len(keys), dtype=bool)
        np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
        starts = np.flatnonzero(new)
        times = np.diff(starts, append=len(keys)).astype(np.float64)
        ranks = starts + (times + 1) / 2
        ranks[starts >= below] += zeros
        of_entries = np.empty(len(keys))
        of_entries[order] = ranks if len(starts) == len(keys) else ranks[np.cumsum(new) - 1]
        return Ranks(of_entries, below + (zeros + 1) / 2, _spread(times, zeros, n))


@dataclass(frozen=True, slots=True)
class Ranks:
    """The ranks of the values of a gene, starting at 1; equal values share the mean of their ranks."""

    entries: Floats
    zero: float
    """Rank of the cells with the value zero."""
    spread: float
    """n³ - n - Σ(t³ - t) over the t cells of each distinct value; zero if all values are equal."""


def _spread(times: Floats, zeros: int, n: int) -> float:
    # A dot product would start the threads of BLAS for every gene.
    tied = (times * (n - times) * (n + times)).sum()
    return float(tied) + float(zeros) * (n - zeros) * (n + zeros)


def _sorted_order(keys: NDArray[np.integer[Any]], below: int) -> NDArray[np.int64]:
    """Return the order that sorts the keys, all of which are less than `below`.

    numpy uses a radix sort for 16-bit keys, which is much faster than sorting by comparison.
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    if below > 2**16:
        order = order[np.argsort((keys >> 16).astype(np.uint16)[order], kind="stable")]
    return order


class _Column:
    """The categories of a column, and the cells of each."""

    def __init__(self, annotation: CategoryAnnotation) -> None:
        self.n = len(annotation.categories)
        # Cells without a category are an additional group, and part of the rest.
        self.codes = annotation.codes.astype(np.uint8)
        self.counts = np.bincount(annotation.codes, minlength=self.n + 1)
        self._order = np.argsort(self.codes, kind="stable")

    def grouped(self, cells: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the order that groups entries by category, and the number of entries of each group.

        Parameters
        ----------
        cells
            The cells of the entries; None for all cells.
        """
        if cells is None:
            return self._order, self.counts
        codes = self.codes[cells]
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(self.n + 1, dtype=np.uint8), side="right")
        return order, np.diff(ends, prepend=0)


@dataclass(frozen=True, slots=True)
class GeneEntries:
    """The entries of a gene: its cells with a value other than zero, or without a value (NaN)."""

    values: NDArray[np.float32]
    cells: NDArray[np.int64] | None
    """None if every cell has an entry."""
    places: NDArray[np.int64] | None
    """For each value, its index in the values passed to :class:`Order`; None if genes hold the values themselves."""


class Markers:
    """Collect the markers of some columns.

    Parameters
    ----------
    columns
        The columns.
    n_cells, n_genes
        Shape of the matrix.
    order
        Ranks the values.
    memory_bytes
        Memory for the results; larger arrays are held in a temporary file.
    """

    def __init__(
        self, columns: Sequence[CategoryAnnotation], n_cells: int, n_genes: int, order: Order, memory_bytes: int
    ) -> None:
        self._columns = [_Column(column) for column in columns]
        self._n_cells, self._n_genes, self._order = n_cells, n_genes, order
        self._ties = np.zeros(n_genes, dtype=np.float32)
        self._found: list[NDArray[np.uint32]] = []
        for column in self._columns:
            shape = (column.n, len(ARRAYS), n_genes)
            self._found.append(_array(shape, memory_bytes))
            memory_bytes -= self._found[-1].nbytes

    def add(self, genes: range, entries: Iterable[GeneEntries]) -> None:
        """Add consecutive genes; several threads may add different genes.

        Parameters
        ----------
        genes
            The genes.
        entries
            The entries of each. They are taken one at a time, because those of all genes can exceed the memory.
        """
        sums = [_Sums(column.n + 1, len(genes)) for column in self._columns]
        for at, gene in enumerate(entries):
            self._add(genes[at], gene, at, sums)
        for column, of_column, found in zip(self._columns, sums, self._found, strict=True):
            found[:, :, genes.start : genes.stop] = _numbers(of_column, column.n)

    def _add(self, position: int, gene: GeneEntries, at: int, sums: list[_Sums]) -> None:
        if not self:
            return
        values, cells, places = gene.values, gene.cells, gene.places
        missing = None
        nan = np.isnan(values)
        if nan.any():
            all_cells = np.arange(self._n_cells) if cells is None else cells
            missing, kept = all_cells[nan], ~nan
            values, cells = values[kept], all_cells[kept]
            places = None if places is None else places[kept]
        present = self._n_cells - (0 if missing is None else len(missing))
        ranks = self._order.ranked(values, places, present - len(values))
        cube = float(present) ** 3 - present
        self._ties[position] = ranks.spread / cube if cube else 0.0
        exact = values.astype(np.float64)
        for column, out in zip(self._columns, sums, strict=True):
            order, detected = column.grouped(cells)
            counts = column.counts
            if missing is not None:
                counts = counts - np.bincount(column.codes[missing], minlength=column.n + 1)
            zeros = counts - detected
            held = exact[order]
            total = _by_group(held, detected)
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = total / counts
            held -= np.repeat(mean, detected)
            held *= held
            out.n[at], out.detected[at], out.total[at], out.mean[at] = counts, detected, total, mean
            out.squares[at] = _by_group(held, detected) + zeros * mean * mean
            out.ranks[at] = _by_group(ranks.entries[order], detected) + zeros * ranks.zero
            out.spread[at] = ranks.spread

    def __bool__(self) -> bool:
        """Return whether markers are computed for any column."""
        return bool(self._columns)

    def files(self, column: int, each: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield the files of a column: first category, last category (exclusive), and bytes.

        Parameters
        ----------
        each
            Number of categories per file.
        """
        found = self._found[column]
        for first in range(0, len(found), each):
            part = np.asarray(found[first : first + each])
            yield first, first + len(part), write_markers(self._ties, part)


class _Sums:
    """Sums of some genes in each group of cells; all arrays have the shape (n_genes, n_groups)."""

    def __init__(self, n_groups: int, n_genes: int) -> None:
        shape = n_genes, n_groups
        self.n = np.zeros(shape)
        self.detected = np.zeros(shape)
        self.total = np.zeros(shape)
        self.mean = np.zeros(shape)
        self.squares = np.zeros(shape)
        """Sum of squared deviations from the mean."""
        self.ranks = np.zeros(shape)
        self.spread = np.zeros((n_genes, 1))


def _numbers(sums: _Sums, n: int) -> NDArray[np.uint32]:
    """Return the arrays of a file as the bits of each number, shape (n_categories, n_arrays, n_genes)."""
    with np.errstate(all="ignore"):
        n_a, detected, total, squares = (part[:, :n] for part in (sums.n, sums.detected, sums.total, sums.squares))
        n_b = sums.n.sum(axis=1, keepdims=True) - n_a
        rest = (sums.total.sum(axis=1, keepdims=True) - total) / n_b
        # Add deviations within the other groups and between their means, to avoid subtracting nearly equal numbers.
        apart = np.where(sums.n > 0, sums.mean, 0.0)[:, None, :] - rest[:, :, None]
        apart *= apart
        apart *= sums.n[:, None, :]
        apart += np.where(sums.n > 0, sums.squares, 0.0)[:, None, :]
        own = np.arange(n)
        apart[:, own, own] = 0.0
        tested = (n_a >= MIN_CELLS) & (n_b >= MIN_CELLS)
        t, df = welch((n_a, n_b), (sums.mean[:, :n], rest), (squares, apart.sum(axis=2)), tested & (sums.spread > 0))
        u = sums.ranks[:, :n] - n_a * (n_a + 1) / 2
        z = np.where(tested, deviates(n_a, n_b, u, sums.spread)[0], np.nan)
        fraction_b = (sums.detected.sum(axis=1, keepdims=True) - detected) / n_b
        floats = [sums.mean[:, :n], rest, detected / n_a, fraction_b, t, df, z]
        found = np.empty((n, len(ARRAYS), len(n_a)), dtype=np.uint32)
        found[:, 0] = n_a.T
        for i, numbers in enumerate(floats, 1):
            found[:, i] = numbers.T.astype(np.float32).view(np.uint32)
    return found


def _by_group(values: Floats, counts: NDArray[np.int64]) -> Floats:
    """Return the sum of each group; values are ordered by group."""
    sums = np.zeros(len(counts))
    some = np.flatnonzero(counts)
    if len(some):
        ends = np.cumsum(counts)
        sums[some] = np.add.reduceat(values, (ends - counts)[some])
    return sums


def _array(shape: tuple[int, ...], memory_bytes: int) -> NDArray[Any]:
    """Return an array in memory, or in a temporary file if it exceeds `memory_bytes`."""
    size = 4 * int(np.prod(shape))
    if size <= max(0, memory_bytes):
        return np.zeros(shape, dtype=np.uint32)
    try:
        with tempfile.TemporaryFile(prefix="karospace-") as file:  # the memory map keeps it open
            _allocate(file, size)
            return np.memmap(file, dtype=np.uint32, mode="r+", shape=shape)
    except OSError as exc:
        msg = (
            f"Markers that exceed the memory limit cannot be stored in {tempfile.gettempdir()}: {exc.strerror or exc}. "
            "Free space there, set the environment variable TMPDIR to another folder, or allow more memory (memory_mb)."
        )
        raise SinkError(msg) from exc


def _allocate(file: IO[bytes], size: int) -> None:
    """Reserve `size` bytes for a file: writing to the memory map of a file kills the process if the disk is full."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    zeros = bytes(2**20)
    for start in range(0, size, len(zeros)):
        file.write(zeros[: size - start])
    file.flush()
