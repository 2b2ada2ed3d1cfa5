"""Closing what an earlier run of the same cell made, so that running a cell again leaks no comm and no thread."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

from karospace_jupyter.widget.base import Base

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
    if "ipykernel" not in sys.modules:
        return None, ""
    from IPython import get_ipython

    kernel: Any = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return None, ""
    parent = kernel.get_parent("shell") or {}
    cell = (parent.get("metadata") or {}).get("cellId")
    run = (parent.get("header") or {}).get("msg_id", "")
    if parent.get("header", {}).get("msg_type") != "execute_request":
        return None, ""
    return (None if cell is None else str(cell)), str(run)
