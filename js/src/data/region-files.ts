import { ascending } from '../lib/bits';
import { csvRows, field, unguarded } from '../lib/csv';
import { turns } from '../lib/pause';
import type { CellNames } from './cell-ids';

interface Named {
  name: string;
  /** Ascending, unique. */
  cells: Uint32Array;
}

/** Maximum number of regions; more cannot be told apart. */
export const MOST_REGIONS = 500;
/** Of all regions together; each takes four bytes. */
export const MOST_REGION_CELLS = 2 ** 26;

const encoder = new TextEncoder();
/** After so many rows the work looks at the clock. */
const AT_ONCE = 4096;

/** A row for each cell of each region: a cell that is in two stands there twice. In pieces, as a Blob takes them. */
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

/** Spreadsheets of many countries write semicolons, other programs tabs. */
const SEPARATORS = [',', ';', '\t'];
const MOST_TOLD = 6;

const namesOf = (fields: readonly string[]) => fields.map((name) => name.trim().toLowerCase());

/** By the first line, which names the columns. */
function separatorOf(text: string): string {
  const lines = SEPARATORS.map((separator) => [...(csvRows(text, separator).next().value ?? [])]);
  const at = lines.findIndex((line) => {
    const names = namesOf(line);
    return names.includes('cell_id') && names.includes('region');
  });
  const found = SEPARATORS[at];
  if (found !== undefined) return found;
  const longest = lines.reduce((most, line) => (line.length > most.length ? line : most));
  if (longest.length === 0) throw new Error('It is empty.');
  const told = longest.slice(0, MOST_TOLD).map((name) => `“${name.trim().slice(0, 40)}”`);
  throw new Error(
    `A table of regions has the columns “cell_id” and “region”; the first line of this one names ${told.join(', ')}${longest.length > MOST_TOLD ? ', …' : ''}.`,
  );
}

/** Regions by the names of their cells; `unknown` counts rows whose cell is not in this bundle. */
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
  // Another program writes ids as they are.
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
    const held = found.get(name);
    if (held) held.push(place);
    else found.set(name, [place]);
    if (found.size > MOST_REGIONS) {
      throw new Error(
        `Its column “region” has more than ${MOST_REGIONS} different names, such as “${name.slice(0, 40)}”. A region usually has many cells; check that this is the right column.`,
      );
    }
  }
  const regions = [...found].map(([name, places]) => ({
    name,
    cells: ascending(Uint32Array.from(places)),
  }));
  return { regions, unknown };
}
