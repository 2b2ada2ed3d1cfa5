"""A preview server for one folder, for this machine only."""

from __future__ import annotations

import errno
import functools
import logging
import mimetypes
import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import os
    from types import TracebackType

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_TRIED_PORTS = 100
_BLOCK = 2**18
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".bin": "application/octet-stream",
    # Never with Content-Encoding: the page decompresses what it asked for itself.
    ".gz": "application/gzip",
    ".js": "text/javascript; charset=utf-8",
}


class BundleServer:
    """Serves one folder on 127.0.0.1, from a thread.

    Parameters
    ----------
    folder
        What is served; nothing outside it is, not even through a link.
    port
        First port to try; when it is taken, the next free one is used and `port` says which. 0 takes any.

    Raises
    ------
    OSError
        When no port is free.
    """

    def __init__(self, folder: str | os.PathLike[str], *, port: int = 8000) -> None:
        self.folder = Path(folder).resolve()
        self.wanted_port = port
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that is listened to, or 0 when stopped."""
        return int(self._server.server_address[1]) if self._server else 0

    @property
    def url(self) -> str:
        """Address of the viewer."""
        return f"http://{HOST}:{self.port}/"

    def start(self) -> BundleServer:
        """Listen; returns at once."""
        self._server = self._bind()
        self._thread = threading.Thread(target=self._server.serve_forever, name="karospace-serve", daemon=True)
        self._thread.start()
        return self

    def _bind(self) -> ThreadingHTTPServer:
        handler = functools.partial(_Handler, self.folder)
        tried = [0] if self.wanted_port == 0 else range(self.wanted_port, min(self.wanted_port + _TRIED_PORTS, 65536))
        last: OSError | None = None
        for port in tried:
            try:
                return _Server((HOST, port), handler)
            except OSError as exc:
                if exc.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
                last = exc
        msg = f"No free port was found from {self.wanted_port} on."
        raise OSError(errno.EADDRINUSE, msg) from last

    def stop(self) -> None:
        """Stop listening and wait for the thread."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    def __enter__(self) -> BundleServer:
        """Start, unless it runs already."""
        return self if self._server else self.start()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        """Stop."""
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Two servers on one port would answer in turn on some systems.
    allow_reuse_address = False
    allow_reuse_port = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "karospace"
    sys_version = ""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]  # socketserver passes request, address, server

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        # A page of another site can point its own name at 127.0.0.1; the Host header gives it away.
        if self.headers.get("Host", "").partition(":")[0] not in {HOST, "localhost"}:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        path = self._file()
        if path is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        size = path.stat().st_size
        span = _span(self.headers.get("Range"), size)
        if span is None:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, stop, partial = span
        self.send_response(HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK)
        self.send_header(
            "Content-Type", _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or _TYPES[".bin"]
        )
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        if body:
            self._send(path, start, stop)

    def _send(self, path: Path, start: int, stop: int) -> None:
        with path.open("rb") as file:
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

    def _file(self) -> Path | None:
        name = unquote(urlsplit(self.path).path)
        if "\x00" in name or "\\" in name or ".." in name.split("/"):
            return None
        path = self._folder / name.lstrip("/")
        if name.endswith("/"):
            path /= "index.html"
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            return None
        return real if real.is_relative_to(self._folder) and real.is_file() else None

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        logger.debug(format, *args)


def _span(header: str | None, size: int) -> tuple[int, int, bool] | None:
    """(start, stop, partial) of a Range header; None when it cannot be satisfied. Several ranges give the whole."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", (header or "").strip())
    if not match or match.groups() == ("", ""):
        return 0, size, False
    first, last = match.groups()
    if first == "":
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
    return (start, stop, True) if start < stop else None
