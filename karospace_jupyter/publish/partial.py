"""Write a result to a hidden folder next to its target, then publish it atomically."""

from __future__ import annotations

import ctypes
import errno
import glob
import logging
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.errors import SinkError
from karospace_jupyter.paths import expanded

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger(__name__)

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class Partial:
    """A context manager that leaves behind only what was published.

    Parameters
    ----------
    target
        Path of the result. Missing parent folders are created, and removed again if nothing is published.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self._folder: Path | None = None
        self._created: list[Path] = []

    @property
    def folder(self) -> Path:
        """The hidden folder."""
        assert self._folder is not None, "Partial must be used as a context manager"  # noqa: S101
        return self._folder

    def __enter__(self) -> Partial:
        parent = self.target.parent
        try:
            self._created = [folder for folder in (parent, *parent.parents) if not folder.exists()]
            parent.mkdir(parents=True, exist_ok=True)
            sweep(self.target)
            prefix = _prefix(self.target) + f"{socket.gethostname()}-{os.getpid()}-"
            self._folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        except OSError as exc:
            self._discard()
            raise write_error(exc, self.target) from exc
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._discard()

    def others(self) -> list[Path]:
        """Return the hidden folders of other processes that write to this target, or were killed on other computers."""
        return [one for one in self.target.parent.glob(glob.escape(_prefix(self.target)) + "*") if one != self.folder]

    def write(self, path: str, data: bytes) -> None:
        """Write one file to the hidden folder. Thread-safe."""
        file = self.folder / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except OSError as exc:
            raise write_error(exc, self.target / path) from exc

    def keep(self, names: list[str]) -> None:
        """Carry these entries of the existing target over to the published folder."""
        try:
            for name in names:
                old, new = self.target / name, self.folder / name
                if new.exists():
                    continue  # the new bundle has a file with this name
                new.parent.mkdir(parents=True, exist_ok=True)
                if old.is_dir() and not old.is_symlink():
                    shutil.copytree(old, new, symlinks=True, copy_function=_link)
                else:
                    _link(old, new)
        except (OSError, shutil.Error) as exc:
            shown = ", ".join(names[:5])
            msg = (
                f"{self.target} contains {shown}, which could not be carried over to the new bundle: {exc}. "
                "Move these files elsewhere and try again."
            )
            raise SinkError(msg) from exc

    def publish_folder(self) -> None:
        """Move the hidden folder to the target, then remove the previous content."""
        try:
            # mkdtemp creates a private folder, but bundles are meant to be shared.
            self.folder.chmod(0o777 & ~_umask())
            if self.target.exists():
                _exchange(self.folder, self.target)
            else:
                self.folder.rename(self.target)
                self._folder = None
            self._created = []
        except OSError as exc:
            raise write_error(exc, self.target) from exc

    def publish_file(self, file: Path) -> None:
        """Move one file of the hidden folder to the target."""
        try:
            file.chmod(0o666 & ~_umask())
            os.replace(file, self.target)  # noqa: PTH105 - replaces an existing file on every system
            self._created = []
        except OSError as exc:
            raise write_error(exc, self.target) from exc

    def _discard(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        for folder in self._created:  # innermost first; rmdir fails on a folder that another process started to use
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                break
        self._created = []


def _link(old: str | Path, new: str | Path) -> None:
    """Hard-link a file, or copy it if the file system does not support hard links."""
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        shutil.copy2(old, new, follow_symlinks=False)


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of `path` with ``~`` expanded. Symbolic links are not resolved.

    Raises
    ------
    SinkError
        If the working directory was deleted, or the path contains a symbolic link loop.
    ConfigError
        If the path is not accessible.
    """
    try:
        whole = Path(os.path.abspath(expanded(path)))  # noqa: PTH100 - resolve() would follow a link
    except FileNotFoundError as exc:
        msg = (
            f"{path} is relative to the working directory, which was deleted. "
            "Change to another directory, or use an absolute path."
        )
        raise SinkError(msg) from exc
    try:
        whole.resolve()
    except (OSError, RuntimeError) as exc:  # RuntimeError before Python 3.13
        msg = f"{whole} cannot be resolved: it contains a symbolic link loop. Choose another path."
        raise SinkError(msg) from exc
    return whole


def write_error(exc: OSError, path: Path) -> SinkError:
    """Return the error for a failure to write `path`."""
    if exc.errno == errno.ENOSPC:
        return SinkError(f"{path} could not be written: the disk is full. Nothing was changed; free some space.")
    if exc.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return SinkError(f"{path} could not be written: {exc.strerror}. Choose another folder.")
    return SinkError(f"{path} could not be written: {exc.strerror or exc}.")


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _prefix(target: Path) -> str:
    return f".{target.name[:80]}.partial-"


def sweep(target: Path, *, gone: int = 0) -> None:
    """Remove partial folders that killed exports to the same target left behind.

    Parameters
    ----------
    target
        Path of the result.
    gone
        ID of a process that is known to have ended; not every system can tell whether a process is alive.
    """
    here = socket.gethostname()
    for folder in target.parent.glob(glob.escape(_prefix(target)) + "*"):
        host, _, rest = folder.name.removeprefix(_prefix(target)).rpartition("-")[0].rpartition("-")
        if host != here or not rest.isdigit() or (int(rest) != gone and is_running(int(rest))):
            continue
        logger.info("removing %s, left behind by a process that has ended", folder)
        shutil.rmtree(folder, ignore_errors=True)


def is_running(pid: int) -> bool:
    """Return whether a process is running; True if this system cannot tell."""
    # Windows has no signal 0: there, os.kill(pid, 0) would send Ctrl-C.
    if pid == os.getpid() or sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _exchange(new: Path, old: Path) -> None:
    """Swap two folders, atomically if the system supports it."""
    real = old.resolve() if old.is_symlink() else old
    if sys.platform == "linux":
        renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if renameat2 is not None:
            done = renameat2(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(real), _RENAME_EXCHANGE)
            if done == 0:
                return
            logger.debug("renameat2: %s", os.strerror(ctypes.get_errno()))
    aside = new.with_name(new.name + "-old")
    real.rename(aside)
    try:
        new.rename(real)
    except OSError:
        aside.rename(real)
        raise
    aside.rename(new)  # the partial name is discarded on exit
