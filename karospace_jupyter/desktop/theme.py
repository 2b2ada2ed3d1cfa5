"""The appearance of the window: colors, sizes, and shapes for ttk, at any resolution, light and dark."""

from __future__ import annotations

import io
import tkinter as tk
from dataclasses import dataclass
from tkinter import font as tkfont
from tkinter import ttk
from typing import Any

from PIL import Image, ImageDraw

_FINE = 4  # supersampling factor for smooth edges


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors by their role."""

    ground: str
    panel: str
    ink: str
    muted: str
    line: str
    soft: str
    accent: str
    on_accent: str
    accent_soft: str
    wrong: str
    good: str


LIGHT = Palette(
    "#f6f7f9", "#ffffff", "#17202b", "#5b6775", "#d9dee5", "#f1f3f6", "#2757d6", "#ffffff", "#e8eefc", "#b3261e",
    "#1a7f4b",
)  # fmt: skip
DARK = Palette(
    "#0e1116", "#171b22", "#e8ecf1", "#95a0ae", "#313845", "#1e242d", "#7aa2ff", "#0e1116", "#1d2a49", "#ff8a80",
    "#5fd39a",
)  # fmt: skip


def system_is_dark() -> bool:
    """Return whether the desktop uses a dark theme; False if unknown."""
    try:
        import darkdetect
    except ImportError:
        return False
    return bool(darkdetect.isDark())


class Theme:
    """Create the styles for one window.

    Parameters
    ----------
    root
        The window.
    dark
        Whether to use light text on a dark background.
    scale
        Pixels of the screen per pixel at 96 dpi.
    """

    def __init__(self, root: tk.Tk, *, dark: bool, scale: float) -> None:
        self.root = root
        self.dark = dark
        self.colors = DARK if dark else LIGHT
        self.scale = scale
        self._images: list[tk.PhotoImage] = []
        self._fonts()
        self._styles()
        self.use()

    def use(self) -> None:
        """Use this theme for widgets created from now on; Tk never deletes themes, so each is reused."""
        self.style.theme_use(self._name)
        self._classic()

    def px(self, size: float) -> int:
        """Convert a size to pixels of this screen."""
        return max(1, round(size * self.scale))

    def picture(self, image: Image.Image) -> tk.PhotoImage:
        """Return a Tk image that lives as long as the theme."""
        made = self.photo(image)
        self._images.append(made)
        return made

    def photo(self, image: Image.Image) -> tk.PhotoImage:
        """Return a Tk image that lives as long as it is referenced."""
        data = io.BytesIO()
        image.save(data, "png", compress_level=1)
        return tk.PhotoImage(master=self.root, data=data.getvalue())

    def forget(self) -> None:
        """Release the images on the thread of the window; a garbage collection on another thread must not do it."""
        self._images.clear()

    def box(
        self, fill: str, line: str = "", *, radius: float = 8, ring: str = "", on: str | None = None, middle: int = 48
    ) -> tk.PhotoImage:
        """Return a box with round corners that can be stretched: its corners are its border.

        Parameters
        ----------
        ring
            Color of a second, softer line around the box, which marks the focus.
        on
            Color of the background; the panel by default, transparent if empty. Tk reads the screen back for each
            part of a transparent image, which is slow.
        middle
            Pixels between the corners, which Tk repeats: use more for large widgets, for the same reason.
        """
        edge = self.px(radius) + self.px(3)
        # Only the corners are supersampled; the rest of each row has a single color.
        side = 2 * edge + 2
        size = side * _FINE
        behind = self.colors.panel if on is None else on
        image = Image.new("RGB", (size, size), behind) if behind else Image.new("RGBA", (size, size), (0, 0, 0, 0))
        draw = ImageDraw.Draw(image)
        inset = self.px(2) * _FINE
        if ring:
            draw.rounded_rectangle((0, 0, size - 1, size - 1), self.px(radius + 2) * _FINE, fill=ring)
        if fill or line:  # with neither, Pillow draws a white line
            draw.rounded_rectangle(
                (inset, inset, size - 1 - inset, size - 1 - inset),
                self.px(radius) * _FINE,
                fill=fill or None,
                outline=line or None,
                width=self.px(1) * _FINE,
            )
        return self.picture(_stretched(image.resize((side, side), Image.Resampling.LANCZOS), edge, middle))

    def drawn(self, size: float, lines: list[list[tuple[float, float]]], color: str, *, stroke: float = 1.7) -> Any:  # noqa: ANN401
        """Return an icon, drawn as strokes on a square of 24 × 24 units."""
        side = self.px(size)
        unit = side * _FINE / 24
        image = Image.new("RGBA", (side * _FINE, side * _FINE), (0, 0, 0, 0))
        draw = ImageDraw.Draw(image)
        width = max(1, round(self.px(stroke * 10) / 10 * _FINE))
        for line in lines:
            points = [(x * unit, y * unit) for x, y in line]
            draw.line(points, fill=color, width=width, joint="curve")
            for x, y in (points[0], points[-1]):
                draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=color)
        return self.picture(image.resize((side, side), Image.Resampling.LANCZOS))

    def _fonts(self) -> None:
        family = tkfont.nametofont("TkDefaultFont", root=self.root).actual("family")
        fixed = tkfont.nametofont("TkFixedFont", root=self.root).actual("family")

        def made(size: float, weight: str = "normal", name: str = family) -> tkfont.Font:
            return tkfont.Font(self.root, family=name, size=-self.px(size), weight=weight)  # type: ignore[arg-type]

        self.body, self.bold, self.title = made(13), made(13, "bold"), made(20, "bold")
        self.head, self.small, self.caps, self.mono = made(14, "bold"), made(12), made(11, "bold"), made(12, name=fixed)

    def _styles(self) -> None:
        style = ttk.Style(self.root)
        self.style = style
        self._name = f"karospace-{len(style.theme_names())}"
        style.theme_create(self._name, "clam")
        style.theme_use(self._name)
        c, px = self.colors, self.px
        style.configure(
            ".", background=c.panel, foreground=c.ink, font=self.body, borderwidth=0, focuscolor=c.accent,
            troughcolor=c.soft, selectbackground=c.accent, selectforeground=c.on_accent, insertcolor=c.ink,
            insertwidth=px(1),
        )  # fmt: skip
        style.map(".", foreground=[("disabled", c.muted)])
        self._frames(style)
        self._buttons(style)
        self._fields(style)
        self._lists(style)

    def _element(self, style: ttk.Style, name: str, *images: Any, **options: Any) -> None:  # noqa: ANN401
        # The element is as small as its corners; otherwise, it would request the size of its image.
        for side in ("width", "height"):
            options.setdefault(side, 2 * options["border"] if "border" in options else None)
        style.element_create(
            name, "image", *images, **{key: value for key, value in options.items() if value is not None}
        )

    def _frames(self, style: ttk.Style) -> None:
        c, px = self.colors, self.px
        style.configure("Ground.TFrame", background=c.ground)
        style.configure("TFrame", background=c.panel)
        style.configure("Line.TFrame", background=c.line)
        # The same style on the background, and inside another card.
        for kind, behind in {"Card": c.ground, "Inner": c.panel}.items():
            card = self.box(c.panel, c.line, radius=10, on=behind, middle=200)
            self._element(style, f"{kind}.box", card, border=px(13), sticky="nsew", padding=px(3))
            style.layout(f"{kind}.TFrame", [(f"{kind}.box", {"sticky": "nsew"})])
            style.configure(f"{kind}.TFrame", background=behind)
        labels: dict[str, dict[str, Any]] = {
            "Muted": {"foreground": c.muted, "font": self.small},
            "Caps": {"foreground": c.muted, "font": self.caps},
            "Title": {"font": self.title},
            "Head": {"font": self.head},
            "Problem": {"foreground": c.wrong, "font": self.small},
            "Good": {"foreground": c.good, "font": self.bold},
            "Ground": {"background": c.ground, "foreground": c.muted},
            "GroundProblem": {"background": c.ground, "foreground": c.wrong},
            "GroundTitle": {"background": c.ground, "font": self.title},
        }
        for kind, options in labels.items():
            style.configure(f"{kind}.TLabel", **options)

    def _buttons(self, style: ttk.Style) -> None:
        c, px = self.colors, self.px
        ring = c.accent_soft
        for kind, behind in {"Plain": c.panel, "Ground": c.ground}.items():
            usual = self.box(c.panel, c.line, on=behind)
            touched = self.box(c.soft, c.line, on=behind)
            self._element(
                style, f"{kind}.box", usual, ("disabled", usual), ("pressed", touched),
                ("focus", self.box(c.panel, c.accent, ring=ring, on=behind)), ("active", touched),
                border=px(11), padding=px(2), sticky="nsew",
            )  # fmt: skip
        accent_line = self.box(c.accent, c.accent)
        self._element(
            style, "Primary.box", accent_line,
            ("disabled", self.box(c.soft, c.line)), ("pressed", self.box(c.accent, c.ink)),
            ("focus", self.box(c.accent, c.ink, ring=ring)), ("active", self.box(c.accent, c.accent, ring=ring)),
            border=px(11), padding=px(2), sticky="nsew",
        )  # fmt: skip
        self._element(
            style, "Quiet.box", self.box(""),
            ("focus", self.box("", c.accent)), ("active", self.box(c.soft)),
            border=px(11), padding=px(2), sticky="nsew",
        )  # fmt: skip
        for kind in ("Plain", "Ground", "Primary", "Quiet"):
            layout = _within(f"{kind}.box", "Button.padding", "Button.label")
            style.layout("TButton" if kind == "Plain" else f"{kind}.TButton", layout)
        style.configure("TButton", padding=(px(12), px(5)), anchor="center", background=c.panel)
        style.configure("Ground.TButton", background=c.ground)
        style.configure("Primary.TButton", foreground=c.on_accent, font=self.bold, padding=(px(20), px(5)))
        style.map("Primary.TButton", foreground=[("disabled", c.muted)])
        style.configure("Quiet.TButton", foreground=c.accent, padding=(px(6), px(2)), font=self.body)
        style.map("Quiet.TButton", foreground=[("disabled", c.muted)])
        # Align the text of the button with other text.
        style.configure("Fold.TButton", foreground=c.accent, padding=(0, px(2)), font=self.body)
        style.layout("Fold.TButton", style.layout("Quiet.TButton"))
        style.configure("Help.TButton", foreground=c.muted, padding=(px(3), 0), font=self.small)
        style.layout("Help.TButton", style.layout("Quiet.TButton"))
        style.configure("Row.TButton", padding=(px(12), px(7)), anchor="w", foreground=c.ink)
        style.layout("Row.TButton", style.layout("Quiet.TButton"))
        self._element(style, "Segments.box", self.box(c.soft, c.soft), border=px(11), padding=px(3), sticky="nsew")
        style.layout("Segments.TFrame", [("Segments.box", {"sticky": "nsew"})])
        style.configure("Segments.TFrame", background=c.panel)
        self._element(
            style, "Segment.box", self.box("", radius=6, on=c.soft),
            ("selected", "focus", self.box(c.panel, c.accent, radius=6, on=c.soft)),
            ("selected", self.box(c.panel, c.line, radius=6, on=c.soft)),
            ("focus", self.box("", c.accent, radius=6, on=c.soft)),
            border=px(9), padding=px(2), sticky="nsew",
        )  # fmt: skip
        style.layout(
            "Segment.TRadiobutton", _within("Segment.box", "Radiobutton.padding", "Radiobutton.label", sticky="")
        )
        style.configure(
            "Segment.TRadiobutton", background=c.soft, foreground=c.muted, padding=(px(8), px(3)), anchor="center"
        )
        style.map("Segment.TRadiobutton", foreground=[("selected", c.ink), ("active", c.ink)])
        self._checks(style)

    def _checks(self, style: ttk.Style) -> None:
        c, px = self.colors, self.px
        self._element(
            style, "Tick.indicator", self.tick(on=False),
            ("selected", "focus", self.tick(on=True, ring=c.accent_soft)), ("selected", self.tick(on=True)),
            ("focus", self.tick(on=False, ring=c.accent_soft, line=c.accent)),
            sticky="w", width=px(22),
        )  # fmt: skip
        marked: Any = [
            ("Tick.indicator", {"side": "left", "sticky": ""}),
            ("Checkbutton.label", {"side": "left", "sticky": "nsew"}),
        ]  # fmt: skip
        style.layout("TCheckbutton", [("Checkbutton.padding", {"sticky": "nsew", "children": marked})])
        style.configure("TCheckbutton", background=c.panel, padding=px(2))

    def tick(self, *, on: bool | None, ring: str = "", line: str = "") -> tk.PhotoImage:
        """Return the image of a checkbox; `on` is None for a disabled one."""
        return self.picture(self.tick_image(on=on, ring=ring, line=line))

    def tick_image(self, *, on: bool | None, ring: str = "", line: str = "") -> Image.Image:
        """Return the image of :meth:`tick` as a Pillow image, which can be modified."""
        c = self.colors
        side = self.px(20) * _FINE
        image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        draw = ImageDraw.Draw(image)
        unit = side / 20
        if ring:
            draw.rounded_rectangle((0, 0, side - 1, side - 1), 5 * unit, fill=ring)
        box = (3 * unit, 3 * unit, 17 * unit, 17 * unit)
        if on:
            draw.rounded_rectangle(box, 4 * unit, fill=c.accent)
            points = [(6.2 * unit, 10.2 * unit), (9 * unit, 13 * unit), (14 * unit, 7.2 * unit)]
            draw.line(points, fill=c.on_accent, width=round(1.8 * unit), joint="curve")
        else:
            fill = c.soft if on is None else c.panel
            draw.rounded_rectangle(box, 4 * unit, fill=fill, outline=line or c.muted, width=round(1.2 * unit))
        return image.resize((side // _FINE, side // _FINE), Image.Resampling.LANCZOS)

    def _fields(self, style: ttk.Style) -> None:
        c, px = self.colors, self.px
        images = (
            self.box(c.panel, c.line),
            ("invalid", "focus", self.box(c.panel, c.wrong, ring=c.accent_soft)),
            ("invalid", self.box(c.panel, c.wrong)),
            ("disabled", self.box(c.soft, c.line)), ("focus", self.box(c.panel, c.accent, ring=c.accent_soft)),
        )  # fmt: skip
        self._element(style, "Field.box", *images, border=px(11), padding=px(2), sticky="nsew")
        style.layout("TEntry", _within("Field.box", "Entry.padding", "Entry.textarea"))
        style.configure("TEntry", padding=(px(8), px(5)), foreground=c.ink, fieldbackground=c.panel)
        chevron = self.drawn(18, [[(7, 10), (12, 15), (17, 10)]], c.muted)
        self._element(style, "Chevron.arrow", chevron, sticky="e", padding=px(2))
        inside: Any = _within("Combobox.padding", "Combobox.textarea")
        inside[0][1]["expand"] = "1"
        parts: Any = [("Chevron.arrow", {"side": "right", "sticky": "ns"}), *inside]
        style.layout("TCombobox", [("Field.box", {"sticky": "nsew", "children": parts})])
        style.configure("TCombobox", padding=(px(8), px(5)), foreground=c.ink, fieldbackground=c.panel)
        style.map(
            "TCombobox", fieldbackground=[("readonly", c.panel)], selectbackground=[("readonly", c.panel)],
            selectforeground=[("readonly", c.ink)],
        )  # fmt: skip

    def _lists(self, style: ttk.Style) -> None:
        c, px = self.colors, self.px
        style.layout("Treeview", [("Treeview.treearea", {"sticky": "nsew"})])
        style.configure(
            "Treeview", background=c.panel, fieldbackground=c.panel, foreground=c.ink, rowheight=px(26), indent=0,
            font=self.body,
        )  # fmt: skip
        style.map("Treeview", background=[("selected", c.accent_soft)], foreground=[("selected", c.ink)])
        # The layout has no indicator for expanding a row, because no rows are nested.
        row: Any = [
            ("Treeitem.image", {"side": "left", "sticky": ""}),
            ("Treeitem.text", {"side": "left", "sticky": ""}),
        ]
        style.layout("Treeview.Item", [("Treeitem.padding", {"sticky": "nsew", "children": row})])
        style.configure("Treeview.Item", padding=(px(4), 0))
        # Tk identifies the parts that it moves by the last component of their names.
        thumb, wide = (self.box(color, radius=4, on="") for color in (c.line, c.muted))
        narrow: dict[str, Any] = {"border": px(6), "width": px(12), "sticky": "nsew"}
        self._element(style, "Thumb.thumb", thumb, ("active", wide), ("pressed", wide), **narrow)
        rail_box = {**narrow, "border": 0, "padding": 0}  # as narrow as the thumb
        self._element(style, "Rail.trough", self.box("", radius=4, on=""), **rail_box)
        rail: Any = [("Thumb.thumb", {"expand": "1", "sticky": "nsew"})]
        style.layout("Vertical.TScrollbar", [("Rail.trough", {"sticky": "ns", "children": rail})])
        style.configure("Vertical.TScrollbar", background=c.panel, troughcolor=c.panel)
        style.layout("Ground.Vertical.TScrollbar", style.layout("Vertical.TScrollbar"))
        style.configure("Ground.Vertical.TScrollbar", background=c.ground)
        full, empty = (self.box(color, radius=3) for color in (c.accent, c.soft))
        self._element(style, "Full.pbar", full, border=px(5), sticky="nsew")
        self._element(style, "Empty.trough", empty, border=px(5), padding=0, sticky="nsew")
        bar: Any = [("Full.pbar", {"side": "left", "sticky": "ns"})]
        style.layout("Horizontal.TProgressbar", [("Empty.trough", {"sticky": "ew", "children": bar})])
        style.configure("Horizontal.TProgressbar", background=c.panel, thickness=px(10))
        # This bar moves back and forth while the progress is unknown.
        self._element(style, "Busy.pbar", full, border=px(5), width=px(90), height=px(10), sticky="nsew")
        busy: Any = [("Busy.pbar", {"side": "left", "sticky": "ns"})]
        style.layout("Busy.Horizontal.TProgressbar", [("Empty.trough", {"sticky": "ew", "children": busy})])

    def _classic(self) -> None:
        """Color what ttk does not draw: menus, text, the list of a combobox."""
        c = self.colors
        self.root.configure(background=c.ground)
        for pattern, value in {
            "*TCombobox*Listbox.background": c.panel, "*TCombobox*Listbox.foreground": c.ink,
            "*TCombobox*Listbox.selectBackground": c.accent_soft, "*TCombobox*Listbox.selectForeground": c.ink,
            "*TCombobox*Listbox.font": str(self.body), "*TCombobox*Listbox.relief": "flat",
            "*Menu.background": c.panel, "*Menu.foreground": c.ink, "*Menu.activeBackground": c.accent_soft,
            "*Menu.activeForeground": c.ink, "*Menu.relief": "flat", "*Menu.font": str(self.body),
            "*Menu.borderWidth": "0", "*Menu.activeBorderWidth": str(self.px(3)), "*Menu.selectColor": c.ink,
            "*Menu.disabledForeground": c.muted,
        }.items():  # fmt: skip
            self.root.option_add(pattern, value, 80)


def _stretched(image: Image.Image, edge: int, middle: int) -> Image.Image:
    """Stretch an image: keep its corners, with `middle` pixels between them."""
    wide = Image.new(image.mode, (2 * edge + middle, image.height))
    wide.paste(image.crop((0, 0, edge, image.height)), (0, 0))
    wide.paste(image.crop((edge, 0, edge + 1, image.height)).resize((middle, image.height)), (edge, 0))
    wide.paste(image.crop((image.width - edge, 0, image.width, image.height)), (edge + middle, 0))
    high = Image.new(image.mode, (wide.width, 2 * edge + middle))
    high.paste(wide.crop((0, 0, wide.width, edge)), (0, 0))
    high.paste(wide.crop((0, edge, wide.width, edge + 1)).resize((wide.width, middle)), (0, edge))
    high.paste(wide.crop((0, wide.height - edge, wide.width, wide.height)), (0, edge + middle))
    return high


def _within(*names: str, sticky: str = "nsew") -> Any:  # noqa: ANN401 - Tk's nested lists
    """Return a layout of nested elements, the outermost first; `sticky` applies to the innermost."""
    *outer, inmost = names
    layout: Any = [(inmost, {"sticky": sticky})]
    for name in reversed(outer):
        layout = [(name, {"sticky": "nsew", "children": layout})]
    return layout
