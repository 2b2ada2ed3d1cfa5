"""Where the cells are: as asked for, or found by the usual names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.config import CoordsSpec, ObsCoords, ObsmCoords
from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.plan.names import hint, listed, no_array

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

# Ranks: the first rank that is present wins; two of one rank are the user's to choose from.
RANKS: tuple[tuple[CoordsSpec, ...], ...] = (
    (ObsmCoords("spatial"),),
    (ObsmCoords("X_spatial"),),
    (ObsCoords("centroid_x", "centroid_y"),),
    (
        ObsCoords("x_centroid", "y_centroid"),
        ObsCoords("X_centroid", "Y_centroid"),
        ObsCoords("center_x", "center_y"),
        ObsCoords("CenterX_global_px", "CenterY_global_px"),
        ObsCoords("x_location", "y_location"),
        ObsCoords("pxl_col_in_fullres", "pxl_row_in_fullres"),
    ),
    (ObsCoords("x", "y"), ObsCoords("X", "Y")),
    (ObsCoords("array_col", "array_row"),),
)

_EMBEDDINGS = ("umap", "tsne", "pca", "phate", "diffmap", "draw_graph", "scvi", "harmony", "mde")


@dataclass(frozen=True, slots=True)
class FoundCoordinates:
    """Coordinates of every cell of the source, not yet cleared of gaps."""

    spec: CoordsSpec
    xy: NDArray[np.float64]
    """Shape (n_cells_source, 2)."""
    warnings: tuple[str, ...]


def label(spec: CoordsSpec) -> str:
    """Spell coordinates as the user would."""
    return f"obsm:{spec.key}" if spec.kind == "obsm" else f"obs:{spec.x},{spec.y}"


def candidates(source: Source) -> list[CoordsSpec]:
    """Return the coordinates that are present under usual names, best first."""
    return [spec for rank in RANKS for spec in rank if _present(source, spec)]


def find_coordinates(source: Source, spec: CoordsSpec | None) -> FoundCoordinates:
    """Read the coordinates that were asked for, or the best candidate.

    Raises
    ------
    CoordinatesError
        When there are none, or several that are equally likely.
    """
    chosen = spec or _choose(source)
    if chosen.kind == "obsm":
        return _from_obsm(source, chosen)
    xy = np.stack([_number(source, chosen.x), _number(source, chosen.y)], axis=1)
    return FoundCoordinates(chosen, xy, ())


def y_axis(spec: CoordsSpec) -> Literal["down", "up"]:
    """Tissue grows downwards, as images do; embeddings grow upwards, as plots do."""
    embedding = spec.kind == "obsm" and any(name in spec.key.lower() for name in _EMBEDDINGS)
    return "up" if embedding else "down"


def _present(source: Source, spec: CoordsSpec) -> bool:
    if spec.kind == "obsm":
        return source.obsm_shapes.get(spec.key, (0, 0))[1:2] > (1,)
    columns = source.obs_columns
    if spec.x not in columns or spec.y not in columns:
        return False
    return all(pd.api.types.is_numeric_dtype(source.obs(name).dtype) for name in (spec.x, spec.y))


def _choose(source: Source) -> CoordsSpec:
    for rank in RANKS:
        present = [spec for spec in rank if _present(source, spec)]
        if len(present) > 1:
            values = [find_coordinates(source, spec).xy for spec in present]
            if not all(np.array_equal(values[0], other, equal_nan=True) for other in values[1:]):
                names = " and ".join(label(spec) for spec in present)
                msg = f"There are several coordinates that are equally likely: {names}. Choose one of them."
                raise CoordinatesError(msg)
        if present:
            return present[0]
    raise CoordinatesError(_nothing_found(source))


def _nothing_found(source: Source) -> str:
    shapes = [f"obsm:{key} ({' × '.join(map(str, shape))})" for key, shape in source.obsm_shapes.items()]
    numeric = [name for name in source.obs_columns if pd.api.types.is_numeric_dtype(source.obs(name).dtype)]
    there = f"obsm holds {listed(shapes)}." if shapes else "obsm holds no array of numbers."
    there += f" Numeric columns of obs: {listed(numeric, 12)}." if numeric else " obs has no numeric column."
    # An array of two columns is more likely a place than the first of fifty components.
    keys = sorted(source.obsm_shapes, key=lambda key: source.obsm_shapes[key][1:] != (2,))
    example = f"obsm:{keys[0]}" if keys else "obs:XCOLUMN,YCOLUMN"
    return f"No coordinates were found under the usual names. {there} Name the ones to use, for example {example!r}."


def _from_obsm(source: Source, spec: ObsmCoords) -> FoundCoordinates:
    shapes = source.obsm_shapes
    if spec.key not in shapes:
        raise CoordinatesError(no_array(source, spec.key))
    shape = shapes[spec.key]
    if len(shape) != 2 or shape[1] < 2:
        msg = f"obsm[{spec.key!r}] has shape {shape}; coordinates need two columns."
        raise CoordinatesError(msg)
    warnings: tuple[str, ...] = ()
    if shape[1] > 2:
        warnings = (f"obsm[{spec.key!r}] has {shape[1]} columns; the first two are the coordinates.",)
    xy = source.obsm(spec.key)
    if len(xy) != source.n_cells:
        msg = f"obsm[{spec.key!r}] has {len(xy)} rows, but there are {source.n_cells} cells. The file is damaged."
        raise CoordinatesError(msg)
    return FoundCoordinates(spec, xy, warnings)


def _number(source: Source, column: str) -> NDArray[np.float64]:
    try:
        values = source.obs(column)
    except KeyError:
        there = listed(source.obs_columns, 20) or "nothing"
        msg = f"obs has no column {column!r}.{hint(column, source.obs_columns)} obs holds: {there}."
        raise CoordinatesError(msg) from None
    if not pd.api.types.is_numeric_dtype(values.dtype):
        msg = f"The column {column!r} of obs holds {values.dtype}, not numbers: it cannot be a coordinate."
        raise CoordinatesError(msg)
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
