"""The viewer in a cell, with its state available in Python."""

from __future__ import annotations

import threading
import uuid
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ImageError, ViewError
from karospace_jupyter.formatting import nearest
from karospace_jupyter.plan.pictures.opening import open_picture
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.view.state import (
    ByAnnotation,
    ByGene,
    ByNothing,
    Color,
    ViewState,
    changed,
    color_text,
    from_wire,
    several_genes,
)
from karospace_jupyter.widget import cells_rerun
from karospace_jupyter.widget.assets import Assets, LiveCells
from karospace_jupyter.widget.base import Base
from karospace_jupyter.widget.channel import Channel
from karospace_jupyter.widget.fallback import fallback_html, fallback_picture
from karospace_jupyter.widget.masks import Mask, as_mask, pack, unpack
from karospace_jupyter.widget.regions import as_regions, categories_of
from karospace_jupyter.widget.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from karospace_jupyter.widget.channel import Handler


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
    height
        Height in CSS pixels.

    Attributes
    ----------
    color : str
        Name of a column or a gene; empty for a single color. ``"obs:NAME"`` and ``"gene:NAME"`` distinguish equal
        names; ``"blend:A,B"`` shows two or three genes at once, ``"score:A,B,C"`` the mean of a gene set.
    camera : dict or None
        ``{"x", "y", "zoom"}``: center in coordinate units; zoom 1 shows all cells.
    hidden : dict
        Hidden categories of each column; None stands for missing values.
    state : dict
        The complete view as plain data; setting some fields keeps the others.
    selection : numpy.ndarray or None
        bool, shape (n_obs,): over ``adata.obs``, or over the bundle's cells if there is no object. None if nothing is
        selected. May be set to booleans, or to names or positions of cells.
    regions : dict
        Names to boolean arrays, in the order in which the regions were created.

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
        height: int = 470,
    ) -> None:
        self.bundle = bundle
        self._live = None if adata is None else LiveCells(adata, bundle, config or ExportConfig())
        self._ids = cell_ids(bundle) if self._live is None else np.asarray(adata.obs_names, dtype=object)
        self._assets = Assets(bundle, self._live)
        self._lock = threading.RLock()
        self._now = ViewState()
        # What the page already shows; only differences are sent.
        self._told: tuple[Mask | None, dict[str, Mask]] = (None, {})
        self._views: set[str] = set()
        self._region_colors: dict[str, str] = {}
        self._snapshots: dict[str, bytes | str | None] = {}
        self._own_channel = channel is None
        self._wire = channel or Channel()
        for kind, handler in {
            "open": self._on_open, "read": self._on_read, "state": self._on_state, "gone": self._on_gone,
            "selection": self._on_selection, "regions": self._on_regions, "snapshot": self._on_snapshot,
        }.items():  # fmt: skip
            self._wire.route(kind, self._known(handler) if kind != "open" else handler)
        if self._own_channel:
            self._wire.route("close", lambda *_: self.close())
        try:
            super().__init__(
                height=height,
                state=self._now.plain(),
                _channel=f"IPY_MODEL_{self._wire.model_id}",
                _fallback={"title": bundle.manifest.dataset_name, "picture": fallback_picture(bundle)},
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
        return changed(self._now, proposal["value"]).plain()

    @traitlets.validate("color")
    def _valid_color(self, proposal: dict[str, Any]) -> str:
        return self._color_text(self._find_color(proposal["value"]))

    @traitlets.validate("camera", "hidden")
    def _valid_part(self, proposal: dict[str, Any]) -> Any:  # noqa: ANN401
        name = proposal["trait"].name
        return changed(self._now, {name: proposal["value"]}).plain()[name]

    @traitlets.validate("selection")
    def _valid_selection(self, proposal: dict[str, Any]) -> Mask | None:
        return as_mask(proposal["value"], self._ids)

    @traitlets.validate("regions")
    def _valid_regions(self, proposal: dict[str, Any]) -> dict[str, Mask]:
        return as_regions(proposal["value"], self._ids)

    @traitlets.observe("state", "color", "camera", "hidden")
    def _push_state(self, change: dict[str, Any]) -> None:
        name, value = change["name"], change["new"]
        given: dict[str, Any] = value if name == "state" else {name: value}
        if name == "color":
            if value == self._color_text(self._now.color):
                return
            given = {"color": self._find_color(value).model_dump()}
        with self._lock:
            before, after = self._now, changed(self._now, given)
            if after == before:
                return
            if after.color != before.color and "range" not in given:
                after = changed(after, {"range": None})  # the limits apply to the previous values
            self._now = after
        moved = {field for field in ViewState.model_fields if getattr(after, field) != getattr(before, field)}
        if after.color != before.color:
            moved -= {"range"}
        self._to_page({"type": "set", "state": after.wire(moved)})
        self._tell_traits()

    @traitlets.observe("selection")
    def _push_selection(self, change: dict[str, Any]) -> None:
        known, regions = self._told
        if not _same(known, change["new"]):
            self._told = (change["new"], regions)
            self._to_page(*self._selection_message(change["new"]))

    @traitlets.observe("regions")
    def _push_regions(self, change: dict[str, Any]) -> None:
        selection, known = self._told
        if not _same_regions(known, change["new"]):
            self._told = (selection, change["new"])
            self._to_page(*self._regions_message())

    @property
    def selected_ids(self) -> list[str]:
        """Names of the selected cells, in the order of obs."""
        return [] if self.selection is None else [str(name) for name in self._ids[self.selection]]

    def annotate(self, name: str, *, overwrite: bool = False) -> None:
        """Write the regions to ``adata.obs[name]`` as a categorical; cells in no region have a missing value.

        Without regions, the selection is written as a region named ``selected``. Cells in several regions get the last.

        Raises
        ------
        ViewError
            If the view has no AnnData object, there is nothing to write, or the column exists and `overwrite` is False.
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
        regions = self.regions or ({"selected": self.selection} if self.selection is not None else {})
        if not regions:
            msg = "There is no selection and there are no regions. Select cells with the lasso first."
            raise ViewError(msg)
        self._live.check_unchanged()
        obs[name] = categories_of(regions)

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
        if not wait_for(lambda: bool(self._views), min(timeout, 10)):
            msg = (
                "This view is not displayed yet. A viewer opens when the cell that displays it has finished: "
                "take the snapshot in a later cell."
            )
            raise ViewError(msg)
        key = uuid.uuid4().hex
        self._snapshots[key] = None
        try:
            self._to_page({"type": "snapshot", "id": key})
            if not wait_for(lambda: self._snapshots[key] is not None, timeout):
                msg = f"The viewer did not answer within {timeout:g} s. Check that its page is still open."
                raise ViewError(msg)
            data = self._snapshots[key]
        finally:
            del self._snapshots[key]
        if isinstance(data, str):
            msg = f"The viewer could not take the snapshot: {data}"
            raise ViewError(msg)
        try:
            with open_picture(data or b"", "The snapshot from the viewer", formats=("PNG",)) as picture:
                picture.load()
                taken: Image.Image = picture
        except ImageError as exc:
            raise ViewError(str(exc)) from exc
        return taken

    def on_change(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
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
        if self._own_channel:
            self._wire.close()
        super().close()

    # Messages from the page. Handlers may run on another thread, concurrently with the user's code.

    def _on_open(self, message: dict[str, Any], _: list[memoryview]) -> None:
        """Send the current state to a page that opens this view."""
        self._views.add(str(message.get("view")))
        live = len(self._live.names) if self._live is not None else 0
        fresh = self._now == ViewState()  # then the bundle, or the viewer, determines the initial state
        self._wire.send(
            {
                "type": "opened", "view": message.get("view"), "id": message.get("id"),
                "state": {} if fresh else self._now.wire(), "live": live, "fresh": fresh,
            }
        )  # fmt: skip
        if self.selection is not None:
            head, buffers = self._selection_message(self.selection)
            self._wire.send({**head, "view": message.get("view")}, buffers)
        if self.regions:
            head, buffers = self._regions_message()
            self._wire.send({**head, "view": message.get("view")}, buffers)

    def _on_gone(self, message: dict[str, Any], _: list[memoryview]) -> None:
        self._views.discard(str(message.get("view")))

    def _on_read(self, message: dict[str, Any], _: list[memoryview]) -> None:
        path = message.get("path")
        if self._assets.is_live(path):
            self._wire.aside(message, lambda: self._assets.read(path))
        else:
            self._wire.answer(message, self._assets.read(path))

    def _on_state(self, message: dict[str, Any], _: list[memoryview]) -> None:
        state = from_wire(message.get("state"))
        if state is None or state == self._now:
            return
        self._now = state
        self._tell_traits()
        if not message.get("echo"):
            self._relay({"type": "set", "state": state.wire()}, [], message)

    def _on_selection(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        mask = self._over_obs(unpack(buffers[0], self.bundle.manifest.n_cells)) if buffers else None
        self._told = (mask, self._told[1])
        self.selection = mask
        self._relay({"type": "select"}, list(buffers), message)

    def _on_regions(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        names = [str(name) for name in message.get("names", ())]
        n = self.bundle.manifest.n_cells
        found = {name: self._over_obs(unpack(bits, n)) for name, bits in zip(names, buffers, strict=False)}
        self._told = (self._told[0], found)
        self._region_colors = dict(zip(names, map(str, message.get("colors", ())), strict=False))
        self.regions = found
        self._relay({**message, "type": "regions"}, list(buffers), message)

    def _on_snapshot(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        key = str(message.get("id"))
        # Every page that displays the view was asked: the first image wins; an error only counts if there is no image.
        if key in self._snapshots and not isinstance(self._snapshots[key], bytes):
            self._snapshots[key] = bytes(buffers[0]) if buffers else str(message.get("message", "it sent no image"))

    # Internals

    def _to_page(self, message: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        if self._views:
            self.send(*self._wire.packed(message, buffers or ()))

    def _relay(self, message: dict[str, Any], buffers: list[Any], origin: dict[str, Any]) -> None:
        """Forward a change to the other pages that display this view."""
        for view in sorted(self._views - {str(origin.get("view"))}):
            self._wire.send({**message, "view": view}, buffers)

    def _known(self, handler: Handler) -> Handler:
        """Reject messages from pages that display another view over the same channel."""

        def handle(message: dict[str, Any], buffers: list[memoryview]) -> None:
            if str(message.get("view")) in self._views:
                handler(message, buffers)
            else:
                self._wire.refuse(message, "This viewer was replaced by the viewer of a newer export.")

        return handle

    def _tell_traits(self) -> None:
        """Update the traits to the current state; an observer may change it in the meantime."""
        self.color = self._color_text(self._now.color)
        camera = self._now.camera
        self.camera = None if camera is None else camera.model_dump()  # type: ignore[assignment]  # None is allowed
        self.hidden = {key: list(names) for key, names in self._now.hidden.items()}
        self.state = self._now.plain()

    def _find_color(self, text: str) -> Color:
        m = self.bundle.manifest
        genes = {*m.gene_list, *(self._live.names if self._live else ())}
        kind, _, name = text.partition(":")
        if not text:
            return ByNothing()
        if kind == "obs" and name in m.annotation_columns:
            return ByAnnotation(column=name)
        if kind == "gene" and name in genes:
            return ByGene(gene=name)
        several = [part.strip() for part in name.split(",")]
        if kind in {"blend", "score"} and text not in genes and genes.issuperset(several):
            return several_genes(kind, several)
        if text in m.annotation_columns:
            return ByAnnotation(column=text)
        if text in genes:
            return ByGene(gene=text)
        for labels in m.gene_labels or ():
            if text in labels.labels:
                return ByGene(gene=m.gene_list[labels.labels.index(text)])
        if self._live is not None and text in self._live.adata.obs.columns:
            msg = (
                f"The column {text!r} is in adata.obs, but not in this view: it was added later or left out. "
                f"Create a new view that includes it: karospace_view(adata, annotation_columns=[{text!r}, ...])."
            )
            raise ViewError(msg)
        near = nearest(text, [*m.annotation_columns, *genes])
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        columns = ", ".join(m.annotation_columns[:12]) or "none"
        msg = f"{text!r} is neither a column nor a gene of this view.{hint} Columns: {columns}. Genes: {len(genes):,}."
        raise ViewError(msg)

    def _color_text(self, color: Color) -> str:
        return color_text(color, self.bundle.manifest.annotation_columns)

    def _over_obs(self, mask: Mask) -> Mask:
        if self._live is None:
            return mask
        over = np.zeros(len(self._ids), dtype=bool)
        over[self._live.rows[mask]] = True
        return over

    def _over_cells(self, mask: Mask) -> Mask:
        return mask if self._live is None else mask[self._live.rows]

    def _selection_message(self, mask: Mask | None) -> tuple[dict[str, Any], list[bytes]]:
        return {"type": "select"}, [] if mask is None else [pack(self._over_cells(mask))]

    def _regions_message(self) -> tuple[dict[str, Any], list[bytes]]:
        names = list(self.regions)
        head = {"type": "regions", "names": names, "colors": [self._region_colors.get(name, "") for name in names]}
        return head, [pack(self._over_cells(self.regions[name])) for name in names]

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:  # noqa: ANN401
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, metadata = shown
        return {**data, "text/html": fallback_html(self.bundle)}, metadata


def _same(a: Mask | None, b: Mask | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _same_regions(a: dict[str, Mask], b: dict[str, Mask]) -> bool:
    return list(a) == list(b) and all(np.array_equal(a[name], b[name]) for name in a)
