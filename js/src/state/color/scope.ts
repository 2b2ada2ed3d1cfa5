import type { CategoryValues } from '../../data/column-values';
import { type Numbers, zerosLike } from '../../lib/numbers';
import { type Selection, selectionOf } from '../selection/selection';
import { type Layer, missingTest } from './layer';

/** Subset of the cells. */
export interface Cells {
  /** 1 for each cell in the subset. */
  mask: Uint8Array;
  count: number;
}

/** Cells with coordinates in the current layout: those of one section or of the sections shown. */
export interface Scope extends Cells {
  /** Display name of the subset. */
  name: string;
}

/** Returns the cells that pass the test; null if all do. */
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

/** Returns the cells with coordinates; null if all cells have them. */
export function scopeOf(name: string, coords: Float32Array): Scope | null {
  const cells = cellsWhere(coords.length / 2, (cell) => !Number.isNaN(coords[2 * cell]));
  return cells && { name, ...cells };
}

/** Counts the cells of each category; the last entry counts cells without a value. */
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

/** Counts the cells of the scope without a value in a layer. */
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

/** Restricts a selection to a subset of cells; null if none is left. */
export function selectedIn(selection: Selection, cells: Cells | null): Selection | null {
  if (!cells) return selection;
  return selectionOf(selection.mask.map((flag, cell) => flag & (cells.mask[cell] ?? 0)));
}

/** Returns the values with NaN for cells outside the subset. */
export function valuesIn(values: Numbers, cells: Cells | null): Numbers {
  return cells ? values.map((value, cell) => (cells.mask[cell] ? value : Number.NaN)) : values;
}

/** Returns only the values of the subset. */
export function packedIn(values: Numbers, { mask, count }: Cells): Numbers {
  const packed = zerosLike(values, count);
  let at = 0;
  for (let cell = 0; cell < values.length; cell++) if (mask[cell]) packed[at++] = values[cell] ?? Number.NaN;
  return packed;
}

/** Counts selected cells that are left out: in other sections, in hidden categories, and without coordinates. */
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
