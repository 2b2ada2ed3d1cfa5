"""Run the commands and the snippet of the reference implementation's README verbatim on the synthetic tissue."""

from __future__ import annotations

import shutil
import urllib.request
from pathlib import Path

import pandas as pd
import pytest
from commands import serve, shell
from PIL import Image
from waiting import PATIENCE_S

from karospace_jupyter import Bundle
from karospace_jupyter.cli import main
from karospace_jupyter.datasets import synthetic_tissue

ROOT = Path(__file__).parents[1]

SNIPPET = """
from karospace_export import ExportConfig, export_h5ad

manifest = export_h5ad(
    ExportConfig(
        h5ad_path="synthetic_tiny.h5ad",
        outdir="viewer_python",
        genes_mode="top_mean:300",
        annotation_columns=["cell_type", "leiden"],
    )
)
print(manifest.n_cells, manifest.n_genes_exported, manifest.annotation_columns)
"""

COMMANDS = {
    "plain": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer",
    "coords": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --coords obsm:spatial",
    "coords of obs": "karospace-export --h5ad centroids.h5ad --outdir viewer --coords obs:centroid_x_y",
    "anno": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --anno cell_type --anno leiden",
    "hvgs": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --genes hvgs:500",
    "top_mean": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --genes top_mean:300",
    "list": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --genes list:genes.txt",
    "all": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --genes all",
    "image": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --image tissue.png",
    "downsample": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --downsample 1000",
    "gzip": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --gzip true",
    "no gzip": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --gzip false",
    "max-asset-mb": "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --max-asset-mb 1",
    "together": (
        "karospace-export --h5ad synthetic_tiny.h5ad --outdir viewer --coords obsm:spatial --anno cell_type --anno leiden "
        "--genes top_mean:300 --image tissue.png --downsample 5000 --gzip true --max-asset-mb 16"
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the README's first command was run, with the files that the other commands use."""
    folder = tmp_path_factory.mktemp("reference")
    done = shell(f"python {ROOT}/examples/generate_synthetic_h5ad.py", folder)
    assert done.stdout.strip() == "synthetic_tiny.h5ad"
    Image.new("RGB", (200, 160), "pink").save(folder / "tissue.png")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same files with fewer cells, so that each command takes a tenth of the time."""
    folder = tmp_path_factory.mktemp("small")
    adata = synthetic_tissue(1500)
    adata.write_h5ad(folder / "synthetic_tiny.h5ad")
    adata.obs["centroid_x"], adata.obs["centroid_y"] = adata.obsm["spatial"].T
    del adata.obsm["spatial"]
    adata.write_h5ad(folder / "centroids.h5ad")
    (folder / "genes.txt").write_text("EPCAM\nCD3E\nCOL1A1\n")
    Image.new("RGB", (200, 160), "pink").save(folder / "tissue.png")
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_command_writes_a_bundle_that_verifies(name: str, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small)
    shutil.rmtree("viewer", ignore_errors=True)
    program, *arguments = COMMANDS[name].split()
    assert program == "karospace-export"
    assert main(arguments) == 0
    bundle = Bundle("viewer")
    bundle.verify()
    manifest = bundle.manifest
    if name in {"anno", "together"}:
        assert manifest.annotation_columns == ["cell_type", "leiden"]
    else:
        assert {"cell_type", "leiden"} <= set(manifest.annotation_columns)
    assert manifest.n_genes_exported == (3 if name == "list" else 300)
    assert manifest.n_cells == (1000 if name == "downsample" else 1500)
    assert manifest.coordinate_source == ("obs:centroid_x_y" if name == "coords of obs" else "obsm:spatial")
    assert manifest.expression.gzip == (name != "no gzip")
    if name in {"image", "together"}:
        assert manifest.image is not None
        assert (manifest.image.width, manifest.image.height) == (200, 160)
    if name == "max-asset-mb":
        assert all(
            (asset.raw_bytes or asset.size_bytes) <= 10**6 for asset in manifest.asset_files if asset.kind != "script"
        )


def test_installed_command_exports_the_generated_file(folder: Path) -> None:
    shell(COMMANDS["together"], folder)
    bundle = Bundle(folder / "viewer")
    bundle.verify()
    assert (bundle.manifest.n_cells, bundle.manifest.n_genes_exported) == (5000, 300)


def test_snippet_exports_the_columns_it_names(folder: Path) -> None:
    (folder / "snippet.py").write_text(SNIPPET)
    assert shell("python snippet.py", folder).stdout.split() == ["20000", "300", "['cell_type',", "'leiden']"]
    bundle = Bundle(folder / "viewer_python")
    bundle.verify()
    (table,) = [asset.path for asset in bundle.manifest.asset_files if asset.kind == "obs_csv"][:1]
    assert list(pd.read_csv(folder / "viewer_python" / table, nrows=3).columns)[-2:] == ["cell_type", "leiden"]


def test_serve_and_port_show_the_bundle_until_interrupted(folder: Path) -> None:
    command = "karospace-export --h5ad synthetic_tiny.h5ad --outdir served --genes top_mean:5 --serve --port 8000"

    def look(address: str) -> None:
        with urllib.request.urlopen(address + "manifest.json", timeout=PATIENCE_S) as answer:
            assert b'"n_genes_exported":5' in answer.read().replace(b" ", b"")

    serve(command.split(), folder, look)


def test_generator_script_accepts_path_and_size(tmp_path: Path) -> None:
    done = shell(f"python {ROOT}/examples/generate_synthetic_h5ad.py other.h5ad --cells 60 --genes 5", tmp_path)
    assert done.stdout.strip() == "other.h5ad"
    assert (tmp_path / "other.h5ad").exists()
