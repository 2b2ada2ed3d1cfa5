import type { Manifest, Proportions } from '../contract/manifest';
import type { Numbers } from '../lib/numbers';
import type { ReadContext } from '../source/bundle-source';
import type { Bundle } from './bundle';
import type { GroupedCategory } from './column-values';

/** Amount of each type in each cell, by the name of the type. */
export type Amounts = ReadonlyMap<string, Numbers>;

/** The slices of the pie charts of all cells. */
export interface Pies {
  /** Number of slices per pie: one for each category. */
  slices: number;
  /**
   * Where each slice ends, in 65,535ths of a turn: `slices` numbers for each cell. All are 0 for a cell without a pie.
   */
  ends: Uint16Array;
}

const WHOLE = 65_535;
/** Maximum number of slices of all pies: those that fit into the smallest texture that WebGL 2 guarantees. */
const MAX_SLICES = 4096 * 2048;

/** Returns the proportions whose most abundant type a column states; undefined if none, or too many to draw. */
export function proportionsOf(
  manifest: Pick<Manifest, 'proportions' | 'n_cells'>,
  column: string,
): Proportions | undefined {
  const found = manifest.proportions?.find((one) => one.column === column);
  return found && found.parts.length * manifest.n_cells <= MAX_SLICES ? found : undefined;
}

/** Reads the amounts of all types; null if the types do not match the categories. */
export async function readAmounts(
  bundle: Bundle,
  { parts }: Proportions,
  categories: readonly GroupedCategory[],
  ctx: ReadContext,
): Promise<Amounts | null> {
  if (parts.length !== categories.length) return null;
  const columns = await Promise.all(parts.map((part) => bundle.column(part, ctx)));
  const amounts = new Map<string, Numbers>();
  for (const [at, column] of columns.entries()) {
    if (column.kind !== 'number') return null;
    amounts.set(categories[at]?.name ?? '', column.values);
  }
  return amounts;
}

/** Returns the share of each category in a cell; null if an amount is missing, or if all are 0. */
export function sharesAt(
  amounts: Amounts,
  categories: readonly GroupedCategory[],
  cell: number,
): number[] | null {
  const found = categories.map(({ name, members }) =>
    (members ?? [name]).reduce((sum, type) => sum + (amounts.get(type)?.[cell] ?? Number.NaN), 0),
  );
  const total = found.reduce((sum, amount) => sum + amount, 0);
  return total > 0 && total < Infinity ? found.map((amount) => amount / total) : null;
}

/** Returns the pies of `cells` cells, with one slice per category; the slice of a group is the sum of its members. */
export function piesOf(amounts: Amounts, categories: readonly GroupedCategory[], cells: number): Pies {
  const slices = categories.length;
  const of = categories.map(({ name, members }) =>
    (members ?? [name]).map((type) => amounts.get(type) ?? new Float32Array(cells).fill(Number.NaN)),
  );
  const totals = new Float64Array(cells);
  const sums = new Float64Array(cells);
  for (const values of of.flat()) add(totals, values);
  const ends = new Uint16Array(cells * slices);
  for (const [slice, members] of of.entries()) {
    for (const values of members) add(sums, values);
    totals.forEach((total, cell) => {
      if (!(total > 0 && total < Infinity)) return;
      const share = (sums[cell] ?? 0) / total;
      // Rounding: the sum of the shares may differ slightly from 1.
      ends[cell * slices + slice] = slice === slices - 1 ? WHOLE : Math.min(WHOLE, Math.round(share * WHOLE));
    });
  }
  return { slices, ends };
}

function add(to: Float64Array, values: Numbers): void {
  values.forEach((value, cell) => {
    to[cell] = (to[cell] ?? 0) + value;
  });
}
