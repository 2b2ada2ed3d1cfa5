"""Base class of all widgets: one JavaScript module, and close() leaves no comm open."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any

import traitlets
from anywidget import AnyWidget

from karospace_jupyter.kernel import running_kernel
from karospace_jupyter.static import static_text

_ENDS = threading.RLock()
_LONGEST_S = 30.0
"""Maximum delay of a deferred close, in seconds; reached if no page ever displays the widget."""


class Base(AnyWidget):
    """A widget that is rendered by the package's JavaScript module."""

    _esm = static_text("widget.js")

    # The model id, which anywidget does not pass to the module in the page.
    _id = traitlets.Unicode().tag(sync=True)

    _here = False
    _ending: threading.Timer | None = None

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - each has its type as a trait
        model_id = uuid.uuid4().hex
        super().__init__(model_id=model_id, _id=model_id, **traits)
        self.on_msg(lambda *_: self._on_page())

    def open(self) -> None:
        """Open the comm, and let the page choose the kernel shell for its messages."""
        super().open()
        # ipykernel 7.4 routes incoming messages to the shell that last published on the comm. At first that is the
        # shell that runs cells, so messages would wait for the current cell and all queued ones.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = None  # noqa: SLF001 - ipykernel has no setting for it

    def close(self) -> None:
        """Close the comm and that of the layout, which ipywidgets would leave open.

        If the cell that displays the widget also closes it, the page gets both messages at once. It would then
        close a model that it has not created yet, and anywidget would throw an error. In a cell, closing therefore
        waits for the page's first message.
        """
        # Also called for an object whose constructor failed; it has no comm.
        if self._here or getattr(self, "comm", None) is None or not _in_cell():
            self._end()
        elif self._ending is None:
            self._ending = threading.Timer(_LONGEST_S, self._end)
            self._ending.daemon = True
            self._ending.start()

    def _on_page(self) -> None:
        """Record that a page has created this widget, and run a deferred close."""
        self._here = True
        if self._ending is not None:
            self._end()

    def _end(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        with _ENDS:  # the timer and messages from several pages may call this concurrently
            layout = self.layout
            super().close()
            if layout is not None:
                layout.close()


def cell_request() -> Mapping[str, Mapping[str, object]] | None:
    """Return the message that runs the current notebook cell; None outside of a cell."""
    kernel = running_kernel()
    parent: Mapping[str, Mapping[str, object]] = {} if kernel is None else kernel.get_parent("shell") or {}
    return parent if (parent.get("header") or {}).get("msg_type") == "execute_request" else None


def _in_cell() -> bool:
    """Return whether this thread is running a notebook cell."""
    return threading.current_thread() is threading.main_thread() and cell_request() is not None
