"""Find the color that a user names: a column, a gene, or several genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from karospace_jupyter.errors import ViewError
from karospace_jupyter.formatting import hint
from karospace_jupyter.view.color_text import several_genes, split_color
from karospace_jupyter.view.state import ByAnnotation, ByGene, ByNothing, ByScore, Color

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from karospace_jupyter.bundle.read import BundleReader
    from karospace_jupyter.widget.assets import LiveCells


def color_named(
    text: str,
    bundle: BundleReader,
    live: LiveCells | None,
    sets: Mapping[str, Sequence[str]] | None = None,
    matrix: str | None = None,
) -> Color:
    """Return the color that a text names, as in `view.color`; add the column of obs that it names to the view.

    Genes are looked up in `matrix`, by default the first matrix of the bundle.

    Raises
    ------
    ViewError
        If the view has nothing with that name. The message suggests similar names.
    """
    manifest = bundle.manifest
    if not text:
        return ByNothing()
    columns = {*manifest.annotation_columns, *(live.columns.names if live else ())}
    if text in columns:
        return ByAnnotation(column=text)
    exported = bundle.genes_of(matrix)
    genes = {*exported, *(live.names if live else ())}
    prefix, name = split_color(text, genes)
    if prefix == "obs" and (name in columns or is_added(name, live)):
        return ByAnnotation(column=name)
    if prefix == "gene" and name in genes:
        return ByGene(gene=name)
    if prefix == "score" and name in (sets or {}):
        known = [gene for gene in (sets or {})[name] if gene in genes]
        if known:
            return ByScore(name=name, genes=known)
    several = [part.strip() for part in name.split(",")]
    if prefix in {"blend", "score"} and genes.issuperset(several):
        return several_genes(prefix, several)
    if text in genes:
        return ByGene(gene=text)
    for _, labels in bundle.labels_of(matrix):
        if text in labels:
            return ByGene(gene=exported[labels.index(text)])
    if is_added(text, live):
        return ByAnnotation(column=text)
    near = hint(text, [*columns, *genes])
    listed = ", ".join(manifest.annotation_columns[:12]) or "none"
    msg = f"{text!r} is neither a column nor a gene of this view.{near} Columns: {listed}. Genes: {len(genes):,}."
    if live is None:
        msg += " For the other columns and genes of the object, pass it: karospace_view(bundle, adata=adata)."
    raise ViewError(msg)


def is_added(name: str, live: LiveCells | None) -> bool:
    """Read a column of obs, if there is one with this name, and return whether there is."""
    if live is None or name not in live.adata.obs.columns:
        return False
    live.check_unchanged()
    live.columns.add(name)
    return True
