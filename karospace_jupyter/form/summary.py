"""Summarize an AnnData object for a form: names, kinds, counts and colors, without a pass over its matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from karospace_jupyter.config import ExportConfig, MatrixLayer, MatrixRaw
from karospace_jupyter.errors import KaroSpaceError, NoMatrixError
from karospace_jupyter.plan import Description, describe
from karospace_jupyter.plan.annotations import category_colors
from karospace_jupyter.plan.column_values import exact_numbers
from karospace_jupyter.plan.embeddings import label
from karospace_jupyter.source import open_source
from karospace_jupyter.source.numbers import plain

if TYPE_CHECKING:
    from karospace_jupyter.plan.annotations import ColumnSummary
    from karospace_jupyter.source import Source

_SWATCHES = 5


def option_help() -> dict[str, str]:
    """Return the help text of each option, from the descriptions of its model."""
    return {name: field.description or "" for name, field in ExportConfig.model_fields.items()}


def quick_summary(subject: Any) -> dict[str, Any]:  # noqa: ANN401 - a path or an AnnData
    """Return what is immediately available, for the first render.

    Raises
    ------
    KaroSpaceError
        If a file cannot be read.
    """
    if isinstance(subject, Path):
        source = _open_any_matrix(subject)
        n_cells, n_genes = source.n_cells, source.n_genes
        source.close()
    else:
        n_cells, n_genes = int(subject.n_obs), int(subject.n_vars)
    return {"n_cells": n_cells, "n_genes": n_genes, "ready": False, "help": option_help()}


def summarise(subject: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return everything that the form shows of an AnnData object or its file.

    Raises
    ------
    KaroSpaceError
        If it cannot be read.
    """
    source = _open_any_matrix(subject)
    try:
        found = describe(source)
        return {
            "name": found.name,
            "n_cells": found.n_cells,
            "n_genes": found.n_genes,
            "help": option_help(),
            "ready": True,
            "facts": _facts(found),
            "coordinates": [*dict.fromkeys([*found.coordinates, *_other_coordinates(source)])],
            "detected": found.detected,
            "several": found.detected is None and len(found.coordinates) > 1,
            "columns": [_column(source, column, found.section_column) for column in found.columns],
            "layers": list(found.layers),
            "raw": found.has_raw,
            "libraries": [
                {"name": library.name, "images": list(library.images)} for library in found.libraries if library.images
            ],
            "sections": found.section_column,
            "section_columns": list(found.section_columns),
            "embeddings": _embeddings(source, found),
            "marked": _marked(source),
            "held": _held([*map(str, source.gene_names), *(_raw_names(subject) if found.has_raw else ())]),
        }
    finally:
        source.close()


def gene_names(subject: Any, *, raw: bool) -> list[str]:  # noqa: ANN401
    """Return the names of all genes, of the object or of its raw."""
    source = open_source(subject, matrix=MatrixRaw()) if raw else _open_any_matrix(subject)
    try:
        return [str(name) for name in source.gene_names]
    finally:
        source.close()


def _raw_names(subject: Any) -> list[str]:  # noqa: ANN401
    try:
        return gene_names(subject, raw=True)
    except KaroSpaceError:  # reported when the user chooses raw
        return []


def _held(names: list[str]) -> str:
    """Return which of space, comma and semicolon occur in names, and therefore cannot separate a list of names."""
    spaced = any(len(name.split()) > 1 for name in names)
    return " " * spaced + "".join(mark for mark in ",;" if any(mark in name for name in names))


def _open_any_matrix(subject: Any) -> Source:  # noqa: ANN401
    """Open the data with X, or with another matrix if there is no X, so that the form can offer layers and raw."""
    try:
        return open_source(subject)
    except NoMatrixError as exc:
        if not exc.instead:
            raise
        name = exc.instead[0]
        return open_source(subject, matrix=MatrixRaw() if name is None else MatrixLayer(name))


def _facts(found: Description) -> list[str]:
    images = sorted({image for library in found.libraries for image in library.images})
    facts = [found.matrix_kind]
    facts += [found.detected or ("several coordinates" if found.coordinates else "no coordinates found")]
    facts += [label(key) for key in found.embeddings[:3]]
    facts += [f"image ({', '.join(images)})"] if images else []
    facts += [f"sections by {found.section_column}"] if found.section_column else []
    return facts


def _embeddings(source: Source, found: Description) -> list[dict[str, Any]]:
    """Return the entries of obsm other than the coordinates of the tissue."""
    return [
        {"key": key, "label": label(key), "default": key in found.usual_embeddings}
        for key, shape in source.obsm_shapes.items()
        if len(shape) == 2 and shape[1] >= 2 and f"obsm:{key}" not in found.coordinates
    ]


def _other_coordinates(source: Source) -> list[str]:
    return [f"obsm:{key}" for key, shape in source.obsm_shapes.items() if len(shape) == 2 and shape[1] >= 2]


def _column(source: Source, column: ColumnSummary, sections: str | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": column.name,
        "kind": column.kind,
        "dtype": column.dtype,
        # The section column is always exported.
        "default": column.left_out is None or column.name == sections,
        "left_out": column.left_out,
        "classes": column.n_categories,
        "other_kind": column.other_kind,
    }
    if column.kind == "category" and column.n_categories and column.n_categories <= 256:
        shown["colors"] = category_colors(source, column.name)[:_SWATCHES]
    elif column.kind == "number":
        values = exact_numbers(plain(source.obs(column.name))).values
        finite = values[np.isfinite(values)]
        if len(finite):
            shown["range"] = [float(finite.min()), float(finite.max())]
    return shown


def _marked(source: Source) -> int | None:
    """Return the number of genes marked as highly variable, or None if there are none."""
    if "highly_variable" not in source.var_columns:
        return None
    return int((source.var("highly_variable").astype(str).str.lower() == "true").sum()) or None
