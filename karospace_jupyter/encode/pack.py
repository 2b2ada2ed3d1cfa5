"""Compress and store assets on all cores."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from karospace_jupyter.bundle.compress import Method, compress
from karospace_jupyter.bundle.manifest import AssetFile, Chunk

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from numpy.typing import NDArray

T = TypeVar("T")


class Packer:
    """Compress assets in threads and pass the bytes to `put`.

    Only a few assets are queued, so that memory stays bounded if the sink is slower than the source.

    Parameters
    ----------
    put
        Called with (path, stored bytes), from several threads.
    gzip
        Whether to compress assets.
    threads
        Number of threads.
    """

    def __init__(self, put: Callable[[str, bytes], None], *, gzip: bool, threads: int) -> None:
        self._put = put
        self.gzip = gzip
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="karospace-pack")
        self._slots = threading.BoundedSemaphore(2 * threads + 2)

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)

    def run(self, work: Callable[[], T]) -> Future[T]:
        """Run `work` in a thread; block while the queue is full."""
        self._slots.acquire()
        try:
            future = self._pool.submit(work)
        except BaseException:
            self._slots.release()
            raise
        future.add_done_callback(lambda _: self._slots.release())
        return future

    def name(self, path: str) -> str:
        """Return the stored name of an asset, with ``.gz`` if it is compressed."""
        return f"{path}.gz" if self.gzip else path

    def pack(self, kind: str, path: str, raw: bytes, method: Method = Method.QUICK) -> AssetFile:
        """Compress and store one asset. `path` is without ``.gz``."""
        stored = compress(raw, method) if self.gzip else raw
        # gzip ends with the CRC-32 and the length of the uncompressed data.
        crc = int.from_bytes(stored[-8:-4], "little") if self.gzip else None
        return self.store(kind, self.name(path), stored, len(raw), crc)

    def store(
        self, kind: str, path: str, stored: bytes, raw_bytes: int | None = None, raw_crc32: int | None = None
    ) -> AssetFile:
        """Store bytes without compressing them."""
        self._put(path, stored)
        return AssetFile.of(kind, path, stored, raw_bytes, raw_crc32)

    def pack_vector(
        self,
        kind: str,
        stem: str,
        values: NDArray[np.generic],
        cell_bytes: int,
        max_bytes: int,
        method: Method = Method.QUICK,
    ) -> tuple[list[Chunk], list[AssetFile]]:
        """Write one value (or pair) per cell, split into files of at most `max_bytes` before compression.

        `stem` is a format string for the part number: ``"assets/expression/gene_00000_part_{:03d}.bin"``.
        """
        per_file = max(1, max_bytes // cell_bytes)
        view = values.reshape(-1).view(np.uint8)
        n = len(view) // cell_bytes
        chunks, files = [], []
        for part, start in enumerate(range(0, n, per_file)):
            end = min(n, start + per_file)
            file = self.pack(kind, stem.format(part), view[start * cell_bytes : end * cell_bytes].tobytes(), method)
            chunks.append(Chunk(path=file.path, start=start, end=end, size_bytes=file.size_bytes))
            files.append(file)
        return chunks, files
