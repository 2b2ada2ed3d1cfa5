"""Encode the tables of format 1.0: obs and var as CSV, obs and coordinates as JSON records, split by rows.

Rows are built from columns of text, which takes a second instead of a minute for a million cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from karospace_jupyter.plan import Annotation, Plan

_BLOCK_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column whose fields are formatted for a range of rows."""

    name: str
    csv: Callable[[int, int], Iterable[str]]
    json: Callable[[int, int], Iterable[str]]


def csv_field(text: str) -> str:
    """Quote `text` if CSV (RFC 4180) requires it.

    Examples
    --------
    >>> csv_field("T cell"), csv_field("a,b")
    ('T cell', '"a,b"')
    """
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return f'"{text}"' if "," in text or "\n" in text or "\r" in text else text


def text_column(name: str, values: NDArray[np.object_]) -> TextColumn:
    """Return a column of text."""
    return TextColumn(
        name,
        lambda a, b: map(csv_field, values[a:b]),
        lambda a, b: map(encode_basestring, values[a:b]),
    )


def number_column(name: str, values: NDArray[np.generic]) -> TextColumn:
    """Return a column of numbers; NaN is an empty field in CSV and null in JSON."""

    def fields(a: int, b: int, missing: str) -> list[str]:
        part = values[a:b]
        if part.dtype == np.float32:
            # astype(str) writes the shortest digits that round-trip as float32; repr would write those of float64.
            texts: list[str] = part.astype(str).tolist()
        else:
            texts = list(map(repr, part.tolist()))
        if part.dtype.kind == "f":
            for i in np.flatnonzero(~np.isfinite(part)):
                texts[i] = missing
        return texts

    return TextColumn(name, lambda a, b: fields(a, b, ""), lambda a, b: fields(a, b, "null"))


def annotation_column(annotation: Annotation) -> TextColumn:
    """Return the column of an annotation."""
    if annotation.kind == "number":
        if annotation.integers is not None:
            return number_column(annotation.name, annotation.integers)
        values = annotation.values.astype(np.float32) if annotation.single else annotation.values
        return number_column(annotation.name, values)
    in_json = ("false", "true") if annotation.boolean else ()
    csv = np.array([*map(csv_field, annotation.categories), ""], dtype=object)
    json = np.array(
        [
            in_json[("False", "True").index(c)] if annotation.boolean else encode_basestring(c)
            for c in annotation.categories
        ]
        + ["null"],
        dtype=object,
    )
    codes = annotation.codes
    return TextColumn(annotation.name, lambda a, b: csv[codes[a:b]].tolist(), lambda a, b: json[codes[a:b]].tolist())


def csv_chunks(columns: Sequence[TextColumn], n_rows: int, max_bytes: int) -> Iterator[bytes]:
    """Yield CSV files, each with its header."""
    header = (",".join(csv_field(c.name) for c in columns) + "\n").encode("utf-8", "replace")
    template = ",".join(["%s"] * len(columns)) + "\n"
    fields = [c.csv for c in columns] if len(columns) > 1 else [_never_blank(c.csv) for c in columns]
    rows = _rows(template, fields, n_rows)
    for chunk in _split(rows, max_bytes - len(header), separator=0):
        yield header + b"".join(chunk)


def json_chunks(columns: Sequence[TextColumn], n_rows: int, max_bytes: int) -> Iterator[bytes]:
    """Yield JSON files, each an array of records."""
    keys = [encode_basestring(c.name).replace("%", "%%") for c in columns]
    template = "{" + ",".join(f"{key}:%s" for key in keys) + "}"
    rows = _rows(template, [c.json for c in columns], n_rows)
    for chunk in _split(rows, max_bytes - 2, separator=1):
        yield b"[" + b",".join(chunk) + b"]"


def obs_columns(plan: Plan) -> list[TextColumn]:
    """Return the columns of the obs table."""
    return [text_column("cell_id", plan.cells.ids), *map(annotation_column, plan.annotations)]


def coords_columns(plan: Plan) -> list[TextColumn]:
    """Return the columns of the coordinates table."""
    xy = plan.coordinates.xy
    return [text_column("cell_id", plan.cells.ids), number_column("x", xy[:, 0]), number_column("y", xy[:, 1])]


def var_columns(plan: Plan) -> list[TextColumn]:
    """Return the columns of the table of exported genes, followed by alternative names of the genes."""
    genes = plan.genes
    taken = {"gene", "source_index"}
    extra = [
        text_column(f"{column}_var" if column in taken else column, np.array(labels, dtype=object))
        for column, labels in genes.labels
    ]
    names = np.empty(len(genes.names), dtype=object)
    names[:] = genes.names
    return [text_column("gene", names), number_column("source_index", genes.indices), *extra]


def _never_blank(fields: Callable[[int, int], Iterable[str]]) -> Callable[[int, int], Iterable[str]]:
    """Quote empty fields of a single column, because CSV readers skip blank lines."""
    return lambda a, b: (field or '""' for field in fields(a, b))


def _rows(template: str, fields: Sequence[Callable[[int, int], Iterable[str]]], n_rows: int) -> Iterator[list[bytes]]:
    for start in range(0, n_rows, _BLOCK_ROWS):
        stop = min(n_rows, start + _BLOCK_ROWS)
        columns = [make(start, stop) for make in fields]
        yield [(template % row).encode("utf-8", "replace") for row in zip(*columns, strict=True)]


def _split(blocks: Iterator[list[bytes]], max_bytes: int, separator: int) -> Iterator[list[bytes]]:
    """Yield lists of rows of at most `max_bytes` each, with `separator` bytes between rows; at least one list."""
    chunk: list[bytes] = []
    size, emitted = 0, False
    for block in blocks:
        ends = np.cumsum(np.fromiter(map(len, block), dtype=np.int64, count=len(block)) + separator)
        first, before = 0, 0
        while first < len(block):
            last = int(np.searchsorted(ends, max_bytes + separator - size + before, side="right"))
            if last > first:
                chunk += block[first:last]
                size += int(ends[last - 1]) - before
                first, before = last, int(ends[last - 1])
            if first < len(block):
                if not chunk:
                    msg = (
                        "The maximum asset size (max_asset_mb) is too small: "
                        f"one row of a table takes {len(block[first]):,} bytes."
                    )
                    raise ConfigError(msg)
                yield chunk
                chunk, size, emitted = [], 0, True
    if chunk or not emitted:
        yield chunk
