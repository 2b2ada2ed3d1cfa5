"""How the viewer opens: a saved view, as far as the bundle can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from karospace_jupyter.plan.names import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from karospace_jupyter.plan.model import Annotation, PlannedEmbedding, PlannedSections


def fitting_view(
    view: dict[str, Any],
    n_cells: int,
    annotations: Sequence[Annotation],
    embeddings: Sequence[PlannedEmbedding],
    sections: PlannedSections | None,
    genes: Collection[str] | None,
) -> tuple[dict[str, Any], list[str]]:
    """Leave out of a saved view what is of something that is not exported.

    Parameters
    ----------
    view
        As :func:`~karospace_jupyter.bundle.saved_view.read_view` returns it.
    n_cells, annotations, embeddings, sections, genes
        What is exported; genes are None as long as nobody knows.

    Returns
    -------
    The view, and warnings.
    """
    whole = "karospace_view" in view
    state = dict(view["state"] if whole else view)
    columns = {annotation.name for annotation in annotations}
    warnings = []
    missing = _missing_in_color(state.get("color") or {}, columns, genes)
    if missing:
        warnings.append(f"The view is coloured by {missing}, which is not exported: its colour was left out.")
        # Limits belong to the values that they were set for.
        for field in ("color", "range"):
            state.pop(field, None)
    group = state.get("groupBy")
    if group is not None and group not in columns:
        warnings.append(f"The view is grouped by the column {group!r}, which is not exported: that was left out.")
        del state["groupBy"]
    for field in ("layout", "beside"):
        missing = _missing_in_layout(state.get(field) or {}, embeddings, sections)
        if missing:
            warnings.append(f"The view shows {missing}, which is not exported: that was left out.")
            # The camera looks at a place of that layout.
            for gone in (field, "camera") if field == "layout" else (field,):
                state.pop(gone, None)
    if not whole:
        return state, warnings
    fitting = {**view, "state": state}
    if view.get("regions") and view.get("n_cells") != n_cells:
        warnings.append(
            f"The regions of the view are of {view.get('n_cells', 'other')} cells, but {n_cells} are exported: "
            "they were left out."
        )
        fitting["regions"] = []
    return fitting, warnings


def _missing_in_color(color: dict[str, Any], columns: set[str], genes: Collection[str] | None) -> str:
    if color.get("kind") == "annotation":
        return "" if color["column"] in columns else f"the column {color['column']!r}"
    asked = [color["gene"]] if "gene" in color else list(color.get("genes", ()))
    absent = [] if genes is None else [repr(gene) for gene in asked if gene not in genes]
    return f"the gene {listed(absent)}" if absent else ""


def _missing_in_layout(
    layout: dict[str, Any], embeddings: Sequence[PlannedEmbedding], sections: PlannedSections | None
) -> str:
    kind, name = layout.get("kind"), layout.get("name")
    if kind == "embedding" and all(one.name != name for one in embeddings):
        return f"the embedding {name!r}"
    if kind == "sections" and sections is None:
        return "sections"
    if kind == "section" and (sections is None or all(one.name != name for one in sections.items)):
        return f"the section {name!r}"
    if kind in ("section", "sections") and sections is not None:
        asked = {*(layout.get("only") or {}), *([layout["by"]] if layout.get("by") else [])}
        absent = sorted(asked - {one.column for one in sections.facts})
        if absent:
            return f"sections by {listed([repr(column) for column in absent])}"
    return ""
