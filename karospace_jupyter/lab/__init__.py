"""What the JupyterLab panel asks of a kernel.

The panel runs one expression, silently: ``karospace_jupyter.lab.call(request)``. What it shows then are widgets, over
their own comms: the same form and the same viewer as in a cell.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from karospace_jupyter.errors import KaroSpaceError

logger = logging.getLogger(__name__)

__all__ = ["call"]


def call(request: str) -> Any:  # noqa: ANN401 - IPython's JSON, which has no types
    """Do what a JSON text asks for, and return the answer as an IPython JSON object.

    Parameters
    ----------
    request
        ``{"do": NAME, ...}``; the rest are arguments of the function of that name in ``lab.calls``. What fails comes
        back as ``{"error": TEXT, "kind": CLASS}``: a traceback would be for nobody.
    """
    from IPython import display

    from karospace_jupyter.lab import calls

    answer: dict[str, Any]
    try:
        given = json.loads(request)
        answer = calls.PUBLIC[given.pop("do")](**given)
    except KaroSpaceError as exc:
        answer = {"error": str(exc), "kind": type(exc).__name__}
    except Exception as exc:
        logger.exception("the panel asked for what failed")
        answer = {"error": f"{type(exc).__name__}: {exc}", "kind": type(exc).__name__}
    to_json: Any = display.JSON  # without types
    return to_json(answer)
