"""Show a bundle, a file or an object in a cell."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from karospace_jupyter import export
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ViewError
from karospace_jupyter.form.options import with_name
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.source import check_object, is_data_path
from karospace_jupyter.widget.fallback import InlineView
from karospace_jupyter.widget.view import KaroSpaceView

if TYPE_CHECKING:
    from karospace_jupyter.contracts.options import ExportOptions

logger = logging.getLogger(__name__)


@overload
def karospace_view(
    subject: Any,  # noqa: ANN401
    *,
    adata: Any = None,  # noqa: ANN401
    name: str | None = None,
    height: int = 470,
    inline: Literal[False] = False,
    **options: Unpack[ExportOptions],
) -> KaroSpaceView: ...
@overload
def karospace_view(
    subject: Any,  # noqa: ANN401
    *,
    adata: Any = None,  # noqa: ANN401
    name: str | None = None,
    height: int = 470,
    inline: bool,
    **options: Unpack[ExportOptions],
) -> KaroSpaceView | InlineView: ...
def karospace_view(
    subject: Any,
    *,
    adata: Any = None,
    name: str | None = None,
    height: int = 470,
    inline: bool = False,
    **options: Unpack[ExportOptions],
) -> KaroSpaceView | InlineView:
    """Show tissue in the notebook: a bundle, or an AnnData object that is first exported to memory.

    Parameters
    ----------
    subject
        A :class:`~karospace_jupyter.Bundle`, the path of one (a folder, ``.zip`` or ``.html``), the path of an
        ``.h5ad`` or ``.zarr``, or an AnnData object.
    adata
        For a bundle: the object from which it was exported. Selections then are arrays over its obs, and genes that
        were not exported can be shown.
    name
        Name of the view. By default, an object is named after the variable that holds it, if there is exactly one; a
        bundle keeps the name of its dataset. The option `dataset_name` does the same.
    height
        Height in CSS pixels.
    inline
        Embed the whole viewer with its data in the output, so that the saved notebook and its HTML export stay
        interactive without a kernel. The viewer then sends nothing back to Python.
    **options
        For an AnnData object: any option of :class:`~karospace_jupyter.ExportConfig`. Genes of an object in memory are
        read on demand, so none are exported unless ``genes_mode`` requests them or `inline` is set.

    Returns
    -------
    KaroSpaceView or InlineView
        The latter if `inline` is set.

    Raises
    ------
    KaroSpaceError
        If there is nothing to show; the message says what to do.

    Examples
    --------
    >>> from karospace_jupyter.datasets import synthetic_tissue
    >>> view = karospace_view(synthetic_tissue(300, 60, seed=1))
    >>> view.color = "cell_type"
    >>> view.state["color"]
    {'kind': 'annotation', 'column': 'cell_type'}
    >>> view.close()
    """
    if adata is not None:
        check_object(adata)
    options = with_name(options, name)
    bundle, live, config = _bundle_of(subject, adata, options, inline=inline)
    if inline:
        return InlineView(bundle, height)
    return KaroSpaceView(bundle, adata=live, config=config, name=options.get("dataset_name"), height=height)


def _bundle_of(
    subject: Any,  # noqa: ANN401
    adata: Any,  # noqa: ANN401
    options: ExportOptions,
    *,
    inline: bool,
) -> tuple[Bundle, Any, ExportConfig]:
    is_path = isinstance(subject, str | Path)
    data_file = is_path and is_data_path(Path(subject).expanduser())
    if isinstance(subject, Bundle) or (is_path and not data_file):
        others = [option for option in options if option != "dataset_name"]
        if others:
            msg = (
                f"The options {', '.join(others)} apply to the export of an AnnData object, not to an existing bundle."
            )
            raise ViewError(msg)
        bundle = subject if isinstance(subject, Bundle) else Bundle(subject)
        for remark in bundle.remarks:
            logger.warning("%s", remark)
        return bundle, adata, ExportConfig(**_matrix_of(bundle))
    in_memory = not is_path and not getattr(subject, "isbacked", False)
    if in_memory and not inline:
        options = {"genes_mode": (), **options}
        if len(options.get("matrices") or ()) > 1:
            # Nothing is packed for a live object, but several matrices without genes are only valid with this option.
            options["packed"] = "yes"
    config = ExportConfig(**options)
    on_demand = in_memory and not inline
    return (
        export.run_to_memory(subject, config, genes_on_demand=on_demand),
        subject if in_memory else None,
        config,
    )


def _matrix_of(bundle: Bundle) -> ExportOptions:
    """Return the options that select the matrix from which the bundle was exported."""
    source = bundle.manifest.expression.source or "X"
    if source == "raw":
        return {"raw": True}
    return {"layer": source.removeprefix("layer:")} if source.startswith("layer:") else {}
