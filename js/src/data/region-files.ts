import { ascending } from '../lib/bits';
import { csvRows, field, unguarded } from '../lib/csv';
import { turns } from '../lib/pause';
import type { CellNames } from './cell-ids';

interface Named {
  name: string;
  /** Ascending and unique. */
  cells: Uint32Array;
}

/** Maximum number of regions; more cannot be told apart. */
export const MAX_REGIONS = 500;
/** Maximum number of cells in all regions together; each takes four bytes. */
export const MAX_REGION_CELLS = 2 ** 26;

const encoder = new TextEncoder();
/** Number of rows between two checks of the clock. */
const AT_ONCE = 4096;

/** Writes one row per cell and region, so a cell in two regions has two rows. Returns parts for a Blob. */
export async function regionsToCsv(regions: readonly Named[], names: CellNames): Promise<BlobPart[]> {
  const due = turns();
  const parts: BlobPart[] = ['cell_id,region\r\n'];
  for (const { name, cells } of regions) {
    const region = field(name);
    for (let from = 0; from < cells.length; from += AT_ONCE) {
      await due();
      let rows = '';
      for (const cell of cells.subarray(from, from + AT_ONCE)) rows += `${field(names(cell))},${region}\r\n`;
      parts.push(encoder.encode(rows));
    }
  }
  return parts;
}

/** Spreadsheets write semicolons in many locales; other programs write tabs. */
const SEPARATORS = [',', ';', '\t'];
const MAX_NAMES = 6;

const namesOf = (fields: readonly string[]) => fields.map((name) => name.trim().toLowerCase());

/** Detects the separator from the header. */
function separatorOf(text: string): string {
  const lines = SEPARATORS.map((separator) => [...(csvRows(text, separator).next().value ?? [])]);
  const at = lines.findIndex((line) => {
    const names = namesOf(line);
    return names.includes('cell_id') && names.includes('region');
  });
  const found = SEPARATORS[at];
  if (found !== undefined) return found;
  const longest = lines.reduce((most, line) => (line.length > most.length ? line : most));
  if (longest.length === 0) throw new Error('The file is empty.');
  const header = longest.slice(0, MAX_NAMES).map((name) => `“${name.trim().slice(0, 40)}”`);
  throw new Error(
    `A region table needs the columns “cell_id” and “region”, but its header is ${header.join(', ')}${longest.length > MAX_NAMES ? ', …' : ''}.`,
  );
}

/** Reads regions from a table of cell ids; `unknown` counts rows whose cell is not in this bundle. */
export async function regionsFromCsv(
  text: string,
  cells: number,
  names: CellNames,
): Promise<{ regions: Named[]; unknown: number }> {
  const due = turns();
  const places = new Map<string, number>();
  for (let cell = 0; cell < cells; cell++) {
    if (cell % AT_ONCE === 0) await due();
    places.set(names(cell), cell);
  }
  // Other programs write ids without a guard against formulas.
  const placeOf = (id: string) => places.get(unguarded(id)) ?? places.get(id);
  const found = new Map<string, number[]>();
  let unknown = 0;
  let columns: { id: number; region: number } | null = null;
  let row = 0;
  for (const fields of csvRows(text, separatorOf(text))) {
    if (!columns) {
      const named = namesOf(fields);
      columns = { id: named.indexOf('cell_id'), region: named.indexOf('region') };
      continue;
    }
    const place = placeOf(fields[columns.id] ?? '');
    const name = unguarded((fields[columns.region] ?? '').trim());
    if (++row % AT_ONCE === 0) await due();
    if (place === undefined) unknown++;
    if (place === undefined || name === '') continue;
    const places = found.get(name);
    if (places) places.push(place);
    else found.set(name, [place]);
    if (found.size > MAX_REGIONS) {
      throw new Error(
        `The column “region” has more than ${MAX_REGIONS} different names, such as “${name.slice(0, 40)}”. A region usually contains many cells; check that this is the right column.`,
      );
    }
  }
  const regions = [...found].map(([name, places]) => ({
    name,
    cells: ascending(Uint32Array.from(places)),
  }));
  return { regions, unknown };
}
