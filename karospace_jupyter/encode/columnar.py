"""Encode coordinates, embeddings, cell IDs and annotations as typed arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.manifest import (
    AssetFile,
    Category,
    CategoryColumn,
    CellIds,
    Chunk,
    Column,
    Coordinates,
    Embedding,
    NumberColumn,
)
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.plan.origin import local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from karospace_jupyter.encode.pack import Packer
    from karospace_jupyter.plan import Annotation, PlannedCoordinates, PlannedEmbedding

KIND = "columnar"
_BLOCK_IDS = 65_536


def encode_coordinates(
    planned: PlannedCoordinates, packer: Packer, max_bytes: int
) -> tuple[Coordinates, list[AssetFile]]:
    """Encode the coordinates as interleaved float32, relative to their origin."""
    xy = np.ascontiguousarray(local(planned.xy, planned.origin), dtype="<f4")
    chunks, files = packer.pack_vector(KIND, "assets/columnar/coords_{:03d}.bin", xy, 8, max_bytes)
    (x0, y0), (x1, y1) = planned.xy.min(axis=0).tolist(), planned.xy.max(axis=0).tolist()
    entry = Coordinates(
        extent=(x0, y0, x1, y1),
        origin=planned.origin,
        y_axis=planned.y_axis,
        unit_um=planned.unit_um,
        spot_diameter=planned.spot_diameter,
        bin_angle=planned.bin_angle,
        chunks=chunks,
    )
    return entry, files


def encode_embedding(
    planned: PlannedEmbedding, index: int, packer: Packer, max_bytes: int
) -> tuple[Embedding, list[AssetFile]]:
    """Encode an embedding as interleaved float32, relative to its origin."""
    xy = np.ascontiguousarray(local(planned.xy, planned.origin), dtype="<f4")
    stem = f"assets/columnar/embedding_{index:03d}_{{:03d}}.bin"
    chunks, files = packer.pack_vector(KIND, stem, xy, 8, max_bytes)
    (x0, y0), (x1, y1) = np.nanmin(planned.xy, axis=0).tolist(), np.nanmax(planned.xy, axis=0).tolist()
    extent = (x0, y0, x1, y1)
    entry = Embedding(name=planned.name, label=planned.label, extent=extent, origin=planned.origin, chunks=chunks)
    return entry, files


def encode_column(annotation: Annotation, index: int, packer: Packer, max_bytes: int) -> tuple[Column, list[AssetFile]]:
    """Encode an annotation as category codes or as float32; as float64 if float32 would change the values."""
    stem = f"assets/columnar/column_{index:03d}_{{:03d}}.bin"
    if annotation.kind == "number":
        double = not annotation.fits_float32
        values = annotation.values.astype("<f8" if double else "<f4")
        chunks, files = packer.pack_vector(KIND, stem, values, values.itemsize, max_bytes)
        finite = values[np.isfinite(values)]
        number = NumberColumn(
            name=annotation.name,
            dtype="float64" if double else "float32",
            min=float(finite.min()) if len(finite) else None,
            max=float(finite.max()) if len(finite) else None,
            missing=len(values) - len(finite),
            chunks=chunks,
        )
        return number, files
    n = len(annotation.categories)
    dtype = np.min_scalar_type(n)  # n is the code of a missing value
    codes: NDArray[np.generic] = annotation.codes.astype(dtype.newbyteorder("<"))
    counts = np.bincount(annotation.codes, minlength=n + 1)
    chunks, files = packer.pack_vector(KIND, stem, codes, dtype.itemsize, max_bytes)
    category = CategoryColumn(
        name=annotation.name,
        dtype=dtype.name,  # type: ignore[arg-type]  # min_scalar_type gives uint8, uint16 or uint32 here
        categories=[
            Category(name=name, color=color, count=int(count))
            for name, color, count in zip(annotation.categories, annotation.colors, counts, strict=False)
        ],
        missing=int(counts[n]),
        ordered=annotation.ordered,
        chunks=chunks,
    )
    return category, files


def encode_cell_ids(ids: NDArray[np.object_], packer: Packer, max_bytes: int) -> tuple[CellIds, list[AssetFile]]:
    """Encode the cell IDs; each file contains offsets and the concatenated IDs."""
    chunks: list[Chunk] = []
    files: list[AssetFile] = []
    start = 0
    for lengths, text in _id_files(ids, max_bytes):
        offsets = np.zeros(len(lengths) + 1, dtype="<u4")
        offsets[1:] = np.cumsum(lengths)
        stop = start + len(lengths)
        raw = offsets.tobytes() + text
        file = packer.pack(KIND, f"assets/columnar/cell_ids_{len(chunks):03d}.bin", raw)
        chunks.append(Chunk(path=file.path, start=start, end=stop, size_bytes=file.size_bytes))
        files.append(file)
        start = stop
    return CellIds(chunks=chunks), files


def _id_files(ids: NDArray[np.object_], max_bytes: int) -> Iterator[tuple[NDArray[np.int64], bytearray]]:
    """Yield the lengths and the text of the IDs in each file.

    IDs are encoded in blocks, because each of a million separate bytes objects takes five times as much memory as its
    text.
    """
    lengths: list[NDArray[np.int64]] = []
    text, left = bytearray(), max_bytes - 4
    for first in range(0, len(ids), _BLOCK_IDS):
        block = [one.encode("utf-8", "replace") for one in ids[first : first + _BLOCK_IDS]]
        sizes = np.fromiter(map(len, block), dtype=np.int64, count=len(block))
        at = 0
        while at < len(block):
            fit = at + int(np.searchsorted(np.cumsum(sizes[at:] + 4), left, side="right"))
            if fit == at and not lengths:
                msg = f"The maximum asset size (max_asset_mb) is too small: one cell ID takes {sizes[at] + 8:,} bytes."
                raise ConfigError(msg)
            if fit > at:
                lengths.append(sizes[at:fit])
                text += b"".join(block[at:fit])
                left -= int(sizes[at:fit].sum()) + 4 * (fit - at)
                at = fit
            if at < len(block):
                yield np.concatenate(lengths), text
                lengths, text, left = [], bytearray(), max_bytes - 4
    if lengths:
        yield np.concatenate(lengths), text
