"""Kernel side of the JupyterLab panel.

The panel silently runs one expression, ``karospace_jupyter.lab.call(request)``. It displays widgets with their own
comms: the same form and the same viewer as in a notebook cell.
"""

from __future__ import annotations

import logging
from typing import Any

from pydantic import ValidationError

from karospace_jupyter.errors import KaroSpaceError

logger = logging.getLogger(__name__)

__all__ = ["call"]


def call(request: str) -> Any:  # noqa: ANN401 - IPython's JSON, which has no types
    """Run a request given as JSON text, and return the answer as an IPython JSON object.

    Parameters
    ----------
    request
        One of :data:`karospace_jupyter.contracts.panel.PanelRequest`. An error is returned as
        ``{"error": TEXT, "kind": CLASS}``, because nobody would see a traceback.
    """
    from IPython import display

    from karospace_jupyter.contracts.panel import Failed, PanelAnswer, parsed
    from karospace_jupyter.lab import calls

    answer: PanelAnswer
    try:
        answer = calls.answer_to(parsed(request))
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "do"
        answer = Failed(error=f"The request is invalid: {where}: {first['msg']}.", kind=type(exc).__name__)
    except KaroSpaceError as exc:
        answer = Failed(error=str(exc), kind=type(exc).__name__)
    except Exception as exc:
        logger.exception("a request of the panel failed")
        answer = Failed(error=f"{type(exc).__name__}: {exc}", kind=type(exc).__name__)
    to_json: Any = display.JSON  # without types
    return to_json(answer.model_dump())
