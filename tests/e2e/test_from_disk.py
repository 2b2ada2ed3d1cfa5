"""Bundles opened from disk, where the browser does not let the page read the files next to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer, assert_genes
from playwright.sync_api import expect
from waiting import eventually

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, export_h5ad
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


def for_files(requests: list[str]) -> list[str]:
    """Return the requests except those for data in memory."""
    return [request for request in requests if not request.startswith(("blob:", "data:"))]


def test_bundle_opens_with_genes_and_image_and_requests_only_its_own_files(viewer: Viewer, tmp_path: Path) -> None:
    adata = synthetic_tissue(n_cells=3000, seed=1)
    folder = tmp_path / "a b&c #1"
    bundle = adata_to_karospace(adata, folder, genes_mode="all")
    viewer.open((folder / "index.html").as_uri())
    assert_genes(viewer, adata, ("EPCAM", bundle.manifest.gene_list[-1]))
    viewer.set(color={"kind": "none"}, opacity=0)
    viewer.set(imageOn=False)
    without_image = viewer.pixels()
    viewer.set(imageOn=True)
    eventually(
        viewer.pixels, lambda now: (without_image != now).any(axis=2).mean() >= 0.1, what="the image is not drawn"
    )
    assert viewer.problems == []
    requests = for_files(viewer.requests)
    assert all(request.startswith(folder.as_uri()) for request in requests)
    assert all(request.endswith((".html", ".js")) for request in requests)
    # Scripts are removed from the page after they have run.
    expect(viewer.page.locator("script[src]")).to_have_count(0)


def test_large_files_are_split_into_shards_of_8_mb(viewer: Viewer, tmp_path: Path) -> None:
    # Noise does not compress: a single gene takes 10 MB.
    n = 2_600_000
    rng = np.random.default_rng(0)
    adata = ad.AnnData(rng.random((n, 1), dtype=np.float32), obsm={"spatial": rng.random((n, 2), dtype=np.float32)})
    adata.obs_names = adata.obs_names.astype(str)
    bundle = adata_to_karospace(adata, tmp_path / "large", genes_mode="all", scripts="yes", preview=False)
    sizes = [file.stat().st_size for file in (tmp_path / "large" / "scripts").iterdir()]
    assert max(sizes) <= 8_000_100
    assert len(sizes) == len(bundle.manifest.scripts or [])
    viewer.open((tmp_path / "large" / "index.html").as_uri())
    viewer.set(color={"kind": "gene", "gene": "0"})
    cells = [0, 1, n // 2, n - 1]
    assert [viewer.value(cell) for cell in cells] == pytest.approx(adata.X[cells, 0].tolist())  # type: ignore[index]


def test_error_names_the_missing_script(viewer: Viewer, tmp_path: Path) -> None:
    adata_to_karospace(synthetic_tissue(n_cells=20_000, seed=1), tmp_path / "b", genes_mode="all")
    shards = sorted((tmp_path / "b" / "scripts").iterdir())
    shards[-1].unlink()
    viewer.open((tmp_path / "b" / "index.html").as_uri())
    last = Bundle(tmp_path / "b").manifest.gene_list[-1]
    failure = viewer.page.evaluate(
        "gene => window.karospace.setState({color: {kind: 'gene', gene}}).then(() => '', String)", last
    )
    assert f"scripts/{shards[-1].name}" in failure
    expect(viewer.page.locator(".ks-panel")).to_contain_text(shards[-1].name, use_inner_text=True)


@pytest.mark.parametrize("scripts", ["no", "auto"])
def test_page_asks_for_its_folder_without_scripts(viewer: Viewer, tmp_path: Path, scripts: str) -> None:
    folder = tmp_path / "b"
    adata_to_karospace(synthetic_tissue(n_cells=500, seed=1), folder, genes_mode="all", scripts=scripts)
    if scripts == "auto":  # as in an incomplete copy
        (folder / "manifest.js").unlink()
        shutil.rmtree(folder / "scripts")
    else:
        assert not (folder / "manifest.js").exists()
        assert not (folder / "scripts").exists()
    viewer.page.goto((folder / "index.html").as_uri())
    viewer.page.get_by_role("button", name="Open the bundle folder").wait_for()
    with viewer.page.expect_file_chooser() as chooser:
        viewer.page.evaluate("delete window.showDirectoryPicker")
        viewer.page.get_by_role("button", name="Open the bundle folder").click()
    chooser.value.set_files(folder)
    viewer.page.evaluate("window.karospace.ready")
    assert viewer.page.evaluate("window.karospace.cells") == 500


def test_unpacked_zip_opens(viewer: Viewer, tmp_path: Path) -> None:
    bundle = adata_to_karospace(synthetic_tissue(n_cells=500, seed=1), zip_path=tmp_path / "b.zip", genes_mode="all")
    bundle.verify()
    shutil.unpack_archive(tmp_path / "b.zip", tmp_path / "out")
    viewer.open((tmp_path / "out" / "b" / "index.html").as_uri())
    assert viewer.page.evaluate("window.karospace.cells") == 500
    assert viewer.problems == []


@pytest.mark.parametrize("name", ["imc", "visium", "cycif", "pbmc"])
def test_real_files_open(viewer: Viewer, real_data: Path, export: Callable[..., Path], name: str) -> None:
    [file] = [file for file in real_data.glob("*.h5ad") if name in file.name.lower()]
    folder = export(file, coords="obsm:X_umap") if name == "pbmc" else export(file)
    viewer.open((folder / "index.html").as_uri())
    assert viewer.page.evaluate("window.karospace.cells") == Bundle(folder).manifest.n_cells
    assert viewer.problems == []


def test_conversions_between_formats_keep_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    adata = synthetic_tissue(n_cells=500, seed=1)
    adata.write_h5ad(tmp_path / "a.h5ad")
    config = ExportConfig(h5ad_path=tmp_path / "a.h5ad", outdir=tmp_path / "one", single_file=tmp_path / "one.html")
    export_h5ad(config)
    folder = Bundle(tmp_path / "one")
    single = Bundle(tmp_path / "one.html")
    assert single.manifest.scripts is None
    single.verify()
    # Converting the page back to a folder writes the same scripts.
    converted = single.save(tmp_path / "two")
    converted.verify()
    assert {f.path: f.sha256 for f in converted.manifest.asset_files} == {
        f.path: f.sha256 for f in folder.manifest.asset_files
    }
    assert (tmp_path / "two" / "manifest.js").read_bytes() == (tmp_path / "one" / "manifest.js").read_bytes()
    assert converted.save(tmp_path / "three", scripts="no").manifest.scripts is None
    assert not (tmp_path / "three" / "scripts").exists()
    assert Bundle(converted.to_zip(tmp_path / "two.zip")).manifest.scripts == folder.manifest.scripts
