"""Make names unique, and list them in messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.formatting import hint

if TYPE_CHECKING:
    from karospace_jupyter.source import Source


def as_text(values: object) -> NDArray[np.object_]:
    """Convert labels to text, shape (n,)."""
    array = np.asarray(values, dtype=object)
    if pd.api.types.infer_dtype(array, skipna=False) == "string":  # much faster than checking each value
        out = array.copy()
    else:
        out = np.empty(len(array), dtype=object)
        out[:] = [
            v if isinstance(v, str) else v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in array
        ]
    try:
        "".join(out).encode()
    except UnicodeEncodeError:  # a lone surrogate, which no file can store
        out[:] = [v.encode("utf-8", "replace").decode() for v in out]
    return out


def make_unique(names: NDArray[np.object_]) -> tuple[NDArray[np.object_], int]:
    """Make equal names unique with a suffix: a, a-1, a-2.

    Returns
    -------
    tuple of numpy.ndarray and int
        The names, and how many were changed.
    """
    index = pd.Index(names)
    if index.is_unique:
        return names, 0
    out = names.copy()
    taken = set(names.tolist())
    seen: dict[str, int] = {}
    changed = 0
    for i in np.flatnonzero(index.duplicated(keep="first")):
        number = seen.get(names[i], 0) + 1
        while f"{names[i]}-{number}" in taken:
            number += 1
        seen[names[i]] = number
        out[i] = f"{names[i]}-{number}"
        taken.add(out[i])
        changed += 1
    return out, changed


def listed(names: Sequence[object], limit: int = 8) -> str:
    """Join the first names, followed by the number of remaining ones."""
    shown = ", ".join(map(str, names[:limit]))
    return f"{shown} and {len(names) - limit:,} more" if len(names) > limit else shown


def no_array(source: Source, key: str) -> str:
    """Return the error message for a key of obsm without a usable array; it lists the arrays that exist."""
    shapes = source.obsm_shapes
    contents = listed([f"{name} ({' × '.join(map(str, shape))})" for name, shape in shapes.items()], 20) or "no arrays"
    what = source.obsm_others.get(key)
    if what is not None:
        return f"obsm[{key!r}] is {what}; an array of numbers with two columns is needed. obsm holds: {contents}."
    return f"There is no obsm[{key!r}].{hint(key, list(shapes))} obsm holds: {contents}."
