"""Resolve a source and options to a plan; every error caused by bad input is raised here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from karospace_jupyter.errors import ConfigError, PlanError
from karospace_jupyter.job import Job
from karospace_jupyter.plan.annotations import ChosenColumns, choose_columns
from karospace_jupyter.plan.cells import choose_cells, is_placed
from karospace_jupyter.plan.coordinates import columns_of, find_coordinates, is_embedding
from karospace_jupyter.plan.embeddings import choose_embeddings
from karospace_jupyter.plan.gene_choice import choose_genes
from karospace_jupyter.plan.gene_sets import choose_gene_sets
from karospace_jupyter.plan.images.choose import Pictures, choose_images
from karospace_jupyter.plan.images.files import inspect_file
from karospace_jupyter.plan.images.upright import choose_upright_images
from karospace_jupyter.plan.initial_color import RequestedColor, color_of, initial_color, initial_view, requested_color
from karospace_jupyter.plan.lattice import Direction, direction_of_y
from karospace_jupyter.plan.markers import choose_markers
from karospace_jupyter.plan.matrix_values import matrix_values
from karospace_jupyter.plan.model import Plan, PlannedCoordinates, PlannedGenes
from karospace_jupyter.plan.names import as_text, make_unique
from karospace_jupyter.plan.neighbors import choose_neighbors
from karospace_jupyter.plan.observations import Array, array_of
from karospace_jupyter.plan.origin import count_displaced, count_sharing, origin_of
from karospace_jupyter.plan.packed_genes import choose_other_matrices, choose_packed
from karospace_jupyter.plan.proportions import ChosenProportions, choose_proportions
from karospace_jupyter.plan.scale import Scale, choose_scale, scales_of_columns
from karospace_jupyter.plan.sections import plan_sections, requested_column, split
from karospace_jupyter.plan.sizes import predict
from karospace_jupyter.plan.view import extent_of, fitting_view
from karospace_jupyter.plan.visium import unit_um
from karospace_jupyter.view.saved_view import read_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from karospace_jupyter.config import CoordsSpec, ExportConfig
    from karospace_jupyter.plan.model import (
        CategoryAnnotation,
        PlannedEmbedding,
        PlannedGeneSet,
        PlannedMatrix,
        PlannedSections,
    )
    from karospace_jupyter.plan.origin import Origin
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows


class Problems:
    """Raise the problems of a plan, or collect them by option."""

    def __init__(self, *, collect: bool = False) -> None:
        self._collect = collect
        self.found: dict[str, str] = {}

    @contextmanager
    def of(self, option: str) -> Iterator[None]:
        """Collect a problem raised in the block under the name of an option, or let the exception propagate."""
        try:
            yield
        except (PlanError, ConfigError) as exc:
            if not self._collect:
                raise
            self.found.setdefault(option, str(exc))


def resolve(source: Source, config: ExportConfig, job: Job | None = None, *, genes_on_demand: bool = False) -> Plan:
    """Decide what an export of `source` contains.

    Parameters
    ----------
    genes_on_demand
        Whether genes that are not exported can be read later, so that a view may use them.

    Raises
    ------
    PlanError
        If the data does not provide what the options request.
    """
    planned = decide(source, config, Problems(), job or Job.null(), genes_on_demand=genes_on_demand)
    assert planned is not None  # noqa: S101 - problems were raised
    return planned


def decide(
    source: Source,
    config: ExportConfig,
    problems: Problems,
    job: Job,
    *,
    genes_known: bool = True,
    genes_on_demand: bool = False,
    exact_neighbors: bool = True,
) -> Plan | None:
    """Decide what an export of `source` contains, as far as its problems allow.

    Parameters
    ----------
    source
        The data.
    config
        The options.
    problems
        Receives the problems. Parts with a problem are missing from the plan.
    job
        Receives progress and can cancel the work.
    genes_known
        Whether the ranking of the genes is that of the export; it is not if it comes from a sample.
    genes_on_demand
        Whether genes that are not exported can be read later, as for :func:`resolve`.
    exact_neighbors
        Whether all neighbors are found; those of a sample of the cells suffice for an estimate.

    Returns
    -------
    Plan or None
        None if a problem prevents the choice of coordinates or cells.

    Raises
    ------
    PlanError
        If the source has no cells.
    """
    if source.n_cells == 0:
        msg = f"{source.name} has no cells, so there is nothing to export."
        raise PlanError(msg)
    view = coords = section_column = None
    with problems.of("view"):
        view = None if config.view is None else read_view(config.view)
    with problems.of("coords"):
        coords = find_coordinates(source, config.coordinate_spec)
    with problems.of("sections"):
        section_column = requested_column(source, config, None if coords is None else coords.xy)
    chosen, array = None, Array("cells")
    if coords is not None:
        if not is_embedding(coords.spec):
            array = array_of(source, coords.xy, section_column)
        with problems.of("coords"):
            chosen = choose_cells(source, coords.xy, config, section_column, array.observations)
    if coords is None or chosen is None:
        return None
    cells, xy, new_warnings = chosen
    warnings = [*coords.warnings, *new_warnings]
    spatial = not is_embedding(coords.spec)
    section_column, new_warnings = split(source, config, cells, section_column, spatial=spatial)
    warnings += new_warnings
    proportions = ChosenProportions((), (), ())
    with problems.of("proportions"):
        used = [*([coords.spec.key] if coords.spec.kind == "obsm" else []), *(config.embeddings or ())]
        proportions = choose_proportions(source, cells, config.proportions, used, source.obs_columns)
    warnings += proportions.warnings
    requested = RequestedColor()
    with problems.of("color"):
        requested = requested_color(
            source, config.color, [one.name for one in proportions.annotations], config.other_matrices
        )
    columns = ChosenColumns([], (), None, [])
    with problems.of("annotation_columns"):
        columns = choose_columns(
            source, cells, config.annotation_columns, columns_of(coords.spec), section_column, xy, requested.column
        )
    warnings += columns.warnings
    annotations = [*columns.annotations, *proportions.annotations]
    sections = None if columns.section is None else plan_sections(columns.section, xy, columns.annotations)
    codes = None if columns.section is None else columns.section.codes
    direction = Direction("up", known=False)
    if spatial:
        names = [] if columns.section is None else columns.section.categories
        direction = direction_of_y(source, cells.rows, xy, codes, names)
    warnings += direction.warnings
    pictures = Pictures((), None, None, ())
    with problems.of("image_path"):
        pictures = _pictures(source, config, coords.spec, cells.rows, xy, sections, codes, direction, spatial=spatial)
    warnings += [text if text.endswith(".") else f"{text}." for text in pictures.warnings]
    embeddings: list[PlannedEmbedding] = []
    with problems.of("embeddings"):
        embeddings, new_warnings = choose_embeddings(source, cells, coords.spec, config.embeddings)
        warnings += new_warnings
    values = matrix_values(source)
    if values.unchecked:
        warnings.append(
            f"The values of {source.matrix_name} are assumed to be log1p because uns['log1p'] says so; there are too "
            "few values to check."
        )
    packed = None
    others: tuple[PlannedMatrix, ...] = ()
    if not genes_on_demand:
        packed, new_warnings = choose_packed(source, config, cells.n)
        warnings += new_warnings
    with problems.of("matrices"):
        others, new_warnings = choose_other_matrices(source, config, cells.n, packed, on_demand=genes_on_demand)
        warnings += new_warnings
    gene_sets: tuple[PlannedGeneSet, ...] = ()
    genes_of_sets = np.zeros(0, dtype=np.int64)
    with problems.of("gene_sets"):
        sources = [source.with_matrix(one.spec) for one in others]
        gene_sets, genes_of_sets, new_warnings = choose_gene_sets(source, config.gene_sets, sources)
        warnings += new_warnings
    with problems.of("markers"):
        packed, new_warnings = choose_markers(source, config, columns, packed, on_demand=genes_on_demand)
        warnings += new_warnings
    # The viewer reads any gene from packed genes, so no genes are added to the requested ones.
    added = (requested.gene, genes_of_sets) if packed is None else (None, None)
    genes = PlannedGenes(np.zeros(0, dtype=np.int64), (), ())
    with problems.of("genes_mode"):
        genes, new_warnings = choose_genes(source, config.genes, values, cells.rows, job, *added)
        warnings += new_warnings
    if view is not None:
        available = set(genes.names) if genes_known else None
        if packed is not None:
            available = set(packed.names)
        elif genes_on_demand:
            available = set(make_unique(as_text(source.gene_names))[0])
        view, new_warnings = fitting_view(
            view, cells.n, extent_of(xy), annotations, embeddings, sections, available, gene_sets,
            matrix=source.matrix_name,
            other_matrices=None if genes_on_demand else {one.name: one.packed.names for one in others},
        )  # fmt: skip
        warnings += new_warnings
    color = color_of(requested, annotations, genes, packed)
    if color is None and config.view is None:
        section = None if columns.section is None else columns.section.name
        color = initial_color(source, annotations, section, xy, embeddings, genes)
        if color is not None and color["kind"] == "gene" and not genes_known:
            color = None  # the export chooses among other genes
    view = initial_view(view, color, requested=config.color is not None)
    scale = choose_scale(config.um_per_unit, [])
    if spatial:
        scale = _scale(source, config, coords.spec, cells.rows, xy, pictures, array)
    warnings += scale.warnings
    neighbors = None
    with problems.of("neighbors"):
        neighbors, new_warnings = choose_neighbors(
            source,
            config.neighbors_spec,
            cells,
            xy,
            None if columns.section is None else _sections_of(columns.section),
            scale.unit_um,
            job,
            spatial=spatial,
            sampled=not exact_neighbors,
            threads=config.threads,
            drawn=config.downsample is not None and config.downsample < int(is_placed(coords.xy).sum()),
        )
        warnings += new_warnings
    origin = origin_of(xy)
    warnings += _rounding_warnings(xy, origin, cells.observations)
    coordinates = PlannedCoordinates(
        spec=coords.spec,
        xy=xy,
        y_axis=direction.y_axis,
        unit_um=scale.unit_um,
        spot_diameter=array.side or pictures.spot_diameter,
        bin_angle=array.bin_angle,
        unit_origin=scale.origin,
        origin=origin,
    )
    if config.tables == "no":
        warnings.append(
            f"The tables of {cells.observations} were left out, as requested: readers of format 1.0 cannot open the "
            "bundle."
        )
    files, size = predict(
        cells,
        annotations,
        genes,
        tuple(one for one in (packed, *(other.packed for other in others)) if one is not None),
        pictures.images,
        config,
        gene_sets,
        embeddings=len(embeddings),
        neighbors=neighbors,
        view=view,
    )
    return Plan(
        dataset_name=config.dataset_name or source.name,
        n_cells_source=source.n_cells,
        n_genes_source=source.n_genes,
        matrix_name=source.matrix_name,
        values=values,
        cells=cells,
        coordinates=coordinates,
        annotations=tuple(annotations),
        columns=columns.columns,
        proportions=proportions.planned,
        embeddings=tuple(embeddings),
        sections=sections,
        genes=genes,
        packed=packed,
        other_matrices=others,
        gene_sets=gene_sets,
        neighbors=neighbors,
        images=pictures.images,
        view=view,
        warnings=tuple(warnings),
        predicted_files=files,
        predicted_bytes=size,
    )


def _sections_of(column: CategoryAnnotation) -> NDArray[np.int64]:
    """Return the section of each cell; -1 for a cell without a section."""
    return np.where(column.codes == len(column.categories), -1, column.codes)


def _scale(
    source: Source,
    config: ExportConfig,
    coords: CoordsSpec,
    rows: Rows,
    xy: NDArray[np.float64],
    pictures: Pictures,
    array: Array,
) -> Scale:
    """Choose the length of a coordinate unit: the requested one, else the first that images, array or columns imply."""
    found = [
        Scale(pictures.unit_um, "microns_per_pixel in uns['spatial']"),
        Scale(unit_um(array.hexagonal_pitch, pictures.spot_diameter), "the distance between the spots of Visium"),
        Scale(array.bin_um / array.side if array.bin_um and array.side else None, "the size of the bins"),
        *scales_of_columns(source, coords, rows, xy),
    ]
    return choose_scale(config.um_per_unit, found)


def _pictures(
    source: Source,
    config: ExportConfig,
    coords: CoordsSpec,
    rows: Rows,
    xy: NDArray[np.float64],
    sections: PlannedSections | None,
    codes: NDArray[np.int64] | None,
    direction: Direction,
    *,
    spatial: bool,
) -> Pictures:
    """Choose the images; an embedding has none."""
    if spatial:
        return choose_upright_images(source, config.image, coords, rows, xy, sections, codes, direction)
    if config.image.kind == "none":
        return Pictures((), None, None, ())
    if config.image.kind == "uns":
        left_out = choose_images(source, config.image, coords, rows, xy, sections, codes)
        return Pictures((), None, None, left_out.warnings)
    inspect_file(config.image.path)  # an unreadable file is an error even if the image is not used
    warning = f"The image {config.image_path} was left out: the coordinates are those of an embedding, not of tissue."
    return Pictures((), None, None, (warning,))


def _rounding_warnings(xy: NDArray[np.float64], origin: Origin, observations: str) -> list[str]:
    lost = count_sharing(xy, origin)
    if lost:
        return [
            f"Parts of the tissue are too far apart for the viewer to show all {observations} separately: {lost:,} of "
            f"{len(xy):,} {observations} are drawn at the position of another. The tables, if written, "
            "keep the exact coordinates."
        ]
    n, most = count_displaced(xy, origin)
    if not n:
        return []
    return [
        f"Parts of the tissue are too far apart for exact positions in the viewer: {n:,} of {len(xy):,} {observations} "
        f"are drawn up to {most:.2g} units off. The tables, if written, keep the exact coordinates."
    ]
