"""Compute dask arrays and read arrays from files.

If this process is connected to a dask cluster, its workers do both.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from karospace_jupyter.errors import SourceError
from karospace_jupyter.source.reading import import_filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

_AHEAD = 2
"""Blocks that are computed ahead, for each thread of the cluster."""
_MAX_AHEAD = 256
_PATIENCE_S = 10
"""Seconds to wait for the answer of a scheduler."""
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.001, 0.02
"""Seconds between checks for a result: the pause doubles from the shortest to the longest."""
_LOOK_S = 1
"""Seconds between checks for lost workers while waiting for a result."""
_NO_WORKERS_S = 60
"""Seconds without any worker after which an export fails; until then, a cluster manager may start new workers."""


def current_client() -> Any:  # noqa: ANN401 - distributed is untyped
    """Return this process's connection to a dask cluster; None if there is none."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.Client.current()
    except ValueError:  # there is none
        return None


def computed(value: Any, client: Any) -> Any:  # noqa: ANN401 - dask is untyped
    """Compute a dask collection, on the cluster of `client` if there is one.

    Raises
    ------
    SourceError
        As :func:`row_chunks` does.
    """
    if client is None:
        return value.compute(scheduler="synchronous")
    with _connected(client):
        return _result(client, client.compute(value))


def row_chunks(array: Any, client: Any) -> Iterator[list[Any]]:  # noqa: ANN401 - dask is untyped
    """Compute a dask array and yield, for each chunk of rows, its chunks of columns.

    On the cluster of `client`, chunks are computed ahead. If a worker is lost, the others recompute its chunks.

    Raises
    ------
    SourceError
        If the connection to the cluster is lost, its workers are lost repeatedly, or it has none left.
    """
    dask: Any = importlib.import_module("dask")  # untyped
    cull = importlib.import_module("dask.optimization").cull

    # One graph for all chunks: making one for each would take time that grows with the square of their number.
    (array,) = dask.optimize(array)
    graph = dict(array.__dask_graph__())
    parts = ((cull(graph, list(keys))[0], list(keys)) for keys in array.__dask_keys__())
    if client is None:
        for part, keys in parts:
            yield list(dask.get(part, keys))
    else:
        yield from _ahead(client, (client.get(part, keys, sync=False) for part, keys in parts))


def _ahead(client: Any, batches: Iterator[list[Any]]) -> Iterator[list[Any]]:  # noqa: ANN401
    """Yield the results of each list of futures, in order; iterating over `batches` starts them."""
    with _connected(client):
        ahead = min(_MAX_AHEAD, max(1, _AHEAD * sum(client.nthreads().values())))
        waiting: deque[list[Any]] = deque()
        try:
            for futures in batches:
                waiting.append(futures)
                if len(waiting) > ahead:
                    yield [_result(client, future) for future in waiting.popleft()]
            while waiting:
                yield [_result(client, future) for future in waiting.popleft()]
        finally:
            # Unused results would stay in the memory of the workers.
            for futures in waiting:
                for future in futures:
                    future.release()


class _Place(NamedTuple):
    """Where an array is in a file."""

    library: str
    path: str
    key: str


def slices(arrays: Sequence[Any], runs: Iterable[tuple[int, int]], client: Any) -> Iterator[list[NDArray[Any]]]:  # noqa: ANN401
    """Yield ``array[first:last]`` of each array for every run; the workers of a cluster read arrays in files.

    Raises
    ------
    SourceError
        As :func:`row_chunks` does, or if the workers cannot open the file.
    """
    places = [_place(array) for array in arrays]
    if None in places or client is None:
        for first, last in runs:
            yield [array[first:last] for array in arrays]
        return
    batches = ([client.submit(_read, places, first, last, pure=False)] for first, last in runs)
    yield from (read for (read,) in _ahead(client, batches))


def _place(array: Any) -> _Place | None:  # noqa: ANN401 - h5py and zarr share no type
    """Return where an array is; None if it is not in a local file or folder, for example at a URL."""
    library = type(array).__module__.partition(".")[0]
    if library == "h5py":
        path = array.file.filename
        return _Place(library, os.path.realpath(path), array.name) if Path(path).is_file() else None
    root = getattr(getattr(array, "store", None), "root", None) if library == "zarr" else None
    return _Place(library, os.path.realpath(root), array.path) if root is not None and Path(root).is_dir() else None


def _read(places: list[_Place], first: int, last: int) -> list[NDArray[Any]]:
    """Read a run of each array, in a worker."""
    if not Path(places[0].path).exists():
        msg = f"{places[0].path} does not exist where a worker runs. All workers must see the file at the same path"
        raise OSError(msg)
    if places[0].library == "zarr":
        import zarr

        opened = [zarr.open_array(place.path, path=place.key, mode="r") for place in places]
        return [np.asarray(array[first:last]) for array in opened]
    import h5py

    import_filters()
    with h5py.File(places[0].path, "r") as file:
        return [file[place.key][first:last] for place in places]


def _result(client: Any, future: Any) -> Any:  # noqa: ANN401 - distributed is untyped
    """Wait for the result of a future, and free the memory of the worker."""
    alone_since: float | None = None
    pause, look = _SHORTEST_PAUSE_S, time.monotonic() + _LOOK_S
    try:
        # Not `future.result(timeout)`: a timeout during the transfer of a result cancels it for later calls, too.
        while not future.done():
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            if time.monotonic() < look:
                continue
            look = time.monotonic() + _LOOK_S
            if client.nthreads():
                alone_since = None
                continue
            alone_since = alone_since or time.monotonic()
            if time.monotonic() - alone_since > _NO_WORKERS_S:
                msg = "The cluster has no workers left. Nothing was written. Start workers and export again."
                raise SourceError(msg)
        return future.result()
    finally:
        future.release()


@contextmanager
def _connected(client: Any) -> Iterator[None]:  # noqa: ANN401 - distributed is untyped
    """Explain errors of the cluster, as opposed to errors of a computation."""
    from concurrent.futures import CancelledError

    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as exc:
        msg = (
            f"Several workers were lost while computing {exc.task}, probably because they ran out of memory. Use "
            "smaller chunks, or workers with more memory. Nothing was written."
        )
        raise SourceError(msg) from exc
    except Exception as exc:
        # A closed client raises errors of all kinds.
        if client.status == "running" and not isinstance(exc, (CancelledError, CommClosedError)):
            raise
        msg = (
            "The connection to the dask cluster was lost. Nothing was written. Connect to the cluster and export again."
        )
        raise SourceError(msg) from exc


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connect this process to a dask cluster.

    Parameters
    ----------
    address
        The address of the scheduler, such as ``tcp://127.0.0.1:8786``.

    Raises
    ------
    SourceError
        If distributed is not installed, the address is invalid, no scheduler answers, or the cluster has no workers.
    """
    try:
        distributed: Any = importlib.import_module("distributed")  # untyped
    except ImportError as exc:
        msg = "A dask cluster requires the package distributed: pip install distributed."
        raise SourceError(msg) from exc
    try:
        client = distributed.Client(address, timeout=_PATIENCE_S)
    except (OSError, ValueError, TypeError) as exc:
        msg = (
            f"No dask scheduler answers at {address}: {str(exc).rstrip('.') or type(exc).__name__}. Pass the address "
            "that the scheduler prints when it starts, such as tcp://127.0.0.1:8786."
        )
        raise SourceError(msg) from exc
    with client:
        if not client.nthreads():
            msg = f"The cluster at {address} has no workers. Start some: dask worker {address}"
            raise SourceError(msg)
        yield
