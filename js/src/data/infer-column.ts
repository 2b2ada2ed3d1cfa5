import { paletteColour } from '../lib/colour';
import { naturalOrder } from '../lib/natural';
import { narrowest } from '../lib/numbers';
import { areCodes } from './codes';
import { type CategoryValues, type Codes, type ColumnValues, numberValues } from './columns';

/** `whole`: digits of a whole number that is larger than JavaScript's numbers are exact. */
export type Cell = string | number | boolean | { whole: string } | null;

/** Whole numbers with no more distinct values than this, in a table without types, are taken for codes. */
const MOST_UNTYPED_CODES = 50;

/** Makes a column of the cells of a 1.0 table; `typed` says whether text and numbers can be told apart (JSON). */
export function inferColumn(name: string, cells: readonly Cell[], typed: boolean): ColumnValues {
  const values = numbersOf(cells, typed);
  if (values === null || areCodes(name, values) || (!typed && mayBeText(values)))
    return categoryColumn(name, cells, values !== null);
  return numberValues(name, narrowest(values));
}

/** Null where there is anything but numbers, or a whole number that would be rounded: identifiers are names. */
function numbersOf(cells: readonly Cell[], typed: boolean): Float64Array | null {
  const values = new Float64Array(cells.length);
  let found = false;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] ?? null;
    values[i] = Number.NaN;
    if (cell === null) continue;
    if (typeof cell !== (typed ? 'number' : 'string')) return null;
    const value = Number(cell);
    if (typeof cell === 'string' && (cell.trim() === '' || Number.isNaN(value) || isRounded(cell)))
      return null;
    if (Number.isFinite(value)) values[i] = value;
    found = true;
  }
  return found ? values : null;
}

/** Whether numbers in a table without types may have been text: '0', '1', '2' of clusters. */
function mayBeText(values: Float64Array): boolean {
  const distinct = new Set<number>();
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value) || distinct.size > MOST_UNTYPED_CODES) return false;
    distinct.add(value);
  }
  return distinct.size <= MOST_UNTYPED_CODES && distinct.size * 2 < values.length;
}

/** Whether text is a whole number that JavaScript's numbers cannot hold. */
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
    // 3.0 in a table of text is the code 3.
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
    color: paletteColour(code),
    count: counts.get(text) ?? 0,
  }));
  return { kind: 'category', name, categories, missing, codes };
}
