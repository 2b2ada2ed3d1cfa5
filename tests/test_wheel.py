"""Tests of the content of the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from waiting import PATIENCE_S

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(
    not (ROOT / "karospace_jupyter/_static/viewer.html").exists(), reason="the viewer is not built (make js)"
)
def test_wheel_contains_the_viewer_but_not_its_sources(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    bundle = "karospace_jupyter/bundle"
    assert names >= {
        "karospace_jupyter/_static/viewer.html", "karospace_jupyter/_static/widget.js", "karospace_export/__init__.py", "karospace_jupyter/py.typed",
        f"{bundle}/manifest.schema.json", f"{bundle}/FORMAT.md", f"{bundle}/pages.json",
        "karospace_jupyter/_static/NOTICES.txt",
    }  # fmt: skip
    assert not [name for name in names if "node_modules" in name or name.startswith(("js/", "docs/"))]
