"""Convert exceptions caused by damaged files to BundleError."""

from __future__ import annotations

import csv
import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from karospace_jupyter.errors import BundleError, KaroSpaceError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAMAGE_ERRORS = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError),
    *(csv.Error, struct.error, zlib.error),
)


def header_of(raw: bytes, path: str, magic: bytes, what: str, version: int, words: int) -> list[int]:
    """Return the numbers after the magic bytes and the version of a file, each a uint32.

    Parameters
    ----------
    what
        What the file should be, for messages: "a marker file".
    version
        The version that this package reads.
    words
        How many numbers follow the version.

    Raises
    ------
    BundleError
        If the file is of a different kind or version.
    """
    if raw[: len(magic)] != magic:
        msg = f"{path} is not {what}"
        raise BundleError(msg)
    found, *rest = struct.unpack_from(f"<{1 + words}I", raw, len(magic))
    if found != version:
        msg = f"{path} has version {found}; this package reads version {version}. Update karospace-jupyter"
        raise BundleError(msg)
    return rest


@contextmanager
def damage(where: str) -> Iterator[None]:
    """Convert exceptions that invalid files raise in the block to a BundleError that begins with `where`.

    Examples are text instead of numbers, rows that are too short, invalid UTF-8, codes out of range, and deep nesting.
    """
    try:
        yield
    except KaroSpaceError:
        raise
    except MemoryError as exc:
        msg = f"{where} does not fit into memory."
        raise BundleError(msg) from exc
    except RecursionError as exc:
        msg = f"{where} is nested too deeply."
        raise BundleError(msg) from exc
    except _DAMAGE_ERRORS as exc:
        msg = f"{where} is damaged: {exc or type(exc).__name__}."
        raise BundleError(msg) from exc
