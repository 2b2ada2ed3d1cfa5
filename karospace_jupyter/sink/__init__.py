"""Publishing bytes: a folder."""

from __future__ import annotations

from karospace_jupyter.sink.folder import FolderSink
from karospace_jupyter.sink.protocol import Sink

__all__ = ["FolderSink", "Sink"]
