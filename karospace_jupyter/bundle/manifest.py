"""The manifest of a bundle: the one place where the format is stated in code.

The JSON Schema (``manifest.schema.json``) and the viewer's TypeScript types are generated from these models, so
a field is added here and nowhere else. What format 1.0 requires has no default; what 1.x adds is optional for a
reader. ``FORMAT.md`` beside this file gives the reason for each addition.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from karospace_jupyter.words import LONGEST_NAME

SCHEMA_VERSION = "1.1.0"
"""Version of the format that this package writes."""

_UNSAFE_PATH = re.compile(r"(^|/)\.\.?(/|$)|^/|^[A-Za-z]:|\\|\x00|^$")


def check_path(path: str) -> str:
    """Return `path` if it is relative, ``/``-separated and stays inside the bundle."""
    if _UNSAFE_PATH.search(path):
        msg = f"{path!r} is not a relative path inside the bundle"
        raise ValueError(msg)
    return path


class _Part(BaseModel):
    # A reader ignores what it does not know: later 1.x versions only add.
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class AssetFile(_Part):
    """One file of the bundle."""

    kind: str
    """`obs_csv`, `obs_json`, `coords_json`, `var_csv`, `expression_chunk`, `image`, `preview`.

    1.x: `columnar`, `script`."""
    path: str
    """Relative to the manifest, `/`-separated."""
    size_bytes: int = Field(ge=0)
    """Size as stored, that is after gzip."""
    raw_bytes: int | None = None
    """1.x. Size after decompression; equal to `size_bytes` for a file that is not gzipped."""
    sha256: str | None = None
    """1.x. Hex digest of the bytes as stored."""
    raw_crc32: int | None = Field(default=None, ge=0, lt=2**32)
    """1.x. CRC-32 of the bytes after decompression, as gzip counts it."""

    _safe = field_validator("path")(check_path)


class Chunk(_Part):
    """A run of cells inside one file."""

    path: str
    start: int = Field(ge=0)
    """First cell, inclusive."""
    end: int = Field(ge=0)
    """Last cell, exclusive."""
    size_bytes: int = Field(ge=0)
    """Size as stored."""

    _safe = field_validator("path")(check_path)


class GeneSummary(_Part):
    """1.x. What the viewer needs to know of a gene before its values are loaded.

    Every number is over the cells that have a value; all are 0 where no cell has one.
    """

    min: float
    max: float
    mean: float
    fraction: float
    """Share of cells with a value other than zero, 0 to 1."""
    lower: float
    """Robust lower limit: 0 when no value is negative, else the interpolated 1st percentile of the non-zero values."""
    upper: float
    """Robust upper limit: the interpolated 99th percentile of the non-zero values; 0 when all are zero."""
    missing: int = Field(default=0, ge=0)
    """Cells without a value: NaN in the vector."""


class GeneEntry(_Part):
    """Where one gene's values are."""

    gene: str
    index: int = Field(ge=0)
    chunks: list[Chunk]
    summary: GeneSummary | None = None


class Values(_Part):
    """1.x. What the values of the matrix are, as far as they show it."""

    kind: Literal["counts", "log1p", "scaled", "other"]
    """`counts`: non-negative whole numbers. `log1p`: logarithm of one plus an amount that is proportional to counts in
    each cell. `scaled`: each gene centered on zero, or divided by its standard deviation. `other`: anything else."""
    log_base: float | None = None
    """Base of the logarithm for `log1p`; null is the natural logarithm."""


class Expression(_Part):
    """How expression is stored."""

    format: str
    """`per_gene_float32_v1`: little-endian float32, one value per cell; NaN where a cell has none."""
    dtype: Literal["float32"]
    n_cells: int = Field(ge=0)
    gzip: bool
    genes: list[GeneEntry]
    source: str | None = None
    """1.x. The matrix it was read from: `X`, `layer:NAME` or `raw`."""
    values: Values | None = None


class ImageTransform(_Part):
    """1.x. `pixel = coordinate * scale + offset`, for x and y."""

    scale: tuple[float, float]
    offset: tuple[float, float]


class Image(_Part):
    """The tissue image."""

    path: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    transform: ImageTransform | None = None

    _safe = field_validator("path")(check_path)


class Coordinates(_Part):
    """1.x. What the coordinates mean, and the same values as float32."""

    extent: tuple[float, float, float, float]
    """x min, y min, x max, y max, in coordinate units."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Coordinate = value in the files + origin, in float64. What else the manifest states is in coordinates."""
    y_axis: Literal["down", "up"] = "down"
    """Where y grows: `down` as in images, `up` as in plots, or as the rows of the spots' array say."""
    unit_um: float | None = None
    """µm per coordinate unit, where the source states it or the lattice of its spots is known."""
    spot_diameter: float | None = None
    """Diameter of a spot in coordinate units, where the source states it."""
    dtype: Literal["float32"] = "float32"
    chunks: list[Chunk]
    """Files of interleaved x, y pairs, little-endian, less the origin."""


class CellIds(_Part):
    """1.x. Cell ids without JSON.

    Each file holds `end - start + 1` little-endian uint32 offsets, then one UTF-8 text; id *i* is the text's
    bytes from offset *i* to offset *i + 1*.
    """

    chunks: list[Chunk]


class Category(_Part):
    """One class of an annotation."""

    name: str
    color: str
    """`#rrggbb`"""
    count: int = Field(ge=0)
    """Cells of this class."""


class CategoryColumn(_Part):
    """1.x. A categorical, boolean or text column as codes."""

    kind: Literal["category"] = "category"
    name: str
    dtype: Literal["uint8", "uint16", "uint32"]
    """The smallest that holds every code."""
    categories: list[Category]
    """In the order of their codes. A cell without a value has the code `len(categories)`."""
    missing: int = Field(ge=0)
    """Cells without a value."""
    ordered: bool = False
    chunks: list[Chunk]


class NumberColumn(_Part):
    """1.x. A numeric column as float32 or float64, NaN where a cell has no value."""

    kind: Literal["number"] = "number"
    name: str
    dtype: Literal["float32", "float64"] = "float32"
    """`float64` where float32 would change a whole number or make two values equal."""
    min: float | None = None
    """Smallest finite value; null when there is none."""
    max: float | None = None
    missing: int = Field(ge=0)
    chunks: list[Chunk]


Column = Annotated[CategoryColumn | NumberColumn, Field(discriminator="kind")]


class GeneLabels(_Part):
    """1.x. Other names of the exported genes, for search."""

    column: str
    """The column of var, or `index`."""
    labels: list[str]
    """Same length and order as `gene_list`; empty where a gene has none. One may list several: `A|B`, `A,B`, `A;B`."""


class ScriptShard(_Part):
    """1.x. A script that carries a run of bytes of the other files, for pages that may read no file."""

    path: str
    start: int = Field(ge=0)
    """First byte, inclusive, of all files in `asset_files` as stored and in order, those of kind `script` left out."""
    end: int = Field(ge=0)
    """Last byte, exclusive."""

    _safe = field_validator("path")(check_path)


Extent = tuple[float, float, float, float]
"""x min, y min, x max, y max."""


class Embedding(_Part):
    """1.x. Another place for each cell, as in a UMAP: not on the tissue."""

    name: str
    """The key of obsm, as `X_umap`."""
    label: str
    """For people, as `UMAP`."""
    extent: Extent
    """x min, y min, x max, y max of the finite values."""
    origin: tuple[float, float] = (0.0, 0.0)
    """As of the coordinates."""
    dtype: Literal["float32"] = "float32"
    chunks: list[Chunk]
    """Files of interleaved x, y pairs, little-endian; y grows upwards. NaN where a cell has no place in it."""


class Section(_Part):
    """One section of the tissue."""

    name: str
    """The category of the column."""
    extent: Extent
    """x min, y min, x max, y max of its cells, in coordinate units."""
    count: int = Field(ge=0)
    """Cells of this section, at least one."""
    image: Image | None = None
    """The picture of this section's own tissue; several sections may share a file."""


class SectionFact(_Part):
    """An annotation that has one value in each section, and not the same in all of them."""

    column: str
    values: list[str | float | None]
    """One a section, in the order of `items`; null where its cells have none."""


class Sections(_Part):
    """1.x. The tissue lies in several sections."""

    column: str
    """The annotation whose codes say to which section a cell belongs; always one of kind `category`."""
    overlapping: bool
    """Whether the sections lie on top of each other, so that they are to be laid out side by side.

    Then `image` of the manifest belongs under none of them: a section has its own or none."""
    items: list[Section]
    """The categories of the column that have cells, in their order."""
    missing: int = Field(ge=0)
    """Cells of no section."""
    facts: list[SectionFact] | None = None
    """What sections can be ordered and filtered by."""


class Manifest(BaseModel):
    """`manifest.json`: everything a reader needs to find and understand the files of a bundle."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    schema_version: str
    dataset_name: str = Field(max_length=LONGEST_NAME)
    created_at: str
    n_cells: int = Field(ge=0)
    n_genes_exported: int = Field(ge=0)
    coordinate_source: str
    annotation_columns: list[str]
    gene_list: list[str]
    asset_files: list[AssetFile]
    expression: Expression
    image: Image | None = None
    preview_path: str | None = None
    # 1.x from here on
    generator: str | None = None
    """1.x. Name and version of the program that wrote the bundle."""
    n_cells_source: int | None = Field(default=None, ge=0)
    """1.x. Cells of the source; more than `n_cells` when the bundle holds a part of them."""
    coordinates: Coordinates | None = None
    cell_ids: CellIds | None = None
    columns: list[Column] | None = None
    """1.x. The annotation columns, in order, without JSON."""
    gene_labels: list[GeneLabels] | None = None
    embeddings: list[Embedding] | None = None
    sections: Sections | None = None
    view: dict[str, Any] | None = None
    """1.x. How the viewer opens: a view as the viewer saves it, its state alone or with regions."""
    embed_origins: list[str] | None = None
    """1.x. Origins of other pages that may ask and steer the viewer inside them, as `https://lab.example`; `*` for
    every page."""
    warnings: list[str] | None = None
    """1.x. What the exporter had to decide or leave out, in plain words."""
    max_asset_bytes: int | None = None
    """1.x. How large the writer let an asset be, before compression: for who writes the bundle again."""
    scripts: list[ScriptShard] | None = None
    """1.x. The same files as scripts, with the manifest itself in `manifest.js`."""

    @field_validator("preview_path")
    @classmethod
    def _safe_preview(cls, path: str | None) -> str | None:
        return path if path is None else check_path(path)
