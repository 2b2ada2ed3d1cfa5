"""A separate comm for requests from the page to the kernel.

ipykernel may route the messages of a comm to the shell that last published on it. A cell that sets a trait and then
computes would block its widget until it ends. Requests for assets and cancellation therefore use this comm, on which
the kernel only publishes answers.
"""

from __future__ import annotations

import base64
import contextvars
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

import traitlets
from pydantic import ValidationError

from karospace_jupyter.contracts import messages
from karospace_jupyter.contracts.messages import Download, Hello, Here, Hi, MakeView, Message, Part, Refused, Start
from karospace_jupyter.errors import KaroSpaceError
from karospace_jupyter.widget.base import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Buffers = list[memoryview]
    M = TypeVar("M", bound=Message)
    Handler = Callable[[M, Buffers], None]

logger = logging.getLogger(__name__)

CHUNK = 2 * 2**20
"""Bytes per message; larger ones block the page's main thread."""


class Channel(Base):
    """The comm. It has no view; the widgets that use it open it."""

    _kind = traitlets.Unicode("channel").tag(sync=True)

    def __init__(self) -> None:
        self._received: deque[str] = deque(maxlen=64)
        """IDs of recent requests that must run only once."""
        self._working: set[tuple[str | None, str | None]] = set()
        """The requests, by frame and id, that a thread is answering."""
        self._plain = False
        """Whether a page cannot receive buffers; they are then sent as text."""
        # Each handler takes the messages of its key, which this type cannot express.
        self._routes: dict[type[Message], Handler[Any]] = {}
        self.route(Hello, self._on_hello)
        self.route(Here, lambda *_: None)
        super().__init__()
        self.on_msg(lambda _, content, buffers: self._receive(content, buffers))

    def route(self, kind: type[M], handler: Handler[M]) -> None:
        """Register `handler` for messages of this type; it runs on the thread on which they arrive."""
        self._routes[kind] = handler

    def packed(self, message: Message, buffers: Sequence[bytes | memoryview] = ()) -> tuple[Message, Sequence[Any]]:
        """Encode a message for transport: unchanged, or with its buffers as text if the host drops buffers."""
        if not self._plain or not buffers:
            return message, buffers
        texts = [base64.b64encode(data).decode("ascii") for data in buffers]
        return message.model_copy(update={"base64": texts}), ()

    def send(self, message: Message, buffers: Sequence[bytes | memoryview] = ()) -> None:
        """Send a message to every connected page."""
        packed, rest = self.packed(message, buffers)
        super().send(packed.sent(), list(rest))

    def aside(self, request: Message, work: Callable[[], bytes]) -> None:
        """Answer with the result of `work`, computed on another thread so that the channel still receives a cancel.

        Pages repeat requests that take long; those that are being answered are ignored.
        """
        key = request.view, request.id
        if key in self._working:
            return
        self._working.add(key)

        def run() -> None:
            try:
                self._run_or_refuse(request, lambda: self.answer(request, work()))
            finally:
                self._working.discard(key)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(run,), name="karospace-answer", daemon=True).start()

    def answer(self, request: Message, data: bytes) -> None:
        """Send bytes as the answer to a request, in parts."""
        view = memoryview(data)
        count = max(1, -(-len(view) // CHUNK))
        for index in range(count):
            part = view[index * CHUNK : (index + 1) * CHUNK]
            head = Part(id=request.id or "", view=request.view, index=index, count=count, total=len(view))
            self.send(head, [part])

    def refuse(self, request: Message, message: str) -> None:
        """Send the reason why a request failed."""
        self.send(Refused(id=request.id, view=request.view, tag="failed", message=message))

    def _run_or_refuse(self, request: Message, work: Callable[[], None]) -> None:
        """Run `work`, which answers a request, and refuse the request if it fails."""
        try:
            work()
        except KaroSpaceError as exc:
            self.refuse(request, str(exc))
        except Exception as exc:
            logger.exception("a request from the page failed: %s", request.type)
            self.refuse(request, f"{type(exc).__name__}: {exc}")

    def _on_hello(self, message: Hello, buffers: Buffers) -> None:
        """Report whether buffers arrived, and send one back, because some hosts drop them silently."""
        # Not packed: this buffer tests whether buffers arrive.
        super().send(Hi(id=message.id, buffers=len(buffers)).sent(), [b"\x01"])

    def _receive(self, content: object, buffers: Buffers) -> None:
        """Parse what a page sent, and pass it to its handler."""
        if not isinstance(content, dict):
            return
        try:
            message = messages.parsed(content)
        except ValidationError as exc:
            self.refuse(_partial_message(content), _reason(content, exc))
            return
        if message.plain:
            self._plain = True  # applies to every page; the cost for the others is small
        if message.base64 is not None:
            try:
                buffers = [memoryview(base64.b64decode(text, validate=True)) for text in message.base64]
            except ValueError as exc:
                self.refuse(message, f"The data of the request {message.type!r} was damaged in transit: {exc}")
                return
        if isinstance(message, Start | Download | MakeView):
            if message.id in self._received:
                return  # repeated by a page after a timeout; the first request is being answered
            self._received.append(message.id)
        handler = self._routes.get(type(message))
        if handler is None:
            self.refuse(message, f"The kernel does not support the request {message.type!r}.")
            return
        self._run_or_refuse(message, lambda: handler(message, buffers))


def _partial_message(content: dict[Any, Any]) -> Message:
    """Return what is known about an invalid message, so that it can be answered."""
    texts = {name: content[name] for name in ("id", "view") if isinstance(content.get(name), str)}
    return Message(type=str(content.get("type")), **texts)


def _reason(content: dict[Any, Any], invalid: ValidationError) -> str:
    """Return the error message for an invalid message."""
    first = invalid.errors()[0]
    if not first["loc"]:
        return f"The kernel does not support the request {content.get('type')!r:.80}."
    where = ".".join(str(part) for part in first["loc"][1:])
    return f"The request {content['type']!r} is invalid: {where}: {first['msg']}."
