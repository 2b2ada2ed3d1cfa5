"""Compressing and handing over assets, on all cores."""

from __future__ import annotations

import hashlib
import threading
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

import deflate
import numpy as np

from karospace_jupyter.bundle.manifest import AssetFile, Chunk

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from numpy.typing import NDArray

T = TypeVar("T")


class Method(Enum):
    """How bytes are compressed; all give gzip."""

    QUICK = "libdeflate, level 1"
    """20 to 50 times as fast as zlib's level 9."""
    RUNS = "zlib, runs of one byte"
    """As fast, and up to a quarter smaller where few values lie between zeros, as in counts of most genes."""
    THOROUGH = "libdeflate, level 6"
    """For values that repeat, as larger counts do: up to 4 times as long. (Level 8: up to 20, for a tenth less.)"""


_WORTH = 0.06
"""Share of the bytes that the thorough method has to save over the quick ones."""
_SAMPLE_BYTES = 32 * 2**10
"""What is compressed by each method to choose one."""
_SAMPLE_PIECES = 4
"""Pieces of the sample: neighbors in the file are often of one section, and a gene may be absent there."""


def best_method(values: NDArray[np.generic]) -> Method:
    """Choose how to compress `values` by doing it with a sample of them; the same values give the same method.

    Which method saves anything shows in its result only: a thorough level makes logarithms of counts larger.
    """
    sample = _sample(values.reshape(-1).view(np.uint8))
    sizes = {method: len(compress(sample, method)) for method in Method}
    quick = Method.RUNS if sizes[Method.RUNS] < sizes[Method.QUICK] else Method.QUICK
    return Method.THOROUGH if sizes[Method.THOROUGH] < (1 - _WORTH) * sizes[quick] else quick


def compress(raw: bytes, method: Method) -> bytes:
    """Return `raw` as gzip without a time or a name: equal input, equal bytes."""
    if method is Method.RUNS:
        stream = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 9, zlib.Z_RLE)
        return stream.compress(raw) + stream.flush()
    return bytes(deflate.gzip_compress(raw, 1 if method is Method.QUICK else 6))


def _sample(raw: NDArray[np.uint8]) -> bytes:
    if len(raw) <= 2 * _SAMPLE_BYTES:
        return raw.tobytes()
    length = _SAMPLE_BYTES // _SAMPLE_PIECES
    gap = (len(raw) - length) // (_SAMPLE_PIECES - 1) // 8 * 8  # whole values of any type
    return b"".join(raw[i * gap : i * gap + length].tobytes() for i in range(_SAMPLE_PIECES))


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

    def pack(self, kind: str, path: str, raw: bytes, method: Method = Method.QUICK) -> AssetFile:
        """Compress and hand over one asset. `path` is without ``.gz``."""
        stored = compress(raw, method) if self.gzip else raw
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
        method: Method = Method.QUICK,
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
            file = self.pack(kind, stem.format(part), view[start * cell_bytes : end * cell_bytes].tobytes(), method)
            chunks.append(Chunk(path=file.path, start=start, end=end, size_bytes=file.size_bytes))
            files.append(file)
        return chunks, files
