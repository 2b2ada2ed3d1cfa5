import type { Numbers } from '../lib/numbers';
import type { CategoryValues } from './column-values';
import { meanByCode } from './summary';

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
  const here = mask ? values.map((value, cell) => (mask[cell] ? value : Number.NaN)) : values;
  const found = here.map((value) => (Number.isNaN(value) ? value : Number(value !== 0)));
  return {
    gene,
    mean: meanByCode(here, codes, categories.length),
    detected: meanByCode(found, codes, categories.length),
  };
}

/** Scales numbers so that the lowest is 0 and the highest is 1; all are 0 if they are equal. */
export function rescaled(mean: Float64Array): Float64Array {
  const known = mean.filter((value) => !Number.isNaN(value));
  const low = Math.min(...known);
  const range = Math.max(...known) - low;
  return mean.map((value) => (range > 0 ? (value - low) / range : value - low));
}
