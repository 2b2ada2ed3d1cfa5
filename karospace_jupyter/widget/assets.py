"""The files that a view may ask for: what the manifest names, the page itself, and genes of the live object."""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING, Any

import deflate
import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.cells import cell_ids
from karospace_jupyter.errors import BundleError, GenesError, ViewError
from karospace_jupyter.plan.names import as_text, make_unique
from karospace_jupyter.source import open_source
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    from karospace_jupyter.bundle.read import Bundle
    from karospace_jupyter.config import ExportConfig

PAGE = "index.html"
LIVE_LIST = "live/genes.json"
_LIVE_GENE = "live/gene_"


class LiveCells:
    """An AnnData object beside a bundle of its cells: which row is which cell, and genes that were not exported.

    Raises
    ------
    ViewError
        When the object does not hold the bundle's cells.
    """

    def __init__(self, adata: Any, bundle: Bundle, config: ExportConfig) -> None:  # noqa: ANN401 - imported late
        self.adata = adata
        self._config = config
        self._lock = threading.Lock()
        self.rows = _rows_of(adata, bundle)
        self.names: tuple[str, ...] = tuple(make_unique(as_text(self._var_names()))[0].tolist())
        self._obs_names, self._genes = adata.obs_names, self._var_names()

    def _var_names(self) -> Any:  # noqa: ANN401
        return self.adata.raw.var_names if self._config.raw and self.adata.raw is not None else self.adata.var_names

    def gene(self, position: int) -> bytes:
        """Return the values of one gene for the bundle's cells: float32, little-endian, gzipped; NaN where missing.

        Raises
        ------
        ViewError
            When the object has another number of cells or genes than when the view was made.
        """
        with self._lock:
            return bytes(deflate.gzip_compress(self.values(position).astype("<f4").tobytes(), 1))

    def check_unchanged(self) -> None:
        """Refuse an object whose cells or genes are not those of this view any more.

        Raises
        ------
        ViewError
            When names were added, dropped, changed or put into another order.
        """
        for before, now in ((self._obs_names, self.adata.obs_names), (self._genes, self._var_names())):
            if before is not now and not before.equals(now):
                msg = "The AnnData object has changed its cells or genes since this view was made. Make a new view."
                raise ViewError(msg)

    def values(self, position: int) -> NDArray[np.float32]:
        """Return the values of one gene for the bundle's cells, shape (n_cells,); NaN where missing."""
        self.check_unchanged()
        source = open_source(self.adata, matrix=self._config.matrix)
        try:
            all_rows = len(self.rows) == source.n_cells
            rows = None if all_rows else np.sort(self.rows)
            values = next(iter(source.genes(np.array([position], dtype=np.int64), rows))).values
        finally:
            source.close()
        if all_rows and np.array_equal(self.rows, np.arange(len(self.rows))):
            return values
        # Rows are read in ascending order; the bundle may hold them in another.
        order = np.empty(len(self.rows), dtype=np.int64)
        order[np.argsort(self.rows, kind="stable")] = np.arange(len(self.rows))
        return values[order]


class Assets:
    """Answers requests for files by name, and refuses every other name."""

    def __init__(self, bundle: Bundle, live: LiveCells | None) -> None:
        self._bundle, self._live = bundle, live
        manifest = bundle.manifest
        self._names = {file.path for file in manifest.asset_files}
        self._names |= {chunk.path for gene in manifest.expression.genes for chunk in gene.chunks}
        if manifest.preview_path:
            self._names.add(manifest.preview_path)
        self._manifest: bytes | None = None

    def is_live(self, path: object) -> bool:
        """Whether `path` names a gene of the object, which takes as long as its matrix needs."""
        return self._live is not None and isinstance(path, str) and path.startswith(_LIVE_GENE)

    def read(self, path: object) -> bytes:
        """Return a file's bytes as stored, gzipped or not.

        Raises
        ------
        BundleError
            When the bundle's manifest does not name it, or it cannot be read.
        """
        if path == PAGE:
            return _page()
        if path == "manifest.json":
            if self._manifest is None:
                self._manifest = gzip.compress(self._bundle.stored("manifest.json"), 6, mtime=0)
            return self._manifest
        if self._live is not None and path == LIVE_LIST:
            return gzip.compress(json.dumps(self._live.names).encode(), 6, mtime=0)
        if self._live is not None and isinstance(path, str) and path.startswith(_LIVE_GENE):
            number = path.removeprefix(_LIVE_GENE)
            if not number.isascii() or not number.isdigit() or int(number) >= len(self._live.names):
                msg = f"There is no gene {number[:20]!r}."
                raise GenesError(msg)
            return self._live.gene(int(number))
        if not isinstance(path, str) or path not in self._names:
            msg = f"{str(path)[:200]!r} is not a file of this bundle."
            raise BundleError(msg)
        return self._bundle.stored(path)


_pages: dict[str, bytes] = {}


def _page() -> bytes:
    if PAGE not in _pages:
        _pages[PAGE] = gzip.compress(static_file("viewer.html"), 6, mtime=0)
    return _pages[PAGE]


def _rows_of(adata: Any, bundle: Bundle) -> NDArray[np.int64]:  # noqa: ANN401
    """Return the row of each of the bundle's cells in the object, shape (n_cells,)."""
    import pandas as pd

    names = make_unique(as_text(np.asarray(adata.obs_names, dtype=object)))[0]
    ids = cell_ids(bundle)
    if len(ids) == len(names) and np.array_equal(ids, names):
        return np.arange(len(ids), dtype=np.int64)
    rows: NDArray[np.int64] = np.asarray(pd.Index(names).get_indexer(pd.Index(ids)), dtype=np.int64)
    missing = int((rows < 0).sum())
    if missing:
        msg = (
            f"{missing:,} of the bundle's {len(ids):,} cells are not in this AnnData object "
            f"(the first: {ids[int(np.argmax(rows < 0))]!r}). Give the object that the bundle was made of."
        )
        raise ViewError(msg)
    return rows
