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

/** Mean of the finite values of the marked cells and of the others; NaN where there is none. */
export function meansBySide(mask: Uint8Array, values: Float32Array): { inside: number; outside: number } {
  const sums = [0, 0];
  const sizes = [0, 0];
  for (let cell = 0; cell < values.length; cell++) {
    const value = values[cell] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    const side = mask[cell] ? 1 : 0;
    sums[side] = (sums[side] ?? 0) + value;
    sizes[side] = (sizes[side] ?? 0) + 1;
  }
  const mean = (side: number) => (sizes[side] ? (sums[side] ?? 0) / (sizes[side] ?? 1) : Number.NaN);
  return { inside: mean(1), outside: mean(0) };
}
