"""The encoding of neighbors, and damaged files."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.neighbors import _as_bytes, _from_bytes, graph_bytes, write_graph
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neighbors") / "b"
    tissue = synthetic_tissue(300, 6, seed=1)
    adata_to_karospace(tissue, folder, neighbors=6, scripts="no", sections="section")
    return folder


@pytest.fixture
def folder(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "b"))


def raw_of(folder: Path) -> bytes:
    return gzip.decompress((folder / "assets" / "neighbors_000.bin.gz").read_bytes())


def put(folder: Path, raw: bytes, **changes: Any) -> None:
    """Replace the file of neighbors, and update the manifest; `changes` are other fields of its neighbors."""
    path = folder / "assets" / "neighbors_000.bin.gz"
    path.write_bytes(gzip.compress(raw))
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in manifest["asset_files"]:
        if file["kind"] == "neighbors":
            file.update(size_bytes=path.stat().st_size, raw_bytes=len(raw), sha256=None, raw_crc32=None)
    manifest["neighbors"].update(changes)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_numbers_of_all_lengths_are_read_back() -> None:
    numbers = np.array([0, 1, 127, 128, 16383, 16384, 2**21 - 1, 2**21, 2**28 - 1, 2**28, 2**32 - 1])
    assert np.array_equal(_from_bytes(np.frombuffer(_as_bytes(numbers), np.uint8)), numbers)


def test_bytes_match_the_format() -> None:
    # Cell 0 is a neighbor of 1 and 3, cell 3 of 300.
    starts = np.array([0, 2, 2, 2, 3, *[3] * 297])
    raw = write_graph(starts, np.array([1, 3, 300]))
    counts = bytes([2, 0, 0, 1, *[0] * 297])
    header = b"KSPN" + np.array([1, 301, 3], dtype="<u4").tobytes()
    assert raw == header + counts + bytes([0, 1, 0x80 | (296 & 0x7F), 296 >> 7])
    assert graph_bytes(starts, np.array([1, 3, 300])) == len(raw)


def test_graph_is_read_back(honest: Path) -> None:
    graph = Bundle(honest).neighbors()
    assert graph.dtype == np.float32
    assert (graph != graph.T).nnz == 0
    assert np.asarray(graph.sum(axis=1)).min() >= 6


def damaged(raw: bytes) -> dict[str, bytes]:
    """Return damaged versions of a file of neighbors."""
    return {
        "truncated": raw[:-3],
        "extra byte": raw + b"\x00",
        "wrong magic bytes": b"KSPX" + raw[4:],
        "wrong number of cells": raw[:8] + (299).to_bytes(4, "little") + raw[12:],
        "wrong number of edges": raw[:12] + (5).to_bytes(4, "little") + raw[16:],
        "wrong number of neighbors": raw[:16] + bytes([raw[16] + 1]) + raw[17:],
        "gap beyond the last cell": raw[:-1] + b"\xff\xff\xff\xff\x0f",
        "number without an end": raw[:-1] + b"\x80",
        "number of eight bytes": raw[:-1] + b"\x80" * 7 + b"\x01",
        "empty": b"",
        "header only": raw[:16],
    }


@pytest.mark.parametrize("damage", damaged(bytes(40)))
def test_damaged_file_is_named_in_the_error(folder: Path, damage: str) -> None:
    put(folder, damaged(raw_of(folder))[damage])
    for read in (Bundle(folder).neighbors, Bundle(folder).verify, lambda: Bundle(folder).neighborhoods("cell_type")):
        with pytest.raises(BundleError, match=r"assets/neighbors_000\.bin\.gz"):
            read()


def test_last_neighbor_beyond_the_last_cell_is_rejected(folder: Path) -> None:
    n = Bundle(folder).manifest.n_cells
    # The second to last cell has a neighbor two positions later.
    numbers = np.zeros(n + 1, dtype=np.int64)
    numbers[n - 2], numbers[n] = 1, 1
    put(folder, b"KSPN" + np.array([1, n, 1], dtype="<u4").tobytes() + _as_bytes(numbers), n_edges=1)
    with pytest.raises(BundleError, match="names a cell that does not exist"):
        Bundle(folder).neighbors()


def test_more_edges_than_allowed_are_rejected_before_they_are_read(folder: Path) -> None:
    put(folder, raw_of(folder), n_edges=10**9)
    with pytest.raises(BundleError, match=r"1,000,000,000 edges; 300 cells can have at most 15,000"):
        Bundle(folder).neighbors()


def test_bomb_is_rejected(folder: Path) -> None:
    put(folder, bytes(50_000_000))
    with pytest.raises(BundleError, match="contains more than .* the size of its edges"):
        Bundle(folder).neighbors()


def test_newer_version_is_not_read_but_the_bundle_is_valid(folder: Path) -> None:
    put(folder, raw_of(folder), version=2)
    bundle = Bundle(folder)
    bundle.verify()
    assert "spatial_connectivities" not in bundle.to_anndata().obsp
    with pytest.raises(BundleError, match="version 2; this package reads version 1"):
        bundle.neighbors()


def test_verification_finds_edges_between_sections(folder: Path) -> None:
    bundle = Bundle(folder)
    section = next(column for column in bundle.manifest.columns or () if column.name == "section")
    assert section.kind == "category"
    codes = bundle.codes(section)
    other_cell = int(np.flatnonzero(codes != codes[0])[0])
    starts = np.concatenate([[0], np.ones(300, dtype=np.int64)])
    put(folder, write_graph(starts, np.array([other_cell])), n_edges=1)
    with pytest.raises(BundleError, match="neighbors: 1 edge not within a section"):
        bundle = Bundle(folder)
        bundle.verify()


def test_path_outside_the_bundle_is_rejected(folder: Path) -> None:
    put(folder, raw_of(folder), paths=["../secret"])
    with pytest.raises(BundleError, match="not a relative path inside the bundle"):
        Bundle(folder)
