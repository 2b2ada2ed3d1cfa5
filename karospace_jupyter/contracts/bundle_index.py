"""The list of the bundles in a folder, which the index page and the viewer read."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from karospace_jupyter.bundle.manifest import check_path
from karospace_jupyter.formatting import LONGEST_NAME


class _Part(BaseModel):
    # Readers ignore unknown fields, because later versions only add fields.
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class IndexedBundle(_Part):
    """One bundle of an index."""

    path: str
    """Folder relative to the index, `/`-separated."""
    title: str = Field(max_length=LONGEST_NAME)
    """Name of the dataset."""
    observations: Literal["cells", "spots", "bins"]
    n_cells: int = Field(ge=0)
    n_genes: int = Field(ge=0)
    n_sections: int = Field(ge=0)
    """0 if the bundle has no sections."""
    columns: list[str]
    """Names of annotations, for the search."""
    preview: str | None
    """Path of the preview, relative to the folder of the bundle."""
    created_at: str
    bytes: int = Field(ge=0)
    """Size of the assets."""
    sha256: str
    """SHA-256 of `manifest.json` when the bundle was verified. While it is unchanged, only file sizes are checked."""

    _safe = field_validator("path")(check_path)

    @field_validator("preview")
    @classmethod
    def _safe_preview(cls, path: str | None) -> str | None:
        return path if path is None else check_path(path)


class BundleIndex(_Part):
    """The bundles in a folder and its subfolders, ordered by title."""

    version: Literal[1]
    title: str = Field(max_length=LONGEST_NAME)
    bundles: list[IndexedBundle]
    data_origins: list[str] = []
    """Other origins whose bundles `viewer.html` in the folder may open."""
