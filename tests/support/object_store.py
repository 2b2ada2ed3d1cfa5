"""An S3-compatible server, and a proxy in front of it that injects faults."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from commands import first_match
from waiting import PATIENCE_S

OPTIONS = {"key": "testing", "secret": "testing"}


@contextmanager
def s3_server() -> Iterator[str]:
    """Start the server as a process of its own; yield its URL."""
    arguments = ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with (
        subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
        ThreadPoolExecutor(1) as reader,
    ):
        try:
            assert process.stdout is not None
            url = first_match(r"http://127\.0\.0\.1:\d+", process.stdout)
            reader.submit(process.stdout.read)  # the server stops when the pipe is full
            yield url
        finally:
            process.kill()


@dataclass
class Request:
    """A request on its way to the server."""

    method: str
    path: str
    number: int
    """Counts the requests of this method, from 0."""
    headers: dict[str, str]
    body: bytes


@dataclass
class Fault:
    """What the proxy does instead of, or before, passing on a request."""

    status: int = 0
    """Answer with this status and `code`."""
    code: str = "InternalError"
    message: str = "injected"
    reset: bool = False
    """Close the connection without a response."""
    wait: threading.Event | None = None
    """Pass the request on only after this event."""


@dataclass
class Proxy:
    """The proxy; `fault` decides what happens to each request."""

    url: str
    fault: Callable[[Request], Fault | None] = lambda request: None
    requests: list[Request] = field(default_factory=list)

    def puts(self) -> list[str]:
        """Return the paths that were written, in order."""
        return [request.path for request in self.requests if request.method == "PUT"]


@contextmanager
def faulty(server: str) -> Iterator[Proxy]:
    """Start a proxy in front of the server."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                number = sum(earlier.method == self.command for earlier in proxy.requests)
                request = Request(self.command, self.path, number, dict(self.headers), body)
                proxy.requests.append(request)
            fault = proxy.fault(request)
            if fault is not None and fault.wait is not None:
                fault.wait.wait(PATIENCE_S)
            if fault is not None and fault.reset:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if fault is not None and fault.status:
                error = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>".encode()
                self.answer(fault.status, {"Content-Type": "application/xml"}, error)
                return
            upstream = http.client.HTTPConnection(server.removeprefix("http://"), timeout=PATIENCE_S)
            with closing(upstream):
                upstream.request(self.command, self.path, body, dict(self.headers))
                response = upstream.getresponse()
                length = response.headers.get("Content-Length")
                self.answer(response.status, dict(response.headers), response.read(), length)

        def answer(self, status: int, headers: dict[str, str], body: bytes, length: str | None = None) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", length if length and self.command == "HEAD" else str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the client was killed, or the test has ended
                return

        def log_message(self, *_: object) -> None:
            pass

    for method in ("DELETE", "GET", "HEAD", "POST", "PUT"):
        setattr(Handler, f"do_{method}", Handler.pass_on)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    proxy = Proxy(f"http://127.0.0.1:{httpd.server_port}")
    try:
        yield proxy
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def options(url: str) -> dict[str, Any]:
    """Return the storage options for a server at `url`."""
    return {**OPTIONS, "endpoint_url": url}
