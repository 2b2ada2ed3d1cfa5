"""Read the tables of format 1.0, including those of other exporters that violate the format.

Format 1.0 requires strict JSON. KaroSpaceBuilder 0.x writes ``NaN`` to the records of obs, and images without a
transform. Such bundles can be read; :func:`remarks` describes how.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from karospace_jupyter.errors import BundleError
from karospace_jupyter.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.bundle.read import BundleReader

MISSING_TEXTS = frozenset({"nan", "NaN", "NaT", "<NA>"})
"""Missing values of columns that pandas converted to text. ``None`` and ``NA`` are not included, because they may be
categories."""

CELL_TABLES = frozenset({"obs_csv", "obs_json", "coords_json"})
"""Kinds of tables with a row per cell."""

Record = dict[str, Any]


def paths_of(bundle: BundleReader, kind: str) -> list[str]:
    """Return the paths of one kind of file, in the order of the manifest."""
    return [file.path for file in bundle.manifest.asset_files if file.kind == kind]


def lacks_cell_tables(manifest: Manifest) -> bool:
    """Return whether a bundle deliberately has no tables of cells: their content is in columnar files."""
    columnar = None not in (manifest.columns, manifest.coordinates, manifest.cell_ids)
    return columnar and not any(file.kind in CELL_TABLES for file in manifest.asset_files)


def read_records(bundle: BundleReader, path: str) -> tuple[list[Record], int]:
    """Read one JSON table.

    Returns
    -------
    tuple
        The records, with None for ``NaN`` and ``Infinity``, and the number of these values.

    Raises
    ------
    BundleError
        If the file is missing, damaged, or not a list of records.
    """
    constants = 0

    def count(_: str) -> None:
        nonlocal constants
        constants += 1

    text = decoded(bundle.table(path), path)
    try:
        value = json.loads(text, parse_constant=count)
    except (ValueError, RecursionError) as exc:
        msg = f"{path} is not JSON: {exc}"
        raise BundleError(msg) from exc
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        msg = f"{path} is not a list of records"
        raise BundleError(msg)
    return value, constants


def read_rows(bundle: BundleReader, path: str) -> Iterator[list[str]]:
    """Yield the rows of one CSV table, starting with its header.

    Raises
    ------
    BundleError
        If the file is missing, damaged or not CSV.
    """
    csv.field_size_limit(2**30)
    text = decoded(bundle.table(path), path)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as exc:
        msg = f"{path} is not CSV: {exc}"
        raise BundleError(msg) from exc


def decoded(raw: bytes, path: str) -> str:
    """Decode the text of a file and remove a byte order mark.

    Raises
    ------
    BundleError
        If it is not UTF-8.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        msg = f"{path} is not UTF-8: {exc}"
        raise BundleError(msg) from exc


def id_field(fields: Sequence[str], others: Sequence[str]) -> str | None:
    """Return the field with the cell IDs: ``cell_id``, otherwise the first field that is not in `others`."""
    return "cell_id" if "cell_id" in fields else next((field for field in fields if field not in others), None)


def remarks(bundle: BundleReader) -> list[str]:
    """Describe violations of the format in a bundle of another exporter, and how the bundle is read nevertheless."""
    m = bundle.manifest
    found: list[str] = []
    if m.columns is None and m.annotation_columns:
        found += _annotation_remarks(bundle)
    if m.coordinates is None:
        found += _coordinate_remarks(bundle)
    images = [m.image, *(item.image for item in (m.sections.items if m.sections else []))]
    loose = dict.fromkeys(image.path for image in images if image is not None and image.transform is None)
    found += [
        f"{path}: the manifest has no transform for the image, so it is stretched over the extent of the cells "
        "and may be misaligned."
        for path in loose
    ]
    if m.packed is not None and not m.packed.known:
        found.append(
            f"The packed genes have version {m.packed.version} with values {m.packed.values!r}, which this package "
            f"cannot read, so only {m.n_genes_exported:,} of {counted(m.packed.n_genes, 'gene')} can be shown. "
            "Update karospace-jupyter."
        )
    return found


def _annotation_remarks(bundle: BundleReader) -> Iterator[str]:
    json_paths, csv_paths = paths_of(bundle, "obs_json"), paths_of(bundle, "obs_csv")
    if not json_paths and not csv_paths:
        yield "The manifest lists neither obs_json nor obs_csv: no cell has annotations."
        return
    names = bundle.manifest.annotation_columns
    tables: list[tuple[str, dict[str, list[Any]]]] = []
    constants = 0
    if json_paths:
        try:
            from_json, constants = _json_columns(bundle, json_paths, names)
            tables.append((json_paths[0], from_json))
        except BundleError as exc:
            yield f"{exc}. Annotations are read from {csv_paths[0]}." if csv_paths else f"{exc}."
    if csv_paths and (constants or not tables):
        try:
            tables.append((csv_paths[0], _csv_columns(bundle, csv_paths, names)))
        except BundleError as exc:
            yield f"{exc}."
    if constants:
        used = tables[-1][0]
        how = "these cells have no value" if used == json_paths[0] else f"annotations are read from {used}"
        yield (f"{_named(json_paths)}: not strict JSON (NaN or Infinity, {counted(constants, 'time')}); {how}.")
    if tables:
        yield from _column_remarks(*tables[-1])


def _column_remarks(path: str, columns: dict[str, list[Any]]) -> Iterator[str]:
    empty = [name for name, cells in columns.items() if cells and all(cell in (None, "") for cell in cells)]
    if empty:
        yield (
            f"{path}: no cell has a value of {', '.join(map(repr, empty))}; KaroSpaceBuilder 0.x loses text columns "
            "if the cells have names. Export the data again to restore them."
        )
    for name, cells in columns.items():
        for word in sorted(MISSING_TEXTS):
            if times := sum(1 for cell in cells if cell == word):
                yield f"Column {name!r}: {word!r} in {counted(times, 'cell')} is read as a missing value."


def _coordinate_remarks(bundle: BundleReader) -> Iterator[str]:
    paths = paths_of(bundle, "coords_json")
    if not paths:
        yield "The manifest lists no coords_json: no cell has coordinates."
        return
    try:
        rows = [row for path in paths for row in read_records(bundle, path)[0]]
    except BundleError as exc:
        yield f"{exc}."
        return
    without = sum(1 for row in rows if _number(row.get("x")) is None or _number(row.get("y")) is None)
    if without:
        lack = "has no coordinates and is" if without == 1 else "have no coordinates and are"
        yield f"{_named(paths)}: {without:,} of {counted(len(rows), 'cell')} {lack} not drawn."


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float, str)) else None
    except ValueError:
        return None


def _json_columns(bundle: BundleReader, paths: list[str], names: list[str]) -> tuple[dict[str, list[Any]], int]:
    columns: dict[str, list[Any]] = {name: [] for name in names}
    constants = 0
    for path in paths:
        rows, more = read_records(bundle, path)
        constants += more
        for row in rows:
            for name in names:
                columns[name].append(row.get(name))
    return columns, constants


def _csv_columns(bundle: BundleReader, paths: list[str], names: list[str]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for path in paths:
        rows = read_rows(bundle, path)
        header = next(rows, [])
        places = {name: header.index(name) for name in names if name in header}
        for row in rows:
            for name, place in places.items():
                columns[name].append(row[place] if place < len(row) else "")
    return columns


def _named(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
