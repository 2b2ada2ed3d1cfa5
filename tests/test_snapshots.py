"""Text snapshots: the public names and signatures, the dry run of a plan, a manifest, and a saved view.

A failure shows the difference. If it is intended, renew the files with
``KAROSPACE_RENEW_SNAPSHOTS=1 python -m pytest tests/test_snapshots.py`` and review them in the commit.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from golden_tissue import EPOCH, tissue

from karospace_jupyter import ExportConfig, adata_to_karospace
from karospace_jupyter.cli import main
from karospace_jupyter.view.saved_view import read_view
from karospace_jupyter.view.state import ByBlend, Camera, SectionGrid, ViewState

STORED = Path(__file__).parent / "snapshots"
RENEW = "KAROSPACE_RENEW_SNAPSHOTS"


def assert_stored(name: str, text: str) -> None:
    path = STORED / name
    if os.environ.get(RENEW):
        path.write_text(text, encoding="utf-8")
    stored = path.read_text(encoding="utf-8")
    assert text == stored, (
        f"{path} differs. If this is intended, run: {RENEW}=1 python -m pytest tests/test_snapshots.py, "
        "and commit the file."
    )


def as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def signatures(name: str, item: Any) -> Iterator[str]:
    """Yield a public name with its signature, and those of its members."""
    if item is ExportConfig:
        yield f"class {name}"
        for field, info in ExportConfig.model_fields.items():
            yield f"    {field}: {ExportConfig.__annotations__[field]} = {info.default!r}"
        return
    if not inspect.isclass(item):
        yield f"{name}{inspect.signature(item)}" if callable(item) else name
        return
    bases = ", ".join(base.__name__ for base in item.__bases__ if base is not object)
    yield f"class {name}({bases})"
    if issubclass(item, Exception):
        return
    yield f"    {inspect.signature(item)}"
    for member in sorted(dir(item)):
        static = inspect.getattr_static(item, member)
        if member.startswith("_"):
            continue
        value = getattr(item, member)
        kind = "property " if not callable(value) else "classmethod " if isinstance(static, classmethod) else ""
        yield f"    {kind}{member}{inspect.signature(value) if callable(value) else ''}"


@pytest.mark.parametrize("package", ["karospace_jupyter", "karospace_export"])
def test_public_names_and_signatures_match_their_snapshot(package: str) -> None:
    module = importlib.import_module(package)
    lines = [line for name in sorted(module.__all__) for line in signatures(name, getattr(module, name))]
    assert_stored(f"{package}.txt", "\n".join(lines) + "\n")


def test_dry_run_matches_its_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tissue().write_h5ad("golden.h5ad")
    assert main(["golden.h5ad", "--dry-run", "--genes", "all"]) == 0
    shown = capsys.readouterr()
    warnings = "".join(f"{line}\n" for line in shown.err.splitlines() if line.startswith("warning: "))
    # The size includes the page, which is built from other sources.
    assert_stored("dry_run.txt", re.sub(r"about .*", "about …", shown.out) + warnings)


def test_manifest_matches_its_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    bundle = adata_to_karospace(
        tissue(), tmp_path / "viewer", genes_mode="all", gzip=False, scripts="no", preview=False, dataset_name="golden"
    )
    manifest = bundle.manifest.model_dump(mode="json", exclude_none=True)
    assert_stored("manifest.json", as_json({**manifest, "generator": "karospace-jupyter …"}))


def test_saved_view_matches_its_snapshot(tmp_path: Path) -> None:
    state = ViewState(
        color=ByBlend(genes=["EPCAM", "CD3E"]),
        hidden={"cell_type": ["Tumor", None]},
        camera=Camera(x=1.5, y=-2, zoom=3),
        layout=SectionGrid(order="column", by="age", only={"age": [1.0, None]}, columns=2),
        range=(0, 4.5),
    )
    path = tmp_path / "view.json"
    regions = [{"name": "niche", "color": "#ff0000", "bits": "AQ=="}]
    path.write_text(json.dumps({"karospace_view": 1, "n_cells": 8, "state": state.wire(), "regions": regions}))
    assert_stored("saved_view.json", as_json(read_view(path)))
