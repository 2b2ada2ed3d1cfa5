"""Compute dask arrays, and load tables that are read lazily (``anndata.experimental.read_lazy``).

If this process is connected to a dask cluster, its workers compute.
"""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from karospace_jupyter.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AHEAD = 2
"""Blocks that are computed ahead, for each thread of the cluster."""
_MOST_AHEAD = 256


def is_dask(value: Any) -> bool:  # noqa: ANN401 - any value
    """Return whether a value is a dask array or table."""
    # Views of anndata are dask arrays of another class.
    return getattr(type(value), "__dask_graph__", None) is not None


def loaded(value: Any) -> Any:  # noqa: ANN401 - any value
    """Return a table or an array that is read lazily in memory; any other value unchanged."""
    if is_dask(value):
        return next(computed([value]))
    # Tables of anndata over xarray.
    if type(value).__module__.startswith("anndata.") and hasattr(value, "to_memory") and hasattr(value, "true_index"):
        return value.to_memory()
    return value


def computed(values: Iterable[Any]) -> Iterator[Any]:
    """Compute dask collections one after the other, and yield the results in order.

    On a cluster, the next ones are computed meanwhile, and the results of lost workers are computed again by others.

    Raises
    ------
    SourceError
        If the connection to the cluster is lost, or its workers are lost again and again.
    """
    client = _client()
    if client is None:
        for value in values:
            yield value.compute(scheduler="synchronous")
        return
    with _connected(client):
        ahead = min(_MOST_AHEAD, max(1, _AHEAD * sum(client.nthreads().values())))
        waiting: deque[Any] = deque()
        try:
            for value in values:
                waiting.append(client.compute(value))
                if len(waiting) > ahead:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        finally:
            # Results that are not used would stay in the memory of the workers.
            for future in waiting:
                future.release()


def _result(future: Any) -> Any:  # noqa: ANN401 - distributed is untyped
    try:
        return future.result()
    finally:
        future.release()


@contextmanager
def _connected(client: Any) -> Iterator[None]:  # noqa: ANN401 - distributed is untyped
    """Explain errors that are not those of a computation."""
    from concurrent.futures import CancelledError

    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as exc:
        msg = (
            f"The workers that computed {exc.task} were lost, one after the other, probably for want of memory. Use "
            "smaller chunks, or workers with more memory. Nothing was written."
        )
        raise SourceError(msg) from exc
    except Exception as exc:
        # A closed client raises errors of all kinds.
        if client.status == "running" and not isinstance(exc, (CancelledError, CommClosedError)):
            raise
        msg = "The connection to the dask cluster was lost. Nothing was written. Connect to the cluster, and export again."
        raise SourceError(msg) from exc


def _client() -> Any:  # noqa: ANN401 - distributed is untyped
    """Return the connection to a cluster that dask uses in this process; None without one."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.get_client()
    except ValueError:  # there is none
        return None
