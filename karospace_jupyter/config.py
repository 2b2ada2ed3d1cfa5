"""The options of an export: one model for Python, the command line, the forms and the desktop app.

Short strings that people type (``hvgs:500``, ``obsm:spatial``) are parsed here, once, into tagged values.
The string below each field is its documentation; forms and help are made from it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from karospace_jupyter.errors import ConfigError, OptionError
from karospace_jupyter.paths import expanded
from karospace_jupyter.words import LONGEST_NAME


@dataclass(frozen=True, slots=True)
class VariableGenes:
    """The `n` most variable genes."""

    n: int
    kind: Literal["hvgs"] = "hvgs"


@dataclass(frozen=True, slots=True)
class TopMeanGenes:
    """The `n` genes of highest mean."""

    n: int
    kind: Literal["top_mean"] = "top_mean"


@dataclass(frozen=True, slots=True)
class ListedGenes:
    """Genes by name, in this order. `origin` says where the names came from, for messages."""

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
    """x and y of ``obsm[key]``: the columns that are named so, else the first two."""

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


@dataclass(frozen=True, slots=True)
class ImageFromFile:
    """A picture file whose pixels are coordinate units, unless the file is one of the object's own images."""

    path: Path
    kind: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class ImageFromUns:
    """The image of one library in ``uns['spatial']``; None means the only one there is."""

    library: str | None
    kind: Literal["uns"] = "uns"


@dataclass(frozen=True, slots=True)
class NoImage:
    """No image."""

    kind: Literal["none"] = "none"


DEFAULT_GENES = VariableGenes(500)
"""Where nobody says which."""
_ORIGIN = re.compile(r"https?://[a-z0-9._~\[\]:-]+")

ImageSpec = ImageFromFile | ImageFromUns | NoImage


def parse_genes(text: str | tuple[str, ...]) -> GenesSpec:
    """Parse ``hvgs:N``, ``top_mean:N``, ``list:PATH``, ``all`` or a sequence of names.

    A list file holds one gene a line; blank lines and lines that start with ``#`` are skipped, and of a
    line with tabs or commas the first field counts; quotes keep commas in a name.

    Raises
    ------
    ConfigError
        When the text is none of these, or the list file cannot be read or is empty.
    """
    if not isinstance(text, str):
        return ListedGenes(tuple(text), "the list of genes")
    if text == "all":
        return AllGenes()
    mode, _, value = text.partition(":")
    if mode in {"hvgs", "top_mean"}:
        if not value.isascii() or not value.isdigit() or int(value) < 1:
            msg = f"Genes {text!r}: {mode} needs a number of genes of at least 1, as in '{mode}:500'."
            raise ConfigError(msg)
        return VariableGenes(int(value)) if mode == "hvgs" else TopMeanGenes(int(value))
    if mode == "list" and value:
        return _read_gene_list(expanded(value))
    msg = f"Genes {text!r} is not understood. Use 'hvgs:N', 'top_mean:N', 'list:PATH' or 'all'."
    raise ConfigError(msg)


_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?:[,\t]|$)')


def _read_gene_list(path: Path) -> ListedGenes:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        msg = f"The gene list {path} cannot be read: {exc.strerror or exc}."
        raise ConfigError(msg) from exc
    except UnicodeDecodeError as exc:
        msg = f"The gene list {path} is not a text file in UTF-8. Save it as plain text, one gene a line."
        raise ConfigError(msg) from exc
    names = []
    for line in text.splitlines():
        quoted = _QUOTED.match(line)
        name = quoted[1].replace('""', '"') if quoted else line.replace("\t", ",").split(",")[0].strip().strip('"')
        name = name.strip()
        if name and not name.startswith("#"):
            names.append(name)
    if not names:
        msg = f"The gene list {path} holds no gene. Write one gene a line."
        raise ConfigError(msg)
    return ListedGenes(tuple(dict.fromkeys(names)), str(path))


def parse_coords(text: str) -> CoordsSpec:
    """Parse coordinates as users spell them.

    ``obsm:KEY``, ``obs:XCOL,YCOL``, ``obs:COLUMN`` (a column of outlines as WKT) or ``obs:centroid_x_y`` (the columns
    centroid_x and centroid_y).
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
    msg = f"Coordinates {text!r} are not understood. Use 'obsm:KEY' or 'obs:XCOLUMN,YCOLUMN'.{near}"
    raise ConfigError(msg)


class ExportConfig(BaseModel):
    """All options of an export.

    Raises
    ------
    ConfigError
        When an option has a value that can never work; the message names the option.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    h5ad_path: Path | None = None
    """The `.h5ad` file or `.zarr` folder to export."""
    outdir: Path | None = None
    """The folder to write. An existing bundle there is replaced when the new one is complete."""
    single_file: Path | None = None
    """Write everything into this one HTML file, which opens by double click."""
    zip_path: Path | None = None
    """Write everything into this zip file."""
    coords: str | None = None
    """Where the coordinates are: `obsm:KEY`, `obs:XCOL,YCOL` or `obs:COLUMN` (outlines as WKT, of which the centroids
    are taken). Found by their names when not given."""
    annotation_columns: tuple[str, ...] | None = None
    """Columns of obs to export, in this order. Chosen by what makes a legend when not given. Columns of few
    distinct whole numbers are exported as categories; `number:COLUMN` and `category:COLUMN` choose the kind."""
    sections: str | None = None
    """The column of obs that names sections of the tissue (2 to 500), or `none`. Found by the usual names when not
    given: library_id, sample, sample_id, section, slice, fov. One that is named here is always exported; one that
    was found only when the annotations leave it in. A sample is drawn within each section."""
    embeddings: tuple[str, ...] | None = None
    """Keys of obsm whose first two dimensions the viewer offers beside the tissue, or `none`. UMAP, t-SNE and PCA by
    their usual names when not given."""
    genes_mode: str | tuple[str, ...] = f"{DEFAULT_GENES.kind}:{DEFAULT_GENES.n}"
    """Which genes: `hvgs:N`, `top_mean:N`, `list:PATH`, `all`, or a list of names."""
    image_path: str | None = None
    """Tissue image: a PNG, JPEG, WebP or TIFF file, `uns:LIBRARY` for one stored in the object, or `none`."""
    downsample: int | None = Field(default=None, ge=1)
    """Export at most this many cells, drawn at random within each section."""
    seed: int = Field(default=0, ge=0)
    """Seed of the random draw."""
    gzip: bool = True
    """Compress the assets."""
    max_asset_mb: float = Field(default=16.0, gt=0, le=1024, allow_inf_nan=False)
    """Largest asset before compression, in MiB; what is larger is split. At most what a browser takes: 1024."""
    dataset_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    """Name shown in the viewer. The file's name when not given."""
    scripts: Literal["auto", "yes", "no"] = "auto"
    """Write the assets as scripts, too, so that the folder opens by double click: `yes`, `no`, or `auto`: while they
    stay below 200 MB."""
    view: Path | None = None
    """A view saved from the viewer (JSON), with which the bundle opens."""
    embed_origins: tuple[str, ...] = ()
    """Origins of pages that may ask and steer the viewer when they embed it, as `https://lab.example`; `*` for every
    page. Pages of the bundle's own origin always may."""
    preview: bool = True
    """Draw `preview.png`."""
    layer: str | None = None
    """Read expression from this layer instead of X."""
    raw: bool = False
    """Read expression from `raw` instead of X."""
    jobs: int | None = Field(default=None, ge=1, le=1024)
    """Threads that compress. All cores when not given."""
    memory_mb: int = Field(default=512, ge=16, le=2**24)
    """Memory for blocks of the matrix, in MiB. Fewer means more passes over the file, never fewer genes."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - pydantic checks each value
        try:
            super().__init__(**options)
        except ValidationError as exc:
            raise _explained(exc) from None
        # Parsed here so that a mistake is found before a large file is opened.
        _ = self.coordinate_spec
        if self.raw and self.layer is not None:
            msg = f"Both raw and the layer {self.layer!r} were asked for. Expression comes from one matrix: choose one."
            raise ConfigError(msg)

    @field_validator("embed_origins")
    @classmethod
    def _as_browsers_spell_it(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                msg = f"{origin!r} is no origin; 'https://lab.example' is one: in small letters, without a path; or '*'"
                raise ValueError(msg)
        return value

    @field_validator("annotation_columns", "embeddings", "embed_origins", mode="before")
    @classmethod
    def _one_column(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("annotation_columns", "embeddings", "embed_origins", "genes_mode", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("embeddings")
    @classmethod
    def _none_of_them(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and "none" in value:
            if set(value) != {"none"}:
                msg = "'none' goes with no other embedding"
                raise ValueError(msg)
            return ()
        return value

    @field_validator("sections", mode="before")
    @classmethod
    def _a_column(cls, value: object) -> object:
        if value == "":
            msg = "a column of obs or 'none' is needed"
            raise ValueError(msg)
        return value

    @field_validator("downsample", "seed", "jobs", "memory_mb", "max_asset_mb", mode="before")
    @classmethod
    def _no_truth(cls, value: object) -> object:
        if isinstance(value, bool):
            msg = "a number is needed"
            raise ValueError(msg)
        return value

    @field_validator("downsample", "seed", "jobs", "memory_mb", mode="before")
    @classmethod
    def _plain_number(cls, value: object) -> object:
        # Half of the world writes fifty thousand as 50.000, which would be read as 50.
        if isinstance(value, str) and not re.fullmatch(r"\s*[+-]?[0-9]+\s*", value):
            msg = "a whole number is needed"
            raise ValueError(msg)
        return value

    @field_validator("outdir", "single_file", "zip_path", "view", mode="before")
    @classmethod
    def _no_empty_path(cls, value: object) -> object:
        if value == "":
            msg = "an empty text is no path; leave the option out instead"
            raise ValueError(msg)
        return value

    @field_validator("image_path", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @property
    def genes(self) -> GenesSpec:
        """`genes_mode`, parsed; reads the list file when there is one."""
        return parse_genes(self.genes_mode)

    @property
    def coordinate_spec(self) -> CoordsSpec | None:
        """`coords`, parsed."""
        return None if self.coords is None else parse_coords(self.coords)

    @property
    def matrix(self) -> MatrixSpec:
        """Which matrix holds the expression."""
        if self.raw:
            return MatrixRaw()
        return MatrixX() if self.layer is None else MatrixLayer(self.layer)

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
        """`max_asset_mb` in bytes, at least 4 (one value)."""
        return max(4, int(self.max_asset_mb * 2**20))

    @property
    def threads(self) -> int:
        """Number of compressing threads."""
        if self.jobs is not None:
            return self.jobs
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_NEEDED = {
    "annotation_columns": "a list of names of columns is needed, such as ['cell_type']",
    "embeddings": "a list of keys of obsm is needed, such as ['X_umap'], or 'none'",
    "embed_origins": "a list of origins is needed, such as ['https://lab.example']",
    "genes_mode": "'hvgs:N', 'top_mean:N', 'list:PATH', 'all' or a list of names is needed",
    **dict.fromkeys(("downsample", "seed", "jobs", "memory_mb"), "a whole number is needed"),
    "max_asset_mb": "a number is needed",
    **dict.fromkeys(("gzip", "preview", "raw"), "True or False is needed"),
    "scripts": "'auto', 'yes' or 'no' is needed",
    **dict.fromkeys(("outdir", "single_file", "zip_path", "h5ad_path", "view"), "a path is needed"),
    **dict.fromkeys(("coords", "sections", "dataset_name", "layer"), "a text is needed"),
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"), "greater_than": ("a number above", "gt"),
    "less_than_equal": ("at most", "le"),
}  # fmt: skip
_OF_TYPE = ("_type", "_parsing", "_from_float", "path_type", "literal_error")


def _explained(exc: ValidationError) -> ConfigError:
    problems = []
    for error in exc.errors():
        name = ".".join(str(part) for part in error["loc"][:1])
        if error["type"] == "extra_forbidden":
            known = ", ".join(sorted(ExportConfig.model_fields))
            return ConfigError(f"There is no option {name!r}. The options are: {known}.")
        of_type = error["type"].endswith(_OF_TYPE)
        what = _NEEDED.get(name, error["msg"]) if of_type else error["msg"].removeprefix("Value error, ")
        if error["type"] in _BOUNDS:
            words, key = _BOUNDS[error["type"]]
            what = f"{words} {error['ctx'][key]:,} is needed"
        if error["type"] == "string_too_long":
            most, given = error["ctx"]["max_length"], len(error["input"])
            problems.append((name, f"at most {most:,} characters are possible, but {given:,} were given."))
            continue
        problems.append((name, f"{what}, but {error['input']!r} was given."))
    return OptionError(tuple(dict.fromkeys(problems)))
