"""Compress files of a bundle."""

from __future__ import annotations

import zlib
from enum import Enum

import deflate
import numpy as np
from numpy.typing import NDArray

_MIN_SAVING = 0.06
"""Fraction of bytes that THOROUGH must save over the quick methods to be chosen."""
_SAMPLE_BYTES = 32 * 2**10
"""Size of the sample that is compressed with each method to choose one."""
_SAMPLE_PIECES = 4
"""Number of pieces of the sample: adjacent cells often belong to one section, in which a gene may be absent."""


class Method(Enum):
    """Compression methods; all produce gzip."""

    QUICK = "libdeflate, level 1"
    """20 to 50 times as fast as zlib at level 9."""
    RUNS = "zlib, runs of one byte"
    """As fast as QUICK, and up to 25% smaller for mostly zero values, such as counts of most genes."""
    THOROUGH = "libdeflate, level 6"
    """For repeating values, such as larger counts; takes up to 4 times as long as QUICK. (Level 8 takes up to 20 times
    as long and saves another 10%.)"""


def compress(raw: bytes, method: Method) -> bytes:
    """Return `raw` as gzip without a timestamp or a name, so that equal input gives equal bytes."""
    if method is Method.RUNS:
        stream = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 9, zlib.Z_RLE)
        return stream.compress(raw) + stream.flush()
    return bytes(deflate.gzip_compress(raw, 1 if method is Method.QUICK else 6))


def best_method(values: NDArray[np.generic]) -> Method:
    """Choose the compression method for `values` by compressing a sample with each method.

    The choice is deterministic. A trial is necessary because the result is hard to predict: for logarithms of counts,
    THOROUGH gives larger files.
    """
    sample = _sample(values.reshape(-1).view(np.uint8))
    sizes = {method: len(compress(sample, method)) for method in Method}
    quick = Method.RUNS if sizes[Method.RUNS] < sizes[Method.QUICK] else Method.QUICK
    return Method.THOROUGH if sizes[Method.THOROUGH] < (1 - _MIN_SAVING) * sizes[quick] else quick


def _sample(raw: NDArray[np.uint8]) -> bytes:
    if len(raw) <= 2 * _SAMPLE_BYTES:
        return raw.tobytes()
    length = _SAMPLE_BYTES // _SAMPLE_PIECES
    gap = (len(raw) - length) // (_SAMPLE_PIECES - 1) // 8 * 8  # a multiple of 8 bytes: splits no value of any type
    return b"".join(raw[i * gap : i * gap + length].tobytes() for i in range(_SAMPLE_PIECES))
