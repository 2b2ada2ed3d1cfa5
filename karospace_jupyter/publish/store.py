"""Publish a bundle in an object store.

A store cannot move a folder into place. Instead, each asset is uploaded under a name that contains its hash, next to
the files of the old bundle, whose manifest stays valid. Uploading ``manifest.json`` switches to the new bundle. Then
the files of the old bundle are deleted.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import socket
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from karospace_jupyter.bundle.files import FolderFiles, MemoryFiles
from karospace_jupyter.bundle.read import read_manifest
from karospace_jupyter.bundle.scripts import without_scripts
from karospace_jupyter.errors import Cancelled, KaroSpaceError, SinkError
from karospace_jupyter.job import Job
from karospace_jupyter.publish.partial import Partial, is_running
from karospace_jupyter.publish.scripts import manifest_bytes
from karospace_jupyter.publish.targets import holds_bundle
from karospace_jupyter.stores import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from karospace_jupyter.bundle.manifest import AssetFile

logger = logging.getLogger(__name__)

_HASHED = re.compile(r"assets/(?:.+/)?[^/]*\.[0-9a-f]{16}(?:\.[^/]+)?")
_CLAIM = re.compile(r"assets/upload-[0-9a-f]{16}\.json")
_FOREVER = "public, max-age=31536000, immutable"
"""For files whose name contains their hash."""
_ALWAYS_CHECK = "no-cache"
"""For the page and the manifest, whose names stay the same."""
_RENEW_S, _STALE_S = 60, 900
"""A running upload renews its claim at this interval; a claim of this age is left over from a killed upload."""
_LOOK_S = 0.5
_TYPES = {
    ".csv": "text/csv; charset=utf-8", ".gz": "application/gzip", ".html": "text/html; charset=utf-8",
    ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".json": "application/json", ".png": "image/png",
    ".webp": "image/webp",
}  # fmt: skip
_MANIFEST_LIMIT = 2**30


class StoreSink:
    """Collect the files in a local folder, then upload them.

    Parameters
    ----------
    url
        URL of the folder. An existing bundle in it is replaced, and other files next to the bundle are kept. A folder
        that is not empty and contains no bundle is rejected.
    options
        Options of the file system.

    Raises
    ------
    SinkError
        If the package for this kind of URL is missing.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        self._store = Store(url, options, SinkError)
        self.target = self._store.url
        name = re.sub(r"[^\w.-]+", "_", self.target.rpartition("/")[2]) or "bundle"
        # In the temporary folder, where the next export removes what a killed one left.
        self.partial = Partial(Path(tempfile.gettempdir()) / f"karospace-{name}")
        self._claim_path = f"assets/upload-{secrets.token_hex(8)}.json"
        self._claimed = 0.0
        self._manifest: bytes | None = None
        self._uploaded: list[str] = []
        self._committed = False

    @property
    def spool(self) -> Path:
        """The local folder that contains the files before they are uploaded."""
        return self.partial.folder

    def check(self) -> None:
        """Raise SinkError if the target must not be replaced."""
        names = set(self._store.sizes())
        if "manifest.json" in names:
            if not holds_bundle(MemoryFiles({"manifest.json": self._old_manifest()})):
                msg = (
                    f"{self.target} has a manifest.json that is not that of a bundle. It was not changed; choose "
                    "another URL."
                )
                raise SinkError(msg)
            return
        others = sorted(name for name in names if name != "index.html" and not _is_ours(name))
        if others:
            shown = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
            msg = (
                f"{self.target} is not empty and is not a bundle (no manifest.json); it contains {shown}. "
                "It was not changed; choose another URL."
            )
            raise SinkError(msg)

    def __enter__(self) -> StoreSink:
        self.check()
        self.partial.__enter__()
        try:
            self._claim()  # now, so that a store that cannot be written is noticed before the export
        except BaseException:
            self.partial.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.partial.__exit__(kind, exc, tb)
        if exc is not None:
            self._store.stopped.set()  # no retries: the store may be unreachable
        # After a failure, the uploaded files stay: the next export continues with them.
        canceled = isinstance(exc, (Cancelled, KeyboardInterrupt)) and not self._committed
        try:
            self._store.delete([*(self._uploaded if canceled else ()), self._claim_path])
        except KaroSpaceError as failure:
            logger.warning("%s; the next export to this URL removes the remaining files", failure)

    def put(self, path: str, data: bytes) -> None:
        """Store one file."""
        self.partial.write(path, data)

    def prepare(self, job: Job | None = None) -> None:
        """Upload all files but the page and the manifest.

        Raises
        ------
        KaroSpaceError
            If it fails or is canceled. An existing bundle is unchanged.
        """
        job = job or Job.null()
        # A page from a store cannot be opened with a double click, so it needs no scripts.
        manifest = without_scripts(read_manifest(FolderFiles(self.spool)))
        names = {file.path: self._hashed(file) for file in manifest.asset_files}
        self._claim()
        there = self._store.sizes()
        todo = [file.path for file in manifest.asset_files if there.get(names[file.path]) != file.size_bytes]
        try:
            with job.stage("Uploading", len(todo), "files") as stage:
                self._upload({path: names[path] for path in todo}, job, stage.advance)
        except SinkError as exc:
            msg = (
                f"{exc} An existing bundle is unchanged. {len(self._uploaded):,} of {len(todo):,} files were uploaded; "
                "the next export to this URL reuses or deletes them."
            )
            raise SinkError(msg) from exc
        self._manifest = manifest_bytes(manifest.with_paths(names))

    def commit(self) -> None:
        """Upload the page and the manifest, then delete the files of the old bundle."""
        if self._manifest is None:
            self.prepare()
        assert self._manifest is not None  # noqa: S101 - set by prepare
        earlier = _listed(self._old_manifest())
        # The page of any version shows the bundles of earlier versions.
        self._write("index.html", (self.spool / "index.html").read_bytes(), _ALWAYS_CHECK)
        self._write("manifest.json", self._manifest, _ALWAYS_CHECK)
        self._committed = True
        try:
            kept = _listed(self._manifest)
            there = self._store.sizes()
            self._store.delete(name for name in there if name not in kept and (name in earlier or _is_ours(name)))
        except KaroSpaceError as exc:
            logger.warning("%s; the next export to this URL removes files of the old bundle", exc)

    def _upload(self, names: Mapping[str, str], job: Job, advance: Any) -> None:  # noqa: ANN401 - of a stage
        waiting: set[Future[None]] = set()
        left = iter(names.items())
        with ThreadPoolExecutor(self._store.parallel, "karospace-upload") as threads:
            try:
                while True:
                    # A few at a time, so that a canceled upload leaves no queue.
                    for path, name in left:
                        waiting.add(threads.submit(self._upload_one, path, name))
                        if len(waiting) >= self._store.parallel:
                            break
                    if not waiting:
                        return
                    done, waiting = wait(waiting, _LOOK_S, FIRST_COMPLETED)
                    job.check()
                    for one in done:
                        one.result()
                        advance()
                    if time.monotonic() - self._claimed > _RENEW_S:
                        self._renew()
            except BaseException:
                self._store.stopped.set()  # before waiting for the threads
                raise

    def _upload_one(self, path: str, name: str) -> None:
        self._write(name, (self.spool / path).read_bytes(), _FOREVER)
        self._uploaded.append(name)

    def _write(self, path: str, data: bytes, cache_control: str) -> None:
        kind = _TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")
        self._store.write(path, data, content_type=kind, cache_control=cache_control)

    def _hashed(self, file: AssetFile) -> str:
        """Return the name of a file in the store: its path, with the hash before the endings."""
        digest = file.sha256 or hashlib.sha256((self.spool / file.path).read_bytes()).hexdigest()
        folder, _, name = file.path.rpartition("/")
        stem, dot, endings = name.partition(".")
        folder = folder if f"{folder}/".startswith("assets/") else f"assets/{folder}".rstrip("/")
        return f"{folder}/{stem}.{digest[:16]}{dot}{endings}"

    def _old_manifest(self) -> bytes:
        return self._store.read("manifest.json", _MANIFEST_LIMIT) or b""

    def _renew(self) -> None:
        claim = {"host": _this_host(), "process": os.getpid()}
        self._write(self._claim_path, json.dumps(claim).encode(), _ALWAYS_CHECK)
        self._claimed = time.monotonic()

    def _claim(self) -> None:
        """Claim the target, so that two exports do not delete each other's files.

        Raises
        ------
        SinkError
            If another export is running.
        """
        self._renew()
        mine = self._store.modified(self._claim_path)
        stale = []
        for path in self._store.sizes():
            if path == self._claim_path or not _CLAIM.fullmatch(path):
                continue
            theirs = self._store.modified(path)
            old = mine is not None and theirs is not None and (mine - theirs).total_seconds() > _STALE_S
            if old or self._is_killed(path):
                stale.append(path)
                continue
            self._store.delete([self._claim_path])
            msg = (
                f"Another export is uploading to {self.target}, or was killed in the last {_STALE_S // 60} minutes. "
                f"Wait for it to end. If none is running, delete {self.target}/{path}."
            )
            raise SinkError(msg)
        self._store.delete(stale)

    def _is_killed(self, path: str) -> bool:
        """Return whether the export that made a claim ran on this computer and has ended."""
        try:
            claim = json.loads(self._store.read(path, 2**16) or b"{}")
            return bool(claim["host"] == _this_host()) and not is_running(int(claim["process"]))
        except (ValueError, KeyError, TypeError):
            return False


def _is_ours(path: str) -> bool:
    return _HASHED.fullmatch(path) is not None or _CLAIM.fullmatch(path) is not None


def _listed(manifest: bytes) -> set[str]:
    """Return the paths of the files in a manifest; empty if it is missing or invalid. It is not trusted."""
    try:
        return {str(file["path"]) for file in json.loads(manifest)["asset_files"]}
    except (ValueError, KeyError, TypeError):
        return set()


def _this_host() -> str:
    """Return an identifier of this computer that does not reveal its name, because the store may be public."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:16]
