import type { Column } from '../../data/compare/compare';
import { field } from '../../lib/csv';
import { formatShare, formatValue } from '../../lib/format';
import type { Result } from '../../state/compare/compare-model';

/** The test whose p-values are shown and by whose statistic genes are ranked. */
export type Test = 'wilcoxon' | 'welch';

export const TESTS: Record<Test, { label: string; title: string; statistic: Column; p: Column }> = {
  wilcoxon: {
    label: 'Wilcoxon',
    title: 'Wilcoxon rank-sum test (Mann–Whitney), with correction for ties',
    statistic: 'z',
    p: 'log10_p_adjusted',
  },
  welch: {
    label: 'Welch',
    title: "Welch's t-test: unequal variances",
    statistic: 't',
    p: 't_log10_p_adjusted',
  },
};

export interface Order {
  column: Column | 'gene';
  /** 1 from the smallest, -1 from the largest. */
  way: 1 | -1;
}

/** Returns the positions of the genes whose name contains the text, in this order; genes without a number come last. */
export function ordered({ genes, columns }: Result, text: string, { column, way }: Order): number[] {
  const wanted = text.trim().toLowerCase();
  const found = Array.from(genes, (_, gene) => gene).filter((gene) =>
    (genes[gene] ?? '').toLowerCase().includes(wanted),
  );
  if (column === 'gene') {
    const collator = new Intl.Collator('en', { numeric: true });
    return found.sort((a, b) => way * collator.compare(genes[a] ?? '', genes[b] ?? ''));
  }
  const numbers = columns[column];
  const numberOf = (gene: number) => numbers[gene] ?? Number.NaN;
  return found.sort((a, b) => {
    const [x, y] = [numberOf(a), numberOf(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    // Two infinite values have no difference.
    return x === y ? a - b : way * (x < y ? -1 : 1);
  });
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Formats a p-value from its logarithm, which may be far below the smallest double: 3 × 10⁻⁴⁰⁰. */
export function formatP(log10: number): string {
  if (Number.isNaN(log10)) return '–';
  if (log10 === -Infinity) return '0';
  if (log10 > -3) return (10 ** log10).toPrecision(2);
  let exponent = Math.floor(log10);
  let digits = Math.round(10 ** (log10 - exponent) * 10) / 10;
  if (digits >= 10) [digits, exponent] = [1, exponent + 1];
  const raised = [...String(-exponent)].map((digit) => SUPERSCRIPTS[Number(digit)]).join('');
  return `${digits}·10⁻${raised}`;
}

export const formatNumber = (value: number): string =>
  Number.isNaN(value)
    ? '–'
    : Number.isFinite(value)
      ? formatValue(value).replace('-', '−')
      : value > 0
        ? '∞'
        : '−∞';

/** All numbers of a gene, for its tooltip. */
export function aboutGene(
  { genes, columns, noun }: Result,
  gene: number,
  [a, b]: readonly [string, string],
): string {
  const of = (column: Column) => columns[column][gene] ?? Number.NaN;
  return [
    genes[gene],
    `Mean of ${noun}: ${formatNumber(of('mean_a'))} in ${a}, ${formatNumber(of('mean_b'))} in ${b}`,
    `Detected: ${formatShare(of('fraction_a'))} and ${formatShare(of('fraction_b'))}`,
    `AUC ${formatNumber(of('auc'))} · z ${formatNumber(of('z'))} · t ${formatNumber(of('t'))}`,
    `Adjusted p: Wilcoxon ${formatP(of('log10_p_adjusted'))}, Welch ${formatP(of('t_log10_p_adjusted'))}`,
  ].join('\n');
}

const TABLE: readonly Column[] = [
  'mean_a',
  'mean_b',
  'fraction_a',
  'fraction_b',
  'log2_fold_change',
  'auc',
  'u',
  'z',
  'log10_p',
  'log10_p_adjusted',
  't',
  't_df',
  't_log10_p',
  't_log10_p_adjusted',
];

/** The table of all genes as CSV, with the same columns as in Python; empty where there is no number. */
export function tableText({ genes, columns }: Result, order: readonly number[]): string {
  const rows = order.map((gene) =>
    [
      field(genes[gene] ?? ''),
      ...TABLE.map((column) => {
        const value = columns[column][gene] ?? Number.NaN;
        return Number.isNaN(value) ? '' : String(value).replace('Infinity', 'inf');
      }),
    ].join(','),
  );
  return [`gene,${TABLE.join(',')}`, ...rows, ''].join('\r\n');
}
