"""The exporter under its short import name."""

from __future__ import annotations

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, export_h5ad

__all__ = ["Bundle", "ExportConfig", "adata_to_karospace", "export_h5ad"]
