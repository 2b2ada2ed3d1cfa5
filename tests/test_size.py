"""The predicted size of an export agrees with what the export writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from karospace_jupyter import ExportConfig, export
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.form.prediction import predict_export

FORMS = {"outdir": "viewer", "zip_path": "viewer.zip", "single_file": "viewer.html"}
N, G = 2000, 120
REAL = ["cycif_mti_phenotyped", "imc_squidpy", "pbmc68k_reduced", "visium_mouse_placenta_small"]


def assert_predicted(subject: Any, tmp_path: Path, form: str, **options: Any) -> None:
    """Check that the dry run and the form predict about the size that the export writes."""
    options[form] = str(tmp_path / FORMS[form])
    config = ExportConfig(**options)
    _, planned = export.dry_run(subject, config)
    shown = predict_export(subject, options)
    assert shown.problems == {}
    files, size = export.run(subject, config).size_on_disk()
    assert planned.bytes == pytest.approx(size, rel=0.2)
    assert shown.bytes == pytest.approx(size, rel=0.2)
    assert planned.files == pytest.approx(files, rel=0.05, abs=3)
    assert shown.files == planned.files


def matrix(kind: str) -> Any:
    rng = np.random.default_rng(0)
    if kind == "continuous":
        return rng.normal(size=(N, G)).astype(np.float32)
    depth = rng.lognormal(0, 0.5, (N, 1))
    counts = rng.poisson(rng.gamma(0.3, 2, G) * depth).astype(np.float32)
    if kind == "counts":
        return sp.csr_matrix(counts)
    return sp.csr_matrix(np.log1p(1e4 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)))


@pytest.fixture
def small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make samples so small that most of the size is extrapolated."""
    monkeypatch.setattr("karospace_jupyter.size._CELLS", 512)
    monkeypatch.setattr("karospace_jupyter.size._GENES", 24)
    monkeypatch.setattr("karospace_jupyter.source.sample.VALUES", N * G // 10)


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["counts", "log1p", "continuous"])
def test_size_is_predicted_from_a_sample(tmp_path: Path, kind: str, form: str) -> None:
    adata = synthetic_tissue(N, G)
    adata.X = matrix(kind)
    path = tmp_path / "tissue.h5ad"
    adata.write_h5ad(path)
    assert_predicted(path, tmp_path, form, genes_mode="top_mean:60", image_path="none")


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize(
    "options",
    [
        {"gzip": False},
        {"scripts": "no", "preview": False},
        {"downsample": 400},
        {"max_asset_mb": 0.05},
        {"genes_mode": ()},
    ],
    ids=["no gzip", "no scripts", "downsample", "small files", "no genes"],
)
def test_size_follows_the_options(tmp_path: Path, options: dict[str, Any]) -> None:
    adata = synthetic_tissue(N, G)
    adata.X = matrix("log1p")
    assert_predicted(adata, tmp_path, "outdir", **{"genes_mode": "all", "image_path": "none", **options})


@pytest.mark.usefixtures("small_samples")
def test_size_of_genes_stored_by_column_is_predicted(tmp_path: Path) -> None:
    adata = synthetic_tissue(N, G)
    adata.X = matrix("log1p").tocsc()
    assert_predicted(adata, tmp_path, "outdir", genes_mode="top_mean:40", image_path="none")


def test_image_is_included_in_the_predicted_size(tmp_path: Path) -> None:
    assert_predicted(synthetic_tissue(N, G), tmp_path, "single_file", genes_mode=())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", REAL)
def test_sizes_of_real_files_are_predicted(real_data: Path, tmp_path: Path, name: str, form: str) -> None:
    coords = "obsm:X_umap" if name.startswith("pbmc") else None
    assert_predicted(real_data / f"{name}.h5ad", tmp_path, form, coords=coords)


def test_embedding_is_included_in_the_predicted_size(tmp_path: Path) -> None:
    adata: ad.AnnData = synthetic_tissue(N, G)
    options = {"gzip": False, "scripts": "no", "genes_mode": ()}
    more, less = predict_export(adata, options), predict_export(adata, {**options, "embeddings": []})
    assert 8 * N < more.bytes - less.bytes < 8 * N + 1000  # 8 bytes per cell and an entry in the manifest
    assert more.files - less.files == 1
