import type { GeneSummary, Manifest } from '../contract/manifest';
import type { LiveStatistics } from '../source/bundle-source';
import { missingOf } from './gene-store';

type Means = Pick<GeneSummary, 'mean' | 'fraction'>;

export interface GeneHit {
  gene: string;
  /** Alternative name that matched, else the first alternative name; empty if the gene has none. */
  label: string;
  /** Over cells with a value; null if it is not known or no cell has a value. */
  summary: Means | null;
  /** Rank by variability, 1 for the most variable; null if it is not known. */
  rank: number | null;
}

/**
 * File order, by name, descending by mean or by the fraction of cells in which the gene is detected, or the most
 * variable first.
 */
export type GeneOrder = 'file' | 'name' | 'mean' | 'fraction' | 'variability';

export interface GeneSearch {
  find(query: string, limit: number, order?: GeneOrder): GeneHit[];
  /** Returns the first gene with this name, label, alias or Ensembl id, ignoring case and version. */
  named(label: string): string | undefined;
  /** Whether genes can be sorted by mean and by detection. */
  readonly ranked: boolean;
  /** Whether genes can be sorted by variability. */
  readonly variable: boolean;
  /** Whether genes can be sorted in this order only after `take`: some of them are only in the live object. */
  lacks(order: GeneOrder): boolean;
  /** Takes the statistics of the live object, which replace those of the bundle. */
  take(statistics: LiveStatistics): void;
}

const byName = new Intl.Collator('en', { numeric: true });

/** Number of match ranks: exact, prefix of the name, prefix of a label, substring of the name, substring of a label. */
const RANKS = 5;
const ANY_PLACE = 3;

/** Separates the names of one gene in its search text; cannot be typed into the search box. */
const BREAK = '\n';

/** Normalizes a name for comparison: lower case, Ensembl ids without a (possibly incomplete) version. */
function folded(name: string): string {
  const small = name.toLowerCase().replaceAll(BREAK, ' ');
  return small.startsWith('ens') ? small.replace(/^(ens\w*\d+)\.\d*$/, '$1') : small;
}

const partsOf = (label: string) =>
  /[|;,]/.test(label) ? label.split(/[|;,]/).flatMap((part) => part.trim() || []) : [];

interface Names {
  /** Names of each gene: its name, then its labels; a label that lists aliases follows them. */
  of: readonly (readonly string[])[];
  /** The same names, normalized and joined, so that one substring search can rule out a gene. */
  texts: readonly string[];
}

function namesOf(genes: readonly string[], labelLists: readonly (readonly string[])[]): Names {
  const of = genes.map((gene, i) => {
    const all = [gene];
    for (const labels of labelLists) {
      const label = labels[i];
      if (!label) continue;
      all.push(...partsOf(label), label);
    }
    return all;
  });
  return { of, texts: of.map((all) => all.map(folded).join(BREAK)) };
}

/** Creates a search over names, labels and aliases that ranks exact matches, then prefixes, then substrings. */
export function geneSearch(manifest: Manifest, live: readonly string[] = []): GeneSearch {
  const exported = new Set(manifest.gene_list);
  const genes = [...manifest.gene_list, ...live.filter((name) => !exported.has(name))];
  const labelLists = (manifest.gene_labels ?? []).map((labels) => labels.labels);
  let names: Names | null = null;
  let exact: Map<string, string> | null = null;
  let summaries: Map<string, Means | null> | null = null;
  let ranks: Map<string, number | null> | null = null;
  let wanting = live.some((name) => !exported.has(name));
  const orders = new Map<GeneOrder, Uint32Array>();
  const labelOf = (i: number): string => {
    for (const labels of labelLists) {
      const label = labels[i];
      if (label && label !== genes[i]) return label;
    }
    return '';
  };
  const summaryOf = (i: number): Means | null => {
    summaries ??= new Map(
      manifest.expression.genes.map(({ gene, summary }) => [
        gene,
        summary && (manifest.n_cells === 0 || missingOf(summary) < manifest.n_cells) ? summary : null,
      ]),
    );
    return summaries.get(genes[i] ?? '') ?? null;
  };
  const rankOf = (i: number): number | null => {
    ranks ??= new Map(manifest.expression.genes.map((entry) => [entry.gene, entry.variability_rank ?? null]));
    return ranks.get(genes[i] ?? '') ?? null;
  };
  const ordered = (order: GeneOrder): Uint32Array => {
    const known = orders.get(order);
    if (known) return known;
    const places = Uint32Array.from(genes, (_, i) => i);
    // Genes without a statistic come last.
    const height = (i: number) => {
      if (order === 'mean' || order === 'fraction') return summaryOf(i)?.[order] ?? -Infinity;
      return order === 'variability' ? -(rankOf(i) ?? Infinity) : 0;
    };
    const compared = (a: number, b: number) =>
      order === 'name' ? byName.compare(genes[a] ?? '', genes[b] ?? '') : height(b) - height(a);
    // `-Infinity - -Infinity` is NaN, which counts as equal.
    if (order !== 'file') places.sort((a, b) => compared(a, b) || a - b);
    orders.set(order, places);
    return places;
  };

  const find = (query: string, limit: number, order: GeneOrder = 'file'): GeneHit[] => {
    names ??= namesOf(genes, labelLists);
    const wanted = folded(query.trim());
    const buckets: GeneHit[][] = Array.from({ length: RANKS }, () => []);
    for (const i of ordered(order)) {
      const text = names.texts[i] ?? '';
      let best = wanted === '' ? ANY_PLACE : RANKS;
      let found = 0;
      if (wanted !== '' && text.includes(wanted)) {
        for (const [at, name] of text.split(BREAK).entries()) {
          const place = name.indexOf(wanted);
          if (place === -1) continue;
          const rank =
            name.length === wanted.length ? 0 : place === 0 ? (at === 0 ? 1 : 2) : at === 0 ? 3 : 4;
          if (rank < best) {
            best = rank;
            found = at;
          }
        }
      }
      // If sorted by a statistic, only an exact match takes precedence over that order.
      const bucket = buckets[order === 'file' || best === 0 || best === RANKS ? best : ANY_PLACE];
      if (!bucket || bucket.length >= limit) continue;
      const label = found > 0 ? (names.of[i]?.[found] ?? '') : labelOf(i);
      bucket.push({ gene: genes[i] ?? '', label, summary: summaryOf(i), rank: rankOf(i) });
      if (wanted === '' && bucket.length >= limit) break;
    }
    return buckets.flat().slice(0, limit);
  };

  /** Indexes names by their normalized form; names take precedence over labels, and these over aliases. */
  const lookUp = (): Map<string, string> => {
    const found = new Map<string, string>();
    const add = (name: string, gene: string) => {
      if (!found.has(name)) found.set(name, gene);
    };
    for (const gene of genes) add(gene.toLowerCase(), gene);
    for (const gene of genes) add(folded(gene), gene);
    const labels = (namesOf: (label: string) => string[]) => {
      for (const list of labelLists)
        list.forEach((label, i) => {
          for (const name of label ? namesOf(label) : []) add(folded(name), genes[i] ?? '');
        });
    };
    labels((label) => [label]);
    labels(partsOf);
    return found;
  };

  return {
    find,
    named(label) {
      if (exported.has(label)) return label;
      exact ??= lookUp();
      const name = label.trim();
      return exact.get(name.toLowerCase()) ?? exact.get(folded(name));
    },
    get ranked() {
      return wanting || genes.some((_, i) => summaryOf(i));
    },
    get variable() {
      return wanting ? manifest.expression.values?.kind !== 'scaled' : genes.some((_, i) => rankOf(i));
    },
    lacks: (order) => wanting && order !== 'file' && order !== 'name',
    take({ mean, fraction, rank }) {
      wanting = false;
      orders.clear();
      summaries = new Map(
        live.map((name, i) => {
          const height = mean[i] ?? null;
          return [name, height === null ? null : { mean: height, fraction: fraction[i] ?? 0 }];
        }),
      );
      ranks = new Map(live.map((name, i) => [name, rank?.[i] ?? null]));
    },
  };
}
