"""Check whether the page of a bundle, which is a program, was written by this package.

``python -m karospace_jupyter.bundle.pages`` adds the current build of the page to ``pages.json``. Run it once for each
release, so that later versions recognize the page.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from karospace_jupyter.errors import KaroSpaceError
from karospace_jupyter.static import static_file

_RELEASED = "pages.json"


def is_own_page(page: bytes) -> bool:
    """Return whether a page is that of this version or of a released version."""
    found = hashlib.sha256(page).hexdigest()
    return found in released().values() or found == _current()


def released() -> dict[str, str]:
    """Return the SHA-256 of the page of each released version."""
    pages: dict[str, str] = json.loads((files("karospace_jupyter.bundle") / _RELEASED).read_text())
    return pages


def _current() -> str | None:
    try:
        return hashlib.sha256(static_file("viewer.html")).hexdigest()
    except KaroSpaceError:  # a source checkout that is not built
        return None


def main() -> None:
    """Add the current build of the page under the installed version."""
    pages = released() | {version("karospace-jupyter"): hashlib.sha256(static_file("viewer.html")).hexdigest()}
    Path(__file__).with_name(_RELEASED).write_text(json.dumps(pages, indent=2) + "\n")


if __name__ == "__main__":
    main()
