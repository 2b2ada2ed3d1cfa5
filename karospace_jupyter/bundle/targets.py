"""What a bundle may be written over: nothing, or a bundle of the same form."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from karospace_jupyter.bundle.files import FolderFiles, HtmlFiles, ZipFiles
from karospace_jupyter.errors import BundleError, SinkError
from karospace_jupyter.partial import failed

if TYPE_CHECKING:
    from karospace_jupyter.bundle.files import BundleFiles
    from karospace_jupyter.partial import Partial

Form = Literal["html", "zip"]
SUFFIX: dict[Form, str] = {"html": ".html", "zip": ".zip"}


def check_folder(target: Path) -> None:
    """Refuse a folder that must not be replaced.

    Raises
    ------
    SinkError
        When it is a file, or a folder that is neither empty nor a bundle.
    """
    try:
        if not _exists(target, "folder"):
            return
        if not target.is_dir():
            msg = f"{target} is a file. Choose a folder that does not exist yet."
            raise SinkError(msg)
        names = sorted(entry.name for entry in target.iterdir())
    except OSError as exc:
        raise failed(exc, target) from exc
    if names and "manifest.json" not in names:
        shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        msg = (
            f"{target} is not empty and is not a bundle (no manifest.json); it holds {shown}. "
            "It was left alone: choose another folder."
        )
        raise SinkError(msg)
    if names and not _holds_bundle(FolderFiles(target)):
        msg = (
            f"{target} holds a manifest.json of something else than a bundle. It was left alone: choose another folder."
        )
        raise SinkError(msg)


def check_writable(target: Path) -> None:
    """Refuse a place in which nothing can be written, before anything is computed for it.

    Raises
    ------
    SinkError
        When the nearest folder above `target` that exists is a file, or may not be written in.
    """
    there = next((folder for folder in (target.parent, *target.parent.parents) if folder.exists()), target.parent)
    if not there.is_dir():
        msg = f"{there} is a file, so nothing can be written inside of it. Choose another place."
        raise SinkError(msg)
    if not os.access(there, os.W_OK | os.X_OK):
        msg = f"Nothing may be written in {there}. Choose another place, or ask for permission."
        raise SinkError(msg)


_OWN = {"assets", "index.html", "manifest.js", "manifest.json", "preview.png", "scripts"}


def foreign_entries(target: Path) -> list[str]:
    """Return what is in a bundle's folder and no exporter made: a README, a ``.git``, ``assets/notes.csv``."""
    try:
        entries = sorted(entry.name for entry in target.iterdir() if entry.name not in _OWN)
        return [*entries, *_foreign_assets(target)]
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise failed(exc, target) from exc


def publish_over(partial: Partial) -> None:
    """Let a new bundle's folder appear, with what was in the old one and belongs to nobody here.

    Raises
    ------
    SinkError
        When another folder stands there by now, or what it holds cannot be taken along.
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
        return []  # not ours to judge: check_folder() refuses it
    folders = [target / name for name in ("assets", "scripts")]
    there = (
        path
        for folder in folders
        if folder.is_dir() and not folder.is_symlink()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    )
    return sorted(name for path in there if (name := path.relative_to(target).as_posix()) not in listed)


def check_file(target: Path, form: Form) -> None:
    """Refuse a file that must not be replaced.

    Raises
    ------
    SinkError
        When its name ends otherwise, or there is anything but an empty file or a bundle of this form.
    """
    if target.suffix.lower() != SUFFIX[form]:
        msg = f"{target} does not end in {SUFFIX[form]}. Choose a name that does."
        raise SinkError(msg)
    try:
        if not _exists(target, "name"):
            return
        if target.is_dir():
            msg = f"{target} is a folder. Choose the name of a file."
            raise SinkError(msg)
        if target.is_file() and target.stat().st_size == 0:
            return
        ours = target.is_file() and _holds_bundle(HtmlFiles(target) if form == "html" else ZipFiles(target))
    except BundleError:
        ours = False
    except OSError as exc:
        raise failed(exc, target) from exc
    if not ours:
        what = "an HTML file" if form == "html" else "a zip"
        msg = f"{target} exists and is not {what} that holds a bundle. It was left alone: choose another name."
        raise SinkError(msg)


def _exists(target: Path, word: str) -> bool:
    try:
        if target.is_symlink() and not target.exists():
            msg = f"{target} is a link that leads nowhere. Remove it or choose another {word}."
            raise SinkError(msg)
        return target.exists()
    except ValueError as exc:
        msg = f"{str(target)!r} is no path: {exc}."
        raise SinkError(msg) from exc


def _holds_bundle(files: BundleFiles) -> bool:
    try:
        value = json.loads(files.read("manifest.json"))
    except (BundleError, ValueError):
        return False
    return isinstance(value, dict) and "schema_version" in value and "asset_files" in value
