"""A hidden folder beside a target, where a result is made before it appears in one step."""

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
    """A context manager that leaves nothing behind but what was published.

    Parameters
    ----------
    target
        Where the result will be; folders above it are made, and removed again when nothing is published.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self._folder: Path | None = None
        self._made: list[Path] = []

    @property
    def folder(self) -> Path:
        """The hidden folder."""
        assert self._folder is not None, "it is used inside its with block"  # noqa: S101
        return self._folder

    def __enter__(self) -> Partial:
        parent = self.target.parent
        try:
            self._made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
            parent.mkdir(parents=True, exist_ok=True)
            sweep(self.target)
            prefix = _prefix(self.target) + f"{socket.gethostname()}-{os.getpid()}-"
            self._folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        except OSError as exc:
            self._discard()
            raise failed(exc, self.target) from exc
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._discard()

    def write(self, path: str, data: bytes) -> None:
        """Store one file in the hidden folder. Safe from several threads."""
        file = self.folder / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except OSError as exc:
            raise failed(exc, self.target / path) from exc

    def keep(self, names: list[str]) -> None:
        """Take these entries of the target's folder along: they will be in the published folder, too."""
        try:
            for name in names:
                old, new = self.target / name, self.folder / name
                if new.exists():
                    continue  # a file of the new bundle, by this name
                new.parent.mkdir(parents=True, exist_ok=True)
                if old.is_dir() and not old.is_symlink():
                    shutil.copytree(old, new, symlinks=True, copy_function=_link)
                else:
                    _link(old, new)
        except (OSError, shutil.Error) as exc:
            held = ", ".join(names[:5])
            msg = f"{self.target} holds {held}, which could not be taken along: {exc}. Move it away first."
            raise SinkError(msg) from exc

    def publish_folder(self) -> None:
        """Move the folder into place; what was there is removed after that."""
        try:
            # mkdtemp makes a private folder; a bundle is made to be shared.
            self.folder.chmod(0o777 & ~_umask())
            if self.target.exists():
                _exchange(self.folder, self.target)
            else:
                self.folder.rename(self.target)
                self._folder = None
            self._made = []
        except OSError as exc:
            raise failed(exc, self.target) from exc

    def publish_file(self, file: Path) -> None:
        """Move one file of the hidden folder into place."""
        try:
            file.chmod(0o666 & ~_umask())
            os.replace(file, self.target)  # noqa: PTH105 - one name for both systems
            self._made = []
        except OSError as exc:
            raise failed(exc, self.target) from exc

    def _discard(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        for folder in self._made:  # innermost first; rmdir leaves a folder that someone else began to use
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                break
        self._made = []


def _link(old: str | Path, new: str | Path) -> None:
    """Give a file a second name, or copy it where the file system has only one for each."""
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        shutil.copy2(old, new, follow_symlinks=False)


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return `path` with ``~`` and the working folder filled in, links left as they are.

    Raises
    ------
    SinkError
        When the working folder is gone, or links on the way lead in a circle.
    """
    try:
        whole = Path(os.path.abspath(expanded(path)))  # noqa: PTH100 - resolve() would follow a link
    except FileNotFoundError as exc:
        msg = f"{path} lies in the working folder, which was deleted. Change to another folder, or give the whole path."
        raise SinkError(msg) from exc
    try:
        whole.resolve()
    except (OSError, RuntimeError) as exc:  # RuntimeError before Python 3.13
        msg = f"{whole} cannot be found: links on the way lead in a circle. Choose another name."
        raise SinkError(msg) from exc
    return whole


def failed(exc: OSError, path: Path) -> SinkError:
    """Say why `path` could not be written."""
    if exc.errno == errno.ENOSPC:
        return SinkError(f"The disk is full: {path} could not be written. Nothing was changed; free some space.")
    if exc.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return SinkError(f"{path} may not be written by this user ({exc.strerror}). Choose another folder.")
    return SinkError(f"{path} could not be written: {exc.strerror or exc}.")


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _prefix(target: Path) -> str:
    return f".{target.name[:80]}.partial-"


def sweep(target: Path, *, gone: int = 0) -> None:
    """Remove what killed exports to the same target left behind.

    Parameters
    ----------
    gone
        A process that has ended for certain: not every system tells.
    """
    here = socket.gethostname()
    for folder in target.parent.glob(glob.escape(_prefix(target)) + "*"):
        host, _, rest = folder.name.removeprefix(_prefix(target)).rpartition("-")[0].rpartition("-")
        if host != here or not rest.isdigit() or (int(rest) != gone and _alive(int(rest))):
            continue
        logger.info("removing %s, left by a process that is gone", folder)
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    # Windows knows no signal 0: there the same call would send Ctrl-C.
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
    """Swap two folders, in one step where the system can."""
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
    aside.rename(new)  # what is left under the partial name is discarded
