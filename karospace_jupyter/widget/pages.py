"""The pages that display a view: send changes to them, and apply the changes that they send."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Protocol

import numpy as np

from karospace_jupyter.contracts.messages import (
    Gone,
    LiveChanged,
    LiveMatrix,
    Message,
    Open,
    Opened,
    Read,
    Regions,
    Select,
    SelectionChanged,
    SetState,
    SnapshotTaken,
    StateChanged,
    TakeSnapshot,
)
from karospace_jupyter.errors import ViewError
from karospace_jupyter.widget.assets import LIVE_COMPARISON
from karospace_jupyter.widget.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import JsonValue

    from karospace_jupyter.view.state import ViewState
    from karospace_jupyter.widget.assets import Assets
    from karospace_jupyter.widget.cells import Cells
    from karospace_jupyter.widget.channel import Buffers, Channel, Handler, M
    from karospace_jupyter.widget.masks import Mask

    Buffer = bytes | memoryview
    Send = Callable[[Message, Sequence[Buffer]], None]


_OPENS_S = 10.0
"""Seconds that a snapshot waits for a view that is about to be displayed."""
_REOPENS_S = 1.0
"""Seconds that it waits for a view that was displayed before, and may be reopening."""


class Displayed(Protocol):
    """The view that the pages display."""

    selection: Mask | None
    regions: dict[str, Mask]


class Pages:
    """The frames that display a view, in one or several pages.

    Handlers of their messages may run on another thread, concurrently with the user's code.

    Parameters
    ----------
    view
        Its selection and regions are set to those of the pages.
    channel
        Carries the messages of the pages.
    send
        Sends a message over the comm of the view, to all frames.
    initial_state
        Returns the state for a frame that opens the view; None for that of the bundle or the viewer.
    take_state
        Changes the state to that of a page, and returns whether it was different.
    """

    def __init__(
        self,
        view: Displayed,
        channel: Channel,
        assets: Assets,
        cells: Cells,
        *,
        send: Send,
        initial_state: Callable[[], ViewState | None],
        take_state: Callable[[ViewState], bool],
    ) -> None:
        self._view, self._channel, self._assets, self._cells = view, channel, assets, cells
        self._send, self._initial_state, self._take_state = send, initial_state, take_state
        self._frames: set[str] = set()
        self._was_open = False
        # What the frames show: only differences are sent.
        self._selection: Mask | None = None
        self._regions: dict[str, Mask] = {}
        self._colors: dict[str, str] = {}
        self._outlines: dict[str, list[float]] = {}
        self._snapshots: dict[str, bytes | str | None] = {}
        channel.route(Open, self._on_open)
        channel.route(Gone, self._known(self._on_gone))
        channel.route(Read, self._known(self._on_read))
        channel.route(StateChanged, self._known(self._on_state))
        channel.route(SelectionChanged, self._known(self._on_selection))
        channel.route(Regions, self._known(self._on_regions))
        channel.route(SnapshotTaken, self._known(self._on_snapshot))

    def show_state(self, state: ViewState) -> None:
        """Show the fields of a state that were set."""
        self._tell(SetState(state=state))

    def show_live(self, columns: list[dict[str, JsonValue]], matrix: LiveMatrix | None) -> None:
        """Show the current columns of the live object, and, with a `matrix`, the current values of its genes."""
        self._tell(LiveChanged(columns=columns, matrix=matrix))

    def show_selection(self, mask: Mask | None) -> None:
        """Show a selection, unless it is shown already."""
        if not _same(self._selection, mask):
            self._selection = mask
            self._tell(*self._select(mask))

    @property
    def outlines(self) -> dict[str, list[float]]:
        """Outlines of regions by name: x and y of each corner, in coordinate units."""
        return {name: outline for name in self._regions if (outline := self._outlines.get(name))}

    def show_regions(self, regions: dict[str, Mask]) -> None:
        """Show regions, unless they are shown already."""
        if not _same_regions(self._regions, regions):
            # An outline belongs to its cells: a region with other cells loses it.
            kept = [name for name, mask in regions.items() if _same(self._regions.get(name), mask)]
            self._outlines = {name: self._outlines[name] for name in kept if name in self._outlines}
            self._regions = regions
            self._tell(*self._regions_of(regions))

    def snapshot(self, timeout: float) -> bytes:
        """Return an image of what a page shows, as PNG.

        Raises
        ------
        ViewError
            If no viewer is open, or none answered within `timeout` seconds.
        """
        if not wait_for(lambda: bool(self._frames), min(timeout, _OPENS_S if not self._was_open else _REOPENS_S)):
            if self._was_open:
                msg = (
                    "This view is no longer displayed: its output was cleared or its page was closed. "
                    "Show it again as the last line of a cell, then take the snapshot in a later cell."
                )
                raise ViewError(msg)
            msg = (
                "This view is not displayed yet. A viewer opens when the cell that displays it has finished: "
                "take the snapshot in a later cell."
            )
            raise ViewError(msg)
        key = uuid.uuid4().hex
        self._snapshots[key] = None
        try:
            self._tell(TakeSnapshot(id=key))
            if not wait_for(lambda: self._snapshots[key] is not None, timeout):
                msg = f"The viewer did not answer within {timeout:g} s. Check that its page is still open."
                raise ViewError(msg)
            data = self._snapshots[key]
        finally:
            del self._snapshots[key]
        if isinstance(data, str):
            msg = f"The viewer could not take the snapshot: {data}"
            raise ViewError(msg)
        return data or b""

    def _on_open(self, message: Open, _: Buffers) -> None:
        """Send the current state to a frame that opens this view."""
        frame = str(message.view)
        self._frames.add(frame)
        self._was_open = True
        state, live = self._initial_state(), self._assets.n_live
        self._channel.send(Opened(id=message.id, view=frame, state=state, live=live))
        if self._view.selection is not None:
            self._tell_one(frame, *self._select(self._view.selection))
        if self._view.regions:
            self._tell_one(frame, *self._regions_of(self._view.regions))

    def _on_gone(self, message: Gone, _: Buffers) -> None:
        self._frames.discard(str(message.view))
        if not self._frames:
            self._assets.cancel()

    def _on_read(self, message: Read, buffers: Buffers) -> None:
        if message.path == LIVE_COMPARISON and buffers:
            bits = buffers[0]
            a, b = (self._cells.unpacked(half) for half in (bits[: len(bits) // 2], bits[len(bits) // 2 :]))
            self._channel.aside(message, lambda: self._assets.comparison(a, b, f"{message.view} {message.id}"))
        elif self._assets.is_live(message.path):
            self._channel.aside(message, lambda: self._assets.read(message.path))
        else:
            self._channel.answer(message, self._assets.read(message.path))

    def _on_state(self, message: StateChanged, _: Buffers) -> None:
        if self._take_state(message.state) and not message.echo:
            self._tell_others(message, SetState(state=message.state))

    def _on_selection(self, message: SelectionChanged, buffers: Buffers) -> None:
        self._selection = self._cells.unpacked(buffers[0]) if buffers else None
        self._view.selection = self._selection
        self._tell_others(message, Select(), buffers)

    def _on_regions(self, message: Regions, buffers: Buffers) -> None:
        found = {name: self._cells.unpacked(bits) for name, bits in zip(message.names, buffers, strict=False)}
        self._regions = found
        self._colors = dict(zip(message.names, message.colors, strict=False))
        self._outlines = dict(zip(message.names, message.outlines, strict=False))
        self._view.regions = found
        change = Regions(names=message.names, colors=message.colors, outlines=message.outlines)
        self._tell_others(message, change, buffers)

    def _on_snapshot(self, message: SnapshotTaken, buffers: Buffers) -> None:
        # Every frame that displays the view was asked: the first image wins; an error only counts if there is no image.
        if message.id in self._snapshots and not isinstance(self._snapshots[message.id], bytes):
            self._snapshots[message.id] = bytes(buffers[0]) if buffers else message.message

    def _tell(self, message: Message, buffers: Sequence[bytes] = ()) -> None:
        if self._frames:
            self._send(*self._channel.packed(message, buffers))

    def _tell_one(self, frame: str, message: Message, buffers: Sequence[Buffer] = ()) -> None:
        self._channel.send(message.model_copy(update={"view": frame}), buffers)

    def _tell_others(self, origin: Message, change: Message, buffers: Sequence[Buffer] = ()) -> None:
        """Send the change of a frame to the others that display this view."""
        for frame in sorted(self._frames - {str(origin.view)}):
            self._tell_one(frame, change, buffers)

    def _known(self, handler: Handler[M]) -> Handler[M]:
        """Reject messages from frames that display another view over the same channel."""

        def handle(message: M, buffers: Buffers) -> None:
            if str(message.view) in self._frames:
                handler(message, buffers)
            else:
                self._channel.refuse(message, "This viewer was replaced by the viewer of a newer export.")

        return handle

    def _select(self, mask: Mask | None) -> tuple[Message, list[bytes]]:
        return Select(), [] if mask is None else [self._cells.packed(mask)]

    def _regions_of(self, regions: dict[str, Mask]) -> tuple[Message, list[bytes]]:
        colors = [self._colors.get(name, "") for name in regions]
        outlines = [self._outlines.get(name, []) for name in regions]
        message = Regions(names=list(regions), colors=colors, outlines=outlines)
        return message, [self._cells.packed(mask) for mask in regions.values()]


def _same(a: Mask | None, b: Mask | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _same_regions(a: dict[str, Mask], b: dict[str, Mask]) -> bool:
    return list(a) == list(b) and all(np.array_equal(a[name], b[name]) for name in a)
