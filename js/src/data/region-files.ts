import { forEachCsvRow } from '../lib/csv';
import type { CellNames } from './cell-ids';

interface Named {
  name: string;
  mask: Uint8Array;
}

const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A row for each cell of each region: a cell that is in two stands there twice. */
export function regionsToCsv(regions: readonly Named[], names: CellNames): string {
  const lines = ['cell_id,region'];
  for (const { name, mask } of regions) {
    const region = quoted(name);
    for (let cell = 0; cell < mask.length; cell++)
      if (mask[cell]) lines.push(`${quoted(names(cell))},${region}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** Regions by the names of their cells; `unknown` counts rows whose cell is not in this bundle. */
export function regionsFromCsv(
  text: string,
  cells: number,
  names: CellNames,
): { regions: Named[]; unknown: number } {
  const places = new Map<string, number>();
  for (let cell = 0; cell < cells; cell++) places.set(names(cell), cell);
  const masks = new Map<string, Uint8Array>();
  let unknown = 0;
  let columns: { id: number; region: number } | null = null;
  forEachCsvRow(text, (fields) => {
    if (!columns) {
      columns = { id: fields.indexOf('cell_id'), region: fields.indexOf('region') };
      if (columns.id < 0 || columns.region < 0)
        throw new Error('The file has no columns “cell_id” and “region” in its first line.');
      return;
    }
    const place = places.get(fields[columns.id] ?? '');
    const name = (fields[columns.region] ?? '').trim();
    if (place === undefined) unknown++;
    if (place === undefined || name === '') return;
    const mask = masks.get(name) ?? new Uint8Array(cells);
    mask[place] = 1;
    masks.set(name, mask);
  });
  return { regions: [...masks].map(([name, mask]) => ({ name, mask })), unknown };
}
