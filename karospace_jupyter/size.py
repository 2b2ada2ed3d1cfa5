"""Predict the size of what an export writes: encode a sample as the export would, and extrapolate."""

from __future__ import annotations

import hashlib
import math
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from karospace_jupyter.bundle.compress import Method, best_method, compress
from karospace_jupyter.bundle.manifest import AssetFile, Chunk, GeneEntry, Manifest
from karospace_jupyter.bundle.neighbors import write_graph
from karospace_jupyter.bundle.scripts import as_script
from karospace_jupyter.bundle.summary import summarize
from karospace_jupyter.encode import encode_bundle
from karospace_jupyter.encode.image import largest_side, predict_image
from karospace_jupyter.encode.preview import draw_preview
from karospace_jupyter.encode.tables import csv_chunks, var_columns
from karospace_jupyter.job import Job
from karospace_jupyter.plan.model import Cells, Plan, PlannedGenes
from karospace_jupyter.publish.scripts import MAX_BYTES, TOGETHER, manifest_bytes
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.plan import Annotation, PlannedEmbedding
    from karospace_jupyter.source import Source

_CELLS = 16_384
"""Number of cells whose annotations and coordinates are encoded."""
_RUNS = 8
"""Number of places from which these cells are taken, because cells are often sorted by section or by cluster."""
_DRAWN = 200_000
"""Maximum number of cells that are drawn to predict the preview, which hardly changes with more cells."""
_GENES, _VALUES = 96, 4_000_000
"""Number of genes that are encoded, and the maximum number of their values."""
_TAG, _ZIP_ENTRY, _PATH = 58, 98, 42
"""Overhead of a file in an HTML file, its overhead in a zip file, and the length of its path, in bytes."""
_SHARD_ENTRY = 280
"""Bytes that a script takes in the manifest."""
_BASE64 = 4 / 3
_ZIPPED_BYTES = 2**15
"""Bytes of a file that are compressed to predict the size of its scripts in a zip file."""


@dataclass(frozen=True, slots=True)
class Size:
    """Approximate output of an export, with the page, the scripts, and compression."""

    files: int
    bytes: int
    manifest: int = 0
    """Bytes of manifest.json, if it is a file of its own."""


def predict_size(plan: Plan, source: Source, config: ExportConfig) -> Size:
    """Predict the files and bytes of the first target of `config`, or of a folder if it has none.

    The result is approximate, because it is predicted without reading the whole matrix.
    """
    form: Literal["folder", "html", "zip"] = "folder"
    if config.outdir is None and (config.single_file or config.zip_path) is not None:
        form = "html" if config.single_file is not None else "zip"
    measure = _Measure(gzip=config.gzip, zipped=form == "zip")
    tables, manifest = _without_genes(plan, source, config, measure)
    genes, entries, times = _genes(plan, source.sampled(), config, measure)
    side = largest_side(plan.images)
    images = sum(predict_image(image, config.max_asset_bytes, side) for image in plan.images)
    packed = sum(one.size.bytes for one in plan.all_packed)
    assets, scripts = (tables + genes + (images + packed) * np.array([1, _BASE64])).tolist()
    carried = assets
    if plan.packed is not None:  # the scripts do not contain the files of single genes
        carried, scripts = assets - genes[0], scripts - genes[1]
    files = plan.predicted_files - 2  # without index.html and manifest.json
    text = manifest_bytes(manifest)
    n_text = len(text) + times * len(entries)
    page = static_file("viewer.html")
    if form == "html":
        tags = files + 1 - (0 if plan.packed is None else len(plan.genes.names))
        return Size(1, int(len(page) + (carried + n_text) * _BASE64 + tags * (_TAG + _PATH)))
    with_scripts = config.scripts == "yes" or (config.scripts == "auto" and carried * _BASE64 <= MAX_BYTES)
    with_scripts = with_scripts and not isinstance(config.outdir, str)  # a bundle at a URL has none
    if with_scripts and n_text * _BASE64 <= config.max_asset_bytes:
        shards = math.ceil(carried / min(TOGETHER, config.max_asset_bytes / _BASE64)) + 1  # and manifest.js
        scripts += n_text * _BASE64 * (_share(as_script("", text + entries)) if form == "zip" else 1)
        n_text += shards * _SHARD_ENTRY
    else:
        shards, scripts = 0, 0.0
    if form == "folder":
        return Size(files + 2 + shards, int(len(page) + assets + n_text + scripts), int(n_text))
    overhead = (files + 2 + shards) * (_ZIP_ENTRY + 2 * _PATH)
    return Size(1, int(len(zlib.compress(page)) + assets + n_text * _share(text + entries) + scripts + overhead))


class _Measure:
    """Measure a file: its bytes, and those of the scripts that contain it, as an array of shape (2,)."""

    def __init__(self, *, gzip: bool, zipped: bool) -> None:
        self.gzip, self._zipped = gzip, zipped

    def __call__(self, raw: bytes, method: Method = Method.QUICK) -> NDArray[np.float64]:
        return self.stored(compress(raw, method) if self.gzip else raw)

    def stored(self, data: bytes) -> NDArray[np.float64]:
        if not self._zipped:
            return np.array([len(data), len(data) * _BASE64])
        share = _share(as_script("", data[:_ZIPPED_BYTES])) if data else 1.0
        return np.array([len(data) if self.gzip else len(zlib.compress(data)), len(data) * _BASE64 * share])


def _share(text: bytes) -> float:
    """Return the size of `text` in a zip file, as a fraction of its uncompressed size."""
    return len(zlib.compress(text)) / len(text)


def _without_genes(
    plan: Plan, source: Source, config: ExportConfig, measure: _Measure
) -> tuple[NDArray[np.float64], Manifest]:
    """Return the measured size of all files except genes and images, and a manifest without genes."""
    n = plan.cells.n
    options = config.model_copy(update={"preview": False})

    def encoded(rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], Manifest]:
        sizes: dict[str, NDArray[np.float64]] = {}
        manifest = encode_bundle(
            _part(plan, rows),
            source,
            options,
            lambda path, data: sizes.update({path: measure.stored(data)}),
            Job.null(),
        )
        return np.sum(list(sizes.values()), axis=0), manifest

    if n <= _CELLS:
        total, manifest = encoded(np.arange(n))
    else:
        firsts, length = np.linspace(0, n, _RUNS, endpoint=False).astype(np.int64), _CELLS // _RUNS
        whole, manifest = encoded((firsts[:, None] + np.arange(length)).ravel())
        half, _ = encoded((firsts[:, None] + np.arange(length // 2)).ravel())
        total = whole + (whole - half) / (_CELLS // 2) * (n - _CELLS)
    if config.preview:
        total = total + measure.stored(draw_preview(_part(plan, np.arange(0, n, -(-n // _DRAWN)))))
    graph = plan.neighbors
    if graph is not None:
        total = total + graph.scale * measure(write_graph(graph.starts, graph.cells, graph.rows))
    for table in csv_chunks(var_columns(plan), len(plan.genes.names), config.max_asset_bytes):
        total = total + measure(table)
    return total, manifest


def _part(plan: Plan, rows: NDArray[np.int64]) -> Plan:
    """Return the plan for some of its cells, without genes and images."""
    return replace(
        plan,
        cells=Cells(None, plan.cells.ids[rows]),
        coordinates=replace(plan.coordinates, xy=plan.coordinates.xy[rows]),
        annotations=tuple(_annotation(one, rows) for one in plan.annotations),
        embeddings=tuple(_embedding(one, rows) for one in plan.embeddings),
        genes=PlannedGenes(np.zeros(0, dtype=np.int64), (), ()),
        packed=None,
        other_matrices=(),
        neighbors=None,
        images=(),
    )


def _annotation(annotation: Annotation, rows: NDArray[np.int64]) -> Annotation:
    if annotation.kind == "category":
        return replace(annotation, codes=annotation.codes[rows])
    integers = None if annotation.integers is None else annotation.integers[rows]
    return replace(annotation, values=annotation.values[rows], integers=integers)


def _embedding(embedding: PlannedEmbedding, rows: NDArray[np.int64]) -> PlannedEmbedding:
    xy = embedding.xy[rows]
    # The encoder needs a position for at least one cell.
    return replace(embedding, xy=xy if np.isfinite(xy).any() else np.zeros_like(xy))


def _genes(
    plan: Plan, sampled: Source, config: ExportConfig, measure: _Measure
) -> tuple[NDArray[np.float64], bytes, float]:
    """Return the size of all genes, the manifest entries of a sample, and the ratio of all genes to the sample."""
    n, n_genes = plan.cells.n, len(plan.genes.names)
    if not n_genes:
        return np.zeros(2), b"", 0.0
    total, text = np.zeros(2), ""
    # Genes of all expression levels are encoded, because their sizes depend on the level.
    with np.errstate(over="ignore", invalid="ignore"):
        mean = sampled.statistics(None, "as_is", variance=False).mean[plan.genes.indices]
    n_encoded = min(n_genes, max(16, min(_GENES, _VALUES // sampled.sample().values.shape[0])))
    chosen = np.argsort(mean, kind="stable")[((np.arange(n_encoded) + 0.5) * n_genes / n_encoded).astype(np.int64)]
    n_chunks = math.ceil(n / max(1, config.max_asset_bytes // 4))
    for vector in sampled.genes(plan.genes.indices[chosen], None):
        values: NDArray[np.float32] = np.ascontiguousarray(vector.values, dtype="<f4")
        if len(values) > n:
            values = values[np.linspace(0, len(values) - 1, n).astype(np.int64)]
        total += _extrapolated(values, n, measure)
        name = plan.genes.names[chosen[vector.position]]
        path = f"assets/expression/gene_{vector.position:05d}_part_000.bin.gz"
        file = AssetFile(
            kind="expression_chunk",
            path=path,
            size_bytes=4 * n,
            raw_bytes=4 * n,
            sha256=hashlib.sha256(values.tobytes()).hexdigest(),
            raw_crc32=zlib.crc32(values.tobytes()),
        )
        chunks = [Chunk(path=path, start=0, end=n, size_bytes=4 * n)] * n_chunks
        entry = GeneEntry(gene=name, index=n_genes, chunks=chunks, summary=summarize(values))
        labels = "".join(labels[chosen[vector.position]] for _, labels in plan.genes.labels)
        text += f'{entry.model_dump_json()},"{name}","{labels}",{file.model_dump_json() * n_chunks},'
    return total * (n_genes / n_encoded), text.encode("utf-8", "replace"), n_genes / n_encoded


def _extrapolated(values: NDArray[np.float32], n: int, measure: _Measure) -> NDArray[np.float64]:
    """Return the size of `n` values, given a sample of them."""
    method = best_method(values) if measure.gzip else Method.QUICK
    whole = measure(values.tobytes(), method)
    if len(values) == n:
        return whole
    # Encoding half of the values separates the bytes per value from the bytes per file.
    half = values[np.arange(len(values)) // max(1, len(values) // 64) % 2 == 0]
    each = (whole - measure(half.tobytes(), method)) / max(1, len(values) - len(half))
    return whole + each * (n - len(values))
