"""Tests of the initial view of a bundle."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.view import saved_view
from karospace_jupyter.view.saved_view import read_view
from karospace_jupyter.view.state import ViewState

STATE = {
    "color": {"kind": "annotation", "column": "cell_type"},
    "hidden": {"cell_type": ["Tumor", None]},
    "camera": {"x": 1.5, "y": -2, "zoom": 3},
    "range": None,
    "pointSize": 1.5,
    "someday": {"deep": [None, 1]},
}
N = 300
BITS = base64.b64encode(bytes(-(-N // 8))).decode()
COMPLETE = {
    "karospace_view": 1,
    "n_cells": N,
    "state": STATE,
    "regions": [{"name": "niche", "color": "#ff0000", "bits": BITS}],
    "note": None,
}


@pytest.fixture(scope="module")
def tissue() -> Any:
    return synthetic_tissue(N, 40)


def write(folder: Path, value: Any) -> Path:
    path = folder / "view.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


@pytest.mark.parametrize("value", [STATE, COMPLETE, {"karospace_view": 1, "state": {}}, ViewState().wire()])
def test_valid_view_is_returned_unchanged(tmp_path: Path, value: dict[str, Any]) -> None:
    assert read_view(write(tmp_path, value)) == value


def test_byte_order_mark_and_python_field_names_are_accepted(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff" + json.dumps(ViewState(point_size=2).plain()))
    assert read_view(path) == ViewState(point_size=2).wire()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('{"opacity": NaN}', "not JSON.*NaN"),
        ('{"opacity": 1e999}', "not JSON.*1e999"),
        ('{"groupBy": "\\ud800"}', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ([STATE], "a list, not a JSON object"),
        ("null", "null, not"),
        ("3", "a number, not"),
        ({}, "no known field. It contains: nothing"),
        ({"state": STATE}, "no known field. It contains: 'state'. Known fields are: color, hidden"),
        ({"karospace_view": 2, "state": STATE}, "version 2.*Update"),
        ({"karospace_view": True, "state": STATE}, "karospace_view: true"),
        ({"karospace_view": 1}, "'state' must be an object, got nothing"),
        ({"karospace_view": 1, "state": []}, "'state' must be an object, got a list"),
        ({**COMPLETE, "regions": {}}, "'regions' must be a list, got an object"),
        ({**COMPLETE, "regions": [{"bits": ""}]}, r"regions\[0\]"),
        ({**COMPLETE, "regions": [{"name": "a", "bits": 3}]}, r"regions\[0\]"),
        ({**COMPLETE, "regions": [{"name": "a", "bits": "AAA="}]}, "one bit per cell"),
        ({**COMPLETE, "regions": [{"name": "a", "bits": "!"}]}, "one bit per cell"),
        ({**COMPLETE, "n_cells": None}, "n_cells"),
        ({"opacity": "much"}, 'opacity: .*, got "much"'),
        ({"opacity": 3}, "opacity"),
        ({"color": {"kind": "gene"}}, r"color.gene.gene: Field required"),
        ({"color": {"kind": "rainbow"}}, "color"),
        ({"camera": {"x": 0, "y": 0, "zoom": 0}}, "camera.zoom"),
        ({"range": [2, 1]}, "lower limit"),
        ({"karospace_view": 1, "state": {"theme": "pink"}}, "state.theme"),
        ({"karospace_view": 1, "state": {"foo": 1}}, "no known field"),
    ],
)
def test_invalid_view_is_rejected(tmp_path: Path, value: Any, message: str) -> None:
    path = write(tmp_path, value)
    with pytest.raises(ConfigError, match=message) as caught:
        read_view(path)
    assert str(path) in str(caught.value)


def test_unreadable_file_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"absent.json cannot be read: No such file"):
        read_view(tmp_path / "absent.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_view(tmp_path)
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_view(tmp_path / "a.json")
    path = write(tmp_path, STATE)
    monkeypatch.setattr(saved_view, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(ConfigError, match="at most"):
        read_view(path)


@pytest.mark.parametrize("value", [STATE, COMPLETE])
def test_view_is_stored_in_the_manifest(tissue: Any, tmp_path: Path, value: dict[str, Any]) -> None:
    bundle = adata_to_karospace(tissue, tmp_path / "out", view=write(tmp_path, value))
    assert bundle.manifest.view == value
    assert json.loads((tmp_path / "out/manifest.json").read_text())["view"] == value
    assert Bundle(bundle.to_html(tmp_path / "a.html")).manifest.view == value
    bundle.verify()
    assert adata_to_karospace(tissue, tmp_path / "out").manifest.view == {"color": STATE["color"]}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"color": {"kind": "blend", "genes": ["CD3E", "NOPE"]}, "range": [0, 1]}, "the gene 'NOPE'"),
        ({"color": {"kind": "score", "name": "s", "genes": ["NOPE", "CD3E"]}}, "the gene 'NOPE'"),
        ({"layout": {"kind": "embedding", "name": "X_pca"}, "camera": {"x": 0, "y": 0, "zoom": 1}}, "'X_pca'"),
        ({"layout": {"kind": "section", "name": "Section C"}}, "the section 'Section C'"),
        ({"layout": {"kind": "section", "name": "Section A", "by": "age"}}, "sections by 'age'"),
        (
            {"layout": {"kind": "sections", "columns": 1, "order": "column", "by": "sex", "only": {"age": [1]}}},
            "sections by 'age', 'sex'",
        ),
        (
            {"beside": {"kind": "embedding", "name": "X_tsne"}, "besideCamera": {"x": 0, "y": 0, "zoom": 2}},
            "'X_tsne'",
        ),
    ],
)
def test_references_to_missing_data_are_dropped(
    tissue: Any, tmp_path: Path, part: dict[str, Any], message: str
) -> None:
    path = write(tmp_path, {**part, "opacity": 0.5})
    manifest = adata_to_karospace(tissue, tmp_path / "out", view=path, genes_mode="all").manifest
    assert manifest.view == {"opacity": 0.5}
    assert any(message in text and "left out" in text for text in manifest.warnings or [])


@pytest.mark.parametrize(
    "part",
    [
        {"layout": {"kind": "embedding", "name": "X_umap"}, "camera": {"x": 0, "y": 0, "zoom": 1}},
        {"layout": {"kind": "sections", "columns": 2, "order": "name"}, "beside": {"kind": "tissue"}},
        {"beside": {"kind": "embedding", "name": "X_umap"}, "besideCamera": {"x": 0, "y": 0, "zoom": 2}},
        {"color": {"kind": "none"}, "classOrder": "name"},
        {"layout": {"kind": "section", "name": "Section A"}},
        {"color": {"kind": "blend", "genes": ["CD3E", "EPCAM"]}},
    ],
)
def test_references_to_exported_data_are_kept(tissue: Any, tmp_path: Path, part: dict[str, Any]) -> None:
    manifest = adata_to_karospace(tissue, tmp_path / "out", view=write(tmp_path, part), genes_mode="all").manifest
    assert manifest.view == part
    if part.get("layout", {}).get("kind") in {"sections", "section"}:
        manifest = adata_to_karospace(tissue, tmp_path / "out", view=tmp_path / "view.json", sections="none").manifest
        assert "layout" not in (manifest.view or {})


def test_regions_of_different_cells_are_dropped(tissue: Any, tmp_path: Path) -> None:
    manifest = adata_to_karospace(tissue, tmp_path / "out", view=write(tmp_path, COMPLETE), downsample=100).manifest
    assert manifest.view == {**COMPLETE, "n_cells": 100, "regions": []}
    message = "saved from 300 cells, and 100 are exported: its regions were left out"
    assert any(message in text for text in manifest.warnings or [])


def test_camera_without_cells_in_view_is_dropped(tissue: Any, tmp_path: Path) -> None:
    """Such a camera may come from a view of another tissue."""
    x, y = np.asarray(tissue.obsm["spatial"]).mean(axis=0).tolist()
    for camera, kept in (({"x": x, "y": y, "zoom": 3}, True), ({"x": x + 1e6, "y": y, "zoom": 3}, False)):
        view = write(tmp_path, {"karospace_view": 1, "n_cells": 5000, "state": {"camera": camera, "opacity": 0.5}})
        manifest = adata_to_karospace(tissue, tmp_path / "out", view=view).manifest
        assert ("camera" in (manifest.view or {})["state"]) == kept
        assert any("camera of the view shows no cells" in text for text in manifest.warnings or []) != kept


@pytest.mark.parametrize(
    "color", [{"kind": "gene", "gene": "EPCAM"}, {"kind": "annotation", "column": "area"}], ids=["gene", "column"]
)
@pytest.mark.parametrize("complete", [True, False])
def test_references_to_unexported_data_are_dropped(
    tissue: Any, tmp_path: Path, color: dict[str, str], complete: bool
) -> None:
    state = {"color": color, "range": [0, 3], "groupBy": "region", "opacity": 0.5}
    value = {"karospace_view": 1, "state": state, "regions": []} if complete else state
    path = write(tmp_path, value)
    options = {"genes_mode": ["CD3E"], "packed": "no", "annotation_columns": ["cell_type"], "view": path}
    manifest = adata_to_karospace(tissue, tmp_path / "out", **options).manifest
    assert manifest.view == ({**value, "state": {"opacity": 0.5}} if complete else {"opacity": 0.5})
    warnings = [text for text in manifest.warnings or [] if "not exported" in text]
    assert len(warnings) == 2
    assert any("'EPCAM'" in text or "'area'" in text for text in warnings)
    options |= {"genes_mode": ["CD3E", "EPCAM"], "annotation_columns": ["cell_type", "area", "region"]}
    assert adata_to_karospace(tissue, tmp_path / "out", **options).manifest.view == value


def test_grouping_by_a_numeric_column_is_dropped(tissue: Any, tmp_path: Path) -> None:
    view = write(tmp_path, {"groupBy": "area", "opacity": 0.5})
    manifest = adata_to_karospace(tissue, tmp_path / "out", view=view, annotation_columns=["area"]).manifest
    assert manifest.view == {"opacity": 0.5}
    assert any("grouped by the column 'area', which holds numbers" in text for text in manifest.warnings or [])


def test_groups_of_unexported_categories_are_dropped(tissue: Any, tmp_path: Path) -> None:
    groups = {
        "cell_type": [
            {"name": "A", "members": ["Tumor", "nothing"], "color": "#00ff00"},
            {"name": "B", "members": ["x"]},
        ],
        "region": [{"name": "C", "members": [tissue.obs["region"].cat.categories[0]]}],
        "area": [{"name": "D", "members": ["1"]}],
    }
    view = write(tmp_path, {"groups": groups, "opacity": 0.5})
    manifest = adata_to_karospace(
        tissue, tmp_path / "out", view=view, annotation_columns=["cell_type", "area"]
    ).manifest
    kept = {"cell_type": [{"name": "A", "members": ["Tumor"], "color": "#00ff00"}]}
    assert manifest.view == {"groups": kept, "opacity": 0.5}
    dropped = "'A' of 'cell_type', 'B' of 'cell_type', 'C' of 'region', 'D' of 'area'"
    assert f"Categories that are not exported were left out of groups: {dropped}." in (manifest.warnings or [])


def test_export_with_an_invalid_view_writes_nothing(tissue: Any, tmp_path: Path) -> None:
    path = write(tmp_path, "{")
    with pytest.raises(ConfigError, match="not JSON"):
        adata_to_karospace(tissue, tmp_path / "out", view=path)
    assert [file.name for file in tmp_path.iterdir()] == ["view.json"]
    assert ExportConfig(view=path).view == path
