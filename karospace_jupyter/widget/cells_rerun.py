"""Closing what an earlier run of the same cell made, so that running a cell again leaks no comm and no thread."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from karospace_jupyter.widget.base import Base, cell_request

if TYPE_CHECKING:
    from ipywidgets import Widget

_made: dict[str, tuple[str, list[weakref.ref[Widget]]]] = {}


def remember(widget: Widget) -> None:
    """Note that the running cell made `widget`, and close what earlier runs of this cell made."""
    cell, run = _running()
    if cell is None:
        return
    earlier, widgets = _made.get(cell, ("", []))
    if earlier != run:
        for ref in widgets:
            old = ref()
            if old is not None:
                layout = None if isinstance(old, Base) else getattr(old, "layout", None)
                old.close()
                if layout is not None:
                    layout.close()
        widgets = []
    _made[cell] = (run, [*widgets, weakref.ref(widget)])


def _running() -> tuple[str | None, str]:
    """Return the id of the cell that runs, where the front end tells it, and of this run of it."""
    request = cell_request()
    cell = None if request is None else (request.get("metadata") or {}).get("cellId")
    return (None, "") if request is None or cell is None else (str(cell), str(request["header"].get("msg_id", "")))
