"""Separate the numeric arrays and the tables of obsm from the other entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_DESCRIPTIONS = {
    "awkward-array": "an awkward array",
    "string-array": "an array of text",
    "dict": "a group",
    "": "a group",
    "categorical": "a categorical array",
}
"""Descriptions of entries that cannot be used, by encoding type."""


def in_memory(obsm: Mapping[Any, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the numeric arrays and the tables of an AnnData's obsm by key, and descriptions of the other entries."""
    usable: dict[str, Any] = {}
    others: dict[str, str] = {}
    for key, value in obsm.items():
        what = _unusable(value)
        if what is None:
            usable[str(key)] = value
        else:
            others[str(key)] = what
    return usable, others


def in_file(group: Any, n_cells: int) -> tuple[dict[str, Any], dict[str, str]]:  # noqa: ANN401 - h5py and zarr share no type
    """Return the numeric arrays and the tables of an obsm group by key, and descriptions of the other entries.

    Parameters
    ----------
    group
        The group `obsm`. A key with a slash is stored as a nested group; its arrays have the key `GROUP/NAME`.
    n_cells
        Number of rows that an array in a nested group must have; nested groups may contain anything else.
    """
    usable: dict[str, Any] = {}
    others: dict[str, str] = {}
    for key in group:
        _assign(str(key), group[key], n_cells, usable, others)
    return usable, others


def _assign(key: str, node: Any, n_cells: int, usable: dict[str, Any], others: dict[str, str]) -> None:  # noqa: ANN401
    """Add an entry, or those of a nested group, to `usable` or `others`."""
    if hasattr(node, "shape"):
        what = _unusable(node)
    else:
        encoding = _encoding(node)
        is_array = encoding in {"dataframe", "csr_matrix", "csc_matrix"} or any(
            name in node.attrs for name in ("shape", "_index", "h5sparse_shape")
        )
        what = None if is_array else _DESCRIPTIONS.get(encoding, f"stored as {encoding}")
        if not is_array and encoding in {"", "dict"}:
            found: dict[str, Any] = {}
            for name in node:
                _assign(f"{key}/{name}", node[name], n_cells, found, {})
            usable.update({name: inner for name, inner in found.items() if _rows(inner) == n_cells})
    if what is None:
        usable[key] = node
    else:
        others[key] = what


def _rows(node: Any) -> int | None:  # noqa: ANN401
    shape = getattr(node, "shape", None)
    if shape is None:
        shape = node.attrs.get("shape")
    return int(shape[0]) if shape is not None and len(shape) else None


def _unusable(value: Any) -> str | None:  # noqa: ANN401 - obsm may contain anything
    """Return a description of a value that is neither an array nor a table of numbers, otherwise None."""
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple):  # an awkward array may have a field named `shape`
        if type(value).__module__.partition(".")[0] == "awkward":
            return _DESCRIPTIONS["awkward-array"]
        return "a dict" if isinstance(value, Mapping) else f"a {type(value).__name__}"
    if not shape:
        return "a single value"
    if hasattr(value, "iloc"):
        return None
    dtype = getattr(value, "dtype", None)
    kind = str(getattr(dtype, "kind", ""))
    if kind in {"S", "U", "T"} or (kind == "O" and not _holds_numbers(value)):
        return _DESCRIPTIONS["string-array"]
    return f"an array of {dtype}" if kind in {"c", "m", "M"} else None


def _holds_numbers(value: Any) -> bool:  # noqa: ANN401
    try:
        np.asarray(value[:1], dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _encoding(node: Any) -> str:  # noqa: ANN401
    value = node.attrs.get("encoding-type", "")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
