"""Every code block of the README and of docs/ is executed, and quoted messages exist in the code."""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
import urllib.request
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import serve, shell
from PIL import Image
from waiting import PATIENCE_S

from karospace_jupyter.cli import main
from karospace_jupyter.datasets import synthetic_tissue

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?(?P<mark>```+|~~~+|:::+)(?P<language>[^\n`]*)\n(?P<code>.*?)^(?P=mark) *$",
    re.MULTILINE | re.DOTALL,
)
RUN = {"python", "sh", "yaml"}
NOT_RUN = {
    "console",  # needs the network, or another computer: pip install, git push, aws
    "powershell",  # Windows
    "nginx", "html", "js",  # parts of other programs
    "text",
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    reason: str | None
    line: int


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    found = [
        Block(match["language"].strip(), match["code"], match["reason"], text.count("\n", 0, match.start("code")))
        for match in FENCE.finditer(text)
    ]
    return [block for block in found if not block.language.startswith("{")]  # directives of Sphinx


def small_tissue() -> Any:
    adata = synthetic_tissue(1500, 60)
    library = adata.uns["spatial"]["synthetic"]  # encoding the whole image would take longer than all genes
    library["images"]["hires"] = library["images"]["hires"][::4, ::4]
    library["scalefactors"]["tissue_hires_scalef"] /= 4
    return adata


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the files that the pages use."""
    folder = tmp_path_factory.mktemp("prepared")
    small_tissue().write_h5ad(folder / "tissue.h5ad")
    (folder / "genes.txt").write_text("EPCAM\nCD3E\nCOL1A1\n")
    (folder / "view.json").write_text('{"color": {"kind": "annotation", "column": "cell_type"}}')  # saved in the viewer
    Image.new("RGB", (200, 160), "pink").save(folder / "stain.png")
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(webbrowser, "open", lambda *args, **kwargs: True)
    yield tmp_path
    from ipywidgets import Widget

    Widget.close_all()


def check_manifest(address: str) -> None:
    with urllib.request.urlopen(address + "manifest.json", timeout=PATIENCE_S) as answer:
        assert answer.status == 200


def run_commands(code: str, folder: Path) -> None:
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["karospace-export"]:
            shell(line, folder)
        elif {"--serve", "--open"} & {*words}:
            serve(words, folder, check_manifest)
        else:
            assert main(words[1:]) == 0, line  # in this process: a start takes longer than most exports


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """Start an object store with the bucket and the file that the pages use; yield environment variables for it."""
    s3fs = pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    from object_store import options, s3_server

    with s3_server() as url:
        store = s3fs.S3FileSystem(**options(url))
        store.mkdir("my-bucket")
        with tempfile.TemporaryDirectory() as folder:
            small_tissue().write_h5ad(Path(folder) / "tissue.h5ad")
            store.put(f"{folder}/tissue.h5ad", "my-bucket/data/tissue.h5ad")
        yield {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@pytest.mark.parametrize("page", PAGES)
def test_code_of_a_page_runs(
    page: str, folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any("s3://" in block.code for block in blocks(page) if block.language in RUN):
        for name, value in request.getfixturevalue("bucket").items():
            monkeypatch.setenv(name, value)
    names: dict[str, Any] = {"__name__": "__main__", "adata": small_tissue()}
    for block in blocks(page):
        if block.reason is not None or block.language not in RUN:
            continue
        try:
            if block.language == "python":
                exec(compile("\n" * block.line + block.code, page, "exec"), names)
            elif block.language == "yaml":
                assert yaml.safe_load(block.code)
            else:
                run_commands(block.code, folder)
        except Exception as exc:
            exc.add_note(f"{page}, line {block.line + 1}:\n{block.code}")
            raise


@pytest.mark.parametrize("page", PAGES)
def test_languages_of_code_blocks_are_known(page: str) -> None:
    assert {block.language for block in blocks(page)} <= RUN | NOT_RUN


@pytest.mark.parametrize("page", PAGES)
def test_console_blocks_contain_no_runnable_commands(page: str) -> None:
    console = [line for block in blocks(page) if block.language == "console" for line in block.code.splitlines()]
    assert [
        line for line in console if re.match(r"(\$ )?(karospace-export(?!-app)|python -[cm] karospace)", line)
    ] == []
    targets = {found[1] for line in console for found in re.finditer(r"\bmake ([a-z-]+)", line)}
    makefile = (ROOT / "Makefile").read_text()
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_few_blocks_are_not_run_and_each_has_a_reason() -> None:
    left_out = [block.reason for page in PAGES for block in blocks(page) if block.reason is not None]
    assert len(left_out) <= 5
    assert all(reason.startswith("needs ") for reason in left_out if reason)


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_messages_in_troubleshooting_exist_in_the_code() -> None:
    """Headings of the page quote part of a message, with … for variable text."""
    sources = [*(ROOT / "karospace_jupyter").rglob("*.py"), *(ROOT / "js/src").rglob("*.ts*"), ROOT / "hatch_build.py"]
    code = "\n".join(path.read_text() for path in sources)
    code = re.sub(r"[\"'`]\s*\n\s*f?[\"'`]", "", code)  # join strings that continue on the next line
    page = (ROOT / "docs/troubleshooting.md").read_text()
    quoted = re.findall(r"^###.*?“(.+)”", page, re.MULTILINE)
    assert len(quoted) >= 15
    missing = [part.strip() for heading in quoted for part in heading.split("…") if part.strip() not in code]
    assert missing == []
