"""What all widgets here share: one module for the page, and closing without a rest."""

from __future__ import annotations

import sys
import threading
from typing import Any

from anywidget import AnyWidget

from karospace_jupyter.static import static_text

_LONGEST_S = 30.0
"""A comm that was to be closed in its own cell stays no longer, also where no page ever shows its widget."""


class Base(AnyWidget):
    """A widget whose face is the package's one module."""

    _esm = static_text("widget.js")

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - each has its type as a trait
        self._ends = threading.Lock()
        self._here = False
        self._ending: threading.Timer | None = None
        super().__init__(**traits)
        self.on_msg(lambda *_: self._on_page())

    def open(self) -> None:
        """Open the comm, on which the page decides which of the kernel's shells hears it."""
        super().open()
        # ipykernel 7.4 sends what arrives to the shell that published on the comm last: at first that of the cell that
        # made it, so that everything would wait until that cell and all those behind it have ended.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = None  # noqa: SLF001 - ipykernel has no setting for it

    def close(self) -> None:
        """Close the comm, and that of the layout, which ipywidgets would leave open.

        In a cell that shows the widget, the page hears of both at once: it would close what it has not begun yet,
        which anywidget throws as an error. There the comm is closed once the page has said that it knows the widget.
        """
        with self._ends:
            if self._ending is not None:
                return
            if not self._here and _in_cell():
                self._ending = threading.Timer(_LONGEST_S, self._end)
                self._ending.daemon = True
                self._ending.start()
                return
        self._end()

    def _on_page(self) -> None:
        """Note that a page knows this widget."""
        with self._ends:
            self._here = True
            asked = self._ending is not None
        if asked:
            self._end()

    def _end(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        layout = self.layout
        super().close()
        if layout is not None:
            layout.close()


def _in_cell() -> bool:
    """Whether a cell of a notebook runs in this thread."""
    if "ipykernel" not in sys.modules or threading.current_thread() is not threading.main_thread():
        return False
    from IPython import get_ipython

    kernel: Any = getattr(get_ipython(), "kernel", None)
    parent = {} if kernel is None else kernel.get_parent("shell") or {}
    return bool(parent.get("header", {}).get("msg_type") == "execute_request")
