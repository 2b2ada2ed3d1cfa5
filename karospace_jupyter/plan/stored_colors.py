"""Colors that the file has for the categories of a column: ``uns['<column>_colors']``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.plan.colors import palette, parse_rgba
from karospace_jupyter.plan.names import listed
from karospace_jupyter.words import counted

if TYPE_CHECKING:
    from karospace_jupyter.source import Source

_NAMED = 4
"""Categories that a warning names."""
_BEYOND = object()
"""What a list has for a category beyond its end: one warning speaks of its length."""


def stored_colors(
    source: Source, column: str, names: Sequence[str], used: NDArray[np.bool_]
) -> tuple[list[str], list[str]]:
    """Return one color a category, from the file where it has a usable one, else from the palette.

    A list goes by position, a dict or a Series by name. A list as long as the categories that have cells, and not as
    all of them, belongs to those: unused categories were added or removed without their colors. A longer list goes by
    value where the categories are numbers of its places, in order: clusters were removed without their colors.

    Parameters
    ----------
    names
        All categories of the column, in order.
    used
        Which of them have cells in the source, shape (n_categories,).

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
        warnings.append(f"uns[{key!r}] is a {type(value).__name__} without colors: other colors were chosen.")
        return palette(len(names)), warnings
    return _parsed(column, given, names, used, warnings), warnings


def has_colors(source: Source, column: str) -> bool:
    """Whether the file has colors for a column."""
    return source.uns(f"{column}_colors") is not None


def _parsed(
    column: str,
    given: Sequence[Any],
    names: Sequence[str],
    used: NDArray[np.bool_],
    warnings: list[str],
) -> list[str]:
    of_255 = any(_beyond_one(one) for one in given)
    colors = palette(len(names))
    bad: list[str] = []
    clear: list[str] = []
    missing: list[str] = []
    for i, (one, name) in enumerate(zip(given, names, strict=True)):
        if one is _BEYOND:
            continue
        rgba = None if one is None else parse_rgba(one, of_255=of_255)
        if rgba is not None and rgba[3] > 0:
            colors[i] = "#{:02x}{:02x}{:02x}".format(*rgba[:3])
            if rgba[3] < 1 and used[i]:
                clear.append(name)
        elif used[i]:
            (missing if one is None else bad).append(name if one is None else f"{_shown(one)} of {name!r}")
    if bad:
        warnings.append(f"Colors of {column!r} that cannot be drawn were replaced: {listed(bad, _NAMED)}.")
    if missing:
        found = f"{counted(len(missing), 'category', 'categories')} of {column!r} without a stored color"
        warnings.append(f"{found} got another one: {listed([repr(name) for name in missing], _NAMED)}.")
    if clear:
        shown = listed([repr(name) for name in clear], _NAMED)
        warnings.append(f"Colors of {column!r} with an alpha below 1 are drawn opaque: {shown}.")
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
    """Return the colors of a dict or a Series with names, one a category; None of anything else."""
    positions = [str(i) for i in range(len(names))]
    if isinstance(value, Mapping):  # a group, as the source shows it: names without their values
        keys = [str(one) for one in value]
        # A name with a slash is one key in memory, and a path in a file.
        known = {text for name in names for text in _spellings(name) if text in keys or text.split("/")[0] in keys}
        held = {text: source.uns(key, text) for text in known.union(positions).intersection({*keys, *known})}
    elif isinstance(value, pd.Series) and not _counted(value.index):
        held = {str(one): item for one, item in value.items()}
        keys = list(held)
    else:
        return None
    by_name = [next((held[text] for text in _spellings(name) if held.get(text) is not None), None) for name in names]
    if any(one is None for one in by_name) and set(keys) == set(positions):
        shown = listed([repr(name) for name in names], _NAMED)
        warnings.append(f"uns[{key!r}] has the keys 0 to {len(names) - 1}: taken as positions of {shown}.")
        return [held[text] for text in positions]
    return by_name


def _counted(index: pd.Index) -> bool:
    """Whether an index only counts the values, as that of a Series made without one; a reversed one names them."""
    return isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)


def _spellings(name: str) -> tuple[str, ...]:
    """Return a category as keys may spell it: a key 3.0 is that of the category 3."""
    return (name, name.removesuffix(".0") if name.endswith(".0") else f"{name}.0")


def _places(names: Sequence[str], n_colors: int) -> list[int] | None:
    """Return the places in a list of colors that categories name: numbers from 0, in order; None for other names."""
    known = {str(place): place for place in range(n_colors)}
    places = [known.get(name.removesuffix(".0"), -1) for name in names]
    return places if -1 not in places and places == sorted(set(places)) else None


def _by_position(
    key: str,
    value: Any,  # noqa: ANN401 - uns holds anything
    names: Sequence[str],
    used: NDArray[np.bool_],
    warnings: list[str],
) -> list[Any] | None:
    """Return the colors of a list, one a category (`_BEYOND` where it has none); None of anything else."""
    found = _items(value)
    if found is None:
        return None
    n, n_used = len(names), int(used.sum())
    if len(found) == n_used != n:
        shown = listed([repr(name) for name, one in zip(names, used, strict=True) if one], _NAMED)
        warnings.append(
            f"uns[{key!r}] has {counted(len(found), 'color')} for {n} categories, {n_used} of them with cells: "
            f"the colors were given to those, in order ({shown})."
        )
        given = iter(found)
        return [next(given) if one else _BEYOND for one in used]
    places = _places(names, len(found)) if len(found) > n else None
    if places is not None:
        warnings.append(
            f"uns[{key!r}] has {len(found)} colors for {counted(n, 'category', 'categories')}, which are numbers: "
            "each got the color at its number, from 0."
        )
        return [found[place] for place in places]
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
