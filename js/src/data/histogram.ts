import type { Numbers } from '../lib/numbers';

/** One bar of a histogram. */
export interface Bar {
  /** Range of values; those beyond the axis are counted in the first and last bar. */
  from: number;
  to: number;
  /** Number of cells. */
  count: number;
  /** Square root of the count relative to that of the tallest bar, 0 to 1. */
  height: number;
  /** Whether the bar exceeds the axis and is drawn shorter than its count. */
  cut: boolean;
}

export interface Histogram {
  bars: readonly Bar[];
  /** Cells whose value is exactly zero. */
  zeros: number;
  /** Cells below the axis, counted in the first bar. */
  below: number;
  /** Cells above the axis, counted in the last bar. */
  above: number;
}

/**
 * Counts finite values in equal bins between `from` and `to`; values beyond are counted in the end bins.
 *
 * With `cutZeros`, the bar that contains zero does not set the scale: for a sparse gene it would flatten all others.
 */
export function histogram(
  values: Numbers,
  [from, to]: readonly [number, number],
  bins: number,
  { cutZeros = false } = {},
): Histogram {
  const counts = new Uint32Array(bins);
  const perUnit = to > from ? bins / (to - from) : 0;
  const binOf = (value: number) => Math.min(bins - 1, Math.max(0, Math.floor((value - from) * perUnit)));
  let zeros = 0;
  let below = 0;
  let above = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    const bin = binOf(value);
    counts[bin] = (counts[bin] ?? 0) + 1;
    if (value === 0) zeros++;
    if (value < from) below++;
    else if (value > to) above++;
  }
  const zeroBin = cutZeros && zeros > 0 && from <= 0 && to >= 0 ? binOf(0) : -1;
  let tallest = 0;
  for (const [bin, count] of counts.entries()) if (bin !== zeroBin) tallest = Math.max(tallest, count);
  // If all values are zero, their bar sets the scale.
  if (tallest === 0) tallest = Math.max(1, counts[zeroBin] ?? 1);
  const width = (to - from) / bins;
  const bars = Array.from(counts, (count, bin) => ({
    from: from + bin * width,
    to: from + (bin + 1) * width,
    count,
    height: Math.min(1, Math.sqrt(count / tallest)),
    cut: count > tallest,
  }));
  return { bars, zeros, below, above };
}
