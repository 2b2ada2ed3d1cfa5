import { asCategories, numberValues } from '../../data/column-values';
import { borderDistances } from '../../lib/border-distance';
import { UnknownNameError } from '../../lib/errors';
import { plain, ZERO } from '../../lib/origin';
import type { ReadContext } from '../../source/bundle-source';
import type { Model } from '../model';
import { distanceColumn, regionOf } from './distance-columns';
import type { Region } from './selection';

/** Significant digits of a corner relative to the origin; a line drawn by hand is no more precise. */
const DIGITS = 8;

/** Like `regionOf`, but undefined for a column of the bundle. */
export const distanceRegion = (
  { regions, storedColumns }: Pick<Model, 'regions' | 'storedColumns'>,
  column: string,
): Region | undefined =>
  storedColumns.value.some(({ name }) => name === column) ? undefined : regionOf(regions.value, column);

/**
 * Converts an outline in the current layout to coordinates of the source; null in an embedding, and for an outline around
 * cells of several sections that are shown side by side.
 */
export function onTissue(
  { state, tissue, sections, titles }: Pick<Model, 'state' | 'tissue' | 'sections' | 'titles'>,
  outline: readonly number[],
  cells: Uint32Array,
): number[] | null {
  const { kind } = state.value.layout;
  if (kind === 'embedding' || cells.length === 0) return null;
  const [x, y] = tissue.value?.origin ?? ZERO;
  let [dx, dy] = [0, 0];
  if (kind === 'sections') {
    const { codes, categories } = sections.value ?? {};
    const code = codes?.[cells[0] ?? 0] ?? -1;
    const title = titles.value.find(({ section }) => section.name === categories?.[code]);
    if (!title || !cells.every((cell) => codes?.[cell] === code)) return null;
    [dx, dy] = [title.dx, title.dy];
  }
  const at = (value: number, moved: number, origin: number) =>
    plain(Number((value - moved).toPrecision(DIGITS)), origin);
  return outline.map((value, i) => (i % 2 === 0 ? at(value, dx, x) : at(value, dy, y)));
}

/** µm per unit of the tissue; null if unknown. */
export const tissueUm = ({ state, tissue }: Pick<Model, 'state' | 'tissue'>): number | null =>
  state.value.umPerUnit ?? tissue.value?.unitUm ?? null;

/** Computes the distances to the border of a region for the cells in sections that contain cells of the region. */
export async function readDistances(
  model: Pick<Model, 'state' | 'tissue' | 'bundle'>,
  { name, cells, outline }: Region,
  ctx: ReadContext,
): Promise<ReturnType<typeof numberValues>> {
  const bundle = model.bundle.value;
  const tissue = model.tissue.value;
  const column = distanceColumn(name);
  if (!bundle || !tissue || !outline) throw new UnknownNameError('annotation', column);
  const { sections } = bundle.manifest;
  const codes = sections && asCategories(await bundle.column(sections.column, ctx)).codes;
  const ofRegion = new Set<number | undefined>();
  if (codes) for (const cell of cells) ofRegion.add(codes[cell]);
  const [x, y] = tissue.origin ?? ZERO;
  const distances = await borderDistances(
    outline.map((value, i) => value - (i % 2 === 0 ? x : y)),
    tissue.coords,
    codes ? (cell) => ofRegion.has(codes[cell]) : null,
    tissueUm(model) ?? 1,
    ctx.signal,
  );
  return numberValues(column, distances);
}
