"""Writing a bundle that exists in another form; `sink` makes its files by the same functions."""

from __future__ import annotations

import base64
import html
import io
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from karospace_jupyter.bundle.files import END_TAG, TAG, FolderFiles
from karospace_jupyter.bundle.scripts import MANIFEST, manifest_bytes, without_scripts, write_scripts
from karospace_jupyter.bundle.targets import SUFFIX, check_file, check_folder, publish_over
from karospace_jupyter.errors import BundleError
from karospace_jupyter.job import Job
from karospace_jupyter.partial import Partial, absolute, failed
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from karospace_jupyter.bundle.files import BundleFiles
    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.bundle.scripts import When
    from karospace_jupyter.bundle.targets import Form
    from karospace_jupyter.job import Stage

# A multiple of 3: base64 of the blocks, joined, is base64 of the whole.
_BLOCK = 3 * 2**18
# What compresses no further.
_PACKED = {".gz", ".png", ".jpg", ".jpeg", ".webp"}
# The first day that a zip can name.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_folder(
    files: BundleFiles, manifest: Manifest, outdir: str | os.PathLike[str], scripts: When, job: Job
) -> Path:
    """Copy the files that the manifest names, and the page, to a folder that appears complete or not at all.

    Raises
    ------
    KaroSpaceError
        When it fails; then the folder is as it was before.
    """
    target = absolute(outdir)
    check_folder(target)
    with Partial(target) as partial:
        files, manifest = _with_scripts(files, manifest, partial, scripts, job)
        paths = [path for path in _paths(manifest) if not (partial.folder / path).exists()]
        with job.stage(f"Writing {target.name}", len(paths), "files") as stage:
            for path in paths:
                partial.write(path, files.read(path))
                stage.advance()
        partial.write("index.html", static_file("viewer.html"))
        job.check()
        publish_over(partial)
    return target


def save_file(
    files: BundleFiles,
    manifest: Manifest,
    path: str | os.PathLike[str],
    form: Form,
    page: bytes,
    job: Job,
    *,
    scripts: When = "no",
) -> Path:
    """Write one HTML file or one zip that appears complete or not at all.

    Parameters
    ----------
    scripts
        Whether a zip gets the scripts with which its folder opens by double click; an HTML file needs none.

    Raises
    ------
    KaroSpaceError
        When it fails; then the file is as it was before.
    """
    target = absolute(path)
    check_file(target, form)
    with Partial(real_file(target)) as partial:
        if form == "zip":
            files, manifest = _with_scripts(files, manifest, partial, scripts, job)
        made = assemble(files, manifest, partial, form, page, job)
        job.check()
        check_file(target, form)
        partial.publish_file(made)
    return target


def real_file(target: Path) -> Path:
    """Return what a link leads to, so that the link stays one."""
    return target.resolve() if target.is_symlink() else target


def assemble(files: BundleFiles, manifest: Manifest, partial: Partial, form: Form, page: bytes, job: Job) -> Path:
    """Make the HTML file or zip inside the hidden folder of `partial`, reading one file of the bundle at a time.

    Raises
    ------
    KaroSpaceError
        When a file of the bundle is missing, or the disk is full.
    """
    if form == "html":
        files, manifest = _plain(files, manifest)
    paths = _paths(manifest)
    made = partial.folder / f".assembled{SUFFIX[form]}"
    target = partial.target
    with job.stage(f"Writing {target.name}", len(paths), "files") as stage:
        try:
            with made.open("wb") as out:
                if form == "html":
                    _write_html(out, files, paths, page, stage)
                else:
                    _write_zip(out, files, paths, page, _top_folder(target), stage)
        except OSError as exc:
            raise failed(exc, target) from exc
    return made


def html_bytes(files: BundleFiles, manifest: Manifest) -> bytes:
    """Return the single HTML form, in memory."""
    out = io.BytesIO()
    files, manifest = _plain(files, manifest)
    with Job.null().stage("Writing", 1, "files") as stage:
        _write_html(out, files, _paths(manifest), static_file("viewer.html"), stage)
    return out.getvalue()


class _Changed:
    """The files of a bundle, but for the manifest and what was made with it."""

    def __init__(self, files: BundleFiles, manifest: Manifest, made: BundleFiles | None = None) -> None:
        self._files, self._manifest, self._made = files, manifest, made
        self.origin = files.origin

    def read(self, path: str) -> bytes:
        """Return one file as stored."""
        if path == "manifest.json":
            return manifest_bytes(self._manifest)
        if self._made is not None and (path == MANIFEST or path.startswith("scripts/")):
            return self._made.read(path)
        return self._files.read(path)

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""
        return (*_paths(self._manifest), "index.html")


def _plain(files: BundleFiles, manifest: Manifest) -> tuple[BundleFiles, Manifest]:
    """Leave out the scripts."""
    plain = without_scripts(manifest)
    return (files, manifest) if plain is manifest else (_Changed(files, plain), plain)


def _with_scripts(
    files: BundleFiles, manifest: Manifest, partial: Partial, when: When, job: Job
) -> tuple[BundleFiles, Manifest]:
    """Make the scripts in the hidden folder where they are wanted and missing."""
    if when == "no":
        return _plain(files, manifest)
    if manifest.scripts is not None:
        return files, manifest
    more = write_scripts(files, manifest, partial.write, when, job)
    return _Changed(files, more, FolderFiles(partial.folder)), more


def _paths(manifest: Manifest) -> list[str]:
    """Manifest first, then in its order. The page is none of the assets, whatever a manifest says."""
    paths = dict.fromkeys(["manifest.json", *(file.path for file in manifest.asset_files)])
    paths.pop("index.html", None)
    return list(paths)


class WithViewer:
    """The files of a bundle, with the viewer of this package as its page: what a bundle brings may do anything."""

    def __init__(self, files: BundleFiles) -> None:
        self._files = files
        self.origin = files.origin

    def read(self, path: str) -> bytes:
        """Return one file as stored."""
        return static_file("viewer.html") if path == "index.html" else self._files.read(path)

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""
        return tuple(dict.fromkeys([*self._files.names(), "index.html"]))


def _write_html(out: BinaryIO, files: BundleFiles, paths: Sequence[str], page: bytes, stage: Stage) -> None:
    at = page.rfind(b"</body>")
    at = len(page) if at < 0 else at
    out.write(page[:at])
    for path in paths:
        data = memoryview(files.read(path))
        out.write(TAG + _attribute(path) + b'">')
        out.writelines(base64.b64encode(data[start : start + _BLOCK]) for start in range(0, len(data), _BLOCK))
        out.write(END_TAG)
        stage.advance()
    out.write(page[at:])


def _attribute(path: str) -> bytes:
    # A line break inside an attribute would be changed by the browser.
    text = html.escape(path, quote=True).replace("\r", "&#13;").replace("\n", "&#10;")
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        msg = f"{path!r} cannot be written as UTF-8."
        raise BundleError(msg) from exc


def _write_zip(out: BinaryIO, files: BundleFiles, paths: Sequence[str], page: bytes, top: str, stage: Stage) -> None:
    with zipfile.ZipFile(out, "w", allowZip64=True) as archive:
        archive.writestr(_entry(top, "index.html"), page)
        for path in paths:
            archive.writestr(_entry(top, path), files.read(path))
            stage.advance()


def _entry(top: str, path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{top}/{path}", _ZIP_EPOCH)
    packed = PurePosixPath(path).suffix.lower() in _PACKED
    entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, on every system: equal input gives equal bytes
    entry.external_attr = 0o644 << 16
    return entry


def _top_folder(target: Path) -> str:
    """Return the name of the zip, as a folder that every system can make."""
    return re.sub(r'[\x00-\x1f\\/:*?"<>|]', "_", target.stem).strip(" .") or "bundle"
