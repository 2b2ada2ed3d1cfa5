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
_FILLED = 0.8
"""Share of the whole numbers between the smallest and the largest code that occur: some clusters may be left out."""

_WORDS = Path(__file__).with_name("codes.json")
"""Words in names of columns: for codes, for measures anywhere or in the first place (n_clusters), and for axes. The
viewer has them, too, for tables without types."""
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
    2. its name has a word for codes (cluster, leiden, batch, fov) and none for a measure (count, size, score), no value
       is below -1, at most 256 differ, and there are at least 2 cells for each, or
    3. its name has no word for a measure or an axis, the values run from -1, 0 or 1 with few gaps (years and doses do
       not), at most 50 differ, and there are at least 10 cells for each.

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
    distinct = len(np.unique(values))
    if distinct < 2:
        return False
    if colors and distinct <= MOST_NAMED_CODES:
        return True
    words, known = words_of(name), _known()
    if values.min() < -1 or known["measures"] & {*words} or known["number_of"] & {*words[:1]}:
        return False
    if known["codes"] & {*words, *(word.removesuffix("s") for word in words)}:
        return distinct <= min(MOST_NAMED_CODES, len(values) // _CELLS_A_NAMED_CODE)
    run = values.min() <= 1 and distinct >= _FILLED * (values.max() - values.min() + 1)
    return bool(run) and not known["axes"] & {*words} and distinct <= min(MOST_CODES, len(values) // _CELLS_A_CODE)
