"""Fit a saved view to the contents of the bundle that it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from karospace_jupyter.formatting import counted
from karospace_jupyter.gene_sets import MAX_SETS
from karospace_jupyter.plan.model import CategoryAnnotation
from karospace_jupyter.plan.names import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from karospace_jupyter.plan.model import Annotation, PlannedEmbedding, PlannedGeneSet, PlannedSections


def extent_of(xy: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return x min, y min, x max, y max of coordinates of shape (n_cells, 2)."""
    (x0, y0), (x1, y1) = xy.min(axis=0).tolist(), xy.max(axis=0).tolist()
    return x0, y0, x1, y1


def fitting_view(
    view: dict[str, Any],
    n_cells: int,
    extent: tuple[float, float, float, float],
    annotations: Sequence[Annotation],
    embeddings: Sequence[PlannedEmbedding],
    sections: PlannedSections | None,
    genes: Collection[str] | None,
    gene_sets: Sequence[PlannedGeneSet] = (),
    *,
    matrix: str = "X",
    other_matrices: Mapping[str, Collection[str]] | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Remove references to data that is not exported from a saved view.

    Parameters
    ----------
    view
        The result of :func:`~karospace_jupyter.view.saved_view.read_view`.
    n_cells, annotations, embeddings, sections, genes
        The contents of the export; genes are None if they are not known yet.
    extent
        The extent of the cells in the tissue: x min, y min, x max, y max.
    gene_sets
        The gene sets of the bundle, which the view keeps.
    matrix
        Name of the first matrix.
    other_matrices
        Genes of the other matrices, by the name of the matrix; None if any matrix can be read later.

    Returns
    -------
    tuple of dict and list of str
        The view, and warnings.
    """
    whole = "karospace_view" in view
    state = dict(view["state"] if whole else view)
    columns = {annotation.name for annotation in annotations}
    warnings: list[str] = []
    # The color needs genes of the matrix that is shown; gene sets may contain genes of any matrix.
    shown = genes
    if genes is not None:
        genes = {*genes, *(gene for names in (other_matrices or {}).values() for gene in names)}
    chosen = state.get("matrix")
    if chosen == matrix:
        del state["matrix"]
    elif chosen is not None and other_matrices is not None:
        if chosen in other_matrices:
            shown = other_matrices[chosen]
        else:
            warnings.append(f"The view shows the matrix {chosen!r}, which is not exported: it opens with {matrix}.")
            # The limits only apply to the values of that matrix.
            for field in ("matrix", "range"):
                state.pop(field, None)
    elif chosen is None and other_matrices and matrix != "X" and _limits_genes(state):
        # A view of a bundle with several matrices names its matrix, so this one was saved from a different bundle.
        warnings.append(
            f"The color limits of the view were left out: the view does not name their matrix, and the bundle opens "
            f"with {matrix}."
        )
        del state["range"]
    missing = _missing_in_color(state.get("color") or {}, columns, shown)
    if missing:
        warnings.append(f"The view is colored by {missing}, which is not exported: its color was left out.")
        # The limits only apply to the values of that color.
        for field in ("color", "range"):
            state.pop(field, None)
    group = state.get("groupBy")
    if group is not None and group not in columns:
        warnings.append(
            f"The view is grouped by the column {group!r}, which is not exported: the grouping was left out."
        )
        del state["groupBy"]
    elif group is not None and not any(isinstance(one, CategoryAnnotation) for one in annotations if one.name == group):
        warnings.append(f"The view is grouped by the column {group!r}, which holds numbers: the grouping was left out.")
        del state["groupBy"]
    kept, lost = _fitting_groups(state.get("groups") or {}, annotations)
    if lost:
        warnings.append(f"Categories that are not exported were left out of groups: {listed(lost)}.")
        state["groups"] = kept
    if state.get("geneSets") is not None:
        state["geneSets"], new_warnings = _fitting_sets(state["geneSets"], genes, gene_sets)
        warnings += new_warnings
    for field in ("layout", "beside"):
        missing = _missing_in_layout(state.get(field) or {}, embeddings, sections)
        if missing:
            warnings.append(f"The view shows {missing}, which is not exported: its layout was left out.")
            # The camera position only applies to that layout.
            for gone in (field, "camera" if field == "layout" else "besideCamera"):
                state.pop(gone, None)
    if state.get("camera") and not _looks_at(state["camera"], state.get("layout") or {}, extent):
        warnings.append("The camera of the view shows no cells: it was left out, and the bundle opens with all cells.")
        del state["camera"]
    if not whole:
        return state, warnings
    fitting = {**view, "state": state}
    if view.get("n_cells", n_cells) != n_cells:
        difference = f"The view was saved from {counted(view['n_cells'], 'cell')}, and {n_cells:,} are exported"
        if view.get("regions"):
            warnings.append(f"{difference}: its regions were left out.")
            fitting["regions"] = []
        # The camera was checked against the exported cells above.
        fitting["n_cells"] = n_cells
    return fitting, warnings


def _limits_genes(state: dict[str, Any]) -> bool:
    """Return whether a view has color limits for values of genes."""
    color = state.get("color") or {}
    return state.get("range") is not None and color.get("kind") in {"gene", "score", "blend"}


def _fitting_groups(
    groups: dict[str, list[dict[str, Any]]], annotations: Sequence[Annotation]
) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Remove groups and members that are not exported; return what is left, and the names of the changed groups."""
    names = {one.name: set(one.categories) for one in annotations if isinstance(one, CategoryAnnotation)}
    kept: dict[str, list[dict[str, Any]]] = {}
    lost = []
    for column, groups_of in groups.items():
        known = names.get(column, set())
        for group in groups_of:
            members = [member for member in group["members"] if member in known]
            if len(members) < len(group["members"]):
                lost.append(f"{group['name']!r} of {column!r}")
            if members:
                kept.setdefault(column, []).append({**group, "members": members})
    return kept, lost


def _fitting_sets(
    sets: list[dict[str, Any]], genes: Collection[str] | None, exported: Sequence[PlannedGeneSet]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the sets of the bundle, followed by the other sets of the view, reduced to exported genes."""
    warnings = []
    own = {one.name: set(one.genes) for one in exported}
    others = [one for one in sets if one["name"] not in own]
    differing = [repr(one["name"]) for one in sets if one["name"] in own and set(one["genes"]) != own[one["name"]]]
    if differing:
        warnings.append(
            f"Gene sets of the view have the genes of the export instead of their own: {listed(differing)}."
        )
    returned = [repr(name) for name in own if name not in {one["name"] for one in sets}]
    if returned:
        warnings.append(f"Gene sets that the view has removed are exported again: {listed(returned)}.")
    if genes is not None:
        absent = list(dict.fromkeys(gene for one in others for gene in one["genes"] if gene not in genes))
        if absent:
            reason = "was left out because it is" if len(absent) == 1 else "were left out because they are"
            warnings.append(
                f"{counted(len(absent), 'gene')} in gene sets of the view {reason} not exported: {listed(absent)}."
            )
        others = [{**one, "genes": [gene for gene in one["genes"] if gene in genes]} for one in others]
        empty = [repr(one["name"]) for one in others if not one["genes"]]
        if empty:
            reason = "was left out because it has" if len(empty) == 1 else "were left out because they have"
            warnings.append(
                f"{counted(len(empty), 'gene set')} of the view {reason} no exported genes: {listed(empty)}."
            )
            others = [one for one in others if one["genes"]]
    room = MAX_SETS - len(exported)
    if len(others) > room:
        surplus = counted(len(others) - room, "gene set was", "gene sets were")
        warnings.append(f"{surplus} left out of the view: at most {MAX_SETS} are shown.")
    return [*({"name": one.name, "genes": list(one.genes)} for one in exported), *others[:room]], warnings


def _looks_at(camera: dict[str, Any], layout: dict[str, Any], extent: tuple[float, float, float, float]) -> bool:
    """Return whether a window with any aspect ratio from 1:3 to 3:1 would show cells."""
    if layout.get("kind", "tissue") != "tissue":
        return True  # side-by-side sections and embeddings use other coordinates
    x0, y0, x1, y1 = extent
    reach = 1.5 * max(x1 - x0, y1 - y0) / camera["zoom"]
    return bool(x0 - reach <= camera["x"] <= x1 + reach and y0 - reach <= camera["y"] <= y1 + reach)


def _missing_in_color(color: dict[str, Any], columns: set[str], genes: Collection[str] | None) -> str:
    if color.get("kind") == "annotation":
        return "" if color["column"] in columns else f"the column {color['column']!r}"
    requested = [color["gene"]] if "gene" in color else list(color.get("genes", ()))
    absent = [] if genes is None else [repr(gene) for gene in requested if gene not in genes]
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
        requested = {*(layout.get("only") or {}), *([layout["by"]] if layout.get("by") else [])}
        absent = sorted(requested - {one.column for one in sections.facts})
        if absent:
            return f"sections by {listed([repr(column) for column in absent])}"
    return ""
