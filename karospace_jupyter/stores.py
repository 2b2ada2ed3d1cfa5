"""Read and write object stores and other remote file systems through fsspec, by URLs such as ``s3://bucket``."""

from __future__ import annotations

import errno
import logging
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from karospace_jupyter.errors import KaroSpaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
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
_FULL = re.compile(r"storage ?full|quota|insufficient ?storage|minimum free drive|no space left", re.IGNORECASE)
_CREDENTIALS = re.compile(r"credential|anonymous caller|token", re.IGNORECASE)
_RANGE = re.compile(r"range", re.IGNORECASE)
_CERTIFICATE = re.compile(r"certificate", re.IGNORECASE)


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
        The URL, without a trailing slash.
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
        self.protocol = url.partition("://")[0].lower()
        self.stopped = threading.Event()
        self._error = error
        self._folders: set[str] = set()
        try:
            fsspec: Any = import_module("fsspec")
        except ImportError as exc:
            msg = f"{url} requires the package fsspec: pip install 'karospace-jupyter[remote]'."
            raise error(msg) from exc
        try:
            self._fs, root = fsspec.core.url_to_fs(self.url, **(options or {}))
        except ImportError as exc:
            package = _PACKAGES.get(self.protocol)
            install = f"pip install {package}" if package else str(exc)
            msg = f"{url} requires a package that is missing or too old: {install}."
            raise error(msg) from exc
        except Exception as exc:  # third-party file systems may raise anything
            # Only the names of the options: their values may be secrets.
            named = f" with the options {', '.join(options)}" if options else ""
            msg = f"{url} cannot be opened{named}: {_text(exc)}."
            raise error(msg) from exc
        self._root = root.rstrip("/")
        # Other file systems are not thread-safe. On Hugging Face, each file is a commit, and commits must not overlap.
        self.parallel = _PARALLEL if getattr(self._fs, "async_impl", False) else 1

    def read(self, path: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a file; None if it does not exist."""
        try:
            return bytes(self._call(self._fs.cat_file, self._at(path), start=0, end=most))
        except FileNotFoundError:
            return None
        except Exception as exc:
            if _RANGE.search(_details(exc)) and self._fs.size(self._at(path)) == 0:
                return b""  # an empty file has no range of bytes
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
        """Return the size in bytes of every file, by its path in this folder."""
        try:
            self._fs.invalidate_cache()
            found = self._call(self._fs.find, self._root, detail=True)
        except Exception as exc:
            raise self._failed(exc, _READ) from exc
        return {at[len(self._root) + 1 :]: int(info["size"] or 0) for at, info in found.items() if at != self._root}

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files."""
        each = [self._at(path) for path in paths]
        if not each:
            return
        try:
            self._call(self._fs.rm, each)
        except FileNotFoundError:
            logger.debug("some files in %s were already deleted", self.url)
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

    def download(self, out: BinaryIO, job: Job) -> None:
        """Copy the file at the URL to a local file, in blocks.

        Raises
        ------
        Cancelled
            If the job was canceled.
        """
        try:
            self._fs.invalidate_cache()
            version, size = self._version(), self._call(self._fs.size, self._root) or 0
            starts = range(0, size, _BLOCK_BYTES)
            with job.stage("Downloading", len(starts), "blocks") as stage, ThreadPoolExecutor(self.parallel) as threads:
                try:
                    # A few at a time: blocks that are read but not yet written are in memory.
                    for first in range(0, len(starts), self.parallel):
                        for block in threads.map(self._block, starts[first : first + self.parallel]):
                            out.write(block)
                            stage.advance()
                except BaseException:
                    self.stopped.set()
                    raise
            if out.tell() != size or self._version() != version:
                msg = f"{self.url} changed while it was downloaded. Try again."
                raise self._error(msg)
        except KaroSpaceError:
            raise
        except Exception as exc:
            raise self._failed(exc, _READ) from exc

    def _version(self) -> object:
        self._fs.invalidate_cache()
        return self._call(self._fs.ukey, self._root)

    def _block(self, start: int) -> bytes:
        return bytes(self._call(self._fs.cat_file, self._root, start=start, end=start + _BLOCK_BYTES))

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401
        for pause in _PAUSES_S:
            try:
                return function(*args, **kwargs)
            except Exception as exc:
                if self.stopped.is_set() or is_final(exc):
                    raise
                logger.info("%s: %s; trying again in about %g s", self.url, _text(exc), pause)
            # Random, so that requests that failed together are not retried together.
            self.stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        return function(*args, **kwargs)

    def _failed(self, exc: Exception, what: str, path: str = "") -> KaroSpaceError:
        at = f"{self.url}/{path}" if path else self.url
        return self._error(f"{at} cannot be {what}: {_text(exc)}. {_advice(exc)}".rstrip())


def is_final(exc: Exception) -> bool:
    """Return whether a request would fail again in the same way."""
    if isinstance(exc, _FINAL) or getattr(exc, "errno", None) in _FINAL_CODES:
        return True
    text = _details(exc)
    return any(pattern.search(text) for pattern in (_FULL, _CREDENTIALS, _CERTIFICATE))


def _advice(exc: Exception) -> str:
    text = _details(exc)
    if _FULL.search(text) or getattr(exc, "errno", None) == errno.ENOSPC:
        return "The store is full; free some space."
    if isinstance(exc, PermissionError) or _CREDENTIALS.search(text):
        return "Check the credentials and their permissions."
    if isinstance(exc, FileNotFoundError):
        return "Check the URL; a bucket must exist before files are written to it."
    return "" if is_final(exc) else "Try again later."


def _text(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).strip().rstrip(".")


def _details(exc: Exception) -> str:
    """Return the text of an error and of its cause, in which file systems hide the error code of the store."""
    return f"{type(exc).__name__} {exc} {exc.__cause__ or ''}"


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
