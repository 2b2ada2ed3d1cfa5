"""Predict the size of a bundle."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from karospace_jupyter.bundle.neighbors import graph_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.plan.model import (
        Annotation,
        Cells,
        PlannedGenes,
        PlannedGeneSet,
        PlannedImage,
        PlannedNeighbors,
        PlannedPacked,
    )

_NUMBER_TEXT = 18  # approximate bytes of a float as text


def predict(
    cells: Cells,
    annotations: Sequence[Annotation],
    genes: PlannedGenes,
    packed: Sequence[PlannedPacked],
    images: Sequence[PlannedImage],
    config: ExportConfig,
    gene_sets: Sequence[PlannedGeneSet] = (),
    *,
    embeddings: int,
    neighbors: PlannedNeighbors | None,
    view: dict[str, Any] | None,
) -> tuple[int, int]:
    """Predict the number of files and bytes (before compression): exact for arrays, estimated for the rest.

    Parameters
    ----------
    embeddings
        Number of embeddings.
    neighbors
        The graph of neighbors.
    view
        The saved view that is stored in the manifest.

    Returns
    -------
    tuple of int
        Number of files and bytes.
    """
    n, limit = cells.n, config.max_asset_bytes
    arrays = [*[8 * n] * (1 + embeddings), *(_array_bytes(annotation, n) for annotation in annotations)]
    id_bytes = sum(len(text) for text in cells.ids[:1000].tolist()) / max(1, min(n, 1000))
    if neighbors is not None:
        arrays.append(round(neighbors.scale * graph_bytes(neighbors.starts, neighbors.cells, neighbors.rows)))
    tables = [len(genes.names) * 40.0, n * (id_bytes + 4)]
    if config.tables == "yes":
        row = id_bytes + 1 + sum(_text_bytes(annotation) for annotation in annotations)
        keys = sum(len(annotation.name) + 6 for annotation in annotations) + 14
        tables += [n * row, n * (row + keys), n * (id_bytes + 2 * _NUMBER_TEXT + 24)]
    manifest_bytes = 0 if view is None else len(json.dumps(view))
    manifest_bytes += sum(len(gene) + 4 for one in gene_sets for gene in (one.name, *one.genes))
    pictures = sum(min(limit, image.size[0] * image.size[1] * 1.5) for image in images)
    files = len(genes.names) * math.ceil(4 * n / limit)
    files += sum(max(1, math.ceil(size / limit)) for size in [*arrays, *tables])
    files += len(images) + config.preview + 2  # index.html, manifest.json
    total = int(4 * n * len(genes.names) + sum(arrays) + sum(tables) + pictures + manifest_bytes)
    return files + sum(one.size.files for one in packed), total + sum(one.size.raw_bytes for one in packed)


def _array_bytes(annotation: Annotation, n: int) -> int:
    if annotation.kind == "number":
        return (4 if annotation.fits_float32 else 8) * n
    return n * np.min_scalar_type(len(annotation.categories)).itemsize


def _text_bytes(annotation: Annotation) -> float:
    if annotation.kind == "number":
        return _NUMBER_TEXT + 1
    counts = np.bincount(annotation.codes, minlength=len(annotation.categories) + 1)[:-1]
    lengths = np.array([len(text) + 3 for text in annotation.categories], dtype=float)
    return float((counts * lengths).sum()) / max(1, len(annotation.codes))
