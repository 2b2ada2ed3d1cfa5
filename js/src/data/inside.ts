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

export interface Side {
  /** Of the finite values; NaN where there is none. */
  mean: number;
  /** Share of the cells with a value other than zero, 0 to 1. */
  detected: number;
}

/** The values of the marked cells and of the others. */
export function valuesBySide(mask: Uint8Array, values: Float32Array): { inside: Side; outside: Side } {
  const sums = [0, 0];
  const sizes = [0, 0];
  const cells = [0, 0];
  const nonZero = [0, 0];
  for (let cell = 0; cell < values.length; cell++) {
    const value = values[cell] ?? Number.NaN;
    const side = mask[cell] ? 1 : 0;
    cells[side] = (cells[side] ?? 0) + 1;
    if (!Number.isFinite(value)) continue;
    sums[side] = (sums[side] ?? 0) + value;
    sizes[side] = (sizes[side] ?? 0) + 1;
    if (value !== 0) nonZero[side] = (nonZero[side] ?? 0) + 1;
  }
  const of = (side: number): Side => ({
    mean: sizes[side] ? (sums[side] ?? 0) / (sizes[side] ?? 1) : Number.NaN,
    detected: (nonZero[side] ?? 0) / Math.max(1, cells[side] ?? 0),
  });
  return { inside: of(1), outside: of(0) };
}
