"""Colours of classes: the file's own, else a palette that stays distinct."""

from __future__ import annotations

import colorsys
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

# The viewer's palettes are generated from this file, too. Each colour is the farthest, in CIEDE2000 and OKLab, from those
# before it, from the grey of missing values and from the viewer's grounds; of those for colour-blind eyes the least of
# three distances counts: as it is, and as deuteranopia and protanopia see it (Machado et al. 2009).
_PALETTES = Path(__file__).with_name("palettes.json")

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

# matplotlib's default cycle, which files name as "C0" or "tab:blue".
_CYCLE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
_TAB = dict(
    zip(("blue", "orange", "green", "red", "purple", "brown", "pink", "gray", "olive", "cyan"), _CYCLE, strict=True)
)


@cache
def _distinct() -> tuple[str, ...]:
    return tuple(json.loads(_PALETTES.read_text(encoding="utf-8"))["distinct"])


def palette(n: int) -> list[str]:
    """Return `n` colours: a hundred that stay apart, then any, as nobody tells more of them apart."""
    colors = list(_distinct()[:n])
    for i in range(n - len(colors)):
        hue = (0.07 + i * 0.618033988749895) % 1.0  # the golden ratio spreads hues for any number of them
        lightness = (0.42, 0.62, 0.76)[i % 3]
        red, green, blue = colorsys.hls_to_rgb(hue, lightness, (0.62, 0.55)[i % 2])
        colors.append(f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}")
    return colors


def parse_color(value: Any) -> str | None:  # noqa: ANN401 - uns holds anything
    """Return a stored colour as ``#rrggbb``, or None when it is not one."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        text = value.strip().lower()
        if re.fullmatch(r"#[0-9a-f]{6}([0-9a-f]{2})?", text):
            return text[:7]
        if re.fullmatch(r"#[0-9a-f]{3,4}", text):
            return "#" + "".join(2 * c for c in text[1:4])
        if re.fullmatch(r"c\d+", text):
            return _CYCLE[int(text[1:]) % 10]
        if text.startswith("tab:"):
            return _TAB.get(text[4:].replace("grey", "gray"))
        return _NAMED.get(text) or _css(text)
    try:
        parts = np.asarray(value, dtype=float).ravel()
    except (TypeError, ValueError):
        return None
    if len(parts) not in {3, 4} or not np.isfinite(parts).all() or parts.min() < 0 or parts.max() > 255:
        return None
    scale = 255 if parts.max() <= 1 else 1
    return "#" + "".join(f"{round(p * scale):02x}" for p in parts[:3])


def _css(name: str) -> str | None:
    from PIL import ImageColor  # its table of the CSS names is complete

    if name not in ImageColor.colormap:
        return None
    red, green, blue = ImageColor.getrgb(name)[:3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def stored_colors(value: Any, categories: Sequence[str], column: str) -> tuple[list[str], list[str]]:  # noqa: ANN401
    """Return one colour a category of the source, from ``uns['<column>_colors']`` where they are usable.

    Returns
    -------
    The colours, and warnings.
    """
    fallback = palette(len(categories))
    if value is None:
        return fallback, []
    if isinstance(value, Mapping):
        given: list[Any] = [value.get(category) for category in categories]
    else:
        array = np.asarray(value, dtype=object)
        given = [array.item()] if array.ndim == 0 else list(array)
    warnings = []
    colors = []
    bad = []
    for i, default in enumerate(fallback):
        color = parse_color(given[i]) if i < len(given) and given[i] is not None else None
        if color is None and i < len(given):
            bad.append(f"{given[i]!r} of {categories[i]!r}")
        colors.append(color or default)
    if bad:
        warnings.append(f"Colours of {column!r} that are not colours were replaced: {', '.join(bad[:4])}.")
    if len(given) < len(categories):
        warnings.append(f"{column!r} has {len(categories)} classes but {len(given)} stored colours; others were added.")
    return colors, warnings
