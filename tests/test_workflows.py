"""The CI workflows run targets of the Makefile, with pinned actions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PYTHONS = ["3.11", "3.12", "3.13"]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def text(request: pytest.FixtureRequest) -> str:
    content: str = request.param.read_text(encoding="utf-8")
    return content


def test_workflows_for_tests_docs_and_releases_exist() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "docs.yml", "release.yml"]


def test_actions_are_pinned(text: str) -> None:
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@v\d+\.\d+\.\d+", action)] == []


def test_make_targets_exist(text: str) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"run: make ([\w-]+)", text)) <= targets


def test_files_named_in_steps_exist(text: str) -> None:
    named = re.findall(r"(?<![\w/])((?:tests|js)/[\w./-]+|requirements-[\w.-]+)", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_only_the_publishing_job_has_write_permission(text: str) -> None:
    assert "\npermissions:\n  contents: read\n" in text
    writable = set(re.findall(r"^ {6}([\w-]+): write$", text, re.MULTILINE))
    assert writable <= {"id-token"}
    assert bool(writable) == ("gh-action-pypi-publish" in text)


def test_python_versions_match_the_classifiers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    assert [text.rpartition(" ")[2] for text in project["classifiers"] if text.startswith(prefix)] == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"
    matrix = 'python: ["' + '", "'.join(PYTHONS) + '"]'
    assert (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8").count(matrix) == 2
