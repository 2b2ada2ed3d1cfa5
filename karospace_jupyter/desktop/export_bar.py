"""The footer of the window: export, cancel, progress, result and preview."""

from __future__ import annotations

import re
import tkinter as tk
from pathlib import Path
from tkinter import ttk
from typing import TYPE_CHECKING, Any

from karospace_jupyter.desktop.widgets import ClippedLabel, Scrolled, WrappedLabel
from karospace_jupyter.formatting import counted, duration, shape, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from karospace_jupyter.contracts.form import Result, SessionState
    from karospace_jupyter.desktop.app_state import AppState
    from karospace_jupyter.desktop.theme import Theme

_LOG_LINES = 9
_CONFIRMATION_MS = 4000
_END_COLUMN = 9
"""Index of the column after the last button."""
_FOLDS = ("details", "notes", "log")
_LINE = 1
"""Row of the button; elements that appear and disappear are above it."""


class ExportBar(ttk.Frame):
    """The footer with the export button, progress and result."""

    def __init__(
        self, master: tk.Misc, theme: Theme, app_state: AppState, actions: dict[str, Callable[[], None]]
    ) -> None:
        super().__init__(master, padding=(theme.px(12), theme.px(10)), name="run")
        self._theme, self._app_state, self._actions = theme, app_state, actions
        px = theme.px
        self.columnconfigure(1, weight=1)
        self.button = ttk.Button(self, text="Export", style="Primary.TButton", command=self._on_button)
        self._confirmation = self._confirmation_timer = ""
        self._there = (False, False)
        """Whether there are notes, and whether there is a log."""
        self._wrong = ""
        """Why an export is currently not possible."""
        self.button.grid(row=_LINE, column=0, sticky="w", padx=(0, px(16)))
        middle = ttk.Frame(self)
        middle.grid(row=_LINE, column=1, sticky="ew")
        middle.columnconfigure(0, weight=1)
        self.message = ClippedLabel(middle, theme)
        self.message.grid(row=0, column=0, sticky="ew")
        self.left = ttk.Label(middle, style="Muted.TLabel")
        self.left.grid(row=0, column=1, sticky="e", padx=(px(12), 0))
        self.bar = ttk.Progressbar(middle, maximum=1000)
        self.estimate = ttk.Label(self, style="Muted.TLabel")
        self.estimate.grid(row=_LINE, column=2, padx=(px(16), px(2)))
        # Elements that appear and disappear are above the button, and scroll instead of taking space from the form.
        self.rest = Scrolled(self, theme, "rest", "TFrame")
        inside = self.rest.inside
        inside.columnconfigure(2, weight=1)
        self.problem = WrappedLabel(inside, "Problem.TLabel")
        self.done = Buttons(inside, theme)
        self.done.add("view", "Open viewer", actions["view"])
        self.done.add("folder", "Open folder", actions["folder"])
        self.done.add("command", "Copy command", actions["command"])
        self.preview = Buttons(inside, theme)
        self.preview.columnconfigure(0, weight=1)
        self.preview.columnconfigure(_END_COLUMN, weight=0)
        self.served = WrappedLabel(self.preview, "Muted.TLabel")
        self.served.grid(row=0, column=0, sticky="ew", padx=(px(2), 0))
        self.preview.add("browse", "Open in browser", actions["browse"])
        self.preview.add("address", "Copy address", actions["address"])
        self.preview.add("stop_serving", "Stop", actions["stop_serving"])
        self.details = Fold(inside, theme, "Details", self._place_folds)
        self.notes = Fold(inside, theme, "notes", self._place_folds)
        self.log = Fold(inside, theme, "Log", self._place_folds)
        self.log.add("Save log…", actions["save_log"])
        self.refresh()
        self.rest.limit(px(300))
        self.rest.bind_wheel()

    def refresh(self) -> None:
        """Show the current state."""
        shown = self._app_state.shown
        export = shown.export
        estimate, problems = shown.estimate, shown.estimate.problems
        ready = bool(shown.options) and bool(shown.options.get(shown.target))
        if shown.running:
            self.button.configure(text="Cancel", style="TButton")
            self.button.state(["disabled" if shown.canceling else "!disabled"])
        else:
            self.button.configure(text="Export again" if shown.result else "Export", style="Primary.TButton")
            # Keep the last answer until there is a new one.
            self._wrong = next(iter(problems.values()), "")
            wrong = not ready or bool(shown.opening) or bool(self._wrong) or (shown.pending and not estimate.files)
            self.button.state(["disabled" if wrong else "!disabled"])
        self._message(export)
        self._estimate()
        failed = (export.error or "") if self._failed() else ""
        text = shown.fault or failed or problems.get("object", "")
        self.problem.configure(text=text)
        below = (0, self._theme.px(8))
        _at(self.problem, 0, shown=bool(text), pady=below, padx=self._theme.px(2))
        details = shown.details or (estimate.details if text else "")
        self.details.put("Details", details.splitlines())
        _at(self.details, 1, shown=bool(details), pady=below)
        _at(self.done, 5, shown=shown.result is not None and not shown.running, pady=below)
        mine = shown.result is not None and shown.result.path == shown.served  # "Open viewer" shows the same bundle
        self.preview.show("browse", shown=not mine)
        done = self._done()
        self.done.buttons["view"].configure(style="Primary.TButton" if done else "TButton")
        if done and not shown.running:
            self.button.configure(style="TButton")
        other = "" if mine else "Another preview is open: "
        place = f"{Path(shown.served).name} at {shown.address}, on this computer only"
        self.served.configure(text=f"{other}{place}" if other else f"Preview of {place}")
        _at(self.preview, 4, shown=bool(shown.address), pady=below)
        notes = [*shown.notes, *(done or estimate).warnings]
        count = len(notes)
        self.notes.put(
            f"{count} note{'s' if count > 1 else ''}",
            [f"• {one}" for one in notes],
            opened=estimate.loses_cells or bool(shown.notes),
        )
        self.log.put("Log", export.log)
        self._there = (count > 0 and not shown.running, bool(export.log))
        self._place_folds()
        if self.rest.inside.grid_slaves():
            self.rest.grid(row=0, column=0, columnspan=3, sticky="ew")
        else:
            self.rest.grid_remove()

    def on_room(self, event: tk.Event[Any]) -> None:
        """Reserve at least half of the height for the form."""
        around = self.button.winfo_reqheight() + self._theme.px(30)
        self.rest.limit(max(self._theme.px(44), event.height // 2 - around))

    def _place_folds(self) -> None:
        """Place notes and log side by side if both are collapsed."""
        below = (0, self._theme.px(8))
        notes, log = self._there
        if notes and log and not (self.notes.opened or self.log.opened):
            self.notes.grid(row=2, column=0, columnspan=1, sticky="w", pady=below)
            self.log.grid(row=2, column=1, columnspan=2, sticky="w", pady=below, padx=(self._theme.px(16), 0))
            return
        _at(self.notes, 2, shown=notes, pady=below)
        _at(self.log, 3, shown=log, pady=below)

    def confirm(self, text: str) -> None:
        """Show a short confirmation for a few seconds."""
        if self._confirmation_timer:
            self.after_cancel(self._confirmation_timer)
        self._confirmation, self._confirmation_timer = text, self.after(_CONFIRMATION_MS, self._clear_confirmation)
        self.left.configure(text=text)

    def _clear_confirmation(self) -> None:
        self._confirmation = self._confirmation_timer = ""
        self.refresh()

    def destroy(self) -> None:
        """Destroy the widget and cancel its timer."""
        if self._confirmation_timer:
            self.after_cancel(self._confirmation_timer)
        super().destroy()

    def kept(self) -> dict[str, bool]:
        """Return which sections are expanded."""
        return {name: getattr(self, name).opened for name in _FOLDS}

    def restore(self, state: dict[str, bool]) -> None:
        """Expand the sections that were expanded."""
        for name in _FOLDS:
            if getattr(self, name).opened != state[name]:
                getattr(self, name).toggle()

    def _message(self, export: SessionState) -> None:
        shown = self._app_state.shown
        px = self._theme.px
        style, left = "TLabel", self._confirmation
        if shown.running:
            text = "Canceling…" if shown.canceling else export.message
            if export.eta_s is not None and not shown.canceling:
                left = f"{duration(export.eta_s)} left"
            self.bar.configure(value=1000 * export.progress)
            self.bar.grid(row=1, column=0, columnspan=2, sticky="ew", pady=(px(5), 0))
        else:
            self.bar.grid_remove()
            text = export.message
            if self._wrong:
                # The field itself shows what to do.
                sentence = re.split(r"(?<=[.!?])\s", self._wrong.strip(), maxsplit=1)[0]
                style, text = "Problem.TLabel", f"Not ready: {' '.join(sentence.split())}"
            elif shown.result and export.status in {"idle", "done"}:
                # A result with other options is muted, because the next export will differ.
                style = "Good.TLabel" if self._done() else "Muted.TLabel"
                result = shown.result
                what = shape(result.n_cells, result.n_genes, result.n_cells_source, result.observations)
                taken = f"{counted(result.files, 'file')}, {size(result.bytes)}"
                text = f"Done · {Path(result.path).name} · {what} · {taken}"
            elif export.status in {"idle", "failed"}:
                text = "The export failed." if self._failed() else ""
        self.message.put(text, style)
        self.left.configure(text=left)

    def _done(self) -> Result | None:
        """Return the result if it was exported with the current options."""
        shown = self._app_state.shown
        return shown.result if shown.options == shown.exported else None

    def _failed(self) -> bool:
        """Return whether an export with the current options has failed."""
        shown = self._app_state.shown
        return shown.export.status == "failed" and shown.options == shown.attempted

    def _estimate(self) -> None:
        shown = self._app_state.shown
        estimate = shown.estimate
        if shown.running or self._done() or not estimate.files:
            self.estimate.configure(text="")
            return
        kept, there = estimate.n_cells, shown.summary.n_cells
        noun = shown.summary.observations.removesuffix("s")
        parts = [f"{kept:,} of {counted(there, noun)}"] if kept < there else []
        parts += [counted(estimate.files, "file"), f"about {size(estimate.bytes)}", f"≈ {duration(estimate.seconds)}"]
        self.estimate.configure(text=" · ".join(parts))

    def _on_button(self) -> None:
        if self._app_state.shown.running:
            self._app_state.cancel()
        else:
            self._actions["export"]()


class Buttons(ttk.Frame):
    """A row of buttons; an empty column after them takes the remaining width."""

    def __init__(self, master: tk.Misc, theme: Theme) -> None:
        super().__init__(master)
        self._gap = theme.px(8)
        self.columnconfigure(_END_COLUMN, weight=1)
        self.buttons: dict[str, ttk.Button] = {}

    def add(self, name: str, text: str, command: Callable[[], None]) -> None:
        """Add a button on the right."""
        button = ttk.Button(self, text=text, command=command)
        self.buttons[name] = button
        first = len(self.buttons) == 1 and not self.grid_slaves(row=0, column=0)
        button.grid(row=0, column=len(self.buttons), padx=(0 if first else self._gap, 0))

    def show(self, name: str, *, shown: bool) -> None:
        """Show or hide a button."""
        if shown:
            self.buttons[name].grid()
        else:
            self.buttons[name].grid_remove()


class Fold(ttk.Frame):
    """A collapsible block of text with a heading."""

    def __init__(self, master: tk.Misc, theme: Theme, name: str, on_toggle: Callable[[], None] | None = None) -> None:
        super().__init__(master)
        self._theme, self._name, self._on_toggle = theme, name, on_toggle
        c, px = theme.colors, theme.px
        self.columnconfigure(1, weight=1)
        self.opened = False
        self._lines: list[str] = []
        self.head = ttk.Button(self, style="Fold.TButton", command=self.toggle)
        self.head.grid(row=0, column=0, sticky="w")
        self._buttons: list[ttk.Button] = []
        self.text = tk.Text(
            self, height=1, width=20, wrap="word", font=theme.mono, background=c.soft, foreground=c.ink, relief="flat",
            highlightthickness=0, borderwidth=0, padx=px(10), pady=px(8), state="disabled", takefocus=True,
        )  # fmt: skip
        self.bar = ttk.Scrollbar(self, orient="vertical", command=self.text.yview)
        self.text.configure(yscrollcommand=self.bar.set)
        self._draw()

    def add(self, text: str, command: Callable[[], None]) -> None:
        """Add a button next to the heading, visible while the block is expanded."""
        self._buttons.append(ttk.Button(self, text=text, style="Quiet.TButton", command=command))

    def put(self, name: str, lines: Sequence[str], *, opened: bool = False) -> None:
        """Set the lines; if lines were only appended, the existing text stays in place."""
        self._name = name
        lines = list(lines)
        if lines != self._lines:
            new = lines[len(self._lines) :] if lines[: len(self._lines)] == self._lines else None
            self.text.configure(state="normal")
            if new is None:
                self.text.delete("1.0", "end")
                self.opened = self.opened or opened
            between = "\n" if new and self._lines else ""
            self.text.insert("end", between + "\n".join(lines if new is None else new))
            self.text.configure(state="disabled", height=max(1, min(_LOG_LINES, len(lines))))
            self.text.see("end" if new else "1.0")
            if opened and not self._lines:
                self.opened = True
            self._lines = lines
        self._draw()

    def toggle(self) -> None:
        """Expand or collapse the block."""
        self.opened = not self.opened
        self._draw()
        if self._on_toggle is not None:
            self._on_toggle()

    def _draw(self) -> None:
        self.head.configure(text=f"{'▾' if self.opened else '▸'} {self._name}")
        if self.opened:
            inset = self._theme.px(2)  # aligned with the frames of buttons
            self.text.grid(row=1, column=0, columnspan=2, sticky="ew", padx=(inset, 0), pady=(2 * inset, 0))
            self.bar.grid(row=1, column=2, sticky="ns", pady=(self._theme.px(4), 0))
            for button in self._buttons:
                button.grid(row=0, column=1, sticky="w")
        else:
            for part in (self.text, self.bar, *self._buttons):
                part.grid_remove()


def _at(widget: tk.Widget, row: int, *, shown: bool, pady: tuple[int, int], padx: int = 0) -> None:
    if shown:
        widget.grid(row=row, column=0, columnspan=3, sticky="ew", pady=pady, padx=padx)
    else:
        widget.grid_remove()
