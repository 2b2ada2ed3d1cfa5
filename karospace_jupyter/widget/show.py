"""Showing whatever the user has in a cell."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from karospace_jupyter import export
from karospace_jupyter.bundle.read import Bundle
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ViewError
from karospace_jupyter.source import check_object, is_data_path
from karospace_jupyter.widget.fallback import InlineView
from karospace_jupyter.widget.view import KaroSpaceView

if TYPE_CHECKING:
    from karospace_jupyter.contracts.options import ExportOptions

logger = logging.getLogger(__name__)


def karospace_view(
    subject: Any,  # noqa: ANN401 - a bundle, a path or an AnnData
    *,
    adata: Any = None,  # noqa: ANN401
    height: int = 470,
    inline: bool = False,
    **options: Unpack[ExportOptions],
) -> KaroSpaceView | InlineView:
    """Show tissue in the notebook: a bundle, or an AnnData object that is exported to memory first.

    Parameters
    ----------
    subject
        A :class:`~karospace_jupyter.Bundle`, the path of one (a folder, ``.zip`` or ``.html``), the path of an
        ``.h5ad`` or ``.zarr``, or an AnnData object.
    adata
        For a bundle: the object that it was made of, so that selections become arrays over its obs and genes that
        were not exported can be shown.
    height
        In CSS pixels.
    inline
        Put the whole viewer with its data into the output, so that the saved notebook and its HTML stay interactive
        without a kernel. Nothing comes back to Python then.
    **options
        For an AnnData: any option of :class:`~karospace_jupyter.ExportConfig`. Genes of an object in memory are read
        when they are asked for, so none is exported unless ``genes_mode`` asks for some or `inline` is set.

    Raises
    ------
    KaroSpaceError
        When there is nothing that can be shown; the message says what to do.
    """
    if adata is not None:
        check_object(adata)
    bundle, live, config = _bundle_of(subject, adata, options, inline=inline)
    if inline:
        return InlineView(bundle, height)
    return KaroSpaceView(bundle, adata=live, config=config, height=height)


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
        if options:
            msg = f"A bundle is shown as it is; {', '.join(options)} belong to an export of an AnnData object."
            raise ViewError(msg)
        bundle = subject if isinstance(subject, Bundle) else Bundle(subject)
        for remark in bundle.remarks:
            logger.warning("%s", remark)
        return bundle, adata, ExportConfig(**_matrix_of(bundle))
    in_memory = not is_path and not getattr(subject, "isbacked", False)
    if in_memory and not inline:
        options = {"genes_mode": (), **options}
    config = ExportConfig(**options)
    return export.run_to_memory(subject, config), subject if in_memory else None, config


def _matrix_of(bundle: Bundle) -> ExportOptions:
    """Return the options that name the matrix the bundle was made of."""
    source = bundle.manifest.expression.source or "X"
    if source == "raw":
        return {"raw": True}
    return {"layer": source.removeprefix("layer:")} if source.startswith("layer:") else {}
