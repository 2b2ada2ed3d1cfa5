"""Read the stored colors of a column's categories: ``uns['<column>_colors']``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.formatting import counted
from karospace_jupyter.plan.colors import palette, parse_rgba
from karospace_jupyter.plan.names import listed

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

_NAMED = 4
"""Maximum number of categories listed in a warning."""
_BEYOND = object()
"""Placeholder for a category beyond the end of a list; a single warning covers all of them."""


def stored_colors(
    source: Source, column: str, names: Sequence[str], used: NDArray[np.bool_]
) -> tuple[list[str], list[str]]:
    """Return one color per category: the stored one if it is usable, otherwise one from the palette.

    A list is matched by position, a dict or a Series by name. If there are unused categories, and a list has one color
    for each of the others, it is matched to the others: unused categories were added without colors. A list with more
    colors than categories is matched by value if the categories are positions in it, in order: clusters were removed
    without their colors.

    Parameters
    ----------
    names
        All categories of the column, in their order.
    used
        Whether each has cells in the source, shape (n_categories,).

    Returns
    -------
    tuple of list of str
        ``#rrggbb`` of each category, and warnings.
    """
    key = f"{column}_colors"
    value = source.uns(key)
    if value is None:
        return palette(len(names)), []
    warnings: list[str] = []
    by_name = _by_name(source, key, value, names, warnings)
    given = by_name if by_name is not None else _by_position(key, value, names, used, warnings)
    if given is None:
        warnings.append(f"uns[{key!r}] is a {type(value).__name__} without colors: default colors are used.")
        return palette(len(names)), warnings
    return _parsed(column, given, names, used, warnings), warnings


def has_colors(source: Source, column: str) -> bool:
    """Return whether the file stores colors for a column."""
    return source.uns(f"{column}_colors") is not None


def _parsed(
    column: str,
    given: Sequence[Any],
    names: Sequence[str],
    used: NDArray[np.bool_],
    warnings: list[str],
) -> list[str]:
    scale_255 = any(_beyond_one(one) for one in given)
    colors = palette(len(names))
    bad: list[str] = []
    clear: list[str] = []
    missing: list[str] = []
    for i, (one, name) in enumerate(zip(given, names, strict=True)):
        if one is _BEYOND:
            continue
        rgba = None if one is None else parse_rgba(one, scale_255=scale_255)
        if rgba is not None and rgba[3] > 0:
            colors[i] = "#{:02x}{:02x}{:02x}".format(*rgba[:3])
            if rgba[3] < 1 and used[i]:
                clear.append(name)
        elif used[i]:
            (missing if one is None else bad).append(name if one is None else f"{_shown(one)} of {name!r}")
    if bad:
        warnings.append(f"Invalid or fully transparent colors of {column!r} were replaced: {listed(bad, _NAMED)}.")
    if missing:
        found = f"{counted(len(missing), 'category', 'categories')} of {column!r} without a stored color"
        warnings.append(f"{found} got a default color: {listed([repr(name) for name in missing], _NAMED)}.")
    if clear:
        shown = listed([repr(name) for name in clear], _NAMED)
        warnings.append(f"Colors of {column!r} with alpha below 1 are drawn opaque: {shown}.")
    return colors


def _beyond_one(value: Any) -> bool:  # noqa: ANN401 - uns holds anything
    if isinstance(value, str | bytes | None):
        return False
    try:
        return bool(np.asarray(value, dtype=float).max(initial=0) > 1)
    except (TypeError, ValueError):
        return False


def _shown(value: Any) -> str:  # noqa: ANN401 - uns holds anything
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return repr(plain)[:40]


def _by_name(
    source: Source,
    key: str,
    value: Any,  # noqa: ANN401 - uns holds anything
    names: Sequence[str],
    warnings: list[str],
) -> list[Any] | None:
    """Return the colors of a dict or named Series, one per category; None for other types."""
    positions = [str(i) for i in range(len(names))]
    if isinstance(value, Mapping):  # a group, which the source returns as names without values
        keys = [str(one) for one in value]
        # A name with a slash is a single key in memory, but a path in a file.
        known = {text for name in names for text in _spellings(name) if text in keys or text.split("/")[0] in keys}
        held = {text: source.uns(key, text) for text in known.union(positions).intersection({*keys, *known})}
    elif isinstance(value, pd.Series) and not _is_default_index(value.index):
        held = {str(one): item for one, item in value.items()}
        keys = list(held)
    else:
        return None
    by_name = [next((held[text] for text in _spellings(name) if held.get(text) is not None), None) for name in names]
    if any(one is None for one in by_name) and set(keys) == set(positions):
        shown = listed([repr(name) for name in names], _NAMED)
        warnings.append(f"uns[{key!r}] has the keys 0 to {len(names) - 1}; they are used as positions of {shown}.")
        return [held[text] for text in positions]
    return by_name


def _is_default_index(index: pd.Index) -> bool:
    """Return whether an index only numbers the values, like that of a Series created without one."""
    return isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)


def _spellings(name: str) -> tuple[str, ...]:
    """Return the spellings of a category among the keys: the key 3.0 matches the category 3."""
    return (name, name.removesuffix(".0") if name.endswith(".0") else f"{name}.0")


def _positions(names: Sequence[str], n_colors: int) -> list[int] | None:
    """Return the positions in a list of colors that the categories name (numbers from 0, in order), otherwise None."""
    known = {str(position): position for position in range(n_colors)}
    positions = [known.get(name.removesuffix(".0"), -1) for name in names]
    return positions if -1 not in positions and positions == sorted(set(positions)) else None


def _by_position(
    key: str,
    value: Any,  # noqa: ANN401 - uns holds anything
    names: Sequence[str],
    used: NDArray[np.bool_],
    warnings: list[str],
) -> list[Any] | None:
    """Return the colors of a list, one per category (`_BEYOND` past its end); None for other types."""
    found = _items(value)
    if found is None:
        return None
    n, n_used = len(names), int(used.sum())
    if len(found) == n_used != n:
        shown = listed([repr(name) for name, one in zip(names, used, strict=True) if one], _NAMED)
        warnings.append(
            f"uns[{key!r}] has {counted(len(found), 'color')} for {n} categories, {n_used} of them with cells: "
            f"the colors were assigned to those, in order ({shown})."
        )
        given = iter(found)
        return [next(given) if one else _BEYOND for one in used]
    positions = _positions(names, len(found)) if len(found) > n else None
    if positions is not None:
        warnings.append(
            f"uns[{key!r}] has {len(found)} colors for {counted(n, 'category', 'categories')} that are numbers: "
            "each has the color at that index, counted from 0."
        )
        return [found[position] for position in positions]
    if len(found) > n:
        warnings.append(
            f"uns[{key!r}] has {len(found)} colors for {counted(n, 'category', 'categories')}: the first {n} were used."
        )
    elif len(found) < n:
        warnings.append(f"uns[{key!r}] has {counted(len(found), 'color')} for {n} categories: others were added.")
    return [*found[:n], *[_BEYOND] * (n - len(found))]


def _items(value: Any) -> list[Any] | None:  # noqa: ANN401 - uns holds anything
    if isinstance(value, str | bytes):
        return [value]
    if isinstance(value, pd.DataFrame | set | frozenset) or not isinstance(value, Iterable | np.ndarray | np.generic):
        return None
    if isinstance(value, list | tuple):
        return list(value)
    array = np.asarray(value)
    if array.ndim == 0:
        return [array.item()] if array.dtype.kind in "OSUT" else None
    if array.ndim > 1 and array.shape[1:] == (1,):
        array = array[:, 0]
    return list(array) if array.ndim <= 2 else None
