"""Expand the paths that users enter, and read the text files that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.errors import ConfigError

if TYPE_CHECKING:
    import os


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return `path` with a leading ``~`` or ``~user`` expanded.

    Raises
    ------
    ConfigError
        If the user does not exist.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as exc:
        msg = f"{path} cannot be expanded: no such user. Use an absolute path."
        raise ConfigError(msg) from exc


def bounded_text(path: Path, what: str, *, max_bytes: int, if_larger: str, if_not_text: str) -> str:
    """Read a UTF-8 text file, with or without a byte order mark, unless it is too large.

    Parameters
    ----------
    what
        The file in messages, for example ``The view view.json``.
    max_bytes
        Size of the largest file that is read.
    if_larger
        What a message about a larger file adds: the limit, and what to do.
    if_not_text
        What a message about a file in another encoding adds: what to do.

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
