"""The header above the form: the open file and its summary."""

from __future__ import annotations

from pathlib import Path
from tkinter import ttk
from typing import TYPE_CHECKING

from karospace_jupyter.desktop.widgets import WrappedLabel
from karospace_jupyter.formatting import shape

if TYPE_CHECKING:
    import tkinter as tk

    from karospace_jupyter.desktop.theme import Theme
    from karospace_jupyter.desktop.window import Window


class Head(ttk.Frame):
    """The header with the open file and its summary."""

    def __init__(self, master: tk.Misc, theme: Theme, window: Window) -> None:
        px = theme.px
        super().__init__(master, name="head", style="Ground.TFrame", padding=(px(14), px(12), px(12), px(10)))
        self._window = window
        summary, path = window.app_state.shown.summary, Path(window.app_state.shown.path)
        self.columnconfigure(0, weight=1)
        name = ttk.Label(self, text=path.name, style="GroundTitle.TLabel")
        name.grid(row=0, column=0, sticky="w")
        counts = shape(summary.n_cells, summary.n_genes, observations=summary.observations)
        self._facts = " · ".join([counts, *summary.facts])
        self.facts = WrappedLabel(self, "Ground.TLabel")
        self.facts.grid(row=1, column=0, sticky="ew", pady=(px(2), 0))
        self.open = ttk.Button(self, style="Ground.TButton")
        self.open.grid(row=0, column=1, rowspan=2, sticky="e")
        self.refresh()

    def refresh(self) -> None:
        """Show the summary, which file is being opened, or why it could not be opened."""
        shown = self._window.app_state.shown
        refused = f"Not opened: {shown.refused}" if shown.refused else ""
        text = f"Inspecting {shown.opening}…" if shown.opening else refused or self._facts
        wrong = shown.refused and not shown.opening
        self.facts.configure(text=text, style="GroundProblem.TLabel" if wrong else "Ground.TLabel")
        if shown.opening:
            self.open.configure(text="Cancel", command=self._window.app_state.give_up)
        else:
            self.open.configure(text="Open another…", command=self._window.pick)
