import type { Numbers } from '../lib/numbers';
import type { CategoryValues } from './column-values';

/** One gene in each category of an annotation. */
export interface GeneDots {
  gene: string;
  /** Mean of the cells with a value; NaN if there are none. */
  mean: Float64Array;
  /** Fraction of these cells whose value is not zero. */
  detected: Float64Array;
}

/** Summarizes a gene in each category; `mask` is 1 for each cell that counts, null if all do. */
export function dotsOf(
  gene: string,
  values: Numbers,
  { codes, categories }: CategoryValues,
  mask: Uint8Array | null,
): GeneDots {
  const count = categories.length;
  const mean = new Float64Array(count);
  const detected = new Float64Array(count);
  const sizes = new Float64Array(count);
  for (let cell = 0; cell < values.length; cell++) {
    const code = codes[cell] ?? count;
    const value = values[cell] ?? Number.NaN;
    if (code >= count || Number.isNaN(value) || (mask && !mask[cell])) continue;
    mean[code] = (mean[code] as number) + value;
    sizes[code] = (sizes[code] as number) + 1;
    if (value !== 0) detected[code] = (detected[code] as number) + 1;
  }
  // 0 / 0 is NaN.
  return {
    gene,
    mean: mean.map((sum, code) => sum / (sizes[code] as number)),
    detected: detected.map((found, code) => found / (sizes[code] as number)),
  };
}
