"""A folder that appears complete or not at all."""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.errors import SinkError

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger(__name__)

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class FolderSink:
    """Writes beside the target folder and moves the result into place.

    Parameters
    ----------
    target
        Folder to create. An existing bundle is replaced; anything else that is not empty is refused.
    """

    def __init__(self, target: Path) -> None:
        self.target = Path(os.path.abspath(Path(target).expanduser()))  # noqa: PTH100 - resolve() would follow a link
        self._partial: Path | None = None
        self._made: list[Path] = []

    def __enter__(self) -> FolderSink:
        check_target(self.target)
        parent = self.target.parent
        missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
        try:
            parent.mkdir(parents=True, exist_ok=True)
            self._made = missing
            _sweep(self.target)
            prefix = _prefix(self.target) + f"{socket.gethostname()}-{os.getpid()}-"
            self._partial = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        except OSError as exc:
            self._discard()
            raise _failed(exc, self.target) from exc
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._discard()

    def put(self, path: str, data: bytes) -> None:
        """Store one file."""
        assert self._partial is not None, "a sink is used inside its with block"  # noqa: S101
        file = self._partial / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except OSError as exc:
            raise _failed(exc, self.target / path) from exc

    def commit(self) -> None:
        """Move the folder into place; what was there is removed after that."""
        assert self._partial is not None, "a sink is used inside its with block"  # noqa: S101
        try:
            # mkdtemp makes a private folder; a bundle is made to be shared.
            umask = os.umask(0)
            os.umask(umask)
            self._partial.chmod(0o777 & ~umask)
            check_target(self.target)
            if self.target.exists():
                _exchange(self._partial, self.target)
            else:
                self._partial.rename(self.target)
                self._partial = None
            self._made = []
        except OSError as exc:
            raise _failed(exc, self.target) from exc

    def _discard(self) -> None:
        if self._partial is not None:
            shutil.rmtree(self._partial, ignore_errors=True)
            self._partial = None
        for folder in self._made:  # innermost first; rmdir leaves a folder that someone else began to use
            try:
                folder.rmdir()
            except OSError:
                break
        self._made = []


def check_target(target: Path) -> None:
    """Refuse a target that must not be replaced.

    Raises
    ------
    SinkError
        When it is a file, or a folder that is neither empty nor a bundle.
    """
    try:
        if target.is_symlink() and not target.exists():
            msg = f"{target} is a link that leads nowhere. Remove it or choose another folder."
            raise SinkError(msg)
        if not target.exists():
            return
        if not target.is_dir():
            msg = f"{target} is a file. Choose a folder that does not exist yet."
            raise SinkError(msg)
        names = sorted(entry.name for entry in target.iterdir())
    except OSError as exc:
        raise _failed(exc, target) from exc
    except ValueError as exc:
        msg = f"{str(target)!r} is no path: {exc}."
        raise SinkError(msg) from exc
    if names and "manifest.json" not in names:
        shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        msg = (
            f"{target} is not empty and is not a bundle (no manifest.json); it holds {shown}. "
            "It was left alone: choose another folder."
        )
        raise SinkError(msg)
    if names and not _looks_like_manifest(target / "manifest.json"):
        msg = (
            f"{target} holds a manifest.json of something else than a bundle. It was left alone: choose another folder."
        )
        raise SinkError(msg)


def _looks_like_manifest(path: Path) -> bool:
    import json

    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(value, dict) and "schema_version" in value and "asset_files" in value


def _prefix(target: Path) -> str:
    return f".{target.name[:80]}.partial-"


def _sweep(target: Path) -> None:
    """Remove what killed exports to the same target left behind."""
    here = socket.gethostname()
    for folder in target.parent.glob(_prefix(target).replace("[", "[[]") + "*"):
        host, _, rest = folder.name.removeprefix(_prefix(target)).rpartition("-")[0].rpartition("-")
        if host != here or not rest.isdigit() or _alive(int(rest)):
            continue
        logger.info("removing %s, left by a process that is gone", folder)
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
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


def _failed(exc: OSError, path: Path) -> SinkError:
    if exc.errno == errno.ENOSPC:
        return SinkError(f"The disk is full: {path} could not be written. Nothing was changed; free some space.")
    if exc.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return SinkError(f"{path} may not be written by this user ({exc.strerror}). Choose another folder.")
    return SinkError(f"{path} could not be written: {exc.strerror or exc}.")
