import { unproject } from '../lib/camera';
import { PictureError } from '../lib/errors';
import { formatCount } from '../lib/format';
import type { Frame, Renderer } from './renderer';

/** In device pixels. Some GPUs refuse larger tiles; smaller ones need more draw calls. */
const TILE = 4096;
const SMALLEST_TILE = 128;

/** The destination of a picture of the tissue. */
export interface Target {
  into: CanvasRenderingContext2D;
  /** The upper left corner of the view, in pixels of the target */
  x: number;
  y: number;
  /** Pixels of the target per CSS pixel */
  scale: number;
}

/**
 * Redraws the frame at another resolution, tile by tile, and copies the tiles into the target.
 *
 * Leaves the canvas resized and with a tile on it: the caller must redraw its own frame in the same task.
 */
export function paintTiles(
  gl: WebGL2RenderingContext,
  renderer: Renderer,
  frame: Frame,
  { into, x, y, scale }: Target,
): void {
  const { view } = frame;
  const canvas = gl.canvas as HTMLCanvasElement;
  const width = Math.max(1, Math.round(view.width * scale));
  const height = Math.max(1, Math.round(view.height * scale));
  const pointSize = sizeOnScreen(gl, frame, scale);
  // GPUs clip points by their center: the margin makes room for half a cell around each tile.
  const margin = Math.ceil((pointSize * scale) / 2) + 1;
  const { w, h } = fitTile(gl, canvas, { width, height, margin });
  for (let top = 0; top < height; top += h) {
    for (let left = 0; left < width; left += w) {
      const [cx, cy] = unproject(view, (left + w / 2) / scale, (top + h / 2) / scale);
      const tile = { ...view, x: cx, y: cy, width: canvas.width / scale, height: canvas.height / scale };
      renderer.draw({ ...frame, view: tile, ratio: scale, pointSize, budget: Number.MAX_SAFE_INTEGER });
      const cut = [Math.min(w, width - left), Math.min(h, height - top)] as const;
      into.drawImage(canvas, margin, margin, ...cut, x + left, y + top, ...cut);
    }
  }
}

/** Returns the size of a cell on screen, in CSS pixels: GPUs limit the size of points. */
function sizeOnScreen(gl: WebGL2RenderingContext, { pointSize, ratio }: Frame, scale: number): number {
  const limit = (gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE) as Float32Array)[1] ?? 1;
  const seen = Math.min(pointSize, limit / ratio);
  if (seen * scale <= limit) return seen;
  throw new PictureError(
    `At this scale a cell would be ${formatCount(seen * scale)} pixels wide; this GPU draws at most ${formatCount(limit)}.`,
    'Choose a smaller scale, or zoom out.',
  );
}

/** Resizes the canvas to a tile with margins; returns the size of the tile without them. */
function fitTile(
  gl: WebGL2RenderingContext,
  canvas: HTMLCanvasElement,
  { width, height, margin }: { width: number; height: number; margin: number },
): { w: number; h: number } {
  const [maxWidth = 0, maxHeight = 0] = gl.getParameter(gl.MAX_VIEWPORT_DIMS) as Int32Array;
  const limit = Math.min(maxWidth, maxHeight, gl.getParameter(gl.MAX_RENDERBUFFER_SIZE) as number);
  for (let side = Math.min(TILE, limit - 2 * margin); side >= SMALLEST_TILE; side >>= 1) {
    const w = Math.min(side, width);
    const h = Math.min(side, height);
    canvas.width = w + 2 * margin;
    canvas.height = h + 2 * margin;
    // A GPU short of memory allocates less than requested.
    if (gl.drawingBufferWidth === canvas.width && gl.drawingBufferHeight === canvas.height) return { w, h };
  }
  throw new PictureError(
    'The GPU does not have enough memory to draw the tissue at this scale.',
    'Choose a smaller scale, or zoom out.',
  );
}
