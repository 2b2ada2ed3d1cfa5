"""Whether all genes are packed is decided in the plan, from a sample of the matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from karospace_jupyter import ExportConfig
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.export import dry_run, run_to_memory
from karospace_jupyter.form.prediction import predict_export
from karospace_jupyter.plan import Plan, estimate, resolve
from karospace_jupyter.source import open_source

N, G = 3000, 80


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    made = synthetic_tissue(N, G, seed=3)
    del made.uns["spatial"]  # images take long to encode
    return made


def plan(subject: Any, **options: Any) -> Plan:
    config = ExportConfig(**{"genes_mode": ["EPCAM"], "markers": "none", **options})
    return resolve(open_source(subject, matrix=config.matrix), config)


def at_most(monkeypatch: pytest.MonkeyPatch, n_bytes: int) -> None:
    """Set the limit of the default for packed genes."""
    monkeypatch.setattr("karospace_jupyter.plan.packed_genes.MAX_BYTES", n_bytes)


def about_packed(found: Plan) -> list[str]:
    """Return the warnings about packed genes."""
    return [text for text in found.warnings if "packed" in text]


def test_all_genes_are_packed_by_default(adata: ad.AnnData) -> None:
    found = plan(adata, genes_mode="top_mean:5")
    assert found.packed is not None
    assert found.packed.names == tuple(adata.var_names)
    assert len(found.genes.names) == 5
    assert found.n_genes == G
    assert not about_packed(found)
    assert plan(adata, packed="no").packed is None
    assert plan(adata, genes_mode="all").packed is not None


@pytest.mark.parametrize(("n_cells", "packs"), [(245_000, True), (255_000, False)])
def test_the_limit_is_one_gigabyte(n_cells: int, packs: bool) -> None:
    # All cells have the same 2,000 values: two-byte codes take 4,000 bytes per cell without compression.
    rng = np.random.default_rng(0)
    row = rng.normal(size=(1, 2000)).astype(np.float32)
    made = ad.AnnData(np.broadcast_to(row, (n_cells, 2000)))  # takes the memory of one row
    made.obsm["spatial"] = rng.random((n_cells, 2))
    found = plan(made, genes_mode=["0"], gzip=False)
    assert (found.packed is not None) is packs
    assert bool(about_packed(found)) is not packs


def test_above_the_limit_a_warning_states_the_size_and_what_to_do(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted = plan(adata).packed
    assert predicted is not None
    at_most(monkeypatch, predicted.size.bytes)
    assert plan(adata).packed is not None
    at_most(monkeypatch, predicted.size.bytes - 1)
    found = plan(adata)
    assert found.packed is None
    assert found.n_genes == 1
    (warning,) = about_packed(found)
    assert f"all {G} genes of X" in warning
    assert f"about {predicted.size.bytes / 1000:,.1f} kB" in warning
    assert warning.endswith("To write them anyway, set packed to 'yes'.")
    requested = plan(adata, packed="yes")
    assert requested.packed == predicted
    assert not about_packed(requested)


@pytest.mark.parametrize("fits", [True, False])
def test_dry_run_form_and_export_agree(adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch, *, fits: bool) -> None:
    if not fits:
        at_most(monkeypatch, 1000)
    options: dict[str, Any] = {"genes_mode": ["EPCAM"], "preview": False}
    planned, size = dry_run(adata, ExportConfig(**options))
    shown = predict_export(adata, options)
    bundle = run_to_memory(adata, ExportConfig(**options))
    assert planned.n_genes == shown.n_genes == bundle.manifest.n_genes == (G if fits else 1)
    assert (bundle.manifest.packed is not None) is fits
    assert shown.files == size.files
    assert list(shown.warnings) == list(planned.warnings) == list(bundle.warnings)
    assert bool(about_packed(planned)) is not fits


@pytest.mark.parametrize(
    "stored", [sp.csr_matrix, sp.csc_matrix, lambda matrix: matrix.toarray()], ids=["csr", "csc", "dense"]
)
def test_size_is_the_same_in_memory_and_from_disk(
    adata: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: Any
) -> None:
    monkeypatch.setattr("karospace_jupyter.source.sample.VALUES", 20_000)  # the sample is a part of the matrix
    copy = adata.copy()
    copy.X = stored(adata.X)
    copy.write_h5ad(tmp_path / "tissue.h5ad")
    found = [plan(subject).packed for subject in (copy, copy, tmp_path / "tissue.h5ad")]
    assert found[0] is not None
    assert found[0] == found[1] == found[2]


def test_an_empty_list_of_genes_packs_none_by_default(adata: ad.AnnData) -> None:
    assert plan(adata, genes_mode=[]).packed is None
    assert plan(adata, genes_mode=[], packed="yes").n_genes == G


def test_packed_genes_of_sets_and_color_are_not_exported_separately(adata: ad.AnnData) -> None:
    options: dict[str, Any] = {
        "genes_mode": ["EPCAM"],
        "gene_sets": {"T cells": ("CD3E", "CD8A")},
        "color": "gene:MS4A1",
        "preview": False,
    }
    found = plan(adata, **options)
    assert found.genes.names == ("EPCAM",)
    assert found.warnings == ()
    assert found.view == {"color": {"kind": "gene", "gene": "MS4A1"}}
    assert found.gene_sets[0].genes == ("CD3E", "CD8A")
    bundle = run_to_memory(adata, ExportConfig(**options))
    assert bundle.manifest.gene_list == ["EPCAM"]
    bundle.verify()
    assert np.array_equal(bundle.gene("CD3E"), adata[:, "CD3E"].X.toarray().ravel())
    without = plan(adata, **options, packed="no")
    assert without.genes.names == ("EPCAM", "CD3E", "CD8A", "MS4A1")
    assert "2 genes of gene sets were added to the export." in without.warnings


def test_view_keeps_a_gene_that_is_only_packed(adata: ad.AnnData, tmp_path: Path) -> None:
    view = tmp_path / "view.json"
    view.write_text('{"color": {"kind": "gene", "gene": "MS4A1"}}')
    assert plan(adata, view=view).view == {"color": {"kind": "gene", "gene": "MS4A1"}}
    left_out = plan(adata, view=view, packed="no")
    assert any("MS4A1" in text for text in left_out.warnings)


def test_live_views_pack_nothing(adata: ad.AnnData) -> None:
    config = ExportConfig(genes_mode=["EPCAM"])
    assert resolve(open_source(adata), config, genes_on_demand=True).packed is None


def test_estimated_time_includes_packed_genes(adata: ad.AnnData) -> None:
    source = open_source(adata)
    packed, plain = (estimate(source, ExportConfig(genes_mode=["EPCAM"], packed=choice)) for choice in ("auto", "no"))
    assert packed.seconds > plain.seconds


def test_matrix_without_values_is_packed(adata: ad.AnnData) -> None:
    empty = adata.copy()
    empty.X = sp.csr_matrix((N, G), dtype=np.float32)
    found = plan(empty)
    assert found.packed is not None
    assert found.packed.size.bytes < 20_000


def test_invalid_choice_raises() -> None:
    with pytest.raises(ConfigError, match="packed: expected 'auto', 'yes' or 'no', got 'maybe'"):
        ExportConfig(packed="maybe")  # type: ignore[arg-type]  # as from the command line
