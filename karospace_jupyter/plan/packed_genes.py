"""Decide whether all genes are packed: predict their size by encoding a sample as the export would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from karospace_jupyter.bundle.compress import Method, compress
from karospace_jupyter.bundle.ladders import Ladders, LaddersTooLargeError, levels
from karospace_jupyter.bundle.packed import gaps_of, text_bytes, write_steps
from karospace_jupyter.bundle.planes import planes
from karospace_jupyter.config import matrix_name
from karospace_jupyter.errors import GenesError
from karospace_jupyter.formatting import counted, size
from karospace_jupyter.plan.gene_choice import all_names
from karospace_jupyter.plan.matrix_values import matrix_values
from karospace_jupyter.plan.model import PackedSize, PlannedMatrix, PlannedPacked
from karospace_jupyter.plan.names import listed
from karospace_jupyter.source.entries import as_entries

if TYPE_CHECKING:
    import scipy.sparse as sp

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.source import Source

SHARD_BYTES = 2**20
"""Genes are grouped into files of at most this size before compression; a larger gene gets its own file."""
MAX_BYTES = 10**9
"""Predicted size up to which all genes are packed by default."""
_SAMPLED = 300_000
"""Number of values that are encoded both as float32 and as codes, to choose the smaller form."""
_SAMPLED_RUNS = 8
"""Number of runs of consecutive cells in that sample."""
_NUMBERS, _STORED_NUMBERS = 40, 24
"""Bytes that the numbers of a gene take in the index: before compression, and approximately after it."""
_LADDER_BYTES_PER_CELL = 1.5
"""Minimum predicted size of the ladders per cell after compression, if there are more cells than in the sample."""


def choose_packed(source: Source, config: ExportConfig, n: int) -> tuple[PlannedPacked | None, list[str]]:
    """Decide whether all genes of `n` cells are packed, without a pass over the matrix.

    The decision depends on the sample of the matrix and on the options only, so that a dry run, a form and the export
    agree.

    Returns
    -------
    tuple of PlannedPacked or None, and list of str
        The packed genes, and warnings.
    """
    # An empty list of genes asks for a bundle without expression.
    if config.packed == "no" or (config.packed == "auto" and config.genes_mode == ()):
        return None, []
    planned = _all_genes(source, config, n)
    if config.packed == "auto" and planned.size.bytes > MAX_BYTES:
        return None, [
            f"The viewer cannot show all {counted(len(planned.names), 'gene')} of {source.matrix_name}: they would "
            f"take about {size(planned.size.bytes)} (packed); the default limit is {size(MAX_BYTES)}. "
            "To write them anyway, set packed to 'yes'."
        ]
    return planned, []


def choose_other_matrices(
    source: Source, config: ExportConfig, n: int, first: PlannedPacked | None, *, on_demand: bool = False
) -> tuple[tuple[PlannedMatrix, ...], list[str]]:
    """Decide which matrices are packed in addition to the first: those that fit into the limit, in order.

    Parameters
    ----------
    first
        The packed genes of the first matrix, which count toward the limit.
    on_demand
        Whether the viewer reads the genes of a live object instead, so that no matrix is packed.

    Returns
    -------
    tuple of tuple of PlannedMatrix and list of str
        The matrices, and warnings.

    Raises
    ------
    GenesError
        If a matrix does not exist, has no genes, or cannot be read.
    """
    taken = 0 if first is None else first.size.bytes
    planned: list[PlannedMatrix] = []
    left_out, warnings = [], []
    for spec in config.other_matrices:
        name = matrix_name(spec)
        other = source.with_matrix(spec)
        if other.n_genes == 0:
            msg = f"The matrix {name} has no genes. Choose another matrix."
            raise GenesError(msg)
        if on_demand:
            continue
        packed = _all_genes(other, config, n)
        if config.packed == "auto" and taken + packed.size.bytes > MAX_BYTES:
            left_out.append(f"{name} (about {size(packed.size.bytes)})")
            continue
        taken += packed.size.bytes
        if not other.sample().values.count_nonzero():
            warnings.append(f"The matrix {name} seems to be empty: all its sampled values are zero.")
        planned.append(PlannedMatrix(spec, name, matrix_values(other), packed))
    if on_demand and config.other_matrices:
        names = listed([matrix_name(spec) for spec in config.other_matrices])
        warnings.append(
            f"The viewer reads one matrix of the object at a time, so these were not exported: {names}. Choose the "
            "matrix with the attribute layer of the view."
        )
    if left_out:
        warnings.append(
            f"Matrices were left out: {listed(left_out)}. By default, all matrices together take at most "
            f"{size(MAX_BYTES)} (packed); the others already take about {size(taken)}. To write them anyway, set "
            "packed to 'yes'."
        )
    return tuple(planned), warnings


def _all_genes(source: Source, config: ExportConfig, n: int) -> PlannedPacked:
    names, labels = all_names(source)
    texts = [names, *(texts for _, texts in labels)]
    predicted = predict_packed(source, n, texts, max_bytes=config.max_asset_bytes, gzip=config.gzip)
    return PlannedPacked(names, labels, predicted)


def predict_packed(source: Source, n: int, texts: list[tuple[str, ...]], *, max_bytes: int, gzip: bool) -> PackedSize:
    """Predict the size of the packed genes of `n` cells.

    Parameters
    ----------
    texts
        The texts of the index: names, and labels of each column.
    max_bytes
        Maximum size of a file before compression.
    gzip
        Whether files are compressed.
    """
    n_genes = source.n_genes
    text = text_bytes(texts)
    index = _NUMBERS * n_genes + len(text)
    stored_index = _STORED_NUMBERS * n_genes + _stored(text) if gzip else index
    whole = as_entries(source.sample().values, 0, 0).values
    if not whole.nnz:
        return PackedSize(2 + _parts(index, max_bytes), stored_index + n, index + n)
    chosen = whole[sample_rows(whole.shape[0], whole.nnz)]
    bits, indptr = chosen.data.view(np.uint32), chosen.indptr.astype(np.int64)
    coded = _coded(bits, indptr)
    values, width = _stored(planes(bits.view("<f4"))), 4
    ladders, raw_ladders = 0.0, 0.0
    if coded is not None and coded.values + coded.ladders < values:
        values, width = coded.values, coded.width
        ladders, raw_ladders = _ladders(coded, chosen, n)
    gaps, of_genes = _gaps(chosen, width)
    # Genes of the sample stand for all genes, cells of the sample for all cells.
    factor = whole.nnz / (whole.shape[0] * whole.shape[1]) * n * n_genes / len(bits)
    raw = (width * len(bits) + len(gaps)) * factor
    files = _shards(of_genes * (n / chosen.shape[0]), max_bytes) * (n_genes / whole.shape[1])
    files += _parts(index, max_bytes) + (_parts(raw_ladders, max_bytes) if raw_ladders else 0)
    stored = (values + _stored(gaps)) * factor + ladders if gzip else raw + raw_ladders
    return PackedSize(round(files), int(stored) + stored_index, int(raw + raw_ladders) + index)


def sample_rows(n: int, n_values: int) -> NDArray[np.int64]:
    """Return evenly spaced runs of the `n` rows that hold about `_SAMPLED` of their `n_values` values; all if few."""
    length = max(1, _SAMPLED * n // max(1, n_values) // _SAMPLED_RUNS)
    if length * _SAMPLED_RUNS >= n:
        return np.arange(n)
    firsts = np.arange(_SAMPLED_RUNS) * n // _SAMPLED_RUNS
    return np.asarray((firsts[:, None] + np.arange(length)).ravel())


def prefers_ladders(bits: NDArray[np.uint32], indptr: NDArray[np.int64]) -> bool:
    """Return whether codes and ladders take fewer bytes than the values; measured on a sample."""
    coded = _coded(bits, indptr)
    return coded is not None and coded.values + coded.ladders < _stored(planes(bits.view("<f4")))


@dataclass(frozen=True, slots=True)
class _Coded:
    """Bytes that a sample takes if it is stored as codes."""

    values: int
    ladders: int
    raw_ladders: int
    n_keys: int
    """Number of values of all ladders."""
    width: int


def _coded(bits: NDArray[np.uint32], indptr: NDArray[np.int64]) -> _Coded | None:
    """Encode a sample as codes and return its sizes; None if codes cannot represent it."""
    if not len(bits):
        return None
    found = levels(bits, indptr)
    ladders = Ladders()
    try:
        places = ladders.add(found.lowest, found)
    except LaddersTooLargeError:
        return None
    steps, final = ladders.finish(found.lowest)
    base = np.repeat(steps.starts[steps.ladders], np.diff(indptr))
    places = final[base + found.of_entries(places, indptr)]
    width = 1 if int(places.max()) < 2**8 else 2
    written = write_steps(steps)
    return _Coded(_stored(planes(places.astype(f"<u{width}"))), _stored(written), len(written), len(ladders), width)


def _ladders(coded: _Coded, chosen: sp.csr_matrix, n: int) -> tuple[float, float]:
    """Predict the bytes of the ladders of `n` cells, stored and before compression."""
    cells = chosen.shape[0]
    # New values become rarer with every cell: extrapolate from how their number grows within the sample.
    half = chosen[: cells // 2]
    fewer = _coded(half.data.view(np.uint32), half.indptr.astype(np.int64))
    growth = np.log2(coded.n_keys / fewer.n_keys) if fewer is not None and cells > 1 else 1.0
    factor = float((n / cells) ** min(1.0, max(0.0, growth)))
    stored = coded.ladders * factor
    if stored > coded.ladders:
        stored = max(stored, _LADDER_BYTES_PER_CELL * n)
    # A value takes four bytes, the ladder of a cell at least one.
    return stored, max(coded.raw_ladders * factor, float(n))


def _gaps(chosen: sp.csr_matrix, width: int) -> tuple[bytes, NDArray[np.float64]]:
    """Return the gaps of a sample, and the bytes of each gene before compression."""
    columns = chosen.tocsc()
    columns.sort_indices()
    n_genes = columns.shape[1]
    gaps, starts = gaps_of(columns.indices, columns.indptr, np.zeros(n_genes, dtype=np.int64))
    n_entries, lengths = np.diff(columns.indptr), np.diff(starts)
    full = n_entries == columns.shape[0]  # has no gaps
    kept = gaps[np.repeat(~full, lengths)]
    return kept.tobytes(), width * n_entries + np.where(full, 0.0, lengths)


def _shards(of_genes: NDArray[np.float64], max_bytes: int) -> int:
    """Return the number of files of genes with these sizes, grouped as by the export."""
    files, held, most = 0, 0.0, min(SHARD_BYTES, max_bytes)
    for length in of_genes.tolist():
        if held and held + length > most:
            files += _parts(held, max_bytes)
            held = 0.0
        held += length
    return files + _parts(held, max_bytes)


def _parts(length: float, max_bytes: int) -> int:
    return max(1, int(np.ceil(length / max_bytes)))


def _stored(raw: bytes) -> int:
    return len(compress(raw, Method.RUNS))
