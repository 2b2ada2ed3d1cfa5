"""Add the app to the applications menu of a Linux desktop, for any installation: a checkout, a venv, pipx."""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from pathlib import Path

from karospace_jupyter.desktop.icon import icon_file

_NAME = "karospace-export-app"


def has_menu() -> bool:
    """Return whether the desktop supports menu entries, and an entry would start this program."""
    return sys.platform == "linux" and not getattr(sys, "frozen", False)


def add_to_menu() -> Path:
    """Write the menu entry and its icon for this user, and return the path of the entry.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    given = os.environ.get("XDG_DATA_HOME", "")
    data = Path(given) if given.startswith("/") else Path.home() / ".local" / "share"
    icon = data / "icons" / "hicolor" / "512x512" / "apps" / f"{_NAME}.png"
    entry = data / "applications" / f"{_NAME}.desktop"
    for file in (icon, entry):
        file.parent.mkdir(parents=True, exist_ok=True)
    icon.write_bytes(icon_file("PNG"))
    text = files("karospace_jupyter.desktop").joinpath(f"{_NAME}.desktop").read_text("utf-8")
    # -P: a menu starts the app in the home folder, whose files must not be imported as modules.
    start = f"{_word(sys.executable)} -P -m karospace_jupyter.desktop %f"
    entry.write_text(text.replace(f"Exec={_NAME} %f", f"Exec={start}"), encoding="utf-8")
    return entry


def _word(text: str) -> str:
    """Quote one word of an Exec line, which is unquoted twice: as a value, then as a command."""
    for char in '\\"`$':
        text = text.replace(char, f"\\{char}")
    return '"' + text.replace("\\", "\\\\").replace("%", "%%") + '"'
