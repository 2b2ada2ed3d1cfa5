"""Read the files of a bundle from an object store or another file system of fsspec.

Bundles on web hosts are read by :mod:`~karospace_jupyter.bundle.http_files`, without fsspec: this needs no
additional package, and checking a host needs its headers, which fsspec does not return.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from karospace_jupyter.bundle.files import Bounded, checked, missing
from karospace_jupyter.bundle.http_files import PAGES, check_not_single
from karospace_jupyter.errors import BundleError
from karospace_jupyter.stores import Store


class StoreFiles(Bounded):
    """The files of a bundle at a URL such as ``s3://bucket/tissue``."""

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        folder, _, last = url.rpartition("/")
        check_not_single(url, last)
        self._store = Store(folder if last in PAGES else url, options, BundleError)
        self.origin = self._store.shown

    def read(self, path: str) -> bytes:
        """Return one file as stored."""
        data = self._store.read(checked(path), self._limit(path) + 1)
        if data is None:
            raise missing(path, self.origin)
        self._check_size(path, len(data))
        return data

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""
        return tuple(self._store.sizes())
