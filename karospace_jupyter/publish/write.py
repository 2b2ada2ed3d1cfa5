"""Write an existing bundle in another form; the sinks use the same functions."""

from __future__ import annotations

import base64
import html
import io
import os
import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from karospace_jupyter.bundle.compress import best_method, compress
from karospace_jupyter.bundle.files import END_TAG, TAG, FolderFiles
from karospace_jupyter.bundle.manifest import AssetFile
from karospace_jupyter.bundle.read import BundleReader
from karospace_jupyter.bundle.scripts import (
    GENE_KIND,
    MANIFEST,
    PACKED_KIND,
    carried_files,
    gene_file_problems,
    lacks_gene_files,
    without_scripts,
)
from karospace_jupyter.errors import BundleError
from karospace_jupyter.job import Job
from karospace_jupyter.publish.partial import Partial, absolute, write_error
from karospace_jupyter.publish.scripts import manifest_bytes, write_scripts
from karospace_jupyter.publish.store import StoreSink
from karospace_jupyter.publish.targets import SUFFIX, check_file, check_folder, publish_over
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from karospace_jupyter.bundle.files import BundleFiles
    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.job import Stage
    from karospace_jupyter.publish.scripts import When
    from karospace_jupyter.publish.targets import Form

# A multiple of 3, so that the concatenated base64 of the blocks is the base64 of the whole.
_BLOCK = 3 * 2**18
# Suffixes of files that are already compressed.
_COMPRESSED = {".gz", ".png", ".jpg", ".jpeg", ".webp"}
# The earliest date that a zip file can represent.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_folder(
    files: BundleFiles, manifest: Manifest, outdir: str | os.PathLike[str], scripts: When, job: Job
) -> Path:
    """Write the files in the manifest and the page to a folder atomically.

    Returns
    -------
    Path
        The absolute path of the folder.

    Raises
    ------
    KaroSpaceError
        If it fails. An existing folder is then unchanged.
    """
    target = absolute(outdir)
    check_folder(target)
    with Partial(target) as partial:
        _write_folder(files, manifest, partial, scripts, f"Writing {target.name}", job)
        job.check()
        publish_over(partial)
    return target


def save_to_store(files: BundleFiles, manifest: Manifest, url: str, options: Mapping[str, Any] | None, job: Job) -> str:
    """Write the files in the manifest and the page to an object store atomically.

    Returns
    -------
    str
        The URL, without a trailing slash.

    Raises
    ------
    KaroSpaceError
        If it fails. An existing bundle is then unchanged.
    """
    with StoreSink(url, options) as sink:
        _write_folder(files, manifest, sink.partial, "no", "Collecting files", job)
        sink.prepare(job)
        job.check()
        sink.commit()
    return sink.target


def _write_folder(
    files: BundleFiles, manifest: Manifest, partial: Partial, scripts: When, stage_name: str, job: Job
) -> None:
    files, manifest = _with_gene_files(files, manifest, partial, job)
    files, manifest = _with_scripts(files, manifest, partial, scripts, job)
    # `os.path.exists`, unlike `Path.exists`, accepts names that are too long: writing those fails with a clear error.
    paths = [path for path in _paths(manifest) if not os.path.exists(partial.folder / path)]  # noqa: PTH110
    with job.stage(stage_name, len(paths), "files") as stage:
        for path in paths:
            partial.write(path, files.read(path))
            stage.advance()
    partial.write("index.html", static_file("viewer.html"))


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
    """Write an HTML file or a zip file atomically.

    Parameters
    ----------
    files
        The files of the bundle.
    manifest
        The manifest of the bundle.
    path
        The file to write.
    form
        Whether to write an HTML file or a zip file.
    page
        The page of the viewer.
    job
        Receives progress and can cancel the work.
    scripts
        Whether a zip file contains the scripts that let its folder open with a double click; an HTML file needs none.

    Returns
    -------
    Path
        The absolute path of the file.

    Raises
    ------
    KaroSpaceError
        If it fails. An existing file is then unchanged.
    """
    target = absolute(path)
    check_file(target, form)
    with Partial(real_file(target)) as partial:
        if form == "zip":
            files, manifest = _with_gene_files(files, manifest, partial, job)
            files, manifest = _with_scripts(files, manifest, partial, scripts, job)
        created = assemble(files, manifest, partial, form, page, job)
        job.check()
        check_file(target, form)
        partial.publish_file(created)
    return target


def real_file(target: Path) -> Path:
    """Return the target of a symbolic link, so that the link itself is not replaced."""
    return target.resolve() if target.is_symlink() else target


def assemble(files: BundleFiles, manifest: Manifest, partial: Partial, form: Form, page: bytes, job: Job) -> Path:
    """Create the HTML file or zip file in the hidden folder of `partial`, reading one file of the bundle at a time.

    Raises
    ------
    KaroSpaceError
        If a file of the bundle is missing, or the disk is full.
    """
    if form == "html":
        files, manifest = _changed(files, manifest, html_manifest(manifest))
    paths = _paths(manifest)
    created = partial.folder / f".assembled{SUFFIX[form]}"
    target = partial.target
    with job.stage(f"Writing {target.name}", len(paths), "files") as stage:
        try:
            with created.open("wb") as out:
                if form == "html":
                    _write_html(out, files, paths, page, stage)
                else:
                    _write_zip(out, files, paths, page, _top_folder(target), stage)
        except OSError as exc:
            raise write_error(exc, target) from exc
    return created


def html_bytes(files: BundleFiles, manifest: Manifest) -> bytes:
    """Return the bundle as a single HTML file, in memory."""
    out = io.BytesIO()
    files, manifest = _changed(files, manifest, html_manifest(manifest))
    with Job.null().stage("Writing", 1, "files") as stage:
        _write_html(out, files, _paths(manifest), static_file("viewer.html"), stage)
    return out.getvalue()


class _Changed:
    """The files of a bundle, with another manifest and files that were created for it."""

    def __init__(
        self,
        files: BundleFiles,
        manifest: Manifest,
        created: BundleFiles | None = None,
        is_created: Callable[[str], bool] = lambda path: path == MANIFEST or path.startswith("scripts/"),
    ) -> None:
        self._files, self._manifest, self._created, self._is_created = files, manifest, created, is_created
        self.origin = files.origin

    def read(self, path: str) -> bytes:
        """Return one file as stored."""
        if path == "manifest.json":
            return manifest_bytes(self._manifest)
        if self._created is not None and self._is_created(path):
            return self._created.read(path)
        return self._files.read(path)

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""
        return (*_paths(self._manifest), "index.html")


def _changed(files: BundleFiles, manifest: Manifest, other: Manifest) -> tuple[BundleFiles, Manifest]:
    """Return the bundle with another manifest; unchanged if that is its own manifest."""
    return (files, manifest) if other is manifest else (_Changed(files, other), other)


def html_manifest(manifest: Manifest) -> Manifest:
    """Return the manifest for an HTML file: without scripts, and without files of single genes if genes are packed.

    The page reads packed genes, so these files would only make the HTML file larger.
    """
    plain = without_scripts(manifest)
    listed = carried_files(plain)
    return plain if len(listed) == len(plain.asset_files) else plain.model_copy(update={"asset_files": listed})


def _with_gene_files(
    files: BundleFiles, manifest: Manifest, partial: Partial, job: Job
) -> tuple[BundleFiles, Manifest]:
    """Write the files of single genes to the hidden folder if the bundle lacks them because it was an HTML file.

    Viewers that do not read packed genes need them.

    Raises
    ------
    BundleError
        If the manifest states files that cannot be written, or the packed genes are damaged.
    """
    if not lacks_gene_files(manifest):
        return files, manifest
    problem = next(gene_file_problems(manifest), None)
    if problem is not None:
        msg = f"The manifest of {files.origin} is not valid: {problem}. Export the bundle again."
        raise BundleError(msg)
    bundle = BundleReader(files, manifest)
    genes, written = [], []
    with job.stage("Writing genes", len(manifest.expression.genes), "genes") as stage:
        for entry in manifest.expression.genes:
            values = bundle.gene(entry.gene).astype("<f4")
            method = best_method(values)
            chunks = []
            for chunk in entry.chunks:
                raw = values[chunk.start : chunk.end].tobytes()
                stored = compress(raw, method) if manifest.expression.gzip else raw
                partial.write(chunk.path, stored)
                chunks.append(chunk.model_copy(update={"size_bytes": len(stored)}))
                written.append(AssetFile.of(GENE_KIND, chunk.path, stored, len(raw), zlib.crc32(raw)))
            genes.append(entry.model_copy(update={"chunks": chunks}))
            stage.advance()
    expression = manifest.expression.model_copy(update={"genes": genes})
    listed = manifest.asset_files
    # List them where the exporter does, so that the result equals the original bundle.
    at = next((i for i, file in enumerate(listed) if file.kind == PACKED_KIND), len(listed))
    more = manifest.model_copy(
        update={"expression": expression, "asset_files": [*listed[:at], *written, *listed[at:]]},
    )
    paths = {file.path for file in written}
    return _Changed(files, more, FolderFiles(partial.folder), paths.__contains__), more


def _with_scripts(
    files: BundleFiles, manifest: Manifest, partial: Partial, when: When, job: Job
) -> tuple[BundleFiles, Manifest]:
    """Write missing scripts to the hidden folder unless `when` excludes them."""
    if when == "no":
        return _changed(files, manifest, without_scripts(manifest))
    if manifest.scripts is not None:
        return files, manifest
    more = write_scripts(files, manifest, partial.write, when, job)
    return _Changed(files, more, FolderFiles(partial.folder)), more


def _paths(manifest: Manifest) -> list[str]:
    """Return the manifest and then the assets, in order. The page never counts as an asset."""
    paths = dict.fromkeys(["manifest.json", *(file.path for file in manifest.asset_files)])
    paths.pop("index.html", None)
    return list(paths)


class WithViewer:
    """The files of a bundle, with the viewer of this package as its page; the page of a bundle is not trusted."""

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
    # Browsers normalize line breaks in attributes.
    text = html.escape(path, quote=True).replace("\r", "&#13;").replace("\n", "&#10;")
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        msg = f"The path {path!r} cannot be encoded as UTF-8. Export the bundle again."
        raise BundleError(msg) from exc


def _write_zip(out: BinaryIO, files: BundleFiles, paths: Sequence[str], page: bytes, top: str, stage: Stage) -> None:
    with zipfile.ZipFile(out, "w", allowZip64=True) as archive:
        archive.writestr(_entry(top, "index.html"), page)
        for path in paths:
            archive.writestr(_entry(top, path), files.read(path))
            stage.advance()


def _entry(top: str, path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{top}/{path}", _ZIP_EPOCH)
    compressed = PurePosixPath(path).suffix.lower() in _COMPRESSED
    entry.compress_type = zipfile.ZIP_STORED if compressed else zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix on every system, so that equal input gives equal bytes
    entry.external_attr = 0o644 << 16
    return entry


def _top_folder(target: Path) -> str:
    """Return the name of the zip file as a folder name that is valid on every system."""
    return re.sub(r'[\x00-\x1f\\/:*?"<>|]', "_", target.stem).strip(" .") or "bundle"
