"""What differs from platform to platform: the root window, dropped files, folders and browsers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import tkinter as tk
import webbrowser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def make_root() -> tuple[tk.Tk, bool]:
    """Return a root window, and whether files can be dropped on it."""
    if sys.platform == "win32":
        import contextlib
        import ctypes

        # Before any window: else Windows stretches a blurred one.
        with contextlib.suppress(AttributeError, OSError):
            ctypes.windll.shcore.SetProcessDpiAwareness(1)
    try:
        import tkinterdnd2

        return tkinterdnd2.TkinterDnD.Tk(className="Karospace"), True
    except (ImportError, RuntimeError, tk.TclError):
        return tk.Tk(className="Karospace"), False


def accept_drops(root: Any, opened: Callable[[str], None]) -> None:  # noqa: ANN401 - a root with drops
    """Call `opened` with the first file that is dropped on the window."""
    root.drop_target_register("DND_Files")

    def take(event: Any) -> str:  # noqa: ANN401 - its own kind of event
        files = root.tk.splitlist(event.data)
        if files:
            opened(str(files[0]).removeprefix("file://"))
        return "copy"

    root.dnd_bind("<<Drop>>", take)


def open_folder(folder: Path) -> str:
    """Show a folder in the platform's file manager; return what went wrong, or nothing."""
    if not folder.is_dir():
        return f"{folder} is not there any more."
    if sys.platform == "win32":
        os.startfile(folder)  # noqa: S606 - a folder that we wrote
        return ""
    command = "open" if sys.platform == "darwin" else "xdg-open"
    if shutil.which(command) is None:
        return f"No file manager was found. The folder is {folder}"
    # In a session of its own: it stays when the window goes, and nobody waits for it.
    subprocess.Popen(  # noqa: S603 - a fixed command
        [command, str(folder)], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return ""


def open_browser(address: str, failed: Callable[[], None]) -> None:
    """Open an address in the browser, without waiting; call `failed` from another thread when there is none."""

    def work() -> None:
        if not webbrowser.open(address):
            failed()

    threading.Thread(target=work, name="karospace-browser", daemon=True).start()
