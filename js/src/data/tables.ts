import type { Manifest } from '../contract/manifest';
import { forEachCsvRow } from '../lib/csv';
import { asError, FormatError, isAbort, LeftOutError, LooseFileError } from '../lib/errors';
import { formatCount } from '../lib/format';
import { looseJson } from '../lib/json';
import { type Origin, originOf, seenFrom } from '../lib/origin';
import type { ReadContext } from '../source/bundle-source';
import type { AssetReader } from './chunks';
import type { ColumnValues } from './column-values';
import { type Cell, inferColumn, isRounded, kindOf, MISSING_TEXTS } from './infer-column';

/** Coordinates read from the tables of format 1.0, for bundles without columnar coordinates. */
export interface CoordinateTable {
  /** Interleaved x, y relative to the origin; NaN for cells without coordinates. */
  coords: Float32Array;
  origin: Origin;
  /** Null if the table has no cell ids. */
  ids: readonly string[] | null;
  remarks: readonly Error[];
}

/** Annotations read from the tables of format 1.0, for bundles without columnar annotations. */
export interface ObsTable {
  columns: readonly ColumnValues[];
  /** Null if the table has no cell ids. */
  ids: readonly string[] | null;
  /** Format violations and how they were handled. */
  remarks: readonly Error[];
}

const byPath = new Intl.Collator('en', { numeric: true });

function paths(manifest: Manifest, kind: string): string[] {
  return manifest.asset_files
    .filter((file) => file.kind === kind)
    .map((file) => file.path)
    .sort(byPath.compare);
}

async function text(reader: AssetReader, path: string, ctx: ReadContext): Promise<string> {
  return new TextDecoder().decode(await reader.read(path, undefined, ctx));
}

type Row = Record<string, unknown>;

async function records(
  reader: AssetReader,
  path: string,
  ctx: ReadContext,
  prepared = (json: string) => json,
): Promise<{ rows: Row[]; constants: number }> {
  const json = prepared(await text(reader, path, ctx));
  let read: ReturnType<typeof looseJson>;
  try {
    read = looseJson(json);
  } catch (cause) {
    throw new FormatError(path, 'it is not valid JSON', cause);
  }
  const { value, constants } = read;
  const isRow = (row: unknown) => typeof row === 'object' && row !== null && !Array.isArray(row);
  if (!Array.isArray(value) || !value.every(isRow))
    throw new FormatError(path, 'it is not a list of records');
  return { rows: value as Row[], constants };
}

/** Matches strings too, so that digits inside them are kept. */
const TEXT_OR_LONG = /"(?:[^"\\]|\\.)*"|(?<![\d.])-?\d{16,}(?![\d.eE])/g;

/** Replaces integers that `JSON.parse` would round with objects that contain their digits. */
function withWholeNumbers(json: string): string {
  // Fast path: most tables contain no integer that long.
  if (!/:\s*-?\d{16,}\s*[,}]/.test(json)) return json;
  return json.replace(TEXT_OR_LONG, (found) =>
    found.startsWith('"') || !isRounded(found) ? found : `{"whole":"${found}"}`,
  );
}

/** Names the files of a table at the start of a message. */
const named = (files: readonly string[]) =>
  files.length > 1 ? `${files[0]} and ${files.length - 1} more` : `${files[0] ?? 'manifest.json'}`;

function checkRows(rows: number, manifest: Manifest, files: readonly string[]): void {
  if (rows === manifest.n_cells) return;
  throw new FormatError(
    named(files),
    `the table has ${formatCount(rows)} rows, but the manifest states ${formatCount(manifest.n_cells)} cells`,
  );
}

/** Converts a finite number, or text that contains one; returns NaN for anything else. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value : Number.NaN;
  if (typeof value !== 'string' || value.trim() === '') return Number.NaN;
  const number = Number(value);
  return Number.isFinite(number) ? number : Number.NaN;
}

/** Returns the field with the cell ids: `cell_id`, else the first that is not one of `others`. */
function idField(fields: readonly string[], others: readonly string[]): string | null {
  if (fields.includes('cell_id')) return 'cell_id';
  return fields.find((field) => !others.includes(field)) ?? null;
}

const idOf = (value: unknown) => (value === null || value === undefined ? '' : String(value));

export async function readCoordinateTable(
  reader: AssetReader,
  manifest: Manifest,
  ctx: ReadContext,
): Promise<CoordinateTable> {
  const files = paths(manifest, 'coords_json');
  if (files.length === 0)
    throw new FormatError('manifest.json', 'asset_files lists no coords_json, so no cell has coordinates');
  const coords = new Float64Array(manifest.n_cells * 2);
  const ids: string[] = [];
  let rows = 0;
  let placed = 0;
  let key: string | null | undefined;
  for (const path of files) {
    for (const record of (await records(reader, path, ctx)).rows) {
      if (key === undefined) key = idField(Object.keys(record), ['x', 'y']);
      const [x, y] = [numberOf(record.x), numberOf(record.y)];
      const whole = !Number.isNaN(x) && !Number.isNaN(y);
      // A cell with only one coordinate counts as having none.
      coords[rows * 2] = whole ? x : Number.NaN;
      coords[rows * 2 + 1] = whole ? y : Number.NaN;
      if (whole) placed++;
      else if (placed === 0 && rows === 0 && !('x' in record && 'y' in record))
        throw new FormatError(
          path,
          `it has no fields “x” and “y” (it has ${Object.keys(record).join(', ')})`,
        );
      if (key !== null) ids.push(idOf(record[key]));
      rows++;
    }
  }
  checkRows(rows, manifest, files);
  if (rows > 0 && placed === 0) throw new FormatError(named(files), 'no cell has numeric x and y');
  const remarks: Error[] = [];
  if (placed < rows) {
    const without = formatCount(rows - placed);
    const lack = rows - placed === 1 ? 'has no coordinates and is' : 'have no coordinates and are';
    remarks.push(
      new LooseFileError(named(files), `${without} of ${formatCount(rows)} cells ${lack} not drawn`),
    );
  }
  const origin = originOf(coords);
  return { coords: seenFrom(origin, coords), origin, ids: key ? ids : null, remarks };
}

/** Values of the exported columns, read from either the JSON or the CSV tables. */
interface Read {
  files: readonly string[];
  /** One list per column; null if the table has no such column. */
  cells: (Cell[] | null)[];
  ids: string[] | null;
  /** Number of NaN and Infinity tokens in JSON. */
  constants: number;
}

/**
 * Reads the annotations of format 1.0. Prefers JSON, which distinguishes numbers from text that looks like numbers; if
 * it is not strict JSON, takes the values from the CSV.
 */
export async function readObsTable(
  reader: AssetReader,
  manifest: Manifest,
  coordinateIds: () => Promise<readonly string[] | null>,
  ctx: ReadContext,
): Promise<ObsTable> {
  const names = manifest.annotation_columns;
  if (names.length === 0) return { columns: [], ids: null, remarks: [] };
  const json = paths(manifest, 'obs_json');
  const csv = paths(manifest, 'obs_csv');
  if (json.length === 0 && csv.length === 0)
    throw new FormatError(
      'manifest.json',
      'asset_files lists neither obs_json nor obs_csv, so no cell has annotations',
    );
  const remarks: Error[] = [];
  const attempt = async (read: () => Promise<Read>): Promise<Read | Error> => {
    try {
      return await read();
    } catch (thrown) {
      if (isAbort(thrown, ctx.signal)) throw thrown;
      return asError(thrown);
    }
  };
  const typed = json.length > 0 ? await attempt(() => fromRecords(reader, manifest, json, ctx)) : null;
  const strict = typed !== null && !(typed instanceof Error) && typed.constants === 0;
  const plain = strict || csv.length === 0 ? null : await attempt(() => fromCsv(reader, manifest, csv, ctx));
  const readable = (read: Read | Error | null): Read | null => (read instanceof Error ? null : read);
  const values = readable(plain) ?? readable(typed);
  if (!values) throw typed ?? plain;
  if (typed instanceof Error)
    remarks.push(
      new LeftOutError(
        `${typed.message} Annotations were read from ${named(values.files)} instead.`,
        'Export the data again to restore the original table.',
      ),
    );
  else if (typed && typed.constants > 0) remarks.push(notStrict(typed, values));
  const aligned = await sameCells(values, coordinateIds, remarks);
  const kinds = typed instanceof Error ? null : typed;
  const columns = names.flatMap((name, i) => {
    const cells = aligned[i];
    if (!cells) {
      remarks.push(new LooseFileError(named(values.files), `it has no column “${name}”`));
      return [];
    }
    const kind = kinds?.cells[i] ? kindOf(kinds.cells[i]) : null;
    return [inferColumn(name, cells, values === typed ? kindOf(cells) : kind)];
  });
  remarks.push(...emptyColumns(columns, values), ...textRemarks(names, aligned, columns));
  return { columns, ids: values.ids, remarks };
}

function notStrict({ files, constants }: Read, values: Read): Error {
  const times = constants === 1 ? 'once' : `${formatCount(constants)} times`;
  const how =
    values.files === files
      ? 'these cells have no value'
      : `annotations were read from ${named(values.files)}`;
  return new LooseFileError(
    named(files),
    `it is not strict JSON (contains NaN or Infinity ${times}); ${how}`,
  );
}

/** Reports all columns without values in one remark. */
function* emptyColumns(columns: readonly ColumnValues[], { files }: Read): Generator<Error> {
  const empty = columns.filter(
    (column) => column.kind === 'category' && column.codes.length > 0 && column.categories.length === 0,
  );
  if (empty.length === 0) return;
  const list = empty.map(({ name }) => `“${name}”`).join(', ');
  yield new LooseFileError(
    named(files),
    `no cell has a value of ${list}; KaroSpaceBuilder 0.x loses text columns if the cells have names. Export the data again to restore them`,
  );
}

/** Reports text for missing values and infinite numbers; the format requires an empty field for both. */
function* textRemarks(
  names: readonly string[],
  cells: readonly (readonly Cell[] | null)[],
  columns: readonly ColumnValues[],
): Generator<Error> {
  for (const [i, name] of names.entries()) {
    const column = columns.find((other) => other.name === name);
    if (!column) continue;
    const found = new Map<string, number>();
    for (const cell of cells[i] ?? []) {
      if (typeof cell !== 'string') continue;
      const infinite = column.kind === 'number' && /^[+-]?inf/i.test(cell.trim());
      if (MISSING_TEXTS.has(cell) || infinite) found.set(cell, (found.get(cell) ?? 0) + 1);
    }
    for (const [word, count] of found)
      yield new LooseFileError(
        `Column “${name}”`,
        `“${word}” in ${formatCount(count)} ${count === 1 ? 'cell' : 'cells'} was read as a missing value`,
      );
  }
}

/** Reorders the cells of the table like the coordinates. */
async function sameCells(
  { files, cells, ids }: Read,
  coordinateIds: () => Promise<readonly string[] | null>,
  remarks: Error[],
): Promise<(Cell[] | null)[]> {
  const wanted = ids && (await coordinateIds());
  if (!ids || !wanted || wanted.every((id, row) => id === ids[row])) return cells;
  const rowOf = new Map(ids.map((id, row) => [id, row]));
  const order = wanted.map((id) => rowOf.get(id) ?? -1);
  if (rowOf.size !== ids.length || new Set(order).size !== order.length || order.includes(-1)) {
    const row = wanted.findIndex((id, at) => id !== ids[at]);
    throw new FormatError(
      named(files),
      `row ${formatCount(row + 1)} is cell “${ids[row]}”, but the coordinates have “${wanted[row]}”`,
    );
  }
  remarks.push(
    new LooseFileError(
      named(files),
      'its cells are in a different order than the coordinates; they were matched by cell_id',
    ),
  );
  return cells.map((column) => column && order.map((row) => column[row] ?? null));
}

async function fromRecords(
  reader: AssetReader,
  manifest: Manifest,
  files: readonly string[],
  ctx: ReadContext,
): Promise<Read> {
  const names = manifest.annotation_columns;
  const cells: Cell[][] = names.map(() => []);
  const there = names.map(() => false);
  const ids: string[] = [];
  let constants = 0;
  let rows = 0;
  let key: string | null | undefined;
  for (const path of files) {
    const read = await records(reader, path, ctx, withWholeNumbers);
    constants += read.constants;
    for (const record of read.rows) {
      if (key === undefined) key = idField(Object.keys(record), names);
      if (key !== null) ids.push(idOf(record[key]));
      names.forEach((name, i) => {
        const own = Object.hasOwn(record, name);
        if (own) there[i] = true;
        cells[i]?.push(cellOf(own ? record[name] : null));
      });
      rows++;
    }
  }
  checkRows(rows, manifest, files);
  return {
    files,
    cells: cells.map((column, i) => (there[i] || rows === 0 ? column : null)),
    ids: key ? ids : null,
    constants,
  };
}

function cellOf(value: unknown): Cell {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  const whole = typeof value === 'object' && value !== null && 'whole' in value ? value.whole : null;
  return typeof whole === 'string' ? { whole } : null;
}

async function fromCsv(
  reader: AssetReader,
  manifest: Manifest,
  files: readonly string[],
  ctx: ReadContext,
): Promise<Read> {
  const names = manifest.annotation_columns;
  const cells: (Cell[] | null)[] = names.map(() => []);
  const ids: string[] = [];
  let named = false;
  let rows = 0;
  for (const path of files) {
    let places: number[] | null = null;
    let idAt = -1;
    let width = 0;
    forEachCsvRow(await text(reader, path, ctx), (fields) => {
      if (!places) {
        places = names.map((name) => fields.indexOf(name));
        const key = idField(fields, names);
        idAt = key === null ? -1 : fields.indexOf(key);
        named ||= idAt >= 0;
        width = fields.length;
        return;
      }
      if (fields.length !== width)
        throw new FormatError(
          path,
          `row ${formatCount(rows + 1)} has ${fields.length} fields, but the header has ${width}`,
        );
      if (idAt >= 0) ids.push(fields[idAt] ?? '');
      places.forEach((place, i) => {
        if (place === -1) cells[i] = null;
        const field = fields[place] ?? '';
        cells[i]?.push(field === '' ? null : field);
      });
      rows++;
    });
  }
  checkRows(rows, manifest, files);
  return { files, cells, ids: named ? ids : null, constants: 0 };
}
