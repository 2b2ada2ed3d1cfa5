"""Publish several bundles in one folder or store: copy them into it, and write a page that lists them.

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
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from karospace_jupyter.bundle.pages import is_own_page
from karospace_jupyter.bundle.scripts import as_script, from_script
from karospace_jupyter.config import PATH_OF_URL, origin_problem
from karospace_jupyter.contracts.bundle_index import BundleIndex, IndexedBundle
from karospace_jupyter.errors import BundleError, Cancelled, ConfigError, SinkError
from karospace_jupyter.fitting import over_limits
from karospace_jupyter.formatting import LONGEST_NAME
from karospace_jupyter.hosts import HOSTS, HostName, Usage
from karospace_jupyter.index_page.places import LIST, PAGE, VIEWER, Place, place_at
from karospace_jupyter.job import Job
from karospace_jupyter.paths import expanded, is_store_url, is_url, is_web_url, public_url
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.publish.partial import absolute
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from karospace_jupyter.bundle.manifest import Manifest

_LIST_NAME = "bundles.json"
"""Name of the list inside its script."""
_LIST_MARK = as_script(_LIST_NAME, b"")[:-3]
"""The start of every list: a script without its end, `")` and a line break."""
_VERSION = 1
_MARK = b'<meta name="generator" content="karospace-jupyter index">'
_DATA_MARK = b'<meta name="karospace-data-origins"'
_BEFORE_DATA_MARK = b'<meta name="color-scheme"'
"""The element of ``viewer.html`` before which the data mark is inserted."""
_CONNECT = b"connect-src 'self'"
_IN_POLICY = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")
"""The origins that browsers accept in a Content Security Policy: no IPv6 addresses, no underscores."""
_MAX_ORIGINS = 20
_MAX_COLUMNS, _LONGEST_COLUMN = 100, 200
"""Columns listed for each bundle, and characters of each, so that the list stays small."""
_IMAGES = {".png", ".jpg", ".jpeg", ".webp"}


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The bundles of an index, and the problems that were found."""

    path: Path | str
    """The folder of the index, or its URL."""
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
    """Write a page that lists all bundles in a folder, or a folder of an object store, and its subfolders.

    Damaged bundles are not listed; the report names them. If the manifest of a bundle has not changed since the last
    call, only the sizes of its files are checked. Only files that change are written.

    Parameters
    ----------
    folder
        The folder to publish, or a URL such as ``s3://bucket/atlas``. It may contain other files, which are kept, but
        no other ``index.html`` or ``bundles.js``. Only one process at a time can publish it.
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
        Options of the file systems of URLs such as ``s3://bucket/tissue``, as fsspec takes them: that of the index,
        and those of bundles.
    job
        Receives progress and can cancel the work.

    Returns
    -------
    IndexReport
        The listed bundles, and the problems of those that are not listed.

    Raises
    ------
    ConfigError
        If the folder is a web address or not accessible, the title is too long, the host is unknown, an origin is
        invalid, or there are storage options but no URLs to which they apply.
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
    place = place_at(folder, storage_options)
    place.check()
    if place.holds("manifest.json"):
        msg = f"{place.at} contains a manifest.json, like a bundle. Choose the folder that contains the bundles."
        raise SinkError(msg)
    _check_page(place, PAGE, _MARK)
    with place.exclusive() as check_exclusive:
        before = _read(place)
        kept = before.data_origins if before is not None else ()
        origins = list(dict.fromkeys(kept if data_origins is None else data_origins))
        _check_origins(place, origins)
        problems: list[str] = []
        copied: list[str] = []
        try:
            _copy(place, bundles, storage_options, copied, problems, host, job)
            listed, warnings = _listed(place, before, copied, problems, job)
        except Cancelled as exc:
            note = f" These bundles were already copied: {', '.join(copied)}." if copied else ""
            msg = f"Publishing was canceled; the index was not changed.{note}"
            raise Cancelled(msg) from exc
        if not listed and before is None:
            found = "\n".join([f"{place.at} contains no bundle to list.", *problems])
            msg = f"{found}\nExport a bundle into a subfolder, or pass the bundles to copy."
            raise SinkError(msg)
        name = title if title is not None else before.title if before is not None else place.name[:LONGEST_NAME]
        index = BundleIndex(version=_VERSION, title=name or "Bundles", bundles=listed, data_origins=origins)
        check_exclusive()
        if origins:
            place.write(VIEWER, _viewer(origins))
        elif place.is_file(VIEWER) and _is_marked(place, VIEWER, _DATA_MARK):
            place.delete(VIEWER)
        place.write(PAGE, static_file("bundles.html"))
        place.write(LIST, as_script(_LIST_NAME, index.model_dump_json().encode()))
    if host is not None:
        problems += over_limits(HOSTS[host], Usage.of(place.sizes()))
    old = {} if before is None else {one.path: one for one in before.bundles}
    new = {one.path: one for one in listed}
    return IndexReport(
        path=place.at,
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
    if is_web_url(folder):
        msg = f"{_shown(folder)} is on a web host and cannot be written to. Choose a local folder, and upload it."
        raise ConfigError(msg)
    if isinstance(folder, os.PathLike) and PATH_OF_URL.match(os.fspath(folder)):
        msg = f"{folder} is a URL in a Path, which changes its slashes. Pass it as a string."
        raise ConfigError(msg)
    if host is not None and host not in HOSTS:
        msg = f"Unknown host {host!r}; expected one of {', '.join(map(repr, HOSTS))}."
        raise ConfigError(msg)
    if title is not None and not 0 < len(title) <= LONGEST_NAME:
        msg = f"The title must have 1 to {LONGEST_NAME:,} characters, got {len(title):,}."
        raise ConfigError(msg)
    if storage_options and not any(is_store_url(one) for one in (folder, *bundles)):
        # Only the names: the values may be secrets.
        named = ", ".join(storage_options)
        msg = f"The storage options ({named}) apply to nothing. Use them with a URL such as 's3://bucket/tissue'."
        raise ConfigError(msg)


def _check_page(place: Place, path: str, mark: bytes) -> None:
    if place.holds(path) and not _is_marked(place, path, mark):
        msg = (
            f"{place.shown(path)} already exists and is not a page of an index. It was not changed; move it, or choose "
            "another folder."
        )
        raise SinkError(msg)


def _check_origins(place: Place, origins: Sequence[str]) -> None:
    for origin in origins:
        problem = origin_problem(origin)
        if problem is not None:
            msg = f"{problem}."
            raise ConfigError(msg)
        if not _IN_POLICY.fullmatch(origin):
            msg = (
                f"Browsers do not accept the origin {origin!r} in the policy of a page: its host is an IPv6 address or "
                "contains an underscore. Use another name for the host."
            )
            raise ConfigError(msg)
    if len(origins) > _MAX_ORIGINS:
        msg = f"Got {len(origins)} data origins; at most {_MAX_ORIGINS} are supported."
        raise ConfigError(msg)
    if origins:
        _check_page(place, VIEWER, _DATA_MARK)


def _is_marked(place: Place, path: str, mark: bytes) -> bool:
    return mark in (place.read(path) or b"")[:4096]


def _viewer(origins: Sequence[str]) -> bytes:
    """Return the viewer with a policy that also allows reading from these origins, which must be valid."""
    text = " ".join(origins).encode()
    page = static_file("viewer.html")
    assert page.count(_CONNECT) == page[:4096].count(_BEFORE_DATA_MARK) == 1  # noqa: S101 - as built
    page = page.replace(_CONNECT, _CONNECT + b" " + text)
    return page.replace(_BEFORE_DATA_MARK, _DATA_MARK + b' content="' + text + b'">\n' + _BEFORE_DATA_MARK, 1)


def _read(place: Place) -> BundleIndex | None:
    """Return the current list, or None if there is none.

    Raises
    ------
    SinkError
        If it cannot be read: it holds the title and the origins, which cannot be derived from the bundles.
    """
    stored = place.read(LIST)
    if stored is None:
        return None
    shown = place.shown(LIST)
    # A truncated list is a damaged list, not another script.
    if not stored.startswith(_LIST_MARK[: len(stored)]):
        msg = f"{shown} is another script. It was not changed; move it, or choose another folder."
        raise SinkError(msg)
    try:
        text = from_script(_LIST_NAME, stored)
        version = json.loads(text)["version"]
        if isinstance(version, int) and version > _VERSION:
            msg = (
                f"{shown} was written by a newer version of karospace-jupyter (version {version} of the list; this one "
                f"reads version {_VERSION}). It was not changed; update karospace-jupyter."
            )
            raise SinkError(msg)
        return BundleIndex.model_validate_json(text)
    except (BundleError, ValueError, KeyError, TypeError) as exc:
        msg = (
            f"{shown} is damaged. Nothing was changed. Restore it from a copy; or delete it, and state the title and "
            "the data origins again."
        )
        raise SinkError(msg) from exc


def _copy(
    place: Place,
    bundles: Sequence[str | os.PathLike[str]],
    storage_options: Mapping[str, Any] | None,
    copied: list[str],
    problems: list[str],
    host: HostName | None,
    job: Job,
) -> None:
    """Copy bundles that are not inside the place; add the names of their folders to `copied`."""
    taken: dict[str, str] = {}
    for given in bundles:
        shown = _shown(given)
        try:
            bundle = Bundle(given, storage_options=storage_options)
            if place.contains(given):
                continue
            name = _name_of(given, bundle)
            origin = bundle.files.origin if is_url(given) else str(expanded(given).resolve())
            other = taken.setdefault(name.casefold(), origin)
            if other != origin:
                msg = (
                    f"{shown} and {_shown(other)} would both be copied to {place.shown(name)}. Give them different "
                    "names."
                )
                raise SinkError(msg)
            if name in copied:
                continue  # it was given twice
            _check_same(place, name, bundle.manifest)
            bundle.verify()
            place.save(bundle, name, "auto" if host is None else "no", job)
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
        location = absolute(given)  # resolve() would replace the name of a link with that of its target
        name = location.name if location.is_dir() else location.stem
    name = re.sub(r'[\x00-\x1f\\/:*?"<>|]', "_", name).strip(" .")
    if not name:
        msg = f"{_shown(given)} gives no name for a folder. Save the bundle in a folder with a name first."
        raise SinkError(msg)
    return name


def _check_same(place: Place, name: str, manifest: Manifest) -> None:
    """Raise an error if another dataset would be replaced."""
    if not place.holds(f"{name}/manifest.json"):
        return
    try:
        other = place.open(name).manifest.dataset_name
    except BundleError:  # damaged, and to be replaced
        return
    if other != manifest.dataset_name:
        msg = (
            f"{place.shown(name)} already contains another dataset, {other!r}; {manifest.dataset_name!r} was not "
            "copied. Rename one of the folders, or remove the old one."
        )
        raise SinkError(msg)


def _listed(
    place: Place, before: BundleIndex | None, copied: Sequence[str], problems: list[str], job: Job
) -> tuple[list[IndexedBundle], list[str]]:
    """Return the entries of all valid bundles in a folder, and warnings."""
    known = {} if before is None else {one.path: one.sha256 for one in before.bundles}
    found: list[IndexedBundle] = []
    warnings: list[str] = []
    paths = sorted(place.bundles(known, warnings))
    with job.stage("Checking bundles", len(paths), "bundles") as stage:
        for path in paths:
            try:
                entry, own = _entry(place, path, known.get(path), verified=path in copied and not place.is_local)
            except (BundleError, SinkError) as exc:
                problems.append(_line(path, exc))
            else:
                found.append(entry)
                if not own:
                    warnings.append(
                        f"{path}/index.html is not a known page of this package, and its scripts would run on your "
                        "site. Save the bundle again to replace the page."
                    )
            stage.advance()
    return sorted(found, key=lambda one: (one.title.casefold(), one.path)), warnings


def _entry(place: Place, path: str, known: str | None, *, verified: bool) -> tuple[IndexedBundle, bool]:
    """Return the entry of a bundle and whether its page is known.

    Parameters
    ----------
    known
        The hash of the manifest in the list; a bundle that has not changed is not verified again.
    verified
        Whether the bundle was verified before it was copied.

    Raises
    ------
    BundleError
        If the bundle is damaged.
    """
    bundle = place.open(path)
    m = bundle.manifest
    sha256 = hashlib.sha256(bundle.files.read("manifest.json")).hexdigest()
    page = bundle.stored("index.html")
    if verified or known == sha256:
        place.check_sizes(path, m)
    else:
        bundle.verify()
    preview = m.preview_path
    if preview is not None and PurePosixPath(preview).suffix.lower() not in _IMAGES:
        preview = None
    columns = [name[:_LONGEST_COLUMN] for name in m.annotation_columns[:_MAX_COLUMNS]]
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


def _line(name: str, exc: Exception) -> str:
    text = str(exc)
    return text if name in text else f"{name}: {text}"
