"""Tests of whole exports: the content of the bundle, and failures."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from waiting import let_time_pass

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, errors, export_h5ad
from karospace_jupyter.bundle.schema import SCHEMA_PATH, schema_text
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError, Cancelled, ConfigError, KaroSpaceError, PlanError, SinkError
from karospace_jupyter.job import Job, Progress


@pytest.fixture(scope="module")
def tissue() -> ad.AnnData:
    return synthetic_tissue(n_cells=600, seed=3)


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of each file."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def fingerprint(adata: ad.AnnData) -> str:
    parts = [adata.obs.to_csv(), adata.var.to_csv(), str(sorted(adata.uns)), str(sorted(adata.obsm))]
    x: Any = adata.X
    return hashlib.sha256("".join(parts).encode() + x.data.tobytes() + x.indices.tobytes()).hexdigest()


def test_export_does_not_modify_the_object(tissue: ad.AnnData, tmp_path: Path) -> None:
    before = fingerprint(tissue)
    bundle = adata_to_karospace(tissue, tmp_path / "out")
    assert fingerprint(tissue) == before
    report = bundle.verify()
    assert report.files == len(bundle.manifest.asset_files) == report.hashed


def test_every_value_is_exported(tissue: ad.AnnData, tmp_path: Path) -> None:
    bundle = adata_to_karospace(tissue, tmp_path / "out", genes_mode="all", max_asset_mb=0.001)
    x: Any = tissue.X
    dense = x.toarray()
    for index, gene in enumerate(tissue.var_names):
        np.testing.assert_array_equal(bundle.gene(gene), dense[:, index])
    for file in bundle.manifest.asset_files:
        if file.kind not in {"image", "preview"}:
            assert file.raw_bytes is not None
            assert file.raw_bytes <= 0.001 * 10**6
    bundle.verify()


def test_manifest_has_the_fields_of_the_format(tissue: ad.AnnData, tmp_path: Path) -> None:
    tissue.write_h5ad(tmp_path / "a.h5ad")
    manifest = export_h5ad(
        ExportConfig(
            h5ad_path=tmp_path / "a.h5ad",
            outdir=tmp_path / "out",
            genes_mode="top_mean:30",
            annotation_columns=["cell_type", "area"],
        )
    )
    assert manifest.n_cells == 600
    assert manifest.n_genes_exported == len(manifest.gene_list) == 30
    assert manifest.coordinate_source == "obsm:spatial"
    assert manifest.annotation_columns == ["cell_type", "area"]
    assert manifest.dataset_name == "a"
    assert manifest.expression.format == "per_gene_float32_v1"
    on_disk = json.loads((tmp_path / "out/manifest.json").read_text())
    assert on_disk["schema_version"].startswith("1.")
    written = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert written == {f.path for f in manifest.asset_files} | {"manifest.json", "index.html"}


def test_manifest_matches_the_published_schema(tissue: ad.AnnData, tmp_path: Path) -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text(), "run: python -m karospace_jupyter.bundle.schema"
    jsonschema = pytest.importorskip("jsonschema")
    bundle = adata_to_karospace(tissue, tmp_path / "out")
    jsonschema.validate(json.loads((bundle.path / "manifest.json").read_text()), json.loads(schema_text()))


def test_equal_input_gives_equal_bytes(tissue: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    adata_to_karospace(tissue, tmp_path / "a", jobs=1)
    adata_to_karospace(tissue, tmp_path / "b", jobs=4, memory_mb=16)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert json.loads((tmp_path / "a/manifest.json").read_text())["created_at"] == "2023-11-14T22:13:20Z"


def test_csr_csc_dense_give_equal_bytes(tissue: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    x: Any = tissue.X
    trees = []
    for name, matrix in {"csr": x, "csc": sp.csc_matrix(x), "dense": x.toarray()}.items():
        other = tissue.copy()
        other.X = matrix
        trees.append(tree(adata_to_karospace(other, tmp_path / name, genes_mode="all").path))
    assert trees[0] == trees[1] == trees[2]


def test_export_without_gzip_stores_uncompressed_files(tissue: ad.AnnData, tmp_path: Path) -> None:
    bundle = adata_to_karospace(tissue, tmp_path / "out", gzip=False)
    assert not [f.path for f in bundle.manifest.asset_files if f.path.endswith(".gz")]
    bundle.verify()
    table = pd.read_csv(tmp_path / "out/assets/obs_000.csv", index_col=0)
    assert table.index.tolist() == tissue.obs_names.tolist()


def test_every_stage_reports_completion(tissue: ad.AnnData, tmp_path: Path) -> None:
    seen: list[Progress] = []
    adata_to_karospace(tissue, tmp_path / "out", job=Job(seen.append))
    ended = [p for p in seen if p.finished]
    assert {"Writing genes", "Writing tables"} <= {p.stage for p in ended}
    assert all(p.done == p.total for p in ended)


def canceling_job(stop_at: int) -> Job:
    """Return a job that cancels itself at the report with this index."""
    seen: list[Progress] = []

    def listen(progress: Progress) -> None:
        if len(seen) == stop_at:
            job.cancel()
        seen.append(progress)

    job = Job(listen)
    return job


def test_canceled_export_leaves_no_files(tissue: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Report every step: by default, the number of throttled reports depends on the machine.
    monkeypatch.setattr("karospace_jupyter.job._REPORT_EVERY_S", 0.0)
    reports: list[Progress] = []
    adata_to_karospace(tissue, tmp_path / "whole", job=Job(reports.append))
    before = tree(tmp_path)
    steps = [*range(0, len(reports) - 1, max(1, len(reports) // 30)), len(reports) - 2]
    for stop_at in steps:
        with pytest.raises(Cancelled):
            adata_to_karospace(tissue, tmp_path / "out", job=canceling_job(stop_at))
        assert tree(tmp_path) == before
        assert sorted(p.name for p in tmp_path.iterdir()) == ["whole"]


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.2, 0.5])
def test_killed_export_leaves_the_old_or_the_complete_new_bundle(
    tissue: ad.AnnData, tmp_path: Path, moment: float
) -> None:
    tissue.write_h5ad(tmp_path / "a.h5ad")
    adata_to_karospace(tissue, tmp_path / "out", genes_mode="top_mean:3")
    before = tree(tmp_path / "out")
    script = (
        "import sys; from karospace_jupyter import *; import anndata; print('go', flush=True)\n"
        "export_h5ad(ExportConfig(h5ad_path=sys.argv[1], outdir=sys.argv[2], genes_mode='all', max_asset_mb=0.001))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "a.h5ad"), str(tmp_path / "out")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    let_time_pass(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    after = tree(tmp_path / "out")
    if after != before:  # the export finished before the signal, so the new bundle is complete
        Bundle(tmp_path / "out").verify()
    export_h5ad(ExportConfig(h5ad_path=tmp_path / "a.h5ad", outdir=tmp_path / "out", genes_mode="top_mean:3"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.h5ad", "out"]


def test_unrepresentable_values_do_not_prevent_the_export(tissue: ad.AnnData, tmp_path: Path) -> None:
    """Lone surrogates, numbers beyond float32, and coordinates far away."""
    other = tissue.copy()
    other.obs_names = ["\ud800", "\ud801", *other.obs_names[2:]]
    other.obs["half"] = pd.Categorical(["a\ud800", "b"] * 300)
    other.obs["huge"] = [1e300, 1.0] * 300
    other.obsm["spatial"][5] = 1e200
    bundle = adata_to_karospace(other, tmp_path / "out", annotation_columns=["half", "huge"])
    bundle.verify()
    assert bundle.manifest.n_cells == 599


def test_damaged_image_is_an_error(tissue: ad.AnnData, tmp_path: Path) -> None:
    from PIL import Image

    for suffix in ("jpg", "png"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(path)
        path.write_bytes(path.read_bytes()[:5000])
        with pytest.raises(PlanError, match="cannot be decoded"):
            adata_to_karospace(tissue, tmp_path / "out", image_path=path)
        assert not (tmp_path / "out").exists()


class TestVerify:
    @pytest.fixture
    def bundle(self, tissue: ad.AnnData, tmp_path: Path) -> Bundle:
        return adata_to_karospace(tissue, tmp_path / "out", genes_mode="top_mean:3")

    def test_changed_byte_is_detected(self, bundle: Bundle) -> None:
        path = bundle.path / bundle.manifest.expression.genes[1].chunks[0].path
        stored = bytearray(path.read_bytes())
        stored[-1] ^= 1
        path.write_bytes(bytes(stored))
        with pytest.raises(BundleError, match="gene_00001_part_000"):
            bundle.verify()

    def test_missing_file_is_detected(self, bundle: Bundle) -> None:
        (bundle.path / "preview.png").unlink()
        with pytest.raises(BundleError, match=r"preview\.png"):
            bundle.verify()

    @pytest.mark.parametrize(
        ("kind", "after"),
        [
            ("obs_csv", b"\n"),
            ("obs_json", b'"cell_id":"'),
            ("coords_json", b'"x":'),
            ("var_csv", b"\n"),
            ("columnar", b""),
        ],
    )
    def test_inconsistent_content_is_detected(self, bundle: Bundle, kind: str, after: bytes) -> None:
        """Rewrite a file together with its size and hash in the manifest, so that only the content is wrong."""
        raw = json.loads((bundle.path / "manifest.json").read_text())
        entry = next(f for f in raw["asset_files"] if f["kind"] == kind)
        text = bytearray(bundle.read(entry["path"]))
        at = text.find(after) + len(after) if after else len(text) // 2
        text[at] = ord("7") if text[at] != ord("7") else ord("8")
        (bundle.path / entry["path"]).write_bytes(bytes(text))
        entry |= {"size_bytes": len(text), "raw_bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        for chunk in raw["coordinates"]["chunks"]:
            if chunk["path"] == entry["path"]:
                chunk["size_bytes"] = len(text)
        (bundle.path / "manifest.json").write_text(json.dumps(raw))
        with pytest.raises(BundleError, match="does not match its manifest"):
            Bundle(bundle.path).verify()

    def test_manifest_path_outside_the_bundle_is_rejected(self, bundle: Bundle) -> None:
        path = bundle.path / "manifest.json"
        path.write_text(path.read_text().replace('"preview.png"', '"../../secret.png"'))
        with pytest.raises(BundleError, match="relative path inside the bundle"):
            Bundle(bundle.path)

    def test_folder_without_manifest_is_rejected(self, tmp_path: Path) -> None:
        with pytest.raises(BundleError, match=r"no manifest\.json"):
            Bundle(tmp_path)


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"max_asset_mb": 0}, "max_asset_mb"),
            ({"genes_mode": "hvgs:0"}, "at least 1"),
            ({"genes_mode": "some"}, "hvgs:N"),
            ({"coords": "spatial"}, "obsm:KEY"),
            ({"downsample": 0}, "downsample"),
            ({"colour": "red"}, "Unknown option 'colour'"),
            ({"raw": True, "layer": "counts"}, "one matrix"),
        ],
    )
    def test_invalid_options_are_rejected(
        self, tissue: ad.AnnData, tmp_path: Path, options: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ConfigError, match=message):
            adata_to_karospace(tissue, tmp_path / "out", **options)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda a: a[:0],
            lambda a: a[:, :0],
            lambda a: a.obsm.clear() or a,
            lambda a: a.obsm.update(spatial=np.full((600, 2), np.nan)) or a,
        ],
        ids=["no cells", "no genes", "no coordinates", "coordinates NaN"],
    )
    def test_unusable_data_is_rejected(self, tissue: ad.AnnData, tmp_path: Path, spoil: Any) -> None:
        with pytest.raises(PlanError):
            adata_to_karospace(spoil(tissue.copy()), tmp_path / "out")
        assert list(tmp_path.iterdir()) == []

    def test_unknown_column_and_gene_suggest_names(self, tissue: ad.AnnData, tmp_path: Path) -> None:
        with pytest.raises(PlanError, match="cell_type"):
            adata_to_karospace(tissue, tmp_path / "out", annotation_columns=["cel_type"])
        with pytest.raises(PlanError, match="EPCAM"):
            adata_to_karospace(tissue, tmp_path / "out", genes_mode=["EPCAN"])

    @pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
    def test_folder_without_permission_is_an_error(self, tissue: ad.AnnData, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(SinkError, match="could not be written: Permission denied"):
            adata_to_karospace(tissue, tmp_path / "out")

    def test_foreign_folder_is_rejected_before_reading_the_input(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.docx").touch()
        with pytest.raises(SinkError, match=r"thesis\.docx"):
            export_h5ad(ExportConfig(h5ad_path=tmp_path / "nothing.h5ad", outdir=tmp_path))

    def test_all_errors_derive_from_karospace_error(self) -> None:
        kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
        assert BundleError in kinds
        assert [kind for kind in kinds if not issubclass(kind, KaroSpaceError)] == []


@pytest.mark.parametrize(
    "name", ["cycif_mti_phenotyped", "imc_squidpy", "visium_mouse_placenta_small", "pbmc68k_reduced"]
)
@pytest.mark.parametrize("raw", [False, True], ids=["X", "raw"])
def test_real_files_are_exported(real_data: Path, tmp_path: Path, name: str, raw: bool) -> None:
    path = real_data / f"{name}.h5ad"
    adata = ad.read_h5ad(path)
    if raw and adata.raw is None:
        pytest.skip("this file has no raw")
    coords = "obsm:X_umap" if name.startswith("pbmc") else None
    config = ExportConfig(h5ad_path=path, outdir=tmp_path / "out", genes_mode="all", raw=raw, coords=coords)
    manifest = export_h5ad(config)
    bundle = Bundle(tmp_path / "out")
    bundle.verify()
    matrix: Any = adata.raw.X if raw else adata.X
    dense = matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)
    assert manifest.n_cells == adata.n_obs
    for index in range(0, dense.shape[1], 7):
        np.testing.assert_array_equal(bundle.gene(manifest.gene_list[index]), dense[:, index].astype(np.float32))
