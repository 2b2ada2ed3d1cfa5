"""Tables of cells may be left out, and are verified in blocks."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import Bundle, BundleError, ExportConfig, adata_to_karospace
from karospace_jupyter.bundle import verify
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.export import dry_run, run_to_memory


class TestWithoutTablesOfCells:
    @pytest.fixture
    def adata(self) -> ad.AnnData:
        adata = synthetic_tissue(300, 12, seed=3)
        adata.obs.iloc[::7, adata.obs.columns.get_loc("cell_type")] = np.nan
        return adata

    def exported(self, adata: ad.AnnData, tables: str) -> Bundle:
        return run_to_memory(adata, ExportConfig(tables=tables, genes_mode="hvgs:3", image_path="none"))

    def test_bundle_holds_the_same_data(self, adata: ad.AnnData) -> None:
        with_tables, without = self.exported(adata, "yes"), self.exported(adata, "no")
        kinds = {file.kind for file in without.manifest.asset_files}
        assert {"obs_csv", "obs_json", "coords_json"} & kinds == set()
        assert "var_csv" in kinds
        assert without.verify().files == with_tables.verify().files - 3
        a, b = with_tables.to_anndata(), without.to_anndata()
        pd.testing.assert_frame_equal(a.obs, b.obs)
        np.testing.assert_array_equal(a.obsm["spatial"], b.obsm["spatial"])
        assert any(
            text == "The tables of cells were left out, as requested: readers of format 1.0 cannot open the bundle."
            for text in without.warnings
        )

    def test_predicted_number_of_files_excludes_the_tables(self, adata: ad.AnnData) -> None:
        config = ExportConfig(tables="no", genes_mode="hvgs:3", image_path="none", scripts="no")
        _, size = dry_run(adata, config)
        bundle = self.exported(adata, "no")
        assert size.files == len(bundle.manifest.asset_files) + 2

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"cell_ids": None}, "asset_files lists no file of kind obs_csv"),
            ({"annotation_columns": ["other"]}, "columns and annotation_columns contain different names"),
            ({"coordinates": {"extent": (0.0, 0.0, 1.0, 1.0)}}, "the extent of the coordinates does not match"),
            ({"coordinates": {"chunks": []}}, "an array has values for 0 of 300 cells"),
            ({"coordinates": {"path": "assets/nowhere.bin"}}, r"assets/nowhere\.bin"),
            ({"cell_ids": {"path": "assets/nowhere.bin"}}, r"assets/nowhere\.bin"),
        ],
        ids=["no IDs", "columns", "extent", "no coordinates", "path of coordinates", "path of IDs"],
    )
    def test_damage_is_reported(self, adata: ad.AnnData, change: dict[str, Any], problem: str) -> None:
        adata.obs = adata.obs[["cell_type"]]  # without sections, which are compared with the coordinates
        bundle = self.exported(adata, "no")
        changed = dict(change)
        for field, part in change.items():
            stored = getattr(bundle.manifest, field)
            if isinstance(part, dict) and "path" in part:
                chunk = stored.chunks[0].model_copy(update=part)
                changed[field] = stored.model_copy(update={"chunks": [chunk]})
            elif isinstance(part, dict):
                changed[field] = stored.model_copy(update=part)
        broken = Bundle(bundle.files, bundle.manifest.model_copy(update=changed))
        with pytest.raises(BundleError, match=problem):
            broken.verify()

    def test_duplicate_cell_id_is_reported(self, adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
        bundle = self.exported(adata, "no")
        ids = cell_ids(bundle).tolist()
        monkeypatch.setattr(verify, "id_blocks", lambda _: [ids[:150], [*ids[150:-1], ids[0]]])
        with pytest.raises(BundleError, match="two cells have the same ID"):
            bundle.verify()


@pytest.mark.parametrize("rows", [1, 7, 150, 10_000])
@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "obs_000.csv",
            ",Tumor,",
            ",Tumour,",
            "column 'cell_type', row {row}: 'Tumour' in obs_csv, 'Tumor' in obs_json",
        ),
        ("obs_records_000.json", '"Tumor"', '"Tumour"', "column 'cell_type': the columnar codes differ from obs_json"),
        ("coords_000.json", '"x":', '"x":1', "the columnar coordinates differ from coords_json"),
        ("coords_000.json", '"cell_id":"', '"cell_id":"c', "obs_csv and coords_json contain different cells"),
    ],
    ids=["csv", "json", "coordinates", "cells"],
)
def test_last_difference_between_tables_is_found_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, file: str, old: str, new: str, problem: str
) -> None:
    monkeypatch.setattr(verify, "_BLOCK_ROWS", rows)
    adata = synthetic_tissue(300, 12, seed=3)
    adata_to_karospace(adata, tmp_path / "b", genes_mode="hvgs:3", image_path="none", gzip=False, scripts="no")
    path = tmp_path / "b/assets" / file
    raw = path.read_text()
    at = raw.rindex(old)
    path.write_text(raw[:at] + new + raw[at + len(old) :])
    manifest = json.loads((tmp_path / "b/manifest.json").read_text())
    entry = next(asset for asset in manifest["asset_files"] if asset["path"].endswith(file))
    stored = path.read_bytes()
    entry.update(size_bytes=len(stored), raw_bytes=len(stored), raw_crc32=zlib.crc32(stored))
    del entry["sha256"]
    (tmp_path / "b/manifest.json").write_text(json.dumps(manifest))
    row = int(np.flatnonzero(adata.obs["cell_type"] == "Tumor")[-1])
    with pytest.raises(BundleError, match=re.escape(problem.format(row=row))):
        Bundle(tmp_path / "b").verify()
