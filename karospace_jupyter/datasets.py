"""Generate a synthetic tissue to try the viewer without a download; a seed makes it reproducible."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["main", "synthetic_tissue"]

_HEIGHT, _WIDTH = 800, 700  # one section, in pixels of the painted image
_SCALE = 1 / 7  # painted pixels per full-resolution pixel

_REGIONS = ("Stroma", "Epithelium", "Tumor core", "Tumor rim", "Immune follicle", "Vessel")
_STROMA, _EPITHELIUM, _CORE, _RIM, _FOLLICLE, _VESSEL = range(6)

# name: (color, UMAP center, UMAP angle, length, bend, mean area in square microns)
_TYPES: dict[str, tuple[str, tuple[float, float], float, float, float, float]] = {
    "Tumor": ("#c2386b", (4.6, 3.4), 0.5, 1.25, 0.35, 118.0),
    "Cycling tumor": ("#7b2d8b", (7.4, 5.9), 1.9, 0.55, -0.5, 150.0),
    "Epithelial": ("#f0923a", (8.3, -0.9), -0.9, 1.0, 0.45, 96.0),
    "Fibroblast": ("#8fb48a", (-5.0, -3.6), 0.3, 1.3, -0.4, 74.0),
    "Myofibroblast": ("#3f7d6e", (-1.5, -5.3), -0.5, 0.75, 0.45, 82.0),
    "Endothelial": ("#d9463b", (2.2, -6.0), 1.1, 0.7, 0.5, 62.0),
    "T cell": ("#3a7fc4", (-5.4, 4.7), -0.5, 1.0, 0.5, 42.0),
    "B cell": ("#5fc0d8", (-1.6, 7.5), 0.4, 0.8, -0.5, 45.0),
    "Macrophage": ("#e6c229", (-8.6, 0.8), 1.2, 0.8, 0.4, 105.0),
}
# For each region, the proportion of each cell type, in the order above.
_MIX = np.array(
    [
        [0.00, 0.00, 0.01, 0.66, 0.10, 0.05, 0.08, 0.02, 0.08],
        [0.00, 0.00, 0.92, 0.03, 0.00, 0.01, 0.03, 0.00, 0.01],
        [0.82, 0.10, 0.00, 0.02, 0.01, 0.01, 0.01, 0.00, 0.03],
        [0.56, 0.20, 0.00, 0.04, 0.06, 0.02, 0.06, 0.01, 0.05],
        [0.00, 0.00, 0.00, 0.04, 0.00, 0.02, 0.45, 0.45, 0.04],
        [0.00, 0.00, 0.00, 0.05, 0.22, 0.67, 0.03, 0.00, 0.03],
    ]
)
# marker: {indices of the cell types that express it, one digit each: mean count}
_MARKERS: dict[str, dict[str, float]] = {
    "EPCAM": {"01": 9, "2": 7}, "CD3E": {"6": 6}, "COL1A1": {"3": 14, "4": 9}, "MS4A1": {"7": 7},
    "PECAM1": {"5": 8}, "CD68": {"8": 7}, "MKI67": {"1": 6, "0": 0.3, "7": 0.5}, "KRT8": {"01": 8, "2": 6},
    "KRT19": {"01": 10, "2": 4}, "DCN": {"3": 9, "4": 3}, "ACTA2": {"4": 12, "5": 0.8}, "VWF": {"5": 7},
    "CD8A": {"6": 3}, "CD79A": {"7": 7}, "LYZ": {"8": 12, "2": 0.6}, "TOP2A": {"1": 5},
    "ERBB2": {"01": 7, "2": 1}, "VIM": {"34": 8, "5": 7, "678": 4}, "CA9": {"01": 6}, "VEGFA": {"01": 5, "8": 1},
    "CXCL13": {"67": 1.2, "3": 0.2}, "PTPRC": {"678": 4}, "KRT5": {"2": 5}, "MUC1": {"2": 8, "01": 2},
    "LUM": {"3": 8, "4": 2}, "POSTN": {"4": 6, "3": 1.5}, "FAP": {"4": 4, "3": 0.8}, "CDH5": {"5": 5},
    "CD4": {"6": 3, "8": 1}, "CD163": {"8": 6}, "MMP11": {"4": 3, "3": 0.6}, "CCNB1": {"1": 5}, "TFF3": {"2": 9},
    "CD19": {"7": 4}, "TRAC": {"6": 6}, "C1QA": {"8": 8}, "TAGLN": {"4": 10}, "FN1": {"4": 6, "3": 3},
}  # fmt: skip
# Cell types that the clustering splits in two along a gradient in the tissue. Clusters are numbered by decreasing size
# and have scanpy's default colors.
_SPLIT = (0, 3, 6)
_CLUSTER_COLORS = (
    "#1f77b4", "#ff7f0e", "#279e68", "#d62728", "#aa40fc", "#8c564b",
    "#e377c2", "#b5bd61", "#17becf", "#aec7e8", "#ffbb78", "#98df8a",
)  # fmt: skip
_HYPOXIC, _FRONT = ("CA9", "VEGFA"), ("ERBB2", "KRT19", "POSTN", "FAP", "MMP11", "VIM")


def _noise(rng: np.random.Generator, scale: float, power: float) -> NDArray[Any]:
    """Return smooth noise with unit variance: a flat spectrum above ``scale`` pixels, a power law below."""
    fy, fx = np.fft.fftfreq(_HEIGHT)[:, None], np.fft.rfftfreq(_WIDTH)[None, :]
    gain = (1 + (fy**2 + fx**2) * (2.2 * scale) ** 2) ** (-power / 2)
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((_HEIGHT, _WIDTH))) * gain, s=(_HEIGHT, _WIDTH))
    return np.asarray((field - field.mean()) / field.std())


def _blobs(seeds: NDArray[Any], radii: NDArray[Any], warp: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return the warped distance to the nearest seed in units of its radius, and the index of that seed."""
    from scipy import ndimage

    if len(seeds) == 0:
        return np.full((_HEIGHT, _WIDTH), 99.0), np.zeros((_HEIGHT, _WIDTH), int)
    number = np.full((_HEIGHT, _WIDTH), -1)
    number[seeds[:, 0], seeds[:, 1]] = np.arange(len(seeds))
    near_y, near_x = ndimage.distance_transform_edt(number < 0, return_distances=False, return_indices=True)
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    wy, wx = y + warp[0], x + warp[1]
    iy, ix = np.clip(wy, 0, _HEIGHT - 1).astype(int), np.clip(wx, 0, _WIDTH - 1).astype(int)
    sy, sx = near_y[iy, ix], near_x[iy, ix]
    label = number[sy, sx]
    return np.hypot(wy - sy, wx - sx) / np.asarray(radii)[label], label


def _scatter(rng: np.random.Generator, allowed: NDArray[Any], gap: float, most: int) -> NDArray[Any]:
    """Sample up to ``most`` pixels of ``allowed`` that are at least ``gap`` pixels apart."""
    pool = np.argwhere(allowed)
    kept: list[Any] = []
    for point in pool[rng.integers(len(pool), size=most * 8)] if len(pool) else ():
        if len(kept) < most and all(np.hypot(*(point - other)) >= gap for other in kept):
            kept.append(point)
    return np.array(kept, dtype=int).reshape(-1, 2)


def _section(seed: int, which: int) -> dict[str, Any]:
    """Draw one section: its region map, cell density, gradients and H&E-like image."""
    from scipy import ndimage

    shared, own = np.random.default_rng([seed, 7]), np.random.default_rng([seed, 100 + which])

    def noise(scale: float, power: float = 4.0, mix: float = 0.5) -> NDArray[Any]:
        field = _noise(shared, scale, power) * (1 - mix) + _noise(own, scale, power) * mix
        return np.asarray(field / field.std())

    soft: Callable[..., Any] = ndimage.gaussian_filter
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    u, v = (x - _WIDTH / 2) / 318, (y - _HEIGHT / 2) / 365
    angle, phase = np.arctan2(v, u), shared.uniform(0, 6.28, 2)
    edge = np.hypot(u, v) * (1 + 0.07 * np.cos(2 * angle + phase[0]) + 0.05 * np.cos(3 * angle + phase[1]))
    edge = edge + 0.055 * noise(120, 3.2) + 0.008 * noise(9, 3.0)
    frame = np.minimum(np.minimum(x, _WIDTH - 1 - x), np.minimum(y, _HEIGHT - 1 - y))
    mask = (edge < 0.88) & (frame > 8)
    labels, _ = ndimage.label(mask)
    mask = labels == np.bincount(labels[labels > 0]).argmax()
    depth = ndimage.distance_transform_edt(mask)
    warp = (7 * noise(26), 7 * noise(26))

    # Tumor: a lobed mass with islands at the invasive front and septa of stroma.
    turn = shared.uniform(0, 6.28)
    cu, cv = 0.26 * np.cos(turn), 0.26 * np.sin(turn)
    away = np.hypot((u - cu) / 0.62, (v - cv) / 0.6) + 0.17 * noise(110, 3.4)
    nest, septum = noise(26, 5.0), noise(62, 4.5)
    tumor = mask & ((0.86 - away) * 3.4 + 0.62 * nest > 0) & (away < 1.12) & (depth > 7)
    tumor &= np.abs(septum) > 0.05 + 0.13 * np.clip(away, 0, 1)
    necrosis = np.clip((0.3 - away) * 6, 0, 1)

    # Glands and the surface on which they open, away from the tumor.
    side = -(u * np.cos(turn) + v * np.sin(turn)) + 0.28 * noise(150)
    calm = mask & ~soft(tumor.astype(float), 5).astype(bool) & (away > 1.0)
    glandular = calm & (side > 0.1)
    seeds = _scatter(own, glandular & (depth > 26), 31, 90)
    gland, _ = _blobs(seeds, own.uniform(12, 19, max(len(seeds), 1)), warp)
    crypts = glandular & (gland < 1)
    lumen = crypts & (gland < 0.36)
    lining = mask & (depth < 11 + 3 * nest) & (side > 0.34) & (away > 0.95)

    # Fat: bubbles with thin walls, on another side of the tumor.
    fatty = calm & (np.sin(angle - turn + 1.2 * phase[0]) + 0.5 * noise(120) > 0.85) & (side < 0.25) & (depth > 4)
    spots = _scatter(own, fatty, 13, 320)
    _, bubble = _blobs(spots, np.ones(max(len(spots), 1)), (0.3 * warp[0], 0.3 * warp[1]))
    wall = ndimage.maximum_filter(bubble, 3) != ndimage.minimum_filter(bubble, 3)
    fat = soft(fatty.astype(float), 1.5) * ~wall > 0.5
    fat &= ~crypts & ~lining

    seeds = _scatter(own, calm & (away < 1.4) & (depth > 34) & ~fatty, 95, 6)
    follicle, _ = _blobs(seeds, own.uniform(24, 42, max(len(seeds), 1)), warp)
    follicles = mask & (follicle < 1)

    # Vessels: winding contours that taper, and a few in cross-section.
    course, reach = noise(105, 5.0), np.clip(noise(95) + 0.25, 0, 1.1)
    gy, gx = np.gradient(course)
    off = np.abs(course) / (np.hypot(gy, gx) + 2e-3) / (5.0 * reach + 1e-6)
    seeds = _scatter(own, calm & (depth > 22) & (follicle > 1.3) & ~crypts, 60, 9)
    off = np.minimum(off, _blobs(seeds, own.uniform(8, 15, max(len(seeds), 1)), warp)[0])
    vessels = mask & (off < 1) & (depth > 6) & ~follicles & ~crypts & ~fat & (necrosis == 0)
    bore = vessels & (off < 0.52)

    region = np.full(mask.shape, _STROMA)
    region[crypts | lining] = _EPITHELIUM
    region[tumor] = np.where(away < 0.56, _CORE, _RIM)[tumor]
    region[follicles] = _FOLLICLE
    region[vessels] = _VESSEL
    lumen &= region == _EPITHELIUM
    cleft = (np.abs(noise(70, 4.0, 0.8)) < 0.02) & (noise(60) > 0.9) & (region == _STROMA)

    density = np.array([0.34, 1.25, 1.0, 1.1, 1.9, 0.95])[region] * (1 - 0.72 * necrosis)
    density = density * np.exp(0.22 * noise(30)) * np.where(fat, 0.02, 1.0)
    density[~mask | lumen | cleft | (bore & (off < 0.4))] = 0

    # Two stains: eosin for matrix and cytoplasm, hematoxylin for nuclei.
    fiber = np.sin(9 * course + 5 * septum + 1.3 * nest + 0.9 * noise(6, 3.0))
    eosin = np.array([0.62, 0.50, 0.46, 0.48, 0.26, 0.85])[region]
    eosin = eosin * (1 + np.where(region == _STROMA, 0.26, 0.06) * fiber) * (1 + 0.10 * noise(45)) + 0.16 * necrosis
    hema = np.array([0.10, 0.40, 0.36, 0.40, 0.52, 0.14])[region] * (1 - 0.6 * necrosis)
    hema = hema + np.where(follicles, -0.16 * np.clip(1.2 - 2 * follicle, 0, 1), 0)
    hema = hema + np.where(crypts, 0.30 * np.clip((gland - 0.62) * 3, 0, 1), 0)  # nuclei are basal
    nuclei = soft((own.random(mask.shape) < 0.11 * density).astype(float), 0.75)
    hema = hema * (1 + 0.10 * noise(16, 3.0)) + 1.15 * nuclei
    blood = soft((bore & (noise(20) > -0.3)).astype(float), 0.8)
    cover = soft((mask & ~fat & ~lumen & ~cleft & ~(bore & (off < 0.45))).astype(float), 0.75)
    cover = np.maximum(cover, 0.75 * blood)
    eosin, hema = soft(eosin, 0.6) * cover + 0.35 * blood, hema * cover * (1 - 0.8 * blood)
    return {
        "region": region, "density": density, "eosin": eosin, "hema": hema, "away": away, "follicle": follicle,
        "doubt": noise(80), "warp": warp, "fields": np.stack([noise(90, 3.5, 0.3) for _ in range(4)]),
    }  # fmt: skip


def _place(rng: np.random.Generator, density: NDArray[Any], count: int) -> NDArray[Any]:
    """Sample ``count`` cells by density, push overlapping cells apart, and return their (y, x)."""
    from scipy.spatial import cKDTree

    flat = np.cumsum(density.ravel())
    pixel = np.searchsorted(flat, rng.random(count) * flat[-1], side="right")
    points = np.column_stack(np.unravel_index(pixel, density.shape)) + rng.random((count, 2))
    near = min(6, count - 1)
    for _ in range(5):
        distance, other = cKDTree(points).query(points, k=near + 1)
        room = np.median(distance[:, 1:], axis=1)[:, None, None] * 1.1
        gap = points[:, None, :] - points[other[:, 1:]]
        push = (gap / (distance[:, 1:, None] + 1e-9) * np.clip(room - distance[:, 1:, None], 0, None)).sum(1)
        moved = points + np.clip(0.28 * push, -3, 3)
        iy, ix = np.clip(moved.astype(int), 0, np.array(density.shape) - 1).T
        here = density[tuple(points.astype(int).T)]
        stays = np.abs(density[iy, ix] - here) < 0.6 * here  # cells do not cross into another region
        points = np.where(stays[:, None], np.clip(moved, 0, np.array(density.shape) - 1e-3), points)
    return points


def _expression(
    rng: np.random.Generator,
    kind: NDArray[Any],
    depth: NDArray[Any],
    fields: NDArray[Any],
    area: NDArray[Any],
    n_genes: int,
) -> tuple[Any, list[str], Any]:
    """Return the counts as a CSR matrix, the gene names, and a mask of the genes that follow the structure."""
    from scipy import sparse

    names = list(_MARKERS)[:n_genes]
    names += [f"GENE{i:04d}" for i in range(1, n_genes - len(names) + 1)]
    mean = np.full((len(_TYPES), n_genes), 0.05)
    for column, name in enumerate(names):
        for types, value in _MARKERS.get(name, {}).items():
            mean[[int(digit) for digit in types], column] = value
    marked = min(len(_MARKERS), n_genes)
    rest = n_genes - marked
    mean[:, marked:] = rng.gamma(0.6, 0.7, rest) + 0.02
    mean[:, marked:] *= np.exp(rng.normal(0, 1.0, (len(_TYPES), rest)) * (rng.random(rest) < 0.35))
    pull = rng.normal(0, 0.6, (len(fields), n_genes)) * (rng.random((len(fields), n_genes)) < 0.12)
    pull[:, :marked] *= 0.5
    inward = np.zeros(n_genes)
    for column, name in enumerate(names[:marked]):
        inward[column] = 1.6 if name in _HYPOXIC else -0.55 if name in _FRONT else 0.0
    size = np.exp(rng.normal(0, 0.28, len(kind))) * np.sqrt(area / 90)
    blocks = []
    for start in range(0, len(kind), 20_000):
        part = slice(start, start + 20_000)
        rate = mean[kind[part]] * np.exp(fields[:, part].T @ pull + depth[part, None] * inward)
        blocks.append(sparse.csr_matrix(rng.poisson(rate * size[part, None]).astype(np.float32)))
    variable = (mean.std(0) / mean.mean(0) > 0.8) | (np.abs(pull).sum(0) > 0.8)
    return sparse.vstack(blocks, format="csr"), names, variable


def _embed(rng: np.random.Generator, kind: NDArray[Any], depth: NDArray[Any], fields: NDArray[Any]) -> NDArray[Any]:
    """Return a UMAP-like embedding: one curved cluster per cell type, ordered along gradients in the tissue."""
    shape = np.array([(*row[1], *row[2:5]) for row in _TYPES.values()])[kind]
    along = 0.7 * rng.standard_normal(len(kind)) + 0.45 * fields[0] + 0.35 * depth
    across = rng.standard_normal(len(kind)) * 0.42 * (1 + 0.5 * np.cos(2.2 * along + kind)) + 0.12 * fields[1]
    p = along * shape[:, 3] * 1.3
    q = across + shape[:, 4] * (along**2 - 1) + 0.22 * np.sin(3 * along + kind)
    cos, sin = np.cos(shape[:, 2]), np.sin(shape[:, 2])
    flat = shape[:, :2] + np.column_stack([p * cos - q * sin, p * sin + q * cos])
    return np.asarray((flat + 0.06 * rng.standard_t(3, flat.shape)).astype(np.float32))


def _clusters(seed: int, kind: NDArray[Any], gradient: NDArray[Any]) -> Any:  # noqa: ANN401 - pandas is imported late
    """Return Leiden-like clusters: the cell types, some split in two, with a few misassigned cells."""
    import pandas as pd

    rng = np.random.default_rng([seed, 3])
    fine = kind + len(_TYPES) * (np.isin(kind, _SPLIT) & (gradient > 0))
    stray = rng.random(len(kind)) < 0.02
    fine[stray] = rng.permutation(fine[stray])
    names, codes, sizes = np.unique(fine, return_inverse=True, return_counts=True)
    number = np.empty(len(names), dtype=int)
    number[np.argsort(-sizes, kind="stable")] = np.arange(len(names))
    return pd.Categorical.from_codes(number[codes], [str(i) for i in range(len(names))])


def synthetic_tissue(n_cells: int = 20_000, n_genes: int = 300, *, seed: int = 0) -> AnnData:
    """Generate a small tumor in two sections on one slide, with an H&E-like image.

    Parameters
    ----------
    n_cells
        Number of cells in both sections together, at least 50.
    n_genes
        Number of genes, at least 1. Known markers come first, followed by ``GENE0001``, ``GENE0002`` and so on.
    seed
        Random seed. The same seed gives the same tissue.

    Returns
    -------
    AnnData
        Log-normalized ``X`` and ``layers['counts']`` (CSR, float32); cell type, region, section, Leiden
        clusters and more in ``obs``; ``obsm['spatial']`` (full-resolution pixels, y down) and ``obsm['X_umap']``; the
        image in ``uns['spatial']['synthetic']``.

    Raises
    ------
    ValueError
        If `n_cells` is less than 50 or `n_genes` less than 1.

    Examples
    --------
    >>> from karospace_jupyter.datasets import synthetic_tissue
    >>> synthetic_tissue(n_cells=500, n_genes=40).shape
    (500, 40)
    """
    if n_cells < 50 or n_genes < 1:
        msg = f"n_cells must be at least 50 and n_genes at least 1 (got {n_cells} and {n_genes})"
        raise ValueError(msg)
    import pandas as pd
    from anndata import AnnData
    from scipy import ndimage, sparse

    rng = np.random.default_rng([seed, 1])
    parts: dict[str, list[Any]] = {}
    stains = []
    for which, count in enumerate((n_cells - n_cells // 2, n_cells // 2)):
        drawn = _section(seed, which)
        points = _place(rng, drawn["density"], count)
        at = tuple(points.astype(int).T)
        region, follicle = drawn["region"][at], drawn["follicle"][at]
        mix = _MIX[region]
        # Follicles hold B cells in the center, and T cells around them.
        center = (region == _FOLLICLE)[:, None] * np.where(follicle < 0.62, 1, -1)[:, None]
        mix = (
            mix
            * np.where(np.arange(len(_TYPES)) == 7, 6.0**center, 1.0)
            * np.where(np.arange(len(_TYPES)) == 6, 4.0**-center, 1.0)
        )
        # Myofibroblasts, T cells and macrophages gather at the invasive front.
        front = np.exp(-(((drawn["away"][at] - 0.95) / 0.16) ** 2)) * (region == _STROMA)
        mix[:, [4, 6, 8]] *= 1 + np.array([6.0, 3.0, 2.0]) * front[:, None]
        kind = (rng.random(count)[:, None] > np.cumsum(mix / mix.sum(1, keepdims=True), axis=1)[:, :-1]).sum(1)
        # The pathologist's outlines follow the regions loosely, and leave out doubtful areas.
        loose = [
            np.clip(a + 0.8 * w[at], 0, n - 1).astype(int)
            for a, w, n in zip(at, drawn["warp"], (800, 700), strict=False)
        ]
        seen = np.array([1, 0, 2, 2, 3, 1])[drawn["region"][tuple(loose)]]
        cells = {
            "points": points + np.array([0, which * _WIDTH]), "region": region, "kind": kind,
            "section": np.full(count, which), "depth": np.clip(1.1 - 1.9 * drawn["away"][at], -1, 1.2),
            "seen": np.where(drawn["doubt"][at] > 1.0, -1, seen), "fields": drawn["fields"][:, at[0], at[1]],
        }  # fmt: skip
        for key, value in cells.items():
            parts.setdefault(key, []).append(value)
        stains.append((drawn["eosin"], drawn["hema"]))
    joined = {key: np.concatenate(value, axis=1 if key == "fields" else 0) for key, value in parts.items()}
    kind, region, depth, points = (joined[key] for key in ("kind", "region", "depth", "points"))
    depth = np.where(kind <= 1, depth, 0.3 * depth)

    eosin, hema = (np.concatenate([pair[i] for pair in stains], axis=1) for i in (0, 1))
    dots = np.zeros(eosin.shape)
    np.add.at(dots, tuple(points.astype(int).T), 1.0)
    hema = hema + 0.9 * np.minimum(ndimage.gaussian_filter(np.minimum(dots, 1), 0.7), 0.45)
    stain = eosin[..., None] * np.array([0.10, 0.62, 0.30]) + hema[..., None] * np.array([0.72, 0.92, 0.36])
    light = np.array([248, 246, 249]) * np.exp(-stain) + rng.normal(0, 1.2, (*eosin.shape, 1))
    image = np.clip(light, 0, 255).astype(np.uint8)

    area = np.array([row[5] for row in _TYPES.values()])[kind] * np.exp(rng.normal(0, 0.22, n_cells))
    counts, names, variable = _expression(rng, kind, depth, joined["fields"], area, n_genes)
    total = np.asarray(counts.sum(axis=1)).ravel()
    scale = np.median(total[total > 0]) if total.any() else 1.0
    x = sparse.csr_matrix(sparse.diags(scale / np.maximum(total, 1)) @ counts).astype(np.float32)
    x.data = np.log1p(x.data)
    notes = ("Normal epithelium", "Stroma", "Invasive carcinoma", "Lymphoid aggregate")
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical.from_codes(kind, list(_TYPES)),
            "region": pd.Categorical.from_codes(region, list(_REGIONS)),
            "section": pd.Categorical.from_codes(joined["section"], ["Section A", "Section B"]),
            "area": area,
            "total_counts": total.astype(np.float32),
            "n_genes_by_counts": np.diff(counts.indptr).astype(np.int32),
            "is_tumor": kind <= 1,
            "pathologist": pd.Categorical.from_codes(joined["seen"], list(notes)),
            "leiden": _clusters(seed, kind, joined["fields"][0]),
        },
        index=[f"cell_{i:06d}" for i in range(1, n_cells + 1)],
    )
    ids = [f"ENSG9{i:010d}" for i in range(1, n_genes + 1)]
    adata = AnnData(X=x, obs=obs, var=pd.DataFrame({"gene_ids": ids, "highly_variable": variable}, index=names))
    adata.layers["counts"] = counts
    adata.obsm["spatial"] = points[:, ::-1] / _SCALE
    adata.obsm["X_umap"] = _embed(rng, kind, depth, joined["fields"])
    adata.uns["cell_type_colors"] = [row[0] for row in _TYPES.values()]
    adata.uns["leiden_colors"] = list(_CLUSTER_COLORS[: obs["leiden"].cat.categories.size])
    factors = {"tissue_hires_scalef": _SCALE, "spot_diameter_fullres": 24.0, "microns_per_pixel": 0.5}
    adata.uns["spatial"] = {"synthetic": {"images": {"hires": image}, "scalefactors": factors}}
    return adata


def main(argv: Sequence[str] | None = None, *, default: Path | None = None) -> int:
    """Write a synthetic tissue to an ``.h5ad`` file and print its path.

    Parameters
    ----------
    argv
        Command line arguments. By default, ``sys.argv[1:]``.
    default
        Output path if `argv` contains none. If None, `argv` must contain a path.

    Returns
    -------
    int
        The exit status, always 0; invalid arguments raise SystemExit.
    """
    parser = argparse.ArgumentParser(description="Write a synthetic tissue to an .h5ad file.")
    if default is None:
        parser.add_argument("out", type=Path, metavar="OUT.h5ad")
    else:
        parser.add_argument(
            "out", type=Path, metavar="OUT.h5ad", nargs="?", default=default, help="default: %(default)s"
        )
    parser.add_argument("--cells", type=int, default=20_000, help="number of cells (default: %(default)s)")
    parser.add_argument("--genes", type=int, default=300, help="number of genes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    args = parser.parse_args(argv)
    try:
        adata = synthetic_tissue(args.cells, args.genes, seed=args.seed)
    except ValueError as error:
        parser.error(str(error))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    adata.write_h5ad(args.out)
    print(args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
