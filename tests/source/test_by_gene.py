"""Entries of all genes with the labels of their cells are equal for every storage, and stay within the memory limit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter.job import Job
from karospace_jupyter.source import Source, by_gene, open_source
from karospace_jupyter.source.by_gene import labeled_entries

N, G = 400, 37
KINDS = ["csr", "csc", "dense", "dask", "h5ad", "backed", "zarr"]


def dense() -> Any:
    values = np.random.default_rng(4).poisson(0.5, (N, G)).astype(np.float32)
    values[:, 5] = 0
    values[3, 6] = np.nan
    return values


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    kind = str(request.param)
    x: Any = dense() if kind == "dense" else sp.csc_matrix(dense()) if kind == "csc" else sp.csr_matrix(dense())
    if kind == "dask":
        x = da.from_array(x, chunks=(97, G), asarray=False)
    subject: Any = ad.AnnData(x, pd.DataFrame(index=[f"c{i}" for i in range(N)]))
    if kind == "zarr":
        subject.write_zarr(tmp_path / "a.zarr")
        subject = tmp_path / "a.zarr"
    if kind in {"h5ad", "backed"}:
        subject.write_h5ad(tmp_path / "a.h5ad")
        subject = ad.read_h5ad(tmp_path / "a.h5ad", backed="r") if kind == "backed" else tmp_path / "a.h5ad"
    opened = open_source(subject)
    yield opened
    opened.close()
    if kind == "backed":
        subject.file.close()


@pytest.mark.parametrize("rows", [None, np.array([0, 3, 4, 150, 151, 399])], ids=["all", "some"])
@pytest.mark.parametrize("memory_bytes", [2**24, 2000], ids=["one pass", "many passes"])
def test_every_gene_is_read_once_with_the_labels_of_its_cells(source: Source, rows: Any, memory_bytes: int) -> None:
    expected = dense() if rows is None else dense()[rows]
    labels = (np.arange(len(expected)) % 3).astype(np.uint8)
    found = list(labeled_entries(source, rows, labels, memory_bytes, Job.null()))
    assert len(found) == G
    for gene, (of_cell, values) in enumerate(found):
        assert values.dtype == np.float32
        for label in range(3):
            wanted = expected[labels == label, gene]
            np.testing.assert_array_equal(np.sort(values[of_cell == label]), np.sort(wanted[wanted != 0]))


def test_held_entries_stay_within_the_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    passes: list[int] = []
    read = by_gene._held

    def counted(*args: Any) -> Any:
        blocks, n_genes = read(*args)
        held.append(sum(block.values.nbytes + block.labels.nbytes for block in blocks))
        passes.append(n_genes)
        return blocks, n_genes

    monkeypatch.setattr(by_gene, "_held", counted)
    adata = ad.AnnData(sp.csr_matrix(dense()), pd.DataFrame(index=[f"c{i}" for i in range(N)]))
    memory = 20_000
    genes = list(labeled_entries(open_source(adata), None, np.ones(N, dtype=np.uint8), memory, Job.null()))
    assert len(genes) == sum(passes) == G
    assert 1 < len(passes) < 12
    assert max(held) <= memory // 2
