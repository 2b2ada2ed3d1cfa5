"""Measure an export gene by gene with gzip level 9. Prints seconds.

Usage: python tests/bench/naive.py FILE GENES
"""

from __future__ import annotations

import gzip
import json
import sys
import time

import anndata as ad
import numpy as np

adata = ad.read_h5ad(sys.argv[1], backed="r")
start = time.perf_counter()
for gene in range(int(sys.argv[2])):
    column = adata.X[:, [gene]]
    gzip.compress(np.asarray(column.todense(), dtype=np.float32).tobytes(), 9)
print(json.dumps({"seconds": time.perf_counter() - start}))
