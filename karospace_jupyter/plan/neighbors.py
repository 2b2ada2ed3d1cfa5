"""Decide which cells are neighbors: the stored graph, the nearest cells, or those within a radius."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from karospace_jupyter.config import MOST_NEIGHBORS
from karospace_jupyter.errors import PlanError
from karospace_jupyter.formatting import counted, number
from karospace_jupyter.plan.model import PlannedNeighbors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from karospace_jupyter.config import NearestNeighbors, NeighborsSpec, NeighborsWithin
    from karospace_jupyter.job import Job
    from karospace_jupyter.plan.model import Cells
    from karospace_jupyter.source import Source

KEY = "spatial_connectivities"
"""The key of obsp under which squidpy stores the graph."""
_APART = 1e-9
"""Distance by which cells at the same position are moved apart, as a fraction of the extent, to speed up the search."""
_BLOCK = 100_000
"""Number of cells between two progress reports."""

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def choose_neighbors(
    source: Source,
    spec: NeighborsSpec,
    cells: Cells,
    xy: NDArray[np.float64],
    sections: NDArray[np.int64] | None,
    unit_um: float | None,
    job: Job,
    *,
    spatial: bool,
    drawn: bool,
    threads: int = 1,
) -> tuple[PlannedNeighbors | None, list[str]]:
    """Return the graph of neighbors and warnings.

    Parameters
    ----------
    source
        The data.
    spec
        The option.
    cells
        The exported cells.
    xy
        Their coordinates, shape (n_cells, 2).
    sections
        The section of each cell; negative for a cell without a section, which has no neighbors. None if there is only
        one section.
    unit_um
        µm per coordinate unit, if known.
    job
        Receives progress and can cancel the work.
    spatial
        Whether the coordinates are positions in tissue.
    drawn
        Whether the cells are a random sample, so that most neighbors in the source are not exported.
    threads
        Number of search threads.

    Raises
    ------
    PlanError
        If the requested neighbors cannot be computed.
    """
    if spec.kind == "none":
        return None, []
    if spec.kind == "stored":
        return _stored(source, cells, sections, spatial=spatial, drawn=drawn)
    if not spatial:
        msg = "Neighbors need tissue coordinates, but the chosen coordinates are an embedding."
        raise PlanError(msg)
    warnings = []
    if drawn:
        warnings.append(
            f"Neighbors were found among the {counted(cells.n, _one(cells), cells.observations)} drawn at random; "
            f"{cells.observations} in between are not exported."
        )
    groups = _groups(sections, cells.n)
    if spec.kind == "radius":
        pairs, origin = _within(spec, xy, groups, cells, unit_um), f"radius:{number(spec.um)}um"
    else:
        pairs, origin = _nearest(spec, xy, groups, job, threads), f"nearest:{spec.n}"
    keys = np.unique(_keys(pairs, cells.n))
    if not len(keys):
        reach = f" within {number(spec.um)} µm" if spec.kind == "radius" else ""
        msg = f"No {_one(cells)} has a neighbor{reach} in its section. Change neighbors, or set it to 'none'."
        raise PlanError(msg)
    return _graph(keys, cells.n, origin), warnings


def _one(cells: Cells) -> str:
    return cells.observations.removesuffix("s")


def _groups(sections: NDArray[np.int64] | None, n: int) -> list[NDArray[np.int64]]:
    """Return the cells of each section."""
    if sections is None:
        return [np.arange(n)]
    order = np.argsort(sections, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(sections[order])) + 1)
    return [part for part in parts if sections[part[0]] >= 0]


def _keys(pairs: Sequence[Pairs], n: int) -> NDArray[np.int64]:
    """Return one number for each pair, regardless of the order of its cells."""
    empty = np.zeros(0, dtype=np.int64)
    return np.concatenate([empty, *(np.minimum(a, b) * n + np.maximum(a, b) for a, b in pairs)])


def _graph(keys: NDArray[np.int64], n: int, origin: str) -> PlannedNeighbors:
    """Return the graph of distinct, ascending keys."""
    low, high = np.divmod(keys, n)
    starts = np.concatenate([[0], np.cumsum(np.bincount(low, minlength=n))])
    return PlannedNeighbors(starts.astype(np.int64), high, origin)


def _stored(
    source: Source, cells: Cells, sections: NDArray[np.int64] | None, *, spatial: bool, drawn: bool
) -> tuple[PlannedNeighbors | None, list[str]]:
    """Return the stored graph. An unusable graph is left out with a warning, because it was not requested."""
    if KEY not in source.obsp_keys:
        return None, []
    left_out = f"The neighbors in obsp['{KEY}'] were left out: "
    if not spatial:
        return None, [f"{left_out}the coordinates are an embedding, not positions in tissue."]
    if drawn:
        # In a sample, neither the rest of the graph nor a new one has the neighbors of the tissue.
        return None, [f"{left_out}most neighbors of randomly drawn {cells.observations} are not exported."]
    n = cells.n
    place = np.arange(n)
    if cells.rows is not None:
        place = np.full(source.n_cells, -1)
        place[cells.rows] = np.arange(n)
    too_many = f"{left_out}it has more than {MOST_NEIGHBORS} neighbors per {_one(cells)} on average."
    blocks, loops, taken = [], 0, 0
    try:
        for rows, columns in source.pairs(KEY):
            a, b = place[rows], place[columns]
            loops += int(((a == b) & (a >= 0)).sum())
            kept = (a != b) & (a >= 0) & (b >= 0)
            blocks.append(_keys([(a[kept], b[kept])], n))
            taken += len(blocks[-1])
            if taken > MOST_NEIGHBORS * n:
                return None, [too_many]
    except PlanError as exc:
        return None, [f"{left_out}{exc}"]
    keys, times = np.unique(_keys([], n) if not blocks else np.concatenate(blocks), return_counts=True)
    if 2 * len(keys) > MOST_NEIGHBORS * n:  # stored in one direction
        return None, [too_many]
    warnings = []
    if loops:
        warnings.append(
            f"{counted(loops, 'self-loop')} in obsp['{KEY}'] {'was' if loops == 1 else 'were'} left out: no "
            f"{_one(cells)} is a neighbor of itself."
        )
    single = int((times == 1).sum())
    if single:
        warnings.append(
            f"{single:,} of {counted(len(keys), 'edge')} in obsp['{KEY}'] {'is' if single == 1 else 'are'} stored "
            "in one direction only; both cells are exported as neighbors of each other."
        )
    if sections is not None:
        low, high = np.divmod(keys, n)
        inside = (sections[low] == sections[high]) & (sections[low] >= 0)
        across = int((~inside).sum())
        if across:
            of_all = f"{across:,} of {counted(len(keys), 'edge')} in obsp['{KEY}']"
            verb = "was" if across == 1 else "were"
            warnings.append(f"{of_all} {verb} left out: neighbors must be in the same section.")
        keys = keys[inside]
    if not len(keys):
        return None, [*warnings, f"{left_out}it has no edges."]
    return _graph(keys, n, f"obsp:{KEY}"), warnings


def _nearest(
    spec: NearestNeighbors, xy: NDArray[np.float64], groups: Sequence[NDArray[np.int64]], job: Job, threads: int
) -> list[Pairs]:
    found: list[Pairs] = []
    with job.stage("Finding neighbors", len(xy), "cells") as stage:
        for group in groups:
            k = min(spec.n, len(group) - 1)
            for part, near in _nearest_in(xy[group], k, threads):
                found.append((np.repeat(group[part], k), group[near].ravel()))
                stage.advance(len(part))
    return found


def _nearest_in(xy: NDArray[np.float64], k: int, threads: int) -> Iterator[Pairs]:
    """Yield blocks of cells, and the positions of the `k` nearest other cells."""
    n = len(xy)
    at = xy - xy.min(axis=0)
    at = at + np.random.default_rng(0).normal(scale=_APART * (float(at.max()) or 1.0), size=at.shape)
    tree = cKDTree(at)
    for start in range(0, n, _BLOCK):
        part = np.arange(start, min(n, start + _BLOCK))
        near = tree.query(at[part], k=k + 1, workers=threads)[1].reshape(len(part), k + 1)
        others = near != part[:, None]
        others[others.all(axis=1), -1] = False
        yield part, near[others].reshape(len(part), k)


def _within(
    spec: NeighborsWithin,
    xy: NDArray[np.float64],
    groups: Sequence[NDArray[np.int64]],
    cells: Cells,
    unit_um: float | None,
) -> list[Pairs]:
    if unit_um is None:
        msg = (
            f"Neighbors within {number(spec.um)} µm need the length of a coordinate unit, which is unknown. Set the "
            "scale (um_per_unit), or choose the nearest neighbors, such as '6'."
        )
        raise PlanError(msg)
    radius = spec.um / unit_um
    trees = [cKDTree(xy[group]) for group in groups]
    # Count first: the pairs within a large radius might not fit into memory.
    each = (sum(int(tree.count_neighbors(tree, radius)) for tree in trees) - sum(map(len, groups))) / cells.n
    if each > MOST_NEIGHBORS:
        smaller = number(float(f"{spec.um * math.sqrt(MOST_NEIGHBORS / each):.1g}"))
        msg = (
            f"Within {number(spec.um)} µm, a {_one(cells)} has {number(round(each))} neighbors on average; at most "
            f"{MOST_NEIGHBORS} can be exported. Choose a smaller radius, such as '{smaller}um'."
        )
        raise PlanError(msg)
    found = []
    for group, tree in zip(groups, trees, strict=True):
        pairs = tree.query_pairs(radius, output_type="ndarray").astype(np.int64)
        found.append((group[pairs[:, 0]], group[pairs[:, 1]]))
    return found
