"""What the output of a cell stores about a widget, so that JupyterLab can show its tissue without a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from karospace_jupyter.contracts.form import SCHEMA

MIME_TYPE = "application/vnd.karospace.view+json"
"""Our JupyterLab extension prefers it to the MIME type of widgets; other applications ignore it."""


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A bundle in a folder."""

    __pydantic_config__ = SCHEMA

    folder: str
    """Path relative to the working directory, if it is inside it."""
    places: tuple[str, ...]
    """The path in each form that a server may use: as given, resolved, and relative to the home folder."""
    created: str
    """When the bundle was written; distinguishes it from a later one in the same folder."""


@dataclass(frozen=True, slots=True)
class Tissue:
    """A view in an output."""

    __pydantic_config__ = SCHEMA

    model: str
    """ID of the widget model of the view."""
    title: str
    detail: str
    """Numbers of cells and genes."""
    picture: str
    """The preview as a data URL; empty if there is none."""
    bundle: OnDisk | None
    """None for a bundle that is not in a folder."""


@dataclass(frozen=True, slots=True)
class Output:
    """A view, a grid of views, or an export form in the output of a cell."""

    __pydantic_config__ = SCHEMA

    kind: Literal["view", "grid", "form"]
    model: str
    """ID of the model of the widget."""
    title: str
    height: int
    """Height of each view, in CSS pixels."""
    columns: int
    """Number of views per row."""
    tissues: tuple[Tissue, ...]
    """Empty for a form that has exported nothing."""
