"""Publish several bundles in one folder or store, with a page that lists them."""

from __future__ import annotations

from karospace_jupyter.index_page.publish import IndexReport, publish_index

__all__ = ["IndexReport", "publish_index"]
