import { describe, expect, test } from 'vitest';
import type { Manifest } from '../contract/manifest';
import { NotFoundError } from '../lib/errors';
import { memorySource } from '../source/memory-source';
import { openBundle, stretched } from './bundle';
import { gzipped } from './bundle-fixture';
import type { ColumnValues } from './column-values';

const N = Number.NaN;
const ctx = () => ({ signal: new AbortController().signal });
const utf8 = new TextEncoder();

interface Tables {
  json?: string | string[];
  csv?: string | string[];
  coords?: string;
  columns?: string[];
  cells?: number;
  gzip?: boolean;
  change?: (manifest: Manifest) => void;
}

const COORDS = '[{"cell_id":"a","x":0,"y":10},{"cell_id":"b","x":5,"y":20},{"cell_id":"c","x":10,"y":40}]';
const CSV = 'cell_id,cluster,area\na,T,1.5\nb,,2.5\nc,B,\n';
const LOOSE =
  '[{"cell_id":"a","cluster":NaN,"area":1.5},{"cell_id":"b","cluster":NaN,"area":2.5},{"cell_id":"c","cluster":NaN,"area":NaN}]';

/** Opens a bundle in format 1.0 as written by other exporters. */
async function opened({ json, csv, coords = COORDS, columns = ['cluster', 'area'], ...rest }: Tables) {
  const { cells = 3, gzip = true, change } = rest;
  const files = new Map<string, Uint8Array>();
  const assets: Manifest['asset_files'] = [];
  const add = async (kind: string, stem: string, content: string | string[] | undefined) => {
    for (const [part, text] of (content === undefined ? [] : [content].flat()).entries()) {
      const path = stem.replace('#', String(part).padStart(3, '0')) + (gzip ? '.gz' : '');
      const bytes = gzip ? await gzipped(utf8.encode(text)) : utf8.encode(text);
      files.set(path, bytes);
      assets.push({ kind, path, size_bytes: bytes.byteLength });
    }
  };
  await add('obs_csv', 'assets/obs_#.csv', csv);
  await add('obs_json', 'assets/obs_records_#.json', json);
  await add('coords_json', 'assets/coords_#.json', coords);
  const manifest: Manifest = {
    schema_version: '1.0.0',
    dataset_name: 'loose',
    created_at: '2026-01-01T00:00:00+00:00',
    n_cells: cells,
    n_genes_exported: 0,
    coordinate_source: 'obsm:spatial',
    annotation_columns: columns,
    gene_list: [],
    asset_files: assets,
    expression: { format: 'per_gene_float32_v1', dtype: 'float32', n_cells: cells, gzip, genes: [] },
  };
  change?.(manifest);
  files.set('manifest.json', utf8.encode(JSON.stringify(manifest)));
  return openBundle(memorySource(files), ctx());
}

const labels = (column: ColumnValues) =>
  column.kind === 'category'
    ? [...column.codes].map((code) => column.categories[code]?.name ?? null)
    : [...column.values];
const read = async (tables: Tables) => {
  const bundle = await opened(tables);
  await bundle.positions(ctx());
  const columns = await bundle.columns(ctx());
  const values = await Promise.all(columns.map(({ name }) => bundle.column(name, ctx())));
  return {
    bundle,
    values: Object.fromEntries(values.map((column) => [column.name, labels(column)])),
    remarks: bundle.remarks.map(({ message }) => message),
  };
};

describe.each([true, false])('gzip %s', (gzip) => {
  test('if the JSON contains NaN, values are read from the CSV', async () => {
    const { values, remarks } = await read({ json: LOOSE, csv: CSV, gzip });
    expect(values).toEqual({ cluster: ['T', null, 'B'], area: [1.5, 2.5, N] });
    expect(remarks).toEqual([
      expect.stringMatching(
        /obs_records_000\.json(\.gz)?: it is not strict JSON \(contains NaN or Infinity 4 times\); annotations were read from assets\/obs_000\.csv/,
      ),
    ]);
  });

  test('without a CSV, NaN in the JSON is a missing value', async () => {
    const json = LOOSE.replaceAll('"cluster":NaN', '"cluster":"T"');
    const { values, remarks } = await read({ json, gzip });
    expect(values).toEqual({ cluster: ['T', 'T', 'T'], area: [1.5, 2.5, N] });
    expect(remarks[0]).toMatch(
      /not strict JSON \(contains NaN or Infinity once\); these cells have no value/,
    );
  });
});

test('a column that lost all its values is reported', async () => {
  const { values, remarks } = await read({ json: LOOSE, csv: 'cell_id,cluster,area\na,,1\nb,,2\nc,,3\n' });
  expect(values.cluster).toEqual([null, null, null]);
  expect(remarks.join()).toMatch(/no cell has a value of “cluster”/);
});

test('strict tables cause no remarks', async () => {
  const json =
    '[{"cell_id":"a","cluster":"T","area":1},{"cell_id":"b","cluster":null,"area":2},{"cell_id":"c","cluster":"B","area":null}]';
  expect((await read({ json, csv: CSV })).remarks).toEqual([]);
  expect((await read({ csv: CSV })).remarks).toEqual([]);
});

test('the JSON determines which CSV columns are text', async () => {
  const json =
    '[{"cell_id":"a","cluster":"1","area":NaN},{"cell_id":"b","cluster":"22","area":3},{"cell_id":"c","cluster":"3","area":1}]';
  const csv = 'cell_id,cluster,area\na,1,\nb,22,3\nc,3,1\n';
  const { values } = await read({ json, csv });
  expect(values).toEqual({ cluster: ['1', '22', '3'], area: [N, 3, 1] });
});

test.each([
  ['CRLF', CSV.replaceAll('\n', '\r\n')],
  ['a byte order mark', `\ufeff${CSV}`],
  ['no line break at the end', CSV.trimEnd()],
])('CSV with %s is read', async (_, csv) => {
  expect((await read({ csv })).values).toEqual({ cluster: ['T', null, 'B'], area: [1.5, 2.5, N] });
});

test('CSV with quotes, commas and line breaks in names is read', async () => {
  const csv = 'cell_id,"clu,ster"\na,"say ""hi"",\nthere"\nb,"x\r\ny"\nc,\n';
  const { values } = await read({ csv, columns: ['clu,ster'] });
  expect(values['clu,ster']).toEqual(['say "hi",\nthere', 'x\r\ny', null]);
});

test('chunks are read in numeric order', async () => {
  const head = 'cell_id,cluster\n';
  const bundle = await opened({
    csv: Array.from({ length: 3 }, (_, i) => `${head}${'abc'[i]},${i}x\n`),
    columns: ['cluster'],
    change: (manifest) => manifest.asset_files.reverse(),
  });
  expect(labels(await bundle.column('cluster', ctx()))).toEqual(['0x', '1x', '2x']);
});

test('text that denotes missing values and infinite numbers are read as missing and reported', async () => {
  const csv = 'cell_id,cluster,area\na,nan,1.5\nb,None,inf\nc,nan,2.5\n';
  const { values, remarks } = await read({ csv });
  expect(values).toEqual({ cluster: [null, 'None', null], area: [1.5, N, 2.5] });
  expect(remarks).toEqual([
    'Column “cluster”: “nan” in 2 cells was read as a missing value.',
    'Column “area”: “inf” in 1 cell was read as a missing value.',
  ]);
});

test('cells in a different order are matched by their ids', async () => {
  const csv = 'cell_id,cluster,area\nc,B,3\na,T,1\nb,M,2.5\n';
  const { values, remarks } = await read({ csv });
  expect(values).toEqual({ cluster: ['T', 'M', 'B'], area: [1, 2.5, 3] });
  expect(remarks.join()).toMatch(/a different order than the coordinates/);
});

test('a table with different cells is rejected naming the first mismatch', async () => {
  const bundle = await opened({ csv: CSV.replace('\nb,', '\nz,') });
  await expect(bundle.columns(ctx())).rejects.toThrow(
    /obs_000\.csv.*row 2 is cell “z”, but the coordinates have “b”/,
  );
});

test('cell names come from another field, the other table, or the cell number', async () => {
  const coords = COORDS.replaceAll('cell_id', 'barcode');
  const { bundle } = await read({ csv: CSV.replace('cell_id', ''), coords });
  expect([0, 2].map(await bundle.cellNames(ctx()))).toEqual(['a', 'c']);
  const bare = COORDS.replaceAll(/"cell_id":"[abc]",/g, '');
  const fromTable = await opened({ csv: CSV, coords: bare });
  expect((await fromTable.cellNames(ctx()))(1)).toBe('b');
  const withoutIds = await opened({ csv: 'cluster,area\nT,1\nT,2.5\nB,3\n', coords: bare });
  expect((await withoutIds.cellNames(ctx()))(1)).toBe('Cell 2');
});

test('ids that are numbers in one table match text in the other', async () => {
  const coords = '[{"cell_id":1,"x":0,"y":1},{"cell_id":2,"x":1,"y":1}]';
  const { bundle, values } = await read({
    csv: 'cell_id,cluster\n1,A\n2,B\n',
    coords,
    columns: ['cluster'],
    cells: 2,
  });
  expect(values.cluster).toEqual(['A', 'B']);
  expect((await bundle.cellNames(ctx()))(0)).toBe('1');
});

test('cells without coordinates are counted in a remark', async () => {
  const coords =
    '[{"cell_id":"a","x":0,"y":10},{"cell_id":"b","x":null,"y":20},{"cell_id":"c","x":"10","y":NaN}]';
  const bundle = await opened({ csv: CSV, coords });
  const positions = await bundle.positions(ctx());
  expect([...positions.coords]).toEqual([0, 10, N, N, N, N]);
  expect(bundle.remarks.map(({ message }) => message).join()).toMatch(/2 of 3 cells have no coordinates/);
});

test.each([
  [
    'no columns x and y',
    { coords: '[{"cell_id":"a","X":0,"Y":1}]', cells: 1 },
    /coords_000\.json.*“x” and “y” \(it has cell_id, X, Y\)/,
  ],
  ['not JSON', { coords: '<html>' }, /coords_000\.json\.gz cannot be read: it is not valid JSON/],
  ['not a list', { coords: '{"x":[0]}' }, /coords_000\.json.*not a list of records/],
  ['a list of lists', { coords: '[[0,1]]' }, /not a list of records/],
  ['another number of cells', { cells: 4 }, /the table has 3 rows, but the manifest states 4 cells/],
  ['no numeric coordinates', { coords: '[{"x":null,"y":null}]', cells: 1 }, /no cell has numeric x and y/],
  [
    'no coordinates',
    {
      change: (m: Manifest) => {
        m.asset_files = [];
      },
    },
    /lists no coords_json/,
  ],
] as const)('invalid coordinates are rejected: %s', async (_, tables, message) => {
  const bundle = await opened({ csv: CSV, ...tables });
  await expect(bundle.positions(ctx())).rejects.toThrow(message);
});

test.each([
  [
    'a truncated row',
    { csv: 'cell_id,cluster,area\na,T,1\nb,T\nc,T,2\n' },
    /obs_000\.csv\.gz cannot be read: row 2 has 2 fields, but the header has 3/,
  ],
  ['an unclosed quote', { csv: 'cell_id,cluster,area\na,"T,1\nb,T,2\nc,T,3\n' }, /obs_000\.csv/],
  [
    'damaged JSON and CSV',
    { json: '[', csv: 'cell_id,cluster,area\na,T,1\n' },
    /obs_records_000\.json\.gz cannot be read: it is not valid JSON/,
  ],
  ['neither JSON nor CSV', {}, /lists neither obs_json nor obs_csv/],
])('invalid annotations are rejected: %s', async (_, tables, message) => {
  await expect((await opened(tables)).columns(ctx())).rejects.toThrow(message);
});

test('annotations are read from the CSV if the JSON is damaged', async () => {
  const { values, remarks } = await read({ json: LOOSE.slice(0, 60), csv: CSV });
  expect(values.cluster).toEqual(['T', null, 'B']);
  expect(remarks.join()).toMatch(
    /obs_records_000\.json\.gz cannot be read: it is not valid JSON\. Annotations were read from assets\/obs_000\.csv\.gz instead\./,
  );
});

test('annotations are read from the CSV if the JSON is missing', async () => {
  const { values, remarks } = await read({
    csv: CSV,
    change: (manifest) =>
      manifest.asset_files.push({ kind: 'obs_json', path: 'assets/gone.json', size_bytes: 9 }),
  });
  expect(values.cluster).toEqual(['T', null, 'B']);
  expect(remarks.join()).toContain(new NotFoundError('assets/gone.json').message.slice(0, 30));
});

test('a column missing from the tables is skipped and reported', async () => {
  const { values, remarks } = await read({ csv: CSV, columns: ['cluster', 'gone'] });
  expect(values).toEqual({ cluster: ['T', null, 'B'] });
  expect(remarks.join()).toMatch(/it has no column “gone”/);
});

test('an image without a transform is stretched over the extent of the cells, first row on top', () => {
  const at = ({ scale, offset }: ReturnType<typeof stretched>, x: number, y: number) => [
    x * scale[0] + offset[0],
    y * scale[1] + offset[1],
  ];
  const size = { width: 100, height: 50 };
  const down = stretched([10, 20, 30, 60], size, 'down');
  expect([at(down, 10, 20), at(down, 30, 60), at(down, 20, 40)]).toEqual([
    [0, 0],
    [100, 50],
    [50, 25],
  ]);
  const up = stretched([10, 20, 30, 60], size, 'up');
  expect([at(up, 10, 60), at(up, 30, 20)]).toEqual([
    [0, 0],
    [100, 50],
  ]);
  expect(stretched([5, 5, 5, 5], size, 'down').scale.every(Number.isFinite)).toBe(true);
});
