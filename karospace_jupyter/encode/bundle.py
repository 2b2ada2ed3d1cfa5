"""Encode a whole plan, with the manifest last."""

from __future__ import annotations

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from karospace_jupyter.bundle.manifest import (
    SCHEMA_VERSION,
    AssetFile,
    GeneLabels,
    GeneSet,
    Image,
    ImageTransform,
    Manifest,
    OtherMatrix,
    Proportions,
    Section,
    SectionFact,
    Sections,
    Values,
)
from karospace_jupyter.encode import tables
from karospace_jupyter.encode.columnar import encode_cell_ids, encode_column, encode_coordinates, encode_embedding
from karospace_jupyter.encode.expression import encode_expression
from karospace_jupyter.encode.image import encode_image, largest_side
from karospace_jupyter.encode.neighbors import encode_neighbors
from karospace_jupyter.encode.pack import Packer
from karospace_jupyter.encode.packed import FIRST_FOLDER, encode_packed
from karospace_jupyter.encode.preview import draw_preview, initial_gene
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.plan.gene_choice import gene_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.job import Job
    from karospace_jupyter.plan import Plan, PlannedImage, PlannedMatrix
    from karospace_jupyter.source import Source


def encode_bundle(
    plan: Plan, source: Source, config: ExportConfig, put: Callable[[str, bytes], None], job: Job
) -> Manifest:
    """Write every asset of the plan with `put` and return the manifest that describes them.

    Parameters
    ----------
    plan
        What is exported.
    source
        The data of the plan.
    config
        The options of the export.
    put
        Called with (path inside the bundle, bytes), from several threads.
    job
        Receives progress and can cancel the export.

    Returns
    -------
    Manifest
        The manifest of the bundle.
    """
    limit = config.max_asset_bytes
    warnings = list(plan.warnings)
    with (
        Packer(put, gzip=config.gzip, threads=config.threads) as packer,
        ThreadPoolExecutor(1, thread_name_prefix="karospace-tables") as side,
    ):
        # Queued first to keep the cores busy while the matrix is read.
        coordinates = packer.run(lambda: encode_coordinates(plan.coordinates, packer, limit))
        cell_ids = packer.run(lambda: encode_cell_ids(plan.cells.ids, packer, limit))
        columns = [
            packer.run(lambda a=annotation, i=index: encode_column(a, i, packer, limit))  # type: ignore[misc]  # defaults bind the loop's values
            for index, annotation in enumerate(plan.annotations)
        ]
        neighbors = packer.run(lambda: encode_neighbors(plan, packer, limit))
        embeddings = [
            packer.run(lambda e=embedding, i=index: encode_embedding(e, i, packer, limit))  # type: ignore[misc]  # defaults bind the loop's values
            for index, embedding in enumerate(plan.embeddings)
        ]
        # Text is formatted in Python while numpy processes the matrix without the GIL.
        tables_done = side.submit(_encode_tables, plan, packer, limit, job, of_cells=config.tables == "yes")
        preview_gene = initial_gene(plan) if config.preview else None
        position = gene_at(source, preview_gene[0]) if preview_gene is not None and preview_gene[1] is None else None
        expression, expression_files, missing, gene = encode_expression(plan, source, packer, limit, job, keep=position)
        packed = None
        if plan.packed is not None:
            # The missing values of all genes include those of the genes above.
            packed, packed_files, missing = encode_packed(plan, source, packer, limit, config.memory_bytes, job)
            expression_files = [*expression_files, *packed_files]
        warnings += missing.warnings()
        other_matrices = []
        for number, matrix in enumerate(plan.other_matrices, 1):
            other, other_files, other_warnings = _encode_other(matrix, number, plan, source, packer, config, job)
            other_matrices.append(other)
            expression_files = [*expression_files, *other_files]
            warnings += other_warnings
        with job.stage("Writing tables", 1, "step") as stage:
            table_files = tables_done.result()
            stage.advance()
        images, image_files = _encode_images(plan.images, packer, limit, warnings, job)
        preview_files = []
        if config.preview:
            if preview_gene is not None and preview_gene[1] is not None:
                gene = _gene_of_matrix(preview_gene[0], preview_gene[1], plan, source, job)
            drawn = draw_preview(plan, gene)
            if len(drawn) <= limit:
                preview_files = [packer.store("preview", "preview.png", drawn)]
            else:
                warnings.append(f"The preview was omitted: {_too_large(limit)}.")
        done_columns = [future.result() for future in columns]
        done_embeddings = [future.result() for future in embeddings]
        files: list[AssetFile] = [
            *(file for future in table_files for file in future.result()),
            *image_files,
            *preview_files,
            *coordinates.result()[1],
            *cell_ids.result()[1],
            *(file for _, written in done_columns for file in written),
            *(file for _, written in done_embeddings for file in written),
            *neighbors.result()[1],
            *expression_files,
        ]
        return Manifest(
            schema_version=SCHEMA_VERSION,
            dataset_name=plan.dataset_name,
            created_at=_created_at(),
            n_cells=plan.cells.n,
            n_genes_exported=len(plan.genes.names),
            coordinate_source=plan.coordinates.source,
            annotation_columns=[annotation.name for annotation in plan.annotations],
            gene_list=list(plan.genes.names),
            asset_files=files,
            expression=expression,
            packed=packed,
            other_matrices=other_matrices or None,
            image=images[0] if len(plan.images) == 1 else None,
            preview_path="preview.png" if preview_files else None,
            generator=_generator(),
            observations=plan.cells.observations,
            n_cells_source=plan.n_cells_source,
            coordinates=coordinates.result()[0],
            cell_ids=cell_ids.result()[0],
            columns=[column for column, _ in done_columns],
            gene_labels=[GeneLabels(column=c, labels=list(labels)) for c, labels in plan.genes.labels] or None,
            gene_sets=[GeneSet(name=one.name, genes=list(one.genes)) for one in plan.gene_sets] or None,
            embeddings=[embedding for embedding, _ in done_embeddings] or None,
            proportions=[Proportions(key=one.key, column=one.column, parts=list(one.parts)) for one in plan.proportions]
            or None,
            sections=_sections(plan, images),
            neighbors=neighbors.result()[0],
            view=plan.view,
            embed_origins=list(config.embed_origins) or None,
            warnings=warnings or None,
            max_asset_bytes=limit,
        )


def _gene_of_matrix(gene: str, matrix: str, plan: Plan, source: Source, job: Job) -> NDArray[np.float32] | None:
    """Return the values of a gene of another matrix; None if there is no such gene."""
    spec = next((one.spec for one in plan.other_matrices if one.name == matrix), None)
    other = None if spec is None else source.with_matrix(spec)
    position = None if other is None else gene_at(other, gene)
    if other is None or position is None:
        return None
    [vector] = other.genes(np.array([position]), plan.cells.rows, job)
    return vector.values


def _encode_other(
    matrix: PlannedMatrix, number: int, plan: Plan, source: Source, packer: Packer, config: ExportConfig, job: Job
) -> tuple[OtherMatrix, list[AssetFile], list[str]]:
    """Write all genes of another matrix; return its manifest entry, its files, and warnings."""
    own = replace(plan, matrix_name=matrix.name, values=matrix.values, packed=matrix.packed)
    other = source.with_matrix(matrix.spec)
    packed, files, missing = encode_packed(
        own, other, packer, config.max_asset_bytes, config.memory_bytes, job, folder=f"{FIRST_FOLDER}_{number}"
    )
    other.check_unchanged()
    values = Values(kind=matrix.values.kind, log_base=matrix.values.log_base)
    warnings = [f"{matrix.name}: {text}" for text in missing.warnings()]
    return OtherMatrix(values=values, packed=packed), files, warnings


def _encode_images(
    planned: Sequence[PlannedImage], packer: Packer, limit: int, warnings: list[str], job: Job
) -> tuple[list[Image | None], list[AssetFile]]:
    """Return each image (None if it exceeds the maximum asset size) and the files."""
    images: list[Image | None] = []
    files: list[AssetFile] = []
    if not planned:
        return images, files
    side = largest_side(planned)
    with job.stage("Encoding images", len(planned), "images") as stage:
        for number, one in enumerate(planned):
            stem = "assets/image" if len(planned) == 1 else f"assets/image_{number:03d}"
            encoded = encode_image(one, limit, stem, side)
            if encoded is None:
                images.append(None)
                warnings.append(f"The image {one.origin} was omitted: {_too_large(limit)}.")
            else:
                files.append(packer.store("image", encoded.path, encoded.data))
                transform = ImageTransform(scale=encoded.scale, offset=encoded.offset)
                size = {"width": encoded.width, "height": encoded.height}
                images.append(Image(path=encoded.path, **size, transform=transform))
                warnings += encoded.notes
            stage.advance()
    return images, files


def _too_large(limit: int) -> str:
    return f"it exceeds the maximum asset size of {limit:,} bytes"


def _sections(plan: Plan, images: Sequence[Image | None]) -> Sections | None:
    planned = plan.sections
    if planned is None:
        return None
    own = {name: image for one, image in zip(plan.images, images, strict=True) for name in one.sections}
    return Sections(
        column=planned.column,
        overlapping=planned.overlapping,
        items=[
            Section(name=one.name, extent=one.extent, count=one.count, image=own.get(one.name)) for one in planned.items
        ],
        missing=planned.missing,
        facts=[SectionFact(column=one.column, values=list(one.values)) for one in planned.facts] or None,
    )


def _encode_tables(
    plan: Plan, packer: Packer, limit: int, job: Job, *, of_cells: bool
) -> list[Future[list[AssetFile]]]:
    n, var = plan.cells.n, tables.var_columns(plan)
    work: list[tuple[str, str, Iterator[bytes]]] = [
        ("var_csv", "assets/var_{:03d}.csv", tables.csv_chunks(var, len(plan.genes.names), limit)),
    ]
    if of_cells:
        obs, coords = tables.obs_columns(plan), tables.coords_columns(plan)
        work = [
            ("obs_csv", "assets/obs_{:03d}.csv", tables.csv_chunks(obs, n, limit)),
            ("obs_json", "assets/obs_records_{:03d}.json", tables.json_chunks(obs, n, limit)),
            *work,
            ("coords_json", "assets/coords_{:03d}.json", tables.json_chunks(coords, n, limit)),
        ]
    futures: list[Future[list[AssetFile]]] = []
    for kind, stem, chunks in work:
        for part, raw in enumerate(chunks):
            job.check()
            path = stem.format(part)
            futures.append(packer.run(lambda k=kind, p=path, r=raw: [packer.pack(k, p, r)]))  # type: ignore[misc]  # defaults bind the loop's values
    return futures


def _created_at() -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        now = dt.datetime.now(dt.UTC)
    else:
        try:
            now = dt.datetime.fromtimestamp(int(epoch), dt.UTC)
        except (ValueError, OverflowError, OSError) as exc:
            msg = f"The environment variable SOURCE_DATE_EPOCH is {epoch!r}; expected a number of seconds since 1970."
            raise ConfigError(msg) from exc
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _generator() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"karospace-jupyter {version('karospace-jupyter')}"
    except PackageNotFoundError:
        return "karospace-jupyter"
