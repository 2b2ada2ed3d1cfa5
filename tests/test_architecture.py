"""The picture and the tables of the architecture page agree with the import contracts."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:karospace_jupyter|js|docs)/[\w./-]+)`", PAGE)) - {"karospace_jupyter/_static/"})


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_layers", ROOT / "docs/draw_layers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(head: str) -> list[list[str]]:
    """Return the cells of the table with this header line, without the header."""
    lines = PAGE[PAGE.index(head) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_picture_is_current(drawing: ModuleType) -> None:
    current = drawing.PICTURE.read_text(encoding="utf-8")
    assert current == drawing.picture(), "run `python docs/draw_layers.py` and commit the picture"


def test_table_lists_modules_in_the_order_of_the_layers(drawing: ModuleType) -> None:
    modules = [name.removeprefix("karospace_jupyter.") for layer in drawing.layers() for name in layer]
    assert [row[0].strip("`") for row in table("| module | responsibility |")] == modules


def test_table_of_the_viewer_agrees_with_its_layers() -> None:
    text = (ROOT / "js/layers.mjs").read_text(encoding="utf-8")
    below = text[text.index("const below = {") : text.index("};")]
    wanted = {name: re.findall(r"'(\w+)'", names) for name, names in re.findall(r"(\w+): \[(.*?)\]", below, re.DOTALL)}
    found = {}
    for folder, imports, _ in table("| folder in `js/src` | may import | responsibility |"):
        names = re.findall(r"`(\w+)`", imports)
        found[folder.strip("`")] = [name for name in wanted if name != "entries"] if imports == "all" else names
    assert {name: set(names) for name, names in found.items()} == {name: set(names) for name, names in wanted.items()}


@pytest.mark.parametrize("path", PATHS)
def test_paths_named_on_the_page_exist(path: str) -> None:
    assert (ROOT / path).exists()
