"""The comparison of two groups agrees with scipy and scanpy, also for ties, missing values and tiny p-values."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from golden_differential import FILE, as_json, read, reference
from scipy import stats

from karospace_jupyter.differential import (
    Comparison,
    MatrixScale,
    adjusted,
    check_groups,
    compare,
    compare_values,
    log10_two_sided,
)
from karospace_jupyter.errors import ComparisonError

GOLDEN = json.loads(FILE.read_text())
EXACT = {"u", "auc", "fraction_a", "fraction_b"}


def compared(
    a: list[float | None], b: list[float | None], kind: Any, log_base: float | None = None
) -> dict[str, float]:
    """Compare the values of a gene in two groups, whose cells are shuffled among cells of neither group."""
    values = np.array([read(value) for value in (*a, *b)] + [5.0] * 4, dtype=np.float32)
    in_a = np.arange(len(values)) < len(a)
    in_b = ~in_a & (np.arange(len(values)) < len(a) + len(b))
    order = np.random.default_rng(len(values)).permutation(len(values))
    values, in_a, in_b = values[order], in_a[order], in_b[order]
    cells = np.flatnonzero(values)  # includes NaN
    found = compare([(cells, values[cells])], in_a, in_b, MatrixScale(kind, log_base))
    return {field.name: float(getattr(found, field.name)[0]) for field in dataclasses.fields(found)}


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=[case["name"] for case in GOLDEN["cases"]])
def test_statistics_agree_with_scipy(case: dict[str, Any]) -> None:
    found = compared(case["a"], case["b"], case["kind"])
    for name, wanted in case["expected"].items():
        tolerance = {"rtol": 0, "atol": 0} if name in EXACT else {"rtol": 1e-11, "atol": 1e-13}
        np.testing.assert_allclose(found[name], read(wanted), **tolerance, err_msg=name)


@pytest.mark.parametrize("case", GOLDEN["adjust"])
def test_adjusted_p_values_are_those_of_benjamini_and_hochberg(case: dict[str, Any]) -> None:
    found = adjusted(np.array([read(p) for p in case["log10_p"]], dtype=np.float64))
    np.testing.assert_allclose(found, [read(p) for p in case["adjusted"]], rtol=1e-13, atol=1e-15)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scipy, for genes without variance
def test_stored_reference_values_are_current() -> None:
    """After an intended change, run `python tests/golden/golden_differential.py`."""
    made = json.loads(as_json(reference()))
    assert [case["name"] for case in made["cases"]] == [case["name"] for case in GOLDEN["cases"]]
    for new, old in zip(made["cases"], GOLDEN["cases"], strict=True):
        assert (new["kind"], new["a"], new["b"]) == (old["kind"], old["a"], old["b"])
        assert new["expected"].keys() == old["expected"].keys()
        for name, value in new["expected"].items():
            # Versions of scipy and of the C library differ in the last digits.
            np.testing.assert_allclose(read(value), read(old["expected"][name]), rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.filterwarnings("ignore:Precision loss:RuntimeWarning")  # scipy, for a group without variance
@pytest.mark.parametrize("n", [6, 40, 3000])
@pytest.mark.parametrize("signed", [False, True])
def test_random_genes_agree_with_scipy(n: int, signed: bool) -> None:
    rng = np.random.default_rng(n)
    a = np.zeros(n, dtype=bool)
    a[rng.choice(n, max(3, n // 4), replace=False)] = True
    dense = rng.poisson(rng.uniform(0.01, 4, (30, 1)), (30, n)) * rng.choice([0.25, 0.5, 1.0, 1 / 3], (30, n))
    if signed:
        dense -= 0.5 * (rng.random((30, n)) < 0.4)
    dense = dense.astype(np.float32)
    genes = [(np.flatnonzero(row), row[np.flatnonzero(row)]) for row in dense]
    found = compare(genes, a, ~a, MatrixScale("other"))
    for i, row in enumerate(dense.astype(np.float64)):
        if row.min() == row.max():
            assert np.isnan(found.z[i])
            continue
        ranks = stats.mannwhitneyu(row[a], row[~a], method="asymptotic", use_continuity=True)
        assert found.u[i] == ranks.statistic
        np.testing.assert_allclose(10 ** found.log10_p[i], ranks.pvalue, rtol=1e-10)
        if row[a].var() + row[~a].var() > 0:
            welch = stats.ttest_ind(row[a], row[~a], equal_var=False)
            np.testing.assert_allclose(found.t[i], welch.statistic, rtol=1e-10, atol=1e-13)
            np.testing.assert_allclose(found.t_df[i], welch.df, rtol=1e-10)
            np.testing.assert_allclose(10 ** found.t_log10_p[i], welch.pvalue, rtol=1e-10)


def test_p_values_of_t_agree_with_scipy_for_all_degrees_of_freedom() -> None:
    df = np.repeat(10.0 ** np.linspace(0, 7, 71), 60)
    t = np.tile(np.concatenate([10.0 ** np.linspace(-6, 1.5, 40), np.linspace(0, 37, 20)]), 71)
    found = log10_two_sided(t, df)
    with np.errstate(divide="ignore"):
        wanted = np.log10(2 * stats.t.sf(t, df))
    known = wanted > -290
    assert known.sum() > 3500
    np.testing.assert_allclose(found[known], wanted[known], rtol=1e-11, atol=2e-11)  # scipy rounds p near 1
    assert np.isfinite(found).all()
    by_df = found.reshape(71, 60)[:, 40:]
    assert (np.diff(by_df, axis=1) < 0).all()  # p falls with t


def test_p_values_of_t_are_exact_for_one_degree_of_freedom() -> None:
    t = 10.0 ** np.linspace(-6, 8, 40)
    p = np.where(t < 1, 1 - 2 / np.pi * np.arctan(t), 2 / np.pi * np.arctan(1 / t))
    np.testing.assert_allclose(10 ** log10_two_sided(t, np.ones(40)), p, rtol=1e-13)


def test_p_values_of_t_approach_the_normal_distribution() -> None:
    t = np.array([0.5, 3.0, 30.0, 100.0])
    found = log10_two_sided(t, np.full(4, 1e14))
    np.testing.assert_allclose(found, (np.log(2) + stats.norm.logsf(t)) / np.log(10), rtol=1e-9)


def test_ties_are_exact_among_a_million_zeros() -> None:
    n = 1_000_000
    a = np.zeros(n, dtype=bool)
    a[:300_000] = True
    cells = np.array([5, 7, 400_000])
    found = compare([(cells, np.array([1, 2, 2], dtype=np.float32))], a, ~a, MatrixScale("counts"))
    above = 699_999 * 2 + 0.5  # the two cells of A are above all of B except for one, with which one of them is tied
    assert found.u[0] == above + 299_998 * 699_999 / 2
    ties = sum(t**3 - t for t in (999_997, 1, 2))  # exact integers
    sigma = np.sqrt(300_000 * 700_000 * (n**3 - n - ties) / (12 * n * (n - 1)))
    np.testing.assert_allclose(found.z[0], (found.u[0] - 300_000 * 700_000 / 2) / sigma, rtol=1e-13)


def test_stored_zeros_are_zeros_and_infinite_values_are_missing() -> None:
    a = np.array([True] * 4 + [False] * 4)
    stored = np.array([0.0, 1.0, np.inf, 2.0, -0.0, 1.0, 3.0, 3.0], dtype=np.float32)
    cleaned = np.where(np.isinf(stored), np.nan, stored).astype(np.float32)
    cells = np.flatnonzero(cleaned)
    found = compare([(np.arange(8), stored)], a, ~a, MatrixScale("counts"))
    wanted = compare([(cells, cleaned[cells])], a, ~a, MatrixScale("counts"))
    for field in dataclasses.fields(Comparison):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(wanted, field.name))
    assert found.mean_a[0] == 1.0


def test_fold_change_uses_the_base_of_the_logarithm() -> None:
    a, b = np.array([0, 3, 7, 15]), np.array([1, 0, 0, 1, 3])
    natural = compared(np.log1p(a).tolist(), np.log1p(b).tolist(), "log1p")
    binary = compared(np.log2(a + 1).tolist(), np.log2(b + 1).tolist(), "log1p", 2.0)
    np.testing.assert_allclose(binary["log2_fold_change"], natural["log2_fold_change"], rtol=1e-6)
    assert MatrixScale("log1p", 2.0).fold_change == "means back-transformed from log1p"


@pytest.mark.parametrize("scale", [MatrixScale("scaled"), MatrixScale("log1p", 0.5), MatrixScale("log1p", np.inf)])
def test_values_without_ratios_have_no_fold_change(scale: MatrixScale) -> None:
    assert np.isnan(compared([1, 2, 3], [1, 1, 2], scale.kind, scale.log_base)["log2_fold_change"])
    assert scale.fold_change is None


def test_no_genes_give_an_empty_comparison() -> None:
    found = compare_values([], 3, 3, MatrixScale("counts"))
    assert {len(getattr(found, field.name)) for field in dataclasses.fields(found)} == {0}


def test_table_is_sorted_by_z_with_untested_genes_last() -> None:
    in_a = np.arange(6) < 3
    rows = [[0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 2, 3], [3, 4, 5, 0, 1, 0], [0, 0, 0, 0, 0, 0]]
    dense = np.array(rows, dtype=np.float32)
    found = compare([(np.flatnonzero(row), row[row != 0]) for row in dense], in_a, ~in_a, MatrixScale("counts"))
    table = found.table(["none", "down", "up", "nil"], n_a=3)
    assert table.index.tolist() == ["up", "down", "none", "nil"]
    assert table.index.name == "gene"
    assert table.attrs == {"n_a": 3}
    assert (table.dtypes == np.float64).all()
    assert table.columns.tolist() == [
        "mean_a", "mean_b", "fraction_a", "fraction_b", "log2_fold_change", "auc", "u", "z", "log10_p",
        "log10_p_adjusted", "t", "t_df", "t_log10_p", "t_log10_p_adjusted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0], "1 cell is in both groups"),
        ([1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], "Group B has no cells; a comparison needs at least 3 in each group"),
        ([1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1], "Group A has 2 cells; a comparison needs at least 3"),
        (
            [1, 1, 1, 0, 0, 0],
            [0, 0, 0, 1, 1],
            r"Group B must be one boolean for each of the 6 cells; got bool of shape \(5,\)",
        ),
    ],
)
def test_impossible_groups_are_rejected(a: list[int], b: list[int], message: str) -> None:
    with pytest.raises(ComparisonError, match=message):
        compare([], np.array(a, dtype=bool), np.array(b, dtype=bool), MatrixScale("counts"))


def test_numbers_instead_of_booleans_are_rejected() -> None:
    with pytest.raises(ComparisonError, match="Group A must be one boolean for each of the 3 cells; got int64"):
        check_groups(np.array([0, 1, 2]), np.zeros(3, dtype=bool))  # type: ignore[arg-type]  # on purpose


@pytest.fixture(scope="module")
def pbmc(real_data: Path) -> ad.AnnData:
    adata = ad.read_h5ad(real_data / "pbmc68k_reduced.h5ad")
    found = adata.raw.to_adata()  # X of the file is scaled, raw is log1p
    found.X = found.X.astype(np.float64)  # scanpy's variances of float32 have about six digits
    return found


@pytest.mark.filterwarnings("ignore")  # scanpy's own
@pytest.mark.parametrize("method", ["t-test", "wilcoxon"])
def test_scores_and_top_genes_of_real_cells_agree_with_scanpy(pbmc: ad.AnnData, method: str) -> None:
    sc.tl.rank_genes_groups(
        pbmc, "bulk_labels", method=method, use_raw=False, **({"tie_correct": True} if method == "wilcoxon" else {})
    )
    columns = pbmc.X.tocsc()
    genes = [
        (columns.indices[start:stop], columns.data[start:stop].astype(np.float32))
        for start, stop in zip(columns.indptr, columns.indptr[1:], strict=False)
    ]
    score = "t" if method == "t-test" else "z"
    for category in pbmc.obs["bulk_labels"].cat.categories:
        theirs = sc.get.rank_genes_groups_df(pbmc, category).set_index("names")
        a = (pbmc.obs["bulk_labels"] == category).to_numpy()
        ours = compare(genes, a, ~a, MatrixScale("log1p")).table(pbmc.var_names)
        matched: pd.DataFrame = ours.loc[theirs.index]
        np.testing.assert_allclose(matched[score], theirs["scores"], rtol=1e-6, atol=1e-6)  # theirs are float32
        np.testing.assert_allclose(matched["log2_fold_change"], theirs["logfoldchanges"], rtol=1e-5, atol=1e-5)
        top = ours[score].sort_values(ascending=False, kind="stable").index[:20]
        assert top.tolist() == theirs.index[:20].tolist()
        if method == "t-test":
            np.testing.assert_allclose(10 ** matched["t_log10_p"], theirs["pvals"], rtol=1e-9)
