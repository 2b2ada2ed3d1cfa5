import type { Camera, Extent } from './camera';

/**
 * Offset that is subtracted from coordinates before they are stored as float32, which has only seven digits. Cells,
 * extents and drawing are relative to it; coordinates that users see and save are those of the source.
 */
export type Origin = readonly [x: number, y: number];

export const ZERO: Origin = [0, 0];

/** Tolerated mean rounding error of float32, as a fraction of the distance between neighbors. */
const FINE = 5e-5;
/** Tolerated maximum error, used if only extents are known; same unit. */
const FINE_AT_MOST = 1e-4;
/** Minimum factor by which an origin must reduce the error. */
const GAIN = 4;
/** Number of cells sampled to estimate the distance between neighbors. */
const LOOKED_AT = 32;
const NEIGHBORS = 6;

/**
 * Returns an origin for interleaved x, y: a round number near the center, or near the median if there are outliers;
 * zero if float32 is precise enough without one. The exporter applies the same rule.
 */
export function originOf(xy: Float64Array): Origin {
  const placed = placedOf(xy);
  const near = [nearOf(placed[0]), nearOf(placed[1])] as const;
  if (near[0] === 0 && near[1] === 0) return ZERO;
  const fine = FINE * pitchOf(placed);
  const of = (axis: 0 | 1) => (errorOf(placed[axis], 0) > fine ? near[axis] : 0);
  return [of(0), of(1)];
}

function nearOf(values: Float64Array): number {
  const ordered = values.slice().sort();
  const at = (share: number) => ordered[Math.floor(ordered.length * share)] ?? 0;
  const [first, last] = [at(0), ordered.at(-1) ?? 0];
  let [best, error] = [0, errorOf(values, 0)];
  const limit = error / GAIN;
  for (const origin of [rounded(first / 2 + last / 2, last - first), rounded(at(0.5), at(0.95) - at(0.05))]) {
    const left = errorOf(values, origin);
    if (left < error && left <= limit) [best, error] = [origin, left];
  }
  return best;
}

/** Estimates the distance between neighbors from the density around sampled cells, so that gaps do not matter. */
function pitchOf([x, y]: Placed): number {
  const found: number[] = [];
  const looks = Math.min(x.length, LOOKED_AT);
  for (let look = 0; look < looks; look++) {
    const place = Math.floor((look * (x.length - 1)) / Math.max(1, looks - 1));
    const nearest: number[] = [];
    for (let i = 0; i < x.length; i++) {
      const apart = Math.hypot((x[i] ?? 0) - (x[place] ?? 0), (y[i] ?? 0) - (y[place] ?? 0));
      if (apart === 0 || (nearest.length === NEIGHBORS && apart >= (nearest.at(-1) ?? 0))) continue;
      if (nearest.length === NEIGHBORS) nearest.pop();
      const after = nearest.findIndex((distance) => distance > apart);
      nearest.splice(after < 0 ? nearest.length : after, 0, apart);
    }
    const farthest = nearest.at(-1);
    if (farthest !== undefined) found.push(farthest * Math.sqrt(Math.PI / nearest.length));
  }
  found.sort((a, b) => a - b);
  return found[Math.floor(found.length / 2)] ?? 0;
}

/** Rounds to a multiple of the largest power of ten that does not exceed `side`. */
function rounded(value: number, side: number): number {
  const power = side > 0 ? Math.floor(Math.log10(side)) : 0;
  if (power < 0) return Number(value.toFixed(Math.min(100, -power)));
  const step = 10 ** power;
  return Math.round(value / step) * step;
}

/** Returns whether float32 moves cells of an extent by more than `FINE_AT_MOST` and an origin would help. */
export function blurs([x0, y0, x1, y1]: Extent, cells: number): boolean {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const pitch = dx * dy > 0 ? Math.sqrt((dx * dy) / cells) : Math.max(dx, dy) / Math.max(1, cells);
  return [
    [x0, x1, dx],
    [y0, y1, dy],
  ].some(([low = 0, high = 0, side = 0]) => {
    const most = Math.max(Math.abs(low), Math.abs(high));
    return most * 2 ** -24 > FINE_AT_MOST * pitch && side * GAIN <= most;
  });
}

type Placed = readonly [x: Float64Array, y: Float64Array];

/** Returns the x and y coordinates of the cells that have both. */
function placedOf(xy: Float64Array): Placed {
  const [x, y] = [new Float64Array(xy.length / 2), new Float64Array(xy.length / 2)];
  let n = 0;
  for (let i = 0; i < xy.length; i += 2) {
    const [left, top] = [xy[i] ?? Number.NaN, xy[i + 1] ?? Number.NaN];
    if (!Number.isFinite(left) || !Number.isFinite(top)) continue;
    x[n] = left;
    y[n++] = top;
  }
  return [x.subarray(0, n), y.subarray(0, n)];
}

/** Returns the mean rounding error of float32 for values relative to the origin. */
function errorOf(values: Float64Array, origin: number): number {
  let sum = 0;
  for (const value of values) sum += Math.abs(value - origin - Math.fround(value - origin));
  return values.length ? sum / values.length : 0;
}

/** Converts interleaved x, y to float32 relative to the origin. */
export function seenFrom([x, y]: Origin, xy: Float64Array): Float32Array {
  return Float32Array.from(xy, (value, i) => value - (i % 2 === 0 ? x : y));
}

export function extentFrom([x, y]: Origin, [x0, y0, x1, y1]: Extent): Extent {
  return [x0 - x, y0 - y, x1 - x, y1 - y];
}

/** Converts an extent relative to the origin to coordinates of the source. */
export function extentAt([x, y]: Origin, [x0, y0, x1, y1]: Extent): Extent {
  return [x0 + x, y0 + y, x1 + x, y1 + y];
}

/** Converts a camera of the view state (coordinates of the source) to one relative to the origin. */
export function cameraFrom([x, y]: Origin, camera: Camera): Camera {
  return { ...camera, x: camera.x - x, y: camera.y - y };
}

/** Converts a camera relative to the origin to one of the view state (coordinates of the source). */
export function cameraAt([x, y]: Origin, camera: Camera): Camera {
  return { ...camera, x: camera.x + x, y: camera.y + y };
}

const digitsOf = (value: number) => {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
};

/** Adds two numbers without extra decimal places: 10000000.1, not 10000000.099999999. */
export function plain(value: number, origin: number): number {
  if (origin === 0 || !Number.isFinite(value)) return value;
  return Number((value + origin).toFixed(Math.min(15, Math.max(digitsOf(value), digitsOf(origin)))));
}
