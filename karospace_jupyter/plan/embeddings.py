"""Embeddings: selected by the user, or detected by their usual names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.plan.model import PlannedEmbedding
from karospace_jupyter.plan.names import as_text, no_array
from karospace_jupyter.plan.origin import origin_of, too_close

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.config import CoordsSpec
    from karospace_jupyter.plan.model import Cells
    from karospace_jupyter.source import Source

_USUAL = (("X_umap", "umap"), ("X_tsne", "tsne"), ("X_pca", "pca"))
"""Exported by default: the first existing key of each group, ignoring case."""
_LABELS = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA", "phate": "PHATE", "diffmap": "Diffusion map"}
_LARGEST = float(np.finfo(np.float32).max)


def label(key: str) -> str:
    """Return the display name of an embedding: `UMAP` for ``X_umap``."""
    bare = key[2:] if key[:2].lower() == "x_" else key
    return _LABELS.get(bare.lower()) or bare.replace("_", " ").strip() or key


def usual_embeddings(source: Source, spec: CoordsSpec | None) -> list[str]:
    """Return the keys of obsm that are exported by default: at most three, never the coordinates.

    Parameters
    ----------
    spec
        The coordinates; None if there are none.
    """
    used = spec.key if spec is not None and spec.kind == "obsm" else None
    found = []
    for names in _USUAL:
        present = [key for name in names for key in source.obsm_shapes if key.lower() == name.lower() and key != used]
        found += present[:1]
    return found


def choose_embeddings(
    source: Source, cells: Cells, spec: CoordsSpec, requested: Sequence[str] | None
) -> tuple[list[PlannedEmbedding], list[str]]:
    """Read the requested embeddings, or the usual ones.

    Returns
    -------
    tuple of list of PlannedEmbedding and list of str
        The embeddings, and warnings.

    Raises
    ------
    CoordinatesError
        If a requested embedding does not exist, or its positions are not finite or too close to each other.
    """
    keys = usual_embeddings(source, spec) if requested is None else list(dict.fromkeys(requested))
    found: list[PlannedEmbedding] = []
    warnings = []
    for key in keys:
        try:
            planned = _read(source, cells, key)
        except CoordinatesError as exc:
            if requested is not None:
                raise
            warnings.append(f"Not exported as an embedding: {exc}")
            continue
        if any(other.label == planned.label for other in found):
            planned = replace(planned, label=planned.name)
        found.append(planned)
    return found, warnings


def _read(source: Source, cells: Cells, key: str) -> PlannedEmbedding:
    shapes = source.obsm_shapes
    if key not in shapes:
        raise CoordinatesError(no_array(source, key))
    shape = shapes[key]
    if len(shape) != 2 or shape[1] < 2:
        msg = f"obsm[{key!r}] has shape {shape}; an embedding needs two columns. Choose another one."
        raise CoordinatesError(msg)
    if shape[0] != source.n_cells:
        msg = f"obsm[{key!r}] has {shape[0]} rows, but there are {source.n_cells} cells. The file is damaged."
        raise CoordinatesError(msg)
    values = source.obsm(key)
    values = values if cells.rows is None else values[cells.rows]
    placed = (np.abs(values) <= _LARGEST).all(axis=1)  # False for NaN
    if not placed.any():
        msg = (
            f"obsm[{key!r}] has no finite coordinates for any of the {cells.n:,} {cells.observations}. Choose another "
            "embedding."
        )
        raise CoordinatesError(msg)
    if reason := too_close(values[placed]):
        msg = f"The positions in obsm[{key!r}] {reason}. Multiply them, or choose another embedding."
        raise CoordinatesError(msg)
    xy = values.copy()
    xy[~placed] = np.nan
    name = str(as_text([key])[0])
    return PlannedEmbedding(name, label(name), xy, origin_of(xy))
