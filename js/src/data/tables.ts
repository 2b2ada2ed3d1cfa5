import type { Manifest } from '../contract/manifest';
import { forEachCsvRow } from '../lib/csv';
import { FormatError } from '../lib/errors';
import { type Origin, originOf, seenFrom } from '../lib/origin';
import type { ReadContext } from '../source/bundle-source';
import type { AssetReader } from './chunks';
import type { ColumnValues } from './columns';
import { type Cell, inferColumn } from './infer-column';

/** The 1.0 tables, for bundles without the columnar fast path. */
export interface CoordinateTable {
  /** Interleaved x, y, counted from the origin. */
  coords: Float32Array;
  origin: Origin;
  ids: string[];
}

function paths(manifest: Manifest, kind: string): string[] {
  return manifest.asset_files
    .filter((file) => file.kind === kind)
    .map((file) => file.path)
    .sort();
}

async function text(reader: AssetReader, path: string, ctx: ReadContext): Promise<string> {
  return new TextDecoder().decode(await reader.read(path, undefined, ctx));
}

async function records(
  reader: AssetReader,
  path: string,
  ctx: ReadContext,
): Promise<Record<string, unknown>[]> {
  let value: unknown;
  try {
    value = JSON.parse(await text(reader, path, ctx));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new FormatError(path, 'it is not JSON', cause);
    throw cause;
  }
  if (!Array.isArray(value)) throw new FormatError(path, 'it is not a list of records');
  return value as Record<string, unknown>[];
}

function checkRows(rows: number, manifest: Manifest, path: string): void {
  if (rows !== manifest.n_cells) {
    throw new FormatError(
      path,
      `the table has ${rows} rows where the manifest says ${manifest.n_cells} cells`,
    );
  }
}

export async function readCoordinateTable(
  reader: AssetReader,
  manifest: Manifest,
  ctx: ReadContext,
): Promise<CoordinateTable> {
  const coords = new Float64Array(manifest.n_cells * 2);
  const ids: string[] = [];
  const files = paths(manifest, 'coords_json');
  for (const path of files) {
    for (const record of await records(reader, path, ctx)) {
      const at = ids.length * 2;
      coords[at] = typeof record.x === 'number' ? record.x : Number.NaN;
      coords[at + 1] = typeof record.y === 'number' ? record.y : Number.NaN;
      ids.push(String(record.cell_id ?? ''));
    }
  }
  checkRows(ids.length, manifest, files[0] ?? 'manifest.json');
  const origin = originOf(coords);
  return { coords: seenFrom(origin, coords), origin, ids };
}

/** JSON first: it tells numbers from text that looks like numbers. */
export async function readObsTable(
  reader: AssetReader,
  manifest: Manifest,
  ctx: ReadContext,
): Promise<ColumnValues[]> {
  const names = manifest.annotation_columns;
  if (names.length === 0) return [];
  const json = paths(manifest, 'obs_json');
  const files = json.length > 0 ? json : paths(manifest, 'obs_csv');
  const cells: Cell[][] = names.map(() => []);
  for (const path of files) {
    if (json.length > 0) await fromRecords(reader, path, names, cells, ctx);
    else fromCsv(await text(reader, path, ctx), path, names, cells);
  }
  checkRows(cells[0]?.length ?? 0, manifest, files[0] ?? 'manifest.json');
  return names.map((name, i) => inferColumn(name, cells[i] ?? [], json.length > 0));
}

async function fromRecords(
  reader: AssetReader,
  path: string,
  names: readonly string[],
  cells: Cell[][],
  ctx: ReadContext,
): Promise<void> {
  for (const record of await records(reader, path, ctx)) {
    names.forEach((name, i) => {
      const value = Object.hasOwn(record, name) ? record[name] : null;
      const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
      cells[i]?.push(plain ? value : null);
    });
  }
}

function fromCsv(csv: string, path: string, names: readonly string[], cells: Cell[][]): void {
  let places: number[] | null = null;
  forEachCsvRow(csv, (fields) => {
    if (!places) {
      places = names.map((name) => fields.indexOf(name));
      const absent = names.find((_, i) => places?.[i] === -1);
      if (absent !== undefined) throw new FormatError(path, `it has no column “${absent}”`);
      return;
    }
    places.forEach((place, i) => {
      const field = fields[place] ?? '';
      cells[i]?.push(field === '' ? null : field);
    });
  });
}
