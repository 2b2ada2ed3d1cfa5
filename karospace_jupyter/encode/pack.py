"""Compressing and handing over assets, on all cores."""

from __future__ import annotations

import hashlib
import threading
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import deflate
import numpy as np

from karospace_jupyter.bundle.manifest import AssetFile, Chunk

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from numpy.typing import NDArray

T = TypeVar("T")

QUICK = 1
"""libdeflate's level 1: 20 to 50 times as fast as zlib's level 9."""
THOROUGH = (6, 7, 8)
"""Levels for values that repeat, as counts do, quickest first: they take up to 2, 4 and 10 times as long as level 1."""
WORTH = 0.07
"""Share of the bytes that a thorough level has to save over level 1."""
_NEAR = 0.04
"""Of thorough levels, the quickest that comes this near the smallest result."""
_SAMPLE_BYTES = 32 * 2**10
"""What is compressed twice to choose: level 8 takes longer for 4 % of 800 kB than is lost, if it is not chosen."""
_SAMPLE_PIECES = 4
"""Pieces of the sample: neighbors in the file are often of one section, and a gene may be absent there."""


def best_level(values: NDArray[np.generic]) -> int:
    """Choose the level for `values` by compressing a sample of them; the same values give the same level.

    Whether a thorough level saves anything shows in its result only: it makes logarithms of counts larger.
    """
    sample = _sample(values.reshape(-1).view(np.uint8))
    quick = _size(sample, QUICK)
    smallest = _size(sample, THOROUGH[-1])
    if smallest > (1 - WORTH) * quick:
        return QUICK
    for level in THOROUGH[:-1]:
        if _size(sample, level) <= (1 + _NEAR) * smallest:
            return level
    return THOROUGH[-1]


def _sample(raw: NDArray[np.uint8]) -> bytes:
    if len(raw) <= 2 * _SAMPLE_BYTES:
        return raw.tobytes()
    length = _SAMPLE_BYTES // _SAMPLE_PIECES
    gap = (len(raw) - length) // (_SAMPLE_PIECES - 1) // 8 * 8  # whole values of any type
    return b"".join(raw[i * gap : i * gap + length].tobytes() for i in range(_SAMPLE_PIECES))


def _size(raw: bytes, level: int) -> int:
    return len(deflate.gzip_compress(raw, level))


class Packer:
    """Compresses assets in threads and hands the bytes to `put`.

    Work is queued a few assets deep, so that memory stays bounded when the sink is slower than the source.

    Parameters
    ----------
    put
        Takes (path, bytes as stored); called from several threads.
    gzip
        Whether assets are compressed.
    threads
        Number of threads.
    """

    def __init__(self, put: Callable[[str, bytes], None], *, gzip: bool, threads: int) -> None:
        self._put = put
        self.gzip = gzip
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="karospace-pack")
        self._slots = threading.BoundedSemaphore(2 * threads + 2)

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)

    def run(self, work: Callable[[], T]) -> Future[T]:
        """Do `work` in a thread; waits while too much is queued."""
        self._slots.acquire()
        try:
            future = self._pool.submit(work)
        except BaseException:
            self._slots.release()
            raise
        future.add_done_callback(lambda _: self._slots.release())
        return future

    def name(self, path: str) -> str:
        """Return the name under which an asset is stored: with ``.gz`` when it is compressed."""
        return f"{path}.gz" if self.gzip else path

    def pack(self, kind: str, path: str, raw: bytes, level: int = QUICK) -> AssetFile:
        """Compress and hand over one asset. `path` is without ``.gz``."""
        # libdeflate writes neither a time nor a name into the header: equal input, equal bytes.
        stored = bytes(deflate.gzip_compress(raw, level)) if self.gzip else raw
        # gzip ends with the checksum and the length of what it holds.
        crc = int.from_bytes(stored[-8:-4], "little") if self.gzip else None
        return self.store(kind, self.name(path), stored, len(raw), crc)

    def store(
        self, kind: str, path: str, stored: bytes, raw_bytes: int | None = None, raw_crc32: int | None = None
    ) -> AssetFile:
        """Hand over bytes as they are."""
        self._put(path, stored)
        return AssetFile(
            kind=kind,
            path=path,
            size_bytes=len(stored),
            raw_bytes=len(stored) if raw_bytes is None else raw_bytes,
            sha256=hashlib.sha256(stored).hexdigest(),
            raw_crc32=zlib.crc32(stored) if raw_crc32 is None else raw_crc32,
        )

    def pack_vector(
        self,
        kind: str,
        stem: str,
        values: NDArray[np.generic],
        cell_bytes: int,
        max_bytes: int,
        level: int = QUICK,
    ) -> tuple[list[Chunk], list[AssetFile]]:
        """Write one value (or pair) a cell, split into files of at most `max_bytes` before compression.

        `stem` takes the number of the part: ``"assets/expression/gene_00000_part_{:03d}.bin"``.
        """
        per_file = max(1, max_bytes // cell_bytes)
        view = values.reshape(-1).view(np.uint8)
        n = len(view) // cell_bytes
        chunks, files = [], []
        for part, start in enumerate(range(0, n, per_file)):
            end = min(n, start + per_file)
            file = self.pack(kind, stem.format(part), view[start * cell_bytes : end * cell_bytes].tobytes(), level)
            chunks.append(Chunk(path=file.path, start=start, end=end, size_bytes=file.size_bytes))
            files.append(file)
        return chunks, files
