"""Whole numbers that are codes: clusters, batches, fields of view. They are categories unless numbers are asked for."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from karospace_jupyter.plan.column_values import Numbers

MOST_CODES = 50
"""Up to this many distinct whole numbers are codes, whatever the column is called: more clusters are rare, and more
colors cannot be told apart."""
MOST_NAMED_CODES = 256
"""The same where the column's name says that it holds codes."""
_CELLS_A_CODE = 10
"""Fewer cells a value, in the mean, look like measurements of a small file."""
_CELLS_A_NAMED_CODE = 2
_CELLS_A_CODE_WITH_GAPS = 100
"""The same where clusters are left out, as in a part of the tissue: the numbers themselves say nothing then."""
_FEWEST_CELLS_WITH_GAPS = 5
"""The largest counts are those of one or two cells."""
_FILLED = 0.8
"""Share of the whole numbers between the smallest and the largest code that occur: some clusters may be left out."""

_WORDS = Path(__file__).with_name("codes.json")
"""Words in names of columns. The viewer has them, too, for tables without types.

codes, measures
    What the numbers are; `number_of` makes a measure of any name in the first place (n_clusters).
counted
    Before a measure or after `number_of` without a separator they make a measure, too (cellcount, nspots).
relations
    Between a measure and a code: what is measured (genes_per_cluster).
axes, amounts
    Not codes by their values alone; amounts only where values are left out (0, 10 and 20 days).
"""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|log1p")


def words_of(name: str) -> list[str]:
    """Split a name of a column into lower-case words.

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
    """Whether a column of numbers holds codes.

    Its values are whole, at least two of them differ, and

    1. the file has colors for the column, and at most 256 values differ, or
    2. its name has a word for codes (cluster, leiden, batch, fov), in the last place if there is one for a measure
       (count, size, score), too, no value is below -1, at most 256 differ, and there are at least 2 cells for each, or
    3. its name has no word for a measure or an axis, the values run from -1, 0 or 1 with few gaps (years and doses do
       not), at most 50 differ, and there are at least 10 cells for each, in the mean, or
    4. its name has no word for a measure, an axis or an amount, at most 50 values differ, and there are at least 100
       cells for each, in the mean, and 5 for any.

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
    if colors and distinct <= MOST_NAMED_CODES:
        return True
    words, known = words_of(name), _known()
    if values.min() < -1 or _is_measure(words):
        return False
    if any(_is_code(word) for word in words):
        return distinct <= min(MOST_NAMED_CODES, len(values) // _CELLS_A_NAMED_CODE)
    if known["axes"] & {*words}:
        return False
    if values.min() <= 1 and distinct >= _FILLED * (values.max() - values.min() + 1):
        return distinct <= min(MOST_CODES, len(values) // _CELLS_A_CODE)
    many = distinct <= min(MOST_CODES, len(values) // _CELLS_A_CODE_WITH_GAPS)
    return bool(many and cells.min() >= _FEWEST_CELLS_WITH_GAPS) and not known["amounts"] & {*words}


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
    """Whether a word is a number of things or a measure of one without a separator: `nspots`, `cellcount`."""
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
