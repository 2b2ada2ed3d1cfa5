"""Read data frames from files written by anndata before 0.8 and by other tools, such as SeuratDisk.

anndata reads data frames with encoding metadata. Other tools omit it, and store factors as codes whose categories are
in a group `__categories`, with or without an attribute of the column that refers to it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from karospace_jupyter.errors import SourceError
from karospace_jupyter.source.reading import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

CATEGORIES = "__categories"


def is_frame(node: Any) -> bool:  # noqa: ANN401 - h5py and zarr share no type
    """Return whether a node of a file is a data frame, with or without encoding metadata."""
    return not hasattr(node, "shape") and (_encoding(node)[0] == "dataframe" or "_index" in node.attrs)


def is_current(node: Any) -> bool:  # noqa: ANN401
    """Return whether anndata's own reader supports all of a data frame."""
    if _encoding(node) != ("dataframe", "0.2.0") or CATEGORIES in node:
        return False
    return all(hasattr(node[name], "shape") or _encoding(node[name])[0] for name in node)


def read_frame(node: Any, where: str) -> pd.DataFrame:  # noqa: ANN401
    """Read a data frame of any layout.

    Parameters
    ----------
    node
        Group of h5py or zarr.
    where
        Description of the group for messages: ``obs of tissue.h5ad``.

    Returns
    -------
    pandas.DataFrame
        The data frame.

    Raises
    ------
    SourceError
        If the index or a column is missing, or a code has no category.
    """
    index = _index_name(node, where)
    columns = _columns(node, index)
    missing = [name for name in columns if name not in node]
    if missing:
        msg = f"{where} is damaged: it lists the columns {', '.join(missing[:8])}, which do not exist."
        raise SourceError(msg)
    names = _column(node, index, f"the index of {where}")
    read = {name: _column(node, name, f"the column {name!r} of {where}") for name in columns}
    wrong = [name for name, values in read.items() if len(values) != len(names)]
    if wrong:
        msg = f"{where} is damaged: the column {wrong[0]!r} has {len(read[wrong[0]])} values for {len(names)} rows."
        raise SourceError(msg)
    frame = pd.DataFrame(read, index=pd.Index(np.asarray(names, dtype=object)))
    return frame if columns else pd.DataFrame(index=frame.index)


def _index_name(node: Any, where: str) -> str:  # noqa: ANN401
    stated = _names(node.attrs.get("_index", ()))
    for name in (*stated, "_index", "index", "cell_names", "gene_names"):
        if name in node:
            return name
    contents = ", ".join(list(node)[:8]) or "nothing"
    msg = (
        f"{where} has no index (row names): the dataset {(*stated, '_index')[0]!r} is missing. It contains: {contents}."
    )
    raise SourceError(msg)


def _columns(node: Any, index: str) -> list[str]:  # noqa: ANN401
    if "column-order" in node.attrs:
        return [name for name in _names(node.attrs["column-order"]) if name and name != index]
    return [name for name in node if name not in {index, CATEGORIES}]


def _names(value: Any) -> list[str]:  # noqa: ANN401 - an attribute: text, bytes or an array of these
    """Return the names that an attribute lists."""
    found = np.asarray(value).ravel().tolist() if not isinstance(value, str | bytes) else [value]
    return [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in found]


def _column(node: Any, name: str, where: str) -> Any:  # noqa: ANN401
    column = node[name]
    with reading(where):
        categories = _categories_of(node, name, column)
        if categories is not None:
            return _categorical(column, categories, categories.attrs.get("ordered", False), where)
        if _encoding(column)[0]:
            return read_element(column)
        if hasattr(column, "shape"):
            return _plain(column)
        # A group without encoding metadata: its members determine the encoding.
        if "codes" in column and "categories" in column:
            return _categorical(column["codes"], column["categories"], column.attrs.get("ordered", False), where)
        if "values" in column and "mask" in column:
            return _nullable(column["values"], column["mask"])
        return read_element(column)


def read_element(node: Any) -> Any:  # noqa: ANN401
    """Read an element with anndata, without its warning about missing encoding metadata; users cannot act on it."""
    from anndata.io import read_elem

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*without encoding metadata.*")
        return read_elem(node)


def _categories_of(node: Any, name: str, column: Any) -> Any | None:  # noqa: ANN401
    if not hasattr(column, "shape") or column.dtype.kind not in "iuf":
        return None
    reference = column.attrs.get("categories")
    if reference is not None:  # an HDF5 reference, or a path
        if isinstance(reference, str | bytes):
            return node[_names(reference)[0]]
        return column.file[reference]
    return node[CATEGORIES][name] if CATEGORIES in node and name in node[CATEGORIES] else None


def _categorical(column: Any, categories: Any, ordered: Any, where: str) -> pd.Categorical:  # noqa: ANN401
    codes = np.asarray(column[...])
    labels = pd.Index(_plain(categories))
    # R's missing integer is the smallest integer, from which SeuratDisk subtracts 1.
    gap = np.isnan(codes) if codes.dtype.kind == "f" else codes < 0
    codes = np.where(gap, -1, codes).astype(np.int64)
    codes[codes < 0] = -1
    if len(codes) and int(codes.max()) >= len(labels):
        msg = f"{where} is damaged: it has the code {int(codes.max())} for {len(labels)} categories."
        raise SourceError(msg)
    if not labels.is_unique or labels.hasnans:
        # Merge equal categories and drop missing ones.
        values = np.array([*labels, None], dtype=object)[codes]
        return pd.Categorical(values, categories=_unique(labels))
    return pd.Categorical.from_codes(codes, labels, ordered=bool(_first(ordered)))


def _nullable(dataset: Any, mask: Any) -> Any:  # noqa: ANN401
    values = pd.array(_plain(dataset))
    values[np.asarray(mask[...], dtype=bool)] = pd.NA
    return values


def _unique(labels: pd.Index[Any]) -> list[Any]:
    return list(dict.fromkeys(label for label in labels if not pd.isna(label)))


def _first(value: Any) -> Any:  # noqa: ANN401 - R writes single values as arrays of one
    found = np.asarray(value).ravel()
    return found[0] if len(found) else False


def _plain(dataset: Any) -> Any:  # noqa: ANN401
    """Read a dataset without encoding metadata: text as str, and R's logical values (TRUE, FALSE, NA) as booleans."""
    names = _enumeration(dataset)
    values = np.asarray(dataset[...])
    if names is not None and {name.upper() for name in names} <= {"TRUE", "FALSE", "NA"}:
        by_code = {code: {"TRUE": True, "FALSE": False, "NA": pd.NA}[name.upper()] for name, code in names.items()}
        return pd.array([by_code.get(int(code), pd.NA) for code in values], dtype="boolean")
    if names is not None:
        by_name = {code: name for name, code in names.items()}
        return pd.Categorical([by_name.get(int(code)) for code in values], categories=list(names))
    return _text(values) if values.dtype.kind in "OSUT" else values


def _enumeration(dataset: Any) -> dict[str, int] | None:  # noqa: ANN401
    if not type(dataset).__module__.startswith("h5py"):
        return None
    import h5py

    return h5py.check_enum_dtype(dataset.dtype)  # type: ignore[no-any-return]  # h5py is untyped


def _text(values: NDArray[Any]) -> NDArray[np.object_]:
    out = np.empty(len(values), dtype=object)
    out[:] = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in _each(values)]
    return out


def _each(values: NDArray[Any]) -> Iterable[Any]:
    return values.ravel().tolist()  # type: ignore[no-any-return]


def _encoding(node: Any) -> tuple[str, str]:  # noqa: ANN401
    kind, version = (_names(node.attrs.get(f"encoding-{name}", "")) for name in ("type", "version"))
    return (kind or [""])[0], (version or [""])[0]
