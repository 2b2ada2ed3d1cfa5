"""The kind of values in a matrix, and its effect on the ranking of genes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import rankdata

from karospace_jupyter.config import ExportConfig, MatrixLayer, MatrixRaw, MatrixSpec, MatrixX
from karospace_jupyter.errors import GenesError
from karospace_jupyter.plan import Plan, estimate, resolve
from karospace_jupyter.plan.matrix_values import matrix_values
from karospace_jupyter.plan.model import MatrixValues
from karospace_jupyter.source import open_source

N, G = 400, 120
VARIABLE = set(range(0, 60, 3))
"""Genes that differ between the two halves of the cells."""


def counts() -> np.ndarray:
    rng = np.random.default_rng(0)
    level = rng.gamma(1.5, 0.8, G) + 0.1
    rate = np.tile(level, (N, 1))
    for gene in VARIABLE:
        rate[: N // 2, gene] *= 8
    return rng.poisson(rate * rng.lognormal(0, 0.4, (N, 1))).astype(np.float32)


def log1p(values: np.ndarray, base: float | None = None, target: float | None = 1e4) -> np.ndarray:
    """Normalize counts to a total of `target`, if given, and return logarithms of 1 plus the values."""
    normalized = values if target is None else values / values.sum(axis=1, keepdims=True) * target
    return (np.log1p(normalized) / (1 if base is None else np.log(base))).astype(np.float32)


def scaled(values: np.ndarray, clip: float = 10.0, *, center: bool = True) -> np.ndarray:
    shifted = values - values.mean(axis=0) if center else values
    return np.minimum(shifted / np.maximum(values.std(axis=0, ddof=1), 1e-12), clip).astype(np.float32)


def build(x: Any, **uns: Any) -> ad.AnnData:
    adata = ad.AnnData(x, uns=uns)
    adata.obs_names = [f"c{i}" for i in range(adata.n_obs)]
    adata.var_names = [f"g{i}" for i in range(adata.n_vars)]
    adata.obsm["spatial"] = np.random.default_rng(3).random((adata.n_obs, 2)) * 100
    return adata


def values(adata: Any, matrix: MatrixSpec | None = None) -> MatrixValues:
    return matrix_values(open_source(adata, matrix=matrix))


def plan(adata: Any, **options: Any) -> Plan:
    config = ExportConfig(**options)
    return resolve(open_source(adata, matrix=config.matrix), config)


KINDS: dict[str, tuple[Any, MatrixValues]] = {
    "counts": (counts(), MatrixValues("counts")),
    "integers": (counts().astype(np.int32), MatrixValues("counts")),
    "log1p": (log1p(counts()), MatrixValues("log1p")),
    "log1p of counts": (log1p(counts(), target=None), MatrixValues("log1p")),
    "base 2": (log1p(counts(), 2), MatrixValues("log1p", 2.0)),
    "base 10": (log1p(counts(), 10), MatrixValues("log1p", 10.0)),
    "rounded log1p": (log1p(counts()).round(3), MatrixValues("log1p")),
    "some genes of log1p": (log1p(counts())[:, ::4], MatrixValues("log1p")),
    "log1p of smoothed counts": (log1p(counts() + 0.31 * counts()[::-1] + 0.07), MatrixValues("log1p")),
    "scaled": (scaled(log1p(counts())), MatrixValues("scaled")),
    "scaled, some cells": (scaled(log1p(counts()))[::3], MatrixValues("scaled")),
    "scaled without centering": (scaled(log1p(counts()), center=False), MatrixValues("scaled")),
    "normalized": (counts() / counts().sum(axis=1, keepdims=True) * 1e4, MatrixValues("other")),
    "proportions": (counts() / counts().sum(axis=1, keepdims=True), MatrixValues("other")),
    "intensities": (np.random.default_rng(1).gamma(2, 0.5, (N, G)), MatrixValues("other")),
    "uniform": (np.random.default_rng(1).random((N, G)), MatrixValues("other")),
    "pixel values": (np.random.default_rng(1).integers(0, 256, (N, G)) / 255, MatrixValues("other")),
    "log ratios": (np.random.default_rng(1).normal(2, 1, (N, G)) * np.linspace(0.2, 3, G), MatrixValues("other")),
    "zeros": (np.zeros((N, G), np.float32), MatrixValues("other")),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("storage", ["csr", "csc", "dense", "h5ad", "zarr", "dask"])
def test_kind_is_inferred_from_the_values(name: str, storage: str, tmp_path: Path) -> None:
    dense, expected = KINDS[name]
    adata = build(sp.csr_matrix(dense) if storage in {"csr", "h5ad", "zarr"} else dense)
    subject: Any = adata
    if storage == "csc":
        adata.X = sp.csc_matrix(dense)
    elif storage == "h5ad":
        adata.write_h5ad(tmp_path / "a.h5ad")
        subject = tmp_path / "a.h5ad"
    elif storage == "zarr":
        adata.write_zarr(tmp_path / "a.zarr")
        subject = tmp_path / "a.zarr"
    elif storage == "dask":
        dask = pytest.importorskip("dask.array")
        adata.X = dask.from_array(dense, chunks=(50, G))
    assert values(subject) == expected


@pytest.mark.parametrize("storage", ["memory", "h5ad", "zarr"])
@pytest.mark.parametrize(
    ("entry", "base"),
    [
        ({"base": None}, None), ({}, None), ({"base": 2}, 2.0), ({"base": np.float64(10)}, 10.0),
        ({"base": np.array([2.0])}, 2.0), ({"base": float(np.e)}, None),
    ],
    ids=["None", "dropped", "two", "numpy", "array", "e"],
)  # fmt: skip
def test_stated_base_is_used_with_warning_if_values_are_too_few(
    storage: str, entry: Any, base: float | None, tmp_path: Path
) -> None:
    adata = build(np.random.default_rng(1).gamma(2, 0.5, (6, 4)), log1p=entry)
    subject: Any = adata
    if storage == "h5ad":
        adata.write_h5ad(tmp_path / "a.h5ad")
        subject = tmp_path / "a.h5ad"
    elif storage == "zarr":
        adata.write_zarr(tmp_path / "a.zarr")
        subject = tmp_path / "a.zarr"
    assert values(subject) == MatrixValues("log1p", base, unchecked=True)
    assert any("assumed to be log1p because uns['log1p'] says so" in warning for warning in plan(subject).warnings)


def test_stated_base_may_be_text() -> None:
    assert values(build(log1p(counts(), 3), log1p={"base": b"3"})) == MatrixValues("log1p", 3.0)
    assert values(build(log1p(counts()), log1p={"base": "nonsense"})) == MatrixValues("log1p")
    assert values(build(np.random.default_rng(1).random((N, G)), log1p={"base": 0.5})) == MatrixValues("other")


def ranks(values: np.ndarray) -> np.ndarray:
    return rankdata(values, axis=0) / len(values)


def between_0_and_1(values: np.ndarray) -> np.ndarray:
    return (values - values.min(axis=0)) / np.ptp(values, axis=0)


UNCENTERED = scaled(log1p(counts()), center=False)
NOT_LOG1P: dict[str, tuple[np.ndarray, str]] = {
    "counts": (counts(), "counts"),
    "normalized": (KINDS["normalized"][0], "other"),
    "scaled": (scaled(log1p(counts())), "scaled"),
    "uncentered": (UNCENTERED, "scaled"),
    "uncentered, up to 3": (scaled(log1p(counts()), 3, center=False), "scaled"),
    "uncentered, 150 cells": (scaled(log1p(counts())[:150], 99, center=False), "scaled"),
    "uncentered, 8 genes": (UNCENTERED[:, :8], "scaled"),
    "uncentered, one cluster": (UNCENTERED[: N // 2], "other"),
    "uncentered, one cluster, 8 genes": (UNCENTERED[: N // 2, :8], "other"),
    "between 0 and 1": (between_0_and_1(log1p(counts())), "other"),
    "scaled between 0 and 1, 60 cells": (between_0_and_1(scaled(log1p(counts())[:60])), "other"),
    "square roots": (np.sqrt(counts()), "other"),
    "square roots, 8 genes": (np.sqrt(counts()[:, :8]), "other"),
    "ranks": (ranks(log1p(counts())), "other"),
    "absolute": (np.abs(np.random.default_rng(1).normal(size=(N, G))), "other"),
    "absolute, 8 genes": (np.abs(np.random.default_rng(1).normal(size=(N, 8))), "other"),
    "intensities": (KINDS["intensities"][0], "other"),
}


@pytest.mark.parametrize("base", [None, 2.0, 10.0])
@pytest.mark.parametrize("name", NOT_LOG1P)
def test_stated_log1p_is_ignored_if_the_values_contradict_it(name: str, base: float | None) -> None:
    # scanpy also writes uns['log1p'] if only a layer was transformed, and keeps it after scaling.
    dense, kind = NOT_LOG1P[name]
    found = values(build(dense.astype(np.float32), log1p={"base": base}))
    assert (found.kind, found.unchecked) == (kind, False)


def without_the_highest(values: np.ndarray) -> np.ndarray:
    """Normalize as ``sc.pp.normalize_total(exclude_highly_expressed=True)`` does."""
    high = (values > 0.03 * values.sum(axis=1, keepdims=True)).any(axis=0)
    return values / values[:, ~high].sum(axis=1, keepdims=True) * 1e4


DEEP = np.random.default_rng(0).poisson(np.random.default_rng(1).gamma(2, 20, G) + 2, (N, G)).astype(np.float32)
SPARSE = np.random.default_rng(0).poisson(0.05, (N, G)).astype(np.float32)
SPARSE[:, 0] += 1
NORMALIZED: dict[str, np.ndarray] = {
    "per 10,000": counts() / counts().sum(axis=1, keepdims=True) * 1e4,
    "per million": counts() / counts().sum(axis=1, keepdims=True) * 1e6,
    "without the highest": without_the_highest(counts()),
    "by size factors": counts() / np.random.default_rng(3).lognormal(0, 0.3, (N, 1)),
    "8 genes": (counts() / counts().sum(axis=1, keepdims=True) * 1e4)[:, :8],
    "40 cells": (counts() / counts().sum(axis=1, keepdims=True) * 1e4)[:40],
    "deep": DEEP / DEEP.sum(axis=1, keepdims=True) * 1e4,
    "sparse": SPARSE / SPARSE.sum(axis=1, keepdims=True) * 1e4,
}


@pytest.mark.parametrize("base", [None, 2.0, 3.0, 10.0])
@pytest.mark.parametrize("name", NORMALIZED)
def test_stated_log1p_is_confirmed_by_the_values(name: str, base: float | None) -> None:
    dense = log1p(NORMALIZED[name], base, target=None)
    assert values(build(dense, log1p={"base": base})) == MatrixValues("log1p", base)


def test_each_matrix_of_an_object_has_its_own_kind() -> None:
    adata = build(scaled(log1p(counts(), 2)), log1p={"base": 2})
    adata.layers["counts"] = counts()
    adata.layers["smoothed"] = np.random.default_rng(1).gamma(2, 0.5, (N, G))
    raw = build(log1p(counts(), 2))
    adata.raw = raw
    assert values(adata, MatrixX()).kind == "scaled"
    assert values(adata, MatrixLayer("counts")) == MatrixValues("counts")
    assert values(adata, MatrixLayer("smoothed")) == MatrixValues("other")
    assert values(adata, MatrixRaw()) == MatrixValues("log1p", 2.0)


@pytest.mark.parametrize("missing", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["counts", "log1p", "scaled", "intensities"])
def test_missing_values_do_not_hide_the_kind(name: str, missing: float) -> None:
    dense, expected = KINDS[name]
    dense = np.array(dense, dtype=np.float32)
    dense[::7, 5:20] = missing
    dense[:20] = missing
    assert values(build(dense)) == expected
    assert values(build(sp.csr_matrix(dense))) == expected


@pytest.mark.parametrize("as_csc", [False, True], ids=["csr", "csc"])
def test_last_cells_are_sampled(as_csc: bool) -> None:
    # A matrix does not hold counts if only its first cells (or genes) have whole numbers.
    rng = np.random.default_rng(0)
    first = sp.random(30_000, 400, 0.3, format="csr", random_state=rng, data_rvs=lambda n: rng.integers(1, 9, n) * 1.0)
    last = sp.random(10_000, 400, 0.3, format="csr", random_state=rng, data_rvs=lambda n: rng.gamma(2, 0.5, n))
    both = sp.vstack([first, last], format="csr").astype(np.float32)
    assert values(build(both.T.tocsc() if as_csc else both)).kind == "other"


def test_manifest_states_the_kind() -> None:
    from karospace_jupyter.export import run_to_memory

    adata = build(log1p(counts(), 2), log1p={"base": 2})
    adata.layers["counts"] = counts()
    for options, expected in [({}, ("log1p", 2.0)), ({"layer": "counts"}, ("counts", None))]:
        found = run_to_memory(adata, ExportConfig(genes_mode="top_mean:3", **options)).manifest.expression.values
        assert found is not None
        assert (found.kind, found.log_base) == expected


class TestRanking:
    @pytest.mark.parametrize("base", [2.0, 10.0])
    @pytest.mark.parametrize("stated", [True, False])
    @pytest.mark.parametrize("as_csc", [False, True], ids=["csr", "csc"])
    def test_base_of_the_logarithm_does_not_change_the_ranking(self, base: float, stated: bool, as_csc: bool) -> None:
        natural = plan(build(log1p(counts()), log1p={"base": None}), genes_mode="hvgs:30")
        matrix = (sp.csc_matrix if as_csc else sp.csr_matrix)(log1p(counts(), base))
        with_base = plan(build(matrix, **({"log1p": {"base": base}} if stated else {})), genes_mode="hvgs:30")
        assert with_base.genes.names == natural.genes.names
        assert any(f"log1p of base {base:g}" in warning for warning in with_base.warnings)

    @pytest.mark.parametrize("name", ["scaled", "scaled without centering", "scaled, some cells"])
    def test_scaled_values_raise_and_suggest_alternatives(self, name: str) -> None:
        adata = build(KINDS[name][0])
        n = adata.n_obs
        with pytest.raises(GenesError, match=r"values of X are scaled.*Export a list of genes or all genes"):
            plan(adata, genes_mode="hvgs:20")
        adata.layers["counts"] = counts()[:n]
        adata.layers["smoothed"] = np.random.default_rng(1).gamma(2, 0.5, (n, G))
        adata.raw = build(log1p(counts()))[:n]
        with pytest.raises(GenesError, match=r"Read another matrix \(layer 'counts', raw\)"):
            plan(adata, genes_mode="hvgs:20")
        config = ExportConfig(genes_mode="hvgs:20")
        assert "scaled" in estimate(open_source(adata), config).problems["genes_mode"]
        assert "genes_mode" not in estimate(open_source(adata), ExportConfig()).problems

    def test_scaled_values_with_unequal_variances_raise(self) -> None:
        adata = build(scaled(log1p(counts())) * np.where(np.arange(G) % 2, 1, 0.3))
        assert values(adata) == MatrixValues("scaled")
        with pytest.raises(GenesError, match=r"values of X are scaled.*Export a list of genes or all genes"):
            plan(adata, genes_mode="hvgs:20")

    def test_scaled_layer_raises_and_suggests_x(self) -> None:
        adata = build(log1p(counts()))
        adata.layers["scaled"] = scaled(log1p(counts()))
        with pytest.raises(GenesError, match=r"layer:scaled are scaled.*Read another matrix \(X\)"):
            plan(adata, genes_mode="hvgs:20", layer="scaled")

    def test_stored_flags_rank_scaled_values(self) -> None:
        adata = build(scaled(log1p(counts())))
        adata.var["highly_variable"] = [i in VARIABLE for i in range(G)]
        assert set(plan(adata, genes_mode="hvgs:20").genes.indices) == VARIABLE
        found = plan(adata, genes_mode="hvgs:40")
        assert set(found.genes.indices) == VARIABLE
        assert any("20 genes are marked" in w and "cannot be ranked" in w for w in found.warnings)

    def test_exporting_all_genes_of_scaled_matrix_needs_no_ranking(self) -> None:
        assert plan(build(scaled(log1p(counts()))), genes_mode=f"hvgs:{G}").genes.indices.tolist() == list(range(G))

    def test_default_ranks_scaled_values_by_counts(self) -> None:
        wide = wide_counts()
        adata = build(scaled(log1p(wide)))
        adata.layers["counts"] = wide
        found = plan(adata)
        adata.X = wide
        assert found.genes.names == plan(adata).genes.names
        assert any("scaled, so variable genes were ranked by layer 'counts'" in warning for warning in found.warnings)

    def test_default_ranks_scaled_values_by_raw_with_other_genes(self) -> None:
        wide = wide_counts()
        order = np.random.default_rng(0).permutation(wide.shape[1])
        adata = build(scaled(log1p(wide)))
        adata.raw = build(log1p(wide))[:, order]
        found = plan(adata)
        assert set(found.genes.names) == set(plan(build(log1p(wide))).genes.names)
        assert any("ranked by raw" in warning for warning in found.warnings)

    def test_default_on_scaled_values_alone_uses_first_genes_with_warning(self) -> None:
        found = plan(build(scaled(log1p(wide_counts()))))
        assert found.genes.indices.tolist() == list(range(500))
        assert any("first 500 of 600 genes" in warning and "scaled" in warning for warning in found.warnings)


def wide_counts() -> np.ndarray:
    """Return counts of more genes than the default exports."""
    return np.tile(counts(), (1, 5))[:, :600] + np.random.default_rng(5).poisson(0.3, (N, 600)).astype(np.float32)
