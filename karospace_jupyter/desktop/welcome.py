"""The start page, shown until a file is open."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from pathlib import Path
from tkinter import ttk
from typing import TYPE_CHECKING

from karospace_jupyter.desktop.export_bar import Fold

if TYPE_CHECKING:
    from karospace_jupyter.desktop.app_state import AppState
    from karospace_jupyter.desktop.settings import Settings
    from karospace_jupyter.desktop.theme import Theme
    from karospace_jupyter.desktop.window import Window

_RECENT = 5


class Welcome(ttk.Frame):
    """The start page, which asks for a file."""

    def __init__(
        self, master: tk.Misc, theme: Theme, app_state: AppState, settings: Settings, window: Window, *, drops: bool
    ) -> None:
        super().__init__(master, style="Ground.TFrame")
        self._theme, self._app_state = theme, app_state
        px = theme.px
        middle = ttk.Frame(self, style="Card.TFrame", padding=px(36))
        middle.place(relx=0.5, rely=0.46, anchor="center")
        from karospace_jupyter.desktop.icon import draw_icon

        self._picture = draw_icon(theme, 72)
        ttk.Label(middle, image=self._picture).pack()
        ttk.Label(middle, text="Export AnnData to a viewer", style="Title.TLabel").pack(pady=(px(14), px(4)))
        hint = (
            "Drop an .h5ad file or an exported bundle here, or choose a file."
            if drops
            else "Choose an .h5ad file or a .zarr folder."
        )
        ttk.Label(middle, text=hint, style="Muted.TLabel").pack()
        row = ttk.Frame(middle)
        row.pack(pady=(px(18), 0))
        self.open = ttk.Button(row, text="Open .h5ad…", style="Primary.TButton", command=window.pick)
        self.open.pack(side="left")
        self.open_zarr = ttk.Button(row, text="Open .zarr…", command=window.pick_zarr)
        self.open_zarr.pack(side="left", padx=(px(8), 0))
        self.message = ttk.Label(middle, style="Muted.TLabel", wraplength=px(440), justify="center")
        self.bar = ttk.Progressbar(middle, mode="indeterminate", length=px(300), style="Busy.Horizontal.TProgressbar")
        self.cancel = ttk.Button(middle, text="Cancel", command=app_state.give_up)
        self.details = Fold(self, theme, "Details")
        # Checked only when opened: a lost network share may take minutes to respond.
        recent = settings.recent[:_RECENT]
        self.recent: list[ttk.Button] = []
        if recent:
            ttk.Label(middle, text="RECENT", style="Caps.TLabel").pack(anchor="w", pady=(px(22), px(2)))
        for path in recent:
            row = ttk.Frame(middle)
            row.pack(fill="x")
            row.columnconfigure(0, weight=1)
            button = ttk.Button(row, text=Path(path).name, style="Row.TButton", command=partial(window.open, path))
            button.grid(row=0, column=0, sticky="ew")
            folder = ttk.Label(row, text=_short(Path(path).parent), style="Muted.TLabel")
            folder.grid(row=0, column=1, padx=(px(16), px(12)))
            folder.bind("<Button-1>", lambda _, button=button: button.invoke())  # type: ignore[misc]
            self.recent.append(button)
        self.open.focus_set()
        self.refresh()

    def destroy(self) -> None:
        """Destroy the widget and release its image now: Tk images may only be released on Tk's thread."""
        super().destroy()
        del self._picture

    def refresh(self) -> None:
        """Show which file is being opened, or why it could not be opened."""
        shown, px = self._app_state.shown, self._theme.px
        text, style = shown.refused or shown.fault or " ".join(shown.notes), "Problem.TLabel"
        if not text and shown.address:
            text = f"{Path(shown.served).name} is open at {shown.address}, on this computer only."
            style = "Muted.TLabel"
        if shown.opening:
            text, style = f"Inspecting {Path(shown.opening).name}…", "Muted.TLabel"
            self.bar.start(30)
        else:
            self.bar.stop()
            self.bar.pack_forget()
            self.cancel.pack_forget()
        self.message.configure(text=text, style=style)
        self.details.put("Details", shown.details.splitlines())
        if shown.details:
            self.details.pack(side="bottom", fill="x", padx=px(20), pady=px(12))
        else:
            self.details.pack_forget()
        if text:
            self.message.pack(after=self.open.master, pady=(px(14), 0))  # type: ignore[arg-type]
            if shown.opening:
                self.bar.pack(after=self.message, pady=(px(8), 0))
                self.cancel.pack(after=self.bar, pady=(px(10), 0))
        else:
            self.message.pack_forget()


def _short(folder: Path) -> str:
    try:
        return f"~/{folder.relative_to(Path.home())}"
    except ValueError:
        return str(folder)
