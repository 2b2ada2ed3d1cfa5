"""Origin of the coordinates, which keeps them precise as float32."""

from __future__ import annotations

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import Bundle, ExportConfig, export_h5ad
from karospace_jupyter.errors import CoordinatesError
from karospace_jupyter.plan import resolve
from karospace_jupyter.plan.origin import count_sharing, local, origin_of
from karospace_jupyter.source import open_source

FAR = (1e7, -3e7)


def grid(n: int = 20, pitch: float = 0.5) -> np.ndarray:
    """Return the positions of n × n cells."""
    return np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=-1).reshape(-1, 2) * pitch


def tissue(xy: np.ndarray) -> ad.AnnData:
    n = len(xy)
    obs = pd.DataFrame({"sample": pd.Categorical(["a", "b"] * (n // 2))}, index=[f"c{i}" for i in range(n)])
    adata = ad.AnnData(np.ones((n, 2), np.float32), obs=obs)
    adata.obsm["spatial"] = xy
    adata.obsm["X_umap"] = xy * 0.1 + 1e6
    return adata


@pytest.mark.parametrize("scale", [0.001, 1, 1000])
@pytest.mark.parametrize("pitch", [0.5, 10.0, 300.0])
def test_coordinates_near_zero_have_no_origin(scale: float, pitch: float) -> None:
    assert origin_of(grid(50, pitch) * scale) == (0, 0)


def test_integers_exact_in_float32_have_no_origin() -> None:
    assert origin_of(grid(20, 1.0) + 1e6) == (0, 0)


@pytest.mark.parametrize("far", [FAR, (5e5, 1e9), (1e12, 0), (123456.7, 6e4)])
@pytest.mark.parametrize("pitch", [0.5, 0.013])
def test_coordinates_far_from_zero_keep_their_distances(far: tuple[float, float], pitch: float) -> None:
    xy = grid(20, pitch) + far
    origin = origin_of(xy)
    # float64 itself has already lost some precision that far from zero.
    spacing = float(np.spacing(np.abs(xy).max()))
    np.testing.assert_allclose(local(xy, origin) + np.asarray(origin), xy, rtol=0, atol=1e-4 * pitch + spacing)
    assert count_sharing(xy, origin) == 0


def test_origin_is_a_round_number() -> None:
    assert origin_of(grid(30, 1 / 3) + FAR) == (1e7 + 5, -3e7 + 5)
    assert origin_of(grid() + np.array([1e7 + 3, 0])) == (1e7 + 8, 0)


@pytest.mark.parametrize("value", [1.2000000000000002, 1e-111, -7e-3])
def test_equal_coordinates_are_exact(value: float) -> None:
    xy = np.full((3, 2), value)
    origin = origin_of(xy)
    assert (local(xy, origin) + np.asarray(origin) == xy).all()


@pytest.mark.parametrize("side", [5.6e-297, 9e-31])
def test_cells_too_close_to_show_are_rejected(side: float) -> None:
    adata = tissue(np.array([[side, 0.0], [0, 0]]))
    with pytest.raises(CoordinatesError, match=r"lie within .* units; the viewer needs at least 1e-30"):
        resolve(open_source(adata), ExportConfig(outdir="x"))
    adata.obsm["X_umap"], adata.obsm["spatial"] = adata.obsm["spatial"], grid(1)[[0, 0]] + [[0, 0], [1, 1]]
    plan = resolve(open_source(adata), ExportConfig(outdir="x"))
    assert any("obsm['X_umap'] lie within" in warning for warning in plan.warnings)
    with pytest.raises(CoordinatesError, match="choose another embedding"):
        resolve(open_source(adata), ExportConfig(outdir="x", embeddings=["X_umap"]))


def test_line_far_from_zero_is_exact() -> None:
    line = np.stack([np.full(50, 1e7 + 0.25), np.arange(50) * 0.5 + 1e7], axis=1)
    origin = origin_of(line)
    np.testing.assert_array_equal(local(line, origin) + np.asarray(origin), line)


def test_bundle_states_origin_and_keeps_exact_tables(tmp_path: Path) -> None:
    xy = grid() + FAR + np.random.default_rng(0).uniform(0, 0.1, (400, 2))
    adata = tissue(xy)
    adata.write_h5ad(tmp_path / "far.h5ad")
    config = ExportConfig(h5ad_path=tmp_path / "far.h5ad", outdir=tmp_path / "out", sections="sample", gzip=False)
    export_h5ad(config)
    bundle = Bundle.load(tmp_path / "out")
    stated = bundle.manifest.coordinates
    assert stated is not None
    assert stated.origin == (1e7 + 5, -3e7 + 5)
    assert stated.extent == (*xy.min(axis=0), *xy.max(axis=0))
    values = bundle.vector(stated.chunks, np.dtype("<f4"), 2).reshape(-1, 2)
    np.testing.assert_allclose(values.astype(np.float64) + stated.origin, xy, rtol=0, atol=1e-6)
    rows = json.loads((tmp_path / "out" / "assets" / "coords_000.json").read_text())
    np.testing.assert_array_equal([(row["x"], row["y"]) for row in rows], xy)
    (embedding,) = bundle.manifest.embeddings or []
    assert embedding.origin == (2e6 + 0.5, -2e6 + 0.5)
    bundle.verify()
    np.testing.assert_allclose(bundle.embedding("X_umap"), adata.obsm["X_umap"], rtol=0, atol=1e-6)


def test_parts_too_far_apart_warn() -> None:
    adata = tissue(np.concatenate([grid(), grid() + 3e7]))
    plan = resolve(open_source(adata), ExportConfig(outdir="x"))
    assert any("too far apart" in text for text in plan.warnings)
    near = resolve(open_source(tissue(grid())), ExportConfig(outdir="x"))
    assert not any("too far apart" in text for text in near.warnings)


@pytest.mark.parametrize("pitch", [0.3, 0.5, 1.5])
@pytest.mark.parametrize("far", [4e6, 1e7, -1e8])
@pytest.mark.parametrize("outliers", [1, 5])
def test_outliers_do_not_reduce_precision_or_warn(pitch: float, far: float, outliers: int) -> None:
    xy = grid(80, pitch) + far
    xy[:outliers] = 0.3
    origin = origin_of(xy)
    spacing = float(np.spacing(np.abs(xy).max()))
    near = local(xy, origin)[outliers:] + np.asarray(origin)
    np.testing.assert_allclose(near, xy[outliers:], rtol=0, atol=1e-4 * pitch + spacing)
    assert not any("too far" in text for text in resolve(open_source(tissue(xy)), ExportConfig(outdir="x")).warnings)


def test_distant_outlier_does_not_change_zero_origin() -> None:
    xy = grid(50, 10.0)
    xy[0] = 1e8
    assert origin_of(xy) == (0, 0)


def test_sections_too_far_apart_for_exact_positions_warn() -> None:
    xy = np.concatenate([grid(20, 1.0) + 0.37 + 1e6 * i for i in range(10)])
    (warning,) = (
        text for text in resolve(open_source(tissue(xy)), ExportConfig(outdir="x")).warnings if "too far" in text
    )
    assert "cells are drawn up to 0." in warning


@pytest.mark.parametrize("far", [1e8, 1e9])
def test_gaps_between_sections_do_not_prevent_an_origin(far: float) -> None:
    xy = np.concatenate([grid(20, 1.0) + 0.25 + 1e5 * i for i in range(10)]) + far
    origin = origin_of(xy)
    np.testing.assert_allclose(local(xy, origin) + np.asarray(origin), xy, rtol=0, atol=0.05)
