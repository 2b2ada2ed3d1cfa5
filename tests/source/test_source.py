"""One set of tests over everything that can be opened: memory, h5ad and zarr, dense, CSR, CSC, dask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter.config import MatrixLayer, MatrixRaw
from karospace_jupyter.errors import Cancelled, GenesError, SourceError
from karospace_jupyter.job import Job
from karospace_jupyter.source import open_source

N, G = 300, 40
CARRIERS = ["memory", "h5ad", "zarr", "backed", "dask", "view"]
KINDS = ["csr", "csc", "dense"]


def counts() -> sp.csr_matrix:
    rng = np.random.default_rng(1)
    dense = rng.poisson(0.4, (N, G)).astype(np.float32)
    dense[:, 7] = 0
    return sp.csr_matrix(dense)


def build(kind: str) -> ad.AnnData:
    x = counts()
    matrix: Any = {"csr": x, "csc": x.tocsc(), "dense": x.toarray()}[kind]
    obs = pd.DataFrame(
        {"kind": pd.Categorical(["a", "b", "c"] * (N // 3)), "area": np.linspace(1, 9, N)},
        index=[f"cell{i}" for i in range(N)],
    )
    var = pd.DataFrame({"symbol": [f"S{i}" for i in range(G)]}, index=[f"g{i}" for i in range(G)])
    adata = ad.AnnData(matrix, obs=obs, var=var)
    adata.layers["double"] = matrix * 2
    adata.raw = adata[:, :30]
    adata.obsm["spatial"] = np.random.default_rng(0).normal(size=(N, 3))
    adata.obsm["frame"] = pd.DataFrame({"x": np.arange(N), "y": np.arange(N) * 2.0}, index=obs.index)
    adata.obsm["sparse"] = sp.csr_matrix(np.eye(N, 2))
    adata.uns["spatial"] = {"lib": {"scalefactors": {"f": 0.5}, "images": {"hires": np.ones((4, 5, 3))}}}
    return adata


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=CARRIERS)
def subject(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Any:
    adata = build(kind)
    if request.param == "memory":
        return adata
    if request.param == "view":
        doubled = ad.concat([adata, adata], index_unique="-", merge="same", uns_merge="same")
        doubled.raw = doubled[:, :30]
        return doubled[:N]
    if request.param == "dask":
        dask = pytest.importorskip("dask.array")
        if kind == "csc":
            pytest.skip("dask holds no CSC chunks in AnnData")
        adata.X = dask.from_array(adata.X, chunks=(97, G), asarray=False)
        return adata
    if request.param == "zarr":
        pytest.importorskip("zarr")
        adata.write_zarr(tmp_path / "a.zarr")
        return tmp_path / "a.zarr"
    adata.write_h5ad(tmp_path / "a.h5ad")
    return ad.read_h5ad(tmp_path / "a.h5ad", backed="r") if request.param == "backed" else tmp_path / "a.h5ad"


ROWS = [None, np.array([0, 3, 4, 150, 299], dtype=np.int64)]


@pytest.mark.parametrize("rows", ROWS, ids=["all", "some"])
@pytest.mark.parametrize("memory_bytes", [2**20, 1500], ids=["one pass", "many passes"])
def test_genes_are_the_matrix_columns(subject: Any, rows: Any, memory_bytes: int) -> None:
    source = open_source(subject, memory_bytes=memory_bytes)
    wanted = np.array([39, 0, 7, 12, 5], dtype=np.int64)
    dense = counts().toarray()[slice(None) if rows is None else rows]
    found = list(source.genes(wanted, rows))
    assert [vector.position for vector in found] == [0, 1, 2, 3, 4]
    for vector in found:
        assert vector.values.dtype == np.float32
        np.testing.assert_array_equal(vector.values, dense[:, wanted[vector.position]])
    source.close()


@pytest.mark.parametrize("rows", ROWS, ids=["all", "some"])
def test_statistics(subject: Any, rows: Any) -> None:
    source = open_source(subject, memory_bytes=2**14)
    dense = counts().toarray().astype(np.float64)
    for scale, values in {
        "as_is": dense,
        "expm1": np.expm1(dense),
        "normalised": dense / np.maximum(dense.sum(axis=1, keepdims=True), 1e-30) * 1e4,
    }.items():
        chosen = values[slice(None) if rows is None else rows]
        found = source.statistics(rows, scale)  # type: ignore[arg-type]  # the keys are scales
        np.testing.assert_allclose(found.mean, chosen.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found.variance, chosen.var(axis=0, ddof=1), rtol=1e-6, atol=1e-9)
    assert source.sample().values.nnz == np.count_nonzero(dense)


def test_tables(subject: Any) -> None:
    source = open_source(subject)
    assert (source.n_cells, source.n_genes) == (N, G)
    assert source.gene_names[3] == "g3"
    assert list(source.obs("kind")[:3]) == ["a", "b", "c"]
    with pytest.raises(KeyError):
        source.obs("nothing")
    assert source.uns("spatial", "lib", "scalefactors", "f") == 0.5
    assert source.uns("spatial", "lib", "images", "hires").shape == (4, 5, 3)
    assert source.uns("spatial") == {"lib": None}
    assert source.uns("spatial", "other") is None
    assert source.has_raw
    assert source.layers == ("double",)


def test_layer_and_raw(subject: Any) -> None:
    layer = open_source(subject, matrix=MatrixLayer("double"))
    first = next(layer.genes(np.array([0]), None))
    np.testing.assert_array_equal(first.values, counts().toarray()[:, 0] * 2)
    raw = open_source(subject, matrix=MatrixRaw())
    assert raw.n_genes == 30
    assert raw.matrix_name == "raw"
    with pytest.raises(GenesError, match="layer 'double'"):
        open_source(subject, matrix=MatrixLayer("nope"))


@pytest.mark.parametrize("kind", ["csr"], indirect=True)
def test_obsm(subject: Any) -> None:
    if isinstance(subject, ad.AnnData) and "frame" not in subject.obsm:
        pytest.skip("concatenation keeps no frames")
    source = open_source(subject)
    assert source.obsm_shapes["spatial"] == (N, 3)
    assert source.obsm("spatial").shape == (N, 2)
    np.testing.assert_array_equal(source.obsm("frame")[:, 1], np.arange(N) * 2.0)
    np.testing.assert_array_equal(source.obsm("sparse"), np.eye(N, 2))
    with pytest.raises(KeyError):
        source.obsm("nothing")


def test_values_that_are_not_finite_become_zero_and_are_counted() -> None:
    x = counts().toarray()
    x[3, 0], x[4, 0], x[5, 1] = np.nan, np.inf, -np.inf
    for matrix in (x, sp.csr_matrix(x), sp.csc_matrix(x)):
        source = open_source(ad.AnnData(matrix))
        first, second = source.genes(np.array([0, 1]), None)
        assert (first.non_finite, second.non_finite) == (2, 1)
        assert np.isfinite(first.values).all()
        assert first.values[3] == 0
        assert np.isfinite(source.statistics(None, "as_is").mean).all()


def test_duplicate_entries_of_a_sparse_matrix_are_summed() -> None:
    twice = sp.csr_matrix((np.ones(3, np.float32), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    for matrix in (twice, twice.tocsc()):
        source = open_source(ad.AnnData(matrix))
        assert next(source.genes(np.array([1]), None)).values.tolist() == [2, 0]


def test_cancel_between_blocks() -> None:
    source = open_source(build("csr"), memory_bytes=1500)
    job = Job()
    vectors = source.genes(np.arange(G), None, job)
    next(vectors)
    job.cancel()
    with pytest.raises(Cancelled):
        list(vectors)


class TestBadInput:
    def test_missing(self, tmp_path: Path) -> None:
        (tmp_path / "other.h5ad").touch()
        with pytest.raises(SourceError, match=r"no file .*other\.h5ad"):
            open_source(tmp_path / "nothing.h5ad")

    def test_not_hdf5(self, tmp_path: Path) -> None:
        (tmp_path / "a.h5ad").write_text("cell,gene\n")
        with pytest.raises(SourceError, match="not HDF5"):
            open_source(tmp_path / "a.h5ad")

    def test_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.h5ad").touch()
        with pytest.raises(SourceError):
            open_source(tmp_path / "a.h5ad")

    def test_hdf5_that_is_not_anndata(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["matrix"] = [1, 2]
        with pytest.raises(SourceError, match="no obs and no var. It holds: matrix"):
            open_source(tmp_path / "a.h5")

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
    def test_truncated(self, tmp_path: Path, share: float) -> None:
        build("csr").write_h5ad(tmp_path / "a.h5ad")
        whole = (tmp_path / "a.h5ad").read_bytes()
        (tmp_path / "b.h5ad").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(SourceError, match="truncated"):
            open_source(tmp_path / "b.h5ad")

    def test_a_folder_that_is_not_zarr(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="not a zarr store"):
            open_source(tmp_path)

    def test_no_x(self, tmp_path: Path) -> None:
        adata = ad.AnnData(obs=pd.DataFrame(index=["a", "b"]), var=pd.DataFrame(index=["g"]))
        adata.layers["counts"] = np.ones((2, 1))
        adata.write_h5ad(tmp_path / "a.h5ad")
        for subject in (adata, tmp_path / "a.h5ad"):
            with pytest.raises(GenesError, match="no X. Choose one of these instead: layer 'counts'"):
                open_source(subject)

    def test_something_else(self) -> None:
        with pytest.raises(SourceError, match="list was given"):
            open_source([1, 2])

    @pytest.mark.parametrize(
        "damage",
        [{"at": 3, "value": 99999}, {"at": 3, "value": -5}, {"at": 0, "value": 50}, {"at": N, "value": 99999}],
        ids=str,
    )
    @pytest.mark.parametrize("kind", ["csr", "csc"])
    def test_damaged_starts_of_lines(self, tmp_path: Path, damage: dict[str, int], kind: str) -> None:
        build(kind).write_h5ad(tmp_path / "a.h5ad")
        with h5py.File(tmp_path / "a.h5ad", "r+") as file:
            file["X/indptr"][min(damage["at"], len(file["X/indptr"]) - 1)] = damage["value"]
        with pytest.raises(GenesError, match="damaged"):
            open_source(tmp_path / "a.h5ad")

    def test_text_instead_of_numbers(self) -> None:
        adata = build("dense")
        adata.X = adata.X.astype(complex)
        with pytest.raises(GenesError, match="complex"):
            open_source(adata)

    def test_column_numbers_outside_the_matrix(self, tmp_path: Path) -> None:
        build("csr").write_h5ad(tmp_path / "a.h5ad")
        with h5py.File(tmp_path / "a.h5ad", "r+") as file:
            file["X/indices"][5] = 4000
        source = open_source(tmp_path / "a.h5ad")
        with pytest.raises(GenesError, match="damaged"):
            list(source.genes(np.array([0]), None))
