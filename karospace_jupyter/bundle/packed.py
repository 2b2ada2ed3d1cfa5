"""The files of packed genes: every gene of a matrix, sparse and exact.

FORMAT.md defines them. This module holds the layout of the index and of the ladders, and reads genes; the exporter
uses the same functions.
"""

from __future__ import annotations

import bisect
import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.damage import damage, header_of
from karospace_jupyter.bundle.manifest import PACKED_VERSION, GeneSummary
from karospace_jupyter.bundle.markers import markers_bytes, read_markers
from karospace_jupyter.bundle.planes import from_planes, planes
from karospace_jupyter.errors import BundleError
from karospace_jupyter.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from karospace_jupyter.bundle.manifest import Packed
    from karospace_jupyter.bundle.markers import MarkerTable
    from karospace_jupyter.bundle.read import BundleReader

MAGIC = b"KSPK"
FULL = 255
"""A byte of the gaps that means: add 255 and continue."""
MAX_CODES = 2**16
"""Maximum number of values of a ladder: codes take at most two bytes."""
_COUNTS = ("stored", "gap_bytes", "missing", "variability_rank", "width")
_NUMBERS = ("min", "max", "mean", "lower", "upper")
_HEADER = 4


@dataclass(frozen=True, slots=True)
class Index:
    """Where each gene is, and its statistics. Every array has one value for each gene."""

    n_cells: int
    names: list[str]
    labels: list[list[str]]
    """Alternative names of the genes, one list for each column of `Packed.labels`."""
    stored: NDArray[np.uint32]
    """Number of entries: cells whose value is not zero, or missing."""
    gap_bytes: NDArray[np.uint32]
    """Bytes of the cells of the entries; 0 if every cell has an entry."""
    missing: NDArray[np.uint32]
    """Number of entries without a value (NaN)."""
    variability_rank: NDArray[np.uint32]
    """1 for the most variable gene; 0 if the values do not show which genes vary."""
    width: NDArray[np.uint32]
    """Bytes of each entry: 1 or 2 for codes, 4 for float32."""
    min: NDArray[np.float32]
    max: NDArray[np.float32]
    mean: NDArray[np.float32]
    lower: NDArray[np.float32]
    upper: NDArray[np.float32]

    def summary(self, gene: int) -> GeneSummary:
        """Return the statistics of a gene."""
        missing = int(self.missing[gene])
        present = self.n_cells - missing
        # Not validated: a damaged index may contain invalid numbers, which verification reports.
        return GeneSummary.model_construct(
            min=float(self.min[gene]),
            max=float(self.max[gene]),
            mean=float(self.mean[gene]),
            lower=float(self.lower[gene]),
            upper=float(self.upper[gene]),
            fraction=(int(self.stored[gene]) - missing) / present if present else 0,
            missing=missing,
        )


@dataclass(frozen=True, slots=True)
class Steps:
    """The values that codes stand for: each cell has a ladder, and a code is a step on it."""

    starts: NDArray[np.int64]
    """Shape (n_ladders + 1,): the first value of each ladder."""
    values: NDArray[np.float32]
    """The values of all ladders, one after the other; those of a ladder ascend by their bits."""
    ladders: NDArray[np.unsignedinteger[Any]] | NDArray[np.int64]
    """Shape (n_cells,): the ladder of each cell."""


def write_index(index: Index) -> bytes:
    """Return the bytes of an index."""
    header = np.array([PACKED_VERSION, len(index.names), index.n_cells, 1 + len(index.labels)], dtype="<u4")
    parts = [MAGIC, header.tobytes()]
    parts += [getattr(index, name).astype("<u4").tobytes() for name in _COUNTS]
    parts += [getattr(index, name).astype("<f4").tobytes() for name in _NUMBERS]
    return b"".join([*parts, text_bytes([index.names, *index.labels])])


def text_bytes(columns: Sequence[Sequence[str]]) -> bytes:
    """Encode the texts of an index: the names, then each column of labels."""
    parts: list[bytes] = []
    for texts in columns:
        data = [text.encode("utf-8") for text in texts]
        ends = np.cumsum([0, *map(len, data)]).astype("<u4")
        joined = b"".join(data)
        parts += [ends.tobytes(), joined, bytes(-len(joined) % 4)]
    return b"".join(parts)


def read_index(raw: bytes, path: str, packed: Packed, n_cells: int) -> Index:
    """Read an index.

    Raises
    ------
    BundleError
        If it is damaged, or does not belong to this manifest.
    """
    with damage(path):
        g, cells, texts = header_of(raw, path, MAGIC, "an index of packed genes", PACKED_VERSION, _HEADER - 1)
        if (g, cells, texts) != (packed.n_genes, n_cells, 1 + len(packed.labels or ())):
            msg = f"{path} has {counted(g, 'gene')} and {counted(cells, 'cell')}, not those of the manifest"
            raise BundleError(msg)
        at = 4 + 4 * _HEADER
        arrays: dict[str, Any] = {}
        for name in (*_COUNTS, *_NUMBERS):
            arrays[name] = np.frombuffer(raw, "<u4" if name in _COUNTS else "<f4", g, at)
            at += 4 * g
        found = []
        for _ in range(texts):
            ends = np.frombuffer(raw, "<u4", g + 1, at).astype(np.int64)
            at += 4 * (g + 1)
            length = int(ends[-1])
            if (np.diff(ends) < 0).any() or ends[0] != 0 or at + length > len(raw):
                msg = f"{path} is damaged: the offsets of its gene names are invalid"
                raise BundleError(msg)
            text = raw[at : at + length]
            found.append([text[a:b].decode("utf-8") for a, b in itertools.pairwise(ends.tolist())])
            at += length + -length % 4
        if at != len(raw):
            msg = f"{path} is damaged: it has {len(raw):,} bytes; expected {at:,}"
            raise BundleError(msg)
        index = Index(n_cells, found[0], found[1:], **arrays)
        stored, gaps = index.stored.astype(np.int64), index.gap_bytes.astype(np.int64)
        widths = (4,) if packed.values == "float32" else (1, 2)
        some = stored < n_cells
        sound = (
            np.isin(index.width, widths).all()
            and (stored <= n_cells).all()
            and (index.missing <= stored).all()
            and (gaps[some] >= stored[some]).all()
            and (gaps <= stored + n_cells // FULL).all()
        )
        if not sound:
            msg = f"{path} is damaged: its gene sizes are invalid"
            raise BundleError(msg)
        return index


def write_steps(steps: Steps) -> bytes:
    """Return the bytes of the ladders."""
    n = len(steps.starts) - 1
    header = np.array([n, len(steps.values)], dtype="<u4").tobytes()
    starts = steps.starts.astype("<u4").tobytes()
    cells = planes(steps.ladders.astype(_ladder_type(n)))
    return header + starts + planes(steps.values.astype("<f4")) + cells


def read_steps(raw: bytes, path: str, n_cells: int) -> Steps:
    """Read the ladders.

    Raises
    ------
    BundleError
        If they are damaged.
    """
    with damage(path):
        n, n_values = np.frombuffer(raw, "<u4", 2).tolist()
        dtype = _ladder_type(n)
        expected = 8 + 4 * (n + 1) + 4 * n_values + n_cells * dtype.itemsize
        if len(raw) != expected:
            msg = f"{path} is damaged: it has {len(raw):,} bytes; expected {expected:,}"
            raise BundleError(msg)
        starts = np.frombuffer(raw, "<u4", n + 1, 8).astype(np.int64)
        at = 8 + 4 * (n + 1)
        values = from_planes(raw[at : at + 4 * n_values], np.dtype("<f4")).astype(np.float32)
        ladders: Any = from_planes(raw[at + 4 * n_values :], dtype)
        if starts[0] != 0 or starts[-1] != n_values or (np.diff(starts) < 0).any() or (ladders >= n).any():
            msg = f"{path} is damaged: the offsets or numbers of its ladders are invalid"
            raise BundleError(msg)
        return Steps(starts, values, ladders)


def _ladder_type(n: int) -> np.dtype[np.generic]:
    return np.dtype("u1" if n <= 2**8 else "<u2" if n <= 2**16 else "<u4")


def cells_of(gaps: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Decode the gaps of a gene, and return the cells of its entries."""
    full = gaps == FULL
    step = gaps.astype(np.int64) + 1
    step[full] = FULL
    return np.asarray((np.cumsum(step) - 1)[~full])


def gaps_of(
    cells: NDArray[np.integer], starts: NDArray[np.integer], first: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Encode the cells of the entries of some genes as gaps.

    Parameters
    ----------
    cells
        The cells, ascending within each gene, one gene after the other.
    starts
        Where each gene starts in `cells`, shape (n_genes + 1,).
    first
        Shape (n_genes,): number of cells between the last entry of each gene in earlier blocks and its first one here.

    Returns
    -------
    tuple
        The bytes, and where each gene starts in them.
    """
    begins: NDArray[np.int64] = starts.astype(np.int64)
    gaps = np.empty(len(cells), dtype=np.int64)
    gaps[1:] = cells[1:]
    gaps[1:] -= cells[:-1]
    gaps -= 1
    genes = np.flatnonzero(np.diff(begins))
    gaps[begins[genes]] = first[genes]
    large = np.flatnonzero(gaps >= FULL)
    if not len(large):
        return gaps.astype(np.uint8), begins
    times, rest = np.divmod(gaps[large], FULL)
    small = gaps.astype(np.uint8)
    small[large] = rest
    added = np.zeros(len(cells) + 1, dtype=np.int64)
    added[large + 1] = times
    added = np.cumsum(added)
    out = np.full(len(cells) + int(added[-1]), FULL, dtype=np.uint8)
    out[np.arange(len(cells)) + added[1:]] = small
    return out, begins + added[begins]


class PackedGenes:
    """Read the packed genes of a bundle.

    Parameters
    ----------
    bundle
        The bundle.
    packed
        Their entry in the manifest, of a version that this package can read.

    Raises
    ------
    BundleError
        If they are damaged.
    """

    def __init__(self, bundle: BundleReader, packed: Packed) -> None:
        self._bundle, self._packed = bundle, packed
        n = bundle.manifest.n_cells
        self.index = read_index(self._joined(packed.index), packed.index[0], packed, n)
        self._positions = {name: i for i, name in enumerate(self.index.names)}
        self._firsts = [shard.first for shard in packed.shards]
        expected = 0
        for shard in packed.shards:
            if shard.first != expected or shard.end <= shard.first:
                msg = f"{shard.paths[0]} starts at gene {shard.first:,}; expected gene {expected:,}."
                raise BundleError(msg)
            expected = shard.end
        if expected != packed.n_genes:
            msg = (
                f"The packed genes of {packed.source} have files for {expected:,} of {counted(packed.n_genes, 'gene')}."
            )
            raise BundleError(msg)

    @functools.cached_property
    def steps(self) -> Steps | None:
        """The values that codes stand for; None if there are no codes."""
        if self._packed.values == "float32":
            return None
        if not self._packed.ladders:
            msg = f"The packed genes of {self._bundle.files.origin} have no ladders; their codes cannot be read."
            raise BundleError(msg)
        return read_steps(self._joined(self._packed.ladders), self._packed.ladders[0], self.index.n_cells)

    def position(self, name: str) -> int | None:
        """Return the position of a gene; None if no gene has this name."""
        return self._positions.get(name)

    @property
    def labels(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Alternative names of the genes: (column of var, one text per gene)."""
        columns = self._packed.labels or ()
        return tuple((column, tuple(texts)) for column, texts in zip(columns, self.index.labels, strict=True))

    def vector(self, position: int) -> NDArray[np.float32]:
        """Return the values of one gene, shape (n_cells,)."""
        shard = self._packed.shards[bisect.bisect_right(self._firsts, position) - 1]
        raw, gaps, values = self._shard(shard.paths, shard.first, shard.end)
        i = position - shard.first
        cells, found = self._entries(raw, shard.paths[0], position, int(gaps[i]), int(values[i]))
        vector = np.zeros(self.index.n_cells, dtype=np.float32)
        vector[cells] = found
        return vector

    def entries(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield the cells and the values of the entries of every gene, in order."""
        for shard in self._packed.shards:
            raw, gaps, values = self._shard(shard.paths, shard.first, shard.end)
            for i in range(shard.end - shard.first):
                yield self._entries(raw, shard.paths[0], shard.first + i, int(gaps[i]), int(values[i]))

    @property
    def marked(self) -> list[str]:
        """Names of the columns with markers."""
        return [one.column for one in self._packed.markers or ()]

    def markers(self, column: str) -> Iterator[MarkerTable]:
        """Yield the markers of consecutive categories of a column of :attr:`marked`.

        Raises
        ------
        BundleError
            If a file is missing or damaged, or the manifest has no such column with categories.
        """
        shards = next(one.shards for one in self._packed.markers or () if one.column == column)
        n = len(self._bundle.manifest.category_names(column))
        expected = 0
        for shard in shards:
            if shard.first != expected or not expected < shard.end <= n:
                where = f"category {expected:,} of the {n:,} of {column!r}"
                msg = (
                    f"{shard.paths[0]} has the categories {shard.first:,} to {shard.end:,}; expected them from {where}."
                )
                raise BundleError(msg)
            expected = shard.end
            most = markers_bytes(shard.end - shard.first, self._packed.n_genes)
            raw = self._joined(shard.paths, most, "the size of its categories")
            yield read_markers(raw, shard.paths[0], shard.end - shard.first, self._packed.n_genes)
        if expected != n or not n:
            found = counted(n, "category", "categories")
            msg = f"The markers of {column!r} have files for {expected:,} of {found}."
            raise BundleError(msg)

    def _joined(self, paths: Sequence[str], most: int | None = None, why: str = "the size of its genes") -> bytes:
        if not paths:
            msg = f"The packed genes of {self._bundle.files.origin} lack a file."
            raise BundleError(msg)
        parts: list[bytes] = []
        for path in paths:
            left = None if most is None else most - sum(map(len, parts))
            parts.append(self._bundle.read(path, left, why))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _shard(
        self, paths: Sequence[str], first: int, end: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """Return a shard, and where in it the gaps and the values of each of its genes start."""
        index = self.index
        gap_bytes = index.gap_bytes[first:end].astype(np.int64)
        sizes = index.stored[first:end].astype(np.int64) * index.width[first:end]
        gaps = np.cumsum(gap_bytes) - gap_bytes
        values = gap_bytes.sum() + np.cumsum(sizes) - sizes
        expected = int(gap_bytes.sum() + sizes.sum())
        raw = np.frombuffer(self._joined(paths, expected), np.uint8)
        if len(raw) != expected:
            msg = f"{paths[0]} has {len(raw):,} bytes; expected {expected:,} for its genes."
            raise BundleError(msg)
        return raw, gaps, values

    def _entries(
        self, raw: NDArray[np.uint8], path: str, gene: int, gap: int, at: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        with damage(path):
            return self._decoded(raw, path, gene, gap, at)

    def _decoded(
        self, raw: NDArray[np.uint8], path: str, gene: int, gap: int, at: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        index = self.index
        n, width, n_gaps = int(index.stored[gene]), int(index.width[gene]), int(index.gap_bytes[gene])
        cells = np.arange(index.n_cells) if n == index.n_cells and not n_gaps else cells_of(raw[gap : gap + n_gaps])
        unended = n_gaps > 0 and raw[gap + n_gaps - 1] == FULL
        if len(cells) != n or (n and cells[-1] >= index.n_cells) or unended:
            msg = f"{path} is damaged: the cells of the gene {index.names[gene]!r} do not match the index."
            raise BundleError(msg)
        data = raw[at : at + n * width].tobytes()
        if self.steps is None:
            return cells, from_planes(data, np.dtype("<f4")).astype(np.float32)
        steps = self.steps
        codes = from_planes(data, np.dtype("u1" if width == 1 else "<u2")).astype(np.int64)
        ladders = steps.ladders[cells].astype(np.int64)
        places = steps.starts[ladders] + codes
        if (places >= steps.starts[ladders + 1]).any():
            msg = f"{path} is damaged: the gene {index.names[gene]!r} has a code beyond the ladder of its cell."
            raise BundleError(msg)
        return cells, steps.values[places]
