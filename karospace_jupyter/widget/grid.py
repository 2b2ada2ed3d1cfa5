"""A grid of linked views."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from ipywidgets import GridBox, Layout

from karospace_jupyter.contracts.output import Output
from karospace_jupyter.errors import ViewError
from karospace_jupyter.widget import cells_rerun
from karospace_jupyter.widget.output import kept_of, with_fallback
from karospace_jupyter.widget.show import karospace_view
from karospace_jupyter.widget.view import KaroSpaceView


class KaroSpaceGrid(GridBox):  # type: ignore[misc]  # ipywidgets has no types
    """Views in a grid; ``children`` are the views."""

    def __init__(self, views: Sequence[KaroSpaceView], *, columns: int) -> None:
        self._columns = columns
        template = f"repeat({columns}, minmax(0, 1fr))"
        super().__init__(views, layout=Layout(grid_template_columns=template, grid_gap="8px"))
        self.add_class("karospace-grid")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:  # noqa: ANN401
        shown = super()._repr_mimebundle_(**kwargs)  # ipywidgets returns the data alone
        views: tuple[KaroSpaceView, ...] = self.children
        kept = [kept_of(view) for view in views]
        output = Output(
            kind="grid",
            model=self.model_id,
            title=", ".join(view.title for view in views),
            height=max(view.height for view in views),
            columns=self._columns,
            tissues=tuple(tissue for tissue, _ in kept),
        )
        style = f"display:grid;grid-template-columns:repeat({self._columns},minmax(0,1fr));gap:8px"
        html = f'<div style="{style}">{"".join(html for _, html in kept)}</div>'
        return with_fallback(None if shown is None else (shown, {}), output, html)


def karospace_grid(
    subjects: Sequence[Any],
    *,
    names: Sequence[str | None] | None = None,
    columns: int | None = None,
    height: int = 360,
    linked: bool = True,
) -> KaroSpaceGrid:
    """Show several views in a grid.

    Parameters
    ----------
    subjects
        Views, or anything that :func:`~karospace_jupyter.karospace_view` accepts.
    names
        Name of each view, as for :func:`~karospace_jupyter.karospace_view`; None for its default.
    columns
        Number of views per row; at most three by default.
    height
        Height of each view, in CSS pixels.
    linked
        Whether views share camera, color and hidden categories, and the selection if they show the same cells. The
        views are linked in the page, without the kernel.

    Returns
    -------
    KaroSpaceGrid
        An ``ipywidgets.GridBox``.

    Raises
    ------
    ViewError
        If there is nothing to show.

    Examples
    --------
    >>> from karospace_jupyter.datasets import synthetic_tissue
    >>> adata = synthetic_tissue(300, 60, seed=1)
    >>> grid = karospace_grid([adata, adata])
    >>> len(grid.children)
    2
    """
    if isinstance(subjects, str) or not isinstance(subjects, Sequence) or not subjects:
        given = "an empty list" if isinstance(subjects, Sequence) and not subjects else f"a {type(subjects).__name__}"
        msg = f"karospace_grid expects a list of views, bundles, paths or AnnData objects, but got {given}."
        raise ViewError(msg)
    if names is None:
        names = [None] * len(subjects)
    if isinstance(names, str) or len(names) != len(subjects):
        found = repr(names) if isinstance(names, str) else f"{len(names)} names"
        msg = f"karospace_grid needs one name for each of the {len(subjects)} views; got names={found}."
        raise ViewError(msg)
    views: list[KaroSpaceView] = []
    made: list[KaroSpaceView] = []
    try:
        for subject, name in zip(subjects, names, strict=True):
            if isinstance(subject, KaroSpaceView):
                if name is not None:
                    msg = f"The view {subject.title!r} has a name already: pass name={name!r} to karospace_view."
                    raise ViewError(msg)
                views.append(subject)
                continue
            view = karospace_view(subject, name=name, height=height)
            assert isinstance(view, KaroSpaceView)  # noqa: S101 - only inline=True returns another type
            made.append(view)
            views.append(view)
    except BaseException:
        for view in made:
            view.close()
        raise
    if linked:
        group = uuid.uuid4().hex
        for view in views:
            view._group = group  # noqa: SLF001 - part of the same component
    grid = KaroSpaceGrid(views, columns=columns or min(3, len(views)))
    cells_rerun.remember(grid)
    return grid
