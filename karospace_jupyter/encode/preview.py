"""Draw `preview.png`, a small image of the tissue, with numpy."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from karospace_jupyter.plan import Plan

SIDE = 512
"""Longer side of the image, in pixels."""

_SHARPNESS = 2  # supersampling factor, for smooth edges
_PLAIN = (87, 117, 168)
_MISSING = (176, 182, 190)
_SCALE = np.array(
    [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ],
    dtype=np.float64,
)  # viridis in nine even steps


def draw_preview(plan: Plan, gene: NDArray[np.float32] | None = None) -> bytes:
    """Draw the cells in the initial color on a transparent background.

    Parameters
    ----------
    plan
        What is exported.
    gene
        The values of :func:`initial_gene`, shape (n_cells,). Without them, as for a view that is colored by several
        genes, the first annotation is shown.

    Returns
    -------
    bytes
        A PNG of at most 512 × 512 pixels.
    """
    from PIL import Image

    xy = plan.coordinates.xy
    low, high = xy.min(axis=0), xy.max(axis=0)
    span = np.maximum(high - low, 1e-12)
    big = SIDE * _SHARPNESS
    scale = (big - 1) / float(span.max()) * 0.96
    margin = int(np.ceil(big * 0.02))
    width, height = (int(s * scale) + 1 + 2 * margin for s in span)
    column = ((xy[:, 0] - low[0]) * scale).astype(np.intp) + margin
    row = ((xy[:, 1] - low[1]) * scale).astype(np.intp) + margin
    if plan.coordinates.y_axis == "up":
        row = height - 1 - row
    pixels = np.zeros((height * width, 4), dtype=np.uint8)
    colors = _initial_colors(plan, gene)
    place = row * width + column
    for dy, dx in _disc(len(xy), float(span[0] * span[1]) * scale**2, margin):
        pixels[place + dy * width + dx] = colors
    picture = pixels.reshape(height, width, 4)
    # Average colors weighted by alpha; otherwise the edges become dark.
    h, w = height // _SHARPNESS, width // _SHARPNESS
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


def initial_gene(plan: Plan) -> str | None:
    """Return the gene by which the viewer initially colors the cells; None if it uses something else."""
    color = _initial_state(plan).get("color") or {}
    return str(color["gene"]) if color.get("kind") == "gene" else None


def _initial_state(plan: Plan) -> dict[str, Any]:
    view = plan.view or {}
    state: dict[str, Any] = view.get("state", view)
    return state


def _initial_colors(plan: Plan, gene: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    """Return the RGBA color of each cell, shape (n, 4)."""
    n = len(plan.coordinates.xy)
    state = _initial_state(plan)
    color = state.get("color") or {}
    if gene is not None:
        detected = gene[np.isfinite(gene) & (gene != 0)]
        top = float(np.percentile(detected, 99)) if len(detected) else 0.0
        return _in_scale(gene, min(0.0, float(detected.min(initial=0))), top)
    column = color.get("column") if color.get("kind") == "annotation" else None
    first = plan.annotations[0] if plan.annotations else None
    annotation = next((one for one in plan.annotations if one.name == column), first)
    if annotation is None or color.get("kind") == "none":
        return np.broadcast_to(np.array([*_PLAIN, 255], dtype=np.uint8), (n, 4))
    if annotation.kind == "category":
        custom: dict[str, str] = (state.get("classColors") or {}).get(annotation.name, {})
        pairs = zip(annotation.categories, annotation.colors, strict=True)
        table = [tuple(bytes.fromhex(custom.get(name, color)[1:7])) for name, color in pairs]
        palette = np.array([(*rgb, 255) for rgb in [*table, _MISSING]], dtype=np.uint8)
        return palette[annotation.codes]
    finite = annotation.values[np.isfinite(annotation.values)]
    low, high = np.percentile(finite, [1, 99]) if len(finite) else (0.0, 0.0)
    return _in_scale(annotation.values, low, high)


def _in_scale(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return the RGBA color of each value between two limits; missing values are gray."""
    share = np.nan_to_num((np.clip(values, low, high) - low) / ((high - low) or 1.0))
    steps = np.linspace(0, 1, 256)
    lut = np.stack([np.interp(steps, np.linspace(0, 1, len(_SCALE)), _SCALE[:, c]) for c in range(3)], axis=1)
    palette = np.array([(*rgb, 255) for rgb in [*lut.round().astype(int).tolist(), _MISSING]], dtype=np.uint8)
    return palette[np.where(np.isfinite(values), (share * 255).astype(np.intp), 256)]
