"""The plan decides which columns have markers, and predicts their size."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter import ExportConfig
from karospace_jupyter.errors import ConfigError, PlanError
from karospace_jupyter.export import dry_run, run_to_memory
from karospace_jupyter.form.options import plain, shell_of
from karospace_jupyter.plan import Plan, estimate, resolve
from karospace_jupyter.source import open_source

N, G = 600, 40


def tissue(**columns: Any) -> ad.AnnData:
    rng = np.random.default_rng(0)
    x = sp.csr_matrix(rng.poisson(0.5, (N, G)).astype(np.float32))
    adata = ad.AnnData(x, obs=pd.DataFrame(columns, index=[f"c{i}" for i in range(N)]))
    adata.obsm["spatial"] = rng.random((N, 2))
    return adata


def categories(n: int) -> pd.Categorical:
    return pd.Categorical([f"k{i % n}" for i in range(N)])


def plan(adata: ad.AnnData, **options: Any) -> Plan:
    config = ExportConfig(**{"genes_mode": "top_mean:1", **options})
    return resolve(open_source(adata, matrix=config.matrix), config)


def about_markers(found: Plan) -> list[str]:
    """Return the warnings about markers."""
    return [text for text in found.warnings if "arkers" in text]


def test_columns_that_look_like_cell_types_or_clusters_have_markers() -> None:
    found = plan(
        tissue(
            sample=categories(3), leiden=categories(5), cell_type=categories(4), treatment=categories(2),
            color=categories(4), cluster=categories(1), score=np.arange(N) / 7,
        )
    )  # fmt: skip
    assert found.markers == ("leiden", "cell_type")
    assert about_markers(found) == []


def test_sections_have_no_markers_by_default() -> None:
    adata = tissue(region=categories(3), cell_type=categories(4))
    assert plan(adata, sections="region").markers == ("cell_type",)
    assert plan(adata, sections="region", markers="region").markers == ("region",)


def test_column_with_too_many_categories_has_no_markers_and_warns() -> None:
    adata = tissue(leiden=categories(101), cell_type=categories(100))
    found = plan(adata, annotation_columns=["leiden", "cell_type"])
    assert found.markers == ("cell_type",)
    [warning] = about_markers(found)
    assert warning == "Markers of 'leiden' were not computed: it has 101 categories, more than 100."


def test_default_size_of_markers_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    adata = tissue(leiden=categories(30), cell_type=categories(20))
    monkeypatch.setattr("karospace_jupyter.plan.markers.MAX_BYTES", 25 * G * 32)
    found = plan(adata)
    assert found.markers == ("cell_type",)  # cell types have priority over clusters
    assert "'leiden'" in about_markers(found)[0]
    assert "list the columns in markers" in about_markers(found)[0]
    assert plan(adata, markers=["leiden", "cell_type", "leiden"]).markers == ("leiden", "cell_type")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("leidn", r"obs has no column 'leidn' for markers. Did you mean 'leiden'\?.*Exported columns.*leiden"),
        ("batch", r"'batch' is not exported, so it cannot have markers. Add it to the annotations"),
        ("score", r"'score' is numeric; markers need categories.*'category:score'"),
        ("many", r"'many' cannot have markers: it has 101 categories, more than 100"),
        ("one", r"'one' has 1 category; markers need at least 2"),
    ],
)
def test_requested_column_that_cannot_have_markers_raises(name: str, message: str) -> None:
    adata = tissue(
        leiden=categories(5), batch=categories(2), score=np.arange(N) / 7, many=categories(101), one=categories(1)
    )
    options: dict[str, Any] = {"annotation_columns": ["leiden", "score", "many", "one"]}
    with pytest.raises(PlanError, match=message):
        plan(adata, markers=[name], **options)
    # A form shows the message next to the option.
    config = ExportConfig(genes_mode="top_mean:1", markers=[name], **options)
    problems = estimate(open_source(adata), config).problems
    assert set(problems) == {"markers"}


def test_markers_need_packed_genes() -> None:
    adata = tissue(leiden=categories(5))
    with pytest.raises(PlanError, match=r"Markers of 'leiden' need all genes of X, which this export does not pack"):
        plan(adata, packed="no", markers="leiden")
    assert plan(adata, packed="no").markers == ()
    assert plan(adata, packed="no", markers="none").markers == ()
    assert plan(adata, markers="none").markers == ()
    live = run_to_memory(adata, ExportConfig(markers=["leiden"], preview=False), genes_on_demand=True)
    assert live.manifest.packed is None
    assert [text for text in live.warnings if "No markers were computed" in text]


def test_option_accepts_columns_or_none() -> None:
    assert ExportConfig().markers is None
    assert ExportConfig(markers="leiden").markers == ("leiden",)
    assert ExportConfig(markers="none").markers == ExportConfig(markers=[]).markers == ()
    with pytest.raises(ConfigError, match="'none' cannot be combined with columns"):
        ExportConfig(markers=["none", "leiden"])
    with pytest.raises(ConfigError, match="markers: expected a list of columns of obs"):
        ExportConfig(markers=3)
    assert plain(ExportConfig(markers=["a"]))["markers"] == ["a"]
    command = shell_of(ExportConfig(outdir="out", markers=["a b", "c"]), file="d.h5ad")
    assert command.endswith(("--markers='a b' --markers=c", "'--markers=a b' --markers=c"))
    assert "--markers=none" in shell_of(ExportConfig(outdir="out", markers=[]), file="d.h5ad")


@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "no gzip"])
@pytest.mark.parametrize("max_asset_mb", [16, 0.01])
def test_size_is_predicted(gzip: bool, max_asset_mb: float) -> None:
    adata = tissue(leiden=categories(20), cell_type=categories(7))
    options: dict[str, Any] = {"gzip": gzip, "max_asset_mb": max_asset_mb, "scripts": "no", "preview": False}
    options |= {"genes_mode": "top_mean:1"}
    config, without = ExportConfig(**options), ExportConfig(markers="none", **options)
    (planned, size), (bare, bare_size) = dry_run(adata, config), dry_run(adata, without)
    files = [file for file in run_to_memory(adata, config).manifest.asset_files if "/markers_" in file.path]
    assert planned.predicted_bytes - bare.predicted_bytes == sum(file.raw_bytes or 0 for file in files)
    assert size.files - bare_size.files == len(files)
    assert size.bytes - bare_size.bytes == pytest.approx(sum(file.size_bytes for file in files), rel=0.25)
