import type { Camera, Extent } from './camera';

/**
 * What is subtracted from coordinates before they become float32, which has seven digits: cells, extents and what is
 * drawn are counted from it; what a reader sees and saves is in the coordinates of the source.
 */
export type Origin = readonly [x: number, y: number];

export const ZERO: Origin = [0, 0];

/** A share of the distance between neighbors: float32 may move a cell by so much. */
const FINE = 1e-4;
/** An origin has to make the error so many times less. */
const GAIN = 4;

/** A round number near the middle of interleaved x, y; zero where float32 holds them as they are. The exporter's rule. */
export function originOf(xy: Float64Array): Origin {
  const axes = ([0, 1] as const).map((axis) => spanOf(xy, axis));
  const [x, y] = axes as [Span, Span];
  if (x.count === 0) return ZERO;
  const area = (x.high - x.low) * (y.high - y.low);
  const pitch =
    area > 0 ? Math.sqrt(area / x.count) : Math.max(x.high - x.low, y.high - y.low) / Math.max(1, x.count);
  const of = (axis: 0 | 1, { low, high }: Span): number => {
    const error = errorOf(xy, axis, 0);
    if (error <= FINE * pitch) return 0;
    const origin = rounded(low / 2 + high / 2, high > low ? Math.floor(Math.log10(high - low)) : 0);
    return errorOf(xy, axis, origin) * GAIN <= error ? origin : 0;
  };
  return [of(0, x), of(1, y)];
}

/** To a multiple of ten to the power, without digits behind it. */
function rounded(value: number, power: number): number {
  if (power < 0) return Number(value.toFixed(Math.min(100, -power)));
  const step = 10 ** power;
  return Math.round(value / step) * step;
}

/** Whether float32 moves cells within an extent by more than that, where an origin would help. */
export function blurs([x0, y0, x1, y1]: Extent, cells: number): boolean {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const pitch = dx * dy > 0 ? Math.sqrt((dx * dy) / cells) : Math.max(dx, dy) / Math.max(1, cells);
  return [
    [x0, x1, dx],
    [y0, y1, dy],
  ].some(([low = 0, high = 0, side = 0]) => {
    const most = Math.max(Math.abs(low), Math.abs(high));
    return most * 2 ** -24 > FINE * pitch && side * GAIN <= most;
  });
}

interface Span {
  low: number;
  high: number;
  count: number;
}

function spanOf(xy: Float64Array, axis: 0 | 1): Span {
  const span = { low: Infinity, high: -Infinity, count: 0 };
  for (let i = 0; i < xy.length; i += 2) {
    if (!Number.isFinite(xy[i]) || !Number.isFinite(xy[i + 1])) continue;
    const value = xy[i + axis] ?? 0;
    span.low = Math.min(span.low, value);
    span.high = Math.max(span.high, value);
    span.count++;
  }
  return span;
}

function errorOf(xy: Float64Array, axis: 0 | 1, origin: number): number {
  let most = 0;
  for (let i = 0; i < xy.length; i += 2) {
    if (!Number.isFinite(xy[i]) || !Number.isFinite(xy[i + 1])) continue;
    const value = (xy[i + axis] ?? 0) - origin;
    most = Math.max(most, Math.abs(value - Math.fround(value)));
  }
  return most;
}

/** Interleaved x, y as seen from the origin. */
export function seenFrom([x, y]: Origin, xy: Float64Array): Float32Array {
  return Float32Array.from(xy, (value, i) => value - (i % 2 === 0 ? x : y));
}

export function extentFrom([x, y]: Origin, [x0, y0, x1, y1]: Extent): Extent {
  return [x0 - x, y0 - y, x1 - x, y1 - y];
}

/** An extent of what is drawn, in coordinates of the source. */
export function extentAt([x, y]: Origin, [x0, y0, x1, y1]: Extent): Extent {
  return [x0 + x, y0 + y, x1 + x, y1 + y];
}

/** A camera of the view's state, which is in coordinates of the source, as one over what is drawn. */
export function cameraFrom([x, y]: Origin, camera: Camera): Camera {
  return { ...camera, x: camera.x - x, y: camera.y - y };
}

/** A camera over what is drawn as one of the view's state. */
export function cameraAt([x, y]: Origin, camera: Camera): Camera {
  return { ...camera, x: camera.x + x, y: camera.y + y };
}

const digitsOf = (value: number) => {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
};

/** The sum of two numbers with no more digits behind the point than either has: 10000000.1, not 10000000.099999999. */
export function plain(value: number, origin: number): number {
  if (origin === 0 || !Number.isFinite(value)) return value;
  return Number((value + origin).toFixed(Math.min(15, Math.max(digitsOf(value), digitsOf(origin)))));
}
