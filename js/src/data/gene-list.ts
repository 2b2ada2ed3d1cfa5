import type { Bundle } from './bundle';

type Searched = Pick<Bundle, 'genes' | 'search' | 'manifest'>;

const plain = (name: string) => name.toLowerCase();
/** Ensembl ids with the version left out: ENSG00000119888.11 */
const unversioned = (name: string) => name.replace(/^(ens[a-z]*\d+)\.\d+$/, '$1');

const indexes = new WeakMap<Searched, Map<string, string>>();

/** Genes by all their names, in small letters: a search through all of them for each word of a list would take seconds. */
function indexOf(bundle: Searched): Map<string, string> {
  const held = indexes.get(bundle);
  if (held) return held;
  const index = new Map<string, string>();
  const add = (name: string, gene: string) => {
    if (name && !index.has(name)) index.set(name, gene);
  };
  const { gene_list: exported, gene_labels: labels } = bundle.manifest;
  const names = bundle.search.find('', Number.MAX_SAFE_INTEGER).map(({ gene }) => gene);
  for (const name of names) add(plain(name), name);
  for (const { labels: list } of labels ?? [])
    exported.forEach((gene, at) => {
      add(plain(list[at] ?? ''), gene);
    });
  for (const [name, gene] of [...index]) add(unversioned(name), gene);
  indexes.set(bundle, index);
  return index;
}

/** Genes by their names or other names, one for each word of a pasted list; and the words that name none. */
export function genesOf(text: string, bundle: Searched): { genes: string[]; unknown: string[] } {
  const genes = new Set<string>();
  const unknown = new Set<string>();
  const found = (word: string): string | undefined => {
    if (bundle.genes.has(word)) return word;
    const index = indexOf(bundle);
    return index.get(plain(word)) ?? index.get(unversioned(plain(word)));
  };
  for (const part of text.split(/[\t\r\n,;]+/).map((name) => name.trim())) {
    // Names may hold spaces; where the whole names no gene, each word is one.
    const whole = part.includes(' ') ? found(part) : undefined;
    if (whole !== undefined) genes.add(whole);
    else
      for (const word of part.split(/\s+/).filter(Boolean)) {
        const gene = found(word);
        if (gene === undefined) unknown.add(word);
        else genes.add(gene);
      }
  }
  return { genes: [...genes], unknown: [...unknown] };
}
