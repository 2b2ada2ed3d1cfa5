"""Files that a view can request: those in the manifest, the page itself, and genes of the live object."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import deflate
import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.bundle.manifest import Values
from karospace_jupyter.config import matrix_name, parse_matrix
from karospace_jupyter.contracts.messages import LiveMatrix
from karospace_jupyter.differential import Comparison, MatrixScale, check_groups, compare_values, counted_genes
from karospace_jupyter.errors import BundleError, Cancelled, ColumnError, GenesError, ViewError
from karospace_jupyter.job import Job
from karospace_jupyter.plan.gene_choice import find_genes
from karospace_jupyter.plan.matrix_values import matrix_values
from karospace_jupyter.plan.model import MatrixValues
from karospace_jupyter.plan.names import as_text, make_unique
from karospace_jupyter.source import open_source
from karospace_jupyter.source.by_gene import labeled_entries
from karospace_jupyter.source.open import DEFAULT_MEMORY_BYTES
from karospace_jupyter.static import static_file
from karospace_jupyter.widget.layers import layer_of, matrix_of
from karospace_jupyter.widget.live_columns import LiveColumns
from karospace_jupyter.widget.live_statistics import MEMORY_BYTES, LiveStatistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from karospace_jupyter.config import ExportConfig, MatrixSpec
    from karospace_jupyter.publish.bundle import Bundle
    from karospace_jupyter.widget.masks import Mask

PAGE = "index.html"
LIVE_LIST = "live/genes.json"
LIVE_COLUMNS = "live/columns.json"
LIVE_STATISTICS = "live/statistics.json"
LIVE_COMPARISON = "live/compare.json"
_LIVE_GENE = "live/gene_"
_LIVE_COLUMN = "live/column_"


class LiveCells:
    """The AnnData object of a bundle: maps its rows to the bundle's cells, and provides its genes and columns.

    Raises
    ------
    ViewError
        If the object does not contain the cells of the bundle.
    """

    def __init__(self, adata: Any, bundle: Bundle, config: ExportConfig) -> None:  # noqa: ANN401 - imported late
        self.adata = adata
        self._spec = config.matrix
        self.matrix: LiveMatrix | None = None
        """The matrix that genes are read from; None while it is the unchanged matrix of the bundle."""
        self._lock = threading.Lock()
        self.rows = _rows_of(adata, bundle)
        self.columns = LiveColumns(adata, bundle, self.rows)
        self.names: tuple[str, ...] = tuple(make_unique(as_text(self._var_names()))[0].tolist())
        self._obs_names, self._genes = adata.obs_names, self._var_names()
        self._exported = bundle.manifest.expression
        self._statistics = self._new_statistics()
        self._comparing = threading.Lock()
        self._last_comparison: tuple[str, bytes] | None = None
        self._comparison = ("", Job())

    def _var_names(self, spec: MatrixSpec | None = None) -> Any:  # noqa: ANN401
        in_raw = (spec or self._spec).kind == "raw" and self.adata.raw is not None
        return self.adata.raw.var_names if in_raw else self.adata.var_names

    @property
    def layer(self) -> str:
        """The matrix that genes are read from: ``X``, ``raw`` or the name of a layer."""
        return layer_of(self.matrix_name, self._matrices())

    @property
    def matrix_name(self) -> str:
        """Manifest name of the matrix that genes are read from: ``X``, ``raw`` or ``layer:NAME``."""
        return matrix_name(self._spec)

    def matrix_called(self, layer: str) -> str:
        """Return the manifest name of the object's matrix `layer`.

        Raises
        ------
        ViewError
            If the object has no such matrix.
        """
        return matrix_of(layer, self._matrices(), "object")

    def _matrices(self) -> list[str]:
        layers = [f"layer:{name}" for name in self.adata.layers]
        return ["X", *(["raw"] if self.adata.raw is not None else []), *layers]

    def read_from(self, layer: str) -> None:
        """Read all genes from another matrix from now on: ``X``, ``raw`` or the name of a layer.

        Raises
        ------
        ViewError
            If there is no such matrix, or its genes are not those of this view.
        KaroSpaceError
            If the matrix cannot be read. The view then keeps its matrix.
        """
        spec = parse_matrix(self.matrix_called(layer))
        if not self._genes.equals(self._var_names(spec)):
            msg = f"{layer} has other genes than this view. Create a new view with raw={spec.kind == 'raw'}."
            raise ViewError(msg)
        self._read(spec)

    def read_again(self) -> None:
        """Read all genes from the current matrix from now on, including those of the bundle.

        Raises
        ------
        KaroSpaceError
            If the matrix cannot be read.
        """
        self._read(self._spec)

    def _read(self, spec: MatrixSpec) -> None:
        source = open_source(self.adata, matrix=spec)
        try:
            found = matrix_values(source)
            matrix = LiveMatrix(source=source.matrix_name, values=Values(kind=found.kind, log_base=found.log_base))
        finally:
            source.close()
        with self._lock:
            self._spec, self.matrix = spec, matrix
        before, self._statistics = self._statistics, self._new_statistics()
        before.cancel()

    def gene_names(self, wanted: Sequence[str]) -> dict[str, str]:
        """Map genes, given by name or symbol, to their names in this view; genes that the object lacks are left out."""
        if not wanted:
            return {}
        source = open_source(self.adata, matrix=self._spec)
        try:
            names, positions, _ = find_genes(source, wanted)
        finally:
            source.close()
        return {gene: str(names[position]) for gene, position in positions.items()}

    def gene(self, position: int) -> bytes:
        """Return one gene's values for the bundle's cells as gzipped little-endian float32; NaN where missing.

        Raises
        ------
        ViewError
            If the cells or genes of the object changed since the view was created.
        """
        with self._lock:
            return bytes(deflate.gzip_compress(self.values(position).astype("<f4").tobytes(), 1))

    def statistics(self) -> bytes:
        """Return statistics of all genes over the bundle's cells; see :meth:`LiveStatistics.read`.

        Raises
        ------
        ViewError
            If the cells or genes of the object changed since the view was created.
        Cancelled
            If :meth:`cancel` was called in the meantime.
        """
        while True:
            current = self._statistics
            self.check_unchanged()
            try:
                return current.read()
            except Cancelled:
                if current is self._statistics:
                    raise
                # The matrix has changed in the meantime: read the new one.

    def cancel(self) -> None:
        """Cancel slow computations, because no page waits for them anymore."""
        self._statistics.cancel()
        self._comparison[1].cancel()

    def _new_statistics(self) -> LiveStatistics:
        spec, rows = self._spec, np.sort(self.rows)
        return LiveStatistics(
            lambda: open_source(self.adata, matrix=spec, memory_bytes=MEMORY_BYTES),
            self._known_values(spec),
            None if len(rows) == self.adata.n_obs else rows,
        )

    def _known_values(self, spec: MatrixSpec) -> MatrixValues | None:
        """Return the kind of values in a matrix if the bundle or an earlier read states it, otherwise None."""
        known = self.matrix or self._exported
        name = f"layer:{spec.name}" if spec.kind == "layer" else spec.kind
        return MatrixValues(known.values.kind, known.values.log_base) if known.values and known.source == name else None

    def compare(self, a: Mask, b: Mask, job: Job | None = None) -> pd.DataFrame:
        """Compare every gene of the current matrix between two groups of cells; see :meth:`Bundle.compare`.

        Parameters
        ----------
        a, b
            Masks over obs.
        job
            Receives progress and can cancel the comparison.

        Raises
        ------
        Cancelled
            If the job was canceled.
        ComparisonError
            If the groups overlap or have too few cells.
        ViewError
            If the cells or genes of the object changed since the view was created.
        """
        found, matrix, scale = self._compared(a, b, job or Job.null())
        n_a, n_b = int(a.sum()), int(b.sum())
        return found.table(self.names, matrix=matrix, fold_change=scale.fold_change, n_a=n_a, n_b=n_b)

    def comparison(self, a: Mask, b: Mask, request: str) -> bytes:
        """Return the numbers of :meth:`compare` for the page.

        Parameters
        ----------
        a, b
            Masks over obs.
        request
            Identifies the request: a page repeats a slow request, and must get the same answer.

        Returns
        -------
        bytes
            Gzipped JSON: for each column, its little-endian float64 in the order of the genes, as base64.

        Raises
        ------
        ComparisonError
            If the groups overlap or have too few cells.
        ViewError
            If the cells or genes of the object changed since the view was created.
        Cancelled
            If another request or :meth:`cancel` followed.
        """
        current, job = self._comparison
        if request != current:
            job.cancel()
            self._comparison = request, (job := Job())
        with self._comparing:
            job.check()
            if self._last_comparison is None or self._last_comparison[0] != request:
                found, _, _ = self._compared(a, b, job)
                columns = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
                texts = {
                    name: base64.b64encode(column.astype("<f8").tobytes()).decode() for name, column in columns.items()
                }
                self._last_comparison = (request, gzip.compress(json.dumps(texts).encode(), 1, mtime=0))
            return self._last_comparison[1]

    def _compared(self, a: Mask, b: Mask, job: Job) -> tuple[Comparison, str, MatrixScale]:
        self.check_unchanged()
        check_groups(a, b, self.adata.n_obs)
        rows = np.flatnonzero(a | b)
        labels = np.where(a[rows], np.uint8(1), np.uint8(2))
        spec = self._spec
        source = open_source(self.adata, matrix=spec, memory_bytes=DEFAULT_MEMORY_BYTES)
        try:
            values = self._known_values(spec) or matrix_values(source)
            scale = MatrixScale(values.kind, values.log_base)
            chosen = None if len(rows) == self.adata.n_obs else rows
            # Closed explicitly: it may read ahead in a thread, and a traceback, which notebooks keep, may refer to it.
            with closing(labeled_entries(source, chosen, labels, DEFAULT_MEMORY_BYTES, job)) as entries:
                genes = ((found[of_cell == 1], found[of_cell == 2]) for of_cell, found in entries)
                counted = counted_genes(genes, source.n_genes, job)
                return compare_values(counted, int(a.sum()), int(b.sum()), scale), source.matrix_name, scale
        finally:
            source.close()

    def check_unchanged(self) -> None:
        """Check that the object still has the cells and genes of this view.

        Raises
        ------
        ViewError
            If names were added, removed, changed or reordered.
        """
        for before, now in ((self._obs_names, self.adata.obs_names), (self._genes, self._var_names())):
            if before is not now and not before.equals(now):
                msg = "The cells or genes of the AnnData object changed after this view was created. Create a new view."
                raise ViewError(msg)

    def values(self, position: int) -> NDArray[np.float32]:
        """Return one gene's values for the bundle's cells, shape (n_cells,); NaN where missing."""
        self.check_unchanged()
        source = open_source(self.adata, matrix=self._spec)
        try:
            all_rows = len(self.rows) == source.n_cells
            rows = None if all_rows else np.sort(self.rows)
            values = next(iter(source.genes(np.array([position], dtype=np.int64), rows))).values
        finally:
            source.close()
        if all_rows and np.array_equal(self.rows, np.arange(len(self.rows))):
            return values
        # Rows are read in ascending order, which may differ from the order in the bundle.
        order = np.empty(len(self.rows), dtype=np.int64)
        order[np.argsort(self.rows, kind="stable")] = np.arange(len(self.rows))
        return values[order]


class Assets:
    """Read files by name; only names of files of the bundle and the live object are accepted."""

    def __init__(self, bundle: Bundle, live: LiveCells | None, *, name: str | None = None) -> None:
        self._bundle, self._live, self._name = bundle, live, name
        manifest = bundle.manifest
        self._names = {file.path for file in manifest.asset_files}
        self._names |= {chunk.path for gene in manifest.expression.genes for chunk in gene.chunks}
        if manifest.preview_path:
            self._names.add(manifest.preview_path)
        self._manifest: bytes | None = None

    @property
    def n_live(self) -> int:
        """Number of genes of the live object; 0 if there is none."""
        return 0 if self._live is None else len(self._live.names)

    @property
    def n_genes(self) -> int:
        """Number of genes that can be shown: those of the bundle and of the live object."""
        manifest = self._bundle.manifest
        if self._live is None:
            return manifest.n_genes
        return max(manifest.n_genes, len({*self._live.names, *manifest.gene_list}))

    def is_live(self, path: object) -> bool:
        """Return whether `path` is a gene of the live object or its gene statistics, which may be slow to read."""
        slow = isinstance(path, str) and (path.startswith(_LIVE_GENE) or path == LIVE_STATISTICS)
        return self._live is not None and slow

    def comparison(self, a: Mask, b: Mask, request: str) -> bytes:
        """Return the comparison of two groups of cells of the live object; see :meth:`LiveCells.comparison`.

        Raises
        ------
        ViewError
            If there is no live object, or its cells or genes have changed.
        ComparisonError
            If the groups overlap or have too few cells.
        """
        if self._live is None:
            msg = "This view has no AnnData object whose genes could be compared."
            raise ViewError(msg)
        return self._live.comparison(a, b, request)

    def cancel(self) -> None:
        """Cancel slow computations, because no page waits for them anymore."""
        if self._live is not None:
            self._live.cancel()

    def _named_manifest(self) -> bytes:
        """Return the manifest with the name of the view."""
        stored = self._bundle.stored("manifest.json")
        if self._name in (None, self._bundle.manifest.dataset_name):
            return stored
        return json.dumps({**json.loads(stored), "dataset_name": self._name}).encode()

    def read(self, path: object) -> bytes:
        """Return the bytes of a file as stored, gzipped or not.

        Raises
        ------
        BundleError
            If the manifest does not list the file, or it cannot be read.
        """
        if path == PAGE:
            return _page()
        if path == "manifest.json":
            if self._manifest is None:
                self._manifest = gzip.compress(self._named_manifest(), 6, mtime=0)
            return self._manifest
        if self._live is not None and path == LIVE_LIST:
            matrix = self._live.matrix
            listed_genes = {"names": self._live.names, "matrix": None if matrix is None else matrix.model_dump()}
            return gzip.compress(json.dumps(listed_genes).encode(), 6, mtime=0)
        if self._live is not None and path == LIVE_COLUMNS:
            return gzip.compress(json.dumps(self._live.columns.listing()).encode(), 6, mtime=0)
        if self._live is not None and path == LIVE_STATISTICS:
            return self._live.statistics()
        if self._live is not None and isinstance(path, str) and path.startswith(_LIVE_COLUMN):
            column = self._live.columns.read(path.removeprefix(_LIVE_COLUMN))
            if column is None:
                msg = "The column has changed since it was listed."
                raise ColumnError(msg)
            return column
        if self._live is not None and isinstance(path, str) and path.startswith(_LIVE_GENE):
            number = path.removeprefix(_LIVE_GENE)
            if not number.isascii() or not number.isdigit() or int(number) >= len(self._live.names):
                msg = f"There is no gene with the index {number[:20]!r}."
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
    """Return the row in the object of each of the bundle's cells, shape (n_cells,)."""
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
            f"(the first: {ids[int(np.argmax(rows < 0))]!r}). Pass the object from which the bundle was exported."
        )
        raise ViewError(msg)
    return rows
