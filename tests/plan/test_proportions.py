"""Proportions of cell types from tables in obsm: which tables are found, read or rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from karospace_jupyter import Bundle, ExportConfig
from karospace_jupyter.errors import BundleError, ColumnError, PlanError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.plan import Plan, proportions, resolve
from karospace_jupyter.source import open_source

N = 40
TYPES = ["B cells", "T cells", "Macrophages"]


def amounts(seed: int = 0, total: float | None = None) -> NDArray[np.float64]:
    """Return random amounts of each cell type in each spot, which sum to `total` if it is given."""
    values = np.random.default_rng(seed).gamma(1, 2, (N, len(TYPES)))
    return values if total is None else total * values / values.sum(axis=1, keepdims=True)


def build(**tables: Any) -> ad.AnnData:
    rng = np.random.default_rng(1)
    adata = ad.AnnData(
        rng.poisson(1, (N, 5)).astype(np.float32),
        obs=pd.DataFrame({"cluster": pd.Categorical(["a", "b"] * (N // 2))}, index=[f"s{i}" for i in range(N)]),
        var=pd.DataFrame(index=[f"g{i}" for i in range(5)]),
    )
    adata.obsm["spatial"] = rng.random((N, 2)) * 100
    for key, value in tables.items():
        if not isinstance(value, pd.DataFrame):
            value = pd.DataFrame(value, columns=TYPES)
        adata.obsm[key] = value.set_axis(adata.obs_names)
    return adata


def plan(subject: Any, **options: Any) -> Plan:
    return resolve(open_source(subject), ExportConfig(**options))


def keys(found: Plan) -> list[str]:
    return [table.key for table in found.proportions]


def test_tables_of_proportions_are_found_by_name_or_by_sum() -> None:
    adata = build(
        deconvolution=amounts(),
        sums_to_one=amounts(total=1),
        sums_to_five=amounts(total=5),
        signed_proportions=amounts() - 1,
        rctd_weights_of_nothing=np.zeros((N, 3)),
    )
    adata.obsm["proportions_without_names"] = amounts(total=1)
    assert keys(plan(adata)) == ["deconvolution", "sums_to_one"]
    assert keys(plan(adata, proportions="sums_to_five")) == ["sums_to_five"]
    assert keys(plan(adata, proportions="none")) == []


def test_table_with_a_negative_and_a_missing_value_in_a_row_is_not_exported() -> None:
    values = amounts()
    values[3] = [np.nan, -1, 2]
    assert keys(plan(build(cell_types=values))) == []


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (["means", "stds", "q05", "q95"], ["q05_cell_abundance_w_sf"]),
        (["means", "stds", "q95"], ["means_cell_abundance_w_sf"]),
        (["stds"], []),
    ],
)
def test_best_statistic_of_cell2location_is_exported(stored: list[str], wanted: list[str]) -> None:
    adata = build(**{f"{statistic}_cell_abundance_w_sf": amounts() for statistic in stored})
    assert keys(plan(adata)) == wanted


def test_names_of_types_omit_the_name_of_the_table() -> None:
    columns = [f"q05cell_abundance_w_sf_{name}" for name in ("T_CD4", "T_CD8", "T_reg")]
    found = plan(build(q05_cell_abundance_w_sf=pd.DataFrame(amounts(), columns=columns)))
    assert found.annotations[1].kind == "category"
    assert found.annotations[1].categories == ("T_CD4", "T_CD8", "T_reg")
    same_start = pd.DataFrame(amounts(), columns=["T_CD4", "T_CD8", "T_reg"])
    assert plan(build(cell_types=same_start)).annotations[2].name == "cell_types: T_CD4"


@pytest.mark.parametrize("kind", ["object", "h5ad", "zarr"])
def test_bundle_has_amounts_and_most_abundant_types(kind: str, tmp_path: Path) -> None:
    values = amounts()
    values[3] = 0
    values[4, 1] = np.nan
    values[5] = [0, 0, 2]
    adata = build(rctd_weights=values)
    adata.uns["rctd_weights_colors"] = ["#112233", "#445566", "#778899"]
    subject: Any = adata
    if kind == "h5ad":
        adata.write_h5ad(subject := tmp_path / "in.h5ad")
    elif kind == "zarr":
        adata.write_zarr(subject := tmp_path / "in.zarr")
    bundle = run_to_memory(subject, ExportConfig())
    bundle.verify()
    m = bundle.manifest
    assert m.proportions is not None
    [table] = m.proportions
    assert (table.key, table.column, table.parts) == (
        "rctd_weights", "rctd_weights", [f"rctd_weights: {name}" for name in TYPES],
    )  # fmt: skip
    assert m.annotation_columns == ["cluster", table.column, *table.parts]
    best = next(column for column in m.columns or () if column.name == table.column)
    assert best.kind == "category"
    assert [(category.name, category.color) for category in best.categories] == list(
        zip(TYPES, adata.uns["rctd_weights_colors"], strict=True)
    )
    assert best.missing == 2
    assert any("2 of 40 cells have no proportions in obsm['rctd_weights']" in text for text in m.warnings or ())
    back = bundle.to_anndata()
    assert list(back.obs) == ["cluster"]
    np.testing.assert_array_equal(back.obsm["rctd_weights"].to_numpy(), values.astype(np.float32))
    assert list(back.obsm["rctd_weights"]) == TYPES


def test_types_that_are_never_the_most_abundant_are_kept() -> None:
    values = np.full((N, 3), [5.0, 1.0, 0.0])
    bundle = run_to_memory(build(cell_types=values), ExportConfig())
    bundle.verify()
    best = next(column for column in bundle.manifest.columns or () if column.name == "cell_types")
    assert best.kind == "category"
    assert [category.count for category in best.categories] == [N, 0, 0]


def test_sampled_spots_keep_their_amounts() -> None:
    adata = build(cell_types=amounts())
    bundle = run_to_memory(adata, ExportConfig(downsample=10))
    bundle.verify()
    back = bundle.to_anndata()
    np.testing.assert_array_equal(
        back.obsm["cell_types"].to_numpy(), adata[back.obs_names].obsm["cell_types"].to_numpy().astype(np.float32)
    )


def test_tables_with_very_many_numbers_are_exported_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proportions, "MAX_VALUES", 3 * N - 1)
    adata = build(cell_types=amounts())
    found = plan(adata)
    assert keys(found) == []
    assert any("not exported by default: cell_types." in text for text in found.warnings)
    assert keys(plan(adata, proportions="cell_types")) == ["cell_types"]


def test_columns_of_obs_keep_their_names() -> None:
    adata = build(cluster_proportions=amounts(), cell_types=amounts(1))
    adata.obs["cell_types"] = pd.Categorical(["x", "y"] * (N // 2))
    adata.obs["cell_types: B cells"] = np.arange(N) / 7
    found = plan(adata)
    assert [column.name for column in found.annotations if column.name.startswith("cell_types")] == [
        "cell_types",
        "cell_types: B cells",
        "cell_types (obsm)",
        "cell_types (obsm): B cells",
        "cell_types (obsm): T cells",
        "cell_types (obsm): Macrophages",
    ]


def test_proportions_can_be_the_initial_color() -> None:
    adata = build(cell_types=amounts())
    for name in ("cell_types", "cell_types: T cells"):
        view = plan(adata, color=name).view
        assert view is not None
        assert view["color"] == {"kind": "annotation", "column": name}
    with pytest.raises(PlanError, match=r"'cell_types: T cell' is neither .*Did you mean 'cell_types: T cells'"):
        plan(adata, color="cell_types: T cell")


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ("cell_type", r"There is no obsm\['cell_type'\]\. Did you mean 'cell_types'\? Tables in obsm: cell_types"),
        ("spatial", r"obsm\['spatial'\] has no column names"),
        ("negative", r"the column 'T cells' has negative values, down to -2"),
        ("text", r"it has columns that are not numeric: note"),
        ("one", r"it has 1 column; expected 2 to 100"),
        ("wide", r"it has 101 columns; expected 2 to 100"),
        ("zeros", r"every row has a missing value or only zeros"),
    ],
)
def test_table_without_proportions_is_rejected(requested: str, message: str) -> None:
    negative = amounts()
    negative[7, 1] = -2
    adata = build(
        cell_types=amounts(),
        negative=negative,
        text=pd.DataFrame({"B cells": np.ones(N), "T cells": np.ones(N), "note": ["x"] * N}),
        one=pd.DataFrame({"B cells": np.ones(N)}),
        wide=pd.DataFrame(np.ones((N, 101)), columns=[f"t{i}" for i in range(101)]),
        zeros=np.zeros((N, 3)),
    )
    with pytest.raises(ColumnError, match=message):
        plan(adata, proportions=[requested])
    assert keys(plan(adata)) == ["cell_types"]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return run_to_memory(build(cell_types=amounts()), ExportConfig())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"column": "nope"}, "'nope', which is not a category column"),
        ({"column": "cell_types: B cells"}, "which is not a category column"),
        ({"column": "cluster"}, "have 3 parts, but 'cluster' has 2 categories"),
        ({"parts": ["cluster"] * 3}, "'cluster', which is not a numeric column"),
        ({"parts": ["cell_types: T cells"] * 2}, "have 2 parts, but 'cell_types' has 3 categories"),
        ({"parts": [f"cell_types: {name}" for name in TYPES[::-1]]}, "is not the most abundant type of every cell"),
    ],
)
def test_verification_reports_inconsistent_proportions(bundle: Bundle, change: dict[str, Any], message: str) -> None:
    bundle.verify()
    [table] = bundle.manifest.proportions or []
    changed = bundle.manifest.model_copy(update={"proportions": [table.model_copy(update=change)]})
    with pytest.raises(BundleError, match=message):
        Bundle(bundle.files, changed).verify()


def test_conversion_of_inconsistent_proportions_raises(bundle: Bundle) -> None:
    [table] = bundle.manifest.proportions or []
    changed = bundle.manifest.model_copy(update={"proportions": [table.model_copy(update={"column": "nope"})]})
    with pytest.raises(BundleError, match="not a category column"):
        Bundle(bundle.files, changed).to_anndata()
