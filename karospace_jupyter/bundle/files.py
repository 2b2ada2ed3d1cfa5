"""Access the files of a bundle in a folder, in memory, in a zip file or in a single HTML file.

Every implementation returns bytes as stored and rejects paths outside of the bundle. None keeps a file open.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import mmap
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Protocol

from karospace_jupyter.bundle.manifest import check_path
from karospace_jupyter.errors import BundleError, ConfigError, MissingFileError
from karospace_jupyter.paths import expanded

TAG = b'<script type="text/plain" data-karospace-path="'
END_TAG = b"</script>\n"
_LIMITS: dict[str, int] = json.loads(Path(__file__).with_name("limits.json").read_text(encoding="utf-8"))
"""Maximum sizes in bytes if no manifest states them; the viewer has the same limits. The manifest of a whole
transcriptome takes half of its limit."""
_LARGEST = {"manifest.json": _LIMITS["manifest"], "index.html": _LIMITS["page"]}
MAX_FILES = 2**18
"""Maximum number of files in a zip file or a single HTML file."""
_MAX_INDEX_BYTES = 32 * 2**20
"""Maximum size of the directory of a zip file, in bytes; each file takes about 100."""
_LOCAL_HEADER = 30
_END_OF_ZIP = 22
_ENCRYPTED = 0x1


class BundleFiles(Protocol):
    """The files of a bundle, independent of their storage."""

    @property
    def origin(self) -> str:
        """Location of the files, for messages."""

    def read(self, path: str) -> bytes:
        """Return one file as stored.

        Raises
        ------
        BundleError
            If the file is missing, larger than in the manifest, unreadable, or outside of the bundle.
        """

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""


def open_files(path: str | os.PathLike[str]) -> BundleFiles:
    """Return the files of the folder, zip file or single HTML file at `path`, recognized by content.

    Raises
    ------
    BundleError
        If it is none of these.
    """
    try:
        place = expanded(path)
    except ConfigError as exc:
        if isinstance(exc.__cause__, OSError):  # the path is written well, but cannot be read
            raise BundleError(str(exc)) from exc
        raise
    try:
        if place.is_dir():
            return FolderFiles(place)
        if place.exists() and not place.is_file():  # reading a pipe would block
            msg = f"{place} is not a bundle: it is neither a folder nor a file."
            raise BundleError(msg)
        with place.open("rb") as file:
            start = file.read(4)
    except (FileNotFoundError, NotADirectoryError) as exc:
        msg = f"{place} is not a bundle: it does not exist."
        raise BundleError(msg) from exc
    except OSError as exc:
        msg = f"{place} cannot be read: {exc.strerror or exc}."
        raise BundleError(msg) from exc
    except ValueError as exc:
        msg = f"{str(place)!r} is not a valid path: {exc}."
        raise BundleError(msg) from exc
    return ZipFiles(place) if start[:2] == b"PK" else HtmlFiles(place)


def is_bundle(path: Path) -> bool:
    """Return whether a path is a bundle: a folder with a manifest, or a zip or HTML file that holds one.

    Only reading the manifest shows whether the bundle is valid.
    """
    if path.is_dir():
        return (path / "manifest.json").is_file()
    if path.suffix.lower() not in {".zip", ".html", ".htm"}:
        return False
    try:
        return "manifest.json" in open_files(path).names()
    except BundleError:
        return False


class Bounded:
    """Base class of files that are not read if they exceed their expected size."""

    _sizes: Mapping[str, int] = MappingProxyType({})

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Set the stored size of each file in the manifest, in bytes."""
        self._sizes = sizes

    def _limit(self, path: str) -> int:
        expected = self._sizes.get(path)
        return _LARGEST.get(path, _LIMITS["asset"]) if expected is None else expected

    def _check_size(self, path: str, size: int) -> None:
        expected, limit = self._sizes.get(path), self._limit(path)
        if size > limit:
            how = f"the limit is {limit:,}" if expected is None else f"the manifest says {limit:,}"
            msg = f"{path} has {size:,} bytes; {how}. It was not read."
            raise BundleError(msg)


class FolderFiles(Bounded):
    """The files of a folder. Symbolic links to paths outside of the folder are rejected."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.origin = str(self.path)
        self._root: Path | None = None

    def read(self, path: str) -> bytes:
        """Return one file as stored."""
        checked(path)
        try:
            real = (self.path / path).resolve(strict=True)
            self._root = self._root or self.path.resolve()
            if not real.is_relative_to(self._root):
                msg = f"{path} is a symbolic link to a path outside of {self.origin}. It was not read."
                raise BundleError(msg)
            found = real.stat()
            if not stat.S_ISREG(found.st_mode):  # reading a pipe would block
                kind = "a folder" if real.is_dir() else "not a regular file"
                msg = f"{path} in {self.origin} is {kind}. It was not read."
                raise BundleError(msg)
            self._check_size(path, found.st_size)
            return real.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as exc:
            if not self.path.exists():
                msg = f"The bundle {self.origin} no longer exists: its folder was moved or deleted. Export it again."
                raise MissingFileError(msg) from None
            raise missing(path, self.origin) from exc
        except (OSError, RuntimeError) as exc:  # RuntimeError: a symbolic link loop, before Python 3.13
            msg = f"{path} in {self.origin} cannot be read: {getattr(exc, 'strerror', None) or exc}."
            raise BundleError(msg) from exc

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""
        for folder, _, files in os.walk(self.path):
            for name in sorted(files):
                yield (Path(folder) / name).relative_to(self.path).as_posix()


class MemoryFiles(Bounded):
    """Files in memory."""

    def __init__(self, files: Mapping[str, bytes], origin: str = "the bundle in memory") -> None:
        self._files = dict(files)
        self.origin = origin

    def read(self, path: str) -> bytes:
        """Return one file as stored."""
        if checked(path) not in self._files:
            raise missing(path, self.origin)
        self._check_size(path, len(self._files[path]))
        return self._files[path]

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""
        return tuple(self._files)


class _OneFile(Bounded):
    """A file that contains others and is indexed once.

    The file must not change afterwards, because only the positions of its members are kept.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.origin = str(self.path)
        self._state: tuple[int, int, int] | None = None
        with self._open() as file:
            self._index(file)

    def _index(self, file: BinaryIO) -> None:
        raise NotImplementedError

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                msg = f"{self.path} is neither a file nor a folder. It was not read."
                raise BundleError(msg)
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                state = (found.st_ino, found.st_size, found.st_mtime_ns)
                self._state = self._state or state
                if state != self._state:
                    msg = f"{self.path} has changed since it was opened. Open it again."
                    raise BundleError(msg)
                yield file
        except OSError as exc:
            msg = f"{self.path} cannot be read: {exc.strerror or exc}."
            raise BundleError(msg) from exc


class ZipFiles(_OneFile):
    """The files of a zip file, at its top level or in one folder."""

    def _index(self, file: BinaryIO) -> None:
        try:
            index = _index_bytes(file)
            if index > _MAX_INDEX_BYTES:
                msg = f"its directory has {index:,} bytes; the limit is {_MAX_INDEX_BYTES:,}"
                raise ValueError(msg)
            with zipfile.ZipFile(file) as archive:
                entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as exc:
            msg = f"{self.path} is not a zip file or is damaged: {exc}."
            raise BundleError(msg) from exc
        found = [name for name in entries if re.fullmatch(r"(?!__MACOSX/)(.*/)?manifest\.json", name)]
        depth = min((name.count("/") for name in found), default=0)
        found = [name for name in found if name.count("/") == depth]
        if len(found) != 1:
            some = "no manifest.json" if not found else f"several manifests: {', '.join(sorted(found)[:5])}"
            msg = f"{self.path} is not a bundle: it has {some}."
            raise BundleError(msg)
        prefix = found[0].removesuffix("manifest.json")
        self._entries = {name.removeprefix(prefix): entry for name, entry in entries.items() if name.startswith(prefix)}

    def read(self, path: str) -> bytes:
        """Return one file as stored in the bundle, without the compression of the zip file."""
        entry = self._entries.get(checked(path))
        if entry is None:
            raise missing(path, self.origin)
        self._check_size(path, entry.file_size)
        # zipfile would read the whole directory again for each file, or keep the zip file open.
        with self._open() as file:
            size = os.fstat(file.fileno()).st_size
            if not 0 <= entry.header_offset <= size or entry.compress_size > size:
                msg = f"{path} in {self.path} cannot be read: the zip is damaged."
                raise BundleError(msg)
            file.seek(entry.header_offset)
            header = file.read(_LOCAL_HEADER)
            lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
            file.seek(lengths, os.SEEK_CUR)
            data = file.read(entry.compress_size)
        problem = None
        if entry.flag_bits & _ENCRYPTED:
            problem = "it is encrypted"
        elif header[:4] != b"PK\x03\x04" or len(data) != entry.compress_size:
            problem = "the zip is damaged"
        elif entry.compress_type == zipfile.ZIP_DEFLATED:
            try:
                # Never decompress more than the directory states: a small zip file must not fill the memory.
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.file_size + 1)
            except zlib.error as exc:
                problem = str(exc)
        elif entry.compress_type != zipfile.ZIP_STORED:
            problem = f"its compression method {entry.compress_type} is not supported"
        if problem is None and (len(data) != entry.file_size or zlib.crc32(data) != entry.CRC):
            problem = "its checksum does not match"
        if problem:
            msg = f"{path} in {self.path} cannot be read: {problem}."
            raise BundleError(msg)
        return data

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""
        return tuple(self._entries)


class HtmlFiles(_OneFile):
    """The files embedded in a single HTML file; ``index.html`` is the page without them."""

    def _index(self, file: BinaryIO) -> None:
        self._spans: dict[str, tuple[int, int]] = {}
        first = last = 0
        if self._state is not None and self._state[1]:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as page:
                at = page.find(TAG)
                first = max(at, 0)
                while at >= 0:
                    name_end = page.find(b'">', at + len(TAG))
                    end = page.find(END_TAG.rstrip(), name_end) if name_end >= 0 else -1
                    if end < 0:
                        msg = f"{self.path} is damaged: it ends in the middle of an embedded file. Copy it again."
                        raise BundleError(msg)
                    name = html.unescape(page[at + len(TAG) : name_end].decode("utf-8", "replace"))
                    self._spans[name] = (name_end + 2, end)  # the last one with this name wins, as in the viewer
                    if len(self._spans) > MAX_FILES:
                        msg = f"{self.path} contains more than {MAX_FILES:,} files. It was not read."
                        raise BundleError(msg)
                    last = end + len(END_TAG.rstrip())
                    last += page[last : last + 1] == b"\n"
                    at = page.find(TAG, last)
        if "manifest.json" not in self._spans:
            msg = (
                f"{self.path} is not a bundle: it has no manifest.json inside. "
                "If it is the page of a folder, open the folder."
            )
            raise BundleError(msg)
        self._page = (first, last)

    def read(self, path: str) -> bytes:
        """Return one file as stored in the bundle."""
        if checked(path) == "index.html" and path not in self._spans:
            self._check_size(path, (self._state or (0, 0))[1] - self._page[1] + self._page[0])
            with self._open() as file:
                start = file.read(self._page[0])
                file.seek(self._page[1])
                return start + file.read()
        if path not in self._spans:
            raise missing(path, self.origin)
        start_at, end = self._spans[path]
        self._check_size(path, (end - start_at) // 4 * 3 - 2)  # decoded size of base64, minus the maximum padding
        with self._open() as file:
            file.seek(start_at)
            text = file.read(end - start_at)
        try:
            return base64.b64decode(text.strip(), validate=True)
        except binascii.Error as exc:
            msg = f"{path} in {self.path} is damaged: {exc}."
            raise BundleError(msg) from exc

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""
        return tuple(dict.fromkeys(["index.html", *self._spans]))


def _index_bytes(file: BinaryIO) -> int:
    """Return the size of the directory at the end of a zip file; reading it takes memory for each file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_OF_ZIP - 2**16))
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    length = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    if length == 2**32 - 1:  # ZIP64: the size is in a record before the end
        start = end.rfind(b"PK\x06\x06", 0, at)
        length = int.from_bytes(end[start + 40 : start + 48], "little") if start >= 0 else size
    file.seek(0)
    return length


def checked(path: str) -> str:
    """Return `path` if it is inside the bundle.

    Raises
    ------
    BundleError
        If it is not.
    """
    try:
        return check_path(path)
    except ValueError as exc:
        msg = f"{exc}. It was not read."
        raise BundleError(msg) from exc


def missing(path: str, origin: str) -> MissingFileError:
    """Return the error for a file that does not exist."""
    return MissingFileError(f"{path} cannot be read: it is not in {origin}.")
