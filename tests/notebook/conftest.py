"""One JupyterLab for all tests of it, and a page for each."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chromium import FLAGS
from waiting import PATIENCE_MS

try:
    from environments import fresh_python, html_manager, hub_proxy, ipykernel_6
    from lab import Lab, Notebook
except ModuleNotFoundError:  # without Jupyter, all tests here skip
    INSTALLED: dict[str, Callable[[Path], Path]] = {}
else:
    INSTALLED = {
        "fresh": fresh_python,
        "html_manager_modules": html_manager,
        "proxy_modules": hub_proxy,
        "older_kernel": ipykernel_6,
    }
"""What takes long to install, by the fixture that gives it; a first run loads all of it from registries."""


@pytest.fixture(scope="session", autouse=True)
def installing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Path]]]:
    """Begun at once, one after the other, at a lower priority: the tests meanwhile are not late for it."""
    asked = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with ThreadPoolExecutor(1) as one_at_a_time:
        yield {
            name: one_at_a_time.submit(_once, install, shared / name)
            for name, install in INSTALLED.items()
            if name in asked
        }
        one_at_a_time.shutdown(cancel_futures=True)


def _once(install: Callable[[Path], Path], folder: Path) -> Path:
    """Install it in the first of the processes that run tests; the others wait for that."""
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
def window(playwright: Any, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One window for the pages of JupyterLab. It has its own profile, because Chromium caches compiled code only in
    a profile; without that cache, opening JupyterLab takes three times as long."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=chromium,
        args=FLAGS,
        viewport={"width": 1300, "height": 1100},
    )
    context.set_default_timeout(PATIENCE_MS)
    context.new_page()  # keeps it open
    yield context
    context.close()


@pytest.fixture
def notebook(lab: Lab, window: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """Opens a notebook of these cells; its kernel is ended with the test."""
    others = window.pages
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
    for one in opened:
        one.shut_down()
    for page in window.pages:
        if page not in others:
            page.close()


@pytest.fixture
def holding(lab: Lab) -> Iterator[Callable[[float | None], None]]:
    """Lets exports of kernels that have imported `held` write that share of their genes; with None, all of them."""
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
    """Where pictures for people go, when someone asked for them."""
    import os

    folder = os.environ.get("KAROSPACE_SHOTS")
    return Path(folder) if folder else None
