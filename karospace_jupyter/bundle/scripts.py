"""The files of a bundle once more, as scripts: a page that was opened by double click may run them, but read no file.

``manifest.js`` carries the manifest, each shard under ``scripts/`` a run of bytes of the other files, joined in the
order of ``asset_files``.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Literal

from karospace_jupyter.bundle.manifest import AssetFile, Manifest, ScriptShard
from karospace_jupyter.errors import BundleError
from karospace_jupyter.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from karospace_jupyter.bundle.files import BundleFiles

When = Literal["auto", "yes", "no"]
KIND = "script"
MANIFEST = "manifest.js"
MOST_BYTES = 200_000_000
"""Of scripts, before they are left out unless asked for: beside their files they are another 133 %."""
# One gene a click: a browser runs 2 MB of script in about 15 ms. What is larger than 8 MB as text is cut.
_ASKS = "Opened by double click, the viewer will ask for its folder: "
"""Begins what is said of a folder without scripts: nothing that holds for another form of the bundle."""
TOGETHER = 1_500_000
"""Bytes of a script, about."""
_LARGEST_SCRIPT = 8_000_000
_WRAPPING = 64  # the call around the text, and more


def size_of(manifest: Manifest) -> int:
    """Return how many bytes the scripts of a bundle take."""
    return sum(-(-file.size_bytes * 4 // 3) for file in manifest.asset_files if file.kind != KIND)


def write_scripts(
    files: BundleFiles, manifest: Manifest, put: Callable[[str, bytes], None], when: When, job: Job | None = None
) -> Manifest:
    """Write the scripts of a bundle through `put` and return the manifest that names them.

    None is larger than the manifest's `max_asset_bytes`; where the script of the manifest itself would be, there are
    none, and the warnings say so.

    Parameters
    ----------
    files
        Where the assets are; each is read once.
    when
        `auto` leaves them out where they would take more than 200 MB, and says so among the warnings.

    Raises
    ------
    BundleError
        When an asset has another size than the manifest says.
    """
    plain = without_scripts(manifest)
    if when == "no":
        return plain
    size = size_of(plain)
    if when == "auto" and size > MOST_BYTES:
        said = (
            f"{_ASKS}the scripts that spare that would take "
            f"{size / 1e6:,.0f} MB beside the files, more than {MOST_BYTES / 1e6:,.0f} MB. Scripts “yes” writes them."
        )
        return _saying(plain, said)
    max_bytes = plain.max_asset_bytes or _LARGEST_SCRIPT
    largest = max(1, (min(max_bytes, _LARGEST_SCRIPT) - _WRAPPING) * 3 // 4)
    runs = _runs([file.size_bytes for file in plain.asset_files], largest)
    shards = [
        ScriptShard(path=f"scripts/{number:04d}.js", start=start, end=end) for number, (start, end) in enumerate(runs)
    ]
    # It lists the files of the bundle, but no script: none can name its own size.
    carried = plain.model_copy(update={"scripts": shards})
    first = as_script("manifest.json", manifest_bytes(carried))
    if len(first) > max_bytes:
        said = (
            f"{_ASKS}the script that carries the manifest takes "
            f"{len(first):,} bytes, more than the largest asset may ({max_bytes:,})."
        )
        return _saying(plain, said)
    written: list[AssetFile] = []
    stream = _Stream(files, plain.asset_files)
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


def without_scripts(manifest: Manifest) -> Manifest:
    """Return the manifest of the same bundle, carried without scripts and without a word of them."""
    warnings = [one for one in manifest.warnings or () if not one.startswith(_ASKS)]
    if manifest.scripts is None and len(warnings) == len(manifest.warnings or ()):
        return manifest
    return manifest.model_copy(
        update={
            "asset_files": [file for file in manifest.asset_files if file.kind != KIND],
            "scripts": None,
            "warnings": None if manifest.warnings is None else warnings,
        }
    )


def carried_manifest(script: bytes) -> Manifest:
    """Return the manifest that ``manifest.js`` carries.

    Raises
    ------
    BundleError
        When it is damaged.
    """
    try:
        return Manifest.model_validate_json(from_script("manifest.json", script))
    except ValueError as exc:
        msg = f"{MANIFEST} carries no manifest"
        raise BundleError(msg) from exc


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return ``manifest.json``."""
    return manifest.model_dump_json(exclude_none=True).encode()


def as_script(path: str, data: bytes) -> bytes:
    """Return a classic script that hands `data` to the page under `path`, a name of this module's making."""
    return f'karospaceFile("{path}","'.encode() + base64.b64encode(data) + b'")\n'


def from_script(path: str, script: bytes) -> bytes:
    """Return what :func:`as_script` put in.

    Raises
    ------
    BundleError
        When it is no such script.
    """
    start, end = f'karospaceFile("{path}","'.encode(), b'")\n'
    try:
        if script.startswith(start) and script.endswith(end):
            return base64.b64decode(script[len(start) : -len(end)], validate=True)
    except ValueError:
        pass
    msg = f"the script of {path} is damaged"
    raise BundleError(msg)


def _saying(manifest: Manifest, warning: str) -> Manifest:
    return manifest.model_copy(update={"warnings": [*(manifest.warnings or []), warning]})


def _runs(sizes: Sequence[int], largest: int) -> Iterator[tuple[int, int]]:
    """Yield the bytes of each shard: whole files together, and what is large in pieces of its own."""
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
    """The bytes of all files, one after the other."""

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
            msg = f"{file.path}: {len(data)} bytes, but the manifest says {file.size_bytes}."
            raise BundleError(msg)
        return memoryview(data)
