"""The variables of a notebook."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def variables_of(subject: object) -> list[str]:
    """Return the names of the user's variables that hold an object, except names with a leading underscore."""
    variables = getattr(_shell(), "user_ns", {})
    return [str(name) for name, value in list(variables.items()) if value is subject and not name.startswith("_")]


def reassigned(subject: object, names: list[str]) -> str:
    """Return the one of `names` that now holds another object; empty while any of them holds `subject`."""
    variables = getattr(_shell(), "user_ns", {})
    there = [name for name in names if name in variables]
    return "" if any(variables[name] is subject for name in there) else next(iter(there), "")


def after_each_cell(method: Callable[[], None]) -> Callable[[], None]:
    """Call a bound method after each cell, as long as its object exists; returns a function that ends this."""
    events = getattr(_shell(), "events", None)
    if events is None:
        return lambda: None
    ref = weakref.WeakMethod(method)

    def call(*_: object) -> None:
        now = ref()
        if now is None:
            end()
        else:
            now()

    def end() -> None:
        if call in events.callbacks["post_run_cell"]:
            events.unregister("post_run_cell", call)

    events.register("post_run_cell", call)
    return end


def _shell() -> Any:  # noqa: ANN401 - IPython is untyped
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()
