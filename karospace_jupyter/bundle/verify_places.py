"""Verification of where cells lie besides their coordinates: in embeddings, and in which section."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from karospace_jupyter.bundle.manifest import Extent, SectionFact, Sections
    from karospace_jupyter.bundle.read import Bundle


def check_embeddings(bundle: Bundle) -> Iterator[str]:
    """Say what is wrong with the embeddings: names, lengths, extents."""
    embeddings = bundle.manifest.embeddings or []
    names = [one.name for one in embeddings]
    for one in embeddings:
        if names.count(one.name) > 1:
            yield f"embedding {one.name!r} is named twice"
        xy = bundle.vector(one.chunks, np.dtype("<f4"), 2).reshape(-1, 2).astype(np.float32)
        if np.isinf(xy).any():
            yield f"embedding {one.name!r} holds infinite values"
        elif not _same_extent(xy[~np.isnan(xy).any(axis=1)], one.extent, one.origin):
            yield f"embedding {one.name!r}: its extent differs from the manifest's"


def check_sections(bundle: Bundle) -> Iterator[str]:
    """Say where the sections differ from the column that names them, and from the coordinates."""
    m = bundle.manifest
    if m.sections is None:
        return
    column = next((one for one in m.columns or [] if one.name == m.sections.column), None)
    if column is None or column.kind != "category":
        found = "no annotation" if column is None else "an annotation of numbers"
        yield f"sections are named by the column {m.sections.column!r}, which is {found} of the bundle"
        return
    wanted = [(one.name, one.count) for one in column.categories if one.count]
    if [(one.name, one.count) for one in m.sections.items] != wanted or m.sections.missing != column.missing:
        yield f"sections: their names or counts differ from those of the column {column.name!r}"
        return
    codes = bundle.vector(column.chunks, np.dtype(column.dtype).newbyteorder("<")).astype(np.int64)
    codes_of = [code for code, one in enumerate(column.categories) if one.count]
    for fact in m.sections.facts or []:
        yield from _check_fact(bundle, fact, codes_of, codes)
    if m.coordinates is None:
        return
    xy = bundle.vector(m.coordinates.chunks, np.dtype("<f4"), 2).reshape(-1, 2).astype(np.float32)
    yield from _check_extents(m.sections, codes_of, xy, codes, m.coordinates.origin)


def _check_fact(bundle: Bundle, fact: SectionFact, codes_of: list[int], codes: NDArray[np.int64]) -> Iterator[str]:
    column = next((one for one in bundle.manifest.columns or [] if one.name == fact.column), None)
    if column is None or len(fact.values) != len(codes_of):
        found = "is no annotation" if column is None else f"has {len(fact.values)} values for {len(codes_of)} sections"
        yield f"sections: {fact.column!r}, by which they are ordered, {found}"
        return
    stored = bundle.vector(column.chunks, np.dtype(column.dtype).newbyteorder("<"))
    for value, code in zip(fact.values, codes_of, strict=True):
        if column.kind == "category":
            names = [*(one.name for one in column.categories), None]
            cells = stored[codes == code]
            same = bool((cells == cells[0]).all()) and names[int(cells[0])] == value
        else:
            wanted = np.float32(np.nan if value is None else value)
            same = np.array_equal(stored[codes == code], np.full((codes == code).sum(), wanted), equal_nan=True)
        if not same:
            yield f"sections: {fact.column!r} is not {value!r} in all cells of one of them"


def _check_extents(
    sections: Sections,
    codes_of: list[int],
    xy: NDArray[np.float32],
    codes: NDArray[np.int64],
    origin: tuple[float, float],
) -> Iterator[str]:
    for item, code in zip(sections.items, codes_of, strict=True):
        if not _same_extent(xy[codes == code], item.extent, origin):
            yield f"section {item.name!r}: its extent differs from the coordinates of its cells"


def _same_extent(xy: NDArray[np.float32], extent: Extent, origin: tuple[float, float]) -> bool:
    if not len(xy):
        return False
    # Rounding to float32 keeps the order, so the extremes of rounded values are the rounded extremes.
    found = np.concatenate([xy.min(axis=0), xy.max(axis=0)])
    return np.array_equal(found, (np.asarray(extent) - (*origin, *origin)).astype(np.float32))
