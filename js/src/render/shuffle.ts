import type { Codes } from '../data/columns';

/** A fixed random order of `count` cells: the same picture for the same data. */
export function shuffledOrder(count: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  let seed = 0x9e3779b9;
  for (let i = count - 1; i > 0; i--) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    const j = (seed >>> 0) % (i + 1);
    const swap = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = swap;
  }
  return order;
}

export function gathered<T extends Codes | Float32Array>(values: T, order: Uint32Array): T {
  const out = new (values.constructor as new (length: number) => T)(order.length);
  for (let i = 0; i < order.length; i++) out[i] = values[order[i] ?? 0] ?? 0;
  return out;
}

/** Positions in shuffled order, relative to the centre; a cell without a position is put out of sight. */
export function gatheredPositions(
  coords: Float32Array,
  order: Uint32Array,
  cx: number,
  cy: number,
): Float32Array {
  const out = new Float32Array(order.length * 2);
  for (let i = 0; i < order.length; i++) {
    const cell = order[i] ?? 0;
    const x = (coords[2 * cell] ?? Number.NaN) - cx;
    const y = (coords[2 * cell + 1] ?? Number.NaN) - cy;
    const known = Number.isFinite(x) && Number.isFinite(y);
    out[2 * i] = known ? x : 1e30;
    out[2 * i + 1] = known ? y : 1e30;
  }
  return out;
}
