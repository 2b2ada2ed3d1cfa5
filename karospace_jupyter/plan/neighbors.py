"""Decide which cells are neighbors: the stored graph, the nearest cells, or those within a radius."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from karospace_jupyter.config import MAX_NEIGHBORS
from karospace_jupyter.errors import PlanError
from karospace_jupyter.formatting import counted, number
from karospace_jupyter.plan.model import PlannedNeighbors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
_RUNS, _RUN = 64, 64
"""Number of runs of cells whose edges are found for an estimate, and number of cells in each."""
_CLEAR = 0.8
"""A sample with fewer neighbors than this share of the maximum is clearly below it."""
_ATTEMPTS = 10
"""Number of smaller radii that are tried."""

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
    sampled: bool = False,
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
    sampled
        Whether to find only the edges of a sample of the cells, which is enough for an estimate.
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
        return _stored(source, cells, sections, _sample(cells.n) if sampled else None, spatial=spatial, drawn=drawn)
    if not spatial:
        msg = "Neighbors need tissue coordinates, but the chosen coordinates are an embedding."
        raise PlanError(msg)
    warnings = []
    if drawn:
        warnings.append(
            f"Neighbors were found among the {counted(cells.n, _singular(cells), cells.observations)} drawn at random; "
            f"{cells.observations} in between are not exported."
        )
    groups = _groups(sections, cells.n)
    # The more neighbors, the longer the search, and the fewer cells have enough edges.
    run = max(_RUN // 4, 6 * _RUN // spec.n) if spec.kind == "nearest" else _RUN
    rows = _sample(cells.n, min(run, _RUN)) if sampled else None
    if spec.kind == "radius":
        unit_um = _required_unit(spec, unit_um)
        pairs, origin = _within(spec, xy, groups, cells, unit_um, rows), f"radius:{number(spec.um)}um"
    elif rows is None:
        pairs, origin = _nearest(spec, xy, groups, job, threads), f"nearest:{spec.n}"
    else:
        pairs, origin = _nearest_of(spec, xy, groups, rows, threads), f"nearest:{spec.n}"
    keys, _ = _distinct(_keys(pairs, cells.n))
    if rows is not None:
        keys = keys[np.isin(keys // cells.n, rows)]
    if not len(keys) and rows is not None:
        # Edges may be too rare for a sample. The whole graph is then small enough to search.
        return choose_neighbors(
            source, spec, cells, xy, sections, unit_um, job, spatial=spatial, drawn=drawn, threads=threads
        )
    if not len(keys):
        reach = f" within {number(spec.um)} µm" if spec.kind == "radius" else ""
        msg = f"No {_singular(cells)} has a neighbor{reach} in its section. Change neighbors, or set it to 'none'."
        raise PlanError(msg)
    return _graph(keys, cells.n, origin, rows), warnings


def _sample(n: int, run: int = _RUN) -> NDArray[np.int64] | None:
    """Return the cells whose edges are found for an estimate, ascending; None for all.

    Runs of consecutive cells compress like the whole; many runs represent all parts of the tissue.
    """
    if n <= 4 * _RUNS * _RUN:
        return None
    firsts = np.linspace(0, n - run, _RUNS).astype(np.int64)
    return (firsts[:, None] + np.arange(run)).ravel()


def _singular(cells: Cells) -> str:
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


def _distinct(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct keys, ascending, and how often each occurs. Sorts in place, faster than `np.unique`."""
    keys.sort()
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    return keys[starts], np.diff(starts, append=len(keys))


def _graph(keys: NDArray[np.int64], n: int, origin: str, rows: NDArray[np.int64] | None) -> PlannedNeighbors:
    """Return the graph of some distinct, ascending keys, or the part of it with the edges of some cells."""
    low, high = np.divmod(keys, n)
    counts = np.bincount(low, minlength=n)
    starts = np.concatenate([[0], np.cumsum(counts if rows is None else counts[rows])])
    return PlannedNeighbors(starts.astype(np.int64), high, origin, n, rows)


def _stored(
    source: Source,
    cells: Cells,
    sections: NDArray[np.int64] | None,
    rows: NDArray[np.int64] | None,
    *,
    spatial: bool,
    drawn: bool,
) -> tuple[PlannedNeighbors | None, list[str]]:
    """Return the stored graph. An unusable graph is left out with a warning, because it was not requested.

    Parameters
    ----------
    rows
        The cells whose edges are needed; None for all.
    """
    if KEY not in source.obsp_keys:
        return None, []
    left_out = f"The neighbors in obsp['{KEY}'] were left out: "
    if not spatial:
        return None, [f"{left_out}the coordinates are an embedding, not positions in tissue."]
    if drawn:
        # In a random sample, neither the remaining edges nor newly computed ones represent the neighbors in the tissue.
        return None, [f"{left_out}most neighbors of randomly drawn {cells.observations} are not exported."]
    n = cells.n
    place = np.arange(n)
    if cells.rows is not None:
        place = np.full(source.n_cells, -1)
        place[cells.rows] = np.arange(n)
    too_many = f"{left_out}it has more than {MAX_NEIGHBORS} neighbors per {_singular(cells)} on average."
    blocks, loops, taken = [], 0, 0
    scale, chosen = 1.0, None
    if rows is not None:
        scale, chosen = n / len(rows), np.zeros(n, dtype=bool)
        chosen[rows] = True
    about = "" if rows is None else "About "
    try:
        for first, second in source.pairs(KEY):
            a, b = place[first], place[second]
            loops += int(((a == b) & (a >= 0)).sum())
            kept = (a != b) & (a >= 0) & (b >= 0)
            taken += int(kept.sum())
            if chosen is not None:
                kept &= chosen[np.minimum(a, b)]
            blocks.append(_keys([(a[kept], b[kept])], n))
            if taken > MAX_NEIGHBORS * n:
                return None, [too_many]
    except PlanError as exc:
        return None, [f"{left_out}{exc}"]
    keys, times = _distinct(_keys([], n) if not blocks else np.concatenate(blocks))
    total = round(scale * len(keys))
    if 2 * total > MAX_NEIGHBORS * n:  # stored in one direction
        return None, [too_many]
    warnings = []
    if loops:
        warnings.append(
            f"{counted(loops, 'self-loop')} in obsp['{KEY}'] {'was' if loops == 1 else 'were'} left out: no "
            f"{_singular(cells)} is a neighbor of itself."
        )
    single = round(scale * int((times == 1).sum()))
    if single:
        warnings.append(
            f"{about}{single:,} of {counted(total, 'edge')} in obsp['{KEY}'] {'is' if single == 1 else 'are'} stored "
            "in one direction only; both cells are exported as neighbors of each other."
        )
    if sections is not None:
        low, high = np.divmod(keys, n)
        inside = (sections[low] == sections[high]) & (sections[low] >= 0)
        across = round(scale * int((~inside).sum()))
        if across:
            of_all = f"{about}{across:,} of {counted(total, 'edge')} in obsp['{KEY}']"
            verb = "was" if across == 1 else "were"
            warnings.append(f"{of_all} {verb} left out: neighbors must be in the same section.")
        keys = keys[inside]
    if not len(keys):
        if rows is not None:
            return _stored(source, cells, sections, None, spatial=spatial, drawn=drawn)
        return None, [*warnings, f"{left_out}it has no edges."]
    return _graph(keys, n, f"obsp:{KEY}", rows), warnings


def _nearest(
    spec: NearestNeighbors, xy: NDArray[np.float64], groups: Sequence[NDArray[np.int64]], job: Job, threads: int
) -> list[Pairs]:
    found: list[Pairs] = []
    with job.stage("Finding neighbors", sum(map(len, groups)), "cells") as stage:
        for group in groups:
            k = min(spec.n, len(group) - 1)
            for part, near in _nearest_in(xy[group], k, threads):
                found.append((np.repeat(group[part], k), group[near].ravel()))
                stage.advance(len(part))
    return found


def _nearest_in(xy: NDArray[np.float64], k: int, threads: int) -> Iterator[Pairs]:
    """Yield blocks of cells, and the positions of the `k` nearest other cells."""
    n = len(xy)
    at = _apart(xy)
    tree = cKDTree(at)
    for start in range(0, n, _BLOCK):
        part = np.arange(start, min(n, start + _BLOCK))
        near = tree.query(at[part], k=k + 1, workers=threads)[1].reshape(len(part), k + 1)
        others = near != part[:, None]
        others[others.all(axis=1), -1] = False  # the cell itself is missing among equal positions: drop another
        yield part, near[others].reshape(len(part), k)


def _apart(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the positions relative to their lower corner, with equal ones moved apart."""
    at: NDArray[np.float64] = xy - xy.min(axis=0)
    at += np.random.default_rng(0).normal(scale=_APART * (float(at.max()) or 1.0), size=at.shape)
    return at


def _nearest_of(
    spec: NearestNeighbors,
    xy: NDArray[np.float64],
    groups: Sequence[NDArray[np.int64]],
    rows: NDArray[np.int64],
    threads: int,
) -> list[Pairs]:
    """Return the edges of some cells: to their nearest cells, and to cells that have them among their nearest.

    The latter are searched for among the next nearest cells. This misses few, because the ranks that two cells have
    among each other's neighbors differ by only about √k.
    """
    found: list[Pairs] = []
    for group in groups:
        part = np.flatnonzero(np.isin(group, rows))
        k = min(spec.n, len(group) - 1)
        if not len(part) or not k:
            continue
        at = _apart(xy[group])
        tree = cKDTree(at)
        distances, near = tree.query(at[part], k=min(k + math.ceil(3 * math.sqrt(k)) + 8, len(group)), workers=threads)
        # The first is the cell itself: no two positions are equal.
        outer = near[:, k + 1 :]
        candidates = np.flatnonzero(np.bincount(outer.ravel(), minlength=len(group)))
        reach = np.zeros(len(group))
        reach[candidates] = tree.query(at[candidates], k=[k + 1], workers=threads)[0][:, 0]
        row, column = np.nonzero(distances[:, k + 1 :] <= reach[outer])
        found.append((np.repeat(group[part], k), group[near[:, 1 : k + 1]].ravel()))
        found.append((group[part[row]], group[outer[row, column]]))
    return found


def _required_unit(spec: NeighborsWithin, unit_um: float | None) -> float:
    if unit_um is None:
        msg = (
            f"Neighbors within {number(spec.um)} µm need the length of a coordinate unit, which is unknown. Set the "
            "scale (um_per_unit), or choose the nearest neighbors, such as '6'."
        )
        raise PlanError(msg)
    return unit_um


def _within(
    spec: NeighborsWithin,
    xy: NDArray[np.float64],
    groups: Sequence[NDArray[np.int64]],
    cells: Cells,
    unit_um: float,
    rows: NDArray[np.int64] | None,
) -> list[Pairs]:
    """Return the edges between cells within the radius; `rows` as for :func:`_stored`."""
    radius = spec.um / unit_um
    trees = [cKDTree(xy[group]) for group in groups]

    def average(radius: float) -> float:
        return (sum(int(tree.count_neighbors(tree, radius)) for tree in trees) - sum(map(len, groups))) / cells.n

    parts = [np.flatnonzero(np.isin(group, rows)) for group in groups] if rows is not None else []
    counts = [
        tree.query_ball_point(xy[group[part]], radius, return_length=True) - 1
        for group, tree, part in zip(groups, trees, parts, strict=rows is not None)
    ]
    # Count first: the pairs within a large radius would not fit into memory. Near the limit, a sample is too inexact.
    if rows is None or sum(int(count.sum()) for count in counts) > _CLEAR * MAX_NEIGHBORS * len(rows):
        each = average(radius)
        if each > MAX_NEIGHBORS:
            msg = (
                f"Within {number(spec.um)} µm, a {_singular(cells)} has {number(round(each))} neighbors on average; at "
                f"most {MAX_NEIGHBORS} can be exported. Choose a smaller radius"
                f"{_smaller(spec.um, unit_um, each, average)}."
            )
            raise PlanError(msg)
    found = []
    if rows is not None:
        for group, tree, part, count in zip(groups, trees, parts, counts, strict=True):
            if len(part):
                near = np.concatenate(tree.query_ball_point(xy[group[part]], radius)).astype(np.int64)
                centers = np.repeat(part, count + 1)
                found.append((group[centers[centers != near]], group[near[centers != near]]))
        return found
    for group, tree in zip(groups, trees, strict=True):
        pairs = tree.query_pairs(radius, output_type="ndarray").astype(np.int64)
        found.append((group[pairs[:, 0]], group[pairs[:, 1]]))
    return found


def _smaller(um: float, unit_um: float, each: float, average: Callable[[float], float]) -> str:
    """Return a radius with few enough neighbors, as the end of a sentence; empty if many cells share a position."""
    for _ in range(_ATTEMPTS):
        um *= math.sqrt(MAX_NEIGHBORS / each)
        digit = 10.0 ** math.floor(math.log10(um))
        um = float(f"{math.floor(um / digit) * digit:.1g}")
        each = average(um / unit_um)
        if each <= MAX_NEIGHBORS:
            return f", such as '{np.format_float_positional(um, trim='-')}um'"
    return ""
