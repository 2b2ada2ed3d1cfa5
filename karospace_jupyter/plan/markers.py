"""Choose the columns whose markers are written: each category compared with the rest, for every packed gene."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from karospace_jupyter.bundle.markers import markers_bytes
from karospace_jupyter.errors import PlanError
from karospace_jupyter.formatting import counted, hint, size
from karospace_jupyter.plan.initial_color import name_score
from karospace_jupyter.plan.model import PackedSize, PlannedPacked
from karospace_jupyter.plan.names import listed
from karospace_jupyter.plan.packed_genes import SHARD_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.plan.annotations import ChosenColumns
    from karospace_jupyter.plan.model import Annotation, CategoryAnnotation
    from karospace_jupyter.source import Source

MIN_CATEGORIES, MAX_CATEGORIES = 2, 100
MAX_BYTES = 100_000_000
"""Maximum predicted size of all markers that are written by default, in bytes."""
_COMPRESSED = 0.78
"""Approximate size after compression, as a fraction of the size before: floating-point numbers compress poorly."""


def choose_markers(
    source: Source, config: ExportConfig, columns: ChosenColumns, packed: PlannedPacked | None, *, on_demand: bool
) -> tuple[PlannedPacked | None, list[str]]:
    """Choose the columns whose markers are written.

    Parameters
    ----------
    on_demand
        Whether the viewer compares the genes of a live object instead, so no genes are packed.

    Returns
    -------
    tuple of PlannedPacked or None, and list of str
        The packed genes with the columns, and warnings.

    Raises
    ------
    PlanError
        If a requested column has no markers, or there are no packed genes.
    """
    if packed is None:
        if not config.markers:
            return None, []
        if on_demand:
            return None, ["No markers were computed: the viewer compares the genes of the live object."]
        msg = (
            f"Markers of {_quoted(config.markers)} need all genes of {source.matrix_name}, which this export does not "
            "pack. Set packed to 'yes', or markers to 'none'."
        )
        raise PlanError(msg)
    if config.markers is not None:
        names = [_requested(source, columns, name) for name in config.markers]
        return _with_markers(packed, list(dict.fromkeys(names)), columns.annotations, config), []
    section = None if columns.section is None else columns.section.name
    found, warnings, large, total = [], [], [], 0.0
    fitting = [one for one in columns.annotations if name_score(one.name) > 0 and one.name != section]
    for one in sorted(fitting, key=lambda column: -name_score(column.name)):
        if one.kind != "category" or len(one.categories) < MIN_CATEGORIES:
            continue
        if len(one.categories) > MAX_CATEGORIES:
            warnings.append(f"Markers of {one.name!r} were not computed: {_too_many(one)}.")
            continue
        taken = _size(one, len(packed.names), config).bytes
        if total + taken > MAX_BYTES:
            large.append(one.name)
            continue
        total += taken
        found.append(one.name)
    if large:
        warnings.append(
            f"Markers of {_quoted(large)} were not computed: the default limit is {size(MAX_BYTES)} for all markers. "
            "To compute them anyway, list the columns in markers."
        )
    names = [one.name for one in columns.annotations if one.name in found]
    return _with_markers(packed, names, columns.annotations, config), warnings


def _requested(source: Source, columns: ChosenColumns, name: str) -> str:
    by_obs_column = dict(zip(columns.columns, columns.annotations, strict=True))
    one = by_obs_column.get(name) or next((one for one in columns.annotations if one.name == name), None)
    if one is None:
        known = list(source.obs_columns)
        if name in known:
            msg = f"The column {name!r} is not exported, so it cannot have markers. Add it to the annotations."
        else:
            fitting = [one.name for one in columns.annotations if one.kind == "category"]
            contents = f" Exported columns with categories: {listed(fitting, 12) or 'none'}."
            msg = f"obs has no column {name!r} for markers.{hint(name, known)}{contents}"
        raise PlanError(msg)
    if one.kind != "category":
        msg = (
            f"The column {name!r} is numeric; markers need categories. Choose another column, or export it as "
            f"'category:{name}'."
        )
        raise PlanError(msg)
    if len(one.categories) > MAX_CATEGORIES:
        msg = f"The column {name!r} cannot have markers: {_too_many(one)}. Choose another column."
        raise PlanError(msg)
    if len(one.categories) < MIN_CATEGORIES:
        found = counted(len(one.categories), "category", "categories")
        msg = f"The column {name!r} has {found}; markers need at least {MIN_CATEGORIES}. Choose another column."
        raise PlanError(msg)
    return one.name


def _too_many(column: CategoryAnnotation) -> str:
    return f"it has {len(column.categories):,} categories, more than {MAX_CATEGORIES}"


def _with_markers(
    packed: PlannedPacked, names: Sequence[str], annotations: Sequence[Annotation], config: ExportConfig
) -> PlannedPacked:
    sizes = [packed.size]
    sizes += [_size(one, len(packed.names), config) for one in annotations if one.name in names]  # type: ignore[arg-type]  # they have categories
    total = PackedSize(*(sum(part) for part in zip(*((s.files, s.bytes, s.raw_bytes) for s in sizes), strict=True)))
    return replace(packed, markers=tuple(names), size=total)


def _size(column: CategoryAnnotation, n_genes: int, config: ExportConfig) -> PackedSize:
    """Predict the size of the markers of a column."""
    n, limit = len(column.categories), min(SHARD_BYTES, config.max_asset_bytes)
    raw = files = 0
    each = categories_per_file(n_genes, limit)
    for first in range(0, n, each):
        length = markers_bytes(min(each, n - first), n_genes)
        files += -(-length // config.max_asset_bytes)
        raw += length
    return PackedSize(files, int(raw * (_COMPRESSED if config.gzip else 1)), raw)


def categories_per_file(n_genes: int, most_bytes: int) -> int:
    """Return how many categories fit into a file of `most_bytes`; at least one."""
    each = markers_bytes(1, n_genes) - markers_bytes(0, n_genes)
    return max(1, (most_bytes - markers_bytes(0, n_genes)) // max(1, each))


def _quoted(names: Sequence[str]) -> str:
    return listed([repr(name) for name in names])
