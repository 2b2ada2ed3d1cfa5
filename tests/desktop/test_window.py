"""The window, operated by a simulated user."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE_S

from karospace_jupyter import Bundle, ExportConfig
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.export import run


def export(person: Any) -> Any:
    """Click the button "Export", and return the result once it is shown."""
    person.settle()
    person.click(person.window.export_bar.button)
    person.until(lambda: person.shown.result and not person.shown.running, "the export")
    person.settle()
    return person.shown.result


def test_file_is_exported_and_viewed(person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """Follow the README with the mouse: open, export, open the viewer."""
    window = person.start()
    person.shot("welcome")
    person.window.settings.folder = str(tissue_file.parent)
    typist = person.answer("Open an AnnData file", "type", str(tissue_file), "key", "Return")
    person.click(window.welcome.open)
    person.joined(typist)
    person.until(lambda: person.shown.path, "the file")
    person.settle()
    assert window.root.title().startswith("tissue.h5ad")
    assert "1,200 cells × 80 genes" in window.head.facts.cget("text")
    person.shot("form")
    target = tmp_path / "out"
    window.form.target.path.variable.set(str(target))
    result = export(person)
    assert Path(result.path) == target
    Bundle(target).verify()
    assert "Done" in window.export_bar.message.text
    opened: list[str] = []
    monkeypatch.setattr("karospace_jupyter.desktop.system.webbrowser.open", lambda url: opened.append(url) or True)
    person.click(window.export_bar.done.buttons["view"])
    person.until(lambda: opened, "the browser")
    person.shot("done")
    with urllib.request.urlopen(f"{opened[0]}manifest.json", timeout=PATIENCE_S) as response:
        assert json.load(response)["n_cells"] == 1200
    person.click(window.export_bar.preview.buttons["stop_serving"])
    person.until(lambda: not person.shown.address)
    with pytest.raises(OSError):
        urllib.request.urlopen(opened[0], timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("imc_squidpy", 4668),
        ("visium_mouse_placenta_small", 2898),
        ("cycif_mti_phenotyped", None),
        ("pbmc68k_reduced", 700),
    ],
)
@pytest.mark.parametrize("target", ["outdir", "single_file", "zip_path"])
def test_real_files_are_exported(
    person: Any, real_data: Path, tmp_path: Path, name: str, cells: int | None, target: str
) -> None:
    window = person.start(real_data / f"{name}.h5ad")
    if name == "pbmc68k_reduced":
        assert "coords" in person.shown.estimate.problems
        assert "disabled" in window.export_bar.button.state()
        assert window.form.coordinates.problem.winfo_viewable()
        person.shot("no-coordinates")
        choice = window.form.coordinates.choice
        spec = next(spec for spec in person.shown.summary.coordinates if spec == "obsm:X_umap")
        choice.current(choice._values.index(spec))
        choice.event_generate("<<ComboboxSelected>>")
    person.click(window.form.target.kinds.buttons[target])
    path = tmp_path / ("out" if target == "outdir" else f"out{'.html' if target == 'single_file' else '.zip'}")
    window.form.target.path.variable.set(str(path))
    result = export(person)
    assert result.path == str(path)
    bundle = Bundle(path)
    bundle.verify()
    assert bundle.manifest.n_cells == (cells or person.shown.summary.n_cells)
    person.shot(f"{name}-{target}")


def start_a_paused_export(person: Any, tmp_path: Path) -> tuple[Any, Path]:
    """Start an export and pause its worker; return the window and the folder that the export writes to."""
    path = tmp_path / "large.h5ad"
    synthetic_tissue(20_000, 1500, seed=2).write_h5ad(path)
    folder = tmp_path / "here"
    folder.mkdir()
    window = person.start(path)
    window.form.presets.buttons["Everything"].invoke()
    window.form.target.path.variable.set(str(folder / "bundle"))
    person.settle()
    window.export_bar.button.invoke()
    person.until(lambda: list(folder.iterdir()) or not person.shown.running)
    assert person.shown.running
    # The export is paused until the test resumes it, so that the machine's speed does not matter.
    os.kill(window.app_state._worker.pid, signal.SIGSTOP)
    return window, folder


def resume_worker(window: Any) -> None:
    os.kill(window.app_state._worker.pid, signal.SIGCONT)


def test_canceled_export_leaves_no_files(person: Any, tmp_path: Path) -> None:
    window, folder = start_a_paused_export(person, tmp_path)
    assert window.export_bar.button.cget("text") == "Cancel"
    person.shot("running")
    person.click(window.export_bar.button)
    assert person.shown.canceling
    resume_worker(window)
    person.until(lambda: not person.shown.running, "the cancellation")
    assert person.shown.export.status == "cancelled"
    assert list(folder.iterdir()) == []
    assert window.export_bar.button.cget("text") == "Export"


def test_closing_during_an_export_asks_for_confirmation(person: Any, tmp_path: Path) -> None:
    window, folder = start_a_paused_export(person, tmp_path)
    typist = person.answer("An export is running", "key", "Return")  # Return answers "No"
    window.close()
    person.joined(typist)
    assert window.root.winfo_exists()
    assert person.shown.running
    process = window.app_state._worker.pid
    typist = person.answer("An export is running", "key", "alt+y")
    closing = window.end
    window.end = lambda: (resume_worker(window), closing())
    window.close()
    person.joined(typist)
    assert window._closed
    assert list(folder.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_invalid_file_shows_an_error_and_another_opens(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "text.h5ad"
    wrong.write_text("hello")
    window = person.start(wrong)
    assert "is not an .h5ad file" in person.shown.refused
    assert window.welcome.message.winfo_viewable()
    person.shot("wrong-file")
    window.open(str(tmp_path / "nowhere.h5ad"))
    person.until(lambda: "File not found" in person.shown.refused)
    window.open(str(tissue_file))
    person.until(lambda: person.shown.path)
    person.settle()
    # An invalid file does not close the open one.
    window.open(str(wrong))
    person.until(lambda: person.shown.refused)
    person.settle_geometry()
    assert person.shown.path == str(tissue_file)
    assert "is not an .h5ad file" in window.head.facts.cget("text")


def test_unwritable_target_shows_an_error(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    file = tmp_path / "file"
    file.write_text("mine")
    errors = {str(file): "is a file", str(file / "in"): "is a file", "": "Enter a path to write to"}
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    if os.access(closed, os.W_OK):
        closed = Path("/proc/1")  # root can write to any other folder
    errors[str(closed / "bundle")] = "is not writable"
    for target, error in errors.items():
        window.form.target.path.variable.set(target)
        person.settle()
        assert error in window.form.target.problem.cget("text")
        assert "disabled" in window.export_bar.button.state()
    assert file.read_text() == "mine"
    window.form.target.path.variable.set(str(tmp_path / "good"))
    person.settle()
    assert window.form.target.problem.cget("text") == ""
    assert "disabled" not in window.export_bar.button.state()


def test_preview_uses_another_port_if_busy(person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("karospace_jupyter.desktop.system.webbrowser.open", lambda url: True)
    window = person.start(tissue_file)
    window.form.target.path.variable.set(str(tmp_path / "out"))
    export(person)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        window.app_state.serve(person.shown.result.path, port)
        person.until(lambda: person.shown.address)
        assert f":{port}/" not in person.shown.address
        person.until(lambda: person.shown.address in window.export_bar.served.cget("text"))
        urllib.request.urlopen(person.shown.address, timeout=PATIENCE_S).close()
        address = person.shown.address
    process = window.app_state._worker.pid
    window.close()
    with pytest.raises(OSError):
        urllib.request.urlopen(address, timeout=PATIENCE_S)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_genes_are_typed_by_keyboard(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    genes = window.form.genes
    person.click(genes.segments.buttons["typed"])
    person.settle()
    assert "No genes listed" in genes.typed.note.cget("text")
    person.click(genes.typed.text)
    summary = person.window.app_state.shown.summary
    assert summary.n_genes == 80
    import anndata

    known = [str(name) for name in anndata.read_h5ad(tissue_file).var_names]
    word = next(name[:2] for name in known if sum(other.startswith(name[:2]) for other in known) > 1)
    person.type(word.lower())
    person.until(lambda: genes.typed.hits.size() > 0, "completion")
    offered = genes.typed.hits.get(0, "end")
    person.shot("completion")
    person.key("Down", "Down", "Return")
    person.settle()
    assert person.shown.options["genes_mode"] == [offered[1]]
    person.type("NotAGene")
    person.key("space")
    person.settle()
    person.until(lambda: genes.typed.unknown.winfo_children(), "the unknown gene")
    person.shot("unknown-gene")
    remove = [child for child in genes.typed.unknown.winfo_children() if child.cget("text") == "Remove"]
    person.click(remove[0])
    person.settle()
    assert person.shown.options["genes_mode"] == [offered[1]]
    window.form.target.path.variable.set(str(tmp_path / "out"))
    export(person)
    assert Bundle(tmp_path / "out").manifest.n_genes_exported == 1


def test_columns_are_toggled_by_mouse_and_keyboard(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    columns = window.form.columns
    before = columns._chosen()
    person.click(columns.tree, 0.3, 13 / columns.tree.winfo_height())
    person.settle()
    first = columns._facts[0].name
    assert (first in columns._chosen()) != (first in before)
    person.key("Down")
    person.key("space")
    person.settle()
    second = columns._facts[1].name
    assert (second in columns._chosen()) != (second in before)
    # Columns are kept in the order of obs.
    order = [column.name for column in columns._facts]
    chosen = person.shown.options["annotation_columns"]
    assert chosen == sorted(chosen, key=order.index)


def test_presets_set_options(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    assert window.form.presets.variable.get() == "Balanced"
    person.click(window.form.presets.buttons["Everything"])
    person.settle()
    assert person.shown.options["genes_mode"] == "all"
    assert person.shown.estimate.n_genes == 80
    assert "every gene" in window.form.preset_description.cget("text")
    person.click(window.form.presets.buttons["Quick look"])
    person.settle()
    assert person.shown.options["packed"] == "no"
    assert person.shown.estimate.n_genes == 50
    window.form.genes.segments.buttons["hvgs"].invoke()
    window.form.genes.number.variable.set("7")
    person.settle()
    assert window.form.presets.variable.get() == ""
    assert person.shown.estimate.n_genes == 7
    packed = window.form.advanced.packed_choice
    packed.current(packed._values.index("auto"))
    packed.event_generate("<<ComboboxSelected>>")
    person.settle()
    assert person.shown.options["packed"] == "auto"
    assert person.shown.estimate.n_genes == 80
    window.form.genes.number.variable.set("none")
    person.settle()
    assert "needs a number of genes" in window.form.genes.problem.cget("text")
    assert "disabled" in window.export_bar.button.state()


def test_numbers_are_validated_while_typing(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    window.form.advanced.toggle()
    person.settle()
    person.shot("more")
    field, entry = window.form.advanced.numbers["downsample"]
    for text, wrong in (
        ("0", True), ("-3", True), ("many", True), ("1e3", True), ("50.000", True), ("50,5", True), ("²", True),
        ("1,000", False), ("", False),
    ):  # fmt: skip
        entry.variable.set(text)
        person.settle()
        assert bool(field.problem.cget("text")) == wrong, text
        assert entry.variable.get() == text
    assert person.shown.options["downsample"] is None
    # The field for the scale shows the detected one.
    assert "µm (" in person.shown.estimate.scale
    assert window.form.advanced.numbers["um_per_unit"][1]._hint.cget("text") == person.shown.estimate.scale
    field, entry = window.form.advanced.numbers["max_asset_mb"]
    for text, wrong in (("1,5", True), ("1.5", False), ("1,000", False)):
        entry.variable.set(text)
        person.settle()
        assert bool(field.problem.cget("text")) == wrong, text
    assert person.shown.options["max_asset_mb"] == 1000
    number = window.form.genes.number
    for text, wrong in (("²", True), ("1.000", True), ("1,000", False)):
        number.variable.set(text)
        person.settle()
        assert bool(window.form.genes.problem.cget("text")) == wrong, text
    assert window.form.genes.note.cget("text") == "All 80 genes"


def test_sections_embeddings_and_view_are_exported(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.form.advanced.toggle()
    person.settle()
    layout = window.form.advanced.layout_options
    assert layout.sections_choice.get() == "section (detected)"
    assert {key: tick.get() for key, tick in layout.ticks.items()} == {"X_umap": True}
    layout.sections_choice.current(layout.sections_choice._values.index("region"))
    layout.sections_choice.event_generate("<<ComboboxSelected>>")
    layout.view_path.variable.set(str(tmp_path / "absent.json"))
    person.settle()
    assert "cannot be read" in layout.view.problem.cget("text")
    assert "disabled" in window.export_bar.button.state()
    (tmp_path / "view.json").write_text('{"opacity": 0.5}')
    layout.view_path.variable.set(str(tmp_path / "view.json"))
    [tick] = [child for child in layout.embeddings.body.winfo_children() if child.winfo_class() == "TCheckbutton"]
    tick.invoke()
    person.settle()
    person.shot("layout")
    assert person.shown.options["embeddings"] == []
    layout.markers_choice.current(layout.markers_choice._values.index("of region"))
    layout.markers_choice.event_generate("<<ComboboxSelected>>")
    person.settle()
    assert person.shown.options["markers"] == ["region"]
    window.form.target.path.variable.set(str(tmp_path / "out"))
    export(person)
    manifest = Bundle(tmp_path / "out").manifest
    assert manifest.sections is not None and manifest.sections.column == "region"
    assert (manifest.embeddings, manifest.view) == (None, {"opacity": 0.5})
    assert manifest.packed is not None and manifest.packed.markers is not None
    assert [markers.column for markers in manifest.packed.markers] == ["region"]
    tick.invoke()
    person.settle()
    assert person.shown.options["embeddings"] is None  # the default again


def test_copied_command_repeats_the_export(
    person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")  # the manifest's script includes the time
    window = person.start(tissue_file)
    window.form.presets.buttons["Quick look"].invoke()
    window.form.target.path.variable.set(str(tmp_path / "one place"))
    export(person)
    person.click(window.export_bar.done.buttons["command"])
    person.until(lambda: window.export_bar.left.cget("text") == "Copied")
    command = window.root.clipboard_get()
    words = shlex.split(command)
    assert Path(words[0]).name == "karospace-export"  # with its folder if it is not on the path
    words[words.index(str(tmp_path / "one place"))] = str(tmp_path / "another")
    subprocess.run(words, check=True, capture_output=True)
    ours, theirs = (Bundle(tmp_path / name).manifest for name in ("one place", "another"))
    assert [file.sha256 for file in ours.asset_files] == [file.sha256 for file in theirs.asset_files]


def test_choices_are_remembered_between_sessions(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.form.genes.number.variable.set("12")
    window.form.target.kinds.buttons["zip_path"].invoke()
    window.form.target.path.variable.set(str(tmp_path / "a.zip"))
    export(person)
    window.root.geometry("900x640+40+30")
    person.settle_geometry()
    window.close()
    window = person.start()
    assert window.root.winfo_geometry().startswith("900x640")
    assert [button.cget("text").split()[0] for button in window.welcome.recent] == ["tissue.h5ad"]
    person.click(window.welcome.recent[0])
    person.until(lambda: person.shown.path)
    person.settle()
    assert person.shown.options["genes_mode"] == "hvgs:12"
    assert person.shown.target == "zip_path"
    assert person.shown.options["zip_path"] == str(tissue_file.parent / "tissue.zip")


def test_all_fields_are_reachable_by_keyboard(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.form.target.path.variable.set(str(tmp_path / "out"))
    person.settle()
    window.root.focus_force()
    seen: list[str] = []
    for _ in range(40):
        person.key("Tab")
        focus = window.root.focus_get()
        if focus is None or str(focus) in seen:
            break
        seen.append(str(focus))
    wanted = [
        window.head.open, window.form.presets.buttons["Balanced"], window.form.coordinates.choice,
        window.form.columns.tree, window.form.genes.segments.buttons["hvgs"], window.form.genes.number,
        window.form.target.kinds.buttons["outdir"], window.form.target.path, window.form.advanced.fold,
        window.export_bar.button,
    ]  # fmt: skip
    order = [seen.index(str(widget)) for widget in wanted]
    assert order == sorted(order)
    person.key("ctrl+Return")
    person.until(lambda: person.shown.result and not person.shown.running)
    Bundle(tmp_path / "out").verify()


@pytest.mark.parametrize("zoom", [1.0, 2.5])
def test_small_window_keeps_everything_reachable(person: Any, tissue_file: Path, tmp_path: Path, zoom: float) -> None:
    """The window works on a small screen and with large fonts."""
    window = person.start(tissue_file)
    window.settings.zoom = zoom
    window._build()
    window.root.minsize(1, 1)
    window.root.geometry("500x364" if zoom == 1 else "1280x730")
    window.app_state.change(outdir=str(tmp_path / "out"))
    person.settle()

    def inside(widget: Any) -> bool:
        root = window.root
        top, left = widget.winfo_rooty() - root.winfo_rooty(), widget.winfo_rootx() - root.winfo_rootx()
        bottom, right = top + widget.winfo_height(), left + widget.winfo_width()
        return bool(top >= 0 and left >= 0 and bottom <= root.winfo_height() and right <= root.winfo_width())

    assert inside(window.export_bar.button)
    first, second = window.form._cards
    assert second.winfo_rooty() > first.winfo_rooty() + first.winfo_height() - 1, "the cards are side by side"
    person.click(window.export_bar.button)
    person.until(lambda: person.shown.result and not person.shown.running)
    window.app_state.serve(str(tmp_path / "out"))
    person.until(lambda: person.shown.address and window.export_bar.preview.winfo_ismapped())
    person.settle()
    assert inside(window.export_bar.button)
    assert window.form.winfo_height() >= window.root.winfo_height() * 0.15
    window.export_bar.log.toggle()
    person.settle()
    assert inside(window.export_bar.button)
    # Controls that do not fit can be scrolled into view, also by keyboard.
    for button in (window.export_bar.preview.buttons["stop_serving"], window.export_bar.done.buttons["folder"]):
        button.focus_force()
        person.settle()
        rest = window.export_bar.rest
        top = button.winfo_rooty() - rest.winfo_rooty()
        assert top >= 0
        assert top + button.winfo_height() <= rest.winfo_height() + 1


def test_relative_target_shows_its_full_path(person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    window = person.start(tissue_file)
    window.app_state.change(outdir="somewhere/out")
    person.settle()
    assert f"Full path: {tmp_path / 'somewhere/out'}." in window.form.target.note.cget("text")
    window.app_state.change(outdir=str(tmp_path / "out"))
    person.settle()
    assert "Full path" not in window.form.target.note.cget("text")


def test_result_is_muted_after_options_change(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.app_state.change(outdir=str(tmp_path / "out"))
    person.settle()
    person.export()
    assert str(window.export_bar.message.cget("style")) == "Good.TLabel"
    window.app_state.change(genes_mode="all")
    person.settle()
    assert str(window.export_bar.message.cget("style")) == "Muted.TLabel"
    window.open(str(tmp_path / "gone.h5ad"))
    person.until(lambda: "Not opened: File not found" in window.head.facts.cget("text"))


def test_crashed_worker_is_replaced(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.form.target.path.variable.set(str(tmp_path / "out"))
    person.settle()
    first = window.app_state._worker.pid
    window.export_bar.button.invoke()
    os.kill(first, signal.SIGKILL)
    person.until(lambda: not person.shown.running, "the end of the export")
    assert person.shown.export.status == "failed"
    person.settle_geometry()
    assert "memory" in window.export_bar.problem.cget("text")
    person.shot("worker-died")
    person.until(lambda: not person.shown.opening)
    export(person)
    Bundle(tmp_path / "out").verify()
    assert window.app_state._worker.pid != first


def test_log_is_saved(person: Any, tissue_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    window = person.start(tissue_file)
    window.form.target.path.variable.set(str(tmp_path / "out"))
    export(person)
    person.click(window.export_bar.log.head)
    person.shot("log")
    path = tmp_path / "log.txt"
    typist = person.answer("Save log", "type", str(path), "key", "Return")
    window.export_bar.log._buttons[0].invoke()
    person.joined(typist)
    assert "Writing genes" in path.read_text()


def test_zarr_folder_is_exported(person: Any, tmp_path: Path) -> None:
    path = tmp_path / "tissue.zarr"
    synthetic_tissue(300, 30, seed=3).write_zarr(path)
    window = person.start(path)
    assert person.shown.options["outdir"] == str(tmp_path / "tissue_karospace")
    window.form.genes.segments.buttons["all"].invoke()
    export(person)
    assert Bundle(tmp_path / "tissue_karospace").manifest.n_genes_exported == 30


def test_gene_list_and_image_are_read_from_files(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    from PIL import Image

    genes, picture = tmp_path / "genes.txt", tmp_path / "stain.png"
    Image.new("RGB", (64, 48), "#c8b4d0").save(picture)
    window = person.start(tissue_file)
    typist = person.answer("Gene list", "type", str(genes), "key", "Return")
    genes.write_text("CD3E\nEPCAM\n")
    window.form.genes.segments.buttons["file"].invoke()
    person.joined(typist)
    person.settle()
    assert person.shown.options["genes_mode"] == f"list:{genes}"
    window.app_state.change(packed="no")
    person.settle()
    assert person.shown.estimate.n_genes == 2
    window.form.advanced.toggle()
    choice = window.form.advanced.image_choice
    choice.current(choice._values.index("file"))
    typist = person.answer("Tissue image", "type", str(picture), "key", "Return")
    choice.event_generate("<<ComboboxSelected>>")
    person.until(lambda: person.shown.options["image_path"] == str(picture))
    person.joined(typist)
    window.form.target.path.variable.set(str(tmp_path / "out"))
    export(person)
    manifest = Bundle(tmp_path / "out").manifest
    assert manifest.gene_list == ["CD3E", "EPCAM"]
    assert manifest.image is not None
    # The field shows an error if the list no longer exists.
    genes.unlink()
    window.app_state.predict_again()
    person.settle()
    assert "cannot be read" in window.form.genes.problem.cget("text")


def test_changed_file_is_read_when_reopened(person: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.h5ad"
    adata = synthetic_tissue(300, 30, seed=3)
    adata.write_h5ad(path)
    window = person.start(path)
    adata[:, :20].copy().write_h5ad(path)  # the window does not lock it
    window.open(str(path))
    person.until(lambda: person.shown.summary.n_genes == 20)
    person.settle()
    assert "20 genes" in window.head.facts.cget("text")


@pytest.mark.parametrize("kind", ["folder", "zip", "html"])
def test_opened_bundle_is_shown_in_the_browser(person: Any, tmp_path: Path, monkeypatch: Any, kind: str) -> None:
    path = tmp_path / {"folder": "out", "zip": "out.zip", "html": "out.html"}[kind]
    option = {"folder": "outdir", "zip": "zip_path", "html": "single_file"}[kind]
    run(synthetic_tissue(n_cells=300, n_genes=40), ExportConfig(**{option: path}))
    opened: list[str] = []
    monkeypatch.setattr("karospace_jupyter.desktop.system.webbrowser.open", lambda url: opened.append(url) or True)
    window = person.start()
    window.open(str(path))
    person.until(lambda: opened, "the browser")
    with urllib.request.urlopen(f"{opened[0]}manifest.json", timeout=PATIENCE_S) as response:
        assert json.load(response)["n_cells"] == 300
    person.settle()
    assert window.welcome.message.cget("text") == f"{path.name} is open at {opened[0]}, on this computer only."
    person.shot(f"bundle-{kind}")
    # The bundle is served until the next one is opened.
    window.open(str(path))
    person.until(lambda: opened[1:], "the browser again")
    assert opened[0] == opened[1]
    data_zip = tmp_path / "data.zip"
    with zipfile.ZipFile(data_zip, "w") as archive:
        archive.writestr("a.h5ad", b"")
    window.open(str(data_zip))
    person.until(lambda: person.shown.refused or person.shown.fault, "the message")
    assert "Unpack it" in person.shown.refused + person.shown.fault
