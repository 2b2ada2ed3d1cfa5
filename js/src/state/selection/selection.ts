import { PALETTE, paletteColor } from '../../lib/color';

/** Action of a drag on the tissue. */
export type Tool = 'move' | 'lasso' | 'rect' | 'zoom';

/** Selection mode: how new cells are combined with the current selection. */
export type SelectionMode = 'replace' | 'add' | 'subtract' | 'intersect';

/** Selected cells. Masks in the model are never mutated. */
export interface Selection {
  /** 1 for each selected cell. */
  readonly mask: Uint8Array;
  /** At least 1: an empty selection is null. */
  readonly count: number;
}

/** Named set of cells. Stores indices, not a mask, because there may be hundreds of small regions. */
export interface Region {
  readonly name: string;
  readonly color: string;
  /** Ascending and unique; never mutated. */
  readonly cells: Uint32Array;
  /** The closed line drawn around its cells: interleaved x, y in coordinates of the source. Never mutated. */
  readonly outline?: readonly number[] | undefined;
}

/** Outline that is being drawn around cells. */
export interface Draft {
  kind: 'lasso' | 'rect';
  mode: SelectionMode;
  /** Interleaved x, y in coordinate units; the four corners of a rectangle. */
  points: readonly number[];
}

/** Copies flags to a mask of 0 and 1; null if nothing is selected. */
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

/** Returns the cells with nonzero flags, ascending. */
export function cellsOf(flags: ArrayLike<number>): Uint32Array {
  let count = 0;
  for (let cell = 0; cell < flags.length; cell++) if (flags[cell]) count++;
  const cells = new Uint32Array(count);
  for (let cell = 0, at = 0; cell < flags.length; cell++) if (flags[cell]) cells[at++] = cell;
  return cells;
}

/** Returns a mask of `total` cells with 1 for the given ones. */
export function maskOf(cells: Uint32Array, total: number): Uint8Array {
  const mask = new Uint8Array(total);
  for (let i = 0; i < cells.length; i++) mask[cells[i] ?? 0] = 1;
  return mask;
}

/** Returns whether exactly these cells are selected. */
export function isSelected(cells: Uint32Array, selection: Selection | null): boolean {
  return (
    selection !== null && selection.count === cells.length && cells.every((cell) => selection.mask[cell])
  );
}

/** Combines a selection with cells according to the selection mode. */
export function combined(
  before: Selection | null,
  cells: Uint32Array,
  mode: SelectionMode,
  total: number,
): Selection | null {
  if (mode === 'intersect') {
    const both = cells.filter((cell) => before?.mask[cell]);
    return combined(null, both, 'replace', total);
  }
  const mask = before && mode !== 'replace' ? before.mask.slice() : new Uint8Array(total);
  let count = before && mode !== 'replace' ? before.count : 0;
  const flag = mode === 'subtract' ? 0 : 1;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] ?? 0;
    if (mask[cell] === flag) continue;
    mask[cell] = flag;
    count += flag === 1 ? 1 : -1;
  }
  return count > 0 ? { mask, count } : null;
}

/** Returns the selection mode of the pressed modifier keys: Shift adds, Alt subtracts, both intersect; else `plain`. */
export function modeOf(
  event: Pick<MouseEvent, 'shiftKey' | 'altKey'>,
  plain: SelectionMode = 'replace',
): SelectionMode {
  if (event.shiftKey && event.altKey) return 'intersect';
  return event.shiftKey ? 'add' : event.altKey ? 'subtract' : plain;
}

/** Returns the first unused name of “Region 1”, “Region 2”, … */
export function freeName(regions: readonly Region[]): string {
  const taken = new Set(regions.map(({ name }) => name));
  let number = 1;
  while (taken.has(`Region ${number}`)) number++;
  return `Region ${number}`;
}

/** Returns the first color of the palette that no region has. */
export function freeColor(regions: readonly Pick<Region, 'color'>[]): string {
  const taken = new Set(regions.map(({ color }) => color));
  return PALETTE.find((color) => !taken.has(color)) ?? paletteColor(regions.length);
}
