"""The viewer in a cell, with its state available in Python."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
import traitlets

from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.contracts.messages import Close
from karospace_jupyter.contracts.output import Output
from karospace_jupyter.errors import ImageError, KaroSpaceError, ViewError
from karospace_jupyter.plan.images.opening import open_picture
from karospace_jupyter.progress import comparing
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.view.color_text import color_text
from karospace_jupyter.view.state import ByAnnotation, Color, ViewState, changed, from_wire
from karospace_jupyter.widget import cells_rerun
from karospace_jupyter.widget.assets import Assets, LiveCells
from karospace_jupyter.widget.base import Base
from karospace_jupyter.widget.border_distance import distances_of, region_of
from karospace_jupyter.widget.cells import Cells
from karospace_jupyter.widget.channel import Channel
from karospace_jupyter.widget.colors import color_named, is_added
from karospace_jupyter.widget.comparison import CellGroups, column_of, columns_of
from karospace_jupyter.widget.fallback import fallback_picture
from karospace_jupyter.widget.gene_sets import known_sets
from karospace_jupyter.widget.groups import Groups, as_groups, grouped_column, groups_of, with_lists
from karospace_jupyter.widget.layers import layer_of, matrix_of
from karospace_jupyter.widget.masks import Mask, as_mask
from karospace_jupyter.widget.output import kept_of, with_fallback
from karospace_jupyter.widget.pages import Pages
from karospace_jupyter.widget.regions import as_regions, categories_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL import Image
    from pydantic import JsonValue

    from karospace_jupyter.bundle.manifest import Column
    from karospace_jupyter.job import Job


class Change(TypedDict):
    """A change of a view: the name of the attribute (state, selection, or regions), and its new value."""

    name: str
    new: Any


_NO_OBJECT = "This view has no AnnData object to read. Open it with karospace_view(bundle, adata=adata)."


class KaroSpaceView(Base):
    """The viewer of a bundle in a notebook.

    Parameters
    ----------
    bundle
        The bundle to show.
    adata
        The AnnData object from which the bundle was exported. With it, every gene of the object can be shown,
        whether it was exported or not, and selections are arrays over ``adata.obs``.
    config
        The options of the export; they determine the matrix from which further genes are read.
    name
        Name to show instead of that of the dataset.
    height
        Height in CSS pixels.

    Attributes
    ----------
    color : str
        Name of a column or a gene; empty for a single color. With an object, every column of its obs can be used,
        including columns that were added later. ``"obs:NAME"`` and ``"gene:NAME"`` distinguish equal names;
        ``"blend:A,B"`` shows two or three genes together, ``"score:A,B,C"`` the mean of several genes, and
        ``"score:NAME"`` the mean of a gene set.
    camera : dict or None
        ``{"x", "y", "zoom"}``: the center, in coordinate units, of the area that the viewer's cards do not cover, and
        the zoom; zoom 1 shows all cells.
    gene_sets : dict
        The gene sets that the viewer lists: a dictionary from names to genes. Assign other sets to replace them, or
        None to restore the sets of the bundle.
    layer : str
        The matrix that genes are read from: ``X``, ``raw`` or the name of a layer of the object (of the bundle if there
        is no object). A layer with the name of another matrix is called ``layer:NAME``.
    hidden : dict
        Hidden categories of each column; None stands for missing values.
    groups : dict
        Groups of categories, which the viewer shows as one: ``{"cell_type": {"Immune": ["B cell", "T cell"]}}``. Their
        colors are in ``state["groups"]``; a group that keeps its name keeps its color.
    state : dict
        The complete view as plain data; setting some fields keeps the others.
    selection : numpy.ndarray or None
        bool, shape (n_obs,): over ``adata.obs``, or over the bundle's cells if there is no object. None if nothing is
        selected. May be set to booleans, or to names or positions of cells.
    regions : dict
        Names to boolean arrays, in the order in which the regions were created.
    outlines : dict
        Names of regions to their outlines: float64, shape (n_corners, 2), in coordinate units. Regions that were not
        drawn as one line have none. Read-only.

    Raises
    ------
    ViewError
        If the bundle does not contain what is requested.
    """

    _own_channel = False
    _kind = traitlets.Unicode("view").tag(sync=True)
    _channel = traitlets.Unicode().tag(sync=True)
    _fallback = traitlets.Dict().tag(sync=True)
    _group = traitlets.Unicode().tag(sync=True)
    _cells = traitlets.Int().tag(sync=True)
    height = traitlets.Int(470, min=200, max=4000).tag(sync=True)

    color = traitlets.Unicode()
    camera = traitlets.Dict(allow_none=True, default_value=None)
    hidden = traitlets.Dict()
    groups = traitlets.Dict()
    gene_sets = traitlets.Any()
    layer = traitlets.Unicode()
    state = traitlets.Dict()
    selection = traitlets.Any(default_value=None, allow_none=True)
    regions = traitlets.Dict()

    def __init__(
        self,
        bundle: Bundle,
        *,
        adata: Any = None,  # noqa: ANN401 - AnnData is imported late
        config: ExportConfig | None = None,
        channel: Channel | None = None,
        name: str | None = None,
        height: int = 470,
    ) -> None:
        self.bundle = bundle
        self._name = name or bundle.manifest.dataset_name
        self._live = None if adata is None else LiveCells(adata, bundle, config or ExportConfig())
        self._shown_columns: list[dict[str, JsonValue]] = []
        if self._live is not None:
            self._read_matrix_of(bundle.manifest.view or {})
        cells = Cells(bundle, self._live)
        self._cell_names = cells.names
        self._assets = Assets(bundle, self._live, name=self._name)
        self._lock = threading.RLock()
        self._now = ViewState()
        self._own_channel = channel is None
        self._wire = channel or Channel()
        self._pages = Pages(
            self, self._wire, self._assets, cells,
            send=lambda message, buffers: self.send(message.sent(), list(buffers)),
            initial_state=lambda: None if self._now == ViewState() else self._now,
            take_state=self._take_state,
        )  # fmt: skip
        if self._own_channel:
            self._wire.route(Close, lambda *_: self.close())
        try:
            super().__init__(
                height=height,
                state=self._now.plain(),
                gene_sets=self._sets_now(),
                layer=self._layer_now(),
                _channel=f"IPY_MODEL_{self._wire.model_id}",
                _fallback={"title": self.title, "picture": fallback_picture(bundle)},
                _cells=zlib.crc32("\n".join(map(str, cell_ids(bundle))).encode()),
            )
        except BaseException:
            if self._own_channel:
                self._wire.close()
            raise
        if self._own_channel:  # the view of a form is closed with its form
            cells_rerun.remember(self)

    # Changes by the user's code

    @traitlets.validate("state")
    def _valid_state(self, proposal: dict[str, Any]) -> dict[str, Any]:
        given = proposal["value"]
        state = changed(self._now, given)
        if state.matrix is None or state.matrix == self._now.matrix:
            return state.plain()
        if self._live is None:
            matrix = matrix_of(state.matrix, self.bundle.matrices, "bundle")
            return changed(state, {"matrix": None if matrix == self.bundle.manifest.matrix else matrix}).plain()
        # The page of a live object knows only the matrix that genes are read from.
        if self._read_from(state.matrix):
            self.layer = self._layer_now()
            if "range" not in given and state.color.kind != "annotation":
                state = changed(state, {"range": None})
        return changed(state, {"matrix": None}).plain()

    @traitlets.validate("color")
    def _valid_color(self, proposal: dict[str, Any]) -> str:
        return self._text_of(self._color_named(proposal["value"]))

    @traitlets.validate("camera", "hidden")
    def _valid_part(self, proposal: dict[str, Any]) -> Any:  # noqa: ANN401
        name = proposal["trait"].name
        return changed(self._now, {name: proposal["value"]}).plain()[name]

    @traitlets.validate("groups")
    def _valid_groups(self, proposal: dict[str, Any]) -> Groups:
        value = with_lists(proposal["value"])
        if value == (now := groups_of(self._now)):  # a saved view may have groups of columns that are not shown
            return now
        return groups_of(changed(self._now, {"groups": self._groups_named(value)}))

    @traitlets.validate("gene_sets")
    def _valid_gene_sets(self, proposal: dict[str, Any]) -> dict[str, list[str]]:
        sets = proposal["value"]
        # The page sends its gene sets after each change; looking up their genes again would take too long. Compare
        # lists only: comparing an array or a table with a list does not give a bool.
        plain = isinstance(sets, dict) and all(isinstance(genes, list) for genes in sets.values())
        return sets if plain and sets == self._sets_now() else known_sets(sets, self.bundle, self._live)

    @traitlets.validate("layer")
    def _valid_layer(self, proposal: dict[str, Any]) -> str:
        layer: str = proposal["value"]
        if layer == self._layer_now():
            return layer
        if self._live is None:
            if len(self.bundle.matrices) == 1 and layer not in self.bundle.matrices:
                raise ViewError(_NO_OBJECT)
            matrix = matrix_of(layer, self.bundle.matrices, "bundle")
            if matrix != self._matrix_now():
                limits = {"range": None} if self._now.color.kind in {"gene", "score", "blend"} else {}
                self.state = {"matrix": None if matrix == self.bundle.manifest.matrix else matrix, **limits}
        elif self._read_from(layer) and self._now.color.kind in {"gene", "score", "blend"}:
            self.state = {"range": None}  # the limits apply to the values of the other matrix
        return self._layer_now()

    def _read_from(self, layer: str) -> bool:
        """Read genes from a matrix of the object, and return whether that changed the matrix."""
        assert self._live is not None  # noqa: S101 - callers have checked it
        if self._live.matrix_called(layer) == self._live.matrix_name:
            return False
        self._live.read_from(layer)
        self._show_live(genes=True)
        return True

    @traitlets.validate("selection")
    def _valid_selection(self, proposal: dict[str, Any]) -> Mask | None:
        return as_mask(proposal["value"], self._cell_names)

    @traitlets.validate("regions")
    def _valid_regions(self, proposal: dict[str, Any]) -> dict[str, Mask]:
        return as_regions(proposal["value"], self._cell_names)

    @traitlets.observe("state", "color", "camera", "hidden", "groups", "gene_sets")
    def _push_state(self, change: dict[str, Any]) -> None:
        name, value = change["name"], change["new"]
        given: Mapping[str, object] = value if name == "state" else {name: value}
        if name == "color":
            if value == self._text_of(self._now.color):
                return
            given = {"color": self._color_named(value).model_dump()}
        if name == "groups":
            if value == groups_of(self._now):
                return
            given = {"groups": self._groups_named(value)}
        if name == "gene_sets":
            if value is None:  # traitlets does not validate None
                self.gene_sets = self.bundle.gene_sets
                return
            if value == self._sets_now():
                return
            sets = [{"name": one, "genes": genes} for one, genes in value.items()]
            given = {"gene_sets": None if value == self.bundle.gene_sets else sets}
        with self._lock:
            before, after = self._now, changed(self._now, given)
            if after == before:
                return
            others = after.color != before.color or (after.matrix != before.matrix and after.color.kind != "annotation")
            if others and "range" not in given:
                after = changed(after, {"range": None})  # the limits apply to the previous values
            self._now = after
        fields = {field for field in ViewState.model_fields if getattr(after, field) != getattr(before, field)}
        if others:
            fields -= {"range"}
        self._pages.show_state(from_wire(after.wire(fields)))
        self._tell_traits()

    @traitlets.observe("selection")
    def _push_selection(self, change: dict[str, Any]) -> None:
        self._pages.show_selection(change["new"])

    @traitlets.observe("regions")
    def _push_regions(self, change: dict[str, Any]) -> None:
        self._pages.show_regions(change["new"])

    @property
    def title(self) -> str:
        """The name of the data."""
        return self._name

    @property
    def selected_ids(self) -> list[str]:
        """Names of the selected cells, in the order of obs."""
        return [] if self.selection is None else [str(name) for name in self._cell_names[self.selection]]

    @property
    def outlines(self) -> dict[str, NDArray[np.float64]]:  # noqa: D102 - in the docstring of the class
        return {name: np.array(numbers).reshape(-1, 2) for name, numbers in self._pages.outlines.items()}

    def border_distance(self, region: str) -> pd.Series[Any]:
        """Return the distance of each cell to the border of a region that was drawn in the viewer.

        This is the distance to the nearest point of the outline, negative inside. Only cells in sections that contain
        cells of the region have a distance. The viewer shows the same numbers.

        Parameters
        ----------
        region
            The name of a region with an outline.

        Returns
        -------
        pandas.Series
            float32, one value per cell, with the names of the cells as index: over ``adata.obs``, or over the bundle's
            cells if there is no object. NaN for cells of other sections, and for cells that are not in the view.
            ``attrs["unit"]`` is ``µm``, or ``coordinate units`` if their size is not known.

        Raises
        ------
        ViewError
            If there is no region with this name, or it has no outline.
        BundleError
            If the bundle is damaged, or does not state its coordinates, which are not part of format 1.0.

        Examples
        --------
        >>> adata.obs["to_tumor"] = view.border_distance("Tumor")  # doctest: +SKIP
        """
        manifest = self.bundle.manifest
        unit_um = self._now.um_per_unit or (manifest.coordinates.unit_um if manifest.coordinates else None)
        found = distances_of(region, self.regions, self.outlines, self.bundle, self._live, unit_um)
        found.index = pd.Index(self._cell_names)
        return found

    def annotate(self, name: str, *, groups: str | None = None, overwrite: bool = False) -> None:
        """Write the regions to ``adata.obs[name]`` as a categorical; cells in no region have a missing value.

        Without regions, the selection is written as a region named ``selected``. Cells in several regions get the last.

        With `groups`, write that column of obs with its categories replaced by their groups, for all cells of the
        object, and their colors to ``adata.uns[f"{name}_colors"]``.

        Parameters
        ----------
        name
            Name of the column to write.
        groups
            Name of a column whose categories are grouped in the viewer.
        overwrite
            Whether to replace an existing column.

        Raises
        ------
        ViewError
            If the view has no AnnData object, there is nothing to write, or the column exists and `overwrite` is False.

        Examples
        --------
        >>> from karospace_jupyter import karospace_view
        >>> from karospace_jupyter.datasets import synthetic_tissue
        >>> adata = synthetic_tissue(300, 60, seed=1)
        >>> view = karospace_view(adata)
        >>> view.groups = {"cell_type": {"Lymphocyte": ["B cell", "T cell"]}}
        >>> view.annotate("lineage", groups="cell_type")
        >>> "Lymphocyte" in adata.obs["lineage"].cat.categories
        True
        >>> view.close()
        """
        if self._live is None:
            msg = "This view has no AnnData object to write to. Open it with karospace_view(bundle, adata=adata)."
            raise ViewError(msg)
        obs = self._live.adata.obs
        if not isinstance(name, str) or not name.strip():
            msg = f"The name of a column of obs must be non-empty text; got {name!r}."
            raise ViewError(msg)
        if name in obs.columns and not overwrite:
            msg = f"obs already has a column {name!r}. Choose another name, or pass overwrite=True."
            raise ViewError(msg)
        if groups is not None:
            self._annotate_groups(name, groups)
            return
        regions = self.regions or ({"selected": self.selection} if self.selection is not None else {})
        if not regions:
            msg = "There is no selection and there are no regions. Select cells with the lasso first."
            raise ViewError(msg)
        self._live.check_unchanged()
        obs[name] = categories_of(regions)
        self._live.columns.add(name)
        self._show_live(genes=False)

    def _annotate_groups(self, name: str, column: str) -> None:
        assert self._live is not None  # noqa: S101 - annotate has checked it
        adata = self._live.adata
        listed = self._now.groups.get(column)
        if not listed or column not in adata.obs.columns:
            found = "has no groups" if column in adata.obs.columns else "is not a column of obs"
            having = ", ".join(map(repr, groups_of(self._now))) or "none; group categories in the legend of the viewer"
            msg = f"{column!r} {found}. Columns with groups: {having}."
            raise ViewError(msg)
        if name == column:
            msg = f"The groups refer to the categories of {column!r}, which would be lost. Choose another name."
            raise ViewError(msg)
        self._live.check_unchanged()
        shown = self._column(column)
        values, colors = grouped_column(
            adata.obs[column], listed, shown if shown and shown.kind == "category" else None, self._now
        )
        adata.obs[name] = values
        if colors:
            adata.uns[f"{name}_colors"] = colors
        self._live.columns.add(name)
        self._show_live(genes=False)

    def compare(
        self,
        a: Any,  # noqa: ANN401 - many types are accepted
        b: Any = None,  # noqa: ANN401
        *,
        progress: bool = True,
        job: Job | None = None,
    ) -> pd.DataFrame:
        """Compare every gene between two groups of cells, such as the selection and the rest.

        All genes of `layer` are compared, or only the exported genes if the bundle has no packed genes. Cells that are
        not in the view, such as those left out by downsampling, do not count; hidden cells do. Values are used as they
        are: normalize counts by the total of each cell first.

        The p-values rank genes. Cells of one tissue are not independent, so a small p-value says nothing about other
        tissues or patients: for that, compare samples, for example with pseudobulks.

        Parameters
        ----------
        a, b
            A group each: ``"selection"``; ``"rest"`` (the default of `b`), which are all cells that are not in the
            other group; the name of a region; a dict of columns to a category, a list of categories, or None for
            missing values (cells must match all columns); or booleans, names or positions of cells. Names of groups
            of categories are accepted, too.
        progress
            Show a progress bar in the output of the notebook cell if the comparison takes longer than a second.
            Interrupting the kernel stops the comparison.
        job
            Receives progress and can cancel the comparison.

        Returns
        -------
        pandas.DataFrame
            One row per gene, sorted by `z` descending: the genes of `a` first, those of `b` last, followed by genes
            without a test. Columns, NaN where undefined:

            - ``mean_a``, ``mean_b``, and ``fraction_a``, ``fraction_b``, the shares of cells whose value is not zero
            - ``log2_fold_change`` of the means (plus 1e-9), back-transformed if the values are log1p, as in scanpy
            - ``auc``, ``u``, ``z``, ``log10_p``, ``log10_p_adjusted``: the Wilcoxon rank-sum (Mann-Whitney) test with
              correction for ties
            - ``t``, ``t_df``, ``t_log10_p``, ``t_log10_p_adjusted``: Welch's t-test

            p-values are two-sided; adjusted p-values use the Benjamini-Hochberg method. A gene with a value in fewer
            than three cells of a group has no test. ``attrs`` states the matrix, what the fold change compares, and the
            numbers of cells of both groups, ``n_a`` and ``n_b``.

        Raises
        ------
        ViewError
            If a group does not exist, or the cells or genes of the object have changed.
        Cancelled
            If the job was canceled.
        ComparisonError
            If the groups overlap, or one has fewer than three cells.

        Examples
        --------
        >>> from karospace_jupyter import karospace_view
        >>> from karospace_jupyter.datasets import synthetic_tissue
        >>> view = karospace_view(synthetic_tissue(300, 60, seed=1))
        >>> table = view.compare({"cell_type": "B cell"}, {"cell_type": ["T cell", "Macrophage"]})
        >>> table.index[:3].tolist(), table.attrs["n_a"]
        (['MS4A1', 'CD79A', 'CD19'], 18)
        >>> view.close()
        """
        live = self._live
        shown = np.ones(len(self._cell_names), dtype=bool)
        if live is not None:
            shown[:] = False
            shown[live.rows] = True
        groups = CellGroups(
            self._cell_names, shown, self.selection, self.regions, groups_of(self._now),
            columns_of(self.bundle, live), lambda name: column_of(self.bundle, live, name),
        )  # fmt: skip
        in_a, in_b = groups.pair(a, b)
        if live is None:
            return self.bundle.compare(in_a, in_b, matrix=self._matrix_now(), progress=progress, job=job)
        with comparing(job, progress=progress) as running:
            return live.compare(in_a, in_b, running)

    def refresh(self) -> None:
        """Show the current values of ``adata.obs``, the stored colors in ``adata.uns``, and the matrix.

        Columns that were added to obs appear in the viewer. Those that were removed disappear, except for columns of
        the bundle. All genes are then read from the object, including exported ones.

        Raises
        ------
        ViewError
            If the view has no AnnData object, or its cells or genes have changed.

        Examples
        --------
        >>> from karospace_jupyter import karospace_view
        >>> from karospace_jupyter.datasets import synthetic_tissue
        >>> adata = synthetic_tissue(300, 60, seed=1)
        >>> view = karospace_view(adata)
        >>> adata.obs["large"] = adata.obs["area"] > adata.obs["area"].median()
        >>> view.refresh()
        >>> view.color = "large"
        >>> view.close()
        """
        if self._live is None:
            raise ViewError(_NO_OBJECT)
        self._live.check_unchanged()
        self._live.read_again()
        self._live.columns.refresh()
        self._show_live(genes=True)

    def snapshot(self, timeout: float = 30) -> Image.Image:
        """Return an image of what the viewer currently shows.

        Returns
        -------
        PIL.Image.Image

        Raises
        ------
        ViewError
            If no viewer is open, or none answered within `timeout` seconds.
        """
        data = self._pages.snapshot(timeout)
        try:
            with open_picture(data, "The snapshot from the viewer", formats=("PNG",)) as picture:
                picture.load()
                taken: Image.Image = picture
        except ImageError as exc:
            raise ViewError(str(exc)) from exc
        return taken

    def on_change(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` after each change of state, selection or regions, with ``{"name", "new"}``.

        Returns
        -------
        callable
            Call it to remove the listener.
        """
        names = ["state", "selection", "regions"]

        def tell(change: dict[str, Any]) -> None:
            listener({"name": change["name"], "new": change["new"]})

        self.observe(tell, names)
        return lambda: self.unobserve(tell, names)

    def close(self) -> None:
        """Close the viewer everywhere it is displayed, and its comm."""
        self._assets.cancel()
        if self._own_channel:
            self._wire.close()
        super().close()

    # Internals

    def _take_state(self, state: ViewState) -> bool:
        """Change the state to that of a page, and return whether it was different."""
        if state == self._now:
            return False
        self._now = state
        self._tell_traits()
        return True

    def _tell_traits(self) -> None:
        """Update the traits to the current state; an observer may change it in the meantime."""
        self.color = self._text_of(self._now.color)
        camera = self._now.camera
        self.camera = None if camera is None else camera.model_dump()  # type: ignore[assignment]  # None is allowed
        self.hidden = {key: list(names) for key, names in self._now.hidden.items()}
        self.groups = groups_of(self._now)
        self.gene_sets = self._sets_now()
        self.layer = self._layer_now()
        self.state = self._now.plain()

    def _color_named(self, text: str) -> Color:
        if region_of(text) in self._pages.outlines:
            return ByAnnotation(column=text)
        color = color_named(text, self.bundle, self._live, self._sets_now(), self._matrix_now())
        self._show_added()
        return color

    def _groups_named(self, value: Mapping[str, object]) -> dict[str, list[dict[str, JsonValue]]]:
        columns = {name: self._column(name) for name in self.bundle.manifest.annotation_columns}
        for name in value:
            if name not in columns and is_added(name, self._live):
                columns[name] = self._column(name)
        self._show_added()
        return as_groups(value, self._now, columns)

    def _column(self, name: str) -> Column | None:
        """Return the column that the viewer shows; None if it is not known, as for bundles of format 1.0."""
        live = None if self._live is None else self._live.columns.column(name)
        return live or next((column for column in self.bundle.manifest.columns or () if column.name == name), None)

    def _show_added(self) -> None:
        """Show columns of obs that were read on request."""
        if self._live is not None and self._live.columns.listing() != self._shown_columns:
            self._show_live(genes=False)

    def _sets_now(self) -> dict[str, list[str]]:
        sets = self._now.gene_sets
        return self.bundle.gene_sets if sets is None else {one.name: list(one.genes) for one in sets}

    def _show_live(self, *, genes: bool) -> None:
        assert self._live is not None  # noqa: S101 - callers have checked it
        self._shown_columns = self._live.columns.listing()
        self._pages.show_live(self._shown_columns, self._live.matrix if genes else None)

    def _layer_now(self) -> str:
        if self._live is not None:
            return self._live.layer
        return layer_of(self._matrix_now(), self.bundle.matrices)

    def _read_matrix_of(self, view: Mapping[str, Any]) -> None:
        """Read genes from the matrix of the initial view; if the object lacks it, the page reports that."""
        assert self._live is not None  # noqa: S101 - callers have checked it
        state = view.get("state", view)
        wanted = state.get("matrix") if isinstance(state, Mapping) else None
        if isinstance(wanted, str) and wanted != self._live.matrix_name:
            with suppress(KaroSpaceError):
                self._live.read_from(wanted)

    def _matrix_now(self) -> str:
        """Return the matrix of the bundle that genes are read from."""
        chosen = self._now.matrix
        return chosen if chosen is not None and chosen in self.bundle.matrices else self.bundle.manifest.matrix

    def _text_of(self, color: Color) -> str:
        columns = () if self._live is None else self._live.columns.names
        sets = {}
        if color.kind == "score" and color.name in (listed := self._sets_now()):
            genes = {*self.bundle.genes_of(self._matrix_now()), *(self._live.names if self._live else ())}
            sets[color.name] = [gene for gene in listed[color.name] if gene in genes]
        return color_text(color, [*self.bundle.manifest.annotation_columns, *columns], sets)

    @property
    def n_genes(self) -> int:
        """Number of genes that can color the tissue: those of the bundle's main matrix and of the object's chosen one.

        Genes that are only in another matrix, such as ``raw``, are not counted.
        """
        return self._assets.n_genes

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:  # noqa: ANN401
        shown = super()._repr_mimebundle_(**kwargs)
        tissue, html = kept_of(self)
        output = Output(
            kind="view", model=tissue.model, title=tissue.title, height=self.height, columns=1, tissues=(tissue,)
        )
        return with_fallback(shown, output, html)
