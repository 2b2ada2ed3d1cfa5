import type { Bundle } from './bundle';

const OPENING = new Set('["\'“”‘’`(');
const CLOSING = new Set(']"\'“”‘’`)');
const isAround = (one: string, marks: ReadonlySet<string>) => marks.has(one) || one.trim() === '';

/**
 * As Python and R write lists: brackets and quotes around names.
 *
 * By hand: a pattern that ends at the end is tried at each mark of a text that is nothing else.
 */
function bare(name: string): string {
  let from = name.startsWith('c(') && name.length > 2 && isAround(name.charAt(2), OPENING) ? 2 : 0;
  let to = name.length;
  while (from < to && isAround(name.charAt(from), OPENING)) from++;
  while (to > from && isAround(name.charAt(to - 1), CLOSING)) to--;
  return name.slice(from, to);
}

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
