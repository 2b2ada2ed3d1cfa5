"""The Python functions that export a file or an AnnData object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.export import run
from karospace_jupyter.form.options import with_name
from karospace_jupyter.progress import ProgressBar

if TYPE_CHECKING:
    import os

    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.contracts.options import ExportOptions
    from karospace_jupyter.job import Job
    from karospace_jupyter.publish.bundle import Bundle


def export_h5ad(config: ExportConfig, job: Job | None = None) -> Manifest:
    """Export the file ``config.h5ad_path`` to the folder or URL, HTML file and zip that `config` names.

    Parameters
    ----------
    config
        The options.
    job
        Receives progress and can cancel the export.

    Returns
    -------
    Manifest
        The manifest of the written bundle.

    Raises
    ------
    KaroSpaceError
        If the export fails. Existing targets are then unchanged.

    Examples
    --------
    >>> from karospace_jupyter import ExportConfig, export_h5ad
    >>> manifest = export_h5ad(ExportConfig(h5ad_path="tissue.h5ad", outdir="viewer"))  # doctest: +SKIP
    >>> manifest.n_cells  # doctest: +SKIP
    20000
    """
    if not isinstance(config, ExportConfig):
        msg = (
            f"export_h5ad expects an ExportConfig, but got {type(config).__name__}. "
            f"Use export_h5ad(ExportConfig(h5ad_path={config!r}, outdir='viewer'))."
        )
        raise ConfigError(msg)
    if config.h5ad_path is None:
        msg = "No input file. Set h5ad_path to the .h5ad file or .zarr folder to export, or to its URL."
        raise ConfigError(msg)
    return run(config.h5ad_path, config, job).manifest


def adata_to_karospace(
    adata: Any,  # noqa: ANN401 - AnnData is imported late
    outdir: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    progress: bool = False,
    job: Job | None = None,
    **options: Unpack[ExportOptions],
) -> Bundle:
    """Export an AnnData object. The object is not modified.

    Parameters
    ----------
    adata
        The AnnData object. Views and backed objects are supported.
    outdir
        The folder to write, or a URL such as ``s3://bucket/tissue``. Optional if `single_file` or `zip_path` is given.
    name
        Name of the dataset, the same as the option `dataset_name`. By default, in notebooks, the variable that holds
        the object, if there is exactly one.
    progress
        Show a progress bar: in the output of the cell in a notebook, on stderr elsewhere.
    job
        Receives progress and can cancel the export.
    **options
        Any option of :class:`~karospace_jupyter.config.ExportConfig`.

    Returns
    -------
    Bundle
        The written bundle: its path, manifest and warnings, with ``verify()``, ``serve()`` and ``open()``.

    Raises
    ------
    KaroSpaceError
        If the export fails. Existing targets are then unchanged.

    Examples
    --------
    >>> from karospace_jupyter import adata_to_karospace
    >>> from karospace_jupyter.datasets import synthetic_tissue
    >>> bundle = adata_to_karospace(synthetic_tissue(n_cells=500), "viewer")  # doctest: +SKIP
    >>> bundle.manifest.n_cells  # doctest: +SKIP
    500
    """
    config = ExportConfig(outdir=outdir, **with_name(options, name))
    if not progress:
        return run(adata, config, job)
    with ProgressBar() as bar:
        return run(adata, config, bar.watch(job))
