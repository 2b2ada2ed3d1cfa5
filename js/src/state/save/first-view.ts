import type { Manifest } from '../../contract/manifest';
import type { Bundle } from '../../data/bundle';
import type { ColumnInfo } from '../../data/column-values';
import { unknownGene } from '../../data/gene-store';
import { UnknownNameError } from '../../lib/errors';
import type { Color, Layout, ViewState } from '../view-state';
import { stateIn } from './saved-view';

/** Returns the initial view of the bundle, without its regions, which are set once the cells are loaded. */
export function viewOfBundle({ manifest }: Bundle): Partial<ViewState> {
  try {
    return manifest.view ? stateIn(manifest.view, manifest.n_cells) : {};
  } catch {
    return {};
  }
}

/** Returns the initial layout: sections side by side if their coordinates overlap, else the tissue. */
export function firstLayout({ sections }: Pick<Manifest, 'sections'>): Layout {
  return sections?.overlapping ? { kind: 'sections', order: 'file' } : { kind: 'tissue' };
}

/** Returns the first categorical annotation with values, else the first numeric annotation, else no color. */
export function firstColor(columns: readonly ColumnInfo[]): Color {
  const first =
    columns.find((column) => column.kind === 'category' && column.categories.length > 0) ??
    columns.find(({ kind }) => kind === 'number') ??
    columns[0];
  return first ? { kind: 'annotation', column: first.name } : { kind: 'none' };
}

/** Returns an error for the first gene or annotation of a color that the bundle does not have; else null. */
export function unknownNameIn(
  { genes, manifest }: Pick<Bundle, 'genes' | 'manifest'>,
  columns: readonly ColumnInfo[],
  color: Color,
): UnknownNameError | null {
  if (color.kind === 'annotation') {
    const there = columns.some(({ name }) => name === color.column);
    return there ? null : new UnknownNameError('annotation', color.column);
  }
  const wanted = color.kind === 'gene' ? [color.gene] : 'genes' in color ? color.genes : [];
  const unknown = wanted.find((gene) => !genes.has(gene));
  return unknown === undefined ? null : unknownGene(unknown, manifest);
}
