"""Groups of categories in `view.groups`, and as a column of obs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from karospace_jupyter import karospace_view
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import ViewError
from karospace_jupyter.plan.colors import palette
from karospace_jupyter.view.state import ViewState, from_wire
from karospace_jupyter.widget.view import KaroSpaceView

LYMPHOCYTES = {"cell_type": {"Lymphocyte": ["B cell", "T cell"]}}


@pytest.fixture
def adata() -> Any:
    adata = synthetic_tissue(300, 60, seed=2)
    adata.obs.loc[adata.obs_names[:5], "cell_type"] = np.nan
    return adata


@pytest.fixture
def view(adata: Any) -> Iterator[KaroSpaceView]:
    view = karospace_view(adata)
    yield view
    view.close()


def test_groups_are_part_of_the_state_and_keep_their_colors(view: KaroSpaceView) -> None:
    changes: list[Any] = []
    view.on_change(changes.append)
    view.groups = LYMPHOCYTES
    group = {"name": "Lymphocyte", "members": ["B cell", "T cell"], "color": None}
    assert view.state["groups"] == {"cell_type": [group]}
    assert changes[-1]["new"]["groups"] == {"cell_type": [group]}
    view.state = {"groups": {"cell_type": [{**group, "color": "#00ff00"}]}}
    assert view.groups == LYMPHOCYTES
    view.groups = {"cell_type": {"Lymphocyte": ["T cell"], "Other": ["B cell"]}}
    assert [entry["color"] for entry in view.state["groups"]["cell_type"]] == ["#00ff00", None]
    view.groups = {}
    assert view.state["groups"] == {}


def test_groups_made_in_the_viewer_are_read_in_python(view: KaroSpaceView) -> None:
    sent = {"groups": {"cell_type": [{"name": "A", "members": ["B cell"]}], "gone": [{"name": "B", "members": ["x"]}]}}
    view._take_state(from_wire({**ViewState().wire(), **sent}))
    assert view.groups == {"cell_type": {"A": ["B cell"]}, "gone": {"B": ["x"]}}
    # Groups that the view cannot show stay while others change.
    view.groups = {**view.groups, **LYMPHOCYTES}
    assert view.groups == {**LYMPHOCYTES, "gone": {"B": ["x"]}}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"cell_typ": {"A": ["B cell"]}}, r"'cell_typ' is not a column of this view\. Did you mean 'cell_type'"),
        ({"area": {"A": ["1"]}}, "'area' is a numeric column"),
        ({"cell_type": ["B cell"]}, "a dict of names to lists of categories; got a list"),
        ({"cell_type": {" ": ["B cell"]}}, "its name must be non-empty text"),
        ({"cell_type": {"A": []}}, r"at least one name; got \[\]"),
        ({"cell_type": {"A": "B cell"}}, "must be a list of names with at least one name; got 'B cell'"),
        ({"cell_type": {"A": ["B cel"]}}, r"there is no category 'B cel'\. Did you mean 'B cell'"),
        ({"cell_type": {"A": ["B cell", None]}}, "there is no category None"),
        ({"cell_type": {"A": ["B cell"], "B": ["B cell"]}}, "'B cell' is already in the group 'A'"),
        ({"cell_type": {"A": ["B cell", "B cell"]}}, "'B cell' is already in the group 'A'"),
        ({"cell_type": {"Tumor": ["B cell"]}}, "a category that is not in the group has the same name"),
        ({"cell_type": {"A" * 1001: ["B cell"]}}, "groups.cell_type.0.name: String should have at most 1000"),
    ],
)
def test_invalid_groups_are_rejected(view: KaroSpaceView, groups: Any, message: str) -> None:
    view.groups = LYMPHOCYTES
    with pytest.raises(ViewError, match=message):
        view.groups = groups
    assert view.groups == LYMPHOCYTES


def test_columns_added_later_can_be_grouped(adata: Any, view: KaroSpaceView) -> None:
    adata.obs["late"] = adata.obs["cell_type"].astype(str)
    view.groups = {"late": {"Tumor": ["Tumor", "Cycling tumor"]}}
    view.annotate("later", groups="late")
    assert set(adata.obs["later"]) == set(adata.obs["late"]) - {"Cycling tumor"}


def test_annotate_writes_groups_with_their_colors(adata: Any, view: KaroSpaceView) -> None:
    before = adata.obs["cell_type"].copy()
    names = list(before.cat.categories)
    original = dict(zip(names, adata.uns["cell_type_colors"], strict=True))
    view.groups = {
        "cell_type": {"Lymphocyte": ["B cell", "T cell"], "Tumor": ["Tumor", "Cycling tumor"], "Gut": ["Epithelial"]}
    }
    recolored = [
        {**group, **({"color": "#00ff00"} if group["name"] == "Gut" else {})} for group in _cell_type_groups(view)
    ]
    view.state = {"groups": {"cell_type": recolored}, "class_colors": {"cell_type": {"Fibroblast": "#123456"}}}
    view.annotate("lineage", groups="cell_type")
    new = {"B cell": "Lymphocyte", "T cell": "Lymphocyte", "Cycling tumor": "Tumor", "Epithelial": "Gut"}
    pd.testing.assert_series_equal(
        adata.obs["lineage"].astype(object), before.astype(object).replace(new), check_names=False
    )
    assert adata.obs["lineage"].isna().sum() == 5
    categories = list(adata.obs["lineage"].cat.categories)
    assert categories == list(dict.fromkeys(new.get(name, name) for name in names))
    counts = before.value_counts()
    colors = dict(zip(categories, adata.uns["lineage_colors"], strict=True))
    assert colors["Gut"] == "#00ff00"
    assert colors["Fibroblast"] == "#123456"
    assert colors["Lymphocyte"] == original[max(["B cell", "T cell"], key=counts.__getitem__)]
    assert colors["Tumor"] == original["Tumor"]
    # The column is shown at once, and the groups are still those of the first column.
    view.color = "lineage"
    (entry,) = [column for column in view._live.columns.listing() if column["name"] == "lineage"]
    assert {category["name"]: category["color"] for category in entry["categories"]} == colors
    view.state = {"palette": "safe"}
    view.annotate("lineage", groups="cell_type", overwrite=True)
    assert (
        dict(zip(categories, adata.uns["lineage_colors"], strict=True))["Macrophage"]
        == (palette(len(names), "safe")[names.index("Macrophage")])
    )


def _cell_type_groups(view: KaroSpaceView) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = view.state["groups"]["cell_type"]
    return groups


def test_annotate_writes_groups_for_cells_outside_the_bundle(adata: Any) -> None:
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.add_categories(["Unused"])
    view = karospace_view(adata, downsample=50)
    view.groups = LYMPHOCYTES
    view.annotate("lineage", groups="cell_type")
    lymphocytes = adata.obs["cell_type"].isin(["B cell", "T cell"])
    assert ((adata.obs["lineage"] == "Lymphocyte") == lymphocytes).all()
    colors = dict(zip(adata.obs["lineage"].cat.categories, adata.uns["lineage_colors"], strict=True))
    assert colors["Unused"] == "#b4bac3"
    view.close()


def test_annotate_rejects_columns_without_groups_and_existing_columns(adata: Any, view: KaroSpaceView) -> None:
    with pytest.raises(ViewError, match="'cell_type' has no groups. Columns with groups: none"):
        view.annotate("lineage", groups="cell_type")
    view.groups = LYMPHOCYTES
    with pytest.raises(ViewError, match="'region' has no groups. Columns with groups: 'cell_type'"):
        view.annotate("lineage", groups="region")
    with pytest.raises(ViewError, match="'nothing' is not a column of obs"):
        view.annotate("lineage", groups="nothing")
    with pytest.raises(ViewError, match="already has a column 'region'"):
        view.annotate("region", groups="cell_type")
    with pytest.raises(ViewError, match="which would be lost"):
        view.annotate("cell_type", groups="cell_type", overwrite=True)
    assert "lineage" not in adata.obs


def test_groups_may_be_arrays_and_set_again(view: KaroSpaceView) -> None:
    for members in (np.array(["B cell", "T cell"]), pd.Index(["B cell", "T cell"])):
        view.groups = {"cell_type": {"Lymphocyte": members}}
        assert view.groups == {"cell_type": {"Lymphocyte": ["B cell", "T cell"]}}


def test_gene_sets_may_be_arrays_or_tables_and_scores_use_them(adata: Any) -> None:
    view = karospace_view(adata, gene_sets={"T": ["CD3E", "EPCAM"]})
    view.bundle.verify()
    assert set(view.bundle.manifest.gene_list) == {"CD3E", "EPCAM"}
    for genes in (np.array(["CD3E"]), ["CD3E"], np.array(["CD3E", "VIM"])):
        for _ in range(2):
            view.gene_sets = {"T": genes}
            view.color = "score:T"
            assert view.state["color"] == {"kind": "score", "name": "T", "genes": list(genes)}
    view.gene_sets = pd.DataFrame({"A": ["CD3E"], "B": ["VIM"]})
    assert view.gene_sets == {"A": ["CD3E"], "B": ["VIM"]}
    view.close()
