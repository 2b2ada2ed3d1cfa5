"""Types of the options as keyword arguments.

Generated from ExportConfig by `python -m karospace_jupyter.contracts`. Do not edit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from karospace_jupyter.hosts import HostName


class ExportOptions(TypedDict, total=False):
    """Options of an export; see :class:`~karospace_jupyter.ExportConfig`."""

    storage_options: Mapping[str, object] | None
    """Options of the file systems of URLs, for fsspec: `{"endpoint_url": "https://…"}`. They are never written to a
    bundle."""

    single_file: str | os.PathLike[str] | None
    """Write a self-contained HTML file, which opens with a double click."""

    zip_path: str | os.PathLike[str] | None
    """Write a zip file."""

    coords: str | None
    """The coordinates: `obsm:KEY`, `obs:XCOL,YCOL` or `obs:COLUMN` (the centroids of outlines as WKT). Detected from
    common names by default."""

    um_per_unit: float | None
    """µm per coordinate unit, for the scale bar: 1 if the coordinates are in µm. By default, the scale that the data
    states, or that of Visium, Xenium, MERSCOPE and CosMx; otherwise unknown."""

    annotation_columns: Sequence[str] | None
    """Columns of obs to export as annotations, in this order. By default, the columns that make a useful legend.
    Columns with few distinct integers are exported as categories; `number:COLUMN` and `category:COLUMN` set the
    kind."""

    sections: str | None
    """The column of obs with the tissue sections (2 to 500), or `none`. Detected from common names by default:
    library_id, sample, sample_id, section, slice, fov. A column given here is always exported; a detected one only if
    it is among the annotations. Downsampling draws cells within each section."""

    embeddings: Sequence[str] | None
    """Keys of obsm to export as embeddings (their first two dimensions), or `none`. By default, UMAP, t-SNE and PCA
    under their usual names."""

    proportions: Sequence[str] | None
    """Keys of obsm with the proportions or abundances of cell types in each spot, as from cell2location or RCTD, or
    `none`. The viewer draws them as pie charts. By default, tables of at most 2,000,000 values that have a typical
    name, or whose rows sum to 1."""

    genes_mode: str | Sequence[str]
    """The genes to export: `hvgs:N`, `top_mean:N`, `list:PATH` or `all`; in Python, also a list of names."""

    packed: Literal["auto", "yes", "no"]
    """Whether the viewer can show every gene of the matrix, not only those of `genes_mode`: `yes`, `no`, or `auto` (if
    all genes take at most 1 GB, and `genes_mode` is not an empty list). They are written in a packed form, which is
    exact and takes a fraction of the size of the matrix."""

    markers: Sequence[str] | None
    """Columns with 2 to 100 categories whose markers are computed, or `none`: each category is compared with all other
    cells, for every packed gene. By default, the annotations that look like cell types or clusters."""

    gene_sets: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Mapping[str, Sequence[str]] | None
    """Named gene sets, which the viewer shows as scores: a GMT file, a JSON file with `{"name": ["gene", ...]}`, or
    `uns:KEY` for a dictionary of marker genes in the object; in Python, also a dictionary. Their genes are always
    exported."""

    image_path: str | None
    """Tissue image: a PNG, JPEG, WebP or TIFF file, `uns:LIBRARY` for one stored in the object, or `none`."""

    neighbors: str | int
    """Neighbors of each cell, within its section: the nearest cells (`6`), all cells within a radius in µm (`30um`),
    `none`, or `auto` (the graph in `obsp['spatial_connectivities']`, if there is one)."""

    downsample: int | None
    """Export at most this many cells, sampled at random within each section."""

    seed: int
    """Random seed for downsampling."""

    gzip: bool
    """Compress the assets."""

    max_asset_mb: float
    """Maximum size of an asset before compression, in MB. Larger assets are split. The maximum, 1024, is a limit of
    browsers."""

    dataset_name: str | None
    """Dataset name shown in the viewer. By default, the file name."""

    scripts: Literal["auto", "yes", "no"]
    """Whether to also write the assets as scripts, so that the folder opens with a double click: `yes`, `no`, or `auto`
    (if the scripts take at most 200 MB)."""

    tables: Literal["yes", "no"]
    """Whether to also write annotations and coordinates as the text tables of format 1.0: `yes` or `no`. The viewer and
    `Bundle` do not need them. Without them, the export of many cells is faster and smaller, but readers of format 1.0
    cannot open the bundle, and coordinates are stored as float32 only."""

    host: HostName | None
    """Web host on which the bundle will be published. Its limits are checked before anything is written. `scripts`,
    `max_asset_mb` and `packed` are chosen to fit the host if they are left at their defaults."""

    color: str | None
    """Initial color: a column of obs or a gene, which is always exported. `obs:NAME` and `gene:NAME` distinguish equal
    names. By default, a column that looks like cell types or clusters, otherwise total counts, otherwise a gene that
    many cells express."""

    view: str | os.PathLike[str] | None
    """A view file saved from the viewer (JSON), used as the initial view."""

    embed_origins: Sequence[str]
    """Origins of pages that may control the embedded viewer, such as `https://lab.example`; `*` allows every page.
    Pages with the same origin as the bundle are always allowed."""

    preview: bool
    """Write `preview.png`."""

    layer: str | None
    """Read expression from this layer instead of X."""

    raw: bool
    """Read expression from `raw` instead of X."""

    matrices: Sequence[str] | None
    """Matrices to export: `X`, `layer:NAME` or `raw`. The viewer can switch between them. The first replaces `layer`
    and `raw`, and `genes_mode` refers to it. All genes of the others are packed; if `packed` is `auto`, only matrices
    that take at most 1 GB together are exported."""

    jobs: int | None
    """Number of compression threads. By default, all cores."""

    memory_mb: int
    """Memory for reading the matrix in blocks, in MB. Less memory means more passes over the file, never fewer
    genes."""
