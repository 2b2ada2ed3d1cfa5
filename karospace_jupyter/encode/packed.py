"""Encode packed genes: every gene of the matrix, sparse, in files of about 1 MiB before compression.

The matrix is read once, in blocks (twice if it is stored by gene). Each block is transposed and encoded, with one or
two bytes for a code or four for a float32; blocks that exceed the memory limit are kept in a temporary file. Then each
gene is assembled, summarized and written.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from karospace_jupyter.bundle.compress import Method
from karospace_jupyter.bundle.ladders import Ladders, LaddersTooLargeError, Levels, levels
from karospace_jupyter.bundle.manifest import PACKED_VERSION, AssetFile, Packed, PackedMarkers, PackedShard
from karospace_jupyter.bundle.packed import (
    Index,
    Steps,
    cells_of,
    gaps_of,
    write_index,
    write_steps,
)
from karospace_jupyter.bundle.planes import planes
from karospace_jupyter.bundle.summary import summarize_entries
from karospace_jupyter.encode.expression import MissingValues
from karospace_jupyter.encode.markers import GeneEntries, Markers, Order
from karospace_jupyter.encode.variability import Moments, moments_of_entries, variability_ranks
from karospace_jupyter.errors import SinkError
from karospace_jupyter.plan.markers import categories_per_file
from karospace_jupyter.plan.packed_genes import SHARD_BYTES, prefers_ladders, sample_rows
from karospace_jupyter.source.entries import as_entries
from karospace_jupyter.source.passes import map_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from karospace_jupyter.bundle.manifest import GeneSummary
    from karospace_jupyter.encode.pack import Packer
    from karospace_jupyter.job import Job, Stage
    from karospace_jupyter.plan import Plan
    from karospace_jupyter.plan.model import CategoryAnnotation
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.entries import Entries

FIRST_FOLDER = "packed"
"""Folder of the first matrix in `assets`."""
_BLOCK_BYTES_PER_ENTRY = 64
"""Memory that one value of a block takes while the block is encoded."""
_MAX_BLOCKS = 8
"""Maximum number of blocks that are encoded at a time."""
_MAX_ENTRIES = 4_000_000
"""Maximum number of values of a block."""
_BATCH = 32
"""Number of genes that a thread assembles at a time."""


class _Block(NamedTuple):
    """A transposed block: the entries of each gene among some cells."""

    gene: int
    """The first gene."""
    end: int
    gaps: NDArray[np.uint8]
    gap_starts: NDArray[np.uint32]
    """Shape (n_genes + 1,)."""
    values: NDArray[Any]
    """Provisional codes, or float32."""
    starts: NDArray[np.uint32]
    """Shape (n_genes + 1,)."""


class _InFile(NamedTuple):
    """An array that is held in a file."""

    at: int
    dtype: np.dtype[Any]
    length: int


class _HeldBlock(NamedTuple):
    """A block whose arrays may be held in a file."""

    gene: int
    end: int
    arrays: list[NDArray[Any] | _InFile]


@dataclass(frozen=True, slots=True)
class _Gene:
    """A gene as written, and its entry in the index."""

    gaps: bytes
    values: bytes
    stored: int
    width: int
    summary: GeneSummary
    moments: Moments


def encode_packed(
    plan: Plan,
    source: Source,
    packer: Packer,
    max_bytes: int,
    memory_bytes: int,
    job: Job,
    *,
    folder: str = FIRST_FOLDER,
) -> tuple[Packed, list[AssetFile], MissingValues]:
    """Write every gene of the matrix.

    Parameters
    ----------
    plan
        The exported cells, and the kind of values.
    source
        The data of the plan.
    packer
        Compresses and stores the files.
    max_bytes
        Maximum size of a file before compression.
    memory_bytes
        Memory for the blocks that are being encoded, and for encoded blocks.
    job
        Receives progress and can cancel the export.
    folder
        The folder in `assets`.

    Returns
    -------
    tuple
        The entry of the manifest, the files, and the missing values of all genes.
    """
    with ThreadPoolExecutor(packer.threads, thread_name_prefix="karospace-packed") as pool:
        return _Encoder(plan, source, packer, max_bytes, memory_bytes, pool, job, folder).encode()


class _Encoder:
    """Encode all genes of one matrix."""

    def __init__(
        self,
        plan: Plan,
        source: Source,
        packer: Packer,
        max_bytes: int,
        memory_bytes: int,
        pool: ThreadPoolExecutor,
        job: Job,
        folder: str,
    ) -> None:
        self._folder = folder
        self._suffix = "" if folder == FIRST_FOLDER else f" of {plan.matrix_name}"
        self._plan, self._source, self._packer, self._job, self._pool = plan, source, packer, job, pool
        self._max_bytes, self._memory_bytes = max_bytes, memory_bytes
        self._n, self._g = plan.cells.n, source.n_genes
        # With many threads, the blocks would become so small that the overhead of each one matters.
        self._ahead = min(packer.threads, _MAX_BLOCKS)
        share = memory_bytes // (4 * (self._ahead + 1) * _BLOCK_BYTES_PER_ENTRY)
        self._most_entries = max(2**16, min(_MAX_ENTRIES, share))
        self._infinite = np.zeros(self._g, dtype=np.int64)
        self._rounded = np.zeros(self._g, dtype=np.int64)

    def encode(self) -> tuple[Packed, list[AssetFile], MissingValues]:
        lowest, sample = _sampled(self._source, self._plan.cells.rows, self._n, self._most_entries, self._job)
        if prefers_ladders(*sample):
            try:
                return self._encode(lowest, Ladders())
            except LaddersTooLargeError:
                self._infinite[:] = self._rounded[:] = 0
        return self._encode(lowest, None)

    def _encode(
        self, lowest: NDArray[np.uint32] | None, ladders: Ladders | None
    ) -> tuple[Packed, list[AssetFile], MissingValues]:
        with _BlockBuffer(self._memory_bytes // 2) as held:
            lows: list[NDArray[np.uint32]] = []
            total = self._n if lowest is None else self._g
            with self._job.stage(f"Reading all genes{self._suffix}", total, self._unit) as stage:
                blocks = list(self._blocks(lowest, ladders, lows, held, stage))
            steps = final = None
            if ladders is not None:
                steps, final = ladders.finish(np.concatenate(lows) if lowest is None else lowest)
            return self._assemble([held.mapped(block) for block in blocks], steps, final)

    @property
    def _unit(self) -> str:
        return "genes" if self._source.by_column else "cells"

    def _blocks(
        self,
        lowest: NDArray[np.uint32] | None,
        ladders: Ladders | None,
        lows: list[NDArray[np.uint32]],
        held: _BlockBuffer,
        stage: Stage,
    ) -> Iterator[_HeldBlock]:
        def prepared(part: Callable[[], Entries]) -> tuple[Entries, Levels | None]:
            entries = part()
            if ladders is None:
                return entries, None
            return entries, levels(entries.values.data.view(np.uint32), entries.values.indptr)

        def coded(item: tuple[Entries, Levels | None]) -> tuple[Entries, Levels | None, NDArray[np.uint16] | None]:
            entries, found = item
            self._infinite[entries.gene : entries.gene + len(entries.infinite)] += entries.infinite
            self._rounded[entries.gene : entries.gene + len(entries.rounded)] += entries.rounded
            if ladders is None or found is None:
                return entries, None, None
            low = lowest
            if low is None:
                low = found.lowest
                lows.append(low)
            return entries, found, ladders.add(low, found)

        def transposed(item: tuple[Entries, Levels | None, NDArray[np.uint16] | None]) -> tuple[Entries, Any]:
            entries, found, places = item
            values = entries.values
            if found is not None and places is not None:
                codes = _narrow(found.of_entries(places, values.indptr))
                values = type(values)((codes, values.indices, values.indptr), shape=values.shape)
            return entries, values.tocsc()

        last = np.full(self._g, -1, dtype=np.int64)

        def placed(item: tuple[Entries, Any]) -> tuple[int, int, Any, NDArray[np.int64]]:
            entries, columns = item
            genes = np.flatnonzero(np.diff(columns.indptr))
            first = np.zeros(columns.shape[1], dtype=np.int64)
            first[genes] = columns.indices[columns.indptr[genes]] + entries.cell - last[entries.gene + genes] - 1
            last[entries.gene + genes] = columns.indices[columns.indptr[genes + 1] - 1] + entries.cell
            return entries.gene, entries.values.shape[0], columns, first

        def with_gaps(item: tuple[int, int, Any, NDArray[np.int64]]) -> tuple[int, _Block]:
            gene, n_cells, columns, first = item
            gaps, starts = gaps_of(columns.indices, columns.indptr, first)
            gap_starts, value_starts = starts.astype(np.uint32), columns.indptr.astype(np.uint32)
            block = _Block(gene, gene + columns.shape[1], gaps, gap_starts, columns.data, value_starts)
            return (columns.shape[1] if self._source.by_column else n_cells), block

        ahead = self._ahead
        parts = self._source.entries(self._plan.cells.rows, self._most_entries)
        read = map_ahead(self._pool, prepared, parts, ahead)
        genes = map_ahead(self._pool, transposed, (coded(item) for item in read), ahead)
        for length, block in map_ahead(self._pool, with_gaps, (placed(item) for item in genes), ahead):
            yield held.hold(block)
            stage.advance(length)

    def _assemble(
        self, blocks: list[_Block], steps: Steps | None, final: NDArray[np.uint16] | None
    ) -> tuple[Packed, list[AssetFile], MissingValues]:
        base = None if steps is None else steps.starts[steps.ladders]
        order = Order(None if steps is None else steps.values)
        # All blocks are encoded, so the half of the memory for encoding them is free.
        markers = Markers(self._marker_columns(), self._n, self._g, order, self._memory_bytes // 4)
        ends = np.array([block.end for block in blocks])

        def assembled(gene: int) -> tuple[_Gene, GeneEntries]:
            # A block holds a range of genes if the matrix is stored by gene, otherwise all genes of some cells.
            first = int(np.searchsorted(ends, gene, side="right")) if self._source.by_column else 0
            parts = [
                (block, gene - block.gene) for block in blocks[first : first + 1 if self._source.by_column else None]
            ]
            gaps = _joined([block.gaps[block.gap_starts[i] : block.gap_starts[i + 1]] for block, i in parts])
            held = _joined([block.values[block.starts[i] : block.starts[i + 1]] for block, i in parts])
            n = len(held)
            if n == self._n:
                gaps = gaps[:0]
            needed = base is not None or markers
            cells = cells_of(gaps) if n < self._n and needed else None
            places = None
            if base is None or steps is None or final is None:
                values, data, width = held, planes(np.ascontiguousarray(held, dtype="<f4")), 4
            else:
                firsts = base if cells is None else base[cells]
                codes = _narrow(final[firsts + held])
                places = firsts + codes
                values = steps.values[places]
                data, width = planes(codes), codes.dtype.itemsize
            zeros = self._n - n
            summary = summarize_entries(values, zeros)
            moments = moments_of_entries(values, zeros, self._plan.values)
            made = _Gene(gaps.tobytes(), data, n, width, summary, moments)
            return made, GeneEntries(values, cells, places)

        def prepared(batch: range) -> list[_Gene]:
            found: list[_Gene] = []

            def entries() -> Iterator[GeneEntries]:
                for gene in batch:
                    made, of_gene = assembled(gene)
                    found.append(made)
                    yield of_gene

            markers.add(batch, entries())
            return found

        batches = (range(start, min(start + _BATCH, self._g)) for start in range(0, self._g, _BATCH))
        done = map_ahead(self._pool, prepared, batches, self._packer.threads)
        return self._write_files((gene for batch in done for gene in batch), steps, markers)

    def _marker_columns(self) -> list[CategoryAnnotation]:
        """Return the columns whose markers are computed."""
        names = self._plan.markers
        return [one for one in self._plan.annotations if one.name in names and one.kind == "category"]

    def _write_files(
        self, genes: Iterable[_Gene], steps: Steps | None, markers: Markers
    ) -> tuple[Packed, list[AssetFile], MissingValues]:
        written: list[tuple[int, int, list[Future[AssetFile]]]] = []
        waiting: list[_Gene] = []
        size = first = 0
        facts: list[tuple[int, int, int, GeneSummary, Moments]] = []

        def write() -> None:
            nonlocal size, first
            raw = b"".join([*(gene.gaps for gene in waiting), *(gene.values for gene in waiting)])
            written.append((first, first + len(waiting), self._pack(f"shard_{len(written):04d}", raw)))
            first += len(waiting)
            size = 0
            waiting.clear()
            if len(written) > 4:  # raise errors of the threads early
                for future in written[-4][2]:
                    future.result()

        with self._job.stage(f"Writing all genes{self._suffix}", self._g, "genes") as stage:
            for gene in genes:
                length = len(gene.gaps) + len(gene.values)
                if waiting and size + length > min(SHARD_BYTES, self._max_bytes):
                    write()
                waiting.append(gene)
                size += length
                facts.append((gene.stored, len(gene.gaps), gene.width, gene.summary, gene.moments))
                stage.advance()
            if waiting:
                write()
        index = self._index(facts)
        labels = self._plan.packed.labels if self._plan.packed is not None else ()
        index_files = self._pack("index", write_index(index))
        ladder_files = None if steps is None else self._pack("ladders", write_steps(steps))
        marker_files = self._write_markers(markers)
        files: list[AssetFile] = []

        def paths(futures: list[Future[AssetFile]]) -> list[str]:
            done = [future.result() for future in futures]
            files.extend(done)
            return [file.path for file in done]

        packed = Packed(
            version=PACKED_VERSION,
            source=self._plan.matrix_name,
            n_genes=self._g,
            values="float32" if steps is None else "ladder",
            index=paths(index_files),
            ladders=None if ladder_files is None else paths(ladder_files),
            labels=[column for column, _ in labels] or None,
            shards=[PackedShard(paths=paths(futures), first=a, end=b) for a, b, futures in written],
            markers=[
                PackedMarkers(
                    column=column, shards=[PackedShard(paths=paths(futures), first=a, end=b) for a, b, futures in parts]
                )
                for column, parts in marker_files
            ]
            or None,
        )
        return packed, files, self._missing(index)

    def _write_markers(self, markers: Markers) -> list[tuple[str, list[tuple[int, int, list[Future[AssetFile]]]]]]:
        """Write the markers of each column; return its name, and the categories and parts of each file."""
        each = categories_per_file(self._g, min(SHARD_BYTES, self._max_bytes))
        written = []
        for number, column in enumerate(self._marker_columns()):
            parts: list[tuple[int, int, list[Future[AssetFile]]]] = []
            for first, end, raw in markers.files(number, each):
                self._job.check()
                parts.append((first, end, self._pack(f"markers_{number:03d}_{len(parts):03d}", raw)))
            written.append((column.name, parts))
        return written

    def _pack(self, name: str, raw: bytes) -> list[Future[AssetFile]]:
        """Write a file, or several if it exceeds the maximum size."""
        pieces = [raw[at : at + self._max_bytes] for at in range(0, len(raw), self._max_bytes)] or [raw]
        stems = [f"assets/{self._folder}/{name}" + (f"_{i:03d}" if len(pieces) > 1 else "") for i in range(len(pieces))]
        return [
            self._packer.run(lambda s=stem, r=piece: self._packer.pack("packed", f"{s}.bin", r, Method.RUNS))  # type: ignore[misc]  # defaults bind the loop's values
            for stem, piece in zip(stems, pieces, strict=True)
        ]

    def _index(self, facts: list[tuple[int, int, int, GeneSummary, Moments]]) -> Index:
        planned = self._plan.packed
        assert planned is not None  # noqa: S101 - packed genes are planned
        ranks = variability_ranks([fact[4] for fact in facts], self._plan.values) if facts else None
        summaries = [fact[3] for fact in facts]

        def counts(values: Iterable[int]) -> NDArray[np.uint32]:
            return np.fromiter(values, dtype=np.uint32, count=self._g)

        def numbers(name: str) -> NDArray[np.float32]:
            return np.array([getattr(summary, name) for summary in summaries], dtype=np.float32)

        return Index(
            n_cells=self._n,
            names=list(planned.names),
            labels=[list(texts) for _, texts in planned.labels],
            stored=counts(fact[0] for fact in facts),
            gap_bytes=counts(fact[1] for fact in facts),
            missing=counts(summary.missing for summary in summaries),
            variability_rank=counts(ranks if ranks is not None else [0] * self._g),
            width=counts(fact[2] for fact in facts),
            min=numbers("min"),
            max=numbers("max"),
            mean=numbers("mean"),
            lower=numbers("lower"),
            upper=numbers("upper"),
        )

    def _missing(self, index: Index) -> MissingValues:
        def found(counts: NDArray[Any]) -> tuple[tuple[str, int], ...]:
            return tuple((index.names[i], int(counts[i])) for i in np.flatnonzero(counts))

        return MissingValues(found(index.missing - self._infinite), found(self._infinite), found(self._rounded))


class _BlockBuffer:
    """Hold arrays in memory up to a limit, and the rest in a temporary file.

    Raises
    ------
    SinkError
        If the temporary file cannot be written.
    """

    def __init__(self, memory_bytes: int) -> None:
        self._left = memory_bytes
        self._file: Any = None
        self._map: NDArray[np.uint8] | None = None

    def __enter__(self) -> _BlockBuffer:
        return self

    def __exit__(self, *_: object) -> None:
        self._map = None
        if self._file is not None:
            # Closing writes again what could not be written, which `hold` has reported.
            with contextlib.suppress(OSError):
                self._file.close()

    def hold(self, block: _Block) -> _HeldBlock:
        """Hold a block; arrays that exceed the remaining memory are written to a temporary file."""
        try:
            return _HeldBlock(block.gene, block.end, [self._hold(array) for array in block[2:]])
        except OSError as exc:
            msg = (
                f"Genes that exceed the memory limit cannot be stored in {tempfile.gettempdir()}: "
                f"{exc.strerror or exc}. Free space there, set the environment variable TMPDIR to another folder, or "
                "allow more memory (memory_mb)."
            )
            raise SinkError(msg) from exc

    def _hold(self, array: NDArray[Any]) -> NDArray[Any] | _InFile:
        if array.nbytes <= self._left or not array.nbytes:
            self._left -= array.nbytes
            return array
        return self._write(array)

    def _write(self, array: NDArray[Any]) -> _InFile:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="karospace-")  # noqa: SIM115 - closed with this object
        at = self._file.seek(0, os.SEEK_END)
        at += self._file.write(bytes(-at % 8))  # numbers begin at multiples of their size
        self._file.write(np.ascontiguousarray(array).data)
        self._file.flush()
        return _InFile(at, array.dtype, len(array))

    def mapped(self, block: _HeldBlock) -> _Block:
        """Return a held block; its arrays in the file share one memory map. Nothing can be held afterwards."""
        if self._file is not None and self._map is None:
            self._map = np.memmap(self._file, dtype=np.uint8, mode="r")

        def array(held: NDArray[Any] | _InFile) -> NDArray[Any]:
            if isinstance(held, np.ndarray):
                return held
            assert self._map is not None  # noqa: S101 - something is in the file
            return self._map[held.at : held.at + held.length * held.dtype.itemsize].view(held.dtype)

        gaps, gap_starts, values, starts = map(array, block.arrays)
        return _Block(block.gene, block.end, gaps, gap_starts, values, starts)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.asarray(parts[0]) if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0, np.uint8)


def _narrow(codes: NDArray[np.uint16]) -> NDArray[np.unsignedinteger[Any]]:
    """Return the codes in one byte each if they fit, otherwise in two (little-endian)."""
    return codes.astype("u1" if not len(codes) or int(codes.max()) < 2**8 else "<u2")


def _sampled(
    source: Source, rows: NDArray[np.int64] | None, n: int, most: int, job: Job
) -> tuple[NDArray[np.uint32] | None, tuple[NDArray[np.uint32], NDArray[np.int64]]]:
    """Sample cells with all their genes, and find the smallest value of each cell if the matrix is stored by gene.

    Returns
    -------
    tuple
        The bits of the smallest value of each cell, or None unless the matrix is stored by gene; and the sample: the
        bits of its values, cell by cell, and where each cell starts.
    """
    if not source.by_column:
        values = source.sample().values
        chosen = sample_rows(values.shape[0], values.nnz)
        entries = as_entries(values[chosen], 0, 0).values
        return None, (entries.data.view(np.uint32), entries.indptr.astype(np.int64))
    lowest = np.full(n, np.iinfo(np.uint32).max, dtype=np.uint32)
    chosen = sample_rows(n, source.n_values)
    parts = []
    with job.stage("Reading the lowest values", source.n_genes, "genes") as stage:
        for part in source.entries(rows, most):
            matrix = part().values
            bits = matrix.data.view(np.uint32)
            some = np.flatnonzero(np.diff(matrix.indptr))
            if len(some):
                lowest[some] = np.minimum(lowest[some], np.minimum.reduceat(bits, matrix.indptr[some]))
            parts.append(matrix[chosen])
            stage.advance(matrix.shape[1])
    lowest[lowest == np.iinfo(np.uint32).max] = 0  # cells without entries, as in Levels.lowest
    whole = sp.hstack(parts, format="csr") if parts else sp.csr_matrix((len(chosen), 0), dtype=np.float32)
    return lowest, (whole.data.view(np.uint32), whole.indptr.astype(np.int64))
