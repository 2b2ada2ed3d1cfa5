import { WORDS } from '../contract/codes';

/** Thresholds of the exporter (`plan/integer_codes.py`, which explains them). */
const MAX_CODES = 50;
const MAX_NAMED_CODES = 256;
const CELLS_PER_CODE = 10;
const CELLS_PER_NAMED_CODE = 2;
const CELLS_PER_CODE_WITH_GAPS = 100;
const MIN_CELLS_WITH_GAPS = 5;
const FILLED = 0.8;

const setOf = (words: string) => new Set(words.split(' '));
const CODES = setOf(WORDS.codes);
const MEASURES = setOf(WORDS.measures);
const NUMBER_OF = setOf(WORDS.number_of);
const COUNTED = setOf(WORDS.counted);
const RELATIONS = setOf(WORDS.relations);
const AXES = setOf(WORDS.axes);
const AMOUNTS = setOf(WORDS.amounts);

const singular = (word: string) => word.replace(/s$/, '');
const isCode = (word: string) => CODES.has(word) || CODES.has(singular(word));

/** Returns whether a word joins a count or measure to its object without a separator: `nspots`, `cellcount`. */
function isJoined(word: string): boolean {
  for (let at = 1; at < word.length; at++) {
    const [first, rest] = [word.slice(0, at), word.slice(at)];
    const things = MEASURES.has(rest) || COUNTED.has(singular(rest)) || (rest.endsWith('s') && isCode(rest));
    if ((NUMBER_OF.has(first) && things) || (COUNTED.has(singular(first)) && MEASURES.has(rest))) return true;
  }
  return false;
}

function isMeasure(words: string[]): boolean {
  if (NUMBER_OF.has(words[0] ?? '')) return true;
  if (!words.some((word) => MEASURES.has(word) || isJoined(word))) return false;
  return !isCode(words.at(-1) ?? '') || words.some((word) => RELATIONS.has(word));
}

/**
 * Returns whether a numeric column contains codes, such as cluster numbers, which are shown as categories.
 *
 * Applies the rule of the exporter, which additionally considers colors stored in the file. NaN is missing.
 */
export function areCodes(name: string, values: Float64Array): boolean {
  const frequencies = new Map<number, number>();
  let [min, max, count] = [Infinity, -Infinity, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value)) return false;
    if (frequencies.size <= MAX_NAMED_CODES) frequencies.set(value, (frequencies.get(value) ?? 0) + 1);
    min = Math.min(min, value);
    max = Math.max(max, value);
    count++;
  }
  const words = (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|log1p/g) ?? []).map((word) => word.toLowerCase());
  const distinct = frequencies.size;
  if (distinct < 2 || min < -1 || isMeasure(words)) return false;
  if (words.some(isCode))
    return distinct <= Math.min(MAX_NAMED_CODES, Math.floor(count / CELLS_PER_NAMED_CODE));
  if (words.some((word) => AXES.has(word))) return false;
  if (min <= 1 && distinct >= FILLED * (max - min + 1))
    return distinct <= Math.min(MAX_CODES, Math.floor(count / CELLS_PER_CODE));
  if (distinct > Math.min(MAX_CODES, Math.floor(count / CELLS_PER_CODE_WITH_GAPS))) return false;
  return Math.min(...frequencies.values()) >= MIN_CELLS_WITH_GAPS && !words.some((word) => AMOUNTS.has(word));
}
