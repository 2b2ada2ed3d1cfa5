"""Neighbors: the stored graph, the nearest cells, and those within a radius."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.spatial import cKDTree

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace
from karospace_jupyter.bundle.neighbors import MAX_EDGES_PER_CELL, graph_bytes
from karospace_jupyter.config import MAX_NEIGHBORS
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import Cancelled, PlanError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.job import Job
from karospace_jupyter.plan import Plan, estimate
from karospace_jupyter.plan.resolve import resolve
from karospace_jupyter.size import predict_size
from karospace_jupyter.source import open_source

N = 60
KEY = "spatial_connectivities"


def build(graph: Any = None, **obs: Any) -> ad.AnnData:
    """Return cells on a line, one unit apart."""
    adata = ad.AnnData(np.ones((N, 2), dtype=np.float32))
    adata.obs_names = [f"c{i}" for i in range(N)]
    adata.obsm["spatial"] = np.column_stack([np.arange(N) * 1.0, np.zeros(N)])
    for name, values in obs.items():
        adata.obs[name] = values
    if graph is not None:
        adata.obsp[KEY] = graph
    return adata


def path_graph(n: int = N) -> sp.csr_matrix:
    """Return a graph in which each cell is a neighbor of the next."""
    ones = np.ones(n - 1)
    return sp.csr_matrix(sp.diags([ones, ones], [-1, 1]))


def edges(bundle: Bundle) -> set[tuple[int, int]]:
    """Return the pairs of neighbors in a bundle, each with the lower index first."""
    found = sp.triu(bundle.neighbors()).tocoo()
    return set(zip(found.row.tolist(), found.col.tolist(), strict=True))


def exported(adata: ad.AnnData, **options: Any) -> Bundle:
    bundle = run_to_memory(adata, ExportConfig(preview=False, **options))
    bundle.verify()
    return bundle


def warnings_of(bundle: Bundle) -> str:
    return "\n".join(bundle.warnings)


LINE = {(i, i + 1) for i in range(N - 1)}


class TestStoredGraph:
    @pytest.mark.parametrize("form", ["csr", "csc", "dense", "upper", "lower"])
    @pytest.mark.parametrize("storage", ["memory", "h5ad", "zarr", "backed", "dask"])
    def test_graph_is_exported_from_every_source(self, form: str, storage: str, tmp_path: Path) -> None:
        graph = path_graph()
        made: Any = {
            "csr": graph, "csc": graph.tocsc(), "dense": graph.toarray(),
            "upper": sp.csr_matrix(sp.triu(graph)), "lower": sp.csr_matrix(sp.tril(graph)),
        }[form]  # fmt: skip
        adata: Any = build(made)
        if storage == "dask":
            dask = pytest.importorskip("dask.array")
            if form == "csc":
                pytest.skip("AnnData does not support dask arrays with CSC chunks")
            adata.obsp[KEY] = dask.from_array(made, chunks=(17, N), asarray=False)
        elif storage == "zarr":
            pytest.importorskip("zarr")
            adata.write_zarr(tmp_path / "a.zarr")
            adata = tmp_path / "a.zarr"
        elif storage != "memory":
            adata.write_h5ad(tmp_path / "a.h5ad")
            adata = ad.read_h5ad(tmp_path / "a.h5ad", backed="r") if storage == "backed" else tmp_path / "a.h5ad"
        bundle = exported(adata)
        assert edges(bundle) == LINE
        assert bundle.manifest.neighbors is not None
        assert bundle.manifest.neighbors.source == f"obsp:{KEY}"
        assert ("one direction only" in warnings_of(bundle)) == (form in {"upper", "lower"})

    def test_small_blocks_give_the_same_graph(self) -> None:
        source = open_source(build(path_graph()), memory_bytes=400)
        blocks = list(source.pairs(KEY))
        assert len(blocks) > 3
        found = {(int(a), int(b)) for rows, columns in blocks for a, b in zip(rows, columns, strict=True)}
        assert found == LINE | {(b, a) for a, b in LINE}

    def test_self_loops_zeros_and_nan_are_not_edges(self) -> None:
        graph = path_graph().tolil()
        graph[3, 3] = graph[5, 5] = 1
        graph[7, 20], graph[20, 7] = np.nan, np.nan
        stored = graph.tocsr()
        stored[0, 1] = stored[1, 0] = 0  # explicit zeros
        bundle = exported(build(stored))
        assert edges(bundle) == LINE - {(0, 1)}
        assert "2 self-loops in obsp['spatial_connectivities'] were left out" in warnings_of(bundle)

    def test_edges_between_sections_are_left_out(self) -> None:
        section = ["a"] * 30 + ["b"] * 29 + [None]
        bundle = exported(build(path_graph(), section=section), sections="section")
        assert edges(bundle) == LINE - {(29, 30), (58, 59)}
        assert "2 of 59 edges in obsp['spatial_connectivities'] were left out" in warnings_of(bundle)

    def test_cells_without_coordinates_are_left_out_with_their_edges(self) -> None:
        adata = build(path_graph())
        adata.obsm["spatial"][10] = np.nan
        bundle = exported(adata)
        assert edges(bundle) == {(i, i + 1) for i in range(N - 2)} - {(9, 10)}

    def test_graph_of_a_sample_is_left_out(self) -> None:
        bundle = exported(build(path_graph()), downsample=20)
        assert bundle.manifest.neighbors is None
        assert "were left out: most neighbors of randomly drawn cells are not exported" in warnings_of(bundle)
        assert edges(exported(build(path_graph()), downsample=N)) == LINE

    def test_dropping_cells_without_coordinates_is_not_sampling(self) -> None:
        adata = build(path_graph())
        adata.obsm["spatial"][0] = np.nan
        assert exported(adata, downsample=N - 1).manifest.neighbors is not None

    def test_unusable_graphs_are_left_out_with_a_reason(self) -> None:
        dense = exported(build(np.ones((N, N))))
        assert dense.manifest.neighbors is None
        assert "it has more than 50 neighbors per cell on average" in warnings_of(dense)
        assert "it has no edges" in warnings_of(exported(build(sp.csr_matrix((N, N)))))

    def test_damaged_graph_is_left_out_with_a_reason(self, tmp_path: Path) -> None:
        import h5py

        path = tmp_path / "a.h5ad"
        build(path_graph()).write_h5ad(path)
        with h5py.File(path, "a") as file:
            file[f"obsp/{KEY}/indices"][3] = 10_000
        bundle = run_to_memory(path, ExportConfig())
        assert bundle.manifest.neighbors is None
        assert f"obsp['{KEY}'] of a cannot be read as a graph" in warnings_of(bundle)

    def test_no_graph_gives_no_neighbors_and_no_warning(self) -> None:
        bundle = exported(build())
        assert bundle.manifest.neighbors is None
        assert "neighbor" not in warnings_of(bundle)
        assert exported(build(path_graph()), neighbors="none").manifest.neighbors is None

    def test_embedding_coordinates_have_no_neighbors(self) -> None:
        adata = build(path_graph())
        adata.obsm["X_umap"] = adata.obsm["spatial"]
        bundle = exported(adata, coords="obsm:X_umap")
        assert bundle.manifest.neighbors is None
        assert "left out: the coordinates are an embedding" in warnings_of(bundle)
        with pytest.raises(PlanError, match="Neighbors need tissue coordinates"):
            exported(adata, coords="obsm:X_umap", neighbors="6")


def nearest(xy: np.ndarray[Any, np.dtype[np.float64]], k: int, sections: list[str]) -> set[tuple[int, int]]:
    """Return the edges of the k nearest cells, by comparing all cells."""
    distances = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    distances[np.array(sections)[:, None] != np.array(sections)[None]] = np.inf
    np.fill_diagonal(distances, np.inf)
    found = set()
    for i, order in enumerate(np.argsort(distances, axis=1)):
        found |= {(min(i, int(j)), max(i, int(j))) for j in order[:k] if distances[i, j] < np.inf}
    return found


def within(xy: np.ndarray[Any, np.dtype[np.float64]], radius: float) -> set[tuple[int, int]]:
    """Return the edges between cells within a radius, by comparing all cells."""
    distances = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    a, b = np.nonzero(np.triu(distances <= radius, 1))
    return set(zip(a.tolist(), b.tolist(), strict=True))


class TestComputed:
    def scattered(self, **obs: Any) -> ad.AnnData:
        adata = build(**obs)
        adata.obsm["spatial"] = np.random.default_rng(2).random((N, 2)) * 100
        return adata

    @pytest.mark.parametrize("k", [1, 6, 50])
    def test_nearest_cells_match_a_naive_search(self, k: int) -> None:
        section = ["a"] * 55 + ["b"] * 5  # the other cells of b are fewer than k if k is 6 or more
        adata = self.scattered(section=section)
        bundle = exported(adata, neighbors=k, sections="section")
        assert edges(bundle) == nearest(adata.obsm["spatial"], k, section)
        assert bundle.manifest.neighbors is not None
        assert bundle.manifest.neighbors.source == f"nearest:{k}"

    @pytest.mark.parametrize("unit", [1.0, 0.5])
    def test_cells_within_a_radius_match_a_naive_search(self, unit: float) -> None:
        adata = self.scattered()
        bundle = exported(adata, neighbors="15um", um_per_unit=unit)
        assert edges(bundle) == within(adata.obsm["spatial"], 15 / unit)
        assert bundle.manifest.neighbors is not None
        assert bundle.manifest.neighbors.source == "radius:15um"

    def test_cells_at_the_same_position_are_neighbors(self) -> None:
        adata = build()
        adata.obsm["spatial"] = np.full((N, 2), 1e6)
        adata.obsm["spatial"][0] = 0
        degrees = np.asarray(exported(adata, neighbors=3).neighbors().sum(axis=1)).ravel()
        assert degrees.min() == 3
        assert exported(adata, neighbors=3).neighbors().diagonal().sum() == 0

    def test_neighbors_of_a_sample_are_within_the_sample(self) -> None:
        adata = self.scattered()
        bundle = exported(adata, neighbors=4, downsample=20)
        xy = bundle.to_anndata().obsm["spatial"]
        assert edges(bundle) == nearest(xy, 4, ["a"] * 20)
        assert "Neighbors were found among the 20 cells drawn at random" in warnings_of(bundle)

    def test_radius_without_a_unit_is_rejected(self) -> None:
        with pytest.raises(PlanError, match=r"Neighbors within 15 µm need .* unknown\. Set the scale \(um_per_unit\)"):
            exported(self.scattered(), neighbors="15um")

    def test_too_large_radius_is_rejected_with_a_suggestion(self) -> None:
        adata = self.scattered()
        with pytest.raises(PlanError, match=r"a cell has 59 neighbors on average; at most 50 .* such as '80um'"):
            exported(adata, neighbors="200um", um_per_unit=1)
        exported(adata, neighbors="80um", um_per_unit=1)

    def test_suggested_radius_is_below_the_limit_where_density_varies(self) -> None:
        # The density falls from the center: a quarter of the area does not have a quarter of the neighbors.
        adata = ad.AnnData(np.ones((400, 2), dtype=np.float32))
        adata.obsm["spatial"] = np.random.default_rng(0).standard_cauchy((400, 2))
        with pytest.raises(PlanError, match="Choose a smaller radius") as caught:
            exported(adata, neighbors="200000um", um_per_unit=1000)
        suggested = str(caught.value).rpartition("such as '")[2].removesuffix("'.")
        exported(adata, neighbors=suggested, um_per_unit=1000)

    def test_no_radius_is_suggested_if_none_has_few_enough_neighbors(self) -> None:
        adata = self.scattered()
        adata.obsm["spatial"] = np.zeros((len(adata), 2))
        adata.obsm["spatial"][0] = 1
        with pytest.raises(PlanError, match=r"Choose a smaller radius\.$"):
            exported(adata, neighbors="10um", um_per_unit=1)

    def test_radius_below_all_distances_is_rejected(self) -> None:
        with pytest.raises(PlanError, match=r"No cell has a neighbor within 0\.5 µm in its section"):
            exported(build(), neighbors="0.5um", um_per_unit=1)

    def test_number_of_threads_does_not_change_the_bytes(self) -> None:
        adata = self.scattered()
        one, four = (exported(adata, neighbors=6, jobs=jobs).manifest.asset_files for jobs in (1, 4))
        assert [file.sha256 for file in one] == [file.sha256 for file in four]

    def test_search_reports_progress_and_can_be_canceled(self) -> None:
        job = Job()
        seen: list[str] = []

        def cancel(progress: Any) -> None:
            seen.append(progress.stage)
            if progress.stage == "Finding neighbors":
                job.cancel()

        job.listen(cancel)
        with pytest.raises(Cancelled):
            run_to_memory(self.scattered(), ExportConfig(neighbors=6), job)
        assert seen[-1] == "Finding neighbors"

    def test_progress_counts_only_cells_with_a_section(self) -> None:
        adata = self.scattered()
        labels = np.array(["a"] * len(adata), dtype=object)
        labels[: len(adata) // 2] = "b"
        labels[:5] = None
        adata.obs["section"] = pd.Categorical(labels)
        job, seen = Job(), []
        job.listen(lambda progress: seen.append(progress) if progress.stage == "Finding neighbors" else None)
        run_to_memory(adata, ExportConfig(neighbors=3, sections="section", preview=False), job)
        assert seen[-1].done == seen[-1].total == len(adata) - 5


def tissue_of(n: int) -> ad.AnnData:
    """Return cells in two sections, denser in one of them, in an order unrelated to their positions."""
    rng = np.random.default_rng(2)
    xy = rng.random((n, 2)) * np.sqrt(n) * 10
    right = rng.random(n) < 0.6
    xy[right, 0] += 20 * np.sqrt(n)
    adata = ad.AnnData(np.ones((n, 1), dtype=np.float32))
    adata.obs_names = [f"c{i}" for i in range(n)]
    adata.obsm["spatial"] = xy
    adata.obs["section"] = pd.Categorical(np.where(right, "a", "b"))
    return adata


@pytest.fixture(scope="module")
def large() -> ad.AnnData:
    """Return more cells than an estimate examines, with a stored graph that has a self-loop and only one direction."""
    adata = tissue_of(40_000)
    tree = cKDTree(adata.obsm["spatial"])
    first, second = tree.query_pairs(12.0, output_type="ndarray").T
    graph = sp.coo_matrix((np.ones(len(first)), (first, second)), shape=(40_000, 40_000)).tocsr()
    graph += sp.diags(np.r_[1.0, np.zeros(39_999)])
    adata.obsp[KEY] = graph
    return adata


@pytest.mark.parametrize("neighbors", ["auto", "6", "30", "15um"])
def test_estimate_from_a_sample_is_near_the_export(large: ad.AnnData, neighbors: str) -> None:
    config = ExportConfig(neighbors=neighbors, um_per_unit=1, preview=False, scripts="no", sections="section")
    source = open_source(large)
    exact, found = resolve(source, config), estimate(source, config).plan
    assert found is not None
    assert found.neighbors is not None
    assert exact.neighbors is not None
    assert len(found.neighbors.cells) < len(exact.neighbors.cells) / 2
    assert found.neighbors.origin == exact.neighbors.origin
    assert found.neighbors.n_edges == pytest.approx(exact.neighbors.n_edges, rel=0.1)

    def size_of(plan: Plan) -> tuple[int, int]:
        without = replace(plan, neighbors=None)
        assert plan.neighbors is not None
        raw = round(
            plan.neighbors.scale * graph_bytes(plan.neighbors.starts, plan.neighbors.cells, plan.neighbors.rows)
        )
        return raw, predict_size(plan, source, config).bytes - predict_size(without, source, config).bytes

    for predicted, wanted in zip(size_of(found), size_of(exact), strict=True):
        assert predicted == pytest.approx(wanted, rel=0.2)
    kinds = [[text.split("obsp")[-1] for text in plan.warnings] for plan in (found, exact)]
    assert kinds[0] == kinds[1]
    assert any(text.startswith("About ") for text in found.warnings) == (neighbors == "auto")


@pytest.mark.parametrize("neighbors", ["0.000001um", "100um"])
def test_estimate_from_a_sample_has_the_problems_of_the_export(large: ad.AnnData, neighbors: str) -> None:
    config = ExportConfig(neighbors=neighbors, um_per_unit=1)
    with pytest.raises(PlanError) as caught:
        resolve(open_source(large), config)
    assert estimate(open_source(large), config).problems["neighbors"] == str(caught.value)


def test_estimate_does_not_miss_rare_edges() -> None:
    adata = tissue_of(20_000)
    adata.obsm["spatial"] = np.column_stack([np.arange(20_000) * 10.0, np.zeros(20_000)])
    adata.obsm["spatial"][100] = adata.obsm["spatial"][101]
    adata.obsp[KEY] = sp.coo_matrix(([1.0], ([100], [101])), shape=(20_000, 20_000)).tocsr()
    for options in ({"neighbors": "1um", "um_per_unit": 1}, {"neighbors": "auto"}):
        found = estimate(open_source(adata), ExportConfig(preview=False, sections="none", **options)).plan
        assert found is not None
        assert found.neighbors is not None
        assert found.neighbors.n_edges == 1


def test_limits_of_options_and_files_agree() -> None:
    assert MAX_EDGES_PER_CELL >= MAX_NEIGHBORS


def test_form_shows_the_problem_next_to_the_option() -> None:
    found = estimate(open_source(build()), ExportConfig(neighbors="15um"))
    assert found.plan is not None
    assert "need the length of a coordinate unit" in found.problems["neighbors"]


def test_large_graph_is_split_into_files(tmp_path: Path) -> None:
    tissue = synthetic_tissue(400, 6, seed=1)
    whole = run_to_memory(tissue, ExportConfig(neighbors=8))
    split = adata_to_karospace(tissue, tmp_path / "b", neighbors=8, max_asset_mb=0.001)
    split.verify()
    assert split.manifest.neighbors is not None
    assert len(split.manifest.neighbors.paths) > 1
    assert (whole.neighbors() != split.neighbors()).nnz == 0


def test_predicted_size_includes_the_neighbors() -> None:
    tissue = synthetic_tissue(3000, 6, seed=1)
    sizes = []
    for neighbors in ("none", "20"):
        config = ExportConfig(neighbors=neighbors, preview=False, scripts="no")
        plan = estimate(open_source(tissue), config).plan
        assert plan is not None
        sizes.append(
            (plan.predicted_files, plan.predicted_bytes, predict_size(plan, open_source(tissue), config).bytes)
        )
    stored = next(
        file
        for file in run_to_memory(tissue, ExportConfig(neighbors=20)).manifest.asset_files
        if file.kind == "neighbors"
    )
    assert sizes[1][0] - sizes[0][0] == 1
    assert sizes[1][1] - sizes[0][1] == stored.raw_bytes
    assert sizes[1][2] - sizes[0][2] == pytest.approx(stored.size_bytes, abs=500)
