"""Published bundles: files are compared with the manifest, and advice names the setting of each host."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from webhosts import nginx

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle import http_files
from karospace_jupyter.bundle.http_files import folder_of
from karospace_jupyter.cli import main
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError, Cancelled, MissingFileError
from karospace_jupyter.hosting import check_host
from karospace_jupyter.job import Job

TYPES = {".html": "text/html", ".json": "application/json", ".js": "text/javascript", ".gz": "application/gzip"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hosted") / "my tissue"
    adata_to_karospace(
        synthetic_tissue(200, 12, seed=1), folder, genes_mode="all", embed_origins=["https://lab.example"]
    )
    return folder


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_files, "_RETRY_DELAYS_S", (0.0, 0.0, 0.0))


class Reply:
    """A response that a test may change before it is sent."""

    def __init__(self, path: str, data: bytes | None) -> None:
        self.path = path
        self.status = 200 if data is not None else 404
        self.body = data or b"not here"
        self.headers = {"Content-Type": TYPES.get(Path(path).suffix, "application/octet-stream")}
        self.length: int | None = None
        """Content-Length, if it differs from the length of the body."""


Change = Callable[[Reply], None]


@contextmanager
def host(folder: Path, change: Change = lambda reply: None) -> Iterator[str]:
    """Serve the parent of a folder; yield the URL of the folder."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = folder.parent / unquote(self.path).lstrip("/")
            name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
            reply = Reply(name, file.read_bytes() if file.is_file() else None)
            change(reply)
            self.send_response(reply.status)
            for key, value in reply.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{folder.name.replace(' ', '%20')}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply_to(suffix: str, *, headers: dict[str, str] | None = None, **change: Any) -> Change:
    """Return a change of the replies to requests for files whose path ends with `suffix`."""

    def changed(reply: Reply) -> None:
        if reply.path.endswith(suffix):
            reply.headers |= headers or {}
            for name, value in change.items():
                setattr(reply, name, value(reply.body) if callable(value) else value)

    return changed


def headers(suffix: str, **given: str) -> Change:
    """Return a change that sets headers of the replies for such files; `_` in a name means `-`."""

    def changed(reply: Reply) -> None:
        if reply.path.endswith(suffix):
            reply.headers |= {name.replace("_", "-"): value for name, value in given.items()}

    return changed


def test_bundle_on_a_host_is_read_like_a_folder(folder: Path) -> None:
    with host(folder) as url:
        for address in (url, f"{url}index.html#view=x", f"{url}manifest.json?a=1", url.rstrip("/"), unquote(url)):
            hosted, local = Bundle(address), Bundle(folder)
            assert hosted.manifest == local.manifest
        np.testing.assert_array_equal(hosted.gene(local.gene_names[3]), local.gene(local.gene_names[3]))
        assert hosted.verify() == local.verify()


def test_compression_by_the_host_is_undone(folder: Path) -> None:
    def compressed(reply: Reply) -> None:
        if not reply.path.endswith(".gz"):
            reply.body = gzip.compress(reply.body)
        reply.headers["Content-Encoding"] = "gzip"

    with host(folder, compressed) as url:
        assert Bundle(url).verify() == Bundle(folder).verify()
        report = check_host(url)
    assert (report.problems, report.advice, report.files) == ((), (), report.total)


def test_nginx_serves_a_bundle_unchanged(folder: Path, tmp_path: Path) -> None:
    with nginx(folder.parent, tmp_path / "nginx") as url:
        report = check_host(f"{url}my tissue/")
    assert report.host == "nginx"
    assert report.problems == ()
    assert [text.partition(".")[0] for text in report.advice] == ["index"]
    assert "Add `gzip on; gzip_types application/json;`" in report.advice[0]


def test_following_the_advice_for_nginx_removes_all_problems(folder: Path, tmp_path: Path) -> None:
    broken = "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; expires 1h; types { text/plain js; } "
    with nginx(folder.parent, tmp_path / "before", broken) as url:
        report = check_host(f"{url}my tissue/")
    assert any(
        "which browsers do not run as a script" in text and "text/javascript js" in text for text in report.problems
    )
    advice = "\n".join(report.advice)
    assert "a second time. Remove application/gzip" in advice
    assert "Browsers cache manifest.json and index.html for 3,600 s" in advice
    fixed = (
        "include /etc/nginx/mime.types; gzip on; gzip_types application/json;"
        'location ~ (manifest\\.json|index\\.html)$ { add_header Cache-Control "no-cache"; }'
    )
    with nginx(folder.parent, tmp_path / "after", fixed) as url:
        report = check_host(f"{url}my tissue/")
    assert (report.problems, report.advice) == ((), ())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (reply_to("obs_000.csv.gz", status=404), r"assets/obs_000.csv.gz cannot be read: the host answered 404\n  Upload all files"),
        (reply_to("obs_000.csv.gz", body=b"damaged"), "has 7 bytes; the manifest says"),
        (reply_to("obs_000.csv.gz", body=lambda body: bytes(len(body))), "does not match the SHA-256 in the manifest"),
        (reply_to("obs_000.csv.gz", body=b"version https://git-lfs.github.com/spec/v1\n"), "is a Git LFS pointer"),
        (reply_to("obs_000.csv.gz", body=b"\n<!DOCTYPE html><title>Login"), "is a web page instead of the file"),
        (reply_to("obs_000.csv.gz", status=503), "the host answered 503"),
        (reply_to("obs_000.csv.gz", length=10**6), r"obs_000.csv.gz cannot be read: the connection ended after .* of 1,000,000"),
        (reply_to("index.html", status=403), "index.html cannot be read: the host answered 403"),
        (headers("index.html", Content_Type="text/plain"), "index.html has the content type 'text/plain'"),
        (headers("index.html", Content_Disposition="attachment; filename=x"), "served as an attachment"),
        (reply_to("index.html", body=lambda body: body.replace(b"</body>", b"<script src=ad.js></script></body>")), "changed it"),
        (headers("index.html", Content_Security_Policy="default-src 'self'"), "blocks the script in index.html"),
        (headers("index.html", Content_Security_Policy="script-src 'unsafe-inline' 'nonce-x'"), "blocks the script in index.html"),
        (headers("index.html", Content_Security_Policy="sandbox allow-forms"), "into a sandbox"),
        (headers("index.html", X_Frame_Options="DENY"), "allows https://lab.example to embed it, but .* X-Frame-Options"),
        (headers("index.html", Content_Security_Policy="frame-ancestors 'self'"), "the header Content-Security-Policy: fr"),
    ],
)  # fmt: skip
def test_problem_is_reported_with_instructions(folder: Path, change: Change, problem: str) -> None:
    with host(folder, change) as url:
        [found] = check_host(url).problems
    assert re.search(problem, found), found


@pytest.mark.parametrize(
    "policy",
    ["script-src 'self' 'unsafe-inline'", "img-src 'none'", "sandbox allow-scripts", "upgrade-insecure-requests"],
)
def test_harmless_policies_are_not_reported(folder: Path, policy: str) -> None:
    with host(folder, headers("index.html", Content_Security_Policy=policy)) as url:
        assert check_host(url).problems == ()


def test_decompressed_files_lead_to_advice_but_are_no_problem(folder: Path) -> None:
    with host(folder, reply_to(".gz", body=gzip.decompress)) as url:
        report = check_host(url)
    assert report.problems == ()
    assert any("decompressed, several times as large" in text for text in report.advice)


def test_reading_files_that_the_host_decompressed_fails_with_the_reason(folder: Path) -> None:
    with host(folder, reply_to(".gz", body=gzip.decompress)) as url:
        bundle = Bundle(url)
        with pytest.raises(BundleError, match=r"is not gzip: the host unpacks .gz files.*--verify http"):
            bundle.gene(bundle.gene_names[0])


def test_gzip_that_is_compressed_again_is_read(folder: Path) -> None:
    def compress_again(reply: Reply) -> None:
        reply.body = gzip.compress(reply.body)
        reply.headers["Content-Encoding"] = "gzip"

    with host(folder, compress_again) as url:
        assert Bundle(url).verify() == Bundle(folder).verify()
        report = check_host(url)
    assert report.problems == ()
    assert ["a second time" in text for text in report.advice] == [True]


def test_huge_sizes_in_the_manifest_do_not_make_the_check_read_endlessly(folder: Path) -> None:
    """The manifest of a hostile host states terabytes, and a file is larger than stated."""

    def inflated(reply: Reply) -> None:
        if reply.path == "manifest.json":
            reply.body = re.sub(rb'"raw_bytes": ?\d+', b'"raw_bytes": 10000000000000', reply.body)
        elif reply.path.endswith("obs_000.csv.gz"):
            reply.body = bytes(30_000_000)

    with host(folder, inflated) as url:
        report = check_host(url)
    [problem] = report.problems
    assert "obs_000.csv.gz has more than the" in problem
    assert report.bytes < 10_000_000


def test_host_that_sends_too_slowly_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_files, "_PATIENCE_S", -1)
    monkeypatch.setattr(http_files, "_SLOWEST", 10**12)
    with host(folder) as url, pytest.raises(BundleError, match="sends less than"):
        Bundle(url)


def test_many_files_with_the_same_problem_are_summarized(folder: Path) -> None:
    with host(folder, reply_to(".gz", status=404)) as url:
        [problem] = check_host(url).problems
    lines = problem.splitlines()
    assert len(lines) == 7
    assert lines[5].strip().endswith("more files")


def test_sample_reads_only_some_files(folder: Path) -> None:
    requested: list[str] = []
    with host(folder, lambda reply: requested.append(reply.path)) as url:
        report = check_host(url, sample=4)
    assert (report.files, report.total) == (4, len(Bundle(folder).manifest.asset_files))
    assert len([path for path in requested if path not in {"manifest.json", "index.html"}]) == 4


def test_server_errors_are_retried(folder: Path) -> None:
    failed: set[str] = set()

    def fail_once(reply: Reply) -> None:
        if reply.path not in failed:
            failed.add(reply.path)
            reply.status = 503

    with host(folder, fail_once) as url:
        assert check_host(url).problems == ()
    assert len(failed) > 10


def test_check_can_be_canceled(folder: Path) -> None:
    job = Job(None)
    with (
        host(folder, lambda reply: job.cancel() if reply.path.endswith(".gz") else None) as url,
        pytest.raises(Cancelled),
    ):
        check_host(url, job=job)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (reply_to("manifest.json", status=404), "is not a bundle: it has no manifest.json"),
        (
            reply_to("manifest.json", body=b"<!doctype html><p>Sign in"),
            "returned a web page instead of manifest.json, such as a login",
        ),
        (reply_to("manifest.json", status=401), "the host answered 401 Unauthorized"),
        (reply_to("manifest.json", body=b"{}"), "has no schema_version"),
        (reply_to("manifest.json", length=10**7), "the connection ended after"),
        (reply_to("manifest.json", status=302), "cannot be read"),
    ],
)
def test_url_without_a_bundle_is_an_error(folder: Path, change: Change, message: str) -> None:
    with host(folder, change) as url, pytest.raises(BundleError, match=message):
        check_host(url)


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/x", "gopher://x"])
def test_redirects_never_leave_http(folder: Path, target: str) -> None:
    def redirect(reply: Reply) -> None:
        if reply.path.endswith(".gz"):
            reply.status, reply.headers["Location"] = 302, target

    with host(folder, redirect) as url:
        bundle = Bundle(url)
        with pytest.raises(BundleError, match=r"it redirects to|is not allowed"):
            bundle.stored("assets/obs_000.csv.gz")


def test_more_bytes_than_stated_are_not_read(folder: Path) -> None:
    bomb = gzip.compress(bytes(10**8))
    with host(folder, reply_to("obs_000.csv.gz", body=bomb)) as url:
        bundle = Bundle(url)
        with pytest.raises(BundleError, match="the manifest says"):
            bundle.stored("assets/obs_000.csv.gz")
    packed = reply_to("manifest.json", body=bomb, headers={"Content-Encoding": "gzip"})
    with host(folder, packed) as url, pytest.raises(BundleError, match=r"manifest\.json has .* It was not read"):
        Bundle(url)


@pytest.mark.parametrize("status", [404, 410])
def test_file_that_is_not_on_the_host_is_missing(folder: Path, status: int) -> None:
    with host(folder, reply_to("obs_000.csv.gz", status=status)) as url, pytest.raises(MissingFileError):
        Bundle(url).stored("assets/obs_000.csv.gz")


@pytest.mark.parametrize("url", ["http://", "https://[", "http://a:99999/", "http://\x00"])
def test_invalid_url_is_an_error(url: str) -> None:
    with pytest.raises(BundleError, match=r"is not a valid URL|cannot be read"):
        Bundle(url)


@pytest.mark.parametrize("name", ["tissue.html", "tissue.zip"])
def test_single_file_on_a_host_is_rejected_with_the_advice_to_download_it(name: str) -> None:
    with pytest.raises(BundleError, match=r"is a single file. Download it"):
        Bundle(f"https://lab.example/{name}")


def test_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(BundleError, match="contains a user name or a password") as caught:
        Bundle("https://me:secret@lab.example/tissue/")
    assert "secret" not in str(caught.value)


def test_error_of_a_forbidden_url_says_that_its_query_is_not_sent(folder: Path) -> None:
    with (
        host(folder, reply_to("manifest.json", status=403)) as url,
        pytest.raises(BundleError, match="query of the URL is not sent"),
    ):
        Bundle(f"{url}?token=1")


def test_refused_connection_is_an_error() -> None:
    with pytest.raises(
        BundleError, match=r"http://127.0.0.1:9/tissue/manifest.json cannot be read: Connection refused"
    ):
        Bundle("http://127.0.0.1:9/tissue")


def test_path_that_looks_like_a_scheme_is_a_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder, tmp_path / "http:")
    monkeypatch.chdir(tmp_path)
    assert Bundle("http:").manifest == Bundle(folder).manifest


def test_folder_of_a_url_is_quoted_once() -> None:
    assert folder_of("https://lab.example/my tissue/ü") == "https://lab.example/my%20tissue/%C3%BC/"
    assert folder_of("https://lab.example/my%20tissue/") == "https://lab.example/my%20tissue/"
    assert folder_of("https://lab.example/a%2Fb/") == "https://lab.example/a%2Fb/"


def test_command_reports_the_check_and_fails_if_there_are_problems(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    n = len(Bundle(folder).manifest.asset_files)
    with host(folder) as url:
        assert main(["--verify", url, "--quiet"]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"{url}: read {n} files (")
        assert "all match the manifest" in out
        assert main(["--verify", url, "--sample", "3", "--json", "--quiet"]) == 0
        assert json.loads(capsys.readouterr().out)["files"] == 3
    with host(folder, reply_to("obs_000.csv.gz", status=404)) as url:
        assert main(["--verify", url, "--quiet"]) == 1
        captured = capsys.readouterr()
        assert "has problems:\nassets/obs_000.csv.gz cannot be read" in captured.err
        assert "all match" not in captured.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--verify", "folder", "--sample", "3"], "--sample needs --verify and the URL"),
        (["--verify", "HTTPS://lab.example", "--sample", "0"], "--sample must be at least 1, got 0"),
        (["--demo", "--outdir", "x", "--sample", "3"], "--sample needs --verify and the URL"),
    ],
)
def test_sample_requires_a_url(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err
