/** Values that codes refer to: each cell has a ladder, and a code is a step on it. */
export interface Steps {
  /** First value of each ladder, and the number of all values. */
  starts: Uint32Array;
  values: Float32Array;
  ladderOf: Uint32Array;
}

/** The bytes of consecutive packed genes: all gaps, then all values. Each array has one value per gene. */
export interface Shard {
  raw: Uint8Array;
  /** Number of entries: cells whose value is not zero, or missing. */
  stored: Uint32Array;
  gapBytes: Uint32Array;
  /** Bytes of each entry: 1 or 2 for codes, 4 for float32. */
  width: Uint32Array;
}

/** Gap byte that adds 255 to the gap and continues with the next byte. */
const FULL = 255;

/** Adds planes of bytes, the lowest first, to numbers that are zero. */
function addPlanes(raw: Uint8Array, from: number, count: number, width: number, to: Uint32Array): void {
  for (let plane = 0; plane < width; plane++) {
    const at = from + plane * count;
    const shift = 8 * plane;
    for (let i = 0; i < count; i++) to[i] = (to[i] as number) | ((raw[at + i] as number) << shift);
  }
}

/** Returns little-endian numbers of `width` bytes that are stored as planes. */
export function fromPlanes(bytes: Uint8Array, width: number): Uint32Array {
  const found = new Uint32Array(bytes.length / width);
  addPlanes(bytes, 0, found.length, width, found);
  return found;
}

/** Where in the bytes of a shard each gene starts, and how many bytes all genes take. */
export interface Offsets {
  gaps: Float64Array;
  values: Float64Array;
  length: number;
}

export function offsetsOf({ stored, gapBytes, width }: Omit<Shard, 'raw'>): Offsets {
  const [gaps, values] = [new Float64Array(stored.length), new Float64Array(stored.length)];
  let length = gapBytes.reduce((sum, bytes) => sum + bytes, 0);
  for (let i = 0, gap = 0; i < stored.length; i++) {
    gaps[i] = gap;
    gap += gapBytes[i] as number;
    values[i] = length;
    length += (stored[i] as number) * (width[i] as number);
  }
  return { gaps, values, length };
}

/**
 * Reads the entries of one gene of a shard. Fills `cells` with the cell of each entry, in ascending order, and `places`
 * with the index of its value in `steps.values` or, without steps, the bits of its float32 value. Returns the number of
 * entries; -1 if the shard is damaged.
 */
export function readEntries(
  { raw, stored, gapBytes, width }: Shard,
  { gaps: gapStarts, values, length }: Offsets,
  gene: number,
  steps: Steps | null,
  total: number,
  cells: Uint32Array,
  places: Uint32Array,
): number {
  const [gap, value] = [gapStarts[gene] as number, values[gene] as number];
  const [n, wide, gaps] = [stored[gene] as number, width[gene] as number, gapBytes[gene] as number];
  const wrong = steps ? wide !== 1 && wide !== 2 : wide !== 4;
  // Without gaps, either all cells have an entry or none has.
  if (raw.length !== length || wrong || n > total || (gaps === 0 && n > 0 && n < total)) return -1;
  let cell = -1;
  let place = gap;
  for (let i = 0; i < n; i++) {
    cell++;
    if (gaps > 0) {
      let step: number;
      do {
        step = raw[place++] as number;
        cell += step;
      } while (step === FULL);
    }
    cells[i] = cell;
  }
  if (cell >= total || place !== gap + gaps) return -1;
  places.fill(0, 0, n);
  addPlanes(raw, value, n, wide, places);
  if (!steps) return n;
  const { starts, ladderOf } = steps;
  for (let i = 0; i < n; i++) {
    const ladder = ladderOf[cells[i] as number] as number;
    const on = (starts[ladder] as number) + (places[i] as number);
    // Negated, so that the comparison with undefined also fails if there is no such ladder.
    if (!(on < (starts[ladder + 1] as number))) return -1;
    places[i] = on;
  }
  return n;
}
