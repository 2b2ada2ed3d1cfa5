"""Making widgets in a thread that is not the notebook's."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def carried(work: Callable[[], None]) -> Callable[[], None]:
    """Return `work` so that the widgets it makes reach the page from whichever thread calls it, once.

    marimo keeps the way to its page with each thread, and only threads of its own class inherit it.
    """
    marimo = sys.modules.get("marimo")
    if marimo is None or not marimo.running_in_notebook():
        return work
    done: Future[None] = Future()

    def in_thread() -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001 - raised again for whoever waits
            done.set_exception(exc)
        else:
            done.set_result(None)

    thread = marimo.Thread(target=in_thread, name="karospace-show", daemon=True)

    def run() -> None:
        thread.start()
        done.result()

    return run
