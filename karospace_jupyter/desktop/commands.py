"""Commands of the window outside its form: the menu bar and keyboard shortcuts."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import messagebox
from typing import TYPE_CHECKING

from karospace_jupyter.desktop.menu import add_to_menu, has_menu
from karospace_jupyter.desktop.system import command_key
from karospace_jupyter.desktop.widgets import show_help

if TYPE_CHECKING:
    from collections.abc import Callable

    from karospace_jupyter.desktop.window import Window

_THEMES = {"system": "Same as system", "light": "Light", "dark": "Dark"}


class MenuBar(tk.Menu):
    """The File, View and Help menus."""

    def __init__(self, window: Window) -> None:
        super().__init__(window.root, tearoff=False)
        self._window = window
        key = "Command-" if command_key(window.root) == "Command" else "Ctrl+"
        files = tk.Menu(self, tearoff=False)
        files.add_command(label="Open .h5ad…", accelerator=f"{key}O", command=window.pick)
        files.add_command(label="Open .zarr…", command=window.pick_zarr)
        self.recent = tk.Menu(files, tearoff=False, postcommand=self.fill_recent)
        files.add_cascade(label="Open recent", menu=self.recent)
        files.add_separator()
        files.add_command(label="Quit", accelerator=f"{key}Q", command=window.close)
        self.add_cascade(label="File", menu=files)
        views = tk.Menu(self, tearoff=False)
        self._theme = tk.StringVar(window.root, window.settings.theme)
        for name, text in _THEMES.items():
            choose = partial(window.choose_theme, name)
            views.add_radiobutton(label=text, value=name, variable=self._theme, command=choose)
        views.add_separator()
        views.add_command(label="Zoom in", accelerator=f"{key}+", command=lambda: window.zoom(1))
        views.add_command(label="Zoom out", accelerator=f"{key}-", command=lambda: window.zoom(-1))
        views.add_command(label="Reset zoom", accelerator=f"{key}0", command=lambda: window.zoom(0))
        self.add_cascade(label="View", menu=views)
        helps = tk.Menu(self, tearoff=False)
        helps.add_command(label="Field help", accelerator="F1", command=lambda: show_help(window.root.focus_get()))
        if has_menu():
            helps.add_command(label="Add to applications menu", command=self.add_entry)
        helps.add_command(label="About KaroSpace", command=self._about)
        self.add_cascade(label="Help", menu=helps)
        window.root.configure(menu=self)

    def fill_recent(self) -> None:
        """Fill the menu with the recently opened files."""
        self.recent.delete(0, "end")
        paths = self._window.settings.recent
        for path in paths:
            self.recent.add_command(label=path, command=partial(self._window.open, path))
        if not paths:
            self.recent.add_command(label="No recent files", state="disabled")

    def add_entry(self) -> None:
        """Add the app to the applications menu of this desktop."""
        window = self._window
        try:
            entry = add_to_menu()
        except OSError as exc:
            window.fault(f"The menu entry could not be written: {exc}.")
            return
        window.app_state.forget_faults()
        message = f"KaroSpace was added to the applications menu.\n\n{entry}"
        messagebox.showinfo("KaroSpace", message, parent=window.root)

    def _about(self) -> None:
        from importlib.metadata import version

        messagebox.showinfo(
            "About KaroSpace",
            f"karospace-jupyter {version('karospace-jupyter')}\n\nExports AnnData to a static viewer of its tissue.",
            parent=self._window.root,
        )


def bind_keys(window: Window) -> None:
    """Bind the keyboard shortcuts of the menus, independent of the focus."""
    root, command = window.root, command_key(window.root)
    actions: dict[str, Callable[[], None]] = {
        "o": window.pick, "q": window.close, "Return": window.export_by_key, "plus": lambda: window.zoom(1),
        "equal": lambda: window.zoom(1), "minus": lambda: window.zoom(-1), "0": lambda: window.zoom(0),
    }  # fmt: skip
    for key, action in actions.items():
        # Also bound to the Text class, before its own bindings: Ctrl+O would insert a line there.
        root.bind(f"<{command}-{key}>", partial(_run, action))
        root.bind_class("Text", f"<{command}-{key}>", partial(_run, action))
    for kind in ("TButton", "TRadiobutton", "TCheckbutton"):
        # As on most platforms, Return presses the focused button.
        root.bind_class(kind, "<Return>", lambda event: event.widget.invoke())
        # The export shortcut: without its own binding it would also press the button.
        root.bind_class(kind, f"<{command}-Return>", lambda _: None)
    root.bind("<F1>", lambda event: show_help(event.widget))
    root.bind("<FocusIn>", lambda event: window.on_focus(event.widget))


def _run(action: Callable[[], None], _: object) -> str:
    action()
    return "break"
