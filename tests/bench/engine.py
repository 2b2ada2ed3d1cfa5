"""Measure the exporter without its imports. Prints seconds.

Usage: python tests/bench/engine.py FILE GENES OUTDIR
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import anndata.io  # noqa: F401 - not part of the measured time

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.export import run

config = ExportConfig(
    h5ad_path=Path(sys.argv[1]), genes_mode=f"top_mean:{sys.argv[2]}", outdir=Path(sys.argv[3]), packed="no"
)
start = time.perf_counter()
run(config.h5ad_path, config)
print(json.dumps({"seconds": time.perf_counter() - start}))
