"""Settings of the window that are remembered between sessions."""

from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

logger = logging.getLogger(__name__)

_RECENT = 8
GEOMETRY = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})\+(-?\d{1,5})\+(-?\d{1,5})")
"""Width, height and position of a window in Tk's format."""


@dataclass(slots=True)
class Settings:
    """Settings that are saved to a file."""

    recent: list[str] = field(default_factory=list)
    """Recently opened files, newest first."""
    geometry: str = ""
    """Position and size of the window in Tk's format; empty if it was never opened."""
    theme: str = "system"
    """``system``, ``light`` or ``dark``."""
    zoom: float = 1.0
    """Scale factor of everything in the window."""
    choices: dict[str, Any] = field(default_factory=dict)
    """Options of the last export that apply to any file."""
    folder: str = ""
    """The folder from which the last file was opened."""

    def remember(self, path: str) -> None:
        """Move a file to the front of the recent ones."""
        self.recent = [path, *(other for other in self.recent if other != path)][:_RECENT]


def settings_file() -> Path:
    """Return the path of the settings; the environment variable KAROSPACE_SETTINGS overrides it."""
    given = os.environ.get("KAROSPACE_SETTINGS")
    return Path(given) if given else Path(platformdirs.user_config_dir("karospace", appauthor=False)) / "desktop.json"


def load(file: Path) -> tuple[Settings, str]:
    """Return the settings, and a note if they could not be read and were reset to their defaults."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, UnicodeDecodeError) as exc:
        return Settings(), f"The settings in {file} could not be read ({exc}); the defaults are used."
    try:
        return _checked(json.loads(text)), ""
    except (ValueError, TypeError, RecursionError) as exc:
        return Settings(), f"The settings in {file} are damaged ({exc}) and were reset to their defaults."


def save(settings: Settings, file: Path) -> None:
    """Write the settings atomically; a location that is not writable only causes a log message.

    Files that another window opened in the meantime are kept among the recent ones.
    """
    others = load(file)[0].recent
    settings.recent = list(dict.fromkeys([*settings.recent, *others]))[:_RECENT]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(asdict(settings), indent=1, ensure_ascii=False), encoding="utf-8")
        partial.replace(file)
    except (OSError, UnicodeEncodeError) as exc:
        logger.warning("the settings could not be saved to %s: %s", file, exc)


def _checked(value: Any) -> Settings:  # noqa: ANN401 - the file may hold anything
    if not isinstance(value, dict):
        msg = "not a JSON object"
        raise TypeError(msg)
    default = Settings()
    for one in fields(Settings):
        given = value.get(one.name, getattr(default, one.name))
        kind = type(getattr(default, one.name))
        if not isinstance(given, (int, float) if kind is float else kind) or isinstance(given, bool):
            msg = f"{one.name} is {given!r}"
            raise TypeError(msg)
        setattr(default, one.name, given)
    if not all(isinstance(path, str) and "\x00" not in path for path in default.recent):
        msg = "recent contains a value that is not a path"
        raise TypeError(msg)
    if default.theme not in {"system", "light", "dark"}:
        msg = f"theme is {default.theme!r}"
        raise ValueError(msg)
    if default.geometry and not GEOMETRY.fullmatch(default.geometry):
        msg = f"geometry is {default.geometry!r}"
        raise ValueError(msg)
    if "\x00" in default.folder:
        msg = f"folder is {default.folder!r}"
        raise ValueError(msg)
    default.zoom = min(3.0, max(0.5, default.zoom)) if default.zoom == default.zoom else 1.0
    return default
