"""The names of a bundle's cells."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.errors import BundleError

if TYPE_CHECKING:
    from karospace_jupyter.bundle.read import Bundle


def cell_ids(bundle: Bundle) -> NDArray[np.object_]:
    """Return the ids of the cells in the bundle's order, shape (n_cells,).

    Raises
    ------
    BundleError
        When a file is missing or holds another number of cells.
    """
    m = bundle.manifest
    found: list[str] = []
    if m.cell_ids is not None:
        for chunk in m.cell_ids.chunks:
            raw, n = bundle.read(chunk.path), chunk.end - chunk.start
            if len(raw) < 4 * (n + 1):
                msg = f"{chunk.path} holds {len(raw)} bytes: too few for the ids of {n} cells."
                raise BundleError(msg)
            offsets = np.frombuffer(raw, dtype="<u4", count=n + 1).tolist()
            text = raw[4 * (n + 1) :]
            found += [text[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets)]
    else:
        for file in m.asset_files:
            if file.kind == "obs_csv":
                rows = csv.reader(io.StringIO(bundle.read(file.path).decode("utf-8", "replace")))
                next(rows, None)
                found += [row[0] for row in rows if row]
    if len(found) != m.n_cells:
        msg = f"The bundle names {len(found):,} of its {m.n_cells:,} cells."
        raise BundleError(msg)
    return np.array(found, dtype=object)
