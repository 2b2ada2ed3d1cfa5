"""Where an index of bundles is: a local folder, or a folder of an object store."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from karospace_jupyter.bundle.files import BundleFiles, FolderFiles
from karospace_jupyter.errors import BundleError, ConfigError, KaroSpaceError, SinkError
from karospace_jupyter.paths import expanded, is_store_url, is_url, public_url
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.publish.claim import Claim
from karospace_jupyter.publish.partial import Partial, absolute, write_error
from karospace_jupyter.publish.store import content_type
from karospace_jupyter.stores import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.job import Job
    from karospace_jupyter.publish.scripts import When

PAGE, LIST, VIEWER = "index.html", "bundles.js", "viewer.html"
_MANIFEST = "manifest.json"
_LARGEST = 2**28
"""Size in bytes up to which a file of an index, or a manifest, is read from a store."""
logger = logging.getLogger(__name__)


class Place(Protocol):
    """A folder that holds bundles in its subfolders; paths are relative to it, with forward slashes."""

    @property
    def at(self) -> Path | str:
        """The folder, or its URL without secrets."""

    @property
    def name(self) -> str:
        """The name of the folder."""

    def shown(self, path: str) -> str:
        """Return the whole path of a file or subfolder, for messages."""

    def check(self) -> None:
        """Raise SinkError if it exists and is not a folder."""

    @property
    def is_local(self) -> bool:
        """Whether this is a folder on disk, from which reading a bundle costs little."""

    def exclusive(self) -> AbstractContextManager[Callable[[], None]]:
        """Keep other processes from publishing here, and return a function that checks that none does.

        Raises
        ------
        SinkError
            If one does; also raised by the function.
        """

    def read(self, path: str) -> bytes | None:
        """Return a file of the index; None if it does not exist. Raise SinkError if it cannot be read."""

    def write(self, path: str, data: bytes) -> None:
        """Write a file of the index atomically, unless it already has this content."""

    def delete(self, path: str) -> None:
        """Delete a file of the index."""

    def holds(self, path: str) -> bool:
        """Return whether a file or folder exists."""

    def is_file(self, path: str) -> bool:
        """Return whether a regular file exists."""

    def contains(self, bundle: str | os.PathLike[str]) -> bool:
        """Return whether a bundle that the user named is inside this folder."""

    def bundles(self, listed: Iterable[str], warnings: list[str]) -> Iterable[str]:
        """Return the subfolders that are, or may be, bundles; hidden folders and symbolic links are skipped.

        Raises
        ------
        SinkError
            If a folder with bundles that are `listed` cannot be read: they would no longer be listed.
        """

    def open(self, path: str) -> Bundle:
        """Return the bundle in a subfolder."""

    def save(self, bundle: Bundle, path: str, scripts: When, job: Job) -> None:
        """Copy a bundle to a subfolder."""

    def check_sizes(self, path: str, manifest: Manifest) -> None:
        """Raise BundleError if a file of a bundle is missing or has another size than its manifest says."""

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all files in bytes, by path."""


def place_at(folder: str | os.PathLike[str], options: Mapping[str, Any] | None) -> Place:
    """Return the place at a path or URL."""
    return StorePlace(folder, options) if is_store_url(folder) else FolderPlace(absolute(folder))


class FolderPlace:
    """An index in a local folder."""

    is_local = True

    def __init__(self, folder: Path) -> None:
        self.at = folder
        self.name = folder.name

    def shown(self, path: str) -> str:
        """Return the whole path of a file or subfolder, for messages."""
        return str(self.at / path)

    def check(self) -> None:
        """Raise SinkError if it exists and is not a folder."""
        if self.at.exists() and not self.at.is_dir():
            msg = f"{self.at} is a file. Choose a folder."
            raise SinkError(msg)

    @contextmanager
    def exclusive(self) -> Iterator[Callable[[], None]]:
        """Keep other processes from publishing here; raise SinkError if one does."""
        # Two processes would each write a list without the bundles that the other adds.
        with Partial(self.at / LIST) as partial:
            others = partial.others()
            if others:
                msg = (
                    f"{self.at} is being published by another process, or such a process was killed on another "
                    "computer. Nothing was changed. Try again when it has ended; if none is running, delete "
                    f"{others[0]}."
                )
                raise SinkError(msg)
            yield lambda: None  # nothing to check: another process finds the folder of this `Partial`

    def read(self, path: str) -> bytes | None:
        """Return a file of the index; None if it does not exist. Raise SinkError if it cannot be read."""
        try:
            return (self.at / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            msg = f"{self.at / path} cannot be read: {exc.strerror or exc}. Nothing was changed."
            raise SinkError(msg) from exc

    def write(self, path: str, data: bytes) -> None:
        """Write a file of the index atomically, unless it already has this content."""
        file = self.at / path
        try:
            if file.is_file() and file.read_bytes() == data:
                return
        except OSError as exc:
            raise write_error(exc, file) from exc
        with Partial(file) as partial:
            partial.write(path, data)
            partial.publish_file(partial.folder / path)

    def delete(self, path: str) -> None:
        """Delete a file of the index."""
        try:
            (self.at / path).unlink()
        except OSError as exc:
            raise write_error(exc, self.at / path) from exc

    def holds(self, path: str) -> bool:
        """Return whether a file or folder exists."""
        try:
            return (self.at / path).exists()
        except OSError as exc:
            msg = f"{self.at / path} cannot be accessed: {exc.strerror or exc}. Nothing was changed."
            raise SinkError(msg) from exc

    def is_file(self, path: str) -> bool:
        """Return whether a regular file exists."""
        return self.holds(path) and (self.at / path).is_file()

    def contains(self, bundle: str | os.PathLike[str]) -> bool:
        """Return whether a bundle that the user named is inside this folder."""
        if is_url(bundle):
            return False
        folder = expanded(bundle).resolve()
        return folder.is_dir() and folder.is_relative_to(self.at.resolve())

    def bundles(self, listed: Iterable[str], warnings: list[str]) -> Iterable[str]:
        """Return the subfolders that are, or may be, bundles; hidden folders and symbolic links are skipped.

        Raises
        ------
        SinkError
            If a folder with bundles that are `listed` cannot be read: they would no longer be listed.
        """

        def unreadable(exc: OSError) -> None:
            folder = Path(exc.filename or self.at)
            text = f"{folder} cannot be read: {exc.strerror or exc}."
            lost = [path for path in listed if (self.at / path).is_relative_to(folder)]
            if lost:
                msg = f"{text} It contains bundles of the list ({', '.join(lost)}). The list was not changed."
                raise SinkError(msg) from exc
            warnings.append(f"{text} Bundles in it are not listed.")

        for current, folders, files in os.walk(self.at, onerror=unreadable):
            here = Path(current)
            if _MANIFEST in files and here != self.at and _may_be_bundle(FolderFiles(here)):
                folders.clear()
                yield here.relative_to(self.at).as_posix()
            folders[:] = [name for name in folders if not name.startswith(".")]

    def open(self, path: str) -> Bundle:
        """Return the bundle in a subfolder."""
        return Bundle(self.at / path)

    def save(self, bundle: Bundle, path: str, scripts: When, job: Job) -> None:
        """Copy a bundle to a subfolder."""
        if (self.at / path).is_symlink():
            name = bundle.manifest.dataset_name
            msg = f"{self.at / path} is a symbolic link, which is not followed; {name!r} was not copied. Remove it."
            raise SinkError(msg)
        bundle.save(self.at / path, scripts=scripts, job=job)

    def check_sizes(self, path: str, manifest: Manifest) -> None:
        """Raise BundleError if a file of a bundle is missing or has another size than its manifest says."""
        for file in manifest.asset_files:
            try:
                held = (self.at / path / file.path).stat().st_size
            except OSError as exc:
                msg = f"{file.path} cannot be read: {exc.strerror or exc}."
                raise BundleError(msg) from exc
            _check_size(file.path, held, file.size_bytes)

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all files in bytes, by path."""
        sizes = {}
        for current, folders, files in os.walk(self.at):
            folders[:] = [name for name in folders if name != ".git"]
            for name in files:
                path = Path(current) / name
                sizes[path.relative_to(self.at).as_posix()] = path.lstat().st_size
        return sizes


class StorePlace:
    """An index in a folder of an object store."""

    is_local = False

    def __init__(self, url: str, options: Mapping[str, Any] | None) -> None:
        # Paths of bundles are appended to the URL.
        if "?" in url or not url.partition("://")[2].strip("/"):
            msg = f"{public_url(url)} is not the URL of a folder. Use one such as s3://bucket/atlas, without a query."
            raise ConfigError(msg)
        self._store = Store(url, options, SinkError)
        self._options = options
        self.at = self._store.shown
        self.name = self.at.rstrip("/").rpartition("/")[2]
        self._sizes: dict[str, int] | None = None

    def shown(self, path: str) -> str:
        """Return the whole URL of a file or subfolder, for messages."""
        return f"{self.at}/{path}"

    def check(self) -> None:
        """Do nothing: in a store, a folder is only the start of paths and cannot be a file."""

    @contextmanager
    def exclusive(self) -> Iterator[Callable[[], None]]:
        """Keep other processes from publishing here; raise SinkError if one does."""
        claim = Claim(self._store)
        claim.acquire()
        try:
            yield claim.check
        except BaseException:
            self._store.stopped.set()  # do not retry the release: the store may be out of reach
            raise
        finally:
            try:
                claim.release()
            except KaroSpaceError as failure:
                logger.warning("%s The next process that publishes to this URL deletes this claim.", failure)

    def read(self, path: str) -> bytes | None:
        """Return a file of the index; None if it does not exist. Raise SinkError if it cannot be read."""
        return self._store.read(path, _LARGEST)

    def write(self, path: str, data: bytes) -> None:
        """Write a file of the index, unless it already has this content."""
        if self.read(path) != data:
            self._store.write(path, data, content_type=content_type(path), cache_control="no-cache")

    def delete(self, path: str) -> None:
        """Delete a file of the index."""
        self._store.delete([path])

    def holds(self, path: str) -> bool:
        """Return whether a file exists."""
        return self._store.read(path, 1) is not None

    def is_file(self, path: str) -> bool:
        """Return whether a file exists."""
        return self.holds(path)

    def contains(self, bundle: str | os.PathLike[str]) -> bool:
        """Return whether a bundle that the user named is inside this folder."""
        if not is_store_url(bundle):
            return False
        return Store(bundle, self._options, SinkError).location.startswith(f"{self._store.location}/")

    def bundles(self, listed: Iterable[str], warnings: list[str]) -> Iterable[str]:
        """Return the subfolders that are, or may be, bundles; hidden folders are skipped.

        Raises
        ------
        SinkError
            If a bundle that is `listed` cannot be read: it would no longer be listed.
        """
        self._sizes = self._store.sizes()
        found: list[str] = []
        # A folder sorts before its subfolders.
        for path in sorted(name.rpartition("/")[0] for name in self._sizes if name.endswith(f"/{_MANIFEST}")):
            inside = any(path.startswith(f"{other}/") for other in found)
            hidden = any(part.startswith(".") for part in path.split("/"))
            if inside or hidden:
                continue
            try:
                manifest = self._store.read(f"{path}/{_MANIFEST}", _LARGEST)
            except SinkError as exc:
                if path in listed:
                    raise
                warnings.append(f"{exc} It is not listed.")
                continue
            if manifest is not None and _may_be_manifest(manifest):
                found.append(path)
        return found

    def open(self, path: str) -> Bundle:
        """Return the bundle in a subfolder."""
        return Bundle(f"{self._store.url}/{path}", storage_options=self._options)

    def save(self, bundle: Bundle, path: str, scripts: When, job: Job) -> None:  # noqa: ARG002 - no scripts in a store
        """Copy a bundle to a subfolder."""
        if path == "assets" or PurePosixPath(path).suffix.lower() in {".zip", ".html", ".htm"}:
            why = "this name is reserved" if path == "assets" else "its URL would be that of a file"
            msg = f"{self.shown(path)} cannot be the folder of a bundle in a store: {why}. Rename {path!r} first."
            raise SinkError(msg)
        bundle.save(f"{self._store.url}/{path}", storage_options=self._options, job=job)

    def check_sizes(self, path: str, manifest: Manifest) -> None:
        """Raise BundleError if a file of a bundle is missing or has another size than its manifest says."""
        assert self._sizes is not None  # noqa: S101 - `bundles` was called
        for file in manifest.asset_files:
            held = self._sizes.get(f"{path}/{file.path}")
            if held is None:
                msg = f"{file.path} does not exist."
                raise BundleError(msg)
            _check_size(file.path, held, file.size_bytes)

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all files in bytes, by path."""
        return self._store.sizes()


def _check_size(path: str, held: int, stated: int) -> None:
    if held != stated:
        msg = f"{path} has {held:,} bytes; the manifest says {stated:,}."
        raise BundleError(msg)


def _may_be_bundle(files: BundleFiles) -> bool:
    try:
        return _may_be_manifest(files.read(_MANIFEST))
    except BundleError:
        return True


def _may_be_manifest(data: bytes) -> bool:
    """Return whether a manifest.json is, or may have been, that of a bundle; web apps use this name, too."""
    try:
        value = json.loads(data)
    except ValueError:
        return True
    return isinstance(value, dict) and ("schema_version" in value or "asset_files" in value)
