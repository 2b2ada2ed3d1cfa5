"""What forms show: a summary of the data, and the estimate, the progress, and the result of an export.

The notebook form receives them as JSON, the desktop app as objects. They are dataclasses rather than Pydantic models
because the window of the app starts without Pydantic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Observations = Literal["cells", "spots", "bins"]
Status = Literal["idle", "running", "done", "failed", "cancelled"]

SCHEMA: dict[str, Any] = {"use_attribute_docstrings": True, "json_schema_serialization_defaults_required": True}
"""Configuration of the JSON Schemas: the strings below the fields describe them, and every field is required."""


@dataclass(frozen=True, slots=True)
class ColumnFact:
    """A column of obs."""

    __pydantic_config__ = SCHEMA

    name: str
    kind: Literal["category", "number", "other"]
    dtype: str
    default: bool
    """Whether it is exported by default, unless it holds the coordinates."""
    left_out: str | None = None
    """Why it is not exported by default; None if it is."""
    n_categories: int | None = None
    other_kind: Literal["category", "number"] | None = None
    """Alternative kind, which a prefix requests; None if there is none."""
    colors: tuple[str, ...] = ()
    """Colors of the first categories."""
    range: tuple[float, float] | None = None
    """Smallest and largest finite number."""


@dataclass(frozen=True, slots=True)
class EmbeddingFact:
    """An entry of obsm that can be exported as an embedding."""

    __pydantic_config__ = SCHEMA

    key: str
    label: str
    """Display name, for example "UMAP"."""
    default: bool
    """Whether it is exported by default, unless it holds the coordinates."""


@dataclass(frozen=True, slots=True)
class LibraryFact:
    """A library in ``uns['spatial']`` with images."""

    __pydantic_config__ = SCHEMA

    name: str
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is exported by default."""

    __pydantic_config__ = SCHEMA

    annotation_columns: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a form shows of an AnnData object or its file."""

    __pydantic_config__ = SCHEMA

    n_cells: int = 0
    n_genes: int = 0
    observations: Observations = "cells"
    """What each row represents."""
    help: dict[str, str] = field(default_factory=dict)
    """Help text by option."""
    ready: bool = False
    """Whether the fields below are filled; until then, only the fields above are known."""
    name: str = ""
    facts: tuple[str, ...] = ()
    """Short facts for the header."""
    coordinates: tuple[str, ...] = ()
    """Coordinates to choose from."""
    detected: str | None = None
    """Coordinates used if none are chosen."""
    columns: tuple[ColumnFact, ...] = ()
    layers: tuple[str, ...] = ()
    raw: bool = False
    """Whether `raw` exists."""
    libraries: tuple[LibraryFact, ...] = ()
    sections: str | None = None
    """Detected column of sections."""
    section_columns: tuple[str, ...] = ()
    """All columns that could define sections."""
    embeddings: tuple[EmbeddingFact, ...] = ()
    defaults: Defaults = field(default_factory=Defaults)
    """Defaults with the detected coordinates."""
    marked: int | None = None
    """Number of genes marked as highly variable; None if there are none."""
    separators: str = r"\s,;"
    """Characters that separate gene names in a list, as in the brackets of a regular expression. Characters that occur
    in names are excluded."""


@dataclass(frozen=True, slots=True)
class UnknownGene:
    """A listed gene that is not in the data."""

    __pydantic_config__ = SCHEMA

    name: str
    near: tuple[str, ...]
    """Similar names in the data."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A predicted export; without files if there is no prediction yet, or an option prevents it."""

    __pydantic_config__ = SCHEMA

    revision: int = 0
    """Revision of the options to which the estimate applies."""
    problems: dict[str, str] = field(default_factory=dict)
    """Why an export would fail, for each option with a problem; the key "object" stands for the data."""
    details: str = ""
    """Traceback of an unexpected error."""
    exists: bool = False
    """Whether an existing bundle would be replaced."""
    files: int = 0
    bytes: int = 0
    """Approximate size on disk."""
    seconds: float = 0.0
    n_cells: int = 0
    n_genes: int = 0
    scale: str = ""
    """The length of a coordinate unit, and where it comes from."""
    color: str = ""
    """Initial color: the name of a column or a gene; empty if there is none."""
    loses_cells: bool = False
    """Whether the export leaves out cells that the user did not choose to leave out."""
    warnings: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    """Genes listed in the options or in their file."""
    unknown: tuple[UnknownGene, ...] = ()
    """Listed genes that are not in the data."""
    defaults: Defaults | None = None
    """Defaults with the chosen coordinates; None for those of the summary."""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished export."""

    __pydantic_config__ = SCHEMA

    name: str
    path: str
    """Absolute path of the bundle; empty for a bundle in memory."""
    bytes: int
    """Size on disk."""
    files: int
    n_cells: int
    n_cells_source: int | None
    """Number of cells before downsampling; None if unknown."""
    n_genes: int
    warnings: tuple[str, ...]
    created: str
    observations: Observations = "cells"
    """What each row represents."""
    folder: str = ""
    """The path relative to the working directory if it is inside, otherwise the absolute path."""
    places: tuple[str, ...] = ()
    """The path in each form that a server may use: as given, resolved, and relative to the home folder."""
    number: int = 0
    """Number of exports made by this form."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """State of an export."""

    __pydantic_config__ = SCHEMA

    status: Status = "idle"
    stage: str = ""
    """Name of the current stage, as shown to users: "Writing genes"."""
    progress: float = 0.0
    """Progress of the whole export, from 0 to 1; never decreases during an export."""
    message: str = ""
    """One line: the progress of the stage, or the outcome of the export."""
    eta_s: float | None = None
    """Seconds left; None if unknown."""
    error: str | None = None
    """Why the export failed, and what to do."""
    log: tuple[str, ...] = ()
    """Log lines, each starting with the time since the start."""
