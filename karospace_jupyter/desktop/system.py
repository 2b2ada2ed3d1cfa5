"""Platform-specific parts: the root window, dropped files, folders and browsers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import tkinter as tk
import webbrowser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class NoWindowError(Exception):
    """No window can be opened; the message is the reason given by Tk."""


def forget_frozen_libraries() -> None:
    """Restore the system's library paths for programs that are started from here.

    A frozen program looks for libraries in its own folder first; a browser or file manager that inherits this may not
    start. Libraries that are already loaded are not affected.
    """
    if not getattr(sys, "frozen", False):
        return
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        before = os.environ.pop(f"{name}_ORIG", None)
        if before:
            os.environ[name] = before
        else:
            os.environ.pop(name, None)


def make_root() -> tuple[tk.Tk, bool]:
    """Create the root window, and return it with whether files can be dropped on it.

    Raises
    ------
    NoWindowError
        If there is no display, or Tk is damaged.
    """
    if sys.platform == "win32":
        import contextlib
        import ctypes

        # Must be set before any window exists; otherwise Windows scales the window and blurs it.
        with contextlib.suppress(AttributeError, OSError):
            ctypes.windll.shcore.SetProcessDpiAwareness(1)
    try:
        root = _root_class()(className="Karospace")
    except tk.TclError as exc:
        raise NoWindowError(str(exc).splitlines()[0] if str(exc) else "Tk does not start") from exc
    _hide_hidden_files(root)
    try:
        import tkinterdnd2

        # Private, but the only way without the library's own root class, which leaves a second, empty window if the
        # library does not load.
        tkinterdnd2.TkinterDnD._require(root)  # noqa: SLF001
    except (ImportError, AttributeError, RuntimeError, OSError, tk.TclError):
        return root, False
    return root, True


def _hide_hidden_files(root: tk.Tk) -> None:
    """Hide hidden files in the file dialogs of X11, with a checkbox to show them."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        return
    import contextlib

    with contextlib.suppress(tk.TclError):
        root.tk.call("tk_getOpenFile", "-no-such-option")  # loads the code of the dialogs without showing one
    for name, value in (("showHiddenBtn", "1"), ("showHiddenVar", "0")):
        with contextlib.suppress(tk.TclError):
            root.tk.call("set", f"::tk::dialog::file::{name}", value)


def _root_class() -> type[tk.Tk]:
    try:
        import tkinterdnd2
    except ImportError:
        return tk.Tk
    return type("Root", (tk.Tk, tkinterdnd2.TkinterDnD.DnDWrapper), {})


def command_key(root: tk.Misc) -> str:
    """Return the modifier key of keyboard shortcuts."""
    return "Command" if root.tk.call("tk", "windowingsystem") == "aqua" else "Control"


def screen_scale(root: tk.Tk) -> float:
    """Return the scale factor of the screen relative to 96 dpi."""
    windowing = root.tk.call("tk", "windowingsystem")
    if windowing == "aqua":  # a Tk pixel is a point there, at any resolution
        return root.winfo_fpixels("1i") / 72
    if windowing == "x11" and (wanted := _xft_dpi()):
        return wanted / 96
    return root.winfo_fpixels("1i") / 96


def _xft_dpi() -> float:
    """Return the resolution in dpi that the desktop sets for X11 programs, and that Tk ignores; 0 if it sets none."""
    if shutil.which("xrdb") is None:
        return 0
    try:
        asked = subprocess.run(["xrdb", "-query"], capture_output=True, text=True, timeout=1, check=False).stdout  # noqa: S607
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"^Xft\.dpi:\s*([\d.]+)\s*$", asked, re.MULTILINE)
    dpi = float(found[1]) if found and found[1].count(".") <= 1 else 0
    return dpi if 48 <= dpi <= 768 else 0


def accept_drops(root: Any, opened: Callable[[str], None]) -> None:  # noqa: ANN401 - a root that accepts drops
    """Call `opened` with the first of the files dropped on the window."""
    root.drop_target_register("DND_Files")

    def take(event: Any) -> str:  # noqa: ANN401 - an event of tkinterdnd2
        files = root.tk.splitlist(event.data)
        if files:
            opened(str(files[0]).removeprefix("file://"))
        return "copy"

    root.dnd_bind("<<Drop>>", take)


def in_time(ask: Callable[[], bool], seconds: float) -> bool:
    """Return the result of `ask`, or False if it takes too long: a lost network share may block for minutes."""
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(ask()), name="karospace-ask", daemon=True)
    thread.start()
    thread.join(seconds)
    return any(results)


def open_folder(path: str, failed: Callable[[str], None]) -> None:
    """Show a folder, or the folder of a file, in the platform's file manager.

    Does not wait; `failed` is called with an error message on another thread.
    """

    def work() -> None:
        folder = path if os.path.isdir(path) else os.path.dirname(path)  # noqa: PTH112, PTH120 - raises nothing
        command = "open" if sys.platform == "darwin" else "xdg-open"
        if not os.path.isdir(folder):  # noqa: PTH112
            failed(f"The folder {folder} no longer exists.")
        elif sys.platform == "win32":
            try:
                os.startfile(folder)  # noqa: S606 - a folder that the export wrote
            except OSError as exc:
                failed(f"The folder could not be shown ({exc.strerror or exc}): {folder}")
        elif shutil.which(command) is None:
            failed(f"No file manager was found. Open this folder yourself: {folder}")
        else:
            # In a separate session, so that it stays open when the window closes.
            done = subprocess.run(  # noqa: S603 - a fixed command
                [command, folder], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            if done.returncode:
                failed(f"The file manager did not show the folder: {folder}")

    threading.Thread(target=work, name="karospace-folder", daemon=True).start()


def open_browser(address: str, path: str, failed: Callable[[str], None]) -> None:
    """Open an address in the browser if the file or folder that it shows (`path`) exists.

    Does not wait; `failed` is called with an error message on another thread.
    """

    def work() -> None:
        if not os.path.exists(path):  # noqa: PTH110 - raises nothing
            failed(f"{path} no longer exists. Export it again.")
        elif not webbrowser.open(address):
            failed(f"No browser was found. Open this address yourself: {address}")

    threading.Thread(target=work, name="karospace-browser", daemon=True).start()
