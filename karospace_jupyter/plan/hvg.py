"""Ranking genes by variability: what the file says, else computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from karospace_jupyter.job import Job
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

BINS = 20
LARGEST_LOG1P = 30.0
"""log1p of the largest counts there are stays below; what is larger was not log-transformed."""
_GENES_LOOKED_AT = 16
_SCORES = ("dispersions_norm", "variances_norm", "residual_variances", "dispersions", "variances")


def rank_variable_genes(source: Source, n: int, rows: Rows, job: Job) -> tuple[NDArray[np.int64], list[str]]:
    """Return the `n` most variable genes, best first, and how they were found.

    ``var['highly_variable']`` decides where it is present, ordered by its rank or dispersion; else Seurat's
    dispersion is computed (Satija et al., Nature Biotechnology 2015), as scanpy does.
    """
    flagged = _flagged(source)
    if flagged is None:
        return _computed(source, n, rows, job)
    n_flagged = int(flagged.sum())
    level = np.zeros(len(flagged))
    rank, score = _stored_rank(source), _stored_score(source)
    notes: list[str] = []
    if n > n_flagged:
        if score is None:
            computed, said = _computed(source, source.n_genes, rows, job)
            score = np.zeros(len(flagged))
            score[computed] = -np.arange(len(computed))
            if rank is None:
                rank = np.where(flagged, level, -np.inf)  # the flagged ones keep the order of var
            notes += said
        rest = f"the next {n - n_flagged:,} by score were added"
        notes.append(f"{n_flagged:,} genes are marked as highly variable; {rest}.")
    # A rank is stored for flagged genes only; a score orders the others.
    order = np.lexsort((-(level if score is None else score), -(level if rank is None else rank), ~flagged))
    return order[:n].astype(np.int64), notes


def _flagged(source: Source) -> NDArray[np.bool_] | None:
    if "highly_variable" not in source.var_columns:
        return None
    values = source.var("highly_variable")
    if not pd.api.types.is_bool_dtype(values.dtype):
        text = values.astype(str).str.lower()
        if not text.isin(["true", "false", "nan", "none"]).all():
            return None
        flagged = (text == "true").to_numpy()
    else:
        flagged = values.to_numpy(dtype=bool, na_value=False)
    return flagged if flagged.any() else None


def _stored_rank(source: Source) -> NDArray[np.float64] | None:
    """Higher is better; a gene without a rank comes last."""
    if "highly_variable_rank" not in source.var_columns:
        return None
    rank = pd.to_numeric(source.var("highly_variable_rank"), errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isnan(rank), -np.inf, -rank)


def _stored_score(source: Source) -> NDArray[np.float64] | None:
    """Higher is better; NaN becomes the lowest."""
    for name in _SCORES:
        if name in source.var_columns:
            score = pd.to_numeric(source.var(name), errors="coerce").to_numpy(dtype=np.float64)
            return np.where(np.isnan(score), -np.inf, score)
    return None


def _computed(source: Source, n: int, rows: Rows, job: Job) -> tuple[NDArray[np.int64], list[str]]:
    score: NDArray[np.float64] | None = None
    if source.looks_like_counts():
        score = _dispersion(source, "normalised", rows, job)
        note = (
            f"The matrix {source.matrix_name} holds counts: variable genes were ranked on log1p of the counts "
            "normalised to 10,000 a cell."
        )
    elif _may_be_log1p(source, rows, job):
        score = _dispersion(source, "expm1", rows, job)
        note = "Variable genes were ranked by Seurat's normalised dispersion, taking the values as log1p."
    if score is None:
        score = source.statistics(rows, "as_is", job).variance
        note = f"The values of {source.matrix_name} are neither counts nor log1p: genes were ranked by variance."
    order = np.argsort(-np.where(np.isnan(score), -np.inf, score), kind="stable")
    return order[:n].astype(np.int64), [note]


def _dispersion(
    source: Source, scale: Literal["normalised", "expm1"], rows: Rows, job: Job
) -> NDArray[np.float64] | None:
    with np.errstate(over="ignore"):
        found = source.statistics(rows, scale, job)
    measured = found.present > 0
    mean, variance = found.mean[measured], found.variance[measured]
    usable = np.isfinite(mean).all() and np.isfinite(variance).all() and (mean >= 0).all()
    return seurat_dispersion(found.mean, found.variance) if usable else None


def _may_be_log1p(source: Source, rows: Rows, job: Job) -> bool:
    """Whether some genes, spread over the matrix, hold values of 0 to `LARGEST_LOG1P` only.

    Means do not tell: expm1 of standardised values has a positive mean.
    """
    some = np.unique(np.linspace(0, source.n_genes - 1, _GENES_LOOKED_AT).astype(np.int64))
    for gene in source.genes(some, rows, job):
        values = gene.values[~np.isnan(gene.values)] if gene.missing else gene.values
        if len(values) and not (float(values.min()) >= 0 and float(values.max()) <= LARGEST_LOG1P):
            return False
    return True


def seurat_dispersion(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Dispersion of each gene, normalised within 20 bins of its mean.

    Parameters
    ----------
    mean, variance
        Of the values before log1p, shape (n_genes,); NaN for a gene without any value.

    Returns
    -------
    Shape (n_genes,), NaN for a gene without dispersion.
    """
    if np.isnan(mean).all():
        return mean
    mean = np.where(mean == 0, 1e-12, mean)
    dispersion = variance / mean
    with np.errstate(divide="ignore", invalid="ignore"):
        log_dispersion = np.log(np.where(dispersion == 0, np.nan, dispersion))
    frame = pd.DataFrame({"score": log_dispersion, "bin": pd.cut(np.log1p(mean), bins=BINS)})
    groups = frame.groupby("bin", observed=True)["score"]
    average, spread = groups.transform("mean"), groups.transform("std", ddof=1)
    # A gene alone in its bin has no spread; scanpy and Seurat give it a score of 1.
    alone = spread.isna()
    spread = spread.mask(alone, average)
    average = average.mask(alone, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((frame["score"] - average) / spread, dtype=np.float64)
