"""Draw the import layers: ``python docs/draw_layers.py`` writes ``docs/_images/layers.svg``.

The layers and the restricted packages come from the contracts in ``pyproject.toml`` (``[tool.importlinter]``); the dots
show which modules import a restricted package.
"""

from __future__ import annotations

import ast
import colorsys
import html
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).parent / "_images/layers.svg"

WIDTH, MARGIN, ARROW = 760, 16, 54
HEIGHT, GAP, BETWEEN, PADDING = 34, 15, 10, 16
LETTER = 7.9  # approximate width of a letter in px
DOTS = ("#ffb000", "#ff7fa8", "#7fe0ff", "#b7f06a")
NEUTRAL = "#768390"  # readable on white and on black


def contracts() -> list[dict[str, Any]]:
    """Return the import contracts of the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return found


def layers() -> list[list[str]]:
    """Return the modules of each layer, the highest first."""
    (contract,) = (one for one in contracts() if one["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def restricted() -> list[tuple[str, list[str]]]:
    """Return each contract that restricts packages: its name and the packages."""
    return [(one["name"], one["forbidden_modules"]) for one in contracts() if one["type"] == "forbidden"]


def imported(module: str) -> set[str]:
    """Return the top-level packages that a module imports, also in functions, except for type checking."""
    path = ROOT / module.replace(".", "/")
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    found: set[str] = set()
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        typing_only = {
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if node in typing_only:
                continue
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found


def picture() -> str:
    """Return the picture as SVG; its colors are readable on light and dark pages."""
    rows, packages = layers(), restricted()
    legend_top = MARGIN + len(rows) * (HEIGHT + GAP) + 6
    height = legend_top + 24 * len(packages) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-labelledby="layers-title" font-family="system-ui, -apple-system, Segoe UI, sans-serif" '
        'font-size="14">',
        '<title id="layers-title">Import layers: a module may import only from the layers below it</title>',
        *_arrow(MARGIN + 10, MARGIN + 4, legend_top - GAP - 10),
    ]
    for number, row in enumerate(rows):
        parts += _row(row, MARGIN + number * (HEIGHT + GAP), _color(number / (len(rows) - 1)), packages)
    for number, (_, names) in enumerate(packages):
        y = legend_top + 24 * number + 12
        text = html.escape(f"imports {', '.join(names)}")
        parts.append(f'<circle cx="{MARGIN + ARROW + 6}" cy="{y}" r="5" fill="{DOTS[number]}" stroke="{NEUTRAL}"/>')
        parts.append(f'<text x="{MARGIN + ARROW + 20}" y="{y + 5}" fill="{NEUTRAL}">{text}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _arrow(x: int, top: int, bottom: int) -> list[str]:
    middle = (top + bottom) // 2
    return [
        f'<path d="M{x} {top}V{bottom}m-6 -9l6 9l6 -9" fill="none" stroke="{NEUTRAL}" stroke-width="2"/>',
        f'<text transform="translate({x + 13} {middle}) rotate(90)" text-anchor="middle" fill="{NEUTRAL}">'
        "may import</text>",
    ]


def _row(modules: list[str], top: int, color: str, packages: list[tuple[str, list[str]]]) -> list[str]:
    names = [module.removeprefix("karospace_jupyter.") for module in modules]
    dots = [[dot for dot, (_, banned) in zip(DOTS, packages, strict=True) if imported(m) & {*banned}] for m in modules]
    widths = [
        2 * PADDING + LETTER * len(name) + (len(row) * 13 + 8 if row else 0)
        for name, row in zip(names, dots, strict=True)
    ]
    room = WIDTH - 2 * MARGIN - ARROW - BETWEEN * (len(names) - 1)
    stretch = room / sum(widths)
    parts, left = [], float(MARGIN + ARROW)
    for name, width, row in zip(names, widths, dots, strict=True):
        wide = width * stretch
        middle = left + wide / 2 - (len(row) * 13 + 8) / 2 * bool(row)
        parts.append(f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{HEIGHT}" rx="7" fill="{color}"/>')
        parts.append(
            f'<text x="{middle:.1f}" y="{top + 22}" text-anchor="middle" fill="#fff" font-weight="600">{name}</text>'
        )
        first = middle + LETTER * len(name) / 2 + 14
        parts += [
            f'<circle cx="{first + 13 * at:.1f}" cy="{top + HEIGHT / 2:.0f}" r="5" fill="{dot}"/>'
            for at, dot in enumerate(row)
        ]
        left += wide + BETWEEN
    return parts


def _color(share: float) -> str:
    """Return a color between violet, for the highest layer, and green."""
    rgb = colorsys.hls_to_rgb(0.75 - 0.32 * share, 0.38, 0.42)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")
