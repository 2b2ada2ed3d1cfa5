"""Paths as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.errors import ConfigError

if TYPE_CHECKING:
    import os


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return `path` with ``~`` filled in.

    Raises
    ------
    ConfigError
        When it begins with the home folder of somebody who has none here.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as exc:
        msg = f"{path} begins with the home folder of somebody who has none here. Write the whole path."
        raise ConfigError(msg) from exc
