"""Read and write object stores and other remote file systems through fsspec, by URLs such as ``s3://bucket``."""

from __future__ import annotations

import errno
import logging
import random
import re
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from karospace_jupyter.errors import KaroSpaceError
from karospace_jupyter.paths import is_web_url, public_url, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from typing import BinaryIO

    from karospace_jupyter.job import Job

T = TypeVar("T")
_READ, _WRITTEN, _CHANGED = "read", "written", "changed"
logger = logging.getLogger(__name__)

_PAUSES_S = (1.0, 4.0, 10.0)
"""Pauses before retries of a request, in addition to the retries of the file system itself."""
_PARALLEL = 8
_BLOCK_BYTES = 8 * 2**20
"""Size of the blocks in which a file is downloaded."""
_PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs",
    "adl": "adlfs", "hf": "huggingface_hub",
}  # fmt: skip
_WITH_FOLDERS = frozenset({"dav", "ftp", "hdfs", "local", "sftp", "smb", "ssh", "webdav", "webhdfs"})
"""Protocols of file systems on which a folder must exist before a file is written to it. On others, folders are never
created: in an object store, this might create a bucket."""
_FINAL = (
    FileExistsError, FileNotFoundError, ImportError, IsADirectoryError, NotADirectoryError, NotImplementedError,
    PermissionError, TypeError, ValueError,
)  # fmt: skip
_FINAL_CODES = frozenset(
    {errno.EINVAL, errno.EMSGSIZE, errno.ENAMETOOLONG, errno.ENOSPC, errno.ENOSYS, errno.EPERM, errno.EROFS}
    | {getattr(errno, "EDQUOT", errno.ENOSPC)}
)
_FULL = re.compile(r"storage ?full|quota|insufficient ?storage|minimum free drive|no space left|^507$", re.IGNORECASE)
_DENIED = re.compile(
    r"credential|token|denied|unauthorized|authenticat|accesskey|signature|^Permission|^40[13]$", re.IGNORECASE
)
"""Codes and class names of errors about credentials."""
_CREDENTIALS = re.compile(r"credential|anonymous caller", re.IGNORECASE)
_RANGE = re.compile(r"\brange\b|InvalidRange|RangeNotSatisfiable|^416$", re.IGNORECASE)
_CERTIFICATE = re.compile(r"certificate|^SSLCert", re.IGNORECASE)
_URL_IN_TEXT = re.compile(r"[a-z][a-z0-9+.-]+://\S+", re.IGNORECASE)
_SILENCE_S = 60
"""Seconds without data after which a download fails. The whole download has no limit: a large file takes hours."""


class Store:
    """A folder of an object store or of another file system of fsspec.

    Requests that fail temporarily (a server error, a lost connection, a timeout) are retried.

    Parameters
    ----------
    url
        The URL of the folder.
    options
        Options of the file system, such as `endpoint_url`.
    error
        The class of the exceptions that are raised.

    Attributes
    ----------
    url
        The URL, without a slash at its end.
    shown
        The URL for messages and names: without a password and without a query, which may be a secret.
    on_web
        Whether it is the URL of a web host, which has no list of its files.
    parallel
        The number of requests that may run at the same time.
    stopped
        Once this event is set, failed requests are not retried.

    Raises
    ------
    KaroSpaceError
        If the package for this kind of URL is missing, or an option is invalid.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None, error: type[KaroSpaceError]) -> None:
        self.url = url.rstrip("/")
        self.shown = public_url(self.url)
        self.protocol = url.partition("://")[0].lower()
        self.on_web = is_web_url(url)
        self.stopped = threading.Event()
        self._error = error
        self._folders: set[str] = set()
        try:
            fsspec: Any = import_module("fsspec")
        except ImportError as exc:
            msg = f"{self.shown} requires the package fsspec: pip install 'karospace-jupyter[remote]'."
            raise error(msg) from exc
        try:
            self._fs, root = fsspec.core.url_to_fs(self.url, **(options or {}))
        except ImportError as exc:
            package = _PACKAGES.get(self.protocol)
            install = f"pip install {package}" if package else self._text(exc)
            msg = f"{self.shown} requires a package that is not installed, or is too old: {install}."
            raise error(msg) from exc
        except Exception as exc:  # third-party file systems may raise anything
            # Only the names of the options: their values may be secrets.
            named = f" with the options {', '.join(options)}" if options else ""
            msg = f"{self.shown} cannot be opened{named}: {self._text(exc)}."
            raise error(msg) from exc
        self._root = root.rstrip("/")
        # Synchronous file systems are not made for threads. On Hugging Face, each file is a commit, and commits must
        # not overlap.
        threads = bool(getattr(self._fs, "async_impl", False))
        self.parallel = _PARALLEL if threads else 1
        self._turn: AbstractContextManager[Any] = nullcontext() if threads else threading.Lock()

    @property
    def location(self) -> str:
        """The URL as the file system itself writes it: two spellings of the same folder have the same."""
        return str(self._fs.unstrip_protocol(self._root))

    def read(self, path: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a file; None if it does not exist."""
        try:
            # A web host may ignore the range.
            return bytes(self._call(self._fs.cat_file, self._at(path), start=0, end=most))[:most]
        except FileNotFoundError:
            return None
        except Exception as exc:
            if self._matches(exc, _RANGE) and self._is_empty(path):
                return b""  # an empty file has no first byte
            raise self._failed(exc, _READ, path) from exc

    def write(self, path: str, data: bytes, *, content_type: str, cache_control: str) -> None:
        """Write a file, with headers for web browsers if the store keeps any."""
        at = self._at(path)
        try:
            if self.protocol in _WITH_FOLDERS and (folder := at.rpartition("/")[0]) not in self._folders:
                self._call(self._fs.makedirs, folder, exist_ok=True)
                self._folders.add(folder)
            self._call(self._fs.pipe_file, at, data, **_headers(self.protocol, content_type, cache_control))
        except Exception as exc:
            raise self._failed(exc, _WRITTEN, path) from exc

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every file, by its path in this folder.

        Empty objects that represent folders, as created by the consoles of stores, are not listed.
        """
        try:
            self._fs.invalidate_cache()
            found = self._call(self._fs.find, self._root, detail=True)
        except Exception as exc:
            raise self._failed(exc, _READ) from exc
        sizes = {at[len(self._root) + 1 :]: int(info["size"] or 0) for at, info in found.items()}
        return {path: size for path, size in sizes.items() if path and not (path.endswith("/") and size == 0)}

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files."""
        each = [self._at(path) for path in paths]
        if not each:
            return
        try:
            self._call(self._fs.rm, each)
        except FileNotFoundError:
            logger.debug("some of the files of %s were already deleted", self.shown)
        except Exception as exc:
            raise self._failed(exc, _CHANGED) from exc

    def modified(self, path: str) -> datetime | None:
        """Return when a file was written, by the clock of the store; None if it does not exist or has no such time."""
        try:
            self._fs.invalidate_cache()
            return self._call(self._fs.modified, self._at(path))  # type: ignore[no-any-return]
        except (FileNotFoundError, NotImplementedError, KeyError):
            return None
        except Exception as exc:
            raise self._failed(exc, _READ, path) from exc

    def kind(self) -> str | None:
        """Return whether the URL is a ``file`` or a ``directory``; None if it does not exist."""
        try:
            return str(self._call(self._fs.info, self._root)["type"])
        except FileNotFoundError:
            return None
        except Exception as exc:
            raise self._failed(exc, _READ) from exc

    def download(self, out: BinaryIO, job: Job) -> bool:
        """Copy the file at the URL to a local file, in blocks.

        Returns
        -------
        bool
            Whether the file exists.

        Raises
        ------
        Cancelled
            If the job was canceled.
        """
        try:
            if self.on_web:
                # A single request, because a host may ignore ranges and send the whole file for each block.
                self._call(self._stream, out, job)
                return True
            return self._copy(out, job)
        except FileNotFoundError:
            return False
        except KaroSpaceError:
            raise
        except Exception as exc:
            raise self._failed(exc, _READ) from exc

    def _copy(self, out: BinaryIO, job: Job) -> bool:
        self._fs.invalidate_cache()
        info, version = self._call(self._fs.info, self._root), self._version()
        if info["type"] == "directory":
            return False
        size = int(info["size"] or 0)
        starts = range(0, size, _BLOCK_BYTES)
        with job.stage("Downloading", len(starts), "blocks") as stage, ThreadPoolExecutor(self.parallel) as threads:
            try:
                # A few at a time, because blocks stay in memory until they are written.
                for first in range(0, len(starts), self.parallel):
                    some = starts[first : first + self.parallel]
                    for start, block in zip(some, threads.map(self._block, some), strict=True):
                        if len(block) != min(_BLOCK_BYTES, size - start):
                            raise self._changed()
                        self._save(out, block)
                        stage.advance()
            except BaseException:
                self.stopped.set()
                raise
        self._save(out, b"")
        if self._version() != version:
            raise self._changed()
        return True

    def _stream(self, out: BinaryIO, job: Job) -> None:
        out.seek(0)
        out.truncate()
        more: dict[str, Any] = {"headers": {**self._fs.kwargs.get("headers", {}), "Accept-Encoding": "identity"}}
        if "timeout" not in self._fs.client_kwargs:
            timeout: Any = import_module("aiohttp").ClientTimeout
            more["timeout"] = timeout(total=None, sock_connect=_SILENCE_S, sock_read=_SILENCE_S)
        # With a block size of 0, fsspec returns the response; given a size, it does not request that of the file.
        with self._fs.open(self._root, "rb", block_size=0, size=1, **more) as answer:
            headers = answer.r.headers
            length = "" if headers.get("Content-Encoding") else headers.get("Content-Length", "")
            blocks = -(-int(length) // _BLOCK_BYTES) if length.isdigit() else 0
            with job.stage("Downloading", blocks or 1, "blocks" if blocks else "file") as stage:
                done = 0
                while piece := answer.read(_BLOCK_BYTES):
                    self._save(out, piece)
                    complete = min(out.tell() // _BLOCK_BYTES, blocks)
                    stage.advance(complete - done)
                    done = complete
                self._save(out, b"")
                stage.advance((blocks or 1) - done)

    def _save(self, out: BinaryIO, data: bytes) -> None:
        """Write to the local file; empty data flushes its buffer."""
        try:
            out.write(data) if data else out.flush()
        except OSError as exc:
            folder = f"{tempfile.gettempdir()}, the folder for temporary files"
            full = exc.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
            problem = "its disk is full. Free some space" if full else f"{exc.strerror or exc}. Change its permissions"
            msg = (
                f"{self.shown} cannot be downloaded to {folder}: {problem}, or set the environment variable TMPDIR to "
                "another folder."
            )
            raise self._error(msg) from exc

    def _changed(self) -> KaroSpaceError:
        return self._error(f"{self.shown} changed while it was downloaded. Try again.")

    def _version(self) -> object:
        self._fs.invalidate_cache()
        return self._call(self._fs.ukey, self._root)

    def _block(self, start: int) -> bytes:
        return bytes(self._call(self._fs.cat_file, self._root, start=start, end=start + _BLOCK_BYTES))

    def _is_empty(self, path: str) -> bool:
        with suppress(Exception):  # the error that led here is reported
            return bool(self._fs.size(self._at(path)) == 0)
        return False

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401
        for pause in _PAUSES_S:
            try:
                with self._turn:
                    return function(*args, **kwargs)
            except KaroSpaceError:
                raise
            except Exception as exc:
                if self.stopped.is_set() or self._is_final(exc):
                    raise
                logger.info("%s: %s; trying again in about %g s", self.shown, self._text(exc), pause)
            # A random pause, so that requests that failed together are not retried together.
            self.stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        with self._turn:
            return function(*args, **kwargs)

    def _failed(self, exc: Exception, what: str, path: str = "") -> KaroSpaceError:
        at = f"{self.shown}/{path}" if path else self.shown
        return self._error(f"{at} cannot be {what}: {self._text(exc)}. {self._advice(exc)}".rstrip())

    def _is_final(self, exc: Exception) -> bool:
        """Return whether a request would fail again in the same way."""
        if isinstance(exc, _FINAL) or getattr(exc, "errno", None) in _FINAL_CODES:
            return True
        return self._is_denied(exc) or self._matches(exc, _FULL) or self._matches(exc, _CERTIFICATE)

    def _advice(self, exc: Exception) -> str:
        if self._matches(exc, _FULL) or getattr(exc, "errno", None) == errno.ENOSPC:
            return "The store is full; free some space."
        if self._is_denied(exc):
            return "Check the credentials and what they permit."
        if isinstance(exc, FileNotFoundError):
            return "Check the URL; a bucket must exist before files are written to it."
        return "" if self._is_final(exc) else "Try again later."

    def _is_denied(self, exc: Exception) -> bool:
        return any(map(_DENIED.search, _codes(exc))) or _CREDENTIALS.search(self._details(exc)) is not None

    def _matches(self, exc: Exception, pattern: re.Pattern[str]) -> bool:
        return any(map(pattern.search, (*_codes(exc), self._details(exc))))

    def _details(self, exc: Exception) -> str:
        """Return what an error and its causes say, without the URL, which may contain any word."""
        text = _URL_IN_TEXT.sub("", " ".join(str(one) for one in _causes(exc)))
        bucket = self.url.partition("://")[2].partition("/")[0]
        return re.sub(rf"(?<![\w.-]){re.escape(bucket)}(?:/[^\s'\"]*)?(?![\w-])", "", text) if bucket else text

    def _text(self, exc: Exception) -> str:
        text = str(exc) or type(exc).__name__
        return without_secrets(text.replace(self.url, self.shown)).strip().rstrip(".")


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes: file systems hide the error of the store in the cause."""
    one: BaseException | None = exc
    while one is not None:
        yield one
        one = one.__cause__


def _codes(exc: BaseException) -> set[str]:
    """Return the names of the classes of an error and its causes, and the codes of the store and of HTTP."""
    found: set[str] = set()
    for one in _causes(exc):
        found.update(kind.__name__ for kind in type(one).__mro__)
        response = getattr(one, "response", None)
        if isinstance(response, Mapping):  # an error of botocore
            error = response.get("Error")
            status = response.get("ResponseMetadata")
            found.add(str(error.get("Code", "")) if isinstance(error, Mapping) else "")
            found.add(str(status.get("HTTPStatusCode", "")) if isinstance(status, Mapping) else "")
            continue
        for owner in (one, response):
            stated = [getattr(owner, name, None) for name in ("status", "status_code", "error_code")]
            if not any(stated):  # for aiohttp, `code` is deprecated
                stated = [getattr(owner, "code", None)]
            found.update(str(value) for value in stated if isinstance(value, (int, str)))
    return found


def _headers(protocol: str, content_type: str, cache_control: str) -> dict[str, Any]:
    """Return the arguments with which a file system stores headers; empty if it stores none."""
    match _PACKAGES.get(protocol):
        case "s3fs":
            return {"ContentType": content_type, "CacheControl": cache_control}
        case "gcsfs":
            return {"content_type": content_type, "fixed_key_metadata": {"cache_control": cache_control}}
        case "adlfs" if protocol != "adl":
            settings: Any = import_module("azure.storage.blob").ContentSettings
            return {"content_settings": settings(content_type=content_type, cache_control=cache_control)}
        case _:
            return {}
