"""Read the files of a bundle from a web host."""

from __future__ import annotations

import functools
import http.client
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import IO
from urllib.error import URLError
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from karospace_jupyter.bundle.files import Bounded, checked, missing
from karospace_jupyter.errors import BundleError
from karospace_jupyter.paths import is_web_url, public_url

_TIMEOUT_S = 30
"""Timeout of a request: seconds without a response or without more data."""
_RETRY_DELAYS_S = (0.5, 1.0, 2.0)
"""Delays before retries: after a server error, too many requests, or a lost connection."""
_RETRIED = frozenset({429, 500, 502, 503, 504})
_PIECE = 2**18
_GONE, _FORBIDDEN = frozenset({404, 410}), frozenset({401, 403})
_NO_QUERY = " The query of the URL is not sent."
_GZIP = b"\x1f\x8b"
_PATIENCE_S, _SLOWEST = 60, 10_000
"""A host may take this many seconds for a file, and one more for each 10 kB."""
PAGES = ("index.html", "manifest.json")


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of a host."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; repeated headers are joined by commas."""
    body: bytes
    """As sent, before content decoding; only the first `keep` bytes, see :func:`get`."""
    length: int
    """Number of bytes that were read; one more than the limit if there are more."""
    crc32: int
    """CRC-32 of all bytes that were read."""
    url: str
    """The final URL, after redirects."""

    def decoded(self, most: int) -> bytes:
        """Return the body after decoding gzip, up to `most` bytes.

        A body that is not gzip, or that is truncated, is returned as sent.
        """
        if self.headers.get("content-encoding", "").lower() not in {"gzip", "x-gzip"}:
            return self.body
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            found = stream.decompress(self.body, most)
        except zlib.error:
            return self.body
        return found if stream.eof or len(found) == most else self.body


def folder_of(url: str) -> str:
    """Return the URL of the folder of a bundle, given the URL of the folder, its page or its manifest.

    Raises
    ------
    BundleError
        If the URL is invalid.

    Examples
    --------
    >>> folder_of("https://lab.example/tissue/index.html#view=x")
    'https://lab.example/tissue/'
    """
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
        _ = parts.port
    except ValueError as exc:
        msg = f"{url!r} is not a valid URL: {exc}."
        raise BundleError(msg) from exc
    if not host:
        msg = f"{url!r} is not a valid URL: it has no host."
        raise BundleError(msg)
    if "@" in parts.netloc:
        msg = f"The URL of {host} contains a user name or a password, which are not supported. Remove them."
        raise BundleError(msg)
    folder, _, last = parts.path.rpartition("/")
    check_not_single(url, last)
    path = f"{folder}/" if last in {"", *PAGES} else f"{parts.path}/"
    # URLs are pasted from browsers, which show spaces and non-ASCII letters unescaped.
    return urlunsplit((parts.scheme, parts.netloc, quote(path, safe="/%"), "", ""))


def check_not_single(url: str, name: str) -> None:
    """Raise an error if the last part of a URL is the name of a single-file bundle.

    Raises
    ------
    BundleError
        If it is a zip file or an HTML file other than the page of a folder.
    """
    if name.lower().endswith((".zip", ".html")) and name not in PAGES:
        msg = (
            f"{public_url(url)} is a single file. Download it and open the copy; from a URL, only the folder of a "
            "bundle is read."
        )
        raise BundleError(msg)


def encoded_size(size: int) -> int:
    """Return the maximum size of `size` bytes after compression by the host, which may enlarge them."""
    return size + size // 1000 + 2**16


def get(url: str, most: int, headers: Mapping[str, str], *, keep: int | None = None) -> Answer:
    """Request a file; retry after server errors and lost connections.

    Parameters
    ----------
    url
        The `http` or `https` URL. Redirects to other schemes are not followed.
    most
        Maximum number of bytes. One more byte is read to detect larger files.
    keep
        Number of bytes to return; all by default.

    Raises
    ------
    BundleError
        If there is no response.
    """
    for pause in (*_RETRY_DELAYS_S, None):
        try:
            answer = _fetch(url, most, headers, most + 1 if keep is None else keep)
        except (OSError, http.client.HTTPException) as exc:  # URLError is an OSError
            if pause is None or _is_final(exc):
                msg = f"{url} cannot be read: {_reason(exc)}."
                raise BundleError(msg) from exc
        except ValueError as exc:
            msg = f"{url} is not a valid URL: {exc}."
            raise BundleError(msg) from exc
        else:
            if pause is None or answer.status not in _RETRIED:
                return answer
        time.sleep(pause)
    raise AssertionError  # unreachable: the last attempt returns or raises


class HttpFiles(Bounded):
    """The files of a bundle on a web host."""

    def __init__(self, url: str) -> None:
        self.origin = folder_of(url)
        self._has_query = "?" in url

    def read(self, path: str) -> bytes:
        """Return one file as stored."""
        limit = self._limit(checked(path))
        answer = get(self.origin + quote(path), encoded_size(limit), {"Accept-Encoding": "identity"})
        if answer.status in _GONE:
            raise missing(path, self.origin)
        if answer.status != http.client.OK:
            reason = http.client.responses.get(answer.status, "")
            hint = _NO_QUERY if self._has_query and answer.status in _FORBIDDEN else ""
            msg = (
                f"{self.origin}{path} cannot be read: the host answered {answer.status} {reason}".rstrip() + "." + hint
            )
            raise BundleError(msg)
        # The host may compress the file although identity was requested. Gzip files of a bundle have the stated size.
        body = answer.body if answer.length == self._sizes.get(path) else answer.decoded(limit + 1)
        if path.endswith(".gz") and path in self._sizes and body[:2] != _GZIP:
            msg = (
                f"{path} of {self.origin} is not gzip: the host unpacks .gz files, or sends something else. "
                f"karospace-export --verify {self.origin} says what to change."
            )
            raise BundleError(msg)
        self._check_size(path, len(body))
        return body

    def names(self) -> Iterable[str]:
        """Return the paths of the page, the manifest and, once that is read, the files it lists."""
        return (*PAGES, *self._sizes)


class _SlowError(OSError):
    """A host sends a file so slowly that it would take hours."""

    def __str__(self) -> str:
        return f"the host sends less than {_SLOWEST // 1000} kB per second"


class _Redirects(HTTPRedirectHandler):
    """Keep the request headers, and follow redirects only to HTTP and HTTPS."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        if not is_web_url(newurl):
            why = f"it redirects to {newurl[:100]!r}"
            raise URLError(why)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


class _Statuses(HTTPErrorProcessor):
    """Return responses of any status, except redirects."""

    def http_response(self, request: Request, response: http.client.HTTPResponse) -> http.client.HTTPResponse:
        return super().http_response(request, response) if 300 <= response.status < 400 else response

    https_response = http_response


@functools.cache  # loading the certificates of the system takes longer than fetching a small file
def _opener() -> OpenerDirector:
    opener = OpenerDirector()
    for handler in (
        ProxyHandler, HTTPHandler, HTTPSHandler, _Redirects, _Statuses, HTTPDefaultErrorHandler, UnknownHandler,
    ):  # fmt: skip
        opener.add_handler(handler())
    return opener


def _fetch(url: str, most: int, headers: Mapping[str, str], keep: int) -> Answer:
    request = Request(url, headers={"User-Agent": "karospace-jupyter", **headers})  # noqa: S310 - http or https
    end = time.monotonic() + _PATIENCE_S + most / _SLOWEST
    with _opener().open(request, timeout=_TIMEOUT_S) as found:
        kept, size, crc32 = bytearray(), 0, 0
        while size <= most and (piece := found.read(min(_PIECE, most + 1 - size))):
            size += len(piece)
            crc32 = zlib.crc32(piece, crc32)
            kept += piece[: max(0, keep - len(kept))]
            if time.monotonic() > end:
                raise _SlowError
        names = {name.lower() for name in found.headers}
        stated = {name: ", ".join(found.headers.get_all(name)) for name in names}
        length = stated.get("content-length", "")
        if length.isdigit() and size < min(int(length), most):
            msg = f"the connection ended after {size:,} of {int(length):,} bytes"
            raise ConnectionError(msg)
        return Answer(found.status, stated, bytes(kept), size, crc32, found.url)


def _is_final(exc: Exception) -> bool:
    """Return whether a retry would fail in the same way."""
    text = _reason(exc).lower()
    return isinstance(exc, _SlowError) or any(
        part in text for part in ("certificate", "redirect", "name or service", "nodename", "getaddrinfo")
    )


def _reason(exc: Exception) -> str:
    reason = getattr(exc, "reason", None) or exc
    if isinstance(reason, TimeoutError):
        return f"no response within {_TIMEOUT_S} s"
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__).rstrip(".")
