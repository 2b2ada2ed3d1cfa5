import type { Viewport } from '../lib/camera';
import { parseCssColor, type Rgb } from '../lib/color';
import { GraphicsError } from '../lib/errors';

/** Size of the canvas in device pixels. */
export function canvasSize({ width, height }: Viewport): Viewport {
  const ratio = window.devicePixelRatio || 1;
  return { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)) };
}

export function fitCanvas(canvas: HTMLCanvasElement, viewport: Viewport): void {
  const { width, height } = canvasSize(viewport);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

/** Returns the background color of the tissue: that of the nearest ancestor that has one. */
export function groundOf(canvas: HTMLCanvasElement): Rgb {
  for (let element = canvas.parentElement; element; element = element.parentElement) {
    const color = parseCssColor(getComputedStyle(element).backgroundColor);
    if (color) return color;
  }
  return [255, 255, 255];
}

/** Returns the canvas on its background color as PNG. Must run in the task that drew: the canvas may be cleared later. */
export function photographOf(canvas: HTMLCanvasElement): Promise<Blob> {
  const picture = document.createElement('canvas');
  picture.width = canvas.width;
  picture.height = canvas.height;
  const flat = picture.getContext('2d');
  if (!flat) throw new GraphicsError('this browser does not provide a 2D canvas');
  flat.fillStyle = `rgb(${groundOf(canvas).join(' ')})`;
  flat.fillRect(0, 0, picture.width, picture.height);
  flat.drawImage(canvas, 0, 0);
  return new Promise<Blob>((resolve, reject) => {
    picture.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new GraphicsError('the picture is too large for this browser'));
    }, 'image/png');
  });
}
