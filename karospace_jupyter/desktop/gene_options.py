"""The field for the genes: a number of genes, a typed list, a list in a file, or all genes."""

from __future__ import annotations

import re
import tkinter as tk
from functools import partial
from tkinter import ttk
from typing import TYPE_CHECKING, Any

from karospace_jupyter.desktop.widgets import Entry, Field, Segments, select_all, ungrouped

if TYPE_CHECKING:
    from collections.abc import Callable

    from karospace_jupyter.contracts.form import UnknownGene
    from karospace_jupyter.desktop.app_state import AppState
    from karospace_jupyter.desktop.theme import Theme

MODES = (("hvgs", "Variable"), ("top_mean", "Top mean"), ("typed", "Typed"), ("file", "File"), ("all", "All"))
_SHOWN_UNKNOWN = 6
_HELP = """\
Variable: the genes that vary most between cells, or those marked in the file.
Top mean: the genes with the highest mean.
Typed: a list of names, with suggestions; one per line if names contain spaces, commas or semicolons.
File: a text file with one gene per line.
All: every gene; gives the largest bundle."""


def names_in(text: str, *, separators: str = r"\s,;") -> list[str]:
    """Split text into unique names at any of `separators`, written as in the brackets of a regular expression."""
    return list(dict.fromkeys(name for name in map(str.strip, re.split(f"[{separators}]", text)) if name))


def mode_of(value: str | list[str]) -> tuple[str, str]:
    """Return the mode of the option, and its number or path."""
    if not isinstance(value, str):
        return "typed", ""
    kind, _, rest = value.partition(":")
    return ("file" if kind == "list" else kind), rest


class GeneOptions(Field):
    """The field for the genes to export."""

    def __init__(self, master: tk.Misc, theme: Theme, app_state: AppState, pick: Callable[[], str]) -> None:
        super().__init__(master, theme, "Genes", _HELP)
        self._app_state, self._pick = app_state, pick
        px = theme.px
        self._count = "500"
        self._values: dict[str, Any] = {"typed": [], "file": "list:"}
        """The last value of the option in each of these modes, to restore when the user returns to the mode."""
        self.segments = Segments(self.body, MODES, self._choose, theme)
        self.segments.grid(row=0, column=0, sticky="ew")
        self.rest = ttk.Frame(self.body)
        self.rest.grid(row=1, column=0, sticky="ew", pady=(px(6), 0))
        self.rest.columnconfigure(0, weight=1)
        self.number = Entry(self.rest, theme, self._on_number)
        self.note = ttk.Label(self.rest, style="Muted.TLabel")
        self.path = Entry(
            self.rest, theme, lambda text: app_state.change(genes_mode=f"list:{text}"), hint="One gene per line"
        )
        self.browse = ttk.Button(self.rest, text="Browse…", command=self._on_browse)
        self.typed = Typed(self.rest, theme, app_state)
        self.skip = ttk.Button(self.rest, style="Fold.TButton", command=self._skip_unknown)
        """Button for a list in a file: continue with the genes that exist in the data."""
        self._drawn = ""
        self.refresh()

    def refresh(self) -> None:
        """Show the options and their problems."""
        value = self._app_state.shown.options["genes_mode"]
        mode, rest = mode_of(value)
        self.segments.put(mode)
        if mode in self._values:
            self._values[mode] = value
        if mode in {"hvgs", "top_mean"}:
            self._count = rest
            self.number.put(rest)
        elif mode == "file":
            self.path.put(rest)
        elif mode == "typed":
            self.typed.refresh()
        if mode != self._drawn:
            self._draw(mode)
        summary = self._app_state.shown.summary
        n = summary.n_genes
        note = f"of {n:,}"
        if mode == "hvgs" and summary.marked:
            note += f" · {summary.marked:,} marked as variable"
        if mode == "all" or (rest.isascii() and rest.isdigit() and int(rest) >= n):
            note = f"All {n:,} genes" if n != 1 else "All genes (1)"
        self.note.configure(text=note)
        estimate = self._app_state.shown.estimate
        problem = estimate.problems.get("genes_mode", "")
        if mode == "file" and not rest:
            problem = "Choose a text file with one gene per line."
        unknown = estimate.unknown
        self.show_problem("" if mode == "typed" and unknown else problem)
        if mode == "file" and unknown and len(unknown) < len(estimate.listed):
            self.skip.configure(text="Skip this gene" if len(unknown) == 1 else f"Skip these {len(unknown):,} genes")
            self.skip.grid(row=1, column=0, columnspan=2, sticky="w")
        else:
            self.skip.grid_remove()
        self.number.mark(wrong=bool(problem))
        self.path.mark(wrong=bool(problem))

    def kept(self) -> dict[str, Any]:
        """Return state that is not an option: the last value of each mode."""
        return {"values": self._values, "count": self._count}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore the state from kept(); the current options take precedence."""
        mode, _ = mode_of(self._app_state.shown.options["genes_mode"])
        self._values |= {name: value for name, value in state["values"].items() if name != mode}
        if mode not in {"hvgs", "top_mean"}:
            self._count = state["count"]

    def _draw(self, mode: str) -> None:
        self._drawn = mode
        px = self.theme.px
        for child in (self.number, self.note, self.path, self.browse, self.typed):
            child.grid_remove()
        if mode in {"hvgs", "top_mean"}:
            self.number.grid(row=0, column=0, sticky="ew")
            self.note.grid(row=0, column=1, padx=(px(8), px(2)))
        elif mode == "file":
            self.path.grid(row=0, column=0, sticky="ew")
            self.browse.grid(row=0, column=1, padx=(px(6), 0))
        elif mode == "typed":
            self.typed.grid(row=0, column=0, columnspan=2, sticky="ew")
        else:
            self.note.grid(row=0, column=0, sticky="w", padx=px(2))

    def _choose(self, mode: str) -> None:
        if mode in self._values:
            self._app_state.change(genes_mode=self._values[mode])
        else:
            self._app_state.change(genes_mode="all" if mode == "all" else f"{mode}:{self._count}")
        self.refresh()
        if mode == "file" and self._values[mode] == "list:" and not self.segments.by_arrow:
            self._on_browse()

    def _on_number(self, text: str) -> None:
        mode = self.segments.variable.get()
        if mode in {"hvgs", "top_mean"}:
            self._count = ungrouped(text)
            self._app_state.change(genes_mode=f"{mode}:{self._count}")

    def _on_browse(self) -> None:
        path = self._pick()
        if path:
            self._app_state.change(genes_mode=f"list:{path}")

    def _skip_unknown(self) -> None:
        estimate = self._app_state.shown.estimate
        unknown = {one.name for one in estimate.unknown}
        self._app_state.change(genes_mode=[name for name in estimate.listed if name not in unknown])


class Typed(ttk.Frame):
    """A text box for names with suggestions; names that are not in the data are listed below it."""

    def __init__(self, master: tk.Misc, theme: Theme, app_state: AppState) -> None:
        super().__init__(master)
        self._theme, self._app_state = theme, app_state
        c, px = theme.colors, theme.px
        self.columnconfigure(0, weight=1)
        frame = ttk.Frame(self, style="Inner.TFrame", padding=px(6))
        frame.grid(row=0, column=0, sticky="ew")
        frame.columnconfigure(0, weight=1)
        self.text = tk.Text(
            frame, height=4, width=20, wrap="word", font=theme.body, background=c.panel, foreground=c.ink,
            insertbackground=c.ink, selectbackground=c.accent, selectforeground=c.on_accent, relief="flat",
            highlightthickness=0, borderwidth=0, undo=True, padx=px(1), pady=px(2),
        )  # fmt: skip
        self.text.grid(row=0, column=0, sticky="ew")
        self.hits = tk.Listbox(
            frame, height=0, font=theme.body, background=c.soft, foreground=c.ink, selectbackground=c.accent_soft,
            selectforeground=c.ink, relief="flat", highlightthickness=0, borderwidth=0, activestyle="none",
            exportselection=False, takefocus=False,
        )  # fmt: skip
        self.note = ttk.Label(self, style="Muted.TLabel")
        self.note.grid(row=1, column=0, sticky="w", padx=px(2), pady=(px(3), 0))
        self.unknown = ttk.Frame(self)
        self.unknown.grid(row=2, column=0, sticky="ew", padx=px(2))
        self._drawn: tuple[UnknownGene, ...] = ()
        self._separators = app_state.shown.summary.separators
        self.text.bind("<<Modified>>", self._on_text)
        for key in ("<Down>", "<Up>", "<Return>", "<Tab>", "<Escape>"):
            self.text.bind(key, self._on_key)
        self.text.bind("<Shift-Tab>", lambda _: self._focus(self.text.tk_focusPrev()))
        for part in (self.text, self.hits):
            # Scheduled on the window, because this widget may be destroyed by then.
            part.bind("<FocusOut>", lambda _: self.winfo_toplevel().after_idle(self._on_focus_out))
        self.hits.bind("<ButtonRelease-1>", lambda _: self._take(self._chosen()))
        select_all(self.text)

    def refresh(self) -> None:
        """Show the names in the options, and which of them are unknown."""
        value = self._app_state.shown.options["genes_mode"]
        if isinstance(value, str):
            return
        # If the modified flag is set, a key was pressed in the meantime and the text is newer than the options.
        if not self.text.edit_modified() and self._names() != value:
            self.text.replace("1.0", "end", "\n".join(value))
        estimate = self._app_state.shown.estimate
        unknown = self._drawn if self._app_state.shown.pending else estimate.unknown
        text = "No genes listed" if not value else f"{len(value):,} gene{'s' if len(value) > 1 else ''}"
        self.note.configure(text=text + (f" · {len(unknown):,} not in the data:" if unknown else ""))
        self._draw_unknown(unknown)

    def _draw_unknown(self, unknown: tuple[UnknownGene, ...]) -> None:
        if unknown == self._drawn:
            return
        self._drawn = unknown
        for child in self.unknown.winfo_children():
            child.destroy()
        for row, one in enumerate(unknown[:_SHOWN_UNKNOWN]):
            name = one.name
            ttk.Label(self.unknown, text=name, style="Problem.TLabel").grid(row=row, column=0, sticky="w")
            for at, near in enumerate(one.near[:2]):
                ttk.Button(
                    self.unknown, text=f"Use {near}", style="Quiet.TButton",
                    command=partial(self._swap, name, [near]),
                ).grid(row=row, column=1 + at, sticky="w")  # fmt: skip
            ttk.Button(self.unknown, text="Remove", style="Quiet.TButton", command=partial(self._swap, name, [])).grid(
                row=row, column=3, sticky="w"
            )
        if len(unknown) > _SHOWN_UNKNOWN:
            more = ttk.Label(self.unknown, text=f"and {len(unknown) - _SHOWN_UNKNOWN} more", style="Muted.TLabel")
            more.grid(row=_SHOWN_UNKNOWN, column=0, sticky="w")
        if len(unknown) > 1:
            every = ttk.Button(
                self.unknown, text=f"Remove all {len(unknown):,}", style="Fold.TButton", command=self._remove_unknown
            )
            every.grid(row=_SHOWN_UNKNOWN + 1, column=0, columnspan=4, sticky="w")

    def _names(self) -> list[str]:
        return names_in(self.text.get("1.0", "end"), separators=self._separators)

    def _remove_unknown(self) -> None:
        unknown = {one.name for one in self._drawn}
        self.text.replace("1.0", "end", "\n".join(name for name in self._names() if name not in unknown))

    def _swap(self, name: str, replacement: list[str]) -> None:
        names = self._names()
        at = names.index(name) if name in names else len(names)
        names[at : at + 1] = replacement
        self.text.replace("1.0", "end", "\n".join(dict.fromkeys(names)))

    def _on_text(self, _: object) -> None:
        if not self.text.edit_modified():
            return
        self.text.edit_modified(False)  # noqa: FBT003 - Tk's own
        names = self._names()
        if not isinstance(self._app_state.shown.options["genes_mode"], str):
            self._app_state.change(genes_mode=names)
        word = self._word()
        if len(word) >= 2 and self.focus_get() is self.text:
            self._app_state.complete(word, lambda hits: self._offer([] if hits == [word] else hits, word))
        else:
            self._offer([])

    def _on_focus_out(self) -> None:
        # A click on a suggestion moves the focus before it selects the name.
        if self.winfo_exists() and str(self.tk.call("focus")) not in {str(self.text), str(self.hits)}:
            self._offer([])

    def _word(self) -> str:
        before = self.text.get("insert linestart", "insert")
        return re.split(f"[{self._separators}]", before)[-1].lstrip()

    def _offer(self, hits: list[str], word: str = "") -> None:
        if not self.winfo_exists() or (hits and word != self._word()):
            return  # the widget was rebuilt, or the text changed in the meantime
        self.hits.delete(0, "end")
        if hits:
            self.hits.insert("end", *hits)
            self.hits.configure(height=min(6, len(hits)))
            # Return accepts the first suggestion only if it equals the typed name, ignoring case.
            if hits[0].casefold() == word.casefold():
                self.hits.selection_set(0)
            self.hits.grid(row=1, column=0, sticky="ew", pady=(self._theme.px(4), 0))
        else:
            self.hits.grid_remove()

    def _focus(self, to: tk.Misc | None) -> str:
        if to is not None:
            to.focus_set()
        return "break"

    def _chosen(self) -> int | None:
        chosen: tuple[int, ...] = self.hits.curselection()  # type: ignore[no-untyped-call]
        return chosen[0] if chosen else None

    def _on_key(self, event: tk.Event[Any]) -> str | None:
        count = self.hits.size()
        if count == 0:
            if event.keysym == "Tab":  # move the focus: gene names contain no tabs
                return self._focus(self.text.tk_focusNext())
            return None
        chosen = self._chosen()
        if event.keysym == "Return" and chosen is None:
            self._offer([])
            return None  # insert a line break
        if event.keysym in {"Down", "Up"}:
            step = 1 if event.keysym == "Down" else -1
            at = 0 if chosen is None else max(0, min(count - 1, chosen + step))
            self.hits.selection_clear(0, "end")
            self.hits.selection_set(at)
            self.hits.see(at)
        elif event.keysym in {"Return", "Tab"}:
            self._take(chosen or 0)
        else:
            self._offer([])
        return "break"

    def _take(self, chosen: int | None) -> None:
        if chosen is not None:
            name = self.hits.get(chosen)
            self.text.replace(f"insert - {len(self._word())} chars", "insert", f"{name}\n")
        self._offer([])
        self.text.focus_set()
