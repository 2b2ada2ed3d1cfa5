"""Verify markers against the packed genes and the cells of each category."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from karospace_jupyter.bundle.packed import PackedGenes
    from karospace_jupyter.bundle.read import BundleReader

_CLOSE = 1e-5
"""Relative tolerance of means, which are float32."""


def check_markers(bundle: BundleReader) -> Iterator[str]:
    """Compare numbers of cells, means and fractions with the packed genes; do not repeat the tests."""
    packed = bundle.packed_genes
    if packed is None:
        return
    for column, times in Counter(packed.marked).items():
        if times > 1:
            yield f"packed lists the markers of {column!r} more than once"
    for column in dict.fromkeys(packed.marked):
        yield from _check_column(bundle, packed, column)


def _check_column(bundle: BundleReader, packed: PackedGenes, column: str) -> Iterator[str]:
    tables = list(packed.markers(column))  # raises if there is no such column with categories
    of = next(one for one in bundle.manifest.columns or () if one.name == column and one.kind == "category")
    names = [one.name for one in of.categories]
    codes = bundle.vector(of.chunks, np.dtype(of.dtype).newbyteorder("<")).astype(np.int64).clip(max=len(names))
    sums = np.zeros((3, len(names) + 1, len(packed.index.names)))
    cells_of = np.bincount(codes, minlength=len(names) + 1)
    for gene, (cells, values) in enumerate(packed.entries()):
        groups, missing = codes[cells], np.isnan(values)
        present = np.where(missing, 0.0, values)
        sums[0, :, gene] = cells_of - np.bincount(groups[missing], minlength=len(names) + 1)
        sums[1, :, gene] = np.bincount(groups, weights=~missing, minlength=len(names) + 1)
        sums[2, :, gene] = np.bincount(groups, weights=present, minlength=len(names) + 1)
    rest = sums.sum(axis=1, keepdims=True) - sums[:, :-1]
    with np.errstate(all="ignore"):
        wanted = {
            "n": sums[0, :-1],
            "mean": sums[2, :-1] / sums[0, :-1],
            "mean_rest": rest[2] / rest[0],
            "fraction": sums[1, :-1] / sums[0, :-1],
            "fraction_rest": rest[1] / rest[0],
        }
    # A mean of positive and negative values can be near zero.
    largest = np.maximum(np.abs(packed.index.min), np.abs(packed.index.max))
    for name, expected in wanted.items():
        found: NDArray[np.float64] = np.concatenate([getattr(table, name) for table in tables]).astype(np.float64)
        near = np.abs(found - expected) <= _CLOSE * (largest if name.startswith("mean") else np.abs(expected))
        wrong = np.argwhere(~(near | (np.isnan(found) & np.isnan(expected))))
        if len(wrong):
            category, gene = wrong[0].tolist()
            yield (
                f"markers of {column!r}: {name} of gene {packed.index.names[gene]!r} in category {names[category]!r} "
                f"is {found[category, gene]:.6g}, but {expected[category, gene]:.6g} in the packed genes"
            )
