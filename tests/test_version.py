"""The version has a single source, `karospace_jupyter/__init__.py`; all copies agree with it."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from karospace_jupyter import __version__, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

ROOT = Path(__file__).parents[1]


def test_project_reads_the_version_from_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "karospace_jupyter/__init__.py"


def test_installed_package_has_the_same_version() -> None:
    assert version("karospace-jupyter") == __version__


@pytest.mark.parametrize("file", ["js/package.json", "js/package-lock.json"])
def test_viewer_has_the_same_version(file: str) -> None:
    package = json.loads((ROOT / file).read_text(encoding="utf-8"))
    # npm writes 0.2.0-rc.1 where Python writes 0.2.0rc1.
    assert re.sub(r"-(a|b|rc)\.", r"\1", package["version"]) == __version__
    assert package["name"] == "karospace-viewer"
    assert package.get("packages", {"": package})[""]["version"] == package["version"]


def test_citation_has_the_same_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", text, re.MULTILINE) == [__version__]


def test_manifest_names_the_version(tmp_path: Path) -> None:
    bundle = adata_to_karospace(synthetic_tissue(n_cells=50, seed=1), tmp_path / "out", genes_mode=["EPCAM"])
    assert bundle.manifest.generator == f"karospace-jupyter {__version__}"
