"""Read obs, var, obsm, obsp and uns from an object, or lazily from an opened file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.source import obsm_entries, obsm_values
from karospace_jupyter.source.frames import is_current, is_frame, read_element, read_frame
from karospace_jupyter.source.lazy import loaded
from karospace_jupyter.source.reading import reading

if TYPE_CHECKING:
    import pandas as pd

    from karospace_jupyter.source.obsm_values import NumericTable


class Tables(Protocol):
    """The parts of an AnnData other than its matrices."""

    @property
    def obs(self) -> pd.DataFrame:
        """Annotations of cells."""

    @property
    def var(self) -> pd.DataFrame:
        """Annotations of genes."""

    @property
    def raw_var(self) -> pd.DataFrame | None:
        """Annotations of the genes of raw; None if there is no raw."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""

    @property
    def obsm_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the numeric arrays and of the tables, by key."""

    @property
    def obsm_others(self) -> dict[str, str]:
        """Descriptions of the entries that are neither numeric arrays nor tables, by key."""

    def obsm_columns(self, key: str) -> tuple[str, ...]:
        """Return the names of the numeric columns of a table; empty for an array."""

    def obsm_table(self, key: str) -> NumericTable | None:
        """Return the numeric columns of a table; None for an array."""

    def obsm(self, key: str) -> NDArray[np.float64]:
        """Return the x and y columns of an entry, shape (n_cells, 2)."""

    @property
    def obsp_keys(self) -> tuple[str, ...]:
        """Keys of obsp."""

    def obsp(self, key: str) -> Any:  # noqa: ANN401 - any matrix
        """Return an entry of obsp as stored. Raises KeyError if it does not exist."""

    def uns(self, *path: str) -> Any:  # noqa: ANN401 - uns may contain anything
        """Return a value of uns; a group as a dict of names to None."""

    def uns_shape(self, *path: str) -> tuple[int, ...] | None:
        """Return the shape of an array of uns without reading it."""


class ObjectTables:
    """Tables of an AnnData object."""

    def __init__(self, adata: Any) -> None:  # noqa: ANN401 - anndata is imported late
        self._adata = adata
        self._loaded: dict[str, tuple[Any, pd.DataFrame]] = {}

    @property
    def obs(self) -> pd.DataFrame:
        """Annotations of cells."""
        return self._frame("obs", self._adata.obs)

    @property
    def var(self) -> pd.DataFrame:
        """Annotations of genes."""
        return self._frame("var", self._adata.var)

    @property
    def raw_var(self) -> pd.DataFrame | None:
        """Annotations of the genes of raw."""
        return None if self._adata.raw is None else self._frame("raw/var", self._adata.raw.var)

    def _frame(self, name: str, frame: Any) -> pd.DataFrame:  # noqa: ANN401 - anndata is imported late
        """Return a table; a lazy one is loaded only once."""
        known = self._loaded.get(name)
        if known is None or known[0] is not frame:
            with reading(name):
                known = self._loaded[name] = (frame, loaded(frame))
        return known[1]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(map(str, self._adata.layers))

    @property
    def obsm_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the numeric arrays and of the tables, by key."""
        usable, _ = obsm_entries.in_memory(self._adata.obsm)
        return {key: obsm_values.shape_of(value) for key, value in usable.items()}

    @property
    def obsm_others(self) -> dict[str, str]:
        """Descriptions of the entries that are neither numeric arrays nor tables, by key."""
        return obsm_entries.in_memory(self._adata.obsm)[1]

    def obsm_columns(self, key: str) -> tuple[str, ...]:
        """Return the names of the numeric columns of a table."""
        table = self.obsm_table(key)
        return () if table is None else tuple(table.names)

    def obsm_table(self, key: str) -> NumericTable | None:
        """Return the numeric columns of a table."""
        return obsm_values.as_table(self._adata.obsm[key])

    def obsm(self, key: str) -> NDArray[np.float64]:
        """Return the x and y columns of an entry, shape (n_cells, 2)."""
        return obsm_values.x_and_y(self._adata.obsm[key], key)

    @property
    def obsp_keys(self) -> tuple[str, ...]:
        """Keys of obsp."""
        return tuple(map(str, getattr(self._adata, "obsp", ())))

    def obsp(self, key: str) -> Any:  # noqa: ANN401
        """Return an entry of obsp."""
        return self._adata.obsp[key]

    def uns(self, *path: str) -> Any:  # noqa: ANN401
        """Return a value of uns."""
        node = self._node(path)
        if isinstance(node, Mapping):
            return dict.fromkeys(map(_key_text, node))
        with reading("/".join(("uns", *path))):
            return loaded(node)

    def uns_shape(self, *path: str) -> tuple[int, ...] | None:
        """Return the shape of an array of uns."""
        node = self._node(path)
        shape = getattr(node, "shape", None)
        if shape is None and isinstance(node, list | tuple):
            try:
                shape = np.shape(node)
            except ValueError:  # rows of different lengths
                return None
        return None if shape is None else tuple(int(n) for n in shape)

    def _node(self, path: tuple[str, ...]) -> Any:  # noqa: ANN401
        node: Any = self._adata.uns
        for name in path:
            if not isinstance(node, Mapping):
                return None
            key = name if name in node else next((one for one in node if _key_text(one) == name), None)
            if key is None:
                return None
            node = node[key]
        return node


class FileTables:
    """Tables of an opened `.h5ad` or zarr group; each element is read on demand."""

    def __init__(self, root: Any, where: str) -> None:  # noqa: ANN401 - h5py and zarr share no type
        self._root = root
        self._where = where
        self._obsm_tables: dict[str, Any] = {}

    def _frame(self, name: str) -> pd.DataFrame:
        """Read an element that must be a data frame, with or without encoding metadata."""
        where = f"{name} of {self._where}"
        with reading(where):
            node = self._root[name]
            return read_element(node) if is_current(node) else read_frame(node, where)  # type: ignore[no-any-return]

    def _read(self, node: Any, name: str) -> Any:  # noqa: ANN401
        where = f"{name} of {self._where}"
        with reading(where):
            if is_frame(node) and not is_current(node):
                return read_frame(node, where)
            return read_element(node)

    @cached_property
    def obs(self) -> pd.DataFrame:
        """Annotations of cells."""
        return self._frame("obs")

    @cached_property
    def var(self) -> pd.DataFrame:
        """Annotations of genes."""
        return self._frame("var")

    @cached_property
    def raw_var(self) -> pd.DataFrame | None:
        """Annotations of the genes of raw."""
        with reading(f"raw of {self._where}"):
            there = "raw/var" in self._root
        return self._frame("raw/var") if there else None

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        with reading(f"layers of {self._where}"):
            return tuple(self._root["layers"]) if "layers" in self._root else ()

    @cached_property
    def obsm_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the numeric arrays and of the tables, by key."""
        with reading(f"obsm of {self._where}"):
            return {key: self._shape(node, key) for key, node in self._obsm_entries[0].items()}

    @property
    def obsm_others(self) -> dict[str, str]:
        """Descriptions of the entries that are neither numeric arrays nor tables, by key."""
        return self._obsm_entries[1]

    @cached_property
    def _obsm_entries(self) -> tuple[dict[str, Any], dict[str, str]]:
        with reading(f"obsm of {self._where}"):
            if "obsm" not in self._root:
                return {}, {}
            return obsm_entries.in_file(self._root["obsm"], len(self.obs))

    def _shape(self, node: Any, key: str) -> tuple[int, ...]:  # noqa: ANN401
        if hasattr(node, "shape"):
            return obsm_values.shape_of(node)
        if "shape" in node.attrs:
            return tuple(int(n) for n in node.attrs["shape"])
        return tuple(self._read(node, f"obsm/{key}").shape)

    def obsm_columns(self, key: str) -> tuple[str, ...]:
        """Return the names of the numeric columns of a table."""
        table = self.obsm_table(key)
        return () if table is None else tuple(table.names)

    def obsm_table(self, key: str) -> NumericTable | None:
        """Return the numeric columns of a table."""
        return obsm_values.as_table(self._obsm(key))

    def obsm(self, key: str) -> NDArray[np.float64]:
        """Return the x and y columns of an entry, shape (n_cells, 2); other columns of an array are not read."""
        return obsm_values.x_and_y(self._obsm(key), key)

    def _obsm(self, key: str) -> Any:  # noqa: ANN401
        if key not in self.obsm_shapes:
            raise KeyError(key)
        if key in self._obsm_tables:
            return self._obsm_tables[key]
        with reading(f"obsm/{key} of {self._where}"):
            node = self._root["obsm"][key]
            if hasattr(node, "shape") and node.dtype.names is None:
                return node[:, :2] if len(node.shape) == 2 else self._read(node, f"obsm/{key}")
        value = self._read(node, f"obsm/{key}")
        if obsm_values.is_table(value):
            self._obsm_tables[key] = value
        return value

    @property
    def obsp_keys(self) -> tuple[str, ...]:
        """Keys of obsp."""
        with reading(f"obsp of {self._where}"):
            return tuple(self._root["obsp"]) if "obsp" in self._root else ()

    def obsp(self, key: str) -> Any:  # noqa: ANN401
        """Return the node of an entry of obsp."""
        if key not in self.obsp_keys:
            raise KeyError(key)
        with reading(f"obsp/{key} of {self._where}"):
            return self._root["obsp"][key]

    def uns(self, *path: str) -> Any:  # noqa: ANN401
        """Return a value of uns."""
        name = "/".join(("uns", *path))
        with reading(f"{name} of {self._where}"):
            node = self._node(path)
            if node is None:
                return None
            encoding = str(node.attrs.get("encoding-type", "dict"))
            if encoding == "null":  # None, which anndata reads only from 0.12 on
                return None
            if not hasattr(node, "shape") and encoding == "dict":
                return dict.fromkeys(node)
            return self._read(node, name)

    def uns_shape(self, *path: str) -> tuple[int, ...] | None:
        """Return the shape of an array of uns without reading it."""
        with reading(f"{'/'.join(('uns', *path))} of {self._where}"):
            shape = getattr(self._node(path), "shape", None)
        return None if shape is None else tuple(int(n) for n in shape)

    def _node(self, path: tuple[str, ...]) -> Any:  # noqa: ANN401
        node = self._root.get("uns", None)
        for name in path:
            if node is None or hasattr(node, "shape") or name not in node:
                return None
            node = node[name]
        return node


def _key_text(key: object) -> str:
    """Return a key as text, as in a file; in memory, keys may be numbers."""
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
