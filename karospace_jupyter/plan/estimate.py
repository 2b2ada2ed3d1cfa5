"""Estimate the size of an export and check its options, for forms, without a pass over the matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from karospace_jupyter.config import DEFAULT_GENES, TopMeanGenes, VariableGenes
from karospace_jupyter.errors import ColumnError, ConfigError, CoordinatesError, GenesError, ImageError
from karospace_jupyter.job import Job
from karospace_jupyter.plan.annotations import choose_columns
from karospace_jupyter.plan.cells import choose_cells
from karospace_jupyter.plan.coordinates import FoundCoordinates, columns_of, find_coordinates, is_embedding
from karospace_jupyter.plan.embeddings import choose_embeddings
from karospace_jupyter.plan.gene_choice import choose_genes
from karospace_jupyter.plan.hvg import check_rankable
from karospace_jupyter.plan.lattice import direction_of_y
from karospace_jupyter.plan.matrix_values import matrix_values
from karospace_jupyter.plan.model import MatrixValues, PlannedGenes
from karospace_jupyter.plan.pictures.choose import choose_images
from karospace_jupyter.plan.pictures.upright import choose_upright_images
from karospace_jupyter.plan.sections import asked_column, plan_sections, split
from karospace_jupyter.plan.sizes import predict
from karospace_jupyter.plan.view import extent_of, fitting_view
from karospace_jupyter.view.saved_view import read_view

if TYPE_CHECKING:
    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.plan.model import Annotation, PlannedEmbedding, PlannedImage, PlannedSections
    from karospace_jupyter.source import Source

_VALUES_A_SECOND = 1.2e8
"""Values of the matrix read per second in one pass, measured on 2 cores (tests/bench); a rough estimate."""
_ARRAY_BYTES_A_SECOND = 3e8
"""Bytes of expression, before compression, written per second."""
_TABLE_BYTES_A_SECOND = 6e7
"""Bytes of text tables written per second; slower because Python formats them."""
_FILES_A_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Size and duration of an export that was not run."""

    files: int
    bytes: int
    """Before compression."""
    seconds: float
    """On two cores; approximate."""
    n_cells: int
    n_genes: int
    warnings: tuple[str, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)
    """By option: why an export with it would fail."""


def estimate(source: Source, config: ExportConfig) -> Estimate:
    """Predict an export of `source`; problems are returned, not raised."""
    problems: dict[str, str] = {}
    warnings: list[str] = []
    column = None
    found: FoundCoordinates | None = None
    try:
        found = find_coordinates(source, config.coordinate_spec)
    except CoordinatesError as exc:
        problems["coords"] = str(exc)
    try:
        column = asked_column(source, config, None if found is None else found.xy)
    except ColumnError as exc:
        problems["sections"] = str(exc)
    if found is None:
        return Estimate(0, 0, 0.0, 0, 0, (), problems)
    try:
        cells, xy, new_warnings = choose_cells(source, found.xy, config, column)
        warnings += [*found.warnings, *new_warnings]
    except CoordinatesError as exc:
        return Estimate(0, 0, 0.0, 0, 0, (), {**problems, "coords": str(exc)})
    annotations: list[Annotation] = []
    sections: PlannedSections | None = None
    images: tuple[PlannedImage, ...] = ()
    codes = None
    spatial = not is_embedding(found.spec)
    column, new_warnings = split(source, config, cells, column, spatial=spatial)
    warnings += new_warnings
    used = columns_of(found.spec)
    try:
        columns = choose_columns(source, cells, config.annotation_columns, used, column)
        annotations = columns.annotations
        if columns.section is not None:
            sections = plan_sections(columns.section, xy, annotations)
            codes = columns.section.codes
        warnings += columns.warnings
    except ColumnError as exc:
        problems["annotation_columns"] = str(exc)
    embeddings: list[PlannedEmbedding] = []
    try:
        embeddings, new_warnings = choose_embeddings(source, cells, found.spec, config.embeddings)
        warnings += new_warnings
    except CoordinatesError as exc:
        problems["embeddings"] = str(exc)
    try:
        if spatial:
            names = [] if sections is None else [one.name for one in sections.items]
            direction = direction_of_y(source, cells.rows, xy, codes if sections else None, names)
            pictures = choose_upright_images(
                source, config.image, found.spec, cells.rows, xy, sections, codes, direction
            )
            warnings += direction.warnings
            images = pictures.images
            warnings += pictures.warnings
        elif config.image.kind == "uns":  # an embedding has no tissue image
            warnings += choose_images(source, config.image, found.spec, cells.rows, xy, sections, codes).warnings
    except ImageError as exc:
        problems["image_path"] = str(exc)
    view = None
    try:
        if config.view is not None:
            # The exported genes are only known after a pass over the matrix.
            view, new_warnings = fitting_view(
                read_view(config.view), cells.n, extent_of(xy), annotations, embeddings, sections, genes=None
            )
            warnings += new_warnings
    except ConfigError as exc:
        problems["view"] = str(exc)
    n_genes, passes = 0, 1
    try:
        n_genes, passes, new_warnings = _genes(source, config)
        warnings += new_warnings
    except (GenesError, ConfigError) as exc:
        problems["genes_mode"] = str(exc)
    genes = PlannedGenes(np.arange(n_genes, dtype=np.int64), ("",) * n_genes, ())
    files, size = predict(cells, annotations, genes, images, config, embeddings=len(embeddings), view=view)
    arrays = 4 * cells.n * n_genes
    seconds = 0.3 + passes * source.n_values / _VALUES_A_SECOND + files / _FILES_A_SECOND
    seconds += arrays / _ARRAY_BYTES_A_SECOND + max(0, size - arrays) / _TABLE_BYTES_A_SECOND
    return Estimate(files, size, seconds, cells.n, n_genes, tuple(warnings), problems)


def _genes(source: Source, config: ExportConfig) -> tuple[int, int, list[str]]:
    """Return the number of genes, the required passes over the matrix, and warnings."""
    spec = config.genes
    if isinstance(spec, VariableGenes | TopMeanGenes):
        if source.n_genes == 0:
            msg = f"The matrix {source.matrix_name} has no genes. Choose another matrix."
            raise GenesError(msg)
        if spec.kind == "hvgs" and spec != DEFAULT_GENES:
            check_rankable(source, matrix_values(source), spec.n)
        marked = spec.kind == "hvgs" and "highly_variable" in source.var_columns
        return min(spec.n, source.n_genes), 1 if marked else 2, []
    genes, new_warnings = choose_genes(source, spec, MatrixValues("other"), None, Job.null())
    return len(genes.names), min(1, len(genes.names)), new_warnings
