"""The variables of a notebook."""

from __future__ import annotations

import sys


def variables_of(subject: object) -> list[str]:
    """Return the names of the user's variables that hold an object, except names with a leading underscore."""
    if "IPython" not in sys.modules:
        return []
    from IPython import get_ipython

    variables = getattr(get_ipython(), "user_ns", {})
    return [str(name) for name, value in list(variables.items()) if value is subject and not name.startswith("_")]
