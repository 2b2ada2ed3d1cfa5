"""Compute statistics of all genes of an AnnData object, which the viewer uses to sort its gene list."""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING

import numpy as np

from karospace_jupyter.encode.variability import Moments, variability_ranks
from karospace_jupyter.job import Job
from karospace_jupyter.plan.matrix_values import matrix_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from karospace_jupyter.plan.model import MatrixValues
    from karospace_jupyter.source import Source

MEMORY_BYTES = 8 * 2**20
"""The matrix is read in blocks of an eighth of this."""


class LiveStatistics:
    """Statistics of one matrix, computed on the first request and then kept.

    Parameters
    ----------
    opened
        Opens the matrix.
    values
        The kind of its values; None to determine it from a sample, which takes memory.
    rows
        The rows of the cells to include, ascending; None for all.
    """

    def __init__(
        self, opened: Callable[[], Source], values: MatrixValues | None, rows: NDArray[np.int64] | None
    ) -> None:
        self._opened, self._values, self._rows = opened, values, rows
        self._job = Job()
        self._lock = threading.Lock()
        self._encoded: bytes | None = None

    def read(self) -> bytes:
        """Return the mean, the share of cells with a nonzero value and the variability rank of each gene.

        They cover the cells with a value, as in the manifest of a bundle.

        Returns
        -------
        bytes
            Gzipped JSON with lists in the order of the genes: ``mean`` and ``fraction``, null where no cell has a
            value, and ``rank``, which is null for values that do not show which genes vary.

        Raises
        ------
        Cancelled
            If :meth:`cancel` was called after the request.
        """
        job = self._job
        with self._lock:  # further requests wait for the first
            job.check()
            if self._encoded is None:
                self._encoded = self._computed(job)
            return self._encoded

    def cancel(self) -> None:
        """Cancel all current requests."""
        self._job.cancel()
        self._job = Job()

    def _computed(self, job: Job) -> bytes:
        source = self._opened()
        try:
            values = self._values or matrix_values(source)
            found = source.statistics(self._rows, "as_is", job)
            compared = found
            if values.kind == "log1p":  # ranks compare the values before log1p
                compared = source.statistics(self._rows, "expm1", job, log_base=values.log_base)
        finally:
            source.close()
        variance = np.where(compared.present < 2, np.nan, compared.variance)
        mean = np.where(compared.present < 2, np.nan, compared.mean)
        columns = mean.tolist(), variance.tolist(), compared.detected.tolist(), compared.present.tolist()
        ranks = variability_ranks([Moments(*one) for one in zip(*columns, strict=True)], values)
        fraction = found.detected / np.maximum(found.present, 1)
        known = (found.present > 0) & np.isfinite(found.mean)
        listed = {"mean": _listed(found.mean, known), "fraction": _listed(fraction, known), "rank": ranks}
        return gzip.compress(json.dumps(listed, separators=(",", ":")).encode(), 6, mtime=0)


def _listed(values: NDArray[np.float64], known: NDArray[np.bool_]) -> list[float | None]:
    # Six digits are more than the page shows.
    return [float(f"{value:.6g}") if there else None for value, there in zip(values, known, strict=True)]
