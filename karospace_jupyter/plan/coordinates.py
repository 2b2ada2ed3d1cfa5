"""Find the coordinates of the cells: the requested ones, or detected by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.config import CoordsSpec, GeometryCoords, ObsCoords, ObsmCoords
from karospace_jupyter.errors import CoordinatesError, KaroSpaceError
from karospace_jupyter.formatting import counted, hint
from karospace_jupyter.plan.names import listed, no_array
from karospace_jupyter.source.axis_names import axis_pairs, choose_axes, is_embedding_name, lone_pair
from karospace_jupyter.source.numbers import as_numbers
from karospace_jupyter.source.wkt import centroids, holds_geometries

if TYPE_CHECKING:
    import pandas as pd

    from karospace_jupyter.source import Source

# Usual names. The first rank with a match wins; if a rank has several matches, the user has to choose. Other pairs of
# columns with similar names come before the last of these ranks, which holds positions on a lattice.
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


@dataclass(frozen=True, slots=True)
class FoundCoordinates:
    """Coordinates of every cell of the source; some may be missing."""

    spec: CoordsSpec
    xy: NDArray[np.float64]
    """Shape (n_cells_source, 2)."""
    warnings: tuple[str, ...]


def label(spec: CoordsSpec) -> str:
    """Spell coordinates as in the option ``coords``."""
    if spec.kind == "obsm":
        return f"obsm:{spec.key}"
    return f"obs:{spec.column}" if spec.kind == "geometry" else f"obs:{spec.x},{spec.y}"


def columns_of(spec: CoordsSpec) -> tuple[str, ...]:
    """Return the columns of obs from which the coordinates are read."""
    if spec.kind == "obs":
        return spec.x, spec.y
    return (spec.column,) if spec.kind == "geometry" else ()


def candidates(source: Source) -> list[CoordsSpec]:
    """Return the coordinates detected by name, in order of preference."""
    return [spec for rank in _ranks(source) for spec in rank]


def find_coordinates(source: Source, spec: CoordsSpec | None) -> FoundCoordinates:
    """Read the requested coordinates, or the best candidate.

    Raises
    ------
    CoordinatesError
        If there are none, or several equally likely ones.
    """
    chosen = spec or _choose(source)
    if chosen.kind == "obsm":
        return _from_obsm(source, chosen)
    if chosen.kind == "geometry":
        return _from_geometry(source, chosen)
    xy = np.stack([_number(source, chosen.x), _number(source, chosen.y)], axis=1)
    return FoundCoordinates(chosen, xy, _guess_warnings(chosen) if spec is None else ())


def _guess_warnings(spec: ObsCoords) -> tuple[str, ...]:
    """Warn about columns whose names may not mean coordinates."""
    ranks = [pair.rank for pair in axis_pairs([spec.x, spec.y])]
    if any(spec in rank for rank in RANKS) or (ranks and max(ranks) < 2):
        return ()
    return (
        f"The columns {spec.x!r} and {spec.y!r} of obs are used as coordinates because no others were found. If they "
        "are not coordinates, choose the coordinates explicitly.",
    )


def is_embedding(spec: CoordsSpec) -> bool:
    """Return whether coordinates are named like an embedding, which is not tissue and has y pointing up."""
    names = [spec.key] if spec.kind == "obsm" else columns_of(spec)
    return any(is_embedding_name(name) for name in names)


def _ranks(source: Source) -> list[list[CoordsSpec]]:
    """Return the detected coordinates by rank: most likely first, equally likely ones together."""
    usual: list[list[CoordsSpec]] = [[spec for spec in rank if _present(source, spec)] for rank in RANKS]
    known = {columns_of(spec) for rank in RANKS for spec in rank}
    pairs = [
        pair
        for pair in axis_pairs(source.obs_columns)
        if not pair.embedding and (pair.x, pair.y) not in known and _has_positions(source, pair.x, pair.y)
    ]
    others: list[list[CoordsSpec]] = [
        [ObsCoords(pair.x, pair.y) for pair in pairs if pair.rank == rank] for rank in range(4)
    ]
    outlines: list[CoordsSpec] = [
        GeometryCoords(name) for name in dict.fromkeys(source.obs_columns) if holds_geometries(source.obs(name))
    ]
    ranks = [*usual[:-1], *others[:2], outlines, usual[-1], *others[2:]]
    return [rank for rank in ranks if rank] or _guessed(source)


def _guessed(source: Source) -> list[list[CoordsSpec]]:
    """Return the only pair of numeric columns whose names differ just in x and y, even within a word."""
    pair = lone_pair([name for name in source.obs_columns if as_numbers(source.obs(name)) is not None])
    return [[ObsCoords(*pair)]] if pair and _has_positions(source, *pair) else []


def _present(source: Source, spec: CoordsSpec) -> bool:
    if spec.kind == "obsm":
        return source.obsm_shapes.get(spec.key, (0, 0))[1:2] > (1,)
    columns = columns_of(spec)
    return set(columns) <= set(source.obs_columns) and all(as_numbers(source.obs(name)) is not None for name in columns)


def _has_positions(source: Source, *columns: str) -> bool:
    """Return whether at least one cell has a finite number in both columns."""
    numbers = [as_numbers(source.obs(name)) for name in columns]
    finite = [np.isfinite(values) for values in numbers if values is not None]
    return len(finite) == len(columns) and bool(np.logical_and.reduce(finite).any())


def _choose(source: Source) -> CoordsSpec:
    ranks = _ranks(source)
    if not ranks:
        raise CoordinatesError(_nothing_found(source))
    best = ranks[0]
    if len(best) > 1:
        values = [find_coordinates(source, spec).xy for spec in best]
        if not all(np.array_equal(values[0], other, equal_nan=True) for other in values[1:]):
            names = " and ".join(label(spec) for spec in best)
            msg = f"Several coordinates are equally likely: {names}. Choose one of them."
            raise CoordinatesError(msg)
    return best[0]


def _nothing_found(source: Source) -> str:
    shapes = [f"obsm:{key} ({' × '.join(map(str, shape))})" for key, shape in source.obsm_shapes.items()]
    numeric = [name for name in source.obs_columns if as_numbers(source.obs(name)) is not None]
    contents = f"obsm holds {listed(shapes)}." if shapes else "obsm holds no array of numbers."
    contents += f" Numeric columns of obs: {listed(numeric, 12)}." if numeric else " obs has no numeric column."
    # An array with two columns is more likely to hold coordinates than one with fifty components.
    keys = sorted(source.obsm_shapes, key=lambda key: source.obsm_shapes[key][1:] != (2,))
    named = axis_pairs(numeric)
    pair = f"obs:{named[0].x},{named[0].y}" if named else "obs:XCOLUMN,YCOLUMN"
    found = f"No coordinates were found under the usual names. {contents}"
    element = _annotated_element(source)
    if element and not keys and not named:
        return (
            f"{found} The rows annotate {element} of a SpatialData store, which is not read. Store the centroids of "
            "its regions (spatialdata.get_centroids) in obsm['spatial']."
        )
    example = f"obsm:{keys[0]}" if keys else pair
    return f"{found} Choose coordinates, for example {example!r}."


def _annotated_element(source: Source) -> str:
    """Return the elements of a SpatialData store that the rows of a table annotate; empty if there are none."""
    try:
        region = source.uns("spatialdata_attrs", "region")
    except KaroSpaceError:
        return ""
    names = np.atleast_1d(np.asarray([] if region is None else region, dtype=object)).tolist()
    return " and ".join(repr(str(name)) for name in names)


def _from_obsm(source: Source, spec: ObsmCoords) -> FoundCoordinates:
    shapes = source.obsm_shapes
    if spec.key not in shapes:
        raise CoordinatesError(no_array(source, spec.key))
    shape = shapes[spec.key]
    if len(shape) != 2 or shape[1] < 2:
        msg = f"obsm[{spec.key!r}] has shape {shape}; coordinates need two columns. Choose other coordinates."
        raise CoordinatesError(msg)
    xy = source.obsm(spec.key)
    if len(xy) != source.n_cells:
        msg = f"obsm[{spec.key!r}] has {len(xy)} rows, but there are {source.n_cells} cells. The file is damaged."
        raise CoordinatesError(msg)
    return FoundCoordinates(spec, xy, _column_warnings(source, spec.key, shape[1]))


def _column_warnings(source: Source, key: str, n_columns: int) -> tuple[str, ...]:
    """Return a warning if the columns for x and y in an obsm entry are uncertain, or if others were left out."""
    names = source.obsm_columns(key)
    if not names:
        if n_columns == 3:
            return (f"obsm[{key!r}] has 3 columns; the first two are used as x and y, the third (z) was left out.",)
        return (f"obsm[{key!r}] has {n_columns} columns; the first two are used as x and y.",) if n_columns > 2 else ()
    axes = choose_axes(names)
    x, y = names[axes.x_at], names[axes.y_at]
    if axes.reason == "order":
        return (
            f"The column names of obsm[{key!r}] do not show which are x and y: the first two numeric ones are used, "
            f"{x!r} as x and {y!r} as y.",
        )
    others = [name for at, name in enumerate(names) if at not in (axes.x_at, axes.y_at)]
    if others:
        return (f"obsm[{key!r}]: x is {x!r} and y is {y!r}; the other columns were left out: {listed(others)}.",)
    return ()


def _from_geometry(source: Source, spec: GeometryCoords) -> FoundCoordinates:
    values = _column(source, spec.column)
    found = centroids(values) if as_numbers(values) is None else None
    if found is None or not np.isfinite(found.xy).any():
        why = f" The first value: {found.example}." if found is not None and found.example else ""
        msg = (
            f"The column {spec.column!r} of obs holds no outlines (polygons or points as WKT), so it cannot be used as "
            f"coordinates on its own.{why} To use two columns of numbers, pass 'obs:XCOLUMN,YCOLUMN'."
        )
        raise CoordinatesError(msg)
    warnings: tuple[str, ...] = ()
    damaged = int(found.damaged.sum())
    if damaged:
        warnings = (
            f"{counted(damaged, 'outline')} in the column {spec.column!r} could not be read; cells without an outline "
            f"have no coordinates. The first: {found.example}.",
        )
    return FoundCoordinates(spec, found.xy, warnings)


def _number(source: Source, column: str) -> NDArray[np.float64]:
    values = _column(source, column)
    numbers = as_numbers(values)
    if numbers is None:
        msg = f"The column {column!r} of obs holds {values.dtype} values, not numbers. Choose a numeric column."
        raise CoordinatesError(msg)
    return numbers


def _column(source: Source, column: str) -> pd.Series[Any]:
    try:
        return source.obs(column)
    except KeyError:
        contents = listed(source.obs_columns, 20) or "no columns"
        msg = f"obs has no column {column!r}.{hint(column, source.obs_columns)} obs holds: {contents}."
        raise CoordinatesError(msg) from None
