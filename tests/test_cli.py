"""The command, as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from waiting import PATIENCE_S

from karospace_jupyter import Bundle, ExportConfig
from karospace_jupyter.cli import FLAGS, _config, main, parser
from karospace_jupyter.datasets import synthetic_tissue

COMMAND = [sys.executable, "-m", "karospace_jupyter.cli"]


def command(*arguments):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def h5ad(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "small.h5ad"
    synthetic_tissue(n_cells=300, n_genes=40).write_h5ad(path)
    return path


@pytest.fixture(scope="module")
def exported(h5ad):
    out = h5ad.parent / "viewer"
    return command("--h5ad", h5ad, "--outdir", out, "--json"), out


def test_help_and_version():
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
        ["--demo", "x.h5ad", "--outdir", "y"],
        ["a.h5ad", "b.h5ad", "--outdir", "y"],
    ],
)
def test_wrong_usage_is_2(arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--h5ad", "--image", "--genes", "--view"])
def test_a_missing_file_is_2_and_named(h5ad, tmp_path, option):
    given = {"--h5ad": h5ad, "--outdir": tmp_path / "out", option: tmp_path / "absent.h5ad"}
    if option == "--genes":
        given[option] = f"list:{given[option]}"
    done = command(*(part for pair in given.items() for part in pair))
    assert done.returncode == 2
    assert "absent.h5ad" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--downsample", "0", "--downsample: at least 1 is needed, but 0 was given."),
        ("--jobs", "9999", "--jobs: at most 1,024"),
        ("--memory-mb", "1", "--memory-mb: at least 16"),
        ("--max-asset-mb", "0", "--max-asset-mb: a number above 0"),
        ("--seed", "-1", "--seed: at least 0"),
        ("--embed-origin", "Lab.example/x", "--embed-origin: 'Lab.example/x' is no origin"),
        ("--sections", "", "--sections: a column of obs or 'none' is needed"),
        ("--coords", "spatial", "Did you mean 'obsm:spatial'?"),
        ("--coords", "x,y", "Did you mean 'obs:x,y'?"),
    ],
)
def test_what_is_wrong_with_an_option_is_said_as_it_was_typed(h5ad, tmp_path, flag, value, said):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", flag, value)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Option" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_option_has_its_flag():
    flags = {flag for action in parser()._actions for flag in action.option_strings}
    for name in ExportConfig.model_fields:
        assert (FLAGS.get(name) or "--" + name.replace("_", "-")) in flags


def test_json_and_progress(exported):
    done, out = exported
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_cells"] == 300
    assert json.loads(done.stdout)["path"] == str(out)
    assert "%" in done.stderr


def test_the_path_alone_is_on_stdout(h5ad, tmp_path):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / 'out'}\n", "")


def test_the_file_may_be_named_without_its_option(h5ad, tmp_path):
    done = command(h5ad, "--outdir", tmp_path / "out", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_genes"] == 40


def test_a_second_value_of_an_option_is_no_second_file(h5ad, tmp_path):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", "--anno", "cell_type", "region")
    assert done.returncode == 2
    assert "two inputs" in done.stderr
    assert "--anno A --anno B" in done.stderr


def test_dry_run_writes_nothing(h5ad, tmp_path):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_genes"] == 40
    assert list(tmp_path.iterdir()) == []


def test_dry_run_says_sections_embeddings_and_the_view(h5ad, tmp_path):
    view = tmp_path / "view.json"
    view.write_text('{"color": {"kind": "gene", "gene": "NOPE"}, "opacity": 1}')
    done = command("--h5ad", h5ad, "--dry-run", "--sections", "region", "--embedding", "X_umap", "--view", view)
    assert done.returncode == 0, done.stderr
    assert "6 by region, on top of each other" in done.stdout or "by region, side by side" in done.stdout
    assert "UMAP (X_umap)" in done.stdout
    assert f"the view in {view}" in done.stdout
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
    ("arguments", "status", "says"),
    [
        (["--sections", "sektion"], 1, "Did you mean 'section'"),
        (["--embedding", "X_tsne"], 1, "obsm holds: X_umap (300 × 2)"),
        (["--embedding", "none", "--embedding", "X_umap"], 2, "goes with no other"),
        (["--view", "/no/such/view.json"], 2, "/no/such/view.json cannot be read"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_written(h5ad, tmp_path, arguments, status, says):
    done = command("--h5ad", h5ad, "--outdir", tmp_path / "out", "--quiet", *arguments)
    assert done.returncode == status
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_verify(h5ad, tmp_path):
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


def test_one_html_file_and_a_zip(h5ad, tmp_path):
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
def test_a_foreign_file_is_left_alone(h5ad, tmp_path, arguments):
    option, name = arguments
    (tmp_path / name).write_text("mine")
    done = command("--h5ad", h5ad, option, tmp_path / name, "--quiet")
    assert done.returncode == 1
    assert "left alone" in done.stderr
    assert (tmp_path / name).read_text() == "mine"


def test_verify_names_what_is_no_bundle(tmp_path):
    (tmp_path / "a.html").write_text("<p>")
    done = command("--verify", tmp_path / "a.html")
    assert done.returncode == 1
    assert "no manifest.json inside" in done.stderr


def test_ctrl_c_during_an_export_is_130_and_leaves_nothing(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "--demo", "--outdir", str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr.read(1)  # the first progress: the job runs
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, stderr
    assert b"Traceback" not in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("option", "name"), [("--outdir", "out"), ("--single-file", "a.html"), ("--zip", "a.zip")])
def test_serve_answers_says_the_next_port_and_stops(h5ad, tmp_path, option, name):
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
    assert f"port {port} is taken" in stderr


def test_defaults_are_those_of_the_config():
    config = _config(parser().parse_args(["--h5ad", "a.h5ad", "--outdir", "out"]))
    assert config == ExportConfig(h5ad_path="a.h5ad", outdir="out")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no file here is always full")
@pytest.mark.parametrize(
    ("away", "code", "said"),
    [
        (">&-", 0, "300 cells"),
        ("2>&-", 0, ""),
        (">/dev/full", 1, "cannot be printed (No space left on device); what was to be written is complete"),
        ("2>/dev/full", 0, ""),
        (">/dev/full 2>/dev/full", 1, ""),
        (">&- 2>&-", 0, ""),
    ],
)
def test_an_export_is_not_lost_with_what_it_says(h5ad: Path, tmp_path: Path, away: str, code: int, said: str) -> None:
    command = f'"{sys.executable}" -m karospace_jupyter.cli --h5ad "{h5ad}" --outdir out --genes hvgs:3 {away}'
    ended = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr
    assert "unexpected" not in ended.stderr
    Bundle(tmp_path / "out").verify()


def test_a_working_folder_that_was_deleted(h5ad: Path, tmp_path: Path) -> None:
    export = f'"{sys.executable}" -m karospace_jupyter.cli --h5ad "{h5ad}" --genes hvgs:3 --quiet --outdir'
    script = f'mkdir gone && cd gone && rmdir ../gone && {{ {export} here; {export} "{tmp_path}/whole"; }}'
    ended = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 0, ended.stderr
    assert "here lies in the working folder, which was deleted" in ended.stderr
    Bundle(tmp_path / "whole").verify()


@pytest.mark.parametrize("option", ["--outdir", "--zip", "--single-file"])
def test_links_that_lead_in_a_circle(
    h5ad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for target in ("a", "a/x.html", "a/x.zip"):
        assert main(["--h5ad", str(h5ad), option, str(tmp_path / target), "--genes", "hvgs:3"]) in {1, 2}
        assert "unexpected" not in capsys.readouterr().err
