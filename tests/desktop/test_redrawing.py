"""State that survives a rebuild of the window (expanded parts, focus, searches), and errors that are cleared."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE_MS, PATIENCE_S, becomes


def pause_worker(window: Any) -> None:
    os.kill(window.app_state._worker.pid, signal.SIGSTOP)


def resume_worker(window: Any) -> None:
    os.kill(window.app_state._worker.pid, signal.SIGCONT)


def test_rebuild_keeps_state_that_is_not_an_option(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.app_state.change(outdir=str(tmp_path / "out"), genes_mode=["EPCAM", "CD3E"])
    person.settle()
    window.form.genes.segments.buttons["hvgs"].invoke()
    window.form.genes.number.variable.set("33")
    window.form.genes.segments.buttons["all"].invoke()
    person.settle()
    person.export()

    def arrange() -> None:
        window.form.columns.search.variable.set("cell")
        window.form.target.path.focus_force()
        window.form.target.path.icursor(3)
        for fold in (window.form.advanced, window.export_bar.log):
            if not (fold.open if fold is window.form.advanced else fold.opened):
                fold.toggle()
        person.settle()

    def assert_unchanged() -> None:
        person.settle()
        assert window.form.advanced.open
        assert window.export_bar.log.opened
        assert window.form.columns.search.variable.get() == "cell"
        assert window.root.focus_get() is window.form.target.path
        assert window.form.target.path.index("insert") == 3

    arrange()
    window.zoom(1)
    window.zoom(1)  # before the first rebuild is finished
    assert_unchanged()
    window.choose_theme("dark")
    assert_unchanged()
    form = window.form
    window.open(str(tissue_file))
    person.until(lambda: window.form is not form)
    assert_unchanged()
    # Input in the hidden modes is kept, too.
    window.form.genes.segments.buttons["typed"].invoke()
    assert person.shown.options["genes_mode"] == ["EPCAM", "CD3E"]
    window.form.genes.segments.buttons["top_mean"].invoke()
    assert person.shown.options["genes_mode"] == "top_mean:33"


def test_error_is_cleared_by_the_next_success(person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("karospace_jupyter.desktop.export_bar._CONFIRMATION_MS", int(PATIENCE_MS))
    window = person.start(tissue_file)
    window.app_state.change(outdir=str(tmp_path / "out"))
    person.settle()
    person.export()
    window._on_callback_error(RuntimeError, RuntimeError("on purpose"), None)
    person.until(lambda: "on purpose" in window.export_bar.problem.cget("text"))
    window.export_bar.details.toggle()
    person.until(lambda: window.export_bar.details.text.winfo_viewable())
    assert "RuntimeError: on purpose" in window.export_bar.details.text.get("1.0", "end")
    person.shot("details")
    window._copy_command()
    person.until(lambda: window.export_bar.left.cget("text") == "Copied")
    person.settle_geometry()
    assert window.export_bar.left.cget("text") == "Copied", "the confirmation disappeared too early"
    assert not window.export_bar.problem.winfo_viewable()
    assert not window.export_bar.details.winfo_viewable()
    # The error about this file is shown until the open file is used again.
    window.open(str(tmp_path / "nowhere.h5ad"))
    person.until(lambda: "File not found" in window.head.facts.cget("text"))
    window.form.genes.number.variable.set("40")
    person.until(lambda: "1,200 cells" in window.head.facts.cget("text"))


def test_missing_bundle_shows_an_error(person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    opened: list[str] = []
    monkeypatch.setattr("karospace_jupyter.desktop.system.webbrowser.open", lambda url: opened.append(url) or True)
    file_manager = tmp_path / "bin" / "xdg-open"
    file_manager.parent.mkdir()
    file_manager.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{tmp_path}/shown"\n')
    file_manager.chmod(0o755)
    monkeypatch.setenv("PATH", f"{file_manager.parent}:{os.environ['PATH']}")
    (tmp_path / "shown").write_text("")
    window = person.start(tissue_file)
    for target, name in (("single_file", "out.html"), ("outdir", "out")):
        window.app_state.write_as(target)
        window.app_state.change(**{target: str(tmp_path / "here" / name)}, genes_mode="hvgs:3")
        person.settle()
        window.export()
        person.until(lambda: person.shown.result and not person.shown.running)
        window._latest.clear()
        window._open_folder()
        folder = tmp_path / "here" / (name if target == "outdir" else "")
        person.until(lambda folder=folder: (tmp_path / "shown").read_text() == str(folder))
        (tmp_path / "here").rename(tmp_path / f"away-{target}")
        window.view()
        person.until(lambda: "no longer exists. Export it again" in person.shown.fault)
        person.shown.fault = ""
        window._latest.clear()
        window._open_folder()
        person.until(lambda: "no longer exists" in person.shown.fault)
    assert opened == []
    # A preview that failed to start does not open the browser later.
    (tmp_path / "away-outdir").rename(tmp_path / "here")
    window.app_state.serve(person.shown.result.path)
    person.until(lambda: person.shown.address)
    person.settle_geometry()
    assert opened == []


def test_opening_a_file_can_be_canceled(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start()
    pause_worker(window)
    window.open(str(tissue_file))
    person.until(lambda: window.welcome.cancel.winfo_viewable())
    person.shot("inspecting")
    person.click(window.welcome.cancel)
    person.until(lambda: not window.welcome.cancel.winfo_viewable())
    window.open(str(tissue_file))
    person.until(lambda: person.shown.path)
    person.settle()
    pause_worker(window)
    window.open(str(tmp_path / "nowhere.h5ad"))
    person.until(lambda: window.head.open.cget("text") == "Cancel")
    assert "disabled" in window.export_bar.button.state()
    person.click(window.head.open)
    person.until(lambda: window.head.open.cget("text") == "Open another…")
    person.settle()
    assert "disabled" not in window.export_bar.button.state()
    assert "1,200 cells" in window.head.facts.cget("text")


def test_export_is_disabled_until_the_estimate_is_ready(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.app_state.change(genes_mode="hvgs:none")
    person.settle()
    assert "disabled" in window.export_bar.button.state()
    pause_worker(window)
    try:
        window.app_state.change(genes_mode="hvgs:5")
        person.settle_geometry()
        assert person.shown.pending
        assert "disabled" in window.export_bar.button.state()
    finally:
        resume_worker(window)
    person.until(lambda: "disabled" not in window.export_bar.button.state())


def test_return_does_not_accept_an_unselected_suggestion(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    person.click(window.form.genes.segments.buttons["typed"])
    person.settle()
    typed = window.form.genes.typed
    person.click(typed.text)
    person.type("cd")
    person.until(lambda: typed.hits.size() > 1, "completion")
    person.key("Return")
    person.settle()
    assert person.shown.options["genes_mode"] == ["cd"]
    assert not typed.hits.winfo_ismapped()
    # A name typed in full is accepted in the spelling of the data.
    person.type("epcam")
    person.until(lambda: typed.hits.size() > 0, "completion")
    person.key("Return")
    person.settle()
    assert person.shown.options["genes_mode"] == ["cd", "EPCAM"]


def test_image_file_may_have_any_name(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    advanced = window.form.advanced
    advanced.toggle()
    window.app_state.change(image_path="")
    person.settle()
    for text in ("none", "none.png", "uns:", "uns:a.png"):
        advanced.image_path.variable.set(text)
        person.settle()
        assert advanced.image_path.winfo_viewable(), text
        assert advanced.image_path.variable.get() == text
        assert "does not exist" in advanced.image.problem.cget("text")


def test_preset_is_described_before_it_is_chosen(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    for name, description in (("Everything", "every gene ·"), ("Quick look", "50 variable genes")):
        button = window.form.presets.buttons[name]
        person.xdotool("mousemove", str(button.winfo_rootx() + 10), str(button.winfo_rooty() + 10))
        person.until(lambda description=description: description in window.form.preset_description.cget("text"))
    person.xdotool("mousemove", "5", "5")
    person.until(lambda: "every gene up to 1 GB" in window.form.preset_description.cget("text"))
    assert person.shown.options["genes_mode"] == "hvgs:500"


def test_system_theme_is_queried_once_without_blocking(person: Any, tissue_file: Path, monkeypatch: Any) -> None:
    calls: list[int] = []
    released = threading.Event()

    def hangs() -> bool:
        calls.append(1)
        released.wait(PATIENCE_S)
        return True

    monkeypatch.setattr("karospace_jupyter.desktop.window.system_is_dark", hangs)
    monkeypatch.setattr("karospace_jupyter.desktop.window._SYSTEM_S", 0.1)
    try:
        window = person.start()
        assert not window.theme.dark
        for theme in ("dark", "system"):
            window.choose_theme(theme)
        assert calls == [1]
    finally:
        released.set()


@pytest.mark.parametrize(
    ("saved", "restored"),
    [
        ("900x640+100+30", "900x640+100+30"),
        ("900x640+-1200+30", "900x640+0+30"),  # on a screen that is no longer connected
        ("900x640+1300+900", "900x640+500+360"),
        ("9000x9000+0+0", "1400x1000+0+0"),
    ],
)
def test_window_position_is_restored_within_the_screen(person: Any, tmp_path: Path, saved: str, restored: str) -> None:
    file = tmp_path / "settings" / "desktop.json"
    file.parent.mkdir()
    file.write_text(f'{{"geometry": "{saved}"}}')
    window = person.start()
    becomes(window.root.wm_geometry, restored, pause=person.pump)


def test_unreadable_folder_can_be_chosen(monkeypatch: Any, tmp_path: Path) -> None:
    from karospace_jupyter.desktop.dialogs import Dialogs
    from karospace_jupyter.desktop.settings import Settings

    folder = tmp_path / "closed"
    folder.mkdir()
    monkeypatch.setattr("karospace_jupyter.desktop.dialogs.filedialog.askdirectory", lambda **_: str(folder))
    ask = Dialogs(None, Settings(folder=str(tmp_path)))  # type: ignore[arg-type]
    (folder / "mine.txt").write_text("")
    assert ask.target("outdir", str(tmp_path / "out")) == str(folder / "out")

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert ask.target("outdir", str(tmp_path / "out")) == str(folder)


def test_unresponsive_share_does_not_block_dialogs(monkeypatch: Any) -> None:
    from karospace_jupyter.desktop import dialogs
    from karospace_jupyter.desktop.settings import Settings

    released = threading.Event()
    monkeypatch.setattr("karospace_jupyter.desktop.dialogs.os.path.isdir", lambda _: released.wait(PATIENCE_S))
    try:
        assert dialogs.Dialogs(None, Settings(folder="/lost"))._folder() == str(Path.home())  # type: ignore[arg-type]
    finally:
        released.set()


def test_command_is_quoted_for_powershell(monkeypatch: Any) -> None:
    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.form.options import shell_of

    monkeypatch.setattr("karospace_jupyter.form.options.sys.platform", "win32")
    config = ExportConfig(outdir="out")
    assert shell_of(config, file="a.h5ad").startswith("karospace-export --h5ad a.h5ad")
    spaced = shell_of(config, file="a.h5ad", program="C:\\my tools\\karospace-export.exe")
    assert spaced.startswith('& "C:\\my tools\\karospace-export.exe" --h5ad a.h5ad')
    # A comma would split the word, a dollar sign would be expanded, and a dash would start an option.
    config = ExportConfig(outdir="D:\\Data $run's", coords="obs:x,y", dataset_name="-80C")
    command = shell_of(config, file="a.h5ad")
    for word in ("--outdir 'D:\\Data $run''s'", '--coords "obs:x,y"', "--name=-80C"):
        assert word in command


def test_damaged_settings_are_reset(person: Any, tmp_path: Path) -> None:
    file = tmp_path / "settings" / "desktop.json"
    file.parent.mkdir()
    for text in (
        "{",
        "[]",
        '{"recent": [1]}',
        '{"zoom": "big"}',
        '{"theme": "pink"}',
    ):
        file.write_text(text)
        window = person.start()
        assert "settings" in " ".join(person.shown.notes)
        assert "settings" in window.welcome.message.cget("text")
        window.close()
        json.loads(file.read_text())  # valid again


def test_changing_theme_or_zoom_keeps_the_options(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    window.form.genes.number.variable.set("33")
    person.settle()
    for theme in ("dark", "light"):
        window.choose_theme(theme)
        person.settle()
        assert window.theme.dark == (theme == "dark")
        assert window.form.genes.number.variable.get() == "33"
        person.shot(f"theme-{theme}")
    before = window.theme.px(100)
    person.key("ctrl+plus")
    assert window.theme.px(100) > before
    assert window.form.genes.number.variable.get() == "33"
    person.shot("larger")
    person.key("ctrl+0")
    assert window.theme.px(100) == before
