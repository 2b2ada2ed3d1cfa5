import { turns } from '../lib/pause';
import type { CategoryValues, Codes } from './column-values';
import type { Graph } from './neighbors';

/** Counts of neighbors of each pair of categories, at index (code of the first × number of categories + code of the second). */
export interface Neighborhoods {
  /** Number of neighbors of the second category, summed over the cells of the first. */
  count: Float64Array;
  /** Mean of the counts over all permutations of the categories. */
  expected: Float64Array;
  /** Deviation of `count` from `expected`, in standard deviations; NaN if all permutations have the same count. */
  z: Float64Array;
}

/** Number of cells between two checks of the time. */
const STEP = 1 << 13;
/** Variances below this fraction of the squared mean are rounding errors of zero. */
const EXACT = 1e-12;

/** The cells of one section; categories are permuted within sections. */
interface Group {
  /** Number of cells of each category. */
  sizes: Float64Array;
  /** Twice the number of edges. */
  ends: number;
  /** Number of ordered pairs of distinct edges that share a cell. */
  touching: number;
}

/**
 * Counts the neighbors of each pair of categories, and compares them with all permutations of the categories within each
 * section. Cells outside the mask or without a category are left out, as are their edges. The numbers are those of
 * `enrichment` in Python, which documents them.
 */
export async function neighborhoodsOf(
  { starts, cells }: Graph,
  { codes, categories }: Pick<CategoryValues, 'codes' | 'categories'>,
  sections: Codes | null,
  mask: Uint8Array | null,
  signal: AbortSignal,
): Promise<Neighborhoods> {
  const k = categories.length;
  const count = new Float64Array(k * k);
  const groups = new Map<number, Group>();
  const turn = turns();
  for (let cell = 0; cell < codes.length; cell++) {
    if (cell % STEP === 0) {
      await turn();
      signal.throwIfAborted();
    }
    const code = codes[cell] as number;
    if (code >= k || mask?.[cell] === 0) continue;
    let degree = 0;
    for (let at = starts[cell] as number; at < (starts[cell + 1] as number); at++) {
      const other = cells[at] as number;
      const neighborCode = codes[other] as number;
      if (neighborCode >= k || mask?.[other] === 0) continue;
      degree++;
      (count[code * k + neighborCode] as number)++;
    }
    const section = sections?.[cell] ?? 0;
    const group = groups.get(section) ?? { sizes: new Float64Array(k), ends: 0, touching: 0 };
    groups.set(section, group);
    (group.sizes[code] as number)++;
    group.ends += degree;
    group.touching += degree * (degree - 1);
  }
  const expected = new Float64Array(k * k);
  const variance = new Float64Array(k * k);
  for (const group of groups.values()) {
    await turn();
    signal.throwIfAborted();
    if (group.ends > 0) addMoments(group, expected, variance);
  }
  const z = count.map((found, i) => {
    const [mean, square] = [expected[i] as number, variance[i] as number];
    return square > EXACT * mean ** 2 ? (found - mean) / Math.sqrt(square) : Number.NaN;
  });
  return { count, expected, z };
}

/** Adds the mean and variance of the counts over all permutations of one section. */
function addMoments({ sizes, ends, touching }: Group, expected: Float64Array, variance: Float64Array): void {
  const k = sizes.length;
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const edges = ends / 2;
  const p2 = 1 / (n * (n - 1));
  const p3 = n > 2 ? p2 / (n - 2) : 0;
  const p4 = n > 3 ? p3 / (n - 3) : 0;
  const apart = edges * edges - edges - touching;
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) {
      const a = sizes[i] as number;
      const b = sizes[j] as number;
      let mean: number;
      let square: number;
      if (i === j) {
        const two = a * (a - 1);
        const three = two * (a - 2);
        mean = ends * p2 * two;
        square = 4 * (edges * p2 * two + touching * p3 * three + apart * p4 * three * (a - 3));
      } else {
        const both = a * b;
        mean = ends * p2 * both;
        square = mean + touching * p3 * both * (a + b - 2) + 4 * apart * p4 * both * ((a - 1) * (b - 1));
      }
      expected[i * k + j] = (expected[i * k + j] as number) + mean;
      variance[i * k + j] = (variance[i * k + j] as number) + square - mean * mean;
    }
}
