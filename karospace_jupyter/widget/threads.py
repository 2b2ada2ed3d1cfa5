"""Making widgets in a thread that is not the notebook's."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class WidgetMaker:
    """Runs work so that the widgets it makes reach the page, from whichever thread it is called.

    marimo lets a widget be made only where it knows the cell: in the cell itself, and in threads of its own class,
    which inherit the cell from whoever makes them. So one waits from the beginning, and makes its successor.
    """

    def __init__(self) -> None:
        self._next = self._prepared()

    def run(self, work: Callable[[], None]) -> None:
        """Do `work` and wait for it; one call at a time."""
        if self._next is None:
            work()
            return
        self._work = work
        self._done: Future[None] = Future()
        self._next.start()
        self._done.result()

    def _prepared(self) -> Any:  # noqa: ANN401 - marimo may be absent
        marimo = sys.modules.get("marimo")
        if marimo is None or not marimo.running_in_notebook():
            return None
        return marimo.Thread(target=self._in_thread, name="karospace-widgets", daemon=True)

    def _in_thread(self) -> None:
        try:
            self._next = self._prepared()
            self._work()
        except BaseException as exc:  # noqa: BLE001 - raised again for whoever waits
            self._done.set_exception(exc)
        else:
            self._done.set_result(None)
