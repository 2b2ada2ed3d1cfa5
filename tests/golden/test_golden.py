"""Stored bundles of each version of the format are read value for value; the viewer's tests read the same ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from golden_tissue import HERE, ORIGIN, expected, tissue, write_current

from karospace_jupyter import Bundle
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.bundle.manifest import CategoryColumn

VALUES = json.loads((HERE / "values.json").read_text())


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_stored_values_match_the_object() -> None:
    def near(number: float | None) -> Any:
        # Versions of scipy and of the C library differ in the last digits.
        return None if number is None else pytest.approx(number, rel=1e-11, abs=1e-13)

    markers = {
        category: {name: [near(number) for number in numbers] for name, numbers in columns.items()}
        for category, columns in VALUES["markers"].items()
    }
    assert json.loads(json.dumps(expected(tissue()))) == {**VALUES, "markers": markers}


def test_export_reproduces_the_stored_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an intended change of the format or the exporter, run `python tests/golden/golden_tissue.py`."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    write_current(tmp_path / "bundle")
    written, stored = files_of(tmp_path / "bundle"), files_of(HERE / "1.2")
    assert sorted(written) == sorted(stored)
    for path, data in written.items():
        assert data == stored[path], path


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_cells_and_genes_of_stored_bundles_are_read(version: str) -> None:
    bundle = Bundle(HERE / version)
    assert bundle.manifest.schema_version == f"{version}.0"
    assert list(cell_ids(bundle)) == VALUES["ids"]
    assert list(bundle.gene_names) == list(VALUES["genes"])
    for gene, values in VALUES["genes"].items():
        np.testing.assert_array_equal(bundle.gene(gene), np.array(values, dtype=np.float32))


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_columns_and_coordinates_of_stored_bundles_are_read(version: str) -> None:
    bundle = Bundle(HERE / version)
    manifest = bundle.manifest
    assert manifest.coordinates is not None
    assert manifest.coordinates.origin is not None
    xy = bundle.vector(manifest.coordinates.chunks, np.dtype("<f4"), 2).reshape(-1, 2)
    np.testing.assert_array_equal(xy + manifest.coordinates.origin, VALUES["coordinates"])
    assert min(manifest.coordinates.origin) > ORIGIN / 2
    np.testing.assert_array_equal(bundle.embedding("X_umap"), np.array(VALUES["embedding"], dtype=np.float32))
    columns = {column.name: column for column in manifest.columns or ()}
    assert sorted(columns) == sorted([*VALUES["categories"], *VALUES["numbers"]])
    for name, column in columns.items():
        values: Any = bundle.vector(column.chunks, np.dtype(column.dtype).newbyteorder("<"))
        if isinstance(column, CategoryColumn):
            wanted = VALUES["categories"][name]
            assert [category.name for category in column.categories] == wanted["names"]
            if "colors" in wanted:
                assert [category.color for category in column.categories] == wanted["colors"]
            names = [*wanted["names"], None]
            assert [names[min(code, len(names) - 1)] for code in values.tolist()] == wanted["cells"]
        else:
            numbers = [None if np.isnan(number) else float(number) for number in values]
            assert numbers == VALUES["numbers"][name]


def test_neighbors_of_the_stored_bundle_are_read() -> None:
    graph = sp.triu(Bundle(HERE / "1.2").neighbors()).tocoo()
    assert sorted(map(list, zip(graph.row.tolist(), graph.col.tolist(), strict=True))) == VALUES["edges"]
