"""The requirements of the tests and the app are pinned by version and hash."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)==\S+(?: ; .*?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", re.MULTILINE)


@pytest.mark.parametrize("file", ["requirements-dev.txt", "requirements-app.txt"])
def test_each_package_has_hashes(file: str) -> None:
    text = (ROOT / file).read_text()
    begun = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    found = PACKAGE.findall(text)
    assert len(found) == len(begun) > 0
    assert [name for name, hashes in found if not hashes] == []


def test_each_dependency_is_pinned() -> None:
    pinned = {canonicalize_name(name) for name, _ in PACKAGE.findall((ROOT / "requirements-dev.txt").read_text())}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    asked = [*project["project"]["dependencies"], *groups["dev"], *groups["docs"]]
    names = {canonicalize_name(re.split(r"[^A-Za-z0-9._-]", one)[0]) for one in asked}
    assert names <= pinned, names - pinned
