"""The preview server."""

from __future__ import annotations

import contextlib
import errno
import http.client
import socket
import threading

import pytest
from waiting import PATIENCE_S, eventually

from karospace_jupyter import serve
from karospace_jupyter.serve import BundleServer


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
def test_types_and_no_content_encoding(server, path, kind):
    status, headers, _ = ask(server, path)
    assert (status, headers["Content-Type"]) == (200, kind)
    assert "Content-Encoding" not in headers


@pytest.mark.parametrize(
    ("span", "start", "stop"),
    [("bytes=10-19", 10, 20), ("bytes=90-", 90, 100), ("bytes=-5", 95, 100), (f"bytes=90-{'9' * 6000}", 90, 100)],
)
def test_a_range_gives_that_part(server, span, start, stop):
    status, headers, body = ask(server, "/data.bin", Range=span)
    assert status == 206
    assert body == bytes(range(start, stop))
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/100"


@pytest.mark.parametrize("span", ["bytes=100-", "bytes=-0", "bytes=20-10", f"bytes={'9' * 6000}-"])
def test_a_range_that_is_not_there_is_refused(server, span):
    status, headers, _ = ask(server, "/data.bin", Range=span)
    assert (status, headers["Content-Range"]) == (416, "bytes */100")


def test_head_sends_the_headers_alone(server):
    status, headers, body = ask(server, "/data.bin", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "100", b"")


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/out", "/missing"])
def test_nothing_outside_the_folder_is_served(server, path):
    status, _, body = ask(server, path)
    assert (status, body) == (404, b"")


def test_another_host_name_is_refused(server):
    assert ask(server, "/", Host="evil.example:80")[0] == 403
    assert ask(server, "/", Host=f"localhost:{server.port}")[0] == 200


def test_a_busy_port_gives_the_next_free_one(server, tmp_path):
    with BundleServer(tmp_path, port=server.port) as second:
        assert server.port < second.port <= server.port + 100


def test_stop_frees_the_port_and_the_thread(tmp_path):
    server = BundleServer(tmp_path, port=0).start()
    port, thread = server.port, server._thread
    server.stop()
    server.stop()
    assert server.port == 0
    assert thread not in threading.enumerate()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


def test_stop_ends_what_a_browser_keeps_open_and_the_port_is_free_for_the_next(tmp_path):
    (tmp_path / "index.html").write_text("one")
    server = BundleServer(tmp_path, port=0).start()
    port = server.port
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as kept:
        kept.request("GET", "/")
        assert kept.getresponse().read() == b"one"
        server.stop()
        assert kept.sock.recv(1) == b""
    with BundleServer(tmp_path, port=port) as again:
        assert again.port == port
        assert ask(again, "/")[0] == 200


def test_another_content_is_served_at_the_same_address(tmp_path):
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
    return contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S))


def test_who_says_nothing_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr(serve._Handler, "timeout", 0.2)
    for said in (b"", b"GET /data.bin HTTP/1.1\r\nHost: 127"):
        with opened(server) as half:
            half.sendall(said)
            assert half.recv(1) == b""
    assert ask(server, "/data.bin")[0] == 200


def test_more_connections_than_a_browser_opens_are_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "_MOST_CONNECTIONS", 2)
    (tmp_path / "index.html").write_text("one")
    with BundleServer(tmp_path, port=0) as server:
        with opened(server), opened(server), opened(server) as third:
            assert third.recv(1) == b""

        def answers():
            with contextlib.suppress(OSError, http.client.HTTPException):
                return ask(server, "/")[0] == 200

        eventually(answers)


def test_without_file_handles_it_does_not_spin(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("one")
    rests, accept = [], socket.socket.accept

    def exhausted(listening):
        if len(rests) < 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(listening)

    monkeypatch.setattr(serve.time, "sleep", rests.append)
    monkeypatch.setattr(socket.socket, "accept", exhausted)
    with BundleServer(tmp_path, port=0) as server:
        assert ask(server, "/")[0] == 200
    assert rests == [serve._BREATH_S] * 3
