import type { Expression, Values } from '../contract/manifest';

/** What a number in the page is a number of, and what may be made of it. */
export interface Meaning {
  /** What a mean is a mean of: "counts", "log1p values" */
  noun: string;
  /** Whether zero means that nothing was detected. */
  detectable: boolean;
  /** From a value to what it counts, so that means have ratios; null where only differences make sense. */
  linear: ((value: number) => number) | null;
  /** How two means are compared, for the reader. */
  comparison: string;
}

const DIFFERENCE = 'Inside minus outside';

/** Of a numeric annotation: nothing is known of its scale. */
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

/** The same object for the same base: it is compared by identity. */
function logMeaning(base: number | null): Meaning | null {
  const known = logarithms.get(base);
  if (known) return known;
  const factor = base === null ? 1 : Math.log(base);
  if (!(factor > 0 && Number.isFinite(factor))) return null;
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

/** What the values of a gene are; bundles from before the field state nothing. `negative`: some gene of the matrix has values below zero. */
export function geneMeaning(values: Values | null | undefined, negative: boolean): Meaning {
  const kind = values?.kind ?? 'unknown';
  if (kind === 'scaled') return SCALED;
  const known = kind === 'counts' ? COUNTS : kind === 'log1p' ? logMeaning(values?.log_base ?? null) : null;
  // Neither counts nor their logarithms go below zero, whatever the bundle states.
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

/** Of the mean of several genes: a mean of logarithms cannot be turned back into a mean of counts. */
export function scoreMeaning(gene: Meaning): Meaning {
  if (gene.linear === null || gene === COUNTS) return gene;
  return { ...gene, linear: null, comparison: `${DIFFERENCE}: a mean of logarithms has no ratio.` };
}

const signed = new WeakMap<Expression, boolean>();

/** Whether any gene of the bundle has a value below zero, as far as the manifest says. */
export function hasNegatives(expression: Expression): boolean {
  const known = signed.get(expression);
  if (known !== undefined) return known;
  const found = expression.genes.some(({ summary }) => (summary?.min ?? 0) < 0);
  signed.set(expression, found);
  return found;
}
