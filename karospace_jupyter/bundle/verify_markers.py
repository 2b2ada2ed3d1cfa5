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
    """Compare numbers of cells, means and fractions with the packed genes; test results are not recomputed."""
    packed = bundle.packed_genes
    if packed is None:
        return
    for name, times in Counter(packed.marked).items():
        if times > 1:
            yield f"packed lists the markers of {name!r} more than once"
    columns = [_Column(bundle, packed, column) for column in dict.fromkeys(packed.marked)]
    # Each gene is read once for all columns.
    for gene, (cells, values) in enumerate(packed.entries() if columns else ()):
        for column in columns:
            column.add(gene, cells, values)
    for column in columns:
        yield from column.problems(packed)


class _Column:
    """The markers of a column, and the sums of every gene in each of its categories."""

    def __init__(self, bundle: BundleReader, packed: PackedGenes, name: str) -> None:
        self._name = name
        self._tables = list(packed.markers(name))  # raises if there is no such column with categories
        column = bundle.manifest.category_column(name)
        assert column is not None  # noqa: S101 - it has markers
        self._categories = [one.name for one in column.categories]
        self._codes = bundle.codes(column)
        k = len(self._categories) + 1
        self._cells = np.bincount(self._codes, minlength=k)
        self._sums = np.zeros((3, k, len(packed.index.names)))
        """For each category and gene: number of cells with a value, number with a nonzero value, sum of values."""

    def add(self, gene: int, cells: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Add the entries of a gene."""
        groups, missing, k = self._codes[cells], np.isnan(values), len(self._cells)
        present = np.where(missing, 0.0, values)
        self._sums[0, :, gene] = self._cells - np.bincount(groups[missing], minlength=k)
        self._sums[1, :, gene] = np.bincount(groups, weights=~missing, minlength=k)
        self._sums[2, :, gene] = np.bincount(groups, weights=present, minlength=k)

    def problems(self, packed: PackedGenes) -> Iterator[str]:
        """Yield a message for each array that differs from the sums."""
        sums = self._sums
        rest = sums.sum(axis=1, keepdims=True) - sums[:, :-1]
        with np.errstate(all="ignore"):
            wanted = {
                "n": sums[0, :-1],
                "mean": sums[2, :-1] / sums[0, :-1],
                "mean_rest": rest[2] / rest[0],
                "fraction": sums[1, :-1] / sums[0, :-1],
                "fraction_rest": rest[1] / rest[0],
            }
        # Means are compared relative to the largest value: a mean of positive and negative values can be near zero.
        largest = np.maximum(np.abs(packed.index.min), np.abs(packed.index.max))
        for name, expected in wanted.items():
            held = [getattr(table, name).astype(np.float64) for table in self._tables]
            found: NDArray[np.float64] = np.concatenate(held)
            near = np.abs(found - expected) <= _CLOSE * (largest if name.startswith("mean") else np.abs(expected))
            wrong = np.argwhere(~(near | (np.isnan(found) & np.isnan(expected))))
            if len(wrong):
                category, gene = wrong[0].tolist()
                what = f"{name} of gene {packed.index.names[gene]!r} in category {self._categories[category]!r}"
                yield (
                    f"markers of {self._name!r}: {what} "
                    f"is {found[category, gene]:.6g}, but {expected[category, gene]:.6g} in the packed genes"
                )
