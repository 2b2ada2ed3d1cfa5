"""Unexpected user input, such as second clicks, arrow keys, drops, shortcuts in a text box, and Ctrl+C."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from waiting import PATIENCE_S, eventually

DRAG = Path(__file__).with_name("drag.py")
APP = [sys.executable, "-m", "karospace_jupyter.desktop"]


def test_second_click_changes_nothing(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    genes, target = window.form.genes, window.form.target
    target.path.variable.set("/here/mine")
    person.click(target.kinds.buttons["outdir"])
    assert person.shown.options["outdir"] == "/here/mine"
    person.click(genes.segments.buttons["typed"])
    person.settle()
    genes.typed.text.insert("end", "EPCAM CD3E")
    person.settle()
    person.click(genes.segments.buttons["typed"])
    person.settle()
    assert person.shown.options["genes_mode"] == ["EPCAM", "CD3E"]
    # Switching to other modes does not discard what was typed, either.
    for mode in ("all", "hvgs", "typed"):
        person.click(genes.segments.buttons[mode])
        person.settle()
    assert person.shown.options["genes_mode"] == ["EPCAM", "CD3E"]
    assert genes.typed.text.get("1.0", "end").split() == ["EPCAM", "CD3E"]


def test_suggestion_is_accepted_by_mouse(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    typed = window.form.genes.typed
    person.click(window.form.genes.segments.buttons["typed"])
    person.settle()
    person.click(typed.text)
    person.type("cd")
    person.until(lambda: typed.hits.size() > 1, "completion")
    offered = typed.hits.get(0, "end")
    second = typed.hits.bbox(1)
    person.settle_geometry()
    x = typed.hits.winfo_rootx() + second[0] + 10
    y = typed.hits.winfo_rooty() + second[1] + second[3] // 2
    person.xdotool("mousemove", str(x), str(y), "click", "1")
    person.settle()
    assert person.shown.options["genes_mode"] == [offered[1]]
    assert not typed.hits.winfo_ismapped()
    # The suggestions close when the focus moves elsewhere.
    person.type("cd")
    person.until(lambda: typed.hits.size() > 1, "completion")
    person.click(window.form.target.path)
    person.until(lambda: not typed.hits.winfo_ismapped())


def test_arrow_keys_do_not_open_dialogs(person: Any, tissue_file: Path, monkeypatch: Any) -> None:
    window = person.start(tissue_file)
    calls: list[object] = []
    monkeypatch.setattr("karospace_jupyter.desktop.dialogs.filedialog.askopenfilename", lambda **_: calls.append(1))
    genes = window.form.genes
    genes.segments.buttons["hvgs"].focus_force()
    person.settle_geometry()
    seen = []
    for _ in range(5):
        person.key("Right")
        person.settle()
        seen.append(genes.segments.variable.get())
    assert seen == ["top_mean", "typed", "file", "all", "hvgs"]
    assert calls == []
    person.key("Left", "Left")
    person.settle()
    assert "Choose a text file" in genes.problem.cget("text")
    assert "disabled" in window.export_bar.button.state()
    person.click(genes.segments.buttons["hvgs"])
    person.click(genes.segments.buttons["file"])
    assert calls == [1]


def test_shortcuts_work_in_a_text_box(person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    window = person.start(tissue_file)
    calls: list[object] = []
    monkeypatch.setattr("karospace_jupyter.desktop.dialogs.filedialog.askopenfilename", lambda **_: calls.append(1))
    window.form.target.path.variable.set(str(tmp_path / "out"))
    person.click(window.form.genes.segments.buttons["typed"])
    person.settle()
    text = window.form.genes.typed.text
    person.click(text)
    person.type("EPCAM ")
    before = text.get("1.0", "end")
    person.key("ctrl+o")
    assert calls == [1]
    person.settle()
    person.key("ctrl+Return")
    person.until(lambda: person.shown.result)
    assert text.get("1.0", "end") == before
    assert (tmp_path / "out" / "manifest.json").exists()


def test_rebuild_leaks_no_tk_objects(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)

    def counts() -> tuple[int, int, int]:
        """Return the number of Tcl commands, themes and images."""
        root = window.root
        person.settle()
        gc.collect()
        commands, themes = root.tk.call("info", "commands"), window.theme.style.theme_names()
        return len(commands), len(themes), len(root.tk.call("image", "names"))

    def rebuild() -> None:
        for theme in ("dark", "light"):
            window.choose_theme(theme)
            for step in (1, 1, 0):
                window.zoom(step)

    rebuild()
    before = counts()
    for _ in range(3):
        rebuild()
    after = counts()
    assert after[1] == before[1]
    # The images of columns are created and released with their rows.
    assert after[0] - before[0] < 10
    assert after[2] - before[2] < 10


def test_recent_files_are_in_the_menu(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.h5ad"
    gone.write_bytes(tissue_file.read_bytes())
    person.start(gone)
    person.window.close()
    gone.unlink()
    window = person.start(tissue_file)
    window.bar.fill_recent()
    assert [window.bar.recent.entrycget(at, "label") for at in range(2)] == [str(tissue_file), str(gone)]
    window.bar.recent.invoke(1)
    person.until(lambda: person.shown.refused)
    assert "File not found" in person.shown.refused
    assert person.shown.path == str(tissue_file)
    window.bar.recent.invoke(0)
    person.until(lambda: not person.shown.opening)
    assert person.shown.refused == ""


def test_dropped_file_is_opened(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("tkinterdnd2")
    file = tmp_path / "mine, with {braces}, 100 % and π.h5ad"
    file.write_bytes(tissue_file.read_bytes())
    window = person.start()
    assert window.drops
    source = subprocess.Popen([sys.executable, DRAG, "KaroSpace", str(file)], env={**os.environ})
    try:
        person.until(lambda: source.poll() is not None, "the end of the drop")
        assert source.returncode == 0
        person.until(lambda: person.shown.path, "the dropped file")
        assert person.shown.path == str(file)
    finally:
        source.kill()
        source.wait()


def test_only_one_window_opens_without_drop_support(person: Any, monkeypatch: Any) -> None:
    tkinterdnd2 = pytest.importorskip("tkinterdnd2")

    def broken(root: Any) -> None:
        raise RuntimeError("Unable to load tkdnd library.")

    monkeypatch.setattr(tkinterdnd2.TkinterDnD, "_require", broken)
    window = person.start()
    assert not window.drops
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--class", "Karospace"], capture_output=True, text=True, check=False
    )
    assert len(found.stdout.split()) == 1


def children(pid: int) -> list[int]:
    """Return the IDs of a process's child processes."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def gone(pids: list[int]) -> bool:
    """Wait until none of the processes exists."""
    return eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_window_and_worker(screen: str, tissue_file: Path, tmp_path: Path, number: int) -> None:
    environment = {**os.environ, "DISPLAY": screen, "KAROSPACE_SETTINGS": str(tmp_path / "s.json")}
    app = subprocess.Popen([*APP, str(tissue_file)], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        subprocess.run(
            ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^tissue.h5ad"], env=environment, check=True,
            timeout=PATIENCE_S, capture_output=True,
        )  # fmt: skip
        workers = children(app.pid)
        assert workers
        app.send_signal(number)
        _, errors = app.communicate(timeout=PATIENCE_S)
        assert app.returncode == 0, errors
        assert "Traceback" not in errors
        assert gone(workers)
    finally:
        app.kill()
        app.wait()


def test_error_at_startup_leaves_no_process(screen: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import karospace_jupyter.desktop.window as window\n"
        "def broken(self): raise RuntimeError('on purpose')\n"
        "window.Window._size = broken\n"
        "if __name__ == '__main__':\n    window.show()\n"
    )
    environment = {**os.environ, "DISPLAY": screen, "KAROSPACE_SETTINGS": str(tmp_path / "s.json")}
    ended = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ended.returncode == 1
    assert "on purpose" in ended.stderr


def test_broken_tk_is_reported(tmp_path: Path) -> None:
    code = (
        "import tkinter\n"
        'def broken(*a, **k): raise tkinter.TclError("Can\'t find a usable init.tcl in the following directories: ")\n'
        "tkinter.Tk.__init__ = broken\n"
        "from karospace_jupyter.desktop.app import main\nimport sys\nsys.exit(main([]))"
    )
    # On a display, the message would also be shown in a box that waits for a click.
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    environment["KAROSPACE_SETTINGS"] = str(tmp_path / "s.json")
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "init.tcl" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_frozen_program_restores_the_library_paths(monkeypatch: Any) -> None:
    from karospace_jupyter.desktop.system import forget_frozen_libraries

    monkeypatch.setenv("LD_LIBRARY_PATH", "/frozen")
    forget_frozen_libraries()
    assert os.environ["LD_LIBRARY_PATH"] == "/frozen"  # not frozen, so it is not changed
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    forget_frozen_libraries()
    assert "LD_LIBRARY_PATH" not in os.environ
    monkeypatch.setenv("LD_LIBRARY_PATH", "/frozen")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/mine")
    forget_frozen_libraries()
    assert os.environ["LD_LIBRARY_PATH"] == "/mine"


def test_desktop_resolution_sets_the_scale(person: Any, tmp_path: Path, monkeypatch: Any) -> None:
    fake = tmp_path / "xrdb"
    fake.write_text("#!/bin/sh\necho 'Xft.dpi:\t192'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    window = person.start()
    assert window.theme.scale == 2


def test_menu_entry_starts_this_program(person: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    window = person.start()
    messages: list[str] = []
    monkeypatch.setattr(
        "karospace_jupyter.desktop.commands.messagebox.showinfo", lambda *texts, **_: messages.extend(texts)
    )
    window.bar.add_entry()
    entry = tmp_path / "data" / "applications" / "karospace-export-app.desktop"
    assert str(entry) in messages[1]
    line = next(line for line in entry.read_text().splitlines() if line.startswith("Exec="))
    command = shlex.split(line.removeprefix("Exec=").replace("%%", "%"))
    assert command == [sys.executable, "-P", "-m", "karospace_jupyter.desktop", "%f"]
    (tmp_path / "types.py").write_text("raise RuntimeError('a file in the home folder was imported')")
    ended = subprocess.run(
        [*command[:-1], "--version"], capture_output=True, text=True, timeout=PATIENCE_S, check=True, cwd=tmp_path
    )
    assert "karospace-export-app" in ended.stdout
    icon = tmp_path / "data" / "icons" / "hicolor" / "512x512" / "apps" / "karospace-export-app.png"
    with Image.open(icon) as picture:
        assert picture.size == (512, 512)
    # If the entry cannot be written, an error is shown.
    entry.unlink()
    entry.parent.rmdir()
    entry.parent.write_text("in the way")
    window.bar.add_entry()
    assert "could not be written" in person.shown.fault
