"""Fields for sections, embeddings, the initial color and the initial view."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import ttk
from typing import TYPE_CHECKING

from karospace_jupyter.desktop.widgets import Choice, Entry, Field, Tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from karospace_jupyter.desktop.app_state import AppState
    from karospace_jupyter.desktop.theme import Theme

_PER_ROW = 2
"""Embeddings per row."""


_NO_MARKERS, _COLUMN = "none", "of "
"""Choices of markers; the prefix distinguishes columns, which may have any name."""


class LayoutOptions:
    """The fields for sections, embeddings, the initial color, and the initial view; the owner places them."""

    def __init__(self, master: tk.Misc, theme: Theme, app_state: AppState, pick_view: Callable[[], str]) -> None:
        self._theme, self._app_state, self._pick_view = theme, app_state, pick_view
        helps = app_state.shown.summary.help
        self.sections = Field(master, theme, "Sections", helps["sections"])
        self.sections_choice = Choice(self.sections.body, theme, lambda value: app_state.change(sections=value or None))
        self.sections_choice.grid(row=0, column=0, sticky="ew")
        self.color = Field(master, theme, "Initial color", helps["color"])
        self.color_choice = Choice(self.color.body, theme, lambda value: app_state.change(color=value or None))
        self.color_choice.grid(row=0, column=0, sticky="ew")
        self.view = Field(master, theme, "Initial view", helps["view"])
        self.view_path = Entry(
            self.view.body, theme, lambda text: app_state.change(view=text or None), hint="Saved view"
        )
        self.view_path.grid(row=0, column=0, sticky="ew")
        self.view_browse = ttk.Button(self.view.body, text="Browse…", command=self._on_browse)
        self.view_browse.grid(row=0, column=1, padx=(theme.px(6), 0))
        self.markers = Field(master, theme, "Markers", helps["markers"])
        self.markers_choice = Choice(self.markers.body, theme, self._on_markers)
        self.markers_choice.grid(row=0, column=0, sticky="ew")
        self.embeddings = Field(master, theme, "Embeddings", helps["embeddings"])
        self.embeddings.body.columnconfigure(0, weight=0)
        self.ticks: dict[str, tk.BooleanVar] = {}
        for at, one in enumerate(app_state.shown.summary.embeddings):
            key = one.key
            self.ticks[key] = tk.BooleanVar(master)
            tick = ttk.Checkbutton(
                self.embeddings.body, text=one.label, variable=self.ticks[key],
                command=partial(self._on_tick, key),
            )  # fmt: skip
            tick.grid(row=at // _PER_ROW, column=at % _PER_ROW, sticky="w", padx=(0, theme.px(14)))
            Tip(tick, theme, f"obsm['{key}']")
        if not self.ticks:
            ttk.Label(self.embeddings.body, text="None in the file", style="Muted.TLabel").grid(sticky="w")
        self.fields = {
            "sections": self.sections, "color": self.color, "view": self.view, "markers": self.markers,
            "embeddings": self.embeddings,
        }  # fmt: skip
        """Fields by option."""

    def refresh(self) -> None:
        """Show the options and their problems."""
        shown = self._app_state.shown
        options, summary = shown.options, shown.summary
        found, columns = summary.sections, summary.section_columns
        asked = options["sections"]
        others = [asked] if asked not in {None, "none", *columns} else []
        self.sections_choice.offer(
            [
                ("", f"{found} (detected)" if found else "None detected"),
                *((name, name) for name in [*others, *columns]),
                ("none", "No sections"),
            ],
            asked or "",
        )
        color, automatic = options["color"], shown.estimate.color
        names = [one.name for one in summary.columns if one.kind != "other"]
        self.color_choice.offer(
            [
                ("", f"Automatic: {automatic}" if automatic and not color else "Automatic"),
                *((name, name) for name in [*([color] if color and color not in names else []), *names]),
            ],
            color or "",
        )
        self._refresh_markers()
        self.view_path.put(options["view"] or "")
        chosen = self._chosen()
        for key, variable in self.ticks.items():
            variable.set(key in chosen)
        problems = shown.estimate.problems
        for option, field in self.fields.items():
            field.show_problem(problems.get(option, ""))
        self.view_path.mark(wrong=bool(problems.get("view")))

    def _refresh_markers(self) -> None:
        asked, summary = self._app_state.shown.options["markers"], self._app_state.shown.summary
        names = [one.name for one in summary.columns if one.kind == "category"]
        # Only Python can name several columns; they are kept until the user makes another choice.
        text = ", ".join(asked or ())
        others = [text] if asked and not (len(asked) == 1 and text in names) else []
        self.markers_choice.offer(
            [
                ("", "Automatic"),
                *((_COLUMN + name, name) for name in [*others, *names]),
                (_NO_MARKERS, "No markers"),
            ],
            "" if asked is None else _COLUMN + text if asked else _NO_MARKERS,
        )

    def _on_markers(self, value: str) -> None:
        asked = self._app_state.shown.options["markers"]
        name = value.removeprefix(_COLUMN)
        if asked and name == ", ".join(asked):
            return
        self._app_state.change(markers=None if not value else [] if value == _NO_MARKERS else [name])

    def _chosen(self) -> tuple[str, ...]:
        asked = self._app_state.shown.options["embeddings"]
        return self._app_state.shown.defaults.embeddings if asked is None else tuple(asked)

    def _on_tick(self, key: str) -> None:
        chosen = {*self._chosen(), key} if self.ticks[key].get() else {*self._chosen()} - {key}
        # In the order of obsm; keys that are not in the file are kept, so that the error can name them.
        keys = [*(one for one in self.ticks if one in chosen), *sorted(chosen - {*self.ticks})]
        self._app_state.change(embeddings=None if set(keys) == set(self._app_state.shown.defaults.embeddings) else keys)

    def _on_browse(self) -> None:
        path = self._pick_view()
        if path:
            self._app_state.change(view=path)
