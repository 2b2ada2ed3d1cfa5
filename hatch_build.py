"""Builds the viewer into the package, so that who installs the wheel needs no Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = (
    "karospace_jupyter/_static/viewer.html",
    "karospace_jupyter/_static/labextensions/karospace-jupyter/package.json",
)


class ViewerBuildHook(BuildHookInterface[Any]):
    """Runs ``npm ci`` and ``npm run build`` in ``js/`` unless the viewer is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the base class names them
        """Build what is missing. An editable installation only needs it before the first export."""
        root = Path(self.root)
        if all((root / path).exists() for path in BUILT) or version == "editable":
            return
        npm = shutil.which("npm")
        if npm is None:
            msg = "Building the viewer needs Node 20 or newer with npm; a wheel from the package index needs neither."
            raise RuntimeError(msg)
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=root / "js", check=True)
        subprocess.run([npm, "run", "build"], cwd=root / "js", check=True)
