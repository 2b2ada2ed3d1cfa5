import type { Measure, Weight } from './marks';

/** Collapses line breaks and control characters, which would break a legend's layout. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

/** Truncates the text with an ellipsis to a width of `most`. */
export function fitted(text: string, most: number, size: number, weight: Weight, measure: Measure): string {
  if (measure(text, size, weight) <= most) return text;
  const letters = Array.from(text);
  let fits = 0;
  let beyond = letters.length;
  while (beyond - fits > 1) {
    const middle = (fits + beyond) >> 1;
    const part = `${letters.slice(0, middle).join('').trimEnd()}…`;
    if (measure(part, size, weight) <= most) fits = middle;
    else beyond = middle;
  }
  return `${letters.slice(0, fits).join('').trimEnd()}…`;
}

/** Breaks the text into lines of at most `most`, after spaces and punctuation, or within a longer word. */
export function wrapped(
  text: string,
  most: number,
  size: number,
  weight: Weight,
  measure: Measure,
): string[] {
  const lines: string[] = [];
  let line = '';
  const fits = (part: string) => measure(part.trimEnd(), size, weight) <= most;
  for (const word of text.match(/[^\s\-_/,;|]*[\s\-_/,;|]?/gu) ?? []) {
    if (fits(line + word)) {
      line += word;
      continue;
    }
    if (line) lines.push(line.trimEnd());
    line = '';
    for (const letter of word) {
      if (line && !fits(line + letter)) {
        lines.push(line);
        line = '';
      }
      line += letter;
    }
  }
  if (line.trim() || lines.length === 0) lines.push(line.trimEnd());
  return lines;
}
