"""Start the browsers of three engines: Chromium, Firefox (Gecko) and WebKitGTK's own browser.

Each browser has its own home folder, and all processes that it starts end with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chromium import FLAGS, find_chromiums
from display import ENDING_WITH_THE_TESTS
from waiting import PATIENCE_S, becomes, eventually
from webdriver import Driver, DriverError, DriverPage, HttpDriver, MarionetteDriver

ENGINES = ("chromium", "firefox", "webkit")
SIZE = {"width": 1100, "height": 700}
"""The size of every page, in CSS pixels: pictures of different engines are compared."""
SCREEN = "1400x1400"
"""Room for such a page, and for the list of downloads that WebKitGTK's browser shows below it."""

FIREFOX_SETTINGS = {
    "marionette.port": 0,  # any free port; Firefox writes its number into the profile
    "webgl.force-enabled": True,  # on the software renderer
    "gfx.x11-egl.force-enabled": True,
    "layout.css.devPixelsPerPx": "1.0",
    "ui.prefersReducedMotion": 1,
    "browser.download.folderList": 2,
    "browser.download.alwaysOpenPanel": False,
    "browser.tabs.animated": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
}


@dataclass(frozen=True, slots=True)
class Engine:
    """A running browser."""

    name: str
    version: str
    page: DriverPage
    downloads: Path
    display: str

    @contextmanager
    def other_tab(self) -> Iterator[None]:
        """Show another tab, which hides the page."""
        page, driver = self.page, self.page.driver
        hidden = lambda: page.evaluate("document.hidden")  # noqa: E731
        if self.name == "webkit":
            # WebKitGTK's browser opens tabs behind the others, and switches to them only with its own shortcuts.
            original = driver.command("handle")
            added = driver.command("new_window", type="tab")["handle"]
            self._keys("ctrl+Page_Down")
        else:
            page.evaluate("() => { window.other = open('about:blank'); }")
        try:
            eventually(hidden, what="the other tab is not shown")
            yield
        finally:
            if self.name == "webkit":
                self._keys("ctrl+Page_Up")
                eventually(lambda: not hidden(), what="the tab stays hidden")
                driver.command("switch", handle=added)
                driver.command("close")
                driver.command("switch", handle=original)
            else:
                page.evaluate("() => window.other.close()")
        eventually(lambda: not hidden(), what="the tab stays hidden")
        page.set_viewport_size(SIZE)  # it has grown, because the tab bar is hidden again

    def _keys(self, keys: str) -> None:
        """Press a shortcut of the browser, which the page does not receive."""
        windows = self._xdotool("search", "--onlyvisible", "--name", r"^\[Automation\]").split()
        assert len(windows) == 1, windows
        self._xdotool("windowfocus", windows[0])
        becomes(lambda: self._xdotool("getwindowfocus").split(), windows)
        self._xdotool("key", keys)

    def _xdotool(self, *words: str) -> str:
        environment = {**os.environ, "DISPLAY": self.display}
        return subprocess.run(
            ["xdotool", *words], env=environment, capture_output=True, text=True, check=True, timeout=PATIENCE_S
        ).stdout


@contextmanager
def running(name: str, display: str, home: Path) -> Iterator[Engine]:
    """Run a browser on a display, or skip the test if it is not installed."""
    downloads = home / "Downloads"
    downloads.mkdir(parents=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "DBUS_"))}
    environment |= {
        "HOME": str(home),
        "DISPLAY": display,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        # Start no message bus and no desktop helpers, which would outlive the browser.
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        "NO_AT_BRIDGE": "1",
        "GSETTINGS_BACKEND": "memory",
        "GTK_THEME": "Adwaita",
        "MOZ_CRASHREPORTER_DISABLE": "1",
        # WebKit's sandbox does not work for root, nor in containers.
        "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
    }
    command, connect = {"chromium": _chromium, "firefox": _firefox, "webkit": _webkit}[name](home, downloads)
    with (home / "log").open("wb") as log:
        # A session of its own, to which all its processes belong.
        process = subprocess.Popen(
            [*ENDING_WITH_THE_TESTS, *command],
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        driver = connect()
        page = DriverPage(driver)
        page.set_viewport_size(SIZE)
        yield Engine(name, driver.capabilities["browserVersion"], page, downloads, display)
        with contextlib.suppress(DriverError):
            driver.command("quit")
    finally:
        end(process, home)


def processes_of(home: Path) -> list[int]:
    """Return the IDs of the processes with this home folder, and of all other processes in their sessions."""
    found, sessions = [], set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended in the meantime
            state, _, _, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
            if state == "Z":
                continue
            found.append((int(process.name), session))
            if f"HOME={home}".encode() in (process / "environ").read_bytes().split(b"\0"):
                sessions.add(session)
    return [process for process, session in found if session in sessions]


def end(process: subprocess.Popen[bytes], home: Path) -> None:
    """Kill a browser and all that it has started."""

    def kill_remaining() -> list[int]:
        left = processes_of(home)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left

    process.kill()
    eventually(kill_remaining, lambda left: not left, what="processes remain")
    process.wait()


def _chromium(home: Path, downloads: Path) -> tuple[list[str], Any]:
    driver, browsers = shutil.which("chromedriver"), find_chromiums()
    if driver is None or not browsers:
        pytest.skip("ChromeDriver or Chromium is missing")
    browser = next((path for path in browsers if _major(path) == _major(driver)), None)
    if browser is None:
        pytest.skip(f"{driver} needs Chromium {_major(driver)}, which is missing")
    port = _free_port()
    options = {
        "binary": browser,
        "args": [*FLAGS, f"--user-data-dir={home / 'profile'}", "--force-device-scale-factor=1", "--disable-breakpad"],
        "prefs": {"download.default_directory": str(downloads)},
    }
    return [driver, f"--port={port}"], lambda: HttpDriver(port, {"goog:chromeOptions": options})


def _firefox(home: Path, downloads: Path) -> tuple[list[str], Any]:
    browser = shutil.which("firefox-esr") or shutil.which("firefox")
    if browser is None:
        pytest.skip("Firefox is missing")
    if _is_snap(browser):
        pytest.skip("Firefox is a snap, which cannot read the profile of a test")
    profile = home / "profile"
    profile.mkdir()
    settings = {**FIREFOX_SETTINGS, "browser.download.dir": str(downloads)}
    (profile / "user.js").write_text(
        "".join(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in settings.items())
    )
    port = profile / "MarionetteActivePort"

    def connect() -> Driver:
        return MarionetteDriver(
            int(eventually(lambda: port.exists() and port.read_text(), what="Firefox did not start"))
        )

    return [browser, "--marionette", "--no-remote", "--profile", str(profile), "about:blank"], connect


def _is_snap(program: str) -> bool:
    # On Ubuntu, the program is a script that starts the snap.
    file = Path(program).resolve()
    return "/snap/" in str(file) or b"/snap/bin" in file.read_bytes()[:4096]


def _webkit(home: Path, downloads: Path) -> tuple[list[str], Any]:
    driver = shutil.which("WebKitWebDriver")
    browsers = [path for path in Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser") if os.access(path, os.X_OK)]
    if driver is None or not browsers or shutil.which("xdotool") is None:
        pytest.skip("WebKitGTK's browser, its WebDriver or xdotool is missing")
    config = home / ".config"
    config.mkdir()
    (config / "user-dirs.dirs").write_text(f'XDG_DOWNLOAD_DIR="{downloads}"\n')
    port = _free_port()
    options = {"binary": str(browsers[0]), "args": ["--automation"]}
    return [driver, f"--port={port}"], lambda: HttpDriver(port, {"webkitgtk:browserOptions": options})


def _major(program: str) -> str:
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+", text)
    assert found, text
    return found[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
