"""Parse colors of categories, and provide a palette of distinct ones."""

from __future__ import annotations

import colorsys
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

# The viewer's palettes are generated from this file, too. Each color maximizes the distance in CIEDE2000 and OKLab to
# the preceding colors, the gray of missing values and the viewer's backgrounds. The color-blind palette uses the
# smallest of three distances: unmodified, and as seen with deuteranopia and protanopia (Machado et al. 2009).
_PALETTES = Path(__file__).with_name("palettes.json")
_XKCD = Path(__file__).with_name("xkcd.json")
"""Names of the xkcd color survey (public domain, CC0), which matplotlib knows as `xkcd:NAME`."""

_NAMED = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff", "yellow": "#ffff00",
    "orange": "#ffa500", "purple": "#800080", "pink": "#ffc0cb", "brown": "#a52a2a", "gray": "#808080", "grey": "#808080",
    "cyan": "#00ffff", "magenta": "#ff00ff", "lime": "#00ff00", "navy": "#000080", "teal": "#008080", "olive": "#808000",
    "maroon": "#800000", "gold": "#ffd700", "salmon": "#fa8072", "turquoise": "#40e0d0", "violet": "#ee82ee",
    "indigo": "#4b0082", "crimson": "#dc143c", "coral": "#ff7f50", "khaki": "#f0e68c", "orchid": "#da70d6",
    "tan": "#d2b48c", "silver": "#c0c0c0", "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3", "darkgray": "#a9a9a9",
    "darkgrey": "#a9a9a9", "lightblue": "#add8e6", "darkblue": "#00008b", "lightgreen": "#90ee90", "darkgreen": "#006400",
    "darkred": "#8b0000", "darkorange": "#ff8c00", "skyblue": "#87ceeb", "steelblue": "#4682b4", "royalblue": "#4169e1",
    "forestgreen": "#228b22", "tomato": "#ff6347", "hotpink": "#ff69b4", "chocolate": "#d2691e", "beige": "#f5f5dc",
    "r": "#ff0000", "g": "#008000", "b": "#0000ff", "c": "#00bfbf", "m": "#bf00bf", "y": "#bfbf00", "k": "#000000", "w": "#ffffff",
}  # fmt: skip

# matplotlib's default cycle, referred to as "C0" or "tab:blue".
_CYCLE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
_TAB = dict(
    zip(("blue", "orange", "green", "red", "purple", "brown", "pink", "gray", "olive", "cyan"), _CYCLE, strict=True)
)


@cache
def _stored_palette(name: str) -> tuple[str, ...]:
    return tuple(json.loads(_PALETTES.read_text(encoding="utf-8"))[name])


def palette(n: int, name: Literal["distinct", "safe"] = "distinct") -> list[str]:
    """Return `n` colors: those of a palette, which are easy to tell apart, then generated ones that may not be.

    The palette `safe` is for color-blind readers.
    """
    colors = list(_stored_palette(name)[:n])
    for i in range(n - len(colors)):
        hue = (0.07 + i * 0.618033988749895) % 1.0  # the golden ratio spreads any number of hues evenly
        lightness = (0.42, 0.62, 0.76)[i % 3]
        red, green, blue = colorsys.hls_to_rgb(hue, lightness, (0.62, 0.55)[i % 2])
        colors.append(f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}")
    return colors


@cache
def _xkcd() -> dict[str, str]:
    found: dict[str, str] = json.loads(_XKCD.read_text(encoding="utf-8"))
    return found


def parse_color(value: Any, *, scale_255: bool | None = None) -> str | None:  # noqa: ANN401 - uns holds anything
    """Parse a stored color to ``#rrggbb``; None if it is invalid or fully transparent.

    Parameters
    ----------
    scale_255
        Whether numbers range from 0 to 255 rather than from 0 to 1; inferred from the largest one by default.
    """
    rgba = parse_rgba(value, scale_255=scale_255)
    return None if rgba is None or rgba[3] == 0 else "#{:02x}{:02x}{:02x}".format(*rgba[:3])


def parse_rgba(value: Any, *, scale_255: bool | None = None) -> tuple[int, int, int, float] | None:  # noqa: ANN401
    """Parse a stored color to red, green and blue (0 to 255) and alpha (0 to 1); None if it is invalid.

    Accepts the names of CSS, matplotlib (``C0``, ``tab:blue``, ``r``, grays as ``"0.5"``) and ``xkcd:NAME``, in any
    case.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return _from_text(value.strip().lower())
    if isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[0], str):  # matplotlib's (color, alpha)
        named = parse_rgba(value[0])
        alpha = value[1] if isinstance(value[1], int | float) else None
        return None if named is None or alpha is None or not 0 <= alpha <= 1 else (*named[:3], float(alpha))
    try:
        parts = np.asarray(value, dtype=float).ravel()
    except (TypeError, ValueError):
        return None
    if len(parts) not in {3, 4} or not np.isfinite(parts).all() or parts.min() < 0 or parts.max() > 255:
        return None
    top = 255 if (parts.max() > 1 if scale_255 is None else scale_255) else 1
    if parts.max() > top:
        return None
    red, green, blue = (round(float(part) * 255 / top) for part in parts[:3])
    return red, green, blue, float(parts[3]) / top if len(parts) == 4 else 1.0


def _from_text(text: str) -> tuple[int, int, int, float] | None:
    if re.fullmatch(r"#[0-9a-f]{3,4}", text):
        text = "#" + "".join(2 * c for c in text[1:])
    elif text == "none":
        text = "#00000000"
    elif re.fullmatch(r"c\d+", text):
        text = _CYCLE[int(text[1:]) % 10]
    elif text.startswith("tab:"):
        text = _TAB.get(text[4:].replace("grey", "gray"), "")
    elif text.startswith("xkcd:"):
        text = _xkcd().get(text[5:].replace("grey", "gray"), "")
    elif re.fullmatch(r"[01]?\.\d*|[01]", text):  # matplotlib's grays
        level = float(text) if text != "." else 2.0
        return (round(level * 255),) * 3 + (1.0,) if level <= 1 else None  # type: ignore[return-value]  # of length 4
    else:
        text = _NAMED.get(text) or _css(text) or text
    if not re.fullmatch(r"#[0-9a-f]{6}([0-9a-f]{2})?", text):
        return None
    red, green, blue, alpha = bytes.fromhex(f"{text[1:]}ff"[:8])
    return red, green, blue, alpha / 255


def _css(name: str) -> str | None:
    from PIL import ImageColor  # has the complete table of CSS names

    if name == "transparent":
        return "#00000000"
    if name not in ImageColor.colormap and not re.match(r"(rgba?|hsl|hsv)\(", name):
        return None
    try:
        return "#" + "".join(f"{part:02x}" for part in ImageColor.getrgb(name))
    except ValueError:
        return None
