"""Tests of `pip install -e .` in a fresh checkout: the build hook with and without Node.js."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from waiting import PATIENCE_S

ROOT = Path(__file__).parents[1]
EXTENSION = "share/jupyter/labextensions/karospace-jupyter/package.json"

# A stub for npm, because the real build downloads packages. It writes the files that the hook expects.
NPM = """#!/bin/sh
[ "$1" = --version ] && {{ echo {version}; exit 0; }}
echo "npm $*" >> {log}
[ "$1" = run ] && [ -z "{fails}" ] && {{
    folder=../karospace_jupyter/_static
    {mkdir} -p $folder/labextensions/karospace-jupyter
    for file in viewer.html bundles.html widget.js labextensions/karospace-jupyter/package.json; do echo built > $folder/$file; done
}}
[ -z "{fails}" ]
"""


class Checkout:
    """The repository without build outputs, and a PATH that contains only the programs that a test adds."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin, self.log = folder / "checkout", folder / "bin", folder / "npm.log"
        self.wheels = folder / "wheels"
        self.bin.mkdir()
        self.log.touch()
        for name in (
            "pyproject.toml",
            "hatch_build.py",
            "README.md",
            "LICENSE",
            "js/package.json",
            "js/package-lock.json",
            "js/build.mjs",
        ):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        for package in ("karospace_jupyter", "karospace_export", "js/src", "js/schema"):
            shutil.copytree(
                ROOT / package, self.root / package, ignore=shutil.ignore_patterns("_static", "__pycache__")
            )

    def put(self, name: str, text: str) -> None:
        """Add a program to the PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def put_node(self, *, node: str = "v22.1.0", npm: str = "10.9.0", fails: bool = False) -> None:
        """Add stubs of node and npm to the PATH; the commands of npm may fail."""
        self.put("node", f"#!/bin/sh\necho {node}\n")
        self.put("npm", NPM.format(version=npm, log=self.log, mkdir=shutil.which("mkdir"), fails="1" if fails else ""))

    def build(self, target: str = "wheel:editable", root: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(self.wheels)],
            cwd=root or self.root, capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ, "PATH": str(self.bin)},
        )  # fmt: skip

    def calls(self) -> list[str]:
        """Return the commands of npm that were run."""
        return self.log.read_text().splitlines()

    def wheel_names(self) -> set[str]:
        """Return the names of the files in the only wheel."""
        (wheel,) = self.wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return set(archive.namelist())


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def holds_extension(names: set[str]) -> bool:
    return any(name.endswith(f".data/data/{EXTENSION}") for name in names)


def test_editable_install_builds_the_viewer_and_includes_the_extension(checkout: Checkout) -> None:
    checkout.put_node()
    done = checkout.build()
    assert done.returncode == 0, done.stdout + done.stderr
    assert checkout.calls() == ["npm ci --ignore-scripts --no-audit --no-fund", "npm run build"]
    assert (checkout.root / "karospace_jupyter/_static/viewer.html").exists()
    assert holds_extension(checkout.wheel_names())


def test_second_build_does_not_run_npm(checkout: Checkout) -> None:
    checkout.put_node()
    assert checkout.build().returncode == 0
    checkout.log.write_text("")
    assert checkout.build().returncode == 0
    assert checkout.calls() == []


def test_newer_sources_are_rebuilt_without_npm_ci(checkout: Checkout) -> None:
    checkout.put_node()
    assert checkout.build().returncode == 0
    checkout.log.write_text("")
    modules = checkout.root / "js/node_modules"
    modules.mkdir()
    (modules / ".package-lock.json").write_text("{}")
    later = time.time() + 60
    os.utime(checkout.root / "js/build.mjs", (later, later))
    assert checkout.build().returncode == 0
    assert checkout.calls() == ["npm run build"]


@pytest.mark.parametrize(
    ("node", "npm", "expected"),
    [
        (None, None, r"node was not found on the PATH"),
        ("v22.1.0", None, r"npm was not found on the PATH"),
        ("v18.20.4", "10.9.0", r"is node v18\.20\.4; 20 or newer is needed"),
        ("v20.1.0", "6.14.18", r"is npm 6\.14\.18; 9 or newer is needed"),
        ("not a version", "10.9.0", r"--version printed no version number: 'not a version'"),
    ],
    ids=["no node", "no npm", "old node", "old npm", "broken node"],
)
def test_install_without_usable_node_fails_and_says_what_to_install(
    checkout: Checkout, node: str | None, npm: str | None, expected: str
) -> None:
    if node is not None:
        checkout.put_node(node=node, npm=npm or "10.9.0")
    if npm is None and node is not None:
        (checkout.bin / "npm").unlink()
    done = checkout.build()
    assert done.returncode != 0
    output = " ".join((done.stdout + done.stderr).split())
    assert re.search(expected, output), output
    assert "needs Node.js 20 or newer with npm" in output
    assert "https://nodejs.org" in output
    assert checkout.calls() == []


def test_outdated_viewer_without_node_is_kept_with_a_warning(checkout: Checkout) -> None:
    checkout.put_node()
    assert checkout.build().returncode == 0
    (checkout.bin / "node").unlink()
    later = time.time() + 60
    os.utime(checkout.root / "js/build.mjs", (later, later))
    done = checkout.build()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "older than its sources" in done.stdout + done.stderr


def test_npm_failure_is_reported_with_its_command(checkout: Checkout) -> None:
    checkout.put_node(fails=True)
    done = checkout.build()
    assert done.returncode != 0
    assert "`npm ci --ignore-scripts --no-audit --no-fund` failed in" in done.stdout + done.stderr
    assert not list(checkout.wheels.glob("*.whl"))


def test_source_distribution_installs_without_node(checkout: Checkout, tmp_path: Path) -> None:
    checkout.put_node()
    assert checkout.build("sdist").returncode == 0
    for program in ("node", "npm"):
        (checkout.bin / program).unlink()
    (archive,) = checkout.wheels.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    archive.unlink()
    (root,) = (tmp_path / "unpacked").iterdir()
    for target in ("wheel", "wheel:editable"):
        done = checkout.build(target, root)
        assert done.returncode == 0, done.stdout + done.stderr
        names = checkout.wheel_names()
        assert holds_extension(names)
        for wheel in checkout.wheels.glob("*.whl"):
            wheel.unlink()
