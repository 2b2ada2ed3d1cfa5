"""Fixtures that several test folders share: a real browser and the folder of real files."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Cache painted sections and encoded pictures, and register the hooks that skip tests without their parts."""
    import encoded
    import painted
    import parts

    encoded.keep()
    painted.keep()
    if not config.pluginmanager.is_registered(parts):
        config.pluginmanager.register(parts)


FIRST = ["test_panel.py", "test_form.py", "test_view.py", "e2e", "notebook", "desktop"]
"""Test files and folders that run first, slowest first, so that short tests balance the workers at the end. The other
notebook tests run late, because their environment is installed in the meantime."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        ranks = [FIRST.index(part) for part in item.path.parts if part in FIRST]
        return min(ranks, default=len(FIRST))

    items.sort(key=rank)  # stable: the random order is kept within a rank


REPORT_MS = 5000
"""Timeout for adding page contents to the report of a failed test; the page may hang."""


@pytest.fixture(scope="session")
def chromium() -> str:
    from chromium import find_chromium

    path = find_chromium()
    if path is None:
        pytest.skip("Chromium is missing; install it, or set KAROSPACE_CHROMIUM to its path")
    return path


@pytest.fixture(scope="session")
def playwright(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright
    from waiting import PATIENCE_MS

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[Any]:
    from chromium import FLAGS, find_headless_chromium
    from waiting import patient

    browser = patient(playwright.chromium.launch(executable_path=find_headless_chromium(), args=FLAGS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = os.environ.get("KAROSPACE_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("KAROSPACE_REAL_DATA is not set to the folder of real files")
    return Path(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the text of the open pages to the report of a failed test, because in CI nothing else shows them."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    contexts = [fixtures["window"]] if "window" in fixtures else getattr(fixtures.get("browser"), "contexts", [])
    if report.when != "call" or not report.failed:
        return report
    for number, page in enumerate(page for context in contexts for page in context.pages):
        try:
            text = page.locator("body").inner_text(timeout=REPORT_MS)
            if folder := os.environ.get("KAROSPACE_SHOTS"):
                page.screenshot(path=Path(folder) / f"failed-{item.name}-{number}.png", timeout=REPORT_MS)
        except Exception as exc:
            text = str(exc)
        if len(text) > 2000:  # dialogs are at the end
            text = f"{text[:1500]}\n…\n{text[-500:]}"
        report.sections.append((f"page {number}: {page.url}", text))
    return report
