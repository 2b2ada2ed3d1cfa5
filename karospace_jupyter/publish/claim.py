"""Claim a folder of a store, so that two exports do not delete each other's files."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import socket
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.errors import KaroSpaceError, SinkError
from karospace_jupyter.publish.partial import is_running

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from karospace_jupyter.stores import Store

logger = logging.getLogger(__name__)

_PATH = re.compile(r"assets/upload-[0-9a-f]{16}\.json")
_RENEW_S, _STALE_S = 60, 900
"""Seconds between renewals of a claim, and the age at which a claim is considered left over from a killed export."""
_PAUSES_S = (0.5, 2.0, 5.0)
"""Pauses before checking again: an export that is refused writes a claim, but deletes it immediately."""


def is_claim(path: str) -> bool:
    """Return whether a file is a claim."""
    return _PATH.fullmatch(path) is not None


class Claim:
    """A small file in the store, which a thread renews until it is released.

    Parameters
    ----------
    store
        The folder.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._path = f"assets/upload-{secrets.token_hex(8)}.json"
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="karospace-claim", daemon=True)

    def acquire(self) -> None:
        """Claim the folder, and delete the claims of exports that have ended.

        Raises
        ------
        SinkError
            If another export is running, or the store cannot be written.
        """
        self._write()
        try:
            rival = self._rival(self._found())
            if rival is not None:
                raise SinkError(self._refusal(rival))
        except BaseException:
            with suppress(KaroSpaceError):
                self._store.delete([self._path])
            raise
        self._thread.start()

    def check(self) -> None:
        """Check that no other export has claimed the folder.

        Raises
        ------
        SinkError
            If one has.
        """
        for pause in (*_PAUSES_S, None):
            problem = self._problem()
            if problem is None:
                return
            if pause is None:
                raise SinkError(problem)
            self._released.wait(pause)

    def is_held(self) -> bool:
        """Return whether only this export claims the folder."""
        return self._problem() is None

    def release(self) -> None:
        """Delete the claim.

        Raises
        ------
        SinkError
            If the store cannot be written.
        """
        self._released.set()
        if self._thread.ident is not None:
            self._thread.join()  # otherwise, it could write the claim again
        self._store.delete([self._path])

    def _problem(self) -> str | None:
        found = self._found()
        if self._path not in found:
            return (
                f"Another process has taken over {self._store.shown} from this one, which did not renew its claim for "
                f"{_STALE_S // 60} minutes: the computer slept, or the store was out of reach. What is there now is "
                "from the other process; repeat this to replace it."
            )
        rival = self._rival(found)
        return None if rival is None else self._refusal(rival)

    def _refusal(self, rival: str) -> str:
        return (
            f"Another process is uploading to {self._store.shown}, or was killed in the last {_STALE_S // 60} minutes. "
            f"Wait for it to end. If none is running, delete {self._store.shown}/{rival}."
        )

    def _found(self) -> AbstractSet[str]:
        return {path for path in self._store.sizes() if is_claim(path)}

    def _rival(self, found: AbstractSet[str]) -> str | None:
        """Return the claim of another export that is running; delete those of exports that have ended."""
        others = sorted(found - {self._path})
        mine = self._store.modified(self._path) if others else None
        for path in others:
            theirs = self._store.modified(path)
            # Both times are those of the store, not of two computers.
            old = mine is not None and theirs is not None and (mine - theirs).total_seconds() > _STALE_S
            if not old and not self._is_killed(path):
                return path
        self._store.delete(others)
        return None

    def _is_killed(self, path: str) -> bool:
        """Return whether the export that made a claim ran on this computer and has ended."""
        try:
            claim = json.loads(self._store.read(path, 2**16) or b"{}")
            return bool(claim["host"] == _this_host()) and not is_running(int(claim["process"]))
        except (ValueError, KeyError, TypeError):
            return False

    def _renew(self) -> None:
        while not self._released.wait(_RENEW_S):
            try:
                if self._store.read(self._path, 1) is None:
                    return  # another export has deleted the claim, and has claimed the folder itself
                self._write()
            except KaroSpaceError as exc:
                logger.info("%s; trying again in %d s", exc, _RENEW_S)

    def _write(self) -> None:
        claim = json.dumps({"host": _this_host(), "process": os.getpid()}).encode()
        self._store.write(self._path, claim, content_type="application/json", cache_control="no-cache")


def _this_host() -> str:
    """Return an ID of this computer, its boot and its container, within which process IDs are unique.

    It does not reveal the name of the computer, because the store may be public. The name alone would not
    suffice: names are not unique, and each container on a computer numbers its own processes.
    """
    known = [socket.gethostname()]
    try:
        known += [Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/pid")]  # noqa: PTH115
    except OSError:  # not Linux
        known.append(str(uuid.getnode()))
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]
