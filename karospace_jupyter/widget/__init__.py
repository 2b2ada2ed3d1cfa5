"""The notebook front end: a form, a viewer in the cell, and the way back into Python.

Names are imported when they are first used: importing this package imports neither anywidget nor anndata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karospace_jupyter.widget.form import KaroSpaceWidget, karospace_widget
    from karospace_jupyter.widget.grid import karospace_grid
    from karospace_jupyter.widget.show import karospace_view
    from karospace_jupyter.widget.view import KaroSpaceView

_HOMES = {
    "KaroSpaceView": "karospace_jupyter.widget.view",
    "KaroSpaceWidget": "karospace_jupyter.widget.form",
    "karospace_grid": "karospace_jupyter.widget.grid",
    "karospace_view": "karospace_jupyter.widget.show",
    "karospace_widget": "karospace_jupyter.widget.form",
}

__all__ = ["KaroSpaceView", "KaroSpaceWidget", "karospace_grid", "karospace_view", "karospace_widget"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
