"""Choose the cells to export and their IDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.formatting import counted
from karospace_jupyter.plan.model import Cells
from karospace_jupyter.plan.names import as_text, make_unique
from karospace_jupyter.plan.origin import too_close

if TYPE_CHECKING:
    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.plan.observations import Observations
    from karospace_jupyter.source import Source

_LARGEST = 1e30
"""Larger coordinates are invalid and approach the limit of float32."""


def choose_cells(
    source: Source,
    xy: NDArray[np.float64],
    config: ExportConfig,
    sections: str | None,
    observations: Observations = "cells",
) -> tuple[Cells, NDArray[np.float64], list[str]]:
    """Drop cells without valid coordinates, draw the sample and make the IDs unique.

    Parameters
    ----------
    sections
        The column that names the sections; a sample is stratified by it.
    observations
        What each row represents, in the plural.

    Returns
    -------
    tuple of Cells, numpy.ndarray and list of str
        The cells, their coordinates of shape (n_cells, 2), and warnings.

    Raises
    ------
    CoordinatesError
        If no cell has finite coordinates, or all cells are too close to each other.
    """
    warnings: list[str] = []
    placed = is_placed(xy)
    rows: NDArray[np.int64] | None = None
    if not placed.all():
        dropped = int((~placed).sum())
        if dropped == len(xy):
            msg = (
                f"The coordinates of all {dropped:,} {observations} are NaN, infinite or beyond ±1e30. Choose other "
                "coordinates."
            )
            raise CoordinatesError(msg)
        rows = np.flatnonzero(placed).astype(np.int64)
        bad = "NaN, infinite or beyond ±1e30"
        verb, whose = ("was", "its") if dropped == 1 else ("were", "their")
        warnings.append(f"{dropped:,} of {len(xy):,} {observations} {verb} left out: {whose} coordinates are {bad}.")
    if reason := too_close(xy[placed]):
        msg = f"The coordinates of all {observations} {reason}. Multiply them, or choose other coordinates."
        raise CoordinatesError(msg)
    if config.downsample is not None:
        available = len(xy) if rows is None else len(rows)
        if config.downsample < available:
            base = np.arange(len(xy), dtype=np.int64) if rows is None else rows
            section_codes = None if sections is None else pd.factorize(source.obs(sections))[0][base]
            rows = base[sample(len(base), config.downsample, section_codes, config.seed)]
            within = "" if sections is None else f", about the same fraction within each {sections}"
            warnings.append(f"{len(rows):,} of {available:,} {observations} were drawn at random{within}.")
        elif config.downsample > available:
            warnings.append(f"All {available:,} {observations} are exported; {config.downsample:,} were requested.")
    # Made unique over all cells, so that a cell has the same ID in every sample.
    ids, changed = make_unique(as_text(source.cell_names))
    if changed:
        noun = observations.removesuffix("s")
        warnings.append(
            f"{counted(changed, f'{noun} name is a duplicate', f'{noun} names are duplicates')}: a suffix makes them "
            "unique."
        )
    ids = ids if rows is None else ids[rows]
    return Cells(rows, ids, observations), xy if rows is None else xy[rows], warnings


def is_placed(xy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which cells have valid coordinates, shape (n_cells,)."""
    return np.asarray((np.abs(xy) < _LARGEST).all(axis=1))  # False for NaN


def sample(n: int, size: int, sections: NDArray[np.int64] | None, seed: int) -> NDArray[np.int64]:
    """Draw `size` of `n` positions, ascending, in proportion to the sizes of the sections.

    The numbers are rounded by largest remainder. Each section gets at least one position if `size` allows it.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    # One random key per cell, so that a smaller sample with the same seed is a subset of a larger one.
    keys = rng.random(n)
    if sections is None:
        return np.sort(np.argpartition(keys, size - 1)[:size]).astype(np.int64)
    _, group, counts = np.unique(sections, return_inverse=True, return_counts=True)
    exact = counts * (size / n)
    quota = np.floor(exact).astype(np.int64)
    if size >= len(counts):
        quota = np.maximum(quota, 1)
    order = np.argsort(-(exact - quota), kind="stable")
    while quota.sum() < size:
        room = [g for g in order if quota[g] < counts[g]]
        for g in room[: size - int(quota.sum())]:
            quota[g] += 1
    while quota.sum() > size:
        quota[int(np.argmax(quota))] -= 1
    by_group = np.lexsort((keys, group))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    chosen = [by_group[start : start + q] for start, q in zip(starts, quota, strict=True)]
    return np.sort(np.concatenate(chosen)).astype(np.int64)
