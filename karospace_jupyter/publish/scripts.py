"""Write the files of a bundle as scripts, so that a page opened with a double click can read them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from karospace_jupyter.bundle.manifest import AssetFile, Manifest, ScriptShard
from karospace_jupyter.bundle.scripts import ASKS, KIND, MANIFEST, as_script, carried_files, without_scripts
from karospace_jupyter.errors import BundleError
from karospace_jupyter.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from karospace_jupyter.bundle.files import BundleFiles

When = Literal["auto", "yes", "no"]
MAX_BYTES = 200_000_000
"""Size of the scripts above which ``auto`` omits them; they take 133% of the size of the files."""
TOGETHER = 1_500_000
"""Approximate number of bytes per script: a browser runs a script of 2 MB, the size of one gene, in about 15 ms."""
_MAX_SCRIPT_BYTES = 8_000_000
"""Maximum size of a script, as text; larger files are split."""
_WRAPPING = 64  # bytes for the function call around the text, with a margin


def size_of(manifest: Manifest) -> int:
    """Return the size of the scripts of a bundle, in bytes."""
    return sum(-(-file.size_bytes * 4 // 3) for file in carried_files(manifest))


def write_scripts(
    files: BundleFiles, manifest: Manifest, put: Callable[[str, bytes], None], when: When, job: Job | None = None
) -> Manifest:
    """Write the scripts of a bundle with `put` and return a manifest that lists them.

    No script is larger than `max_asset_bytes` of the manifest. If the script of the manifest itself would be larger,
    no scripts are written and a warning is added.

    Parameters
    ----------
    files
        The assets; each is read once.
    manifest
        The manifest of the bundle.
    put
        Called with (path inside the bundle, bytes).
    when
        `auto` omits the scripts and adds a warning if they would take more than 200 MB.
    job
        Receives progress and can cancel the work.

    Returns
    -------
    Manifest
        The manifest with the scripts.

    Raises
    ------
    BundleError
        If the size of an asset differs from the manifest.
    """
    plain = without_scripts(manifest)
    if when == "no":
        return plain
    size = size_of(plain)
    if when == "auto" and size > MAX_BYTES:
        warning = (
            f"{ASKS}the scripts that avoid this would take another {size / 1e6:,.0f} MB, "
            f"more than {MAX_BYTES / 1e6:,.0f} MB. Set the option scripts to “yes” to write them."
        )
        return _with_warning(plain, warning)
    max_bytes = plain.max_asset_bytes or _MAX_SCRIPT_BYTES
    largest = max(1, (min(max_bytes, _MAX_SCRIPT_BYTES) - _WRAPPING) * 3 // 4)
    listed = carried_files(plain)
    runs = _runs([file.size_bytes for file in listed], largest)
    shards = [
        ScriptShard(path=f"scripts/{number:04d}.js", start=start, end=end) for number, (start, end) in enumerate(runs)
    ]
    # The manifest in manifest.js lists the files in the scripts; a script cannot state its own size.
    carried = plain.model_copy(update={"scripts": shards})
    first = as_script("manifest.json", manifest_bytes(carried.model_copy(update={"asset_files": listed})))
    if len(first) > max_bytes:
        warning = (
            f"{ASKS}the script that contains the manifest takes {len(first):,} bytes, "
            f"more than the maximum asset size of {max_bytes:,} bytes."
        )
        return _with_warning(plain, warning)
    written: list[AssetFile] = []
    stream = _Stream(files, listed)
    with (job or Job.null()).stage("Writing scripts", len(shards), "files") as stage:
        for shard in shards:
            written.append(_put(put, shard.path, as_script(shard.path, stream.take(shard.end - shard.start))))
            stage.advance()
    written.append(_put(put, MANIFEST, first))
    return carried.model_copy(update={"asset_files": [*plain.asset_files, *written]})


def _put(put: Callable[[str, bytes], None], path: str, script: bytes) -> AssetFile:
    put(path, script)
    digest = hashlib.sha256(script).hexdigest()
    return AssetFile(kind=KIND, path=path, size_bytes=len(script), raw_bytes=len(script), sha256=digest)


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the content of ``manifest.json``."""
    return manifest.model_dump_json(exclude_none=True).encode()


def _with_warning(manifest: Manifest, warning: str) -> Manifest:
    return manifest.model_copy(update={"warnings": [*(manifest.warnings or []), warning]})


def _runs(sizes: Sequence[int], largest: int) -> Iterator[tuple[int, int]]:
    """Yield the byte range of each shard: small files are combined, large files are split."""
    start = at = 0
    for size in sizes:
        if at > start and at - start + size > min(TOGETHER, largest):
            yield start, at
            start = at
        at += size
        while at - start > largest:
            yield start, start + largest
            start += largest
    if at > start:
        yield start, at


class _Stream:
    """The concatenated bytes of all files."""

    def __init__(self, files: BundleFiles, listed: Sequence[AssetFile]) -> None:
        self._files, self._listed = files, iter(listed)
        self._held = memoryview(b"")

    def take(self, size: int) -> bytes:
        parts: list[memoryview] = []
        while size > 0:
            if not self._held:
                self._held = self._next()
                continue
            part, self._held = self._held[:size], self._held[size:]
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _next(self) -> memoryview:
        file = next(self._listed)
        data = self._files.read(file.path)
        if len(data) != file.size_bytes:
            msg = f"{file.path} has {len(data):,} bytes, but the manifest says {file.size_bytes:,}."
            raise BundleError(msg)
        return memoryview(data)
