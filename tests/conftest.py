"""What tests of several rooms share: one real browser, and where real files may lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSER = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Of several such flags the last one counts: those that Playwright gives itself are here once more. What is added
    # are the pages behind the field for addresses, which take a third of the time that it takes to open a viewer.
    "--disable-features="
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "TcpPortRandomizationWin,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
]
# Only what is WebGL is drawn by a graphics card that is a program: whole pages would take three times as long. But the
# page then waits for each of its drawings, as on no one's desk: benchmarks do without.
FLAGS = [*BROWSER, "--disable-gpu-compositing"]


def pytest_configure(config: pytest.Config) -> None:
    import painted
    import parts

    painted.keep()
    if not config.pluginmanager.is_registered(parts):
        config.pluginmanager.register(parts)


FIRST = ["test_panel.py", "test_form.py", "test_view.py", "e2e", "notebook", "desktop"]
"""Files and folders of tests, those first that take longest: at the end, two workers share what is short. The other
notebook tests come late: what they need is installed meanwhile."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        places = [FIRST.index(part) for part in item.path.parts if part in FIRST]
        return min(places, default=len(FIRST))

    items.sort(key=rank)  # otherwise as they came, which is at random


REPORT_MS = 5000
"""For what a report of a failed test adds: the page may hang."""


def find_chromium() -> str | None:
    named = os.environ.get("KAROSPACE_CHROMIUM")
    for name in [named] if named else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]:
        found = shutil.which(name)
        if found:
            return found
    return None


@pytest.fixture(scope="session")
def chromium() -> str:
    path = find_chromium()
    if path is None:
        pytest.skip("Chromium is missing; install it, or name one in KAROSPACE_CHROMIUM")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright
    from waiting import PATIENCE_MS, patient

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = patient(playwright.chromium.launch(executable_path=chromium, args=FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = os.environ.get("KAROSPACE_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("KAROSPACE_REAL_DATA does not name the folder of real files")
    return Path(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the pages of a failed test showed stands in its report: on another machine nothing else tells."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.when != "call" or not report.failed or browser is None:
        return report
    for number, page in enumerate(page for context in browser.contexts for page in context.pages):
        try:
            text = page.locator("body").inner_text(timeout=REPORT_MS)
            if folder := os.environ.get("KAROSPACE_SHOTS"):
                page.screenshot(path=Path(folder) / f"failed-{item.name}-{number}.png", timeout=REPORT_MS)
        except Exception as exc:
            text = str(exc)
        report.sections.append((f"page {number}: {page.url}", text[:1500]))
    return report
