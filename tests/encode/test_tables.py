"""The text tables of a bundle, CSV and JSON, contain every value exactly."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest

from karospace_jupyter.encode.tables import (
    TextColumn,
    annotation_column,
    csv_chunks,
    json_chunks,
    number_column,
    text_column,
)
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.plan.model import CategoryAnnotation, NumberAnnotation

NASTY = ["plain", 'a "quoted" name', "a,b", "line\nbreak", "<script>alert(1)</script>", "π 🧬", "50 %s", "", " x "]


def objects(values: list[str]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def columns() -> list[TextColumn]:
    n = len(NASTY)
    codes = np.arange(n) % 3
    return [
        text_column("cell_id", objects(NASTY)),
        annotation_column(CategoryAnnotation('50 %, "q"', ("a,b", 'say "hi"'), ("#000000",) * 2, codes, False, False)),
        annotation_column(CategoryAnnotation("flag", ("False", "True"), ("#000000",) * 2, codes, False, True)),
        annotation_column(NumberAnnotation("area", np.where(codes == 1, np.nan, codes / 3), None, False)),
        annotation_column(NumberAnnotation("big", np.zeros(n), np.full(n, 2**63 - 1), False)),
        annotation_column(NumberAnnotation("single", np.full(n, np.float32(0.1), dtype=np.float64), None, True)),
    ]


@pytest.mark.parametrize("max_bytes", [10**6, 260])
def test_csv_round_trips(max_bytes: int) -> None:
    rows = []
    chunks = list(csv_chunks(columns(), len(NASTY), max_bytes))
    assert (len(chunks) > 1) == (max_bytes == 260)
    for chunk in chunks:
        assert len(chunk) <= max_bytes
        rows += list(csv.DictReader(io.StringIO(chunk.decode(), newline="")))
    assert [row["cell_id"] for row in rows] == NASTY
    assert [row['50 %, "q"'] for row in rows[:3]] == ["a,b", 'say "hi"', ""]
    assert [row["flag"] for row in rows[:3]] == ["False", "True", ""]
    assert [row["area"] for row in rows[:3]] == ["0.0", "", repr(2 / 3)]
    assert rows[0]["big"] == str(2**63 - 1)
    assert rows[0]["single"] == "0.1"


@pytest.mark.parametrize("max_bytes", [10**6, 300])
def test_json_round_trips(max_bytes: int) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    rows = []
    for chunk in json_chunks(columns(), len(NASTY), max_bytes):
        assert len(chunk) <= max_bytes
        rows += json.loads(chunk, parse_constant=refuse)
    assert [row["cell_id"] for row in rows] == NASTY
    assert [row['50 %, "q"'] for row in rows[:3]] == ["a,b", 'say "hi"', None]
    assert [row["flag"] for row in rows[:3]] == [False, True, None]
    assert [row["area"] for row in rows[:3]] == [0.0, None, 2 / 3]
    assert rows[0]["big"] == 2**63 - 1


def test_split_tables_contain_every_row() -> None:
    values = np.arange(200_000)
    chunks = list(json_chunks([number_column("i", values)], len(values), 100_000))
    assert max(map(len, chunks)) <= 100_000
    assert min(map(len, chunks[:-1])) > 99_000
    assert [row["i"] for chunk in chunks for row in json.loads(chunk)] == values.tolist()


def test_no_rows_produce_one_empty_table() -> None:
    empty = [text_column("gene", objects([]))]
    assert list(csv_chunks(empty, 0, 100)) == [b"gene\n"]
    assert list(json_chunks(empty, 0, 100)) == [b"[]"]


def test_empty_field_of_a_single_column_is_quoted() -> None:
    only = [text_column("cell_id", objects(["", "a", ""]))]
    (chunk,) = csv_chunks(only, 3, 100)
    assert chunk == b'cell_id\n""\na\n""\n'
    assert list(csv.reader(io.StringIO(chunk.decode()))) == [["cell_id"], [""], ["a"], [""]]


def test_row_larger_than_the_limit_is_rejected() -> None:
    with pytest.raises(ConfigError, match="one row of a table takes"):
        list(json_chunks([text_column("cell_id", objects(["x" * 100]))], 1, 50))
