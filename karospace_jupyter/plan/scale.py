"""The length of a coordinate unit: as given, stated in the data, or known for the platform that wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.formatting import number
from karospace_jupyter.source.axis_names import axis_pairs, choose_axes
from karospace_jupyter.source.numbers import as_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from karospace_jupyter.config import CoordsSpec
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

SAME_WITHIN = 0.02
"""Relative difference up to which two scales agree."""

_FIT = 2e-3
"""Maximum deviation from a multiple of other coordinates, relative to their spread; not 0, because columns may hold
rounded values."""
_FEWEST = 10
"""Minimum number of cells for a comparison."""
_CELLS = 10_000
"""Number of cells that are compared."""

_UNITS = {
    "um": 1.0, "µm": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometers": 1.0,
    "mm": 1000.0, "millimeter": 1000.0, "millimeters": 1000.0, "nm": 0.001, "nanometer": 0.001, "nanometers": 0.001,
}  # fmt: skip
_UNITS = {name.casefold(): unit for name, unit in _UNITS.items()}
# Words, including those after digits and underscores: `x_um`, `X [µm]`, `CenterXmm`.
_WORDS = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+")


@dataclass(frozen=True, slots=True)
class _Platform:
    """Columns in which a platform writes positions in a known unit."""

    name: str
    x: str
    y: str
    unit_um: float
    others: frozenset[str]
    """Columns of the same table, any of which confirms the platform; empty if x and y suffice."""
    caution: str = ""
    """What to check if the unit remains uncertain."""


_PLATFORMS = (
    # The centroids in cells.csv and cells.parquet are in µm:
    # https://www.10xgenomics.com/support/software/xenium-onboard-analysis/latest/analysis/xoa-output-understanding-outputs
    _Platform(
        "Xenium", "x_centroid", "y_centroid", 1.0,
        frozenset({"transcript_counts", "control_probe_counts", "control_codeword_counts", "nucleus_area"}),
    ),
    # The centroids in cell_metadata.csv are in µm:
    # https://vizgen.github.io/vizgen-postprocessing/output_data_formats/entity_metadata_format.html
    _Platform(
        "MERSCOPE", "center_x", "center_y", 1.0,
        frozenset({"min_x", "volume", "anisotropy", "perimeter_area_ratio", "transcript_count"}),
    ),
    # Pixels of 0.12028 µm; prototypes had 0.18 µm (as in the NSCLC data of 2022) and 0.169 µm:
    # https://nanostring-biostats.github.io/CosMx-Analysis-Scratch-Space/posts/flat-file-exports/flat-files-compare.html
    # https://github.com/Nanostring-Biostats/CosMx-Analysis-Scratch-Space/issues/108
    *(
        _Platform(
            "CosMx", f"CenterX_{where}_px", f"CenterY_{where}_px", 0.12028, frozenset(),
            "data of prototype instruments, such as NSCLC (2022), have 0.18 µm",
        )
        for where in ("global", "local")
    ),
)  # fmt: skip
# spatialdata-io moves the centroids of Xenium from obs into obsm['spatial'] and leaves the rest of the table.
# https://github.com/scverse/spatialdata-io (src/spatialdata_io/readers/xenium.py)
_XENIUM_TABLE = {"transcript_counts", "control_probe_counts", "cell_area"}
_SPACING = (0.3, 3.0)
"""Range of the distance to the nearest neighbor, relative to the side of a square with the area of a cell. In another
unit, such as pixels of 0.2125 µm, the ratio is outside this range."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The length of a coordinate unit."""

    unit_um: float | None
    """µm per coordinate unit; None if unknown."""
    origin: str
    """Where it comes from, for messages; empty if unknown."""
    warnings: tuple[str, ...] = ()


def choose_scale(given: float | None, found: list[Scale]) -> Scale:
    """Choose the requested scale, otherwise the first one found; others that disagree become warnings.

    Examples
    --------
    >>> stated, derived = Scale(0.5, "microns_per_pixel"), Scale(0.25, "the distance between spots")
    >>> scale = choose_scale(None, [stated, derived])
    >>> scale.unit_um, scale.warnings
    (0.5, ('One unit is 0.5 µm according to microns_per_pixel, but 0.25 µm according to the distance between spots: \
0.5 µm is used. Set um_per_unit if that is wrong.',))
    """
    known = [one for one in found if one.unit_um is not None]
    if given is not None:
        known.insert(0, Scale(given, "um_per_unit"))
    if not known:
        return Scale(None, "", tuple(text for one in found for text in one.warnings))
    chosen = known[0]
    unit = chosen.unit_um or 0.0
    warnings = list(chosen.warnings)
    for other in known[1:]:
        if abs((other.unit_um or 0.0) - unit) > SAME_WITHIN * unit:
            hint = "" if given is not None else " Set um_per_unit if that is wrong."
            warnings.append(
                f"One unit is {number(unit)} µm according to {chosen.origin}, but {number(other.unit_um or 0.0)} µm "
                f"according to {other.origin}: {number(unit)} µm is used.{hint}"
            )
    return Scale(chosen.unit_um, chosen.origin, tuple(warnings))


def scale_text(unit_um: float | None, origin: str) -> str:
    """Describe a scale in one line.

    Examples
    --------
    >>> scale_text(0.5, "microns_per_pixel"), scale_text(None, "")
    ('1 unit = 0.5 µm (microns_per_pixel)', 'unknown: the data does not state the unit')
    """
    return (
        "unknown: the data does not state the unit" if unit_um is None else f"1 unit = {number(unit_um)} µm ({origin})"
    )


def scales_of_columns(source: Source, spec: CoordsSpec, rows: Rows, xy: NDArray[np.float64]) -> list[Scale]:
    """Return what columns of positions say about the unit of the coordinates, the most certain first.

    The coordinates may be such columns, or a multiple of them: an ``obsm['spatial']`` in pixels next to columns in µm.

    Parameters
    ----------
    spec
        The coordinates of the export.
    rows
        The exported cells.
    xy
        Their coordinates, shape (n_cells, 2).
    """
    found = [*_named(source, spec, rows, xy), *_platforms(source, spec, rows, xy)]
    if not found and spec.kind == "obsm":
        found = _xenium_table(source, rows, xy)
    return found


def unit_in_name(*names: str) -> float | None:
    """Return the µm per unit if all names state the same, otherwise None.

    Examples
    --------
    >>> unit_in_name("x_slide_mm", "y_slide_mm"), unit_in_name("X [µm]", "Y [µm]"), unit_in_name("x_centroid")
    (1000.0, 1.0, None)
    """
    units = [
        next((_UNITS[word.casefold()] for word in _WORDS.findall(name) if word.casefold() in _UNITS), None)
        for name in names
    ]
    return units[0] if len(set(units)) == 1 else None


def _named(source: Source, spec: CoordsSpec, rows: Rows, xy: NDArray[np.float64]) -> Iterator[Scale]:
    """Yield the units in the names of the coordinates, then in the names of other columns of positions."""
    if spec.kind == "obsm":
        names = source.obsm_columns(spec.key)
        if names:
            axes = choose_axes(names)
            x, y = names[axes.x_at], names[axes.y_at]
            unit = unit_in_name(x, y)
            if unit is not None:
                yield Scale(unit, f"the column names {x!r} and {y!r} of obsm[{spec.key!r}]")
    for pair in axis_pairs(source.obs_columns):
        unit = None if pair.embedding or pair.weak else unit_in_name(pair.x, pair.y)
        ratio = None if unit is None else _multiple_of(source, pair.x, pair.y, spec, rows, xy)
        if unit is not None and ratio is not None:
            yield Scale(unit * ratio, f"the column names {pair.x!r} and {pair.y!r}")


def _platforms(source: Source, spec: CoordsSpec, rows: Rows, xy: NDArray[np.float64]) -> Iterator[Scale]:
    columns = set(source.obs_columns)
    for one in _PLATFORMS:
        ratio = _multiple_of(source, one.x, one.y, spec, rows, xy) if {one.x, one.y} <= columns else None
        if ratio is None:
            continue
        unit = one.unit_um * ratio
        origin = f"the columns {one.x!r} and {one.y!r} of {one.name}"
        warnings: tuple[str, ...] = ()
        if one.caution or not (one.others & columns):
            check = f"; {one.caution}" if one.caution else ""
            warnings = (
                f"One unit is taken to be {number(unit)} µm, because the columns {one.x!r} and {one.y!r} are named as "
                f"in {one.name} data{check}. Set um_per_unit if that is wrong.",
            )
        yield Scale(unit, origin, warnings)


def _multiple_of(source: Source, x: str, y: str, spec: CoordsSpec, rows: Rows, xy: NDArray[np.float64]) -> float | None:
    """Return the length of a coordinate unit in units of two columns; None if these are not proportional.

    The coordinates may be shifted and mirrored, but must be scaled alike in x and y.
    """
    if spec.kind == "obs" and (spec.x, spec.y) == (x, y):
        return 1.0
    numbers = [as_numbers(source.obs(name)) for name in (x, y)]
    ratios = []
    for axis, values in enumerate(numbers):
        if values is None:
            return None
        own = xy[:, axis]
        other = values if rows is None else values[rows]
        some = np.unique(np.linspace(0, len(own) - 1, min(len(own), _CELLS)).astype(np.int64))
        some = some[np.isfinite(own[some]) & np.isfinite(other[some])]
        if len(some) < _FEWEST:
            return None
        own, other = own[some] - own[some].mean(), other[some] - other[some].mean()
        spread = float((own**2).sum())
        if spread == 0:
            return None
        slope = float((own * other).sum()) / spread
        if slope == 0 or float(((other - slope * own) ** 2).sum()) > _FIT**2 * slope**2 * spread:
            return None
        ratios.append(abs(slope))
    return ratios[0] if abs(ratios[0] - ratios[1]) <= _FIT * ratios[0] else None


def _xenium_table(source: Source, rows: Rows, xy: NDArray[np.float64]) -> list[Scale]:
    """Recognize a table of Xenium without its centroids, if the distances between cells match their areas in µm²."""
    if not set(source.obs_columns) >= _XENIUM_TABLE:
        return []
    area = as_numbers(source.obs("cell_area"))
    if area is None or len(xy) < _FEWEST:
        return []
    from scipy.spatial import cKDTree

    side = float(np.sqrt(np.nanmedian(area if rows is None else area[rows])))
    some = np.unique(np.linspace(0, len(xy) - 1, min(len(xy), _CELLS)).astype(np.int64))
    distance = float(np.median(cKDTree(xy).query(xy[some], k=2)[0][:, 1]))
    if side > 0 and _SPACING[0] <= distance / side <= _SPACING[1]:
        return [Scale(1.0, "the columns of a Xenium table, whose coordinates are in µm")]
    warning = (
        "The columns are those of Xenium, whose coordinates are in µm, but the distances between cells do not match "
        "the column 'cell_area': the scale is unknown. Set um_per_unit to show it."
    )
    return [Scale(None, "", (warning,))]
