"""Positions of cells on the page, mouse input that draws around them, and shares that the page shows."""

from __future__ import annotations

from collections.abc import Sequence

import anndata as ad
import numpy as np
from conftest import Viewer
from numpy.typing import NDArray

Point = tuple[float, float]
# Fractions of the width and height of the tissue on screen: x0, y0, x1, y1.
MIDDLE = (0.3, 0.3, 0.7, 0.65)


class Screen:
    """Compute the position of each cell on the page from its coordinates and the positions of three cells."""

    def __init__(self, viewer: Viewer, adata: ad.AnnData) -> None:
        xy = np.asarray(adata.obsm["spatial"], dtype=np.float32).astype(float)
        corners = [int(np.argmin(xy[:, 0])), int(np.argmax(xy[:, 0])), int(np.argmax(xy[:, 1]))]
        positions = np.array(viewer.positions(corners))
        transform = np.linalg.lstsq(np.c_[xy[corners], np.ones(3)], positions, rcond=None)[0]
        self.at: NDArray[np.float64] = np.c_[xy, np.ones(len(xy))] @ transform

    def point(self, across: float, down: float) -> Point:
        """Return the point at fractions of the width and height of the tissue."""
        low, high = self.at.min(axis=0), self.at.max(axis=0)
        x, y = low + (high - low) * [across, down]
        return round(float(x)), round(float(y))

    def rectangle(self, x0: float, y0: float, x1: float, y1: float) -> tuple[Point, Point]:
        return self.point(x0, y0), self.point(x1, y1)

    def within(self, start: Point, end: Point) -> NDArray[np.bool_]:
        return np.asarray(((self.at >= start) & (self.at <= end)).all(axis=1))

    def near(self, start: Point, end: Point) -> NDArray[np.bool_]:
        """Return the cells within 0.1 pixels of the border, whose selection depends on rounding."""
        grown = self.within((start[0] - 0.1, start[1] - 0.1), (end[0] + 0.1, end[1] + 0.1))
        shrunk = self.within((start[0] + 0.1, start[1] + 0.1), (end[0] - 0.1, end[1] - 0.1))
        return grown & ~shrunk

    def in_polygon(self, points: Sequence[Point], shift: float = 0) -> NDArray[np.bool_]:
        """Return the cells inside a polygon after moving them by `shift` pixels right and down."""
        x, y = self.at.T + shift
        inside = np.zeros(len(x), dtype=bool)
        for (xa, ya), (xb, yb) in zip(points, [*points[1:], points[0]], strict=True):
            if ya == yb:
                continue
            inside ^= ((ya > y) != (yb > y)) & (x < (xb - xa) * (y - ya) / (yb - ya) + xa)
        return inside


def middle_cells(viewer: Viewer, count: int) -> list[int]:
    """Return cells near the middle of the tissue, away from all cards."""
    at = np.array(viewer.positions(list(range(viewer.page.evaluate("karospace.cells")))))
    return [int(cell) for cell in np.argsort(np.hypot(*(at - np.median(at, axis=0)).T))[:count]]


def selection(viewer: Viewer) -> NDArray[np.bool_] | None:
    """Return the mask of the selected cells, or None without a selection."""
    found = viewer.page.evaluate("window.karospace.selection?.join('') ?? null")
    return None if found is None else np.array(list(found)) == "1"


def selected(viewer: Viewer) -> NDArray[np.bool_]:
    found = selection(viewer)
    assert found is not None, "nothing is selected"
    return found


def select(viewer: Viewer, mask: NDArray[np.bool_]) -> None:
    text = "".join("1" if inside else "0" for inside in mask)
    viewer.page.evaluate("text => window.karospace.select(Uint8Array.from(text, Number))", text)


def drag(viewer: Viewer, points: Sequence[Point], *, key: str = "", button: str = "left") -> None:
    """Drag along the points while `key` is held; join several keys with a plus sign."""
    mouse, keyboard = viewer.page.mouse, viewer.page.keyboard
    keys = key.split("+") if key else []
    mouse.move(*points[0])
    for held in keys:
        keyboard.down(held)
    mouse.down(button=button)
    for point in points[1:]:
        mouse.move(*point, steps=3)
    mouse.up(button=button)
    for held in keys:
        keyboard.up(held)


def tool(viewer: Viewer, name: str) -> None:
    viewer.page.get_by_role("button", name=name).click()


def parse_share(text: str) -> float:
    """Return the fraction that a text such as “12%” or “< 0.1%” shows."""
    return float(text.removesuffix("%").strip("<> ")) / 100
