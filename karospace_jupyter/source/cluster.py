"""Compute dask arrays and read arrays from files.

If this process is connected to a dask cluster, its workers do both.
"""

from __future__ import annotations

import importlib
import os
import sys
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
_MOST_AHEAD = 256
_PATIENCE_S = 10
"""Seconds to wait for the answer of a scheduler."""


def computed(values: Iterable[Any]) -> Iterator[Any]:
    """Compute dask collections one after the other, and yield the results in order.

    On a cluster, the next collections are computed ahead, and other workers recompute the results of lost workers.

    Raises
    ------
    SourceError
        If the connection to the cluster is lost, or its workers are lost repeatedly.
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
            # Unused results would stay in the memory of the workers.
            for future in waiting:
                future.release()


class _Place(NamedTuple):
    """Where an array is in a file."""

    library: str
    path: str
    key: str


def slices(arrays: Sequence[Any], runs: Iterable[tuple[int, int]]) -> Iterator[list[NDArray[Any]]]:
    """Yield ``array[first:last]`` of each array for every run; the workers of a cluster read arrays in files.

    Raises
    ------
    SourceError
        If the connection to the cluster is lost, or its workers cannot open the file.
    """
    places = [_place(array) for array in arrays]
    if None in places or _client() is None:
        for first, last in runs:
            yield [array[first:last] for array in arrays]
        return
    from dask.delayed import delayed

    read = delayed(_read, pure=False)
    yield from computed(read(places, first, last) for first, last in runs)


def _place(array: Any) -> _Place | None:  # noqa: ANN401 - h5py and zarr share no type
    library = type(array).__module__.partition(".")[0]
    if library == "h5py":
        return _Place(library, os.path.realpath(array.file.filename), array.name)
    root = getattr(getattr(array, "store", None), "root", None) if library == "zarr" else None
    return None if root is None else _Place(library, os.path.realpath(root), array.path)


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


def _result(future: Any) -> Any:  # noqa: ANN401 - distributed is untyped
    try:
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


def _client() -> Any:  # noqa: ANN401 - distributed is untyped
    """Return the connection to a cluster that dask uses in this process; None without one."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.Client.current()
    except ValueError:  # there is none
        return None


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
