"""The notebook kernel that runs in this process, if any, and its variables.

An imported ipykernel does not mean that a kernel is running: programs that talk to kernels import it, too. IPython is
used only if it is already imported; a kernel imports it before its first cell.
"""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def running_kernel() -> Any:  # noqa: ANN401 - each kind of kernel has a class of its own
    """Return the kernel whose cells run in this process; None in scripts and terminals."""
    return getattr(_shell(), "kernel", None)


def variables_of(subject: object) -> list[str]:
    """Return the names of the user's variables that hold an object, except names with a leading underscore."""
    variables = getattr(_shell(), "user_ns", {})
    return [str(name) for name, value in list(variables.items()) if value is subject and not name.startswith("_")]


def variable_of(subject: object) -> str | None:
    """Return the name of the user's variable that holds an object, if there is exactly one."""
    names = variables_of(subject)
    return names[0] if len(names) == 1 else None


def reassigned(subject: object, names: list[str]) -> str:
    """Return the first of `names` that refers to a different object; empty if any still refers to `subject`."""
    variables = getattr(_shell(), "user_ns", {})
    there = [name for name in names if name in variables]
    return "" if any(variables[name] is subject for name in there) else next(iter(there), "")


def after_each_cell(method: Callable[[], None]) -> Callable[[], None]:
    """Call a bound method after each cell while its object exists; return a function that stops this."""
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
