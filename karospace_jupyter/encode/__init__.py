"""Encode a plan as named bytes, independent of local paths and file handles."""

from __future__ import annotations

from karospace_jupyter.encode.bundle import encode_bundle

__all__ = ["encode_bundle"]
