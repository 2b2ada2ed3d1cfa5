"""Expression: one float32 vector a gene, with a summary of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.manifest import AssetFile, Expression, GeneEntry, GeneSummary, Values
from karospace_jupyter.encode.pack import best_level

if TYPE_CHECKING:
    from concurrent.futures import Future

    from karospace_jupyter.encode.pack import Packer
    from karospace_jupyter.job import Job
    from karospace_jupyter.plan import Plan
    from karospace_jupyter.source import Source

FORMAT = "per_gene_float32_v1"


def summarise(values: NDArray[np.float32]) -> GeneSummary:
    """Summary of one gene; see :class:`~karospace_jupyter.bundle.manifest.GeneSummary`.

    Parameters
    ----------
    values
        float32, shape (n_cells,), finite, at least one.
    """
    present = values[values != 0]
    n_zeros = len(values) - len(present)
    if not len(present):
        return GeneSummary(min=0, max=0, mean=0, fraction=0, lower=0, upper=0)
    low, high = float(present.min()), float(present.max())
    if n_zeros:
        low, high = min(low, 0.0), max(high, 0.0)
    return GeneSummary(
        min=low,
        max=high,
        mean=float(present.sum(dtype=np.float64)) / len(values),
        fraction=len(present) / len(values),
        lower=0.0 if low >= 0 else _percentile(present, 0.01),
        upper=_percentile(present, 0.99),
    )


def _percentile(values: NDArray[np.float32], share: float) -> float:
    # The value at a rank, not between two: it is one that occurs, and needs no sort.
    rank = round(share * (len(values) - 1))
    return float(np.partition(values, rank)[rank])


def encode_expression(
    plan: Plan, source: Source, packer: Packer, max_bytes: int, job: Job
) -> tuple[Expression, list[AssetFile], int]:
    """Write every gene of the plan.

    Returns
    -------
    The manifest's part, the files, and how many values were NaN or infinite and became 0.
    """
    names = plan.genes.names

    def one(position: int, values: NDArray[np.float32]) -> tuple[GeneEntry, list[AssetFile]]:
        stem = f"assets/expression/gene_{position:05d}_part_{{:03d}}.bin"
        little = np.ascontiguousarray(values, dtype="<f4")
        level = best_level(little) if packer.gzip else 0
        chunks, files = packer.pack_vector("expression_chunk", stem, little, 4, max_bytes, level)
        return GeneEntry(gene=names[position], index=position, chunks=chunks, summary=summarise(values)), files

    done: list[Future[tuple[GeneEntry, list[AssetFile]]]] = []
    non_finite = 0
    with job.stage("Writing genes", len(names), "genes") as stage:
        for vector in source.genes(plan.genes.indices, plan.cells.rows, job):
            non_finite += vector.non_finite
            done.append(packer.run(lambda p=vector.position, v=vector.values: one(p, v)))  # type: ignore[misc]  # defaults bind the loop's values
            if len(done) > 16:  # raise the first error of a thread soon, not after the last gene
                done[-16].result()
            stage.advance()
        entries, files = [], []
        for future in done:
            entry, written = future.result()
            entries.append(entry)
            files += written
    expression = Expression(
        format=FORMAT,
        dtype="float32",
        n_cells=plan.cells.n,
        gzip=packer.gzip,
        genes=entries,
        source=plan.matrix_name,
        values=Values(kind=plan.values.kind, log_base=plan.values.log_base),
    )
    return expression, files, non_finite
