"""The list of annotations: searchable, with categories and colors, checked by mouse or space bar."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import ttk
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from karospace_jupyter.desktop.system import command_key
from karospace_jupyter.desktop.widgets import Entry, Field
from karospace_jupyter.formatting import counted, number, split_kind

if TYPE_CHECKING:
    from karospace_jupyter.contracts.form import ColumnFact
    from karospace_jupyter.desktop.app_state import AppState
    from karospace_jupyter.desktop.theme import Theme

_ROWS = 9
_DOTS = 5
_FINE = 4  # supersampling factor for smooth edges
_SCALE = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
"""The viewer's color scale for numbers."""


class AnnotationList(Field):
    """The field for the columns of obs to export."""

    def __init__(self, master: tk.Misc, theme: Theme, app_state: AppState) -> None:
        super().__init__(master, theme, "Annotations", app_state.shown.summary.help["annotation_columns"])
        self._app_state = app_state
        px = theme.px
        self._facts = app_state.shown.summary.columns
        self._colored = any(fact.colors or fact.kind == "number" for fact in self._facts)
        self._pictures: dict[tuple[Any, ...], tk.PhotoImage] = {}
        self._painted: dict[str, bool | None] = {}
        """Rows whose image is drawn, and whether they are checked."""
        self.many = len(self._facts) > _ROWS
        """Whether there are more rows than fit at once."""
        if self.many:
            self.rowconfigure(1, weight=1)
            self.body.rowconfigure(1, weight=1)
        self.search = Entry(self.body, theme, lambda _: self._fill(), hint=f"Search {len(self._facts)} columns")
        if len(self._facts) > 7:
            self.search.grid(row=0, column=0, columnspan=2, sticky="ew", pady=(0, px(6)))
        frame = ttk.Frame(self.body, style="Inner.TFrame", padding=px(5))
        frame.grid(row=1, column=0, columnspan=2, sticky="nsew")
        frame.columnconfigure(0, weight=1)
        frame.rowconfigure(0, weight=1)
        self.tree = ttk.Treeview(
            frame, columns=("kind",), show="tree", selectmode="browse", height=min(_ROWS, max(3, len(self._facts)))
        )
        self.tree.column("#0", width=px(220), minwidth=px(120), stretch=True)
        kinds = max((theme.body.measure(f"{_own_kind(fact)} ⇄") for fact in self._facts), default=0) + px(12)
        self.tree.column("kind", width=min(kinds, px(150)), minwidth=px(40), anchor="e", stretch=False)
        self.tree.tag_configure("other", foreground=theme.colors.muted)
        self.tree.tag_configure("none", foreground=theme.colors.muted)
        # Shrink the names, not the kinds next to them.
        self.tree.bind("<Configure>", lambda event: self._share(event.width))
        self.tree.grid(row=0, column=0, sticky="nsew")
        bar = ttk.Scrollbar(frame, orient="vertical", command=self.tree.yview)
        frame.columnconfigure(1, minsize=bar.winfo_reqwidth())
        self.tree.configure(yscrollcommand=partial(self._on_scroll, bar))
        bar.grid(row=0, column=1, sticky="ns")
        self.tree.bind("<Button-1>", self._on_click)
        self.tree.bind("<space>", self._on_key)
        self.tree.bind("<Return>", self._on_key)
        self.tree.bind("k", self._on_switch_kind)
        # The export shortcut: without its own binding it would also toggle the row.
        self.tree.bind(f"<{command_key(self)}-Return>", lambda _: None)
        self.tree.bind("<FocusIn>", self._on_focus)
        foot = ttk.Frame(self.body)
        foot.grid(row=2, column=0, columnspan=2, sticky="ew", padx=(px(2), 0), pady=(px(4), 0))
        self.count = ttk.Label(foot, style="Muted.TLabel")
        self.count.pack(side="left")
        for text, command in (
            ("None", lambda: self._set([])),
            ("All", lambda: self._set([one.name for one in self._facts if one.kind != "other"])),
            ("Suggested", lambda: self._set(None)),
        ):
            ttk.Button(foot, text=text, style="Quiet.TButton", command=command).pack(side="right")
        self.refresh()

    def _share(self, width: int) -> None:
        kind_width = int(self.tree.column("kind", "width"))  # type: ignore[call-overload]
        self.tree.column("#0", width=max(self.theme.px(120), width - kind_width))

    def destroy(self) -> None:
        """Destroy the widget and release its images now: Tk images may only be released on Tk's thread."""
        super().destroy()
        self._pictures.clear()

    def refresh(self) -> None:
        """Show the options and their problems."""
        self._fill()
        self.show_problem(self._app_state.shown.estimate.problems.get("annotation_columns", ""))

    def _chosen(self) -> dict[str, str]:
        """Return the chosen columns by name: each as listed in the options, with a prefix if its kind was chosen."""
        requested = self._app_state.shown.options["annotation_columns"]
        if requested is not None:
            names = [one.name for one in self._facts]
            return {split_kind(spec, names)[0]: spec for spec in requested}
        return {name: name for name in self._app_state.shown.defaults.annotation_columns}

    def _set(self, names: list[str] | None) -> None:
        self._app_state.change(annotation_columns=names)

    def _fill(self) -> None:
        wanted = self.search.variable.get().strip().casefold()
        rows = {str(at): fact for at, fact in enumerate(self._facts) if wanted in fact.name.casefold()}
        drawn = self.tree.get_children()
        if list(drawn) != list(rows):
            focus = self.tree.focus()
            self.tree.delete(*drawn)
            for key, fact in rows.items():
                tags = ("other",) if fact.kind == "other" else ()
                self.tree.insert("", "end", key, text=f" {fact.name}", tags=tags)
            if not rows:
                text = "No matching columns" if self._facts else "obs has no columns"
                self.tree.insert("", "end", "none", text=text, tags=("none",))
            if focus in rows:
                self.tree.focus(focus)
            self._painted = {}
        self._paint()
        self.count.configure(text=f"{len(self._chosen()):,} of {len(self._facts):,}")

    def _paint(self) -> None:
        """Draw the images of the visible rows only: a wide table may have hundreds of rows."""
        rows = self.tree.get_children()
        first, last = self.tree.yview()
        chosen = self._chosen()
        for key in rows[int(first * len(rows)) : int(last * len(rows)) + 1]:
            if key == "none":
                continue
            fact = self._facts[int(key)]
            on = None if fact.kind == "other" else fact.name in chosen
            self.tree.set(key, "kind", _kind(fact, chosen.get(fact.name)))
            if self._painted.get(key, ...) == on:
                continue
            self._painted[key] = on
            colors = _SCALE if fact.kind == "number" else fact.colors
            self.tree.item(key, image=self._picture(colors, on=on))

    def _on_scroll(self, bar: ttk.Scrollbar, first: float, last: float) -> None:
        bar.set(float(first), float(last))
        if float(first) <= 0 and float(last) >= 1:
            bar.grid_remove()
        else:
            bar.grid()
        self._paint()

    def _picture(self, colors: tuple[str, ...], *, on: bool | None) -> tk.PhotoImage:
        """Return the image of a row: its checkbox, and the first category colors or the color scale of numbers."""
        key = (on, *colors[:_DOTS])
        if key not in self._pictures:
            theme = self.theme
            box = theme.tick_image(on=on)
            step = theme.px(9)
            width = box.width + (step * _DOTS + theme.px(4) if self._colored else 0)
            image = Image.new("RGBA", (width, box.height), (0, 0, 0, 0))
            image.paste(box, (0, 0))
            dots = Image.new("RGBA", (width * _FINE, box.height * _FINE), (0, 0, 0, 0))
            draw = ImageDraw.Draw(dots)
            radius = theme.px(7) * _FINE / 2
            for i, color in enumerate(colors[:_DOTS]):
                if colors == _SCALE:
                    left, thick = (box.width + step * i) * _FINE, theme.px(5) * _FINE / 2
                    middle = box.height * _FINE / 2
                    draw.rectangle((left, middle - thick, left + step * _FINE, middle + thick), fill=color)
                    continue
                x = (box.width + theme.px(2) + step * (i + 0.5)) * _FINE
                y = box.height * _FINE / 2
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
            image.alpha_composite(dots.resize(image.size, Image.Resampling.LANCZOS))
            self._pictures[key] = theme.photo(image)
        return self._pictures[key]

    def _toggle(self, key: str) -> None:
        if not key or key == "none":
            return
        fact = self._facts[int(key)]
        if fact.kind == "other":
            return
        chosen = self._chosen()
        if chosen.pop(fact.name, None) is None:
            chosen[fact.name] = fact.name
        self._set_in_order(chosen)

    def _set_in_order(self, chosen: dict[str, str]) -> None:
        """Set the columns in the order of obs, regardless of the order of the clicks."""
        self._set([chosen[one.name] for one in self._facts if one.name in chosen])

    def _switch_kind(self, key: str) -> bool:
        """Switch a checked column to its other kind, or back; return False if it has no other kind."""
        if not key or key == "none":
            return False
        fact, chosen = self._facts[int(key)], self._chosen()
        if not fact.other_kind or fact.name not in chosen:
            return False
        other = f"{fact.other_kind}:{fact.name}"
        chosen[fact.name] = fact.name if chosen[fact.name] == other else other
        self._set_in_order(chosen)
        return True

    def _on_switch_kind(self, _: object) -> str:
        self._switch_kind(self.tree.focus())
        return "break"

    def _on_click(self, event: tk.Event[Any]) -> str:
        key = self.tree.identify_row(event.y)
        self.tree.focus_set()
        if key:
            self.tree.focus(key)
            self.tree.selection_set(key)
            if self.tree.identify_column(event.x) != "#1" or not self._switch_kind(key):
                self._toggle(key)
        return "break"

    def _on_key(self, _: object) -> str:
        self._toggle(self.tree.focus())
        return "break"

    def _on_focus(self, _: object) -> None:
        rows = self.tree.get_children()
        if rows and not self.tree.focus():
            self.tree.focus(rows[0])
        if self.tree.focus():
            self.tree.selection_set(self.tree.focus())


def _kind(fact: ColumnFact, spec: str | None = None) -> str:
    """Return the kind of an exported column, with an arrow if a click on it changes the kind."""
    other = fact.other_kind
    if other and spec == f"{other}:{fact.name}":
        return f"{'numbers' if other == 'number' else 'categories'} ⇄"
    return f"{_own_kind(fact)} ⇄" if other and spec is not None else _own_kind(fact)


def _own_kind(fact: ColumnFact) -> str:
    if fact.kind == "number":
        if fact.range is None:
            return "number"
        low, high = fact.range
        return f"{number(low)} – {number(high)}"
    if fact.kind == "other":
        return fact.dtype
    return counted(fact.n_categories or 0, "category", "categories")
