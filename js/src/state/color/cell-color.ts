import { MISSING_COLOR, PLAIN_COLOR, parseColor, type Rgb } from '../../lib/color';
import type { ColorScale } from '../../lib/colormap';
import { cornersOf, mixture, shareOf } from './blend';
import type { Paint } from './category-colors';
import type { Layer } from './layer';

/** Returns a function that gives the color of a cell outside the WebGL view; null for a hidden cell. */
export function cellColor(
  layer: Layer,
  { paint, scale, dark }: { paint: Paint | null; scale: ColorScale; dark: boolean },
): (cell: number) => Rgb | null {
  const missing = parseColor(MISSING_COLOR);
  if (layer.kind === 'category' && paint) {
    const { codes } = layer.column;
    const last = paint.colors.length - 1;
    const colors = paint.colors.map(parseColor);
    return (cell) => {
      const code = Math.min(codes[cell] ?? last, last);
      return paint.alpha[code] === 0 ? null : (colors[code] ?? missing);
    };
  }
  if (layer.kind === 'value') {
    const { values } = layer;
    return (cell) => {
      const value = values[cell] ?? Number.NaN;
      return Number.isFinite(value) ? scale.rgb(value) : missing;
    };
  }
  if (layer.kind === 'blend') {
    const corners = cornersOf(dark);
    return (cell) => {
      const values = layer.parts.map((part) => part.values[cell] ?? 0);
      if (values.some(Number.isNaN)) return missing;
      return mixture(
        corners,
        layer.parts.map((part, at) => shareOf(part, values[at] ?? 0)),
      );
    };
  }
  const plain = parseColor(PLAIN_COLOR);
  return () => plain;
}
