"""Several views beside each other, linked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from ipywidgets import GridBox, Layout

from karospace_jupyter.errors import ViewError
from karospace_jupyter.widget import cells_rerun
from karospace_jupyter.widget.show import karospace_view
from karospace_jupyter.widget.view import KaroSpaceView


def karospace_grid(
    subjects: Sequence[Any],
    *,
    columns: int | None = None,
    height: int = 360,
    linked: bool = True,
) -> GridBox:
    """Show several views in a grid.

    Parameters
    ----------
    subjects
        Views, or whatever :func:`~karospace_jupyter.karospace_view` takes.
    columns
        Views in a row; at most three when not given.
    height
        Of each, in CSS pixels.
    linked
        Share camera, colour, hidden classes, and the selection among views of the same cells. Moving one moves the
        others in the page itself, without the kernel.

    Raises
    ------
    ViewError
        When there is nothing to show.
    """
    if isinstance(subjects, str) or not isinstance(subjects, Sequence) or not subjects:
        given = "an empty one" if isinstance(subjects, Sequence) and not subjects else f"a {type(subjects).__name__}"
        msg = f"karospace_grid takes a list of views, bundles, paths or AnnData objects, but {given} was given."
        raise ViewError(msg)
    views: list[KaroSpaceView] = []
    made: list[KaroSpaceView] = []
    try:
        for subject in subjects:
            if isinstance(subject, KaroSpaceView):
                views.append(subject)
                continue
            view = karospace_view(subject, height=height)
            assert isinstance(view, KaroSpaceView)  # noqa: S101 - only inline=True gives something else
            made.append(view)
            views.append(view)
    except BaseException:
        for view in made:
            view.close()
        raise
    if linked:
        group = uuid.uuid4().hex
        for view in views:
            view._group = group  # noqa: SLF001 - one thing in two classes
    n = columns or min(3, len(views))
    grid = GridBox(views, layout=Layout(grid_template_columns=f"repeat({n}, minmax(0, 1fr))", grid_gap="8px"))
    grid.add_class("karospace-grid")
    cells_rerun.remember(grid)
    return grid
