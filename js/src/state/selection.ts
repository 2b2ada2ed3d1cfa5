import { PALETTE, paletteColour } from '../lib/colour';
import { hiddenFlags, type Layer } from './layer';
import { hiddenOf, type ViewState } from './view-state';

/** What a drag on the tissue does. */
export type Tool = 'move' | 'lasso' | 'rect' | 'zoom';

/** What becomes of the cells that were selected before. */
export type How = 'replace' | 'add' | 'subtract' | 'intersect';

/** Masks are never written to once they are in the model. */
export interface Selection {
  /** 1 for each selected cell */
  readonly mask: Uint8Array;
  /** At least one: where nothing is selected there is no selection. */
  readonly count: number;
}

/** Stores cells, not a mask: with hundreds of regions, each covers a small part of the tissue. */
export interface Region {
  readonly name: string;
  readonly color: string;
  /** Ascending, unique; never mutated. */
  readonly cells: Uint32Array;
}

/** A line that is being drawn around cells. */
export interface Draft {
  kind: 'lasso' | 'rect';
  how: How;
  /** Interleaved x, y in coordinate units; of a rectangle its four corners. */
  points: readonly number[];
}

/** A copy of 0 and 1 only; null where nothing is selected. */
export function selectionOf(flags: ArrayLike<number>): Selection | null {
  const mask = new Uint8Array(flags.length);
  let count = 0;
  for (let i = 0; i < mask.length; i++) {
    if (!flags[i]) continue;
    mask[i] = 1;
    count++;
  }
  return count > 0 ? { mask, count } : null;
}

/** The cells whose flag is not zero, ascending. */
export function cellsOf(flags: ArrayLike<number>): Uint32Array {
  let count = 0;
  for (let cell = 0; cell < flags.length; cell++) if (flags[cell]) count++;
  const cells = new Uint32Array(count);
  for (let cell = 0, at = 0; cell < flags.length; cell++) if (flags[cell]) cells[at++] = cell;
  return cells;
}

/** A flag for each of `total` cells, 1 for these. */
export function maskOf(cells: Uint32Array, total: number): Uint8Array {
  const mask = new Uint8Array(total);
  for (let i = 0; i < cells.length; i++) mask[cells[i] ?? 0] = 1;
  return mask;
}

/** Whether these cells are selected, and no others. */
export function isSelected(cells: Uint32Array, selection: Selection | null): boolean {
  return (
    selection !== null && selection.count === cells.length && cells.every((cell) => selection.mask[cell])
  );
}

/** `before` with `cells` put in its place, added, or taken away. */
export function combined(
  before: Selection | null,
  cells: Uint32Array,
  how: How,
  total: number,
): Selection | null {
  if (how === 'intersect') {
    const both = cells.filter((cell) => before?.mask[cell]);
    return combined(null, both, 'replace', total);
  }
  const mask = before && how !== 'replace' ? before.mask.slice() : new Uint8Array(total);
  let count = before && how !== 'replace' ? before.count : 0;
  const flag = how === 'subtract' ? 0 : 1;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] ?? 0;
    if (mask[cell] === flag) continue;
    mask[cell] = flag;
    count += flag === 1 ? 1 : -1;
  }
  return count > 0 ? { mask, count } : null;
}

/** Whether a cell is drawn; null where all are. */
export function visibleTest(
  layer: Layer,
  state: Pick<ViewState, 'hidden'>,
): ((cell: number) => boolean) | null {
  if (layer.kind !== 'category') return null;
  const hidden = hiddenOf(state, layer.column.name);
  if (hidden.length === 0) return null;
  const flags = hiddenFlags(layer.column, hidden);
  const { codes } = layer.column;
  return (cell) => flags[codes[cell] ?? 0] !== 1;
}

/** What the keys that are held say: Shift adds, Alt takes away, both keep what is in both; without any, `plain`. */
export function howOf(event: Pick<MouseEvent, 'shiftKey' | 'altKey'>, plain: How = 'replace'): How {
  if (event.shiftKey && event.altKey) return 'intersect';
  return event.shiftKey ? 'add' : event.altKey ? 'subtract' : plain;
}

/** The first of “Region 1”, “Region 2”, … that is free. */
export function freeName(regions: readonly Region[]): string {
  const taken = new Set(regions.map(({ name }) => name));
  let number = 1;
  while (taken.has(`Region ${number}`)) number++;
  return `Region ${number}`;
}

/** The first colour of the palette that no region has. */
export function freeColour(regions: readonly Pick<Region, 'color'>[]): string {
  const taken = new Set(regions.map(({ color }) => color));
  return PALETTE.find((color) => !taken.has(color)) ?? paletteColour(regions.length);
}
