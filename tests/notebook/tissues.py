"""Built-in tissue for kernels, cached on disk because generating one takes seconds at any size."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from anndata import AnnData, read_h5ad

from karospace_jupyter import datasets

sys.path.append(str(Path(__file__).parents[1] / "support"))
import encoded
import painted

encoded.keep()
painted.keep()
KEPT = Path(__file__).parents[2] / "build" / "tissues"


def synthetic_tissue(n_cells: int, n_genes: int, *, seed: int) -> AnnData:
    """Return the tissue of `datasets.synthetic_tissue`, from the cache if possible."""
    file = KEPT / f"{painted.PAINTED_BY}-{n_cells}-{n_genes}-{seed}.h5ad"
    if not file.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        made = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        datasets.synthetic_tissue(n_cells, n_genes, seed=seed).write_h5ad(made)
        made.replace(file)
    return read_h5ad(file)
