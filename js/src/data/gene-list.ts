import type { Bundle } from './bundle';

const OPENING = new Set('["\'“”‘’`(');
const CLOSING = new Set(']"\'“”‘’`)');
const isAround = (text: string, marks: ReadonlySet<string>) => marks.has(text) || text.trim() === '';

/**
 * Strips the brackets and quotes around names in Python and R lists.
 *
 * Scans manually: a regular expression anchored at the end takes quadratic time on a text of nothing but brackets.
 */
function bare(name: string): string {
  let from = name.startsWith('c(') && name.length > 2 && isAround(name.charAt(2), OPENING) ? 2 : 0;
  let to = name.length;
  while (from < to && isAround(name.charAt(from), OPENING)) from++;
  while (to > from && isAround(name.charAt(to - 1), CLOSING)) to--;
  return name.slice(from, to);
}

/** Finds the genes of a pasted list by names or alternative names; also returns the words that match no gene. */
export function genesOf(
  text: string,
  { search }: Pick<Bundle, 'search'>,
): { genes: string[]; unknown: string[] } {
  const genes = new Set<string>();
  const unknown = new Set<string>();
  const find = (name: string) => search.named(name) ?? search.named(bare(name));
  for (const line of text.split(/[\t\r\n]+/).map((name) => name.trim())) {
    // Names may contain separators: try the whole line, then its parts, then their words.
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
