import { describe, expect, test } from 'vitest';
import type { Positions } from '../data/bundle';
import type { View } from '../lib/camera';
import { field, forEachCsvRow, unguarded } from '../lib/csv';
import { type Layer, NO_LAYER } from '../state/color/layer';
import { cellsInView, csvOf, embeddingAxes, shortest, TISSUE_AXES } from './table';

const HOSTILE = '<script>alert("x")</script>, π 🧬\nline';

const positions: Positions = {
  coords: Float32Array.from([0, 0, 10, 0, 0.1, 0.25, Number.NaN, 1, 5, -5]),
  extent: [0, -5, 10, 1],
  yAxis: 'down',
  unitUm: null,
  spotDiameter: null,
};
const view: View = { x: 2, y: 0, scale: 10, axes: [1, 0, 0, 1], width: 100, height: 100 };

const rowsOf = (text: string) => {
  const rows: string[][] = [];
  forEachCsvRow(text, (fields) => rows.push([...fields]));
  return rows;
};

test('only cells in view that are visible and selected are returned', () => {
  expect([...cellsInView(positions, view, null, null)]).toEqual([0, 2, 4]);
  expect([...cellsInView(positions, view, (cell) => cell !== 2, null)]).toEqual([0, 4]);
  expect([...cellsInView(positions, view, null, Uint8Array.from([0, 1, 1, 1, 0]))]).toEqual([2]);
});

describe('fields', () => {
  test.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['two\nlines', '"two\nlines"'],
    ['=1+1', "'=1+1"],
    ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ['+cmd', "'+cmd"],
    ['-', "'-"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', '"\'\t\'=1"'],
    ['x;=cmd|x', '"x;\'=cmd|x"'],
    ['x;"=1+1"', '"x;\'""=1+1"""'],
    ['a\t@b', '"a\t\'@b"'],
    ['a|-b', '"a|\'-b"'],
    ['a;-3', '"a;\'-3"'],
    ['+1, x', '"\'+1, x"'],
    ['a;+1,x', '"a;\'+1,x"'],
    ["a; '=1", '"a;\' \'=1"'],
    ['a\n=1', '"a\n\'=1"'],
    ['a, b', '"a, b"'],
    ['＝1', "'＝1"],
    ['-1', '-1'],
    ['+5', '+5'],
    ['-1.5e-3', '-1.5e-3'],
    ['-1+1', "'-1+1"],
    ["'=1", "''=1"],
    ["'90s", "'90s"],
    ['CD4+', 'CD4+'],
    ['', ''],
  ])('%j', (text, wanted) => {
    expect(field(text)).toBe(wanted);
    expect(rowsOf(`${wanted},x`)[0]?.map(unguarded)).toEqual([text, 'x']);
  });
});

test.each([',', ';', '|', '\t'])('no field is a formula for a program that splits at %j', (separator) => {
  const names = ['x;=cmd', 'a|"=1"', "b\t'=1", 'c,+d', 'e;;=f', '"";=g', 'h; =i', '=', ';', '-'];
  const pieces = `x,${names.map(field).join(',')}`.split(new RegExp(`[${separator}\n]`));
  for (const piece of pieces) expect(piece).not.toMatch(/^["\s]*[=+\-@]/);
  expect(names.map((name) => unguarded(rowsOf(field(name))[0]?.[0] ?? ''))).toEqual(names);
});

test('numbers are written with the fewest digits that round-trip as float32', () => {
  for (const value of [0.1, 1 / 3, -2.5e-8, 16777216, 3.4e38, 1e-45, 1234.5678, -0.25]) {
    const stored = Math.fround(value);
    expect(Math.fround(Number(shortest(stored)))).toBe(stored);
  }
  expect(shortest(Math.fround(0.1))).toBe('0.1');
  expect(shortest(Math.fround(-7))).toBe('-7');
  expect(shortest(Number.NaN)).toBe('');
});

describe('csv', () => {
  const plain = { axes: TISSUE_AXES, unitUm: null };
  const names = (cell: number) => ['a', HOSTILE, '=x', 'd', 'e'][cell] ?? '';
  const cells = Uint32Array.from([0, 1, 2]);

  test('category names round-trip; a missing category is an empty field', async () => {
    const layer: Layer = {
      kind: 'category',
      color: { kind: 'annotation', column: HOSTILE },
      column: {
        kind: 'category',
        name: HOSTILE,
        categories: [HOSTILE, '1'].map((name) => ({ name, color: '#000000', count: 1 })),
        missing: 1,
        codes: Uint8Array.from([0, 1, 2, 0, 0]),
      },
    };
    expect(rowsOf(await new Blob(await csvOf({ ...plain, cells, names, positions, layer })).text())).toEqual([
      ['cell_id', 'x', 'y', HOSTILE],
      ['a', '0', '0', HOSTILE],
      [HOSTILE, '10', '0', '1'],
      ["'=x", '0.1', '0.25', ''],
    ]);
  });

  test('negative values stay numbers', async () => {
    const layer: Layer = {
      kind: 'value',
      color: { kind: 'gene', gene: 'EPCAM' },
      label: 'EPCAM',
      values: Float32Array.from([-1.5, Number.NaN, 0.1, 0, 0]),
      summary: { min: -1.5, max: 0.1, mean: 0, fraction: 1, lower: -1.5, upper: 0.1 },
    };
    const rows = rowsOf(await new Blob(await csvOf({ ...plain, cells, names, positions, layer })).text());
    expect(rows.map((row) => row[3])).toEqual(['EPCAM', '-1.5', '', '0.1']);
  });

  test('float64 values and integers keep all digits', async () => {
    const stamps = [1_600_000_000.25, 2 ** 60, 0.100000000001];
    const layer: Layer = {
      kind: 'value',
      color: { kind: 'annotation', column: 'time' },
      label: 'time',
      values: Float64Array.from([...stamps, 0, 0]),
      summary: { min: 0, max: 2 ** 60, mean: 0, fraction: 1, lower: 0, upper: 1 },
    };
    const rows = rowsOf(await new Blob(await csvOf({ ...plain, cells, names, positions, layer })).text());
    expect(rows.slice(1).map((row) => row[3])).toEqual([
      '1600000000.25',
      '1152921504606846976',
      '0.100000000001',
    ]);
  });

  test('the column name of a score states what it is the mean of', async () => {
    const layer: Layer = {
      kind: 'value',
      color: { kind: 'score', name: 'T cells', genes: ['CD3E', 'CD2'] },
      label: 'T cells',
      values: Float32Array.from([1, 2, 3, 4, 5]),
      summary: { min: 1, max: 5, mean: 3, fraction: 1, lower: 0, upper: 5 },
    };
    const of = 'mean of log1p values';
    const text = await new Blob(await csvOf({ ...plain, cells, names, positions, layer, of })).text();
    expect(rowsOf(text)[0]?.[3]).toBe('T cells (mean of log1p values)');
  });

  test('there is no value column if nothing colors the tissue', async () => {
    const text = await new Blob(
      await csvOf({ ...plain, cells: cells.subarray(0, 1), names, positions, layer: NO_LAYER }),
    ).text();
    expect(text).toBe('cell_id,x,y\r\na,0,0\r\n');
  });

  test('coordinates are named for their unit, and converted if it is not µm', async () => {
    const textOf = async (change: object) =>
      new Blob(
        await csvOf({
          ...plain,
          ...change,
          cells: cells.subarray(1, 2),
          names: String,
          positions,
          layer: NO_LAYER,
        }),
      ).text();
    expect(await textOf({ unitUm: 1 })).toBe('cell_id,x_um,y_um\r\n1,10,0\r\n');
    expect(await textOf({ unitUm: 0.2125 })).toBe('cell_id,x,y,x_um,y_um\r\n1,10,0,2.125,0\r\n');
    expect(await textOf({ axes: embeddingAxes('UMAP') })).toBe('cell_id,umap_1,umap_2\r\n1,10,0\r\n');
    expect(embeddingAxes('t-SNE (harmony)')).toEqual(['t_sne_harmony_1', 't_sne_harmony_2']);
    expect(embeddingAxes('()')).toEqual(['embedding_1', 'embedding_2']);
  });

  test('rows beyond one chunk are written', async () => {
    const many = 120_001;
    const coords = new Float32Array(2 * many).fill(1);
    const all = Uint32Array.from({ length: many }, (_, cell) => cell);
    const table = {
      ...plain,
      cells: all,
      names: String,
      positions: { ...positions, coords },
      layer: NO_LAYER,
    };
    const text = await new Blob(await csvOf(table)).text();
    expect(text.split('\r\n')).toHaveLength(many + 2);
    expect(text.endsWith(`${many - 1},1,1\r\n`)).toBe(true);
  });
});
