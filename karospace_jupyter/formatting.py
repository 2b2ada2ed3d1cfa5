"""Format numbers and sizes for display, suggest similar names, and parse names of annotations."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Literal

LONGEST_NAME = 1000
"""Maximum number of characters of a dataset name, which is shown in titles."""
_DIGITS = 6
"""Names with at least this many digits are identifiers, such as ENSG00000141510."""
_UNITS = {10**3: "kB", 10**6: "MB", 10**9: "GB"}


def number(value: float) -> str:
    """Format a value with at most four significant digits unless it is an integer.

    Examples
    --------
    >>> number(12345), number(0.123456)
    ('12,345', '0.1235')
    """
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.4g}" if 1e-3 <= abs(value) < 1e6 else f"{value:.3g}"


def size(n: float) -> str:
    """Format a number of bytes with decimal units (1 MB is 10**6 bytes).

    Examples
    --------
    >>> size(1_500_000), size(999_999)
    ('1.5 MB', '1.0 MB')
    """
    if n < 999.5:
        return f"{n:.0f} B"
    unit = next((unit for unit in (10**3, 10**6) if n < 999.95 * unit), 10**9)
    return f"{n / unit:,.1f} {_UNITS[unit]}"


def counted(n: int, one: str, many: str = "") -> str:
    """Format a number with a noun in the singular or plural; `many` is an irregular plural.

    Examples
    --------
    >>> counted(1, "file"), counted(2000, "file")
    ('1 file', '2,000 files')
    """
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"


def shape(cells: int, genes: int, source: int | None = None, observations: str = "cells") -> str:
    """Format the numbers of cells and genes.

    Parameters
    ----------
    source
        Number of cells before downsampling.
    observations
        What the cells are: cells, spots or bins.

    Examples
    --------
    >>> shape(100, 20, 1000), shape(1, 20, observations="spots")
    ('100 of 1,000 cells × 20 genes', '1 spot × 20 genes')
    """
    part = source is not None and source > cells
    one = observations.removesuffix("s")
    n_cells = f"{cells:,} of {counted(source or 0, one)}" if part else counted(cells, one)
    return f"{n_cells} × {counted(genes, 'gene')}"


def duration(seconds: float) -> str:
    """Format a duration with about two digits.

    Examples
    --------
    >>> duration(4.21), duration(240)
    ('4.2 s', '4 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def nearest(name: str, names: Sequence[str], n: int = 3) -> list[str]:
    """Return the names most similar to `name`, ignoring case.

    Examples
    --------
    >>> nearest("epca", ["CD3E", "EPCAM"])
    ['EPCAM']
    >>> nearest("ENSG00000141510", ["ENSG00000141511", "ENSG00000141510.18"])
    ['ENSG00000141510.18']
    """
    folded: dict[str, str] = {}
    for candidate in names:
        folded.setdefault(candidate.casefold(), candidate)
    # Identifiers with similar digits are unrelated, and comparing all of them takes seconds.
    plain = sum(map(str.isdigit, name)) < _DIGITS
    near = difflib.get_close_matches(name.casefold(), folded, n=n, cutoff=0.6) if plain else []
    # A partial name also suggests the names that start with it, however long they are.
    starting = sorted((m for m in folded if m not in near and m.startswith(name.casefold())), key=len) if name else []
    return [folded[m] for m in (*near, *starting)[:n]]


def hint(name: str, names: Sequence[str]) -> str:
    """Return " Did you mean …?" with the most similar names; empty if no name is similar.

    Examples
    --------
    >>> hint("EPCA", ["CD3E", "EPCAM"])
    " Did you mean 'EPCAM'?"
    """
    near = nearest(name, names)
    return f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""


def split_kind(text: str, columns: Sequence[str]) -> tuple[str, Literal["category", "number"] | None]:
    """Split ``number:NAME`` or ``category:NAME``, as used in ``annotation_columns``; names in `columns` are not split.

    Returns
    -------
    tuple
        The column and the requested kind, None if the text does not specify one.

    Examples
    --------
    >>> split_kind("category:leiden", ["leiden"])
    ('leiden', 'category')
    """
    prefix, _, rest = text.partition(":")
    if text in columns:
        return text, None
    return (rest, "number") if prefix == "number" else (rest, "category") if prefix == "category" else (text, None)
