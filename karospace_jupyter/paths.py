"""Expand the paths that users enter, and read the text files that they name."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from karospace_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from typing import TypeGuard

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
"""The start of a URL. A scheme has at least two letters: ``C://`` is a drive."""
_URL_IN_TEXT = re.compile(r"[a-z][a-z0-9+.-]+://[^\s'\"<>]+", re.IGNORECASE)


def is_url(path: object) -> TypeGuard[str]:
    """Return whether a path is a URL; ``file://`` is not, because :func:`expanded` returns its path.

    Examples
    --------
    >>> is_url("s3://bucket/tissue"), is_url("https://lab.example/tissue"), is_url("file:///tissue"), is_url("tissue")
    (True, True, False, False)
    """
    found = _URL.match(path) if isinstance(path, str) else None
    return found is not None and found[1].lower() != "file"


def is_web_url(path: object) -> TypeGuard[str]:
    """Return whether a path is an HTTP or HTTPS URL.

    Examples
    --------
    >>> is_web_url("https://lab.example/tissue/"), is_web_url("s3://bucket/tissue"), is_web_url("tissue")
    (True, False, False)
    """
    return isinstance(path, str) and path.lower().startswith(("http://", "https://"))


def is_store_url(path: object) -> TypeGuard[str]:
    """Return whether a path is the URL of an object store or of another file system, and not of a web host.

    Examples
    --------
    >>> is_store_url("s3://bucket/tissue"), is_store_url("https://lab.example/tissue")
    (True, False)
    """
    return is_url(path) and not is_web_url(path)


def public_url(url: str) -> str:
    """Return a URL without what may be a secret: the user name with its password, and the query.

    Examples
    --------
    >>> public_url("https://ann:secret@lab.example/tissue.h5ad?token=secret")
    'https://lab.example/tissue.h5ad'
    >>> public_url("abfs://container@account.dfs.core.windows.net/tissue")
    'abfs://container@account.dfs.core.windows.net/tissue'
    """
    scheme, separator, rest = url.partition("://")
    on_web = is_web_url(url)
    # A `#` may be part of the name of an object in a store.
    host, slash, path = re.split(r"[?#]" if on_web else r"\?", rest, maxsplit=1)[0].partition("/")
    user, at, name = host.rpartition("@")
    # Azure's URLs name a container before the @.
    return f"{scheme}{separator}{name if at and (on_web or ':' in user) else host}{slash}{path}"


def without_secrets(text: str) -> str:
    """Replace each URL in a text, such as the message of an exception, by its :func:`public_url`.

    Examples
    --------
    >>> without_secrets("404, url='https://lab.example/tissue.h5ad?token=secret'")
    "404, url='https://lab.example/tissue.h5ad'"
    """
    return _URL_IN_TEXT.sub(lambda found: public_url(found[0]), text)


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return `path` with a leading ``~`` or ``~user`` expanded, or the path of a ``file://`` URL.

    Raises
    ------
    ConfigError
        If the user does not exist, the URL names another computer, or the system refuses the path: it is too long, for
        example, or a folder on the way to it is not accessible.
    """
    if isinstance(path, str) and path[:7].lower() == "file://":
        parts = urlsplit(path)
        if parts.netloc not in {"", "localhost"}:
            msg = f"{path} is not a file on this computer. Use file:///PATH, or the path itself."
            raise ConfigError(msg)
        return _accepted(Path(url2pathname(path[7 + len(parts.netloc) :])))
    try:
        return _accepted(Path(path).expanduser())
    except RuntimeError as exc:
        msg = f"{path} cannot be expanded: no such user. Use an absolute path."
        raise ConfigError(msg) from exc


def _accepted(path: Path) -> Path:
    """Return the path, or raise ConfigError if the system refuses to look it up, where pathlib would raise OSError."""
    try:
        os.stat(path)  # noqa: PTH116 - pathlib hides some of its errors
    except (FileNotFoundError, NotADirectoryError, ValueError):
        pass  # it may be created; otherwise its use is an error
    except OSError as exc:
        if exc.errno != errno.ELOOP:  # a later message explains links better
            msg = f"{path} cannot be accessed: {exc.strerror or exc}. Choose another path."
            raise ConfigError(msg) from exc
    return path


def bounded_text(path: Path, what: str, *, max_bytes: int, if_larger: str, if_not_text: str) -> str:
    """Read a UTF-8 text file, with or without a byte order mark, unless it is too large.

    Parameters
    ----------
    what
        What messages call the file, for example ``The view view.json``.
    max_bytes
        Size of the largest file that is read.
    if_larger
        End of the message about a larger file: the limit, and what to do.
    if_not_text
        End of the message about a file in another encoding: what to do.

    Raises
    ------
    ConfigError
        If the file cannot be read, is too large, or is not UTF-8 text.
    """
    try:
        size = path.stat().st_size
        if size > max_bytes:
            msg = f"{what} is {size / 1e6:,.1f} MB; {if_larger}"
            raise ConfigError(msg)
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        msg = f"{what} cannot be read: {exc.strerror or exc}."
        raise ConfigError(msg) from exc
    except UnicodeDecodeError as exc:
        msg = f"{what} is not UTF-8 text. {if_not_text}"
        raise ConfigError(msg) from exc
