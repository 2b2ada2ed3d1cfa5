"""The main window: the start page, or the form of the open file."""

from __future__ import annotations

import signal
import sys
import time
import tkinter as tk
import traceback
from pathlib import Path
from tkinter import messagebox, ttk
from types import TracebackType
from typing import Any

from karospace_jupyter.desktop import settings as remembered
from karospace_jupyter.desktop import system
from karospace_jupyter.desktop.app_state import AppState
from karospace_jupyter.desktop.commands import MenuBar, bind_keys
from karospace_jupyter.desktop.dialogs import Dialogs
from karospace_jupyter.desktop.export_bar import ExportBar
from karospace_jupyter.desktop.file_header import Head
from karospace_jupyter.desktop.icon import draw_icon
from karospace_jupyter.desktop.option_form import OptionForm, Pickers
from karospace_jupyter.desktop.presets import FIT_EVERY_FILE
from karospace_jupyter.desktop.theme import Theme, system_is_dark
from karospace_jupyter.desktop.welcome import Welcome

_POLL_MS = 30
_REPEAT_S = 0.8
"""Seconds within which a repeated action is ignored."""
_SYSTEM_S = 1.0
"""Maximum seconds to find out whether the system's theme is dark."""
_CURSORS = {"TEntry": ("icursor",), "Text": ("mark", "set", "insert")}
"""Tk commands that set the text cursor, by widget class."""
_ZOOMS = (0.75, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5)


def _is_bundle(path: Path) -> bool:
    if path.suffix.lower() not in {".zip", ".html", ".htm"} and not (path / "manifest.json").is_file():
        return False
    # Loads the models of the manifest, which takes longer than the window takes to open.
    from karospace_jupyter.bundle.files import is_bundle

    return is_bundle(path)


class Window:
    """The main window of the app.

    Parameters
    ----------
    file
        A file to open immediately.
    settings_file
        Where the settings are saved.
    """

    def __init__(self, file: str | None = None, settings_file: Path | None = None) -> None:
        self._settings_file = settings_file or remembered.settings_file()
        self.settings, note = remembered.load(self._settings_file)
        self.root, self.drops = system.make_root()
        self.root.withdraw()
        self.root.title("KaroSpace")
        self._ask = Dialogs(self.root, self.settings)
        self.app_state = AppState(self._on_change)
        self.app_state.shown.notes = (note,) if note else ()
        self.form: OptionForm | None = None
        self.export_bar: ExportBar | None = None
        self.welcome: Welcome | None = None
        self._stale: set[str] = set()
        self._polling = self._drawing = ""
        self._closed = False
        self._latest: dict[str, float] = {}
        self._kept: dict[str, Any] = {}
        """State that is not an option, restored after a rebuild: expanded sections, the search, the focus."""
        # Determined once, because each call starts an external program.
        self._system_dark = system.in_time(system_is_dark, _SYSTEM_S)
        self._scale = max(0.75, system.screen_scale(self.root))
        self._icon: tk.PhotoImage | None = None
        self._themes: dict[tuple[bool, float], Theme] = {}
        self._body: ttk.Frame | None = None
        self._drawn = ""
        """The file that the form shows."""
        self.bar: MenuBar
        try:
            self._begin(file)
        except BaseException:
            self.end()
            raise

    def _begin(self, file: str | None) -> None:
        self._build()
        self._draw()
        bind_keys(self)
        self._size()
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        self.root.report_callback_exception = self._on_callback_error
        self.root.createcommand("::tk::mac::Quit", self.close)
        self.root.createcommand("::tk::mac::OpenDocument", lambda *files: self.open(files[0]) if files else None)
        if self.drops:
            system.accept_drops(self.root, self.open)
        if file:
            self.open(file)
        self.root.update_idletasks()  # draw before the window is shown
        self.root.deiconify()
        self._poll()

    # User actions

    def open(self, path: str) -> None:
        """Open a file, or show an error if an export is running; a bundle is shown in the browser."""
        if _is_bundle(Path(path)):
            self._show_bundle(str(Path(path).absolute()))
            return
        if self._busy():
            return
        choices = {name: value for name, value in self.settings.choices.items() if name in {*FIT_EVERY_FILE, "target"}}
        self.app_state.open(path, choices)

    def pick(self) -> None:
        """Ask for an .h5ad file."""
        if self._busy():
            return
        path = self._ask.h5ad()
        if path:
            self.open(path)

    def pick_zarr(self) -> None:
        """Ask for a .zarr folder."""
        if self._busy():
            return
        path = self._ask.zarr()
        if path:
            self.open(path)

    def _busy(self) -> bool:
        """Return whether an export is running; if so, show an error."""
        if self.app_state.shown.running:
            self.fault("An export is running. Wait for it, or cancel it, before opening another file.")
        return self.app_state.shown.running

    def export(self) -> None:
        """Start the export, and remember the choices that apply to any file."""
        options = self.app_state.shown.options
        chosen = {name: options[name] for name in FIT_EVERY_FILE if name in options}
        genes = chosen.get("genes_mode")
        if not isinstance(genes, str) or genes.startswith("list:"):
            chosen.pop("genes_mode", None)
        self.settings.choices = {**chosen, "target": self.app_state.shown.target}
        self._save()
        self.app_state.export()

    def view(self) -> None:
        """Show the result in the browser: an HTML file directly, anything else through a local server."""
        if self._just_requested("view"):
            return
        self.app_state.forget_faults()
        result = self.app_state.shown.result
        if result is None:
            return
        path = result.path
        if path.endswith(".html"):
            self._browse(Path(path).as_uri(), path)
        else:
            self._show_bundle(path)

    def _show_bundle(self, path: str) -> None:
        if self.app_state.shown.served == path:
            self._browse(self.app_state.shown.address, path)
        else:
            self.app_state.serve(path, then=lambda address: self._browse(address, path))

    def close(self) -> None:
        """Cancel, stop serving and close; ask first if an export is running."""
        if self._closed:
            return
        if self.app_state.shown.running and not messagebox.askyesno(
            "An export is running", "Cancel the export and close? An existing bundle remains unchanged.",
            parent=self.root, icon="warning", default="no",
        ):  # fmt: skip
            return
        self.settings.geometry = self.root.wm_geometry()  # includes the frame, as expected when it is restored
        self._save()
        self.end()

    def end(self) -> None:
        """Cancel, stop serving and close without asking; further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            for timer in (self._polling, self._drawing):
                if timer:
                    self.root.after_cancel(timer)
            self.root.withdraw()
            self.root.update_idletasks()
        finally:
            try:
                self.app_state.close()
            finally:
                self.root.destroy()
                self._icon = None
                for theme in self._themes.values():
                    theme.forget()

    # Drawing

    def _build(self) -> None:
        """Rebuild everything for the current theme; the open file stays open.

        Done in two steps, so that the window can process events in between.
        """
        dark = self._system_dark if self.settings.theme == "system" else self.settings.theme == "dark"
        if self._drawing:
            self.root.after_cancel(self._drawing)
        self._keep()
        if self._body is not None:
            self._body.destroy()
            self.bar.destroy()
        look = (dark, self.settings.zoom)
        if look in self._themes:
            self._themes[look].use()
        else:
            self._themes[look] = Theme(self.root, dark=dark, scale=self._scale * self.settings.zoom)
        self.theme = theme = self._themes[look]
        width, height = self._room()
        self.root.minsize(min(theme.px(760), width), min(theme.px(480), height))
        self._icon = draw_icon(theme)
        self.root.iconphoto(True, self._icon)  # noqa: FBT003 - Tk's own
        self.bar = MenuBar(self)
        self._body = body = ttk.Frame(self.root, style="Ground.TFrame")
        body.pack(fill="both", expand=True)
        self.form = self.export_bar = self.welcome = None
        self._drawing = self.root.after(1, self._draw)

    def _draw(self) -> None:
        """Draw the form, or the start page."""
        if self._drawing:
            self.root.after_cancel(self._drawing)
            self._drawing = ""
        self._keep()
        body, theme, px = self._body, self.theme, self.theme.px
        assert body is not None  # noqa: S101 - created by _build()
        for child in body.winfo_children():
            child.destroy()
        self.form = self.export_bar = self.welcome = None
        if not self.app_state.shown.path:
            self.welcome = Welcome(body, theme, self.app_state, self.settings, self, drops=self.drops)
            self.welcome.pack(fill="both", expand=True)
            return
        self.head = Head(body, theme, self)
        self.head.pack(fill="x")
        foot = ttk.Frame(body, name="foot")
        foot.pack(side="bottom", fill="x")
        ttk.Frame(foot, style="Line.TFrame", height=px(1)).pack(fill="x")
        self.export_bar = ExportBar(foot, theme, self.app_state, {
            "export": self.export, "view": self.view, "folder": self._open_folder, "command": self._copy_command,
            "browse": lambda: self._browse(self.app_state.shown.address, self.app_state.shown.served),
            "stop_serving": self.app_state.stop_serving,
            "address": lambda: self._copy(self.app_state.shown.address), "save_log": self._save_log,
        })  # fmt: skip
        self.export_bar.pack(fill="x")
        body.bind("<Configure>", self.export_bar.on_room)
        ask = self._ask
        pickers = Pickers(ask.image, ask.genes, ask.target, ask.view)
        self.form = OptionForm(body, theme, self.app_state, pickers)
        self.form.pack(fill="both", expand=True)
        foot.lift()  # Tab follows the stacking order, so the footer comes last
        self._restore()

    def _keep(self) -> None:
        """Save state that is not an option; while there is no form, keep the last saved state."""
        if self.form is None or self.export_bar is None:
            return
        focus = str(self.root.tk.call("focus"))
        within = focus.removeprefix(str(self._body)) if focus.startswith(f"{self._body}.") else ""
        cursor = self.root.tk.call(focus, "index", "insert") if _has_cursor(self.root, focus) else ""
        self._kept = {
            "path": self._drawn, "form": self.form.kept(), "export_bar": self.export_bar.kept(),
            "focus": within, "cursor": cursor,
        }  # fmt: skip

    def _restore(self) -> None:
        """Restore the saved state."""
        kept, self._drawn = self._kept, self.app_state.shown.path
        if not kept or self.form is None or self.export_bar is None:
            return
        self.form.restore(kept["form"], same_file=kept["path"] == self._drawn)
        self.export_bar.restore(kept["export_bar"])
        focus = f"{self._body}{kept['focus']}"
        if kept["focus"] and self.root.tk.getboolean(self.root.tk.call("winfo", "exists", focus)):
            self.root.tk.call("focus", focus)
            if kept["cursor"] and _has_cursor(self.root, focus):
                self.root.tk.call(focus, *_CURSORS[self.root.tk.call("winfo", "class", focus)], kept["cursor"])

    def on_focus(self, widget: object) -> None:
        """Scroll the focused widget into view; when the window regains focus, check problems again."""
        shown = self.app_state.shown
        if widget is self.root and shown.estimate.problems and not shown.running:
            self.app_state.predict_again()
        if self.form is not None and self.export_bar is not None:
            self.form.follow(widget)
            self.export_bar.rest.follow(widget)

    def export_by_key(self) -> None:
        """Press the export button, if exporting is possible."""
        if self.export_bar is not None and not self.app_state.shown.running:
            self.export_bar.button.invoke()

    def zoom(self, step: int) -> None:
        """Zoom in or out by one step; 0 resets the zoom."""
        current = min(range(len(_ZOOMS)), key=lambda i: abs(_ZOOMS[i] - self.settings.zoom))
        self.settings.zoom = 1.0 if step == 0 else _ZOOMS[max(0, min(len(_ZOOMS) - 1, current + step))]
        self._save()
        self._build()

    def choose_theme(self, name: str) -> None:
        """Use the light theme, the dark theme, or that of the system."""
        self.settings.theme = name
        self._save()
        self._build()

    def _room(self) -> tuple[int, int]:
        """Return the size of the screen, minus space for the title, the menu, and a task bar."""
        return self.root.winfo_screenwidth(), self.root.winfo_screenheight() - self.theme.px(72)

    def _size(self) -> None:
        """Restore the previous size and position, adjusted to the current screens."""
        px, root = self.theme.px, self.root
        width, height = self._room()
        saved = remembered.GEOMETRY.fullmatch(self.settings.geometry)
        if saved is None:
            w, h = min(px(1060), width), min(px(740), height)
            root.geometry(f"{w}x{h}+{(width - w) // 2}+{max(0, (height - h) // 3)}")
            return
        w, h, x, y = map(int, saved.groups())
        # The area of all screens: a second one may be to the left of the first.
        left, top = min(0, root.winfo_vrootx()), min(0, root.winfo_vrooty())
        width, height = max(width, root.winfo_vrootwidth()), max(height, root.winfo_vrootheight())
        w, h = min(w, width), min(h, height)
        x, y = max(left, min(x, left + width - w)), max(top, min(y, top + height - h))
        root.geometry(f"{w}x{h}+{x}+{y}")

    # Updates

    def _on_change(self, name: str) -> None:
        self._stale.add(name)

    def _poll(self) -> None:
        try:
            self.app_state.poll()
            stale, self._stale = self._stale, set()
            if stale:
                self._refresh(stale)
        finally:
            if not self._closed:
                self._polling = self.root.after(_POLL_MS, self._poll)

    def _on_callback_error(self, kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
        """Show an unexpected error in the window, with its traceback as details."""
        if not issubclass(kind, Exception):  # Ctrl+C in the terminal
            self.end()
            return
        self.app_state.shown.details = "".join(traceback.format_exception(kind, exc, trace)).rstrip()
        self.fault(f"Unexpected error: {kind.__name__}: {exc}. This is a bug in karospace-jupyter; please report it.")

    def _refresh(self, stale: set[str]) -> None:
        if "path" in stale:
            self._opened()
            self._draw()
        elif self.form is not None and self.export_bar is not None:
            if stale & {"options", "estimate"}:
                self.form.refresh()
            self.head.refresh()
            self.export_bar.refresh()
        elif self.welcome is not None:
            self.welcome.refresh()

    def _opened(self) -> None:
        """Remember the open file."""
        path = self.app_state.shown.path
        self.settings.remember(path)
        self.settings.folder = str(Path(path).parent)
        self._save()
        self.root.title(f"{Path(path).name} – KaroSpace")

    # Helpers

    def _just_requested(self, what: str) -> bool:
        """Return whether the same action was requested a moment ago, for example by a double click."""
        now = time.monotonic()
        again = now - self._latest.get(what, -_REPEAT_S) < _REPEAT_S
        self._latest[what] = now
        return again

    def _open_folder(self) -> None:
        if self._just_requested("folder"):
            return
        self.app_state.forget_faults()
        if self.app_state.shown.result is not None:
            system.open_folder(self.app_state.shown.result.path, self.fault)

    def _browse(self, address: str, path: str) -> None:
        system.open_browser(address, path, self.fault)

    def _copy_command(self) -> None:
        # A frozen program does not include the command line.
        frozen = getattr(sys, "frozen", False)
        confirmation = "Copied (requires an installed karospace-export command)" if frozen else "Copied"
        self.app_state.command(lambda text: self._copy(text, confirmation))

    def _copy(self, text: str, confirmation: str = "Copied") -> None:
        self.root.clipboard_clear()
        self.root.clipboard_append(text)
        self._confirm(confirmation)

    def _confirm(self, text: str) -> None:
        """Show a confirmation."""
        self.app_state.forget_faults()
        if self.export_bar is not None:
            self.export_bar.confirm(text)

    def _save_log(self) -> None:
        path = self._ask.log()
        if path:
            try:
                Path(path).write_text(
                    "\n".join([self.app_state.shown.path, *self.app_state.shown.export.log, ""]), "utf-8"
                )
            except OSError as exc:
                self.fault(f"The log could not be written to {path}: {exc.strerror}. Choose another location.")
            else:
                self._confirm("Log saved")

    def fault(self, text: str) -> None:
        """Show an error message."""
        self.app_state.shown.fault = text
        self._on_change("fault")

    def _save(self) -> None:
        remembered.save(self.settings, self._settings_file)


def _has_cursor(root: tk.Tk, widget: str) -> bool:
    return bool(widget) and root.tk.call("winfo", "class", widget) in _CURSORS


def show(file: str | None = None) -> None:
    """Open the window and run until it is closed."""
    window = Window(file)
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Python runs the handler at the next poll, within milliseconds.
            signal.signal(number, lambda *_: window.root.after_idle(window.end))
        window.root.mainloop()
    finally:
        window.end()
