import type { Manifest } from '../contract/manifest';
import type { Bundle } from '../data/bundle';
import type { ColumnInfo } from '../data/columns';
import { UnknownNameError } from '../lib/errors';
import { stateIn } from './saved-view';
import type { Color, Layout, ViewState } from './view-state';

/** What the bundle opens with; its regions come once the cells are there. */
export function viewOfBundle({ manifest }: Bundle): Partial<ViewState> {
  try {
    return manifest.view ? stateIn(manifest.view, manifest.n_cells) : {};
  } catch {
    return {};
  }
}

/** Sections that would lie upon each other stand side by side. */
export function firstLayout({ sections }: Pick<Manifest, 'sections'>): Layout {
  return sections?.overlapping ? { kind: 'sections', order: 'file' } : { kind: 'tissue' };
}

/** The first category column of which a cell has a value, else the first numbers, or nothing. */
export function firstColor(columns: readonly ColumnInfo[]): Color {
  const first =
    columns.find((column) => column.kind === 'category' && column.categories.length > 0) ??
    columns.find(({ kind }) => kind === 'number') ??
    columns[0];
  return first ? { kind: 'annotation', column: first.name } : { kind: 'none' };
}

/** What of a colour the bundle does not have; null where it has all of it. */
export function missingOf(
  { genes }: Pick<Bundle, 'genes'>,
  columns: readonly ColumnInfo[],
  color: Color,
): UnknownNameError | null {
  if (color.kind === 'annotation') {
    const there = columns.some(({ name }) => name === color.column);
    return there ? null : new UnknownNameError('annotation', color.column);
  }
  const asked = color.kind === 'gene' ? [color.gene] : 'genes' in color ? color.genes : [];
  const unknown = asked.find((gene) => !genes.has(gene));
  return unknown === undefined ? null : new UnknownNameError('gene', unknown);
}
