"""Types of the options as keyword arguments.

Generated from ExportConfig by `python -m karospace_jupyter.contracts`. Do not edit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, TypedDict


class ExportOptions(TypedDict, total=False):
    """Options of an export; see :class:`~karospace_jupyter.ExportConfig`."""

    single_file: str | os.PathLike[str] | None
    """Write everything into this one HTML file, which opens by double click."""

    zip_path: str | os.PathLike[str] | None
    """Write everything into this zip file."""

    coords: str | None
    """Where the coordinates are: `obsm:KEY`, `obs:XCOL,YCOL` or `obs:COLUMN` (outlines as WKT, of which the centroids
    are taken). Found by their names when not given."""

    annotation_columns: Sequence[str] | None
    """Columns of obs to export, in this order. Chosen by what makes a legend when not given. Columns of few distinct
    whole numbers are exported as categories; `number:COLUMN` and `category:COLUMN` choose the kind."""

    sections: str | None
    """The column of obs that names sections of the tissue (2 to 500), or `none`. Found by the usual names when not
    given: library_id, sample, sample_id, section, slice, fov. One that is named here is always exported; one that was
    found only when the annotations leave it in. A sample is drawn within each section."""

    embeddings: Sequence[str] | None
    """Keys of obsm whose first two dimensions the viewer offers beside the tissue, or `none`. UMAP, t-SNE and PCA by
    their usual names when not given."""

    genes_mode: str | Sequence[str]
    """Which genes: `hvgs:N`, `top_mean:N`, `list:PATH`, `all`, or a list of names."""

    image_path: str | None
    """Tissue image: a PNG, JPEG, WebP or TIFF file, `uns:LIBRARY` for one stored in the object, or `none`."""

    downsample: int | None
    """Export at most this many cells, drawn at random within each section."""

    seed: int
    """Seed of the random draw."""

    gzip: bool
    """Compress the assets."""

    max_asset_mb: float
    """Largest asset before compression, in MiB; what is larger is split. At most what a browser takes: 1024."""

    dataset_name: str | None
    """Name shown in the viewer. The file's name when not given."""

    scripts: Literal["auto", "yes", "no"]
    """Write the assets as scripts, too, so that the folder opens by double click: `yes`, `no`, or `auto`: while they
    stay below 200 MB."""

    view: str | os.PathLike[str] | None
    """A view saved from the viewer (JSON), with which the bundle opens."""

    embed_origins: Sequence[str]
    """Origins of pages that may ask and steer the viewer when they embed it, as `https://lab.example`; `*` for every
    page. Pages of the bundle's own origin always may."""

    preview: bool
    """Draw `preview.png`."""

    layer: str | None
    """Read expression from this layer instead of X."""

    raw: bool
    """Read expression from `raw` instead of X."""

    jobs: int | None
    """Threads that compress. All cores when not given."""

    memory_mb: int
    """Memory for blocks of the matrix, in MiB. Fewer means more passes over the file, never fewer genes."""
