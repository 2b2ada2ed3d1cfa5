"""The arguments for PyInstaller, without running it, because a build takes minutes (`make app`)."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import types
from importlib.resources import files
from pathlib import Path

import pytest
from waiting import PATIENCE_S

from karospace_jupyter.desktop import freeze


def values(arguments: list[str], option: str) -> set[str]:
    """Return the values that follow each occurrence of an option."""
    return {value for name, value in itertools.pairwise(arguments) if name == option}


def test_pyinstaller_arguments_include_what_the_app_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def run(arguments: list[str]) -> None:
        seen.append(arguments)
        # A Python script and an icon exist while PyInstaller runs.
        compile(Path(arguments[-1]).read_text(), "start", "exec")
        assert Path(arguments[arguments.index("--icon") + 1]).stat().st_size > 1000

    fake = types.ModuleType("PyInstaller.__main__")
    fake.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "PyInstaller", types.ModuleType("PyInstaller"))
    monkeypatch.setitem(sys.modules, "PyInstaller.__main__", fake)
    assert freeze.main() == 0
    [arguments] = seen
    assert "--windowed" in arguments
    assert values(arguments, "--copy-metadata") == {"karospace-jupyter"}, "the app shows its version"
    collected, excluded = values(arguments, "--collect-all"), values(arguments, "--exclude-module")
    assert {"anndata", "pydantic"} <= collected
    assert not collected & excluded
    assert values(arguments, "--collect-submodules") == {"karospace_jupyter"}
    assert values(arguments, "--collect-data") == {"karospace_jupyter"}
    viewer = files("karospace_jupyter").joinpath("_static", "viewer.html")
    assert viewer.is_file(), "the page of each bundle is made from it"


def test_excluded_packages_are_not_needed_for_an_export(tmp_path: Path, tissue_file: Path) -> None:
    code = f"""
import json, sys
from pathlib import Path
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.export import run
from karospace_jupyter.form.prediction import predict_export
from karospace_jupyter.form.summary import summarize
from karospace_jupyter.job import Job
for name in {sorted(freeze._EXCLUDED)!r}:
    sys.modules[name] = None  # as if it were not installed
summarize({str(tissue_file)!r})
predict_export({str(tissue_file)!r}, {{"outdir": {str(tmp_path / "out")!r}}})
bundle = run(Path({str(tissue_file)!r}), ExportConfig(outdir={str(tmp_path / "out")!r}), Job.null())
print(json.dumps(bundle.manifest.n_cells))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == 1200
