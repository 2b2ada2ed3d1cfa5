"""Find the color that a user names: a column, a gene, or several genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from karospace_jupyter.errors import ViewError
from karospace_jupyter.formatting import hint
from karospace_jupyter.view.state import ByAnnotation, ByGene, ByNothing, Color, several_genes

if TYPE_CHECKING:
    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.widget.assets import LiveCells


def color_named(text: str, manifest: Manifest, live: LiveCells | None) -> Color:
    """Return the color of a text as in `view.color`.

    Raises
    ------
    ViewError
        If it names nothing that the view has. The message suggests similar names.
    """
    genes = {*manifest.gene_list, *(live.names if live else ())}
    kind, _, name = text.partition(":")
    if not text:
        return ByNothing()
    if kind == "obs" and name in manifest.annotation_columns:
        return ByAnnotation(column=name)
    if kind == "gene" and name in genes:
        return ByGene(gene=name)
    several = [part.strip() for part in name.split(",")]
    if kind in {"blend", "score"} and text not in genes and genes.issuperset(several):
        return several_genes(kind, several)
    if text in manifest.annotation_columns:
        return ByAnnotation(column=text)
    if text in genes:
        return ByGene(gene=text)
    for labels in manifest.gene_labels or ():
        if text in labels.labels:
            return ByGene(gene=manifest.gene_list[labels.labels.index(text)])
    if live is not None and text in live.adata.obs.columns:
        msg = (
            f"The column {text!r} is in adata.obs, but not in this view: it was added later or left out. "
            f"Create a new view that includes it: karospace_view(adata, annotation_columns=[{text!r}, ...])."
        )
        raise ViewError(msg)
    near = hint(text, [*manifest.annotation_columns, *genes])
    columns = ", ".join(manifest.annotation_columns[:12]) or "none"
    msg = f"{text!r} is neither a column nor a gene of this view.{near} Columns: {columns}. Genes: {len(genes):,}."
    raise ViewError(msg)
