"""Recognize and load tables and arrays that are read lazily (``anndata.experimental.read_lazy``)."""

from __future__ import annotations

from typing import Any

from karospace_jupyter.source.cluster import computed, current_client


def is_dask(value: Any) -> bool:  # noqa: ANN401 - any value
    """Return whether a value is a dask array or table."""
    # Not a comparison of classes: views in anndata use a subclass of dask.array.Array.
    return getattr(type(value), "__dask_graph__", None) is not None


def loaded(value: Any) -> Any:  # noqa: ANN401 - any value
    """Load a table or an array that is read lazily; return any other value unchanged."""
    if is_dask(value):
        return computed(value, current_client())
    # Lazy tables in anndata, which are backed by xarray.
    if type(value).__module__.startswith("anndata.") and hasattr(value, "to_memory") and hasattr(value, "true_index"):
        return value.to_memory()
    return value
