import type { Manifest } from '../contract/manifest';

export interface GeneHit {
  gene: string;
  /** The other name by which the gene was found, or its first one; empty where it has none. */
  label: string;
}

export type GeneSearch = (query: string, limit: number) => GeneHit[];

/** Search over names and alternative labels: whole names first, then beginnings, then any place. */
export function geneSearch(manifest: Manifest, live: readonly string[] = []): GeneSearch {
  const exported = new Set(manifest.gene_list);
  const names = [...manifest.gene_list, ...live.filter((name) => !exported.has(name))];
  const labelLists = (manifest.gene_labels ?? []).map((labels) => labels.labels);
  let folded: string[][] | null = null;
  const labelOf = (i: number): string => {
    for (const labels of labelLists) {
      const label = labels[i];
      if (label && label !== names[i]) return label;
    }
    return '';
  };
  return (query, limit) => {
    folded ??= [names, ...labelLists].map((list) => list.map((name) => name.toLowerCase()));
    const wanted = query.trim().toLowerCase();
    const ranks: GeneHit[][] = [[], [], [], [], []];
    for (let i = 0; i < names.length; i++) {
      let best = wanted === '' ? 3 : 5;
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
      const bucket = ranks[best];
      if (!bucket || bucket.length >= limit) continue;
      const found = from > 0 ? (labelLists[from - 1]?.[i] ?? '') : labelOf(i);
      bucket.push({ gene: names[i] ?? '', label: found });
      if (wanted === '' && bucket.length >= limit) break;
    }
    return ranks.flat().slice(0, limit);
  };
}
