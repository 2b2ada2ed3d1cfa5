"""Requests of the JupyterLab panel to a kernel, and their answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

Where = Annotated[list[str], Field(min_length=1)]
"""Name of a variable; for an object inside another one (MuData, SpatialData), also its key."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class OpenForm(_Part):
    """Creates the form of an object."""

    do: Literal["form"] = "form"
    where: Where
    options: dict[str, JsonValue]
    """Initial values of the form. ``{name}`` in ``outdir`` is replaced by the name of the object."""


class OpenFile(_Part):
    """Creates the form of an ``.h5ad`` file or a zarr folder, which is not loaded into memory."""

    do: Literal["file"] = "file"
    path: str
    options: dict[str, JsonValue]


class NewView(_Part):
    """Shows an object without exporting it to disk; all of its genes are available."""

    do: Literal["new_view"] = "new_view"
    where: Where


class ViewOf(_Part):
    """Shows a bundle on disk through the kernel, for pages that cannot read it directly."""

    do: Literal["view_of"] = "view_of"
    path: str


class IsKnown(_Part):
    """Asks whether a widget still exists, after the page was reloaded."""

    do: Literal["known"] = "known"
    model: str


class Verify(_Part):
    """Verifies every file of a bundle."""

    do: Literal["verify"] = "verify"
    path: str


class Delete(_Part):
    """Deletes the folder of a bundle, and nothing else."""

    do: Literal["delete"] = "delete"
    path: str


class AskAgain(_Part):
    """Asks for the answer to an earlier request."""

    do: Literal["answer"] = "answer"
    ticket: str


PanelRequest = Annotated[
    OpenForm | OpenFile | NewView | ViewOf | IsKnown | Verify | Delete | AskAgain, Field(discriminator="do")
]
_REQUEST: TypeAdapter[PanelRequest] = TypeAdapter(PanelRequest)


def parsed(text: str) -> PanelRequest:
    """Parse a request given as JSON text.

    Raises
    ------
    pydantic.ValidationError
        If it is not a request, or a field has an invalid value.
    """
    return _REQUEST.validate_json(text, strict=True)


class Made(_Part):
    """A widget."""

    model: str
    """Its model id."""


class Known(_Part):
    """Whether a widget exists."""

    known: bool


class Verified(_Part):
    """The bundle is undamaged."""

    files: int


class Done(_Part):
    """The request succeeded and has no result."""


class Ticket(_Part):
    """The request takes a long time; its result is requested with this ticket."""

    ticket: str


class Failed(_Part):
    """An error, sent as data because a traceback would not be shown."""

    error: str
    kind: str
    """Name of its class."""


PanelAnswer = Made | Known | Verified | Done | Ticket | Failed


class PanelAnswers(_Part):
    """The answer to each request. Any request may fail, and long work is first answered with a ticket."""

    form: Made
    file: Made
    new_view: Made
    view_of: Made
    known: Known
    verify: Verified
    delete: Done
    answer: Made | Verified | Ticket | Failed
