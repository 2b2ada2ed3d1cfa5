"""A separate comm for requests from the page to the kernel.

ipykernel may route the messages of a comm to the shell that last published on it. A cell that sets a trait and then
computes would block its widget until it ends. Requests for assets and cancellation therefore use this comm, on which
the kernel only publishes answers.
"""

from __future__ import annotations

import base64
import binascii
import contextvars
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import traitlets

from karospace_jupyter.errors import KaroSpaceError
from karospace_jupyter.widget.base import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Handler = Callable[[dict[str, Any], list[memoryview]], None]

logger = logging.getLogger(__name__)

CHUNK = 2 * 2**20
"""Bytes per message; larger ones block the page's main thread."""


_ONCE = {"start", "download", "view"}
"""Requests that must not be repeated."""


class Channel(Base):
    """The comm. It has no view; the widgets that use it open it."""

    _kind = traitlets.Unicode("channel").tag(sync=True)

    def __init__(self) -> None:
        self._done: deque[str] = deque(maxlen=64)
        self._plain = False
        self._routes: dict[str, Handler] = {"hello": self._on_hello, "here": lambda *_: None}
        super().__init__()
        self.on_msg(lambda _, message, buffers: self._receive(message, buffers))

    def route(self, kind: str, handler: Handler) -> None:
        """Register `handler` for messages of this type; it runs on the thread on which they arrive."""
        self._routes[kind] = handler

    def packed(
        self, content: dict[str, Any], buffers: Sequence[bytes | memoryview] = ()
    ) -> tuple[dict[str, Any], list[bytes | memoryview]]:
        """Encode a message for transport: unchanged, or with its buffers as text if the host drops buffers."""
        if not self._plain or not buffers:
            return content, list(buffers)
        return {**content, "base64": [base64.b64encode(data).decode("ascii") for data in buffers]}, []

    def send(self, content: dict[str, Any], buffers: Sequence[bytes | memoryview] | None = None) -> None:
        """Send a message to every connected page."""
        super().send(*self.packed(content, buffers or ()))

    def aside(self, request: dict[str, Any], work: Callable[[], bytes]) -> None:
        """Answer with the result of `work`, computed on another thread so that the channel still receives a cancel."""

        def run() -> None:
            try:
                self.answer(request, work())
            except KaroSpaceError as exc:
                self.refuse(request, str(exc))
            except Exception as exc:
                logger.exception("a request from the page failed: %s", request.get("type"))
                self.refuse(request, f"{type(exc).__name__}: {exc}")

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(run,), name="karospace-answer", daemon=True).start()

    def answer(self, request: dict[str, Any], data: bytes) -> None:
        """Send bytes as the answer to a request, in parts."""
        view = memoryview(data)
        count = max(1, -(-len(view) // CHUNK))
        for index in range(count):
            part = view[index * CHUNK : (index + 1) * CHUNK]
            head = {"type": "part", "view": request.get("view"), "id": request.get("id")}
            self.send({**head, "index": index, "count": count, "total": len(view)}, [part])

    def refuse(self, request: dict[str, Any], message: str, tag: str = "failed") -> None:
        """Send the reason why a request failed."""
        self.send(
            {"type": "refused", "view": request.get("view"), "id": request.get("id"), "tag": tag, "message": message}
        )

    def _on_hello(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Report whether buffers arrived, and send one back, because some hosts drop them silently."""
        super().send({**message, "type": "hi", "buffers": len(buffers)}, [b"\x01"])

    def _receive(self, message: Any, buffers: list[memoryview]) -> None:  # noqa: ANN401 - whatever the page sends
        if not isinstance(message, dict):
            return
        if message.get("plain"):
            self._plain = True  # applies to every page; the cost for the others is small
        if "base64" in message:
            try:
                buffers = [memoryview(base64.b64decode(text, validate=True)) for text in message["base64"]]
            except (TypeError, ValueError, binascii.Error) as exc:
                self.refuse(message, f"The data of the request {message.get('type')!r} was damaged in transit: {exc}")
                return
        kind = str(message.get("type"))
        if kind in _ONCE:
            key = str(message.get("id"))
            if key in self._done:
                return  # repeated by a page after a timeout; the first request is being answered
            self._done.append(key)
        handler = self._routes.get(kind)
        if handler is None:
            self.refuse(message, f"The kernel does not support the request {message.get('type')!r}.")
            return
        try:
            handler(message, buffers)
        except KaroSpaceError as exc:
            self.refuse(message, str(exc))
        except Exception as exc:
            logger.exception("a request from the page failed: %s", message.get("type"))
            self.refuse(message, f"{type(exc).__name__}: {exc}")
