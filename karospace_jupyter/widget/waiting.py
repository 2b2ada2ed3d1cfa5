"""Waiting inside a cell while messages of the page flow."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP_S = 0.02


def wait_for(done: Callable[[], bool], timeout: float | None) -> bool:
    """Wait until `done()`, at most `timeout` seconds; return whether it is.

    A cell that waits in the main thread would keep a kernel without subshells from hearing the page: there, messages
    are handled while it waits, and cells that were started meanwhile run afterwards.
    """
    end = None if timeout is None else time.monotonic() + timeout
    with _events() as poll:
        while not done():
            if end is not None and time.monotonic() >= end:
                return done()
            if poll is not None:
                poll(8)
            time.sleep(_STEP_S)
    return True


def _events() -> Any:  # noqa: ANN401 - a context that gives a function, or None
    if threading.current_thread() is not threading.main_thread() or "ipykernel" not in sys.modules:
        return nullcontext()
    from IPython import get_ipython

    shell = get_ipython()
    if getattr(shell, "kernel", None) is None:
        return nullcontext()
    from jupyter_ui_poll import ui_events

    return ui_events()
