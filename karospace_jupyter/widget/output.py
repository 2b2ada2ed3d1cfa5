"""The output of a cell that displays a widget: for our JupyterLab extension, and as HTML for everything else."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from karospace_jupyter.contracts.output import MIME_TYPE, OnDisk, Output, Tissue
from karospace_jupyter.form.result import places, relative
from karospace_jupyter.formatting import shape
from karospace_jupyter.widget.fallback import fallback_html, fallback_picture

if TYPE_CHECKING:
    from karospace_jupyter.publish.bundle import Bundle

    Shown = tuple[dict[str, Any], dict[str, Any]]


def with_fallback(shown: Shown | None, output: Output, html: str) -> Shown | None:
    """Add the output for our extension, and HTML for applications without widgets, to the MIME bundle of a widget."""
    if shown is None:
        return None
    data, metadata = shown
    return {**data, MIME_TYPE: asdict(output), "text/html": html}, metadata


class _View(Protocol):
    @property
    def model_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def n_genes(self) -> int: ...

    bundle: Bundle


def kept_of(view: _View) -> tuple[Tissue, str]:
    """Return what the output of a cell stores about a view, and its HTML."""
    m = view.bundle.manifest
    picture = fallback_picture(view.bundle)
    # Count the genes of the view, because those of a live object are not in the bundle.
    contents = shape(m.n_cells, view.n_genes, m.n_cells_source, m.observations)
    tissue = Tissue(
        model=view.model_id,
        title=view.title,
        detail=contents,
        picture=picture,
        bundle=_on_disk(view.bundle),
    )
    return tissue, fallback_html(view.bundle, title=view.title, contents=contents, picture=picture)


def _on_disk(bundle: Bundle) -> OnDisk | None:
    path = bundle.path
    if path is None or not path.is_dir():
        return None
    return OnDisk(folder=relative(path), places=places(path), created=bundle.manifest.created_at)
