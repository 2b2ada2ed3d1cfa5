"""Options that are easily confused, typed paths, keyboard focus, and messages that must be kept or cleared."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from waiting import PATIENCE_MS

from karospace_jupyter.cli import main
from karospace_jupyter.datasets import synthetic_tissue


def choose(person: Any, choice: Any, value: str) -> None:
    """Choose a value in a combobox."""
    choice.current(choice._values.index(value))
    choice.event_generate("<<ComboboxSelected>>")
    person.settle()


def stops(person: Any, first: Any, count: int) -> list[str]:
    """Return the widgets that the Tab key reaches, starting from `first`."""
    first.focus_set()
    person.settle_geometry()
    found = []
    for _ in range(count):
        found.append(str(person.window.root.focus_get()))
        person.key("Tab")
    return found


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Return a file with two pairs of columns that are equally likely coordinates."""
    adata = synthetic_tissue(300, 30, seed=3)
    positions = np.asarray(adata.obsm.pop("spatial"))
    adata.obs = adata.obs[["cell_type"]].copy()
    for at, (x, y) in enumerate((("x_centroid", "y_centroid"), ("center_x", "center_y"))):
        adata.obs[x], adata.obs[y] = positions[:, 0] + at, positions[:, 1]
    adata.uns.clear()
    path = tmp_path / "several.h5ad"
    adata.write_h5ad(path)
    return path


def test_gene_list_is_checked_again_on_focus(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    genes = tmp_path / "genes.txt"
    window = person.start(tissue_file)
    window.form.target.path.variable.set(str(tmp_path / "out"))
    window.app_state.change(genes_mode=f"list:{genes}")
    person.settle()
    assert "cannot be read" in window.form.genes.problem.cget("text")
    assert window.export_bar.button.instate(["disabled"])
    genes.write_text("CD3E\nEPCAM\n")
    window.root.event_generate("<FocusIn>")  # as if the window regained the focus
    person.settle()
    assert window.form.genes.problem.cget("text") == ""
    assert window.export_bar.button.instate(["!disabled"])
    # The same applies when the same file is chosen again.
    genes.write_text("NONE\n")
    window.app_state.predict_again()
    person.settle()
    assert window.form.genes.problem.cget("text")
    genes.write_text("CD3E\n")
    window.app_state.change(genes_mode=f"list:{genes}")
    person.settle()
    assert window.form.genes.problem.cget("text") == ""


def test_several_coordinates_require_a_choice(person: Any, several: Path) -> None:
    window = person.start(several)
    coordinates = window.form.coordinates
    assert coordinates.choice.get() == "Choose…"
    assert "equally likely" in coordinates.problem.cget("text")
    assert "equally likely" in window.export_bar.message.text
    choose(person, coordinates.choice, "obs:x_centroid,y_centroid")
    assert person.shown.options["coords"] == "obs:x_centroid,y_centroid"
    assert coordinates.problem.cget("text") == ""


def test_coordinate_columns_can_be_chosen_individually(person: Any, tmp_path: Path) -> None:
    adata = synthetic_tissue(300, 30, seed=3)
    positions = np.asarray(adata.obsm.pop("spatial"))
    adata.obs.insert(0, "y_centroid", positions[:, 1])
    adata.obs.insert(0, "x_centroid", positions[:, 0])
    path = tmp_path / "cells.h5ad"
    adata.write_h5ad(path)
    window = person.start(path)
    coordinates = window.form.coordinates
    assert coordinates.choice.get() == "obs: x_centroid, y_centroid  (detected)"
    choose(person, coordinates.choice, "own")
    assert coordinates.pair.winfo_ismapped()
    assert (coordinates.x.chosen, coordinates.y.chosen) == ("x_centroid", "y_centroid")
    choose(person, coordinates.x, "area")
    assert person.shown.options["coords"] == "obs:area,y_centroid"
    # Choosing the same entry again changes nothing.
    choose(person, coordinates.choice, "own")
    assert person.shown.options["coords"] == "obs:area,y_centroid"
    choose(person, coordinates.choice, "")
    assert person.shown.options["coords"] is None
    assert not coordinates.pair.winfo_ismapped()


def test_notes_match_the_current_options(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.app_state.change(genes_mode="hvgs:5", outdir=str(tmp_path / "out"))
    person.settle()
    window.app_state.export()
    person.until(lambda: person.shown.export.status == "done")
    person.settle()
    before = window.export_bar.notes._lines
    window.app_state.change(annotation_columns=["cell_type"], sections="section")
    person.settle()
    assert any("it names the sections" in line for line in window.export_bar.notes._lines)
    window.app_state.change(annotation_columns=None, sections=None)
    person.settle()
    assert window.export_bar.notes._lines == before


@pytest.mark.parametrize("typed", ["~nobody-of-that-name/out", "relative/out"])
def test_typed_target_path_is_expanded_or_rejected(person: Any, tissue_file: Path, typed: str) -> None:
    window = person.start(tissue_file)
    window.form.target.path.variable.set(typed)
    person.settle()
    assert person.shown.fault == ""
    if typed.startswith("~"):
        assert "no such user" in window.form.target.problem.cget("text")
    else:
        assert f"Full path: {Path.cwd() / typed}." in window.form.target.note.cget("text")


@pytest.mark.parametrize(
    ("typed", "file"), [("out/", "out.html"), ("out", "out.html"), ("out.HTML", "out.HTML.html"), ("", None)]
)
def test_folder_target_becomes_a_file_target(
    person: Any, tissue_file: Path, tmp_path: Path, typed: str, file: str | None
) -> None:
    window = person.start(tissue_file)
    window.app_state.change(outdir=f"{tmp_path}/{typed}" if typed else "")
    window.app_state.write_as("single_file")
    assert person.shown.options["single_file"] == (
        f"{tmp_path}/{file}" if file else str(tissue_file.with_suffix(".html"))
    )
    window.app_state.change(single_file=f"{tmp_path}/OUT.HTML")
    window.app_state.write_as("zip_path")
    assert person.shown.options["zip_path"] == f"{tmp_path}/OUT.zip"


def test_copied_command_works_in_any_folder(
    person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "genes.txt").write_text("CD3E\n")
    Image.new("RGB", (64, 48), "#c8b4d0").save(tmp_path / "stain.png")
    window = person.start(tissue_file)
    options = {"genes_mode": "list:genes.txt", "image_path": "stain.png", "outdir": "out", "dataset_name": "-80C"}
    window.app_state.change(**options)
    commands: list[str] = []
    window.app_state.command(commands.append)
    person.until(lambda: commands)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    program, *arguments = shlex.split(commands[0])
    assert program.endswith("karospace-export")
    assert main([*arguments, "--quiet"]) == 0
    assert (tmp_path / "out" / "manifest.json").exists()
    assert not list(elsewhere.iterdir())


def test_image_file_is_kept_if_the_dialog_is_canceled(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    picture = tmp_path / "stain.png"
    Image.new("RGB", (64, 48), "#c8b4d0").save(picture)
    window = person.start(tissue_file)
    window.form.advanced.toggle()
    window.app_state.change(image_path=str(picture))
    person.settle()
    choice = window.form.advanced.image_choice
    choice.current(choice._values.index("file"))
    typist = person.answer("Tissue image", "key", "Escape")
    choice.event_generate("<<ComboboxSelected>>")
    person.joined(typist)
    person.settle()
    assert person.shown.options["image_path"] == str(picture)


def test_opening_a_file_twice_opens_it_once(person: Any, tissue_file: Path) -> None:
    window = person.start()
    window.open(str(tissue_file))
    number = window.app_state._open_request
    window.open(str(tissue_file))
    assert window.app_state._open_request == number
    person.until(lambda: person.shown.path == str(tissue_file))


@pytest.mark.parametrize(
    "options", [{"markers": ["nope"]}, {"color": "nope"}, {"layer": "nope"}, {"um_per_unit": -1.0}], ids=str
)
def test_problem_of_an_option_expands_its_section(person: Any, tissue_file: Path, options: dict[str, Any]) -> None:
    window = person.start(tissue_file)
    advanced = window.form.advanced
    assert not advanced.open
    window.app_state.change(**options)
    person.settle()
    assert {*person.shown.estimate.problems} == {*options}
    person.until(lambda: advanced.open)


def test_failure_is_cleared_when_options_change(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    target = tmp_path / "out"
    window.app_state.change(outdir=str(target), genes_mode="hvgs:5")
    person.settle()
    target.mkdir()
    (target / "mine.txt").write_text("keep")  # after the form has checked the target
    window.app_state.export()
    person.until(lambda: person.shown.export.status == "failed")
    person.until(lambda: window.export_bar.problem.cget("text"))
    window.app_state.change(outdir=str(tmp_path / "other"))
    person.settle()
    assert window.export_bar.problem.cget("text") == ""
    assert window.export_bar.message.text == ""
    assert (target / "mine.txt").read_text() == "keep"


def test_tab_key_follows_the_layout(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    advanced = window.form.advanced
    advanced.toggle()
    person.settle()
    names = stops(person, advanced.fold, 12)
    widgets = [window.root.nametowidget(name) for name in names[1:]]
    tops = [
        (widget.winfo_rooty() // 20, widget.winfo_rootx())
        for widget in widgets
        if str(widget).startswith(str(advanced.inside))
    ]
    assert len(tops) >= 8
    assert tops == sorted(tops)


def test_shortcuts_work_in_the_list_of_columns(
    person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from karospace_jupyter.desktop import widgets

    monkeypatch.setattr(widgets, "_TIP_MS", int(PATIENCE_MS))  # the focus alone shows no tooltip
    window = person.start(tissue_file)
    window.app_state.change(outdir=str(tmp_path / "out"), genes_mode="hvgs:5")
    person.settle()
    before = list(window.form.columns._chosen().items())
    window.form.columns.tree.focus_set()
    person.key("ctrl+Return")
    person.until(lambda: person.shown.export.status == "done")
    assert list(window.form.columns._chosen().items()) == before
    # F1 also explains widgets that are not inside a field.
    window.form.advanced.toggle()
    person.settle()
    tick = window.form.advanced.inside.winfo_children()[-1].winfo_children()[0]
    tick.focus_set()
    person.key("F1")
    assert widgets._TIPS[tick]._shown is not None


def test_two_windows_merge_their_recent_files(tmp_path: Path) -> None:
    from karospace_jupyter.desktop.settings import Settings, load, save

    file = tmp_path / "desktop.json"
    first, second = Settings(), Settings()
    first.remember("/a.h5ad")
    save(first, file)
    second.remember("/b.h5ad")
    save(second, file)
    assert load(file)[0].recent == ["/b.h5ad", "/a.h5ad"]
