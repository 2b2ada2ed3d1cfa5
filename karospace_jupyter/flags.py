"""Flags of the options on the command line."""

from __future__ import annotations

_OTHER_NAMES = {
    "h5ad_path": "--h5ad", "zip_path": "--zip", "annotation_columns": "--anno", "embeddings": "--embedding",
    "genes_mode": "--genes", "image_path": "--image", "dataset_name": "--name", "embed_origins": "--embed-origin",
    "preview": "--no-preview", "gene_sets": "--gene-set", "matrices": "--matrix", "storage_options": "--storage-option",
}  # fmt: skip
"""Flags whose names differ from the option in Python; all other flags have the same name."""


def flag_of(option: str) -> str:
    """Return the flag of an option of :class:`~karospace_jupyter.ExportConfig`.

    Examples
    --------
    >>> flag_of("max_asset_mb"), flag_of("genes_mode")
    ('--max-asset-mb', '--genes')
    """
    return _OTHER_NAMES.get(option) or "--" + option.replace("_", "-")
