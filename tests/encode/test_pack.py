"""The level of compression, chosen for each gene from a sample of it."""

from __future__ import annotations

import zlib

import deflate
import numpy as np
import pytest

from karospace_jupyter.encode.pack import QUICK, Packer, best_level

N = 100_000


def genes(kind: str, share: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(1.0, 1.0, N) * 1.5 * share, N)
    return {
        "counts": lambda: counts,
        "dense counts": lambda: rng.poisson(20, N),
        "log1p, 8 library sizes": lambda: np.log1p(counts * 1e4 / (800 + 50 * rng.integers(0, 8, N))),
        "log1p, 400 library sizes": lambda: np.log1p(counts * 1e4 / rng.integers(800, 1200, N)),
        "log1p, own depths": lambda: np.log1p(counts * 10 * rng.lognormal(0, 0.4, N)),
        "continuous": lambda: rng.gamma(2, 0.5, N),
        "pixels": lambda: rng.integers(0, 256, N) / 255,
        "zeros": lambda: np.zeros(N),
    }[kind]().astype(np.float32)


KINDS = [
    "counts",
    "dense counts",
    "log1p, 8 library sizes",
    "log1p, 400 library sizes",
    "log1p, own depths",
    "continuous",
    "pixels",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.3])
def test_chosen_level_is_near_the_smallest_result(kind: str, share: float) -> None:
    raw = genes(kind, share).tobytes()
    sizes = {level: len(deflate.gzip_compress(raw, level)) for level in range(1, 9)}
    chosen = best_level(genes(kind, share))
    assert sizes[chosen] <= 1.1 * min(sizes.values())
    assert sizes[chosen] <= 1.2 * len(zlib.compress(raw, 9))


@pytest.mark.parametrize("kind", ["log1p, 400 library sizes", "log1p, own depths", "continuous", "pixels", "zeros"])
def test_quick_level_is_kept_where_a_thorough_one_saves_little(kind: str) -> None:
    assert best_level(genes(kind, 0.05)) == QUICK


@pytest.mark.parametrize("kind", ["counts", "dense counts"])
def test_thorough_level_is_chosen_for_counts(kind: str) -> None:
    assert best_level(genes(kind, 0.05)) > QUICK


def test_gene_of_the_last_cells_only_is_seen() -> None:
    values = genes("counts", 0.3)
    values[: N * 2 // 3] = 0
    assert best_level(values) > QUICK


@pytest.mark.parametrize("n", [1, 2, 16_384, 16_385, 40_000])
def test_any_length_has_a_level(n: int) -> None:
    assert 1 <= best_level(genes("counts", 0.3)[:n]) <= 8


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_bytes_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    def packed(n: int) -> dict[str, bytes]:
        written: dict[str, bytes] = {}
        with Packer(written.__setitem__, gzip=True, threads=n) as packer:
            for i, kind in enumerate(KINDS):
                values = genes(kind, 0.05)
                packer.run(
                    lambda i=i, v=values: packer.pack_vector(
                        "expression_chunk", f"{i}_{{}}", v, 4, 10**6, best_level(v)
                    )
                )
        return written

    assert packed(threads) == packed(1)
