"""The plan: all decisions of an export, made before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from karospace_jupyter.config import CoordsSpec, MatrixSpec
    from karospace_jupyter.plan.observations import Observations


@dataclass(frozen=True, slots=True)
class Cells:
    """The exported cells."""

    rows: NDArray[np.int64] | None
    """Their positions in the source, ascending; None for all cells."""
    ids: NDArray[np.object_]
    """Unique cell IDs as text, shape (n_cells,)."""
    observations: Observations = "cells"
    """What the rows represent: cells, spots of an array, or square bins."""

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class PlannedCoordinates:
    """The coordinates of the exported cells."""

    spec: CoordsSpec
    xy: NDArray[np.float64]
    """Shape (n_cells, 2), finite, in the units of the source."""
    y_axis: Literal["down", "up"]
    unit_um: float | None
    """µm per coordinate unit; None if the source does not state it."""
    spot_diameter: float | None
    """Diameter of a spot or side of a bin, in coordinate units; None if the source does not state it."""
    bin_angle: float | None = None
    """Angle of the rows of bins in degrees from x toward y; None if the observations are not bins."""
    unit_origin: str = ""
    """Where `unit_um` comes from, for messages; empty if it is unknown."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Subtracted from the coordinates before they are converted to float32."""

    @property
    def source(self) -> str:
        """The source as written in the manifest: `obsm:KEY`, `obs:centroid_x_y`, `obs:X,Y` or `obs:COLUMN`."""
        if self.spec.kind == "obsm":
            return f"obsm:{self.spec.key}"
        if self.spec.kind == "geometry":
            return f"obs:{self.spec.column}"
        if (self.spec.x, self.spec.y) == ("centroid_x", "centroid_y"):
            return "obs:centroid_x_y"
        return f"obs:{self.spec.x},{self.spec.y}"


@dataclass(frozen=True, slots=True)
class CategoryAnnotation:
    """A categorical, boolean or text column of the exported cells."""

    name: str
    categories: tuple[str, ...]
    """Used categories only, in the order of the source."""
    colors: tuple[str, ...]
    """`#rrggbb`, one per category."""
    codes: NDArray[np.int64]
    """Shape (n_cells,); ``len(categories)`` where a value is missing."""
    ordered: bool
    boolean: bool
    kind: Literal["category"] = "category"


@dataclass(frozen=True, slots=True)
class NumberAnnotation:
    """A numeric column of the exported cells."""

    name: str
    values: NDArray[np.float64]
    """Shape (n_cells,); NaN where a value is missing or infinite."""
    integers: NDArray[np.int64] | NDArray[np.uint64] | None
    """The values as integers, exact beyond 2**53, if the column has an integer dtype and no missing values."""
    single: bool
    """Whether the source stores float32; text output then omits spurious digits."""
    kind: Literal["number"] = "number"

    @property
    def fits_float32(self) -> bool:
        """Whether float32 preserves integers and keeps distinct values distinct."""
        if self.single:
            return True
        values = np.sort(self.values[~np.isnan(self.values)])
        with np.errstate(over="ignore", under="ignore"):
            held = values.astype(np.float32).astype(np.float64)
        changed = held != values
        whole = (values == np.rint(values)) | np.isinf(held) | (held == 0)
        merged = (values[1:] != values[:-1]) & (held[1:] == held[:-1])
        return not ((changed & whole).any() or merged.any())


Annotation = CategoryAnnotation | NumberAnnotation


@dataclass(frozen=True, slots=True)
class PlannedEmbedding:
    """A second set of positions for the cells, for example a UMAP."""

    name: str
    """The key in obsm."""
    label: str
    """Display name, unique."""
    xy: NDArray[np.float64]
    """Shape (n_cells, 2); both NaN for a cell without a position, finite for at least one cell."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Subtracted from the coordinates before they are converted to float32."""


@dataclass(frozen=True, slots=True)
class PlannedSection:
    """One section of the tissue."""

    name: str
    extent: tuple[float, float, float, float]
    """x min, y min, x max, y max of its cells, in coordinate units."""
    count: int
    """Number of cells, at least one."""


@dataclass(frozen=True, slots=True)
class PlannedFact:
    """An annotation that has a single value in each section."""

    column: str
    values: tuple[str | float | None, ...]
    """One per section; None if the values of all its cells are missing."""


@dataclass(frozen=True, slots=True)
class PlannedSections:
    """The sections of the tissue."""

    column: str
    """The name of a category annotation of the same plan."""
    overlapping: bool
    """Whether the coordinates of any two sections overlap."""
    items: tuple[PlannedSection, ...]
    """At least two, in the order of the categories."""
    missing: int
    """Number of cells without a section."""
    facts: tuple[PlannedFact, ...]
    """Annotations by which sections can be ordered and filtered."""


@dataclass(frozen=True, slots=True)
class MatrixValues:
    """The kind of values in the chosen matrix; see :func:`~karospace_jupyter.plan.matrix_values.matrix_values`."""

    kind: Literal["counts", "log1p", "scaled", "other"]
    log_base: float | None = None
    """Base of log1p; None is the natural logarithm."""
    unchecked: bool = False
    """Whether this relies on ``uns['log1p']`` alone because there are too few values to check."""


@dataclass(frozen=True, slots=True)
class PlannedGenes:
    """The exported genes, in file order."""

    indices: NDArray[np.int64]
    """Positions in the source's var, shape (n_genes,)."""
    names: tuple[str, ...]
    """Unique."""
    labels: tuple[tuple[str, tuple[str, ...]], ...]
    """Alternative names for the search: (column of var, one label per gene, empty if it has none)."""


@dataclass(frozen=True, slots=True)
class PackedSize:
    """Size of packed genes, predicted from a sample."""

    files: int
    bytes: int
    raw_bytes: int
    """Size before compression."""


@dataclass(frozen=True, slots=True)
class PlannedPacked:
    """All genes of the matrix, which are packed."""

    names: tuple[str, ...]
    """Unique, in the order of the source."""
    labels: tuple[tuple[str, tuple[str, ...]], ...]
    """Alternative names: (column of var, one text per gene)."""
    size: PackedSize
    """Including the markers."""
    markers: tuple[str, ...] = ()
    """Names of the category annotations whose markers are computed."""


@dataclass(frozen=True, slots=True)
class PlannedMatrix:
    """An additional matrix, all of whose genes are packed."""

    spec: MatrixSpec
    name: str
    """`X`, `layer:NAME` or `raw`."""
    values: MatrixValues
    packed: PlannedPacked


@dataclass(frozen=True, slots=True)
class PlannedGeneSet:
    """A named set of genes."""

    name: str
    genes: tuple[str, ...]
    """Names as in :class:`PlannedGenes`; at least one."""


@dataclass(frozen=True, slots=True)
class PlannedProportions:
    """Proportions of cell types in spots."""

    key: str
    """The key in obsm."""
    column: str
    """The category annotation with the most abundant type of each spot; its categories are all types."""
    parts: tuple[str, ...]
    """The numeric annotations with the amount of each type, in the order of the categories."""


@dataclass(frozen=True, slots=True)
class PlannedNeighbors:
    """The graph of neighboring cells; both cells of an edge are in the same section."""

    starts: NDArray[np.int64]
    """Shape (n_cells + 1,): where the edges of each cell start in `cells`."""
    cells: NDArray[np.int64]
    """Shape (n_edges,): for each cell, its neighbors with a higher position, ascending."""
    origin: str
    """`obsp:KEY`, `nearest:6` or `radius:30um`."""
    n_cells: int
    rows: NDArray[np.int64] | None = None
    """In an estimate, the positions of the cells whose edges were found; `starts` and `cells` list only these. None if
    all edges were found."""

    @property
    def scale(self) -> float:
        """Ratio of all cells to those whose edges were found."""
        return 1.0 if self.rows is None else self.n_cells / len(self.rows)

    @property
    def n_edges(self) -> int:
        """Number of pairs of neighbors; approximate in an estimate."""
        return round(self.scale * len(self.cells))


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """The tissue image, before scaling and encoding."""

    origin: str
    """The source, for messages: a path, or ``uns['spatial']['lib']['images']['hires']``."""
    path: Path | None
    """The image file, or None if `pixels` holds the image."""
    pixels: NDArray[np.uint8] | None
    """Shape (height, width, 3 or 4)."""
    size: tuple[int, int]
    """Width, height in pixels."""
    scale: tuple[float, float]
    """pixel = coordinate * scale + offset."""
    offset: tuple[float, float]
    sections: tuple[str, ...] = ()
    """The sections that it shows; empty if it shows the whole tissue or the sections are unknown."""
    pages: tuple[int, ...] = (0,)
    """Pages of the file that make up the image."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A resolved export: cells, coordinates, columns, genes, images, sizes and warnings."""

    dataset_name: str
    n_cells_source: int
    n_genes_source: int
    matrix_name: str
    values: MatrixValues
    cells: Cells
    coordinates: PlannedCoordinates
    annotations: tuple[Annotation, ...]
    columns: tuple[str, ...]
    """The column of obs of each annotation, which may have another name in the bundle. Annotations from obsm follow
    those of obs and have none."""
    proportions: tuple[PlannedProportions, ...]
    embeddings: tuple[PlannedEmbedding, ...]
    sections: PlannedSections | None
    genes: PlannedGenes
    packed: PlannedPacked | None
    """None if only `genes` are exported."""
    other_matrices: tuple[PlannedMatrix, ...]
    gene_sets: tuple[PlannedGeneSet, ...]
    neighbors: PlannedNeighbors | None
    """None if no neighbors are exported."""
    images: tuple[PlannedImage, ...]
    """One for the whole tissue, or one for each section that has its own."""
    view: dict[str, Any] | None
    """The initial view, in the viewer's format."""
    warnings: tuple[str, ...]
    predicted_files: int
    """Number of files in an exported folder without scripts."""
    predicted_bytes: int
    """Size of the assets before compression."""

    @property
    def markers(self) -> tuple[str, ...]:
        """Names of the category annotations whose markers are computed."""
        return () if self.packed is None else self.packed.markers

    @property
    def all_packed(self) -> tuple[PlannedPacked, ...]:
        """The packed genes of all matrices."""
        first = () if self.packed is None else (self.packed,)
        return (*first, *(one.packed for one in self.other_matrices))

    @property
    def n_genes(self) -> int:
        """Number of genes that the viewer can show: all of them if they are packed."""
        return len(self.genes.names if self.packed is None else self.packed.names)
