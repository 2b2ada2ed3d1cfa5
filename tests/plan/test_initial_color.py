"""The initial color of a bundle."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import PlanError
from karospace_jupyter.export import plan
from karospace_jupyter.form.prediction import predict_export
from karospace_jupyter.plan.initial_color import Neighbors, name_score
from karospace_jupyter.plan.positions import are_positions

N = 600


def test_spatially_clustered_categories_agree() -> None:
    rng = np.random.default_rng(0)
    xy = rng.random((N, 2))
    halves = (xy[:, 0] > 0.5).astype(np.int64)
    near = Neighbors(xy)
    assert near.agreement(halves, 2) > 0.8
    assert near.agreement(rng.permutation(halves), 2) < 0.1
    assert near.agreement(np.zeros(N, np.int64), 1) == 0
    assert near.agreement(np.full(N, 2), 2) == 0  # all values are missing
    assert near.agreement(np.where(np.arange(N) % 2, halves, 2), 2) > 0.8  # half of the values are missing
    xy[::2] = np.nan
    assert Neighbors(xy).agreement(halves, 2) > 0.8


def test_neighbors_are_cells_of_the_same_section() -> None:
    spots = np.stack(np.divmod(np.arange(900), 30), axis=1).astype(np.float64)
    xy, sections = np.tile(spots, (8, 1)), np.repeat(np.arange(8), 900)  # each has a coordinate system of its own
    bands = (np.where(sections % 2, xy[:, 0], xy[:, 1]) // 10 + sections).astype(np.int64) % 3
    near = Neighbors(xy, sections)
    assert near.agreement(bands, 3) > 0.8
    assert near.agreement(np.random.default_rng(0).permutation(bands), 3) < 0.02
    assert near.agreement(sections // 2, 4) == 0  # only repeats the section


def test_a_cell_is_not_its_own_neighbor() -> None:
    xy = np.repeat(np.random.default_rng(0).random((300, 2)), 8, axis=0)
    assert Neighbors(xy).agreement(np.random.default_rng(1).integers(0, 3, len(xy)), 3) < 0.05


@pytest.mark.parametrize("n", [0, 1, 2])
def test_cells_without_neighbors_have_no_agreement(n: int) -> None:
    assert Neighbors(np.zeros((n, 2))).agreement(np.zeros(n, np.int64), 2) == 0


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("cell_type", 3), ("CellType", 3), ("celltype_major", 3), ("predicted.annotation.l1", 3), ("phenotype", 3),
        ("leiden", 2), ("seurat_clusters", 2), ("RNA_snn_res.0.8_cluster", 2), ("graphclust", 2), ("region", 2),
        ("sample", -2), ("library_id", -2), ("Patient", -2), ("sex", -2), ("fov", -2), ("A1", 0),
    ],
)  # fmt: skip
def test_names_of_cell_types_score_above_clusters_and_study_design(name: str, score: float) -> None:
    assert name_score(name) == score


def grid(rotation: float = 0.0) -> tuple[Any, Any]:
    """Return the array positions of a slide of spots, and their pixel coordinates."""
    row, column = np.divmod(np.arange(78 * 64), 64)
    array = np.stack([row, 2 * column + row % 2], axis=1)
    turn = np.array([[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]])
    return array, (array * [115.0, 66.0]) @ turn + [3000, 900]


@pytest.mark.parametrize("rotation", [0.0, 0.02, 1.6])
def test_array_positions_are_recognized_by_value(rotation: float) -> None:
    array, xy = grid(rotation)
    assert are_positions(array[:, 0].astype(float), xy)
    assert are_positions(array[:, 1].astype(float), xy)
    noise = np.random.default_rng(0).normal(size=len(xy))
    assert not are_positions(noise, xy)
    assert not are_positions(array[:, 0] + 3 * noise, xy)
    assert not are_positions(np.where(array[:, 0] > 40, 1.0, 0.0), xy)
    assert not are_positions(np.full(len(xy), 3.0), xy)
    assert not are_positions(np.full(len(xy), np.nan), xy)


def test_grid_positions_are_recognized_in_each_section() -> None:
    array, xy = grid()
    both, groups = np.concatenate([xy, xy[:, ::-1] + 1e5]), np.repeat([0, 1], len(xy))
    row = np.tile(array[:, 0], 2).astype(float)
    assert are_positions(row, both, groups)
    assert not are_positions(row, both)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_small_sections_have_no_grid(size: int) -> None:
    rng = np.random.default_rng(0)
    assert not are_positions(rng.random(60), rng.random((60, 2)), np.arange(60) // size)


def test_very_large_numbers_are_not_positions() -> None:
    rng = np.random.default_rng(0)
    values, xy = rng.random(60), rng.random((60, 2))
    assert not are_positions(values * 1e200, xy)
    assert are_positions(xy[:, 0] * 1e200, xy)
    values[7] = np.finfo(np.float64).max  # sometimes marks missing values
    assert not are_positions(values, xy)


def tissue(**columns: Any) -> ad.AnnData:
    """Return cells at random positions with columns of obs."""
    rng = np.random.default_rng(0)
    x = sp.csr_matrix(rng.poisson([0.01, 0.2, 2.0, 0.1], (N, 4)).astype(np.float32))
    adata = ad.AnnData(x, obs=pd.DataFrame(columns, index=[f"c{i}" for i in range(N)]))
    adata.var_names = ["RARE", "SOME", "MANY", "FEW"]
    adata.obsm["spatial"] = rng.random((N, 2))
    return adata


def initial_color(adata: ad.AnnData, **options: Any) -> Any:
    """Return the color with which the bundle of an object opens."""
    view = plan(adata, ExportConfig(**options)).view
    return view and view.get("color")


RANDOM = np.random.default_rng(1)
COUNTS = RANDOM.poisson(500, N).astype(float)
TYPES = RANDOM.choice(["a", "b", "c"], N)
SAMPLES = np.repeat(["s1", "s2"], N // 2)


def test_cell_types_are_preferred_over_clusters_counts_and_genes() -> None:
    columns = {"area": RANDOM.random(N), "sample": SAMPLES, "leiden": TYPES, "cell_type": TYPES, "total_counts": COUNTS}
    for expected in ("cell_type", "leiden", "total_counts"):
        assert initial_color(tissue(**columns)) == {"kind": "annotation", "column": expected}
        del columns[expected]
    assert initial_color(tissue(**columns)) == {"kind": "gene", "gene": "MANY"}
    assert initial_color(tissue()) == {"kind": "gene", "gene": "MANY"}


@pytest.mark.parametrize("as_format", [sp.csr_matrix, sp.csc_matrix, lambda x: x.toarray()])
def test_most_detected_gene_of_a_large_matrix_is_shown(as_format: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("karospace_jupyter.source.sample.VALUES", 2000)
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.where(np.arange(200) == 151, 3.0, 0.2), (N, 200)).astype(np.float32)
    adata = ad.AnnData(as_format(sp.csr_matrix(counts)))
    adata.obsm["spatial"] = rng.random((N, 2))
    adata.var_names = [f"g{i}" for i in range(200)]
    listed = [f"g{i}" for i in range(199, 149, -1)]
    assert initial_color(adata, genes_mode=listed) == {"kind": "gene", "gene": "g151"}
    assert predict_export(adata, {"genes_mode": listed}).color == "g151"
    # A ranking from the sample may differ from that of the export, so no gene is predicted.
    assert predict_export(adata, {"genes_mode": "hvgs:50"}).color == ""


def test_column_with_an_uninformative_name_is_chosen_for_its_spatial_pattern() -> None:
    adata = tissue(x1=TYPES, total_counts=COUNTS)
    assert initial_color(adata) == {"kind": "annotation", "column": "total_counts"}
    adata.obs["x1"] = np.where(adata.obsm["spatial"][:, 0] > 0.5, "left", "right")
    assert initial_color(adata) == {"kind": "annotation", "column": "x1"}


def test_spatially_separate_categories_are_preferred_among_equal_names() -> None:
    adata = tissue(cluster_a=TYPES, cluster_b=TYPES)
    adata.obs["cluster_b"] = np.where(adata.obsm["spatial"][:, 0] > 0.5, "1", "2")
    assert initial_color(adata) == {"kind": "annotation", "column": "cluster_b"}


def test_column_with_too_many_categories_is_not_chosen() -> None:
    adata = tissue(cell_type=[f"t{i % 61}" for i in range(N)], total_counts=COUNTS)
    assert initial_color(adata) == {"kind": "annotation", "column": "total_counts"}


def test_columns_that_repeat_the_positions_are_left_out() -> None:
    adata = tissue(cell_type=TYPES)
    xy = adata.obsm["spatial"]
    adata.obs["x_centroid"], adata.obs["row"] = xy[:, 0] * 0.2125 + 11, np.round(500 * xy[:, 1])
    found = plan(adata, ExportConfig())
    assert [column.name for column in found.annotations] == ["cell_type"]
    assert any("positions of the cells" in text and "x_centroid, row" in text for text in found.warnings)
    requested = plan(adata, ExportConfig(annotation_columns=["x_centroid"]))
    assert [column.name for column in requested.annotations] == ["x_centroid"]


def test_requested_color_is_exported_and_shown(tmp_path: Any) -> None:
    adata = tissue(cell_type=TYPES, sample=SAMPLES)
    assert initial_color(adata, color="sample") == {"kind": "annotation", "column": "sample"}
    found = plan(adata, ExportConfig(color="FEW", genes_mode=["MANY"], annotation_columns=[], packed="no"))
    assert found.view == {"color": {"kind": "gene", "gene": "FEW"}}
    assert found.genes.names == ("MANY", "FEW")
    assert any("'FEW' was added to the export" in text for text in found.warnings)
    found = plan(adata, ExportConfig(color="obs:sample", annotation_columns=["cell_type"]))
    assert [column.name for column in found.annotations] == ["cell_type", "sample"]
    with pytest.raises(PlanError, match="'smple' is neither a column of obs nor a gene of X. Did you mean 'sample'"):
        plan(adata, ExportConfig(color="smple"))
    (tmp_path / "view.json").write_text('{"color": {"kind": "gene", "gene": "MANY"}, "range": [1, 2], "opacity": 0.5}')
    saved = {"view": tmp_path / "view.json"}
    assert initial_color(adata, **saved) == {"kind": "gene", "gene": "MANY"}
    assert plan(adata, ExportConfig(color="gene:RARE", **saved)).view == {
        "color": {"kind": "gene", "gene": "RARE"}, "opacity": 0.5,
    }  # fmt: skip
