"""Build the viewer and the JupyterLab extension into the package, so that installing a wheel needs no Node.js."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = (
    "karospace_jupyter/_static/viewer.html",
    "karospace_jupyter/_static/bundles.html",
    "karospace_jupyter/_static/widget.js",
    "karospace_jupyter/_static/labextensions/karospace-jupyter/package.json",
)
SOURCES = ("js/src", "js/schema", "js/build.mjs", "js/notices.mjs", "js/lab-extension.mjs", "js/package-lock.json")
OLDEST = {"node": 20, "npm": 9}


class ViewerBuildHook(BuildHookInterface[Any]):
    """Run ``npm ci`` and ``npm run build`` in ``js/`` unless the viewer is built and up to date."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the base class names them
        """Build what is missing, for editable installations, too; rebuild what is older than its sources."""
        root = Path(self.root)
        missing = [path for path in BUILT if not (root / path).exists()]
        if not missing and not _outdated(root):
            return
        problem = _problem_with_node()
        if problem is not None:
            if not missing:
                self.app.display_warning(f"The viewer is older than its sources and was not rebuilt. {problem}")
                return
            msg = (
                f"The viewer is not built yet, and building it needs Node.js {OLDEST['node']} or newer with npm. "
                f"{problem} Install Node.js (https://nodejs.org, or: conda install -c conda-forge nodejs) and run this "
                "again; or install a wheel of karospace-jupyter, which holds the built viewer."
            )
            raise RuntimeError(msg)
        if not _modules_installed(root / "js"):
            _npm(root / "js", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        _npm(root / "js", "run", "build")


def _outdated(root: Path) -> bool:
    """Return whether a source is newer than the built files; times in a source distribution mean nothing."""
    if (root / "PKG-INFO").exists():
        return False
    files = [
        file for name in SOURCES for file in ((root / name).rglob("*") if (root / name).is_dir() else [root / name])
    ]
    newest = max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)
    return newest > min((root / path).stat().st_mtime for path in BUILT[:2])


def _modules_installed(js: Path) -> bool:
    """Return whether ``npm ci`` ran after the lock file last changed."""
    installed = js / "node_modules/.package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= (js / "package-lock.json").stat().st_mtime


def _problem_with_node() -> str | None:
    for program, oldest in OLDEST.items():
        path = shutil.which(program)
        if path is None:
            return f"{program} was not found on the PATH."
        try:
            done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as exc:
            return f"{path} cannot be run: {exc}."
        found = re.match(r"v?(\d+)\.", done.stdout.strip())
        if found is None:
            return f"{path} --version printed no version number: {(done.stdout + done.stderr).strip()[:200]!r}."
        if int(found[1]) < oldest:
            return f"{path} is {program} {done.stdout.strip()}; {oldest} or newer is needed."
    return None


def _npm(js: Path, *arguments: str) -> None:
    npm = shutil.which("npm")
    if npm is None:  # it was there a moment ago
        msg = "npm was not found on the PATH."
        raise RuntimeError(msg)
    done = subprocess.run([npm, *arguments], cwd=js, check=False)
    if done.returncode:
        msg = f"`npm {' '.join(arguments)}` failed in {js} with exit status {done.returncode}; its output is above."
        raise RuntimeError(msg)
