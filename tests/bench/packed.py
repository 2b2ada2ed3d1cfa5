"""Measure packed genes: time compared with reading and transposing the matrix, size compared with dense genes, memory.

Usage: python tests/bench/packed.py [--rounds N] [--skip-large]

Set KAROSPACE_REAL_DATA to a folder with `.h5ad` files to include the largest one whose X is CSR.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import h5py
import scipy.sparse as sp
from rows import Row, row, table
from run import KINDS, generate, python, real_file, timed

from karospace_jupyter.bundle.compress import Method, compress
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.encode.pack import Packer
from karospace_jupyter.encode.packed import encode_packed
from karospace_jupyter.job import Job
from karospace_jupyter.plan import resolve
from karospace_jupyter.source import open_source

SCANPY = """
import sys, time, warnings
warnings.simplefilter("ignore")
import anndata, scanpy
adata = anndata.read_h5ad(sys.argv[1])
adata.X.indptr = adata.X.indptr.astype(adata.X.indices.dtype)  # scipy requires equal types
start = time.perf_counter()
scanpy.tl.rank_genes_groups(adata, "cluster", method="t-test")
print(time.perf_counter() - start)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-large", action="store_true", help="omit the benchmark of 1,000,000 cells")
    parser.add_argument("--measure", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--markers", default="none", help=argparse.SUPPRESS)
    parser.add_argument("--memory-mb", type=int, default=512, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(Path(options.measure), options.memory_mb, options.markers)))
        return
    work = Path(tempfile.mkdtemp(prefix="karospace-bench-"))
    rows: list[Row] = []
    try:
        for kind, description in KINDS.items():
            file = work / f"{kind}.h5ad"
            generate(file, 200_000, 5_000, kind)
            rows.append(times(file, f"200,000 × 5,000, {description}", options.rounds, "≤ 4 ×"))
            rows.append(markers(file, f"200,000 × 5,000, {description}", options.rounds))
            file.unlink()
        if real := real_file():
            rows += [times(real, f"real file ({real.name})", options.rounds, "≤ 4 ×"), size(real)]
        if not options.skip_large:
            rows += large(work)
    finally:
        shutil.rmtree(work)
    print(table(rows))


def measure(file: Path, memory_mb: int, markers: str) -> dict[str, float]:
    """Pack all genes of a file, with the markers of a column; return seconds and bytes."""
    config = ExportConfig(packed="yes", genes_mode="top_mean:1", memory_mb=memory_mb, markers=markers)
    source = open_source(file, memory_bytes=config.memory_bytes)
    plan = resolve(source, config)
    written = 0

    def put(_: str, data: bytes) -> None:
        nonlocal written
        written += len(data)

    start = time.perf_counter()
    with Packer(put, gzip=True, threads=config.threads) as packer:
        encode_packed(plan, source, packer, config.max_asset_bytes, config.memory_bytes, Job.null())
    return {"seconds": time.perf_counter() - start, "bytes": written}


def transposed(file: Path) -> tuple[float, sp.csc_matrix]:
    """Read a matrix and transpose it; return the seconds and the matrix."""
    start = time.perf_counter()
    with h5py.File(file) as opened:
        x = opened["X"]
        parts = (x["data"][:], x["indices"][:], x["indptr"][:])
        matrix = sp.csr_matrix(parts, shape=tuple(x.attrs["shape"])).tocsc()
    return time.perf_counter() - start, matrix


def times(file: Path, what: str, n: int, limit: str) -> Row:
    """Compare with reading and transposing, in turn."""
    bare, ours = [], []
    for _ in range(n):
        bare.append(transposed(file)[0])
        ours.append(json.loads(timed(python(__file__, "--measure", str(file)))[2]))
    seconds, limit_s = statistics.median(run["seconds"] for run in ours), statistics.median(bare)
    text = (
        f"{seconds:.2f} s = {seconds / limit_s:.1f} × (read + tocsc {limit_s:.2f} s); {ours[0]['bytes'] / 1e6:.1f} MB"
    )
    return row(f"all genes packed, {what}", text, value=seconds / limit_s, limit=limit)


def markers(file: Path, what: str, n: int) -> Row:
    """Compare the time that markers of 20 categories add to an export with scanpy's t-test of the same categories."""
    without, with_markers, tested = [], [], []
    for _ in range(n):
        without.append(json.loads(timed(python(__file__, "--measure", str(file)))[2])["seconds"])
        with_markers.append(
            json.loads(timed(python(__file__, "--measure", str(file), "--markers", "cluster"))[2])["seconds"]
        )
        tested.append(float(timed(python("-c", SCANPY, str(file)))[2]))
    added, theirs = statistics.median(with_markers) - statistics.median(without), statistics.median(tested)
    text = f"{added:.2f} s in addition to the genes; scanpy's t-test alone {theirs:.1f} s = {theirs / max(added, 0.01):.0f} ×"
    return row(f"markers of 20 categories, {what}", text, value=added, limit="≤ 1 s")


def size(file: Path) -> Row:
    """Compare with one dense vector for each gene, compressed with libdeflate."""
    packed = json.loads(timed(python(__file__, "--measure", str(file)))[2])["bytes"]
    matrix = transposed(file)[1].astype("float32")
    dense = sum(
        len(compress(matrix[:, gene].toarray().ravel().tobytes(), Method.QUICK)) for gene in range(matrix.shape[1])
    )
    text = f"{packed / 1e6:.2f} MB = {packed / dense:.2f} × dense genes ({dense / 1e6:.2f} MB)"
    return row(f"size of all genes, {file.name}", text, value=packed / dense, limit="≤ 0.35 ×")


def large(work: Path) -> list[Row]:
    """Pack 1,000,000 × 2,000 within a budget of 1 GiB; the peak includes the interpreter and its packages."""
    file = work / "1m.h5ad"
    generate(file, 1_000_000, 2_000, "log1p")
    # Measure this first: the peak of a new process includes the memory of the process that starts it.
    _, peak, output = timed(python(__file__, "--measure", str(file), "--memory-mb", "512"))
    bare = transposed(file)[0]
    seconds = json.loads(output)["seconds"]
    return [
        row(
            "all genes packed, 1,000,000 × 2,000",
            f"{seconds:.1f} s = {seconds / bare:.1f} × (read + tocsc {bare:.1f} s)",
            value=seconds / bare,
            limit="≤ 2 ×",
        ),
        row("peak memory of that process", f"{peak:.0f} MiB", value=peak, limit="≤ 1,024 MiB"),
    ]


if __name__ == "__main__":
    main()
