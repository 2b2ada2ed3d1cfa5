import type { Category, CategoryColumn, NumberColumn } from '../contract/manifest';
import { safeColor } from '../lib/color';
import { FormatError, UnknownNameError } from '../lib/errors';
import type { Numbers } from '../lib/numbers';
import type { ReadContext } from '../source/bundle-source';
import { type AssetReader, asFloat32, asFloat64, asUint16, asUint32, readChunks } from './chunks';
import type { Summary } from './summary';
import { summarizeColumn, summarizeColumnInTurns } from './summary';

type Column = CategoryColumn | NumberColumn;

export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** Properties of a column that are known before its values are loaded. */
export type ColumnInfo =
  | { kind: 'category'; name: string; categories: readonly Category[]; missing: number }
  | { kind: 'number'; name: string };

/** A category, or a group of categories that is shown as one. */
export interface GroupedCategory extends Category {
  /** For a group: names of its categories, the largest first. */
  members?: readonly string[];
  /** For a group: its custom color. */
  ownColor?: string;
}

export interface CategoryValues {
  kind: 'category';
  name: string;
  categories: readonly GroupedCategory[];
  missing: number;
  /** Category of each cell; cells without a value have the code `categories.length`. */
  codes: Codes;
  /** If some categories are groups: the column without them. */
  ungrouped?: CategoryValues;
}

export interface NumberValues {
  kind: 'number';
  name: string;
  /** NaN for cells without a value. */
  values: Numbers;
  readonly summary: Summary;
  /** Computes the summary in slices that keep the page responsive. */
  summarize(): Promise<Summary>;
}

export type ColumnValues = CategoryValues | NumberValues;

/** Returns a categorical column. Throws for a numeric one. */
export function asCategories(column: ColumnValues): CategoryValues {
  if (column.kind !== 'category') throw new UnknownNameError('categorical annotation', column.name);
  return column;
}

export function columnInfo(column: Column | ColumnValues): ColumnInfo {
  if (column.kind === 'number') return { kind: 'number', name: column.name };
  const { name, missing } = column;
  const categories = column.categories.map((category) => ({
    ...category,
    color: safeColor(category.color),
  }));
  return { kind: 'category', name, categories, missing };
}

/** Reads a column in the columnar format of 1.x. */
export async function readColumn(
  reader: AssetReader,
  column: Column,
  cells: number,
  ctx: ReadContext,
): Promise<ColumnValues> {
  const what = `column “${column.name}”`;
  if (column.kind === 'number') {
    const wide = column.dtype === 'float64';
    const bytes = await readChunks(reader, column.chunks, cells, wide ? 8 : 4, what, ctx);
    const values = wide ? asFloat64(bytes) : asFloat32(bytes);
    return numberValues(column.name, values);
  }
  const width = { uint8: 1, uint16: 2, uint32: 4 }[column.dtype];
  const bytes = await readChunks(reader, column.chunks, cells, width, what, ctx);
  const codes = width === 1 ? bytes : width === 2 ? asUint16(bytes) : asUint32(bytes);
  checkCodes(codes, column.categories.length, column.chunks[0]?.path ?? 'manifest.json');
  return { ...columnInfo(column), kind: 'category', codes } as CategoryValues;
}

/** Wraps numeric values. The summary is computed on first use: most columns are read only for the tooltip. */
export function numberValues(name: string, values: Numbers): NumberValues {
  let summary: Summary | null = null;
  return {
    kind: 'number',
    name,
    values,
    get summary() {
      summary ??= summarizeColumn(values);
      return summary;
    },
    async summarize() {
      summary ??= await summarizeColumnInTurns(values);
      return summary;
    },
  };
}

function checkCodes(codes: Codes, categories: number, path: string): void {
  for (let i = 0; i < codes.length; i++) {
    if ((codes[i] ?? 0) > categories) {
      throw new FormatError(
        path,
        `cell ${i} has the code ${codes[i]}, but there are only ${categories} categories`,
      );
    }
  }
}
