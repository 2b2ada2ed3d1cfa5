"""Gene sets of a view, as a dictionary."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from karospace_jupyter.errors import ConfigError, ViewError
from karospace_jupyter.formatting import counted, hint
from karospace_jupyter.gene_sets import as_gene_sets, check_size
from karospace_jupyter.plan.names import listed

if TYPE_CHECKING:
    from karospace_jupyter.bundle.read import BundleReader
    from karospace_jupyter.widget.assets import LiveCells

logger = logging.getLogger(__name__)


def known_sets(
    given: Any,  # noqa: ANN401 - a dictionary or a table
    bundle: BundleReader,
    live: LiveCells | None,
) -> dict[str, list[str]]:
    """Return gene sets with the names that the genes have in the view.

    Raises
    ------
    ViewError
        If a set has no name or no gene of the view, or there are too many sets. Further unknown genes are logged.
    """
    if not hasattr(given, "items"):
        msg = f"gene_sets must be a dictionary of names to lists of genes, got {type(given).__name__}."
        raise ViewError(msg)
    try:
        sets = as_gene_sets(given.items(), "gene_sets")
        check_size(sets)
    except ConfigError as exc:
        raise ViewError(str(exc)) from None
    wanted = list(dict.fromkeys(gene for genes in sets.values() for gene in genes))
    names = _exported(wanted, bundle)
    if live is not None:
        names = {**live.gene_names([gene for gene in wanted if gene not in names]), **names}
    for name, genes in sets.items():
        if names.keys().isdisjoint(genes):
            near = hint(genes[0], [*bundle.gene_names, *(live.names if live else ())])
            msg = f"The gene set {name!r} has no gene of this view. Its genes are: {listed(genes)}.{near}"
            raise ViewError(msg)
    unknown = [gene for gene in wanted if gene not in names]
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        logger.warning(
            "%s of gene_sets %s not in this view and left out: %s.",
            counted(len(unknown), "gene"), verb, listed(unknown),
        )  # fmt: skip
    return {name: list(dict.fromkeys(names[gene] for gene in genes if gene in names)) for name, genes in sets.items()}


def _exported(wanted: list[str], bundle: BundleReader) -> dict[str, str]:
    """Return the names of the exported genes among those wanted, found by name or by label."""
    names: dict[str, str] = {}
    for matrix in bundle.matrices:
        genes = bundle.genes_of(matrix)
        for texts in (genes, *(labels for _, labels in bundle.labels_of(matrix))):
            for text, gene in zip(texts, genes, strict=False):
                names.setdefault(text, gene)
    return {gene: names[gene] for gene in wanted if gene in names}
