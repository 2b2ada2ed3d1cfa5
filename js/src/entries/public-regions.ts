import { ascending } from '../lib/bits';
import { MaskError } from '../lib/errors';
import { cellsOf, maskOf, type Region } from '../state/selection/selection';
import type { NewRegion } from '../state/selection/selection-actions';
import type { GivenRegion, ShownRegion } from './viewer-api';

/** Copies a region for the public API of the viewer. */
export function publicRegion({ name, color, cells, outline }: Region, total: number): ShownRegion {
  const line = outline ? { outline: [...outline] } : {};
  const region = { name, color, count: cells.length, cells: cells.slice(), ...line };
  // Not enumerable: a message to another page would compute and copy the masks of all regions.
  return Object.defineProperty(region, 'mask', { get: () => maskOf(cells, total) }) as ShownRegion;
}

/** Copies cell indices, ascending and unique. Throws on values that are not cell indices. */
function copiedCells(indices: Uint32Array, name: string): Uint32Array {
  const cells = Uint32Array.from(indices);
  const wrong = cells.findIndex((cell, at) => cell !== indices[at]);
  if (wrong >= 0)
    throw new Error(`The region “${name}” contains ${indices[wrong]}, which is not a cell index (0, 1, …).`);
  return ascending(cells);
}

/** Copies an outline. Throws if it is not x and y of at least three corners. */
function checked(outline: readonly number[], name: string): readonly number[] {
  const copy = Array.from(outline, Number);
  if (copy.length >= 6 && copy.length % 2 === 0 && copy.every(Number.isFinite)) return copy;
  throw new Error(`The outline of the region “${name}” needs x and y of at least three corners.`);
}

/** Checks and copies a region that a caller of the public API passes. */
export function newRegionOf(region: GivenRegion, total: number): NewRegion {
  const { name, color, outline } = region;
  if (typeof name !== 'string' || name === '') throw new Error('A region needs a name (a non-empty string).');
  const rest = {
    name,
    ...(color === undefined ? {} : { color }),
    ...(outline ? { outline: checked(outline, name) } : {}),
  };
  if ('cells' in region) return { ...rest, cells: copiedCells(region.cells, name) };
  if (region.mask?.length !== total) throw new MaskError(`the region “${name}”`, region.mask?.length, total);
  return { ...rest, cells: cellsOf(region.mask) };
}
