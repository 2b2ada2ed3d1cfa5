"""The system's file and folder dialogs."""

from __future__ import annotations

import os
from pathlib import Path
from tkinter import filedialog
from typing import TYPE_CHECKING, Any

from karospace_jupyter.desktop.app_state import TARGETS
from karospace_jupyter.desktop.system import in_time

if TYPE_CHECKING:
    import tkinter as tk

    from karospace_jupyter.desktop.settings import Settings

_ALL = ("All files", "*")
_FOLDER_S = 0.05
"""Maximum seconds to check whether the last folder exists; a network share may not respond."""


class Dialogs:
    """Ask for one path at a time; each method returns a path, or an empty string if the dialog was canceled.

    Parameters
    ----------
    root
        The parent window of the dialogs.
    settings
        Provides the initial folder.
    """

    def __init__(self, root: tk.Tk, settings: Settings) -> None:
        self._root, self._settings = root, settings

    def h5ad(self) -> str:
        """Ask for the file to open."""
        return self._file("Open an AnnData file", ("AnnData", "*.h5ad *.h5"))

    def zarr(self) -> str:
        """Ask for the folder to open."""
        return _text(
            filedialog.askdirectory(
                parent=self._root, title="Open a .zarr folder", initialdir=self._folder(), mustexist=True
            )
        )

    def image(self) -> str:
        """Ask for an image of the tissue."""
        return self._file("Tissue image", ("Images", "*.png *.jpg *.jpeg *.webp *.tif *.tiff"))

    def view(self) -> str:
        """Ask for a view that was saved in the viewer."""
        return self._file("Saved view", ("Views", "*.json"))

    def genes(self) -> str:
        """Ask for a list of genes."""
        return self._file("Gene list: one gene per line", ("Lists", "*.txt *.csv *.tsv"))

    def target(self, target: str, value: str) -> str:
        """Ask where to write; `target` is one of TARGETS, `value` its current value."""
        current = Path(value or self._folder())
        if target == "outdir":
            folder = filedialog.askdirectory(parent=self._root, title="Folder to write", initialdir=str(current.parent))
            if not folder:
                return ""
            # Suggest a new subfolder if the folder holds other files.
            chosen = Path(str(folder))
            try:
                taken = chosen.is_dir() and any(chosen.iterdir()) and not (chosen / "manifest.json").exists()
            except OSError:  # the field reports unreadable folders
                taken = False
            return str(chosen / current.name) if taken else str(chosen)
        suffix = TARGETS[target]
        return self._new(
            "File to write", current.name, suffix, initialdir=str(current.parent),
            filetypes=[(suffix.strip("."), f"*{suffix}")], confirmoverwrite=False,
        )  # fmt: skip

    def log(self) -> str:
        """Ask where to save the log."""
        return self._new("Save log", "karospace-export.log.txt", ".txt", initialdir=self._folder())

    def _file(self, title: str, kind: tuple[str, str]) -> str:
        return _text(
            filedialog.askopenfilename(
                parent=self._root, title=title, initialdir=self._folder(), filetypes=[kind, _ALL]
            )
        )

    def _new(self, title: str, name: str, suffix: str, **options: Any) -> str:  # noqa: ANN401 - Tk's own
        return _text(
            filedialog.asksaveasfilename(
                parent=self._root, title=title, initialfile=name, defaultextension=suffix, **options
            )
        )

    def _folder(self) -> str:
        folder = self._settings.folder
        exists = bool(folder) and in_time(lambda: os.path.isdir(folder), _FOLDER_S)  # noqa: PTH112 - raises nothing
        return folder if exists else str(Path.home())


def _text(answer: object) -> str:
    """Convert Tk's answer, a string or an empty tuple, to a string."""
    return str(answer) if answer else ""
