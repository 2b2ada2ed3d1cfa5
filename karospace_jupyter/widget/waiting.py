"""Wait inside a notebook cell while messages from the page are handled."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from karospace_jupyter.kernel import running_kernel

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP_S = 0.02


def wait_for(done: Callable[[], bool], timeout: float | None) -> bool:
    """Wait until `done()` returns True, at most `timeout` seconds, and return whether it did.

    On a kernel without subshells, a notebook cell that waits on the main thread would block messages from the page.
    This function handles them; notebook cells that are started in the meantime run afterward.
    """
    end = None if timeout is None else time.monotonic() + timeout
    with _events() as poll:
        while not done():
            if end is not None and time.monotonic() >= end:
                return done()
            if poll is not None:
                poll(8)  # handles at most 8 messages
            time.sleep(_STEP_S)
    return True


def _events() -> Any:  # noqa: ANN401 - a context manager that returns a function, or None
    if threading.current_thread() is not threading.main_thread() or running_kernel() is None:
        return nullcontext()
    from jupyter_ui_poll import ui_events

    return ui_events()
