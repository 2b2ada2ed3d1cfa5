"""The choice of embeddings to export, and their values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter import Bundle, ExportConfig
from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.plan import Plan, resolve
from karospace_jupyter.plan.embeddings import label
from karospace_jupyter.source import open_source

N, G = 60, 5


def build(**obsm: Any) -> ad.AnnData:
    rng = np.random.default_rng(0)
    adata = ad.AnnData(
        sp.csr_matrix(rng.poisson(1, (N, G)).astype(np.float32)),
        obs=pd.DataFrame({"kind": pd.Categorical(["a", "b", "c"] * 20)}, index=[f"c{i}" for i in range(N)]),
        var=pd.DataFrame(index=[f"g{i}" for i in range(G)]),
    )
    adata.obsm["spatial"] = rng.random((N, 2)) * 100
    for key, value in obsm.items():
        adata.obsm[key] = value
    return adata


def positions(columns: int = 2) -> Any:
    return np.random.default_rng(1).normal(size=(N, columns))


def plan(subject: Any, **options: Any) -> Plan:
    return resolve(open_source(subject), ExportConfig(**options))


def names(found: Plan) -> list[str]:
    return [embedding.name for embedding in found.embeddings]


def test_usual_embeddings_are_exported_in_order_ignoring_case() -> None:
    adata = build(X_scVI=positions(10), X_pca=positions(30), umap=positions(), X_UMAP=positions(), TSNE=positions())
    found = plan(adata)
    assert [(embedding.name, embedding.label) for embedding in found.embeddings] == [
        ("X_UMAP", "UMAP"), ("TSNE", "t-SNE"), ("X_pca", "PCA"),
    ]  # fmt: skip
    np.testing.assert_array_equal(found.embeddings[2].xy, adata.obsm["X_pca"][:, :2])


def test_coordinates_are_not_an_embedding_unless_requested() -> None:
    adata = build(X_umap=positions(), X_pca=positions(3))
    assert names(plan(adata, coords="obsm:X_umap")) == ["X_pca"]
    assert names(plan(adata, coords="obsm:X_umap", embeddings=["X_umap"])) == ["X_umap"]


def test_requested_embeddings_are_exported_in_order() -> None:
    adata = build(X_umap=positions(), X_scVI=positions(10), X_draw_graph_fa=positions())
    found = plan(adata, embeddings=("X_scVI", "X_umap", "X_scVI"))
    assert names(found) == ["X_scVI", "X_umap"]
    assert found.embeddings[0].label == "scVI"
    assert names(plan(adata, embeddings="none")) == []
    assert label("X_draw_graph_fa") == "draw graph fa"
    assert label("X_") == "X_"


def test_equal_labels_fall_back_to_keys() -> None:
    adata = build(X_umap=positions(), umap=positions())
    assert [item.label for item in plan(adata, embeddings=["X_umap", "umap"]).embeddings] == ["UMAP", "umap"]


@pytest.mark.parametrize("kind", ["frame", "sparse"])
def test_embedding_in_a_frame_or_sparse_matrix_is_read(kind: str) -> None:
    wanted = positions()
    adata = build()
    adata.obsm["X_umap"] = (
        pd.DataFrame(wanted, index=adata.obs_names, columns=["a", "b"]) if kind == "frame" else sp.csr_matrix(wanted)
    )
    np.testing.assert_array_equal(plan(adata).embeddings[0].xy, wanted)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones((N, 1)), r"shape \(60, 1\).*two columns"),
        (np.full((N, 2), np.nan), "no finite coordinates"),
        (np.full((N, 2), 1e300), "no finite coordinates"),
    ],
)
def test_unusable_embedding_raises_if_requested_and_warns_otherwise(value: Any, message: str) -> None:
    adata = build(X_umap=value, X_pca=positions())
    with pytest.raises(CoordinatesError, match=message):
        plan(adata, embeddings=["X_umap"])
    found = plan(adata)
    assert names(found) == ["X_pca"]
    assert any("Not exported as an embedding" in text and "X_umap" in text for text in found.warnings)


def test_unknown_key_lists_obsm() -> None:
    with pytest.raises(CoordinatesError, match=r"no obsm\['X_umpa'\].*Did you mean 'X_umap'.*X_umap \(60 × 2"):
        plan(build(X_umap=positions()), embeddings=["X_umpa"])


def test_embedding_of_wrong_length_raises_if_requested(tmp_path: Path) -> None:
    path = tmp_path / "a.h5ad"
    build(X_umap=positions()).write_h5ad(path)
    with h5py.File(path, "a") as file:
        attributes = dict(file["obsm/X_umap"].attrs)
        del file["obsm/X_umap"]
        file["obsm/X_umap"] = np.zeros((N - 1, 2))
        file["obsm/X_umap"].attrs.update(attributes)
    with pytest.raises(CoordinatesError, match="59 rows, but there are 60 cells"):
        plan(path, embeddings=["X_umap"])
    assert names(plan(path)) == []


@pytest.mark.parametrize("asset_mb", [16, 0.0005], ids=["one file", "parts"])
def test_missing_positions_and_order_reach_the_bundle(asset_mb: float) -> None:
    wanted = positions()
    wanted[3], wanted[7, 1], wanted[9, 0] = np.nan, np.inf, np.nan
    adata = build(X_umap=wanted)
    adata.obsm["spatial"][0] = np.nan  # this cell is dropped; the others keep their order
    bundle = run_to_memory(adata, ExportConfig(max_asset_mb=asset_mb))
    bundle.verify()
    found = bundle.embedding("X_umap")
    assert (found.dtype, found.shape) == (np.float32, (N - 1, 2))
    wanted[[3, 7, 9]] = np.nan
    np.testing.assert_array_equal(found, wanted[1:].astype(np.float32))
    [entry] = bundle.manifest.embeddings or []
    assert (entry.name, entry.label, entry.dtype) == ("X_umap", "UMAP", "float32")
    rest = np.delete(wanted, [0, 3, 7, 9], axis=0)
    assert entry.extent == (*rest.min(axis=0).tolist(), *rest.max(axis=0).tolist())
    assert len(entry.chunks) == (1 if asset_mb > 1 else 1 + (N - 2) // int(asset_mb * 10**6 // 8))
    kinds = {file.path: file.kind for file in bundle.manifest.asset_files}
    for part, chunk in enumerate(entry.chunks):
        assert chunk.path == f"assets/columnar/embedding_000_{part:03d}.bin.gz"
        assert kinds[chunk.path] == "columnar"
    with pytest.raises(KeyError, match="X_pca"):
        bundle.embedding("X_pca")


def test_bundle_without_embeddings_omits_the_field() -> None:
    bundle = run_to_memory(build(), ExportConfig())
    assert bundle.manifest.embeddings is None
    with pytest.raises(KeyError):
        bundle.embedding("X_umap")


def test_size_of_embeddings_is_predicted_exactly() -> None:
    adata = build(X_umap=positions(), X_pca=positions())
    two, none = plan(adata, gzip=False), plan(adata, gzip=False, embeddings="none")
    assert two.predicted_bytes - none.predicted_bytes == 2 * 8 * N
    assert two.predicted_files - none.predicted_files == 2


def test_embedding_of_a_real_file_is_exact(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "pbmc68k_reduced.h5ad"
    adata = ad.read_h5ad(path)
    from karospace_jupyter import export_h5ad

    export_h5ad(ExportConfig(h5ad_path=path, outdir=tmp_path / "out", coords="obsm:X_umap", genes_mode="top_mean:3"))
    bundle = Bundle(tmp_path / "out")
    bundle.verify()
    assert [embedding.name for embedding in bundle.manifest.embeddings or []] == ["X_pca"]
    np.testing.assert_array_equal(bundle.embedding("X_pca"), adata.obsm["X_pca"][:, :2])
