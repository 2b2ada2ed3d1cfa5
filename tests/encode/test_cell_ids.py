"""Cell IDs are read back exactly, regardless of how they are split into blocks and files."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pytest

from karospace_jupyter import ConfigError, ExportConfig
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.encode import columnar
from karospace_jupyter.export import run_to_memory

IDS = ["", "c1", "π 🧬", "a" * 60, *(f"cell {i}" for i in range(96))]


def exported(max_asset_mb: float) -> Any:
    adata = ad.AnnData(np.ones((len(IDS), 1), dtype=np.float32))
    adata.obs_names = IDS
    adata.obsm["spatial"] = np.random.default_rng(0).random((len(IDS), 2))
    options = {"genes_mode": "all", "packed": "no", "tables": "no", "preview": False}
    return run_to_memory(adata, ExportConfig(max_asset_mb=max_asset_mb, **options))


@pytest.mark.parametrize("block", [1, 7, 50, 65_536])
@pytest.mark.parametrize("max_asset_mb", [0.0001, 0.0004, 16])
def test_ids_are_read_back(monkeypatch: pytest.MonkeyPatch, block: int, max_asset_mb: float) -> None:
    monkeypatch.setattr(columnar, "_BLOCK_IDS", block)
    bundle = exported(max_asset_mb)
    assert cell_ids(bundle).tolist() == IDS
    chunks = bundle.manifest.cell_ids.chunks
    assert all(len(bundle.read(chunk.path)) <= max_asset_mb * 10**6 for chunk in chunks)
    assert (len(chunks) > 1) == (max_asset_mb < 1)


def test_id_larger_than_the_file_limit_is_an_error() -> None:
    with pytest.raises(ConfigError, match="one cell ID takes 68 bytes"):
        exported(0.00006)
