"""Compare an export of all genes with cellucid's preparation of the same file: run time of the command, and bytes.

Usage: python tests/bench/peer.py PYTHON [--rounds N] [FILE ...]

PYTHON is the interpreter of another environment with `cellucid==0.9.5`, which is not a dependency of this project.
Without FILE, three kinds of matrices of 200,000 × 5,000 are generated.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from rows import Row, row, table
from run import KINDS, generate, python, rounds

PREPARE = """
import sys
import anndata as ad
from cellucid import prepare
data = ad.read_h5ad(sys.argv[1])
# cellucid requires an embedding; use the coordinates.
data.obsm.setdefault("X_umap", data.obsm["spatial"][:, :2])
prepare(sys.argv[2], format="h5ad", data=data, dataset_id="bench", dataset_name="bench", force=True)
"""
"""Reads the file, and writes one `.h5ad` with genes as columns, the form that cellucid recommends."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", metavar="PYTHON")
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_intermixed_args()
    work = Path(tempfile.mkdtemp(prefix="karospace-bench-"))
    rows: list[Row] = []
    try:
        for file in options.files:
            rows += compared(file, file.name, work, options)
        for kind, description in {} if options.files else KINDS.items():
            file = work / f"{kind}.h5ad"
            generate(file, 200_000, 5_000, kind)
            rows += compared(file, f"200,000 × 5,000, {description}", work, options)
            file.unlink()
    finally:
        shutil.rmtree(work)
    print(table(rows))


def compared(file: Path, what: str, work: Path, options: argparse.Namespace) -> list[Row]:
    out, prepared = work / "out", work / "prepared.h5ad"
    export = python(
        "-m", "karospace_jupyter.cli", "--h5ad", str(file), "--outdir", str(out), "--packed", "yes",
        "--scripts", "no", "--quiet",
    )  # fmt: skip
    prepare = [options.python, "-c", PREPARE, str(file), str(prepared)]
    results = rounds(options.rounds, ours=export, theirs=prepare)
    ours, theirs = results["ours"][0], results["theirs"][0]
    manifest = json.loads((out / "manifest.json").read_text())
    packed = manifest["packed"]
    paths = {
        *packed["index"],
        *(packed["ladders"] or []),
        *(path for shard in packed["shards"] for path in shard["paths"]),
    }
    packed_bytes = sum(file["size_bytes"] for file in manifest["asset_files"] if file["path"] in paths)
    share = packed_bytes / prepared.stat().st_size
    return [
        row(
            f"export of all genes, {what}",
            f"{ours:.1f} s = {ours / theirs:.2f} × cellucid ({theirs:.1f} s)",
            value=ours / theirs,
            limit="≤ 0.5 ×",
        ),
        row(
            f"bytes of all genes, {what}",
            f"{packed_bytes / 1e6:.1f} MB = {share:.2f} × cellucid ({prepared.stat().st_size / 1e6:.1f} MB)",
            value=share,
            limit="≤ 0.35 ×",
        ),
    ]


if __name__ == "__main__":
    main()
