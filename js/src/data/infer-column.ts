import { paletteColour } from '../lib/colour';
import { type CategoryValues, type Codes, type ColumnValues, numberValues } from './columns';

/** Whole numbers with no more distinct values than this, in a table without types, are taken for cluster labels. */
const MAX_NUMBERED_CLASSES = 50;

export type Cell = string | number | boolean | null;

/** Makes a column of the cells of a 1.0 table; `typed` says whether text and numbers can be told apart (JSON). */
export function inferColumn(name: string, cells: readonly Cell[], typed: boolean): ColumnValues {
  return isNumeric(cells, typed) ? numberColumn(name, cells) : categoryColumn(name, cells);
}

function isNumeric(cells: readonly Cell[], typed: boolean): boolean {
  let found = false;
  let wholes = true;
  const distinct = new Set<number>();
  for (const cell of cells) {
    if (cell === null) continue;
    if (typed ? typeof cell !== 'number' : typeof cell !== 'string') return false;
    const value = Number(cell);
    if (typeof cell === 'string' && (cell.trim() === '' || Number.isNaN(value))) return false;
    found = true;
    wholes &&= Number.isInteger(value);
    if (distinct.size <= MAX_NUMBERED_CLASSES) distinct.add(value);
  }
  if (!found) return false;
  const labels = wholes && distinct.size <= MAX_NUMBERED_CLASSES && distinct.size * 2 < cells.length;
  return typed || !labels;
}

function numberColumn(name: string, cells: readonly Cell[]): ColumnValues {
  const values = Float32Array.from(cells, (cell) => (cell === null ? Number.NaN : Number(cell)));
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
