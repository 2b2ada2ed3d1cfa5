"""Tests skip if an optional part is missing, and fail instead if KAROSPACE_ALL_PARTS is set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PATIENCE_S

SUPPORT = Path(__file__).parent / "support"
CONFTEST = f"""import sys
sys.path.insert(0, {str(SUPPORT)!r})
from parts import *
"""


def run(folder: Path, tests: str, *, all_parts: bool) -> str:
    """Run tests in a process of their own, with the hooks of `parts.py`, and return what pytest prints."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(tests)
    environment = {key: value for key, value in os.environ.items() if key != "KAROSPACE_ALL_PARTS"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-ra",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        str(folder),
    ]
    return subprocess.run(
        command,
        cwd=folder, env=environment | ({"KAROSPACE_ALL_PARTS": "1"} if all_parts else {}), capture_output=True, text=True, timeout=PATIENCE_S,
    ).stdout  # fmt: skip


MISSING = {
    "imported by a test": "def test_it():\n    raise ModuleNotFoundError('No module named scanpy', name='scanpy')\n",
    "imported by a file": "raise ModuleNotFoundError(\"No module named 'playwright.sync_api'\", name='playwright')\n",
    "a program": "import pytest\ndef test_it():\n    pytest.skip('Xvfb is missing: the desktop app cannot be tried here')\n",
    "imported with importorskip": "import pytest\ndef test_it():\n    pytest.importorskip('no_such_package')\n",
}


@pytest.mark.parametrize("name", MISSING)
def test_missing_part_skips_or_fails_with_all_parts(name: str, tmp_path: Path) -> None:
    assert "1 skipped" in run(tmp_path, MISSING[name], all_parts=False)
    output = run(tmp_path, MISSING[name], all_parts=True)
    assert "1 failed" in output or "1 error" in output
    assert "skipped" not in output.splitlines()[-1]


@pytest.mark.parametrize("all_parts", [False, True])
@pytest.mark.parametrize("module", ["karospace_jupyter.nothing", "pandas"])
def test_missing_required_module_fails(module: str, all_parts: bool, tmp_path: Path) -> None:
    code = f"def test_it():\n    raise ModuleNotFoundError('No module named {module}', name={module!r})\n"
    assert "1 failed" in run(tmp_path, code, all_parts=all_parts)


def test_unrelated_skips_stay_skips(tmp_path: Path) -> None:
    code = "import pytest\ndef test_it():\n    pytest.skip('root may write anywhere')\n"
    assert "1 skipped" in run(tmp_path, code, all_parts=True)
