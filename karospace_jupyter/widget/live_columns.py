"""Columns of obs that a view shows in addition to those of its bundle, or with values that differ from it."""

from __future__ import annotations

import gzip
import logging
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from karospace_jupyter.encode.columnar import encode_column
from karospace_jupyter.encode.pack import Packer
from karospace_jupyter.errors import ColumnError, SourceError, ViewError
from karospace_jupyter.plan.annotations import MAX_CATEGORIES, choose_columns
from karospace_jupyter.plan.model import Cells
from karospace_jupyter.source import open_source

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydantic import JsonValue

    from karospace_jupyter.bundle.manifest import Column
    from karospace_jupyter.publish.bundle import Bundle

logger = logging.getLogger(__name__)

MAX_LIVE_CATEGORIES = 10_000
"""Columns with more categories are refused: they are identifiers, and their list would block the page."""
_WHOLE = 2**62
"""Maximum bytes of a file, so large that a column is never split."""


class LiveColumns:
    """The columns that are read from the object, encoded as in a bundle.

    Parameters
    ----------
    rows
        The row in the object of each of the bundle's cells, shape (n_cells,).
    """

    def __init__(self, adata: Any, bundle: Bundle, rows: NDArray[np.int64]) -> None:  # noqa: ANN401 - imported late
        self._adata, self._bundle = adata, bundle
        whole = len(rows) == adata.n_obs and np.array_equal(rows, np.arange(len(rows)))
        self._cells = Cells(None if whole else rows, np.asarray(adata.obs_names, dtype=object)[rows])
        self._at_start = set(map(str, adata.obs.columns))
        self._exported = {column.name: column for column in bundle.manifest.columns or ()}
        self._held: dict[str, tuple[Column, bytes, int]] = {}
        self._count = 0
        self._lock = threading.Lock()

    @property
    def names(self) -> set[str]:
        """Names of the columns that are read from the object."""
        return set(self._held)

    def column(self, name: str) -> Column | None:
        """Return a column if it is read from the object, otherwise None."""
        held = self._held.get(name)
        return None if held is None else held[0]

    def listing(self) -> list[dict[str, JsonValue]]:
        """Return the columns as entries of a manifest; the path of a column changes with its values."""
        found = []
        for column, stored, number in list(self._held.values()):
            chunk = {"path": f"live/column_{number}", "start": 0, "end": self._cells.n, "size_bytes": len(stored)}
            found.append({**column.model_dump(mode="json"), "chunks": [chunk]})
        return found

    def read(self, number: str) -> bytes | None:
        """Return the values of a column, gzipped; None if there is none with this number."""
        for _, stored, own in list(self._held.values()):
            if str(own) == number:
                return stored
        return None

    def add(self, name: str) -> None:
        """Read a column of obs with its current values.

        Raises
        ------
        ViewError
            If it cannot color cells; the message says why.
        """
        with self._lock:
            self._take(name, *self._encoded(name, name))

    def refresh(self) -> None:
        """Read all columns again: those that were shown, those of the bundle that changed, and new ones."""
        with self._lock:
            there = list(map(str, self._adata.obs.columns))
            for gone in self.names - set(there):
                del self._held[gone]
            for name in there:
                known = name in self._held or name in self._exported
                if not known and name in self._at_start:
                    continue  # left out of the export, and not asked for since
                try:
                    column, stored = self._encoded(self._as_exported(name), name)
                except ViewError as exc:
                    logger.warning("%s", exc)
                    continue
                if known or _has_legend(column):
                    self._take(name, column, stored)

    def _as_exported(self, name: str) -> str:
        """Return a name with the prefix of the kind in the bundle; without it for a new column or a changed type."""
        kind = self._exported[name].kind if name in self._exported else None
        numeric = self._adata.obs[name].dtype.kind in "iuf"
        return f"{kind}:{name}" if kind == "category" or (kind == "number" and numeric) else name

    def _encoded(self, asked: str, name: str) -> tuple[Column, bytes]:
        source = open_source(self._adata)
        files: dict[str, bytes] = {}
        try:
            xy = np.zeros((self._cells.n, 2))
            (annotation,) = choose_columns(source, self._cells, [asked], (), None, xy).annotations
        except (ColumnError, SourceError) as exc:
            raise ViewError(str(exc)) from exc
        finally:
            source.close()
        if annotation.kind == "category" and len(annotation.categories) > MAX_LIVE_CATEGORIES:
            msg = (
                f"The column {name!r} of obs has {len(annotation.categories):,} categories; "
                f"at most {MAX_LIVE_CATEGORIES:,} can be shown."
            )
            raise ViewError(msg)
        with Packer(files.__setitem__, gzip=True, threads=1) as packer:
            column, _ = encode_column(annotation, 0, packer, _WHOLE)
        (stored,) = files.values()
        return column, stored

    def _take(self, name: str, column: Column, stored: bytes) -> None:
        """Store a column, unless the view already has the same values."""
        held = self._held.get(name)
        if held is not None and held[1] == stored and _meaning(held[0]) == _meaning(column):
            return
        exported = self._exported.get(name)
        if held is None and exported is not None and self._is_exported(exported, column, stored):
            return
        self._count += 1
        self._held[name] = (column, stored, self._count)

    def _is_exported(self, exported: Column, column: Column, stored: bytes) -> bool:
        if _meaning(exported) != _meaning(column):
            return False
        values = self._bundle.vector(exported.chunks, np.dtype(exported.dtype))
        return gzip.decompress(stored) == values.tobytes()


def _meaning(column: Column) -> dict[str, object]:
    return column.model_dump(exclude={"chunks"})


def _has_legend(column: Column) -> bool:
    return column.kind == "number" or 1 <= len(column.categories) <= MAX_CATEGORIES
