"""Choose the genes to export, their order and their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.config import DEFAULT_GENES, GenesSpec, ListedGenes
from karospace_jupyter.errors import GenesError
from karospace_jupyter.formatting import counted, nearest
from karospace_jupyter.plan.hvg import rank_variable_genes
from karospace_jupyter.plan.model import MatrixValues, PlannedGenes
from karospace_jupyter.plan.names import as_text, listed, make_unique

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.job import Job
    from karospace_jupyter.source import Source
    from karospace_jupyter.source.protocol import Rows

LABEL_COLUMNS = (
    "gene_symbols", "gene_symbol", "gene_name", "gene_names", "feature_name", "symbol", "symbols", "name",
    "features", "gene_short_name", "gene_ids", "gene_id", "ensembl_id", "ensembl", "ensembl_ids", "feature_id",
    "alias", "aliases", "alias_symbol", "alias_symbols", "gene_alias", "gene_aliases",
    "synonym", "synonyms", "gene_synonym", "gene_synonyms",
    "previous_symbol", "previous_symbols", "prev_symbol", "prev_symbols",
)  # fmt: skip
"""Columns of var with alternative names of genes, ignoring case; a value may list several: `A|B`, `A,B`, `A;B`."""

_SEPARATOR = re.compile(r"[|;,]")


def choose_genes(
    source: Source,
    spec: GenesSpec,
    values: MatrixValues,
    rows: Rows,
    job: Job,
    added: int | None = None,
    of_sets: NDArray[np.int64] | None = None,
) -> tuple[PlannedGenes, list[str]]:
    """Resolve the requested genes.

    Parameters
    ----------
    added
        Position in var of a gene to add; None if there is none.
    of_sets
        Positions in var of the genes of gene sets, to add; None if there are none.

    Returns
    -------
    tuple of PlannedGenes and list of str
        The genes, and warnings.

    Raises
    ------
    GenesError
        If there are no genes, a listed one does not exist, or variable genes are requested for scaled values.
    """
    if source.n_genes == 0:
        msg = f"The matrix {source.matrix_name} has no genes. Choose another matrix."
        raise GenesError(msg)
    names, changed = make_unique(as_text(source.gene_names))
    warnings = []
    if changed:
        warnings.append(
            f"{counted(changed, 'gene name is a duplicate', 'gene names are duplicates')}: a suffix makes them unique."
        )
    labels = _labels(source)
    indices: NDArray[np.int64]
    if isinstance(spec, ListedGenes):
        indices, new_warnings = _listed_genes(spec, names, labels)
        warnings += new_warnings
    elif spec.kind == "all":
        indices = np.arange(source.n_genes, dtype=np.int64)
    else:
        if spec.n > source.n_genes and spec != DEFAULT_GENES:
            warnings.append(f"All {source.n_genes:,} genes are exported; {spec.n:,} were requested.")
        n = min(spec.n, source.n_genes)
        if spec.kind == "top_mean":
            mean = source.statistics(rows, "as_is", job, variance=False).mean
            indices = np.argsort(-mean, kind="stable")[:n].astype(np.int64)  # NaN (no values) sorts last
        else:
            indices, new_warnings = rank_variable_genes(source, n, values, rows, job, requested=spec != DEFAULT_GENES)
            warnings += new_warnings
    more = of_sets[~np.isin(of_sets, indices)] if of_sets is not None else indices[:0]
    if len(more) > 0:
        indices = np.concatenate([indices, more])
        verb = "was" if len(more) == 1 else "were"
        warnings.append(f"{counted(len(more), 'gene')} of gene sets {verb} added to the export.")
    if added is not None and added not in indices:
        indices = np.append(indices, added)
        warnings.append(f"The gene {names[added]!r} was added to the export because it is the initial color.")
    shown = tuple(names[indices].tolist())
    return PlannedGenes(indices, shown, _informative_labels(labels, shown, indices)), warnings


def all_names(source: Source) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Return the unique names of all genes, and their alternative names: (column of var, one text per gene)."""
    names = tuple(make_unique(as_text(source.gene_names))[0].tolist())
    return names, _informative_labels(_labels(source), names, slice(None))


def _informative_labels(
    labels: dict[str, NDArray[np.object_]], shown: tuple[str, ...], indices: NDArray[np.int64] | slice
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the labels of the chosen genes, without columns that are empty or only repeat the names."""
    chosen = [(column, tuple(text[indices].tolist())) for column, text in labels.items()]
    return tuple((column, texts) for column, texts in chosen if any(texts) and texts != shown)


def _labels(source: Source) -> dict[str, NDArray[np.object_]]:
    found = {}
    named = {usual: [c for c in source.var_columns if c.lower().replace(" ", "_") == usual] for usual in LABEL_COLUMNS}
    for column in (column for columns in named.values() for column in columns):
        values = source.var(column)
        dtype = values.dtype.categories.dtype if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
            continue
        text = as_text(values)
        text[values.isna().to_numpy()] = ""
        found[column] = text
    return found


def _listed_genes(
    spec: ListedGenes, names: NDArray[np.object_], labels: dict[str, NDArray[np.object_]]
) -> tuple[NDArray[np.int64], list[str]]:
    indices, unknown, several = _find(spec.names, names, labels)
    if unknown:
        raise GenesError(_unknown(spec, unknown, names, labels))
    warnings = []
    if several:
        warnings.append(f"Several genes are named {listed(several)}; the first one of each name is exported.")
    unique = list(dict.fromkeys(indices))
    if len(unique) < len(indices):
        repeated = counted(len(indices) - len(unique), "duplicate name")
        warnings.append(f"{repeated} in {spec.origin} {'was' if len(indices) - len(unique) == 1 else 'were'} ignored.")
    return np.array(unique, dtype=np.int64), warnings


def _find(
    wanted: Sequence[str], names: NDArray[np.object_], labels: dict[str, NDArray[np.object_]]
) -> tuple[list[int], list[str], list[str]]:
    """Return the positions of the genes found, the names not found, and the names that match several genes."""
    lookups = [_positions(names), *(_positions(text) for text in labels.values())]
    lookups += [_positions(text, several=True) for text in labels.values()]
    # Finally, try Ensembl IDs with and without their version (ENSG00000141510.18).
    lookups += [
        _positions(np.array([_unversioned(t) for t in text], dtype=object)) for text in (names, *labels.values())
    ]
    indices: list[int] = []
    unknown: list[str] = []
    several: list[str] = []
    for name in wanted:
        hits = next((lookup[name] for lookup in lookups if name in lookup), None)
        if hits is None and _unversioned(name) != name:
            hits = next((lookup[_unversioned(name)] for lookup in lookups if _unversioned(name) in lookup), None)
        if hits is None:
            unknown.append(name)
            continue
        if len(hits) > 1:
            several.append(name)
        indices.append(hits[0])
    return indices, unknown, several


def gene_at(source: Source, name: str) -> int | None:
    """Return the position in var of the gene with this name or symbol; None if there is none."""
    found, _, _ = _find([name], make_unique(as_text(source.gene_names))[0], _labels(source))
    return found[0] if found else None


def find_genes(source: Source, wanted: Sequence[str]) -> tuple[NDArray[np.object_], dict[str, int], list[str]]:
    """Find genes by name or symbol.

    Returns
    -------
    tuple
        The unique names of all genes, the position in var of each gene that was found, and the names that match
        several genes.
    """
    names = make_unique(as_text(source.gene_names))[0]
    indices, unknown, several = _find(wanted, names, _labels(source))
    missing = set(unknown)
    return names, dict(zip((name for name in wanted if name not in missing), indices, strict=True)), several


def unknown_genes(source: Source, wanted: Sequence[str], limit: int = 20) -> list[tuple[str, list[str]]]:
    """Return the first names that match no gene of `source`, each with the most similar names and symbols."""
    names = make_unique(as_text(source.gene_names))[0]
    labels = _labels(source)
    unknown = _find(wanted, names, labels)[1][:limit]
    known = [*names.tolist(), *(text for column in labels.values() for text in column.tolist() if text)]
    return [(name, nearest(name, known)) for name in unknown]


def _positions(text: NDArray[np.object_], *, several: bool = False) -> dict[str, list[int]]:
    """Map each name to its genes; with `several`, split each value into the names that it lists."""
    found: dict[str, list[int]] = {}
    for i, name in enumerate(text):
        for one in dict.fromkeys(part.strip() for part in _SEPARATOR.split(name)) if several else (name,):
            if one:
                found.setdefault(one, []).append(i)
    return found


def _unversioned(name: str) -> str:
    stem, dot, version = name.rpartition(".")
    return stem if dot and version.isdigit() and stem.startswith("ENS") else name


def _unknown(
    spec: ListedGenes, unknown: list[str], names: NDArray[np.object_], labels: dict[str, NDArray[np.object_]]
) -> str:
    known = [*names.tolist(), *(text for column in labels.values() for text in column.tolist() if text)]
    lines = []
    for name in unknown[:10]:
        near = nearest(name, known)
        lines.append(f"  {name}" + (f" (similar: {', '.join(near)})" if near else ""))
    more = f"\n  … and {len(unknown) - 10:,} more" if len(unknown) > 10 else ""
    verb = "was" if len(unknown) == 1 else "were"
    return (
        f"{len(unknown):,} of {counted(len(spec.names), 'gene')} in {spec.origin} {verb} not found, neither by name "
        f"nor by symbol:\n" + "\n".join(lines) + more
    )
