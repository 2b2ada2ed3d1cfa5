/** Where the view looks: centre in coordinate units; `zoom` 1 shows all cells, whatever the size of the window. */
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
}

/** Camera and viewport resolved into one map from coordinates to CSS pixels. */
export interface View {
  x: number;
  y: number;
  /** CSS pixels per coordinate unit */
  scale: number;
  /** 1 where y grows downwards, -1 where it grows upwards */
  ySign: 1 | -1;
  width: number;
  height: number;
}

export const MIN_ZOOM = 0.2;
export const MAX_ZOOM = 2000;

export function fitScale(extent: Extent, viewport: Viewport): number {
  // The cards that float at the top cover no cell, unless the window is too low for that.
  const above = Math.min(68, viewport.height * 0.16);
  const beside = Math.max(24, viewport.width * 0.06);
  const width = Math.max(16, viewport.width - 2 * beside);
  const height = Math.max(16, viewport.height - 2 * above);
  const dx = extent[2] - extent[0];
  const dy = extent[3] - extent[1];
  if (!(dx > 0) && !(dy > 0)) return 1;
  return Math.min(dx > 0 ? width / dx : Infinity, dy > 0 ? height / dy : Infinity);
}

export function fitCamera(extent: Extent): Camera {
  return { x: (extent[0] + extent[2]) / 2, y: (extent[1] + extent[3]) / 2, zoom: 1 };
}

export function viewOf(camera: Camera, extent: Extent, viewport: Viewport, yAxis: 'down' | 'up'): View {
  return {
    x: camera.x,
    y: camera.y,
    scale: fitScale(extent, viewport) * camera.zoom,
    ySign: yAxis === 'down' ? 1 : -1,
    width: viewport.width,
    height: viewport.height,
  };
}

/** Of interleaved x, y. */
export function boxOf(points: readonly number[]): Extent {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The camera that shows a box of coordinates as large as the window allows. */
export function boxCamera(box: Extent, extent: Extent, viewport: Viewport): Camera {
  const [left, top, right, bottom] = box;
  const scale = Math.min(
    viewport.width / Math.max(right - left, Number.MIN_VALUE),
    viewport.height / Math.max(bottom - top, Number.MIN_VALUE),
  );
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, scale / fitScale(extent, viewport)));
  return { x: (left + right) / 2, y: (top + bottom) / 2, zoom };
}

export function project(view: View, x: number, y: number): [number, number] {
  return [
    view.width / 2 + (x - view.x) * view.scale,
    view.height / 2 + (y - view.y) * view.scale * view.ySign,
  ];
}

export function unproject(view: View, px: number, py: number): [number, number] {
  return [
    view.x + (px - view.width / 2) / view.scale,
    view.y + (py - view.height / 2) / (view.scale * view.ySign),
  ];
}

export function panned(camera: Camera, view: View, dx: number, dy: number): Camera {
  return {
    ...camera,
    x: camera.x - dx / view.scale,
    y: camera.y - dy / (view.scale * view.ySign),
  };
}

/** Zooms by `factor` and keeps the coordinate below pixel (px, py) where it is. */
export function zoomedAt(camera: Camera, view: View, factor: number, px: number, py: number): Camera {
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, camera.zoom * factor));
  const [x, y] = unproject(view, px, py);
  const keep = camera.zoom / zoom;
  return { x: x + (camera.x - x) * keep, y: y + (camera.y - y) * keep, zoom };
}
