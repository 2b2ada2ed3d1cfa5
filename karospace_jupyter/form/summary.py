"""Summarize an AnnData object for a form: names, kinds, counts and colors, without a pass over its matrix."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from karospace_jupyter.config import ExportConfig, MatrixLayer, MatrixRaw, parse_coords
from karospace_jupyter.contracts.form import ColumnFact, Defaults, EmbeddingFact, LibraryFact, Summary
from karospace_jupyter.errors import ConfigError, KaroSpaceError, NoMatrixError, enough_memory
from karospace_jupyter.plan import Description, describe
from karospace_jupyter.plan.annotations import category_colors
from karospace_jupyter.plan.column_values import exact_numbers
from karospace_jupyter.plan.coordinates import columns_of
from karospace_jupyter.plan.embeddings import label
from karospace_jupyter.plan.hvg import marked_genes
from karospace_jupyter.source import open_source
from karospace_jupyter.source.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from karospace_jupyter.plan.annotations import ColumnSummary
    from karospace_jupyter.source import Source

_SWATCHES = 5


def option_help() -> dict[str, str]:
    """Return the help text of each option, from the descriptions of its model."""
    return {name: field.description or "" for name, field in ExportConfig.model_fields.items()}


def quick_summary(subject: Any) -> Summary:  # noqa: ANN401 - a path or an AnnData
    """Return the part of the summary that is available immediately, for the first render.

    Raises
    ------
    KaroSpaceError
        If a file cannot be read.
    """
    if isinstance(subject, Path):
        source = _open_any_matrix(subject)
        n_cells, n_genes = source.n_cells, source.n_genes
        source.close()
    else:
        n_cells, n_genes = int(subject.n_obs), int(subject.n_vars)
    return Summary(n_cells, n_genes, help=option_help())


@enough_memory()
def summarize(subject: Any) -> Summary:  # noqa: ANN401
    """Return everything that the form shows about an AnnData object or its file.

    Raises
    ------
    KaroSpaceError
        If it cannot be read.
    """
    source = _open_any_matrix(subject)
    try:
        found = describe(source)
        summary = Summary(
            n_cells=found.n_cells,
            n_genes=found.n_genes,
            observations=found.observations,
            help=option_help(),
            ready=True,
            name=found.name,
            facts=tuple(_facts(found)),
            coordinates=tuple(dict.fromkeys([*found.coordinates, *arrays_as_coordinates(source)])),
            detected=found.detected,
            columns=tuple(_column(source, column, found.section_column) for column in found.columns),
            layers=found.layers,
            raw=found.has_raw,
            libraries=tuple(
                LibraryFact(library.name, tuple(library.images)) for library in found.libraries if library.images
            ),
            sections=found.section_column,
            section_columns=found.section_columns,
            embeddings=tuple(_embeddings(source, found)),
            marked=_marked(source),
            separators=separators_of([*map(str, source.gene_names), *(_raw_names(subject) if found.has_raw else ())]),
        )
    finally:
        source.close()
    return replace(summary, defaults=defaults_of(summary, None))


def defaults_of(summary: Summary, coords: str | None) -> Defaults:
    """Return what is exported by default with these coordinates; None means the detected ones."""
    used: tuple[str, ...] = ()
    chosen = coords or summary.detected
    if chosen:
        with suppress(ConfigError):  # reported as a problem of the option
            used = columns_of(parse_coords(chosen))
    return Defaults(
        tuple(one.name for one in summary.columns if one.default and one.name not in used),
        tuple(one.key for one in summary.embeddings if one.default and f"obsm:{one.key}" != chosen),
    )


def gene_names(subject: Any, *, raw: bool) -> list[str]:  # noqa: ANN401
    """Return the names of all genes of the object or of its `raw`."""
    source = open_source(subject, matrix=MatrixRaw()) if raw else _open_any_matrix(subject)
    try:
        return [str(name) for name in source.gene_names]
    finally:
        source.close()


def _raw_names(subject: Any) -> list[str]:  # noqa: ANN401
    try:
        return gene_names(subject, raw=True)
    except KaroSpaceError:  # reported when the user chooses raw
        return []


def separators_of(names: Collection[str]) -> str:
    """Return the characters that can separate names in a list, for the brackets of a regular expression."""
    spaced = any(len(name.split()) > 1 for name in names)
    return (r"\t\r\n" if spaced else r"\s") + "".join(mark for mark in ",;" if not any(mark in name for name in names))


def _open_any_matrix(subject: Any) -> Source:  # noqa: ANN401
    """Open the data with X, or with another matrix if there is no X, so that the form can offer layers and raw."""
    try:
        return open_source(subject)
    except NoMatrixError as exc:
        if not exc.instead:
            raise
        name = exc.instead[0]
        return open_source(subject, matrix=MatrixRaw() if name is None else MatrixLayer(name))


def _facts(found: Description) -> list[str]:
    images = sorted({image for library in found.libraries for image in library.images})
    facts = [found.matrix_kind]
    facts += [found.detected or ("several coordinates" if found.coordinates else "no coordinates found")]
    facts += [label(key) for key in found.embeddings[:3]]
    facts += [f"image ({', '.join(images)})"] if images else []
    facts += [f"sections by {found.section_column}"] if found.section_column else []
    return facts


def _embeddings(source: Source, found: Description) -> Iterator[EmbeddingFact]:
    """Yield the entries of obsm other than the coordinates of the tissue."""
    for key, shape in source.obsm_shapes.items():
        if len(shape) == 2 and shape[1] >= 2 and f"obsm:{key}" not in found.coordinates:
            yield EmbeddingFact(key, label(key), default=key in found.usual_embeddings)


def arrays_as_coordinates(source: Source) -> list[str]:
    """Return every entry of obsm that can serve as coordinates."""
    return [f"obsm:{key}" for key, shape in source.obsm_shapes.items() if len(shape) == 2 and shape[1] >= 2]


def _column(source: Source, column: ColumnSummary, sections: str | None) -> ColumnFact:
    colors: tuple[str, ...] = ()
    bounds = None
    if column.kind == "category" and column.n_categories and column.n_categories <= 256:
        colors = tuple(category_colors(source, column.name)[:_SWATCHES])
    elif column.kind == "number":
        values = exact_numbers(plain(source.obs(column.name))).values
        finite = values[np.isfinite(values)]
        if len(finite):
            bounds = float(finite.min()), float(finite.max())
    return ColumnFact(
        name=column.name,
        kind=column.kind,
        dtype=column.dtype,
        default=column.left_out is None or column.name == sections,  # the section column is always exported
        left_out=column.left_out,
        n_categories=column.n_categories,
        other_kind=column.other_kind,
        colors=colors,
        range=bounds,
    )


def _marked(source: Source) -> int | None:
    """Return the number of genes marked as highly variable, or None if there are none."""
    marked = marked_genes(source)
    return None if marked is None else int(marked.sum())
