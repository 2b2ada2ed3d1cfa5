"""Verify the embeddings, proportions and sections of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from karospace_jupyter.bundle.manifest import Extent, Manifest, Proportions, SectionFact, Sections
    from karospace_jupyter.bundle.read import BundleReader


def check_embeddings(bundle: BundleReader) -> Iterator[str]:
    """Yield the problems of the embeddings: names, lengths, extents."""
    embeddings = bundle.manifest.embeddings or []
    names = [one.name for one in embeddings]
    for one in embeddings:
        if names.count(one.name) > 1:
            yield f"embedding {one.name!r} is listed more than once"
        xy = bundle.vector(one.chunks, np.dtype("<f4"), 2).reshape(-1, 2).astype(np.float32)
        if np.isinf(xy).any():
            yield f"embedding {one.name!r} contains infinite values"
        elif not same_extent(xy[~np.isnan(xy).any(axis=1)], one.extent, one.origin):
            yield f"embedding {one.name!r}: its extent does not match the manifest"


def types_of(manifest: Manifest, one: Proportions) -> list[str] | str:
    """Return the types of proportions in the order of their parts, or a description of the problem."""
    columns = {column.name: column for column in manifest.columns or ()}
    best = columns.get(one.column)
    if best is None or best.kind != "category":
        return f"the proportions {one.key!r} name {one.column!r}, which is not a category column"
    if len(best.categories) != len(one.parts):
        parts, categories = counted(len(one.parts), "part"), counted(len(best.categories), "category", "categories")
        return f"the proportions {one.key!r} have {parts}, but {one.column!r} has {categories}"
    for part in one.parts:
        column = columns.get(part)
        if column is None or column.kind != "number":
            return f"the proportions {one.key!r} name {part!r}, which is not a numeric column"
    return [category.name for category in best.categories]


def check_proportions(bundle: BundleReader) -> Iterator[str]:
    """Yield problems of proportions: wrong columns, negative amounts, and wrong most abundant types."""
    for one in bundle.manifest.proportions or ():
        types = types_of(bundle.manifest, one)
        if isinstance(types, str):
            yield types
            continue
        columns = {column.name: column for column in bundle.manifest.columns or ()}
        parts = [
            bundle.vector(columns[part].chunks, np.dtype(columns[part].dtype).newbyteorder("<")).astype(np.float64)
            for part in one.parts
        ]
        amounts = np.stack(parts, axis=1) if parts else np.zeros((bundle.manifest.n_cells, 0))
        if (amounts < 0).any():
            yield f"proportions {one.key!r}: some amounts are negative"
            continue
        complete = np.isfinite(amounts).all(axis=1) & (amounts.sum(axis=1) > 0)
        best = bundle.manifest.category_column(one.column)
        assert best is not None  # noqa: S101 - types_of found it
        codes = bundle.codes(best)
        missing = codes == len(types)
        found = np.where(missing, 0, codes)
        largest = amounts.max(axis=1, initial=0)
        chosen = np.take_along_axis(amounts, found[:, None], axis=1)[:, 0] if types else largest
        if (missing != ~complete).any() or (chosen != largest)[complete].any():
            yield f"proportions {one.key!r}: {one.column!r} is not the most abundant type of every cell"


def check_sections(bundle: BundleReader) -> Iterator[str]:
    """Yield the differences between the sections and their column or the coordinates."""
    m = bundle.manifest
    if m.sections is None:
        return
    column = next((one for one in m.columns or [] if one.name == m.sections.column), None)
    if column is None or column.kind != "category":
        found = "not an annotation" if column is None else "a numeric annotation"
        yield f"the section column {m.sections.column!r} is {found} of the bundle"
        return
    wanted = [(one.name, one.count) for one in column.categories if one.count]
    if [(one.name, one.count) for one in m.sections.items] != wanted or m.sections.missing != column.missing:
        yield f"the names or counts of the sections differ from the column {column.name!r}"
        return
    codes = bundle.codes(column)
    codes_of = [code for code, one in enumerate(column.categories) if one.count]
    for fact in m.sections.facts or []:
        yield from _check_fact(bundle, fact, codes_of, codes)
    if m.coordinates is None:
        return
    xy = bundle.vector(m.coordinates.chunks, np.dtype("<f4"), 2).reshape(-1, 2).astype(np.float32)
    yield from _check_extents(m.sections, codes_of, xy, codes, m.coordinates.origin)


def _check_fact(
    bundle: BundleReader, fact: SectionFact, codes_of: list[int], codes: NDArray[np.int64]
) -> Iterator[str]:
    column = next((one for one in bundle.manifest.columns or [] if one.name == fact.column), None)
    if column is None or len(fact.values) != len(codes_of):
        values, n_sections = counted(len(fact.values), "value"), counted(len(codes_of), "section")
        found = "is not an annotation" if column is None else f"has {values} for {n_sections}"
        yield f"sections: the fact {fact.column!r} {found}"
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
            yield f"sections: {fact.column!r} is not {value!r} in all cells of its section"


def _check_extents(
    sections: Sections,
    codes_of: list[int],
    xy: NDArray[np.float32],
    codes: NDArray[np.int64],
    origin: tuple[float, float],
) -> Iterator[str]:
    for item, code in zip(sections.items, codes_of, strict=True):
        if not same_extent(xy[codes == code], item.extent, origin):
            yield f"section {item.name!r}: its extent differs from the coordinates of its cells"


def same_extent(xy: NDArray[np.float32], extent: Extent, origin: tuple[float, float]) -> bool:
    """Return whether stored coordinates, which are relative to `origin`, have `extent`, which is absolute."""
    if not len(xy):
        return False
    # Rounding to float32 is monotonic, so the extremes of the rounded values are the rounded extremes.
    found = np.concatenate([xy.min(axis=0), xy.max(axis=0)])
    return np.array_equal(found, (np.asarray(extent) - (*origin, *origin)).astype(np.float32))
