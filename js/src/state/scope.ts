import type { CategoryValues } from '../data/columns';
import { type Numbers, zerosLike } from '../lib/numbers';
import { type Layer, missingTest } from './layer';
import { type Selection, selectionOf } from './selection';

/** Some of the cells. */
export interface Cells {
  /** 1 for each of them */
  mask: Uint8Array;
  count: number;
}

/** The cells that have a place now, where others have none: those of one section, or of the sections that are shown. */
export interface Scope extends Cells {
  /** What they are called together */
  name: string;
}

/** The cells that pass the test; null where all do. */
export function cellsWhere(total: number, test: (cell: number) => boolean): Cells | null {
  const mask = new Uint8Array(total);
  let count = 0;
  for (let cell = 0; cell < total; cell++) {
    if (!test(cell)) continue;
    mask[cell] = 1;
    count++;
  }
  return count < total ? { mask, count } : null;
}

/** Null where all cells have a place. */
export function scopeOf(name: string, coords: Float32Array): Scope | null {
  const cells = cellsWhere(coords.length / 2, (cell) => !Number.isNaN(coords[2 * cell]));
  return cells && { name, ...cells };
}

/** How many cells of each class, then of none. */
export function countsIn(column: CategoryValues, cells: Cells | null): ArrayLike<number> {
  const { categories, codes, missing } = column;
  if (!cells) return [...categories.map(({ count }) => count), missing];
  const counts = new Uint32Array(categories.length + 1);
  for (let cell = 0; cell < codes.length; cell++) {
    if (!cells.mask[cell]) continue;
    const code = Math.min(codes[cell] ?? categories.length, categories.length);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

/** How many of these cells have no value under a layer. */
export function missingIn(layer: Layer, scope: Scope | null): number {
  const missing = missingTest(layer);
  if (!missing) return 0;
  const cells =
    layer.kind === 'category'
      ? layer.column.codes.length
      : layer.kind === 'blend'
        ? (layer.parts[0]?.values.length ?? 0)
        : layer.kind === 'value'
          ? layer.values.length
          : 0;
  let count = 0;
  for (let cell = 0; cell < cells; cell++) if ((!scope || scope.mask[cell]) && missing(cell)) count++;
  return count;
}

/** What of a selection lies among these cells; null where nothing does. */
export function selectedIn(selection: Selection, cells: Cells | null): Selection | null {
  if (!cells) return selection;
  return selectionOf(selection.mask.map((flag, cell) => flag & (cells.mask[cell] ?? 0)));
}

/** The values of these cells, and no value in the place of the others'. */
export function valuesIn(values: Numbers, cells: Cells | null): Numbers {
  return cells ? values.map((value, cell) => (cells.mask[cell] ? value : Number.NaN)) : values;
}

/** Only the values of these cells. */
export function packedIn(values: Numbers, { mask, count }: Cells): Numbers {
  const packed = zerosLike(values, count);
  let at = 0;
  for (let cell = 0; cell < values.length; cell++) if (mask[cell]) packed[at++] = values[cell] ?? Number.NaN;
  return packed;
}

/** How many selected cells are left out: in other sections, in hidden categories, and without a place. */
export function outOfSight(
  { mask }: Selection,
  of: { scope: Cells | null; shown: Cells | null; visible: ((cell: number) => boolean) | null },
): { elsewhere: number; hidden: number; unplaced: number } {
  const counts = { elsewhere: 0, hidden: 0, unplaced: 0 };
  if (!of.shown) return counts;
  for (let cell = 0; cell < mask.length; cell++) {
    if (!mask[cell] || of.shown.mask[cell]) continue;
    if (of.scope && !of.scope.mask[cell]) counts.elsewhere++;
    else if (of.visible && !of.visible(cell)) counts.hidden++;
    else counts.unplaced++;
  }
  return counts;
}
