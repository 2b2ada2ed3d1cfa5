"""Noticing that data changed while it was read."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from karospace_jupyter.source.matrix import Matrix

_SAMPLES = 1 << 16


class ObjectWatch:
    """Remembers an object in memory by its shape, its names and a sample of its values.

    Notes
    -----
    65,536 values spread over the matrix are compared, so a change of the whole (normalising, taking logarithms,
    scaling) is always noticed, and a change of a few cells perhaps not: comparing all would cost as much as the export.
    """

    def __init__(self, adata: Any, matrix: Matrix) -> None:  # noqa: ANN401 - anndata is imported late
        self._adata, self._matrix = adata, matrix
        self._before = self._look()

    def change(self) -> str | None:
        """Say what changed since the start; None when nothing did."""
        now = self._look()
        for name, before in self._before.items():
            if now[name] != before:
                return name
        return None

    def _look(self) -> dict[str, object]:
        values = getattr(self._matrix, "data", getattr(self._matrix, "array", None))
        sample = _checksum(values) if isinstance(values, np.ndarray) else None
        return {
            "its number of cells or genes": tuple(self._adata.shape),
            "the names of its cells": _checksum(np.asarray(self._adata.obs_names, dtype=object)),
            "the values of its matrix": sample,
        }


class FileWatch:
    """Remembers a file by its size and time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = self._look()

    def change(self) -> str | None:
        """Say what changed since the start; None when nothing did."""
        return None if self._look() == self._before else "the file"

    def _look(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_size, stat.st_mtime_ns, stat.st_ino


class NoWatch:
    """For what cannot be watched."""

    def change(self) -> str | None:
        """Nothing is known to have changed."""
        return None


def _checksum(values: np.ndarray[Any, Any]) -> int:
    # Positions that do not fall into step with the rows, taken without a copy of the whole.
    size = values.size
    sample = values.flat[np.linspace(0, size - 1, min(size, _SAMPLES)).astype(np.int64)] if size else values.ravel()
    raw = "\0".join(map(str, sample)).encode("utf-8", "replace") if sample.dtype.kind == "O" else sample.tobytes()
    return zlib.crc32(raw) ^ size
