"""Create widgets on a background thread."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class WidgetMaker:
    """Run work that creates widgets, on any thread, so that they reach the page.

    marimo only allows widgets to be created where it knows the cell: in the cell itself and on threads of its own
    class, which inherit the cell of their creator. One such thread is therefore prepared in advance, and creates its
    successor.
    """

    def __init__(self) -> None:
        self._next = self._prepared()

    def run(self, work: Callable[[], None]) -> None:
        """Run `work` and wait for it; only one call at a time is allowed."""
        if self._next is None:
            work()
            return
        self._work = work
        self._done: Future[None] = Future()
        self._next.start()
        self._done.result()

    def _prepared(self) -> Any:  # noqa: ANN401 - marimo may not be installed
        marimo = sys.modules.get("marimo")
        if marimo is None or not marimo.running_in_notebook():
            return None
        return marimo.Thread(target=self._in_thread, name="karospace-widgets", daemon=True)

    def _in_thread(self) -> None:
        try:
            self._next = self._prepared()
            self._work()
        except BaseException as exc:  # noqa: BLE001 - raised again in `run`
            self._done.set_exception(exc)
        else:
            self._done.set_result(None)
