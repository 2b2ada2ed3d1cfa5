"""The data that all forms show: the summary of an object and the estimate of its export."""

from __future__ import annotations

import json
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
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.form.look import look
from karospace_jupyter.form.result import result_of
from karospace_jupyter.form.summary import defaults_of, quick_summary, separators_of, summarize


@pytest.fixture(scope="module")
def adata() -> Any:
    return synthetic_tissue(200, 20, seed=2)


def test_summary_and_estimate_match_their_schemas(adata: Any, tmp_path: Path) -> None:
    result = result_of(run_to_memory(adata, ExportConfig(genes_mode="hvgs:3")), number=1)
    estimate = look(adata, {"genes_mode": ["EPCAM", "NOPE"], "outdir": str(tmp_path / "out")})
    assert [one.name for one in estimate.unknown] == ["NOPE"]
    for name, one in (
        ("summary", quick_summary(adata)), ("summary", summarize(adata)), ("estimate", Estimate()),
        ("estimate", estimate), ("result", result), ("session-state", SessionState()),
    ):  # fmt: skip
        schema = json.loads(generate.schema_of(*generate.CONTRACTS[name]))
        jsonschema.validate(json.loads(json.dumps(asdict(one))), schema)


def test_defaults_leave_out_the_chosen_coordinates(adata: Any) -> None:
    summary = summarize(adata)
    detected = summary.defaults
    assert detected.embeddings == ("X_umap",)
    assert {"cell_type", "area"} <= {*detected.annotation_columns}
    assert defaults_of(summary, "obsm:X_umap") == Defaults(detected.annotation_columns, ())
    assert "area" not in defaults_of(summary, "obs:area,x_centroid").annotation_columns
    assert defaults_of(summary, "nonsense") == detected


def test_estimate_reports_cells_that_are_left_out_without_request(adata: Any) -> None:
    lost = adata.copy()
    lost.obsm["spatial"][:5] = np.nan
    assert not look(adata, {}).loses_cells
    assert look(lost, {}).loses_cells
    assert not look(lost, {"downsample": 100}).loses_cells


def test_uncommon_coordinates_require_a_choice(adata: Any) -> None:
    unusual = adata.copy()
    unusual.obsm["place"] = unusual.obsm.pop("spatial")
    unusual.obs = unusual.obs.drop(columns=[name for name in unusual.obs if name.endswith("centroid")])
    problem = look(unusual, {}).problems["coords"]
    assert problem == "No coordinates were found under the usual names. Choose the coordinates of the cells."
    assert "coords" not in look(unusual, {"coords": "obsm:place"}).problems


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
