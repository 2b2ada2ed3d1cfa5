import type { Column } from '../../data/compare/differences';
import { FIELDS } from '../../data/compare/gene-test';
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

/** Base-10 logarithm of the p-value up to which a gene counts as significant. */
export const SIGNIFICANT = Math.log10(0.05);

/** Counts genes by the outcome of their test. */
export function countsOf({ genes, columns }: Result, p: Column) {
  const counts = { significant: 0, untested: 0, unread: 0 };
  for (let gene = 0; gene < genes.length; gene++) {
    const log = columns[p][gene] ?? Number.NaN;
    if (log <= SIGNIFICANT) counts.significant++;
    else if (Number.isNaN(columns.mean_a[gene]) && Number.isNaN(columns.mean_b[gene])) counts.unread++;
    else if (Number.isNaN(log)) counts.untested++;
  }
  return counts;
}

/** Returns the genes whose name contains the text. */
export function withText({ genes }: Result, rows: readonly number[], text: string): readonly number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return rows;
  return rows.filter((gene) => (genes[gene] ?? '').toLowerCase().includes(wanted));
}

/** Returns the positions of all genes in this order; genes without a number come last. */
export function ordered({ genes, columns }: Result, { column, way }: Order): number[] {
  const found = Array.from(genes, (_, gene) => gene);
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
      ? formatValue(value).replaceAll('-', '−')
      : value > 0
        ? '∞'
        : '−∞';

/** Returns all numbers of a gene, for its tooltip. */
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

/** Returns the means and fractions of a gene, which a narrow table does not show. */
export function briefly({ genes, columns, noun }: Result, gene: number): string {
  const of = (column: Column) => columns[column][gene] ?? Number.NaN;
  return [
    `${genes[gene]}: mean of ${noun} ${formatNumber(of('mean_a'))} (A), ${formatNumber(of('mean_b'))} (B)`,
    `Detected in ${formatShare(of('fraction_a'))} (A), ${formatShare(of('fraction_b'))} (B)`,
  ].join('\n');
}

/** Columns of the table, as in Python: each p-value is followed by the adjusted one. */
const TABLE = FIELDS.flatMap((name): Column[] =>
  name === 'log10_p' || name === 't_log10_p' ? [name, `${name}_adjusted`] : [name],
);

/** Returns the table of all genes as CSV, with the same columns as in Python; stored markers lack U. NaN is empty. */
export function tableText({ genes, columns, stored }: Result, order: readonly number[]): string {
  const shown = TABLE.filter((column) => !stored || column !== 'u');
  const rows = order.map((gene) =>
    [
      field(genes[gene] ?? ''),
      ...shown.map((column) => {
        const value = columns[column][gene] ?? Number.NaN;
        return Number.isNaN(value) ? '' : String(value).replace('Infinity', 'inf');
      }),
    ].join(','),
  );
  return [`gene,${shown.join(',')}`, ...rows, ''].join('\r\n');
}
