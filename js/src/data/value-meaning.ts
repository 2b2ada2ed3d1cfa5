import type { Expression, Values } from '../contract/manifest';

/** Scale of the values, and the statistics that are valid on it. */
export interface Meaning {
  /** Noun for the values: "counts", "log1p values". */
  noun: string;
  /** Whether zero means not detected. */
  detectable: boolean;
  /** Transforms a value to a linear scale, where ratios of means are valid; null if only differences are meaningful. */
  linear: ((value: number) => number) | null;
  /** Explains to the user how two means are compared. */
  comparison: string;
}

const DIFFERENCE = 'Inside minus outside';

/** Meaning of a numeric annotation, whose scale is unknown. */
export const COLUMN_MEANING: Meaning = {
  noun: 'values',
  detectable: false,
  linear: null,
  comparison: `${DIFFERENCE}.`,
};

const COUNTS: Meaning = {
  noun: 'counts',
  detectable: true,
  linear: (value) => value,
  comparison: 'Ratio of the mean counts.',
};

const SCALED: Meaning = {
  noun: 'scaled values',
  detectable: false,
  linear: null,
  comparison: `${DIFFERENCE}: scaled values have no ratio.`,
};

const logarithms = new Map<number | null, Meaning>();

/** Returns the factor that converts logarithms of this base (null for e) to natural ones; null if there is no such base. */
export function logFactor(base: number | null): number | null {
  const factor = base === null ? 1 : Math.log(base);
  return factor > 0 && Number.isFinite(factor) ? factor : null;
}

/** Returns the meaning of logarithms; the same object for the same base, because meanings are compared by identity. */
function logMeaning(base: number | null): Meaning | null {
  const known = logarithms.get(base);
  if (known) return known;
  const factor = logFactor(base);
  if (factor === null) return null;
  const natural = base === null || Math.abs(factor - 1) < 1e-6;
  const meaning: Meaning = {
    noun: natural ? 'log1p values' : `log${Number(base?.toPrecision(3))}(1 + x) values`,
    detectable: true,
    linear: (value) => Math.expm1(value * factor),
    comparison: `Ratio of the means back-transformed from ${natural ? 'log1p' : 'the logarithm'}.`,
  };
  logarithms.set(base, meaning);
  return meaning;
}

/**
 * Returns the meaning of expression values. `values` is missing in older bundles; `negative` tells whether any gene has
 * values below zero.
 */
export function geneMeaning(values: Values | null | undefined, negative: boolean): Meaning {
  const kind = values?.kind ?? 'unknown';
  if (kind === 'scaled') return SCALED;
  const known = kind === 'counts' ? COUNTS : kind === 'log1p' ? logMeaning(values?.log_base ?? null) : null;
  // Counts and their logarithms are never negative, so ignore a statement that contradicts the values.
  if (known && !negative) return known;
  const why =
    kind === 'unknown' ? 'the bundle does not state the scale of its values' : 'no ratio on this scale';
  return {
    noun: 'values',
    detectable: !negative,
    linear: null,
    comparison: `${DIFFERENCE}: ${why}.`,
  };
}

/** Returns the meaning of a mean of several genes: a mean of logarithms cannot be back-transformed to mean counts. */
export function scoreMeaning(gene: Meaning): Meaning {
  if (gene.linear === null || gene === COUNTS) return gene;
  return { ...gene, linear: null, comparison: `${DIFFERENCE}: a mean of logarithms has no ratio.` };
}

const signed = new WeakMap<Expression, boolean>();

/** Returns whether any gene of the bundle has a negative minimum in its summary. */
export function hasNegatives(expression: Expression): boolean {
  const known = signed.get(expression);
  if (known !== undefined) return known;
  const found = expression.genes.some(({ summary }) => (summary?.min ?? 0) < 0);
  signed.set(expression, found);
  return found;
}
