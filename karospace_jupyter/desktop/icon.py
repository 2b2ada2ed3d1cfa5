"""The app's icon: a tissue of spots in the colors of categories."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    import tkinter as tk

    from karospace_jupyter.desktop.theme import Theme

_COLORS = ("#7aa2ff", "#f2a33a", "#e8578f", "#45b58a")
_FINE = 4  # supersampling factor for smooth edges
# The color index of each spot in a row; a space is a hole.
_ROWS = (" 0011 ", "000112", "302112", "330222", "333322", " 3332 ")


def icon_image(side: int) -> Image.Image:
    """Return the icon as a square image with sides of `side` pixels."""
    size = side * _FINE
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, size - 1, size - 1), size * 0.22, fill="#17202b")
    margin, n = size * 0.14, len(_ROWS)
    step = (size - 2 * margin) / n
    for j, row in enumerate(_ROWS):
        for i, letter in enumerate(row):
            if letter == " ":
                continue
            x, y, r = margin + step * (i + 0.5), margin + step * (j + 0.5), step * 0.4
            draw.ellipse((x - r, y - r, x + r, y + r), fill=_COLORS[int(letter)])
    return image.resize((side, side), Image.Resampling.LANCZOS)


def draw_icon(theme: Theme, size: float = 64) -> tk.PhotoImage:
    """Return the icon for use in the window."""
    return theme.photo(icon_image(theme.px(size)))


def icon_file(kind: str) -> bytes:
    """Return the bytes of the icon as a ``PNG``, ``ICO`` or ``ICNS`` file."""
    data = io.BytesIO()
    icon_image(512).save(data, kind)
    return data.getvalue()
