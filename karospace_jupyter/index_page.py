"""Publish several bundles in one folder: copy them into it, and write a page that lists them.

The page, ``index.html``, is the same for every folder. The list is ``bundles.js``, a script, so that the page also
opens with a double click. It is derived from the manifests, so adding or removing a bundle rewrites only this file.
``viewer.html`` is written only if bundles from other hosts are allowed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from karospace_jupyter.bundle.files import FolderFiles
from karospace_jupyter.bundle.pages import is_own_page
from karospace_jupyter.bundle.scripts import as_script, from_script
from karospace_jupyter.config import PATH_OF_URL, origin_problem
from karospace_jupyter.contracts.bundle_index import BundleIndex, IndexedBundle
from karospace_jupyter.errors import BundleError, Cancelled, ConfigError, KaroSpaceError, SinkError
from karospace_jupyter.fitting import over_limits
from karospace_jupyter.formatting import LONGEST_NAME
from karospace_jupyter.hosts import HOSTS, HostName, Usage
from karospace_jupyter.job import Job
from karospace_jupyter.paths import expanded, is_store_url, is_url, is_web_url, public_url
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.publish.partial import Partial, absolute, write_error
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from karospace_jupyter.bundle.manifest import Manifest

PAGE, LIST, VIEWER = "index.html", "bundles.js", "viewer.html"
_LISTED = "bundles.json"
"""Name of the list inside its script."""
_LIST_MARK = as_script(_LISTED, b"")[:-3]
"""The start of every list."""
_VERSION = 1
_MARK = b'<meta name="generator" content="karospace-jupyter index">'
_DATA_MARK = b'<meta name="karospace-data-origins"'
_HEAD = b'<meta name="color-scheme"'
_CONNECT = b"connect-src 'self'"
_IN_POLICY = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")
"""The origins that browsers accept in a Content Security Policy: no IPv6 addresses, no underscores."""
_MOST_ORIGINS = 20
_MOST_COLUMNS, _LONGEST_COLUMN = 100, 200
"""Columns listed for each bundle, and characters of each, so that the list stays small."""
_IMAGES = {".png", ".jpg", ".jpeg", ".webp"}


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The bundles of an index, and the problems of others."""

    path: Path
    """The folder of the index."""
    title: str
    bundles: tuple[IndexedBundle, ...]
    added: tuple[str, ...]
    """Folders of bundles that are new or have changed."""
    removed: tuple[str, ...]
    """Folders of bundles that are no longer listed."""
    problems: tuple[str, ...]
    """Bundles that are damaged or cannot be copied, and limits of the host that the folder exceeds."""
    warnings: tuple[str, ...]


def publish_index(
    folder: str | os.PathLike[str],
    bundles: Sequence[str | os.PathLike[str]] = (),
    *,
    title: str | None = None,
    host: HostName | None = None,
    data_origins: Sequence[str] | None = None,
    storage_options: Mapping[str, Any] | None = None,
    job: Job | None = None,
) -> IndexReport:
    """Write a page that lists all bundles in a folder and its subfolders.

    Damaged bundles are not listed; the report names them. If the manifest of a bundle has not changed since the last
    call, only the sizes of its files are checked. Only files that change are written.

    Parameters
    ----------
    folder
        The folder to publish. It may contain other files, which are kept, but no other ``index.html`` or
        ``bundles.js``. Only one process at a time can publish it.
    bundles
        Folders, zip files, HTML files or URLs of bundles to copy into it, each as a folder with the same name. An
        earlier copy of the same dataset is replaced. A bundle that is already inside the folder is not copied.
    title
        Title of the page. By default, the current title, or the name of the folder.
    host
        The web host; the whole folder is checked against its limits.
    data_origins
        Origins of other hosts, such as ``https://data.example``, whose bundles ``viewer.html`` in the folder may open:
        ``viewer.html?data=https://data.example/tissue/``. The other host must allow this with CORS. By default, the
        origins of the previous call; none in the first call.
    storage_options
        Options of the file systems of bundles at URLs such as ``s3://bucket/tissue``, as fsspec takes them.
    job
        Receives progress and can cancel the work.

    Returns
    -------
    IndexReport
        The listed bundles, and the problems of those that are not listed.

    Raises
    ------
    ConfigError
        If the folder is a URL, the title is too long, the host is unknown, an origin is invalid, or there are storage
        options but no bundles to which they apply.
    SinkError
        If the folder cannot be written, contains no bundle, or is itself a bundle; if another process is publishing it;
        or if its list is damaged or from a newer version.

    Examples
    --------
    >>> from karospace_jupyter import publish_index
    >>> report = publish_index("atlas", ["liver.zip", "kidney_viewer"], title="Our atlas")  # doctest: +SKIP
    >>> [bundle.title for bundle in report.bundles]  # doctest: +SKIP
    ['Kidney', 'Liver']
    """
    job = job or Job.null()
    _check_options(folder, bundles, title, host, storage_options)
    target = absolute(folder)
    _check_folder(target)
    with Partial(target / LIST) as partial:
        _check_alone(partial)
        before = _read(target)
        kept = before.data_origins if before is not None else ()
        origins = list(dict.fromkeys(kept if data_origins is None else data_origins))
        _check_origins(target, origins)
        problems: list[str] = []
        copied: list[str] = []
        try:
            _copy(target, bundles, storage_options, copied, problems, host, job)
            listed, warnings = _listed(target, before, problems, job)
        except Cancelled as exc:
            held = f" These bundles were already copied: {', '.join(copied)}." if copied else ""
            msg = f"Publishing was canceled; the index was not changed.{held}"
            raise Cancelled(msg) from exc
        if not listed and before is None:
            found = "\n".join([f"{target} contains no bundle to list.", *problems])
            msg = f"{found}\nExport a bundle into a subfolder, or pass the bundles to copy."
            raise SinkError(msg)
        name = title if title is not None else before.title if before is not None else target.name[:LONGEST_NAME]
        index = BundleIndex(version=_VERSION, title=name or "Bundles", bundles=listed, data_origins=origins)
        if origins:
            _write(target, VIEWER, _viewer(origins))
        elif (target / VIEWER).is_file() and _is_marked(target / VIEWER, _DATA_MARK):
            (target / VIEWER).unlink()
        _write(target, PAGE, static_file("bundles.html"))
        data = as_script(_LISTED, index.model_dump_json().encode())
        if before is None or _stored(target / LIST) != data:
            partial.write(LIST, data)
            partial.publish_file(partial.folder / LIST)
    if host is not None:
        problems += over_limits(HOSTS[host], Usage.of(dict(_sizes(target))))
    old = {} if before is None else {one.path: one for one in before.bundles}
    new = {one.path: one for one in listed}
    return IndexReport(
        path=target,
        title=index.title,
        bundles=tuple(listed),
        added=tuple(path for path, one in new.items() if old.get(path) != one),
        removed=tuple(path for path in old if path not in new),
        problems=tuple(problems),
        warnings=tuple(warnings),
    )


def _check_options(
    folder: str | os.PathLike[str],
    bundles: Sequence[str | os.PathLike[str]],
    title: str | None,
    host: str | None,
    storage_options: Mapping[str, Any] | None,
) -> None:
    if is_url(folder) or (isinstance(folder, os.PathLike) and PATH_OF_URL.match(os.fspath(folder))):
        msg = f"{_shown(folder)} is a URL; an index is written to a local folder. Choose one, and upload it."
        raise ConfigError(msg)
    if host is not None and host not in HOSTS:
        msg = f"Unknown host {host!r}; expected one of {', '.join(map(repr, HOSTS))}."
        raise ConfigError(msg)
    if title is not None and not 0 < len(title) <= LONGEST_NAME:
        msg = f"The title must have 1 to {LONGEST_NAME:,} characters, got {len(title):,}."
        raise ConfigError(msg)
    if storage_options and not any(is_store_url(one) for one in bundles):
        # Only the names: the values may be secrets.
        named = ", ".join(storage_options)
        msg = f"The storage options ({named}) apply to no bundle. Use them with a URL such as 's3://bucket/tissue'."
        raise ConfigError(msg)


def _check_folder(target: Path) -> None:
    if target.exists() and not target.is_dir():
        msg = f"{target} is a file. Choose a folder."
        raise SinkError(msg)
    if (target / "manifest.json").exists():
        msg = f"{target} contains a manifest.json, like a bundle. Choose the folder that contains the bundles."
        raise SinkError(msg)
    _check_page(target / PAGE, _MARK)


def _check_page(page: Path, mark: bytes) -> None:
    if page.exists() and not _is_marked(page, mark):
        msg = (
            f"{page} already exists and is not a page of an index. It was not changed; move it, or choose another "
            "folder."
        )
        raise SinkError(msg)


def _check_origins(target: Path, origins: Sequence[str]) -> None:
    for origin in origins:
        problem = origin_problem(origin)
        if problem is not None:
            msg = f"{problem}."
            raise ConfigError(msg)
        if not _IN_POLICY.fullmatch(origin):
            msg = (
                f"Browsers do not let a page name the origin {origin!r}: its host is an IPv6 address or contains an "
                "underscore. Use another name of the host."
            )
            raise ConfigError(msg)
    if len(origins) > _MOST_ORIGINS:
        msg = f"Got {len(origins)} data origins; at most {_MOST_ORIGINS} are supported."
        raise ConfigError(msg)
    if origins:
        _check_page(target / VIEWER, _DATA_MARK)


def _check_alone(partial: Partial) -> None:
    """Raise an error if another process publishes the same folder: each would leave out what the other adds."""
    others = partial.others()
    if others:
        msg = (
            f"{partial.target.parent} is being published by another process, or one on another computer was killed. "
            f"Nothing was changed. Try again when it has ended; if none is running, delete {others[0]}."
        )
        raise SinkError(msg)


def _is_marked(page: Path, mark: bytes) -> bool:
    try:
        return mark in page.read_bytes()[:4096]
    except OSError as exc:
        raise write_error(exc, page) from exc


def _viewer(origins: Sequence[str]) -> bytes:
    """Return the viewer with a policy that also allows reading from these origins, which must be valid."""
    text = " ".join(origins).encode()
    page = static_file("viewer.html")
    assert page.count(_CONNECT) == page[:4096].count(_HEAD) == 1  # noqa: S101 - as built
    page = page.replace(_CONNECT, _CONNECT + b" " + text)
    return page.replace(_HEAD, _DATA_MARK + b' content="' + text + b'">\n' + _HEAD, 1)


def _stored(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        msg = f"{place} cannot be read: {exc.strerror or exc}. Nothing was changed."
        raise SinkError(msg) from exc


def _read(target: Path) -> BundleIndex | None:
    """Return the current list, or None if there is none.

    Raises
    ------
    SinkError
        If it cannot be read: it holds the title and the origins, which cannot be derived from the bundles.
    """
    place = target / LIST
    stored = _stored(place)
    if stored is None:
        return None
    if not stored.startswith(_LIST_MARK[: len(stored)]):
        msg = f"{place} is another script. It was not changed; move it, or choose another folder."
        raise SinkError(msg)
    try:
        text = from_script(_LISTED, stored)
        version = json.loads(text)["version"]
        if isinstance(version, int) and version > _VERSION:
            msg = (
                f"{place} was written by a newer version of karospace-jupyter (version {version} of the list; this one "
                f"reads version {_VERSION}). It was not changed; update karospace-jupyter."
            )
            raise SinkError(msg)
        return BundleIndex.model_validate_json(text)
    except (BundleError, ValueError, KeyError, TypeError) as exc:
        msg = (
            f"{place} is damaged. Nothing was changed. Restore it from a copy; or delete it, and state the title and "
            "the data origins again."
        )
        raise SinkError(msg) from exc


def _copy(
    target: Path,
    bundles: Sequence[str | os.PathLike[str]],
    storage_options: Mapping[str, Any] | None,
    copied: list[str],
    problems: list[str],
    host: HostName | None,
    job: Job,
) -> None:
    """Copy bundles that are not inside the target; add the names of their folders to `copied`."""
    taken: dict[str, str] = {}
    for given in bundles:
        shown = _shown(given)
        try:
            if not is_url(given):
                place = expanded(given).resolve()
                if place.is_dir() and place.is_relative_to(target.resolve()):
                    Bundle(place)  # raises an error if it is not a bundle
                    continue
            bundle = Bundle(given, storage_options=storage_options)
            name = _name_of(given, bundle)
            origin = bundle.files.origin if is_url(given) else str(place)
            other = taken.setdefault(name.casefold(), origin)
            if other != origin:
                msg = f"{shown} and {_shown(other)} would both be copied to {target / name}. Give them different names."
                raise SinkError(msg)
            if name in copied:
                continue  # it was given twice
            _check_same(target / name, bundle.manifest)
            bundle.verify()
            bundle.save(target / name, scripts="auto" if host is None else "no", job=job)
            copied.append(name)
        except (BundleError, SinkError) as exc:
            problems.append(_line(shown, exc))


def _shown(given: str | os.PathLike[str]) -> str:
    """Return a path or URL for messages, without secrets."""
    text = os.fspath(given)
    return public_url(text) if is_url(text) else text


def _name_of(given: str | os.PathLike[str], bundle: Bundle) -> str:
    """Return the name of the folder for a bundle."""
    if is_url(given):
        # The URL of the folder, even if that of its page was given.
        server, _, path = bundle.files.origin.partition("://")[2].rstrip("/").partition("/")
        last = path.rpartition("/")[2]
        name = (unquote(last) if is_web_url(given) else last) or server.rpartition("@")[2]
    else:
        place = absolute(given)  # resolve() would replace a link by the name of its target
        name = place.name if place.is_dir() else place.stem
    name = re.sub(r'[\x00-\x1f\\/:*?"<>|]', "_", name).strip(" .")
    if not name:
        msg = f"{_shown(given)} gives no name for a folder. Save the bundle in a folder with a name first."
        raise SinkError(msg)
    return name


def _check_same(target: Path, manifest: Manifest) -> None:
    """Raise an error if another dataset, or a folder somewhere else, would be replaced."""
    if target.is_symlink():
        msg = (
            f"{target} is a symbolic link, which is not followed; {manifest.dataset_name!r} was not copied. Remove it."
        )
        raise SinkError(msg)
    if not (target / "manifest.json").exists():
        return
    try:
        other = Bundle(target).manifest.dataset_name
    except BundleError:  # damaged, and to be replaced
        return
    if other != manifest.dataset_name:
        msg = (
            f"{target} already contains another dataset, {other!r}; {manifest.dataset_name!r} was not copied. Rename "
            "one of the folders, or remove the old one."
        )
        raise SinkError(msg)


def _listed(
    target: Path, before: BundleIndex | None, problems: list[str], job: Job
) -> tuple[list[IndexedBundle], list[str]]:
    """Return the entries of all valid bundles in a folder, and warnings."""
    known = {} if before is None else {one.path: one for one in before.bundles}
    found: list[IndexedBundle] = []
    warnings: list[str] = []
    folders = sorted(_bundles_in(target, known, warnings))
    with job.stage("Checking bundles", len(folders), "bundles") as stage:
        for folder in folders:
            path = folder.relative_to(target).as_posix()
            try:
                entry, own = _entry(folder, path, known.get(path))
            except KaroSpaceError as exc:
                if isinstance(exc, (BundleError, SinkError)):
                    problems.append(_line(path, exc))
                else:
                    raise
            else:
                found.append(entry)
                if not own:
                    warnings.append(
                        f"{path}/index.html is not a known page of this package, and its scripts would run on your "
                        "site. Save the bundle again to replace the page."
                    )
            stage.advance()
    return sorted(found, key=lambda one: (one.title.casefold(), one.path)), warnings


def _bundles_in(target: Path, known: Mapping[str, IndexedBundle], warnings: list[str]) -> Iterator[Path]:
    """Yield the folders with a manifest of a bundle; hidden folders and symbolic links are skipped.

    Raises
    ------
    SinkError
        If a folder with bundles that are listed cannot be read: they would no longer be listed.
    """

    def unreadable(exc: OSError) -> None:
        folder = Path(exc.filename or target)
        text = f"{folder} cannot be read: {exc.strerror or exc}."
        listed = [path for path in known if (target / path).is_relative_to(folder)]
        if listed:
            msg = f"{text} It contains bundles of the list ({', '.join(listed)}). The list was not changed."
            raise SinkError(msg) from exc
        warnings.append(f"{text} Bundles in it are not listed.")

    for place, folders, files in os.walk(target, onerror=unreadable):
        if "manifest.json" in files and Path(place) != target and _may_be_bundle(Path(place)):
            folders.clear()
            yield Path(place)
        folders[:] = [name for name in folders if not name.startswith(".")]


def _may_be_bundle(folder: Path) -> bool:
    """Return whether a manifest.json is, or may have been, that of a bundle; web apps use this name, too."""
    try:
        value = json.loads(FolderFiles(folder).read("manifest.json"))
    except (BundleError, ValueError):
        return True
    return isinstance(value, dict) and ("schema_version" in value or "asset_files" in value)


def _entry(folder: Path, path: str, known: IndexedBundle | None) -> tuple[IndexedBundle, bool]:
    """Return the entry of a bundle and whether its page is known; unchanged bundles are not read again.

    Raises
    ------
    BundleError
        If the bundle is damaged.
    """
    bundle = Bundle(folder)
    m = bundle.manifest
    sha256 = hashlib.sha256(bundle.files.read("manifest.json")).hexdigest()
    page = bundle.stored("index.html")
    if known is not None and known.sha256 == sha256:
        _check_sizes(folder, m)
    else:
        bundle.verify()
    preview = m.preview_path
    if preview is not None and Path(preview).suffix.lower() not in _IMAGES:
        preview = None
    columns = [name[:_LONGEST_COLUMN] for name in m.annotation_columns[:_MOST_COLUMNS]]
    entry = IndexedBundle(
        path=path,
        title=m.dataset_name,
        observations=m.observations,
        n_cells=m.n_cells,
        n_genes=m.n_genes,
        n_sections=0 if m.sections is None else len(m.sections.items),
        columns=columns,
        preview=preview,
        created_at=m.created_at,
        bytes=sum(file.size_bytes for file in m.asset_files),
        sha256=sha256,
    )
    return entry, is_own_page(page)


def _check_sizes(folder: Path, manifest: Manifest) -> None:
    for file in manifest.asset_files:
        try:
            held = (folder / file.path).stat().st_size
        except OSError as exc:
            msg = f"{file.path} cannot be read: {exc.strerror or exc}."
            raise BundleError(msg) from exc
        if held != file.size_bytes:
            msg = f"{file.path} has {held:,} bytes; the manifest says {file.size_bytes:,}."
            raise BundleError(msg)


def _line(name: str, exc: Exception) -> str:
    text = str(exc)
    return text if name in text else f"{name}: {text}"


def _sizes(target: Path) -> Iterator[tuple[str, int]]:
    for place, folders, files in os.walk(target):
        folders[:] = [name for name in folders if name != ".git"]
        for name in files:
            path = Path(place) / name
            yield path.relative_to(target).as_posix(), path.lstat().st_size


def _write(target: Path, name: str, data: bytes) -> None:
    """Write a file atomically unless it already has this content."""
    place = target / name
    try:
        if place.is_file() and place.read_bytes() == data:
            return
    except OSError as exc:
        raise write_error(exc, place) from exc
    with Partial(place) as partial:
        partial.write(name, data)
        partial.publish_file(partial.folder / name)
