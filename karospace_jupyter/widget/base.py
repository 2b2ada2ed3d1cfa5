"""What all widgets here share: one module for the page, and closing without a rest."""

from __future__ import annotations

from anywidget import AnyWidget

from karospace_jupyter.static import static_text


class Base(AnyWidget):
    """A widget whose face is the package's one module."""

    _esm = static_text("widget.js")

    def close(self) -> None:
        """Close the comm, and that of the layout, which ipywidgets would leave open."""
        layout = self.layout
        super().close()
        if layout is not None:
            layout.close()
