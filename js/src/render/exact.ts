import { signedLog1p } from '../lib/colormap';

/** The shader's limits for values scaled by `alongScale`. */
export const SCALED_RANGE = [1, 2] as const;

export interface Scaling {
  range: readonly [number, number];
  log: boolean;
  dimZeros: boolean;
}

/**
 * Scales float64 values for the GPU, which has float32: 1 at the lower limit, 2 at the upper.
 *
 * Scaling in float64 keeps values distinct that float32 would merge. Dimmed zeros become NaN, like missing values,
 * which look the same.
 */
export function alongScale(values: Float64Array, { range, log, dimZeros }: Scaling): Float32Array {
  const [low, high] = log ? [signedLog1p(range[0]), signedLog1p(range[1])] : range;
  const perUnit = high > low ? 1 / (high - low) : 0;
  const along = new Float32Array(values.length);
  for (let cell = 0; cell < values.length; cell++) {
    const value = values[cell] ?? Number.NaN;
    if (dimZeros && value === 0) along[cell] = Number.NaN;
    else along[cell] = 1 + Math.min(1, Math.max(0, ((log ? signedLog1p(value) : value) - low) * perUnit));
  }
  return along;
}

export const sameScaling = (a: Scaling | null, b: Scaling): boolean =>
  a?.range[0] === b.range[0] && a.range[1] === b.range[1] && a.log === b.log && a.dimZeros === b.dimZeros;
