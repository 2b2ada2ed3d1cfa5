"""How the viewer opens: a saved view, as far as the bundle can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection


def fitting_view(
    view: dict[str, Any], columns: Collection[str], genes: Collection[str] | None
) -> tuple[dict[str, Any], list[str]]:
    """Leave out of a saved view what names a column or a gene that is not exported.

    Parameters
    ----------
    view
        As :func:`~karospace_jupyter.bundle.saved_view.read_view` returns it.
    columns, genes
        Names of what is exported; genes are None as long as nobody knows.

    Returns
    -------
    The view, and warnings.
    """
    whole = "karospace_view" in view
    state = dict(view["state"] if whole else view)
    warnings = []
    color = state.get("color") or {}
    column = color.get("column")
    named = [*color.get("genes", ()), *([color["gene"]] if "gene" in color else [])]
    missing = [("gene", name) for name in named if genes is not None and name not in genes]
    if column is not None and column not in columns:
        missing.append(("column", column))
    if missing:
        what, name = missing[0]
        warnings.append(f"The view is coloured by the {what} {name!r}, which is not exported: its colour was left out.")
        # Limits belong to the values that they were set for.
        for field in ("color", "range"):
            state.pop(field, None)
    group = state.get("groupBy")
    if group is not None and group not in columns:
        warnings.append(f"The view is grouped by the column {group!r}, which is not exported: that was left out.")
        del state["groupBy"]
    return ({**view, "state": state} if whole else state), warnings
