"""The Python front end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.export import run
from karospace_jupyter.progress import ProgressBar

if TYPE_CHECKING:
    import os

    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.bundle.read import Bundle
    from karospace_jupyter.contracts.options import ExportOptions
    from karospace_jupyter.job import Job


def export_h5ad(config: ExportConfig, job: Job | None = None) -> Manifest:
    """Export the file ``config.h5ad_path`` to the folder, HTML file and zip that it names.

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
        When it fails; then every target is as it was before.
    """
    if not isinstance(config, ExportConfig):
        msg = f"export_h5ad takes an ExportConfig: export_h5ad(ExportConfig(h5ad_path={config!r}, outdir='viewer'))."
        raise ConfigError(msg)
    if config.h5ad_path is None:
        msg = "No input file was given (h5ad_path)."
        raise ConfigError(msg)
    return run(config.h5ad_path, config, job).manifest


def adata_to_karospace(
    adata: Any,  # noqa: ANN401 - AnnData is imported late
    outdir: str | os.PathLike[str] | None = None,
    *,
    progress: bool = False,
    job: Job | None = None,
    **options: Unpack[ExportOptions],
) -> Bundle:
    """Export an AnnData object, which is read and never changed.

    Parameters
    ----------
    adata
        The object; also a view, also backed.
    outdir
        The folder to write. May be left out when `single_file` or `zip_path` is given.
    progress
        Show a bar: tqdm's own in a notebook, on stderr elsewhere.
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
        When it fails; then every target is as it was before.
    """
    config = ExportConfig(outdir=outdir, **options)
    if not progress:
        return run(adata, config, job)
    with ProgressBar() as bar:
        return run(adata, config, bar.watch(job))
