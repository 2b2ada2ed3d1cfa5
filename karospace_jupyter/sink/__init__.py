"""Publish a bundle as a folder, an HTML file or a zip file, or keep it in memory."""

from __future__ import annotations

from karospace_jupyter.sink.folder import FolderSink
from karospace_jupyter.sink.memory import MemorySink
from karospace_jupyter.sink.protocol import Sink
from karospace_jupyter.sink.several import SeveralSinks
from karospace_jupyter.sink.single import HtmlSink, ZipSink

__all__ = ["FolderSink", "HtmlSink", "MemorySink", "SeveralSinks", "Sink", "ZipSink"]
