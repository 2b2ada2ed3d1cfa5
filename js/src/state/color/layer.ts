import type { CategoryValues } from '../../data/column-values';
import type { GeneValues } from '../../data/gene-store';
import type { Amounts } from '../../data/proportions';
import type { Summary } from '../../data/summary';
import type { Numbers } from '../../lib/numbers';
import { type Color, hiddenOf, isolatedOf, type ViewState } from '../view-state';
import { grouped, groupsOf, membersOf } from './groups';

/** Colors of a blend on a light or dark background. */
export interface Mixed {
  dark: boolean;
  /** RGB of each cell, with its highest relative level as alpha. */
  colors: Uint32Array;
}

/** Loaded values that color the tissue. `of` names the matrix unless it is the first, as `label` does. */
export type Layer =
  | { kind: 'none'; color: Color }
  | {
      kind: 'category';
      color: Color;
      column: CategoryValues;
      /** The amount of each category in each spot, if the column comes from proportions. */
      amounts?: Amounts;
    }
  | { kind: 'blend'; color: Color; parts: readonly GeneValues[]; mixed?: Mixed; of?: string }
  | {
      kind: 'value';
      color: Color;
      label: string;
      /** NaN for cells without a value. */
      values: Numbers;
      summary: Summary;
      /** Number of cells whose score is the mean of only some of the genes, because the others have no value there. */
      partial?: number;
    };

export const NO_LAYER: Layer = { kind: 'none', color: { kind: 'none' } };

/** Returns the layer with the groups of its column as categories. */
export function groupedLayer(layer: Layer, groups: ViewState['groups']): Layer {
  if (layer.kind !== 'category') return layer;
  const column = grouped(layer.column, groupsOf({ groups }, layer.column.name));
  return column === layer.column ? layer : { ...layer, column };
}

/**
 * Returns one flag per code, 1 if its category is named, or all members of its group are; the last is for cells without
 * a value.
 */
export function flagsOf(column: CategoryValues, named: readonly (string | null)[]): Uint8Array {
  const names = new Set(named);
  const flags = new Uint8Array(column.categories.length + 1);
  column.categories.forEach((category, code) => {
    if (membersOf(category).every((name) => names.has(name))) flags[code] = 1;
  });
  if (names.has(null)) flags[column.categories.length] = 1;
  return flags;
}

/**
 * Returns one flag per code, 1 if dimmed because other categories are isolated; null if none is. Nothing is dimmed if
 * the isolated categories are themselves hidden or do not exist.
 */
export function dimmedFlags(
  column: CategoryValues,
  state: Pick<ViewState, 'hidden' | 'isolated'>,
): Uint8Array | null {
  const isolated = isolatedOf(state, column.name);
  if (isolated.length === 0) return null;
  const hidden = flagsOf(column, hiddenOf(state, column.name));
  const flags = flagsOf(column, isolated);
  return flags.some((flag, code) => flag === 1 && hidden[code] !== 1) ? flags.map((flag) => 1 - flag) : null;
}

/** Returns a test for cells that are neither hidden nor dimmed; null if no category of the layer is dimmed. */
export function isolatedTest(
  layer: Layer,
  state: Pick<ViewState, 'hidden' | 'isolated'>,
): ((cell: number) => boolean) | null {
  if (layer.kind !== 'category') return null;
  const dimmed = dimmedFlags(layer.column, state);
  if (!dimmed) return null;
  const hidden = flagsOf(layer.column, hiddenOf(state, layer.column.name));
  const { codes } = layer.column;
  return (cell) => dimmed[codes[cell] ?? 0] !== 1 && hidden[codes[cell] ?? 0] !== 1;
}

/** Returns a test for cells that are not in a hidden category; null if none is hidden. */
export function visibleTest(
  layer: Layer,
  state: Pick<ViewState, 'hidden'>,
): ((cell: number) => boolean) | null {
  if (layer.kind !== 'category') return null;
  const hidden = hiddenOf(state, layer.column.name);
  if (hidden.length === 0) return null;
  const flags = flagsOf(layer.column, hidden);
  const { codes } = layer.column;
  return (cell) => flags[codes[cell] ?? 0] !== 1;
}

/** Returns a test for cells without a value in this layer; null if the layer has no values. */
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

/** Returns the category or value of a cell in this layer; null if it has none. */
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

/** Returns the name of a color for progress and legend. */
export function colorLabel(color: Color): string {
  if (color.kind === 'annotation') return color.column;
  if (color.kind === 'gene') return color.gene;
  if (color.kind === 'blend') return color.genes.join(', ');
  return color.kind === 'score' ? color.name : '';
}
