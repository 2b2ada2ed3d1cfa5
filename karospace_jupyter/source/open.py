"""Open an AnnData object, or an `.h5ad` file or zarr folder by path or URL."""

from __future__ import annotations

import copy
import os
import re
import tempfile
import warnings
from contextlib import ExitStack
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.bundle.files import is_bundle
from karospace_jupyter.config import MatrixRaw, MatrixSpec, MatrixX
from karospace_jupyter.errors import NoMatrixError, NoSourceError, SourceError
from karospace_jupyter.job import Job
from karospace_jupyter.kernel import variable_of
from karospace_jupyter.paths import expanded, is_url, public_url
from karospace_jupyter.source.foreign import (
    bundle_instead,
    check_object,
    foreign_file,
    foreign_group,
    holds_modalities,
    only_table,
)
from karospace_jupyter.source.matrix import Matrix, matrix_in_file, matrix_in_memory
from karospace_jupyter.source.pairs import pairs_of
from karospace_jupyter.source.passes import Passes
from karospace_jupyter.source.reading import import_filters, reading
from karospace_jupyter.source.tables import FileTables, ObjectTables, Tables
from karospace_jupyter.source.watch import FileWatch, NoWatch, ObjectWatch
from karospace_jupyter.stores import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from karospace_jupyter.source.entries import Entries
    from karospace_jupyter.source.obsm_values import NumericTable
    from karospace_jupyter.source.protocol import GeneStatistics, GeneVector, Rows, Scale, Source
    from karospace_jupyter.source.sample import Sample

DEFAULT_MEMORY_BYTES = 512 * 10**6
_ZARR_MARKERS = (".zgroup", "zarr.json", ".zmetadata")
_IN_HDF5 = re.compile(r"(.+?\.(?:h5ad|h5mu|h5))/(.+)", re.IGNORECASE)


def open_source(
    subject: Any,  # noqa: ANN401 - a path, or an AnnData, which is imported late
    *,
    matrix: MatrixSpec | None = None,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    storage_options: Mapping[str, Any] | None = None,
    job: Job | None = None,
) -> Source:
    """Open `subject` and select one of its matrices.

    Parameters
    ----------
    subject
        Path or URL of an `.h5ad` file, a zarr folder or a SpatialData store with a single table, path of a group
        inside one (``two.h5mu/mod/rna``), or an :class:`anndata.AnnData`. Views and backed objects are supported.
    matrix
        The matrix to read expression from. By default, X.
    memory_bytes
        Memory for blocks of the matrix.
    storage_options
        Options of the file system of a URL.
    job
        Receives the progress of a download, and can cancel it.

    Returns
    -------
    Source
        The opened data. Call its ``close()`` to release the file.

    Raises
    ------
    SourceError
        If it is not AnnData, or cannot be read.
    GenesError
        If the matrix does not exist.
    """
    matrix = matrix or MatrixX()
    if not isinstance(subject, (str, os.PathLike)):
        return _open_object(subject, matrix, memory_bytes)
    if is_url(subject):
        return _open_url(subject, storage_options, matrix, memory_bytes, job or Job.null())
    path = expanded(subject)
    if not path.exists():
        file = next((parent for parent in path.parents if parent.is_file()), None)
        if file is not None:
            return _open_h5ad(file, matrix, memory_bytes, path.relative_to(file).as_posix())
        near = sorted(p.name for pattern in ("*.h5ad", "*.h5mu", "*.zarr") for p in path.parent.glob(pattern))[:8]
        contents = f" {path.parent} contains: {', '.join(near)}." if near else " Check the path."
        msg = f"File not found: {path}.{contents}"
        raise NoSourceError(msg)
    return _open_zarr(path, matrix, memory_bytes) if path.is_dir() else _open_h5ad(path, matrix, memory_bytes)


class _Opened:
    """Implementation of :class:`~karospace_jupyter.source.protocol.Source` for tables and a matrix."""

    def __init__(
        self,
        name: str,
        tables: Tables,
        matrix: Matrix,
        spec: MatrixSpec,
        memory_bytes: int,
        watch: ObjectWatch | FileWatch | NoWatch,
        close: Callable[[], None],
        with_matrix: Callable[[MatrixSpec], Source],
    ) -> None:
        self.name = name
        self._with_matrix = with_matrix
        self._watch = watch
        self._memory_bytes = memory_bytes
        self._tables = tables
        self.matrix_name = f"layer:{spec.name}" if spec.kind == "layer" else spec.kind
        self.matrix_kind = matrix.kind
        self.n_values = matrix.n_values
        self._passes = Passes(matrix, f"{self.matrix_name} of {name}", memory_bytes)
        self._close = close
        var = tables.raw_var if spec.kind == "raw" else tables.var
        self._var: pd.DataFrame = tables.var if var is None else var
        self.n_cells, self.n_genes = matrix.shape
        if (self.n_cells, self.n_genes) != (len(tables.obs), len(self._var)):
            msg = (
                f"{self.matrix_name} of {name} has shape {self.n_cells} × {self.n_genes}, but obs has "
                f"{len(tables.obs)} cells and var {len(self._var)} genes. The file is damaged; write it again."
            )
            raise SourceError(msg)

    @property
    def cell_names(self) -> NDArray[np.object_]:
        return _text(self._tables.obs.index)

    @property
    def gene_names(self) -> NDArray[np.object_]:
        return _text(self._var.index)

    @property
    def obs_columns(self) -> tuple[str, ...]:
        return tuple(map(str, self._tables.obs.columns))

    @property
    def var_columns(self) -> tuple[str, ...]:
        return tuple(map(str, self._var.columns))

    @property
    def obsm_shapes(self) -> dict[str, tuple[int, ...]]:
        return self._tables.obsm_shapes

    @property
    def layers(self) -> tuple[str, ...]:
        return self._tables.layers

    @property
    def has_raw(self) -> bool:
        return self._tables.raw_var is not None

    def obs(self, column: str) -> pd.Series[Any]:
        return _column(self._tables.obs, column)

    def var(self, column: str) -> pd.Series[Any]:
        return _column(self._var, column)

    @property
    def obsm_others(self) -> dict[str, str]:
        return self._tables.obsm_others

    def obsm_columns(self, key: str) -> tuple[str, ...]:
        return self._tables.obsm_columns(key)

    def obsm_table(self, key: str) -> NumericTable | None:
        return self._tables.obsm_table(key)

    def obsm(self, key: str) -> NDArray[np.float64]:
        return self._tables.obsm(key)

    def uns(self, *path: str) -> Any:  # noqa: ANN401
        return self._tables.uns(*path)

    def uns_shape(self, *path: str) -> tuple[int, ...] | None:
        return self._tables.uns_shape(*path)

    @property
    def obsp_keys(self) -> tuple[str, ...]:
        return self._tables.obsp_keys

    def pairs(self, key: str) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        where = f"obsp[{key!r}] of {self.name}"
        return pairs_of(self._tables.obsp(key), self.n_cells, where, self._memory_bytes)

    def sample(self) -> Sample:
        return self._passes.sample()

    def sampled(self) -> Source:
        other = copy.copy(self)
        other._passes = self._passes.sampled()  # noqa: SLF001 - of the same class
        other._with_matrix = lambda matrix: self._with_matrix(matrix).sampled()  # noqa: SLF001
        return other

    def with_matrix(self, matrix: MatrixSpec) -> Source:
        return self._with_matrix(matrix)

    def statistics(
        self,
        rows: Rows,
        scale: Scale,
        job: Job | None = None,
        *,
        variance: bool = True,
        log_base: float | None = None,
        ceiling: NDArray[np.float64] | None = None,
    ) -> GeneStatistics:
        return self._passes.statistics(
            rows, scale, job or Job.null(), variance=variance, log_base=log_base, ceiling=ceiling
        )

    @property
    def by_column(self) -> bool:
        return self._passes.by_column

    def entries(self, rows: Rows, most: int) -> Iterator[Callable[[], Entries]]:
        return self._passes.entries(rows, most)

    def genes(self, indices: NDArray[np.int64], rows: Rows, job: Job | None = None) -> Iterator[GeneVector]:
        return self._passes.genes(indices, rows, job or Job.null())

    def check_unchanged(self) -> None:
        change = self._watch.change()
        if change is not None:
            msg = f"{self.name} was changed during the export: {change}. Nothing was written; export it again."
            raise SourceError(msg)

    def close(self) -> None:
        self._close()


def _open_object(adata: Any, spec: MatrixSpec, memory_bytes: int) -> Source:  # noqa: ANN401
    check_object(adata)
    if not all(hasattr(adata, name) for name in ("obs", "var", "obsm", "uns", "X")):
        msg = f"Expected an AnnData object or a path, got {type(adata).__name__}."
        raise SourceError(msg)
    file = getattr(adata, "filename", None)
    if file is not None and not Path(file).exists():
        msg = f"The object is backed by {file}, which no longer exists. Restore the file, or read the data again."
        raise SourceError(msg)
    value = _matrix_of_object(adata, spec)
    # A backed object returns a dataset of its file, or a wrapper whose `group` is in the file: read these in blocks.
    node = getattr(value, "group", value)
    in_file = type(node).__module__.partition(".")[0] in {"h5py", "zarr"}
    if in_file:
        import_filters()
    chosen = matrix_in_file(node, spec.kind) if in_file else matrix_in_memory(value)
    tables = ObjectTables(adata)
    return _Opened(
        variable_of(adata) or ("anndata" if file is None else Path(file).stem),
        tables,
        chosen,
        spec,
        memory_bytes,
        ObjectWatch(adata, tables, chosen),
        lambda: None,
        lambda other: _open_object(adata, other, memory_bytes),
    )


def _matrix_of_object(adata: Any, spec: MatrixSpec) -> Any:  # noqa: ANN401
    layers = tuple(map(str, adata.layers))
    if spec.kind == "layer":
        if spec.name not in layers:
            raise _no_matrix(spec, layers, has_raw=adata.raw is not None)
        return adata.layers[spec.name]
    if spec.kind == "raw":
        if adata.raw is None:
            raise _no_matrix(spec, layers, has_raw=False)
        return adata.raw.X
    if adata.X is None:
        raise _no_matrix(spec, layers, has_raw=adata.raw is not None)
    return adata.X


def _no_matrix(spec: MatrixSpec, layers: tuple[str, ...], *, has_raw: bool) -> NoMatrixError:
    wanted = f"layer {spec.name!r}" if spec.kind == "layer" else spec.kind
    contents = [f"layer {name!r}" for name in layers] + (["raw"] if has_raw else [])
    choose = (
        f" Choose one of these instead: {', '.join(contents)}." if contents else " It has no layers and no raw either."
    )
    return NoMatrixError(f"The data has no {wanted}.{choose}", (*layers, None) if has_raw else layers)


def _open_h5ad(path: Path, spec: MatrixSpec, memory_bytes: int, inside: str = "") -> Source:
    file = _open_hdf5(path)
    try:
        root = file.get(inside) if inside else file
        if root is None or hasattr(root, "shape"):
            raise NoSourceError(_no_group(str(path), inside, file))
        return _open_root(root, str(path / inside), path, spec, memory_bytes, file.close, FileWatch(path))
    except BaseException:
        file.close()
        raise


def _open_hdf5(path: Path) -> Any:  # noqa: ANN401 - h5py is untyped
    import h5py

    if not os.access(path, os.R_OK):
        msg = f"{path} cannot be read: permission denied. Change its permissions, or copy it."
        raise SourceError(msg)
    import_filters()
    try:
        return h5py.File(path, "r")
    except OSError as exc:
        reason = str(exc).lower()
        if "truncated" in reason:
            msg = f"{path} is truncated, for example by an incomplete copy or download. Copy it again."
        elif "signature" in reason:
            with path.open("rb") as start:
                msg = foreign_file(path, str(path), start.read(8))
        elif "lock" in reason:
            msg = (
                f"{path} is locked: another process, such as a notebook or a pipeline, has it open for writing. Close "
                "it there (file.close() or a kernel restart), or copy the file and open the copy. If no process has "
                "it open, the drive does not support locks: set the environment variable "
                "HDF5_USE_FILE_LOCKING=FALSE before Python starts."
            )
        elif "already open for" in reason:
            msg = (
                f"{path} is open for writing, or the program that wrote it ended without closing it. Close it in that "
                f"program, or run h5clear -s {path.name} if no program has it open."
            )
        else:
            msg = f"{path} cannot be opened: {exc}"
        raise SourceError(msg) from exc


def _open_url(url: str, options: Mapping[str, Any] | None, spec: MatrixSpec, memory_bytes: int, job: Job) -> Source:
    store, inside = Store(url, options, SourceError), ""
    if _is_zarr_on_web(store) if store.on_web else _is_zarr_folder(store):
        return _open_zarr_url(store, options, spec, memory_bytes)
    import h5py

    import_filters()
    opened = ExitStack()
    try:
        # A copy, because HDF5 must not wait for fsspec: while it reads a file object, it holds a lock. The thread of
        # fsspec needs the same lock if the garbage collector frees objects of h5py in it, which would be a deadlock.
        # The file has no name, so it disappears when it is closed.
        copy_of_file = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        found = store.download(copy_of_file, job)
        if not found and (group := _group_in_hdf5(store.url)) is not None:
            store, inside = Store(group[0], options, SourceError), group[1]
            found = store.download(copy_of_file, job)
        if not found:
            msg = f"{public_url(url)} does not exist. Check the URL."
            raise NoSourceError(msg)
        try:
            root = opened.enter_context(h5py.File(copy_of_file, "r"))
        except OSError as exc:
            copy_of_file.seek(0)
            msg = foreign_file(PurePosixPath(store.shown), store.shown, copy_of_file.read(8))
            if "signature" not in str(exc).lower():
                msg = f"{store.shown} cannot be opened: {exc}. If it was not uploaded completely, upload it again."
            raise SourceError(msg) from exc
        node = root.get(inside) if inside else root
        if node is None or hasattr(node, "shape"):
            raise NoSourceError(_no_group(store.shown, inside, root))
        where = f"{store.shown}/{inside}".rstrip("/")
        return _open_root(node, where, None, spec, memory_bytes, opened.close, NoWatch())
    except BaseException:
        opened.close()
        raise


def _group_in_hdf5(url: str) -> tuple[str, str] | None:
    """Return the URL of a file and the group in it, if a URL is the path of a group."""
    path, mark, query = url.partition("?")
    found = _IN_HDF5.fullmatch(path)
    return None if found is None else (f"{found[1]}{mark}{query}", found[2])


def _is_zarr_on_web(store: Store) -> bool:
    """Return whether a URL of a web host, which cannot list folders, is that of a zarr store.

    Raises
    ------
    SourceError
        If it is the URL of a bundle, or that of a zarr store with a query.
    """
    path = PurePosixPath(store.shown)
    if any(part.suffix.lower() in {".h5ad", ".h5mu", ".h5"} for part in (path, *path.parents)):
        return False
    if "?" in store.url:
        if path.suffix.lower() != ".zarr":
            return False
        msg = (
            f"The URL of {store.shown} has a query, which cannot be used for a zarr store: it consists of many files. "
            "Remove the query, and pass the credentials as options of the file system, such as headers."
        )
        raise SourceError(msg)
    if any(_is_json(store, name) for name in _ZARR_MARKERS):
        return True
    if _is_json(store, "manifest.json"):
        raise SourceError(bundle_instead(store.shown))
    return False


def _is_zarr_folder(store: Store) -> bool:
    """Return whether the URL is that of a folder, which must be a zarr store.

    Raises
    ------
    SourceError
        If the folder is not a zarr store.
    """
    if store.kind() != "directory":
        return False
    if any(store.read(name, 1) for name in _ZARR_MARKERS):
        return True
    if store.read("manifest.json", 1):
        raise SourceError(bundle_instead(store.shown))
    names = " or ".join(_ZARR_MARKERS[:2])
    msg = f"{store.shown} is neither a file nor a zarr store of an AnnData (it has no {names})."
    raise SourceError(msg)


def _is_json(store: Store, name: str) -> bool:
    """Return whether a JSON file exists on a web host, which may send a page or refuse access if it does not."""
    try:
        start = store.read(name, 64)
    except SourceError:
        return False
    return start is not None and start.lstrip().startswith(b"{")


def _open_zarr_url(store: Store, options: Mapping[str, Any] | None, spec: MatrixSpec, memory_bytes: int) -> Source:
    zarr = _import_zarr(store.shown)
    with reading(store.shown):
        root = zarr.open_group(store.url, mode="r", storage_options=dict(options or {}))
    return _open_root(root, store.shown, None, spec, memory_bytes, lambda: None, NoWatch())


def _import_zarr(where: str) -> Any:  # noqa: ANN401 - zarr is untyped
    try:
        import zarr
    except ImportError as exc:
        msg = f"Reading {where} requires the package zarr: pip install 'karospace-jupyter[zarr]'."
        raise SourceError(msg) from exc
    return zarr


def _no_group(where: str, inside: str, file: Any) -> str:  # noqa: ANN401 - h5py is untyped
    contents = ", ".join(sorted(file)[:10]) or "nothing"
    return f"{where} has no group {inside}. It contains: {contents}."


def _open_zarr(path: Path, spec: MatrixSpec, memory_bytes: int) -> Source:
    if not any((path / name).exists() for name in _ZARR_MARKERS):
        if is_bundle(path):
            raise SourceError(bundle_instead(str(path)))
        msg = f"{path} is a folder, but not a zarr store of an AnnData (it has no {' or '.join(_ZARR_MARKERS[:2])})."
        inner = sorted(str(p) for pattern in ("*.h5ad", "*.h5mu", "*.zarr") for p in path.glob(pattern))[:8]
        raise SourceError(msg + (f" Open one of its files instead: {', '.join(inner)}." if inner else ""))
    zarr = _import_zarr(str(path))
    with reading(str(path)):
        root = zarr.open_group(str(path), mode="r")
    return _open_root(root, str(path), None, spec, memory_bytes, lambda: None, NoWatch())


def _open_root(
    root: Any,  # noqa: ANN401 - h5py and zarr share no type
    where: str,
    file: Path | None,
    spec: MatrixSpec,
    memory_bytes: int,
    close: Callable[[], None],
    watch: FileWatch | NoWatch,
) -> Source:
    with reading(where):
        if "obs" not in root or "var" not in root or holds_modalities(root):
            table = only_table(root)
            if table is None:
                raise SourceError(foreign_group(root, where))
            root, where = root[table], f"{where}/{table}"
        # anndata before 0.7 stored obs and var as record arrays; leave their many variants to anndata.
        legacy = any(hasattr(root[name], "shape") for name in ("obs", "var", "raw/var") if name in root)
    tables = ObjectTables(_read_legacy(file, where)) if legacy else FileTables(root, where)
    with reading(f"{spec.kind} of {where}"):
        if isinstance(spec, MatrixRaw):
            node = next((root[key] for key in ("raw/X", "raw.X") if key in root), None)
        else:
            key = "X" if spec.kind == "X" else f"layers/{spec.name}"
            node = root.get(key, None)
        null = node is not None and str(node.attrs.get("encoding-type", "")) == "null"
        if node is None or null:
            raise _no_matrix(spec, tables.layers, has_raw=tables.raw_var is not None)
        chosen = matrix_in_file(node, f"{spec.kind} of {where}")
    return _Opened(
        _name_of(PurePath(where)),
        tables,
        chosen,
        spec,
        memory_bytes,
        watch,
        close,
        lambda other: _open_root(root, where, file, other, memory_bytes, lambda: None, watch),
    )


def _name_of(path: PurePath) -> str:
    """Return the name of a file or store; for a path into one, also what is inside, unless that is called ``table``."""
    around = next((parent for parent in path.parents if parent.suffix.lower() in {".h5ad", ".h5mu", ".zarr"}), None)
    if around is None:
        return path.stem
    return around.stem if path.name == "table" else f"{around.stem} {path.name}"


def _read_legacy(path: Path | None, where: str) -> Any:  # noqa: ANN401
    if path is None:
        msg = f"{where} was written by an old version of anndata, and cannot be read by URL. Download it first."
        raise SourceError(msg)
    import anndata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata advises rewriting the file, which is up to the user
        try:
            return anndata.read_h5ad(path)
        except Exception as exc:
            msg = f"{path} was written by an old version of anndata and cannot be read: {exc}"
            raise SourceError(msg) from exc


def _text(index: pd.Index[Any]) -> NDArray[np.object_]:
    values = np.asarray(index, dtype=object)
    if pd.api.types.infer_dtype(values, skipna=False) == "string":  # a fraction of the time of the loop below
        return values
    return np.array(
        [v if isinstance(v, str) else v.decode() if isinstance(v, bytes) else str(v) for v in values], dtype=object
    )


def _column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    for position, column in enumerate(frame.columns):
        if str(column) == name:
            return _native(frame.iloc[:, position])
    raise KeyError(name)


def _native(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return the column in native byte order; pandas cannot count values in other byte orders."""
    held = column.dtype
    return column.astype(held.newbyteorder("=")) if isinstance(held, np.dtype) and not held.isnative else column
