"""Less common options, in a section that can be expanded."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import ttk
from typing import TYPE_CHECKING, Any

from karospace_jupyter.desktop.layout_options import LayoutOptions
from karospace_jupyter.desktop.widgets import Choice, Entry, Field, Tip, ungrouped
from karospace_jupyter.hosts import HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from karospace_jupyter.contracts.form import LibraryFact
    from karospace_jupyter.desktop.app_state import AppState
    from karospace_jupyter.desktop.theme import Theme

_AS_DETECTED = "as detected"
_NUMBERS = (
    ("um_per_unit", "Scale, µm per coordinate unit", _AS_DETECTED, float),
    ("neighbors", "Neighbors: 6, 30um or none", "as stored", str),
    ("downsample", "Maximum number of cells", "all", int),
    ("seed", "Random seed", "0", int),
    ("max_asset_mb", "Maximum file size, MB", "16", float),
    ("memory_mb", "Memory for blocks, MB", "512", int),
    ("jobs", "Threads", "all cores", int),
)
"""Options that are typed, most of them numbers: name, label, placeholder, type."""
_DEFAULTS = {"neighbors": "auto", "seed": 0, "max_asset_mb": 16.0, "memory_mb": 512}
_FILE = "file"
_PER_ROW = 3
_PACKED = (
    ("auto", "All, if at most 1 GB"),
    ("yes", "All, whatever their size"),
    ("no", "Only those chosen above"),
)
_HOSTS = (("", "Any"), *((name, host.label) for name, host in HOSTS.items()))
_SCRIPTS = (("auto", "If it adds at most 200 MB"), ("yes", "Always"), ("no", "Never (the viewer asks for the folder)"))


class Advanced(ttk.Frame):
    """Fields for layer, image, sections, embeddings, cells, name and compression."""

    def __init__(
        self,
        master: tk.Misc,
        theme: Theme,
        app_state: AppState,
        pick_image: Callable[[], str],
        pick_view: Callable[[], str],
    ) -> None:
        super().__init__(master)
        self._theme, self._app_state, self._pick_image = theme, app_state, pick_image
        self._other_buttons: dict[str, ttk.Checkbutton] = {}
        px = theme.px
        self.columnconfigure(0, weight=1)
        self.fold = ttk.Button(self, style="Fold.TButton", command=self.toggle)
        self.fold.grid(row=0, column=0, sticky="w")
        self.inside = ttk.Frame(self)
        self.inside.columnconfigure((0, 1), weight=1, uniform="pair")
        summary = app_state.shown.summary
        helps = summary.help
        self.matrix = Field(self.inside, theme, "Expression matrix", helps["layer"])
        self.matrix_choice = Choice(self.matrix.body, theme, self._on_matrix)
        self.others = Field(self.inside, theme, "Other matrices", helps["matrices"])
        self.others.body.columnconfigure(0, weight=0)
        self.other_ticks: dict[str, tk.BooleanVar] = {}
        for at, (name, label) in enumerate(self._matrices()):
            self.other_ticks[name] = tk.BooleanVar(self)
            tick = ttk.Checkbutton(
                self.others.body, text=label, variable=self.other_ticks[name], command=self._on_others
            )
            tick.grid(row=at // _PER_ROW, column=at % _PER_ROW, sticky="w", padx=(0, px(14)))
            self._other_buttons[name] = tick
        self.image = Field(self.inside, theme, "Tissue image", helps["image_path"])
        self.image_choice = Choice(self.image.body, theme, self._on_image)
        self.image_path = Entry(self.image.body, theme, self._on_image_path, hint="Path")
        self.image_browse = ttk.Button(self.image.body, text="Browse…", command=self._on_browse)
        self.name = Field(self.inside, theme, "Name", helps["dataset_name"])
        self.name_entry = Entry(
            self.name.body, theme, lambda text: app_state.change(dataset_name=text or None), hint=summary.name
        )
        self.scripts = Field(self.inside, theme, "Open by double-click", helps["scripts"])
        self.scripts_choice = Choice(self.scripts.body, theme, lambda value: app_state.change(scripts=value))
        self.packed = Field(self.inside, theme, "Genes in the viewer", helps["packed"])
        self.packed_choice = Choice(self.packed.body, theme, lambda value: app_state.change(packed=value))
        self.host = Field(self.inside, theme, "Web host", helps["host"])
        self.host_choice = Choice(self.host.body, theme, lambda value: app_state.change(host=value or None))
        self.layout_options = LayoutOptions(self.inside, theme, app_state, pick_view)
        layout = self.layout_options
        fields = [
            self.matrix,
            self.image,
            layout.sections,
            layout.color,
            layout.view,
            self.name,
            self.scripts,
            self.packed,
            self.host,
            layout.markers,
        ]
        for choice in (
            self.matrix_choice, self.image_choice, self.name_entry, self.scripts_choice, self.packed_choice,
            self.host_choice,
        ):  # fmt: skip
            choice.grid(row=0, column=0, columnspan=2, sticky="ew")
        self.numbers: dict[str, tuple[Field, Entry]] = {}
        for option, label, hint, kind in _NUMBERS:
            field = Field(self.inside, theme, label, helps[option])
            entry = Entry(field.body, theme, partial(self._on_number, option, kind), hint=hint)
            entry.grid(row=0, column=0, sticky="ew")
            self.numbers[option] = field, entry
            fields.append(field)
        fields += [layout.embeddings, self.others]
        self._fields = {
            "layer": self.matrix, "matrices": self.others, "image_path": self.image, "dataset_name": self.name,
            "scripts": self.scripts, "packed": self.packed, "host": self.host,
            **{option: field for option, (field, _) in self.numbers.items()},
        }  # fmt: skip
        """Fields by option, without those of the layout."""
        for at, field in enumerate(fields):
            side = at % 2
            field.grid(
                row=at // 2, column=side, sticky="new", pady=(0, px(10)), padx=(0, px(6)) if side == 0 else (px(6), 0)
            )
            field.lift()  # keeps the Tab order in line with the layout
        checks = ttk.Frame(self.inside)
        checks.grid(row=len(fields), column=0, columnspan=2, sticky="w")
        self.ticks: dict[str, tk.BooleanVar] = {}
        for option, label in (("gzip", "Compress (gzip)"), ("preview", "Preview image")):
            variable = tk.BooleanVar(self)
            tick = ttk.Checkbutton(
                checks, text=label, variable=variable,
                command=partial(self._on_tick, option),
            )  # fmt: skip
            tick.pack(side="left", padx=(0, px(14)))
            Tip(tick, theme, helps[option])
            self.ticks[option] = variable
        self.open = False
        self._draw_fold()
        self.refresh()

    def toggle(self) -> None:
        """Expand or collapse the section."""
        self.open = not self.open
        self._draw_fold()

    def refresh(self) -> None:
        """Show the options and their problems; expand the section if one of its fields has a problem."""
        shown = self._app_state.shown
        options, summary = shown.options, shown.summary
        problems = shown.estimate.problems
        first = self._first()
        self.matrix_choice.offer(self._matrices(), first)
        for name, variable in self.other_ticks.items():
            variable.set(name in (options["matrices"] or ()))
            # The expression matrix is exported anyway, so it is not offered as another one.
            self._other_buttons[name].state(["disabled" if name == first else "!disabled"])
        self._refresh_image(options["image_path"], summary.libraries)
        self.layout_options.refresh()
        self.name_entry.put(options["dataset_name"] or "")
        self.scripts_choice.offer(_SCRIPTS, options["scripts"])
        self.packed_choice.offer(_PACKED, options["packed"])
        self.host_choice.offer(_HOSTS, options["host"] or "")
        # A single HTML file always opens with a double click.
        self.scripts_choice.state(["disabled" if shown.target == "single_file" else "!disabled"])
        for option, (_, entry) in self.numbers.items():
            value = options[option]
            if not _same(entry.variable.get(), value, _DEFAULTS.get(option)):
                entry.put("" if value is None else f"{value:g}" if isinstance(value, float) else str(value))
            entry.mark(wrong=bool(problems.get(option)))
        self.numbers["um_per_unit"][1].hint(shown.estimate.scale or _AS_DETECTED)
        for option, field in self._fields.items():
            # Until an image file is chosen, ask for one instead of showing the error.
            unpicked = option == "image_path" and options[option] == ""
            field.show_problem("Choose an image file." if unpicked else problems.get(option, ""))
        for option, variable in self.ticks.items():
            variable.set(options[option])
        if not self.open and any(map(problems.get, (*self._fields, *self.layout_options.fields))):
            self.toggle()

    def _refresh_image(self, image: str | None, libraries: tuple[LibraryFact, ...]) -> None:
        own = [(f"uns:{one.name}", f"{one.name} ({', '.join(one.images)})") for one in libraries]
        first = "Image in the file" if own else "None in the file"
        choices = [("", first), *own, (_FILE, "Image file…"), ("none", "No image")]
        is_file = _is_image_file(image)
        self.image_choice.offer(choices, _FILE if is_file else image or "")
        if is_file:
            if _as_file(self.image_path.variable.get()) != image:
                self.image_path.put(image or "")
            self.image_path.grid(row=1, column=0, sticky="ew", pady=(self._theme.px(4), 0))
            self.image_browse.grid(row=1, column=1, padx=(self._theme.px(6), 0), pady=(self._theme.px(4), 0))
        else:
            self.image_path.grid_remove()
            self.image_browse.grid_remove()

    def _draw_fold(self) -> None:
        if self.open:
            self.fold.configure(text="▾ More options")
            self.inside.grid(row=1, column=0, sticky="ew", pady=(self._theme.px(8), 0))
        else:
            self.fold.configure(text="▸ More options: layer, image, sections, cells…")
            self.inside.grid_remove()

    def _on_matrix(self, value: str) -> None:
        layer = value.removeprefix("layer:") if value.startswith("layer:") else None
        chosen = self._app_state.shown.options["matrices"] or ()
        self._app_state.change(raw=value == "raw", layer=layer, matrices=self._with_others(value, chosen))

    def _on_others(self) -> None:
        chosen = [name for name, variable in self.other_ticks.items() if variable.get()]
        self._app_state.change(matrices=self._with_others(self._first(), chosen))

    def _with_others(self, first: str, chosen: Iterable[str]) -> list[str] | None:
        others = [name for name in self.other_ticks if name in set(chosen) and name != first]
        return [first, *others] if others else None

    def _matrices(self) -> list[tuple[str, str]]:
        summary = self._app_state.shown.summary
        layers = [(f"layer:{name}", f"layers['{name}']") for name in summary.layers]
        return [("X", "X"), *layers, *([("raw", "raw")] if summary.raw else [])]

    def _first(self) -> str:
        options = self._app_state.shown.options
        layer: str | None = options["layer"]
        named: list[str] = list(options["matrices"] or ())
        return named[0] if named else "raw" if options["raw"] else f"layer:{layer}" if layer else "X"

    def _on_image(self, value: str) -> None:
        if value != _FILE:
            self._app_state.change(image_path=value or None)
            return
        # Keep the previous image file until another one is chosen.
        if not _is_image_file(self._app_state.shown.options["image_path"]):
            self._app_state.change(image_path="")
        self._on_browse()

    def _on_image_path(self, text: str) -> None:
        self._app_state.change(image_path=_as_file(text))

    def _on_browse(self) -> None:
        path = self._pick_image()
        if path:
            self._app_state.change(image_path=path)

    def _on_tick(self, option: str) -> None:
        self._app_state.change(**{option: self.ticks[option].get()})

    def _on_number(self, option: str, kind: type[int | float | str], text: str) -> None:
        text = ungrouped(text)
        try:
            value: Any = kind(text) if text else _DEFAULTS.get(option)
        except ValueError:
            value = text  # validated by the options model, which reports the error
        self._app_state.change(**{option: value})


def _is_image_file(image: str | None) -> bool:
    """Return whether the option stands for an image file, even if none is chosen yet."""
    return image is not None and image != "none" and not image.startswith("uns:")


def _as_file(text: str) -> str:
    """Return the option for an image file, spelled so that its name is not mistaken for a keyword."""
    return f"./{text}" if text == "none" or text.startswith("uns:") else text


def _same(text: str, value: Any, default: Any) -> bool:  # noqa: ANN401 - of any option
    """Return whether the text in an entry already represents this value."""
    text = ungrouped(text)
    if text == "":
        return value is None or value == default
    if isinstance(value, str) or value is None:
        return text == value
    try:
        return float(text) == float(value)
    except ValueError:
        return False
