import type { CategoryValues } from '../data/columns';
import { type Layer, missingTest } from './layer';
import { type Selection, selectionOf } from './selection';

/** The cells that have a place now, where others have none: those of one section, or of the sections that are shown. */
export interface Scope {
  /** What they are called together */
  name: string;
  /** 1 for each of them */
  mask: Uint8Array;
  count: number;
}

/** Null where all cells have a place. */
export function scopeOf(name: string, coords: Float32Array): Scope | null {
  const mask = new Uint8Array(coords.length / 2);
  let count = 0;
  for (let cell = 0; cell < mask.length; cell++) {
    if (Number.isNaN(coords[2 * cell])) continue;
    mask[cell] = 1;
    count++;
  }
  return count < mask.length ? { name, mask, count } : null;
}

/** How many cells of each class, then of none. */
export function countsIn(column: CategoryValues, scope: Scope | null): ArrayLike<number> {
  const { categories, codes, missing } = column;
  if (!scope) return [...categories.map(({ count }) => count), missing];
  const counts = new Uint32Array(categories.length + 1);
  for (let cell = 0; cell < codes.length; cell++) {
    if (!scope.mask[cell]) continue;
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
export function selectedIn(selection: Selection, scope: Scope | null): Selection | null {
  if (!scope) return selection;
  return selectionOf(selection.mask.map((flag, cell) => flag & (scope.mask[cell] ?? 0)));
}

/** The values of these cells, and no value in the place of the others'. */
export function valuesIn(values: Float32Array, scope: Scope | null): Float32Array {
  return scope ? values.map((value, cell) => (scope.mask[cell] ? value : Number.NaN)) : values;
}

/** Only the values of these cells. */
export function packedIn(values: Float32Array, { mask, count }: Scope): Float32Array {
  const packed = new Float32Array(count);
  let at = 0;
  for (let cell = 0; cell < values.length; cell++) if (mask[cell]) packed[at++] = values[cell] ?? Number.NaN;
  return packed;
}
