"""What a source answers, whatever it reads from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.job import Job
from karospace_jupyter.source.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from karospace_jupyter.config import MatrixSpec

Rows = NDArray[np.int64] | None
"""Cells by position, in ascending order; None means all."""

Scale = Literal["as_is", "normalised", "expm1"]
"""What statistics are taken of: the stored values; counts divided by the cell's total, times 10,000; or
``expm1`` of the stored values, which undoes log1p (of any base)."""


@dataclass(frozen=True, slots=True)
class GeneStatistics:
    """Statistics of every gene of the matrix, over the chosen cells."""

    mean: NDArray[np.float64]
    """Shape (n_genes,), over the cells that have a value; NaN for a gene without any."""
    variance: NDArray[np.float64]
    """Shape (n_genes,), over the same cells, with their number - 1 in the denominator."""
    present: NDArray[np.int64]
    """Shape (n_genes,): cells that have a value."""


@dataclass(frozen=True, slots=True)
class GeneVector:
    """One gene's values."""

    position: int
    """Position in the `indices` that were asked for."""
    values: NDArray[np.float32]
    """Shape (n_rows,). NaN where a cell has no value; never infinite."""
    missing: int
    """Cells without a value: NaN in the source, infinite, or beyond the range of float32."""
    infinite: int
    """Those of `missing` that are infinite or beyond the range of float32."""
    rounded: int
    """Cells with a whole number that float32 cannot hold, and that is rounded."""


class Source(Protocol):
    """An AnnData object, opened with one of its matrices chosen.

    `var` belongs to that matrix: with ``raw`` it is ``adata.raw.var``.
    """

    @property
    def name(self) -> str:
        """File name without ending, or "anndata" for an object in memory."""

    @property
    def n_cells(self) -> int:
        """Number of rows."""

    @property
    def n_genes(self) -> int:
        """Number of columns of the chosen matrix."""

    @property
    def n_values(self) -> int:
        """Values that the chosen matrix stores: its non-zero ones when it is sparse."""

    @property
    def matrix_name(self) -> str:
        """`X`, `layer:NAME` or `raw`."""

    @property
    def matrix_kind(self) -> str:
        """For people: "CSR float32"."""

    @property
    def cell_names(self) -> NDArray[np.object_]:
        """The index of obs as text, shape (n_cells,)."""

    @property
    def gene_names(self) -> NDArray[np.object_]:
        """The index of var as text, shape (n_genes,)."""

    @property
    def obs_columns(self) -> Sequence[str]:
        """Names, in order."""

    @property
    def var_columns(self) -> Sequence[str]:
        """Names, in order."""

    @property
    def obsm_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each array or table of obsm, in order."""

    @property
    def obsm_passed_over(self) -> dict[str, str]:
        """Entries of obsm that are no arrays of numbers, and what they are: "an awkward array"."""

    @property
    def layers(self) -> Sequence[str]:
        """Names of the layers."""

    @property
    def has_raw(self) -> bool:
        """Whether there is a `raw`."""

    def obs(self, column: str) -> pd.Series[Any]:
        """One column of obs, all cells. KeyError when there is none."""

    def var(self, column: str) -> pd.Series[Any]:
        """One column of var. KeyError when there is none."""

    def obsm_columns(self, key: str) -> tuple[str, ...]:
        """Names of the numeric columns of an obsm entry that is a table; empty for an array."""

    def obsm(self, key: str) -> NDArray[np.float64]:
        """Return x and y of an obsm entry, shape (n_cells, 2). KeyError when there is none.

        In a table, names decide which columns those are (:func:`~karospace_jupyter.source.axis_names.choose_axes`);
        in an array they are the first two.
        """

    def uns(self, *path: str) -> Any:  # noqa: ANN401 - uns holds anything
        """Return a value of uns: arrays as numpy, groups as dict of names to None; None when there is none."""

    def uns_shape(self, *path: str) -> tuple[int, ...] | None:
        """Return the shape of an array of uns without reading it; None when there is none."""

    def sample(self) -> Sample:
        """Return some cells with all genes (or some genes with all cells), from all over the chosen matrix."""

    def with_matrix(self, matrix: MatrixSpec) -> Source:
        """Return the same data with another matrix chosen; closing it closes nothing.

        :class:`~karospace_jupyter.errors.GenesError` when there is no such matrix, or it cannot be read.
        """

    def statistics(
        self, rows: Rows, scale: Scale, job: Job = ..., *, variance: bool = True, log_base: float | None = None
    ) -> GeneStatistics:
        """Mean and variance of every gene, in one pass; without `variance` (NaN then) it takes half the time.

        Missing values count neither as a cell of a gene nor in the total of a cell. `log_base` is the base that
        ``expm1`` undoes; None is the natural logarithm.
        """

    def genes(self, indices: NDArray[np.int64], rows: Rows, job: Job = ...) -> Iterator[GeneVector]:
        """Values of the chosen genes, in ascending position, with memory bounded by the budget."""

    def check_unchanged(self) -> None:
        """Raise :class:`~karospace_jupyter.errors.SourceError` when the data changed since it was opened."""

    def close(self) -> None:
        """Release the file."""
