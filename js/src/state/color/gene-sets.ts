import type { Plain } from '../../contract/plain';
import type { LinkedGeneSet as Linked } from '../../contract/view';
import { VIEW_SHAPE } from '../../contract/view-shape';
import type { Bundle } from '../../data/bundle';
import type { Color, ViewState } from '../view-state';

type LinkedGeneSet = Plain<Linked>;
export type GeneSet = NonNullable<ViewState['geneSets']>[number];

/** Maximum number of gene sets in a view. */
export const MAX_SETS = VIEW_SHAPE.properties.geneSets.anyOf[0].maxItems;

/** Returns the gene sets of a view: its own, else those of the bundle. */
export function geneSetsOf(own: ViewState['geneSets'], bundle: Bundle | null): readonly GeneSet[] {
  if (own) return own;
  // Another exporter may have written duplicate names.
  return [...new Map((bundle?.manifest.gene_sets ?? []).map((set) => [set.name, set] as const)).values()];
}

/** Returns the coloring by a gene set, with those of its genes that can be read; null if none can. */
export function scoreOf({ name, genes }: GeneSet, { genes: store }: Pick<Bundle, 'genes'>): Color | null {
  const known = genes.filter((gene) => store.has(gene));
  return known.length > 0 ? { kind: 'score', name, genes: known } : null;
}

/**
 * Returns gene sets as stored in a link. A set with the same genes as one of the bundle refers to that set by
 * its name, instead of listing the genes.
 */
export function linkedSets(sets: readonly GeneSet[], stored: readonly GeneSet[]): LinkedGeneSet[] {
  const names = new Map(stored.map(({ name, genes }) => [JSON.stringify(genes), name]));
  return sets.map(({ name, genes }) => {
    const of = names.get(JSON.stringify(genes));
    return of === undefined ? { name, genes } : { name, of };
  });
}

/** Returns the gene sets of a link, and the names of those that refer to a set missing from the bundle. */
export function setsOfLink(
  sets: readonly LinkedGeneSet[],
  stored: readonly GeneSet[],
): [GeneSet[], string[]] {
  const genesOf = new Map(stored.map(({ name, genes }) => [name, genes]));
  // Another program may have written duplicate names.
  const found = new Map(
    sets.map(({ name, of = '', genes = genesOf.get(of) ?? [] }) => [name, { name, genes }]),
  );
  const all = [...found.values()];
  return [
    all.filter(({ genes }) => genes.length),
    all.flatMap(({ name, genes }) => (genes.length ? [] : name)),
  ];
}
