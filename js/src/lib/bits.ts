const MOST_REGIONS = 500;
const MOST_FLAGS = 2 ** 28;

/** Regions that a page holds at most: nobody tells more apart, and each has a flag for every cell. */
export function mostRegions(cells: number): number {
  return Math.max(1, Math.min(MOST_REGIONS, Math.floor(MOST_FLAGS / Math.max(1, cells))));
}

/** One bit for each flag, lowest first: as `numpy.packbits(mask, bitorder='little')`. */
export function packBits(mask: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(mask.length / 8));
  for (let i = 0; i < mask.length; i++) {
    if (mask[i]) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return bits;
}

/** The first `count` flags of `bits`, one byte each. */
export function unpackBits(bits: Uint8Array, count: number): Uint8Array {
  const mask = new Uint8Array(count);
  for (let i = 0; i < count; i++) mask[i] = ((bits[i >> 3] ?? 0) >> (i & 7)) & 1;
  return mask;
}
