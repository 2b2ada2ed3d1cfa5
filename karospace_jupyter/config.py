"""The options of an export: one model for Python, the command line, the forms and the desktop app.

Short strings such as ``hvgs:500`` and ``obsm:spatial`` are parsed here, once, into tagged values. The string below
each field documents the option; the forms show it as help.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from karospace_jupyter.errors import ConfigError, OptionError
from karospace_jupyter.formatting import LONGEST_NAME, number
from karospace_jupyter.gene_sets import as_gene_sets, check_size
from karospace_jupyter.hosts import HOSTS, HostName
from karospace_jupyter.paths import bounded_text, expanded, is_store_url, is_url


@dataclass(frozen=True, slots=True)
class VariableGenes:
    """The `n` most variable genes."""

    n: int
    kind: Literal["hvgs"] = "hvgs"


@dataclass(frozen=True, slots=True)
class TopMeanGenes:
    """The `n` genes with the highest mean expression."""

    n: int
    kind: Literal["top_mean"] = "top_mean"


@dataclass(frozen=True, slots=True)
class ListedGenes:
    """Genes by name, in this order. Messages use `origin` to say where the names came from."""

    names: tuple[str, ...]
    origin: str
    kind: Literal["list"] = "list"


@dataclass(frozen=True, slots=True)
class AllGenes:
    """Every gene."""

    kind: Literal["all"] = "all"


GenesSpec = VariableGenes | TopMeanGenes | ListedGenes | AllGenes


@dataclass(frozen=True, slots=True)
class ObsmCoords:
    """x and y from ``obsm[key]``: the columns with these names, otherwise the first two columns."""

    key: str
    kind: Literal["obsm"] = "obsm"


@dataclass(frozen=True, slots=True)
class ObsCoords:
    """Two numeric columns of obs."""

    x: str
    y: str
    kind: Literal["obs"] = "obs"


@dataclass(frozen=True, slots=True)
class GeometryCoords:
    """The centroids of the outlines or points in one column of obs (WKT)."""

    column: str
    kind: Literal["geometry"] = "geometry"


CoordsSpec = ObsmCoords | ObsCoords | GeometryCoords


@dataclass(frozen=True, slots=True)
class MatrixX:
    """``adata.X``."""

    kind: Literal["X"] = "X"


@dataclass(frozen=True, slots=True)
class MatrixLayer:
    """``adata.layers[name]``."""

    name: str
    kind: Literal["layer"] = "layer"


@dataclass(frozen=True, slots=True)
class MatrixRaw:
    """``adata.raw.X``, with the genes of ``adata.raw.var``."""

    kind: Literal["raw"] = "raw"


MatrixSpec = MatrixX | MatrixLayer | MatrixRaw


def parse_matrix(text: str) -> MatrixSpec:
    """Parse ``X``, ``layer:NAME`` or ``raw``.

    Raises
    ------
    ConfigError
        If the text has none of these forms.

    Examples
    --------
    >>> parse_matrix("layer:counts")
    MatrixLayer(name='counts', kind='layer')
    """
    if text == "X":
        return MatrixX()
    if text == "raw":
        return MatrixRaw()
    kind, _, name = text.partition(":")
    if kind == "layer" and name:
        return MatrixLayer(name)
    near = f" Did you mean 'layer:{text}'?" if text and ":" not in text else ""
    msg = f"{text!r} is not a matrix. Use 'X', 'layer:NAME' or 'raw'.{near}"
    raise ConfigError(msg)


def matrix_name(spec: MatrixSpec) -> str:
    """Return the name of a matrix as in the manifest: `X`, `layer:NAME` or `raw`."""
    return f"layer:{spec.name}" if spec.kind == "layer" else spec.kind


@dataclass(frozen=True, slots=True)
class ImageFromFile:
    """An image file. Its pixels are coordinate units, unless the file is one of the images stored in the object."""

    path: Path
    kind: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class ImageFromUns:
    """The image of one library in ``uns['spatial']``; None selects the only library."""

    library: str | None
    kind: Literal["uns"] = "uns"


@dataclass(frozen=True, slots=True)
class NoImage:
    """No image."""

    kind: Literal["none"] = "none"


DEFAULT_GENES = VariableGenes(500)
"""The genes that are exported by default."""
PATH_OF_URL = re.compile(r"[a-z][a-z0-9+.-]+:[/\\]", re.IGNORECASE)
"""What `pathlib` turns a URL into: ``s3:/bucket``."""
_ORIGIN = re.compile(r"(https?)://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(?::([0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
"""A host that browsers read as an IPv4 address."""

ImageSpec = ImageFromFile | ImageFromUns | NoImage


def origin_problem(text: str) -> str | None:
    """Return what is wrong with an origin; None if it is spelled as in browsers, which compare origins as text.

    Examples
    --------
    >>> origin_problem("https://lab.example:8443")
    >>> origin_problem("https://lab.example:443")
    "'https://lab.example:443' is not a valid origin (lower case, no path, no default port); use 'https://lab.example'"
    """
    normalized = _normalized_origin(text)
    if normalized == text:
        return None
    use = "one such as 'https://lab.example'" if normalized is None else repr(normalized)
    return f"{text!r} is not a valid origin (lower case, no path, no default port); use {use}"


def _normalized_origin(origin: str) -> str | None:
    """Return the origin as browsers spell it; None if it is invalid."""
    found = _ORIGIN.fullmatch(origin.lower().removesuffix("/"))
    if found is None:
        return None
    scheme, host, port = found.groups()
    try:
        if host.startswith("["):
            address = IPv6Address(host[1:-1])
            # Newer versions of Python, but not browsers, write the end of a mapped address as IPv4.
            host = host if address.ipv4_mapped else f"[{address.compressed}]"
        elif _ENDS_IN_NUMBER.fullmatch(host):
            host = str(IPv4Address(host))
    except ValueError:
        return None
    if port is None or int(port) == _DEFAULT_PORTS[scheme]:
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{int(port)}" if int(port) < 2**16 else None


@dataclass(frozen=True, slots=True)
class StoredNeighbors:
    """The graph in ``obsp['spatial_connectivities']``, if there is one."""

    kind: Literal["stored"] = "stored"


@dataclass(frozen=True, slots=True)
class NearestNeighbors:
    """The `n` nearest cells of each cell."""

    n: int
    kind: Literal["nearest"] = "nearest"


@dataclass(frozen=True, slots=True)
class NeighborsWithin:
    """All cells within a radius of `um` µm."""

    um: float
    kind: Literal["radius"] = "radius"


@dataclass(frozen=True, slots=True)
class NoNeighbors:
    """No neighbors."""

    kind: Literal["none"] = "none"


NeighborsSpec = StoredNeighbors | NearestNeighbors | NeighborsWithin | NoNeighbors

MAX_NEIGHBORS = 50
"""Maximum number of neighbors per cell, on average."""
_RADIUS = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+) ?(?:um|µm|μm)")


def parse_neighbors(text: str) -> NeighborsSpec:
    """Parse ``auto``, a number of nearest cells, a radius such as ``30um``, or ``none``.

    Raises
    ------
    ValueError
        If the text has none of these forms.

    Examples
    --------
    >>> parse_neighbors("6"), parse_neighbors("30um")
    (NearestNeighbors(n=6, kind='nearest'), NeighborsWithin(um=30.0, kind='radius'))
    """
    if text in {"auto", "none"}:
        return StoredNeighbors() if text == "auto" else NoNeighbors()
    # A limit on digits: very long numbers take long to convert.
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_NEIGHBORS:
        return NearestNeighbors(int(text))
    radius = _RADIUS.fullmatch(text)
    if radius and 0 < float(radius[1]) < math.inf:
        return NeighborsWithin(float(radius[1]))
    raise ValueError(_NEEDED["neighbors"])


def parse_genes(text: str | tuple[str, ...]) -> GenesSpec:
    """Parse ``hvgs:N``, ``top_mean:N``, ``list:PATH``, ``all`` or a sequence of names.

    A list file has one gene per line. Blank lines and lines that start with ``#`` are skipped. Only the first
    tab- or comma-separated field of a line is read; a quoted name may contain commas.

    Raises
    ------
    ConfigError
        If the text has none of these forms, or the list file cannot be read or is empty.

    Examples
    --------
    >>> parse_genes("top_mean:300")
    TopMeanGenes(n=300, kind='top_mean')
    """
    if not isinstance(text, str):
        return ListedGenes(tuple(text), "the list of genes")
    if text == "all":
        return AllGenes()
    mode, _, value = text.partition(":")
    if mode in {"hvgs", "top_mean"}:
        if not value.isascii() or not value.isdigit() or int(value) < 1:
            msg = f"Genes {text!r}: {mode} needs a number of genes of at least 1, such as '{mode}:500'."
            raise ConfigError(msg)
        return VariableGenes(int(value)) if mode == "hvgs" else TopMeanGenes(int(value))
    if mode == "list" and value:
        return _read_gene_list(expanded(value))
    msg = f"Genes {text!r} is not valid. Use 'hvgs:N', 'top_mean:N', 'list:PATH' or 'all'."
    raise ConfigError(msg)


_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?:[,\t]|$)')


_MAX_BYTES = 64_000_000
"""Maximum size of a gene list; a larger file is not a gene list."""


def _read_gene_list(path: Path) -> ListedGenes:
    text = bounded_text(
        path, f"The gene list {path}", max_bytes=_MAX_BYTES,
        if_larger=f"at most {_MAX_BYTES / 1e6:.0f} MB are read. Pass a text file with one gene per line.",
        if_not_text="Save it as plain text with one gene per line.",
    )  # fmt: skip
    names = []
    for line in text.splitlines():
        quoted = _QUOTED.match(line)
        name = quoted[1].replace('""', '"') if quoted else line.replace("\t", ",").split(",")[0].strip().strip('"')
        name = name.strip()
        if name and not name.startswith("#"):
            names.append(name)
    if not names:
        msg = f"The gene list {path} contains no genes. Write one gene per line."
        raise ConfigError(msg)
    return ListedGenes(tuple(dict.fromkeys(names)), str(path))


def parse_coords(text: str) -> CoordsSpec:
    """Parse the value of the option ``coords``.

    Valid forms are ``obsm:KEY``, ``obs:XCOLUMN,YCOLUMN``, ``obs:COLUMN`` (outlines as WKT) and
    ``obs:centroid_x_y`` (the columns centroid_x and centroid_y).

    Raises
    ------
    ConfigError
        If the text has none of these forms.

    Examples
    --------
    >>> parse_coords("obsm:spatial")
    ObsmCoords(key='spatial', kind='obsm')
    """
    kind, _, value = text.partition(":")
    if kind == "obsm" and value:
        return ObsmCoords(value)
    if kind == "obs" and value == "centroid_x_y":
        return ObsCoords("centroid_x", "centroid_y")
    if kind == "obs" and value.count(",") == 1:
        x, y = (part.strip() for part in value.split(","))
        if x and y:
            return ObsCoords(x, y)
    if kind == "obs" and value.strip() and "," not in value:
        return GeometryCoords(value.strip())
    meant = f"obs:{text}" if text.count(",") == 1 else f"obsm:{text}"
    near = f" Did you mean {meant!r}?" if text and not kind.startswith("obs") else ""
    forms = "'obsm:KEY', 'obs:XCOLUMN,YCOLUMN' or 'obs:COLUMN' (outlines as WKT)"
    msg = f"Coordinates {text!r} are not valid. Use {forms}.{near}"
    raise ConfigError(msg)


NOT_IN_FORMS = frozenset({"h5ad_path", "storage_options"})
"""Options that forms neither show nor send: a form has one input, and options of file systems may be secrets."""


class ExportConfig(BaseModel):
    """All options of an export.

    Raises
    ------
    ConfigError
        If an option has an invalid value. The message names the option.

    Examples
    --------
    >>> ExportConfig(outdir="viewer", genes_mode="top_mean:300").genes
    TopMeanGenes(n=300, kind='top_mean')
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    h5ad_path: Path | str | None = None
    """The `.h5ad` file or `.zarr` folder to export, or its URL (`s3://…`)."""
    outdir: Path | str | None = None
    """The folder to write, or a URL of an object store (`s3://…`). An existing bundle in it is replaced once the new
    one is complete."""
    storage_options: dict[str, Any] | None = Field(default=None, repr=False)
    """Options of the file systems of URLs, for fsspec: `{"endpoint_url": "https://…"}`. They are never written to a
    bundle."""
    single_file: Path | None = None
    """Write a self-contained HTML file, which opens with a double click."""
    zip_path: Path | None = None
    """Write a zip file."""
    coords: str | None = None
    """The coordinates: `obsm:KEY`, `obs:XCOL,YCOL` or `obs:COLUMN` (the centroids of outlines as WKT). Detected from
    common names by default."""
    um_per_unit: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """µm per coordinate unit, for the scale bar: 1 if the coordinates are in µm. By default, the scale that the
    data states, or that of Visium, Xenium, MERSCOPE and CosMx; otherwise unknown."""
    annotation_columns: tuple[str, ...] | None = None
    """Columns of obs to export as annotations, in this order. By default, the columns that make a useful legend.
    Columns with few distinct integers are exported as categories; `number:COLUMN` and `category:COLUMN` set the
    kind."""
    sections: str | None = None
    """The column of obs with the tissue sections (2 to 500), or `none`. Detected from common names by default:
    library_id, sample, sample_id, section, slice, fov. A column given here is always exported; a detected one only
    if it is among the annotations. Downsampling draws cells within each section."""
    embeddings: tuple[str, ...] | None = None
    """Keys of obsm to export as embeddings (their first two dimensions), or `none`. By default, UMAP, t-SNE and PCA
    under their usual names."""
    proportions: tuple[str, ...] | None = None
    """Keys of obsm with the proportions or abundances of cell types in each spot, as from cell2location or RCTD, or
    `none`. The viewer draws them as pie charts. By default, tables of at most 2,000,000
    values that have a typical name, or whose rows sum to 1."""
    genes_mode: str | tuple[str, ...] = f"{DEFAULT_GENES.kind}:{DEFAULT_GENES.n}"
    """The genes to export: `hvgs:N`, `top_mean:N`, `list:PATH` or `all`; in Python, also a list of names."""
    packed: Literal["auto", "yes", "no"] = "auto"
    """Whether the viewer can show every gene of the matrix, not only those of `genes_mode`: `yes`, `no`, or `auto`
    (if all genes take at most 1 GB, and `genes_mode` is not an empty list). They are written in a packed form, which
    is exact and takes a fraction of the size of the matrix."""
    markers: tuple[str, ...] | None = None
    """Columns with 2 to 100 categories whose markers are computed, or `none`: each category is compared with all other
    cells, for every packed gene. By default, the annotations that look like cell types or clusters."""
    gene_sets: tuple[str, ...] | dict[str, tuple[str, ...]] | None = None
    """Named gene sets, which the viewer shows as scores: a GMT file, a JSON file with `{"name": ["gene", ...]}`, or
    `uns:KEY` for a dictionary of marker genes in the object; in Python, also a dictionary. Their genes are always
    exported."""
    image_path: str | None = None
    """Tissue image: a PNG, JPEG, WebP or TIFF file, `uns:LIBRARY` for one stored in the object, or `none`."""
    neighbors: str = "auto"
    """Neighbors of each cell, within its section: the nearest cells (`6`), all cells within a radius in µm (`30um`),
    `none`, or `auto` (the graph in `obsp['spatial_connectivities']`, if there is one)."""
    downsample: int | None = Field(default=None, ge=1)
    """Export at most this many cells, sampled at random within each section."""
    seed: int = Field(default=0, ge=0)
    """Random seed for downsampling."""
    gzip: bool = True
    """Compress the assets."""
    max_asset_mb: float = Field(default=16.0, gt=0, le=1024, allow_inf_nan=False)
    """Maximum size of an asset before compression, in MB. Larger assets are split. The maximum, 1024, is a limit of
    browsers."""
    dataset_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    """Dataset name shown in the viewer. By default, the file name."""
    scripts: Literal["auto", "yes", "no"] = "auto"
    """Whether to also write the assets as scripts, so that the folder opens with a double click: `yes`, `no`, or
    `auto` (if the scripts take at most 200 MB)."""
    tables: Literal["yes", "no"] = "yes"
    """Whether to also write annotations and coordinates as the text tables of format 1.0: `yes` or `no`. The viewer and
    `Bundle` do not need them. Without them, the export of many cells is faster and smaller, but readers of format 1.0
    cannot open the bundle, and coordinates are stored as float32 only."""
    host: HostName | None = None
    """Web host on which the bundle will be published. Its limits are checked before anything is written. `scripts`,
    `max_asset_mb` and `packed` are chosen to fit the host if they are left at their defaults."""
    color: str | None = None
    """Initial color: a column of obs or a gene, which is always exported. `obs:NAME` and `gene:NAME` distinguish
    equal names. By default, a column that looks like cell types or clusters, otherwise total counts, otherwise a gene
    that many cells express."""
    view: Path | None = None
    """A view file saved from the viewer (JSON), used as the initial view."""
    embed_origins: tuple[str, ...] = ()
    """Origins of pages that may control the embedded viewer, such as `https://lab.example`; `*` allows every page.
    Pages with the same origin as the bundle are always allowed."""
    preview: bool = True
    """Write `preview.png`."""
    layer: str | None = None
    """Read expression from this layer instead of X."""
    raw: bool = False
    """Read expression from `raw` instead of X."""
    matrices: tuple[str, ...] | None = None
    """Matrices to export: `X`, `layer:NAME` or `raw`. The viewer can switch between them. The first replaces `layer`
    and `raw`, and `genes_mode` refers to it. All genes of the others are packed; if `packed` is `auto`, only matrices
    that take at most 1 GB together are exported."""
    jobs: int | None = Field(default=None, ge=1, le=1024)
    """Number of compression threads. By default, all cores."""
    memory_mb: int = Field(default=512, ge=16, le=2**24)
    """Memory for reading the matrix in blocks, in MB. Less memory means more passes over the file, never fewer
    genes."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - pydantic checks each value
        try:
            super().__init__(**options)
        except ValidationError as exc:
            raise _explained(exc) from None
        # Parsed here to fail before a large file is opened.
        _ = self.coordinate_spec
        if self.raw and self.layer is not None:
            msg = f"Got both raw=True and layer={self.layer!r}. Expression is read from one matrix; pass one of them."
            raise ConfigError(msg)
        if self.matrices is not None:
            self._check_matrices(self.matrices)

    def _check_matrices(self, matrices: tuple[str, ...]) -> None:
        option = f"layer={self.layer!r}" if self.layer is not None else "raw=True" if self.raw else ""
        chosen = f"layer:{self.layer}" if self.layer is not None else "raw"
        what = None
        if option and chosen != matrices[0]:
            what = f"the first matrix is {matrices[0]!r}, but {option} chooses another one. Put {chosen!r} first"
        elif len(matrices) > 1 and self.packed == "no":
            what = "packed='no' excludes all matrices but the first. Pass one matrix, or change packed"
        elif len(matrices) > 1 and self.genes_mode == () and self.packed == "auto":
            what = "an empty list of genes exports no genes of any matrix. Pass one matrix, or set packed to 'yes'"
        if what is not None:
            raise OptionError((("matrices", f"{what}."),))

    @field_validator("embed_origins")
    @classmethod
    def _valid_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            problem = None if origin == "*" else origin_problem(origin)
            if problem is not None:
                msg = f"{problem}, or '*' for every page"
                raise ValueError(msg)
        return value

    @field_validator("matrices")
    @classmethod
    def _known_forms(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not value:
            msg = "expected at least one matrix; omit the option for X"
            raise ValueError(msg)
        for text in value:
            try:
                parse_matrix(text)
            except ConfigError as exc:
                raise PydanticCustomError(_WHOLE, "{text}", {"text": str(exc)}) from exc
        twice = next((text for text in value if value.count(text) > 1), None)
        if twice is not None:
            msg = f"{twice!r} is listed twice"
            raise ValueError(msg)
        return value

    @field_validator(
        "annotation_columns", "embeddings", "proportions", "markers", "embed_origins", "matrices", mode="before"
    )
    @classmethod
    def _single_as_tuple(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator(
        "annotation_columns",
        "embeddings",
        "proportions",
        "markers",
        "embed_origins",
        "genes_mode",
        "matrices",
        mode="before",
    )
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("dataset_name")
    @classmethod
    def _visible(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            msg = "expected a name with at least one visible character"
            raise ValueError(msg)
        return value

    @field_validator("gene_sets", mode="before")
    @classmethod
    def _as_gene_sets(cls, value: object) -> object:
        if isinstance(value, (str, os.PathLike)):
            value = (value,)
        if isinstance(value, (list, tuple)):
            files = tuple(os.fspath(one) if isinstance(one, os.PathLike) else one for one in value)
            if not all(isinstance(one, str) for one in files):
                raise ValueError(_NEEDED["gene_sets"])
            return files
        if not hasattr(value, "items"):
            return value
        # A dictionary, or a table with one column for each set.
        sets = as_gene_sets(value.items(), "gene_sets")
        check_size(sets)
        return sets

    @field_validator("embeddings", "proportions", "markers")
    @classmethod
    def _none_as_empty(cls, value: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if value is not None and "none" in value:
            if set(value) != {"none"}:
                what = "columns" if info.field_name == "markers" else info.field_name
                msg = f"'none' cannot be combined with {what}"
                raise ValueError(msg)
            return ()
        return value

    @field_validator("sections", mode="before")
    @classmethod
    def _no_empty_column(cls, value: object) -> object:
        if value == "":
            msg = "expected a column of obs or 'none'"
            raise ValueError(msg)
        return value

    @field_validator("neighbors", mode="before")
    @classmethod
    def _number_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("neighbors")
    @classmethod
    def _valid_neighbors(cls, value: str) -> str:
        parse_neighbors(value)
        return value

    @field_validator("downsample", "seed", "jobs", "memory_mb", "max_asset_mb", "um_per_unit", mode="before")
    @classmethod
    def _no_boolean(cls, value: object) -> object:
        if isinstance(value, bool):
            msg = "expected a number"
            raise ValueError(msg)
        return value

    @field_validator("downsample", "seed", "jobs", "memory_mb", mode="before")
    @classmethod
    def _plain_number(cls, value: object) -> object:
        # Many locales write fifty thousand as 50.000, which would be read as 50.
        if isinstance(value, str) and not re.fullmatch(r"\s*[+-]?[0-9]+\s*", value):
            msg = "expected an integer"
            raise ValueError(msg)
        return value

    @field_validator("outdir", "single_file", "zip_path", "view", mode="before")
    @classmethod
    def _no_empty_path(cls, value: object) -> object:
        if value == "":
            msg = "expected a path; omit the option to use the default"
            raise ValueError(msg)
        return value

    @field_validator("h5ad_path", "outdir", mode="before")
    @classmethod
    def _path_or_url(cls, value: object) -> object:
        if isinstance(value, os.PathLike) and PATH_OF_URL.match(os.fspath(value)):
            msg = "a Path cannot hold a URL; pass the URL as a string"
            raise ValueError(msg)
        if not isinstance(value, str) or value == "" or is_url(value):
            return value
        return expanded(value) if value.lower().startswith("file://") else Path(value)

    @field_validator("outdir")
    @classmethod
    def _writable(cls, value: Path | str | None) -> Path | str | None:
        if is_url(value) and not is_store_url(value):
            msg = "cannot write to a web host; use a folder, or a URL such as 's3://bucket/tissue'"
            raise ValueError(msg)
        return value

    @field_validator("single_file", "zip_path", "view", mode="before")
    @classmethod
    def _local_path(cls, value: object) -> object:
        if is_url(value):
            msg = "expected a local path; only outdir and h5ad_path can be URLs"
            raise ValueError(msg)
        return value

    @field_validator("image_path", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @property
    def genes(self) -> GenesSpec:
        """`genes_mode`, parsed. Reads the gene list if one is given."""
        return parse_genes(self.genes_mode)

    @property
    def coordinate_spec(self) -> CoordsSpec | None:
        """`coords`, parsed."""
        return None if self.coords is None else parse_coords(self.coords)

    @property
    def neighbors_spec(self) -> NeighborsSpec:
        """`neighbors`, parsed."""
        return parse_neighbors(self.neighbors)

    @property
    def matrix(self) -> MatrixSpec:
        """The matrix to read expression from; the first if there are several."""
        if self.matrices:
            return parse_matrix(self.matrices[0])
        if self.raw:
            return MatrixRaw()
        return MatrixX() if self.layer is None else MatrixLayer(self.layer)

    @property
    def other_matrices(self) -> tuple[MatrixSpec, ...]:
        """The matrices that are packed in addition to the first."""
        return tuple(map(parse_matrix, (self.matrices or ())[1:]))

    @property
    def image(self) -> ImageSpec:
        """`image_path`, parsed."""
        if self.image_path is None:
            return ImageFromUns(None)
        if self.image_path == "none":
            return NoImage()
        if self.image_path.startswith("uns:"):
            return ImageFromUns(self.image_path.removeprefix("uns:"))
        return ImageFromFile(expanded(self.image_path))

    @property
    def max_asset_bytes(self) -> int:
        """`max_asset_mb` in bytes, at least 4 (the size of one value)."""
        return max(4, round(self.max_asset_mb * 10**6))

    @property
    def memory_bytes(self) -> int:
        """`memory_mb` in bytes."""
        return self.memory_mb * 10**6

    @property
    def threads(self) -> int:
        """Number of compression threads."""
        if self.jobs is not None:
            return self.jobs
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_NEEDED = {
    "annotation_columns": "expected a list of columns of obs, such as ['cell_type']",
    "markers": "expected a list of columns of obs, such as ['cell_type'], or 'none'",
    "embeddings": "expected a list of keys of obsm, such as ['X_umap'], or 'none'",
    "proportions": "expected a list of keys of obsm, such as ['q05_cell_abundance_w_sf'], or 'none'",
    "embed_origins": "expected a list of origins, such as ['https://lab.example']",
    "gene_sets": "expected a file, 'uns:KEY', a list of these, or a dictionary of names to lists of genes",
    "matrices": "expected a list of matrices, such as ['X', 'layer:counts']",
    "genes_mode": "expected 'hvgs:N', 'top_mean:N', 'list:PATH', 'all' or a list of names",
    "neighbors": f"expected 'auto', a number of cells from 1 to {MAX_NEIGHBORS}, a radius such as '30um', or 'none'",
    **dict.fromkeys(("downsample", "seed", "jobs", "memory_mb"), "expected an integer"),
    **dict.fromkeys(("max_asset_mb", "um_per_unit"), "expected a number"),
    **dict.fromkeys(("gzip", "preview", "raw"), "expected True or False"),
    **dict.fromkeys(("packed", "scripts"), "expected 'auto', 'yes' or 'no'"),
    "host": f"expected one of {', '.join(map(repr, HOSTS))}",
    "storage_options": "expected a dictionary of options of the file system",
    **dict.fromkeys(("outdir", "single_file", "zip_path", "h5ad_path", "view"), "expected a path"),
    **dict.fromkeys(("coords", "sections", "dataset_name", "color", "layer"), "expected a string"),
}
_SECRET = frozenset({"storage_options"})
"""Options whose values do not appear in messages."""
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"), "greater_than": ("greater than", "gt"),
    "less_than_equal": ("at most", "le"),
}  # fmt: skip
_WHOLE = "whole_message"
"""Type of an error whose message already states what was given."""
_TYPE_ERRORS = ("_type", "_parsing", "_from_float", "path_type", "literal_error")


def _explained(exc: ValidationError) -> ConfigError:
    problems = []
    for error in exc.errors():
        name = ".".join(str(part) for part in error["loc"][:1])
        if error["type"] == "extra_forbidden":
            known = ", ".join(sorted(ExportConfig.model_fields))
            return ConfigError(f"Unknown option {name!r}. The options are: {known}.")
        wrong_type = error["type"].endswith(_TYPE_ERRORS)
        what = _NEEDED.get(name, error["msg"]) if wrong_type else error["msg"].removeprefix("Value error, ")
        if error["type"] in _BOUNDS:
            words, key = _BOUNDS[error["type"]]
            what = f"must be {words} {number(error['ctx'][key])}"
        if error["type"] == "string_too_long":
            most, given = error["ctx"]["max_length"], len(error["input"])
            problems.append((name, f"must have at most {most:,} characters, got {given:,}."))
            continue
        if error["type"] == _WHOLE:
            problems.append((name, what))
            continue
        found = "" if name in _SECRET else f", got {error['input']!r}"
        problems.append((name, f"{what}{found}."))
    return OptionError(tuple(dict.fromkeys(problems)))
