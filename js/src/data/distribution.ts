import { type Numbers, zerosLike } from '../lib/numbers';
import { pause, turns } from '../lib/pause';
import { quantile } from '../lib/quantile';
import type { Codes } from './column-values';

/** Distribution of the values of one category. */
export interface Spread {
  /** Number of cells with a value. */
  count: number;
  mean: number;
  /** Quartiles with linear interpolation, like numpy; NaN if there are no cells. */
  q1: number;
  median: number;
  q3: number;
  /** Cells in each of `BINS` equal steps of the scale; values beyond it are counted in the end bins. */
  bins: Uint32Array;
  /** Cells with values below and above the scale. */
  below: number;
  above: number;
}

/** Maps values to positions on an axis. */
export interface Scale {
  /** Position: 0 at the lower limit, 1 at the upper, clamped. */
  share(value: number): number;
  readonly range: readonly [number, number];
}

export const BINS = 48;
/** Number of values per slice: a category may have millions. */
const AT_ONCE = 100_000;

const EMPTY: Spread = {
  count: 0,
  mean: Number.NaN,
  q1: Number.NaN,
  median: Number.NaN,
  q3: Number.NaN,
  bins: new Uint32Array(BINS),
  below: 0,
  above: 0,
};

/**
 * Computes the distribution of the finite values of each category, over the cells where `mask` equals `side`, or over
 * all cells without a mask. Runs in slices; can be aborted between them.
 */
export async function spreadsByCode(
  values: Numbers,
  codes: Codes,
  count: number,
  scale: Scale,
  { mask = null, side = 1, signal }: { mask?: Uint8Array | null; side?: 0 | 1; signal: AbortSignal },
): Promise<Spread[]> {
  const taken = (cell: number) =>
    (codes[cell] ?? count) < count && (!mask || mask[cell] === side) && Number.isFinite(values[cell]);
  const starts = new Uint32Array(count + 1);
  for (let cell = 0; cell < values.length; cell++)
    if (taken(cell)) starts[(codes[cell] ?? 0) + 1] = (starts[(codes[cell] ?? 0) + 1] ?? 0) + 1;
  for (let code = 0; code < count; code++) starts[code + 1] = (starts[code + 1] ?? 0) + (starts[code] ?? 0);
  await pause();
  signal.throwIfAborted();
  const sorted = zerosLike(values, starts[count] ?? 0);
  const next = starts.slice();
  for (let cell = 0; cell < values.length; cell++) {
    if (!taken(cell)) continue;
    const code = codes[cell] ?? 0;
    const at = next[code] ?? 0;
    sorted[at] = values[cell] ?? 0;
    next[code] = at + 1;
  }
  const spreads: Spread[] = [];
  const turn = turns();
  const pauseIfDue = async () => {
    await turn();
    signal.throwIfAborted();
  };
  for (let code = 0; code < count; code++)
    spreads.push(await spreadOf(sorted.subarray(starts[code], starts[code + 1]), scale, pauseIfDue));
  return spreads;
}

/** Computes the distribution of finite values, which are reordered. */
async function spreadOf(
  values: Numbers,
  { share, range: [low, high] }: Scale,
  pauseIfDue: () => Promise<void>,
): Promise<Spread> {
  if (values.length === 0) return EMPTY;
  const bins = new Uint32Array(BINS);
  let sum = 0;
  let below = 0;
  let above = 0;
  for (let from = 0; from < values.length; from += AT_ONCE) {
    await pauseIfDue();
    for (const value of values.subarray(from, from + AT_ONCE)) {
      sum += value;
      if (value < low) below++;
      else if (value > high) above++;
      const bin = Math.min(BINS - 1, Math.floor(share(value) * BINS));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
  }
  const quartiles: number[] = [];
  for (const q of [0.25, 0.5, 0.75]) {
    await pauseIfDue();
    quartiles.push(quantile(values, q));
  }
  const [q1 = Number.NaN, median = Number.NaN, q3 = Number.NaN] = quartiles;
  return { count: values.length, mean: sum / values.length, q1, median, q3, bins, below, above };
}

/** Returns half-widths of a violin, smoothed over neighboring bins and scaled to a maximum of 1. */
export function halfWidths(bins: Uint32Array): Float32Array {
  const smooth = new Float32Array(bins.length);
  for (let i = 0; i < bins.length; i++) {
    const here = bins[i] ?? 0;
    smooth[i] = ((bins[i - 1] ?? here) + 2 * here + (bins[i + 1] ?? here)) / 4;
  }
  const most = smooth.reduce((top, value) => Math.max(top, value), 0);
  // Square roots keep the few cells that express a sparse gene visible next to the many that do not.
  return most > 0 ? smooth.map((value) => Math.sqrt(value / most)) : smooth;
}
