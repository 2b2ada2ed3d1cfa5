/** Packs each flag into one bit, lowest bit first, like `numpy.packbits(mask, bitorder='little')`. */
export function packBits(mask: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(mask.length / 8));
  for (let i = 0; i < mask.length; i++) {
    if (mask[i]) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return bits;
}

/** Packs `count` flags like `packBits`, given the indices of the flags that are set. */
export function packPlaces(places: Uint32Array, count: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (let i = 0; i < places.length; i++) {
    const place = places[i] ?? 0;
    bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7));
  }
  return bits;
}

/** Returns the indices of the flags that are set among the first `count`, ascending. */
export function placesIn(bits: Uint8Array, count: number): Uint32Array {
  const places = new Uint32Array(setIn(bits));
  let found = 0;
  for (let byte = 0; byte < bits.length; byte++) {
    const flags = bits[byte] ?? 0;
    for (let at = 0; flags >> at; at++) {
      const place = 8 * byte + at;
      if ((flags >> at) & 1 && place < count) places[found++] = place;
    }
  }
  return found === places.length ? places : places.slice(0, found);
}

/** Sorts indices and removes duplicates. Returns the same array if it is already strictly ascending. */
export function ascending(places: Uint32Array): Uint32Array {
  const isAscending = places.every((place, at) => at === 0 || place > (places[at - 1] ?? 0));
  return isAscending
    ? places
    : places
        .slice()
        .sort()
        .filter((place, at, all) => at === 0 || place !== all[at - 1]);
}

const SET_IN = Uint8Array.from({ length: 256 }, (_, byte) => {
  let set = 0;
  for (let rest = byte; rest; rest &= rest - 1) set++;
  return set;
});

/** Counts the flags that are set. */
export function setIn(bits: Uint8Array): number {
  let set = 0;
  for (let i = 0; i < bits.length; i++) set += SET_IN[bits[i] ?? 0] ?? 0;
  return set;
}

/** Unpacks the first `count` flags of `bits`, one byte each. */
export function unpackBits(bits: Uint8Array, count: number): Uint8Array {
  const mask = new Uint8Array(count);
  for (let i = 0; i < count; i++) mask[i] = ((bits[i >> 3] ?? 0) >> (i & 7)) & 1;
  return mask;
}
