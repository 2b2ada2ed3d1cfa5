"""The command that opens the window, run as a separate process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE_S, eventually, let_time_pass

from karospace_jupyter import Bundle

APP = [sys.executable, "-m", "karospace_jupyter.desktop"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the app without a display."""
    base = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    return subprocess.run(
        [*APP, *arguments], env={**base, **environment}, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_missing_display_is_reported(tmp_path: Path) -> None:
    pytest.importorskip("tkinter")
    result = run("file.h5ad", KAROSPACE_SETTINGS=str(tmp_path / "s.json"))
    assert result.returncode == 1
    assert "cannot open a window" in result.stderr
    assert "karospace-export --h5ad" in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_tk_names_the_package() -> None:
    code = (
        "import sys; sys.modules['tkinter'] = None; from karospace_jupyter.desktop.app import main; sys.exit(main([]))"
    )
    # Without a display, because it would otherwise show a message box and wait until it is closed.
    environment = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert result.returncode == 1
    assert "python3-tk" in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_tk_shows_a_message_box_when_started_from_a_menu(tmp_path: Path) -> None:
    shown = tmp_path / "shown.txt"
    box = tmp_path / "zenity"
    box.write_text(f'#!/bin/sh\nfor text; do :; done\nprintf "%s" "$text" > "{shown}"\n')
    box.chmod(0o755)
    code = (
        "import sys; sys.modules['tkinter'] = None; from karospace_jupyter.desktop.app import main; sys.exit(main([]))"
    )
    environment = {**os.environ, "PATH": str(tmp_path), "DISPLAY": ":0"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert result.returncode == 1
    assert "python3-tk" in shown.read_text()


def test_version_is_printed_and_unknown_option_is_a_usage_error() -> None:
    assert run("--version").stdout.startswith("karospace-export-app ")
    assert run("--nonsense").returncode == 2


def test_window_process_does_not_load_the_engine(screen: str, tissue_file: Path, tmp_path: Path) -> None:
    """The engine runs in another process, so that the window always responds."""
    code = f"""
import sys, time
def main():
    from karospace_jupyter.desktop.window import Window
    window = Window({str(tissue_file)!r})
    end = time.monotonic() + {PATIENCE_S}
    while not window.app_state.shown.estimate.files and time.monotonic() < end:
        window.root.update()
        time.sleep(0.01)
    assert window.app_state.shown.estimate.files > 0
    print(sorted({{"anndata", "h5py", "numpy", "pandas", "pydantic", "scipy"}} & set(sys.modules)))
    window.close()
if __name__ == "__main__":
    main()
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    environment = {**os.environ, "DISPLAY": screen, "KAROSPACE_SETTINGS": str(tmp_path / "s.json")}
    result = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert result.stdout == "[]\n", result.stderr


def children(pid: int) -> list[int]:
    result = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in result.stdout.split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_installed_command_opens_the_window(screen: str, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("karospace-export-app")
    if not program.exists():
        pytest.skip("the command karospace-export-app is not installed: pip install -e .")
    environment = {**os.environ, "DISPLAY": screen, "KAROSPACE_SETTINGS": str(tmp_path / "s.json")}
    app = subprocess.Popen([program], env=environment)
    try:
        search = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "KaroSpace"]
        result = subprocess.run(search, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
        assert result.stdout.split()
        assert app.poll() is None
    finally:
        app.kill()
        app.wait()


@pytest.mark.parametrize("end", ["key", "killed"])
def test_file_from_the_command_line_is_exported_by_keyboard(
    screen: str, tissue_file: Path, tmp_path: Path, end: str
) -> None:
    file = tmp_path / "mine.h5ad"
    file.write_bytes(tissue_file.read_bytes())
    environment = {**os.environ, "DISPLAY": screen, "KAROSPACE_SETTINGS": str(tmp_path / "s.json")}
    app = subprocess.Popen([*APP, str(file)], env=environment)
    try:
        _drive(screen, file, end, app, tmp_path)
    finally:
        app.kill()
        app.wait()


def _drive(screen: str, file: Path, end: str, app: Any, tmp_path: Path) -> None:
    """Export a file by keyboard, then quit or kill the app, and check that no process is left."""

    def xdotool(*words: str, check: bool = True) -> str:
        environment = {**os.environ, "DISPLAY": screen}
        result = subprocess.run(
            ["xdotool", *words], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=check
        )
        return result.stdout

    def becomes_true(done: Callable[[], bool]) -> bool:
        """Return whether `done` becomes true within some seconds after a key press."""
        for _ in range(40):
            if done():
                return True
            let_time_pass(0.1)
        return False

    window = xdotool("search", "--sync", "--onlyvisible", "--name", "^mine.h5ad").split()[0]
    xdotool("windowfocus", "--sync", window)
    manifest = tmp_path / "mine_karospace" / "manifest.json"

    def exported() -> bool:
        # The key has no effect before the estimate is ready; an additional press would export again.
        xdotool("key", "ctrl+Return")
        return becomes_true(manifest.exists)

    eventually(exported)
    Bundle(manifest.parent).verify()
    processes = children(app.pid)
    assert processes
    if end == "key":
        # Until the window knows that the export has ended, it asks for confirmation; Return answers "No".
        def ended() -> bool:
            xdotool("key", "ctrl+q", check=False)
            if not becomes_true(lambda: app.poll() is not None):
                xdotool("key", "Return", check=False)
            return app.poll() is not None

        eventually(ended)
        assert app.returncode == 0
    else:
        app.send_signal(signal.SIGKILL)
        app.wait()
    eventually(lambda: not any(map(alive, processes)), what="a process outlives the window")
