import { paletteColor } from '../lib/color';
import { naturalOrder } from '../lib/natural';
import { narrowest } from '../lib/numbers';
import { areCodes } from './codes';
import { type CategoryValues, type Codes, type ColumnValues, numberValues } from './column-values';

/** Value in a table; `whole` holds the digits of an integer beyond the exact range of JavaScript numbers. */
export type Cell = string | number | boolean | { whole: string } | null;

/** Maximum number of distinct integers that are read as codes in a table without types. */
const MAX_UNTYPED_CODES = 50;

/** Type of the values of a column. */
export type Kind = 'number' | 'text';

/**
 * Texts that pandas writes for missing values in a column converted to text. `None`, `NA` and `null` are not included:
 * they are also used as category names.
 */
export const MISSING_TEXTS: ReadonlySet<string> = new Set(['nan', 'NaN', 'NaT', '<NA>']);

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;

/** Returns the type of a column in a table that distinguishes text from numbers (JSON); null if it has no values. */
export function kindOf(cells: readonly Cell[]): Kind | null {
  let found: Kind | null = null;
  for (const cell of cells) {
    if (isMissing(cell)) continue;
    if (typeof cell !== 'number') return 'text';
    found = 'number';
  }
  return found;
}

const isMissing = (cell: Cell): boolean =>
  cell === null || (typeof cell === 'string' && MISSING_TEXTS.has(cell));

/** Converts a column of a 1.0 table; if `kind` is null, infers the type from the text. */
export function inferColumn(name: string, cells: readonly Cell[], kind: Kind | null): ColumnValues {
  const plain = cells.map((cell) => (isMissing(cell) ? null : cell));
  const values = kind === 'text' ? null : numbersOf(plain, kind);
  if (values === null || areCodes(name, values) || (kind === null && mayBeText(values)))
    return categoryColumn(name, plain, values !== null);
  return numberValues(name, narrowest(values));
}

/**
 * Converts cells to numbers, with NaN for missing and infinite ones. Returns null if any cell is not a number or is an
 * integer that would be rounded: those are identifiers.
 */
function numbersOf(cells: readonly Cell[], kind: 'number' | null): Float64Array | null {
  const values = new Float64Array(cells.length).fill(Number.NaN);
  let found = false;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] ?? null;
    if (cell === null) continue;
    if (typeof cell === 'number') {
      if (kind === null) return null;
      if (Number.isFinite(cell)) values[i] = cell;
    } else if (typeof cell === 'string') {
      const text = cell.trim();
      if (INFINITE.test(text)) continue;
      // Without a known type, digits with leading zeros are an identifier.
      if (!NUMBER.test(text) || (kind === null && /^0\d/.test(text)) || isRounded(text)) return null;
      const value = Number(text);
      if (Number.isFinite(value)) values[i] = value;
    } else return null;
    found = true;
  }
  return found || kind === 'number' ? values : null;
}

/** Returns whether numbers in a table without types may be category names, such as clusters '0', '1', '2'. */
function mayBeText(values: Float64Array): boolean {
  const distinct = new Set<number>();
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value) || distinct.size > MAX_UNTYPED_CODES) return false;
    distinct.add(value);
  }
  return distinct.size <= MAX_UNTYPED_CODES && distinct.size * 2 < values.length;
}

/** Returns whether text is an integer that JavaScript numbers cannot represent exactly. */
export function isRounded(text: string): boolean {
  return /^\s*[+-]?\d{16,}\s*$/.test(text) && BigInt(Number(text)) !== BigInt(text.trim().replace('+', ''));
}

function categoryColumn(name: string, cells: readonly Cell[], numeric: boolean): CategoryValues {
  const counts = new Map<string, number>();
  let missing = 0;
  const label = (cell: Cell): string => {
    if (cell === true) return 'True';
    if (cell === false) return 'False';
    if (typeof cell === 'object' && cell !== null) return cell.whole;
    // Writes the code 3.0 as 3.
    return String(numeric ? Number(cell) : cell);
  };
  for (const cell of cells) {
    if (cell === null) missing++;
    else counts.set(label(cell), (counts.get(label(cell)) ?? 0) + 1);
  }
  const labels = numeric
    ? [...counts.keys()].sort((a, b) => Number(a) - Number(b))
    : naturalOrder(counts.keys());
  const codeOf = new Map(labels.map((text, code) => [text, code]));
  const codes: Codes =
    labels.length < 256
      ? new Uint8Array(cells.length)
      : labels.length < 65536
        ? new Uint16Array(cells.length)
        : new Uint32Array(cells.length);
  cells.forEach((cell, i) => {
    codes[i] = cell === null ? labels.length : (codeOf.get(label(cell)) ?? labels.length);
  });
  const categories = labels.map((text, code) => ({
    name: text,
    color: paletteColor(code),
    count: counts.get(text) ?? 0,
  }));
  return { kind: 'category', name, categories, missing, codes };
}
