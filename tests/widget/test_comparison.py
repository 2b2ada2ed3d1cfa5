"""`view.compare` and `Bundle.compare`: the cells, the matrix, and errors that suggest existing names."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from waiting import PATIENCE_S, eventually

from karospace_jupyter import Bundle, ExportConfig, karospace_view
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.differential import MatrixScale, compare
from karospace_jupyter.errors import Cancelled, ComparisonError, ViewError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.job import Job, Progress
from karospace_jupyter.widget.assets import LiveCells
from karospace_jupyter.widget.view import KaroSpaceView


def tissue(n_cells: int = 300) -> ad.AnnData:
    made = synthetic_tissue(n_cells, 60, seed=2)
    del made.uns["spatial"]  # images take long to encode
    made.obs.loc[made.obs_names[:5], "cell_type"] = np.nan
    return made


@pytest.fixture
def adata() -> ad.AnnData:
    return tissue()


@pytest.fixture
def view(adata: ad.AnnData) -> Iterator[KaroSpaceView]:
    view = karospace_view(adata)
    yield view
    view.close()


def exported(adata: ad.AnnData, **options: Any) -> Bundle:
    return run_to_memory(adata, ExportConfig(preview=False, **options))


def reference(values: Any, names: Any, a: Any, b: Any, kind: Any = "log1p") -> pd.DataFrame:
    """Return the comparison of two groups of cells, computed from the whole matrix."""
    columns = sp.csc_matrix(values)
    columns.eliminate_zeros()
    genes = [(columns[:, i].indices, columns[:, i].data.astype(np.float32)) for i in range(columns.shape[1])]
    return compare(genes, np.asarray(a), np.asarray(b), MatrixScale(kind)).table(names)


def is_type(adata: ad.AnnData, *names: str) -> Any:
    return adata.obs["cell_type"].isin(names).to_numpy()


def assert_equal(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, wanted.loc[found.index], rtol=1e-9, atol=1e-12)
    assert found.index[:10].tolist() == wanted.index[:10].tolist()


def test_selection_is_compared_with_the_rest_by_default(view: KaroSpaceView, adata: ad.AnnData) -> None:
    a = is_type(adata, "Tumor")
    view.selection = a
    found = view.compare("selection")
    assert_equal(found, reference(adata.X, adata.var_names, a, ~a))
    assert found.attrs == {
        "matrix": "X",
        "fold_change": "means back-transformed from log1p",
        "n_a": int(a.sum()),
        "n_b": int((~a).sum()),
    }
    assert_equal(view.compare("rest", "selection"), reference(adata.X, adata.var_names, ~a, a))


@pytest.mark.parametrize(
    "group",
    [
        {"cell_type": ["B cell", "T cell"]},
        {"cell_type": np.array(["B cell", "T cell"])},
        {"cell_type": "Lymphocyte"},
        "Follicle",
        "mask",
        "series",
        "names",
    ],
    ids=str,
)
def test_every_form_of_a_group_means_the_same_cells(view: KaroSpaceView, adata: ad.AnnData, group: Any) -> None:
    a = is_type(adata, "B cell", "T cell")
    view.regions = {"Follicle": a}
    view.groups = {"cell_type": {"Lymphocyte": ["B cell", "T cell"]}}
    given = {"mask": a, "series": pd.Series(a, adata.obs_names), "names": adata.obs_names[a].tolist()}
    found = view.compare(given.get(group, group) if isinstance(group, str) else group, {"cell_type": "Tumor"})
    assert_equal(found, reference(adata.X, adata.var_names, a, is_type(adata, "Tumor")))


def test_cells_must_match_every_column(view: KaroSpaceView, adata: ad.AnnData) -> None:
    a = is_type(adata, "Tumor") & (adata.obs["is_tumor"] == True).to_numpy()  # noqa: E712 - may be missing
    section = str(adata.obs["section"].iloc[0])
    a &= (adata.obs["section"] == section).to_numpy()
    found = view.compare({"cell_type": "Tumor", "is_tumor": True, "section": section})
    assert found.attrs["n_a"] == a.sum()
    assert_equal(found, reference(adata.X, adata.var_names, a, ~a))


def test_missing_values_and_new_columns_can_be_compared(view: KaroSpaceView, adata: ad.AnnData) -> None:
    assert view.compare({"cell_type": None}).attrs["n_a"] == 5
    adata.obs["third"] = np.arange(adata.n_obs) % 3
    assert view.compare({"third": 2}, {"third": [0, 1]}).attrs["n_b"] == 200


def test_hidden_cells_are_compared(view: KaroSpaceView) -> None:
    before = view.compare({"cell_type": "Tumor"})
    view.hidden = {"cell_type": ["Tumor"]}
    pd.testing.assert_frame_equal(view.compare({"cell_type": "Tumor"}), before)


def test_layer_of_the_view_is_compared(view: KaroSpaceView, adata: ad.AnnData) -> None:
    view.layer = "counts"
    found = view.compare({"cell_type": "Tumor"})
    a = is_type(adata, "Tumor")
    assert_equal(found, reference(adata.layers["counts"], adata.var_names, a, ~a, "counts"))
    assert found.attrs["matrix"] == "layer:counts"
    assert found.attrs["fold_change"] == "mean counts"


def test_scaled_values_have_no_fold_change(view: KaroSpaceView, adata: ad.AnnData) -> None:
    dense = adata.X.toarray()
    adata.layers["scaled"] = (dense - dense.mean(axis=0)) / np.maximum(dense.std(axis=0), 1e-9)
    view.layer = "scaled"
    found = view.compare({"cell_type": "Tumor"})
    assert found["log2_fold_change"].isna().all()
    assert found["z"].notna().sum() > 50
    assert found.attrs["fold_change"] is None


def test_only_cells_of_a_downsampled_view_are_compared() -> None:
    adata = tissue(2000)
    view = karospace_view(adata, downsample=600)
    shown = np.isin(adata.obs_names, view.bundle.to_anndata().obs_names)
    assert shown.sum() == 600
    a = is_type(adata, "Tumor")
    found = view.compare(a)
    assert_equal(found, reference(adata.X, adata.var_names, a & shown, ~a & shown))
    assert_equal(view.compare({"cell_type": "Tumor"}), found)
    view.close()
    bundle = exported(adata, downsample=600, packed="yes")
    assert bundle.to_anndata().obs_names.tolist() == adata.obs_names[shown].tolist()
    assert_equal(bundle.compare(a[shown]), found)


def test_order_of_cells_in_the_object_does_not_matter(adata: ad.AnnData) -> None:
    bundle = exported(adata, genes_mode=["EPCAM"])
    shuffled = adata[np.random.default_rng(0).permutation(adata.n_obs)].copy()
    view = karospace_view(bundle, adata=shuffled)
    a = is_type(adata, "Tumor")
    assert_equal(view.compare({"cell_type": "Tumor"}), reference(adata.X, adata.var_names, a, ~a))
    view.close()


@pytest.mark.parametrize("options", [{"packed": "yes", "genes_mode": ["EPCAM"]}, {"genes_mode": "all"}], ids=str)
def test_bundle_is_compared_without_an_object(adata: ad.AnnData, options: dict[str, Any]) -> None:
    bundle = exported(adata, **options)
    a = is_type(adata, "Tumor")
    wanted = reference(adata.X, adata.var_names, a, ~a)
    found = bundle.compare(a)
    assert_equal(found, wanted)
    assert found.attrs["fold_change"] == "means back-transformed from log1p"
    assert_equal(bundle.compare(a, ~a), wanted)
    view = karospace_view(bundle)
    assert_equal(view.compare({"cell_type": "Tumor"}), wanted)
    view.selection = a
    assert_equal(view.compare("selection"), wanted)
    view.close()


def test_only_exported_genes_of_a_bundle_without_packed_genes_are_compared(adata: ad.AnnData) -> None:
    found = exported(adata, genes_mode=["EPCAM", "CD3E"], packed="no").compare(is_type(adata, "Tumor"))
    assert found.index.tolist() == ["EPCAM", "CD3E"]


def test_missing_values_are_ignored(adata: ad.AnnData) -> None:
    dense = adata.X.toarray()
    dense[::7, 3] = np.nan
    adata.X = dense
    a = is_type(adata, "Tumor")
    view = karospace_view(adata)
    found = view.compare(a)
    view.close()
    gene = adata.var_names[3]
    assert found.loc[gene, "mean_a"] == pytest.approx(np.nanmean(dense[a, 3].astype(np.float64)), rel=1e-12)
    present = dense[a, 3][~np.isnan(dense[a, 3])]
    assert found.loc[gene, "fraction_a"] == (present != 0).mean()
    packed = exported(adata, packed="yes").compare(a)
    pd.testing.assert_frame_equal(packed.loc[found.index], found)


@pytest.mark.parametrize(
    ("a", "message"),
    [
        ("selection", "Nothing is selected"),
        ("Folicle", "There is no region 'Folicle'. Did you mean 'Follicle'? Regions: 'Follicle'. A group is"),
        ({"cell_tipe": "Tumor"}, "no column 'cell_tipe' with categories. Did you mean 'cell_type'"),
        ({"cell_type": "Tumour"}, "The column 'cell_type' has no category 'Tumour'. Did you mean 'Tumor'"),
        ({}, "The dict of columns to categories is empty"),
        (None, "A group is \"selection\", \"rest\", the name of a region"),
        (3, "names of cells. Got 3"),
        ("rest", 'Both groups are "rest"'),
        ([True, False], "needs one value for each of the 300 cells; got 2"),
        (["no such cell"], "1 name is not in this view; the first: 'no such cell'"),
    ],
    ids=str,
)  # fmt: skip
def test_errors_suggest_existing_names(view: KaroSpaceView, adata: ad.AnnData, a: Any, message: str) -> None:
    view.regions = {"Follicle": is_type(adata, "B cell")}
    with pytest.raises(ViewError) as caught:
        view.compare(a)
    assert message in str(caught.value)


def test_groups_that_cannot_be_compared_are_refused(view: KaroSpaceView, adata: ad.AnnData) -> None:
    tumor = {"cell_type": "Tumor"}
    n = int(is_type(adata, "Tumor").sum())
    with pytest.raises(ComparisonError, match=f"{n} cells are in both groups"):
        view.compare(tumor, tumor)
    with pytest.raises(ComparisonError, match="Group A has 2 cells; a comparison needs at least 3"):
        view.compare(adata.obs_names[:2].tolist())
    with pytest.raises(ComparisonError, match="Group B has no cells"):
        view.compare(np.ones(adata.n_obs, dtype=bool))
    bundle = view.bundle
    with pytest.raises(ComparisonError, match="A group must be booleans, one for each cell; got int64"):
        bundle.compare(np.arange(300))  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ComparisonError, match="Group A must be one boolean for each of the 300 cells"):
        bundle.compare(np.ones(299, dtype=bool))


def test_bundle_without_genes_is_refused(view: KaroSpaceView) -> None:
    without_object = karospace_view(view.bundle)  # the bundle of a view of an object has no genes
    with pytest.raises(ComparisonError, match="has no genes to compare. Pass the AnnData object"):
        without_object.compare({"cell_type": "Tumor"})
    without_object.close()


def test_changed_object_is_refused(view: KaroSpaceView, adata: ad.AnnData) -> None:
    adata.obs_names = [f"other {name}" for name in adata.obs_names]
    with pytest.raises(ViewError, match="changed after this view was created"):
        view.compare({"cell_type": "Tumor"})


@pytest.mark.parametrize("name", ["rest", "selection"])
def test_region_named_like_another_group_is_refused(view: KaroSpaceView, adata: ad.AnnData, name: str) -> None:
    view.regions = {name: is_type(adata, "Tumor")}
    with pytest.raises(ViewError, match=f"The region '{name}' has the name of another group"):
        view.compare({"cell_type": "B cell"}, name)
    assert view.compare(view.regions[name]).attrs["n_a"] == is_type(adata, "Tumor").sum()


def test_new_comparison_of_the_page_cancels_the_earlier_one(adata: ad.AnnData) -> None:
    live = LiveCells(adata, exported(adata), ExportConfig())
    tumor = is_type(adata, "Tumor")
    stopped: list[str] = []
    started: list[threading.Thread] = []

    def ask(request: str) -> None:
        try:
            live.comparison(tumor, ~tumor, request)
        except Cancelled:
            stopped.append(request)

    with live._comparing:  # as during a long comparison
        threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in ("first", "second", "second")]
        for thread in threads:
            thread.start()
            eventually(lambda: live._comparison[0] == ("second" if len(started) else "first"))
            started.append(thread)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)
    assert stopped == ["first"]
    again = live.comparison(tumor, ~tumor, "second")
    assert again == live.comparison(tumor, ~tumor, "third")  # the same numbers, computed anew
    columns = json.loads(gzip.decompress(again))
    wanted = live.compare(tumor, ~tumor)
    assert [*columns] == [*wanted.columns]
    for name, text in columns.items():
        found = pd.Series(np.frombuffer(base64.b64decode(text), "<f8"), list(live.names))
        np.testing.assert_array_equal(found[wanted.index], wanted[name])


@pytest.mark.parametrize("live", [True, False])
def test_most_abundant_cell_types_can_be_compared(adata: ad.AnnData, *, live: bool) -> None:
    amounts = np.random.default_rng(0).random((adata.n_obs, 3))
    adata.obsm["cell_types"] = pd.DataFrame(amounts, index=adata.obs_names, columns=["B", "T", "M"])
    bundle = exported(adata, genes_mode="all")
    shuffled = adata[::-1].copy()
    view = karospace_view(bundle, adata=shuffled if live else None)
    subject = shuffled if live else adata
    most_abundant = subject.obsm["cell_types"].to_numpy().argmax(axis=1)
    found = view.compare({"cell_types": "B"}, {"cell_types": ["T", "M"]})
    pd.testing.assert_frame_equal(
        found.sort_index(),
        reference(subject.X, subject.var_names, most_abundant == 0, most_abundant > 0).sort_index(),
        check_names=False,
    )
    with pytest.raises(ViewError, match="has no category 'C'"):
        view.compare({"cell_types": "C"})
    view.close()


def canceling_job(stop_at: int) -> Job:
    """Return a job that cancels itself at the report with this index."""
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        if len(seen) == stop_at:
            job.cancel()
        seen.append(progress)

    job = Job(stop)
    return job


@pytest.mark.parametrize("where", ["object", "cells of the object", "bundle", "dense bundle"])
def test_comparison_reports_progress_and_can_be_canceled(
    adata: ad.AnnData, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karospace_jupyter.job._REPORT_EVERY_S", 0.0)
    if where == "object":
        adata.X = adata.X.tocsc()
    dense = {"genes_mode": "all", "packed": "no"} if where == "dense bundle" else {}
    view = karospace_view(exported(adata, **dense) if "bundle" in where else adata)
    group = {"cell_type": "Tumor"}
    seen: list[Progress] = []
    found = view.compare(group, progress=False, job=Job(seen.append))
    ended = [(step.stage, step.done, step.total, step.unit) for step in seen if step.finished]
    reading = [("Reading cells", 300, 300, "cells")] if where == "cells of the object" else []
    assert ended == [*reading, ("Comparing genes", 60, 60, "genes")]
    for stop_at in range(0, len(seen) - 1, 7):
        with pytest.raises(Cancelled, match="The comparison was canceled"):
            view.compare(group, progress=False, job=canceling_job(stop_at))
    pd.testing.assert_frame_equal(view.compare(group), found)
    view.close()


def test_interrupted_comparison_leaves_nothing_running(
    view: KaroSpaceView, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("karospace_jupyter.job._REPORT_EVERY_S", 0.0)
    monkeypatch.setattr("karospace_jupyter.progress._QUICK_S", 0.0)
    before = {thread.ident for thread in threading.enumerate()}

    def interrupt(progress: Progress) -> None:
        if progress.stage == "Comparing genes" and progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        view.compare({"cell_type": "Tumor"}, job=Job(interrupt))
    assert caught.value.__traceback__ is not None  # notebooks keep it, and with it the variables of all functions
    # tqdm's own monitor is a daemon that serves all of its bars.
    left = [
        thread for thread in threading.enumerate() if thread.ident not in before and type(thread).__name__ != "TMonitor"
    ]
    assert left == []
    shown = capsys.readouterr().err
    assert "Reading cells: 100%" in shown
    assert "Comparing genes:   7%" in shown
    view.compare({"cell_type": "Tumor"}, progress=False)
    assert capsys.readouterr().err == ""


def test_quick_comparison_shows_no_progress(view: KaroSpaceView, capsys: pytest.CaptureFixture[str]) -> None:
    view.compare({"cell_type": "Tumor"})
    assert capsys.readouterr() == ("", "")
