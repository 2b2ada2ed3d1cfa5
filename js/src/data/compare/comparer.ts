import { offsetsOf, readEntries, type Shard, type Steps } from '../packed-shard';
import { FIELDS, type Runs, type Scale, testGene } from './gene-test';

/** What is compared, the same for all genes. */
export interface Question {
  /** For each cell: 1 in group A, 2 in group B, 0 in neither. */
  group: Uint8Array;
  /** The values of the codes of packed genes; null for genes without codes. */
  steps: Steps | null;
  scale: Scale;
}

/** Genes that are read together: packed genes of one file, or the values of one gene. */
export type Batch = { shard: Shard } | { values: Float32Array };

/** Compares the genes of a batch, yielding after each. Returns `FIELDS.length` numbers per gene, NaN if damaged. */
export type Comparer = (batch: Batch) => Generator<void, { numbers: Float64Array; damaged: boolean }>;

/** Reserved keys: of missing values, and of zero. Zeros are not stored, except by other exporters. */
const MISSING = 0xffffffff;
const ZERO = 0xfffffffe;
const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

/** Returns the sort key of a float32 value, given its bits: keys are in the order of the values. */
function keyOfBits(bits: number): number {
  if ((bits & 0x7f800000) === 0x7f800000) return MISSING;
  if ((bits & 0x7fffffff) === 0) return ZERO;
  return (bits >>> 31 ? ~bits : bits | 0x80000000) >>> 0;
}

const bitsOfKey = (key: number): number => (key >>> 31 ? key & 0x7fffffff : ~key) >>> 0;

/** Start of each digit's keys in the sorted output. One pass over the keys counts the digits of all passes. */
const starts = new Uint32Array(Math.ceil(32 / DIGIT_BITS) * DIGITS);

/** Sorts the first `n` keys into one of the two arrays. Radix sort is several times as fast as comparing. */
function sorted(keys: Uint32Array, spare: Uint32Array, n: number, bits: number): Uint32Array {
  const passes = Math.ceil(bits / DIGIT_BITS);
  starts.fill(0, 0, passes * DIGITS);
  for (let i = 0; i < n; i++) {
    const key = keys[i] as number;
    for (let pass = 0; pass < passes; pass++) {
      const digit = pass * DIGITS + ((key >>> (pass * DIGIT_BITS)) & (DIGITS - 1));
      starts[digit] = (starts[digit] as number) + 1;
    }
  }
  let [from, to] = [keys, spare];
  for (let pass = 0; pass < passes; pass++) {
    const [first, shift] = [pass * DIGITS, pass * DIGIT_BITS];
    for (let digit = first, sum = 0; digit < first + DIGITS; digit++) {
      const count = starts[digit] as number;
      starts[digit] = sum;
      sum += count;
    }
    for (let i = 0; i < n; i++) {
      const key = from[i] as number;
      const digit = first + ((key >>> shift) & (DIGITS - 1));
      const at = starts[digit] as number;
      to[at] = key;
      starts[digit] = at + 1;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Maximum number of values that are counted rather than sorted. */
const MAX_COUNTED = 65_536;

interface Keys {
  /** The key of each step, in the order of the values. */
  keys: Uint32Array;
  /** The value of each key, if keys are positions in a list of distinct values. */
  distinct: Float32Array | null;
}

function keysOf({ values }: Steps): Keys {
  if (values.length > MAX_COUNTED) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    return { keys: bits.map(keyOfBits), distinct: null };
  }
  const ascending = values.filter((value) => Number.isFinite(value) && value !== 0).sort();
  const distinct = Float32Array.from(ascending.filter((value, i) => i === 0 || value !== ascending[i - 1]));
  const position = new Map(Array.from(distinct, (value, i) => [value, i]));
  return {
    keys: Uint32Array.from(values, (value) => position.get(value) ?? (value === 0 ? ZERO : MISSING)),
    distinct,
  };
}

export function createComparer({ group, steps, scale }: Question): Comparer {
  const total = group.length;
  const sizes: [number, number] = [0, 0];
  for (const side of group) if (side > 0) sizes[(side - 1) as 0 | 1]++;
  const keyed = steps && keysOf(steps);
  const keys = keyed?.keys ?? null;
  const distinct = keyed?.distinct ?? null;
  const bits = distinct ? 32 - Math.clz32(distinct.length) : 32;
  const cells = new Uint32Array(total);
  const places = new Uint32Array(total);
  // Each has room for a last key that is larger than all others.
  const arrays = Array.from({ length: 4 }, () => new Uint32Array(total + 1));
  const [keysA, keysB, spareA, spareB] = arrays as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const [countsA, countsB] = [0, 1].map(() => new Uint32Array(distinct?.length ?? 0)) as [
    Uint32Array,
    Uint32Array,
  ];
  /** Key of the smallest value above zero. */
  const positive = distinct ? distinct.filter((value) => value < 0).length : 0x80000000;
  const values = new Float32Array(total + 1);
  const valueBits = new Uint32Array(values.buffer);
  const runs: Runs = { length: 0, values, inA: new Uint32Array(total + 1), inB: new Uint32Array(total + 1) };
  const { inA, inB } = runs;

  const put = (at: number, value: number, a: number, b: number): number => {
    values[at] = value;
    inA[at] = a;
    inB[at] = b;
    return at + 1;
  };

  /** Collects the distinct values of the first `n` entries, and the zeros of all other cells. */
  const collect = (n: number) => {
    let [nA, nB, missingA, missingB] = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const side = group[cells[i] as number] as number;
      if (side === 0) continue;
      const place = places[i] as number;
      const key = keys ? (keys[place] as number) : keyOfBits(place);
      if (key === MISSING) {
        if (side === 1) missingA++;
        else missingB++;
      } else if (key !== ZERO) {
        if (side === 1) keysA[nA++] = key;
        else keysB[nB++] = key;
      }
    }
    const zerosA = sizes[0] - nA - missingA;
    const zerosB = sizes[1] - nB - missingB;
    let zeros = zerosA + zerosB > 0;
    let length = 0;
    if (distinct && distinct.length < 2 * (nA + nB)) {
      countsA.fill(0);
      countsB.fill(0);
      for (let i = 0; i < nA; i++) countsA[keysA[i] as number] = (countsA[keysA[i] as number] as number) + 1;
      for (let i = 0; i < nB; i++) countsB[keysB[i] as number] = (countsB[keysB[i] as number] as number) + 1;
      for (let key = 0; key < distinct.length; key++) {
        const [a, b] = [countsA[key] as number, countsB[key] as number];
        if (a + b === 0) continue;
        if (zeros && key >= positive) {
          zeros = false;
          length = put(length, 0, zerosA, zerosB);
        }
        length = put(length, distinct[key] as number, a, b);
      }
    } else {
      const a = sorted(keysA, spareA, nA, bits);
      const b = sorted(keysB, spareB, nB, bits);
      a[nA] = MISSING;
      b[nB] = MISSING;
      let [i, j] = [0, 0];
      for (;;) {
        const [x, y] = [a[i] as number, b[j] as number];
        const key = x < y ? x : y;
        if (key === MISSING) break;
        if (zeros && key >= positive) {
          zeros = false;
          length = put(length, 0, zerosA, zerosB);
        }
        const [firstA, firstB] = [i, j];
        while (a[i] === key) i++;
        while (b[j] === key) j++;
        if (distinct) values[length] = distinct[key] as number;
        else valueBits[length] = bitsOfKey(key);
        inA[length] = i - firstA;
        inB[length++] = j - firstB;
      }
    }
    if (zeros) length = put(length, 0, zerosA, zerosB);
    runs.length = length;
  };

  return function* (batch) {
    const count = 'shard' in batch ? batch.shard.stored.length : 1;
    const offsets = 'shard' in batch ? offsetsOf(batch.shard) : null;
    const numbers = new Float64Array(count * FIELDS.length).fill(Number.NaN);
    let damaged = false;
    for (let gene = 0; gene < count; gene++) {
      const n =
        offsets && 'shard' in batch
          ? readEntries(batch.shard, offsets, gene, steps, total, cells, places)
          : 'values' in batch
            ? dense(batch.values)
            : -1;
      damaged ||= n < 0;
      if (n >= 0) {
        collect(n);
        testGene(runs, scale, numbers, gene * FIELDS.length);
      }
      yield;
    }
    return { numbers, damaged };
  };

  function dense(values: Float32Array): number {
    if (values.length !== total) return -1;
    const bitsOf = new Uint32Array(values.buffer, values.byteOffset, total);
    let n = 0;
    for (let cell = 0; cell < total; cell++) {
      if (values[cell] === 0) continue;
      cells[n] = cell;
      places[n++] = bitsOf[cell] as number;
    }
    return n;
  }
}
