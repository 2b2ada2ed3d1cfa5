"""Widgets for notebooks: the form, the viewer, and access to its state from Python.

Names are imported on first use, so that importing this package imports neither anywidget nor anndata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karospace_jupyter.widget.export_form import KaroSpaceWidget, karospace_widget
    from karospace_jupyter.widget.grid import karospace_grid
    from karospace_jupyter.widget.show import karospace_view
    from karospace_jupyter.widget.view import KaroSpaceView

_MODULES = {
    "KaroSpaceView": "karospace_jupyter.widget.view",
    "KaroSpaceWidget": "karospace_jupyter.widget.export_form",
    "karospace_grid": "karospace_jupyter.widget.grid",
    "karospace_view": "karospace_jupyter.widget.show",
    "karospace_widget": "karospace_jupyter.widget.export_form",
}

__all__ = ["KaroSpaceView", "KaroSpaceWidget", "karospace_grid", "karospace_view", "karospace_widget"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type depends on the name
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
