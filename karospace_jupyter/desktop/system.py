"""What differs from platform to platform: the root window, dropped files, folders and browsers."""

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
    """No window can be opened; the message says why, as Tk does."""


def forget_frozen_libraries() -> None:
    """Give programs that are started from here the libraries of the system.

    A frozen program looks for libraries in its own folder first; a browser or a file manager that inherits that may
    not start. What is loaded already stays loaded.
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
    """Return a root window, and whether files can be dropped on it.

    Raises
    ------
    NoWindowError
        When there is no screen, or Tk is damaged.
    """
    if sys.platform == "win32":
        import contextlib
        import ctypes

        # Before any window: else Windows stretches a blurred one.
        with contextlib.suppress(AttributeError, OSError):
            ctypes.windll.shcore.SetProcessDpiAwareness(1)
    try:
        root = _root_class()(className="Karospace")
    except tk.TclError as exc:
        raise NoWindowError(str(exc).splitlines()[0] if str(exc) else "Tk does not start") from exc
    _hide_hidden_files(root)
    try:
        import tkinterdnd2

        # Not its own root: where the library does not load, that leaves a second, empty window.
        tkinterdnd2.TkinterDnD._require(root)  # noqa: SLF001
    except (ImportError, AttributeError, RuntimeError, OSError, tk.TclError):  # it has no public way to do this
        return root, False
    return root, True


def _hide_hidden_files(root: tk.Tk) -> None:
    """Let the file dialogs of X11 begin without hidden files, with a box to tick for those who want them."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        return
    import contextlib

    with contextlib.suppress(tk.TclError):
        root.tk.call("tk_getOpenFile", "-no-such-option")  # loads what the dialogs are made of, and shows none
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
    """Return the key that commands are given with."""
    return "Command" if root.tk.call("tk", "windowingsystem") == "aqua" else "Control"


def screen_scale(root: tk.Tk) -> float:
    """Return how many pixels the screen wants for one of a usual screen."""
    windowing = root.tk.call("tk", "windowingsystem")
    if windowing == "aqua":  # there a pixel is a point, whatever the screen
        return root.winfo_fpixels("1i") / 72
    if windowing == "x11" and (wanted := _xft_dpi()):
        return wanted / 96
    return root.winfo_fpixels("1i") / 96


def _xft_dpi() -> float:
    """Return the resolution that the desktop asks of X11's programs, which Tk does not look at; 0 for none."""
    if shutil.which("xrdb") is None:
        return 0
    try:
        asked = subprocess.run(["xrdb", "-query"], capture_output=True, text=True, timeout=1, check=False).stdout  # noqa: S607
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"^Xft\.dpi:\s*([\d.]+)\s*$", asked, re.MULTILINE)
    dpi = float(found[1]) if found and found[1].count(".") <= 1 else 0
    return dpi if 48 <= dpi <= 768 else 0


def accept_drops(root: Any, opened: Callable[[str], None]) -> None:  # noqa: ANN401 - a root with drops
    """Call `opened` with the first file that is dropped on the window."""
    root.drop_target_register("DND_Files")

    def take(event: Any) -> str:  # noqa: ANN401 - its own kind of event
        files = root.tk.splitlist(event.data)
        if files:
            opened(str(files[0]).removeprefix("file://"))
        return "copy"

    root.dnd_bind("<<Drop>>", take)


def in_time(ask: Callable[[], bool], seconds: float) -> bool:
    """Return what `ask` says, or False when that takes longer: a share that is lost may take minutes."""
    said: list[bool] = []
    thread = threading.Thread(target=lambda: said.append(ask()), name="karospace-ask", daemon=True)
    thread.start()
    thread.join(seconds)
    return any(said)


def open_folder(path: str, failed: Callable[[str], None]) -> None:
    """Show a folder, or the one that a file is in, in the platform's file manager.

    Without waiting; `failed` is called with what went wrong, from another thread.
    """

    def work() -> None:
        folder = path if os.path.isdir(path) else os.path.dirname(path)  # noqa: PTH112, PTH120 - raises nothing
        command = "open" if sys.platform == "darwin" else "xdg-open"
        if not os.path.isdir(folder):  # noqa: PTH112
            failed(f"{folder} is not there any more.")
        elif sys.platform == "win32":
            try:
                os.startfile(folder)  # noqa: S606 - a folder that we wrote
            except OSError as exc:
                failed(f"The folder could not be shown ({exc.strerror or exc}): {folder}")
        elif shutil.which(command) is None:
            failed(f"No file manager was found. The folder is {folder}")
        else:
            # In a session of its own: it stays when the window goes.
            done = subprocess.run(  # noqa: S603 - a fixed command
                [command, folder], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            if done.returncode:
                failed(f"The file manager did not show the folder: {folder}")

    threading.Thread(target=work, name="karospace-folder", daemon=True).start()


def open_browser(address: str, path: str, failed: Callable[[str], None]) -> None:
    """Open an address in the browser, while what it shows (`path`) is there.

    Without waiting; `failed` is called with what went wrong, from another thread.
    """

    def work() -> None:
        if not os.path.exists(path):  # noqa: PTH110 - raises nothing
            failed(f"{path} is not there any more. Export it again.")
        elif not webbrowser.open(address):
            failed(f"No browser was found. Open this address in one: {address}")

    threading.Thread(target=work, name="karospace-browser", daemon=True).start()
