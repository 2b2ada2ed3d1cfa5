"""Estimate an export and check its options, for forms, without a pass over the matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from karospace_jupyter.config import TopMeanGenes, VariableGenes
from karospace_jupyter.errors import enough_memory
from karospace_jupyter.job import Job
from karospace_jupyter.plan.hvg import marked_genes
from karospace_jupyter.plan.resolve import Problems, decide

if TYPE_CHECKING:
    from karospace_jupyter.config import ExportConfig, GenesSpec
    from karospace_jupyter.plan.model import MatrixValues, Plan
    from karospace_jupyter.source import Source

_VALUES_PER_SECOND = 1.2e8
"""Values of the matrix read per second in one pass, measured on 2 cores (tests/bench); a rough estimate."""
_ARRAY_BYTES_PER_SECOND = 3e8
"""Bytes of expression, before compression, written per second."""
_PACKED_BYTES_PER_SECOND = 4e7
"""Bytes of packed genes, before compression, written per second."""
_TABLE_BYTES_PER_SECOND = 6e7
"""Bytes of text tables written per second; slower because Python formats them."""
_FILES_PER_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an export would contain, and how long it would take."""

    plan: Plan | None
    """The plan, without the parts that have problems; None if there are no coordinates. If ranking the genes takes a
    pass over the matrix, the number of genes is exact, but they are ranked by a sample."""
    seconds: float
    """On two cores; approximate."""
    problems: dict[str, str] = field(default_factory=dict)
    """For each option with a problem, why the export would fail."""


@enough_memory()
def estimate(source: Source, config: ExportConfig) -> Estimate:
    """Plan an export without a pass over the matrix; problems are returned, not raised."""
    problems = Problems(collect=True)
    ranked = isinstance(config.genes, VariableGenes | TopMeanGenes)
    plan = decide(source.sampled(), config, problems, Job.null(), genes_known=not ranked, exact_neighbors=False)
    if plan is None:
        return Estimate(None, 0.0, problems.found)
    n_genes = len(plan.genes.names)
    passes = min(1, n_genes) + _ranking_passes(source, config.genes, plan.values)
    # Assume that additional matrices have about as many values.
    passes += len(plan.all_packed) * (1 + source.by_column)
    arrays = 4 * plan.cells.n * n_genes
    seconds = 0.3 + passes * source.n_values / _VALUES_PER_SECOND + plan.predicted_files / _FILES_PER_SECOND
    packed = sum(one.size.raw_bytes for one in plan.all_packed)
    seconds += arrays / _ARRAY_BYTES_PER_SECOND + packed / _PACKED_BYTES_PER_SECOND
    seconds += max(0, plan.predicted_bytes - arrays - packed) / _TABLE_BYTES_PER_SECOND
    return Estimate(plan, seconds, problems.found)


def _ranking_passes(source: Source, genes: GenesSpec, values: MatrixValues) -> int:
    """Return how many passes over the matrix it takes to rank the genes."""
    if not isinstance(genes, VariableGenes):
        return int(isinstance(genes, TopMeanGenes))
    marked = marked_genes(source)
    if marked is not None:
        return int(genes.n < marked.sum())  # to put rarely detected genes last
    # The limits at which counts are clipped take a pass of their own.
    return 2 if values.kind == "counts" else 1
