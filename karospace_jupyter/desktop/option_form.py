"""The form with the options of a file, in two columns."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tkinter import ttk
from typing import TYPE_CHECKING, Any

from karospace_jupyter.desktop.advanced import Advanced
from karospace_jupyter.desktop.annotation_list import AnnotationList
from karospace_jupyter.desktop.gene_options import GeneOptions
from karospace_jupyter.desktop.presets import PRESETS, preset_of
from karospace_jupyter.desktop.widgets import Choice, Entry, Field, Scrolled, Segments, WrappedLabel
from karospace_jupyter.formatting import size

if TYPE_CHECKING:
    from karospace_jupyter.desktop.app_state import AppState
    from karospace_jupyter.desktop.theme import Theme

_OWN = "own"
_TWO_COLUMNS = 640
"""Width in pixels, at zoom 1, from which two cards fit side by side."""
_MAIL_BYTES = 20_000_000
"""Size that most email servers accept."""
_KINDS = (("outdir", "Folder"), ("single_file", "One HTML file"), ("zip_path", "Zip"))
_NOTES = {
    "outdir": "A folder for a web host. It also opens with a double click unless it is very large.",
    "single_file": "One file that opens with a double click and can be sent by email.",
    "zip_path": "The folder as a zip, to be unpacked on a web host.",
}


@dataclass(frozen=True, slots=True)
class Pickers:
    """Dialogs for choosing files; each returns the path, or an empty string."""

    image: Callable[[], str]
    genes: Callable[[], str]
    target: Callable[[str, str], str]
    view: Callable[[], str]


class OptionForm(Scrolled):
    """The form with all options of the open file."""

    def __init__(self, master: tk.Misc, theme: Theme, app_state: AppState, pickers: Pickers) -> None:
        super().__init__(master, theme, "form")
        self._theme, self._app_state, self._pickers = theme, app_state, pickers
        px = theme.px
        inside = self.inside
        inside.columnconfigure((0, 1), weight=1, uniform="half")
        card = ttk.Frame(inside, style="Card.TFrame", padding=(px(16), px(10)))
        card.grid(row=0, column=0, columnspan=2, sticky="ew", padx=(px(12), 0), pady=(0, px(8)))
        card.columnconfigure(1, weight=1)
        self.presets = Segments(card, [(one.name, one.name) for one in PRESETS], self._on_preset, theme)
        self.presets.grid(row=0, column=0, sticky="w")
        self.preset_description = WrappedLabel(card, "Muted.TLabel")
        self.preset_description.grid(row=0, column=1, sticky="ew", padx=px(14))
        for name, button in self.presets.buttons.items():
            for event in ("<Enter>", "<FocusIn>"):
                button.bind(event, lambda _, name=name: self._describe_preset(name), add="+")  # type: ignore[misc]
            for event in ("<Leave>", "<FocusOut>"):
                button.bind(event, lambda _: self._describe_preset(), add="+")
        left = ttk.Frame(inside, style="Card.TFrame", padding=px(16))
        right = ttk.Frame(inside, style="Card.TFrame", padding=px(16))
        self._cards = (left, right)
        self._side_by_side: bool | None = None
        for column in (left, right):
            column.columnconfigure(0, weight=1)
        self.coordinates = Coordinates(left, theme, app_state)
        self.coordinates.grid(row=0, column=0, sticky="ew", pady=(0, px(14)))
        self.columns = AnnotationList(left, theme, app_state)
        self.columns.grid(row=1, column=0, sticky="nsew")
        self._place_cards(px(_TWO_COLUMNS))
        inside.bind("<Configure>", lambda event: self._place_cards(event.width), add="+")
        left.rowconfigure(1, weight=int(self.columns.many))
        self.genes = GeneOptions(right, theme, app_state, pickers.genes)
        self.genes.grid(row=0, column=0, sticky="ew", pady=(0, px(14)))
        self.target = Target(right, theme, app_state, pickers.target)
        self.target.grid(row=1, column=0, sticky="ew", pady=(0, px(14)))
        self.advanced = Advanced(right, theme, app_state, pickers.image, pickers.view)
        self.advanced.grid(row=2, column=0, sticky="ew")
        self.refresh()
        self.bind_wheel()

    def refresh(self) -> None:
        """Show the options and their problems."""
        shown = self._app_state.shown
        self.presets.put(preset_of(shown.options, shown.summary))
        self._describe_preset()
        for part in (self.coordinates, self.columns, self.genes, self.target, self.advanced):
            part.refresh()

    def _place_cards(self, width: int) -> None:
        """Place the two cards side by side, or on top of each other if there is not enough room."""
        side_by_side = width >= self._theme.px(_TWO_COLUMNS)
        if side_by_side == self._side_by_side:
            return
        self._side_by_side = side_by_side
        px, inside = self._theme.px, self.inside
        left, right = self._cards
        if side_by_side:
            left.grid(row=1, column=0, columnspan=1, sticky="nsew", padx=(px(12), px(4)), pady=(0, px(12)))
            right.grid(row=1, column=1, columnspan=1, sticky="nsew", padx=(px(4), 0), pady=(0, px(12)))
        else:
            left.grid(row=1, column=0, columnspan=2, sticky="nsew", padx=(px(12), 0), pady=(0, px(8)))
            right.grid(row=2, column=0, columnspan=2, sticky="nsew", padx=(px(12), 0), pady=(0, px(12)))
        # A long list fills the available height; otherwise the space stays empty at the bottom.
        long = side_by_side and self.columns.many
        for row, weight in ((1, int(long)), (2, int(side_by_side and not long)), (3, int(not side_by_side))):
            inside.rowconfigure(row, weight=weight)

    def kept(self) -> dict[str, Any]:
        """Return state that is not an option, to be restored when the form is rebuilt."""
        return {"more": self.advanced.open, "search": self.columns.search.variable.get(), "genes": self.genes.kept()}

    def restore(self, state: dict[str, Any], *, same_file: bool) -> None:
        """Restore the state of an earlier form; for another file, only whether options are expanded."""
        if state["more"] != self.advanced.open:
            self.advanced.toggle()
        if same_file:
            self.columns.search.variable.set(state["search"])
            self.genes.restore(state["genes"])

    def _describe_preset(self, pointed: str = "") -> None:
        """Describe the preset under the pointer, or the current one."""
        shown = self._app_state.shown
        name = pointed or preset_of(shown.options, shown.summary)
        self.preset_description.configure(
            text=next((one.description for one in PRESETS if one.name == name), "Custom choices")
        )

    def _on_preset(self, name: str) -> None:
        preset = next(one for one in PRESETS if one.name == name)
        self._app_state.change(**preset.options(self._app_state.shown.summary))


class Coordinates(Field):
    """The field for the coordinates: detected ones, another obsm entry, or two columns of obs."""

    def __init__(self, master: tk.Misc, theme: Theme, app_state: AppState) -> None:
        super().__init__(master, theme, "Coordinates", app_state.shown.summary.help["coords"])
        self._app_state = app_state
        summary = app_state.shown.summary
        self._numeric = [one.name for one in summary.columns if one.kind == "number"]
        self._by_hand = False
        """Whether the user is choosing two columns individually."""
        self.choice = Choice(self.body, theme, self._choose)
        self.choice.grid(row=0, column=0, columnspan=2, sticky="ew")
        self.pair = ttk.Frame(self.body)
        self.pair.columnconfigure((1, 3), weight=1)
        self.x, self.y = (Choice(self.pair, theme, lambda _: self._on_pair()) for _ in "xy")
        for at, (name, choice) in enumerate((("x", self.x), ("y", self.y))):
            ttk.Label(self.pair, text=name, style="Muted.TLabel").grid(row=0, column=2 * at, padx=theme.px(6))
            choice.grid(row=0, column=2 * at + 1, sticky="ew")
        self.refresh()

    def refresh(self) -> None:
        """Show the options and their problems."""
        summary, coords = self._app_state.shown.summary, self._app_state.shown.options["coords"]
        found, detected = summary.coordinates, summary.detected
        own = bool(coords) and coords.startswith("obs:") and "," in coords and (self._by_hand or coords not in found)
        first = f"{_spelled(detected)}  (detected)" if detected else "Choose…" if found else "None detected"
        choices = [("", first), *((spec, _spelled(spec)) for spec in found if spec != detected)]
        if coords and not own and coords not in found:
            choices.append((coords, _spelled(coords)))
        if len(self._numeric) >= 2:
            choices.append((_OWN, "Two columns of obs…"))
        self.choice.offer(choices, _OWN if own else "" if coords in {None, detected} else coords)
        if own:
            x, _, y = coords.removeprefix("obs:").partition(",")
            for choice, value in ((self.x, x), (self.y, y)):
                choice.offer([(name, name) for name in self._numeric], value)
            self.pair.grid(row=1, column=0, columnspan=2, sticky="ew", pady=(self.theme.px(6), 0))
        else:
            self.pair.grid_remove()
        problem = self._app_state.shown.estimate.problems.get("coords", "")
        self.show_problem(problem)
        self.choice.state(["invalid" if problem else "!invalid"])

    def _choose(self, value: str) -> None:
        if value == _OWN and self.pair.winfo_manager():
            return  # already selected
        self._by_hand = value == _OWN
        if self._by_hand:
            shown = self._app_state.shown
            now = shown.options["coords"] or shown.summary.detected or ""
            pair = now if now.startswith("obs:") and "," in now else f"obs:{self._numeric[0]},{self._numeric[1]}"
            self._app_state.change(coords=pair)
        else:
            self._app_state.change(coords=value or None)
        self.refresh()

    def _on_pair(self) -> None:
        self._app_state.change(coords=f"obs:{self.x.chosen},{self.y.chosen}")


class Target(Field):
    """The field for the target: what to write, and where."""

    def __init__(self, master: tk.Misc, theme: Theme, app_state: AppState, pick: Callable[[str, str], str]) -> None:
        help_of = app_state.shown.summary.help
        super().__init__(master, theme, "Output", "\n\n".join(f"{kind}: {help_of[name]}" for name, kind in _KINDS))
        self._app_state, self._pick = app_state, pick
        px = theme.px
        self.kinds = Segments(self.body, _KINDS, app_state.write_as, theme)
        self.kinds.grid(row=0, column=0, columnspan=2, sticky="ew")
        self.path = Entry(self.body, theme, self._on_path, hint="Path")
        self.path.grid(row=1, column=0, sticky="ew", pady=(px(6), 0))
        self.browse = ttk.Button(self.body, text="Browse…", command=self._on_browse)
        self.browse.grid(row=1, column=1, padx=(px(6), 0), pady=(px(6), 0))
        self.note = WrappedLabel(self.body, "Muted.TLabel")
        self.note.grid(row=2, column=0, columnspan=2, sticky="ew", padx=px(2), pady=(px(3), 0))
        self.refresh()

    def refresh(self) -> None:
        """Show the options and their problems."""
        shown = self._app_state.shown
        name = shown.target
        self.kinds.put(name)
        value = str(shown.options.get(name) or "")
        self.path.put(value)
        problem = shown.estimate.problems.get(name, "")
        if not value:
            problem = "Enter a path to write to."
        self.show_problem(problem)
        self.path.mark(wrong=bool(problem))
        exists = shown.estimate.exists and not shown.pending
        most = shown.estimate.bytes
        note = _NOTES[name]
        if name == "single_file" and most > _MAIL_BYTES:
            note = f"One file that opens with a double click. At about {size(most)}, it may be too large for email."
        whole_already = not value or value.startswith("~") or Path(value).is_absolute()
        whole = "" if whole_already else f" Full path: {Path.cwd() / value}."
        self.note.configure(text=f"{note}{whole}{' Replaces the existing bundle.' if exists else ''}")

    def _on_path(self, text: str) -> None:
        self._app_state.change(**{self._app_state.shown.target: text})

    def _on_browse(self) -> None:
        name = self._app_state.shown.target
        path = self._pick(name, str(self._app_state.shown.options.get(name) or ""))
        if path:
            self._app_state.change(**{name: path})


def _spelled(spec: Any) -> str:  # noqa: ANN401 - a string
    text = str(spec)
    if text.startswith("obsm:"):
        return f"obsm['{text[5:]}']"
    return text.replace("obs:", "obs: ").replace(",", ", ")
