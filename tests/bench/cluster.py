"""Compare exports with dask clusters of one and two workers with an export without a cluster.

Usage: python tests/bench/cluster.py [FILE.h5ad]

Without a file, a tissue of 200,000 cells × 2,000 genes is written with gzip. Each kind of export runs three times, in turn.
Prints the median times.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

import generate
from distributed import Client, LocalCluster

from karospace_jupyter import ExportConfig, export_h5ad
from karospace_jupyter.formatting import counted

ROUNDS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else write_tissue(Path(folder))
        times: dict[int, list[float]] = {0: [], 1: [], 2: []}
        for _ in range(ROUNDS):
            for workers, seconds in times.items():
                seconds.append(measure_export(path, workers, Path(folder) / "viewer"))
        without_cluster = statistics.median(times[0])
        for workers, seconds in times.items():
            took = statistics.median(seconds)
            cluster = counted(workers, "worker") if workers else "no workers"
            print(f"{cluster}: {took:.1f} s, {took / without_cluster:.2f} × one process")


def write_tissue(folder: Path) -> Path:
    import anndata

    generate.main(str(folder / "raw.h5ad"), 200_000, 2_000, "log1p")
    adata = anndata.read_h5ad(folder / "raw.h5ad")
    adata.write_h5ad(folder / "tissue.h5ad", compression="gzip")
    return folder / "tissue.h5ad"


def measure_export(path: Path, workers: int, outdir: Path) -> float:
    with contextlib.ExitStack() as stack:
        if workers:
            cluster = stack.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0)
            )
            stack.enter_context(Client(cluster))
        start = time.monotonic()
        export_h5ad(ExportConfig(h5ad_path=path, outdir=outdir, scripts="no", memory_mb=64))
        return time.monotonic() - start


if __name__ == "__main__":
    main()
