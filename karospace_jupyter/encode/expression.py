"""Encode expression: one float32 vector per gene, with a summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.compress import Method, best_method
from karospace_jupyter.bundle.manifest import AssetFile, Expression, GeneEntry, Values
from karospace_jupyter.bundle.summary import summarize
from karospace_jupyter.encode.variability import Moments, moments, variability_ranks
from karospace_jupyter.formatting import counted
from karospace_jupyter.plan.names import listed
from karospace_jupyter.source.values import LARGEST_EXACT

if TYPE_CHECKING:
    from concurrent.futures import Future

    from karospace_jupyter.encode.pack import Packer
    from karospace_jupyter.job import Job
    from karospace_jupyter.plan import Plan
    from karospace_jupyter.source import Source

FORMAT = "per_gene_float32_v1"


@dataclass(frozen=True, slots=True)
class MissingValues:
    """Missing and inexact values of the exported genes."""

    nan: tuple[tuple[str, int], ...]
    """Genes with NaN in the source, and the number of cells."""
    infinite: tuple[tuple[str, int], ...]
    """Genes with values that are infinite or beyond the range of float32, and the number of cells."""
    rounded: tuple[tuple[str, int], ...]
    """Genes with integers that float32 cannot represent exactly, and the number of cells."""

    def warnings(self) -> list[str]:
        """Return one warning for each kind that occurs."""
        warnings = []
        if self.nan:
            warnings.append(f"{_genes(self.nan, 'missing values (NaN)')}. They remain missing.")
        if self.infinite:
            what = "values that are infinite or beyond the range of float32"
            warnings.append(f"{_genes(self.infinite, what)}. They are exported as missing.")
        if self.rounded:
            what = f"integers beyond {LARGEST_EXACT:,} that float32 cannot represent exactly"
            warnings.append(f"{_genes(self.rounded, what)}. They are rounded.")
        return warnings


def _genes(found: tuple[tuple[str, int], ...], what: str) -> str:
    most = sorted(found, key=lambda one: -one[1])
    examples = listed([f"{gene} in {counted(n, 'cell')}" for gene, n in most])
    return f"{counted(len(found), 'gene has', 'genes have')} {what}: {examples}"


def encode_expression(
    plan: Plan, source: Source, packer: Packer, max_bytes: int, job: Job, *, keep: int | None = None
) -> tuple[Expression, list[AssetFile], MissingValues, NDArray[np.float32] | None]:
    """Write every gene of the plan.

    Returns
    -------
    tuple
        The expression entry of the manifest, the files, the missing values, and the values of the gene at position
        `keep` in var, which need not be in the plan.
    """
    names = plan.genes.names
    kept: NDArray[np.float32] | None = None
    exported = plan.genes.indices
    # In the same pass over the matrix: reading a single gene of a matrix by row takes as long as reading all.
    indices = exported if keep is None or keep in exported else np.append(exported, keep)

    def encode_gene(position: int, values: NDArray[np.float32]) -> tuple[GeneEntry, list[AssetFile], Moments]:
        stem = f"assets/expression/gene_{position:05d}_part_{{:03d}}.bin"
        little = np.ascontiguousarray(values, dtype="<f4")
        method = best_method(little) if packer.gzip else Method.QUICK
        chunks, files = packer.pack_vector("expression_chunk", stem, little, 4, max_bytes, method)
        entry = GeneEntry(gene=names[position], index=position, chunks=chunks, summary=summarize(values))
        return entry, files, moments(values, plan.values)

    done: list[Future[tuple[GeneEntry, list[AssetFile], Moments]]] = []
    nan: list[tuple[str, int]] = []
    infinite: list[tuple[str, int]] = []
    rounded: list[tuple[str, int]] = []
    with job.stage("Writing genes", len(names), "genes") as stage:
        for vector in source.genes(indices, plan.cells.rows, job):
            if indices[vector.position] == keep:
                kept = vector.values.copy()  # it may be a view of a block of genes
            if vector.position == len(names):
                continue
            name = names[vector.position]
            if vector.missing > vector.infinite:
                nan.append((name, vector.missing - vector.infinite))
            if vector.infinite:
                infinite.append((name, vector.infinite))
            if vector.rounded:
                rounded.append((name, vector.rounded))
            done.append(packer.run(lambda p=vector.position, v=vector.values: encode_gene(p, v)))  # type: ignore[misc]  # defaults bind the loop's values
            if len(done) > 16:  # raise errors of the threads early, not after the last gene
                done[-16].result()
            stage.advance()
        entries, files, statistics = [], [], []
        for future in done:
            entry, written, found = future.result()
            entries.append(entry)
            files += written
            statistics.append(found)
    ranks = variability_ranks(statistics, plan.values)
    if ranks is not None:
        entries = [
            entry.model_copy(update={"variability_rank": rank}) for entry, rank in zip(entries, ranks, strict=True)
        ]
    expression = Expression(
        format=FORMAT,
        dtype="float32",
        n_cells=plan.cells.n,
        gzip=packer.gzip,
        genes=entries,
        source=plan.matrix_name,
        values=Values(kind=plan.values.kind, log_base=plan.values.log_base),
    )
    return expression, files, MissingValues(tuple(nan), tuple(infinite), tuple(rounded)), kept
