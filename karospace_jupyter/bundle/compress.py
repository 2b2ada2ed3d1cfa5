"""Compress files of a bundle."""

from __future__ import annotations

import zlib
from enum import Enum

import deflate


class Method(Enum):
    """Compression methods; all produce gzip."""

    QUICK = "libdeflate, level 1"
    """20 to 50 times as fast as zlib at level 9."""
    RUNS = "zlib, runs of one byte"
    """As fast as QUICK, and up to 25 % smaller for mostly zero values, such as counts of most genes."""
    THOROUGH = "libdeflate, level 6"
    """For repeating values, such as larger counts; takes up to 4 times as long as QUICK. (Level 8 takes up to 20 times
    as long and saves another 10 %.)"""


def compress(raw: bytes, method: Method) -> bytes:
    """Return `raw` as gzip without a timestamp or a name, so that equal input gives equal bytes."""
    if method is Method.RUNS:
        stream = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 9, zlib.Z_RLE)
        return stream.compress(raw) + stream.flush()
    return bytes(deflate.gzip_compress(raw, 1 if method is Method.QUICK else 6))
