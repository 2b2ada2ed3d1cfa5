"""Test numeric columns of obs: all dtypes are exported exactly or with a warning; some integers are codes."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ColumnError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.form.summary import summarize
from karospace_jupyter.plan import CategoryAnnotation, NumberAnnotation, Plan, describe, resolve
from karospace_jupyter.plan.model import Annotation
from karospace_jupyter.source import open_source

N = 120
STORES = ["memory", "h5ad", "zarr"]
CODES = json.loads((Path(__file__).parents[2] / "js/src/data/codes.json").read_text(encoding="utf-8"))
HALVES = np.arange(N) * 0.5
GAPS = [None if i == 2 else i * 0.5 for i in range(N)]
WHOLE_GAPS = [None if i == 2 else i * 3 for i in range(N)]


def build(**obs: Any) -> ad.AnnData:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(index=[f"cell{i}" for i in range(N)])
    for name, values in obs.items():
        frame[name] = pd.Series(values, index=frame.index) if isinstance(values, list) else values
    adata = ad.AnnData(rng.poisson(0.5, (N, 5)).astype(np.float32), obs=frame)
    adata.obsm["spatial"] = rng.random((N, 2)) * 100
    return adata


def stored(adata: ad.AnnData, store: str, folder: Path) -> Any:
    if store == "memory":
        return adata
    path = folder / f"a.{store}"
    adata.write_h5ad(path) if store == "h5ad" else adata.write_zarr(path)
    return path


def plan(subject: Any, **options: Any) -> Plan:
    return resolve(open_source(subject), ExportConfig(genes_mode="all", **options))


def only(found: Plan) -> Annotation:
    (annotation,) = found.annotations
    return annotation


def numbers(found: Plan) -> NumberAnnotation:
    annotation = only(found)
    assert isinstance(annotation, NumberAnnotation)
    return annotation


def categories(found: Plan) -> CategoryAnnotation:
    annotation = only(found)
    assert isinstance(annotation, CategoryAnnotation)
    return annotation


def warns(found: Plan, text: str) -> bool:
    return any(text in warning for warning in found.warnings)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    "values",
    [
        HALVES.astype("f2"),
        HALVES.astype("f4"),
        HALVES,
        HALVES.astype(np.longdouble),
        pd.array(HALVES, dtype="Float32"),
        pd.array(HALVES, dtype="Float64"),
    ],
    ids=["float16", "float32", "float64", "longdouble", "Float32", "Float64"],
)
def test_floats_of_any_width_are_exported_as_numbers(values: Any, store: str, tmp_path: Path) -> None:
    adata = build(area=values)
    if store != "memory" and isinstance(adata.obs["area"].dtype, pd.api.extensions.ExtensionDtype):
        pytest.skip("anndata does not write nullable floats")
    if store == "zarr" and adata.obs["area"].dtype.itemsize > 8:
        pytest.skip("zarr has no wider floats")
    subject = stored(adata, store, tmp_path)
    found = plan(subject)
    assert numbers(found).values.tolist() == HALVES.tolist()
    assert numbers(found).fits_float32
    assert not found.warnings


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "Int8", "UInt16", "Int64"])
def test_integers_of_any_width_are_exported_as_numbers(dtype: str, store: str, tmp_path: Path) -> None:
    found = plan(stored(build(area=pd.array(np.arange(N), dtype=dtype)), store, tmp_path))
    assert numbers(found).values.tolist() == list(range(N))
    assert numbers(found).integers is not None


@pytest.mark.parametrize(
    "values",
    [
        GAPS,
        [np.nan if value is None else value for value in GAPS],
        [pd.NA if value is None else value for value in GAPS],
        [None if value is None else np.float64(value) for value in GAPS],
        [None if value is None else np.float32(value) for value in GAPS],
        [None if value is None else Decimal(str(value)) for value in GAPS],
        [None if value is None else Fraction(value) for value in GAPS],
        [None if value is None else (int(value) if value % 1 == 0 else Decimal(str(value))) for value in GAPS],
    ],
    ids=["None", "NaN", "NA", "float64", "float32", "Decimal", "Fraction", "int and Decimal"],
)
def test_object_column_of_numbers_is_numeric(values: list[Any]) -> None:
    found = plan(build(area=pd.Series(values, dtype=object).to_numpy()))
    column = numbers(found)
    assert np.isnan(column.values[2])
    assert np.delete(column.values, 2).tolist() == [value for value in GAPS if value is not None]
    assert not found.warnings


def test_integers_with_missing_values_are_numeric() -> None:
    for values in (pd.array(WHOLE_GAPS, dtype="Int64"), pd.Series(WHOLE_GAPS, dtype=object).to_numpy()):
        column = numbers(plan(build(area=values)))
        assert np.isnan(column.values[2]) and column.values[3] == 9


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2.5", "3"] * 40, ("1", "2.5", "3")),
        ([1, "a", None, 2.5] * 30, ("1", "2.5", "a")),
        ([True, 1.5, None, False] * 30, ("1.5", "False", "True")),
        (["nan", "None", "NA", ""] * 30, ("", "NA", "None", "nan")),
    ],
    ids=["digits", "mixed", "booleans and numbers", "text for missing values"],
)
def test_text_column_is_categorical(values: list[Any], expected: tuple[str, ...]) -> None:
    assert categories(plan(build(kind=pd.Series(values, dtype=object).to_numpy()))).categories == expected


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
def test_object_column_of_booleans_is_boolean(gap: Any) -> None:
    column = categories(plan(build(flag=pd.Series([True, False, gap, np.bool_(True)] * 30, dtype=object).to_numpy())))
    assert column.boolean and column.categories == ("False", "True")
    assert column.codes[:4].tolist() == [1, 0, 2, 1]


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("values", "double"),
    [
        (np.arange(N) + 2**24 - N, False),
        (np.arange(N) + 2**24, True),
        (np.arange(N) + 2**53 - N, True),
        (np.arange(N) + 1_600_000_000.0, True),
        (HALVES + 1e9, True),
        (1 + np.arange(N) * 1e-9, True),
        (np.arange(N) / 7, False),
        ((np.arange(N) / 7).astype("f4"), False),
        (10.0 ** -np.arange(N), True),
        (10.0 ** np.arange(N), True),
    ],
    ids=["2^24", "beyond", "2^53", "stamps", "halves", "close", "fractions", "float32", "tiny", "huge"],
)
def test_numbers_are_exact_in_every_file_of_the_bundle(values: Any, double: bool, store: str, tmp_path: Path) -> None:
    bundle = run_to_memory(stored(build(area=values), store, tmp_path), ExportConfig(genes_mode="all"))
    bundle.verify()
    (column,) = bundle.manifest.columns or []
    assert column.kind == "number"
    assert column.dtype == ("float64" if double else "float32")
    exported = bundle.vector(column.chunks, np.dtype(column.dtype))
    np.testing.assert_array_equal(exported, np.asarray(values, dtype=column.dtype))
    rows = [
        row
        for file in bundle.manifest.asset_files
        if file.kind == "obs_json"
        for row in json.loads(bundle.read(file.path))
    ]
    assert [row["area"] for row in rows] == values.astype(str).astype(float).tolist()
    assert (column.min, column.max) == (exported.min(), exported.max())


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("dtype", ["i8", "u8", "Int64"])
def test_identifiers_beyond_float64_are_left_out_or_exact(dtype: str, store: str, tmp_path: Path) -> None:
    exact = [2**62 + i for i in range(N)]
    subject = stored(build(barcode=pd.array(exact, dtype=dtype), area=HALVES), store, tmp_path)
    by_default = plan(subject)
    assert [column.name for column in by_default.annotations] == ["area"]
    assert "Not exported (whole numbers too large to show exactly: identifiers?): barcode." in by_default.warnings
    assert categories(plan(subject, annotation_columns=["barcode"])).categories == tuple(map(str, exact))
    requested = plan(subject, annotation_columns=["number:barcode"])
    assert numbers(requested).integers is not None
    assert numbers(requested).integers.tolist() == exact  # type: ignore[union-attr]
    assert warns(requested, "the viewer rounds them")


def test_identifiers_keep_their_order_with_missing_values_and_beyond_64_bits() -> None:
    values = pd.Series([-(2**70), 2**70, None, -(2**65), 5] * 24, dtype=object).to_numpy()
    column = categories(plan(build(barcode=values), annotation_columns=["barcode"]))
    assert column.categories == (str(-(2**70)), str(-(2**65)), "5", str(2**70))
    assert column.codes[:5].tolist() == [0, 3, 4, 1, 2]


def test_infinite_values_become_missing_with_warning() -> None:
    values = HALVES.copy()
    values[[3, 5]] = [np.inf, -np.inf]
    found = plan(build(area=values))
    assert np.isnan(numbers(found).values).sum() == 2
    assert "2 of 120 values of 'area' are infinite; exported as missing." in found.warnings


@pytest.mark.parametrize(
    "values",
    [
        [Decimal("1.00000000000000000001"), Decimal("0.1")] * 60,
        [Fraction(1, 3), Fraction(1, 2)] * 60,
        (np.arange(N) / np.longdouble(3)),
    ],
    ids=["Decimal", "Fraction", "longdouble"],
)
def test_digits_beyond_float64_warn(values: Any) -> None:
    if isinstance(values, list):
        values = pd.Series(values, dtype=object).to_numpy()
    elif values.dtype.itemsize == 8:
        pytest.skip("longdouble is float64 on this platform")
    assert warns(plan(build(area=values)), "rounded to the precision of float64")


@pytest.mark.parametrize("case", CODES, ids=lambda case: f"{case['name']} in {case['cells']}")
def test_codes_are_detected_as_in_the_viewer(case: dict[str, Any]) -> None:
    given = case.get("values") or [case.get("first", 0) + case.get("step", 1) * i for i in range(case["distinct"])]
    values = np.resize(given, case["cells"])
    if "once" in case:
        values[1] = case["once"]
    adata = ad.AnnData(np.ones((case["cells"], 2), dtype=np.float32), obs=pd.DataFrame({case["name"]: values}))
    adata.obsm["spatial"] = np.random.default_rng(0).random((case["cells"], 2))
    (column,) = describe(open_source(adata)).columns
    assert column.kind == ("category" if case["codes"] else "number")


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    "values",
    [
        np.arange(N) % 11,
        (np.arange(N) % 11).astype("u1"),
        (np.arange(N) % 11).astype("f4"),
        pd.array([None if i == 5 else i % 11 for i in range(N)], dtype="Int64"),
        [np.nan if i == 5 else float(i % 11) for i in range(N)],
    ],
    ids=["int64", "uint8", "float32", "Int64 with gaps", "float64 with gaps"],
)
def test_clusters_are_categories_by_default_and_numbers_on_request(values: Any, store: str, tmp_path: Path) -> None:
    subject = stored(build(cluster=values), store, tmp_path)
    found = plan(subject)
    assert categories(found).categories == tuple(map(str, range(11)))
    assert warns(found, "Columns of few distinct whole numbers are exported as categories: cluster.")
    assert categories(plan(subject, annotation_columns=["cluster"])).categories == tuple(map(str, range(11)))
    assert numbers(plan(subject, annotation_columns=["number:cluster"])).values[12] == 1


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("dtype", ["f4", "f8", "Float32", "Float64"])
def test_categories_have_the_digits_of_their_dtype(dtype: str, store: str, tmp_path: Path) -> None:
    values = pd.Categorical(pd.array([0.1, 0.2, 1.0] * (N // 3), dtype=dtype))
    if store != "memory" and dtype.startswith("F"):
        pytest.skip("anndata does not write nullable floats")
    assert categories(plan(stored(build(resolution=values), store, tmp_path))).categories == ("0.1", "0.2", "1.0")


def test_object_column_of_codes_is_categorical() -> None:
    values = pd.Series([None if i == 5 else i % 11 for i in range(N)], dtype=object).to_numpy()
    assert categories(plan(build(cluster=values))).categories == tuple(map(str, range(11)))


def test_coordinates_are_not_codes() -> None:
    adata = build(V1=np.arange(N) % 10, V2=np.arange(N) // 12)
    del adata.obsm["spatial"]
    found = plan(adata, coords="obs:V1,V2", annotation_columns=["V1"])
    assert numbers(found).values[11] == 1


def test_numbers_are_categories_on_request() -> None:
    found = plan(
        build(n_genes=np.arange(N) % 7, area=(np.arange(N) % 3) / 4),
        annotation_columns=["category:n_genes", "category:area"],
    )
    assert [column.kind for column in found.annotations] == ["category", "category"]
    assert [getattr(item, "categories", ()) for item in found.annotations] == [tuple("0123456"), ("0.0", "0.25", "0.5")]


@pytest.mark.parametrize(
    "values",
    [["10", "2", "-1"] * 40, pd.Categorical(["10", "2", "-1"] * 40), pd.Categorical([10, 2, -1] * 40)],
    ids=["text", "categories", "numeric categories"],
)
def test_text_of_digits_is_numeric_on_request(values: Any) -> None:
    assert numbers(plan(build(day=values), annotation_columns=["number:day"])).values[:3].tolist() == [10, 2, -1]


def test_exporting_text_as_numbers_raises() -> None:
    with pytest.raises(ColumnError, match="'kind' of obs cannot be exported as numbers. It holds 'a', 'b'"):
        plan(build(kind=["a", "b"] * 60), annotation_columns=["number:kind"])
    with pytest.raises(ColumnError, match="obs has no column 'lost'"):
        plan(build(kind=["a", "b"] * 60), annotation_columns=["number:lost"])
    with pytest.raises(ColumnError, match="Choose one"):
        plan(build(day=np.arange(N)), annotation_columns=["number:day", "category:day"])


def test_column_name_with_a_kind_prefix_is_not_split() -> None:
    found = plan(build(**{"number:day": ["1", "2"] * 60, "day": np.arange(N)}), annotation_columns=["number:day"])
    assert categories(found).name == "number:day"


def test_form_offers_the_other_kind_of_a_column() -> None:
    facts = summarize(build(cluster=np.arange(N) % 11, n_genes=np.arange(N) % 9, area=HALVES, kind=["a", "b"] * 60))
    assert {column.name: (column.kind, column.other_kind) for column in facts.columns} == {
        "cluster": ("category", "number"),
        "n_genes": ("number", "category"),
        "area": ("number", "category"),
        "kind": ("category", None),
    }
