"""Turning a plan into named bytes. Knows no paths of this machine and no file handles."""

from __future__ import annotations

from karospace_jupyter.encode.bundle import encode_bundle

__all__ = ["encode_bundle"]
