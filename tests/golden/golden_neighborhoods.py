"""Reference values for neighborhoods of categories, for the tests of Python and of the viewer.

``python tests/golden/golden_neighborhoods.py`` rewrites ``neighborhoods.json``. The mean and the standard deviation
come from enumerating all permutations of the categories within each section. An undefined score is null.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "neighborhoods.json"
K = 3
"""Number of categories, which is also the code of a missing value."""

Case = tuple[str, list[tuple[int, int]], list[int], list[int], list[int]]
"""Name, edges, code of each cell, section of each cell, whether each cell is in the mask."""


def random_edges(cells: list[int], seed: int) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    return [pair for pair in itertools.combinations(cells, 2) if rng.random() < 0.5]


def cases() -> list[Case]:
    one_section = [0] * 7
    all_in = [1] * 7
    two_components = random_edges([0, 1, 2, 3], 3) + random_edges([4, 5, 6, 7, 8], 4)
    return [
        ("one section", random_edges(list(range(7)), 1), [0, 0, 0, 1, 1, 2, 0], one_section, all_in),
        ("complete graph", list(itertools.combinations(range(6), 2)), [0, 0, 0, 1, 1, 2], [0] * 6, [1] * 6),
        ("missing values", random_edges(list(range(7)), 2), [0, 3, 0, 1, 1, 3, 2], one_section, all_in),
        ("mask", random_edges(list(range(9)), 5), [0, 1, 0, 1, 1, 2, 2, 0, 1], [0] * 9, [1, 1, 1, 0, 1, 1, 1, 0, 1]),
        ("two sections", two_components, [0, 0, 1, 1, 0, 1, 1, 2, 2], [5] * 4 + [2] * 5, [1] * 9),
        ("two cells", [(0, 1)], [0, 1], [0, 0], [1, 1]),
        ("three cells", [(0, 1), (1, 2)], [0, 1, 0], [0] * 3, [1] * 3),
        ("no edges", [], [0, 1, 2], [0] * 3, [1] * 3),
    ]


def counts(edges: list[tuple[int, int]], labels: dict[int, int]) -> list[int]:
    """Count as squidpy does: for each cell, each of its neighbors."""
    found = [0] * (K * K)
    for pair in edges:
        for cell, neighbor in (pair, pair[::-1]):
            if cell in labels and neighbor in labels:
                found[labels[cell] * K + labels[neighbor]] += 1
    return found


def permutations(labels: dict[int, int], sections: list[int]) -> Iterator[dict[int, int]]:
    """Yield every assignment of the labels that keeps those of each section within it."""
    groups = [[cell for cell in labels if sections[cell] == name] for name in sorted(set(sections))]
    for orders in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield {
            cell: labels[other] for group, order in zip(groups, orders, strict=True)
            for cell, other in zip(group, order, strict=True)
        }  # fmt: skip


def reference() -> list[dict[str, Any]]:
    described = []
    for name, edges, codes, sections, mask in cases():
        labels = {cell: code for cell, code in enumerate(codes) if code < K and mask[cell]}
        permuted = np.array([counts(edges, shuffled) for shuffled in permutations(labels, sections)], dtype=np.float64)
        count, mean, deviation = counts(edges, labels), permuted.mean(axis=0), permuted.std(axis=0)
        z = [None if d < 1e-9 else (c - m) / d for c, m, d in zip(count, mean, deviation, strict=True)]
        described.append(
            {
                "name": name,
                "edges": edges,
                "codes": codes,
                "sections": sections,
                "mask": mask,
                "count": count,
                "expected": mean.tolist(),
                "z": z,
            }
        )
    return described


if __name__ == "__main__":
    FILE.write_text(json.dumps(reference(), indent=1) + "\n")
