"""Build a standalone program that includes Python: ``python -m karospace_jupyter.desktop.freeze``.

It requires PyInstaller, and builds for the platform on which it runs: the folder ``dist/KaroSpace`` with an executable,
or ``dist/KaroSpace.app`` on macOS.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from karospace_jupyter.desktop.icon import icon_file

# Imported by name at run time, which PyInstaller cannot detect.
_COLLECTED = ("anndata", "pydantic", "deflate", "platformdirs", "tkinterdnd2", "darkdetect", "zarr", "numcodecs")
_DATA = ("karospace_jupyter",)
# Packages of the build environment that the app does not use.
_EXCLUDED = (
    *("IPython", "ipywidgets", "anywidget", "jupyterlab", "notebook"),
    *("matplotlib", "scanpy", "dask", "sklearn", "numba", "llvmlite", "sqlalchemy", "cryptography", "aiohttp"),
    *("pytest", "mypy"),
)
_ICONS = {"win32": ("ICO", "icon.ico"), "darwin": ("ICNS", "icon.icns")}


def main() -> int:
    """Run PyInstaller and return the exit status."""
    try:
        from PyInstaller.__main__ import run
    except ImportError:
        print("PyInstaller is required: pip install pyinstaller", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        kind, name = _ICONS.get(sys.platform, ("PNG", "icon.png"))
        icon = Path(folder) / name
        icon.write_bytes(icon_file(kind))
        start = Path(folder) / "karospace_app.py"
        start.write_text(
            "import sys\nfrom karospace_jupyter.desktop.app import main\n\n"
            "if __name__ == '__main__':\n    sys.exit(main())\n"
        )
        run(recipe(folder, icon, start))
    return 0


def recipe(folder: str, icon: Path, start: Path) -> list[str]:
    """Return the arguments for PyInstaller; `folder` holds temporary files."""
    arguments = ["--noconfirm", "--windowed", "--name", "KaroSpace", "--icon", str(icon)]
    arguments += ["--distpath", "dist", "--workpath", "build/app", "--specpath", folder]
    arguments += ["--copy-metadata", "karospace-jupyter", "--hidden-import", "karospace_jupyter.export"]
    for package in _COLLECTED:
        arguments += ["--collect-all", package] if _is_installed(package) else []
    for package in _DATA:
        arguments += ["--collect-data", package, "--collect-submodules", package]
    for package in _EXCLUDED:
        arguments += ["--exclude-module", package]
    return [*arguments, str(start)]


def _is_installed(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None


if __name__ == "__main__":
    sys.exit(main())
