"""Assign codes to values: a code is a step on the ladder of the cell.

After normalization and log1p, a cell has few distinct values: one for each count, and most counts are small. Cells with
the same smallest value share a ladder, which holds all their values. A code is the place of a value on the ladder, and
hardly larger than the count. Values are looked up, not computed, so they equal those of the source.

Ladders are keyed by the bits of float32 values, which for positive values have the order of the values. The final
order of ladders and of their values depends on the values only, not on the order in which they were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.packed import MAX_CODES, Steps

MAX_VALUES = 2**23
"""Maximum number of values of all ladders. They take 134 MB, and as much again while values are added."""
_ROUNDS = 24
"""Rounds after which the remaining values are sorted: rare large counts would take a round each."""


class LaddersTooLargeError(Exception):
    """A ladder has more values than two-byte codes can distinguish, or all ladders together have too many."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The distinct values of each cell, and the rank of each entry among those of its cell."""

    level: NDArray[np.int32]
    """Shape (n_entries,): rank of each entry among the distinct values of its cell, from 0."""
    counts: NDArray[np.int64]
    """Shape (n_cells,): number of distinct values of each cell."""
    bits: NDArray[np.uint32]
    """Distinct values of each cell, ascending, one cell after the other."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where the values of each cell start in `bits`."""
        return np.asarray(np.cumsum(self.counts) - self.counts)

    @property
    def lowest(self) -> NDArray[np.uint32]:
        """Smallest value of each cell; 0 for a cell without entries."""
        low = np.zeros(len(self.counts), dtype=np.uint32)
        some = self.counts > 0
        low[some] = self.bits[self.starts[some]]
        return low

    def of_entries(self, places: NDArray[np.uint16], indptr: NDArray[np.integer]) -> NDArray[np.uint16]:
        """Return the place of each entry, given that of each value in `bits`, and where each cell starts."""
        starts = np.repeat(self.starts.astype(np.int32), np.diff(indptr))
        return np.asarray(places[starts + self.level])


def levels(bits: NDArray[np.uint32], indptr: NDArray[np.integer]) -> Levels:
    """Rank the entries of each cell.

    Most entries of a cell have one of few values, so removing the smallest value of every cell, round by round, is
    several times faster than sorting.

    Parameters
    ----------
    bits
        Bits of the values of a block of cells, one cell after the other.
    indptr
        Where each cell starts in `bits`, shape (n_cells + 1,).
    """
    n = len(indptr) - 1
    level = np.zeros(len(bits), dtype=np.int32)
    rows = np.repeat(np.arange(n, dtype=np.int32), np.diff(indptr))
    values, left = bits, None
    found: list[tuple[NDArray[np.int32], NDArray[np.uint32], Any]] = []
    """Cells, the value of each, and its rank among the values of the cell."""
    lowest = np.zeros(n, dtype=np.uint32)
    for number in range(_ROUNDS):
        if not len(values):
            break
        heads = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
        low = np.minimum.reduceat(values, heads)
        found.append((rows[heads], low, number))
        lowest[rows[heads]] = low
        keep = np.flatnonzero(values != lowest[rows])
        left = keep if left is None else left[keep]
        values, rows = values[keep], rows[keep]
        level[left] += 1  # above the value that was removed
    if len(values):
        assert left is not None  # noqa: S101 - a round has set it
        keys, inverse = np.unique(_keys(rows, values), return_inverse=True)
        owners = (keys >> np.uint64(32)).astype(np.int32)
        heads = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
        rank = np.arange(len(keys)) - np.repeat(heads, np.diff(np.append(heads, len(keys)))) + _ROUNDS
        level[left] = rank[inverse]
        found.append((owners, (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32), rank))
    counts = np.zeros(n, dtype=np.int64)
    for owners, _, rank in found:  # ascending, so that the last rank of a cell remains
        counts[owners] = rank + 1
    starts = np.cumsum(counts) - counts
    distinct = np.empty(int(counts.sum()), dtype=np.uint32)
    for owners, low, rank in found:
        distinct[starts[owners] + rank] = low
    return Levels(level, counts, distinct)


class Ladders:
    """Collect the values of all ladders block by block, and give each a provisional place in order of arrival."""

    def __init__(self) -> None:
        self._keys: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
        """Bits of the smallest value of the ladder (upper half) and of the value (lower half), ascending."""
        self._places: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """Provisional place of each key on its ladder."""

    def __len__(self) -> int:
        """Return the number of values of all ladders."""
        return len(self._keys)

    def add(self, lowest: NDArray[np.uint32], found: Levels) -> NDArray[np.uint16]:
        """Add the values of some cells.

        Parameters
        ----------
        lowest
            Shape (n_cells,): bits of the smallest value of each cell among all genes.
        found
            The values of these cells.

        Returns
        -------
        numpy.ndarray
            The provisional place of each value in `found.bits`.

        Raises
        ------
        LaddersTooLargeError
            If a ladder has more than 65,536 values, or all ladders have more than `MAX_VALUES`.
        """
        keys, inverse = np.unique(_keys(np.repeat(lowest, found.counts), found.bits), return_inverse=True)
        at = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), dtype=bool)
        inside = at < len(self._keys)
        known[inside] = self._keys[at[inside]] == keys[inside]
        new = keys[~known]
        if len(new):
            ladder = new >> np.uint64(32)
            first = np.searchsorted(ladder, ladder, side="left")
            held = self._keys >> np.uint64(32)
            before = np.searchsorted(held, ladder, side="right") - np.searchsorted(held, ladder, side="left")
            places = before + np.arange(len(new)) - first
            if int(places.max()) >= MAX_CODES:
                raise LaddersTooLargeError
            if len(self._keys) + len(new) > MAX_VALUES:
                raise LaddersTooLargeError
            into = np.searchsorted(self._keys, new)
            self._keys = np.insert(self._keys, into, new)
            self._places = np.insert(self._places, into, places)
        return np.asarray(self._places[np.searchsorted(self._keys, keys)].astype(np.uint16)[inverse])

    def finish(self, lowest: NDArray[np.uint32]) -> tuple[Steps, NDArray[np.uint16]]:
        """Return the ladders of all cells, and the final code of each provisional one.

        Parameters
        ----------
        lowest
            Shape (n_cells,): as for :meth:`add`, but for all cells; any value for a cell without entries.

        Returns
        -------
        tuple of Steps and numpy.ndarray
            The ladders, and the final code at ``starts[ladder] + provisional code``.
        """
        if not len(self._keys):  # one empty ladder, so that every cell has one
            empty = np.zeros(0, dtype=np.float32)
            cells = np.zeros(len(lowest), dtype=np.int64)
            return Steps(np.zeros(2, dtype=np.int64), empty, cells), np.zeros(0, dtype=np.uint16)
        ladder = self._keys >> np.uint64(32)
        lows, starts = np.unique(ladder, return_index=True)
        starts = np.append(starts, len(ladder)).astype(np.int64)
        values = (self._keys & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.float32)
        # Cells without entries never use their ladder.
        of_cell = np.searchsorted(lows, lowest.astype(np.uint64)).clip(max=len(lows) - 1)
        final = np.empty(len(ladder), dtype=np.uint16)
        owner = np.repeat(np.arange(len(lows)), np.diff(starts))
        rank = np.arange(len(ladder)) - starts[owner]
        final[starts[owner] + self._places] = rank
        return Steps(starts, values, of_cell.astype(np.int64)), final


def _keys(high: NDArray[np.integer], low: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return np.asarray((high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64))
