"""Tests of the compression methods and of choosing one for each gene from a sample."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest

from karospace_jupyter.bundle.compress import Method, best_method, compress
from karospace_jupyter.encode.pack import Packer

N = 100_000


def gene_values(kind: str, share: float) -> np.ndarray:
    """Return the values of one gene in `N` cells; the lower `share`, the more of its counts are zero."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(1.0, 1.0, N) * 1.5 * share, N)
    return {
        "few counts": lambda: np.where(rng.random(N) < share, rng.poisson(1.2, N) + 1, 0),
        "counts": lambda: counts,
        "dense counts": lambda: rng.poisson(20, N),
        "log1p, 8 library sizes": lambda: np.log1p(counts * 1e4 / (800 + 50 * rng.integers(0, 8, N))),
        "log1p, 400 library sizes": lambda: np.log1p(counts * 1e4 / rng.integers(800, 1200, N)),
        "log1p, a library size per cell": lambda: np.log1p(counts * 10 * rng.lognormal(0, 0.4, N)),
        "continuous": lambda: rng.gamma(2, 0.5, N),
        "pixels": lambda: rng.integers(0, 256, N) / 255,
        "zeros": lambda: np.zeros(N),
    }[kind]().astype(np.float32)


KINDS = [
    "few counts",
    "counts",
    "dense counts",
    "log1p, 8 library sizes",
    "log1p, 400 library sizes",
    "log1p, a library size per cell",
    "continuous",
    "pixels",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.3])
def test_chosen_method_is_close_to_the_smallest_result(kind: str, share: float) -> None:
    values = gene_values(kind, share)
    sizes = {method: len(compress(values.tobytes(), method)) for method in Method}
    chosen = best_method(values)
    assert sizes[chosen] <= 1.2 * min(sizes.values())
    assert sizes[chosen] <= 1.4 * len(zlib.compress(values.tobytes(), 9))


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("few counts", Method.RUNS),
        ("counts", Method.THOROUGH),
        ("dense counts", Method.THOROUGH),
        ("log1p, 400 library sizes", Method.QUICK),
        ("pixels", Method.QUICK),
    ],
)
def test_expected_method_is_chosen(kind: str, method: Method) -> None:
    assert best_method(gene_values(kind, 0.05)) is method


def test_gene_present_only_in_the_last_cells_is_sampled() -> None:
    values = gene_values("dense counts", 0.3)
    values[: N // 2] = 0
    assert best_method(values) is Method.THOROUGH


@pytest.mark.parametrize(
    ("n", "method"),
    [
        (1, Method.RUNS),
        (2, Method.RUNS),
        (16_384, Method.THOROUGH),
        (16_385, Method.THOROUGH),  # the smallest number of which only a sample is compressed
        (40_000, Method.THOROUGH),
    ],
)
def test_expected_method_is_chosen_for_any_number_of_cells(n: int, method: Method) -> None:
    assert best_method(gene_values("counts", 0.3)[:n]) is method


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("n", [0, 1, N])
def test_every_method_produces_gzip_without_timestamp(method: Method, n: int) -> None:
    raw = gene_values("counts", 0.05)[:n].tobytes()
    stored = compress(raw, method)
    assert gzip.decompress(stored) == raw
    assert stored[4:8] == bytes(4)
    assert int.from_bytes(stored[-8:-4], "little") == zlib.crc32(raw)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_bytes_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    def packed(n: int) -> dict[str, bytes]:
        written: dict[str, bytes] = {}
        with Packer(written.__setitem__, gzip=True, threads=n) as packer:
            for i, kind in enumerate(KINDS):
                values = gene_values(kind, 0.05)
                packer.run(
                    lambda i=i, v=values: packer.pack_vector(
                        "expression_chunk", f"{i}_{{}}", v, 4, 10**6, best_method(v)
                    )
                )
        return written

    assert packed(threads) == packed(1)
