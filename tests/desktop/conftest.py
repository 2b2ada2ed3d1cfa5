"""Fixtures with a real display, a real window, and a simulated mouse and keyboard."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from display import virtual_display
from forks import Forks
from waiting import PATIENCE_S, eventually, let_time_pass

from karospace_jupyter.contracts.form import SessionState
from karospace_jupyter.datasets import synthetic_tissue


def _missing(what: str) -> None:
    """Skip the test, because a part is missing."""
    pytest.skip(f"{what} is missing: the desktop app cannot be tested here")


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """Start a virtual display and return its name."""
    try:
        import tkinter  # noqa: F401, ICN001
    except ImportError:
        _missing("Tk")
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            _missing(program)
    with virtual_display("1400x1000") as display:
        yield display


@pytest.fixture(scope="session")
def forks() -> Forks:
    return Forks()


@pytest.fixture
def new_python() -> None:
    """Start the workers of this test as new processes, as the app does, instead of forking them."""


@pytest.fixture(autouse=True)
def forked_workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the workers, which is faster than starting them as new processes."""
    if sys.platform.startswith("linux") and "new_python" not in request.fixturenames:
        forks = request.getfixturevalue("forks")
        monkeypatch.setattr("karospace_jupyter.desktop.worker_process.multiprocessing.get_context", lambda _: forks)


@pytest.fixture(autouse=True)
def collect_tk_objects() -> Iterator[None]:
    """Collect Tk objects on the thread that created them, because they must not be collected on another thread."""
    yield
    gc.collect()


@pytest.fixture
def person(screen: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Person]:
    """Return a simulated user of the app."""
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.setenv("KAROSPACE_SETTINGS", str(tmp_path / "settings" / "desktop.json"))
    monkeypatch.delenv("BROWSER", raising=False)
    user = Person(screen)
    yield user
    user.leave()


@pytest.fixture(scope="session")
def tissue_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("desktop") / "tissue.h5ad"
    synthetic_tissue(1200, 80, seed=1).write_h5ad(path)
    return path


class Person:
    """A simulated user who opens windows, clicks, types and waits."""

    def __init__(self, screen: str) -> None:
        self.screen = screen
        self.window: Any = None

    def start(self, file: Path | str | None = None) -> Any:
        from karospace_jupyter.desktop.window import Window

        self.window = Window(None if file is None else str(file))
        self.until(lambda: self.window.root.winfo_viewable())
        self.window.root.focus_force()
        if file is not None:
            self.until(lambda: not self.shown.opening)
            self.settle()
        return self.window

    @property
    def shown(self) -> Any:
        return self.window.app_state.shown

    def pump(self) -> None:
        self.window.root.update()

    def until(self, done: Callable[[], Any], what: str = "") -> None:
        def timeout_message() -> str:
            self.shot("gave-up")
            return f"timed out: {what or done}; {self.window and self.shown}"

        eventually(done, pause=self.pump, what=timeout_message)

    def rest(self, times: int) -> None:
        """Let the window process deferred events."""
        for _ in range(times):
            self.pump()
            let_time_pass(0.005)

    def settle(self) -> None:
        """Wait until the estimate is up to date and everything is drawn."""
        self.until(lambda: self.shown.refused or not (self.shown.pending or self.shown.opening), "estimate")
        self.rest(15)

    def export(self) -> None:
        """Export with the current options, and wait until the result is shown."""
        self.window.export()
        self.until(lambda: self.shown.result and not self.shown.running)
        self.settle()

    def click(self, widget: Any, x: float = 0.5, y: float = 0.5) -> None:
        self.settle_geometry()
        px = widget.winfo_rootx() + int(widget.winfo_width() * x)
        py = widget.winfo_rooty() + int(widget.winfo_height() * y)
        self.xdotool("mousemove", str(px), str(py), "click", "1")

    def key(self, *names: str) -> None:
        self.xdotool("key", *names)

    def type(self, text: str) -> None:
        self.xdotool("type", "--delay", "15", text)

    def answer(self, title: str, *words: str) -> threading.Thread:
        """Send xdotool commands (`words`) to a dialog once it is open, from a thread, because the dialog blocks.

        The commands are repeated while the dialog stays open, because it may not have been ready for input. A dialog
        that still does not close is dismissed, so that the test fails instead of hanging.
        """

        def xdotool(*command: str, check: bool = True) -> str:
            environment = {**os.environ, "DISPLAY": self.screen}
            return subprocess.run(
                ["xdotool", *command], env=environment, check=check, capture_output=True, text=True, timeout=PATIENCE_S
            ).stdout

        def closes(dialog: str) -> bool:
            for _ in range(100):
                if dialog not in xdotool("search", "--onlyvisible", "--name", title, check=False).split():
                    return True
                let_time_pass(0.05)
            return False

        def send() -> None:
            dialog = xdotool("search", "--sync", "--onlyvisible", "--name", title).split()[-1]
            commands: list[list[str]] = []
            for word in words:
                if word in {"key", "type"}:
                    commands += [["key", "ctrl+slash", "BackSpace"]] if word == "type" else []
                    commands.append([word])
                else:
                    commands[-1].append(word)
            for _ in range(10):
                for command in commands:
                    xdotool(*command)
                if closes(dialog):
                    return
            xdotool("key", "Escape", check=False)
            if not closes(dialog):
                xdotool("key", "Return", check=False)

        thread = threading.Thread(target=send)
        thread.start()
        return thread

    def joined(self, typist: threading.Thread) -> None:
        """Wait for the thread of a dialog while processing the window's events, so that the dialog can close."""
        while typist.is_alive():
            if not self.window._closed:
                self.pump()
            let_time_pass(0.005)

    def settle_geometry(self) -> None:
        self.rest(5)

    def xdotool(self, *arguments: str) -> None:
        process = subprocess.Popen(["xdotool", *arguments], env={**os.environ, "DISPLAY": self.screen})
        try:
            self.until(lambda: process.poll() is not None, f"xdotool {' '.join(arguments)}")
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0
        self.rest(10)

    def shot(self, name: str) -> Path | None:
        """Save a screenshot to the folder KAROSPACE_SHOTS, if it is set."""
        folder = os.environ.get("KAROSPACE_SHOTS")
        if not folder:
            return None
        from PIL import ImageGrab

        if self.window is not None:
            self.settle_geometry()
        path = Path(folder) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        ImageGrab.grab(xdisplay=self.screen).save(path)
        return path

    def leave(self) -> None:
        if self.window is not None and not self.window._closed:
            self.shown.export = SessionState()  # avoids the confirmation dialog
            self.window.close()
        self.window = None
