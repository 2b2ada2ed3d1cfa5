import type { Positions } from '../data/bundle';
import type { CellNames } from '../data/cell-ids';
import { project, type View } from '../lib/camera';
import { field } from '../lib/csv';
import { plain, ZERO } from '../lib/origin';
import { turns } from '../lib/pause';
import { type Layer, valueAt } from '../state/layer';

/** Which cells are seen: their middle is in view, and they pass the test. */
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
 * The shortest digits that give the same float32 (0.1, not 0.10000000149011612), or the same float64 where values are
 * `wide`; of whole numbers all digits.
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

/** A coordinate of the source, with as many digits as its float32 has from the origin. */
const placeOf = (value: number, origin: number) =>
  origin === 0 || !Number.isFinite(value) ? shortest(value) : String(plain(Number(shortest(value)), origin));

export interface Table {
  cells: Uint32Array;
  names: CellNames;
  positions: Positions;
  layer: Layer;
  /** What the values of the layer are means of, where they are. */
  of?: string | undefined;
}

/** Text that grew piece by piece is kept as bytes: strings of a million rows would stop the page to be tidied up. */
const encoder = new TextEncoder();
/** After so many rows the work looks at the clock. */
const AT_ONCE = 4096;

/** In pieces, as a Blob takes them; lines end as RFC 4180 wants. */
export async function csvOf({
  cells,
  names,
  positions: { coords, origin = ZERO },
  layer,
  of,
}: Table): Promise<BlobPart[]> {
  const labels =
    layer.kind === 'category'
      ? [layer.column.name]
      : layer.kind === 'blend'
        ? layer.parts.map(({ gene }) => gene)
        : layer.kind === 'value'
          ? [of ? `${layer.label} (${of})` : layer.label]
          : [];
  const head = ['cell_id', 'x', 'y', ...labels];
  const parts: BlobPart[] = [`${head.map(field).join(',')}\r\n`];
  const classes = layer.kind === 'category' ? layer.column.categories.map(({ name }) => field(name)) : [];
  const wide = layer.kind === 'value' && layer.values instanceof Float64Array;
  const last = (cell: number) => {
    if (layer.kind === 'category') return classes[layer.column.codes[cell] ?? -1] ?? '';
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
      rows += `${field(names(cell))},${x},${y}${labels.length === 0 ? '' : `,${last(cell)}`}\r\n`;
    }
    parts.push(encoder.encode(rows));
  }
  return parts;
}
