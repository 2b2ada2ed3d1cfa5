/** Center of the view in coordinate units, and zoom. `zoom` 1 fits all cells at any window size. */
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
  /** No cards overlap the tissue, so narrow margins suffice. */
  bare?: boolean;
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

/** CSS pixels. Below the first, cards wrap into two rows; below the second, the toolbar would cover the tissue. */
const TWO_ROWS = 560;
const NARROW = 480;

/** CSS pixels */
const BARE = { above: 16, beside: 16 };

/** Returns margins that keep the cards and the toolbar off the cells, unless the window is too small. */
function marginsOf({ width, height }: Viewport): { above: number; beside: number } {
  return {
    above: Math.min(width < TWO_ROWS ? 104 : 68, height * 0.16),
    beside: Math.max(width < NARROW ? Math.min(60, width * 0.14) : 24, width * 0.06),
  };
}

export function fitScale(extent: Extent, viewport: Viewport, orientation: Orientation): number {
  const { above, beside } = viewport.bare ? BARE : marginsOf(viewport);
  const width = Math.max(16, viewport.width - 2 * beside);
  const height = Math.max(16, viewport.height - 2 * above);
  const sides = [extent[2] - extent[0], extent[3] - extent[1]] as const;
  const [dx, dy] = lies(orientation) ? [sides[1], sides[0]] : sides;
  if (!(dx > 0) && !(dy > 0)) return 1;
  return Math.min(dx > 0 ? width / dx : Infinity, dy > 0 ? height / dy : Infinity);
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
): View {
  return {
    x: camera.x,
    y: camera.y,
    scale: fitScale(extent, viewport, orientation) * camera.zoom,
    axes: axesOf(yAxis, orientation),
    width: viewport.width,
    height: viewport.height,
  };
}

/** Returns the bounding box of interleaved x, y. */
export function boxOf(points: readonly number[]): Extent {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Returns the camera that fits a box of coordinates into the window. */
export function boxCamera(box: Extent, extent: Extent, viewport: Viewport, orientation = UPRIGHT): Camera {
  const [left, top, right, bottom] = box;
  const { width, height } = viewport;
  const [across, down] = lies(orientation) ? [height, width] : [width, height];
  const scale = Math.min(
    across / Math.max(right - left, Number.MIN_VALUE),
    down / Math.max(bottom - top, Number.MIN_VALUE),
  );
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, scale / fitScale(extent, viewport, orientation)));
  return { x: (left + right) / 2, y: (top + bottom) / 2, zoom };
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

/** Returns the screen direction (right, down) of rows at that angle in degrees from x toward y. */
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
