import type { Bundle } from './bundle';

/** As Python and R write lists: brackets and quotes around names. */
const bare = (name: string) => name.replace(/^(?:c\()?[\s["'“”‘’`(]+|[\s\]"'“”‘’`)]+$/g, '');

/** Genes by their names or other names, one for each word of a pasted list; and the words that name none. */
export function genesOf(
  text: string,
  { search }: Pick<Bundle, 'search'>,
): { genes: string[]; unknown: string[] } {
  const genes = new Set<string>();
  const unknown = new Set<string>();
  const find = (name: string) => search.named(name) ?? search.named(bare(name));
  for (const line of text.split(/[\t\r\n]+/).map((name) => name.trim())) {
    // Names may hold what stands between names: the whole is tried before its parts, these before their words.
    for (const part of line && find(line) !== undefined ? [line] : line.split(/[,;]+/)) {
      const whole = find(part.trim());
      if (whole !== undefined) genes.add(whole);
      else
        for (const word of part.split(/\s+/)) {
          const gene = find(word);
          if (gene !== undefined) genes.add(gene);
          else if (bare(word)) unknown.add(bare(word));
        }
    }
  }
  return { genes: [...genes], unknown: [...unknown] };
}
