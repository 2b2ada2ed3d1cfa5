"""Summarize the contents of a source, for forms and for a dry run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from karospace_jupyter.config import ObsmCoords
from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.plan.annotations import ColumnSummary, summarize_columns
from karospace_jupyter.plan.coordinates import FoundCoordinates, candidates, find_coordinates, is_embedding, label
from karospace_jupyter.plan.embeddings import usual_embeddings
from karospace_jupyter.plan.images.choose import Library, libraries
from karospace_jupyter.plan.observations import Observations, array_of
from karospace_jupyter.plan.sections import section_column, section_columns

if TYPE_CHECKING:
    from karospace_jupyter.source import Source


@dataclass(frozen=True, slots=True)
class Description:
    """Summary of an AnnData object."""

    name: str
    n_cells: int
    n_genes: int
    observations: Observations
    """What each row represents."""
    matrix_kind: str
    """Storage and dtype, for example "CSR float32"."""
    coordinates: tuple[str, ...]
    """Candidates with usual names in order of preference, for example `obsm:spatial`."""
    detected: str | None
    """The default coordinates; None if there are none, or several equally likely ones."""
    embeddings: tuple[str, ...]
    """Keys of obsm that hold embeddings with at least two dimensions."""
    usual_embeddings: tuple[str, ...]
    """Embeddings exported by default, unless they are the coordinates."""
    columns: tuple[ColumnSummary, ...]
    layers: tuple[str, ...]
    has_raw: bool
    libraries: tuple[Library, ...]
    section_column: str | None
    """The column that names the sections by default."""
    section_columns: tuple[str, ...]
    """All columns that can name sections."""


def describe(source: Source) -> Description:
    """Summarize `source` without reading its matrix."""
    shapes = source.obsm_shapes
    found = _found(source)
    section = section_column(source, found.xy if found else None)
    return Description(
        name=source.name,
        n_cells=source.n_cells,
        n_genes=source.n_genes,
        observations=_observations(source, found, section),
        matrix_kind=source.matrix_kind,
        coordinates=tuple(label(spec) for spec in candidates(source)),
        detected=label(found.spec) if found else None,
        embeddings=tuple(
            key for key, shape in shapes.items() if len(shape) == 2 and shape[1] >= 2 and is_embedding(ObsmCoords(key))
        ),
        usual_embeddings=tuple(usual_embeddings(source, None)),
        columns=tuple(summarize_columns(source, None, xy=found.xy if found else None, section=section)),
        layers=tuple(source.layers),
        has_raw=source.has_raw,
        libraries=tuple(libraries(source)),
        section_column=section,
        section_columns=tuple(section_columns(source)),
    )


def _observations(source: Source, found: FoundCoordinates | None, section: str | None) -> Observations:
    if found is None or is_embedding(found.spec):
        return "cells"
    return array_of(source, found.xy, section).observations


def _found(source: Source) -> FoundCoordinates | None:
    try:
        return find_coordinates(source, None)
    except CoordinatesError:
        return None
