"""Publish a bundle in an object store.

A store cannot move a folder into place. Instead, each asset is uploaded under a name that contains its hash, next to
the files of the old bundle, whose manifest stays valid. Uploading ``manifest.json`` switches to the new bundle. Then
the files of the old bundle are deleted.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tempfile
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from karospace_jupyter.bundle.files import FolderFiles, MemoryFiles
from karospace_jupyter.bundle.manifest import check_path
from karospace_jupyter.bundle.pages import is_own_page
from karospace_jupyter.bundle.read import read_manifest
from karospace_jupyter.bundle.scripts import without_scripts
from karospace_jupyter.errors import Cancelled, KaroSpaceError, SinkError
from karospace_jupyter.job import Job
from karospace_jupyter.publish.claim import Claim, is_claim
from karospace_jupyter.publish.partial import Partial
from karospace_jupyter.publish.scripts import manifest_bytes
from karospace_jupyter.publish.targets import OWN_ENTRIES, holds_bundle
from karospace_jupyter.stores import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from karospace_jupyter.bundle.manifest import AssetFile

logger = logging.getLogger(__name__)

_HASHED = re.compile(r"assets/(?:.+/)?[^/]*\.[0-9a-f]{16}(?:\.[^/]+)?")
_FOREVER = "public, max-age=31536000, immutable"
"""For files whose name contains their hash."""
_ALWAYS_CHECK = "no-cache"
"""For the page and the manifest, whose names stay the same."""
_LOOK_S = 0.5
"""Maximum time between checks for a canceled upload, in seconds."""
_TYPES = {
    ".csv": "text/csv; charset=utf-8", ".gz": "application/gzip", ".html": "text/html; charset=utf-8",
    ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "text/javascript; charset=utf-8", ".json": "application/json",
    ".png": "image/png", ".webp": "image/webp",
}  # fmt: skip
_MANIFEST_LIMIT, _PAGE_LIMIT = 2**30, 2**26


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
        name = re.sub(r"[^\w.-]+", "_", self._store.shown.rpartition("/")[2]) or "bundle"
        # In the temporary folder, where the next export deletes the files that a killed export left.
        self.partial = Partial(Path(tempfile.gettempdir()) / f"karospace-{name}")
        self._claim = Claim(self._store)
        self._manifest: bytes | None = None
        self._uploaded: list[str] = []
        self._switching = False

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
                    f"{self._store.shown} has a manifest.json that does not belong to a bundle. It was not changed; "
                    "choose another URL."
                )
                raise SinkError(msg)
            return
        others = sorted(name for name in names if not self._is_left_over(name))
        if others:
            shown = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
            msg = (
                f"{self._store.shown} is not empty and is not a bundle (no manifest.json); it contains {shown}. "
                "It was not changed; choose another URL."
            )
            raise SinkError(msg)

    def __enter__(self) -> StoreSink:
        self.check()
        self.partial.__enter__()
        try:
            self._claim.acquire()  # fails now, not after the export, if the store is not writable
        except BaseException:
            self.partial.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.partial.__exit__(kind, exc, tb)
        if exc is not None:
            self._store.stopped.set()  # the store may be out of reach
        # After a failure, the uploaded files stay, so that the next export can reuse them. They also stay once writing
        # the manifest has begun, because the store may have received it even if writing was interrupted.
        canceled = isinstance(exc, (Cancelled, KeyboardInterrupt)) and not self._switching
        for undo in (self._delete_uploaded, self._claim.release) if canceled else (self._claim.release,):
            try:
                undo()
            except KaroSpaceError as failure:
                logger.warning("%s; the next export to this URL removes the remaining files", failure)

    def _delete_uploaded(self) -> None:
        # Another export that has replaced this one may be reusing the uploaded files.
        if self._uploaded and self._claim.is_held():
            listed = _listed(self._old_manifest())
            self._store.delete(name for name in self._uploaded if name not in listed)

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
        self._claim.check()
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
        self._claim.check()
        # Another program may have written the old manifest, so delete only files that an exporter writes.
        earlier = {path for path in _listed(self._old_manifest()) if path.partition("/")[0] in OWN_ENTRIES}
        # The page of any version shows the bundles of earlier versions.
        self._write("index.html", (self.spool / "index.html").read_bytes(), _ALWAYS_CHECK)
        self._switching = True
        self._write("manifest.json", self._manifest, _ALWAYS_CHECK)
        try:
            self._claim.check()
            kept = _listed(self._manifest) | {"index.html", "manifest.json"}
            there = [name for name in self._store.sizes() if name not in kept and not is_claim(name)]
            self._store.delete(name for name in there if name in earlier or _HASHED.fullmatch(name))
        except KaroSpaceError as exc:
            logger.warning("%s; the next export to this URL removes files of the old bundle", exc)

    def _upload(self, names: Mapping[str, str], job: Job, advance: Any) -> None:  # noqa: ANN401 - a method of Stage
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
            except BaseException:
                self._store.stopped.set()  # before waiting for the threads
                raise

    def _upload_one(self, path: str, name: str) -> None:
        self._write(name, (self.spool / path).read_bytes(), _FOREVER)
        self._uploaded.append(name)

    def _write(self, path: str, data: bytes, cache_control: str) -> None:
        self._store.write(path, data, content_type=content_type(path), cache_control=cache_control)

    def _hashed(self, file: AssetFile) -> str:
        """Return the name of a file in the store: its path, with the hash before the suffixes."""
        # The hash of the manifest is not trusted: the name decides which file of the store is used or replaced.
        with (self.spool / file.path).open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        folder, _, name = file.path.rpartition("/")
        stem, dot, suffixes = name.partition(".")
        folder = folder if f"{folder}/".startswith("assets/") else f"assets/{folder}".rstrip("/")
        return check_path(f"{folder}/{stem}.{digest[:16]}{dot}{suffixes}")

    def _is_left_over(self, name: str) -> bool:
        """Return whether a file was left by an export that was killed before it wrote the manifest."""
        if name == "index.html":
            return is_own_page(self._store.read(name, _PAGE_LIMIT) or b"")
        return is_claim(name) or _HASHED.fullmatch(name) is not None

    def _old_manifest(self) -> bytes:
        return self._store.read("manifest.json", _MANIFEST_LIMIT) or b""


def content_type(path: str) -> str:
    """Return the content type of a file by its name."""
    return _TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")


def _listed(manifest: bytes) -> set[str]:
    """Return the paths of the files in a manifest; empty if it is missing or invalid. It is not trusted."""
    try:
        return {str(file["path"]) for file in json.loads(manifest)["asset_files"]}
    except (ValueError, KeyError, TypeError):
        return set()
