import { paletteColour } from '../lib/colour';
import { type CategoryValues, type Codes, type ColumnValues, numberValues } from './columns';

/** Whole numbers with no more distinct values than this, in a table without types, are taken for cluster labels. */
const MAX_NUMBERED_CLASSES = 50;

export type Cell = string | number | boolean | null;

/** What the values of a column are. */
export type Kind = 'number' | 'text';

/**
 * How pandas writes a missing value when a column was turned into text. `None`, `NA` and `null` are left as they are:
 * people name categories so.
 */
export const MISSING_TEXTS: ReadonlySet<string> = new Set(['nan', 'NaN', 'NaT', '<NA>']);

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;

/** What a table that tells text from numbers (JSON) says of a column; null where no cell has a value. */
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

/** Makes a column of the cells of a 1.0 table; where nothing says what its `kind` is, the text itself decides. */
export function inferColumn(name: string, cells: readonly Cell[], kind: Kind | null): ColumnValues {
  const plain = cells.map((cell) => (isMissing(cell) ? null : cell));
  return (kind === 'number' && plain.every(isNumber)) || (kind === null && looksNumeric(plain))
    ? numberColumn(name, plain)
    : categoryColumn(name, plain);
}

function isNumber(cell: Cell): boolean {
  if (cell === null || typeof cell === 'number') return true;
  return typeof cell === 'string' && (NUMBER.test(cell.trim()) || INFINITE.test(cell.trim()));
}

function looksNumeric(cells: readonly Cell[]): boolean {
  let found = false;
  let wholes = true;
  const distinct = new Set<number>();
  for (const cell of cells) {
    if (cell === null) continue;
    // An identifier with leading zeros is text.
    if (typeof cell !== 'string' || !isNumber(cell) || /^0\d/.test(cell)) return false;
    if (INFINITE.test(cell.trim())) continue;
    const value = Number(cell);
    found = true;
    wholes &&= Number.isInteger(value);
    if (distinct.size <= MAX_NUMBERED_CLASSES) distinct.add(value);
  }
  if (!found) return false;
  return !(wholes && distinct.size <= MAX_NUMBERED_CLASSES && distinct.size * 2 < cells.length);
}

function numberColumn(name: string, cells: readonly Cell[]): ColumnValues {
  const values = Float32Array.from(cells, (cell) => {
    const value = cell === null ? Number.NaN : Number(cell);
    return Number.isFinite(value) ? value : Number.NaN;
  });
  return numberValues(name, values);
}

const byLabel = new Intl.Collator('en', { numeric: true });

function categoryColumn(name: string, cells: readonly Cell[]): CategoryValues {
  const counts = new Map<string, number>();
  let missing = 0;
  const label = (cell: Cell): string => {
    if (cell === true) return 'True';
    if (cell === false) return 'False';
    return String(cell);
  };
  for (const cell of cells) {
    if (cell === null) missing++;
    else counts.set(label(cell), (counts.get(label(cell)) ?? 0) + 1);
  }
  const labels = [...counts.keys()].sort(byLabel.compare);
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
    color: paletteColour(code),
    count: counts.get(text) ?? 0,
  }));
  return { kind: 'category', name, categories, missing, codes };
}
