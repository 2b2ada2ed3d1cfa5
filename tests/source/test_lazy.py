"""Tests of objects that are read lazily, with and without a cluster of processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
from waiting import eventually, let_time_pass

from karospace_jupyter import ExportConfig, Job, adata_to_karospace, export_h5ad, karospace_view
from karospace_jupyter.cli import main
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import SourceError
from karospace_jupyter.job import Progress
from karospace_jupyter.source import cluster as clusters
from karospace_jupyter.source.cluster import _Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client

dask = pytest.importorskip("dask")
pytest.importorskip("xarray")
read_lazy = pytest.importorskip("anndata.experimental").read_lazy

OPTIONS: dict[str, Any] = {"genes_mode": "hvgs:20", "dataset_name": "tissue", "scripts": "no"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write a tissue as `.h5ad` and as zarr, with everything that an export reads."""
    folder = tmp_path_factory.mktemp("lazy")
    adata = synthetic_tissue(3000, 80)
    adata.raw = adata[:, :30].copy()
    adata.obsm["xy"] = adata.obs[["area", "total_counts"]].rename(columns={"area": "x", "total_counts": "y"})
    edges = np.arange(adata.n_obs - 1)
    adata.obsp["spatial_connectivities"] = sp.coo_matrix(
        (np.ones(len(edges)), (edges, edges + 1)), shape=(adata.n_obs, adata.n_obs)
    ).tocsr()
    adata.write_h5ad(folder / "tissue.h5ad")
    adata.write_zarr(folder / "tissue.zarr")
    return {"h5ad": folder / "tissue.h5ad", "zarr": folder / "tissue.zarr"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """Start a cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0
        ) as workers,
        distributed.Client(workers, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def connected(cluster: Client) -> Iterator[Client]:
    """Connect the test to the cluster."""
    with cluster.as_current():
        yield cluster


def work_done(cluster: Client) -> int:
    """Return the number of task transitions in the cluster."""
    return int(cluster.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter))


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of each file, and the manifest without the time of the export."""
    found = {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["created_at"]
    return {**found, "manifest": json.dumps(manifest)}


def exported(subject: Any, folder: Path, **options: Any) -> dict[str, str]:
    adata_to_karospace(subject, outdir=folder, **OPTIONS, **options)
    return contents(folder)


@pytest.fixture(scope="module")
def expected(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what an export of the file writes."""
    folder = tmp_path_factory.mktemp("expected") / "viewer"
    export_h5ad(ExportConfig(h5ad_path=files["h5ad"], outdir=folder, **OPTIONS))
    return contents(folder)


@pytest.mark.parametrize("kind", ["h5ad", "zarr"])
def test_lazy_object_is_exported_like_its_file(
    files: dict[str, Path], expected: dict[str, str], kind: str, tmp_path: Path
) -> None:
    found = exported(read_lazy(files[kind]), tmp_path / "lazy")
    assert found == expected
    assert len(found) > 20


def test_layers_raw_tables_and_graphs_are_read_lazily(files: dict[str, Path], tmp_path: Path) -> None:
    options: dict[str, Any] = {"coords": "obsm:xy", "matrices": ["raw", "layer:counts"], **OPTIONS}
    export_h5ad(ExportConfig(h5ad_path=files["h5ad"], outdir=tmp_path / "file", **options))
    adata_to_karospace(read_lazy(files["h5ad"]), outdir=tmp_path / "lazy", **options)
    assert contents(tmp_path / "lazy") == contents(tmp_path / "file")
    assert "neighbors" in contents(tmp_path / "lazy")["manifest"]


def test_part_of_a_lazy_object_is_exported_like_that_part(files: dict[str, Path], tmp_path: Path) -> None:
    part = np.arange(100, 2100)
    found = exported(read_lazy(files["h5ad"])[part], tmp_path / "lazy")
    assert found == exported(ad.read_h5ad(files["h5ad"])[part], tmp_path / "memory")


def test_view_of_a_lazy_object_reads_genes_and_columns(files: dict[str, Path]) -> None:
    view = karospace_view(read_lazy(files["h5ad"]), genes_mode="hvgs:5")
    view.color = "leiden"
    view.color = "GENE0042"
    assert view.color == "GENE0042"
    view.close()


class TestCluster:
    """An export by a process that is connected to a cluster."""

    def test_export_writes_the_same_bytes(
        self, connected: Client, files: dict[str, Path], expected: dict[str, str], tmp_path: Path
    ) -> None:
        before = work_done(connected)
        assert exported(read_lazy(files["h5ad"]), tmp_path / "viewer") == expected
        assert work_done(connected) > before
        # No unused result is kept.
        eventually(lambda: not connected.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))

    def test_result_whose_transfer_takes_longer_than_a_wait_is_used(
        self, cluster: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clusters, "_LOOK_S", 0.002)
        assert clusters.computed(dask.delayed(_SlowToSend)(), cluster) == "sent"

    @pytest.mark.parametrize("kind", ["csr", "csc", "dense"])
    @pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
    def test_workers_read_files(
        self, cluster: Client, files: dict[str, Path], kind: str, suffix: str, tmp_path: Path
    ) -> None:
        adata = ad.read_h5ad(files["h5ad"])
        make: Any = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": lambda x: x.toarray()}[kind]
        adata.X = make(adata.X)
        path = tmp_path / f"tissue.{suffix}"
        adata.write_zarr(path) if suffix == "zarr" else adata.write_h5ad(path, compression="gzip")
        export_h5ad(ExportConfig(h5ad_path=path, outdir=tmp_path / "alone", **OPTIONS))
        before = work_done(cluster)
        with cluster.as_current():
            export_h5ad(ExportConfig(h5ad_path=path, outdir=tmp_path / "cluster", **OPTIONS))
        assert work_done(cluster) > before
        assert contents(tmp_path / "cluster") == contents(tmp_path / "alone")

    @pytest.mark.usefixtures("connected")
    def test_workers_without_the_file_are_reported(
        self, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clusters, "_place", lambda array: _Place("h5py", "/elsewhere/tissue.h5ad", array.name))
        with pytest.raises(SourceError, match="All workers must see the file at the same path"):
            export_h5ad(ExportConfig(h5ad_path=files["h5ad"], outdir=tmp_path / "viewer", **OPTIONS))

    def test_command_line_connects_to_the_cluster(
        self,
        cluster: Client,
        files: dict[str, Path],
        expected: dict[str, str],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        address = str(cluster.scheduler_info()["address"])
        before = work_done(cluster)
        command = [str(files["h5ad"]), "--outdir", str(tmp_path / "viewer"), "--genes", "hvgs:20"]
        options = ["--name", "tissue", "--scripts", "no", "--quiet", "--dask", address]
        assert main([*command, *options]) == 0
        assert contents(tmp_path / "viewer") == expected
        assert work_done(cluster) > before
        monkeypatch.setattr(clusters, "_PATIENCE_S", 1)
        assert main([*command, "--quiet", "--dask", "tcp://127.0.0.1:9"]) == 1
        assert "No dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err

    @pytest.mark.usefixtures("connected")
    def test_workers_compute_the_values(self, files: dict[str, Path], tmp_path: Path) -> None:
        adata = read_lazy(files["h5ad"])
        here = os.getpid()
        adata.X = adata.X.map_blocks(_elsewhere, here, dtype=adata.X.dtype, meta=adata.X._meta)
        assert exported(adata, tmp_path / "viewer")

    @pytest.mark.usefixtures("connected")
    def test_export_completes_when_a_worker_is_killed(
        self, files: dict[str, Path], expected: dict[str, str], tmp_path: Path
    ) -> None:
        adata = read_lazy(files["h5ad"])
        adata.X = adata.X.map_blocks(_killing_once, str(tmp_path / "killed"), dtype=adata.X.dtype, meta=adata.X._meta)
        assert exported(adata, tmp_path / "viewer") == expected
        assert (tmp_path / "killed").exists()

    @pytest.mark.usefixtures("connected")
    def test_block_that_kills_every_worker_ends_the_export(self, files: dict[str, Path], tmp_path: Path) -> None:
        adata = read_lazy(files["h5ad"])
        adata.X = adata.X.map_blocks(_killing, dtype=adata.X.dtype, meta=adata.X._meta)
        with pytest.raises(
            SourceError, match=r"Several workers were lost while computing .*, probably because they ran out of memory"
        ):
            exported(adata, tmp_path / "viewer")
        assert not list(tmp_path.iterdir())

    @pytest.mark.usefixtures("connected")
    def test_error_of_a_worker_names_the_matrix(self, files: dict[str, Path], tmp_path: Path) -> None:
        adata = read_lazy(files["h5ad"])
        adata.X = adata.X.map_blocks(_failing, dtype=adata.X.dtype, meta=adata.X._meta)
        with pytest.raises(SourceError, match=r"X of .* cannot be read: the disk is gone"):
            exported(adata, tmp_path / "viewer")
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lost", ["scheduler", "client"])
def test_nothing_is_written_when_the_cluster_is_lost(files: dict[str, Path], lost: str, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    target = tmp_path / "viewer"
    before = exported(ad.read_h5ad(files["h5ad"])[:100], target)
    client = distributed.Client(processes=True, n_workers=1, threads_per_worker=1, dashboard_address=":0")
    # A client that is closed inside its own `with` stays dask's scheduler afterwards and makes other tests fail.
    with contextlib.closing(client):
        adata = read_lazy(files["h5ad"])
        cut = threading.Event()

        def cut_off(progress: Progress) -> None:
            if not cut.is_set() and progress.stage.startswith("Reading"):
                cut.set()
                (client.cluster.close if lost == "scheduler" else client.close)()

        with pytest.raises(SourceError, match="connection to the dask cluster was lost"):
            adata_to_karospace(adata, outdir=target, job=Job(cut_off), **OPTIONS)
    assert cut.is_set()
    assert contents(target) == before
    assert [file.name for file in tmp_path.iterdir()] == ["viewer"]
    assert dask.config.get("scheduler", None) is None


class _SlowToSend:
    """A result that a worker takes long to serialize; it arrives as text."""

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        let_time_pass(0.2)
        return str, ("sent",)


def _elsewhere(block: Any, process: int) -> Any:
    """Return the block; fail in the process with this ID."""
    assert os.getpid() != process
    return block


def _failing(block: Any) -> Any:
    raise ValueError("the disk is gone")


def _killing_once(block: Any, marker: str) -> Any:
    """Kill the process that computes a block, but only the first time."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return block
    os.kill(os.getpid(), signal.SIGKILL)
    return block


def _killing(block: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)
    return block
