"""The interface of a data source, independent of its storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.job import Job
from karospace_jupyter.source.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from karospace_jupyter.config import MatrixSpec
    from karospace_jupyter.source.entries import Entries
    from karospace_jupyter.source.obsm_values import NumericTable

Rows = NDArray[np.int64] | None
"""Positions of cells, in ascending order; None means all cells."""

Scale = Literal["as_is", "expm1"]
"""The values that statistics are computed from: the stored values, or ``expm1`` of them, which undoes log1p (of any
base)."""


@dataclass(frozen=True, slots=True)
class GeneStatistics:
    """Statistics of every gene of the matrix over the selected cells."""

    mean: NDArray[np.float64]
    """Shape (n_genes,), over the cells with a value; NaN for a gene without values."""
    variance: NDArray[np.float64]
    """Shape (n_genes,), over the same n cells, with n - 1 in the denominator."""
    present: NDArray[np.int64]
    """Shape (n_genes,): number of cells with a value."""
    detected: NDArray[np.int64]
    """Shape (n_genes,): number of cells with a value other than zero; zeros if no variance was requested."""


@dataclass(frozen=True, slots=True)
class GeneVector:
    """The values of one gene."""

    position: int
    """Position in the requested `indices`."""
    values: NDArray[np.float32]
    """Shape (n_rows,). NaN for cells without a value; never infinite."""
    missing: int
    """Number of cells without a value: NaN in the source, infinite, or beyond the range of float32."""
    infinite: int
    """Number of cells among `missing` whose value is infinite or beyond the range of float32."""
    rounded: int
    """Number of cells with an integer that was rounded, because float32 cannot represent it exactly."""


class Source(Protocol):
    """An opened AnnData object with one selected matrix.

    `var` belongs to that matrix: for ``raw``, it is ``adata.raw.var``.
    """

    @property
    def name(self) -> str:
        """File name without suffix; for an object, the notebook variable that holds it, else its file, or "anndata"."""

    @property
    def n_cells(self) -> int:
        """Number of rows."""

    @property
    def n_genes(self) -> int:
        """Number of columns of the selected matrix."""

    @property
    def n_values(self) -> int:
        """Number of stored values of the selected matrix; the non-zero values of a sparse matrix."""

    @property
    def matrix_name(self) -> str:
        """`X`, `layer:NAME` or `raw`."""

    @property
    def matrix_kind(self) -> str:
        """Description for display: "CSR float32"."""

    @property
    def cell_names(self) -> NDArray[np.object_]:
        """The index of obs as text, shape (n_cells,)."""

    @property
    def gene_names(self) -> NDArray[np.object_]:
        """The index of var as text, shape (n_genes,)."""

    @property
    def obs_columns(self) -> Sequence[str]:
        """Names of the columns of obs, in order."""

    @property
    def var_columns(self) -> Sequence[str]:
        """Names of the columns of var, in order."""

    @property
    def obsm_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each array or table of obsm, in order."""

    @property
    def obsm_others(self) -> dict[str, str]:
        """Entries of obsm that are not arrays of numbers, with their descriptions: "an awkward array"."""

    @property
    def layers(self) -> Sequence[str]:
        """Names of the layers."""

    @property
    def has_raw(self) -> bool:
        """Whether `raw` exists."""

    def obs(self, column: str) -> pd.Series[Any]:
        """Return one column of obs for all cells. Raises KeyError if it does not exist."""

    def var(self, column: str) -> pd.Series[Any]:
        """Return one column of var. Raises KeyError if it does not exist."""

    def obsm_columns(self, key: str) -> tuple[str, ...]:
        """Return the names of the numeric columns of a table in obsm; empty for an array."""

    def obsm_table(self, key: str) -> NumericTable | None:
        """Return the numeric columns of a table in obsm, each of shape (n_cells,); None for an array.

        Raises KeyError if the table does not exist.
        """

    def obsm(self, key: str) -> NDArray[np.float64]:
        """Return x and y of an entry of obsm, shape (n_cells, 2). Raises KeyError if it does not exist.

        In a table, the column names determine x and y (:func:`~karospace_jupyter.source.axis_names.choose_axes`); in
        an array, x and y are the first two columns.
        """

    def uns(self, *path: str) -> Any:  # noqa: ANN401 - uns may contain anything
        """Return a value of uns: arrays as numpy, groups as a dict of names to None; None if it does not exist."""

    def uns_shape(self, *path: str) -> tuple[int, ...] | None:
        """Return the shape of an array of uns without reading it; None if it does not exist."""

    @property
    def obsp_keys(self) -> Sequence[str]:
        """Keys of obsp."""

    def pairs(self, key: str) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield, in blocks, the pairs of cells whose value in an entry of obsp is neither zero nor NaN.

        Each block is two arrays of cell positions. Raises KeyError if the entry does not exist, and
        :class:`~karospace_jupyter.errors.PlanError` if it is not a square matrix of numbers, or is damaged.
        """

    def sample(self) -> Sample:
        """Return some cells with all genes (or some genes with all cells), spread over the selected matrix."""

    def sampled(self) -> Source:
        """Return the same data, but compute statistics and genes without a pass over the matrix.

        They cover the sampled cells (all cells if genes can be read individually), regardless of the selected rows.
        """

    def with_matrix(self, matrix: MatrixSpec) -> Source:
        """Return the same data with another selected matrix. Closing the result has no effect.

        Raises :class:`~karospace_jupyter.errors.GenesError` if the matrix does not exist or cannot be read.
        """

    def statistics(
        self,
        rows: Rows,
        scale: Scale,
        job: Job = ...,
        *,
        variance: bool = True,
        log_base: float | None = None,
        ceiling: NDArray[np.float64] | None = None,
    ) -> GeneStatistics:
        """Return statistics of every gene, computed in one pass.

        Parameters
        ----------
        variance
            Whether the variance is needed; without it, the pass takes half the time.
        log_base
            The base that ``expm1`` undoes; None is the natural logarithm.
        ceiling
            Shape (n_genes,): the maximum for each gene; larger values are clipped.
        """

    def genes(self, indices: NDArray[np.int64], rows: Rows, job: Job = ...) -> Iterator[GeneVector]:
        """Yield the values of the selected genes, in ascending position, within the memory budget."""

    @property
    def by_column(self) -> bool:
        """Whether the matrix is stored by gene (CSC)."""

    def entries(self, rows: Rows, most: int) -> Iterator[Callable[[], Entries]]:
        """Yield functions that read the parts of the matrix, in ascending order; any thread may call them.

        Together, the parts hold all genes of the selected cells. Each part has about `most` values: all genes of some
        cells or, if the matrix is stored by gene, all cells of some genes.
        """

    def check_unchanged(self) -> None:
        """Raise :class:`~karospace_jupyter.errors.SourceError` if the data changed since it was opened."""

    def close(self) -> None:
        """Release the file."""
