import type { GeneSummary, Manifest } from '../contract/manifest';

export interface GeneHit {
  gene: string;
  /** The other name by which the gene was found, or its first one; empty where it has none. */
  label: string;
  /** Of all cells; null where the bundle does not say. */
  summary: GeneSummary | null;
}

/** As in the file, or the highest first: by the mean of all cells, or the share of cells with a value. */
export type GeneOrder = 'file' | 'mean' | 'fraction';

export interface GeneSearch {
  find(query: string, limit: number, order?: GeneOrder): GeneHit[];
  /** Whether genes can be ordered by what the bundle says of them. */
  readonly ranked: boolean;
}

/** Ranks of a hit: the whole name, its beginning, that of another label, any place in the name or in a label. */
const RANKS = 5;
const ANY_PLACE = 3;

/** Search over names and alternative labels: whole names first, then beginnings, then any place. */
export function geneSearch(manifest: Manifest, live: readonly string[] = []): GeneSearch {
  const exported = new Set(manifest.gene_list);
  const names = [...manifest.gene_list, ...live.filter((name) => !exported.has(name))];
  const labelLists = (manifest.gene_labels ?? []).map((labels) => labels.labels);
  let folded: string[][] | null = null;
  let summaries: (GeneSummary | null)[] | null = null;
  const orders = new Map<GeneOrder, Uint32Array>();
  const labelOf = (i: number): string => {
    for (const labels of labelLists) {
      const label = labels[i];
      if (label && label !== names[i]) return label;
    }
    return '';
  };
  const summaryOf = (i: number): GeneSummary | null => {
    if (!summaries) {
      const stated = new Map(manifest.expression.genes.map(({ gene, summary }) => [gene, summary]));
      summaries = names.map((name) => stated.get(name) ?? null);
    }
    return summaries[i] ?? null;
  };
  const ordered = (order: GeneOrder): Uint32Array => {
    const held = orders.get(order);
    if (held) return held;
    const places = Uint32Array.from(names, (_, i) => i);
    // Genes of which nothing is known come last.
    const height = (i: number) => (order === 'file' ? 0 : (summaryOf(i)?.[order] ?? -Infinity));
    if (order !== 'file') places.sort((a, b) => height(b) - height(a) || a - b);
    orders.set(order, places);
    return places;
  };

  const find = (query: string, limit: number, order: GeneOrder = 'file'): GeneHit[] => {
    folded ??= [names, ...labelLists].map((list) => list.map((name) => name.toLowerCase()));
    const wanted = query.trim().toLowerCase();
    const ranks: GeneHit[][] = Array.from({ length: RANKS }, () => []);
    for (const i of ordered(order)) {
      let best = wanted === '' ? ANY_PLACE : RANKS;
      let from = 0;
      for (let list = 0; list < folded.length && best > 0; list++) {
        const name = folded[list]?.[i] ?? '';
        const at = wanted === '' ? -1 : name.indexOf(wanted);
        if (at === -1) continue;
        const rank = name.length === wanted.length ? 0 : at === 0 ? (list === 0 ? 1 : 2) : list === 0 ? 3 : 4;
        if (rank < best) {
          best = rank;
          from = list;
        }
      }
      // Who orders by a number wants that order: only the very name goes before.
      const bucket = ranks[order === 'file' || best === 0 || best === RANKS ? best : ANY_PLACE];
      if (!bucket || bucket.length >= limit) continue;
      const found = from > 0 ? (labelLists[from - 1]?.[i] ?? '') : labelOf(i);
      bucket.push({ gene: names[i] ?? '', label: found, summary: summaryOf(i) });
      if (wanted === '' && bucket.length >= limit) break;
    }
    return ranks.flat().slice(0, limit);
  };
  return {
    find,
    get ranked() {
      return manifest.expression.genes.some(({ summary }) => summary != null);
    },
  };
}
