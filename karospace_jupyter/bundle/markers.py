"""Read and write marker files, which compare categories of a column with the rest of the cells, for every gene.

``FORMAT.md`` defines the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.damage import damage, header_of
from karospace_jupyter.bundle.planes import from_planes, planes
from karospace_jupyter.errors import BundleError
from karospace_jupyter.formatting import counted

MAGIC = b"KSMK"
VERSION = 1
ARRAYS = ("n", "mean", "mean_rest", "fraction", "fraction_rest", "t", "t_df", "z")
"""The arrays of a category, in the order of the file: `n` is uint32, the others are float32."""
_HEADER = 4
_WORD = np.dtype("<u4")


@dataclass(frozen=True, slots=True)
class MarkerTable:
    """Markers of some categories: arrays of shape (n_categories, n_genes); undefined numbers are NaN."""

    ties: NDArray[np.float32]
    """Shape (n_genes,): 1 - Σ(t³ - t) / (n³ - n) over the t cells of each distinct value, among the n cells with a
    value; 0 if all values are equal."""
    n: NDArray[np.uint32]
    """Number of cells of the category that have a value."""
    mean: NDArray[np.float32]
    mean_rest: NDArray[np.float32]
    fraction: NDArray[np.float32]
    """Fraction of nonzero values among the cells with a value."""
    fraction_rest: NDArray[np.float32]
    t: NDArray[np.float32]
    """Welch's t."""
    t_df: NDArray[np.float32]
    z: NDArray[np.float32]
    """Score of the Wilcoxon rank-sum test, corrected for ties, without continuity correction."""


def write_markers(ties: NDArray[np.float32], numbers: NDArray[np.uint32]) -> bytes:
    """Return the bytes of a marker file.

    Parameters
    ----------
    ties
        As in :class:`MarkerTable`.
    numbers
        Shape (n_categories, len(ARRAYS), n_genes): the bits of all numbers.
    """
    header = np.array([VERSION, len(numbers), len(ties), len(ARRAYS)], dtype="<u4").tobytes()
    parts = [MAGIC, header, planes(ties.astype("<f4"))]
    parts += [planes(np.ascontiguousarray(array, dtype="<u4")) for category in numbers for array in category]
    return b"".join(parts)


def read_markers(raw: bytes, path: str, n_categories: int, n_genes: int) -> MarkerTable:
    """Read a marker file.

    Raises
    ------
    BundleError
        If it is damaged, or its categories or genes differ from the manifest.
    """
    with damage(path):
        categories, genes, arrays = header_of(raw, path, MAGIC, "a marker file", VERSION, _HEADER - 1)
        if (categories, genes, arrays) != (n_categories, n_genes, len(ARRAYS)):
            found = f"{counted(categories, 'category', 'categories')} and {counted(genes, 'gene')}"
            msg = f"{path} has {found}, not those of the manifest"
            raise BundleError(msg)
        expected = markers_bytes(n_categories, n_genes)
        if len(raw) != expected:
            msg = f"{path} is damaged: it has {len(raw):,} bytes; expected {expected:,}"
            raise BundleError(msg)
        start, size = 4 + 4 * _HEADER, 4 * n_genes
        # Each array has its own planes.
        ends = range(1, 2 + n_categories * arrays)
        words = np.stack([from_planes(raw[start + size * (end - 1) : start + size * end], _WORD) for end in ends])
        numbers = words[1:].reshape(n_categories, arrays, n_genes)
        floats: dict[str, Any] = {name: numbers[:, i].view("<f4") for i, name in enumerate(ARRAYS) if i}
        return MarkerTable(words[0].view("<f4"), numbers[:, 0], **floats)


def markers_bytes(n_categories: int, n_genes: int) -> int:
    """Return the size of a marker file before compression, in bytes."""
    return 4 + 4 * _HEADER + 4 * n_genes * (1 + n_categories * len(ARRAYS))
