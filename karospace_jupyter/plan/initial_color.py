"""Choose the initial color of a bundle."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from karospace_jupyter.config import matrix_name
from karospace_jupyter.errors import GenesError, PlanError
from karospace_jupyter.formatting import hint
from karospace_jupyter.plan.gene_choice import gene_at
from karospace_jupyter.plan.integer_codes import words_of
from karospace_jupyter.plan.model import CategoryAnnotation
from karospace_jupyter.plan.names import as_text
from karospace_jupyter.view.color_text import split_color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.config import MatrixSpec
    from karospace_jupyter.plan.model import Annotation, PlannedEmbedding, PlannedGenes, PlannedPacked
    from karospace_jupyter.source import Source

MIN_CATEGORIES, MAX_CATEGORIES = 2, 60


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TYPES = _words(
    "annotation annotations celltype celltypes identity label labels lineage phenotype phenotypes subclass subtype "
    "supertype type types"
)
_CLUSTERS = _words(
    "banksy class cluster clustering clusters community compartment domain domains graphclust kmeans leiden louvain "
    "mclust metacluster niche niches phenograph region regions seurat state subcluster"
)
_DESIGN = _words(
    "age batch batches chip condition control core dataset donor fov gender group image lane library method organism "
    "patient phase plate replicate roi run sample section sex slice slide species stage subject time timepoint tma "
    "treatment well"
)
_TOTALS = (
    "total_counts", "transcript_counts", "n_counts", "ncount_rna", "ncount_spatial", "ncount_xenium", "nucleus_counts",
    "total_umis", "umi_count", "umi_counts", "numi", "n_umi", "counts", "n_genes_by_counts", "n_genes", "nfeature_rna",
    "nfeature_spatial",
)  # fmt: skip
"""Names of columns that hold a total for each cell, in lower case, best first."""
_CELLS, _NEIGHBORS = 20_000, 6
_APART = 1e-9
"""Distance by which cells at the same position are separated before the neighbor search, as a share of the extent."""
_MIN_AGREEMENT = 0.3
"""Minimum agreement of neighbors for a column whose name gives no indication."""
_GENES, _VALUES = 50, 50_000_000
"""To find the gene detected in most cells: maximum numbers of exported genes to compare and of values to read."""


@dataclass(frozen=True, slots=True)
class RequestedColor:
    """The requested color: a column, a gene, proportions, or nothing."""

    column: str | None = None
    gene: int | None = None
    """Position in var."""
    proportion: str | None = None
    """Name of an annotation from a table of obsm."""


def requested_color(
    source: Source, text: str | None, proportions: Sequence[str] = (), matrices: Sequence[MatrixSpec] = ()
) -> RequestedColor:
    """Find the column or gene that the option ``color`` names; columns take precedence.

    Parameters
    ----------
    proportions
        Names of the annotations from tables of obsm, which are also valid colors.
    matrices
        The other matrices, whose genes an error mentions.

    Raises
    ------
    PlanError
        If the data has no such column or gene.
    """
    if text is None:
        return RequestedColor()
    columns = source.obs_columns
    prefix, name = split_color(text, columns)
    if prefix in {None, "obs"} and name in columns:
        return RequestedColor(column=name)
    if text in proportions:
        return RequestedColor(proportion=text)
    gene = gene_at(source, text)
    if gene is None and prefix == "gene":
        gene = gene_at(source, name)
    if gene is None:
        other = _matrix_with(source, matrices, name if prefix == "gene" else text)
        if other is not None:
            msg = (
                f"The color {text!r} is a gene of the matrix {other}, but a bundle opens with the first of its "
                f"matrices, {source.matrix_name}. Put {other!r} first in matrices, or choose another color."
            )
            raise PlanError(msg)
        meant = name if prefix in {"obs", "gene"} else text
        near = hint(meant, [*columns, *proportions, *as_text(source.gene_names)])
        msg = f"The color {text!r} is neither a column of obs nor a gene of {source.matrix_name}.{near}"
        raise PlanError(msg)
    return RequestedColor(gene=gene)


def _matrix_with(source: Source, matrices: Sequence[MatrixSpec], gene: str) -> str | None:
    """Return the name of the first of these matrices that has a gene; None if none does."""
    for spec in matrices:
        with suppress(GenesError):  # reported as a problem of the matrices
            if gene_at(source.with_matrix(spec), gene) is not None:
                return matrix_name(spec)
    return None


def color_of(
    requested: RequestedColor,
    annotations: Sequence[Annotation],
    genes: PlannedGenes,
    packed: PlannedPacked | None = None,
) -> dict[str, Any] | None:
    """Return the requested color in the viewer's format; None if none was requested or it is not exported."""
    if requested.proportion is not None:
        return {"kind": "annotation", "column": requested.proportion}
    if requested.column is not None:
        shown = {str(as_text([requested.column])[0]), requested.column}
        name = next((one.name for one in annotations if one.name in shown), None)
        return None if name is None else {"kind": "annotation", "column": name}
    if requested.gene is not None and packed is not None:
        return {"kind": "gene", "gene": packed.names[requested.gene]}
    if requested.gene is None or requested.gene not in genes.indices:
        return None
    return {"kind": "gene", "gene": genes.names[int(np.flatnonzero(genes.indices == requested.gene)[0])]}


def initial_view(
    view: dict[str, Any] | None, color: dict[str, Any] | None, *, requested: bool
) -> dict[str, Any] | None:
    """Return the initial view with a color, which replaces that of the view only if it was `requested`."""
    whole = view is not None and "karospace_view" in view
    state = {} if view is None else dict(view["state"] if whole else view)
    if color is None or ("color" in state and not requested):
        return view
    if "color" in state:
        state.pop("range", None)  # the limits belong to the previous color
    state["color"] = color
    return {**view, "state": state} if whole and view is not None else state


def initial_color(
    source: Source,
    annotations: Sequence[Annotation],
    section: str | None,
    xy: NDArray[np.float64],
    embeddings: Sequence[PlannedEmbedding],
    genes: PlannedGenes,
) -> dict[str, Any] | None:
    """Choose the most informative initial color.

    In order of preference: a column of 2 to 60 categories that looks like cell types or clusters, or whose categories
    form clusters in the tissue or in an embedding; total counts; the best detected of the first exported genes.

    Parameters
    ----------
    section
        Name of the annotation that names the sections.
    xy
        Coordinates, shape (n_cells, 2).

    Returns
    -------
    dict or None
        A color in the viewer's format; None if there is nothing to color by.
    """
    categories = [
        one
        for one in annotations
        if isinstance(one, CategoryAnnotation) and MIN_CATEGORIES <= len(one.categories) <= MAX_CATEGORIES
    ]
    section_of = next((one.codes for one in annotations if one.name == section and one.kind == "category"), None)
    best = _best_category(categories, section, section_of, [xy, *(one.xy for one in embeddings)])
    if best is not None:
        return {"kind": "annotation", "column": best.name}
    numbers = {one.name.lower(): one.name for one in annotations if one.kind == "number"}
    total = next((numbers[name] for name in _TOTALS if name in numbers), None)
    if total is not None:
        return {"kind": "annotation", "column": total}
    if genes.names:
        return {"kind": "gene", "gene": genes.names[_best_detected(source, genes)]}
    others = [*categories, *annotations]
    return {"kind": "annotation", "column": others[0].name} if others else None


def color_label(view: dict[str, Any] | None) -> str:
    """Return the color of an initial view as spelled in the option ``color``; empty if it is not a column or gene.

    Examples
    --------
    >>> color_label({"color": {"kind": "annotation", "column": "leiden"}})
    'leiden'
    """
    state = {} if view is None else view.get("state", view)
    color = state.get("color") or {}
    return str(color.get("column") or color.get("gene") or "")


def name_score(name: str) -> float:
    """Score the name of a column: 3 for cell types, 2 for clusters, -2 for the design of a study.

    Examples
    --------
    >>> [name_score(name) for name in ("cell_type", "leiden_0.5", "niche", "sample", "sex", "x1")]
    [3.0, 2.0, 2.0, -2.0, -2.0, 0.0]
    """
    words = words_of(name)
    if _TYPES & set(words):
        return 3.0
    if _CLUSTERS & set(words):
        return 2.0
    return -2.0 if _DESIGN & set(words) else 0.0


def _best_category(
    columns: Sequence[CategoryAnnotation],
    section: str | None,
    section_of: NDArray[np.int64] | None,
    spaces: Sequence[NDArray[np.float64]],
) -> CategoryAnnotation | None:
    def promise(column: CategoryAnnotation) -> float:
        return -2.0 if column.name == section else name_score(column.name)

    def present(column: CategoryAnnotation) -> float:
        return float((column.codes < len(column.categories)).mean())

    neighbors: list[Neighbors] = []
    best, best_score = None, 0.0
    # The agreement is at most 1, so a column with a much lower score for its name needs no comparison.
    for column in sorted(columns, key=lambda one: (promise(one) + 1) * present(one), reverse=True):
        named = promise(column)
        if named < 0 or (named + 1) * present(column) <= best_score:
            continue
        neighbors = neighbors or [Neighbors(xy, section_of) for xy in spaces]
        together = max(near.agreement(column.codes, len(column.categories)) for near in neighbors)
        score = 0.0 if named == 0 and together < _MIN_AGREEMENT else (named + together) * present(column)
        if score > best_score:
            best, best_score = column, score
    return best


class Neighbors:
    """The nearest neighbors of cells (of a sample, if there are many) within their sections.

    Parameters
    ----------
    xy
        Shape (n_cells, 2); NaN for a cell without a position.
    sections
        Section of each cell, shape (n_cells,); sections may overlap. None if there is only one.
    """

    def __init__(self, xy: NDArray[np.float64], sections: NDArray[np.int64] | None = None) -> None:
        cells = np.flatnonzero(np.isfinite(xy).all(axis=1))
        if len(cells) > _CELLS:
            cells = np.sort(np.random.default_rng(0).choice(cells, _CELLS, replace=False))
        # Move cells apart slightly: equal positions slow the search down, and none of them is nearer than another.
        span = float(np.ptp(xy[cells], axis=0).max()) if len(cells) else 0.0
        at = xy[cells] + np.random.default_rng(0).normal(scale=_APART * span, size=(len(cells), 2))
        section = np.zeros(len(cells), dtype=np.int64) if sections is None else sections[cells]
        ones, others = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for part in (section == one for one in np.unique(section)) if span else ():
            places, numbers = at[part], cells[part]
            n = min(_NEIGHBORS, len(numbers) - 1)
            near = cKDTree(places).query(places, k=n + 1)[1].reshape(len(numbers), n + 1)
            ones.append(np.repeat(numbers, n))
            others.append(numbers[near[:, 1:].ravel()])
        self._pairs = np.concatenate(ones), np.concatenate(others)
        self._section = np.zeros(len(self._pairs[0]), dtype=np.int64) if sections is None else sections[self._pairs[0]]

    def agreement(self, codes: NDArray[np.int64], n_categories: int) -> float:
        """Return how much more often neighbors share a category than by chance: 0 if no more often, 1 if always.

        Chance refers to two random cells of the same section, so a column that only identifies the section gets 0.

        Parameters
        ----------
        codes
            Shape (n_cells,); `n_categories` is the code of a missing value. Cells without a value are ignored.
        """
        one, other = (codes[cells] for cells in self._pairs)
        present = (one < n_categories) & (other < n_categories)
        n = int(present.sum())
        if not n:
            return 0.0
        counts = np.bincount(self._section[present] * n_categories + one[present])
        counts = np.pad(counts, (0, -len(counts) % n_categories)).reshape(-1, n_categories)
        chance = float((counts**2).sum(axis=1) @ (1 / np.maximum(counts.sum(axis=1), 1))) / n
        same = float((one == other)[present].mean())
        return max(0.0, (same - chance) / (1 - chance)) if chance < 1 else 0.0


def _best_detected(source: Source, genes: PlannedGenes) -> int:
    sampled = source.sampled()
    some = genes.indices[: max(1, min(_GENES, _VALUES // sampled.sample().values.shape[0]))]
    detected = [int((np.abs(gene.values) > 0).sum()) for gene in sampled.genes(some, None)]  # not NaN
    return int(np.argmax(detected))
