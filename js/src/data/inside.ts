import type { Codes } from './columns';

/** How many of the marked cells have each code below `count`; the last entry counts those beyond. */
export function countInside(mask: Uint8Array, codes: Codes, count: number): Uint32Array {
  const counts = new Uint32Array(count + 1);
  for (let cell = 0; cell < mask.length; cell++) {
    if (!mask[cell]) continue;
    const code = Math.min(codes[cell] ?? count, count);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

/** How much of one class there is among the marked cells and among all others. */
export interface Part {
  /** The number of classes is the code of cells without a value. */
  code: number;
  /** Marked cells */
  count: number;
  /** Of the marked cells, 0 to 1 */
  inside: number;
  /** Of the others; NaN where there are none. */
  rest: number;
}

/** What is absent inside is told where it is at least this share of the rest. */
const NOTABLE = 0.01;

/**
 * Classes by how far their shares lie apart: what is enriched and what is depleted come first.
 * `totals` counts the cells of each class, marked or not; the last entry those of none.
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

/** So many of what is enriched and of what is depleted are told in any case. */
const OF_EACH = 2;

/** The first of a composition: in its order, with some of either direction. */
export function foremost(parts: readonly Part[], count: number): readonly Part[] {
  const enriched = parts.filter(({ inside, rest }) => inside > rest);
  const depleted = parts.filter(({ inside, rest }) => inside < rest);
  const first = new Set([...enriched.slice(0, OF_EACH), ...depleted.slice(0, OF_EACH), ...parts]);
  const chosen = new Set([...first].slice(0, count));
  return parts.filter((part) => chosen.has(part));
}

export interface Side {
  /** Of the finite values; NaN where there is none. */
  mean: number;
  /** Of the cells with a value, the share whose value is not zero, 0 to 1. */
  detected: number;
}

/** The values of the marked cells and of the others; `among` leaves out the cells that it has no flag for. */
export function valuesBySide(
  mask: Uint8Array,
  values: Float32Array,
  among: Uint8Array | null = null,
): { inside: Side; outside: Side } {
  const sums = [0, 0];
  const sizes = [0, 0];
  const nonZero = [0, 0];
  for (let cell = 0; cell < values.length; cell++) {
    if (among && !among[cell]) continue;
    const value = values[cell] ?? Number.NaN;
    const side = mask[cell] ? 1 : 0;
    if (!Number.isFinite(value)) continue;
    sums[side] = (sums[side] ?? 0) + value;
    sizes[side] = (sizes[side] ?? 0) + 1;
    if (value !== 0) nonZero[side] = (nonZero[side] ?? 0) + 1;
  }
  const of = (side: number): Side => ({
    mean: sizes[side] ? (sums[side] ?? 0) / (sizes[side] ?? 1) : Number.NaN,
    detected: (nonZero[side] ?? 0) / Math.max(1, sizes[side] ?? 0),
  });
  return { inside: of(1), outside: of(0) };
}
