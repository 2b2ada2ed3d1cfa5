"""Match the genes of gene sets to those of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.errors import GenesError, PlanError
from karospace_jupyter.formatting import counted, hint
from karospace_jupyter.gene_sets import GeneSets, as_gene_sets, joined, read_gene_sets
from karospace_jupyter.plan.gene_choice import find_genes
from karospace_jupyter.plan.model import PlannedGeneSet
from karospace_jupyter.plan.names import as_text, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from karospace_jupyter.source import Source


def choose_gene_sets(
    source: Source, given: tuple[str, ...] | GeneSets | None, others: Sequence[Source] = ()
) -> tuple[tuple[PlannedGeneSet, ...], NDArray[np.int64], list[str]]:
    """Resolve gene sets.

    Parameters
    ----------
    given
        Paths of files and ``uns:KEY``, or the sets themselves.
    others
        The same data with each of the other exported matrices, which may have other genes.

    Returns
    -------
    tuple
        The sets, the positions of their genes in var of `source`, and warnings.

    Raises
    ------
    ConfigError
        If a file is invalid, or there are too many sets.
    GenesError
        If no set contains a gene of any matrix.
    PlanError
        If uns has no such sets.
    """
    sets = given if isinstance(given, dict) else joined((text, _read(source, text)) for text in given or ())
    if not sets:
        return (), np.zeros(0, dtype=np.int64), []
    wanted = list(dict.fromkeys(gene for genes in sets.values() for gene in genes))
    found = [find_genes(one, wanted) for one in (source, *others)]
    # A gene may have another name in another matrix.
    known: dict[str, list[str]] = {}
    for names, at, _ in found:
        for gene, position in at.items():
            known.setdefault(gene, []).append(names[position])
    positions = found[0][1]
    several = list(dict.fromkeys(name for *_, repeated in found for name in repeated))
    empty = {name: genes for name, genes in sets.items() if known.keys().isdisjoint(genes)}
    warnings = []
    if empty:
        what = _without_genes([source, *others], empty, len(sets))
        if len(empty) == len(sets):
            msg = f"{what} Check that the species and the kind of names (symbols or IDs) match."
            raise GenesError(msg)
        warnings.append(f"{what} {'It is' if len(empty) == 1 else 'They are'} left out.")
    sets = {name: genes for name, genes in sets.items() if name not in empty}
    unknown = list(dict.fromkeys(gene for genes in sets.values() for gene in genes if gene not in known))
    if unknown:
        affected = sum(not known.keys() >= set(genes) for genes in sets.values())
        verb = "is" if len(unknown) == 1 else "are"
        matrices = " or ".join(one.matrix_name for one in (source, *others))
        warnings.append(
            f"{counted(len(unknown), 'gene')} of {counted(affected, 'gene set')} {verb} not in {matrices}: "
            f"{listed(unknown)}. The sets are used without {'it' if len(unknown) == 1 else 'them'}."
        )
    if several:
        warnings.append(f"Several genes are named {listed(several)}; gene sets use the first one of each name.")
    planned = tuple(
        PlannedGeneSet(name, tuple(dict.fromkeys(one for gene in genes for one in known.get(gene, ()))))
        for name, genes in sets.items()
    )
    return planned, np.array(list(dict.fromkeys(positions.values())), dtype=np.int64), warnings


def _read(source: Source, text: str) -> GeneSets:
    if not text.startswith("uns:"):
        return read_gene_sets(text)
    key = text.removeprefix("uns:")
    value = source.uns(key)
    where = f"uns[{key!r}]"
    if value is None:
        keys = list(source.uns() or ())
        msg = f"There is no {where}.{hint(key, keys)} uns contains: {listed(keys, 20) or 'nothing'}."
        raise PlanError(msg)
    items: Iterable[tuple[object, object]]
    if isinstance(value, dict):
        items = ((name, source.uns(key, name)) for name in value)
    elif hasattr(value, "columns") and hasattr(value, "items"):  # a table with one column for each set
        items = value.items()
    else:
        msg = f"{where} is of type {type(value).__name__}; expected a dictionary of names to lists of genes."
        raise PlanError(msg)
    sets = as_gene_sets(items, where)
    if not sets:
        msg = f"{where} contains no gene sets."
        raise PlanError(msg)
    return sets


def _without_genes(sources: Sequence[Source], empty: GeneSets, total: int) -> str:
    name, genes = next(iter(empty.items()))
    near = hint(genes[0], [name for one in sources for name in as_text(one.gene_names).tolist()])
    matrices = " or ".join(one.matrix_name for one in sources)
    sets = "The gene set" if len(empty) == 1 else f"{len(empty):,} of {counted(total, 'gene set')}"
    have = "has" if len(empty) == 1 else "have"
    return (
        f"{sets} {listed([repr(one) for one in empty])} {have} no gene in {matrices}, neither by name nor by "
        f"symbol. The genes of {name!r} are: {listed(genes)}.{near}"
    )
