import type { Numbers } from '../lib/numbers';
import type { Codes } from './column-values';

/** Counts the marked cells by code; the last entry counts codes of `count` and above. */
export function countInside(mask: Uint8Array, codes: Codes, count: number): Uint32Array {
  const counts = new Uint32Array(count + 1);
  for (let cell = 0; cell < mask.length; cell++) {
    if (!mask[cell]) continue;
    const code = Math.min(codes[cell] ?? count, count);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

/** Fractions of one category among the marked cells and among all others. */
export interface Part {
  /** Code of the category; the number of categories for cells without a value. */
  code: number;
  /** Number of marked cells. */
  count: number;
  /** Fraction of the marked cells, 0 to 1. */
  inside: number;
  /** Fraction of the other cells; NaN if there are none. */
  rest: number;
}

/** A category without marked cells is listed if it makes up at least this fraction of the other cells. */
const NOTABLE = 0.01;

/**
 * Compares the composition of the marked cells with that of all others, sorted by descending difference of fractions.
 * `totals` counts all cells of each category; its last entry counts cells without a value.
 */
export function composition(mask: Uint8Array, codes: Codes, totals: ArrayLike<number>): Part[] {
  const counts = countInside(mask, codes, totals.length - 1);
  const marked = counts.reduce((sum, count) => sum + count, 0);
  const all = Array.from(totals).reduce((sum, total) => sum + total, 0);
  const others = all - marked;
  const apart = ({ inside, rest }: Part) => (others > 0 ? Math.abs(inside - rest) : inside);
  return Array.from(totals)
    .map((total, code) => {
      const count = counts[code] ?? 0;
      return {
        code,
        count,
        inside: count / marked,
        rest: others > 0 ? (total - count) / others : Number.NaN,
      };
    })
    .filter(({ count, rest }) => count > 0 || rest >= NOTABLE)
    .sort((a, b) => apart(b) - apart(a));
}

/** Minimum number of enriched and of depleted categories to list. */
const OF_EACH = 2;

/** Returns the first `count` parts of a composition, including some enriched and some depleted ones. */
export function foremost(parts: readonly Part[], count: number): readonly Part[] {
  const enriched = parts.filter(({ inside, rest }) => inside > rest);
  const depleted = parts.filter(({ inside, rest }) => inside < rest);
  const first = new Set([...enriched.slice(0, OF_EACH), ...depleted.slice(0, OF_EACH), ...parts]);
  const chosen = new Set([...first].slice(0, count));
  return parts.filter((part) => chosen.has(part));
}

export interface Side {
  /** Mean of the finite values; NaN if there are none. */
  mean: number;
  /** Mean after back-transformation to a linear scale; NaN if there is no such scale. */
  linear: number;
  /** Fraction of nonzero values among cells with a value, 0 to 1; NaN if there are none. */
  detected: number;
}

/**
 * Summarizes the values of the marked cells and of the others; `among` restricts both to its flagged cells.
 * `linear` is applied to each value before averaging: a mean of logarithms is not the logarithm of a mean.
 */
export function valuesBySide(
  mask: Uint8Array,
  values: Numbers,
  among: Uint8Array | null = null,
  linear: ((value: number) => number) | null = null,
): { inside: Side; outside: Side } {
  const sums = [0, 0];
  const linearSums = [0, 0];
  const sizes = [0, 0];
  const nonZero = [0, 0];
  for (let cell = 0; cell < values.length; cell++) {
    if (among && !among[cell]) continue;
    const value = values[cell] ?? Number.NaN;
    const side = mask[cell] ? 1 : 0;
    if (!Number.isFinite(value)) continue;
    sums[side] = (sums[side] ?? 0) + value;
    if (linear) linearSums[side] = (linearSums[side] ?? 0) + linear(value);
    sizes[side] = (sizes[side] ?? 0) + 1;
    if (value !== 0) nonZero[side] = (nonZero[side] ?? 0) + 1;
  }
  const of = (side: number): Side => {
    const size = sizes[side] || Number.NaN;
    return {
      mean: (sums[side] ?? 0) / size,
      linear: linear ? (linearSums[side] ?? 0) / size : Number.NaN,
      detected: (nonZero[side] ?? 0) / size,
    };
  };
  return { inside: of(1), outside: of(0) };
}

/** Comparison of the marked cells with the others. */
export type Comparison =
  | { kind: 'ratio'; ratio: number; inside: number; outside: number }
  | { kind: 'difference'; difference: number };

/**
 * Returns the ratio of the linear means if there is a linear scale, else the difference of the means; null if a side
 * has no values. The ratio is NaN for 0 / 0 and infinite for a division by 0.
 */
export function compared(inside: Side, outside: Side): Comparison | null {
  if (Number.isNaN(inside.mean) || Number.isNaN(outside.mean)) return null;
  const scales = [inside.linear, outside.linear];
  // Values too large to be logarithms of counts back-transform to infinity.
  if (scales.every((mean) => Number.isFinite(mean) && mean >= 0)) {
    const { linear } = inside;
    return { kind: 'ratio', ratio: linear / outside.linear, inside: linear, outside: outside.linear };
  }
  return { kind: 'difference', difference: inside.mean - outside.mean };
}
