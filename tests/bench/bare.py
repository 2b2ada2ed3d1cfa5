"""Measure the bare limit: read X, build dense vectors, compress on all cores, and write. Prints seconds.

Usage: python tests/bench/bare.py FILE GENES OUTDIR
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import deflate
import h5py
import numpy as np
import scipy.sparse as sp


def main(path: str, n_genes: int, out: Path) -> None:
    out.mkdir(exist_ok=True)
    start = time.perf_counter()
    with h5py.File(path) as file:
        x = file["X"]
        shape = tuple(x.attrs["shape"])
        matrix = sp.csr_matrix((x["data"][:], x["indices"][:], x["indptr"][:]), shape=shape)
    chosen = matrix[:, np.argsort(-np.asarray(matrix.mean(axis=0)).ravel())[:n_genes]].tocsc()

    def write_gene(gene: int) -> None:
        vector = np.zeros(shape[0], dtype=np.float32)
        a, b = chosen.indptr[gene], chosen.indptr[gene + 1]
        vector[chosen.indices[a:b]] = chosen.data[a:b]
        (out / f"{gene}.gz").write_bytes(deflate.gzip_compress(vector.tobytes(), 1))

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(write_gene, range(n_genes)))
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
