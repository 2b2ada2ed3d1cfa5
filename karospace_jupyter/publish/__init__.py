"""Publish a bundle as a folder, an HTML file or a zip file, upload it to an object store, or keep it in memory."""

from __future__ import annotations

from karospace_jupyter.publish.folder import FolderSink
from karospace_jupyter.publish.memory import MemorySink
from karospace_jupyter.publish.protocol import Sink
from karospace_jupyter.publish.several import SeveralSinks
from karospace_jupyter.publish.single import HtmlSink, ZipSink
from karospace_jupyter.publish.store import StoreSink

__all__ = ["FolderSink", "HtmlSink", "MemorySink", "SeveralSinks", "Sink", "StoreSink", "ZipSink"]
