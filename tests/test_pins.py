"""The requirements of the tests and the app are pinned by version and hash."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)==\S+(?: ; .*?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", re.MULTILINE)


@pytest.mark.parametrize("file", ["requirements-dev.txt", "requirements-app.txt", "requirements-lowest.txt"])
def test_each_package_has_hashes(file: str) -> None:
    text = (ROOT / file).read_text()
    requirements = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    found = PACKAGE.findall(text)
    assert len(found) == len(requirements) > 0
    assert [name for name, hashes in found if not hashes] == []


def test_each_dependency_is_pinned() -> None:
    pinned = {canonicalize_name(name) for name, _ in PACKAGE.findall((ROOT / "requirements-dev.txt").read_text())}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    required = [*project["project"]["dependencies"], *groups["dev"], *groups["docs"]]
    names = {canonicalize_name(re.split(r"[^A-Za-z0-9._-]", text)[0]) for text in required}
    assert names <= pinned, names - pinned


def versions(file: str) -> dict[str, str]:
    """Return the pinned version of each package, by name."""
    text = (ROOT / file).read_text()
    return {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s\\]+)", text, re.MULTILINE)
    }


def test_lowest_versions_match_the_bounds_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = versions("requirements-lowest.txt")
    required = [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["zarr"]]]
    floors = {canonicalize_name(entry.name): str(entry.specifier).removeprefix(">=") for entry in required}
    found = {name: pinned.get(name, "0") for name in floors}
    assert {name: Version(text) for name, text in found.items()} == {
        name: Version(text) for name, text in floors.items()
    }, "run the uv command at the top of requirements-lowest.txt"


def test_tools_used_by_tests_have_a_single_version() -> None:
    tools, pinned = versions("tests/requirements.in"), versions("requirements-dev.txt")
    lowest = versions("requirements-lowest.txt")
    assert tools == {name: pinned.get(name) for name in tools} == {name: lowest.get(name) for name in tools}
