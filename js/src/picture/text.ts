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
