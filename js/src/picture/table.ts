import type { Positions } from '../data/bundle';
import type { CellNames } from '../data/cell-ids';
import { project, type View } from '../lib/camera';
import { field } from '../lib/csv';
import { plain, ZERO } from '../lib/origin';
import { turns } from '../lib/pause';
import { type Layer, valueAt } from '../state/color/layer';

/** Returns the visible cells: their center is in view, and they pass the tests. */
export function cellsInView(
  { coords }: Positions,
  view: View,
  shown: ((cell: number) => boolean) | null,
  selected: Uint8Array | null,
): Uint32Array {
  const cells = new Uint32Array(coords.length / 2);
  let count = 0;
  for (let cell = 0; cell < cells.length; cell++) {
    if (selected && selected[cell] !== 1) continue;
    const [x, y] = project(view, coords[2 * cell] ?? Number.NaN, coords[2 * cell + 1] ?? Number.NaN);
    if (!(x >= 0 && x <= view.width && y >= 0 && y <= view.height)) continue;
    if (shown && !shown(cell)) continue;
    cells[count++] = cell;
  }
  return cells.subarray(0, count);
}

/**
 * Formats a number with the fewest digits that round-trip as float32 (0.1, not 0.10000000149011612), or as float64 if
 * `wide`. Integers keep all digits.
 */
export function shortest(value: number, wide = false): string {
  if (!Number.isFinite(value)) return '';
  if (Number.isInteger(value)) return Math.abs(value) < 2 ** 64 ? BigInt(value).toString() : String(value);
  if (wide) return String(value);
  for (let digits = 6; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(Number(value.toPrecision(9)));
}

/** Formats a source coordinate with the precision of its float32 offset from the origin. */
const placeOf = (value: number, origin: number) =>
  origin === 0 || !Number.isFinite(value) ? shortest(value) : String(plain(Number(shortest(value)), origin));

/** Converts a written coordinate to µm, to the nanometer. */
const inMicrons = (text: string, unitUm: number) =>
  text === '' ? '' : String(Math.round(Number(text) * unitUm * 1000) / 1000);

export interface Table {
  cells: Uint32Array;
  names: CellNames;
  positions: Positions;
  layer: Layer;
  /** Names of the columns of x and y. */
  axes: readonly [string, string];
  /** µm per unit of the positions: they are written in µm, too; null if unknown or for an embedding. */
  unitUm: number | null;
  /** What the values are means of ("mean of …"), if they are means. */
  of?: string | undefined;
}

export const TISSUE_AXES = ['x', 'y'] as const;

/** Names the two columns of an embedding: `umap_1`, `umap_2`. */
export function embeddingAxes(label: string): readonly [string, string] {
  const stem = label
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '');
  return [`${stem || 'embedding'}_1`, `${stem || 'embedding'}_2`];
}

/** Chunks are kept as bytes: concatenated strings of a million rows cause long garbage-collection pauses. */
const encoder = new TextEncoder();
/** Rows per chunk. The page may run other tasks between chunks. */
const AT_ONCE = 4096;

/** Writes the table as CSV in chunks for a Blob, with CRLF line ends (RFC 4180). */
export async function csvOf({
  cells,
  names,
  positions: { coords, origin = ZERO },
  layer,
  axes,
  unitUm,
  of,
}: Table): Promise<BlobPart[]> {
  const ungrouped = layer.kind === 'category' ? layer.column.ungrouped : undefined;
  const labels =
    layer.kind === 'category'
      ? [layer.column.name, ...(ungrouped ? [`${layer.column.name}_groups`] : [])]
      : layer.kind === 'blend'
        ? layer.parts.map(({ gene }) => gene + (layer.of ?? ''))
        : layer.kind === 'value'
          ? [of ? `${layer.label} (${of})` : layer.label]
          : [];
  // Coordinates in µm are written once, those with a known scale also in µm, others only in their unknown unit.
  const inUm = unitUm === 1;
  const converted = unitUm !== null && !inUm;
  const um = axes.map((axis) => `${axis}_um`);
  const head = ['cell_id', ...(inUm ? um : axes), ...(converted ? um : []), ...labels];
  const parts: BlobPart[] = [`${head.map(field).join(',')}\r\n`];
  const categories = layer.kind === 'category' ? layer.column.categories.map(({ name }) => field(name)) : [];
  const members = ungrouped?.categories.map(({ name }) => field(name)) ?? [];
  const wide = layer.kind === 'value' && layer.values instanceof Float64Array;
  const last = (cell: number) => {
    if (layer.kind === 'category') {
      const name = categories[layer.column.codes[cell] ?? -1] ?? '';
      return ungrouped ? `${members[ungrouped.codes[cell] ?? -1] ?? ''},${name}` : name;
    }
    if (layer.kind === 'blend')
      return layer.parts.map(({ values }) => shortest(values[cell] ?? Number.NaN)).join(',');
    const value = valueAt(layer, cell);
    return typeof value === 'number' ? shortest(value, wide) : '';
  };
  const due = turns();
  for (let from = 0; from < cells.length; from += AT_ONCE) {
    await due();
    let rows = '';
    for (const cell of cells.subarray(from, from + AT_ONCE)) {
      const x = placeOf(coords[2 * cell] ?? Number.NaN, origin[0]);
      const y = placeOf(coords[2 * cell + 1] ?? Number.NaN, origin[1]);
      const more = converted ? `,${inMicrons(x, unitUm)},${inMicrons(y, unitUm)}` : '';
      rows += `${field(names(cell))},${x},${y}${more}${labels.length === 0 ? '' : `,${last(cell)}`}\r\n`;
    }
    parts.push(encoder.encode(rows));
  }
  return parts;
}
