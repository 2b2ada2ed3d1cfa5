"""Access the files of a bundle that a web host publishes."""

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

_WAIT_S = 30
"""Seconds without an answer, or without further bytes, after which a request has failed."""
_PAUSES_S = (0.5, 1.0, 2.0)
"""Pauses before a request is sent again: after an error of the server, too many requests, or a lost connection."""
_AGAIN = frozenset({429, 500, 502, 503, 504})
_PIECE = 2**18
_GONE, _FORBIDDEN = frozenset({404, 410}), frozenset({401, 403})
_NO_QUERY = " The files of a bundle are asked for without the query of its address."
_GZIP = b"\x1f\x8b"
_PATIENCE_S, _SLOWEST = 60, 10_000
"""A host may take this many seconds for a file, and one more for each 10 kB."""
_PAGES = ("index.html", "manifest.json")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; several of one name are joined by commas."""
    body: bytes
    """As sent, with its content encoding; only the first bytes if there are more than were to be kept."""
    length: int
    """Number of bytes that were read; one more than the limit if there are more."""
    crc32: int
    """Of all bytes that were read."""
    url: str
    """After redirects."""

    def decoded(self, most: int) -> bytes:
        """Return the body without its content encoding, if that is gzip, up to `most` bytes.

        A body that is not gzip, or that is cut, is returned as sent.
        """
        if self.headers.get("content-encoding", "").lower() not in {"gzip", "x-gzip"}:
            return self.body
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            found = stream.decompress(self.body, most)
        except zlib.error:
            return self.body
        return found if stream.eof or len(found) == most else self.body


def is_url(path: object) -> bool:
    """Return whether a path is the address of a web host.

    Examples
    --------
    >>> is_url("https://lab.example/tissue/"), is_url("tissue")
    (True, False)
    """
    return isinstance(path, str) and path.lower().startswith(("http://", "https://"))


def folder_of(url: str) -> str:
    """Return the address of the folder of a bundle, given the address of the folder, its page or its manifest.

    Raises
    ------
    BundleError
        If it is not an address.

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
        msg = f"{url!r} is not an address: {exc}."
        raise BundleError(msg) from exc
    if not host:
        msg = f"{url!r} is not an address: it names no host."
        raise BundleError(msg)
    if "@" in parts.netloc:
        msg = f"The address of {host} holds a user name or a password, which cannot be sent. Leave them out."
        raise BundleError(msg)
    folder, _, last = parts.path.rpartition("/")
    path = f"{folder}/" if last in {"", *_PAGES} else f"{parts.path}/"
    # Addresses are pasted from browsers, which show spaces and letters of other scripts.
    return urlunsplit((parts.scheme, parts.netloc, quote(path, safe="/%"), "", ""))


def on_the_way(size: int) -> int:
    """Return the most bytes that a file of this size takes if it is compressed on the way, which may make it longer."""
    return size + size // 1000 + 2**16


def get(url: str, most: int, headers: Mapping[str, str], *, keep: int | None = None) -> Answer:
    """Ask a host for a file; errors of the server and lost connections are tried again.

    Parameters
    ----------
    url
        The address, `http` or `https`. Redirects to other schemes are not followed.
    most
        Bytes to read at most; one more is read, so that a larger file is noticed.
    keep
        Bytes of the body to return; all by default.

    Raises
    ------
    BundleError
        If there is no answer.
    """
    for pause in (*_PAUSES_S, None):
        try:
            answer = _asked(url, most, headers, most + 1 if keep is None else keep)
        except (OSError, http.client.HTTPException) as exc:  # URLError is an OSError
            if pause is None or _is_final(exc):
                msg = f"{url} cannot be read: {_reason(exc)}."
                raise BundleError(msg) from exc
        except ValueError as exc:
            msg = f"{url} is not an address: {exc}."
            raise BundleError(msg) from exc
        else:
            if pause is None or answer.status not in _AGAIN:
                return answer
        time.sleep(pause)
    raise AssertionError  # unreachable: the last attempt returns or raises


class HttpFiles(Bounded):
    """The files of a bundle on a web host."""

    def __init__(self, url: str) -> None:
        self.origin = folder_of(url)
        self._asked_with_query = "?" in url

    def read(self, path: str) -> bytes:
        """Return one file as stored."""
        limit = self._limit(checked(path))
        answer = get(self.origin + quote(path), on_the_way(limit), {"Accept-Encoding": "identity"})
        if answer.status in _GONE:
            raise missing(path, self.origin)
        if answer.status != http.client.OK:
            said = http.client.responses.get(answer.status, "")
            hint = _NO_QUERY if self._asked_with_query and answer.status in _FORBIDDEN else ""
            msg = f"{self.origin}{path} cannot be read: the host answered {answer.status} {said}".rstrip() + "." + hint
            raise BundleError(msg)
        # Compressed on the way, although that was not asked for; gzip that is part of the bundle has its size.
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
        """Return the paths of the files in the manifest, once it is read, and of the page."""
        return (*_PAGES, *self._sizes)


class _SlowError(OSError):
    """A host sends a file so slowly that it would take hours."""

    def __str__(self) -> str:
        return f"the host sends less than {_SLOWEST // 1000} kB per second"


class _Redirects(HTTPRedirectHandler):
    """Keeps the headers of the request, and follows no redirect that leaves HTTP."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        if not is_url(newurl):
            why = f"it redirects to {newurl[:100]!r}"
            raise URLError(why)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


class _Statuses(HTTPErrorProcessor):
    """Returns answers of every status, but for redirects."""

    def http_response(self, request: Request, response: http.client.HTTPResponse) -> http.client.HTTPResponse:
        return super().http_response(request, response) if 300 <= response.status < 400 else response

    https_response = http_response


@functools.cache  # loading the certificates of the system takes longer than many a file
def _opener() -> OpenerDirector:
    opener = OpenerDirector()
    for handler in (
        ProxyHandler, HTTPHandler, HTTPSHandler, _Redirects, _Statuses, HTTPDefaultErrorHandler, UnknownHandler,
    ):  # fmt: skip
        opener.add_handler(handler())
    return opener


def _asked(url: str, most: int, headers: Mapping[str, str], keep: int) -> Answer:
    request = Request(url, headers={"User-Agent": "karospace-jupyter", **headers})  # noqa: S310 - http or https
    end = time.monotonic() + _PATIENCE_S + most / _SLOWEST
    with _opener().open(request, timeout=_WAIT_S) as found:
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
    """Return whether asking again would give the same error."""
    text = _reason(exc).lower()
    return isinstance(exc, _SlowError) or any(
        part in text for part in ("certificate", "redirect", "name or service", "nodename", "getaddrinfo")
    )


def _reason(exc: Exception) -> str:
    reason = getattr(exc, "reason", None) or exc
    if isinstance(reason, TimeoutError):
        return f"no answer within {_WAIT_S} s"
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__).rstrip(".")
