"""The Python front end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.export import run

if TYPE_CHECKING:
    import os

    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.bundle.read import Bundle
    from karospace_jupyter.job import Job


def export_h5ad(config: ExportConfig, job: Job | None = None) -> Manifest:
    """Export the file ``config.h5ad_path`` to the folder ``config.outdir``.

    Parameters
    ----------
    config
        The options.
    job
        Receives progress, and can cancel.

    Returns
    -------
    The manifest of the bundle that was written.

    Raises
    ------
    KaroSpaceError
        When it fails; then the folder is as it was before.
    """
    if config.h5ad_path is None:
        msg = "No input file was given (h5ad_path)."
        raise ConfigError(msg)
    return run(config.h5ad_path, config, job).manifest


def adata_to_karospace(
    adata: Any,  # noqa: ANN401 - AnnData is imported late
    outdir: str | os.PathLike[str],
    *,
    job: Job | None = None,
    **options: Any,  # noqa: ANN401 - ExportConfig checks each
) -> Bundle:
    """Export an AnnData object, which is read and never changed.

    Parameters
    ----------
    adata
        The object; also a view, also backed.
    outdir
        The folder to write.
    job
        Receives progress, and can cancel.
    **options
        Any option of :class:`~karospace_jupyter.config.ExportConfig`.

    Returns
    -------
    The bundle: its path, manifest and warnings, with ``verify()``, ``serve()`` and ``open()``.

    Raises
    ------
    KaroSpaceError
        When it fails; then the folder is as it was before.
    """
    return run(adata, ExportConfig(outdir=Path(outdir), **options), job)
