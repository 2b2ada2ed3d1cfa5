"""Tests of the command line, mostly in another process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from forks import forked
from waiting import PATIENCE_S, eventually

from karospace_jupyter import Bundle, ExportConfig
from karospace_jupyter.cli import _config, main, parser
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.flags import flag_of

COMMAND = [sys.executable, "-m", "karospace_jupyter.cli"]


def command(*arguments):
    """Run karospace-export in another process."""
    given = [*map(str, arguments)]
    if sys.platform.startswith("linux"):
        return forked(main, given)
    return subprocess.run([*COMMAND, *given], capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def h5ad(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "small.h5ad"
    synthetic_tissue(n_cells=300, n_genes=40).write_h5ad(path)
    return path


@pytest.fixture(scope="module")
def exported(h5ad):
    out = h5ad.parent / "viewer"
    return command("--h5ad", h5ad, "--outdir", out, "--json"), out


def test_help_and_version_exit_with_0():
    for option, text in [("--help", "--outdir"), ("--version", "karospace-export ")]:
        done = command(option)
        assert done.returncode == 0
        assert text in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--nonsense"],
        ["--demo"],
        ["--demo", "--outdir", "x", "--gzip", "maybe"],
        ["--demo", "--h5ad", "x"],
        ["--demo", "--dry-run", "--serve"],
        ["--verify", "x", "--demo"],
        ["--verify", "x", "--outdir", "y"],
        ["--verify", "x", "--single-file", "y.html"],
        ["--verify", "x", "--serve"],
        ["--verify", "x", "--genes", "all"],
        ["--verify", "x", "y.h5ad"],
        ["--verify", "x", "--open", "x"],
        ["--open", "x", "--outdir", "y"],
        ["--open", "x", "y.h5ad"],
        ["--open", "x", "--json"],
        ["--open", "x", "--port", "70000"],
        ["--demo", "x.h5ad", "--outdir", "y"],
        ["a.h5ad", "b.h5ad", "--outdir", "y"],
    ],
)
def test_usage_error_exits_with_2(arguments):
    done = command(*arguments)
    assert done.returncode == 2
    problem, hint = done.stderr.splitlines()
    assert problem.startswith("karospace-export: error: ")
    assert hint == "For all options: karospace-export --help"


@pytest.mark.parametrize("option", ["--h5ad", "--image", "--genes", "--view"])
def test_missing_file_exits_with_2_and_is_named(h5ad, tmp_path, option):
    given = {"--h5ad": h5ad, "--outdir": tmp_path / "out", option: tmp_path / "absent.h5ad"}
    if option == "--genes":
        given[option] = f"list:{given[option]}"
    done = command(*(part for pair in given.items() for part in pair))
    assert done.returncode == 2
    assert "absent.h5ad" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--downsample", "0", "--downsample: must be at least 1, got 0."),
        ("--jobs", "9999", "--jobs: must be at most 1,024"),
        ("--memory-mb", "1", "--memory-mb: must be at least 16"),
        ("--max-asset-mb", "0", "--max-asset-mb: must be greater than 0"),
        ("--seed", "-1", "--seed: must be at least 0"),
        ("--embed-origin", "Lab.example/x", "--embed-origin: 'Lab.example/x' is not a valid origin"),
        ("--sections", "", "--sections: expected a column of obs or 'none'"),
        ("--coords", "spatial", "Did you mean 'obsm:spatial'?"),
        ("--coords", "x,y", "Did you mean 'obs:x,y'?"),
    ],
)
def test_option_error_names_the_flag_as_typed(h5ad, tmp_path, flag, value, message):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", flag, value)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Option" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_option_has_a_flag_with_its_default():
    actions = {flag: action for action in parser()._actions for flag in action.option_strings}
    for name, field in ExportConfig.model_fields.items():
        action = actions[flag_of(name)]
        assert action.dest == name or name == "h5ad_path", "its value would be ignored"
        assert (action.default or None) == (field.default or None)


def test_json_goes_to_stdout_and_progress_to_stderr(exported):
    done, out = exported
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_cells"] == 300
    assert json.loads(done.stdout)["path"] == str(out)
    assert "%" in done.stderr


def test_gene_sets_are_read_from_several_files(h5ad, tmp_path):
    one, two = tmp_path / "one.gmt", tmp_path / "two.json"
    one.write_text("T cells\thttps://example.org\tCD3E\tNOPE\n")
    two.write_text('{"Tumor": ["EPCAM", "KRT8"]}')
    flags = ("--gene-set", one, "--gene-set", two)
    plain = command(h5ad, "--dry-run", *flags)
    assert "  gene sets    T cells (1), Tumor (2)\n" in plain.stdout
    assert "warning: 1 gene of 1 gene set is not in X: NOPE." in plain.stderr
    assert json.loads(command(h5ad, "--dry-run", "--json", *flags).stdout)["gene_sets"] == ["T cells", "Tumor"]
    out = tmp_path / "out"
    assert command(h5ad, "--outdir", out, "--genes", "top_mean:2", "--quiet", *flags).returncode == 0
    assert Bundle(out).gene_sets == {"T cells": ["CD3E"], "Tumor": ["EPCAM", "KRT8"]}
    one.write_text("T cells CD3E\n")
    failed = command(h5ad, "--outdir", tmp_path / "other", *flags)
    assert failed.returncode == 2
    assert f"The gene set file {one}, line 1: found 1 tab-separated field" in failed.stderr
    assert not (tmp_path / "other").exists()


def test_quiet_prints_only_the_path(h5ad, tmp_path):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / 'out'}\n", "")


def test_input_may_be_positional(h5ad, tmp_path):
    done = command(h5ad, "--outdir", tmp_path / "out", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_genes"] == 40


def test_extra_option_value_explains_how_to_repeat_the_option(h5ad, tmp_path):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", "--anno", "cell_type", "region")
    assert done.returncode == 2
    assert "two inputs" in done.stderr
    assert "--anno A --anno B" in done.stderr


def test_dry_run_writes_nothing(h5ad, tmp_path):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_genes"] == 40
    assert list(tmp_path.iterdir()) == []


def test_dry_run_reports_sections_embeddings_and_view(h5ad, tmp_path):
    view = tmp_path / "view.json"
    view.write_text('{"color": {"kind": "gene", "gene": "NOPE"}, "opacity": 1}')
    done = command("--h5ad", h5ad, "--dry-run", "--sections", "region", "--embedding", "X_umap", "--view", view)
    assert done.returncode == 0, done.stderr
    assert "6 in obs['region'], overlapping" in done.stdout
    assert "UMAP (X_umap)" in done.stdout
    assert f"initial view {view}" in done.stdout
    assert "'NOPE', which is not exported" in done.stderr
    done = command("--h5ad", h5ad, "--dry-run", "--json")
    found = json.loads(done.stdout)
    assert found["embeddings"] == ["X_umap"]
    assert found["sections"]["items"] == [{"name": "Section A", "count": 150}, {"name": "Section B", "count": 150}]
    assert (found["sections"]["column"], found["sections"]["overlapping"], found["view"]) == ("section", False, None)
    done = command("--h5ad", h5ad, "--dry-run", "--json", "--sections", "none", "--embedding", "none")
    found = json.loads(done.stdout)
    assert (found["embeddings"], found["sections"]) == ([], None)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--sections", "sektion"], 1, "Did you mean 'section'"),
        (["--embedding", "X_tsne"], 1, "obsm holds: X_umap (300 × 2)"),
        (["--embedding", "none", "--embedding", "X_umap"], 2, "cannot be combined"),
        (["--view", "/no/such/view.json"], 2, "/no/such/view.json cannot be read"),
    ],
)
def test_impossible_request_reports_an_error_and_writes_nothing(h5ad, tmp_path, arguments, status, message):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", "--quiet", *arguments)
    assert done.returncode == status
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


TOO_LONG = "é" * 200


@pytest.mark.parametrize(
    "arguments",
    [
        ["--h5ad", f"{TOO_LONG}.h5ad", "--outdir", "out"],
        ["--demo", "--outdir", TOO_LONG],
        ["--demo", "--zip", f"{TOO_LONG}.zip"],
        ["--demo", "--outdir", "out", "--image", TOO_LONG],
        ["--demo", "--outdir", "out", "--view", TOO_LONG],
        ["--demo", "--outdir", "out", "--genes", f"list:{TOO_LONG}"],
        ["--demo", "--outdir", "out", "--gene-set", TOO_LONG],
        ["--verify", TOO_LONG],
        ["--open", TOO_LONG],
        ["--publish", TOO_LONG],
    ],
)
def test_path_that_the_system_refuses_is_an_error(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command(*arguments)
    assert done.returncode in {1, 2}
    assert f"{TOO_LONG}" in done.stderr and "cannot be accessed: File name too long" in done.stderr
    assert "bug" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_verify_detects_a_changed_byte(h5ad, tmp_path):
    out = tmp_path / "out"
    assert command("--h5ad", h5ad, "--outdir", out, "--quiet").returncode == 0
    assert command("--verify", out).returncode == 0
    asset = max((p for p in (out / "assets").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    content = bytearray(asset.read_bytes())
    content[len(content) // 2] ^= 0xFF
    asset.write_bytes(content)
    done = command("--verify", out)
    assert done.returncode == 1
    assert asset.name in done.stderr


def test_html_and_zip_are_written_and_pass_verification(h5ad, tmp_path):
    page, zipped, out = tmp_path / "deep/a.html", tmp_path / "a.zip", tmp_path / "out"
    done = command("--h5ad", h5ad, "--single-file", page, "--zip", zipped, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{page}\n{zipped}\n", "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "deep"]
    done = command("--h5ad", h5ad, "--outdir", out, "--single-file", page, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["path"] == str(out)
    assert json.loads(done.stdout)["paths"] == [str(out), str(page)]
    for path in (page, zipped, out):
        done = command("--verify", path)
        assert done.returncode == 0, done.stderr
        assert str(path) in done.stdout


@pytest.mark.parametrize("arguments", [["--single-file", "mine.html"], ["--zip", "mine.zip"]])
def test_existing_foreign_file_is_not_overwritten(h5ad, tmp_path, arguments):
    option, name = arguments
    (tmp_path / name).write_text("mine")
    done = command("--h5ad", h5ad, option, tmp_path / name, "--quiet")
    assert done.returncode == 1
    assert "was not changed" in done.stderr
    assert (tmp_path / name).read_text() == "mine"


def test_verify_rejects_a_file_that_is_not_a_bundle(tmp_path):
    (tmp_path / "a.html").write_text("<p>")
    done = command("--verify", tmp_path / "a.html")
    assert done.returncode == 1
    assert "no manifest.json inside" in done.stderr


def test_ctrl_c_during_export_exits_with_130_and_leaves_no_files(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "--demo", "--outdir", str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr.read(1)  # the first progress report: the job is running
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, stderr
    assert b"Traceback" not in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("option", "name"), [("--outdir", "out"), ("--single-file", "a.html"), ("--zip", "a.zip")])
def test_serve_uses_the_next_free_port_and_stops_on_ctrl_c(h5ad, tmp_path, option, name):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        process = subprocess.Popen(
            [
                *COMMAND,
                "--h5ad",
                str(h5ad),
                option,
                str(tmp_path / name),
                "--serve",
                "--port",
                str(port),
                "--quiet",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout.readline().strip() == str(tmp_path / name)
            url = process.stdout.readline().split()[0]
            with urllib.request.urlopen(url + "manifest.json", timeout=PATIENCE_S) as answer:
                assert json.load(answer)["n_cells"] == 300
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 0, stderr
    assert f"port {port} is in use" in stderr


def test_defaults_match_export_config():
    config = _config(parser().parse_args(["--h5ad", "a.h5ad", "--outdir", "out"]))
    assert config == ExportConfig(h5ad_path="a.h5ad", outdir="out")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("redirection", "code", "message"),
    [
        (">&-", 0, "300 cells"),
        ("2>&-", 0, ""),
        (">/dev/full", 1, "The command succeeded, but its result cannot be printed (No space left on device)"),
        ("2>/dev/full", 0, ""),
        (">/dev/full 2>/dev/full", 1, ""),
        (">&- 2>&-", 0, ""),
    ],
)
def test_export_survives_closed_or_full_output_streams(
    h5ad: Path, tmp_path: Path, redirection: str, code: int, message: str
) -> None:
    command = f'"{sys.executable}" -m karospace_jupyter.cli --h5ad "{h5ad}" --outdir out --genes hvgs:3 {redirection}'
    ended = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == code, ended.stderr
    assert message in ended.stderr
    assert "unexpected" not in ended.stderr
    Bundle(tmp_path / "out").verify()


def test_deleted_working_directory_allows_absolute_paths_only(h5ad: Path, tmp_path: Path) -> None:
    export = f'"{sys.executable}" -m karospace_jupyter.cli --h5ad "{h5ad}" --genes hvgs:3 --quiet --outdir'
    script = f'mkdir gone && cd gone && rmdir ../gone && {{ {export} here; {export} "{tmp_path}/whole"; }}'
    ended = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 0, ended.stderr
    assert "here is relative to the working directory, which was deleted" in ended.stderr
    Bundle(tmp_path / "whole").verify()


@pytest.mark.parametrize("option", ["--outdir", "--zip", "--single-file"])
def test_symbolic_link_loop_is_an_error(
    h5ad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for target in ("a", "a/x.html", "a/x.zip"):
        assert main(["--h5ad", str(h5ad), option, str(tmp_path / target), "--genes", "hvgs:3"]) in {1, 2}
        assert "unexpected" not in capsys.readouterr().err


def test_misspelled_option_is_an_error_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["a.h5ad", "--outdri", "b"])
    assert ended.value.code == 2
    message = capsys.readouterr().err.splitlines()[0]
    assert message == "karospace-export: error: unrecognized arguments: --outdri b. Did you mean --outdir?"


@pytest.mark.parametrize("stage", ["resolve", "encode_bundle"])
def test_memory_shortage_is_an_error_that_suggests_remedies(
    h5ad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setattr(f"karospace_jupyter.export.{stage}", lambda *_, **__: np.empty(2**55))
    assert main(["--h5ad", str(h5ad), "--outdir", str(tmp_path / "out")]) == 1
    message = capsys.readouterr().err
    assert "Not enough memory (Unable to allocate" in message
    assert "reduce the memory for reading the matrix" in message
    assert "bug" not in message
    assert not (tmp_path / "out").exists()


def bundle_as(kind, folder, tmp_path):
    """Return the path of the bundle in `folder` as a folder, zip or HTML file."""
    match kind:
        case "zip":
            return Bundle(folder).to_zip(tmp_path / "a.zip")
        case "html":
            return Bundle(folder).to_html(tmp_path / "a.html")
    return folder


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """Set a browser that writes the address that it opens to a file; return the path of the file."""
    program = tmp_path / "browser"
    program.write_text(
        f'#!/bin/sh\nprintf "%s" "$1" > {tmp_path}/opened.part && mv {tmp_path}/opened.part {tmp_path}/opened\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{program} %s")
    return tmp_path / "opened"


@pytest.mark.parametrize("kind", ["folder", "zip", "html"])
def test_open_shows_a_bundle_in_the_browser_until_ctrl_c(exported, tmp_path, browser, kind):
    path = bundle_as(kind, exported[1], tmp_path)
    process = subprocess.Popen(
        [*COMMAND, "--open", str(path), "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().split()[0]
        eventually(browser.exists)
        assert browser.read_text() == url
        with urllib.request.urlopen(url + "manifest.json", timeout=PATIENCE_S) as answer:
            assert json.load(answer)["n_cells"] == 300
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, stderr
    assert not stderr


def test_open_rejects_a_file_that_is_not_a_bundle(h5ad):
    done = command("--open", h5ad)
    assert done.returncode == 1
    assert str(h5ad) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["folder", "zip", "html"])
def test_bundle_passed_as_data_is_recognized(exported, tmp_path, kind):
    path = bundle_as(kind, exported[1], tmp_path)
    done = command(path, "--outdir", tmp_path / "out")
    assert done.returncode == 1
    assert f"karospace-export --open {path}" in done.stderr
    assert not (tmp_path / "out").exists()


def test_neighbors_are_exported_and_shown_in_a_dry_run(h5ad, tmp_path):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "b", "--neighbors", "6", "--quiet")
    assert done.returncode == 0, done.stderr
    neighbors = Bundle(tmp_path / "b").manifest.neighbors
    assert neighbors is not None
    dry = command("--h5ad", h5ad, "--dry-run", "--neighbors", "6")
    assert f"{neighbors.n_edges:,} edges from nearest:6" in dry.stdout
    found = json.loads(command("--h5ad", h5ad, "--dry-run", "--neighbors", "6", "--json").stdout)
    assert (found["neighbors"], found["n_edges"]) == ("nearest:6", neighbors.n_edges)
    assert command("--verify", tmp_path / "b").returncode == 0


def test_invalid_neighbors_are_a_usage_error(h5ad, tmp_path):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "b", "--neighbors", "many")
    assert done.returncode == 2
    assert done.stderr.startswith("karospace-export: error: --neighbors: expected 'auto', a number of cells")
