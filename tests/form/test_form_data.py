"""The data that all forms show: the summary of an object and the estimate of its export."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.contracts import generate
from karospace_jupyter.contracts.form import Defaults, Estimate, SessionState
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.export import plan, run_to_memory
from karospace_jupyter.form.prediction import predict_export
from karospace_jupyter.form.result import result_of
from karospace_jupyter.form.summary import defaults_of, quick_summary, separators_of, summarize


@pytest.fixture(scope="module")
def adata() -> Any:
    return synthetic_tissue(200, 20, seed=2)


def test_summary_and_estimate_match_their_schemas(adata: Any, tmp_path: Path) -> None:
    result = result_of(run_to_memory(adata, ExportConfig(genes_mode="hvgs:3")), number=1)
    estimate = predict_export(adata, {"genes_mode": ["EPCAM", "NOPE"], "outdir": str(tmp_path / "out")})
    assert [gene.name for gene in estimate.unknown] == ["NOPE"]
    for name, value in (
        ("summary", quick_summary(adata)), ("summary", summarize(adata)), ("estimate", Estimate()),
        ("estimate", estimate), ("result", result), ("session-state", SessionState()),
    ):  # fmt: skip
        schema = json.loads(generate.schema_of(*generate.CONTRACTS[name]))
        jsonschema.validate(json.loads(json.dumps(asdict(value))), schema)


def test_defaults_leave_out_the_chosen_coordinates(adata: Any) -> None:
    summary = summarize(adata)
    detected = summary.defaults
    assert detected.embeddings == ("X_umap",)
    assert {"cell_type", "area"} <= {*detected.annotation_columns}
    assert defaults_of(summary, "obsm:X_umap") == Defaults(detected.annotation_columns, ())
    assert "area" not in defaults_of(summary, "obs:area,x_centroid").annotation_columns
    assert defaults_of(summary, "nonsense") == detected


@pytest.mark.parametrize("coords", [None, "obsm:spatial", "obsm:X_umap", "obs:x_centroid,total_counts"])
def test_columns_selected_by_default_are_those_of_the_export(adata: Any, coords: str | None) -> None:
    variant = adata.copy()
    variant.obs["x_centroid"], variant.obs["cell_id"] = 2 * variant.obsm["spatial"][:, 0], np.arange(200) % 7
    options = {} if coords is None else {"coords": coords}
    defaults = predict_export(variant, options, summarize(variant)).defaults
    assert defaults is not None
    exported = plan(variant, ExportConfig(**options))
    names = [
        name.replace("cell_id_obs", "cell_id") for name in (annotation.name for annotation in exported.annotations)
    ]
    assert defaults.annotation_columns == tuple(names)
    assert ("x_centroid" in names) == (coords == "obsm:X_umap")
    assert defaults.embeddings == tuple(embedding.name for embedding in exported.embeddings)


def test_estimate_reports_cells_that_are_left_out_unintentionally(adata: Any) -> None:
    lost = adata.copy()
    lost.obsm["spatial"][:5] = np.nan
    assert not predict_export(adata, {}).loses_cells
    assert predict_export(lost, {}).loses_cells
    assert not predict_export(lost, {"downsample": 100}).loses_cells


def test_uncommon_coordinates_require_a_choice(adata: Any) -> None:
    unusual = adata.copy()
    unusual.obsm["place"] = unusual.obsm.pop("spatial")
    unusual.obs = unusual.obs.drop(columns=[name for name in unusual.obs if name.endswith("centroid")])
    problem = predict_export(unusual, {}).problems["coords"]
    assert problem == "No coordinates were found under the usual names. Choose the coordinates of the cells."
    assert "coords" not in predict_export(unusual, {"coords": "obsm:place"}).problems


@pytest.mark.parametrize(
    ("names", "separators"),
    [
        (["EPCAM", "CD3E"], r"\s,;"),
        (["146Nd CD68", "CD20"], r"\t\r\n,;"),
        (["P1;Q2", "P3"], r"\s,"),
        (["a, b", "c;d"], r"\t\r\n"),
    ],
)
def test_characters_that_occur_in_names_are_not_separators(names: list[str], separators: str) -> None:
    assert separators_of(names) == separators


@pytest.mark.parametrize(
    ("column", "marked"),
    [([True] * 5 + [False] * 15, 5), (["True"] * 5 + ["nan"] * 15, 5), (["True"] * 5 + ["perhaps"] * 15, None)],
)
def test_marked_genes_are_those_of_the_export(adata: Any, column: list[Any], marked: int | None) -> None:
    variant = adata.copy()
    variant.var["highly_variable"] = column
    assert summarize(variant).marked == marked
    chosen = plan(variant, ExportConfig(genes_mode="hvgs:5")).genes.indices
    assert (sorted(chosen) == [0, 1, 2, 3, 4]) == (marked is not None)


def test_estimated_time_includes_the_passes_that_rank_genes(adata: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = adata.copy()
    variant.X = (10 * variant.X).ceil()  # counts
    del variant.var["highly_variable"]
    module = sys.modules["karospace_jupyter.plan.estimate"]
    monkeypatch.setattr(module, "_VALUES_PER_SECOND", variant.X.nnz / 100)  # a pass takes a hundred seconds

    def passes(genes: str) -> int:
        ranked, unranked = (predict_export(variant, {"genes_mode": chosen}).seconds for chosen in (genes, "all"))
        return round((ranked - unranked) / 100)

    assert passes("top_mean:5") == 1
    assert passes("hvgs:5") == 2
    variant.var["highly_variable"] = ["perhaps"] * 20  # marks no genes
    assert passes("hvgs:5") == 2
    variant.var["highly_variable"] = [True] * 10 + [False] * 10
    assert passes("hvgs:10") == 0
    assert passes("hvgs:5") == 1  # one pass, to put genes that few cells express last


def test_forms_report_a_memory_shortage(adata: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["karospace_jupyter.plan.estimate"]
    monkeypatch.setattr(module, "decide", lambda *_, **__: np.empty(2**55))
    estimate = predict_export(adata, {})
    assert "Not enough memory (Unable to allocate" in estimate.problems["object"]
    assert estimate.details == ""
