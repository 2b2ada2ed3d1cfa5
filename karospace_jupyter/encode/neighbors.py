"""Encode the graph of neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from karospace_jupyter.bundle.manifest import NEIGHBORS_VERSION, AssetFile, Neighbors
from karospace_jupyter.bundle.neighbors import write_graph

if TYPE_CHECKING:
    from karospace_jupyter.encode.pack import Packer
    from karospace_jupyter.plan import Plan


def encode_neighbors(plan: Plan, packer: Packer, max_bytes: int) -> tuple[Neighbors | None, list[AssetFile]]:
    """Write the neighbors to files of at most `max_bytes` before compression.

    Returns None and no files if the plan has no neighbors.
    """
    planned = plan.neighbors
    if planned is None:
        return None, []
    assert planned.rows is None  # noqa: S101 - only estimates hold a partial graph
    raw = write_graph(planned.starts, planned.cells)
    files = [
        packer.pack("neighbors", f"assets/neighbors_{part:03d}.bin", raw[start : start + max_bytes])
        for part, start in enumerate(range(0, len(raw), max_bytes))
    ]
    described = Neighbors(
        version=NEIGHBORS_VERSION,
        source=planned.origin,
        n_edges=planned.n_edges,
        paths=[file.path for file in files],
    )
    return described, files
