"""Regions: named sets of cells, and their conversion to a column of obs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import ViewError
from karospace_jupyter.widget.masks import Mask, as_mask


def as_regions(value: Any, names: NDArray[np.object_]) -> dict[str, Mask]:  # noqa: ANN401 - checked here
    """Convert regions to a dict of names to boolean arrays over cells.

    Raises
    ------
    ViewError
        If it is not a mapping of names to selections.
    """
    if not isinstance(value, Mapping):
        msg = f"Regions are a dict of names to selections; got a {type(value).__name__}."
        raise ViewError(msg)
    found = {}
    for name, selection in value.items():
        mask = as_mask(selection, names)
        if not isinstance(name, str) or not name.strip() or mask is None:
            msg = f"Region {name!r}: a region needs a name and a selection."
            raise ViewError(msg)
        found[name] = mask
    return found


def categories_of(regions: Mapping[str, Mask]) -> pd.Categorical:
    """Convert the regions to one categorical over obs.

    A cell in several regions gets the last of them; a cell in none has a missing value.
    """
    codes = np.full(len(next(iter(regions.values()))), -1, dtype=np.int64)
    for code, mask in enumerate(regions.values()):
        codes[mask] = code
    return pd.Categorical.from_codes(codes, categories=list(regions))
