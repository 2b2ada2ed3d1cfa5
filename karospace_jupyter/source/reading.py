"""Translate errors of HDF5 and zarr into messages that say what to do."""

from __future__ import annotations

import importlib
import re
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from karospace_jupyter.errors import KaroSpaceError, SourceError, SourceMemoryError, memory_advice
from karospace_jupyter.paths import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

# HDF5's messages for an unknown filter: with a plugin folder, without one, and with one that lacks the filter.
_NO_FILTER = re.compile(r"required filter|not registered|plugin|filter .*not available", re.IGNORECASE)
_NO_CODEC = re.compile(r"codec not available|unknown codec|no codec|codec.*not (?:found|registered)", re.IGNORECASE)

_LIBRARIES = frozenset({"h5py", "zarr", "numcodecs"})


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Convert exceptions raised inside the block to a SourceError that names what was read.

    Parameters
    ----------
    where
        Description of what is read: ``obs of tissue.h5ad``.

    Raises
    ------
    SourceError
        For every exception except those of this package. For a memory shortage, it is also an OutOfMemoryError.
    """
    try:
        yield
    except KaroSpaceError:
        raise
    except MemoryError as exc:
        advice = memory_advice(exc)
        msg = f"{where} cannot be read: not enough {advice} A small file that needs this much is damaged."
        raise SourceMemoryError(msg) from exc
    except Exception as exc:
        raise SourceError(_message(where, exc)) from exc


def import_filters() -> bool:
    """Import hdf5plugin, which registers its filters with h5py.

    Returns
    -------
    bool
        Whether hdf5plugin is installed and can be imported.
    """
    try:
        importlib.import_module("hdf5plugin")
    except (ImportError, OSError):  # OSError: its libraries are for another platform
        return False
    return True


def _message(where: str, exc: Exception) -> str:
    found = without_secrets(str(exc)) or type(exc).__name__  # zarr reads URLs
    if _NO_FILTER.search(found):
        if import_filters():
            return (
                f"{where} is compressed with a filter that neither HDF5 nor hdf5plugin includes: {found}. "
                "Write the file again with gzip compression."
            )
        return (
            f"{where} is compressed with a filter that HDF5 does not include. Install hdf5plugin "
            "(pip install hdf5plugin) in the environment of this package and try again."
        )
    if _NO_CODEC.search(found):
        return (
            f"{where} is compressed with a codec that is not installed: {found}. Install the package that provides it "
            "(most are in numcodecs and zarr), or write the data with another codec."
        )
    # The messages of these exceptions are sentences; others (KeyError: 'x') make no sense without the class name.
    text = found if isinstance(exc, (OSError, RuntimeError, ValueError)) else f"{type(exc).__name__}: {found}"
    message = f"{where} cannot be read: {text.rstrip('.')}."
    return f"{message} The file is damaged or incomplete; copy or write it again." if _is_file_damage(exc) else message


def _is_file_damage(exc: Exception) -> bool:
    """Return whether a file library rejected the content of a file, as opposed to an error of the operating system."""
    if isinstance(exc, OSError) and exc.errno is not None:
        return False
    modules = (str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(exc.__traceback__))
    return any(module.partition(".")[0] in _LIBRARIES for module in modules)
