import { type Numbers, zerosLike } from '../lib/numbers';
import { pause } from '../lib/pause';
import { quantile } from '../lib/quantile';

export interface Summary {
  min: number;
  max: number;
  mean: number;
  /** Fraction of nonzero values among cells with a value, 0 to 1. */
  fraction: number;
  /** Robust limits for coloring. */
  lower: number;
  upper: number;
}

function collect(values: Numbers, keep: (value: number) => boolean): Numbers {
  const kept = zerosLike(values, values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (keep(value)) kept[count++] = value;
  }
  return kept.subarray(0, count);
}

function base(values: Numbers) {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let finite = 0;
  let nonZero = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    finite++;
    sum += value;
    if (value !== 0) nonZero++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (finite === 0) return { min: 0, max: 0, mean: 0, fraction: 0 };
  return { min, max, mean: sum / finite, fraction: nonZero / finite };
}

type Steps = Generator<undefined, Summary>;

function* geneSteps(values: Numbers): Steps {
  const facts = base(values);
  yield;
  const nonZero = collect(values, (value) => Number.isFinite(value) && value !== 0);
  yield;
  const lower = facts.min < 0 ? quantile(nonZero, 0.01) : 0;
  return { ...facts, lower, upper: quantile(nonZero, 0.99) };
}

function* columnSteps(values: Numbers): Steps {
  const facts = base(values);
  yield;
  const finite = collect(values, Number.isFinite);
  yield;
  const lower = quantile(finite, 0.01);
  yield;
  const upper = quantile(finite, 0.99);
  return lower < upper ? { ...facts, lower, upper } : { ...facts, lower: facts.min, upper: facts.max };
}

function atOnce(steps: Steps): Summary {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

async function inTurns(steps: Steps): Promise<Summary> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await pause();
  }
}

/** Summarizes a gene. The limits come from the nonzero values: zeros dominate most genes. */
export const summarizeGene = (values: Numbers): Summary => atOnce(geneSteps(values));
/** Like `summarizeGene`, pausing between steps to keep the page responsive. */
export const summarizeGeneInTurns = (values: Float32Array): Promise<Summary> => inTurns(geneSteps(values));

/** Summarizes a numeric annotation. The limits come from all finite values. */
export const summarizeColumn = (values: Numbers): Summary => atOnce(columnSteps(values));
/** Like `summarizeColumn`, pausing between steps to keep the page responsive. */
export const summarizeColumnInTurns = (values: Numbers): Promise<Summary> => inTurns(columnSteps(values));

/** Just below the float32 maximum, which some exporters write for infinity. */
const INFINITE = 3.4e38;

/** Replaces infinite values with NaN and counts the missing ones. Copies only if something changes. */
export function withoutInfinite(values: Float32Array): { values: Float32Array; missing: number } {
  let missing = 0;
  let infinite = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (value <= INFINITE && value >= -INFINITE) continue;
    missing++;
    infinite ||= !Number.isNaN(value);
  }
  const finite = infinite
    ? values.map((value) => (value <= INFINITE && value >= -INFINITE ? value : Number.NaN))
    : values;
  return { values: finite, missing };
}

/** Counts the cells without a value. */
export function countMissing(values: Numbers): number {
  let missing = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) missing++;
  return missing;
}

/** Computes the mean of the finite values of each code; NaN for a code without any. */
export function meanByCode(
  values: Numbers,
  codes: { readonly length: number; readonly [index: number]: number },
  count: number,
): Float64Array {
  const sums = new Float64Array(count);
  const sizes = new Uint32Array(count);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    const code = codes[i] ?? count;
    if (code >= count || !Number.isFinite(value)) continue;
    sums[code] = (sums[code] ?? 0) + value;
    sizes[code] = (sizes[code] ?? 0) + 1;
  }
  for (let code = 0; code < count; code++) {
    const size = sizes[code] ?? 0;
    sums[code] = size > 0 ? (sums[code] ?? 0) / size : Number.NaN;
  }
  return sums;
}
