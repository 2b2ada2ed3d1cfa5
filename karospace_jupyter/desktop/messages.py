"""Messages between the window and its worker process.

A request about a file names it, because the window may have requested another one in the meantime; answers repeat the
number of their request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karospace_jupyter.contracts.form import Estimate, Result, SessionState, Summary


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Open a file; `choices` are options remembered from earlier files. Without a path, only prepare the worker."""

    number: int
    path: str
    choices: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PredictExport:
    """Predict an export with these options."""

    revision: int
    path: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CompleteGene:
    """Suggest genes of the object, or of its raw, for a partial name."""

    number: int
    path: str
    query: str
    raw: bool


@dataclass(frozen=True, slots=True)
class WriteCommand:
    """Write the equivalent shell command."""

    path: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StartExport:
    """Start an export of a file."""

    path: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CancelExport:
    """Cancel the running export."""


@dataclass(frozen=True, slots=True)
class StartServing:
    """Serve a bundle on this computer, replacing the one served before."""

    path: str
    port: int
    again: bool = False
    """Whether a worker that was just killed may still hold the port."""


@dataclass(frozen=True, slots=True)
class StopServing:
    """Stop serving."""


Request = (
    OpenFile | PredictExport | CompleteGene | WriteCommand | StartExport | CancelExport | StartServing | StopServing
)
"""From the window to the worker."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file was opened."""

    number: int
    summary: Summary
    options: dict[str, Any]
    invalid: list[str]
    """Names of the remembered choices that are invalid."""
    stem: str
    """The default target, without an ending."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file could not be opened."""

    number: int
    reason: str
    details: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """The prediction of an export."""

    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Suggested:
    """Suggestions for a partial gene name."""

    number: int
    names: list[str]


@dataclass(frozen=True, slots=True)
class CommandWritten:
    """The equivalent shell command."""

    text: str


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The state of the export changed."""

    state: SessionState


@dataclass(frozen=True, slots=True)
class Finished:
    """An export was completed; its last state follows."""

    result: Result


@dataclass(frozen=True, slots=True)
class Serving:
    """A bundle is served."""

    path: str
    address: str


@dataclass(frozen=True, slots=True)
class ServingStopped:
    """No bundle is served."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A request failed; the details are the traceback of an unexpected error."""

    request: type[Request]
    text: str
    details: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The worker cannot start."""

    text: str
    details: str


Answer = (
    Opened | Refused | Predicted | Suggested | CommandWritten | StateChanged | Finished | Serving | ServingStopped
    | Failed | Broken
)  # fmt: skip
"""From the worker to the window."""
