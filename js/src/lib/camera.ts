import type { PointSize } from './point-size';

/** Center of the area without cards, in coordinate units, and zoom. `zoom` 1 fits all cells at any window size. */
export interface Camera {
  x: number;
  y: number;
  zoom: number;
}

/** x min, y min, x max, y max */
export type Extent = readonly [number, number, number, number];

export interface Viewport {
  /** CSS pixels */
  width: number;
  height: number;
  /** Boxes of the cards, in CSS pixels: left, top, right, bottom. Cells are fitted between them. */
  cards?: readonly Extent[];
}

/** Transform from coordinates to CSS pixels, resolved from a camera and a viewport. */
export interface View {
  x: number;
  y: number;
  /** CSS pixels per coordinate unit */
  scale: number;
  /** Screen directions (right, down) of the data axes: (a, b) for x, (c, d) for y; each is 0, 1 or −1. */
  axes: readonly [number, number, number, number];
  width: number;
  height: number;
}

/** Rotation and mirroring of the tissue on the screen. */
export interface Orientation {
  /** Degrees clockwise */
  turn: Turn;
  /** Mirrored left to right, after the rotation. */
  flip: boolean;
}
export const TURNS = [0, 90, 180, 270] as const;
export type Turn = (typeof TURNS)[number];
export const UPRIGHT: Orientation = { turn: 0, flip: false };

/** Returns whether the rotation swaps width and height. */
export const lies = ({ turn }: Orientation) => turn === 90 || turn === 270;

/** Returns the screen directions of the x and y axes. */
export function axesOf(yAxis: 'down' | 'up', { turn, flip }: Orientation): View['axes'] {
  let axes = [1, 0, 0, yAxis === 'down' ? 1 : -1] as const;
  for (let at = 0; at < turn; at += 90)
    axes = [-axes[1], axes[0], -axes[3], axes[2]] as unknown as typeof axes;
  return flip ? [-axes[0], axes[1], -axes[2], axes[3]] : axes;
}

export const MIN_ZOOM = 0.2;
export const MAX_ZOOM = 2000;

/** Distance of cells from cards and from the edges of the window, as a share of its shorter side, and in CSS pixels. */
const GAP = 0.03;
const MAX_GAP = 16;
/** Distance of large points from cards and from the edges of the window, in CSS pixels. */
const POINT_GAP = 4;
/** Minimum scale, as a fraction of that without cards: it is better to cover cells than to draw them even smaller. */
const LEAST = 0.4;

/** How all cells are fitted into the window. */
export interface Fit {
  /** CSS pixels per coordinate unit */
  scale: number;
  /** Place of their center, in CSS pixels from the middle of the window. */
  right: number;
  down: number;
}

/**
 * Fits all cells between the cards, as large and as near to the middle as possible. `extent` spans the centers of the
 * points, `size` is their diameter before the user changes it: a change of the size must not move the cells.
 */
export function fitOf(
  extent: Extent,
  { width, height, cards = [] }: Viewport,
  orientation: Orientation,
  size: PointSize = { units: 0, most: 0, room: 0 },
): Fit {
  const sides = [extent[2] - extent[0], extent[3] - extent[1]] as const;
  const [dx, dy] = lies(orientation) ? [sides[1], sides[0]] : sides;
  if (!(dx > 0) && !(dy > 0)) return { scale: 1, right: 0, down: 0 };
  const gap = Math.min(MAX_GAP, GAP * Math.min(width, height));
  // Points are proportional to the scale up to a limit, so either limit leaves room for them; use the larger scale.
  const scaleAlong = (room: number, side: number) =>
    side > 0
      ? Math.min(
          Math.max(1, room - 2 * gap) / side,
          Math.max(
            Math.max(1, room - 2 * POINT_GAP) / (side + size.units),
            Math.max(1, room - 2 * POINT_GAP - size.most) / side,
          ),
        )
      : Infinity;
  const scaleIn = (w: number, h: number) => Math.min(scaleAlong(w, dx), scaleAlong(h, dy));
  const whole = scaleIn(width, height);
  let best: Fit = { scale: whole, right: 0, down: 0 };
  let most = 0;
  const search = (left: number, top: number, right: number, bottom: number) => {
    const scale = scaleIn(right - left, bottom - top);
    if (scale < LEAST * whole) return;
    const card = cards.find(([x0, y0, x1, y1]) => x0 < right && x1 > left && y0 < bottom && y1 > top);
    if (card) {
      search(card[2], top, right, bottom);
      search(left, card[3], right, bottom);
      search(left, top, card[0], bottom);
      search(left, top, right, card[1]);
      return;
    }
    /** Returns how far to move a side from the middle of the window so that it is between two edges. */
    const aside = (from: number, to: number, all: number, side: number) => {
      const half =
        (side * scale) / 2 + Math.max(gap, Math.min(size.most, size.units * scale) / 2 + POINT_GAP);
      return Math.max(from + half, Math.min(to - half, all / 2)) - all / 2;
    };
    const fit = { scale, right: aside(left, right, width, dx), down: aside(top, bottom, height, dy) };
    const worth = scale / (1 + Math.hypot(fit.right, fit.down) / (width + height));
    if (worth <= most) return;
    most = worth;
    best = fit;
  };
  search(0, 0, width, height);
  return best;
}

export function fitCamera(extent: Extent): Camera {
  return { x: (extent[0] + extent[2]) / 2, y: (extent[1] + extent[3]) / 2, zoom: 1 };
}

export function viewOf(
  camera: Camera,
  extent: Extent,
  viewport: Viewport,
  yAxis: 'down' | 'up',
  orientation = UPRIGHT,
  fit = fitOf(extent, viewport, orientation),
): View {
  const { width, height } = viewport;
  const { x, y, zoom } = camera;
  const view = { x, y, scale: fit.scale * zoom, axes: axesOf(yAxis, orientation), width, height };
  const [dx, dy] = along(view, fit.right, fit.down);
  return { ...view, x: x - dx, y: y - dy };
}

/** Returns the bounding box of interleaved x, y. */
export function boxOf(points: readonly number[]): Extent {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Returns the camera that fits a box of coordinates into the whole window, including the parts under cards. */
export function boxCamera(
  box: Extent,
  extent: Extent,
  viewport: Viewport,
  yAxis: 'down' | 'up',
  orientation = UPRIGHT,
  fit = fitOf(extent, viewport, orientation),
): Camera {
  const [left, top, right, bottom] = box;
  const { width, height } = viewport;
  const [across, down] = lies(orientation) ? [height, width] : [width, height];
  const scale = Math.min(
    across / Math.max(right - left, Number.MIN_VALUE),
    down / Math.max(bottom - top, Number.MIN_VALUE),
  );
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, scale / fit.scale));
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const view = viewOf({ x, y, zoom }, extent, viewport, yAxis, orientation, fit);
  return { x: 2 * x - view.x, y: 2 * y - view.y, zoom };
}

/** Returns whether the window shows any part of the box. */
export function sees(view: View, [left, top, right, bottom]: Extent): boolean {
  const [ax, ay] = unproject(view, 0, 0);
  const [bx, by] = unproject(view, view.width, view.height);
  return (
    Math.max(ax, bx) >= left &&
    Math.min(ax, bx) <= right &&
    Math.max(ay, by) >= top &&
    Math.min(ay, by) <= bottom
  );
}

export function project(view: View, x: number, y: number): [number, number] {
  const [a, b, c, d] = view.axes;
  const dx = (x - view.x) * view.scale;
  const dy = (y - view.y) * view.scale;
  return [view.width / 2 + a * dx + c * dy, view.height / 2 + b * dx + d * dy];
}

/** Returns the screen direction (right, down) of rows of bins at `angle`, in degrees from x toward y. */
export function rowOnScreen({ axes: [a, b, c, d] }: View, angle: number): readonly [number, number] {
  const [x, y] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return [a * x + c * y, b * x + d * y];
}

/** Converts a screen offset to data coordinates. The axes are orthonormal, so the transpose is the inverse. */
function along({ axes: [a, b, c, d], scale }: View, right: number, down: number): [number, number] {
  return [(a * right + b * down) / scale, (c * right + d * down) / scale];
}

export function unproject(view: View, px: number, py: number): [number, number] {
  const [dx, dy] = along(view, px - view.width / 2, py - view.height / 2);
  return [view.x + dx, view.y + dy];
}

export function panned(camera: Camera, view: View, dx: number, dy: number): Camera {
  const [x, y] = along(view, dx, dy);
  return { ...camera, x: camera.x - x, y: camera.y - y };
}

/** Zooms by `factor` and keeps the coordinate under pixel (px, py) in place. */
export function zoomedAt(camera: Camera, view: View, factor: number, px: number, py: number): Camera {
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, camera.zoom * factor));
  const [x, y] = unproject(view, px, py);
  const keep = camera.zoom / zoom;
  return { x: x + (camera.x - x) * keep, y: y + (camera.y - y) * keep, zoom };
}
