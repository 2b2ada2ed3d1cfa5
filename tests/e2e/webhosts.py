"""Hosts for tests: nginx, a host that delays or breaks responses, and one that must never be contacted."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from waiting import PATIENCE_S, let_time_pass

HOST = "127.0.0.1"

NGINX = """
daemon off;
master_process off;
pid {work}/nginx.pid;
error_log {work}/error.log;
events {{ worker_connections 64; }}
http {{
    include {types};
    default_type application/octet-stream;
    access_log off;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen {host}:{port};
        root "{folder}";
        add_header X-Content-Type-Options nosniff;
        {more}
    }}
}}
"""
TYPES = Path("/etc/nginx/mime.types")


def find_nginx() -> str:
    """Return the path of nginx, or skip the test if it is not installed."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found and TYPES.is_file():
        return found
    pytest.skip("nginx is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def nginx(folder: Path, work: Path, more: str = "") -> Iterator[str]:
    """Serve `folder` with nginx, and check afterwards that it leaves no files in `work` and no process.

    `more` contains further directives for the server block of its configuration.
    """
    program = find_nginx()
    work.mkdir()
    for _ in range(5):
        port = free_port()
        (work / "nginx.conf").write_text(
            NGINX.format(work=work, types=TYPES, host=HOST, port=port, folder=folder, more=more)
        )
        process = subprocess.Popen([program, "-e", str(work / "error.log"), "-c", str(work / "nginx.conf")])
        # nginx exits if another program has taken the port in the meantime.
        if _answers(process, port):
            break
    else:
        pytest.fail("nginx failed to start: " + (work / "error.log").read_text()[-500:])
    try:
        yield f"http://{HOST}:{port}/"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        left = [path for name in ("body", "proxy", "fastcgi") for path in (work / name).rglob("*") if path.is_file()]
        shutil.rmtree(work)
    assert left == []
    assert process.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, port)) != 0


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return True
        let_time_pass(0.02)
    return False


class FalteringHost:
    """Serve a folder. Half of a held file is sent immediately, and the rest when it is released."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: dict[str, threading.Event] = {}
        self.half_sent: dict[str, threading.Event] = {}
        """Set when the first half has been sent."""
        self.hung_up: dict[str, threading.Event] = {}
        """Set when the browser has closed the connection."""
        self.broken: set[str] = set()
        host = self

        class Handler(_Handler):
            def do_GET(self) -> None:
                host.answer(self)

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> FalteringHost:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for event in self.held.values():
            event.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server.server_port}/"

    def hold(self, path: str) -> None:
        for events in (self.held, self.half_sent, self.hung_up):
            events[path] = threading.Event()

    def let_go(self, path: str) -> None:
        self.held[path].set()

    def break_off(self, path: str) -> None:
        """Close the connection without sending the rest."""
        self.broken.add(path)
        self.let_go(path)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = unquote(request.path).lstrip("/") or "index.html"
        file = self.folder / name
        if not file.is_file():
            request.send_error(404)
            return
        stored = file.read_bytes()
        request.send_response(200)
        request.send_header("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream")
        request.send_header("Content-Length", str(len(stored)))
        request.end_headers()
        gate = self.held.get(name)
        half = len(stored) // 2 if gate else 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            request.wfile.write(stored[:half])
            request.wfile.flush()
            if gate:
                self.half_sent[name].set()
                self._wait(request.connection, name, gate)
            if name in self.broken:
                self.broken.remove(name)
                return
            request.wfile.write(stored[half:])

    def _wait(self, connection: socket.socket, name: str, gate: threading.Event) -> None:
        """Wait until the file is released, or the browser closes the connection."""
        connection.settimeout(0.05)
        while not gate.is_set():
            try:
                if connection.recv(1, socket.MSG_PEEK) == b"":
                    self.hung_up[name].set()
                    gate.wait()
            except TimeoutError:
                continue
            except OSError:
                self.hung_up[name].set()
                gate.wait()
        connection.settimeout(None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # one connection per request, so that closing it ends the request

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        pass


class Outside:
    """Another origin that records all connections. There should be none."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self.socket = socket.socket()
        self.socket.bind((HOST, 0))
        self.socket.listen()
        self.port = int(self.socket.getsockname()[1])
        self.thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Outside:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listen(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            with connection:
                connection.settimeout(2)
                received = b""
                with contextlib.suppress(OSError):
                    received = connection.recv(200)
                    connection.sendall(b"HTTP/1.0 204 No Content\r\nAccess-Control-Allow-Origin: *\r\n\r\n")
            if received == b"end":
                return
            self.calls.append(received)

    def stop(self) -> list[bytes]:
        """Make a last connection, which ends the listening thread, and return what was received before it."""
        if self.thread.is_alive():
            with socket.create_connection((HOST, self.port)) as last:
                last.sendall(b"end")
            self.thread.join()
            self.socket.close()
        return self.calls
