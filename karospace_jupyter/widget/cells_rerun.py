"""Close the widgets of a cell's previous run, so that running a cell again leaks neither comms nor threads."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from karospace_jupyter.widget.base import Base, cell_request

if TYPE_CHECKING:
    from ipywidgets import Widget

_made: dict[str, tuple[str, list[weakref.ref[Widget]]]] = {}


def remember(widget: Widget) -> None:
    """Record that the running cell created `widget`, and close the widgets of its earlier runs."""
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
    """Return the id of the running cell (None if the front end does not send it), and the id of this run."""
    request = cell_request()
    cell = None if request is None else (request.get("metadata") or {}).get("cellId")
    return (None, "") if request is None or cell is None else (str(cell), str(request["header"].get("msg_id", "")))
