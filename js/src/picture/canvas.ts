import { cssColor } from '../lib/color';
import { PictureError } from '../lib/errors';
import { formatCount } from '../lib/format';
import type { PictureLayout } from './layout';
import { FONT, HALO_WIDTH, type Mark, type MarkColor, type Measure } from './marks';

const css = ({ color }: MarkColor) => cssColor(color);

let ruler: CanvasRenderingContext2D | null = null;

/** Measures text with this browser's fonts. */
export const measureText: Measure = (text, size, weight) => {
  ruler ??= document.createElement('canvas').getContext('2d');
  if (!ruler) return text.length * size * 0.6;
  ruler.font = `${weight} ${size}px ${FONT}`;
  return ruler.measureText(text).width;
};

export function tooLarge(width: number, height: number): PictureError {
  return new PictureError(
    `A picture of ${formatCount(width)} × ${formatCount(height)} pixels is too large for this browser.`,
    'Choose a smaller scale or a smaller window.',
  );
}

/** Creates a canvas of that size, or throws if the browser cannot actually draw on it. */
export function largeCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const flat = canvas.getContext('2d');
  if (!flat || canvas.width !== width || canvas.height !== height) throw tooLarge(width, height);
  // Beyond its size limit a browser returns a canvas that silently ignores drawing: test the last pixel.
  flat.fillRect(width - 1, height - 1, 1, 1);
  let alpha = 0;
  try {
    alpha = flat.getImageData(width - 1, height - 1, 1, 1).data[3] ?? 0;
  } catch {
    // Unreadable counts as not drawn.
  }
  if (alpha === 0) throw tooLarge(width, height);
  flat.clearRect(0, 0, width, height);
  return canvas;
}

/** Paints the tissue of a pane with its upper left corner at (x, y), in pixels of the picture. */
export type PaintTissue = (pane: number, into: CanvasRenderingContext2D, x: number, y: number) => void;

export function drawLayout(
  layout: PictureLayout,
  scale: number,
  tissue: PaintTissue,
  into: HTMLCanvasElement,
): void {
  const flat = into.getContext('2d');
  if (!flat) throw tooLarge(into.width, into.height);
  flat.setTransform(scale, 0, 0, scale, 0, 0);
  for (const mark of layout.marks) drawMark(flat, mark, scale, tissue);
}

function drawMark(flat: CanvasRenderingContext2D, mark: Mark, scale: number, tissue: PaintTissue): void {
  if (mark.kind === 'tissue') {
    flat.setTransform(1, 0, 0, 1, 0, 0);
    tissue(mark.pane, flat, Math.round(mark.x * scale), Math.round(mark.y * scale));
    flat.setTransform(scale, 0, 0, scale, 0, 0);
    return;
  }
  if (mark.kind === 'text') {
    flat.font = `${mark.weight} ${mark.size}px ${FONT}`;
    flat.textAlign = mark.anchor === 'middle' ? 'center' : mark.anchor;
    flat.textBaseline = 'alphabetic';
    if (mark.halo) {
      flat.strokeStyle = css(mark.halo);
      flat.lineWidth = HALO_WIDTH;
      flat.lineJoin = 'round';
      flat.strokeText(mark.text, mark.x, mark.y);
    }
    flat.fillStyle = css(mark.fill);
    flat.fillText(mark.text, mark.x, mark.y);
    return;
  }
  flat.beginPath();
  if (mark.kind === 'line') {
    mark.points.forEach(([x, y], index) => {
      if (index === 0) flat.moveTo(x, y);
      else flat.lineTo(x, y);
    });
    flat.lineWidth = mark.width;
    flat.strokeStyle = css(mark.paint);
    flat.stroke();
    return;
  }
  if (mark.kind === 'dot') {
    flat.arc(mark.x, mark.y, mark.radius, 0, 2 * Math.PI);
    flat.fillStyle = css(mark.fill);
    flat.fill();
    return;
  }
  flat.roundRect(mark.x, mark.y, mark.width, mark.height, mark.radius ?? 0);
  if (mark.kind === 'ramp') {
    const ramp = flat.createLinearGradient(mark.x, 0, mark.x + mark.width, 0);
    mark.colors.forEach((color, index) => {
      ramp.addColorStop(index / Math.max(1, mark.colors.length - 1), cssColor(color));
    });
    flat.fillStyle = ramp;
    flat.fill();
    return;
  }
  flat.fillStyle = css(mark.fill);
  flat.fill();
  if (!mark.line) return;
  flat.lineWidth = 1;
  flat.strokeStyle = css(mark.line);
  flat.stroke();
}

export function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(tooLarge(canvas.width, canvas.height));
    }, 'image/png');
  });
}
