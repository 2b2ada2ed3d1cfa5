"""Ranking genes by variability: what the file says, else computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from karospace_jupyter.job import Job
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

BINS = 20
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
    score = _stored_score(source)
    notes: list[str] = []
    if n > n_flagged:
        if score is None:
            computed, said = _computed(source, source.n_genes, rows, job)
            score = np.zeros(len(flagged))
            score[computed] = -np.arange(len(computed))
            notes += said
        rest = f"the next {n - n_flagged:,} by score were added"
        notes.append(f"{n_flagged:,} genes are marked as highly variable; {rest}.")
    order = np.lexsort((-score if score is not None else np.zeros(len(flagged)), ~flagged))
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


def _stored_score(source: Source) -> NDArray[np.float64] | None:
    """Higher is better; NaN becomes the lowest."""
    if "highly_variable_rank" in source.var_columns:
        rank = pd.to_numeric(source.var("highly_variable_rank"), errors="coerce").to_numpy(dtype=np.float64)
        return np.where(np.isnan(rank), -np.inf, -rank)
    for name in _SCORES:
        if name in source.var_columns:
            score = pd.to_numeric(source.var(name), errors="coerce").to_numpy(dtype=np.float64)
            return np.where(np.isnan(score), -np.inf, score)
    return None


def _computed(source: Source, n: int, rows: Rows, job: Job) -> tuple[NDArray[np.int64], list[str]]:
    if source.looks_like_counts():
        found = source.statistics(rows, "normalised", job)
        note = (
            f"The matrix {source.matrix_name} holds counts: variable genes were ranked on log1p of the counts "
            "normalised to 10,000 a cell."
        )
    else:
        with np.errstate(over="ignore"):
            found = source.statistics(rows, "expm1", job)
        note = "Variable genes were ranked by Seurat's normalised dispersion of the log1p values."
    score: NDArray[np.float64] | None = None
    if np.all(found.mean >= 0):
        score = seurat_dispersion(found.mean, found.variance)
    if score is None or not np.isfinite(found.mean).all() or not np.isfinite(found.variance).all():
        found = source.statistics(rows, "as_is", job)
        score = found.variance
        note = f"The values of {source.matrix_name} are neither counts nor log1p: genes were ranked by variance."
    order = np.argsort(-np.where(np.isnan(score), -np.inf, score), kind="stable")
    return order[:n].astype(np.int64), [note]


def seurat_dispersion(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Dispersion of each gene, normalised within 20 bins of its mean.

    Parameters
    ----------
    mean, variance
        Of the values before log1p, shape (n_genes,).

    Returns
    -------
    Shape (n_genes,), NaN for a gene without dispersion.
    """
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
