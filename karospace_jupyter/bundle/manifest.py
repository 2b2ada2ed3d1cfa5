"""The manifest of a bundle: the definition of the format in code.

The JSON Schema (``manifest.schema.json``) and the viewer's TypeScript types are generated from these models, so new
fields are only added here. Fields required by format 1.0 have no default; fields added by 1.x are optional for a
reader. A description that begins with a version belongs to a field or type that this version added; 1.x is 1.1 or 1.2.
``FORMAT.md`` in this folder gives the reason for each addition.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from karospace_jupyter.formatting import LONGEST_NAME
from karospace_jupyter.gene_sets import LONGEST_SET_NAME, MAX_SETS

SCHEMA_VERSION = "1.2.0"
"""Version of the format that this package writes."""

PACKED_VERSION = 1
"""Version of the packed genes that this package writes and reads."""

NEIGHBORS_VERSION = 1
"""Version of the neighbors that this package writes and reads."""

_UNSAFE_PATH = re.compile(r"(^|/)\.\.?(/|$)|^/|^[A-Za-z]:|\\|\x00|^$")


def check_path(path: str) -> str:
    """Return `path` if it is relative, ``/``-separated and inside the bundle.

    Raises
    ------
    ValueError
        If it is not.
    """
    if _UNSAFE_PATH.search(path):
        msg = f"{path!r} is not a relative path inside the bundle"
        raise ValueError(msg)
    return path


def _check_and_rename(path: str, info: ValidationInfo) -> str:
    return check_path(info.context.get(path, path) if info.context else path)


BundlePath = Annotated[str, AfterValidator(_check_and_rename)]
"""The path of a file of the bundle."""


class _Part(BaseModel):
    # Readers ignore unknown fields, because later 1.x versions only add fields.
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class AssetFile(_Part):
    """One file of the bundle."""

    kind: str
    """`obs_csv`, `obs_json`, `coords_json`, `var_csv`, `expression_chunk`, `image`, `preview`.

    1.x: `columnar`, `script`, `packed`, `neighbors`."""
    path: BundlePath
    """Relative to the manifest, `/`-separated."""
    size_bytes: int = Field(ge=0)
    """Stored size, that is, after gzip."""
    raw_bytes: int | None = None
    """1.x. Size after decompression; equal to `size_bytes` for a file that is not gzipped."""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """1.x. Hex digest of the stored bytes, in lower case."""
    raw_crc32: int | None = Field(default=None, ge=0, lt=2**32)
    """1.x. CRC-32 of the bytes after decompression, as in gzip."""

    @classmethod
    def of(
        cls, kind: str, path: str, stored: bytes, raw_bytes: int | None = None, raw_crc32: int | None = None
    ) -> AssetFile:
        """Describe a file by its stored bytes; the raw size and CRC-32 default to those of an uncompressed file."""
        return cls(
            kind=kind,
            path=path,
            size_bytes=len(stored),
            raw_bytes=len(stored) if raw_bytes is None else raw_bytes,
            sha256=hashlib.sha256(stored).hexdigest(),
            raw_crc32=zlib.crc32(stored) if raw_crc32 is None else raw_crc32,
        )


class Chunk(_Part):
    """A range of cells in one file."""

    path: BundlePath
    start: int = Field(ge=0)
    """First cell, inclusive."""
    end: int = Field(ge=0)
    """Last cell, exclusive."""
    size_bytes: int = Field(ge=0)
    """Stored size."""

    def misplaced(self, expected: int) -> str | None:
        """Return what is wrong if this chunk does not hold cells from cell `expected` on."""
        if self.start != expected:
            return f"{self.path} starts at cell {self.start:,}; expected cell {expected:,}"
        if self.end <= self.start:
            return f"{self.path} has no cells: it starts at cell {self.start:,} and ends before cell {self.end:,}"
        return None


class GeneSummary(_Part):
    """1.x. Statistics of a gene that the viewer needs before loading its values.

    All statistics are over the cells with a value, and 0 if no cell has one.
    """

    min: float
    max: float
    mean: float
    fraction: float
    """Fraction of cells with a non-zero value, 0 to 1."""
    lower: float
    """Robust lower limit: 0 if no value is negative, otherwise the interpolated 1st percentile of non-zero values."""
    upper: float
    """Robust upper limit: the interpolated 99th percentile of non-zero values; 0 if all values are zero."""
    missing: int = Field(default=0, ge=0)
    """Number of cells without a value (NaN in the vector)."""


class GeneEntry(_Part):
    """The files of one gene."""

    gene: str
    index: int = Field(ge=0)
    chunks: list[Chunk]
    summary: GeneSummary | None = None
    variability_rank: int | None = Field(default=None, ge=1)
    """1.x. Rank among the genes by variability, 1 for the most variable; absent if the values cannot be ranked."""


class Values(_Part):
    """1.x. Detected kind of the matrix values."""

    kind: Literal["counts", "log1p", "scaled", "other"]
    """`counts`: non-negative integers. `log1p`: logarithm of one plus a value that is proportional to the counts in
    each cell. `scaled`: each gene centered on zero, or divided by its standard deviation. `other`: anything else."""
    log_base: float | None = None
    """Base of the logarithm for `log1p`; null is the natural logarithm."""


class Expression(_Part):
    """Storage of the expression matrix."""

    format: str
    """`per_gene_float32_v1`: little-endian float32, one value per cell; NaN for a cell without a value."""
    dtype: Literal["float32"]
    n_cells: int = Field(ge=0)
    gzip: bool
    genes: list[GeneEntry]
    source: str | None = None
    """1.x. The source matrix: `X`, `layer:NAME` or `raw`."""
    values: Values | None = None


class PackedShard(_Part):
    """Consecutive genes, or consecutive categories of markers, in one file."""

    paths: list[BundlePath] = Field(min_length=1)
    """One file; several if it would exceed the maximum asset size. They are read one after the other."""
    first: int = Field(ge=0)
    """First gene or category, inclusive."""
    end: int = Field(ge=0)
    """Last gene or category, exclusive."""


class PackedMarkers(_Part):
    """1.2. Comparison of each category of a column with all other cells, for every packed gene."""

    column: str
    """A column of the kind `category`."""
    shards: list[PackedShard]
    """In the order of the categories, without gaps."""


class Packed(_Part):
    """1.2. All genes of a matrix, sparse and exact to the last bit of float32; ``FORMAT.md`` defines the files."""

    version: int
    """Version of the packed genes, 1. A reader that does not know the version uses `expression` instead."""
    source: str
    """The source matrix: `X`, `layer:NAME` or `raw`."""
    n_genes: int = Field(ge=0)
    values: str
    """`ladder`: codes for the values in `ladders`. `float32`: the values themselves."""
    index: list[BundlePath]
    """Names, positions and statistics of the genes; several files are read one after the other."""
    ladders: list[BundlePath] | None = None
    """The values that codes stand for; null for `float32`."""
    labels: list[str] | None = None
    """The columns of var with alternative names of the genes, which are in the index."""
    shards: list[PackedShard]
    """In the order of the genes, without gaps."""
    markers: list[PackedMarkers] | None = None
    """The columns whose markers were computed at export."""

    @property
    def known(self) -> bool:
        """Whether this package can read these packed genes."""
        return self.version == PACKED_VERSION and self.values in {"ladder", "float32"}


class OtherMatrix(_Part):
    """1.2. Another matrix of the same cells, all of whose genes are packed.

    Its name, the `source` of `packed`, is unique within the bundle. Its genes may differ from those of the first.
    """

    values: Values | None = None
    packed: Packed


class Neighbors(_Part):
    """1.2. The graph of neighboring cells; ``FORMAT.md`` defines the files."""

    version: int
    """Version of the neighbors, 1. A reader that does not know the version ignores the neighbors."""
    source: str
    """Origin of the graph: `obsp:KEY`, `nearest:6` (the 6 nearest cells) or `radius:30um` (all cells within 30 µm)."""
    n_edges: int = Field(ge=0)
    """Number of edges, that is, pairs of neighbors."""
    paths: list[BundlePath] = Field(min_length=1)
    """One file; several if it would exceed the maximum asset size. They are read one after the other."""

    @property
    def known(self) -> bool:
        """Whether this package can read these neighbors."""
        return self.version == NEIGHBORS_VERSION


class ImageTransform(_Part):
    """1.x. `pixel = coordinate * scale + offset`, for x and y."""

    scale: tuple[float, float]
    offset: tuple[float, float]


class Image(_Part):
    """The tissue image."""

    path: BundlePath
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    transform: ImageTransform | None = None


class Coordinates(_Part):
    """1.x. Meaning of the coordinates, and their values as float32."""

    extent: tuple[float, float, float, float]
    """x min, y min, x max, y max, in coordinate units."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Coordinate = value in the files + origin, in float64. Everything else in the manifest is in coordinates."""
    y_axis: Literal["down", "up"] = "down"
    """Direction of increasing y: `down` as in images, `up` as in plots; determined by the array rows of spots if the
    source has them."""
    unit_um: float | None = None
    """µm per coordinate unit, if given, stated in the source, or derived from its spots or columns."""
    spot_diameter: float | None = None
    """Diameter of a spot in coordinate units, if stated in the source; the side of a bin."""
    bin_angle: float | None = None
    """Angle of the rows of bins in degrees from x toward y, between -45 and 45."""
    dtype: Literal["float32"] = "float32"
    chunks: list[Chunk]
    """Files of interleaved x, y pairs relative to the origin, little-endian."""


class CellIds(_Part):
    """1.x. Cell IDs without JSON.

    Each file contains `end - start + 1` little-endian uint32 offsets, followed by UTF-8 text; ID *i* is the bytes of
    the text from offset *i* to offset *i + 1*.
    """

    chunks: list[Chunk]


class Category(_Part):
    """One category of an annotation."""

    name: str
    color: str
    """`#rrggbb`"""
    count: int = Field(ge=0)
    """Number of cells in this category."""


class CategoryColumn(_Part):
    """1.x. A categorical, boolean or text column as codes."""

    kind: Literal["category"] = "category"
    name: str
    dtype: Literal["uint8", "uint16", "uint32"]
    """The smallest type that can represent every code."""
    categories: list[Category]
    """In the order of their codes. A cell without a value has the code `len(categories)`."""
    missing: int = Field(ge=0)
    """Number of cells without a value."""
    ordered: bool = False
    chunks: list[Chunk]


class NumberColumn(_Part):
    """1.x. A numeric column as float32 or float64, with NaN for cells without a value."""

    kind: Literal["number"] = "number"
    name: str
    dtype: Literal["float32", "float64"] = "float32"
    """`float64` if float32 would change an integer or make two different values equal."""
    min: float | None = None
    """Smallest finite value; null if there is none."""
    max: float | None = None
    missing: int = Field(ge=0)
    chunks: list[Chunk]


Column = Annotated[CategoryColumn | NumberColumn, Field(discriminator="kind")]


class GeneLabels(_Part):
    """1.x. Alternative names of the exported genes, for search."""

    column: str
    """The column of var, or `index`."""
    labels: list[str]
    """Same length and order as `gene_list`; empty for a gene without one. A label may list several names: `A|B`, `A,B`,
    `A;B`."""


class GeneSet(_Part):
    """1.x. A named set of genes, which a viewer shows as the mean of its genes."""

    name: str = Field(min_length=1, max_length=LONGEST_SET_NAME)
    """Unique."""
    genes: list[str] = Field(min_length=1)
    """Names in `gene_list`, or of packed genes of any matrix."""


class Proportions(_Part):
    """1.x. Proportions of cell types in spots, which a viewer draws as pie charts."""

    key: str
    """The key of obsm."""
    column: str
    """The annotation with the most abundant type of each cell, of kind `category`; its categories are all types."""
    parts: list[str]
    """The annotations with the amount of each type, of kind `number`, in the order of the categories. Amounts are at
    least 0; they need not sum to 1."""


class ScriptShard(_Part):
    """1.x. A script that contains a range of bytes of the other files, for pages that cannot read files."""

    path: BundlePath
    start: int = Field(ge=0)
    """First byte, inclusive, in the concatenation of all stored files of `asset_files`, in order, except scripts."""
    end: int = Field(ge=0)
    """Last byte, exclusive."""


Extent = tuple[float, float, float, float]
"""x min, y min, x max, y max."""


class Embedding(_Part):
    """1.x. An embedding of the cells, such as a UMAP."""

    name: str
    """The key of obsm, such as `X_umap`."""
    label: str
    """Display name, such as `UMAP`."""
    extent: Extent
    """x min, y min, x max, y max of the finite values."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Value = value in the files + origin, in float64, as for the coordinates."""
    dtype: Literal["float32"] = "float32"
    chunks: list[Chunk]
    """Files of interleaved x, y pairs relative to the origin, little-endian; y points up. NaN for a cell that is not
    in the embedding."""


class Section(_Part):
    """One section of the tissue."""

    name: str
    """The category in the section column."""
    extent: Extent
    """x min, y min, x max, y max of its cells, in coordinate units."""
    count: int = Field(ge=0)
    """Number of cells in this section, at least one."""
    image: Image | None = None
    """The image of this section; several sections may share a file."""


class SectionFact(_Part):
    """An annotation with one value per section that differs between sections."""

    column: str
    values: list[str | float | None]
    """One value per section, in the order of `items`; null for a section without a value."""


class Sections(_Part):
    """1.x. The sections of the tissue."""

    column: str
    """The annotation with the section of each cell; always of kind `category`."""
    overlapping: bool
    """Whether the sections overlap, so that a viewer should arrange them side by side.

    If true, `image` of the manifest belongs to none of them; only images of sections are shown."""
    items: list[Section]
    """The categories of the column that have cells, in order."""
    missing: int = Field(ge=0)
    """Number of cells without a section."""
    facts: list[SectionFact] | None = None
    """Annotations by which sections can be sorted and filtered."""


class Manifest(BaseModel):
    """`manifest.json`: everything that a reader needs to find and interpret the files of a bundle."""

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
    packed: Packed | None = None
    other_matrices: list[OtherMatrix] | None = None
    """1.2. Additional matrices, between which a viewer can switch; `expression` and `packed` describe the first."""
    image: Image | None = None
    preview_path: BundlePath | None = None
    # Added in 1.x:
    generator: str | None = None
    """1.x. Name and version of the program that wrote the bundle."""
    observations: Literal["cells", "spots", "bins"] = "cells"
    """1.x. What each row represents: a cell, a spot of an array, or a square bin, which a viewer draws as a square
    with the side `coordinates.spot_diameter`. Everything else in this format calls them cells."""
    n_cells_source: int | None = Field(default=None, ge=0)
    """1.x. Number of cells in the source; greater than `n_cells` if the bundle contains only some of them."""
    coordinates: Coordinates | None = None
    cell_ids: CellIds | None = None
    columns: list[Column] | None = None
    """1.x. The annotations as binary arrays, in the order of `annotation_columns`."""
    gene_labels: list[GeneLabels] | None = None
    gene_sets: Annotated[list[GeneSet], Field(max_length=MAX_SETS)] | None = None
    embeddings: list[Embedding] | None = None
    proportions: list[Proportions] | None = None
    sections: Sections | None = None
    neighbors: Neighbors | None = None
    view: dict[str, Any] | None = None
    """1.x. The initial view, as saved by the viewer: its state, or an object with the state and regions."""
    embed_origins: list[str] | None = None
    """1.x. Origins of other pages that may control the embedded viewer, such as `https://lab.example`; `*` allows
    every page."""
    warnings: list[str] | None = None
    """1.x. Decisions and omissions of the exporter, for display."""
    max_asset_bytes: int | None = None
    """1.x. Maximum size of an asset before compression, for programs that write the bundle again."""
    scripts: list[ScriptShard] | None = None
    """1.x. The same files as scripts, with the manifest itself in `manifest.js`."""

    def with_paths(self, paths: Mapping[str, str]) -> Manifest:
        """Return the manifest of the same bundle after files were renamed; `paths` maps old paths to new ones."""
        return Manifest.model_validate(self.model_dump(), context=dict(paths))

    @property
    def matrix(self) -> str:
        """Name of the first matrix; `X` if the bundle does not state it."""
        return self.expression.source or (self.packed.source if self.packed is not None else "X")

    @property
    def packed_matrices(self) -> dict[str, Packed]:
        """The packed genes that this package can read, by the name of their matrix."""
        first = {} if self.packed is None else {self.packed.source: self.packed}
        others = {one.packed.source: one.packed for one in self.other_matrices or ()}
        return {name: packed for name, packed in {**others, **first}.items() if packed.known}

    @property
    def n_genes(self) -> int:
        """Number of genes that this package can show: all of them if they are packed."""
        return self.packed.n_genes if self.packed is not None and self.packed.known else self.n_genes_exported

    def category_names(self, column: str) -> list[str]:
        """Return the names of the categories of a column, in the order of their codes; empty for other columns."""
        found = self.category_column(column)
        return [] if found is None else [one.name for one in found.categories]

    def category_column(self, name: str) -> CategoryColumn | None:
        """Return the column with this name, if it has categories."""
        columns = self.columns or ()
        return next((one for one in columns if one.kind == "category" and one.name == name), None)
