"""Detect changes of the data during an export."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from karospace_jupyter.source.matrix import Matrix
    from karospace_jupyter.source.tables import ObjectTables

_SAMPLES = 1 << 16


class ObjectWatch:
    """Detect changes of an object in memory from its shape, names, coordinates and a sample of its values.

    Notes
    -----
    65,536 values spread over each array are compared. A change of the whole array (normalizing, taking logarithms,
    scaling, reordering cells) is always detected, a change of a few cells possibly not: comparing all values would
    take as long as the export.
    """

    def __init__(self, adata: Any, tables: ObjectTables, matrix: Matrix) -> None:  # noqa: ANN401 - imported late
        self._adata, self._tables, self._matrix = adata, tables, matrix
        self._before = self._fingerprint()

    def change(self) -> str | None:
        """Return a description of what changed since the start, or None if nothing changed."""
        now = self._fingerprint()
        for name, before in self._before.items():
            after = now[name]
            if isinstance(before, dict) and isinstance(after, dict):
                after = {key: after.get(key) for key in before}  # ignore added entries; they are not exported
            if after != before:
                return name
        return None

    def _fingerprint(self) -> dict[str, object]:
        held = [getattr(self._matrix, name, None) for name in ("data", "indices", "indptr", "array")]
        parts = [part for array in held for part in _plain(array)]
        obs = self._tables.obs
        return {
            "number of cells or genes": tuple(self._adata.shape),
            "cell names": _checksum(np.asarray(self._adata.obs_names, dtype=object)),
            "gene names": _checksum(np.asarray(self._adata.var_names, dtype=object)),
            "matrix values": [_checksum(part) for part in parts if isinstance(part, np.ndarray)],
            "columns of obs": {str(name): str(dtype) for name, dtype in zip(obs, obs.dtypes, strict=True)},
            "coordinates": {
                str(name): _checksum(array) for name, array in self._adata.obsm.items() if isinstance(array, np.ndarray)
            },
        }


class FileWatch:
    """Detect changes of a file from its size, modification time and inode."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = self._fingerprint()

    def change(self) -> str | None:
        """Return a description of what changed since the start, or None if nothing changed."""
        return None if self._fingerprint() == self._before else "the file"

    def _fingerprint(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_size, stat.st_mtime_ns, stat.st_ino


class NoWatch:
    """Placeholder for data whose changes cannot be detected."""

    def change(self) -> str | None:
        """Return None: changes cannot be detected."""
        return None


def _plain(array: Any) -> list[Any]:  # noqa: ANN401 - any array that a matrix consists of
    """Return the array and, for a masked array, its mask separately."""
    masked = isinstance(array, np.ma.MaskedArray)
    return [np.ma.getdata(array), np.ma.getmaskarray(array)] if masked else [array]


def _checksum(values: np.ndarray[Any, Any]) -> int:
    # linspace avoids positions that align with the rows; indexing `flat` avoids copying the array.
    size = values.size
    sample = values.flat[np.linspace(0, size - 1, min(size, _SAMPLES)).astype(np.int64)] if size else values.ravel()
    raw = "\0".join(map(str, sample)).encode("utf-8", "replace") if sample.dtype.kind == "O" else sample.tobytes()
    return zlib.crc32(raw) ^ size
