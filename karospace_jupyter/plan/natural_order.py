"""Sort names in natural order: 2 before 10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from natsort import natsorted

if TYPE_CHECKING:
    from collections.abc import Iterable


def natural_order(names: Iterable[str]) -> list[str]:
    """Sort distinct names as anndata sorts the categories of a text column.

    ``AnnData.strings_to_categoricals`` sorts with natsort, and ``uns['<column>_colors']`` follows that order. Names
    that natsort considers equal (1 and 01) are in plain text order. The viewer sorts in the same way in
    ``js/src/lib/natural.ts``.

    Returns
    -------
    list of str

    Examples
    --------
    >>> natural_order(["10", "2", "B10", "B2"])
    ['2', '10', 'B2', 'B10']
    """
    return natsorted(sorted(names))
