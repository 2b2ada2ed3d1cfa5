"""Groups of cells as users name them: the selection, a region, categories, or the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from karospace_jupyter.errors import ViewError
from karospace_jupyter.formatting import hint
from karospace_jupyter.plan.column_values import as_categories
from karospace_jupyter.plan.names import listed
from karospace_jupyter.source.from_bundle import column_values
from karospace_jupyter.source.numbers import plain
from karospace_jupyter.widget.masks import Mask, as_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from karospace_jupyter.bundle.manifest import CategoryColumn
    from karospace_jupyter.publish.bundle import Bundle
    from karospace_jupyter.widget.assets import LiveCells
    from karospace_jupyter.widget.groups import Groups

_FORMS = (
    'A group is "selection", "rest", the name of a region, a dict of columns to categories, '
    "booleans over the cells, or names of cells."
)


@dataclass(frozen=True, slots=True)
class CellGroups:
    """What a group can refer to. Masks are over obs, or over the cells of the bundle if there is no object."""

    names: NDArray[np.object_]
    """Names of the cells."""
    shown: Mask
    """Whether the view has the cell: a bundle may contain only some of the cells of its object."""
    selection: Mask | None
    regions: Mapping[str, Mask]
    groups: Groups
    """Groups of categories."""
    columns: Sequence[str]
    """Columns with categories, for messages."""
    column: Callable[[str], pd.Series[Any] | None]
    """Returns a column by name; None if it does not exist."""

    def pair(self, a: Any, b: Any) -> tuple[Mask, Mask]:  # noqa: ANN401 - many types are accepted
        """Return two groups as masks; either may be ``"rest"``, the default of `b`.

        Raises
        ------
        ViewError
            If a group does not exist, or a region is named like another group.
        """
        for name in ("rest", "selection"):
            if name in self.regions and any(isinstance(one, str) and one == name for one in (a, b)):
                msg = f"The region {name!r} has the name of another group. Pass view.regions[{name!r}] to compare it."
                raise ViewError(msg)
        rest_a, rest_b = isinstance(a, str) and a == "rest", b is None or (isinstance(b, str) and b == "rest")
        if rest_a and rest_b:
            msg = 'Both groups are "rest", the cells that are not in the other group. Name one of them.'
            raise ViewError(msg)
        if rest_a:
            of_b = self.mask(b)
            return self.shown & ~of_b, of_b
        of_a = self.mask(a)
        return of_a, self.shown & ~of_a if rest_b else self.mask(b)

    def mask(self, group: Any) -> Mask:  # noqa: ANN401
        """Return the cells of one group.

        Raises
        ------
        ViewError
            If it does not exist.
        """
        found: Mask | None
        if isinstance(group, str):
            found = self._named(group)
        elif isinstance(group, Mapping):
            found = self._of_categories(group)
        elif group is None or not np.iterable(group):
            msg = f"{_FORMS} Got {group!r:.80}."
            raise ViewError(msg)
        else:
            found = as_mask(group, self.names)
        assert found is not None  # noqa: S101 - only None has no mask
        return found & self.shown

    def _named(self, name: str) -> Mask:
        if name == "selection":
            if self.selection is None:
                msg = "Nothing is selected. Select cells with the lasso, or set view.selection."
                raise ViewError(msg)
            return self.selection
        if name not in self.regions:
            known = listed([repr(one) for one in self.regions]) or "none"
            msg = f"There is no region {name!r}.{hint(name, list(self.regions))} Regions: {known}. {_FORMS}"
            raise ViewError(msg)
        return self.regions[name]

    def _of_categories(self, group: Mapping[Any, Any]) -> Mask:
        if not group:
            msg = f"The dict of columns to categories is empty. {_FORMS}"
            raise ViewError(msg)
        found = np.ones(len(self.names), dtype=bool)
        for name, wanted in group.items():
            found &= self._of_column(str(name), wanted)
        return found

    def _of_column(self, name: str, wanted: Any) -> Mask:  # noqa: ANN401
        values = self.column(name)
        if values is None:
            near = hint(name, self.columns)
            msg = f"There is no column {name!r} with categories.{near} Columns: {listed(self.columns) or 'none'}."
            raise ViewError(msg)
        column = as_categories(plain(values), name)
        several = isinstance(wanted, list | tuple | set | frozenset | np.ndarray | pd.Index | pd.Series)
        named = self.groups.get(name, {})
        chosen: set[str | None] = set()
        for one in wanted if several else [wanted]:
            text = None if one is None else str(one)
            members = [text] if text is None or text in column.names else named.get(text, [])
            if not members:
                known = [*column.names, *named]
                near = hint(str(text), known)
                msg = f"The column {name!r} has no category {text!r}.{near} Categories: {listed(known)}."
                raise ViewError(msg)
            chosen.update(members)
        is_chosen = np.array([*(one in chosen for one in column.names), None in chosen])  # code -1 indexes the last
        return is_chosen[column.codes]


def column_of(bundle: Bundle, live: LiveCells | None, name: str) -> pd.Series[Any] | None:
    """Return a column of obs, or a category column of the bundle that is not from obs."""
    if live is not None:
        obs = live.adata.obs
        found = next((obs.iloc[:, i] for i, column in enumerate(obs.columns) if str(column) == name), None)
        if found is not None:
            return found
    for column in _columns_of_bundle(bundle, live):
        if column.name == name:
            values = pd.Series(column_values(bundle, column))
            # The bundle may hold the cells in another order, or only some of them.
            return values if live is None else values.set_axis(live.rows).reindex(range(live.adata.n_obs))
    return None


def columns_of(bundle: Bundle, live: LiveCells | None) -> list[str]:
    """Return the names of the columns that :func:`column_of` returns."""
    own = [] if live is None else list(map(str, live.adata.obs.columns))
    return [*own, *(column.name for column in _columns_of_bundle(bundle, live) if column.name not in own)]


def _columns_of_bundle(bundle: Bundle, live: LiveCells | None) -> list[CategoryColumn]:
    """Return the category columns of the bundle; with a live object, only those that are not from obs."""
    columns = [column for column in bundle.manifest.columns or () if column.kind == "category"]
    if live is None:
        return columns
    not_in_obs = {one.column for one in bundle.manifest.proportions or ()}
    return [column for column in columns if column.name in not_in_obs]
