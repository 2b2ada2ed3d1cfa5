"""What all widgets here share: one module for the page, and closing without a rest."""

from __future__ import annotations

from anywidget import AnyWidget

from karospace_jupyter.static import static_text


class Base(AnyWidget):
    """A widget whose face is the package's one module."""

    _esm = static_text("widget.js")

    def open(self) -> None:
        """Open the comm, on which the page decides which of the kernel's shells hears it."""
        super().open()
        # ipykernel 7.4 sends what arrives to the shell that published on the comm last: at first that of the cell that
        # made it, so that everything would wait until that cell and all those behind it have ended.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = None  # noqa: SLF001 - ipykernel has no setting for it

    def close(self) -> None:
        """Close the comm, and that of the layout, which ipywidgets would leave open."""
        layout = self.layout
        super().close()
        if layout is not None:
            layout.close()
