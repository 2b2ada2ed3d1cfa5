import { offsetsOf, readEntries, type Shard, type Steps } from '../packed-shard';
import { FIELDS, type Runs, type Scale, testGene } from './gene-test';

/** What is compared, the same for all genes. */
export interface Question {
  /** For each cell: 1 in group A, 2 in group B, 0 in neither. */
  group: Uint8Array;
  /** Of packed genes with codes. */
  steps: Steps | null;
  scale: Scale;
}

/** Genes that are read together: packed genes of one file, or the values of one gene. */
export type Batch = { shard: Shard } | { values: Float32Array };

/** Compares the genes of a batch one by one. Ends with `FIELDS.length` numbers for each gene, NaN if they are damaged. */
export type Comparer = (batch: Batch) => Generator<void, { numbers: Float64Array; damaged: boolean }>;

/** Keys that no other value has: a missing value, and zero. Zeros are not stored, except by other exporters. */
const MISSING = 0xffffffff;
const ZERO = 0xfffffffe;
const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** Keys of float32 bits that are in the order of the values. */
function keyOfBits(bits: number): number {
  if ((bits & 0x7f800000) === 0x7f800000) return MISSING;
  if ((bits & 0x7fffffff) === 0) return ZERO;
  return (bits >>> 31 ? ~bits : bits | 0x80000000) >>> 0;
}

function valueOfKey(key: number): number {
  floatBits[0] = key >>> 31 ? key & 0x7fffffff : ~key;
  return float[0] as number;
}

/** Sorts keys by digits: comparisons would take several times as long. */
function sorted(keys: Uint32Array, spare: Uint32Array, bits: number): Uint32Array {
  const starts = new Uint32Array(DIGITS);
  let [from, to] = [keys, spare];
  for (let shift = 0; shift < bits; shift += DIGIT_BITS) {
    starts.fill(0);
    for (let i = 0; i < from.length; i++) {
      const digit = ((from[i] as number) >>> shift) & (DIGITS - 1);
      starts[digit] = (starts[digit] as number) + 1;
    }
    for (let digit = 0, sum = 0; digit < DIGITS; digit++) {
      const count = starts[digit] as number;
      starts[digit] = sum;
      sum += count;
    }
    for (let i = 0; i < from.length; i++) {
      const key = from[i] as number;
      const digit = (key >>> shift) & (DIGITS - 1);
      const at = starts[digit] as number;
      to[at] = key;
      starts[digit] = at + 1;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Up to this number of values, they are counted rather than sorted. */
const MOST_COUNTED = 65_536;

interface Keys {
  /** The key of each step, in the order of the values. */
  keys: Uint32Array;
  /** The value of each key, if keys are positions in a list of distinct values. */
  distinct: Float64Array | null;
}

function keysOf({ values }: Steps): Keys {
  if (values.length > MOST_COUNTED) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    return { keys: bits.map(keyOfBits), distinct: null };
  }
  const ascending = values.filter((value) => Number.isFinite(value) && value !== 0).sort();
  const distinct = Float64Array.from(ascending.filter((value, i) => i === 0 || value !== ascending[i - 1]));
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
  const distinct = keyed?.distinct ?? null;
  const bits = distinct ? 32 - Math.clz32(distinct.length) : 32;
  const cells = new Uint32Array(total);
  const places = new Uint32Array(total);
  const keys = [new Uint32Array(total), new Uint32Array(total)] as const;
  const spares = [new Uint32Array(total), new Uint32Array(total)] as const;
  const counts = [0, 1].map(() => new Uint32Array(distinct?.length ?? 0)) as [Uint32Array, Uint32Array];
  const runs: Runs = {
    length: 0,
    values: new Float64Array(total + 1),
    inA: new Uint32Array(total + 1),
    inB: new Uint32Array(total + 1),
  };

  const add = (value: number, a: number, b: number) => {
    runs.values[runs.length] = value;
    runs.inA[runs.length] = a;
    runs.inB[runs.length++] = b;
  };

  /** Collects the distinct values of the first `n` entries, and the zeros of all other cells. */
  const collect = (n: number) => {
    const filled: [number, number] = [0, 0];
    const missing: [number, number] = [0, 0];
    for (let i = 0; i < n; i++) {
      const side = (group[cells[i] as number] as number) - 1;
      if (side < 0) continue;
      const place = places[i] as number;
      const key = keyed ? (keyed.keys[place] as number) : keyOfBits(place);
      if (key === ZERO) continue;
      if (key === MISSING) missing[side as 0 | 1]++;
      else keys[side as 0 | 1][filled[side as 0 | 1]++] = key;
    }
    runs.length = 0;
    let zeros = true;
    const zerosA = sizes[0] - filled[0] - missing[0];
    const zerosB = sizes[1] - filled[1] - missing[1];
    const take = (value: number, a: number, b: number) => {
      if (zeros && value > 0) {
        zeros = false;
        if (zerosA + zerosB > 0) add(0, zerosA, zerosB);
      }
      add(value, a, b);
    };
    if (distinct && distinct.length < 2 * (filled[0] + filled[1])) {
      for (const side of [0, 1] as const) {
        const [count, mine] = [counts[side], keys[side]];
        count.fill(0);
        for (let i = 0; i < filled[side]; i++)
          count[mine[i] as number] = (count[mine[i] as number] as number) + 1;
      }
      const [a, b] = counts;
      for (let key = 0; key < a.length; key++)
        if (a[key] || b[key]) take(distinct[key] as number, a[key] as number, b[key] as number);
    } else {
      const [a, b] = [0, 1].map((side) =>
        sorted(
          keys[side as 0 | 1].subarray(0, filled[side as 0 | 1]),
          spares[side as 0 | 1].subarray(0, filled[side as 0 | 1]),
          bits,
        ),
      ) as [Uint32Array, Uint32Array];
      for (let i = 0, j = 0; i < a.length || j < b.length; ) {
        const key = Math.min(a[i] ?? MISSING, b[j] ?? MISSING);
        const [firstA, firstB] = [i, j];
        while (a[i] === key) i++;
        while (b[j] === key) j++;
        take(distinct ? (distinct[key] as number) : valueOfKey(key), i - firstA, j - firstB);
      }
    }
    if (zeros && zerosA + zerosB > 0) add(0, zerosA, zerosB);
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
