"""A local preview server for one bundle; it listens on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import logging
import mimetypes
import os
import re
import socket
import sys
import threading
import time
import weakref
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from karospace_jupyter.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_POLL_S = 0.05
"""Seconds between the server thread's checks for a stop request."""
_MAX_PORTS = 100
_BLOCK = 2**18
_IDLE_TIMEOUT_S = 30
"""Seconds after which an idle connection is closed, including keep-alive connections of browsers."""
_MAX_CONNECTIONS = 128
_RETRY_DELAY_S = 0.1
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".bin": "application/octet-stream",
    # Sent without Content-Encoding, because the viewer decompresses the files.
    ".gz": "application/gzip",
    ".js": "text/javascript; charset=utf-8",
}


class Readable(Protocol):
    """The files of a bundle that is not a folder."""

    def read(self, path: str) -> bytes:
        """Return the content of one file, or raise BundleError."""


class BundleServer:
    """Serve a folder or the files of a bundle on 127.0.0.1, from a background thread.

    Parameters
    ----------
    content
        The folder or files to serve. Nothing outside of it is served, not even through a symbolic link.
    port
        First port to try. If it is in use, the next free port is used; see the attribute `port`. 0 picks any free
        port.

    Raises
    ------
    OSError
        If no port is free.

    Examples
    --------
    >>> with BundleServer("viewer", port=0) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, content: str | os.PathLike[str] | Readable, *, port: int = 8000) -> None:
        self.content = content
        self.wanted_port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def content(self) -> Path | Readable:
        """The served content. Assigning new content takes effect from the next request, at the same address."""
        return self._content

    @content.setter
    def content(self, content: str | os.PathLike[str] | Readable) -> None:
        self._content = Path(content).resolve() if isinstance(content, (str, os.PathLike)) else content

    @property
    def port(self) -> int:
        """The port that the server listens on, or 0 if it is stopped."""
        return int(self._server.server_address[1]) if self._server else 0

    @property
    def url(self) -> str:
        """Address of the viewer."""
        return f"http://{HOST}:{self.port}/"

    def start(self) -> BundleServer:
        """Start listening and return immediately."""
        self._server = self._bind()
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="karospace-serve", daemon=True
        )
        self._thread.start()
        return self

    def _bind(self) -> _Server:
        handler = functools.partial(_Handler, lambda: self.content)
        tried = [0] if self.wanted_port == 0 else range(self.wanted_port, min(self.wanted_port + _MAX_PORTS, 65536))
        last: OSError | None = None
        for port in tried:
            try:
                return _Server((HOST, port), handler)
            except OSError as exc:
                if exc.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
                last = exc
        msg = f"no free port at or above {self.wanted_port}"
        raise OSError(errno.EADDRINUSE, msg) from last

    def stop(self) -> None:
        """Stop listening, close keep-alive connections, and wait for the thread."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    def __enter__(self) -> BundleServer:
        """Start the server unless it is already running."""
        return self if self._server else self.start()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        """Stop the server."""
        self.stop()


def wait_until_free(port: int, *, patience: float = 10) -> bool:
    """Wait at most `patience` seconds for a port on this computer to become free, and return whether it is free."""
    end = time.monotonic() + patience
    while True:
        try:
            with _Server((HOST, port), BaseHTTPRequestHandler):
                return True
        except OSError:
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_S)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Linux, reuse allows binding a port with connections in TIME_WAIT; elsewhere, two servers could share a port.
    allow_reuse_address = sys.platform == "linux"
    allow_reuse_port = False

    def __init__(self, address: tuple[str, int], handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._accepted: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._free = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, object]:
        try:
            request, address = super().get_request()
        except OSError as exc:
            if exc.errno in _EXHAUSTED:  # the server would retry immediately, in a busy loop
                time.sleep(_RETRY_DELAY_S)
            raise
        self._accepted.add(request)
        return request, address

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)  # no browser opens this many connections
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def server_close(self) -> None:
        super().server_close()
        for request in self._accepted:
            with contextlib.suppress(OSError):  # already closed
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as in the base class
        logger.debug("the connection from %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_TIMEOUT_S
    server_version = "karospace"
    sys_version = ""

    def __init__(self, content: Callable[[], Path | Readable], *arguments: object) -> None:
        self._content = content
        super().__init__(*arguments)  # type: ignore[arg-type]  # socketserver passes request, address, server

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        # Against DNS rebinding: another site can point its name at 127.0.0.1, but the Host header reveals that name.
        if self.headers.get("Host", "").partition(":")[0] not in {HOST, "localhost"}:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        name = unquote(urlsplit(self.path).path)
        name = name.lstrip("/") + ("index.html" if name.endswith("/") else "")
        file = self._file(name)
        if file is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with file:
            self._send_file(name, file, body=body)

    def _send_file(self, name: str, file: BinaryIO, *, body: bool) -> None:
        size = file.seek(0, os.SEEK_END)
        span = _span(self.headers.get("Range"), size)
        if span is None:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, stop, partial = span
        self.send_response(HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK)
        suffix = name[name.rfind(".") :] if "." in name else ""
        self.send_header("Content-Type", _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or _TYPES[".bin"])
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        if body:
            self._send(file, start, stop)

    def _send(self, file: BinaryIO, start: int, stop: int) -> None:
        file.seek(start)
        left = stop - start
        while left > 0:
            block = file.read(min(_BLOCK, left))
            if not block:
                self.close_connection = True
                return
            try:
                self.wfile.write(block)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
                return
            left -= len(block)

    def _file(self, name: str) -> BinaryIO | None:
        if "\x00" in name or "\\" in name or ".." in name.split("/"):
            return None
        content = self._content()
        try:
            if not isinstance(content, Path):
                return io.BytesIO(content.read(name))
            real = (content / name).resolve(strict=True)
            return real.open("rb") if real.is_relative_to(content) and real.is_file() else None
        except (BundleError, OSError, RuntimeError):
            return None

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        logger.debug(format, *args)


def _span(header: str | None, size: int) -> tuple[int, int, bool] | None:
    """Return (start, stop, partial) of a Range header, or None if it cannot be satisfied.

    Several ranges are answered with the whole file, as RFC 9110 allows.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", (header or "").strip())
    if not match or match.groups() == ("", ""):
        return 0, size, False
    first, last = match.groups()
    if first == "":
        start, stop = max(0, size - _number(last, size)), size
    else:
        start, stop = _number(first, size), min(size, _number(last, size) + 1) if last else size
    return (start, stop, True) if start < stop else None


def _number(digits: str, beyond: int) -> int:
    # int() raises for thousands of digits.
    return int(digits) if len(digits) < 20 else beyond
