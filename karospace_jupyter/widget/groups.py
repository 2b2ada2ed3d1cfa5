"""Groups of categories of a view, as dicts of names, and as a column of obs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from karospace_jupyter.errors import ViewError
from karospace_jupyter.formatting import hint
from karospace_jupyter.plan.colors import palette
from karospace_jupyter.plan.column_values import as_categories
from karospace_jupyter.source.numbers import plain
from karospace_jupyter.view.state import CategoryGroup, ViewState

if TYPE_CHECKING:
    from pydantic import JsonValue

    from karospace_jupyter.bundle.manifest import CategoryColumn, Column

_UNKNOWN = "#b4bac3"
"""Color of categories that the view does not have, such as those without cells."""

Groups = dict[str, dict[str, list[str]]]
"""For each column, the names of its groups with the names of their categories."""


def groups_of(state: ViewState) -> Groups:
    """Return the groups of a state as in `view.groups`."""
    return {
        column: {group.name: list(group.members) for group in listed}
        for column, listed in state.groups.items()
        if listed
    }


def as_groups(
    value: Mapping[str, object], now: ViewState, columns: Mapping[str, Column | None]
) -> dict[str, list[dict[str, JsonValue]]]:
    """Convert groups as in `view.groups` to those of a state; groups of the same name keep their colors.

    Parameters
    ----------
    now
        The current state.
    columns
        The columns that the view can show, by name; None if their categories are not known.

    Returns
    -------
    dict
        The groups for :func:`~karospace_jupyter.view.state.changed`.

    Raises
    ------
    ViewError
        If they are not dicts of names to categories, or do not fit the columns.
    """
    before = groups_of(now)
    return {
        str(name): [
            {"name": group, "members": [*members], "color": _color_in(now, name, group)}
            for group, members in (
                before[name] if listed == before.get(name) else _checked(name, listed, columns)
            ).items()
        ]
        for name, listed in value.items()
    }


def with_lists(value: Any) -> Any:  # noqa: ANN401 - checked later
    """Return groups with lists instead of arrays and indexes, which cannot be compared with those of a state."""
    if not isinstance(value, Mapping):
        return value
    return {
        column: {
            name: members.tolist() if isinstance(members, np.ndarray | pd.Index) else members
            for name, members in groups.items()
        }
        if isinstance(groups, Mapping)
        else groups
        for column, groups in value.items()
    }


def _color_in(state: ViewState, column: str, name: str) -> str | None:
    return next((group.color for group in state.groups.get(column, ()) if group.name == name), None)


def _checked(name: str, listed: object, columns: Mapping[str, Column | None]) -> dict[str, list[str]]:
    column = columns.get(name)
    if name not in columns or (column and column.kind != "category"):
        found = "a numeric column" if column else "not a column of this view"
        categorical = [one for one, column in columns.items() if column is None or column.kind == "category"]
        msg = f"Groups: {name!r} is {found}.{hint(str(name), categorical)} Only categories can be grouped."
        raise ViewError(msg)
    if not isinstance(listed, Mapping):
        msg = f"The groups of {name!r} must be a dict of names to lists of categories; got a {type(listed).__name__}."
        raise ViewError(msg)
    names = [category.name for category in column.categories] if column and column.kind == "category" else None
    owners: dict[str, str] = {}
    groups = {}
    for group, members in listed.items():
        where = f"The group {group!r} of {name!r}"
        if not isinstance(group, str) or not group.strip():
            msg = f"{where}: its name must be non-empty text."
            raise ViewError(msg)
        if isinstance(members, str) or not isinstance(members, Sequence | np.ndarray | pd.Index) or not len(members):
            msg = f"{where}: its categories must be a list of names with at least one name; got {members!r}."
            raise ViewError(msg)
        groups[group] = list(members)
        if names and group in names and group not in groups[group]:
            msg = f"{where}: a category that is not in the group has the same name. Choose another name."
            raise ViewError(msg)
        for member in groups[group]:
            if not isinstance(member, str) or (names is not None and member not in names):
                msg = f"{where}: there is no category {member!r}.{hint(str(member), names or ())}"
                raise ViewError(msg)
            if member in owners:
                msg = f"{where}: the category {member!r} is already in the group {owners[member]!r}."
                raise ViewError(msg)
            owners[member] = group
    return groups


def grouped_column(
    values: pd.Series[Any], groups: Sequence[CategoryGroup], column: CategoryColumn | None, state: ViewState
) -> tuple[pd.Categorical, list[str] | None]:
    """Replace the categories of a column of obs by their groups.

    Parameters
    ----------
    values
        The column.
    groups
        Its groups; categories that it does not have are ignored.
    column
        The column as the view shows it, with its colors; None if they are not known.
    state
        The state of the view.

    Returns
    -------
    tuple of pandas.Categorical and list of str
        The groups, each at the place of its first member, and the other categories; and their colors in the view, None
        if they are not known. Categories that the view does not have are gray.
    """
    before = as_categories(plain(values), str(values.name))
    group_of = {member: group for group in groups for member in group.members}
    group_of = {
        member: group
        for member, group in group_of.items()
        if group.name not in before.names or group.name in group.members
    }
    named = [group_of[name].name if name in group_of else name for name in before.names]
    names = list(dict.fromkeys(named))
    code_of = np.array([*(names.index(name) for name in named), -1], dtype=np.int64)
    found = pd.Categorical.from_codes(code_of[before.codes], categories=names)
    return found, _colors(names, groups, column, state)


def _colors(
    names: Sequence[str], groups: Sequence[CategoryGroup], column: CategoryColumn | None, state: ViewState
) -> list[str] | None:
    if column is None:
        return None
    categories = column.categories
    stated = [one.color for one in categories] if state.palette == "file" else palette(len(categories), state.palette)
    colors = {one.name: color for one, color in zip(categories, stated, strict=True)}
    colors |= {name: color for name, color in state.class_colors.get(column.name, {}).items() if name in colors}
    count = {one.name: one.count for one in categories}
    for group in groups:
        members = [member for member in group.members if member in count]
        if members:
            colors[group.name] = group.color or colors[max(members, key=count.__getitem__)]
    return [colors.get(name, _UNKNOWN) for name in names]
