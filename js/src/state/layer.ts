import type { CategoryValues } from '../data/columns';
import type { GeneValues } from '../data/genes';
import type { Summary } from '../data/summary';
import type { Numbers } from '../lib/numbers';
import type { Color } from './view-state';

/** What a blend looks like on one ground. */
export interface Mixed {
  dark: boolean;
  /** Red, green, blue of each cell and, as alpha, its strongest share */
  colours: Uint32Array;
}

/** The values that colour the tissue, loaded. */
export type Layer =
  | { kind: 'none'; color: Color }
  | { kind: 'category'; color: Color; column: CategoryValues }
  | { kind: 'blend'; color: Color; parts: readonly GeneValues[]; mixed?: Mixed }
  | {
      kind: 'value';
      color: Color;
      label: string;
      /** NaN where a cell has no value. */
      values: Numbers;
      summary: Summary;
      /** Cells whose score is the mean of a part of the genes: the others have no value there. */
      partial?: number;
    };

export const NO_LAYER: Layer = { kind: 'none', color: { kind: 'none' } };

/** One flag for each code, the last for cells without a value. */
export function hiddenFlags(column: CategoryValues, hidden: readonly (string | null)[]): Uint8Array {
  const names = new Set(hidden);
  const flags = new Uint8Array(column.categories.length + 1);
  column.categories.forEach(({ name }, code) => {
    if (names.has(name)) flags[code] = 1;
  });
  if (names.has(null)) flags[column.categories.length] = 1;
  return flags;
}

/** Whether a cell has no value under this layer; null where all cells are drawn alike. */
export function missingTest(layer: Layer): ((cell: number) => boolean) | null {
  if (layer.kind === 'category') {
    const { codes, categories } = layer.column;
    return (cell) => (codes[cell] ?? categories.length) >= categories.length;
  }
  if (layer.kind === 'value') return (cell) => !Number.isFinite(layer.values[cell]);
  if (layer.kind === 'blend')
    return (cell) => layer.parts.some(({ values }) => !Number.isFinite(values[cell]));
  return null;
}

/** What a cell shows under this layer: its class, its value, or null where it has none. */
export function valueAt(layer: Layer, cell: number): string | number | null {
  if (layer.kind === 'category') {
    return layer.column.categories[layer.column.codes[cell] ?? -1]?.name ?? null;
  }
  if (layer.kind === 'value') {
    const value = layer.values[cell];
    return value === undefined || Number.isNaN(value) ? null : value;
  }
  return null;
}
