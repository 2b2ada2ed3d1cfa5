import { WORDS } from '../contract/codes';

/** As the exporter has them (`plan/codes.py`). */
const MOST = 50;
const MOST_NAMED = 256;
const CELLS_A_CODE = 10;
const CELLS_A_NAMED_CODE = 2;
const FILLED = 0.8;

const setOf = (words: string) => new Set(words.split(' '));
const CODES = setOf(WORDS.codes);
const MEASURES = setOf(WORDS.measures);
const NUMBER_OF = setOf(WORDS.number_of);
const AXES = setOf(WORDS.axes);

/**
 * Whether a column of numbers holds codes, as of clusters: categories, of which no mean is taken.
 *
 * The rule is the exporter's, but for the colors that a file may have. NaN is missing.
 */
export function areCodes(name: string, values: Float64Array): boolean {
  const distinct = new Set<number>();
  let [min, max, count] = [Infinity, -Infinity, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value)) return false;
    if (distinct.size <= MOST_NAMED) distinct.add(value);
    min = Math.min(min, value);
    max = Math.max(max, value);
    count++;
  }
  const words = (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|log1p/g) ?? []).map((word) => word.toLowerCase());
  if (distinct.size < 2 || min < -1) return false;
  if (words.some((word) => MEASURES.has(word)) || NUMBER_OF.has(words[0] ?? '')) return false;
  if (words.some((word) => CODES.has(word) || CODES.has(word.replace(/s$/, ''))))
    return distinct.size <= Math.min(MOST_NAMED, Math.floor(count / CELLS_A_NAMED_CODE));
  const run = min <= 1 && distinct.size >= FILLED * (max - min + 1);
  const few = distinct.size <= Math.min(MOST, Math.floor(count / CELLS_A_CODE));
  return run && few && !words.some((word) => AXES.has(word));
}
