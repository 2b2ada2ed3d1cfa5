"""Read the cell IDs of a bundle."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.tables import id_field, paths_of, read_records, read_rows
from karospace_jupyter.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from karospace_jupyter.bundle.read import BundleReader


def cell_ids(bundle: BundleReader) -> NDArray[np.object_]:
    """Return the cell IDs in the order of the bundle, shape (n_cells,).

    Raises
    ------
    BundleError
        If a file is missing or damaged, or contains the wrong number of cells.
    """
    m = bundle.manifest
    found = _from_tables(bundle) if m.cell_ids is None else [one for block in id_blocks(bundle) for one in block]
    if len(found) != m.n_cells:
        msg = f"The bundle contains {len(found):,} cell IDs for {m.n_cells:,} cells."
        raise BundleError(msg)
    return np.array(found, dtype=object)


def id_blocks(bundle: BundleReader) -> Iterator[list[str]]:
    """Yield the columnar cell IDs of each file; nothing if the bundle has none.

    Raises
    ------
    BundleError
        If a file is missing or damaged.
    """
    stored = bundle.manifest.cell_ids
    for chunk in () if stored is None else stored.chunks:
        raw, n = bundle.read(chunk.path), chunk.end - chunk.start
        if len(raw) < 4 * (n + 1):
            msg = f"{chunk.path} has {len(raw):,} bytes, too few for the IDs of {n:,} cells."
            raise BundleError(msg)
        offsets = np.frombuffer(raw, dtype="<u4", count=n + 1).astype(np.int64)
        text = raw[4 * (n + 1) :]
        if offsets[-1] > len(text) or (np.diff(offsets) < 0).any():  # overlapping IDs could exhaust the memory
            size = f"{len(text):,} bytes"
            msg = f"{chunk.path} is damaged: its offsets are not ascending or exceed its text of {size}."
            raise BundleError(msg)
        yield [text[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets.tolist())]


def _from_tables(bundle: BundleReader) -> list[str]:
    """Return the IDs from the first table of format 1.0 that has them, otherwise numbered names."""
    m = bundle.manifest
    found: list[str] = []
    for path in paths_of(bundle, "obs_csv"):
        rows = read_rows(bundle, path)
        header = next(rows, [])
        key = id_field(header, m.annotation_columns)
        if key is None:
            break
        at = header.index(key)
        found += [row[at] for row in rows if at < len(row)]
    for kind, others in (("obs_json", m.annotation_columns), ("coords_json", ["x", "y"])):
        if found:
            return found
        for path in paths_of(bundle, kind):
            records, _ = read_records(bundle, path)
            key = id_field(list(records[0]), others) if records else None
            found += [str(record.get(key, "")) for record in records] if key is not None else []
    return found or [f"Cell {cell + 1}" for cell in range(m.n_cells)]
