"""Bundles of other exporters: violations of the format are read with a warning, unreadable files raise a clear error."""

from __future__ import annotations

import gzip
import json
import logging
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from other_exporter import PAGE, aligned_by_mistake, write_reference_bundle
from waiting import PATIENCE_S

from karospace_jupyter import Bundle, karospace_view
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.cli import main
from karospace_jupyter.errors import BundleError

N = 12


@pytest.fixture
def obs() -> pd.DataFrame:
    index = [f"cell-{i}" for i in range(N)]
    area = np.where(np.arange(N) % 5 == 0, np.nan, np.arange(N) + 0.1).astype(np.float32)
    return pd.DataFrame({"cluster": list("ABC") * 4, "area": area, "kept": np.arange(N) % 2 == 0}, index=index)


@pytest.fixture
def write(tmp_path: Path, obs: pd.DataFrame) -> Callable[..., Path]:
    def run(**change: Any) -> Path:
        xy = np.column_stack([np.arange(N), np.arange(N) * 2]).astype(np.float32)
        gene = np.arange(N, dtype=np.float32)
        options = {"obs": aligned_by_mistake(obs), "xy": xy, "genes": {"Actb": gene}, **change}
        return write_reference_bundle(tmp_path / "reference", **options)

    return run


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("chunks", [1, 3])
def test_bundle_with_nan_in_json_opens_with_warnings(write: Callable[..., Path], compressed: bool, chunks: int) -> None:
    image = np.zeros((4, 6, 3), dtype=np.uint8)
    bundle = Bundle(write(compressed=compressed, chunks=chunks, image=image))
    assert list(cell_ids(bundle)) == [f"cell-{i}" for i in range(N)]
    assert bundle.gene("Actb").tolist() == list(range(N))
    not_strict, all_missing, stretched = bundle.warnings
    assert re.search(
        r"obs_records_000\.json(\.gz)?( and 2 more)?: not strict JSON \(NaN or Infinity, 15 times\)", not_strict
    )
    assert re.search(r"annotations are read from assets/obs_000\.csv", not_strict)
    assert "no cell has a value of 'cluster'" in all_missing
    assert "assets/image.png" in stretched
    *others, page = bundle.verify().warnings
    assert tuple(others) == bundle.warnings
    assert page.startswith("index.html is not a known page")


def test_verify_prints_the_warnings(write: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder = write()
    assert main(["--verify", str(folder)]) == 0
    assert "not strict JSON" in capsys.readouterr().err
    assert main(["--verify", str(folder), "--json"]) == 0
    assert "not strict JSON" in json.loads(capsys.readouterr().out)["warnings"][0]


def test_strict_tables_give_no_warning(write: Callable[..., Path], obs: pd.DataFrame) -> None:
    bundle = Bundle(write(obs=obs.assign(area=1.5)))
    assert bundle.warnings == ()
    (page,) = bundle.verify().warnings
    assert page.startswith("index.html is not a known page")


def test_view_of_a_bundle_that_violates_the_format_opens_and_logs_warnings(
    write: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        view = karospace_view(write())
    assert "not strict JSON" in caplog.text
    view.close()


@pytest.mark.parametrize(
    "change", [{"csv": False}, {"records": False}, {"csv": False, "records": False}], ids=["json", "csv", "coords"]
)
def test_cell_ids_are_read_from_any_available_table(write: Callable[..., Path], change: dict[str, bool]) -> None:
    assert list(cell_ids(Bundle(write(**change)))) == [f"cell-{i}" for i in range(N)]


def test_cell_ids_with_another_column_name_quotes_and_line_breaks_are_read(
    write: Callable[..., Path], obs: pd.DataFrame
) -> None:
    names = ['a "1"', "b,\n2", "ü", *(f"0{i}" for i in range(N - 3))]
    folder = write(obs=obs.set_axis(names, axis=0), compressed=False)
    path = folder / "assets/obs_000.csv"
    text = path.read_bytes().replace(b"cell_id", b"name", 1)
    path.write_bytes(b"\xef\xbb\xbf" + text)
    assert list(cell_ids(Bundle(folder))) == names


def test_missing_value_texts_and_missing_coordinates_are_reported(
    write: Callable[..., Path], obs: pd.DataFrame
) -> None:
    xy = np.arange(2 * N, dtype=np.float32).reshape(-1, 2)
    xy[3] = np.nan
    bundle = Bundle(write(obs=obs.assign(area=1, cluster=["nan", "None", "A", "nan"] * 3), xy=xy))
    assert bundle.warnings == (
        "Column 'cluster': 'nan' in 6 cells is read as a missing value.",
        "assets/coords_000.json.gz: 1 of 12 cells has no coordinates and is not drawn.",
    )


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (b"[{", r"assets/obs_records_000\.json is not JSON"),
        (b'{"a": 1}', r"assets/obs_records_000\.json is not a list of records"),
        (b"\xff\xfe[]", r"assets/obs_records_000\.json is not UTF-8"),
    ],
)
def test_damaged_json_is_reported(write: Callable[..., Path], damaged: bytes, message: str) -> None:
    folder = write(compressed=False)
    path = folder / "assets/obs_records_000.json"
    path.write_bytes(damaged)
    bundle = Bundle(folder)
    assert re.search(message + r".*Annotations are read from assets/obs_000\.csv", bundle.warnings[0])
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in manifest["asset_files"]:
        file["size_bytes"] = (folder / file["path"]).stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=message):
        Bundle(folder).verify()


def test_verify_rejects_nan_in_a_bundle_with_columnar_files(tmp_path: Path) -> None:
    from karospace_jupyter import adata_to_karospace
    from karospace_jupyter.datasets import synthetic_tissue

    folder = tmp_path / "exported"
    adata_to_karospace(synthetic_tissue(n_cells=60, n_genes=3), folder, genes_mode=[], preview=False)
    manifest = json.loads((folder / "manifest.json").read_text())
    file = next(entry for entry in manifest["asset_files"] if entry["kind"] == "obs_json")
    text = re.sub(r":(\d+\.\d+)", ":NaN", gzip.decompress((folder / file["path"]).read_bytes()).decode(), count=1)
    (folder / file["path"]).write_bytes(data := gzip.compress(text.encode()))
    file.update(size_bytes=len(data), raw_bytes=None, sha256=None, raw_crc32=None)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"is not strict JSON: it contains NaN or Infinity \(1 found\)"):
        Bundle(folder).verify()


def test_viewer_of_this_package_replaces_the_page_of_another_exporter(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    bundle = Bundle(write())
    server = bundle.serve(port=0)
    try:
        with urllib.request.urlopen(server.url, timeout=PATIENCE_S) as response:
            page = response.read().decode()
        with urllib.request.urlopen(server.url + "manifest.json", timeout=PATIENCE_S) as response:
            assert json.load(response)["dataset_name"] == "reference"
    finally:
        server.stop()
    assert PAGE not in page
    assert "karospaceFile" in page
    saved = bundle.save(tmp_path / "saved", scripts="no")
    assert "karospaceFile" in (tmp_path / "saved/index.html").read_text()
    assert saved.remarks == bundle.remarks


@pytest.mark.parametrize(
    ("cells", "source", "text"), [(1000, 6471, "1,000 of 6,471 cells"), (60, 60, "60 cells"), (60, None, "60 cells")]
)
def test_repr_of_a_downsampled_bundle_states_both_cell_counts(
    write: Callable[..., Path], cells: int, source: int | None, text: str
) -> None:
    bundle = Bundle(write())
    manifest = bundle.manifest.model_copy(update={"n_cells": cells, "n_cells_source": source})
    assert f"{text} × 1 gene" in repr(Bundle(bundle.files, manifest))


def test_gene_with_missing_values_is_read_as_nan_and_verifies(write: Callable[..., Path]) -> None:
    values = np.arange(N, dtype=np.float32)
    values[::3] = np.nan
    bundle = Bundle(write(genes={"Actb": values}))
    assert np.array_equal(bundle.gene("Actb"), values, equal_nan=True)
    bundle.verify()
    values[1] = np.inf
    with pytest.raises(BundleError, match="gene 'Actb' contains infinite values"):
        Bundle(write(genes={"Actb": values})).verify()
