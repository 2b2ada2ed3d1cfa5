"""The wheel and the sdist: their contents, their size, and an export in a fresh environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from waiting import PATIENCE_S

ROOT = Path(__file__).parents[1]
LARGEST = 3_000_000
"""Maximum size of the wheel in bytes."""

pytestmark = pytest.mark.skipif(
    not (ROOT / "karospace_jupyter/_static/viewer.html").exists(), reason="the viewer is not built (make js)"
)


def run(*command: str | Path, cwd: Path) -> str:
    # The checkout must not be used, so neither its folder nor PYTHONPATH is passed on.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    words = [str(part) for part in command]
    # An installation may be tried three times.
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=5 * PATIENCE_S)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(dist: Path) -> Path:
    (path,) = dist.glob("*.tar.gz")
    return path


def environment(folder: Path) -> Path:
    """Create an environment, and return its Python."""
    run(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    return folder / "env" / "bin" / "python"


def install(python: Path, *what: str | Path) -> None:
    retry = ["sh", ROOT / "tests/retry.sh"]
    # Do not compile: the tests import only a small part.
    run(*retry, python, "-m", "pip", "install", "--quiet", "--no-compile", "--retries", "5", *what, cwd=python.parent)


@pytest.fixture(scope="module")
def with_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the wheel and its dependencies, in the pinned versions."""
    folder = tmp_path_factory.mktemp("wheel")
    pins = re.findall(r"^[\w.-]+==[^\s\\]+(?: ;.*(?= \\))?", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    (folder / "constraints.txt").write_text("\n".join(pins))
    python = environment(folder)
    install(python, "--constraint", folder / "constraints.txt", wheel)
    return python


@pytest.fixture(scope="module")
def with_sdist(sdist: Path, with_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the sdist, which uses the dependencies of the wheel's environment."""
    folder = tmp_path_factory.mktemp("sdist")
    python = environment(folder)
    install(python, "--no-deps", sdist)
    # Folders in a .pth file come after the installed packages on the import path.
    dependencies, site = (Path(run(path, "-c", SITE, cwd=folder).strip()) for path in (with_wheel, python))
    (site / "dependencies.pth").write_text(f"{dependencies}\n")
    return python


SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def check_export(python: Path, folder: Path) -> None:
    """Check that the command of this environment exports and verifies, and that the panel is installed."""
    where = run(python, "-c", "import karospace_jupyter; print(karospace_jupyter.__file__)", cwd=folder).strip()
    assert Path(where).is_relative_to(python.parents[1])
    command = python.parent / "karospace-export"
    small = ["--downsample", "500", "--gene", "EPCAM", "--quiet"]
    run(command, "--demo", *small, "--outdir", "out", "--single-file", "out.html", cwd=folder)
    assert "viewer" in (folder / "out/index.html").read_text(encoding="utf-8")
    for bundle in ("out", "out.html"):
        run(command, "--verify", bundle, cwd=folder)
    share = python.parents[1] / "share"
    assert (share / "jupyter/labextensions/karospace-jupyter/package.json").exists()
    assert (share / "applications/karospace-export-app.desktop").exists()


def test_wheel_contains_the_viewer_but_not_its_sources(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    bundle = "karospace_jupyter/bundle"
    assert names >= {
        "karospace_jupyter/_static/viewer.html", "karospace_jupyter/_static/widget.js", "karospace_export/__init__.py", "karospace_jupyter/py.typed",
        f"{bundle}/manifest.schema.json", f"{bundle}/FORMAT.md", f"{bundle}/pages.json",
        "karospace_jupyter/_static/NOTICES.txt",
    }  # fmt: skip
    assert not [name for name in names if "node_modules" in name or name.startswith(("js/", "docs/"))]


def test_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= LARGEST


def test_sdist_contains_the_sources_and_the_built_viewer(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {
        "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CITATION.cff", "js/package-lock.json",
        "js/src/entries/page.ts", "karospace_jupyter/_static/viewer.html", "karospace_jupyter/bundle/FORMAT.md",
    }  # fmt: skip
    assert not [name for name in names if "node_modules" in name or name.startswith(("build/", "tests/", ".venv"))]


def test_wheel_exports_in_a_fresh_environment(with_wheel: Path, tmp_path: Path) -> None:
    check_export(with_wheel, tmp_path)


def test_sdist_exports_in_a_fresh_environment(with_sdist: Path, tmp_path: Path) -> None:
    check_export(with_sdist, tmp_path)
