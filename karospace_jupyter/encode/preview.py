"""Draw `preview.png`, a small image of the tissue, with numpy."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karospace_jupyter.plan import Plan
    from karospace_jupyter.plan.model import CategoryAnnotation

SIDE = 512
"""Longer side of the image, in pixels."""

_SUPERSAMPLING = 2  # for smooth edges
_PLAIN = (125, 136, 150)
_MISSING = (176, 182, 190)
_SEQUENTIAL = (
    "440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725"
)
_DIVERGING = (
    "053061 185493 2c75b4 4393c3 78b4d5 a7d0e4 d1e5f0 eaf1f5 f9eee7 fddbc7 f7b799 ea8e70 d6604d be3036 991027 67001f"
)
"""Evenly spaced colors of the color maps that the viewer uses by default: viridis, and RdBu for signed values."""


def draw_preview(plan: Plan, gene: NDArray[np.float32] | None = None) -> bytes:
    """Draw the cells in the initial color on a transparent background.

    Hidden categories and groups of the initial view are respected, but not its other settings, such as another
    color map. Cells colored by several genes are drawn in a single color.

    Parameters
    ----------
    plan
        What is exported.
    gene
        The values of :func:`initial_gene`, shape (n_cells,).

    Returns
    -------
    bytes
        A PNG of at most 512 × 512 pixels.
    """
    from PIL import Image

    xy = plan.coordinates.xy
    low, high = xy.min(axis=0), xy.max(axis=0)
    span = np.maximum(high - low, 1e-12)
    big = SIDE * _SUPERSAMPLING
    scale = (big - 1) / float(span.max()) * 0.96
    margin = int(np.ceil(big * 0.02))
    width, height = (int(s * scale) + 1 + 2 * margin for s in span)
    column = ((xy[:, 0] - low[0]) * scale).astype(np.intp) + margin
    row = ((xy[:, 1] - low[1]) * scale).astype(np.intp) + margin
    if plan.coordinates.y_axis == "up":
        row = height - 1 - row
    pixels = np.zeros((height * width, 4), dtype=np.uint8)
    colors = _initial_colors(plan, gene)
    shown = colors[:, 3] > 0
    place, colors = (row * width + column)[shown], colors[shown]
    for dy, dx in _disc(len(xy), float(span[0] * span[1]) * scale**2, margin):
        pixels[place + dy * width + dx] = colors
    picture = pixels.reshape(height, width, 4)
    # Average colors weighted by alpha; otherwise the edges become dark.
    h, w = height // _SUPERSAMPLING, width // _SUPERSAMPLING
    parts = picture[: h * 2, : w * 2].reshape(h, 2, w, 2, 4).swapaxes(1, 2).reshape(h, w, 4, 4).astype(np.uint16)
    full = parts[..., 3] > 0
    count = full.sum(axis=2)
    out = np.zeros((h, w, 4), dtype=np.uint8)
    out[..., :3] = (parts[..., :3] * full[..., None]).sum(axis=2) // np.maximum(count, 1)[..., None]
    out[..., 3] = count * 255 // 4
    stream = io.BytesIO()
    Image.fromarray(out, "RGBA").save(stream, "PNG", compress_level=4)
    return stream.getvalue()


def _disc(n: int, area: float, margin: int) -> list[tuple[int, int]]:
    """Return the pixel offsets of a disc whose size depends on the spacing of the cells."""
    spacing = float(np.sqrt(max(area, 1.0) / max(n, 1)))
    radius = min(0.5 * spacing, margin - 1.0, 9.0)
    reach = int(radius)
    steps = range(-reach, reach + 1)
    return [(dy, dx) for dy in steps for dx in steps if dy * dy + dx * dx <= radius * radius + 0.25]


def initial_gene(plan: Plan) -> tuple[str, str | None] | None:
    """Return the gene by which the viewer initially colors the cells, and its matrix if that is not the first."""
    state = _initial_state(plan)
    color = state.get("color") or {}
    if color.get("kind") != "gene":
        return None
    matrix = state.get("matrix")
    return str(color["gene"]), None if matrix in {None, plan.matrix_name} else str(matrix)


def _initial_state(plan: Plan) -> dict[str, Any]:
    view = plan.view or {}
    state: dict[str, Any] = view.get("state", view)
    return state


def _initial_colors(plan: Plan, gene: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    """Return the RGBA color of each cell, shape (n, 4); hidden cells are transparent."""
    state = _initial_state(plan)
    color = state.get("color") or {}
    if gene is not None:
        detected = gene[np.isfinite(gene) & (gene != 0)]
        upper = float(np.percentile(detected, 99)) if len(detected) else 0.0
        lower = float(np.percentile(detected, 1)) if (detected < 0).any() else 0.0
        return _in_scale(gene, state.get("range") or (lower, upper))
    column = color.get("column") if color.get("kind") == "annotation" else None
    annotation = next((one for one in plan.annotations if one.name == column), None)
    if not color and plan.annotations:  # the viewer chooses the first
        annotation = plan.annotations[0]
    if annotation is None:
        return np.broadcast_to(np.array([*_PLAIN, 255], dtype=np.uint8), (len(plan.coordinates.xy), 4))
    if annotation.kind == "category":
        return _category_colors(annotation, state)[annotation.codes]
    finite = annotation.values[np.isfinite(annotation.values)]
    low, high = np.percentile(finite, [1, 99]).tolist() if len(finite) else (0.0, 0.0)
    limits = (low, high) if low < high or not len(finite) else (float(finite.min()), float(finite.max()))
    return _in_scale(annotation.values, state.get("range") or limits)


def _category_colors(annotation: CategoryAnnotation, state: dict[str, Any]) -> NDArray[np.uint8]:
    """Return the RGBA color of each category and of missing values, shape (n_categories + 1, 4)."""
    custom = (state.get("classColors") or {}).get(annotation.name) or {}
    hidden = set((state.get("hidden") or {}).get(annotation.name) or ())
    color_of = dict(zip(annotation.categories, annotation.colors, strict=True))
    shown_as = {name: name for name in annotation.categories}
    counts = dict(zip(annotation.categories, np.bincount(annotation.codes).tolist(), strict=False))
    for group in (state.get("groups") or {}).get(annotation.name) or ():
        members = [name for name in group["members"] if name in counts]
        if not members or (group["name"] in shown_as and group["name"] not in members):
            continue
        largest = max(members, key=lambda name: counts[name])
        color = group.get("color") or color_of[largest]
        shown_as |= dict.fromkeys(members, group["name"])
        color_of |= dict.fromkeys(members, color)
    colors = [
        (*bytes.fromhex((custom.get(shown_as[name]) or color_of[name])[1:7]), 255 * (shown_as[name] not in hidden))
        for name in annotation.categories
    ]
    return np.array([*colors, (*_MISSING, 255 * (None not in hidden))], dtype=np.uint8)


def _in_scale(values: NDArray[Any], limits: Sequence[float]) -> NDArray[np.uint8]:
    """Return the RGBA color of each value between two limits, which become symmetric if they differ in sign."""
    low, high = limits
    stops = _SEQUENTIAL
    if low < 0 < high:
        low, high = -max(-low, high), max(-low, high)
        stops = _DIVERGING
    share = np.nan_to_num((np.clip(values, low, high) - low) / ((high - low) or 1.0))
    table = np.array([tuple(bytes.fromhex(stop)) for stop in stops.split()], dtype=np.float64)
    steps = np.linspace(0, len(table) - 1, 256)
    lut = np.stack([np.interp(steps, np.arange(len(table)), table[:, c]) for c in range(3)], axis=1)
    palette = np.array([(*rgb, 255) for rgb in [*lut.round().astype(int).tolist(), _MISSING]], dtype=np.uint8)
    return palette[np.where(np.isfinite(values), (share * 255).astype(np.intp), 256)]
