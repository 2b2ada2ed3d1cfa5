"""Messages between pages and the kernel, over the comms of widgets.

A page sends its messages over the channel of a widget. The kernel answers over the channel, and sends changes of a view
over the comm of the view. Bytes travel in the buffers of a message.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from karospace_jupyter.bundle.manifest import Values
from karospace_jupyter.view.outline import Outline
from karospace_jupyter.view.state import LATER, ViewState


class Message(BaseModel):
    """A message in either direction. Unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    type: str
    id: str | None = None
    """ID of a request, repeated by its answer."""
    view: str | None = None
    """Frame that sends or receives the message; missing for forms, and for a message to all frames of a view."""
    plain: bool = False
    """Whether the sender cannot receive buffers."""
    base64: list[str] | None = None
    """The buffers, if the receiver cannot receive them separately."""

    def sent(self) -> dict[str, Any]:
        """Return the content of the message: only the fields that were set, so that a state contains only changes."""
        return {"type": self.type, **self.model_dump(mode="json", by_alias=True, exclude_unset=True)}


class _Request(Message):
    id: str


# From the page to the kernel


class Hello(_Request):
    """Tests whether buffers arrive; it has one buffer, and so does its answer."""

    type: Literal["hello"] = "hello"


class Here(Message):
    """The page has created a widget."""

    type: Literal["here"] = "here"


class Open(_Request):
    """A frame opens a view."""

    type: Literal["open"] = "open"


class Gone(Message):
    """A frame is closed."""

    type: Literal["gone"] = "gone"


class Read(_Request):
    """Requests a file of the bundle, the page of the viewer, or a gene of the live object.

    To compare two groups of cells, one buffer holds a bit per cell for each group.
    """

    type: Literal["read"] = "read"
    path: str


class StateChanged(Message):
    """The state of a frame has changed."""

    type: Literal["state"] = "state"
    state: ViewState
    echo: bool = False
    """Whether the change came from outside the frame, so that other frames already have it."""


class SelectionChanged(Message):
    """The selection has changed. One buffer: one bit per cell; none if nothing is selected."""

    type: Literal["selection"] = "selection"


class Regions(Message):
    """All regions, in either direction. One buffer per region: one bit per cell."""

    type: Literal["regions"] = "regions"
    names: list[str]
    colors: list[str]
    """`#rrggbb` for each region; empty if the viewer chooses the color."""
    outlines: list[Outline]
    """Outline of each region, as in a saved view; empty if the region was not drawn as one line."""


class SnapshotTaken(_Request):
    """Answers a request for a snapshot. One buffer: the image as PNG; none if there is no image."""

    type: Literal["snapshot"] = "snapshot"
    message: str = ""
    """Why there is no image."""


class Close(Message):
    """Closes the widget."""

    type: Literal["close"] = "close"


class ChangeOptions(_Request):
    """Changes options of a form."""

    type: Literal["options"] = "options"
    options: dict[str, JsonValue]
    revision: int
    """Number of the change; the estimate repeats it."""


class Start(_Request):
    """Changes options and starts the export."""

    type: Literal["start"] = "start"
    options: dict[str, JsonValue]
    revision: int


class Cancel(_Request):
    """Cancels the export."""

    type: Literal["cancel"] = "cancel"


class CompleteGene(_Request):
    """Requests suggestions for a partial gene name."""

    type: Literal["genes"] = "genes"
    query: str


class Download(_Request):
    """Requests the bundle as one file."""

    type: Literal["download"] = "download"
    kind: Literal["html", "zip"]


class MakeView(_Request):
    """Creates a viewer of the last export."""

    type: Literal["view"] = "view"


ToKernel = Annotated[
    Hello
    | Here
    | Open
    | Gone
    | Read
    | StateChanged
    | SelectionChanged
    | Regions
    | SnapshotTaken
    | Close
    | ChangeOptions
    | Start
    | Cancel
    | CompleteGene
    | Download
    | MakeView,
    Field(discriminator="type"),
]
_TO_KERNEL: TypeAdapter[ToKernel] = TypeAdapter(ToKernel)


def parsed(content: object) -> ToKernel:
    """Parse the content of a message from a page.

    Raises
    ------
    pydantic.ValidationError
        If its type is unknown, or a field has an invalid value.
    """
    return _TO_KERNEL.validate_python(content, strict=True, context=LATER)


# From the kernel to the page


class Hi(_Request):
    """Answers :class:`Hello`. One buffer of one byte."""

    type: Literal["hi"] = "hi"
    buffers: int
    """Number of buffers that arrived."""


class Part(_Request):
    """Part of the bytes that answer a request, in one buffer."""

    type: Literal["part"] = "part"
    index: int
    count: int
    """Number of parts."""
    total: int
    """Number of bytes of all parts."""


class Refused(Message):
    """Answers a request that failed."""

    type: Literal["refused"] = "refused"
    tag: Literal["failed", "not-found"]
    message: str


class Opened(_Request):
    """Answers :class:`Open`."""

    type: Literal["opened"] = "opened"
    state: ViewState | None
    """None if the bundle, or the viewer, determines the initial state."""
    live: int
    """Number of genes of the live object; 0 if there is none."""


class SetState(Message):
    """Changes fields of the state."""

    type: Literal["set"] = "set"
    state: ViewState


class LiveMatrix(BaseModel):
    """The matrix that genes of the live object are read from, instead of that of the bundle."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    source: str
    """`X`, `layer:NAME` or `raw`."""
    values: Values


class LiveChanged(Message):
    """Describes what the live object provides after a change: genes that were read before may be outdated."""

    type: Literal["live"] = "live"
    columns: list[dict[str, JsonValue]]
    """Columns that are read from the object, as in the manifest; they replace those of the bundle by name."""
    matrix: LiveMatrix | None
    """The matrix, if the values of genes may have changed, too."""


class Select(Message):
    """Changes the selection. One buffer: one bit per cell; none for no selection."""

    type: Literal["select"] = "select"


class TakeSnapshot(_Request):
    """Requests an image of the viewer."""

    type: Literal["snapshot"] = "snapshot"


class Started(_Request):
    """Answers :class:`Start`."""

    type: Literal["started"] = "started"


class Canceling(_Request):
    """Answers :class:`Cancel`."""

    type: Literal["canceling"] = "canceling"


class Noted(_Request):
    """Answers :class:`ChangeOptions`."""

    type: Literal["noted"] = "noted"


class Hits(_Request):
    """Answers :class:`CompleteGene`."""

    type: Literal["hits"] = "hits"
    genes: list[str]


class Viewed(_Request):
    """Answers :class:`MakeView`."""

    type: Literal["viewed"] = "viewed"
    model: str
    """ID of the widget model of the viewer."""


ToPage = Annotated[
    Hi
    | Part
    | Refused
    | Opened
    | SetState
    | LiveChanged
    | Select
    | Regions
    | TakeSnapshot
    | Started
    | Canceling
    | Noted
    | Hits
    | Viewed,
    Field(discriminator="type"),
]
