import type { Field } from './gene-test';

/** Columns of the table of all genes: the numbers of each gene, and p-values adjusted for the number of genes. */
export type Column = Field | 'log10_p_adjusted' | 't_log10_p_adjusted';

export interface Differences {
  genes: readonly string[];
  columns: Readonly<Record<Column, Float64Array>>;
  /** Files whose genes are missing because they could not be read. */
  problems: readonly Error[];
}
