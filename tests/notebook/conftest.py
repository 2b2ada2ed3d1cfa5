"""Fixtures: one JupyterLab server for all tests, and a page for each test."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chromium import FLAGS
from waiting import PATIENCE_MS, patient

try:
    from environments import fresh_python, html_manager, hub_proxy, ipykernel_6
    from lab import Lab, Notebook
except ModuleNotFoundError:  # without Jupyter, all tests here are skipped
    INSTALLED: dict[str, Callable[[Path], Path]] = {}
else:
    INSTALLED = {
        "fresh": fresh_python,
        "html_manager_modules": html_manager,
        "proxy_modules": hub_proxy,
        "older_kernel": ipykernel_6,
    }
"""Functions that install slow dependencies, by the fixture that provides them. The first run downloads them."""


@pytest.fixture(scope="session", autouse=True)
def installing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Path]]]:
    """Start all required installations early, one at a time and at low priority, so that they do not delay tests."""
    needed = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    base_temp = tmp_path_factory.getbasetemp()
    shared = base_temp.parent if "PYTEST_XDIST_WORKER" in os.environ else base_temp
    with ThreadPoolExecutor(1) as one_at_a_time:
        yield {
            name: one_at_a_time.submit(_once, install, shared / name)
            for name, install in INSTALLED.items()
            if name in needed
        }
        one_at_a_time.shutdown(cancel_futures=True)


def _once(install: Callable[[Path], Path], folder: Path) -> Path:
    """Install in the first test process; the other processes wait for it."""
    done = folder.with_suffix(".path")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir(exist_ok=True)
            done.write_text(str(install(folder)))
        return Path(done.read_text())


@pytest.fixture(scope="session")
def fresh(installing: dict[str, Future[Path]]) -> Path:
    return installing["fresh"].result()


@pytest.fixture(scope="session")
def html_manager_modules(installing: dict[str, Future[Path]]) -> Path:
    return installing["html_manager_modules"].result()


@pytest.fixture(scope="session")
def proxy_modules(installing: dict[str, Future[Path]]) -> Path:
    return installing["proxy_modules"].result()


@pytest.fixture(scope="session")
def older_kernel(installing: dict[str, Future[Path]]) -> Path:
    return installing["older_kernel"].result()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def browser(playwright: Any, chromium: str) -> Iterator[Any]:
    """Launch the Chromium that users have, with windows and tabs, instead of the headless build."""
    browser = patient(playwright.chromium.launch(executable_path=chromium, args=FLAGS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def window(playwright: Any, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Open one browser window for all pages of JupyterLab.

    It has its own profile, because Chromium caches compiled code only in a profile; without that cache, opening
    JupyterLab takes three times as long.
    """
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=chromium,
        args=FLAGS,
        viewport={"width": 1300, "height": 1100},
    )
    context.set_default_timeout(PATIENCE_MS)
    context.new_page()  # keeps the window open
    yield context
    context.close()


@pytest.fixture
def notebook(lab: Lab, window: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """Return a function that opens a notebook with the given cells.

    After the test, all kernels that were started during it are shut down, also those of consoles and of other files.
    """
    open_before, running_before = window.pages, lab.sessions()
    opened: list[Notebook] = []

    def open_notebook(
        cells: list[str], *, width: int = 1300, height: int = 1100, dark: bool = False, **options: Any
    ) -> Notebook:
        page = window.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        options.setdefault("name", f"{request.node.name.partition('[')[0]}_{len(opened)}.ipynb")
        opened.append(lab.notebook(page, cells, **options))
        return opened[-1]

    yield open_notebook
    for nb in opened:
        nb.disconnect()
    for session in lab.sessions().keys() - running_before.keys():
        lab.end_session(session)
    for page in window.pages:
        if page not in open_before:
            page.close()


@pytest.fixture
def holding(lab: Lab) -> Iterator[Callable[[float | None], None]]:
    """Return a function that limits exports, in kernels that have imported `held`, to a fraction of their genes.

    With None, exports write all genes.
    """
    file = lab.folder / "hold"

    def hold(share: float | None) -> None:
        if share is None:
            file.unlink(missing_ok=True)
        else:
            written = file.with_name("hold.new")
            written.write_text(str(share))
            written.replace(file)

    yield hold
    hold(None)


@pytest.fixture
def shots() -> Path | None:
    """Return the folder for screenshots, if `KAROSPACE_SHOTS` requests them."""
    folder = os.environ.get("KAROSPACE_SHOTS")
    return Path(folder) if folder else None
