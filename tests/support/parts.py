"""Skip tests whose optional parts are missing; with KAROSPACE_ALL_PARTS=1, as in CI, they fail instead."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALL_PARTS = bool(os.environ.get("KAROSPACE_ALL_PARTS"))

MODULES = {
    "tests/e2e": ("playwright",),
    "tests/notebook": ("jupyterlab", "ipykernel", "nbformat", "nbclient", "nbconvert", "playwright"),
    "tests/notebook/test_environments.py": ("jupyterhub", "marimo", "notebook", "voila"),
    "tests/test_notebooks.py": ("ipykernel", "nbclient", "nbformat"),
    "tests/test_install.py": ("hatchling",),
    "tests/test_stores.py": ("fsspec", "moto", "s3fs"),
    "tests/test_wheel.py": ("hatchling",),
}
"""Modules of the dev group that all tests of a folder or file require."""

OPTIONAL = {name for names in MODULES.values() for name in names} | {
    "Xlib", "dask", "darkdetect", "jsonschema", "jupyter_client", "scanpy", "tkinter", "tkinterdnd2", "tornado", "zarr",
}  # fmt: skip
"""Modules whose absence skips a test; the absence of any other module is a failure."""

WITHOUT_VIEWER = (
    "tests/encode",
    "tests/plan",
    "tests/source",
    "tests/test_config.py",
    "tests/test_datasets.py",
    "tests/test_install.py",
)
"""Tests that do not export and so do not need the built viewer."""

MISSING = re.compile(r"could not import|is missing|is not installed|is not built")
"""Matches the reasons of skips that must not occur when all parts are installed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests that need a missing part."""
    built = (ROOT / "karospace_jupyter/_static/viewer.html").exists()
    for item in items:
        path = Path(os.path.relpath(item.path, ROOT)).as_posix()
        needed = [name for prefix, names in MODULES.items() if _within(path, prefix) for name in names]
        missing = [name for name in needed if find_spec(name) is None]
        if missing:
            item.add_marker(pytest.mark.skip(f"the Python package {missing[0]} is not installed"))
        elif not built and not any(_within(path, prefix) for prefix in WITHOUT_VIEWER):
            item.add_marker(pytest.mark.skip("the viewer is not built: pip install -e . builds it, with Node.js"))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip files that import an optional module that is not installed."""
    report = yield
    found = (
        re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", str(report.longrepr)) if report.failed else None
    )
    if found and not ALL_PARTS and found[1].partition(".")[0] in OPTIONAL:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: the Python package {found[1]} is not installed")
        report.result = []
    return report


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skip tests that fail to import an optional module, or fail tests that must not skip."""
    report = yield
    error = call.excinfo.value if call.excinfo is not None else None
    if report.failed and not ALL_PARTS and isinstance(error, ModuleNotFoundError):
        name = (error.name or "").partition(".")[0]
        if name in OPTIONAL:
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, f"Skipped: the Python package {name} is not installed")
    elif report.skipped and ALL_PARTS and isinstance(report.longrepr, tuple) and MISSING.search(report.longrepr[2]):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr[2]}. KAROSPACE_ALL_PARTS is set: this test must not skip."
    return report


def _within(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
