"""Regression tests for problems that a first-time user had with their own files."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ImageGrab

from karospace_jupyter.contracts.form import SessionState
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.desktop.gene_options import names_in


def pixels(person: Any, widget: Any) -> Any:
    """Return the colors of a widget on the screen, shape (height, width, 3)."""
    person.settle_geometry()
    x, y = widget.winfo_rootx(), widget.winfo_rooty()
    box = (x, y, x + widget.winfo_width(), y + widget.winfo_height())
    return np.asarray(ImageGrab.grab(bbox=box, xdisplay=person.screen).convert("RGB")).astype(int)


def test_downsampling_is_not_remembered_for_the_next_file(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    person.shown.options["seed"] = 7
    window.app_state.change(downsample=300, outdir=str(tmp_path / "a"), gzip=False)
    person.settle()
    assert "300 of 1,200 cells" in window.export_bar.estimate.cget("text")
    window.export()
    person.until(lambda: person.shown.export.status == "done" and person.shown.result, "export")
    assert "300 of 1,200 cells × 80 genes" in window.export_bar.message.text
    other = tmp_path / "other.h5ad"
    synthetic_tissue(500, 40, seed=3).write_h5ad(other)
    window.open(str(other))
    person.until(lambda: person.shown.path == str(other))
    person.settle()
    assert person.shown.options["downsample"] is None
    assert person.shown.options["seed"] == 0
    assert person.shown.options["gzip"] is False, "options that do not reduce the data are remembered"
    assert "cells" not in window.export_bar.estimate.cget("text")


def test_gene_names_with_spaces_are_typed_one_per_line(person: Any, tmp_path: Path) -> None:
    assert names_in("146Nd CD68, 147Sm CD20 \n146Nd CD68", separators=r"\t\r\n,;") == ["146Nd CD68", "147Sm CD20"]
    assert names_in("P1;Q2 P3\nP4,", separators=r"\s,") == ["P1;Q2", "P3", "P4"]
    adata = synthetic_tissue(300, 40, seed=3)
    adata.var_names = [f"{140 + i}Nd {name}" for i, name in enumerate(adata.var_names)]
    path = tmp_path / "panel.h5ad"
    adata.write_h5ad(path)
    window = person.start(path)
    person.click(window.form.genes.segments.buttons["typed"])
    person.settle()
    typed = window.form.genes.typed
    person.click(typed.text)
    person.type(adata.var_names[3].split()[0] + " ")
    person.until(lambda: typed.hits.size() > 0, "completion")
    person.key("Down", "Return")
    person.settle()
    assert person.shown.options["genes_mode"] == [adata.var_names[3]]
    assert "not in the data" not in typed.note.cget("text")
    window.app_state.change(genes_mode="hvgs:500")
    person.settle()
    assert window.form.genes.note.cget("text") == "All 40 genes"


def test_gene_names_with_semicolons_are_not_split(person: Any, tmp_path: Path) -> None:
    adata = synthetic_tissue(300, 40, seed=3)
    names = [f"P{10 + i};Q{50 + i}" for i in range(40)]
    raw = adata.copy()
    raw.var_names = names
    adata.raw = raw  # X has plain names
    adata.write_h5ad(tmp_path / "proteins.h5ad")
    window = person.start(tmp_path / "proteins.h5ad")
    window.app_state.change(raw=True)
    gene_list = tmp_path / "list.txt"
    gene_list.write_text("\n".join([*names[:3], "TYPO"]))
    window.app_state.change(genes_mode=f"list:{gene_list}")
    person.settle()
    person.click(window.form.genes.skip)
    person.settle()
    assert person.shown.options["genes_mode"] == names[:3]
    assert "not in the data" not in window.form.genes.typed.note.cget("text")
    person.click(window.form.genes.typed.text)
    person.key("ctrl+End", "Return")
    person.type("q57")
    person.until(lambda: window.form.genes.typed.hits.size() > 0, "completion")
    person.key("Tab")
    person.settle()
    assert person.shown.options["genes_mode"] == [*names[:3], names[7]]


def test_unknown_genes_can_be_removed(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    genes = tmp_path / "genes.txt"
    genes.write_text("EPCAM\nTYPO1\nCD3E\nTYPO2\n")
    window.app_state.change(genes_mode=f"list:{genes}")
    person.settle()
    assert "disabled" in window.export_bar.button.state()
    assert "TYPO1" in window.export_bar.message.text, "the reason is shown next to the button"
    person.click(window.form.genes.skip)
    person.settle()
    assert person.shown.options["genes_mode"] == ["EPCAM", "CD3E"]
    assert "disabled" not in window.export_bar.button.state()
    # Unknown typed genes can be removed all at once, too.
    window.app_state.change(genes_mode=["EPCAM", *(f"NO{i}" for i in range(9))])
    person.settle()
    [remove_all] = [w for w in window.form.genes.typed.unknown.winfo_children() if "all 9" in w.cget("text")]
    person.click(remove_all)
    person.settle()
    assert person.shown.options["genes_mode"] == ["EPCAM"]


def test_scroll_bar_and_progress_bar_are_drawn(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    window.root.geometry("800x560")
    person.settle()
    window.form.advanced.toggle()
    person.settle()
    bar, canvas = window.form._bar, window.form._canvas
    assert bar.identify(6, bar.winfo_height() // 8).endswith("thumb")
    assert bar.identify(6, bar.winfo_height() - 4).endswith("trough")
    x, y = bar.winfo_rootx() + bar.winfo_width() // 2, bar.winfo_rooty() + bar.winfo_height() // 8
    person.xdotool("mousemove", str(x), str(y), "mousedown", "1", "mousemove", str(x), str(y + 120), "mouseup", "1")
    person.settle()
    assert canvas.yview()[0] > 0.1, "dragging the thumb scrolls the form"
    # The progress bar is as long as the completed share.
    state = SessionState("running", stage="genes", message="Writing genes", eta_s=3.0)
    widths = []
    for share in (0.2, 0.8):
        window.app_state.shown.export = replace(state, progress=share)
        window.export_bar.refresh()
        picture = pixels(person, window.export_bar.bar)
        row = picture[picture.shape[0] // 2]
        accent = np.array([int(window.theme.colors.accent[i : i + 2], 16) for i in (1, 3, 5)])
        widths.append((np.abs(row - accent).max(axis=1) < 12).mean())
    window.app_state.shown.export = SessionState()
    assert widths == pytest.approx([0.2, 0.8], abs=0.04)


def test_return_presses_buttons_and_f1_shows_help(person: Any, tissue_file: Path) -> None:
    window = person.start(tissue_file)
    assert not window.form.advanced.open
    window.form.advanced.fold.focus_force()
    person.settle_geometry()
    person.key("Return")
    person.settle()
    assert window.form.advanced.open
    window.form.target.path.focus_force()
    person.settle_geometry()
    person.key("F1")
    assert window.form.target.tip._shown is not None
    person.key("x")
    assert window.form.target.tip._shown is None, "the tooltip does not cover what is typed"
    # Expanded sections stay expanded when everything is rebuilt.
    window.zoom(1)
    person.settle()
    assert window.form.advanced.open


def test_canceled_export_keeps_the_last_result(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.app_state.change(outdir=str(tmp_path / "a"))
    person.settle()
    window.export()
    person.until(lambda: person.shown.export.status == "done" and person.shown.result, "export")
    first = person.shown.result
    on_disk = [file for file in (tmp_path / "a").rglob("*") if file.is_file()]
    assert first.files == len(on_disk)
    assert first.bytes == sum(file.stat().st_size for file in on_disk)
    position = window.export_bar.button.winfo_rooty()
    window.app_state.change(outdir=str(tmp_path / "b"), genes_mode="all")
    person.settle()
    # The worker receives the cancel together with the export, so that the machine's speed does not matter.
    worker = window.app_state._worker.pid
    os.kill(worker, signal.SIGSTOP)
    try:
        window.export()
        window.open(str(tissue_file))  # rejected with an error
        assert person.shown.fault
        window.app_state.cancel()
    finally:
        os.kill(worker, signal.SIGCONT)
    person.until(lambda: not person.shown.running)
    person.settle()
    assert person.shown.fault == "", "the error is cleared when the export ends"
    assert person.shown.export.status == "cancelled"
    assert person.shown.result == first
    assert window.export_bar.done.winfo_ismapped()
    assert "Done" not in window.export_bar.message.text
    assert window.export_bar.button.winfo_rooty() == position, "the button stays under the pointer"


def test_single_file_export_counts_one_file(person: Any, tissue_file: Path, tmp_path: Path) -> None:
    window = person.start(tissue_file)
    window.app_state.write_as("single_file")
    window.app_state.change(single_file=str(tmp_path / "a.html"))
    person.settle()
    predicted = person.shown.estimate.bytes
    assert window.export_bar.estimate.cget("text").startswith("1 file · about")
    window.export()
    person.until(lambda: person.shown.export.status == "done" and person.shown.result, "export")
    size = (tmp_path / "a.html").stat().st_size
    assert person.shown.result.files == 1
    assert person.shown.result.bytes == size
    assert predicted == pytest.approx(size, rel=0.2)
    assert "a.html" in window.export_bar.message.text
    assert "disabled" in window.form.advanced.scripts_choice.state()


def test_coordinate_columns_are_not_annotations(person: Any, tmp_path: Path) -> None:
    adata = synthetic_tissue(300, 20, seed=3)
    adata.obs["X_centroid"], adata.obs["Y_centroid"] = adata.obsm["spatial"].T
    del adata.obsm["spatial"], adata.obsm["X_umap"]
    adata.write_h5ad(tmp_path / "a.h5ad")
    window = person.start(tmp_path / "a.h5ad")
    assert person.shown.summary.detected == "obs:X_centroid,Y_centroid"
    assert not {"X_centroid", "Y_centroid"} & set(window.form.columns._chosen())


@pytest.mark.parametrize(
    ("content", "description"), [(b"", "it is empty"), (b"hello, this", "it starts with 'hello, t'")]
)
def test_invalid_file_is_described(person: Any, tmp_path: Path, content: bytes, description: str) -> None:
    path = tmp_path / "a.h5ad"
    path.write_bytes(content)
    window = person.start()
    window.open(str(path))
    person.until(lambda: person.shown.refused)
    assert description in person.shown.refused
