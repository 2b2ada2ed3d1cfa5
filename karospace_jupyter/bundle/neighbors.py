"""Read and write the graph of neighbors, as gaps between the higher-numbered neighbors of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.damage import damage
from karospace_jupyter.bundle.manifest import NEIGHBORS_VERSION
from karospace_jupyter.errors import BundleError, NotExportedError
from karospace_jupyter.formatting import counted

if TYPE_CHECKING:
    import scipy.sparse as sp

    from karospace_jupyter.bundle.manifest import CategoryColumn, Manifest
    from karospace_jupyter.bundle.read import BundleReader

MAGIC = b"KSPN"
MAX_EDGES_PER_CELL = 50
"""Maximum number of edges per cell, on average; larger graphs are rejected before they are read.

An edge has two cells, so cells have up to twice as many neighbors. A graph of the `MAX_NEIGHBORS` nearest
cells (see :mod:`karospace_jupyter.config`) reaches this limit if no two cells are among each other's nearest.
"""
_HEADER = 16
_LONGEST = 5
"""Maximum length of an encoded number, in bytes."""


@dataclass(frozen=True, slots=True)
class Graph:
    """An undirected graph of neighboring cells; each edge is stored once."""

    starts: NDArray[np.int64]
    """Shape (n_cells + 1,): where the neighbors of each cell start in `cells`."""
    cells: NDArray[np.int64]
    """Shape (n_edges,): for each cell, its neighbors with a higher number, ascending."""

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the two cells of each edge."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts)), self.cells


def write_graph(starts: NDArray[np.int64], cells: NDArray[np.int64], rows: NDArray[np.int64] | None = None) -> bytes:
    """Encode a graph, given as in :class:`Graph`, or only the edges of some of its cells.

    Parameters
    ----------
    starts, cells
        The edges.
    rows
        The cells whose edges are given, ascending; None for all. A partial graph cannot be read; it is only written
        to predict the size.
    """
    header = np.array([NEIGHBORS_VERSION, len(starts) - 1, len(cells)], dtype="<u4").tobytes()
    return MAGIC + header + _as_bytes(_numbers(starts, cells, rows))


def graph_bytes(starts: NDArray[np.int64], cells: NDArray[np.int64], rows: NDArray[np.int64] | None = None) -> int:
    """Return the size of a graph before compression, in bytes; parameters as for :func:`write_graph`."""
    return _HEADER + int(_lengths(_numbers(starts, cells, rows)).sum())


def _numbers(starts: NDArray[np.int64], cells: NDArray[np.int64], rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
    counts = np.diff(starts)
    before = np.concatenate([[0], cells[:-1]])[: len(cells)]
    first = starts[:-1][counts > 0]
    before[first] = np.flatnonzero(counts) if rows is None else rows[counts > 0]
    return np.concatenate([counts, cells - before - 1])


def _lengths(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    lengths = np.ones(len(numbers), dtype=np.int64)
    for k in range(1, _LONGEST):
        lengths += numbers >= 1 << 7 * k
    return lengths


def _as_bytes(numbers: NDArray[np.int64]) -> bytes:
    """Encode as LEB128: seven bits per byte, the lowest first; the highest bit is set if another byte follows."""
    lengths = _lengths(numbers)
    starts = np.cumsum(lengths) - lengths
    out = np.zeros(int(lengths.sum()), dtype=np.uint8)
    for k in range(_LONGEST):
        some = lengths > k
        more = (lengths[some] > k + 1) << 7
        out[starts[some] + k] = (numbers[some] >> 7 * k) & 0x7F | more
    return out.tobytes()


def _from_bytes(raw: NDArray[np.uint8]) -> NDArray[np.int64]:
    ends = np.flatnonzero(raw < 0x80)
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    lengths = ends - starts + 1
    numbers = np.zeros(len(ends), dtype=np.int64)
    if (len(ends) and lengths.max() > _LONGEST) or (len(raw) and raw[-1] >= 0x80):
        msg = "a number does not end"
        raise ValueError(msg)
    for k in range(_LONGEST):
        some = lengths > k
        numbers[some] |= (raw[starts[some] + k].astype(np.int64) & 0x7F) << 7 * k
    return numbers


def read_graph(bundle: BundleReader) -> Graph:
    """Read the graph of neighbors of a bundle.

    Raises
    ------
    NotExportedError
        If the bundle has none.
    BundleError
        If the graph is damaged, or of a newer version.
    """
    stated, n = bundle.manifest.neighbors, bundle.manifest.n_cells
    if stated is None:
        msg = f"{bundle.files.origin} has no neighbors. Export it again with neighbors, such as the 6 nearest."
        raise NotExportedError(msg)
    if not stated.known:
        msg = (
            f"{bundle.files.origin} has neighbors of version {stated.version}; this package reads version "
            f"{NEIGHBORS_VERSION}. Update karospace-jupyter."
        )
        raise BundleError(msg)
    path = stated.paths[0]
    most = MAX_EDGES_PER_CELL * n
    if stated.n_edges > most:
        msg = f"{path} has {counted(stated.n_edges, 'edge')}; {counted(n, 'cell')} can have at most {most:,}."
        raise BundleError(msg)
    left, parts = _HEADER + _LONGEST * (n + stated.n_edges), []
    for one in stated.paths:
        parts.append(bundle.read(one, left, "the size of its edges"))
        left -= len(parts[-1])
    raw = b"".join(parts)
    with damage(path):
        if raw[:4] != MAGIC or np.frombuffer(raw, "<u4", 3, 4).tolist() != [stated.version, n, stated.n_edges]:
            msg = f"{path} does not hold the neighbors that the manifest states."
            raise BundleError(msg)
        numbers = _from_bytes(np.frombuffer(raw, np.uint8, offset=_HEADER))
        counts, gaps = numbers[:n], numbers[n:]
        # Each number is below n, so no sum overflows.
        if len(numbers) != n + stated.n_edges or (numbers >= n).any() or counts.sum() != stated.n_edges:
            msg = f"{path} is damaged: its numbers of neighbors do not match."
            raise BundleError(msg)
        starts = np.concatenate([[0], np.cumsum(counts)])
        steps = np.concatenate([[0], np.cumsum(gaps + 1)])
        cells = steps[1:] + np.repeat(np.arange(n) - steps[starts[:-1]], counts)
        if (cells >= n).any():
            msg = f"{path} is damaged: it names a cell that does not exist."
            raise BundleError(msg)
        return Graph(starts, cells)


def section_column(manifest: Manifest) -> CategoryColumn | None:
    """Return the annotation with the section of each cell; None if there is only one section."""
    return None if manifest.sections is None else manifest.category_column(manifest.sections.column)


def as_csr(graph: Graph) -> sp.csr_matrix:
    """Return a symmetric matrix with 1 for each pair of neighbors, float32."""
    import scipy.sparse as sp

    a, b = graph.pairs()
    n = len(graph.starts) - 1
    ones = np.ones(2 * len(a), dtype=np.float32)
    return sp.csr_matrix((ones, (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n, n))
