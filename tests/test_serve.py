"""Tests of the preview server."""

from __future__ import annotations

import contextlib
import errno
import http.client
import socket
import threading

import pytest
from waiting import PATIENCE_S, eventually

from karospace_jupyter import serve
from karospace_jupyter.serve import BundleServer, wait_until_free


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "index.html").write_text("<p>hello")
    (folder / "manifest.json").write_text("{}")
    (folder / "a.csv").write_text("a,b\n")
    (folder / "a.gz").write_bytes(b"\x1f\x8b")
    (folder / "preview.png").write_bytes(b"png")
    (folder / "data.bin").write_bytes(bytes(range(100)))
    (folder / "out").symlink_to(tmp_path / "secret.txt")
    with BundleServer(folder, port=0) as running:
        yield running


def ask(server, path, method="GET", **headers):
    """Send a request; return the status, the headers and the body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/manifest.json?v=1", "application/json"),
        ("/a.csv", "text/csv; charset=utf-8"),
        ("/a.gz", "application/gzip"),
        ("/preview.png", "image/png"),
        ("/data.bin", "application/octet-stream"),
    ],
)
def test_content_type_is_set_without_content_encoding(server, path, kind):
    status, headers, _ = ask(server, path)
    assert (status, headers["Content-Type"]) == (200, kind)
    assert "Content-Encoding" not in headers


@pytest.mark.parametrize(
    ("span", "start", "stop"),
    [("bytes=10-19", 10, 20), ("bytes=90-", 90, 100), ("bytes=-5", 95, 100), (f"bytes=90-{'9' * 6000}", 90, 100)],
)
def test_range_request_returns_the_requested_bytes(server, span, start, stop):
    status, headers, body = ask(server, "/data.bin", Range=span)
    assert status == 206
    assert body == bytes(range(start, stop))
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/100"


@pytest.mark.parametrize("span", ["bytes=100-", "bytes=-0", "bytes=20-10", f"bytes={'9' * 6000}-"])
def test_unsatisfiable_range_returns_416(server, span):
    status, headers, _ = ask(server, "/data.bin", Range=span)
    assert (status, headers["Content-Range"]) == (416, "bytes */100")


def test_head_returns_headers_only(server):
    status, headers, body = ask(server, "/data.bin", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "100", b"")


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/out", "/missing"])
def test_nothing_outside_the_folder_is_served(server, path):
    status, _, body = ask(server, path)
    assert (status, body) == (404, b"")


def test_foreign_host_header_is_rejected(server):
    assert ask(server, "/", Host="evil.example:80")[0] == 403
    assert ask(server, "/", Host=f"localhost:{server.port}")[0] == 200


def test_next_free_port_is_used_if_the_port_is_in_use(server, tmp_path):
    with BundleServer(tmp_path, port=server.port) as second:
        assert server.port < second.port <= server.port + 100


def test_wait_until_free_waits_for_a_server_to_stop(server, monkeypatch):
    port, pauses = server.port, []
    assert not wait_until_free(port, patience=0)

    def stop_at_the_second_pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            server.stop()

    monkeypatch.setattr(serve.time, "sleep", stop_at_the_second_pause)
    assert wait_until_free(port, patience=PATIENCE_S)
    assert len(pauses) == 2


def test_stop_releases_port_and_thread(tmp_path):
    server = BundleServer(tmp_path, port=0).start()
    port, thread = server.port, server._thread
    server.stop()
    server.stop()
    assert server.port == 0
    assert thread not in threading.enumerate()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


def test_stop_closes_keep_alive_connections_and_frees_the_port(tmp_path):
    (tmp_path / "index.html").write_text("one")
    server = BundleServer(tmp_path, port=0).start()
    port = server.port
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as kept:
        kept.request("GET", "/")
        assert kept.getresponse().read() == b"one"
        server.stop()
        assert kept.sock.recv(1) == b""
    with BundleServer(tmp_path, port=port) as second:
        assert second.port == port
        assert ask(second, "/")[0] == 200


def test_content_can_be_replaced_at_the_same_address(tmp_path):
    class Two:
        def read(self, path):
            return b"two"

    (tmp_path / "index.html").write_text("one")
    with (
        BundleServer(tmp_path, port=0) as server,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)) as kept,
    ):
        for wanted in (b"one", b"two"):
            kept.request("GET", "/")
            assert kept.getresponse().read() == wanted
            server.content = Two()


def opened(server):
    """Return a context manager that opens a connection and closes it at the end."""
    return contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S))


def test_idle_connections_are_closed(server, monkeypatch):
    monkeypatch.setattr(serve._Handler, "timeout", 0.2)
    for sent in (b"", b"GET /data.bin HTTP/1.1\r\nHost: 127"):
        with opened(server) as incomplete:
            incomplete.sendall(sent)
            assert incomplete.recv(1) == b""
    assert ask(server, "/data.bin")[0] == 200


def test_connections_above_the_limit_are_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "_MAX_CONNECTIONS", 2)
    (tmp_path / "index.html").write_text("one")
    with BundleServer(tmp_path, port=0) as server:
        with opened(server), opened(server), opened(server) as third:
            assert third.recv(1) == b""

        def answers():
            with contextlib.suppress(OSError, http.client.HTTPException):
                return ask(server, "/")[0] == 200

        eventually(answers)


def test_server_does_not_spin_without_file_handles(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("one")
    pauses, accept = [], socket.socket.accept

    def exhausted(listening):
        if len(pauses) < 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(listening)

    monkeypatch.setattr(serve.time, "sleep", pauses.append)
    monkeypatch.setattr(socket.socket, "accept", exhausted)
    with BundleServer(tmp_path, port=0) as server:
        assert ask(server, "/")[0] == 200
    assert pauses == [serve._RETRY_DELAY_S] * 3
