"""The plan: everything that an export decides, before a byte is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from karospace_jupyter.config import CoordsSpec


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of the export."""

    rows: NDArray[np.int64] | None
    """Their positions in the source, ascending; None means all."""
    ids: NDArray[np.object_]
    """Unique text, shape (n_cells,)."""

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class PlannedCoordinates:
    """Where the cells are."""

    spec: CoordsSpec
    xy: NDArray[np.float64]
    """Shape (n_cells, 2), finite, in the units of the source."""
    y_axis: Literal["down", "up"]
    unit_um: float | None
    """µm per coordinate unit, where the source states it."""
    spot_diameter: float | None
    """In coordinate units, where the source states it."""
    origin: tuple[float, float] = (0.0, 0.0)
    """What is subtracted before the coordinates become float32."""

    @property
    def source(self) -> str:
        """As the manifest spells it: `obsm:KEY`, `obs:centroid_x_y`, `obs:X,Y` or `obs:COLUMN`."""
        if self.spec.kind == "obsm":
            return f"obsm:{self.spec.key}"
        if self.spec.kind == "geometry":
            return f"obs:{self.spec.column}"
        if (self.spec.x, self.spec.y) == ("centroid_x", "centroid_y"):
            return "obs:centroid_x_y"
        return f"obs:{self.spec.x},{self.spec.y}"


@dataclass(frozen=True, slots=True)
class CategoryAnnotation:
    """A categorical, boolean or text column, for the cells of the export."""

    name: str
    categories: tuple[str, ...]
    """Used categories only, in the order of the source."""
    colors: tuple[str, ...]
    """`#rrggbb`, one a category."""
    codes: NDArray[np.int64]
    """Shape (n_cells,); ``len(categories)`` where a value is missing."""
    ordered: bool
    boolean: bool
    kind: Literal["category"] = "category"


@dataclass(frozen=True, slots=True)
class NumberAnnotation:
    """A numeric column, for the cells of the export."""

    name: str
    values: NDArray[np.float64]
    """Shape (n_cells,); NaN where a value is missing or infinite."""
    integers: NDArray[np.int64] | NDArray[np.uint64] | None
    """The same as whole numbers, exact beyond 2**53, when the column has an integer dtype and no gap."""
    single: bool
    """Whether the source holds float32, so that text shows no digits that were never there."""
    kind: Literal["number"] = "number"

    @property
    def fits_float32(self) -> bool:
        """Whether float32 keeps whole numbers as they are, and different values different."""
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
    """Another place for each cell, as in a UMAP."""

    name: str
    """The key of obsm."""
    label: str
    """For people, unique."""
    xy: NDArray[np.float64]
    """Shape (n_cells, 2); both NaN for a cell without a place, finite for at least one cell."""
    origin: tuple[float, float] = (0.0, 0.0)
    """What is subtracted before the coordinates become float32."""


@dataclass(frozen=True, slots=True)
class PlannedSection:
    """One section of the tissue."""

    name: str
    extent: tuple[float, float, float, float]
    """x min, y min, x max, y max of its cells, in coordinate units."""
    count: int
    """Cells, at least one."""


@dataclass(frozen=True, slots=True)
class PlannedFact:
    """An annotation that has one value in each section."""

    column: str
    values: tuple[str | float | None, ...]
    """One a section; None where its cells have none."""


@dataclass(frozen=True, slots=True)
class PlannedSections:
    """How the tissue is split."""

    column: str
    """The name of a category annotation of the same plan."""
    overlapping: bool
    """Whether sections lie on top of each other."""
    items: tuple[PlannedSection, ...]
    """At least two, in the order of the categories."""
    missing: int
    """Cells of no section."""
    facts: tuple[PlannedFact, ...]
    """What sections can be ordered and filtered by."""


@dataclass(frozen=True, slots=True)
class MatrixValues:
    """What the values of the chosen matrix are; see :func:`~karospace_jupyter.plan.matrix_values.matrix_values`."""

    kind: Literal["counts", "log1p", "scaled", "other"]
    log_base: float | None = None
    """For log1p; None is the natural logarithm."""
    unchecked: bool = False
    """Whether only ``uns['log1p']`` says so: the values are too few to tell."""


@dataclass(frozen=True, slots=True)
class PlannedGenes:
    """The genes of the export, in file order."""

    indices: NDArray[np.int64]
    """Positions in the source's var, shape (n_genes,)."""
    names: tuple[str, ...]
    """Unique."""
    labels: tuple[tuple[str, tuple[str, ...]], ...]
    """Other names for search: (column of var, one label a gene, empty where there is none)."""


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """The tissue image, before it is scaled and encoded."""

    origin: str
    """For messages: a path, or ``uns['spatial']['lib']['images']['hires']``."""
    path: Path | None
    """The file it comes from, or None when `pixels` holds it."""
    pixels: NDArray[np.uint8] | None
    """Shape (height, width, 3 or 4)."""
    size: tuple[int, int]
    """Width, height in pixels."""
    scale: tuple[float, float]
    """pixel = coordinate * scale + offset."""
    offset: tuple[float, float]
    sections: tuple[str, ...] = ()
    """The sections whose tissue it shows; none where it is the whole tissue's, or nobody knows."""
    pages: tuple[int, ...] = (0,)
    """Pages of the file that it is made of."""


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
    embeddings: tuple[PlannedEmbedding, ...]
    sections: PlannedSections | None
    genes: PlannedGenes
    images: tuple[PlannedImage, ...]
    """One, or one for each section that has its own."""
    view: dict[str, Any] | None
    """How the viewer opens, as the viewer spells it."""
    warnings: tuple[str, ...]
    predicted_files: int
    predicted_bytes: int
    """Before compression."""
