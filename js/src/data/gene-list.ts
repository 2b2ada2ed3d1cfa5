import type { Bundle } from './bundle';

/** Genes by their names or other names, one for each word of a pasted list; and the words that name none. */
export function genesOf(
  text: string,
  { search }: Pick<Bundle, 'search'>,
): { genes: string[]; unknown: string[] } {
  const genes = new Set<string>();
  const unknown = new Set<string>();
  for (const part of text.split(/[\t\r\n,;]+/).map((name) => name.trim())) {
    // Names may hold spaces; where the whole names no gene, each word is one.
    const whole = part.includes(' ') ? search.named(part) : undefined;
    if (whole !== undefined) genes.add(whole);
    else
      for (const word of part.split(/\s+/).filter(Boolean)) {
        const gene = search.named(word);
        if (gene === undefined) unknown.add(word);
        else genes.add(gene);
      }
  }
  return { genes: [...genes], unknown: [...unknown] };
}
