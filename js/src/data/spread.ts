import { type Numbers, zerosLike } from '../lib/numbers';
import { pause, turns } from '../lib/pause';
import { quantile } from '../lib/quantile';
import type { Codes } from './columns';

/** How the values of one class lie. */
export interface Spread {
  /** Cells with a value */
  count: number;
  mean: number;
  /** Quartiles, with linear interpolation as numpy's; NaN where there is no cell. */
  q1: number;
  median: number;
  q3: number;
  /** Cells in each of `BINS` equal steps of the scale, what lies beyond in the end bins. */
  bins: Uint32Array;
  /** Cells with values below the scale, and above it */
  below: number;
  above: number;
}

/** Where values lie on an axis. */
export interface Scale {
  /** 0 at the lower limit, 1 at the upper, no further. */
  share(value: number): number;
  readonly range: readonly [number, number];
}

export const BINS = 48;
/** So many values at once: a class may have millions. */
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
 * The spread of the finite values of each class, of the cells that `mask` marks with `side`; all cells without a mask.
 *
 * Stops between two turns when `signal` says so.
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
  const due = async () => {
    await turn();
    signal.throwIfAborted();
  };
  for (let code = 0; code < count; code++)
    spreads.push(await spreadOf(sorted.subarray(starts[code], starts[code + 1]), scale, due));
  return spreads;
}

/** Of finite values, which are reordered. */
async function spreadOf(
  values: Numbers,
  { share, range: [low, high] }: Scale,
  due: () => Promise<void>,
): Promise<Spread> {
  if (values.length === 0) return EMPTY;
  const bins = new Uint32Array(BINS);
  let sum = 0;
  let below = 0;
  let above = 0;
  for (let from = 0; from < values.length; from += AT_ONCE) {
    await due();
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
    await due();
    quartiles.push(quantile(values, q));
  }
  const [q1 = Number.NaN, median = Number.NaN, q3 = Number.NaN] = quartiles;
  return { count: values.length, mean: sum / values.length, q1, median, q3, bins, below, above };
}

/** Half-widths of a violin, 0 to 1: neighbouring bins lent a little to each other, the largest at 1. */
export function halfWidths(bins: Uint32Array): Float32Array {
  const smooth = new Float32Array(bins.length);
  for (let i = 0; i < bins.length; i++) {
    const here = bins[i] ?? 0;
    smooth[i] = ((bins[i - 1] ?? here) + 2 * here + (bins[i + 1] ?? here)) / 4;
  }
  const most = smooth.reduce((top, value) => Math.max(top, value), 0);
  // Areas would hide the few cells that express a sparse gene behind the many that do not.
  return most > 0 ? smooth.map((value) => Math.sqrt(value / most)) : smooth;
}
