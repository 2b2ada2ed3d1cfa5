"""Check a published bundle: whether its web host serves the files unchanged, with headers that browsers need."""

from __future__ import annotations

import hashlib
import random
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from karospace_jupyter.bundle.http_files import Answer, HttpFiles, encoded_size, get
from karospace_jupyter.bundle.pages import is_own_page
from karospace_jupyter.bundle.read import read_manifest
from karospace_jupyter.errors import BundleError
from karospace_jupyter.formatting import counted, size
from karospace_jupyter.job import Job

if TYPE_CHECKING:
    from karospace_jupyter.bundle.manifest import AssetFile, Manifest

_AT_ONCE = 8
_LARGEST_PAGE = 2**24
_SHOWN = 5
_WORTH_COMPRESSING = 200_000
_LONG_S = 600
"""Maximum cache lifetime of page and manifest, in seconds; with a longer one, browsers mix old and new files."""
_BROWSER = {"Accept-Encoding": "gzip"}
_CONNECT_S = 10
_DEFLATE_TIMES = 1032
"""Maximum compression ratio of deflate."""
_LFS = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class HostReport:
    """Result of checking a published bundle."""

    url: str
    """URL of the folder."""
    host: str
    """Name of the host or its software; empty if unknown."""
    files: int
    """Number of files read, without manifest and page."""
    total: int
    """Number of files of the bundle, without manifest and page."""
    bytes: int
    """Number of bytes received for the files."""
    problems: tuple[str, ...]
    """Problems that keep viewers from showing the bundle as exported."""
    advice: tuple[str, ...]
    """Changes that would make the bundle load faster or update more reliably."""


def check_host(url: str, *, sample: int | None = None, job: Job | None = None) -> HostReport:
    """Compare the files that a host serves with the manifest, and check its headers.

    Parameters
    ----------
    url
        URL of the folder of a bundle, its page or its manifest.
    sample
        Number of files to read, chosen at random; None for all.
    job
        Receives progress and can cancel the check.

    Raises
    ------
    BundleError
        If there is no bundle at this URL, or the host does not respond.
    """
    job = job or Job.null()
    files = HttpFiles(url)
    manifest = _manifest(files)
    listed = manifest.asset_files
    chosen = listed if sample is None or sample >= len(listed) else random.sample(listed, sample)
    at_manifest = get(f"{files.origin}manifest.json", _LARGEST_PAGE, _BROWSER)
    page = get(f"{files.origin}index.html", _LARGEST_PAGE, _BROWSER)
    found = _Found()
    with job.stage("Reading files", len(chosen), "files") as stage, ThreadPoolExecutor(_AT_ONCE) as threads:
        try:
            for one in threads.map(lambda file: _checked(files.origin, file), chosen):
                found.add(one)
                stage.advance()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    server = page.headers.get("server", "")
    host = _host_name(files.origin, server)
    problems = [*_page_problems(page, manifest), *found.problem_texts(host)]
    advice = [*_connection_advice(page, host), *_text_advice(at_manifest, page, host), *found.advice(host)]
    return HostReport(
        url=files.origin,
        host=host,
        files=len(chosen),
        total=len(listed),
        bytes=found.bytes,
        problems=tuple(problems),
        advice=tuple(advice),
    )


def _manifest(files: HttpFiles) -> Manifest:
    start = get(f"{files.origin}manifest.json", _LARGEST_PAGE, {"Accept-Encoding": "identity"})
    if start.status == 200 and _is_page(start):
        msg = (
            f"{files.origin} is not a bundle: the host returned a web page instead of manifest.json, such as a login "
            "page or a page for missing files. Check the URL, and that it opens without a login."
        )
        raise BundleError(msg)
    return read_manifest(files)


@dataclass(frozen=True, slots=True)
class _Checked:
    """Result of checking one file."""

    bytes: int = 0
    kind: str | None = None
    """Kind of the problem; None if the file arrived as exported."""
    text: str = ""


class _Found:
    """Results of checking all files, by kind of problem."""

    def __init__(self) -> None:
        self.bytes = 0
        self._texts: dict[str, list[str]] = {kind: [] for kind in _ADVICE}

    def add(self, one: _Checked) -> None:
        self.bytes += one.bytes
        if one.kind is not None:
            self._texts[one.kind].append(one.text)

    def problem_texts(self, host: str) -> list[str]:
        """Return one text for each kind of problem, listing its first files."""
        texts = []
        for kind, lines in self._texts.items():
            if lines and kind not in _ONLY_ADVICE:
                rest = len(lines) - _SHOWN
                more = [f"… and {counted(rest, 'more file')}"] if rest > 0 else []
                texts.append("\n  ".join([*lines[:_SHOWN], *more, _advised(kind, host)]))
        return texts

    def advice(self, host: str) -> list[str]:
        """Return one text for each way in which the host sends intact files in a larger form than necessary."""
        return [
            f"The host {what.format(counted(len(self._texts[kind]), '.gz file'))}. {_advised(kind, host)}"
            for kind, what in _ONLY_ADVICE.items()
            if self._texts[kind]
        ]


_ONLY_ADVICE = {
    "doubly": "compresses {} a second time",
    "unpacked": "sends {} decompressed, several times as large",
}
"""What a host does to files; ``{}`` stands for their number."""


def _checked(origin: str, file: AssetFile) -> _Checked:
    url = origin + quote(file.path)
    try:
        answer = get(url, encoded_size(file.size_bytes), _BROWSER)
        kind, what = _problem(answer, file) or (None, "")
        if kind == "changed" and _may_be_unpacked(answer, file):
            whole = get(url, file.raw_bytes or 0, _BROWSER, keep=0)
            if (whole.length, whole.crc32) == (file.raw_bytes, file.raw_crc32):
                kind = "unpacked"
    except BundleError as exc:
        return _Checked(0, "silent", str(exc).replace(url, file.path))
    return _Checked(answer.length, kind, f"{file.path} {what}")


def _may_be_unpacked(answer: Answer, file: AssetFile) -> bool:
    """Return whether the host may have decompressed a file; sizes that deflate cannot reach are ruled out."""
    raw = file.raw_bytes or 0
    encoded = "content-encoding" in answer.headers
    return file.path.endswith(".gz") and not encoded and 0 < raw <= _DEFLATE_TIMES * file.size_bytes


def _problem(answer: Answer, file: AssetFile) -> tuple[str, str] | None:
    """Return the kind and the description of the problem of a file; None if it arrived as exported."""
    if answer.status != 200:
        return "missing", f"cannot be read: the host answered {answer.status}"
    if _same(answer.body, file):
        return _type_problem(answer, file)
    if _same(answer.decoded(file.size_bytes + 1), file):  # compressed by the host
        return _type_problem(answer, file) or (("doubly", "") if file.path.endswith(".gz") else None)
    if answer.body.startswith(_LFS):
        return "lfs", "is a Git LFS pointer, not the file"
    if _is_page(answer):
        return "page", "is a web page instead of the file"
    if answer.length > encoded_size(file.size_bytes):
        return "changed", f"has more than the {file.size_bytes:,} bytes of the manifest"
    if answer.length != file.size_bytes:
        return "changed", f"has {answer.length:,} bytes; the manifest says {file.size_bytes:,}"
    return "changed", "does not match the SHA-256 in the manifest"


def _same(body: bytes, file: AssetFile) -> bool:
    if len(body) != file.size_bytes:
        return False
    return file.sha256 is None or hashlib.sha256(body).hexdigest() == file.sha256


def _type_problem(answer: Answer, file: AssetFile) -> tuple[str, str] | None:
    """Return a problem if browsers refuse to run a script because of its content type and `nosniff`."""
    kind = _type(answer)
    strict = "nosniff" in answer.headers.get("x-content-type-options", "").lower()
    if file.path.endswith(".js") and strict and "javascript" not in kind and "ecmascript" not in kind:
        return "type", f"has the content type {kind or 'none'!r}, which browsers do not run as a script"
    return None


def _type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_page(answer: Answer) -> bool:
    start = answer.decoded(512)[:512].lstrip()[:15].lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _page_problems(page: Answer, manifest: Manifest) -> list[str]:
    if page.status != 200:
        return [f"index.html cannot be read: the host answered {page.status}. Upload it next to manifest.json."]
    found = []
    if _type(page) not in {"text/html", "application/xhtml+xml"}:
        found.append(
            f"index.html has the content type {_type(page) or 'none'!r}: browsers show its source or download it. "
            "Serve .html files as text/html."
        )
    if page.headers.get("content-disposition", "").lower().startswith("attachment"):
        found.append(
            "index.html is served as an attachment: browsers download it. Remove the Content-Disposition header."
        )
    if not is_own_page(page.decoded(_LARGEST_PAGE)):
        found.append(
            "index.html is not recognized: another version of karospace-jupyter wrote it, or the host or a plugin "
            "changed it. Upload it again in binary mode."
        )
    policy = page.headers.get("content-security-policy", "").lower()
    allowed = dict(part.split(None, 1) for part in map(str.strip, policy.split(";")) if len(part.split()) > 1)
    scripts = allowed.get("script-src", allowed.get("default-src"))
    if scripts is not None and ("'unsafe-inline'" not in scripts or "'nonce-" in scripts or "'sha256-" in scripts):
        found.append(
            "The Content-Security-Policy header blocks the script in index.html, so the page stays empty. Add "
            "'unsafe-inline' to script-src for this folder; the page itself sets a stricter policy."
        )
    if re.search(r"(^|;)\s*sandbox\b", policy) and "allow-scripts" not in policy:
        found.append(
            "The Content-Security-Policy header puts the page into a sandbox without scripts, so it stays empty. "
            "Remove `sandbox` from the header."
        )
    framed = page.headers.get("x-frame-options", "").lower()
    if manifest.embed_origins and (framed in {"deny", "sameorigin"} or "frame-ancestors" in allowed):
        named = "X-Frame-Options" if framed else "Content-Security-Policy: frame-ancestors"
        found.append(
            f"The bundle allows {', '.join(manifest.embed_origins[:3])} to embed it, but the header {named} may "
            "prevent that. Remove the header for this folder, or list these origins in frame-ancestors."
        )
    return found


def _connection_advice(page: Answer, host: str) -> list[str]:
    parts = urlsplit(page.url)
    if parts.scheme == "http":
        if parts.hostname in {"localhost", "127.0.0.1", "::1"}:
            return []
        return [f"The host does not use HTTPS, so HTTPS pages cannot embed the viewer. {_advised('https', host)}"]
    if _speaks_http2(parts.hostname or "", parts.port or 443):
        return []
    return [f"The host does not support HTTP/2, so browsers load only six files at a time. {_advised('http2', host)}"]


def _text_advice(manifest: Answer, page: Answer, host: str) -> list[str]:
    found = []
    both = {"manifest.json": manifest, "index.html": page}
    plain = [
        f"{name} ({size(len(one.body))})"
        for name, one in both.items()
        if "content-encoding" not in one.headers and len(one.body) >= _WORTH_COMPRESSING
    ]
    if plain:
        found.append(
            f"{' and '.join(plain)} would be about a third of the size if compressed. {_advised('compress', host)}"
        )
    kept = {name: age for name, one in both.items() if (age := _kept_for(one)) > _LONG_S}
    if kept:
        found.append(
            f"Browsers cache {' and '.join(kept)} for {max(kept.values()):,} s: after an update, they would mix old "
            f"and new files. {_advised('cache', host)}"
        )
    return found


def _kept_for(answer: Answer) -> int:
    """Return how long browsers cache a file, in seconds."""
    policy = answer.headers.get("cache-control", "").lower()
    age = re.search(r"max-age\s*=\s*(\d+)", policy)
    return int(age[1]) if age and "no-cache" not in policy and "no-store" not in policy else 0


def _speaks_http2(name: str, port: int) -> bool:
    """Return whether a host supports HTTP/2; true if this cannot be determined, as behind a proxy."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with (
            socket.create_connection((name, port), timeout=_CONNECT_S) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            return secure.selected_alpn_protocol() == "h2"
    except OSError:
        return True


def _host_name(origin: str, server: str) -> str:
    name = urlsplit(origin).hostname or ""
    for ending, host in _HOSTS_BY_NAME.items():
        if name.endswith(ending):
            return host
    return next((host for start, host in _HOSTS_BY_SERVER.items() if server.lower().startswith(start)), "")


_HOSTS_BY_NAME = {
    ".github.io": "GitHub Pages", ".pages.dev": "Cloudflare Pages", ".r2.dev": "Cloudflare R2",
    ".amazonaws.com": "S3",
}  # fmt: skip
_HOSTS_BY_SERVER = {
    "github.com": "GitHub Pages", "amazons3": "S3", "nginx": "nginx", "apache": "Apache", "cloudflare": "Cloudflare",
}  # fmt: skip

_ADVICE: dict[str, dict[str, str]] = {
    "missing": {
        "": "Upload all files in the folder, and keep the case of their names.",
        "S3": "Upload all files, and allow s3:GetObject for them in the bucket policy.",
        "GitHub Pages": "Commit all files, and add an empty file named .nojekyll at the top level.",
    },
    "silent": {"": "Try again; if the problem persists, ask the operator of the host."},
    "lfs": {
        "": "Commit the files themselves: web hosts do not resolve Git LFS pointers.",
        "GitHub Pages": "Remove `filter=lfs` for this folder from .gitattributes, and commit the files again.",
    },
    "page": {
        "": "The host returns its own page for missing files. Upload all files in the folder.",
        "Cloudflare Pages": "Upload all files, and add a 404.html so that missing files return the status 404.",
    },
    "changed": {
        "": "Upload the whole bundle again in binary mode. If you replaced a bundle, clear the cache of the host.",
    },
    "type": {
        "": "Serve .js files as text/javascript.",
        "nginx": "Add `types { text/javascript js; }` to the location, or include mime.types.",
        "Apache": "Add `AddType text/javascript .js` to .htaccess.",
        "S3": "Upload .js files with `--content-type text/javascript`.",
    },
    "doubly": {
        "": "Turn off compression for .gz files.",
        "nginx": "Remove application/gzip and application/octet-stream from `gzip_types`.",
        "Apache": 'Add `SetEnvIfNoCase Request_URI "\\.gz$" no-gzip` to .htaccess.',
    },
    "unpacked": {
        "": "Serve .gz files unchanged, as application/gzip.",
        "nginx": "Remove `gunzip on;` for this location.",
        "Apache": "Remove `AddEncoding` and filters that decompress .gz files.",
    },
    "compress": {
        "": "Turn on compression for HTML and JSON.",
        "nginx": "Add `gzip on; gzip_types application/json;`.",
        "Apache": "Add `AddOutputFilterByType DEFLATE text/html application/json` to .htaccess.",
        "S3": "Serve the bucket through CloudFront, which compresses, or use one HTML file.",
    },
    "cache": {
        "": "Send `Cache-Control: no-cache` with manifest.json and index.html.",
        "nginx": 'Add `location ~ (manifest\\.json|index\\.html)$ { add_header Cache-Control "no-cache"; }`.',
        "Apache": 'Use `<Files "manifest.json"> Header set Cache-Control no-cache </Files>`; repeat it for index.html.',
        "S3": "Upload both with `--cache-control no-cache`.",
        "Cloudflare Pages": "Add both to the file _headers with `Cache-Control: no-cache`.",
    },
    "https": {"": "Turn on HTTPS; Let's Encrypt issues free certificates."},
    "http2": {
        "": "Turn on HTTP/2.",
        "nginx": "Add `http2 on;` to the server block.",
        "Apache": "Add `Protocols h2 http/1.1`.",
        "S3": "Serve the bucket through CloudFront, which supports HTTP/2.",
    },
}
"""Instructions by kind of finding and host; the empty name stands for any host."""


def _advised(kind: str, host: str) -> str:
    return _ADVICE[kind].get(host) or _ADVICE[kind][""]
