"""Try a few damaged inputs of every kind, and those that failed before; `run.py` tries many."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("inputs are tried in forks with resource limits of Linux", allow_module_level=True)

from run import FOUND, try_input
from targets import Targets

INPUTS = {"h5ad": 15, "zarr": 10, "manifest": 40, "tables": 25, "scripts": 25, "html": 25, "zip": 25, "view": 10}
"""Number of inputs per kind; all of them together take about a minute."""


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Targets:
    return Targets(tmp_path_factory.mktemp("fuzz"))


def numbers(kind: str) -> list[int]:
    """Return the numbers of the inputs of a kind: the first ones, and those that failed before."""
    file = FOUND / f"{kind}.txt"
    return [*range(INPUTS[kind]), *(map(int, file.read_text().split()) if file.exists() else ())]


@pytest.mark.parametrize("kind", INPUTS)
def test_damaged_input_is_read_or_rejected(targets: Targets, tmp_path: Path, kind: str) -> None:
    failed = {}
    for number in dict.fromkeys(numbers(kind)):
        outcome, _ = try_input(targets, kind, number, tmp_path)
        if not outcome.good:
            failed[number] = f"{outcome.kind}: {outcome.text[-1500:]}"
    assert not failed, "\n\n".join(f"{kind} {number}: {text}" for number, text in failed.items())


def test_every_kind_is_tested(targets: Targets) -> None:
    assert set(INPUTS) == set(targets.kinds)
