"""Compute which categories lie next to each other: counts of neighbors, compared with permuted categories.

Neighbors are counted as in squidpy's ``nhood_enrichment``: for each cell of the first category, its neighbors of the
second category. The mean and the standard deviation of the counts over all permutations of the categories have a closed
form (the join counts of Cliff and Ord), so no permutations are drawn. The z-scores are the limit of squidpy's for many
permutations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_EXACT = 1e-12
"""Variances below this fraction of the squared mean are rounding errors of zero."""


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Counts of neighbors of each pair of categories; all arrays have the shape (n_categories, n_categories)."""

    count: NDArray[np.int64]
    """Number of neighbors of the second category, summed over the cells of the first."""
    expected: NDArray[np.float64]
    """Mean of `count` over all permutations of the categories."""
    z: NDArray[np.float64]
    """Deviations of `count` from `expected`, in standard deviations; NaN if all permutations have the same count."""

    def table(self, categories: Sequence[str]) -> pd.DataFrame:
        """Return a table with one row for each pair of categories."""
        import pandas as pd

        names = pd.CategoricalIndex(categories, categories=categories)
        index = pd.MultiIndex.from_product([names, names], names=["category", "neighbor"])
        columns = {"count": self.count.ravel(), "expected": self.expected.ravel(), "z": self.z.ravel()}
        return pd.DataFrame(columns, index=index)


def enrichment(
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    codes: NDArray[np.int64],
    n_categories: int,
    sections: NDArray[np.int64] | None = None,
) -> Enrichment:
    """Count the neighbors of each pair of categories, and compare the counts with permuted categories.

    Parameters
    ----------
    pairs
        The two cells of each edge, which are in the same section. Each edge occurs once.
    codes
        Category of each cell; `n_categories` for a missing value. Cells without a category are left out.
    n_categories
        Number of categories.
    sections
        Section of each cell. Categories are permuted within sections, so that a category is not enriched just because
        it is frequent in one section. By default, there is one section.

    Returns
    -------
    Enrichment
        The counts and z-scores.

    Examples
    --------
    >>> import numpy as np
    >>> path = np.arange(5), np.arange(1, 6)  # six cells in a row
    >>> enrichment(path, np.array([0, 0, 0, 1, 1, 1]), 2).count
    array([[4, 1],
           [1, 4]])
    """
    k = n_categories
    known = codes < k
    kept = known[pairs[0]] & known[pairs[1]]
    a, b = pairs[0][kept], pairs[1][kept]
    joined = np.bincount(codes[a] * k + codes[b], minlength=k * k).reshape(k, k)
    _, group = np.unique(np.zeros(len(codes)) if sections is None else sections, return_inverse=True)
    n_groups = int(group.max(initial=0)) + 1
    sizes = np.bincount(group[known] * k + codes[known], minlength=n_groups * k).reshape(n_groups, k)
    edges = np.bincount(group[a], minlength=n_groups)
    degree = np.bincount(a, minlength=len(codes)) + np.bincount(b, minlength=len(codes))
    touching = np.bincount(group, weights=degree * (degree - 1.0), minlength=n_groups)
    mean, variance = np.zeros((k, k)), np.zeros((k, k))
    for n_of, m, s in zip(sizes.astype(np.float64), edges.astype(np.float64), touching, strict=True):
        if m:
            of_section = _moments(n_of, m, s)
            mean += of_section[0]
            variance += of_section[1]
    count = joined + joined.T
    variance[variance <= _EXACT * mean**2] = np.nan
    return Enrichment(count, mean, (count - mean) / np.sqrt(variance))


def _moments(n_of: NDArray[np.float64], m: float, s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and variance of the counts over all permutations.

    Parameters
    ----------
    n_of
        Number of cells of each category.
    m
        Number of edges.
    s
        Number of ordered pairs of distinct edges that share a cell.
    """
    n = n_of.sum()
    # Products of these are the probabilities that 2, 3 or 4 given cells have given categories.
    p2 = 1 / (n * (n - 1))
    p3 = p2 / (n - 2) if n > 2 else 0.0
    p4 = p3 / (n - 3) if n > 3 else 0.0
    apart = m * m - m - s
    a, b = n_of[:, None], n_of[None, :]
    both = a * b
    mean = 2 * m * p2 * both
    square = 2 * m * p2 * both + s * p3 * both * (a + b - 2) + 4 * apart * p4 * both * ((a - 1) * (b - 1))
    # Edges within a category count twice.
    two = n_of * (n_of - 1)
    three = two * (n_of - 2)
    np.fill_diagonal(mean, 2 * m * p2 * two)
    np.fill_diagonal(square, 4 * (m * p2 * two + s * p3 * three + apart * p4 * three * (n_of - 3)))
    return mean, square - mean**2
