"""Small widgets on top of ttk, from which the window is built."""

from __future__ import annotations

import re
import tkinter as tk
from functools import partial
from tkinter import font as tkfont
from tkinter import ttk
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from karospace_jupyter.desktop.theme import Theme

_TIP_MS = 450
_TIPS: WeakKeyDictionary[tk.Misc, Tip] = WeakKeyDictionary()
"""Tooltips by widget."""


class Tip:
    """Show the help of a widget as a tooltip: on hover, on keyboard focus, or when clicked."""

    def __init__(self, widget: tk.Widget, theme: Theme, text: str) -> None:
        self._widget, self._theme, self.text = widget, theme, text
        self._shown: tk.Toplevel | None = None
        self._timer = ""
        self._asked: set[str] = set()
        _TIPS[widget] = self
        for event, handler in {
            "<Enter>": self._later, "<Leave>": self.hide, "<FocusIn>": self._later, "<FocusOut>": self.hide,
            "<Destroy>": self.hide, "<Escape>": self.hide, "<KeyPress>": self.hide,
        }.items():  # fmt: skip
            widget.bind(event, handler, add="+")

    def _later(self, _: object) -> None:
        self.hide()
        self._timer = self._widget.after(_TIP_MS, self.show)

    def show(self) -> None:
        """Show the tooltip now."""
        self.hide()
        if not self.text or not self._widget.winfo_viewable():
            return
        c, px = self._theme.colors, self._theme.px
        tip = tk.Toplevel(self._widget, background=c.line)
        tip.wm_overrideredirect(boolean=True)
        label = tk.Label(
            tip, text=self.text, justify="left", wraplength=px(320), background=c.panel, foreground=c.ink,
            font=self._theme.small, padx=px(10), pady=px(8),
        )  # fmt: skip
        label.pack(padx=px(1), pady=px(1))
        tip.update_idletasks()
        x = self._widget.winfo_rootx()
        y = self._widget.winfo_rooty() + self._widget.winfo_height() + px(4)
        x = max(0, min(x, tip.winfo_screenwidth() - tip.winfo_reqwidth() - px(8)))
        if y + tip.winfo_reqheight() > tip.winfo_screenheight():
            y = self._widget.winfo_rooty() - tip.winfo_reqheight() - px(4)
        tip.wm_geometry(f"+{x}+{y}")
        self._shown = tip

    def show_for(self, focused: tk.Misc) -> None:
        """Show the tooltip until a key is pressed in `focused`, the focused widget, or it loses the focus."""
        if str(focused) not in self._asked:
            self._asked.add(str(focused))
            for event in ("<KeyPress>", "<FocusOut>"):
                focused.bind(event, self.hide, add="+")
        self.show()

    def hide(self, _: object = None) -> None:
        """Hide the tooltip."""
        if self._timer:
            self._widget.after_cancel(self._timer)
            self._timer = ""
        if self._shown is not None:
            self._shown.destroy()
            self._shown = None


class WrappedLabel(ttk.Label):
    """A label whose text wraps at the available width.

    It requests no width itself: a request that depends on the available width would cause endless layout changes.
    """

    def __init__(self, master: tk.Misc, style: str = "TLabel") -> None:
        super().__init__(master, style=style, width=1, anchor="w", justify="left")
        self._wrapped = 0
        self.bind("<Configure>", self._wrap)

    def _wrap(self, event: tk.Event[Any]) -> None:
        if event.width > 1 and event.width != self._wrapped:
            self._wrapped = event.width
            self.configure(wraplength=event.width)


class ClippedLabel(ttk.Label):
    """A label of one line that fills the available width; text that does not fit ends in an ellipsis."""

    def __init__(self, master: tk.Misc, theme: Theme) -> None:
        super().__init__(master, width=1, anchor="w")
        self._theme, self.text = theme, ""
        self.bind("<Configure>", lambda _: self._fit())

    def put(self, text: str, style: str = "TLabel") -> None:
        """Set the text and its style."""
        if (text, style) != (self.text, str(self.cget("style"))):
            self.text = text
            self.configure(style=style)
            self._fit()

    def _fit(self) -> None:
        font = tkfont.nametofont(str(self._theme.style.lookup(str(self.cget("style")), "font")), root=self)
        room, text = self.winfo_width(), self.text
        if font.measure(text) > room:
            low, high = 0, len(text)
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if font.measure(f"{text[:middle]}…") <= room else (low, middle - 1)
            text = f"{text[:low].rstrip()}…"
        if text != self.cget("text"):
            self.configure(text=text)


class Field(ttk.Frame):
    """A labeled field with help, a place for its input (`body`), and an error message below it."""

    def __init__(self, master: tk.Misc, theme: Theme, name: str, text: str = "") -> None:
        super().__init__(master)
        self.theme, self.name = theme, name
        px = theme.px
        self.columnconfigure(0, weight=1)
        head = ttk.Frame(self)
        head.grid(row=0, column=0, sticky="ew", padx=px(2), pady=(0, px(3)))  # aligned with the frames of entries
        ttk.Label(head, text=name.upper(), style="Caps.TLabel").pack(side="left")
        # Not in the Tab order: with the keyboard, F1 shows the help of the focused field.
        self.help = ttk.Button(head, text="?", style="Help.TButton", width=2, takefocus=False)
        self.tip = Tip(self.help, theme, text)
        self.help.configure(command=self.tip.show)
        if text:
            self.help.pack(side="left", padx=px(4))
        self.body = ttk.Frame(self)
        self.body.grid(row=1, column=0, sticky="nsew")
        self.body.columnconfigure(0, weight=1)
        self.problem = WrappedLabel(self, "Problem.TLabel")

    def show_problem(self, problem: str) -> None:
        """Show an error message; hide it if it is empty."""
        if self.problem.cget("text") == problem:
            return
        self.problem.configure(text=problem)
        if problem:
            self.problem.grid(row=2, column=0, sticky="ew", padx=self.theme.px(2), pady=(self.theme.px(3), 0))
        else:
            self.problem.grid_remove()


def show_help(widget: object) -> None:
    """Show the help of the field that contains a widget."""
    if not isinstance(widget, tk.Misc):
        return
    above: tk.Misc | None = widget
    while above is not None:
        tip = above.tip if isinstance(above, Field) else _TIPS.get(above)
        if tip is not None:
            tip.show_for(widget)
            return
        above = above.master


class Entry(ttk.Entry):
    """A text entry that reports changes by the user, with a gray placeholder while it is empty."""

    def __init__(
        self, master: tk.Misc, theme: Theme, changed: Callable[[str], None], *, hint: str = "", width: int = 10
    ) -> None:
        self.variable = tk.StringVar(master)
        super().__init__(master, textvariable=self.variable, width=width, font=theme.body)
        self._changed, self._setting = changed, False
        self._indent = theme.px(10)
        self._hint = tk.Label(
            self,
            text=hint,
            font=theme.body,
            foreground=theme.colors.muted,
            background=theme.colors.panel,
            cursor="xterm",
        )
        self._hint.bind("<Button-1>", lambda _: self.focus_set())
        self._trace = self.variable.trace_add("write", self._on_write)
        self._draw_hint()
        select_all(self)

    def destroy(self) -> None:
        """Remove the trace: otherwise Tk would keep the variable, and with it this widget, alive."""
        self.variable.trace_remove("write", self._trace)
        super().destroy()

    def put(self, text: str) -> None:
        """Set the text, unless it is already set."""
        if self.variable.get() == text:
            return
        self._setting = True
        self.variable.set(text)
        self._setting = False
        self.xview_moveto(1.0 if "/" in text or "\\" in text else 0.0)

    def hint(self, text: str) -> None:
        """Set the placeholder."""
        self._hint.configure(text=text)
        self._draw_hint()

    def mark(self, *, wrong: bool) -> None:
        """Mark the entry as invalid or valid."""
        self.state(["invalid" if wrong else "!invalid"])

    def _on_write(self, *_: object) -> None:
        self._draw_hint()
        if not self._setting:
            self._changed(self.variable.get())

    def _draw_hint(self) -> None:
        if self.variable.get() or not self._hint.cget("text"):
            self._hint.place_forget()
        else:
            self._hint.place(x=self._indent, rely=0.5, anchor="w")


class Choice(ttk.Combobox):
    """A drop-down list of named values."""

    def __init__(self, master: tk.Misc, theme: Theme, changed: Callable[[str], None]) -> None:
        super().__init__(master, state="readonly", font=theme.body, width=10)
        self._values: list[str] = []
        self._names: list[str] = []
        self._changed = changed
        self.bind("<<ComboboxSelected>>", self._on_chosen)
        # The wheel over a closed list scrolls the page and does not change the value.
        for event in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
            self.bind(event, lambda event: pass_wheel(self, event))

    def _on_chosen(self, _: object) -> None:
        self.selection_clear()
        self._changed(self.chosen)

    @property
    def chosen(self) -> str:
        """The selected value."""
        at = self.current()
        return self._values[at] if at >= 0 else ""

    def offer(self, choices: Sequence[tuple[str, str]], value: str) -> None:
        """Set the available values with their names, and select one."""
        values, names = [one for one, _ in choices], [name for _, name in choices]
        if (values, names) != (self._values, self._names):
            self._values, self._names = values, names
            self.configure(values=names)
        if value in values:
            self.current(values.index(value))
        else:
            self.set("")


class Segments(ttk.Frame):
    """A row of choices, one of which is selected; arrow keys move between them.

    `changed` is called when another choice is selected. `by_arrow` is True during that call if an arrow key moved the
    selection; no dialog should open then.
    """

    def __init__(
        self, master: tk.Misc, choices: Sequence[tuple[str, str]], changed: Callable[[str], None], theme: Theme
    ) -> None:
        super().__init__(master, style="Segments.TFrame", padding=theme.px(3))
        self.variable = tk.StringVar(self)
        self.buttons: dict[str, ttk.Radiobutton] = {}
        self.by_arrow = False
        self._changed, self._taken = changed, ""
        for at, (value, text) in enumerate(choices):
            button = ttk.Radiobutton(
                self, text=text, value=value, variable=self.variable, style="Segment.TRadiobutton", command=self._take
            )
            button.grid(row=0, column=at, sticky="nsew")
            self.columnconfigure(at, weight=1)
            button.bind("<Left>", partial(self._move, at - 1))
            button.bind("<Right>", partial(self._move, at + 1))
            self.buttons[value] = button
        self._one_stop()

    def put(self, value: str) -> None:
        """Select a value; an empty string selects none."""
        self._taken = value
        if self.variable.get() != value:
            self.variable.set(value)
        self._one_stop()

    def _take(self) -> None:
        value = self.variable.get()
        if value in self.buttons:
            self.buttons[value].focus_set()
        if value != self._taken:
            self.put(value)
            self._changed(value)

    def _move(self, at: int, _: object) -> str:
        value = list(self.buttons)[at % len(self.buttons)]
        self.buttons[value].focus_set()
        self.variable.set(value)
        self.by_arrow = True
        try:
            self._take()
        finally:
            self.by_arrow = False
        return "break"

    def _one_stop(self) -> None:
        """Make the selected button the only Tab stop."""
        taken = self.variable.get() or next(iter(self.buttons))
        for value, button in self.buttons.items():
            button.configure(takefocus=value == taken)


class Scrolled(ttk.Frame):
    """A column (`inside`) that scrolls if it is taller than the available space."""

    def __init__(self, master: tk.Misc, theme: Theme, name: str, style: str = "Ground.TFrame") -> None:
        super().__init__(master, name=name, style=style)
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        background = theme.colors.ground if style == "Ground.TFrame" else theme.colors.panel
        self._canvas = tk.Canvas(self, highlightthickness=0, borderwidth=0, background=background, takefocus=False)
        bar_style = "Ground.Vertical.TScrollbar" if style == "Ground.TFrame" else "Vertical.TScrollbar"
        self._bar = ttk.Scrollbar(self, orient="vertical", command=self._canvas.yview, style=bar_style)
        # Always reserve space for the bar: otherwise width and height could keep changing each other.
        self.columnconfigure(1, minsize=self._bar.winfo_reqwidth())
        self._canvas.configure(yscrollcommand=self._on_view, yscrollincrement=1)
        self._turn = theme.px(48)
        self._canvas.grid(row=0, column=0, sticky="nsew")
        self._max_height = 0
        self.inside = ttk.Frame(self._canvas, style=style)
        # Make the content at least as high as the visible part, and detect content that grows.
        self._strut = ttk.Frame(self.inside, width=0, style=style)
        self._strut.grid(row=0, column=9, rowspan=9, sticky="ns")
        self._item = self._canvas.create_window(0, 0, window=self.inside, anchor="nw")
        self.inside.bind("<Configure>", lambda _: self._fit())
        self._canvas.bind("<Configure>", lambda _: self._fit())
        self._wheel_commands = {
            event: self.bind_class(f"wheel{self}", event, self.wheel)
            for event in ("<MouseWheel>", "<Button-4>", "<Button-5>")
        }
        self.bind("<Destroy>", self._forget)

    def bind_wheel(self, widget: tk.Misc | None = None) -> None:
        """Make the mouse wheel scroll over everything inside."""
        widget = widget or self.inside
        tags = widget.bindtags()
        if f"wheel{self}" not in tags and widget.winfo_class() not in {"Text", "Treeview", "Listbox"}:
            widget.bindtags((*tags, f"wheel{self}"))
        for child in widget.winfo_children():
            self.bind_wheel(child)

    def limit(self, most: int) -> None:
        """Make the widget as tall as its content, up to `most` pixels; taller content scrolls."""
        if most == self._max_height:
            return
        if not self._max_height:
            self._strut.grid_remove()
            # The bar only appears if the content does not fit without it, so it cannot flicker.
            self.columnconfigure(1, minsize=0)
        self._max_height = most
        self._fit()

    def wheel(self, event: tk.Event[Any]) -> None:
        """Scroll by one step of the wheel."""
        if self.inside.winfo_height() > self._canvas.winfo_height():
            self._canvas.yview_scroll(wheel_steps(event) * self._turn, "units")

    def _fit(self) -> None:
        width = self._canvas.winfo_width()
        if self._max_height:
            self._canvas.configure(height=min(self._max_height, self.inside.winfo_reqheight()))
        self._strut.configure(height=self._canvas.winfo_height())
        self._canvas.itemconfigure(self._item, width=width)
        self._canvas.configure(scrollregion=(0, 0, width, self.inside.winfo_reqheight()))

    def _on_view(self, first: float, last: float) -> None:
        self._bar.set(float(first), float(last))
        if float(first) <= 0 and float(last) >= 1:
            self._bar.grid_remove()
        else:
            self._bar.grid(row=0, column=1, sticky="ns")

    def _forget(self, event: tk.Event[Any]) -> None:
        """Remove the class bindings, which Tk would keep until the program ends."""
        if event.widget is not self:
            return
        for name, command in self._wheel_commands.items():
            self.unbind_class(f"wheel{self}", name)
            self._root().deletecommand(command)  # where bind_class() registers it
        self._wheel_commands = {}

    def follow(self, widget: object) -> None:
        """Scroll the focused widget into view."""
        if not isinstance(widget, tk.Misc) or not str(widget).startswith(f"{self.inside}."):
            return
        top = widget.winfo_rooty() - self.inside.winfo_rooty()
        bottom = top + widget.winfo_height()
        first, shown = self._canvas.canvasy(0), self._canvas.winfo_height()
        height = max(1, self.inside.winfo_height())
        if top < first:
            self._canvas.yview_moveto(top / height)
        elif bottom > first + shown:
            self._canvas.yview_moveto((bottom - shown) / height)


def ungrouped(text: str) -> str:
    """Remove thousands separators from a typed number; other commas are kept."""
    text = text.strip()
    return text.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", text) else text


def wheel_steps(event: tk.Event[Any]) -> int:
    """Return the scroll direction of a wheel event on any platform; down is positive."""
    if event.num in (4, 5):
        return -1 if event.num == 4 else 1
    return -1 if event.delta > 0 else 1


def pass_wheel(widget: tk.Misc, event: tk.Event[Any]) -> str:
    """Pass a wheel event to the scrolled column around a widget."""
    parent = widget.master
    while parent is not None and not isinstance(parent, Scrolled):
        parent = parent.master
    if parent is not None:
        parent.wheel(event)
    return "break"


def select_all(widget: ttk.Entry | tk.Text) -> None:
    """Bind Ctrl+A to select all; by default, it moves to the start of the line on X11."""

    def take(_: object) -> str:
        if isinstance(widget, tk.Text):
            widget.tag_add("sel", "1.0", "end-1c")
        else:
            widget.selection_range(0, "end")
        return "break"

    widget.bind("<Control-a>", take)
