"""A comm of its own for whatever the page asks of the kernel.

A kernel answers a comm on the shell that published on it last. A cell that sets a trait and then computes would
drag its widget behind itself; so asset requests and cancel travel on this comm, on which the kernel publishes only
while it answers.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

import traitlets

from karospace_jupyter.errors import KaroSpaceError
from karospace_jupyter.widget.base import Base

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[dict[str, Any], list[memoryview]], None]

logger = logging.getLogger(__name__)

CHUNK = 2 * 2**20
"""Bytes of one message: large ones stall the page's main thread."""


_ONCE = {"start", "download"}
"""Requests that must not be done twice."""


class Channel(Base):
    """The comm. It has no face: it is opened by the widgets that use it."""

    _kind = traitlets.Unicode("channel").tag(sync=True)

    def __init__(self) -> None:
        self._done: deque[str] = deque(maxlen=64)
        self._routes: dict[str, Handler] = {"hello": lambda message, _: self.send({**message, "type": "hi"})}
        super().__init__()
        self.on_msg(lambda _, message, buffers: self._receive(message, buffers))

    def route(self, kind: str, handler: Handler) -> None:
        """Have messages of this type handled by `handler`, on whichever thread they arrive."""
        self._routes[kind] = handler

    def answer(self, request: dict[str, Any], data: bytes) -> None:
        """Send bytes as the answer to a request, in pieces."""
        view = memoryview(data)
        count = max(1, -(-len(view) // CHUNK))
        for index in range(count):
            part = view[index * CHUNK : (index + 1) * CHUNK]
            head = {"type": "part", "view": request.get("view"), "id": request.get("id")}
            self.send({**head, "index": index, "count": count, "total": len(view)}, [part])

    def refuse(self, request: dict[str, Any], message: str, tag: str = "failed") -> None:
        """Send the reason why a request is not answered."""
        self.send(
            {"type": "refused", "view": request.get("view"), "id": request.get("id"), "tag": tag, "message": message}
        )

    def _receive(self, message: Any, buffers: list[memoryview]) -> None:  # noqa: ANN401 - whatever the page sends
        if not isinstance(message, dict):
            return
        kind = str(message.get("type"))
        if kind in _ONCE:
            key = str(message.get("id"))
            if key in self._done:
                return  # sent again by a page that waited long; the first one is being answered
            self._done.append(key)
        handler = self._routes.get(kind)
        if handler is None:
            self.refuse(message, f"The kernel does not know the request {message.get('type')!r}.")
            return
        try:
            handler(message, buffers)
        except KaroSpaceError as exc:
            self.refuse(message, str(exc))
        except Exception as exc:
            logger.exception("a request of the page failed: %s", message.get("type"))
            self.refuse(message, f"{type(exc).__name__}: {exc}")
