"""Expand the paths that users enter."""

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
