"""The color of a view as one text, as in ``view.color`` and in the option ``color``."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Literal

from karospace_jupyter.errors import ViewError
from karospace_jupyter.view.state import ByAnnotation, ByBlend, ByNothing, ByScore, Color

Prefix = Literal["obs", "gene", "score", "blend"]
_PREFIXES: dict[str, Prefix] = {"obs": "obs", "gene": "gene", "score": "score", "blend": "blend"}


def split_color(text: str, names: Container[str] = ()) -> tuple[Prefix | None, str]:
    """Split ``obs:NAME``, ``gene:NAME``, ``score:A,B`` or ``blend:A,B``; a text in `names` is not split.

    Returns
    -------
    tuple
        The prefix, None if there is none, and the rest.

    Examples
    --------
    >>> split_color("gene:EPCAM"), split_color("HLA:A"), split_color("gene:EPCAM", ["gene:EPCAM"])
    (('gene', 'EPCAM'), (None, 'HLA:A'), (None, 'gene:EPCAM'))
    """
    start, _, rest = text.partition(":")
    prefix = None if text in names else _PREFIXES.get(start)
    return (None, text) if prefix is None or ":" not in text else (prefix, rest)


def several_genes(kind: str, genes: list[str]) -> ByScore | ByBlend:
    """Return the color for ``blend:A,B`` or ``score:A,B,C``.

    Raises
    ------
    ViewError
        If a blend has fewer than two or more than three genes.
    """
    if kind == "score":
        return ByScore(name=genes[0] if len(genes) == 1 else f"Mean of {len(genes)} genes", genes=genes)
    if not 2 <= len(genes) <= 3:
        msg = f"A blend needs two or three genes, got {len(genes)}. Use 'score:' for the mean of a gene set."
        raise ViewError(msg)
    return ByBlend(genes=genes)


def color_text(color: Color, columns: Sequence[str], sets: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return a color as in `view.color`: a column, a gene, ``blend:A,B``, ``score:A,B,C``, or an empty string.

    The score of one of the gene `sets` (name to the genes that the view can read) is ``score:NAME``.
    """
    if isinstance(color, ByAnnotation):
        return color.column
    if isinstance(color, ByNothing):
        return ""
    if isinstance(color, ByScore) and color.genes and [*color.genes] == [*(sets or {}).get(color.name, ())]:
        return f"score:{color.name}"
    if isinstance(color, ByScore | ByBlend):
        return f"{color.kind}:{','.join(color.genes)}"
    return f"gene:{color.gene}" if color.gene in columns else color.gene
