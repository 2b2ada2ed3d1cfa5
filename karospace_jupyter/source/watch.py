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
    """Remembers an object in memory by its shape, its names, its coordinates and a sample of its values.

    Notes
    -----
    65,536 values of each array are compared, spread over it, so a change of the whole (normalising, taking logarithms,
    scaling, another order of cells) is always noticed, and a change of a few cells perhaps not: comparing all would
    cost as much as the export.
    """

    def __init__(self, adata: Any, matrix: Matrix) -> None:  # noqa: ANN401 - anndata is imported late
        self._adata, self._matrix = adata, matrix
        self._before = self._look()

    def change(self) -> str | None:
        """Say what changed since the start; None when nothing did."""
        now = self._look()
        for name, before in self._before.items():
            after = now[name]
            if isinstance(before, dict) and isinstance(after, dict):
                after = {key: after.get(key) for key in before}  # what was added meanwhile is no part of the export
            if after != before:
                return name
        return None

    def _look(self) -> dict[str, object]:
        held = [getattr(self._matrix, name, None) for name in ("data", "indices", "indptr", "array")]
        parts = [part for array in held for part in _plain(array)]
        return {
            "its number of cells or genes": tuple(self._adata.shape),
            "the names of its cells": _checksum(np.asarray(self._adata.obs_names, dtype=object)),
            "the names of its genes": _checksum(np.asarray(self._adata.var_names, dtype=object)),
            "the values of its matrix": [_checksum(part) for part in parts if isinstance(part, np.ndarray)],
            "the columns of its obs": {
                str(name): str(dtype) for name, dtype in zip(self._adata.obs, self._adata.obs.dtypes, strict=True)
            },
            "its coordinates": {
                str(name): _checksum(array) for name, array in self._adata.obsm.items() if isinstance(array, np.ndarray)
            },
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


def _plain(array: Any) -> list[Any]:  # noqa: ANN401 - whatever the matrix is made of
    """Return the array, and apart from it which of its values are masked."""
    masked = isinstance(array, np.ma.MaskedArray)
    return [np.ma.getdata(array), np.ma.getmaskarray(array)] if masked else [array]


def _checksum(values: np.ndarray[Any, Any]) -> int:
    # Positions that do not fall into step with the rows, taken without a copy of the whole.
    size = values.size
    sample = values.flat[np.linspace(0, size - 1, min(size, _SAMPLES)).astype(np.int64)] if size else values.ravel()
    raw = "\0".join(map(str, sample)).encode("utf-8", "replace") if sample.dtype.kind == "O" else sample.tobytes()
    return zlib.crc32(raw) ^ size
