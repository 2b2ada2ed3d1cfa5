"""Verification recomputes the statistics of every gene, in the manifest and in the index of packed genes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.packed import read_index, write_index
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError

GENE = 7


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    adata = synthetic_tissue(n_cells=300, n_genes=60, seed=5)
    values = adata.X.toarray()
    values[:4, GENE] = [np.nan, -3, -2, 5]  # both limits are percentiles
    adata.X = values
    options: Any = {"genes_mode": "all", "packed": "yes", "gzip": False, "preview": False, "image_path": "none"}
    return adata_to_karospace(adata, tmp_path_factory.mktemp("statistics") / "b", scripts="no", **options).path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "b"
    for file in made.rglob("*"):
        if file.is_file():
            (copy / file.relative_to(made)).parent.mkdir(parents=True, exist_ok=True)
            (copy / file.relative_to(made)).write_bytes(file.read_bytes())
    return copy


def change_index(folder: Path, name: str, value: Any) -> None:
    """Rewrite the index with another value for one gene, or for all, as a buggy exporter would."""
    bundle = Bundle(folder)
    packed = bundle.manifest.packed
    assert packed is not None
    index = read_index(bundle.read(packed.index[0]), packed.index[0], packed, bundle.manifest.n_cells)
    array = getattr(index, name).copy()
    array[GENE if np.ndim(value) == 0 else slice(None)] = value
    arrays = {field: getattr(index, field) for field in index.__slots__}
    (folder / packed.index[0]).write_bytes(write_index(type(index)(**{**arrays, name: array})))
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = next(file for file in manifest["asset_files"] if file["path"] == packed.index[0])
    for key in ("sha256", "raw_crc32"):
        entry.pop(key, None)
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["min", "max", "mean", "lower", "upper"])
@pytest.mark.parametrize("wrong", ["slightly", "nan", "infinite"])
def test_wrong_statistic_of_the_index_is_found(folder: Path, name: str, wrong: str) -> None:
    Bundle(folder).verify()
    reader = Bundle(folder).packed_genes
    assert reader is not None
    value = float(getattr(reader.index, name)[GENE])
    change_index(folder, name, {"slightly": value * 1.0001, "nan": np.nan, "infinite": np.inf}[wrong])
    with pytest.raises(BundleError, match=rf"packed gene '.*': its {name} is -?\d.*, but .* in the index"):
        Bundle(folder).verify()


def test_wrong_number_of_missing_values_is_found(folder: Path) -> None:
    change_index(folder, "missing", 2)
    with pytest.raises(BundleError, match=r"without a value \(NaN\): 1 found, 2 in the index"):
        Bundle(folder).verify()


@pytest.mark.parametrize("ranks", [1, np.arange(60), [2, *range(2, 61)]], ids=["one", "from zero", "twice"])
def test_impossible_ranks_are_found(folder: Path, ranks: Any) -> None:
    change_index(folder, "variability_rank", ranks)
    with pytest.raises(BundleError, match="the variability ranks of the packed genes are neither 1 to 60 nor all 0"):
        Bundle(folder).verify()


def test_genes_without_ranks_are_accepted(folder: Path) -> None:
    change_index(folder, "variability_rank", np.zeros(60))
    Bundle(folder).verify()


@pytest.mark.parametrize("name", ["min", "max", "mean", "fraction", "lower", "upper"])
def test_wrong_statistic_of_the_manifest_is_found(folder: Path, name: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    summary = manifest["expression"]["genes"][GENE]["summary"]
    summary[name] = summary[name] * 1.0001
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=rf"gene '.*': its {name} is -?\d.*, but .* in the manifest"):
        Bundle(folder).verify()
