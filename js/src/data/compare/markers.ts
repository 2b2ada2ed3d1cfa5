import { fromPlanes } from '../packed-shard';
import type { Column } from './differences';
import { log2Ratio, MIN_CELLS, type Scale } from './gene-test';
import { adjusted, lnNormalTails, lnStudentTails } from './tails';

/** “KSMK”. */
const MAGIC = 0x4b4d534b;
const VERSION = 1;
const HEADER = 5;
/** Number of arrays per category: cells with a value, mean, mean of the rest, fraction, fraction of the rest, t, df, z. */
const ARRAYS = 8;

/** One category compared with the rest, for all genes, as computed at export. */
export interface StoredMarkers {
  /** `ARRAYS` arrays: the bits of the numbers. */
  arrays: readonly Uint32Array[];
  ties: Float32Array;
}

/** Reads one category of a marker file; null if the file is damaged. */
export function readMarkers(
  bytes: Uint8Array,
  category: number,
  categories: number,
  genes: number,
): StoredMarkers | null {
  const size = 4 * genes;
  if (bytes.length !== 4 * HEADER + size * (1 + categories * ARRAYS)) return null;
  const head = new DataView(bytes.buffer, bytes.byteOffset);
  if ([MAGIC, VERSION, categories, genes, ARRAYS].some((word, i) => head.getUint32(4 * i, true) !== word))
    return null;
  const array = (number: number) => {
    const from = 4 * HEADER + size * number;
    return fromPlanes(bytes.subarray(from, from + size), 4);
  };
  return {
    ties: new Float32Array(array(0).buffer),
    arrays: Array.from({ length: ARRAYS }, (_, i) => array(1 + category * ARRAYS + i)),
  };
}

/**
 * Returns the columns of a comparison, computed from stored markers; U is not stored.
 *
 * @param presentOf Number of cells with a value.
 * @param isNegative Whether a gene has a value below zero.
 */
export function columnsOf(
  { arrays, ties }: StoredMarkers,
  presentOf: (gene: number) => number,
  isNegative: (gene: number) => boolean,
  scale: Scale,
): Record<Column, Float64Array> {
  const [counts, ...rest] = arrays as [Uint32Array, ...Uint32Array[]];
  const [meanA, meanB, inA, inB, ts, dfs, zs] = rest.map((bits) =>
    Float64Array.from(new Float32Array(bits.buffer)),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const column = (of: (gene: number) => number) => Float64Array.from(counts, (_, gene) => of(gene));
  const at = (numbers: ArrayLike<number>, gene: number) => numbers[gene] as number;
  const restOf = (gene: number) => presentOf(gene) - at(counts, gene);
  /** Standard deviation of U. */
  const spreads = column((gene) =>
    Math.sqrt(((at(counts, gene) * restOf(gene)) / 12) * (presentOf(gene) + 1) * at(ties, gene)),
  );
  const log10_p = column((gene) => {
    const z = at(zs, gene);
    // With continuity correction.
    return lnNormalTails(Math.max(0, Math.abs(z) - 0.5 / at(spreads, gene))) / Math.LN10;
  });
  const t_log10_p = column((gene) => lnStudentTails(at(ts, gene), at(dfs, gene)) / Math.LN10);
  return {
    mean_a: meanA,
    mean_b: meanB,
    fraction_a: inA,
    fraction_b: inB,
    log2_fold_change: column((gene) =>
      scale === null || isNegative(gene) ? Number.NaN : log2Ratio(at(meanA, gene), at(meanB, gene), scale),
    ),
    auc: column((gene) => {
      const [a, b] = [at(counts, gene), restOf(gene)];
      if (a < MIN_CELLS || b < MIN_CELLS) return Number.NaN;
      return at(ties, gene) > 0 ? 0.5 + (at(zs, gene) * at(spreads, gene)) / (a * b) : 0.5;
    }),
    u: column(() => Number.NaN),
    z: zs,
    log10_p,
    log10_p_adjusted: adjusted(log10_p),
    t: ts,
    t_df: dfs,
    t_log10_p,
    t_log10_p_adjusted: adjusted(t_log10_p),
  };
}
