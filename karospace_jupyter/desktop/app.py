"""``karospace-export-app``: the command that opens the window."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_TK = """\
karospace-export-app: this Python has no Tk, which is required for the window. Install it:
  Debian, Ubuntu:  sudo apt install python3-tk
  Fedora:          sudo dnf install python3-tkinter
  macOS, Homebrew: brew install python-tk
  conda:           conda install tk
Or use the command line: karospace-export --h5ad FILE.h5ad --outdir FOLDER"""

_NO_WINDOW = """\
karospace-export-app: cannot open a window ({reason}).
Start it on a desktop, or with X forwarding (ssh -X).
Or use the command line: karospace-export --h5ad FILE.h5ad --outdir FOLDER"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window and return the exit status."""
    multiprocessing.freeze_support()  # in a frozen app, the worker is this program started again
    parser = argparse.ArgumentParser(
        prog="karospace-export-app", description="Export an AnnData file as a viewer of its tissue, in a window."
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="an .h5ad file or a .zarr folder to open")
    parser.add_argument("--version", action="store_true", help="print the version")
    options = parser.parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        print(f"karospace-export-app {version('karospace-jupyter')}")
        return 0
    try:
        import tkinter  # noqa: F401, ICN001
    except ImportError:
        _report(_NO_TK)
        return 1
    from karospace_jupyter.desktop import system
    from karospace_jupyter.desktop.window import show

    system.forget_frozen_libraries()
    try:
        show(options.file)
    except system.NoWindowError as exc:
        _report(_NO_WINDOW.format(reason=exc))
        return 1
    return 0


def _report(text: str) -> None:
    """Print to the terminal; show a message box if there is none, as when the app was started from a menu."""
    if sys.stderr is not None:
        print(text, file=sys.stderr)
        if sys.stderr.isatty():
            return
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, text, "KaroSpace", 0x10)
        return
    boxes = {
        "osascript": ["-e", "on run texts", "-e", 'display alert "KaroSpace" message item 1 of texts', "-e", "end run"],
        "zenity": ["--error", "--no-markup", "--title=KaroSpace", "--text"],
        "kdialog": ["--title", "KaroSpace", "--error"],
        "xmessage": [],
    }
    found = next((name for name in boxes if shutil.which(name)), None)
    if found and (sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        subprocess.run([found, *boxes[found], text], check=False)  # noqa: S603 - one of these
