"""Write the hashes of all pinned packages: `python tests/pins.py requirements-dev.txt requirements-app.txt`.

With hashes, pip rejects any other file of the same name and version, whichever mirror serves it.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

INDEX = "https://pypi.org/simple"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)( *;[^\\\n]*[^\\\s])?", re.MULTILINE)
AS_JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


def hashed(pin: tuple[str, str, str]) -> str:
    """Return the lines of one package: its version, its environment marker, and the hash of each of its files."""
    name, version, marker = pin
    with urllib.request.urlopen(urllib.request.Request(f"{INDEX}/{name}/", headers=AS_JSON), timeout=120) as response:
        files = json.load(response)["files"]
    digests = sorted(file["hashes"]["sha256"] for file in files if version_of(file["filename"]) == Version(version))
    if not digests:
        msg = f"{INDEX} has no {name} {version}."
        raise SystemExit(msg)
    return " \\\n".join([f"{name}=={version}{marker}", *(f"    --hash=sha256:{digest}" for digest in digests)])


def version_of(filename: str) -> Version | None:
    """Return the version of a file; None if it is neither a wheel nor an sdist."""
    try:
        return parse_wheel_filename(filename)[1] if filename.endswith(".whl") else parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def main() -> None:
    """Rewrite each file, keeping its comment lines."""
    for file in map(Path, sys.argv[1:]):
        text = file.read_text()
        head = [line for line in text.splitlines() if line.startswith("#")]
        with ThreadPoolExecutor(8) as executor:
            pins = list(executor.map(hashed, sorted(PIN.findall(text), key=lambda pin: pin[0].lower())))
        file.write_text("\n".join([*head, *pins]) + "\n")


if __name__ == "__main__":
    main()
