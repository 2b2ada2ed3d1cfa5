"""Order and colors of categories: stored color k applies to category k, from any kind of source."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.form.summary import summarize
from karospace_jupyter.plan import CategoryAnnotation, Plan, resolve
from karospace_jupyter.plan.colors import palette, parse_color
from karospace_jupyter.plan.natural_order import natural_order
from karospace_jupyter.source import open_source

N = 120
STORES = ["memory", "h5ad", "zarr"]
COLORS = [f"#{10 * i:02x}{255 - 20 * i:02x}{100 + 5 * i:02x}" for i in range(12)]
GOLDEN = json.loads((Path(__file__).parents[2] / "js/src/lib/natural-order.json").read_text(encoding="utf-8"))


def build(colors: Any = None, **obs: Any) -> ad.AnnData:
    rng = np.random.default_rng(0)
    obs_frame = pd.DataFrame(obs, index=[f"cell{i}" for i in range(N)])
    adata = ad.AnnData(rng.poisson(0.5, (N, 5)).astype(np.float32), obs=obs_frame)
    adata.obsm["spatial"] = rng.random((N, 2)) * 100
    if colors is not None:
        adata.uns["kind_colors"] = colors
    return adata


def stored(adata: ad.AnnData, store: str, folder: Path) -> Any:
    """Return the object itself, or the path of a stored copy whose text columns were not converted to categoricals."""
    if store == "memory":
        return adata
    if "convert_strings_to_categoricals" not in inspect.signature(adata.write_h5ad).parameters:
        pytest.skip("this version of anndata writes text columns as categoricals")
    path = folder / f"a.{store}"
    with ad.settings.override(allow_write_nullable_strings=True):
        if store == "h5ad":
            adata.write_h5ad(path, convert_strings_to_categoricals=False)
        else:
            adata.write_zarr(path, convert_strings_to_categoricals=False)
    return path


def plan(subject: Any, **options: Any) -> Plan:
    return resolve(open_source(subject), ExportConfig(genes_mode="all", **options))


def column(found: Plan, name: str = "kind") -> CategoryAnnotation:
    (annotation,) = (column for column in found.annotations if column.name == name)
    assert isinstance(annotation, CategoryAnnotation)
    return annotation


def colors_by_name(found: Plan) -> dict[str, str]:
    annotation = column(found)
    return dict(zip(annotation.categories, annotation.colors, strict=True))


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("dtype", ["object", "string[python]", "missing", "missing string[python]"])
def test_colors_of_text_column_follow_order_of_anndata(store: str, dtype: str, tmp_path: Path) -> None:
    values: list[Any] = [str(i % 12) for i in range(N)]
    if dtype.startswith("missing"):
        values[7] = None
    text = pd.array(values, dtype="string[python]") if "string" in dtype else np.array(values, dtype=object)
    adata = build(COLORS, kind=text)
    if store != "memory" and dtype == "missing":
        pytest.skip("anndata does not write objects with missing values")
    reference = adata.copy()
    reference.strings_to_categoricals()
    found = plan(stored(adata, store, tmp_path), annotation_columns=["kind"])
    assert list(column(found).categories) == list(reference.obs["kind"].cat.categories)
    assert colors_by_name(found) == dict(zip(map(str, range(12)), COLORS, strict=True))


@pytest.mark.parametrize("store", STORES)
def test_sections_of_text_column_follow_order_of_anndata(store: str, tmp_path: Path) -> None:
    found = plan(stored(build(sample=[f"S{i % 11}" for i in range(N)]), store, tmp_path))
    assert found.sections is not None
    assert [section.name for section in found.sections.items] == [f"S{i}" for i in range(11)]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: " ".join(case)[:30])
def test_natural_order_matches_anndata_and_the_viewer(case: list[str]) -> None:
    # The viewer's test reads the same file.
    assert natural_order(reversed(case)) == case
    reference = build(kind=[case[i % len(case)] for i in range(N)])
    reference.strings_to_categoricals()
    assert list(reference.obs["kind"].cat.categories) == case


def test_categorical_keeps_its_order_and_colors() -> None:
    for ordered in (False, True):
        values = pd.Categorical(["10", "2", "1"] * 40, categories=["10", "1", "2"], ordered=ordered)
        found = plan(build(["#ff0000", "#00ff00", "#0000ff"], kind=values))
        assert colors_by_name(found) == {"10": "#ff0000", "1": "#00ff00", "2": "#0000ff"}


def test_dropping_all_cells_of_a_category_does_not_shift_colors() -> None:
    # The first category has only cells without coordinates.
    adata = build(COLORS, kind=[str(i % 12) for i in range(N)])
    adata.obsm["spatial"][adata.obs["kind"] == "0"] = np.nan
    assert colors_by_name(plan(adata)) == dict(zip(map(str, range(1, 12)), COLORS[1:], strict=True))


def test_form_shows_the_colors_of_the_export() -> None:
    (fact,) = summarize(build(COLORS, kind=[str(i % 12) for i in range(N)])).columns
    assert fact.colors == tuple(COLORS[:5])


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["0", "10", "2"], ["0", "10", "2"]),
        (["B cell", "T cell", "NK"], ["B cell", "T cell", "NK"]),
        (["B cell", "NK", "T cell", "gone"], ["B cell", "T cell", "NK"]),
    ],
)
def test_dict_of_colors_is_matched_by_name(store: str, keys: list[str], names: list[str], tmp_path: Path) -> None:
    given = dict(zip(keys, COLORS, strict=False))
    found = plan(stored(build(given, kind=[names[i % 3] for i in range(N)]), store, tmp_path))
    assert colors_by_name(found) == {name: given[name] for name in names}
    assert not any("color" in warning for warning in found.warnings)


@pytest.mark.parametrize("kind", [int, np.int64, float, str.encode])
def test_numeric_key_matches_the_category_of_that_number(kind: Any) -> None:
    given = {kind(name): COLORS[int(name)] for name in ("3", "1", "0")}
    found = plan(build(given, kind=[("0", "1", "3")[i % 3] for i in range(N)]))
    assert colors_by_name(found) == {"0": COLORS[0], "1": COLORS[1], "3": COLORS[3]}


def test_numeric_keys_are_positions_if_no_category_is_a_number() -> None:
    found = plan(build({2: "#0000ff", 0: "#ff0000", 1: "#00ff00"}, kind=[f"T{i % 3}" for i in range(N)]))
    assert colors_by_name(found) == {"T0": "#ff0000", "T1": "#00ff00", "T2": "#0000ff"}
    assert any("used as positions" in warning for warning in found.warnings)


@pytest.mark.parametrize("store", ["memory", "h5ad"])  # anndata no longer writes such names to zarr
def test_category_with_slash_matches_its_key(store: str, tmp_path: Path) -> None:
    given = {"NK/T": "#ff0000", "B": "#0000ff", "a/b/c": "#00ff00"}
    names = list(given)
    found = plan(stored(build(given, kind=[names[i % 3] for i in range(N)]), store, tmp_path))
    assert colors_by_name(found) == given
    assert not any("color" in warning for warning in found.warnings)


def test_series_of_colors_is_matched_by_index() -> None:
    given = pd.Series({"b": "#00ff00", "a": "#ff0000"})
    assert colors_by_name(plan(build(given, kind=["a", "b"] * 60))) == {"a": "#ff0000", "b": "#00ff00"}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (pd.Series(COLORS[:3])[::-1], "012"),
        (pd.Series(COLORS[:6])[::2], "024"),
        (pd.Series(COLORS[:4])[1:], "123"),
        (pd.Series(COLORS[:3]), "012"),
    ],
    ids=["reversed", "stepped", "sliced", "whole"],
)
def test_sliced_series_is_matched_by_its_numeric_index(given: Any, names: str) -> None:
    found = plan(build(given, kind=[names[i % 3] for i in range(N)]))
    assert colors_by_name(found) == {name: COLORS[int(name)] for name in names}
    assert not any("color" in warning for warning in found.warnings)


def test_series_with_default_index_is_matched_by_position() -> None:
    found = plan(build(pd.Series(COLORS[:2]), kind=["a", "b"] * 60))
    assert colors_by_name(found) == {"a": COLORS[0], "b": COLORS[1]}


def test_category_missing_from_dict_of_colors_warns() -> None:
    found = plan(build({"a": "#ff0000"}, kind=["a", "b"] * 60))
    assert colors_by_name(found)["a"] == "#ff0000"
    assert "1 category of 'kind' without a stored color got a default color: 'b'." in found.warnings


def test_first_colors_of_longer_list_are_used_with_warning() -> None:
    found = plan(build(COLORS, kind=["a", "b"] * 60))
    assert colors_by_name(found) == {"a": COLORS[0], "b": COLORS[1]}
    assert "uns['kind_colors'] has 12 colors for 2 categories: the first 2 were used." in found.warnings


@pytest.mark.parametrize("kind", [str, int, float])
def test_numeric_categories_use_positions_in_longer_list(kind: Any) -> None:
    names = [str(i) for i in range(12) if i != 5]
    values = pd.Categorical([kind(names[i % 11]) for i in range(N)], categories=[kind(name) for name in names])
    found = plan(build(COLORS, kind=values), annotation_columns=["kind"])
    assert [int(float(name)) for name in column(found).categories] == list(map(int, names))
    assert list(column(found).colors) == [COLORS[int(name)] for name in names]
    assert any("each has the color at that index" in warning for warning in found.warnings)


@pytest.mark.parametrize("names", [["1", "7"], ["10", "2"], ["0", "-1"], ["0", "b"]])
def test_categories_that_are_not_ascending_positions_use_the_first_colors(names: list[str]) -> None:
    colors = COLORS if "10" in names else COLORS[:3]
    found = plan(build(colors, kind=pd.Categorical(names * 60, categories=names)))
    assert colors_by_name(found) == dict(zip(names, COLORS, strict=False))


def test_shorter_list_is_filled_with_warning() -> None:
    found = plan(build(COLORS[:2], kind=["a", "b", "c"] * 40))
    assert list(colors_by_name(found).values()) == [*COLORS[:2], palette(3)[2]]
    assert "uns['kind_colors'] has 2 colors for 3 categories: others were added." in found.warnings


def test_list_matching_the_categories_with_cells_is_assigned_to_them() -> None:
    values = pd.Categorical(["c", "a"] * 60, categories=["unused", "c", "none", "a"])
    found = plan(build(["#ff0000", "#00ff00"], kind=values))
    assert colors_by_name(found) == {"c": "#ff0000", "a": "#00ff00"}
    assert any("with cells: the colors were assigned to those" in warning for warning in found.warnings)
    full = plan(build(["#111111", "#ff0000", "#222222", "#00ff00"], kind=values))
    assert colors_by_name(full) == {"c": "#ff0000", "a": "#00ff00"}
    assert not any("color" in warning for warning in full.warnings)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    "array",
    [
        np.array([[1, 0, 0], [0, 0.5, 1]]),
        np.array([[1, 0, 0, 1], [0, 0.5, 1, 1]]),
        np.array([[255, 0, 0], [0, 128, 255]]),
        np.array([[255, 0, 0, 255], [0, 128, 255, 255]], dtype=np.uint8),
        np.array(["#FF0000", "#0080FF"]),
        np.array([b"#FF0000", b"#0080ff"]),
    ],
    ids=["0-1", "0-1 alpha", "0-255", "uint8", "text", "bytes"],
)
def test_array_of_colors_is_read(array: Any, store: str, tmp_path: Path) -> None:
    found = plan(stored(build(array, kind=["a", "b"] * 60), store, tmp_path))
    assert colors_by_name(found) == {"a": "#ff0000", "b": "#0080ff"}
    assert not any("color" in warning for warning in found.warnings)


def test_dark_color_uses_the_range_of_the_others() -> None:
    found = plan(build([(1, 0, 0), (255, 255, 255)], kind=["a", "b"] * 60))
    assert colors_by_name(found) == {"a": "#010000", "b": "#ffffff"}


def test_translucent_colors_become_opaque_with_warning() -> None:
    found = plan(build(["#ff000080", (0, 0, 1, 0.5)], kind=["a", "b"] * 60))
    assert colors_by_name(found) == {"a": "#ff0000", "b": "#0000ff"}
    assert "Colors of 'kind' with alpha below 1 are drawn opaque: 'a', 'b'." in found.warnings


@pytest.mark.parametrize("bad", ["none", "", "no color", "#12", None, np.nan, 7, (1, 2), (-1, 0, 0), "#ff000000"])
def test_invalid_color_is_replaced_with_warning(bad: Any) -> None:
    found = plan(build(["#ff0000", bad], kind=["a", "b"] * 60))
    assert colors_by_name(found) == {"a": "#ff0000", "b": palette(2)[1]}
    assert any("'b'" in warning and "'kind'" in warning for warning in found.warnings)


@pytest.mark.parametrize("value", [7, {"#ff0000", "#00ff00"}, pd.DataFrame({"a": [1]})], ids=["number", "set", "frame"])
def test_unusable_type_of_colors_warns(value: Any) -> None:
    found = plan(build(value, kind=["a", "b"] * 60))
    assert list(colors_by_name(found).values()) == palette(2)
    assert any("without colors" in warning for warning in found.warnings)


def test_all_matplotlib_color_names_are_parsed() -> None:
    mcolors = pytest.importorskip("matplotlib.colors")
    names = {**mcolors.XKCD_COLORS, **mcolors.CSS4_COLORS, **mcolors.TABLEAU_COLORS, **mcolors.BASE_COLORS}
    assert {name: parse_color(name) for name in names} == {name: mcolors.to_hex(value) for name, value in names.items()}
    assert parse_color("XKCD:Sky Blue") == parse_color("xkcd:sky blue") == "#75bbfd"
    assert [parse_color(text) for text in ("0.5", "0", "1.5", "rgb(1, 2, 3)", "TAB:GREY", "C10")] == [
        "#808080", "#000000", None, "#010203", "#7f7f7f", "#1f77b4",
    ]  # fmt: skip


@pytest.mark.parametrize("store", STORES)
def test_boolean_column_uses_stored_colors(store: str, tmp_path: Path) -> None:
    found = plan(stored(build(["#ff0000", "#00ff00"], kind=[True, False] * 60), store, tmp_path))
    assert colors_by_name(found) == {"False": "#ff0000", "True": "#00ff00"}


@pytest.mark.parametrize("store", STORES)
def test_stored_colors_make_numbers_categories_sorted_by_value(store: str, tmp_path: Path) -> None:
    # From its name alone, the column would be numeric.
    adata = build(kind=np.arange(N) % 12)
    adata.obs["n_things"] = adata.obs.pop("kind")
    adata.uns["n_things_colors"] = COLORS
    annotation = column(plan(stored(adata, store, tmp_path)), "n_things")
    assert annotation.categories == tuple(map(str, range(12)))
    assert list(annotation.colors) == COLORS
