"""Numbers as people read them, and names of columns as they write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

LONGEST_NAME = 1000
"""Characters of a dataset's name: it stands in titles."""


def number(value: float) -> str:
    """Return a value with as many digits as say something."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.4g}" if 1e-3 <= abs(value) < 1e6 else f"{value:.3g}"


def size(n: float) -> str:
    """Return a number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1000
    return ""


def counted(n: int, one: str, many: str = "") -> str:
    """Return a number with the word for it."""
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"


def shape(cells: int, genes: int, source: int | None = None) -> str:
    """Return the numbers of cells and genes as text; `source` is the number of cells before downsampling."""
    part = source is not None and source > cells
    held = f"{cells:,} of {counted(source or 0, 'cell')}" if part else counted(cells, "cell")
    return f"{held} × {counted(genes, 'gene')}"


def duration(seconds: float) -> str:
    """Return a time that is about right."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def split_kind(text: str, columns: Sequence[str]) -> tuple[str, Literal["category", "number"] | None]:
    """Split ``number:NAME`` or ``category:NAME`` of a list of annotations; the whole name of a column is not split.

    Returns
    -------
    tuple
        The column, and as what it is asked for: None where the text does not say.
    """
    prefix, _, rest = text.partition(":")
    if text in columns:
        return text, None
    return (rest, "number") if prefix == "number" else (rest, "category") if prefix == "category" else (text, None)
