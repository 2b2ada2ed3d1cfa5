import { VIEW_SHAPE } from '../../contract/view-shape';
import type { Bundle } from '../../data/bundle';
import type { Color, ViewState } from '../view-state';

export type GeneSet = NonNullable<ViewState['geneSets']>[number];

/** Maximum number of gene sets in a view. */
export const MOST_SETS = VIEW_SHAPE.properties.geneSets.anyOf[0].maxItems;

/** Returns the gene sets of a view: its own, else those of the bundle. */
export function geneSetsOf(own: ViewState['geneSets'], bundle: Bundle | null): readonly GeneSet[] {
  if (own) return own;
  // Another exporter may have written duplicate names.
  return [...new Map((bundle?.manifest.gene_sets ?? []).map((set) => [set.name, set] as const)).values()];
}

/** Returns the color that shows a gene set, as far as its genes can be read; null if none can. */
export function scoreOf({ name, genes }: GeneSet, { genes: store }: Pick<Bundle, 'genes'>): Color | null {
  const known = genes.filter((gene) => store.has(gene));
  return known.length > 0 ? { kind: 'score', name, genes: known } : null;
}
