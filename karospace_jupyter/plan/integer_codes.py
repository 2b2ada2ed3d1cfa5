"""Detect columns of integer codes (clusters, batches, fields of view), which are exported as categories by default."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from karospace_jupyter.plan.column_values import Numbers

MAX_CODES = 50
"""Maximum number of distinct integers that count as codes regardless of the column's name: more clusters are rare, and
more colors are indistinguishable."""
MAX_NAMED_CODES = 256
"""Maximum number if the column's name indicates codes."""
_CELLS_PER_CODE = 10
"""Minimum mean number of cells per value; with fewer, the values may be measurements in a small file."""
_CELLS_PER_NAMED_CODE = 2
_CELLS_PER_CODE_WITH_GAPS = 100
"""Minimum if codes are missing, as in a part of the tissue, and the numbers alone do not indicate codes."""
_MIN_CELLS_WITH_GAPS = 5
"""Minimum number of cells of any value: large counts typically occur in one or two cells."""
_FILLED = 0.8
"""Minimum share of the integers between the smallest and the largest code that occur; a few clusters may be missing."""

_WORDS = Path(__file__).with_name("codes.json")
"""Words in column names. The viewer uses the same list for tables without types.

codes, measures
    What the numbers are; a first word in `number_of` makes any name a measure (n_clusters).
counted
    Joined to a measure, or to a word of `number_of`, they make a measure, too (cellcount, nspots).
relations
    Between a measure and a code: the column holds the measure (genes_per_cluster).
axes, amounts
    Never codes by their values alone; amounts only if values are missing in between (0, 10 and 20 days).
"""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|log1p")


def words_of(name: str) -> list[str]:
    """Split a column name into lower-case words.

    Returns
    -------
    list of str

    Examples
    --------
    >>> words_of("RNA_snn_res.0.8"), words_of("nCount_RNA"), words_of("graphClusters2")
    (['rna', 'snn', 'res'], ['n', 'count', 'rna'], ['graph', 'clusters'])
    """
    return [word.lower() for word in _WORD.findall(name)]


@cache
def _known() -> dict[str, frozenset[str]]:
    found: dict[str, str] = json.loads(_WORDS.read_text(encoding="utf-8"))
    return {kind: frozenset(text.split()) for kind, text in found.items()}


def are_codes(name: str, numbers: Numbers, *, colors: bool) -> bool:
    """Return whether a column of numbers holds codes.

    Its values must be whole, with at least two distinct ones, and

    1. the file stores colors for the column, and there are at most 256 distinct values, or
    2. its name has a word for codes (cluster, leiden, batch, fov), as the last word if there is also one for a measure
       (count, size, score); no value is below -1, and there are at most 256 distinct values with at least 2 cells per
       value on average, or
    3. its name has no word for a measure or an axis; the values start at -1, 0 or 1 and have few gaps (unlike years
       and doses), and there are at most 50 distinct values with at least 10 cells per value on average, or
    4. its name has no word for a measure, an axis or an amount; there are at most 50 distinct values with at least 100
       cells per value on average, and at least 5 for each.

    Parameters
    ----------
    colors
        Whether ``uns['<name>_colors']`` exists.

    Returns
    -------
    bool
    """
    values = numbers.values[~np.isnan(numbers.values)]
    if len(values) == 0 or numbers.texts is not None or numbers.infinite or (values != np.rint(values)).any():
        return False
    cells = np.unique(values, return_counts=True)[1]
    distinct = len(cells)
    if distinct < 2:
        return False
    if colors and distinct <= MAX_NAMED_CODES:
        return True
    words, known = words_of(name), _known()
    if values.min() < -1 or _is_measure(words):
        return False
    if any(_is_code(word) for word in words):
        return distinct <= min(MAX_NAMED_CODES, len(values) // _CELLS_PER_NAMED_CODE)
    if known["axes"] & {*words}:
        return False
    if values.min() <= 1 and distinct >= _FILLED * (values.max() - values.min() + 1):
        return distinct <= min(MAX_CODES, len(values) // _CELLS_PER_CODE)
    many = distinct <= min(MAX_CODES, len(values) // _CELLS_PER_CODE_WITH_GAPS)
    return bool(many and cells.min() >= _MIN_CELLS_WITH_GAPS) and not known["amounts"] & {*words}


def _is_code(word: str) -> bool:
    return not _known()["codes"].isdisjoint({word, word.removesuffix("s")})


def _is_measure(words: list[str]) -> bool:
    known = _known()
    if known["number_of"] & {*words[:1]}:
        return True
    if not any(word in known["measures"] or _is_joined(word) for word in words):
        return False
    return not _is_code(words[-1]) or bool(known["relations"] & {*words})


def _is_joined(word: str) -> bool:
    """Return whether a word joins a measure and what it counts: `nspots`, `cellcount`."""
    known = _known()
    for at in range(1, len(word)):
        first, rest = word[:at], word[at:]
        things = rest in known["measures"] or rest.removesuffix("s") in known["counted"]
        things = things or (rest.endswith("s") and _is_code(rest))
        if first in known["number_of"] and things:
            return True
        if first.removesuffix("s") in known["counted"] and rest in known["measures"]:
            return True
    return False
