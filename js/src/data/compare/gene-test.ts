import { lnNormalTails, lnStudentTails } from './tails';

/** Statistics of one gene, in the order of the numbers; also the names of table columns. */
export const FIELDS = [
  'mean_a',
  'mean_b',
  'fraction_a',
  'fraction_b',
  'log2_fold_change',
  'auc',
  'u',
  'z',
  'log10_p',
  't',
  't_df',
  't_log10_p',
] as const;

export type Field = (typeof FIELDS)[number];

/** Minimum number of cells with a value in a group for a test. */
export const MIN_CELLS = 3;

/**
 * How means become a fold change: 0 for counts, the natural logarithm of the base for logarithms of 1 + counts, null for
 * values without ratios.
 */
export type Scale = number | null;

/** Keeps ratios of means finite; same value as in scanpy. */
const PSEUDOCOUNT = 1e-9;

/** Distinct values of a gene in ascending order, with the number of cells of each group that have them. */
export interface Runs {
  length: number;
  values: Float32Array;
  inA: Uint32Array;
  inB: Uint32Array;
}

/** Computes the statistics of one gene from its distinct values, including zero; writes them to `out` from `at` on. */
export function testGene(runs: Runs, scale: Scale, out: Float64Array, at: number): void {
  const { length, values, inA, inB } = runs;
  let [nA, nB, sumA, sumB, detectedA, detectedB] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < length; i++) {
    const [value, a, b] = [values[i] as number, inA[i] as number, inB[i] as number];
    nA += a;
    nB += b;
    sumA += a * value;
    sumB += b * value;
    if (value === 0) continue;
    detectedA += a;
    detectedB += b;
  }
  const meanA = sumA / nA;
  const meanB = sumB / nB;
  let [squaresA, squaresB, ranks, below, ties] = [0, 0, 0, 0, 0];
  for (let i = 0; i < length; i++) {
    const [value, a, b] = [values[i] as number, inA[i] as number, inB[i] as number];
    squaresA += a * (value - meanA) ** 2;
    squaresB += b * (value - meanB) ** 2;
    const both = a + b;
    ranks += a * (below + (both + 1) / 2);
    ties += both * (both * both - 1);
    below += both;
  }
  const n = nA + nB;
  const pairs = nA * nB;
  const u = ranks - (nA * (nA + 1)) / 2;
  const enough = nA >= MIN_CELLS && nB >= MIN_CELLS;
  const tested = enough && length > 1;
  const spread = Math.sqrt((pairs / 12) * (n + 1 - ties / (n * (n - 1))));
  const apart = u - pairs / 2;
  // With continuity correction, as in scipy.
  const deviate = Math.max(0, Math.abs(apart) - 0.5) / spread;
  const errorA = squaresA / (nA - 1) / nA;
  const errorB = squaresB / (nB - 1) / nB;
  const error = errorA + errorB;
  const t = (meanA - meanB) / Math.sqrt(error);
  // 1 if there is no variance, as in scipy.
  const df = error === 0 ? 1 : error ** 2 / (errorA ** 2 / (nA - 1) + errorB ** 2 / (nB - 1));
  const none = Number.NaN;
  out.set(
    [
      meanA,
      meanB,
      detectedA / nA,
      detectedB / nB,
      scale === null || (values[0] as number) < 0 ? none : log2Ratio(meanA, meanB, scale),
      enough ? u / pairs : none,
      enough ? u : none,
      tested ? apart / spread : none,
      tested ? lnNormalTails(deviate) / Math.LN10 : none,
      tested ? t : none,
      tested ? df : none,
      tested ? (error === 0 ? -Infinity : lnStudentTails(t, df) / Math.LN10) : none,
    ],
    at,
  );
}

export function log2Ratio(a: number, b: number, scale: number): number {
  const linear = (mean: number) => (scale === 0 ? mean : Math.expm1(mean * scale)) + PSEUDOCOUNT;
  return Math.log2(linear(a) / linear(b));
}
