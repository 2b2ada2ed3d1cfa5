"""The tables of the format page name every field, and its example programs run."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import anndata as ad
import numpy as np
import pytest
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from waiting import PATIENCE_S

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.manifest import SCHEMA_VERSION, Manifest
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.view.state import ViewState

PAGE = (files("karospace_jupyter.bundle") / "FORMAT.md").read_text(encoding="utf-8")
PROGRAMS: dict[str, str] = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
GENES = ["EPCAM", "CD3E"]


def fields_of(part: Any) -> Iterator[str]:
    """Yield the names of all fields of a model and of the models inside it."""
    if isinstance(part, type) and issubclass(part, BaseModel):
        for name, field in part.model_fields.items():
            yield name
            yield from fields_of(field.annotation)
    for inner in get_args(part):
        yield from fields_of(inner)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    for name, text in PROGRAMS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tissue() -> ad.AnnData:
    tissue = synthetic_tissue(n_cells=300, seed=3)
    tissue.obs.loc[tissue.obs_names[:5], "cell_type"] = None
    return tissue


@pytest.fixture(scope="module", params=["one file each, gzipped", "in parts, plain"])
def bundle(request: pytest.FixtureRequest, tissue: ad.AnnData, programs: Path) -> Bundle:
    options: dict[str, Any] = {} if request.param.startswith("one") else {"gzip": False, "max_asset_mb": 0.05}
    return adata_to_karospace(tissue, programs / "tissue_viewer", genes_mode=GENES, **options)


def module(programs: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, programs / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def run(programs: Path, name: str) -> str:
    # Only the folder is added to the path: the programs need nothing but NumPy and the standard library.
    code = (
        f"import sys; sys.path.insert(0, '.'); import {name}; "
        "assert not {'pandas', 'pydantic', 'karospace_jupyter'} & {*sys.modules}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=programs, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_page_states_the_version_that_the_exporter_writes() -> None:
    assert f"specifies format **{SCHEMA_VERSION.rpartition('.')[0]}**" in PAGE


def test_page_names_every_field_of_the_manifest() -> None:
    missing = [name for name in dict.fromkeys(fields_of(Manifest)) if f"`{name}`" not in PAGE]
    assert missing == []


def test_page_names_every_field_of_a_saved_view() -> None:
    missing = [name for name in ViewState.model_fields if f"`{to_camel(name)}`" not in PAGE]
    assert missing == []


def test_reader_agrees_with_the_package(bundle: Bundle, tissue: ad.AnnData, programs: Path) -> None:
    assert bundle.path is not None
    reader = module(programs, "reader").Reader(bundle.path)
    assert reader.n_cells == tissue.n_obs
    np.testing.assert_array_equal(reader.coordinates(), tissue.obsm["spatial"])
    for gene in GENES:
        np.testing.assert_array_equal(reader.gene(gene), bundle.gene(gene))
    for column in bundle.manifest.columns or []:
        values = reader.annotation(column.name)
        if column.kind == "number":
            np.testing.assert_array_equal(values, tissue.obs[column.name].to_numpy().astype(column.dtype))
        else:
            wanted = tissue.obs[column.name].astype(object).where(tissue.obs[column.name].notna(), None)
            assert values.tolist() == [None if value is None else str(value) for value in wanted]


def test_reader_reads_annotations_of_a_bundle_without_arrays(programs: Path) -> None:
    run(programs, "use_writer")
    reader = module(programs, "reader").Reader(programs / "small")
    assert reader.annotation("cell_type").tolist() == ["T cell", "B cell", None]
    assert reader.annotation("area").tolist() == [41.5, 38.0, 52.25]


def test_reader_rejects_other_major_versions_and_paths_outside_the_bundle(bundle: Bundle, programs: Path) -> None:
    assert bundle.path is not None
    reader = module(programs, "reader").Reader
    opened = reader(bundle.path)
    for path in ("../secret", "/etc/passwd", "C:/x", "a\\b", ""):
        with pytest.raises(ValueError, match="leaves the bundle"):
            opened.read(path)
    other = programs / "other"
    other.mkdir(exist_ok=True)
    (other / "manifest.json").write_text(json.dumps({"schema_version": "2.0.0", "n_cells": 1}))
    with pytest.raises(ValueError, match=r"format 2\.0\.0"):
        reader(other)


def test_example_of_the_reader_runs(bundle: Bundle, programs: Path) -> None:
    printed = run(programs, "use_reader")
    assert printed.startswith(f"{bundle.manifest.n_cells} cells, {len(GENES)} genes")


def test_bundle_of_the_writer_is_verified(programs: Path) -> None:
    run(programs, "use_writer")
    bundle = Bundle(programs / "small")
    report = bundle.verify()
    assert report.hashed == report.files == 6
    assert report.warnings == ()
    assert bundle.gene("CD3E").tolist() == [3, 0, 1]


def test_documentation_includes_the_format_page() -> None:
    page = Path(__file__).parents[1] / "docs/bundle-format.md"
    assert "{include} ../karospace_jupyter/bundle/FORMAT.md" in page.read_text(encoding="utf-8")
