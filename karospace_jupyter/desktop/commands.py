"""What one can ask of the window beside its form: the bar of menus, and the keys."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import messagebox
from typing import TYPE_CHECKING

from karospace_jupyter.desktop.menu import add_to_menu, has_menu
from karospace_jupyter.desktop.parts import show_help
from karospace_jupyter.desktop.system import command_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from karospace_jupyter.desktop.window import Window

_THEMES = {"system": "As the system", "light": "Light", "dark": "Dark"}


class MenuBar(tk.Menu):
    """File, View and Help."""

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
        views.add_command(label="Larger", accelerator=f"{key}+", command=lambda: window.zoom(1))
        views.add_command(label="Smaller", accelerator=f"{key}-", command=lambda: window.zoom(-1))
        views.add_command(label="Usual size", accelerator=f"{key}0", command=lambda: window.zoom(0))
        self.add_cascade(label="View", menu=views)
        helps = tk.Menu(self, tearoff=False)
        helps.add_command(label="Help on a field", accelerator="F1", command=lambda: show_help(window.root.focus_get()))
        if has_menu():
            helps.add_command(label="Add to the applications menu", command=self.add_entry)
        helps.add_command(label="About KaroSpace", command=self._about)
        self.add_cascade(label="Help", menu=helps)
        window.root.configure(menu=self)

    def fill_recent(self) -> None:
        """Show the files that were opened last."""
        self.recent.delete(0, "end")
        paths = self._window.settings.recent
        for path in paths:
            self.recent.add_command(label=path, command=partial(self._window.open, path))
        if not paths:
            self.recent.add_command(label="Nothing yet", state="disabled")

    def add_entry(self) -> None:
        """Put the app into the applications menu of this desktop."""
        window = self._window
        try:
            entry = add_to_menu()
        except OSError as exc:
            window.fault(f"The entry could not be written: {exc}.")
            return
        window.desk.forget_faults()
        said = f"KaroSpace is in the applications menu now.\n\n{entry}"
        messagebox.showinfo("KaroSpace", said, parent=window.root)

    def _about(self) -> None:
        from importlib.metadata import version

        messagebox.showinfo(
            "About KaroSpace",
            f"karospace-jupyter {version('karospace-jupyter')}\n\nFrom an AnnData to a static viewer of its tissue.",
            parent=self._window.root,
        )


def bind_keys(window: Window) -> None:
    """Let keys do what the menus do, wherever the focus is."""
    root, command = window.root, command_key(window.root)
    actions: dict[str, Callable[[], None]] = {
        "o": window.pick, "q": window.close, "Return": window.export_by_key, "plus": lambda: window.zoom(1),
        "equal": lambda: window.zoom(1), "minus": lambda: window.zoom(-1), "0": lambda: window.zoom(0),
    }  # fmt: skip
    for key, action in actions.items():
        # Of every widget and before what each does by itself: a text would begin a line with Ctrl+O.
        root.bind(f"<{command}-{key}>", partial(_run, action))
        root.bind_class("Text", f"<{command}-{key}>", partial(_run, action))
    for kind in ("TButton", "TRadiobutton", "TCheckbutton"):
        # As everywhere else: Return presses what has the focus.
        root.bind_class(kind, "<Return>", lambda event: event.widget.invoke())
        # That is another key: without a binding of its own it would press the button, too.
        root.bind_class(kind, f"<{command}-Return>", lambda _: None)
    root.bind("<F1>", lambda event: show_help(event.widget))
    root.bind("<FocusIn>", lambda event: window.on_focus(event.widget))


def _run(action: Callable[[], None], _: object) -> str:
    action()
    return "break"
