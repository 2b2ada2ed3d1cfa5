"""Check the targets of a bundle: only a bundle of the same form may be replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from karospace_jupyter.bundle.files import FolderFiles, HtmlFiles, ZipFiles
from karospace_jupyter.errors import BundleError, SinkError
from karospace_jupyter.publish.partial import write_error

if TYPE_CHECKING:
    from karospace_jupyter.bundle.files import BundleFiles
    from karospace_jupyter.publish.partial import Partial

Form = Literal["html", "zip"]
SUFFIX: dict[Form, str] = {"html": ".html", "zip": ".zip"}


def check_folder(target: Path) -> None:
    """Raise an error if `target` is a folder that must not be replaced.

    Raises
    ------
    SinkError
        If it is a file, or a folder that is neither empty nor a bundle.
    """
    try:
        if not _exists(target, "folder"):
            return
        if not target.is_dir():
            msg = f"{target} is a file. Choose a folder that does not exist yet."
            raise SinkError(msg)
        names = sorted(entry.name for entry in target.iterdir())
    except OSError as exc:
        raise write_error(exc, target) from exc
    if names and "manifest.json" not in names:
        shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        msg = (
            f"{target} is not empty and is not a bundle (no manifest.json); it contains {shown}. "
            "It was not changed; choose another folder."
        )
        raise SinkError(msg)
    if names and not holds_bundle(FolderFiles(target)):
        msg = (
            f"{target} has a manifest.json that does not belong to a bundle. It was not changed; choose another folder."
        )
        raise SinkError(msg)


def check_writable(target: Path) -> None:
    """Raise an error if `target` cannot be created, before starting to compute its content.

    Raises
    ------
    SinkError
        If the closest existing parent of `target` is a file or is not writable.
    """
    parent = next((folder for folder in (target.parent, *target.parent.parents) if folder.exists()), target.parent)
    if not parent.is_dir():
        msg = f"{target} cannot be written: {parent} is a file. Choose another folder."
        raise SinkError(msg)
    if not os.access(parent, os.W_OK | os.X_OK):
        msg = f"{target} cannot be written: {parent} is not writable. Choose another folder, or change its permissions."
        raise SinkError(msg)


OWN_ENTRIES = {"assets", "index.html", "manifest.js", "manifest.json", "preview.png", "scripts"}
"""The entries that an exporter writes to the folder of a bundle."""


def foreign_entries(target: Path) -> list[str]:
    """Return the entries of a bundle's folder that no exporter wrote: a README, ``.git``, ``assets/notes.csv``."""
    try:
        entries = sorted(entry.name for entry in target.iterdir() if entry.name not in OWN_ENTRIES)
        return [*entries, *_foreign_assets(target)]
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise write_error(exc, target) from exc


def publish_over(partial: Partial) -> None:
    """Publish the folder of a new bundle, and carry over files of the old folder that are not part of its bundle.

    Raises
    ------
    SinkError
        If the target has become a folder that must not be replaced, or files cannot be carried over.
    """
    check_folder(partial.target)
    partial.keep(foreign_entries(partial.target))
    partial.publish_folder()


def _foreign_assets(target: Path) -> list[str]:
    """Return the files in a bundle's own folders that the manifest does not list, as paths with slashes."""
    try:
        manifest = json.loads((target / "manifest.json").read_bytes())
        listed = {str(file["path"]) for file in manifest["asset_files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return []  # check_folder() rejects it
    folders = [target / name for name in ("assets", "scripts")]
    parent = (
        path
        for folder in folders
        if folder.is_dir() and not folder.is_symlink()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    )
    return sorted(name for path in parent if (name := path.relative_to(target).as_posix()) not in listed)


def check_file(target: Path, form: Form) -> None:
    """Raise an error if `target` is a file that must not be replaced.

    Raises
    ------
    SinkError
        If it has the wrong suffix, or is neither an empty file nor a bundle of this form.
    """
    if target.suffix.lower() != SUFFIX[form]:
        msg = f"{target} does not end in {SUFFIX[form]}. Choose a name with this suffix."
        raise SinkError(msg)
    try:
        if not _exists(target, "name"):
            return
        if target.is_dir():
            msg = f"{target} is a folder. Choose a file name."
            raise SinkError(msg)
        if target.is_file() and target.stat().st_size == 0:
            return
        ours = target.is_file() and holds_bundle(HtmlFiles(target) if form == "html" else ZipFiles(target))
    except BundleError:
        ours = False
    except OSError as exc:
        raise write_error(exc, target) from exc
    if not ours:
        what = "an HTML file" if form == "html" else "a zip file"
        msg = f"{target} exists and is not {what} with a bundle. It was not changed; choose another name."
        raise SinkError(msg)


def _exists(target: Path, word: str) -> bool:
    try:
        if target.is_symlink() and not target.exists():
            msg = f"{target} is a broken symbolic link. Remove it or choose another {word}."
            raise SinkError(msg)
        return target.exists()
    except ValueError as exc:
        msg = f"{str(target)!r} is not a valid path: {exc}."
        raise SinkError(msg) from exc


def holds_bundle(files: BundleFiles) -> bool:
    """Return whether the files include the manifest of a bundle, even an invalid one or one of another version."""
    try:
        value = json.loads(files.read("manifest.json"))
    except (BundleError, ValueError):
        return False
    return isinstance(value, dict) and "schema_version" in value and "asset_files" in value
