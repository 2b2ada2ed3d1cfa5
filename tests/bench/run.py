"""Measure speed and memory, compared with the bare limit: ``make bench``.

The *bare limit* is a program that only reads the matrix with h5py, builds the dense vectors of the chosen genes, compresses
them with the same library on all cores and writes them. Times are medians; quote the ratios. Each row shows whether its
limit is met; only errors fail the run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rows import Row, row, table

HERE = Path(__file__).parent


def timed(command: list[str], env: dict[str, str] | None = None) -> tuple[float, float, str]:
    """Run a process; return its duration in seconds, its peak resident memory in MiB and its standard output."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def rounds(n: int, **commands: list[str]) -> dict[str, tuple[float, float, str]]:
    """Run the commands in turn, `n` times; return the median seconds, the maximum memory and the last output of each."""
    results: dict[str, list[tuple[float, float, str]]] = {name: [] for name in commands}
    for _ in range(n):
        for name, command in commands.items():
            results[name].append(timed(command))
    return {
        name: (statistics.median(r[0] for r in runs), max(r[1] for r in runs), runs[-1][2])
        for name, runs in results.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-large", action="store_true", help="omit the benchmarks of 1,000,000 cells")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="karospace-bench-"))
    rows: list[Row] = []
    try:
        rows += export_200k(work, options.rounds)
        if not options.skip_large:
            rows += memory_1m(work)
        rows += preview_1m()
        if not options.skip_large:
            rows += json.loads(timed(python(str(HERE / "browser.py"), "--json"))[2])
    finally:
        shutil.rmtree(work)
    cores = len(os.sched_getaffinity(0))
    print(
        f"\n{platform.machine()}, {cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}\n"
    )
    print(table(rows))


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def generate(path: Path, cells: int, genes: int, kind: str = "continuous") -> None:
    print(f"writing {cells:,} × {genes:,}, {kind} …", file=sys.stderr)
    subprocess.run(python(str(HERE / "generate.py"), str(path), str(cells), str(genes), kind), check=True)


KINDS = {
    "continuous": "log-normalized",
    "log1p": "log-normalized with few distinct library sizes",
    "counts": "counts",
}


@dataclass(frozen=True)
class Measured:
    """Measurements of the whole command for one matrix."""

    what: str
    seconds: float
    bare: float
    share: float
    """Time of the command relative to `import anndata` and the bare limit together."""
    size_ratio: float
    """Size relative to gzip level 9."""

    def row(self) -> Row:
        text = f"{self.seconds:.2f} s = {self.share:.2f} × (import + {self.bare:.2f} s); {self.size_ratio:.3f} × gzip level 9"
        return row(f"whole command, {self.what}", text)


def export_200k(work: Path, n: int) -> list[Row]:
    """Export 500 genes of a file of 200,000 × 5,000 (CSR, 5% non-zero) for three kinds of values, and of a real file."""
    measured = []
    engine, by_gene, load = 0.0, 0.0, 0.0
    for kind, description in KINDS.items():
        file = work / f"{kind}.h5ad"
        generate(file, 200_000, 5_000, kind)
        result, load = whole_command(file, description, work, n)
        measured.append(result)
        if kind == "continuous":
            engine = json.loads(timed(python(str(HERE / "engine.py"), str(file), "500", str(work / "engine")))[2])[
                "seconds"
            ]
            by_gene = json.loads(timed(python(str(HERE / "naive.py"), str(file), "10"))[2])["seconds"] / 10 * 500
        file.unlink()
    real = real_file()
    if real is not None:
        measured.append(whole_command(real, f"real file ({real.name})", work, n)[0])
    else:
        print("KAROSPACE_REAL_DATA is not set to a folder with a CSR file: no real file is measured", file=sys.stderr)
    slowest = max(measured, key=lambda result: result.share)
    largest = max(measured, key=lambda result: result.size_ratio)
    ratio = by_gene / engine
    return [
        row("`import anndata`", f"{load:.2f} s"),
        *(result.row() for result in measured),
        row(
            f"slowest of these ({slowest.what})",
            f"{slowest.share:.2f} × (import + bare limit)",
            value=slowest.share,
            limit="≤ 1.6 ×",
        ),
        row(
            f"largest of these ({largest.what})",
            f"{largest.size_ratio:.3f} × gzip level 9",
            value=largest.size_ratio,
            limit="≤ 1.1 ×",
        ),
        row(
            "exporter alone compared with an export gene by gene at gzip level 9",
            f"{engine:.2f} s; {by_gene:.0f} s (10 genes, scaled) = {ratio:.0f} ×",
            value=ratio,
            limit="≥ 100 ×",
        ),
    ]


def whole_command(file: Path, what: str, work: Path, n: int) -> tuple[Measured, float]:
    """Export 500 genes of `file` and compare with the bare limit; also return the seconds of `import anndata`."""
    out = work / "out"
    export = python(
        "-m",
        "karospace_jupyter.cli",
        "--h5ad",
        str(file),
        "--outdir",
        str(out),
        "--genes",
        "top_mean:500",
        "--packed",
        "no",
    )
    results = rounds(
        n,
        load=python("-c", "import anndata"),
        bare=python(str(HERE / "bare.py"), str(file), "500", str(work / "bare")),
        export=[*export, "--quiet", "--json"],
    )
    load, whole, bare = results["load"][0], results["export"][0], json.loads(results["bare"][2])["seconds"]
    manifest = json.loads((out / "manifest.json").read_text())
    ours = sum(a["size_bytes"] for a in manifest["asset_files"] if a["kind"] == "expression_chunk")
    best = json.loads(timed(python(str(HERE / "level9.py"), str(out)))[2])["bytes"]
    shutil.rmtree(out)
    return Measured(what, whole, bare, whole / (load + bare), ours / best), load


def real_file() -> Path | None:
    """Return the largest `.h5ad` in the folder of real files whose X is CSR; None if there is none."""
    import h5py

    folder = os.environ.get("KAROSPACE_REAL_DATA")
    candidates = []
    for path in Path(folder).glob("*.h5ad") if folder else ():
        with h5py.File(path) as file:
            if "X" in file and dict(file["X"].attrs).get("encoding-type") == "csr_matrix":
                candidates.append(path)
    return max(candidates, key=lambda path: path.stat().st_size, default=None)


def memory_1m(work: Path) -> list[Row]:
    """Measure the peak memory for 1,000,000 cells × 2,000 genes on disk, with few and many exported genes."""
    file = work / "1m.h5ad"
    generate(file, 1_000_000, 2_000)
    rows = []
    for genes in (50, 500, 2000):
        command = python(
            "-m", "karospace_jupyter.cli", "--h5ad", str(file), "--outdir", str(work / "large"),
            "--genes", f"top_mean:{genes}", "--packed", "no", "--quiet",
        )  # fmt: skip
        seconds, peak, _ = timed(command)
        rows.append(
            row(
                f"peak memory, 1,000,000 × 2,000, {genes} genes",
                f"{peak:.0f} MiB ({seconds:.0f} s)",
                value=peak,
                limit="≤ 1,536 MiB",
            )
        )
        shutil.rmtree(work / "large")
    return rows


def preview_1m() -> list[Row]:
    """Measure the preview of 1,000,000 cells."""
    seconds = json.loads(timed(python(str(HERE / "preview.py")))[2])["seconds"]
    return [row("preview of 1,000,000 cells", f"{seconds:.2f} s", value=seconds, limit="≤ 0.3 s")]


if __name__ == "__main__":
    main()
