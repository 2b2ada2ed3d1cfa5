"""Rank genes by variability: as stored in the file, otherwise computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.config import MatrixLayer, MatrixRaw, MatrixX
from karospace_jupyter.errors import GenesError, KaroSpaceError
from karospace_jupyter.plan.loess import loess
from karospace_jupyter.plan.matrix_values import LARGEST_LOG1P, matrix_values

if TYPE_CHECKING:
    from karospace_jupyter.config import MatrixSpec
    from karospace_jupyter.job import Job
    from karospace_jupyter.plan.model import MatrixValues
    from karospace_jupyter.source import GeneStatistics, Source
    from karospace_jupyter.source.protocol import Rows

BINS = 20
_GENES_SAMPLED = 16
_MIN_DETECTED, _DETECTED_SHARE = 10, 0.01
"""Genes detected in fewer cells, or in a smaller share of the cells, come last: their variance is noise."""
_SCORES = ("dispersions_norm", "variances_norm", "residual_variances", "dispersions", "variances")


def rank_variable_genes(
    source: Source, n: int, values: MatrixValues, rows: Rows, job: Job, *, requested: bool
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the `n` most variable genes, best first, and notes on how they were ranked.

    If ``var['highly_variable']`` exists, its genes come first, ordered by the stored rank or dispersion. Otherwise,
    counts are ranked by their standardized variance (Stuart et al., Cell 2019; flavor ``seurat_v3`` in scanpy) and
    log1p values by Seurat's dispersion (Satija et al., Nature Biotechnology 2015; flavor ``seurat``). Genes that are
    detected in less than 1% of the cells, or in fewer than 10, come last, even among flagged genes unless all of
    them are exported.

    Parameters
    ----------
    values
        The kind of values in the matrix. The variance of scaled values is meaningless, so their genes are ranked by
        another matrix of the same data; if there is none, the first `n` genes are returned.
    requested
        Whether the user requested variable genes. In that case, scaled values without flags are an error.

    Raises
    ------
    GenesError
        If variable genes were requested and the matrix cannot rank them.
    """
    flagged = marked_genes(source)
    scaled = _unrankable(source, values)
    if scaled and n >= source.n_genes:
        return np.arange(source.n_genes, dtype=np.int64), []
    if flagged is None:
        if scaled:
            if requested:
                raise GenesError(cannot_rank(source))
            return _ranked_elsewhere(source, n, rows, job)
        return _computed(source, n, values, rows, job)
    n_flagged = int(flagged.sum())
    level = np.zeros(len(flagged))
    rank, score = _stored_rank(source), _stored_score(source)
    notes: list[str] = []
    if n > n_flagged:
        if score is None and scaled:
            notes.append(
                f"{n_flagged:,} genes are marked as highly variable, and only those are exported: the values of "
                f"{source.matrix_name} are scaled, so the other genes cannot be ranked."
            )
            n = n_flagged
        else:
            if score is None:
                computed, new_notes = _computed(source, source.n_genes, values, rows, job)
                score = np.zeros(len(flagged))
                score[computed] = -np.arange(len(computed))
                if rank is None:
                    rank = np.where(flagged, level, -np.inf)  # flagged genes keep the order of var
                notes += new_notes
            rest = f"the next {n - n_flagged:,} by score were added"
            notes.append(f"{n_flagged:,} genes are marked as highly variable; {rest}.")
    rare = np.zeros(len(flagged), dtype=bool)
    if n < n_flagged:  # if the file holds only variable genes, the flags exclude nothing
        found = source.statistics(rows, "as_is", job)
        rare = rarely_detected(found.detected, found.present)
    # Ranks are stored for flagged genes only; the score orders the others.
    order = np.lexsort((-(level if score is None else score), -(level if rank is None else rank), rare, ~flagged))
    return order[:n].astype(np.int64), notes


def cannot_rank(source: Source) -> str:
    """Explain why scaled values cannot rank genes, and what to use instead."""
    others = [label for label, _, _ in _other_matrices(source)]
    instead = f"Read another matrix ({', '.join(others)}), or export" if others else "Export"
    return (
        f"The values of {source.matrix_name} are scaled (each gene was centered or scaled to a fixed variance), so "
        "their variance does not show which genes vary, and var has no column highly_variable. "
        f"{instead} a list of genes or all genes; or compute highly_variable before scaling and store it in var."
    )


def _unrankable(source: Source, values: MatrixValues) -> bool:
    """Return whether values were scaled. Pearson residuals can rank genes although they are centered, too."""
    residuals = source.matrix_name == "X" and source.uns("pearson_residuals_normalization") is not None
    return values.kind == "scaled" and not residuals


def _other_matrices(source: Source) -> list[tuple[str, Source, MatrixValues]]:
    """Return the other matrices that can rank genes, counts first."""
    specs: list[MatrixSpec] = [MatrixX(), *map(MatrixLayer, source.layers)]
    if source.has_raw:
        specs.append(MatrixRaw())
    found: list[tuple[str, Source, MatrixValues]] = []
    for spec in specs:
        try:
            other = source.with_matrix(spec)
        except KaroSpaceError:  # missing or damaged; not an error because it was not requested
            continue
        if other.matrix_name == source.matrix_name or other.n_genes == 0:
            continue
        values = matrix_values(other)
        if values.kind in {"counts", "log1p"}:
            label = f"layer {spec.name!r}" if spec.kind == "layer" else spec.kind
            found.append((label, other, values))
    return sorted(found, key=lambda item: item[2].kind != "counts")


def _ranked_elsewhere(source: Source, n: int, rows: Rows, job: Job) -> tuple[NDArray[np.int64], list[str]]:
    """Rank the genes of a scaled matrix by another matrix of the same cells, or return the first `n`."""
    position = pd.Series(np.arange(source.n_genes), index=source.gene_names)
    position = position[~position.index.duplicated()]
    for label, other, values in _other_matrices(source):
        order, _ = _computed(other, other.n_genes, values, rows, job)
        names = other.gene_names[order]
        known = position.reindex(names[pd.Index(names).isin(position.index)])
        indices = known.drop_duplicates().to_numpy(dtype=np.int64)
        if len(indices) >= n:
            note = f"The values of {source.matrix_name} are scaled, so variable genes were ranked by {label} instead."
            return indices[:n], [note]
    note = (
        f"The first {n:,} of {source.n_genes:,} genes are exported, in the order of var: the values of "
        f"{source.matrix_name} are scaled, so their variance does not show which genes vary, and the data has no "
        "column highly_variable, no counts and no log1p values. List the genes, or export all."
    )
    return np.arange(n, dtype=np.int64), [note]


def marked_genes(source: Source) -> NDArray[np.bool_] | None:
    """Return which genes ``var['highly_variable']`` marks, shape (n_genes,); None if it marks none."""
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
    """Return the negated rank: higher is better; genes without a rank are last."""
    if "highly_variable_rank" not in source.var_columns:
        return None
    rank = pd.to_numeric(source.var("highly_variable_rank"), errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isnan(rank), -np.inf, -rank)


def _stored_score(source: Source) -> NDArray[np.float64] | None:
    """Return the score: higher is better; NaN becomes the lowest."""
    for name in _SCORES:
        if name in source.var_columns:
            score = pd.to_numeric(source.var(name), errors="coerce").to_numpy(dtype=np.float64)
            return np.where(np.isnan(score), -np.inf, score)
    return None


def _computed(
    source: Source, n: int, values: MatrixValues, rows: Rows, job: Job
) -> tuple[NDArray[np.int64], list[str]]:
    score: NDArray[np.float64] | None = None
    note = f"The values of {source.matrix_name} are neither counts nor log1p: genes were ranked by variance."
    if values.kind == "counts":
        found = source.statistics(rows, "as_is", job)
        if (found.mean[found.variance > 0] > 0).all():  # otherwise, values outside of the sample are negative
            score = _variance_of_counts(source, found, rows, job)
            note = (
                f"The matrix {source.matrix_name} holds counts: genes were ranked by their standardized variance, as "
                "by Seurat's method vst (flavor seurat_v3 in scanpy)."
            )
    elif values.kind == "log1p" or (values.kind == "other" and _may_be_log1p(source, rows, job)):
        found = source.statistics(rows, "expm1", job, log_base=values.log_base)
        score = _dispersion(found)
        if score is not None:
            base = "" if values.log_base is None else f" of base {values.log_base:g}"
            note = f"Variable genes were ranked by Seurat's normalized dispersion, taking the values as log1p{base}."
    if score is None:
        found = source.statistics(rows, "as_is", job)
        score = found.variance
    return most_variable_first(score, found.detected, found.present)[:n], [note]


def most_variable_first(
    score: NDArray[np.float64], detected: NDArray[np.int64], present: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return positions of genes by descending score; those without a score, then rarely detected ones, come last."""
    order = np.lexsort((-np.where(np.isnan(score), -np.inf, score), rarely_detected(detected, present)))
    return order.astype(np.int64)


def rarely_detected(detected: NDArray[np.int64], present: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each gene whether it is detected in so few of the cells with a value that its variance is noise."""
    return np.asarray(detected < np.maximum(_MIN_DETECTED, _DETECTED_SHARE * present))


def _dispersion(found: GeneStatistics) -> NDArray[np.float64] | None:
    measured = found.present > 0
    mean, variance = found.mean[measured], found.variance[measured]
    usable = np.isfinite(mean).all() and np.isfinite(variance).all() and (mean >= 0).all()
    return seurat_dispersion(found.mean, found.variance) if usable else None


def _variance_of_counts(source: Source, found: GeneStatistics, rows: Rows, job: Job) -> NDArray[np.float64]:
    """Return the variance of each gene's standardized and clipped counts; NaN for a constant gene.

    The expected standard deviation at the mean of a gene comes from a regression over all genes. Counts more than
    sqrt(n_cells) deviations above the mean are clipped, so that a few cells cannot dominate (Stuart et al., Cell 2019).
    """
    varied = found.variance > 0
    deviation = np.full(len(varied), np.nan)
    fitted = loess(np.log10(found.mean[varied]), np.log10(found.variance[varied])) if varied.any() else np.empty(0)
    deviation[varied] = np.sqrt(10**fitted)
    n = found.present
    ceiling = np.where(varied, found.mean + deviation * np.sqrt(n), np.inf)
    clipped = source.statistics(rows, "as_is", job, ceiling=ceiling)
    squares = clipped.variance * (n - 1) + n * (clipped.mean - found.mean) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(squares / ((n - 1) * deviation**2))


def _may_be_log1p(source: Source, rows: Rows, job: Job) -> bool:
    """Return whether a sample of genes has only values from 0 to `LARGEST_LOG1P`.

    Means would not show this: expm1 of standardized values has a positive mean.
    """
    sampled = np.unique(np.linspace(0, source.n_genes - 1, _GENES_SAMPLED).astype(np.int64))
    return all(
        float(np.nanmin(gene.values, initial=0.0)) >= 0 and float(np.nanmax(gene.values, initial=0.0)) <= LARGEST_LOG1P
        for gene in source.genes(sampled, rows, job)
    )


def seurat_dispersion(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the dispersion of each gene, normalized within 20 bins of mean expression.

    Parameters
    ----------
    mean, variance
        Of the values before log1p, shape (n_genes,); NaN for a gene without values.

    Returns
    -------
    numpy.ndarray
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
    # A bin with a single gene has no spread; like scanpy and Seurat, give this gene a score of 1.
    alone = spread.isna()
    spread = spread.mask(alone, average)
    average = average.mask(alone, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((frame["score"] - average) / spread, dtype=np.float64)
