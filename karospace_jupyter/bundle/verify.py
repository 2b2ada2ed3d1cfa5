"""Verify a bundle: sizes, hashes, lengths, and the consistency of redundant tables."""

from __future__ import annotations

import csv
import hashlib
import io
import zlib
from array import array
from collections import Counter
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from karospace_jupyter.bundle.cell_ids import id_blocks
from karospace_jupyter.bundle.damage import damage
from karospace_jupyter.bundle.neighbors import read_graph, section_column
from karospace_jupyter.bundle.pages import is_own_page
from karospace_jupyter.bundle.scripts import (
    MANIFEST,
    carried_files,
    carried_manifest,
    from_script,
    gene_file_problems,
    lacks_gene_files,
)
from karospace_jupyter.bundle.summary import differences, summarize, summarize_entries
from karospace_jupyter.bundle.tables import decoded, lacks_cell_tables, paths_of, read_records, remarks
from karospace_jupyter.bundle.verify_layouts import check_embeddings, check_proportions, check_sections, same_extent
from karospace_jupyter.bundle.verify_markers import check_markers
from karospace_jupyter.errors import BundleError, MissingFileError
from karospace_jupyter.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from karospace_jupyter.bundle.manifest import AssetFile, Column, GeneEntry
    from karospace_jupyter.bundle.packed import PackedGenes
    from karospace_jupyter.bundle.read import BundleReader

T = TypeVar("T")

_SHOWN = 20
_BLOCK_ROWS = 10_000
_BYTES_AT_ONCE = 400_000_000
"""Bytes of columns that are held in memory while one pass over a table compares them."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Result of a verification."""

    files: int
    bytes: int
    """Stored size of all files."""
    hashed: int
    """Number of files that were compared with a hash; bundles of format 1.0 have no hashes."""
    warnings: tuple[str, ...] = ()
    """Violations of the format in a readable bundle of another exporter, and a page that this package did not write."""


def verify(bundle: BundleReader) -> VerifyReport:
    """Check a bundle against its manifest.

    Returns
    -------
    VerifyReport
        What was checked, and warnings.

    Raises
    ------
    BundleError
        If the bundle does not match its manifest. The message lists up to 20 problems.
    """
    problems: list[str] = []
    total, hashed = 0, 0
    # A file that is listed many times must not be read many times.
    problems += _duplicate_paths(bundle)
    for file in bundle.manifest.asset_files if not problems else ():
        size = _check_file(bundle, file, problems)
        total += size
        hashed += file.sha256 is not None
    # Contents are compared only if all files match the manifest; otherwise, a problem would be reported twice.
    if not problems:
        for check in (
            _check_counts,
            _check_expression,
            _check_packed,
            _check_tables,
            *_ARRAY_CHECKS,
            _check_neighbors,
            _check_scripts,
        ):
            try:
                with damage(f"The content of {bundle.files.origin}"):
                    problems += check(bundle)
            except BundleError as exc:
                problems.append(str(exc))
    if problems:
        more = f"\n… and {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
        msg = f"{bundle.files.origin} does not match its manifest:\n" + "\n".join(problems[:_SHOWN]) + more
        raise BundleError(msg)
    return VerifyReport(len(bundle.manifest.asset_files), total, hashed, (*remarks(bundle), *_page_warnings(bundle)))


def _page_warnings(bundle: BundleReader) -> Iterator[str]:
    try:
        page = bundle.stored("index.html")
    except MissingFileError:
        return
    if not is_own_page(page):
        yield (
            "index.html is not a known page of this package. It is a program that runs when the bundle is opened with "
            "a double click or from a web host. Notebooks, the preview server and saved copies use the viewer of this "
            "package instead."
        )


def _duplicate_paths(bundle: BundleReader) -> Iterator[str]:
    m = bundle.manifest
    listed = Counter(file.path for file in m.asset_files)
    used = Counter(chunk.path for entry in m.expression.genes for chunk in entry.chunks)
    for part, paths in (("asset_files", listed), ("expression", used)):
        for path, times in paths.items():
            if times > 1:
                yield f"{part} lists a file more than once: {path}, {times:,} times"


def _check_file(bundle: BundleReader, file: AssetFile, problems: list[str]) -> int:
    try:
        stored = bundle.stored(file.path)
    except BundleError as exc:
        problems.append(str(exc))
        return 0
    if len(stored) != file.size_bytes:
        problems.append(f"{file.path}: has {len(stored):,} bytes, but the manifest says {file.size_bytes:,}")
    elif file.sha256 is not None and hashlib.sha256(stored).hexdigest() != file.sha256:
        problems.append(f"{file.path}: its SHA-256 does not match the manifest")
    elif file.raw_bytes is not None or file.raw_crc32 is not None:
        raw = bundle.read(file.path)
        if file.raw_bytes is not None and len(raw) != file.raw_bytes:
            problems.append(
                f"{file.path}: has {len(raw):,} bytes after decompression, but the manifest says {file.raw_bytes:,}"
            )
        elif file.raw_crc32 is not None and zlib.crc32(raw) != file.raw_crc32:
            problems.append(f"{file.path}: the CRC-32 of its decompressed bytes does not match the manifest")
    return len(stored)


def _check_counts(bundle: BundleReader) -> Iterator[str]:
    m = bundle.manifest
    listed = {file.path for file in m.asset_files}
    if m.n_genes_exported != len(m.gene_list) or m.n_genes_exported != len(m.expression.genes):
        yield (
            f"n_genes_exported is {m.n_genes_exported:,}, but gene_list has {len(m.gene_list):,} "
            f"and expression {len(m.expression.genes):,} genes"
        )
    exported = {*m.gene_list, *(name for matrix in bundle.matrices for name in bundle.genes_of(matrix))}
    for one in m.gene_sets or ():
        absent = [gene for gene in one.genes if gene not in exported]
        if absent:
            yield f"gene set {one.name!r}: {counted(len(absent), 'gene')} not in the bundle, such as {absent[0]!r}"
    if m.expression.n_cells != m.n_cells:
        yield f"expression has {m.expression.n_cells:,} cells, but the bundle has {m.n_cells:,}"
    used = [] if lacks_gene_files(m) else [chunk.path for entry in m.expression.genes for chunk in entry.chunks]
    arrays = [m.coordinates, m.cell_ids, *(m.columns or ()), *(m.embeddings or ())]
    used += [chunk.path for stored in arrays if stored is not None for chunk in stored.chunks]
    images = [m.image, *(section.image for section in (m.sections.items if m.sections else []))]
    used += [path for path in (m.preview_path, *(image.path for image in images if image)) if path]
    others = [one.packed for one in m.other_matrices or ()]
    for packed in [*([] if m.packed is None else [m.packed]), *others]:
        shards = [*packed.shards, *(shard for one in packed.markers or () for shard in one.shards)]
        parts = (packed.index, packed.ladders or [], *(shard.paths for shard in shards))
        used += [path for paths in parts for path in paths]
    if m.neighbors is not None:
        used += m.neighbors.paths
    if m.packed is not None and m.packed.source != m.matrix:
        yield f"packed holds the matrix {m.packed.source!r}, but expression holds {m.matrix!r}"
    for name, times in Counter([m.matrix, *(packed.source for packed in others)]).items():
        if times > 1:
            yield f"the matrix {name!r} is listed {times:,} times"
    for path in used:
        if path not in listed:
            yield f"{path} is used but not in asset_files"


def _check_expression(bundle: BundleReader) -> Iterator[str]:
    m = bundle.manifest
    without_files = lacks_gene_files(m)
    if without_files:
        yield from gene_file_problems(m)
    for position, (name, entry) in enumerate(zip(m.gene_list, m.expression.genes, strict=False)):
        if entry.gene != name or entry.index != position:
            yield f"gene {position} is {name!r} in gene_list, but {entry.gene!r} (index {entry.index}) in expression"
        if without_files:
            continue
        values = bundle.vector(entry.chunks, np.dtype("<f4")).astype(np.float32)
        if np.isinf(values).any():
            yield f"gene {entry.gene!r} contains infinite values"
        elif entry.summary is not None:
            yield from differences(entry.summary, summarize(values), f"gene {entry.gene!r}", "manifest")


def _check_packed(bundle: BundleReader) -> Iterator[str]:
    m = bundle.manifest
    for matrix in bundle.matrices:
        try:
            with damage(f"The matrix {matrix!r}"):
                packed = bundle.packed_genes_of(matrix)
                if packed is not None:
                    first = matrix == m.matrix
                    dense = {entry.gene: entry for entry in m.expression.genes} if first else {}
                    yield from _check_packed_genes(bundle, packed, dense, "" if first else f" of {matrix}")
        except BundleError as exc:
            yield str(exc)


def _check_packed_genes(
    bundle: BundleReader, packed: PackedGenes, dense: dict[str, GeneEntry], of: str
) -> Iterator[str]:
    index = packed.index
    if len(set(index.names)) != len(index.names):
        yield f"the packed genes{of} contain a name twice"
    for absent in sorted(dense.keys() - set(index.names))[:_SHOWN]:
        yield f"gene {absent!r} is in gene_list, but not among the packed genes"
    ranks = np.sort(index.variability_rank)
    if ranks.any() and not np.array_equal(ranks, np.arange(1, len(ranks) + 1)):
        yield f"the variability ranks of the packed genes{of} are neither 1 to {len(ranks):,} nor all 0"
    without_files = lacks_gene_files(bundle.manifest)
    for gene, (cells, values) in enumerate(packed.entries()):
        name = index.names[gene]
        if not values.all() or np.isinf(values).any():
            yield f"packed gene {name!r}{of} contains zeros or infinite values"
        else:
            found = summarize_entries(values, index.n_cells - len(values))
            yield from differences(index.summary(gene), found, f"packed gene {name!r}{of}", "index")
        if name in dense and not without_files:
            vector = np.zeros(bundle.manifest.n_cells, dtype=np.float32)
            vector[cells] = values
            if not np.array_equal(bundle.vector(dense[name].chunks, np.dtype("<f4")), vector, equal_nan=True):
                yield f"gene {name!r}: the packed values differ from those in expression"


def _check_neighbors(bundle: BundleReader) -> Iterator[str]:
    stated = bundle.manifest.neighbors
    if stated is None or not stated.known:
        return
    graph = read_graph(bundle)
    column = section_column(bundle.manifest)
    if column is None:
        return
    codes = bundle.codes(column)
    a, b = graph.pairs()
    across = int(((codes[a] != codes[b]) | (codes[a] >= len(column.categories))).sum())
    if across:
        yield f"neighbors: {counted(across, 'edge')} not within a section"


def _check_tables(bundle: BundleReader) -> Iterator[str]:
    m = bundle.manifest
    var = list(_csv_rows(bundle, "var_csv", ["gene", "source_index"]))
    if len(var) != m.n_genes_exported:
        yield f"var_csv has {counted(len(var), 'row')}; expected {m.n_genes_exported:,}"
    if [row.get("gene") for row in var] != m.gene_list:
        yield "var_csv and gene_list contain different genes"
    if not lacks_cell_tables(m):
        yield from _check_cell_tables(bundle)


def _check_cell_tables(bundle: BundleReader) -> Iterator[str]:
    """Compare the tables with each other, a block of rows at a time: together they may exceed the memory."""
    m = bundle.manifest
    tables = {
        "obs_csv": _csv_rows(bundle, "obs_csv", ["cell_id", *m.annotation_columns]),
        "obs_json": _json_rows(bundle, "obs_json"),
        "coords_json": _json_rows(bundle, "coords_json"),
    }
    counts = dict.fromkeys(tables, 0)
    id_hashes = array("q")
    agreeing, others = [*m.annotation_columns], ["obs_json", "coords_json"]
    while any((found := {kind: list(islice(rows, _BLOCK_ROWS)) for kind, rows in tables.items()}).values()):
        obs_csv, obs_json = found["obs_csv"], found["obs_json"]
        ids = list(_table_ids(obs_csv))
        id_hashes.extend(map(hash, ids))
        for kind in [kind for kind in others if list(_table_ids(found[kind])) != ids]:
            others.remove(kind)
            yield f"obs_csv and {kind} contain different cells, or cells in a different order"
        for name in [*agreeing]:
            for row, (a, b) in enumerate(zip(obs_csv, obs_json, strict=False), counts["obs_csv"]):
                one, other = a.get(name), b.get(name)
                if one != _as_csv(other) and not _same_number(str(one), other, single=m.columns is None):
                    agreeing.remove(name)
                    yield f"column {name!r}, row {row}: {one!r} in obs_csv, {other!r} in obs_json"
                    break
        counts = {kind: counts[kind] + len(rows) for kind, rows in found.items()}
    for kind, rows in counts.items():
        if rows != m.n_cells:
            yield f"{kind} has {counted(rows, 'row')}; expected {m.n_cells:,}"
    if _has_duplicates(id_hashes, lambda: _table_ids(_csv_rows(bundle, "obs_csv", ["cell_id"]))):
        yield "obs_csv contains a duplicate cell_id"


def _table_ids(rows: Iterable[dict[str, Any]]) -> Iterator[Any]:
    return (row.get("cell_id") for row in rows)


def _has_duplicates(hashes: array[int], ids: Callable[[], Iterable[Any]]) -> bool:
    """Return whether two of `ids` are equal; only those with equal hashes are held in memory."""
    ordered = np.sort(np.frombuffer(hashes, dtype=np.int64))
    repeated = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    return bool(repeated) and max(Counter(one for one in ids() if hash(one) in repeated).values()) > 1


def _check_columnar(bundle: BundleReader) -> Iterator[str]:
    m = bundle.manifest
    if lacks_cell_tables(m):
        yield from _check_without_tables(bundle)
        return
    if m.coordinates is not None:
        xy = bundle.vector(m.coordinates.chunks, np.dtype("<f4"), 2).reshape(-1, 2)
        start = 0
        for block in _blocks(_coordinates(bundle)):
            table = np.array(block, dtype=np.float64) - m.coordinates.origin
            if not np.array_equal(xy[start : start + len(block)], table.astype(np.float32)):
                yield "the columnar coordinates differ from coords_json"
                break
            start += len(block)
    if m.cell_ids is not None:
        pairs = zip_longest(_stored_ids(bundle), _table_ids(_json_rows(bundle, "obs_json")))
        if any(a != b for a, b in pairs):
            yield f"the cell IDs in {m.cell_ids.chunks[0].path} differ from obs_json"
    columns: list[Column] = []
    for column in m.columns or ():
        columns.append(column)
        if m.n_cells * sum(np.dtype(one.dtype).itemsize for one in columns) > _BYTES_AT_ONCE:
            yield from _check_columns(bundle, columns)
            columns = []
    yield from _check_columns(bundle, columns)


def _check_without_tables(bundle: BundleReader) -> Iterator[str]:
    """Check the arrays of a bundle that has no tables to compare them with."""
    m = bundle.manifest
    if m.coordinates is not None:
        xy = bundle.vector(m.coordinates.chunks, np.dtype("<f4"), 2).reshape(-1, 2)
        if not np.isfinite(xy).all():
            yield "the coordinates contain NaN or infinite values"
        elif not same_extent(xy.astype(np.float32), m.coordinates.extent, m.coordinates.origin):
            yield "the extent of the coordinates does not match the manifest"
    hashes = array("q", map(hash, _stored_ids(bundle)))
    if len(hashes) != m.n_cells:
        yield f"there are {counted(len(hashes), 'cell ID')}; expected {m.n_cells:,}"
    if _has_duplicates(hashes, lambda: _stored_ids(bundle)):
        yield "two cells have the same ID"
    if [column.name for column in m.columns or ()] != m.annotation_columns:
        yield "columns and annotation_columns contain different names"
    for column in m.columns or ():
        with damage(f"The column {column.name!r}"):
            yield from _check_codes(column, _values(bundle, column))


def _stored_ids(bundle: BundleReader) -> Iterator[str]:
    return (one for block in id_blocks(bundle) for one in block)


def _coordinates(bundle: BundleReader) -> Iterator[tuple[float, float]]:
    for number, row in enumerate(_json_rows(bundle, "coords_json")):
        x, y = row.get("x"), row.get("y")
        if type(x) not in {int, float} or type(y) not in {int, float}:
            msg = f"coords_json, row {number}: x is {x!r:.40} and y is {y!r:.40}; expected two numbers"
            raise BundleError(msg)
        yield x, y  # type: ignore[misc]  # both are numbers


def _check_columns(bundle: BundleReader, columns: Sequence[Column]) -> Iterator[str]:
    """Compare columns with obs_json, in one pass over the table."""
    remaining: dict[str, tuple[Column, NDArray[Any]]] = {}
    for column in columns:
        with damage(f"The column {column.name!r}"):
            values = _values(bundle, column)
            problems = list(_check_codes(column, values))
            yield from problems
            if not problems:
                remaining[column.name] = column, values
    start = 0
    for rows in _blocks(_json_rows(bundle, "obs_json")) if remaining else ():
        stop = start + len(rows)
        for name, (column, values) in list(remaining.items()):
            with damage(f"The column {name!r}"):
                if not _agree(column, values[start:stop], [row.get(name) for row in rows]):
                    what = "numbers" if column.kind == "number" else "codes"
                    yield f"column {name!r}: the columnar {what} differ from obs_json"
                    del remaining[name]
        start = stop


def _values(bundle: BundleReader, column: Column) -> NDArray[Any]:
    return bundle.vector(column.chunks, np.dtype(column.dtype).newbyteorder("<"))


def _check_codes(column: Column, values: NDArray[Any]) -> Iterator[str]:
    """Check that each code has a category, and compare the counts of the categories."""
    if column.kind == "number":
        return
    n = len(column.categories)
    if len(values) and values.max() > n:
        yield f"column {column.name!r}: code {values.max()} has no category"
        return
    counts = np.bincount(values.astype(np.int64, copy=False), minlength=n + 1).tolist()
    if counts[:-1] != [category.count for category in column.categories] or counts[-1] != column.missing:
        yield f"column {column.name!r}: its counts do not match the manifest"


def _agree(column: Column, values: NDArray[Any], table: list[Any]) -> bool:
    """Return whether columnar values equal those of a table."""
    if column.kind == "number":
        wanted = np.array([np.nan if v is None else v for v in table], dtype=np.float64).astype(values.dtype)
        return np.array_equal(values.astype(np.float64), wanted.astype(np.float64), equal_nan=True)
    names = [*(category.name for category in column.categories), None]
    return [names[code] for code in values.astype(np.int64, copy=False).tolist()] == [
        None if v is None else _as_csv(v) for v in table
    ]


_ARRAY_CHECKS = (_check_columnar, check_embeddings, check_sections, check_proportions, check_markers)


def _check_scripts(bundle: BundleReader) -> Iterator[str]:
    m = bundle.manifest
    if m.scripts is None:
        return
    listed = carried_files(m)
    if carried_manifest(bundle.stored(MANIFEST)) != m.model_copy(update={"asset_files": listed}):
        yield f"the manifest in {MANIFEST} differs from manifest.json"
    files = (bundle.stored(file.path) for file in listed)
    held, expected = b"", 0
    for shard in m.scripts:
        data = from_script(shard.path, bundle.stored(shard.path))
        while len(held) < len(data) and (more := next(files, None)) is not None:
            held += more
        if shard.start != expected or shard.end - shard.start != len(data) or held[: len(data)] != data:
            yield f"the bytes in {shard.path} differ from the files"
            return
        held, expected = held[len(data) :], shard.end
    if held or next(files, None) is not None:
        yield "the scripts do not contain all bytes of the files"


def _as_csv(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return "" if value is None else str(value)


def _same_number(text: str, value: Any, *, single: bool) -> bool:  # noqa: ANN401 - any JSON value
    """Return whether both are the same number.

    With `single`, compare as float32, for which pandas writes fewer digits to CSV than to JSON.
    """
    try:
        number = float(text)
    except ValueError:
        return False
    if not isinstance(value, (int, float)):
        return False
    return number == float(value) or (single and bool(np.float32(number) == np.float32(value)))


def _blocks(rows: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(rows)
    while block := list(islice(iterator, _BLOCK_ROWS)):
        yield block


def _paths_of_kind(bundle: BundleReader, kind: str) -> list[str]:
    paths = paths_of(bundle, kind)
    if not paths:
        msg = f"asset_files lists no file of kind {kind}"
        raise BundleError(msg)
    return paths


def _csv_rows(bundle: BundleReader, kind: str, header: list[str]) -> Iterator[dict[str, str]]:
    csv.field_size_limit(2**30)
    for path in _paths_of_kind(bundle, kind):
        text = decoded(bundle.table(path), path)
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        with damage(path):
            if list(rows.fieldnames or [])[: len(header)] != header:
                msg = f"{path} has the columns {rows.fieldnames}; expected {header}"
                raise BundleError(msg)
            yield from rows


def _json_rows(bundle: BundleReader, kind: str) -> Iterator[dict[str, Any]]:
    # Exporters that write columnar files write strict JSON.
    strict = bundle.manifest.columns is not None
    for path in _paths_of_kind(bundle, kind):
        rows, constants = read_records(bundle, path)
        if constants and strict:
            msg = f"{path} is not strict JSON: it contains NaN or Infinity ({constants:,} found)"
            raise BundleError(msg)
        yield from rows
